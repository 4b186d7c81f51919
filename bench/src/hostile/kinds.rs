//! The 64 kinds: those of the runtime's hostile guests that go on for long or break something, and more that do in every tick what harms most.

#[path = "../../../host/spell-runtime/tests/wrap/mod.rs"]
mod wrap;

use crate::artifact;
use anyhow::{Context, Result};
use spell_runtime::compile::{boundary_of, componentize};
use std::path::Path;

/// How many.
pub const COUNT: usize = 64;
const _: () = assert!(GUESTS.len() + OF_EACH_TICK.len() + OF_EVENTS.len() + SOURCES.len() == COUNT);

/// Files of `host/spell-runtime/tests/guests`. Each says in its first line what comes of it.
const GUESTS: [&str; 21] = [
    "division",
    "host_call_flood",
    "indirect_call",
    "loop_in_realloc",
    "loop_in_start",
    "loop_init",
    "loop_of_fills",
    "loop_on_cancel",
    "loop_on_cast",
    "loop_restore",
    "loop_save",
    "memory_grow",
    "memory_grow_and_live",
    "memory_grow_at_once",
    "out_of_bounds",
    "query_flood",
    "recursion",
    "recursion_with_locals",
    "save_of_much",
    "table_grow",
    "text_beyond_memory",
];

