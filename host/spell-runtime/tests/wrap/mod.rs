//! From a guest's text to a core module: the fields, the interface's imports, and an empty hook for each that they lack.
//!
//! The tests of hostile guests include it, and so do the benchmarks that cast such guests in a world.

use std::path::Path;

/// A core module around a guest's fields, with the interface of this folder embedded as wit-bindgen would.
pub fn core(fields: &str, wit: &Path) -> Vec<u8> {
    let imports = if fields.contains("(import") { "" } else { IMPORTS };
    let mut text = format!("(module {imports}\n{fields}\n");
    for (name, default) in DEFAULTS {
        // The reporter calls an import of ours, which a guest with imports of its own has not.
        let possible = name != "func $report " || !imports.is_empty();
        if possible && !fields.contains(name) {
            text.push_str(default);
        }
    }
    if fields.contains(ENVELOPE_MARK) {
        text.push_str(ENVELOPE_ALL);
    }
    text.push(')');
    let core = wat::parse_str(&text).unwrap_or_else(|error| panic!("a guest's text: {error}\n{text}"));
    match fields.split_once(WASI) {
        Some((_, import)) => with_wasi(core, wit, import.split('"').next().unwrap_or_default()),
        None => with_interface(core, wit),
    }
}

/// A core module that says which interface it speaks.
pub fn with_interface(mut core: Vec<u8>, wit: &Path) -> Vec<u8> {
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_dir(wit).expect("the WIT");
    let world = resolve.select_world(&[package], Some("spell")).expect("the world");
    wit_component::embed_component_metadata(&mut core, &resolve, world, wit_component::StringEncoding::UTF8).expect("metadata");
    core
}

/// The same for one that also speaks WASI, in the version of this import.
fn with_wasi(mut core: Vec<u8>, wit: &Path, import: &str) -> Vec<u8> {
    let (_, version) = import.split_once('@').expect("a version");
    let mut resolve = wit_parser::Resolve::default();
    resolve.push_dir(wit).expect("the WIT");
    let wasi = include_str!("../wasi.wit").replace("@0.2.0", &format!("@{version}"));
    let package = resolve.push_str("wasi.wit", &wasi).expect("WASI's WIT");
    let world = resolve.select_world(&[package], Some("spell")).expect("the world");
    wit_component::embed_component_metadata(&mut core, &resolve, world, wit_component::StringEncoding::UTF8).expect("metadata");
    core
}

/// How a guest imports WASI; the version is its own to choose.
pub const WASI: &str = "(import \"wasi:";

/// A guest that says so declares the envelope below.
pub const ENVELOPE_MARK: &str = ";; envelope: all";

/// Sphere of 60 m, timed 6 s, every tick, all capabilities, 1,000 voxels, 64 entities, 8 players, 8 chunks.
const ENVELOPE_ALL: &str = r#"(@custom "ugc:envelope" "\01\00\01\01\ff\07\00\00\00\00\70\42\00\00\c0\40\00\00\70\42\e8\03\00\00\40\00\00\00\08\00\08\00\00\00\00\00\00\00\00\00\00\00\c0\40")"#;

