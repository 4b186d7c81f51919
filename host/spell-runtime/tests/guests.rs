//! Hostile guests as data: each file of `tests/guests` says in its first line what must come of it.
//!
//! A file is a whole `(component ...)`, a whole `(module ...)`, or the fields of a core module, which get the imports, and an empty hook for each that they lack,
//! around them. Those that import `wasi:*` are wrapped as another toolchain would, for our builder makes none of those. `;; envelope: all` declares every
//! capability within 60 m. `UPDATE_EXPECT=1` rewrites the first lines: read the diff.

mod random;
mod wrap;

use spell_runtime::compile::{CompileError, Compiled, boundary_of, compile, componentize};
use spell_runtime::*;
use std::path::Path;
use std::sync::Arc;

const SEED: [u8; 32] = [7; 32];
const FUEL: u64 = 1_000_000;
const CASTER: EntityId = 1;

#[test]
fn every_guest_gets_its_verdict_and_its_neighbour_notices_nothing() {
    let runtime = Runtime::new(4).expect("a small runtime");
    let neighbour = build(&runtime, include_str!("guests/good_neighbour.wat")).expect("a good spell");
    assert_eq!(neighbour.boundary(), Boundary::Direct);
    let mut neighbour = neighbour.instantiate(FUEL).expect("a good spell starts");
    let undisturbed = neighbour.call(call(Hook::Tick(0.5)));
    assert_eq!(undisturbed.fault, None);
    let mut wrong = Vec::new();
    for path in guests() {
        let text = std::fs::read_to_string(&path).expect("a guest");
        let (verdict, direct) = verdicts(&runtime, &text);
        if let Some(direct) = direct
            && in_outline(&direct) != in_outline(&verdict)
        {
            wrong.push(format!("{}\n  through components {verdict}\n  directly           {direct}", path.display()));
        }
        let verdict = format!(";; => {verdict}");
        assert_eq!(neighbour.call(call(Hook::Tick(0.5))), undisturbed, "beside {}", path.display());
        let (expected, rest) = text.split_once('\n').expect("a first line");
        if expected == verdict {
            continue;
        }
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&path, format!("{verdict}\n{rest}")).expect("the guests' folder can be written");
        } else {
            wrong.push(format!("{}\n  expected {expected}\n  got      {verdict}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_flipped_bit_anywhere_in_an_artifact_is_refused() {
    let runtime = Runtime::new(1).expect("a small runtime");
    let good = artifact(include_str!("guests/good_neighbour.wat")).expect("a good spell");
    let key = artifact::PublicKey::of_seed(&SEED);
    assert!(runtime.load("guest", &good, &key).is_ok());
    let mut state = 0x5eed_u64;
    let seeded = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % good.len()
    });
    for (position, bit) in (0..64).chain(seeded.take(200)).flat_map(|position| (0..8).map(move |bit| (position, bit))) {
        let mut bytes = good.clone();
        bytes[position] ^= 1 << bit;
        assert!(matches!(runtime.load("guest", &bytes, &key), Err(LoadError::Artifact(_))), "byte {position}, bit {bit}");
    }
}

#[test]
fn our_own_signature_does_not_help_code_of_another_engine() {
    let runtime = Runtime::new(1).expect("a small runtime");
    let component = component(include_str!("guests/good_neighbour.wat")).expect("a good spell");
    let Compiled { engine_id, code } = compile(&component, Boundary::Direct).expect("compiles");
    let key = artifact::PublicKey::of_seed(&SEED);
    let other = artifact::sign(&component, "wasmtime-47.0.0-00", &code, &SEED);
    assert!(matches!(runtime.load("guest", &other, &key), Err(LoadError::EngineId { .. })));
    let cut = artifact::sign(&component, &engine_id, &code[..code.len() / 2], &SEED);
    assert!(matches!(runtime.load("guest", &cut, &key), Err(LoadError::Code(_))));
    let none = artifact::sign(&component, &engine_id, b"", &SEED);
    assert!(matches!(runtime.load("guest", &none, &key), Err(LoadError::Code(_))));
}

#[test]
fn a_component_cut_anywhere_is_refused_or_has_lost_custom_sections_alone() {
    let component = component(include_str!("guests/good_neighbour.wat")).expect("a good spell");
    for length in 0..component.len() {
        if inspect::inspect(&component[..length]).is_ok() {
            for boundary in [Boundary::Component, Boundary::Direct] {
                assert!(compile(&component[..length], boundary).is_ok(), "cut at {length}");
            }
        }
    }
}

