//! The busy world comes out the same natively, in another thread, and as WebAssembly: after every tick, in every part of the state.

use busy_world::{Busy, Witness};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

/// An optimised build does them in a few seconds; one without is slow and does a tenth, but compares optimisation levels: the WebAssembly is always optimised.
const TICKS: usize = if cfg!(debug_assertions) { 1_000 } else { 10_000 };
/// Each kind of thing happens so often at least.
const TIMES_MIN: u64 = 10;
/// Chunks that are made while walking, beside those around the spawn.
const CHUNKS_MIN: usize = 300;

/// Every tick's parts, in the order of the names.
struct Run {
    names: Vec<&'static str>,
    ticks: Vec<Vec<u64>>,
}

#[test]
fn native_and_wasm_agree_after_every_tick_of_a_busy_world() {
    let wasm = build_wasm();
    let (here, there, node) = thread::scope(|scope| {
        let node = scope.spawn(|| play_in_node(&wasm));
        let there = scope.spawn(play_here);
        let here = play_here();
        (here, there.join().expect("the other thread"), node.join().expect("the thread of node"))
    });
    let (here, busy) = here;
    check_busy(busy.world(), busy.witness());
    assert_eq!(difference(&here, &there.0.ticks), None, "between two threads");
    let said = String::from_utf8_lossy(&node.stderr);
    assert_eq!(
        difference(&here, &ticks(&node.stdout, here.names.len())),
        None,
        "between native and wasm; node ended with {}, {said}",
        node.status
    );
}

#[test]
fn a_difference_is_named_by_its_tick_and_part() {
    let run = Run { names: vec!["npcs", "bodies"], ticks: vec![vec![1, 2], vec![3, 4], vec![5, 6]] };
    let differs = |other: &[[u64; 2]]| difference(&run, &other.iter().map(|parts| parts.to_vec()).collect::<Vec<_>>());
    assert_eq!(differs(&[[1, 2], [3, 4], [5, 6]]), None);
    assert_eq!(differs(&[[1, 2], [3, 9], [9, 9]]).as_deref(), Some("in tick 1: bodies is 0000000000000004 here, 0000000000000009 there"));
    assert_eq!(differs(&[[1, 2]]).as_deref(), Some("in tick 1: there are 3 ticks here, 1 there"));
}

fn play_here() -> (Run, Busy) {
    let mut busy = Busy::new();
    let mut run = Run { names: Vec::new(), ticks: Vec::new() };
    for _ in 0..TICKS {
        let (names, parts) = busy.tick().into_iter().unzip();
        run.names = names;
        run.ticks.push(parts);
    }
    (run, busy)
}

/// A comparison of worlds in which little happens would say little.
fn check_busy(world: &sim::World, witness: &Witness) {
    println!("{} chunks, {} entities, {:#?}", world.scene().terrain().len(), world.scene().len(), witness.counts());
    if TICKS >= 10_000 {
        assert_eq!(witness.missed(TIMES_MIN), [""; 0], "happened less than {TIMES_MIN} times: {:#?}", witness.counts());
        assert!(world.scene().terrain().len() >= CHUNKS_MIN, "{} chunks", world.scene().terrain().len());
    }
}

/// The first, if there is one.
fn difference(here: &Run, there: &[Vec<u64>]) -> Option<String> {
    for (tick, (here_parts, there_parts)) in here.ticks.iter().zip(there).enumerate() {
        let mut parts = here.names.iter().zip(here_parts.iter().zip(there_parts));
        if let Some((name, (a, b))) = parts.find(|(_, (a, b))| a != b) {
            return Some(format!("in tick {tick}: {name} is {a:016x} here, {b:016x} there"));
        }
    }
    let (a, b) = (here.ticks.len(), there.len());
    (a != b).then(|| format!("in tick {}: there are {a} ticks here, {b} there", a.min(b)))
}

/// As `ticks.mjs` writes them.
fn ticks(bytes: &[u8], parts: usize) -> Vec<Vec<u64>> {
    let numbers: Vec<u64> = bytes.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
    numbers.chunks(parts).map(<[u64]>::to_vec).collect()
}

fn play_in_node(wasm: &Path) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("ticks.mjs");
    let output = Command::new("node").arg(script).arg(wasm).arg(TICKS.to_string()).output();
    output.unwrap_or_else(|error| {
        panic!("cannot run node, which this test needs ({error}); on Debian or Ubuntu: sudo apt-get install nodejs")
    })
}

/// Built here, so that it is never older than what it is compared with; in a folder of its own, whose lock nobody else holds while tests run.
fn build_wasm() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let target = root.join("target/wasm-build");
    let mut build = Command::new(env!("CARGO"));
    build.args([
        "rustc",
        "--locked",
        "--release",
        "-p",
        "busy-world",
        "--lib",
        "--crate-type",
        "cdylib",
        "--target",
        "wasm32-unknown-unknown",
    ]);
    let output = build.arg("--target-dir").arg(&target).current_dir(&root).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    target.join("wasm32-unknown-unknown/release/busy_world.wasm")
}