/// All of them, by name.
pub const IMPORTS: &str = r#"
    (import "ugc:spell/reads@0.1.0" "get-entity" (func $get_entity (param i64 i32)))
    (import "ugc:spell/reads@0.1.0" "find" (func $find (param i32 f32 f32 f32 f32 f32 f32 f32 f32 i32 i32 i32)))
    (import "ugc:spell/reads@0.1.0" "raycast" (func $raycast (param f32 f32 f32 f32 f32 f32 f32 i32)))
    (import "ugc:spell/reads@0.1.0" "tick" (func $tick (result i64)))
    (import "ugc:spell/reads@0.1.0" "line-of-sight" (func $line_of_sight (param f32 f32 f32 f32 f32 f32 i32)))
    (import "ugc:spell/reads@0.1.0" "material" (func $material (param f32 f32 f32 i32)))
    (import "ugc:spell/reads@0.1.0" "materials" (func $materials (param i32 i32 i32 i32 i32 i32 i32)))
    (import "ugc:spell/reads@0.1.0" "fuel-left" (func $fuel_left (result i64)))
    (import "ugc:spell/reads@0.1.0" "mana" (func $mana (param i32)))
    (import "ugc:spell/reads@0.1.0" "load" (func $load (param i32 i32 i32 i32)))
    (import "ugc:spell/intents@0.1.0" "damage" (func $damage (param i64 f32 i32)))
    (import "ugc:spell/intents@0.1.0" "heal" (func $heal (param i64 f32 i32)))
    (import "ugc:spell/intents@0.1.0" "push" (func $push (param i32 i32 i32 i32 i32)))
    (import "ugc:spell/intents@0.1.0" "launch" (func $launch (param f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 i32)))
    (import "ugc:spell/intents@0.1.0" "launch-flying" (func $launch_flying (param f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 i32 i32 i32 f32 f32 i32)))
    (import "ugc:spell/intents@0.1.0" "teleport" (func $teleport (param i64 f32 f32 f32 i32)))
    (import "ugc:spell/intents@0.1.0" "afflict" (func $afflict (param i64 i32 f32 f32 i32)))
    (import "ugc:spell/intents@0.1.0" "spawn-body" (func $spawn_body (param i32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 i32)))
    (import "ugc:spell/intents@0.1.0" "scatter" (func $scatter (param f32 f32 f32 i32 f32 f32 i32)))
    (import "ugc:spell/intents@0.1.0" "join" (func $join (param i32 f32 f32 f32 i64 i64 f32 f32 f32 f32 i32)))
    (import "ugc:spell/intents@0.1.0" "set-field" (func $set_field (param f32 f32 f32 f32 f32 f32 f32 i32)))
    (import "ugc:spell/intents@0.1.0" "summon" (func $summon (param i32 f32 f32 f32 f32 f32 f32 i32)))
    (import "ugc:spell/intents@0.1.0" "command" (func $command (param i64 i32 i64 f32 f32 i32)))
    (import "ugc:spell/intents@0.1.0" "terraform" (func $terraform (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
    (import "ugc:spell/intents@0.1.0" "despawn" (func $despawn (param i64 i32)))
    (import "ugc:spell/intents@0.1.0" "cue" (func $cue (param i32 i32 f32 f32 f32 f32 i32)))
    (import "ugc:spell/intents@0.1.0" "set-timer" (func $set_timer (param i32 i32 i32)))
    (import "ugc:spell/intents@0.1.0" "send" (func $send (param i32 i64 i32 i32 i32 i32)))
    (import "ugc:spell/intents@0.1.0" "say" (func $say (param i32 i32 i32 i32)))
    (import "ugc:spell/intents@0.1.0" "store" (func $store (param i32 i32 i32 i32 i32 i32 i32)))
    (import "ugc:spell/intents@0.1.0" "dispel" (func $dispel (param i64 i32)))
    (import "ugc:spell/intents@0.1.0" "log" (func $log (param i32 i32 i32)))
    (import "ugc:spell/intents@0.1.0" "finish" (func $finish))
"#;

/// What a guest's fields need not write: name, text.
const DEFAULTS: [(&str, &str); 11] = [
    ("(memory (export", r#"(memory (export "memory") 1)"#),
    ("cabi_realloc", r#"(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))"#),
    ("#init", r#"(func (export "ugc:spell/hooks@0.1.0#init"))"#),
    ("#on-cast", r#"(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32))"#),
    ("#on-tick", r#"(func (export "ugc:spell/hooks@0.1.0#on-tick") (param f32))"#),
    ("#on-event", r#"(func (export "ugc:spell/hooks@0.1.0#on-event") (param i32 i64 i64 i64 i32 i32 f32 f32 f32))"#),
    ("#on-cancel", r#"(func (export "ugc:spell/hooks@0.1.0#on-cancel") (param i32))"#),
    // An empty list: pointer and length at 512.
    ("#save", r#"(func (export "ugc:spell/hooks@0.1.0#save") (result i32) (i64.store (i32.const 512) (i64.const 0)) (i32.const 512))"#),
    (
        "#restore",
        r#"(func (export "ugc:spell/hooks@0.1.0#restore") (param i32 i32 i32) (result i32) (i32.store8 (i32.const 520) (i32.const 0)) (i32.const 520))"#,
    ),
    // Reports the limit of a refused call: the answer is at $at.
    (
        "func $report ",
        r#"(func $report (param $at i32)
            (if (i32.load8_u (local.get $at))
                (then (call $set_timer (i32.load8_u offset=8 (local.get $at)) (i32.const 1) (i32.const 904)))))"#,
    ),
    ("ugc:envelope", ""),
];
