//! The reference spell's tick against native Rust and Luau; instantiation beside it.

use crate::artifact;
use crate::report::{Report, Samples, interleave};
use crate::twins::{Fixture, Impulse, LuauBuffer, LuauIdiomatic, Native, NativeHost, NativeRepel};
use anyhow::{Error, Result, anyhow, ensure};
use spell_runtime::{
    Call, Cast, Entity, EntityId, EntityKind, Hook, Instance, Intent, Kinds, RayHit, Runtime, Shape, Spell, Vec3, View, Voxel,
};
use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

const ROUNDS: usize = 11;
const TICKS_PER_ROUND: u32 = 20_000;
const INSTANCES_PER_ROUND: u32 = 1_000;
const CALL_FUEL: u64 = game::limits::SPELL_CALL_FUEL_MAX;
const CASTER: EntityId = 1;

/// Measures, prints and records.
pub fn run() -> Result<()> {
    let mut report = Report::begin("spell");
    let fixture = Rc::new(Fixture::new());
    let runtime = Runtime::new(64)?;
    let spell = artifact::load(&runtime, include_str!("../../spells/repel/src/lib.rs"))?;
    let view: Arc<dyn View> = Arc::new(Prefetched(Fixture::new()));

    let mut native: Box<dyn Native> = black_box(Box::new(NativeRepel::default()));
    let mut host = black_box(NativeHost::new(Fixture::new()));
    let mut wasm = cast(&spell, &view);
    let mut idiomatic = LuauIdiomatic::new(fixture.clone()).map_err(lua)?;
    let mut buffer = LuauBuffer::new(fixture.clone()).map_err(lua)?;

    native.tick(&mut host);
    idiomatic.tick().map_err(lua)?;
    buffer.tick().map_err(lua)?;
    same("wasm", &host.impulses, &wasm_tick(&mut wasm, &view))?;
    same("luau idiomatic", &host.impulses, &idiomatic.impulses())?;
    same("luau buffer", &host.impulses, buffer.impulses())?;

    let samples = interleave(
        ROUNDS,
        &mut [
            ("native", &mut || {
                per_tick_ns(|| {
                    host.impulses.clear();
                    native.tick(black_box(&mut host));
                    black_box(&host.impulses);
                })
            }),
            ("wasm", &mut || per_tick_ns(|| drop(black_box(call(&mut wasm, &view, Hook::Tick(1.0 / 60.0)))))),
            ("luau idiomatic", &mut || per_tick_ns(|| idiomatic.tick().expect("ran before"))),
            ("luau buffer", &mut || per_tick_ns(|| buffer.tick().expect("ran before"))),
            ("instantiate", &mut || instantiate_us(&spell)),
        ],
    );
    let [native, wasm, idiomatic, buffer, instantiate] = <[Samples; 5]>::try_from(samples).expect("five contenders");
    let how = format!(
        "one tick of spells/repel: {ROUNDS} interleaved rounds of {TICKS_PER_ROUND} ticks; fuel, epoch and every check on; 8 neighbours prefetched"
    );
    report.extend([
        wasm.against(&native, "native Rust behind a trait object", "reference.vs_native", "ns", "15x (component path)", &how),
        wasm.against(&idiomatic, "Luau, tables and vectors", "reference.vs_luau_idiomatic", "ns", "0.17x", &how),
        wasm.against(&buffer, "Luau, buffers", "reference.vs_luau_buffer", "ns", "", &how),
        instantiate.row(
            "instantiate.us",
            "us",
            "",
            format!("new instance from the pool, init, drop: {ROUNDS} rounds of {INSTANCES_PER_ROUND}"),
        ),
    ]);
    report.finish()?;
    let bars = [("native", &native), ("wasm", &wasm), ("luau buffer", &buffer), ("luau idiomatic", &idiomatic)];
    report.bars("spell", "One tick of the reference spell", "ns", &bars)
}

/// Lua's errors hold things that do not cross threads, so only their words can be kept.
fn lua(error: mlua::Error) -> Error {
    anyhow!("luau: {error}")
}

/// A cast of the spell that is past its `on-cast`.
fn cast(spell: &Spell, view: &Arc<dyn View>) -> Instance {
    let mut instance = spell.instantiate(CALL_FUEL).expect("init of a library spell");
    let caster = view.entity(CASTER).expect("the fixture's caster");
    let what = Cast {
        tick: 1,
        caster: CASTER,
        target: 0,
        origin: caster.position,
        aim: [0.0, 0.0, -1.0],
        target_position: caster.position,
        seed: 7,
        params: "{}".into(),
    };
    call(&mut instance, view, Hook::Cast(what));
    instance
}

fn call(instance: &mut Instance, view: &Arc<dyn View>, hook: Hook) -> Vec<Intent> {
    let outcome = instance.call(Call { hook, tick: 1, view: view.clone(), caster: CASTER, first_id: 1_000, fuel: CALL_FUEL });
    assert_eq!(outcome.fault, None, "a library spell that faults cannot be measured");
    outcome.intents
}

fn wasm_tick(instance: &mut Instance, view: &Arc<dyn View>) -> Vec<Impulse> {
    let pushes = call(instance, view, Hook::Tick(1.0 / 60.0)).into_iter().filter_map(|intent| match intent {
        Intent::Push { target, impulse } => Some((target, impulse)),
        _ => None,
    });
    pushes.collect()
}

/// All contenders must have done the same work, to the precision of f32 against Luau's f64.
fn same(name: &str, native: &[Impulse], other: &[Impulse]) -> Result<()> {
    ensure!(native.len() == other.len(), "{name} pushed {} entities, native {}", other.len(), native.len());
    for ((id, impulse), (other_id, other_impulse)) in native.iter().zip(other) {
        let close = impulse.iter().zip(other_impulse).all(|(a, b)| (a - b).abs() <= 1e-4 * (1.0 + a.abs()));
        ensure!(id == other_id && close, "{name} pushed {other_id} by {other_impulse:?}, native {id} by {impulse:?}");
    }
    Ok(())
}

fn per_tick_ns(mut tick: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..TICKS_PER_ROUND {
        tick();
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(TICKS_PER_ROUND)
}

fn instantiate_us(spell: &Spell) -> f64 {
    let start = Instant::now();
    for _ in 0..INSTANCES_PER_ROUND {
        drop(black_box(spell.instantiate(CALL_FUEL).expect("init of a library spell")));
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(INSTANCES_PER_ROUND)
}

/// The fixture as a world: it answers from what is prefetched, so that the spatial query is not measured.
struct Prefetched(Fixture);

impl View for Prefetched {
    fn entity(&self, id: EntityId) -> Option<Entity> {
        let position = if id == CASTER { self.0.caster } else { self.0.near.iter().find(|near| near.0 == id)?.1 };
        Some(Entity { id, kind: EntityKind::Player, position, velocity: [0.0; 3], aim: [0.0, 0.0, -1.0], health: 100.0, health_max: 100.0 })
    }
    fn find(&self, _shape: Shape, _kinds: Kinds, count: usize, _except: EntityId) -> Vec<(EntityId, Vec3)> {
        self.0.near.iter().take(count).copied().collect()
    }
    fn raycast(&self, _start: Vec3, _direction: Vec3, _length: f32, _except: EntityId) -> Option<RayHit> {
        None
    }
    fn line_of_sight(&self, _start: Vec3, _end: Vec3) -> bool {
        true
    }
    fn material(&self, _voxel: Voxel) -> u8 {
        0
    }
}