/// A name, how often in each tick (0 is until the fuel is gone), and what. Answers of host calls go to 64; 16 holds the target, 32 an impulse.
const OF_EACH_TICK: [(&str, u32, &str); 40] = [
    ("spin", 0, ""),
    ("budget_99_percent", 198_000, ""),
    ("square_roots", 0, "(global.set $root (f64.sqrt (global.get $root)))"),
    ("divisions", 0, "(drop (i64.div_s (i64.const 7) (i64.extend_i32_u (i32.or (local.get $left) (i32.const 1)))))"),
    ("fills_of_nothing", 0, "(memory.fill (i32.const 0) (i32.const 1) (i32.const 0))"),
    ("copies", 0, "(memory.copy (i32.const 0) (i32.const 0x80000) (i32.const 0x80000))"),
    ("strides", 0, "(i32.store (i32.and (i32.mul (local.get $left) (i32.const 4160)) (i32.const 0xffffc)) (local.get $left))"),
    ("growth", 0, "(drop (memory.grow (i32.const 1)))"),
    ("trap", 1, "(unreachable)"),
    ("finish", 1, "(call $finish)"),
    ("tick", 0, "(drop (call $tick))"),
    ("get_entity", 0, "(call $get_entity (global.get $caster) (i32.const 64))"),
    (
        "find",
        255,
        "(call $find (i32.const 0) (f32.const 0) (f32.const 2) (f32.const 0) (f32.const 40) (f32.const 0) (f32.const 0) (f32.const 0) (f32.const 0) (i32.const 15) (i32.const 256) (i32.const 64))",
    ),
    (
        "raycast",
        0,
        "(call $raycast (f32.const 0) (f32.const 4) (f32.const 0) (f32.const 0.6) (f32.const 0) (f32.const -0.8) (f32.const 40) (i32.const 64))",
    ),
    (
        "line_of_sight",
        0,
        "(call $line_of_sight (f32.const 0) (f32.const 2) (f32.const 0) (f32.const 20) (f32.const 2) (f32.const 20) (i32.const 64))",
    ),
    ("material", 0, "(call $material (f32.const 0) (f32.const 0.5) (f32.const 0) (i32.const 64))"),
    (
        "materials",
        0,
        "(call $materials (i32.const -8) (i32.const -8) (i32.const -8) (i32.const 7) (i32.const 7) (i32.const 7) (i32.const 64))",
    ),
    ("heal", 255, "(call $heal (global.get $target) (f32.const 0.001) (i32.const 64))"),
    ("damage", 255, "(call $damage (global.get $target) (f32.const 0.000001) (i32.const 64))"),
    ("push", 255, "(call $push (i32.const 16) (i32.const 1) (i32.const 32) (i32.const 3) (i32.const 64))"),
    (
        "push_nan",
        255,
        "(f32.store (i32.const 36) (f32.const nan)) (call $push (i32.const 16) (i32.const 1) (i32.const 32) (i32.const 3) (i32.const 64))",
    ),
    ("teleport", 255, "(call $teleport (global.get $target) (f32.const 14) (f32.const 9) (f32.const -14) (i32.const 64))"),
    ("afflict", 255, "(call $afflict (global.get $target) (i32.const 0) (f32.const 0.5) (f32.const 1) (i32.const 64))"),
    (
        "launch",
        16,
        "(call $launch (f32.const 0) (f32.const 4) (f32.const 0) (f32.const 3) (f32.const 15) (f32.const -3) (f32.const 0.1) (f32.const 9) (f32.const 9) (f32.const 0) (i32.const 64))",
    ),
    (
        "launch_flying",
        16,
        "(call $launch_flying (f32.const 0) (f32.const 4) (f32.const 0) (f32.const 9) (f32.const 0) (f32.const -9) (f32.const 0.3) (f32.const 9) (f32.const 9) (f32.const 0) (f32.const 0.9) (i32.const 16) (i32.const 16) (i32.const 1) (f32.const 6) (f32.const 3) (i32.const 64))",
    ),
    (
        "spawn_body",
        16,
        "(call $spawn_body (i32.const 1) (f32.const 0.5) (f32.const 0) (f32.const 0) (f32.const 50) (f32.const 0) (f32.const 6) (f32.const -3) (f32.const 0) (f32.const 0) (f32.const 0) (i32.const 64))",
    ),
    (
        "spawn_box_inside_box",
        16,
        "(call $spawn_body (i32.const 0) (f32.const 2) (f32.const 2) (f32.const 2) (f32.const 1000) (f32.const 3) (f32.const 2) (f32.const -3) (f32.const 0) (f32.const -90) (f32.const 0) (i32.const 64))",
    ),
    ("scatter", 16, "(call $scatter (f32.const 0) (f32.const 6) (f32.const -3) (i32.const 8) (f32.const 9) (f32.const 5) (i32.const 64))"),
    (
        "join",
        8,
        "(call $spawn_body (i32.const 1) (f32.const 0.5) (f32.const 0) (f32.const 0) (f32.const 50) (f32.const 0) (f32.const 6) (f32.const 3) (f32.const 0) (f32.const 0) (f32.const 0) (i32.const 64)) (call $join (i32.const 3) (f32.const 2) (f32.const 0) (f32.const 0) (i64.load (i32.const 72)) (i64.const 0) (f32.const 0) (f32.const 7) (f32.const 3) (f32.const 0) (i32.const 64))",
    ),
    (
        "set_field",
        16,
        "(call $set_field (f32.const 0) (f32.const 2) (f32.const 0) (f32.const 16) (f32.const -100) (f32.const 0) (f32.const 9) (i32.const 64))",
    ),
    (
        "summon_and_command",
        8,
        "(call $summon (i32.const 1) (f32.const 5) (f32.const 1.9) (f32.const -3) (f32.const 0) (f32.const 0) (f32.const -1) (i32.const 64)) (call $command (i64.load (i32.const 72)) (i32.const 2) (i64.extend_i32_u (i32.reinterpret_f32 (f32.const 20))) (f32.const 1.9) (f32.const -20) (i32.const 64))",
    ),
    (
        "terraform_often",
        255,
        "(call $terraform (i32.const 0) (i32.reinterpret_f32 (f32.const 0.5)) (i32.reinterpret_f32 (f32.const 9.5)) (i32.reinterpret_f32 (f32.const -4.5)) (i32.reinterpret_f32 (f32.const 0.5)) (i32.const 0) (i32.const 0) (i32.and (local.get $left) (i32.const 1)) (i32.const 1) (i32.const 0) (i32.const 64))",
    ),
    (
        "terraform_much",
        2,
        "(call $terraform (i32.const 0) (i32.reinterpret_f32 (f32.const 0)) (i32.reinterpret_f32 (f32.const 0)) (i32.reinterpret_f32 (f32.const 20)) (i32.reinterpret_f32 (f32.const 4.8)) (i32.const 0) (i32.const 0) (i32.and (local.get $left) (i32.const 1)) (i32.const 1) (i32.const 0) (i32.const 64))",
    ),
    (
        "launch_and_despawn",
        16,
        "(call $launch (f32.const 0) (f32.const 4) (f32.const 0) (f32.const 3) (f32.const 15) (f32.const -3) (f32.const 0.1) (f32.const 9) (f32.const 9) (f32.const 0) (i32.const 64)) (call $despawn (i64.load (i32.const 72)) (i32.const 64))",
    ),
    ("despawn_of_anything", 0, "(call $despawn (i64.extend_i32_u (local.get $left)) (i32.const 64))"),
    ("cue", 255, "(call $cue (i32.const 128) (i32.const 64) (f32.const 0) (f32.const 2) (f32.const 0) (f32.const 1) (i32.const 64))"),
    ("set_timer", 16, "(call $set_timer (i32.const 1) (i32.const 1) (i32.const 64))"),
    ("log", 32, "(call $log (i32.const 3) (i32.const 0x1000) (i32.const 1024))"),
    ("log_of_all_memory", 0, "(call $log (i32.const 1) (i32.const 0) (i32.const 0x100000))"),
    ("fuel_left", 0, "(drop (call $fuel_left))"),
];

