//! The reference spell's tick against native Rust, Luau and bare wasmtime; an empty call and an instance beside it.

use crate::artifact;
use crate::bare::{Bare, BareCore};
use crate::prefetched::{CALL_FUEL, call, cast, pushes, view};
use crate::report::{Effort, Report, Samples, interleave};
use crate::twins::{Fixture, Impulse, LuauBuffer, LuauIdiomatic, Native, NativeHost, NativeRepel};
use anyhow::{Error, Result, anyhow, ensure};
use spell_runtime::{Boundary, CancelReason, Hook, Runtime};
use std::hint::black_box;
use std::rc::Rc;
use std::time::Instant;

const ROUNDS: usize = 11;
const TICKS_PER_ROUND: u32 = 20_000;
const INSTANCES_PER_ROUND: u32 = 1_000;

/// Measures, prints and records.
pub fn run(effort: Effort) -> Result<()> {
    let mut report = Report::begin("spell", effort);
    let fixture = Rc::new(Fixture::new());
    let runtime = Runtime::new(64)?;
    let artifact = artifact::build(include_str!("../../spells/repel/src/lib.rs"))?;
    let spell = runtime.load("bench", &artifact, &artifact::public_key())?;
    let component = artifact::component(&artifact)?;
    let layered_spell = runtime.load("bench", &artifact::compile(component, Boundary::Component)?, &artifact::public_key())?;
    ensure!(spell.boundary() == Boundary::Direct, "the builder sends the library's spells below the component layer");
    let (bare, core) = (Bare::new(component, 64)?, BareCore::new(component, 64)?);
    let view = view();

    let mut native: Box<dyn Native> = black_box(Box::new(NativeRepel::default()));
    let mut host = black_box(NativeHost::new(Fixture::new()));
    let (mut wasm, mut emptied) = (cast(&spell, &view), cast(&spell, &view));
    let (mut layered, mut layered_emptied) = (cast(&layered_spell, &view), cast(&layered_spell, &view));
    let (mut bare_cast, mut bare_emptied, mut core_emptied) = (bare.cast(), bare.cast(), core.instantiate());
    let mut idiomatic = LuauIdiomatic::new(fixture.clone()).map_err(lua)?;
    let mut buffer = LuauBuffer::new(fixture.clone()).map_err(lua)?;

    native.tick(&mut host);
    idiomatic.tick().map_err(lua)?;
    buffer.tick().map_err(lua)?;
    bare_cast.tick();
    same("wasm", &host.impulses, &pushes(&mut wasm, &view))?;
    same("wasm through components", &host.impulses, &pushes(&mut layered, &view))?;
    same("bare wasmtime", &host.impulses, &bare_cast.world().impulses)?;
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
            ("wasm through components", &mut || per_tick_ns(|| drop(black_box(call(&mut layered, &view, Hook::Tick(1.0 / 60.0)))))),
            ("luau idiomatic", &mut || per_tick_ns(|| idiomatic.tick().expect("ran before"))),
            ("luau buffer", &mut || per_tick_ns(|| buffer.tick().expect("ran before"))),
            ("bare wasmtime", &mut || per_tick_ns(|| bare_cast.tick())),
            ("empty call", &mut || per_tick_ns(|| drop(black_box(call(&mut emptied, &view, Hook::Cancel(CancelReason::Duration)))))),
            ("empty call through components", &mut || {
                per_tick_ns(|| drop(black_box(call(&mut layered_emptied, &view, Hook::Cancel(CancelReason::Duration)))))
            }),
            ("empty call, bare component", &mut || per_tick_ns(|| bare_emptied.cancel())),
            ("empty call, bare core module", &mut || per_tick_ns(|| core_emptied.cancel())),
            ("instantiate", &mut || instantiate_us(|| spell.instantiate(CALL_FUEL).expect("init of a library spell"))),
            ("instantiate through components", &mut || {
                instantiate_us(|| layered_spell.instantiate(CALL_FUEL).expect("init of a library spell"))
            }),
            ("instantiate, bare component", &mut || instantiate_us(|| bare.instantiate())),
            ("instantiate, bare core module", &mut || instantiate_us(|| core.instantiate())),
        ],
    );
    let samples = <[Samples; 14]>::try_from(samples).expect("fourteen contenders");
    let [native, wasm, layered, idiomatic, buffer, bare, samples @ ..] = samples;
    let [empty, layered_empty, bare_empty, core_empty, instantiate, layered_instantiate, bare_instantiate, core_instantiate] = samples;
    let how = format!(
        "one tick of spells/repel: {ROUNDS} interleaved rounds of {TICKS_PER_ROUND} ticks; fuel, epoch and every check on; 8 neighbours prefetched"
    );
    report.extend([
        wasm.against(&native, "native Rust behind a trait object", "reference.vs_native", "ns", "3x", &how),
        wasm.against(&idiomatic, "Luau, tables and vectors", "reference.vs_luau_idiomatic", "ns", "0.029x (1/35)", &how),
        wasm.against(&buffer, "Luau, buffers", "reference.vs_luau_buffer", "ns", "1x", &how),
        layered.against(&native, "native Rust behind a trait object", "component.vs_native", "ns", "15x", &how),
        layered.against(&idiomatic, "Luau, tables and vectors", "component.vs_luau_idiomatic", "ns", "0.17x (1/6)", &how),
        layered.against(&bare, "wasmtime's component API with nothing of ours", "component.vs_bare", "ns", "", &how),
    ]);
    let how = format!("on-cancel, which does nothing, of spells/repel: {ROUNDS} interleaved rounds of {TICKS_PER_ROUND} calls");
    report.extend([
        empty.against(&core_empty, "wasmtime bare: a function of the core module", "call.vs_bare", "ns", "", &how),
        layered_empty.against(&bare_empty, "wasmtime's component API with nothing of ours", "component.call.vs_bare", "ns", "", &how),
    ]);
    let how = format!("new instance from the pool, init, drop: {ROUNDS} interleaved rounds of {INSTANCES_PER_ROUND}");
    report.extend([
        instantiate.row("instantiate.us", "us", "", &how),
        instantiate.against(&core_instantiate, "wasmtime bare: the core module", "instantiate.vs_bare", "us", "", &how),
        layered_instantiate.against(
            &bare_instantiate,
            "wasmtime's component API with nothing of ours",
            "component.instantiate.vs_bare",
            "us",
            "",
            &how,
        ),
    ]);
    report.finish()?;
    let bars = [
        ("native", &native),
        ("luau buffer", &buffer),
        ("wasm", &wasm),
        ("bare wasmtime, components", &bare),
        ("wasm, components", &layered),
        ("luau idiomatic", &idiomatic),
    ];
    report.bars("spell", "One tick of the reference spell", "ns", &bars)
}

/// Lua's errors hold things that do not cross threads, so only their words can be kept.
pub fn lua(error: mlua::Error) -> Error {
    anyhow!("luau: {error}")
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

fn instantiate_us<T>(instantiate: impl Fn() -> T) -> f64 {
    let start = Instant::now();
    for _ in 0..INSTANCES_PER_ROUND {
        drop(black_box(instantiate()));
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(INSTANCES_PER_ROUND)
}
