//! Components that nobody wrote: random modules behind the interface, and valid components with bytes changed. None may harm the server or a neighbour, and what
//! runs comes out the same twice. The seeds are fixed; a failure names the number that repeats it.

use super::wrap::IMPORTS;
use super::{SEED, call, component, core, hooks, in_outline, with_interface};
use spell_runtime::compile::{Compiled, boundary_of, compile, componentize};
use spell_runtime::*;
use wasm_smith::Config;

/// Less than a spell has: most of what runs at all is an endless loop.
const FUEL: u64 = 100_000;
/// Random modules that are tried.
const MODULES: u64 = 300;
/// Changed components that are tried.
const MUTANTS: u64 = 3_000;
/// Bytes of randomness that a module is made of.
const MODULE_SEED_BYTES: usize = 4_096;

/// A random module has the interface's exports and may import its functions; all else is as it comes.
#[test]
fn random_modules_end_in_a_verdict_and_their_neighbour_notices_nothing() {
    let mut yard = Yard::new();
    let (mut ran, mut alike) = (0, 0);
    for number in 0..MODULES {
        let mut bytes = vec![0; MODULE_SEED_BYTES];
        let mut dice = Dice(number);
        bytes.fill_with(|| dice.roll() as u8);
        let mut random = arbitrary::Unstructured::new(&bytes);
        let module = wasm_smith::Module::new(config(), &mut random).expect("randomness enough").to_bytes();
        let Ok(component) = componentize(&with_interface(module)) else { continue };
        let through = yard.verdict(number, &component, Boundary::Component);
        ran += u32::from(through.is_some());
        if boundary_of(&component) == Boundary::Component {
            continue;
        }
        // Fuel is counted on in the component layer's own code, so that a call which ran out of it may have come less far there.
        let direct = yard.verdict(number, &component, Boundary::Direct);
        if !through.iter().chain(&direct).any(|told| told.contains("ran out of fuel")) {
            assert_eq!(through.map(compared), direct.map(compared), "number {number} differs below the component layer");
            alike += 1;
        }
    }
    assert!(alike > 20, "{alike} were compared");
    // Else the test would say little.
    assert!(ran > MODULES as u32 / 10, "{ran} of {MODULES} ran");
}

#[test]
fn changed_components_end_in_a_verdict_and_their_neighbour_notices_nothing() {
    let mut yard = Yard::new();
    let originals = [
        include_str!("../guests/good_neighbour.wat"),
        include_str!("../guests/damage_flood.wat"),
        include_str!("../guests/send_flood.wat"),
        include_str!("../guests/materials_in_reach.wat"),
    ]
    .map(|text| component(text).expect("a good component"));
    let mut ran = 0;
    for number in 0..MUTANTS {
        let mut dice = Dice(number);
        let mut component = originals[dice.below(originals.len())].clone();
        for _ in 0..=dice.below(3) {
            mutate(&mut component, &mut dice);
        }
        ran += u32::from(yard.verdict(number, &component, Boundary::Component).is_some());
        yard.verdict(number, &component, Boundary::Direct);
    }
    assert!(ran > MUTANTS as u32 / 50, "{ran} of {MUTANTS} ran");
}

/// A good spell, and the runtime that it shares with all others.
struct Yard {
    runtime: Runtime,
    neighbour: Instance,
    undisturbed: Outcome,
}

impl Yard {
    fn new() -> Self {
        let runtime = Runtime::new(4).expect("a small runtime");
        let good = component(include_str!("../guests/good_neighbour.wat")).expect("a good component");
        let mut neighbour = load(&runtime, &good, Boundary::Direct).expect("a good spell").instantiate(FUEL).expect("it starts");
        let undisturbed = neighbour.call(call(Hook::Tick(0.5)));
        assert_eq!(undisturbed.fault, None);
        Self { runtime, neighbour, undisturbed }
    }

    /// What came of it, where it came to run.
    fn verdict(&mut self, number: u64, component: &[u8], boundary: Boundary) -> Option<String> {
        let spell = load(&self.runtime, component, boundary)?;
        let (once, twice) = (play(&spell), play(&spell));
        assert_eq!(once, twice, "number {number} came out otherwise");
        assert_eq!(self.neighbour.call(call(Hook::Tick(0.5))), self.undisturbed, "beside number {number}");
        Some(once)
    }
}

/// All but the figures of fuel and the words of who noticed a broken rule.
fn compared(told: String) -> String {
    let mut parts = in_outline(&told).split("fuel: ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |kept, part| kept + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// What inspection, the compiler and the loader let pass.
fn load(runtime: &Runtime, component: &[u8], boundary: Boundary) -> Option<Spell> {
    inspect::inspect(component).ok()?;
    let Compiled { engine_id, code } = compile(component, boundary).ok()?;
    runtime.load("random", &artifact::sign(component, &engine_id, &code, &SEED), &artifact::PublicKey::of_seed(&SEED)).ok()
}

/// Every hook once, up to the first fault, in words: numbers that are none must count as equal.
fn play(spell: &Spell) -> String {
    let mut instance = match spell.instantiate(FUEL) {
        Ok(instance) => instance,
        Err(fault) => return format!("{fault:?}"),
    };
    let mut told = String::new();
    for hook in hooks() {
        let outcome = instance.call(Call { fuel: FUEL, ..call(hook) });
        told += &format!("{outcome:?}\n");
        if outcome.fault.is_some() {
            return told;
        }
    }
    let saved = instance.save(FUEL);
    told + &format!("{saved:?}")
}

fn config() -> Config {
    Config {
        available_imports: Some(wat::parse_str(format!("(module {IMPORTS})")).expect("the imports")),
        exports: Some(core("")),
        min_imports: 1,
        max_imports: 12,
        max_memories: 0,
        max_memory32_bytes: 8 * 65_536,
        max_table_elements: 256,
        max_funcs: 40,
        allow_start_export: true,
        exceptions_enabled: false,
        gc_enabled: false,
        reference_types_enabled: false,
        memory64_enabled: false,
        multi_value_enabled: true,
        relaxed_simd_enabled: true,
        shared_everything_threads_enabled: false,
        simd_enabled: true,
        tail_call_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        custom_page_sizes_enabled: false,
        ..Config::default()
    }
}

/// Flips, overwrites, cuts, doubles or swaps some bytes.
fn mutate(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(bytes.len());
    let length = (1 + dice.below(8)).min(bytes.len() - at);
    match dice.below(6) {
        0 | 1 => bytes[at] ^= 1 << dice.below(8),
        2 => bytes[at] = dice.roll() as u8,
        3 => _ = bytes.drain(at..at + length),
        4 => {
            let copy = bytes[at..at + length].to_vec();
            bytes.splice(at..at, copy);
        }
        _ => {
            let other = dice.below(bytes.len());
            bytes.swap(at, other);
        }
    }
    if bytes.is_empty() {
        bytes.push(0);
    }
}

/// A linear congruential generator: all that seeds must do here is to differ.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, most: usize) -> usize {
        self.roll() as usize % most
    }
}
