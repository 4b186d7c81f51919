//! Small spells, compiled and signed here as a builder would.

use game::{ENGINE_ID, PublicKey};
use spell_runtime::{artifact, compile};
use std::path::Path;

const SEED: [u8; 32] = [7; 32];

/// What the servers of these tests verify artifacts with.
pub fn key() -> String {
    PublicKey::of_seed(&SEED).to_hex()
}

/// One whose casts live for a minute and do nothing.
pub fn calm() -> Vec<u8> {
    artifact_of("", ENGINE_ID)
}

/// One whose casts end in a trap.
pub fn broken() -> Vec<u8> {
    artifact_of("unreachable", ENGINE_ID)
}

/// The calm one as an older server ran it: signed well, and for another engine.
pub fn of_an_older_engine() -> Vec<u8> {
    artifact_of("", "wasmtime-0.0.1-of-an-older-server")
}

fn artifact_of(on_cast: &str, engine: &str) -> Vec<u8> {
    let component = compile::componentize(&core(on_cast)).expect("a component");
    let compiled = compile::compile(&component, compile::boundary_of(&component)).expect("native code");
    artifact::sign(&component, engine, &compiled.code, &SEED)
}

fn core(on_cast: &str) -> Vec<u8> {
    // The envelope: a sphere of a metre, timed 60 s, one tick a second, and nothing but looking: a player can pay for ten at once.
    let text = format!(
        r#"(module
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
        (func (export "ugc:spell/hooks@0.1.0#init"))
        (func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32) {on_cast})
        (func (export "ugc:spell/hooks@0.1.0#on-tick") (param f32))
        (func (export "ugc:spell/hooks@0.1.0#on-event") (param i32 i64 i64 i64 i32 i32 f32 f32 f32))
        (func (export "ugc:spell/hooks@0.1.0#on-cancel") (param i32))
        (func (export "ugc:spell/hooks@0.1.0#save") (result i32) (i64.store (i32.const 512) (i64.const 0)) (i32.const 512))
        (func (export "ugc:spell/hooks@0.1.0#restore") (param i32 i32 i32) (result i32) (i32.store8 (i32.const 520) (i32.const 0)) (i32.const 520))
        (@custom "ugc:envelope" "\01\00\01\01\01\00\00\00\00\00\80\3f\00\00\70\42\00\00\80\3f\00\00\00\00\10\00\00\00\08\00\08\00\00\00\00\00\00\00\00\00\00\00\70\42"))"#
    );
    let mut core = wat::parse_str(&text).unwrap_or_else(|error| panic!("a guest's text: {error}"));
    let mut resolve = wit_parser::Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit/since-v0.1.0");
    let (package, _) = resolve.push_dir(wit).expect("the WIT");
    let world = resolve.select_world(&[package], Some("spell")).expect("the world");
    wit_component::embed_component_metadata(&mut core, &resolve, world, wit_component::StringEncoding::UTF8).expect("metadata");
    core
}
