//! Small guests: each hook's body as WebAssembly text, the rest around it.

use game::{Game, LoadedRevision, Loader, PublicKey, Runtime};
use sim::World;
use sim::team::Policy;
use spell_runtime::{artifact, compile};
use std::path::Path;

pub const SEED: [u8; 32] = [7; 32];

/// The bodies of a guest's hooks.
#[derive(Clone, Copy, Default)]
pub struct Guest {
    pub init: &'static str,
    /// Parameters: 0 tick, 1 caster, 2 target, 3 to 5 origin, 6 to 8 aim, 9 to 11 target position.
    pub on_cast: &'static str,
    pub on_tick: &'static str,
    /// Parameters: 0 kind, 1 entity or token, 2 entity; those of point and normal are shared with a message.
    pub on_event: &'static str,
    /// Answers where the list's pointer and length stand.
    pub save: &'static str,
    /// Parameters: 0 version, 1 pointer, 2 length. Answers where the result stands.
    pub restore: &'static str,
}

macro_rules! bolt {
    ($damage:literal) => {
        Guest {
            on_cast: concat!(
                "(call $launch (local.get 3) (local.get 4) (local.get 5)
                    (f32.mul (local.get 6) (f32.const 20)) (f32.mul (local.get 7) (f32.const 20)) (f32.mul (local.get 8) (f32.const 20))
                    (f32.const 0.3) (f32.const 0) (f32.const 3) (f32.const ",
                $damage,
                ") (i32.const 64))"
            ),
            on_event: "(call $finish)",
            ..IDLE
        }
    };
}
/// Flies along the aim and takes 25 health from what it hits.
pub const BOLT: Guest = bolt!("25");
/// The same with twice the damage.
pub const STRONG_BOLT: Guest = bolt!("50");
/// Does not return from `on-tick`.
pub const LOOP: Guest = Guest { on_tick: "(loop $again (br $again))", ..IDLE };
/// Writes a line in each tick.
pub const CALM: Guest = Guest { on_tick: "(call $line)", ..IDLE };
/// The same, and spends nearly all of its fuel.
pub const SPIN: Guest = Guest { on_tick: "(call $line) (call $spin)", ..IDLE };
/// Lives for its 6 seconds and does nothing.
pub const IDLE: Guest = Guest {
    init: "",
    on_cast: "",
    on_tick: "",
    on_event: "",
    save: "(i64.store (i32.const 512) (i64.const 0)) (i32.const 512)",
    restore: "(i32.store8 (i32.const 520) (i32.const 0)) (i32.const 520)",
};
/// Counts its ticks and tells the count, two digits, in each; the count is what it saves.
pub const COUNTER: Guest = Guest {
    on_tick: "(i32.store (i32.const 256) (i32.add (i32.load (i32.const 256)) (i32.const 1)))
        (i32.store8 (i32.const 300) (i32.add (i32.const 48) (i32.rem_u (i32.div_u (i32.load (i32.const 256)) (i32.const 10)) (i32.const 10))))
        (i32.store8 (i32.const 301) (i32.add (i32.const 48) (i32.rem_u (i32.load (i32.const 256)) (i32.const 10))))
        (call $log (i32.const 1) (i32.const 300) (i32.const 2))",
    save: "(i32.store (i32.const 512) (i32.const 256)) (i32.store (i32.const 516) (i32.const 4)) (i32.const 512)",
    restore: "(i32.store (i32.const 256) (i32.load (local.get 1))) (i32.store8 (i32.const 520) (i32.const 0)) (i32.const 520)",
    ..IDLE
};
/// Does not take back what it saved.
pub const REFUSES: Guest =
    Guest { restore: "(i32.store8 (i32.const 520) (i32.const 1)) (i64.store (i32.const 524) (i64.const 0)) (i32.const 520)", ..CALM };
/// Breaks when it is saved.
pub const BREAKS: Guest = Guest { save: "unreachable", ..IDLE };

/// A runtime with room for a few casts.
pub fn runtime() -> Runtime {
    Runtime::new(8).expect("a small runtime")
}

/// The loader of our own key.
pub fn loader(runtime: &Runtime) -> Loader {
    Loader::new(runtime.clone(), PublicKey::of_seed(&SEED))
}

/// A new world whose casts are free: mana would end some of these guests' before what they are here for does.
pub fn free_game(seed: u64) -> Game {
    let mut world = World::new(seed);
    world.set_policy(Policy::FREE);
    Game::with_world(world)
}

/// The guest as this revision of this spell.
pub fn load(runtime: &Runtime, spell: &str, revision: &str, guest: Guest) -> LoadedRevision {
    loader(runtime).load(spell, revision, &artifact_of(guest)).expect("a good artifact")
}

pub fn artifact_of(guest: Guest) -> Vec<u8> {
    let component = compile::componentize(&core(guest)).expect("a component");
    let compiled = compile::compile(&component, compile::boundary_of(&component)).expect("native code");
    artifact::sign(&component, &compiled.engine_id, &compiled.code, &SEED)
}

fn core(guest: Guest) -> Vec<u8> {
    let Guest { init, on_cast, on_tick, on_event, save, restore } = guest;
    // The envelope: sphere of 60 m, timed 6 s, every tick, all capabilities, 64 entities, 8 players.
    let text = format!(
        r#"(module
        (import "ugc:spell/intents@0.1.0" "launch" (func $launch (param f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 i32)))
        (import "ugc:spell/intents@0.1.0" "finish" (func $finish))
        (import "ugc:spell/intents@0.1.0" "set-timer" (func $set_timer (param i32 i32 i32)))
        (import "ugc:spell/intents@0.1.0" "log" (func $log (param i32 i32 i32)))
        (import "ugc:spell/reads@0.1.0" "fuel-left" (func $fuel_left (result i64)))
        (memory (export "memory") 1)
        (func $line (call $log (i32.const 1) (i32.const 0) (i32.const 0)))
        (func $spin (loop $again (br_if $again (i64.gt_u (call $fuel_left) (i64.const 20000)))))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
        (func (export "ugc:spell/hooks@0.1.0#init") {init})
        (func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32) {on_cast})
        (func (export "ugc:spell/hooks@0.1.0#on-tick") (param f32) {on_tick})
        (func (export "ugc:spell/hooks@0.1.0#on-event") (param i32 i64 i64 i64 i32 i32 f32 f32 f32) {on_event})
        (func (export "ugc:spell/hooks@0.1.0#on-cancel") (param i32))
        (func (export "ugc:spell/hooks@0.1.0#save") (result i32) {save})
        (func (export "ugc:spell/hooks@0.1.0#restore") (param i32 i32 i32) (result i32) {restore})
        (@custom "ugc:envelope" "\01\00\01\01\ff\07\00\00\00\00\70\42\00\00\c0\40\00\00\70\42\00\00\00\00\40\00\00\00\08\00\08\00\00\00\00\00\00\00\00\00\00\00\c0\40"))"#
    );
    let mut core = wat::parse_str(&text).unwrap_or_else(|error| panic!("a guest's text: {error}"));
    let mut resolve = wit_parser::Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/since-v0.1.0");
    let (package, _) = resolve.push_dir(wit).expect("the WIT");
    let world = resolve.select_world(&[package], Some("spell")).expect("the world");
    wit_component::embed_component_metadata(&mut core, &resolve, world, wit_component::StringEncoding::UTF8).expect("metadata");
    core
}