#[test]
fn a_flood_of_foreign_imports_is_a_short_list() {
    let imports: String = (0..5000).map(|index| format!(r#"(import "env" "f{index}" (func))"#)).collect();
    match componentize(&core(&imports)) {
        Err(CompileError::Module(found)) => assert_eq!(found.len(), limits::FINDINGS_MAX),
        other => panic!("{:?}", other.map(|component| component.len())),
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_server_for_more_casts_than_the_kernel_can_map_does_not_start() {
    // No kernel allows eight thousand million mappings.
    let error = Runtime::new(u32::MAX).err().expect("refused before anything is reserved");
    let RuntimeError::Mappings { casts_max, needed, allowed } = &error else { panic!("{error}") };
    assert!(*casts_max == u32::MAX && needed > allowed);
    assert!(error.to_string().contains("raise it with sysctl, or lower the number of casts"), "{error}");
}

#[test]
fn a_full_pool_refuses_one_cast_and_a_dropped_one_makes_room() {
    let runtime = Runtime::new(1).expect("a small runtime");
    let spell = build(&runtime, include_str!("guests/good_neighbour.wat")).expect("a good spell");
    let first = spell.instantiate(FUEL).expect("there is room");
    let _spare = spell.instantiate(FUEL).expect("one more, for whoever replaces an instance");
    assert_eq!(spell.instantiate(FUEL).err().map(|fault| fault.limit), Some("instances"));
    drop(first);
    assert!(spell.instantiate(FUEL).is_ok());
}

#[test]
fn a_live_cast_costs_the_memory_mappings_that_the_pool_reckons_with() {
    let runtime = Runtime::new(10_000).expect("the kernel's default allows ten thousand casts");
    let spell = build(&runtime, include_str!("guests/good_neighbour.wat")).expect("a good spell");
    let mappings = || std::fs::read_to_string("/proc/self/maps").expect("/proc").lines().count() as u64;
    let before = mappings();
    let casts = 2_000;
    let live: Vec<Instance> = (0..casts).map(|_| spell.instantiate(FUEL).expect("there is room")).collect();
    let each = (mappings() - before) as f64 / casts as f64;
    assert!(each <= limits::MAPPINGS_PER_CAST as f64 + 0.1, "{each} mappings a cast");
    drop(live);
}

#[test]
fn ten_thousand_tenants_of_a_slot_find_nothing_of_the_one_before() {
    const TENANTS: usize = 10_000;
    let runtime = Runtime::new(1).expect("a small runtime");
    let text = include_str!("guests/looks_for_an_earlier_tenant.wat");
    let component = component(text).expect("a good component");
    for boundary in [Boundary::Component, Boundary::Direct] {
        let artifact = sign(&component, boundary).expect("it compiles");
        let spell = load(&runtime, &artifact).expect("a good spell");
        for tenant in 0..TENANTS / 2 {
            let mut instance = spell.instantiate(FUEL).unwrap_or_else(|fault| panic!("tenant {tenant}: {fault:?}"));
            assert_eq!(instance.call(call(cast())).fault, None);
        }
    }
}

#[test]
fn a_stopped_instance_says_so_when_called_again() {
    let runtime = Runtime::new(1).expect("a small runtime");
    let spell = build(&runtime, include_str!("guests/unreachable.wat")).expect("a spell");
    let mut instance = spell.instantiate(FUEL).expect("init is empty");
    let fault = |outcome: Outcome| outcome.fault.map(|fault| fault.limit);
    assert_eq!(fault(instance.call(call(cast()))), Some("unreachable"));
    assert_eq!(fault(instance.call(call(Hook::Tick(0.1)))), Some("stopped"));
}

#[test]
fn a_view_is_given_back_when_the_call_returns() {
    let runtime = Runtime::new(1).expect("a small runtime");
    for guest in [include_str!("guests/good_neighbour.wat"), include_str!("guests/unreachable.wat")] {
        let mut instance = build(&runtime, guest).expect("a spell").instantiate(FUEL).expect("init is empty");
        let mut view = Arc::new(Meadow);
        let lease: Arc<dyn View> = view.clone();
        instance.call(Call { view: lease, ..call(cast()) });
        assert!(Arc::get_mut(&mut view).is_some());
    }
}

#[test]
fn time_stops_what_fuel_does_not() {
    let runtime = Runtime::new(1).expect("a small runtime");
    let tick = runtime.epoch_ticker();
    let mut instance = build(&runtime, include_str!("guests/loop_on_cast.wat")).expect("a spell").instantiate(FUEL).expect("init is empty");
    let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = done.clone();
    // Epochs without a pause: the deadline passes as soon as it can.
    let clock = std::thread::spawn(move || {
        while !seen.load(std::sync::atomic::Ordering::Relaxed) {
            tick();
            std::thread::yield_now();
        }
    });
    let fuel = u64::MAX / 4;
    let outcome = instance.call(Call { fuel, ..call(cast()) });
    done.store(true, std::sync::atomic::Ordering::Relaxed);
    clock.join().expect("the clock has no way to fail");
    assert_eq!(outcome.fault.map(|fault| fault.limit), Some("time"));
    assert_eq!(outcome.fuel, fuel, "an epoch-killed call is charged its whole cap");
}

#[test]
fn the_same_calls_cost_the_same_fuel() {
    let runtime = Runtime::new(2).expect("a small runtime");
    let spell = build(&runtime, include_str!("guests/good_neighbour.wat")).expect("a good spell");
    let run = || {
        let mut instance = spell.instantiate(FUEL).expect("starts");
        hooks().map(|hook| instance.call(call(hook)))
    };
    assert_eq!(run(), run());
}

/// What comes of a guest, in one line: through the component layer, and below it where it is served there.
fn verdicts(runtime: &Runtime, text: &str) -> (String, Option<String>) {
    let component = match component(text) {
        Ok(component) => component,
        Err(reason) => return (format!("refused: {reason}"), None),
    };
    let verdict = |boundary| match sign(&component, boundary).and_then(|artifact| load(runtime, &artifact)) {
        Ok(spell) => play(&spell),
        Err(reason) => format!("refused: {reason}"),
    };
    (verdict(Boundary::Component), (boundary(text, &component) == Boundary::Direct).then(|| verdict(Boundary::Direct)))
}

/// A verdict without the words of who noticed that the rules of the boundary were broken.
fn in_outline(verdict: &str) -> &str {
    verdict.split_once("the call broke the rules of the boundary").map_or(verdict, |(before, _)| before)
}

/// Every hook once, up to the first fault; what it left behind in the order of the hooks.
fn play(spell: &Spell) -> String {
    let mut instance = match spell.instantiate(FUEL) {
        Ok(instance) => instance,
        Err(fault) => return describe(&fault),
    };
    let mut left = Vec::new();
    for hook in hooks() {
        let name = hook.name();
        let outcome = instance.call(call(hook));
        let intents = outcome.intents.iter().map(in_short).collect::<Vec<_>>();
        if intents.len() > 4 {
            left.push(format!("{name}: {} intents, {} first", intents.len(), intents[0]));
        } else if !intents.is_empty() {
            left.push(format!("{name}: {}", intents.join(", ")));
        }
        if let Some(fault) = outcome.fault {
            left.push(describe(&fault));
            return left.join("; ");
        }
    }
    let saved = match instance.save(FUEL) {
        Ok(saved) => saved,
        Err(fault) => return describe(&fault),
    };
    match instance.restore(FUEL, 1, &saved) {
        Ok(()) if left.is_empty() => "runs".into(),
        Ok(()) => format!("runs; {}", left.join("; ")),
        Err(fault) => describe(&fault),
    }
}

fn in_short(intent: &Intent) -> String {
    match intent {
        Intent::Log { level, text } if text.len() > 100 => format!("Log of {} bytes as {level}", text.len()),
        intent => format!("{intent:?}"),
    }
}

fn describe(fault: &Fault) -> String {
    format!("fault {} ({} allowed, {} asked): {}", fault.limit, fault.allowed, fault.asked, fault.message)
}

fn hooks() -> [Hook; 4] {
    [cast(), Hook::Tick(0.5), Hook::Event(Event::Timer(7)), Hook::Cancel(CancelReason::Duration)]
}

fn cast() -> Hook {
    Hook::Cast(Cast {
        tick: 9,
        caster: CASTER,
        target: 2,
        origin: [0.0, 2.6, 0.0],
        aim: [0.0, 0.0, -1.0],
        target_position: [0.0, 1.0, -10.0],
        seed: 77,
        params: "{}".into(),
    })
}

fn call(hook: Hook) -> Call {
    Call { hook, tick: 1, view: Arc::new(Meadow), caster: CASTER, mana: Some(60.0), first_id: 100, fuel: FUEL }
}

/// A caster at the origin, a dummy 5 m and another 500 m away, a crate beside.
struct Meadow;

impl View for Meadow {
    fn entity(&self, id: EntityId) -> Option<Entity> {
        let (kind, z, health) = match id {
            1 => (EntityKind::Player, 0.0, 100.0),
            2 => (EntityKind::Npc, -5.0, 100.0),
            3 => (EntityKind::Npc, -500.0, 100.0),
            4 => (EntityKind::Prop, -2.0, 0.0),
            _ => return None,
        };
        let position = [0.0, 1.9, z];
        Some(Entity { id, kind, position, velocity: [0.0; 3], aim: [0.0, 0.0, -1.0], health, health_max: health })
    }
    fn find(&self, _shape: Shape, _kinds: Kinds, count: usize, except: EntityId) -> Vec<(EntityId, Vec3)> {
        (1..5).filter(|id| *id != except).filter_map(|id| Some((id, self.entity(id)?.position))).take(count).collect()
    }
    fn raycast(&self, start: Vec3, _direction: Vec3, length: f32, _except: EntityId) -> Option<RayHit> {
        Some(RayHit { entity: 0, point: start, normal: [0.0, 1.0, 0.0], distance: length })
    }
    fn line_of_sight(&self, _start: Vec3, _end: Vec3) -> bool {
        true
    }
    fn material(&self, voxel: Voxel) -> u8 {
        u8::from(voxel[1] <= 0)
    }
    fn stored(&self, _spell: &str, _caster: EntityId, _drawer: Drawer, key: &str) -> Option<Arc<[u8]>> {
        (key == "kept").then(|| [1, 2, 3].into())
    }
}

fn guests() -> Vec<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests");
    let mut paths: Vec<_> = std::fs::read_dir(folder).expect("the guests' folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    assert!(paths.len() > 30, "the guests are missing");
    paths
}

fn build(runtime: &Runtime, text: &str) -> Result<Spell, String> {
    load(runtime, &artifact(text)?)
}

fn load(runtime: &Runtime, artifact: &[u8]) -> Result<Spell, String> {
    runtime.load("guest", artifact, &artifact::PublicKey::of_seed(&SEED)).map_err(|error| error.to_string())
}

fn artifact(text: &str) -> Result<Vec<u8>, String> {
    let component = component(text)?;
    sign(&component, boundary(text, &component))
}

fn sign(component: &[u8], boundary: Boundary) -> Result<Vec<u8>, String> {
    let Compiled { engine_id, code } = compile(component, boundary).map_err(|error| error.to_string())?;
    Ok(artifact::sign(component, &engine_id, &code, &SEED))
}

/// As the builder chooses it: what others wrapped goes through the component layer.
fn boundary(text: &str, component: &[u8]) -> Boundary {
    if is_whole(text) || text.contains(wrap::WASI) { Boundary::Component } else { boundary_of(component) }
}

/// Whether it needs nothing around it.
fn is_whole(text: &str) -> bool {
    let body = text.lines().find(|line| !line.is_empty() && !line.starts_with(";;")).unwrap_or_default();
    body.starts_with("(component") || body.starts_with("(module")
}

/// The component, as far as inspection lets it come.
fn component(text: &str) -> Result<Vec<u8>, String> {
    let bytes = if is_whole(text) {
        wat::parse_str(text).expect("a guest's text")
    } else if text.contains(wrap::WASI) {
        let mut encoder = wit_component::ComponentEncoder::default().validate(true).module(&core(text)).expect("a guest's module");
        encoder.encode().map_err(|error| format!("{error:#}"))?
    } else {
        componentize(&core(text)).map_err(findings)?
    };
    inspect::inspect(&bytes).map_err(|found| words(&found))?;
    Ok(bytes)
}

fn findings(error: CompileError) -> String {
    match error {
        CompileError::Module(found) => words(&found),
        error => error.to_string(),
    }
}

fn words(found: &[inspect::Finding]) -> String {
    found.iter().map(|finding| format!("{}: {}", finding.code, finding.message)).collect::<Vec<_>>().join("; ")
}

fn with_interface(core: Vec<u8>) -> Vec<u8> {
    wrap::with_interface(core, &wit())
}

fn wit() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/since-v0.1.0")
}

fn core(fields: &str) -> Vec<u8> {
    wrap::core(fields, &wit())
}

#[test]
fn a_function_that_takes_seconds_to_compile_is_refused_by_its_size() {
    let branches = "(if (local.get 0) (then (local.set 0 (i32.add (local.get 0) (i32.const 1)))))".repeat(6000);
    let text = format!("(func $large (param i32) (local {}) {branches})", "i32 ".repeat(900));
    let found = component(&text).expect_err("too large");
    assert!(found.starts_with("size: has a function of ") && found.ends_with(" bytes, over the limit of 65536"), "{found}");
}