/// A name, and what is done for each timer; one is set when the spell is cast.
const OF_EVENTS: [(&str, &str); 2] = [
    ("event_that_never_ends", "(loop $again (br $again))"),
    // Each sets all that may wait, so that as many come in every tick.
    (
        "event_storm",
        "(loop $again (call $set_timer (i32.const 1) (i32.const 1) (i32.const 64)) (br_if $again (i32.eqz (i32.load8_u (i32.const 64)))))",
    ),
];

/// Of Rust, as an author would write it.
const SOURCES: [(&str, &str); 1] = [("rust_fill", include_str!("../tick/hostile/fill.rs"))];

/// Name and artifact of each.
pub fn all() -> Result<Vec<(String, Vec<u8>)>> {
    let mut kinds = Vec::with_capacity(COUNT);
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/spell-runtime/tests/guests");
    for name in GUESTS {
        let path = guests.join(name).with_extension("wat");
        let text = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        kinds.push((name.to_owned(), of_text(&text)?));
    }
    for (name, times, what) in OF_EACH_TICK {
        kinds.push((format!("tick_{name}"), of_text(&on_tick(times, what))?));
    }
    for (name, what) in OF_EVENTS {
        kinds.push((name.to_owned(), of_text(&on_event(what))?));
    }
    for (name, source) in SOURCES {
        kinds.push((name.to_owned(), artifact::build(source)?));
    }
    Ok(kinds)
}

/// Whatever a guest says of itself, it lives for six seconds and may do all there is, within 60 m.
fn of_text(fields: &str) -> Result<Vec<u8>> {
    let mark = if fields.contains(wrap::ENVELOPE_MARK) { "" } else { wrap::ENVELOPE_MARK };
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit/since-v0.1.0");
    let core = wrap::core(&format!("{mark}\n{fields}"), &wit);
    let component = componentize(&core)?;
    artifact::compile(&component, boundary_of(&component))
}

/// Remembers who casts at whom, and sets a timer.
const ON_CAST: &str = r#"
    (memory (export "memory") 16)
    (global $caster (mut i64) (i64.const 0))
    (global $target (mut i64) (i64.const 0))
    (global $root (mut f64) (f64.const 7))
    (func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
        (global.set $caster (local.get 1))
        (global.set $target (local.get 2))
        (i64.store (i32.const 16) (local.get 2))
        (f32.store (i32.const 36) (f32.const 0.01))
        (memory.fill (i32.const 128) (i32.const 0x61) (i32.const 64))
        (call $set_timer (i32.const 1) (i32.const 1) (i32.const 64)))"#;

/// A loop that counts down takes five units of fuel a turn.
fn on_tick(times: u32, what: &str) -> String {
    format!(
        r#"{ON_CAST}
        (func (export "ugc:spell/hooks@0.1.0#on-tick") (param f32) (local $left i32)
            (local.set $left (i32.const {times}))
            (loop $again
                {what}
                (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))"#
    )
}

fn on_event(what: &str) -> String {
    format!(r#"{ON_CAST} (func (export "ugc:spell/hooks@0.1.0#on-event") (param i32 i64 i64 i64 i32 i32 f32 f32 f32) {what})"#)
}
