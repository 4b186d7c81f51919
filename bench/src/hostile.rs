//! Sixty-four hostile casts, one of each kind, beside 32 players who walk, for ten minutes of the world; recorded, and replayed on one thread and on two.
//!
//! Beside it ticks a control world in which the same 64 casters stand and cast nothing: after every tick the 32 players must be in the same state in both.

mod arena;
mod kinds;
mod pace;

use crate::artifact;
use crate::report::{Effort, Report, Row, Samples, Series, bar};
use anyhow::{Context, Result, ensure};
use arena::Arena;
use game::recording::{Difference, Recording, Replayed, replay};
use game::{LoadedRevision, Loader, Runtime};
use sim::limits::TICK_HZ;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Ten minutes, and ten seconds.
const TICKS: (usize, usize) = (36_000, 600);
/// Quantiles of the plot.
const SHARES: [f64; 7] = [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0];
/// The slowest ticks are told by stage.
const SLOWEST: usize = 5;

/// Measures, prints and records.
pub fn run(effort: Effort, ticks: Option<usize>) -> Result<()> {
    let ticks = ticks.unwrap_or(effort.pick(TICKS.0, TICKS.1));
    let mut report = Report::begin("hostile", effort);
    // Both worlds and the replays of one of them, each with a cast of every kind and those of the tick before that are still to be dropped.
    let runtime = Runtime::new(16 * kinds::COUNT as u32)?;
    let loader = Loader::new(runtime.clone(), artifact::public_key());
    let kinds = kinds::all()?;
    let pace = pace::measure(&pace::load(&runtime, &kinds)?)?;
    let mut revisions = Vec::new();
    for (name, artifact) in &kinds {
        revisions.push(loader.load(name, "rev_000001_00000000", artifact).with_context(|| format!("{name} is no spell"))?);
    }
    let (hostile, control) = with_epochs(&runtime, || run_both(ticks, &revisions))?;
    // As it comes out of a file.
    let bytes = hostile.game.recording().context("the session is recorded")?.encode()?;
    let recording = Recording::decode(&bytes)?;
    ensure!(recording.ticks() + 1 >= ticks, "{} of {ticks} ticks are recorded", recording.ticks());
    let replays = with_epochs(&runtime, || [1, 2].map(|threads| replay_on(threads, &recording, &revisions)));
    report.extend(rows(&hostile, &control, ticks));
    for (replayed, key) in replays.into_iter().zip(["hostile64.replay", "hostile64.replay_two_threads"]) {
        let Replayed { ticks: compared, difference } = replayed?;
        let verdict = match difference {
            None => "all equal".to_owned(),
            Some(Difference { tick, part }) => format!("another {part} at tick {tick}"),
        };
        let how =
            format!("ticks of the recording that were run again, the digest of each part of the world compared after each: {verdict}");
        report.extend([one(compared as f64).row(key, "ticks", "", how)]);
        ensure!(difference.is_none(), "{key}: {verdict}");
    }
    report.extend([pace]);
    report.extend([one(bytes.len() as f64 / f64::from(1 << 20)).row("hostile64.recording_mib", "MiB", "", "the recording as a file")]);
    report.finish()?;
    hostile.print();
    slowest(&hostile);
    draw(&report, &hostile, &control)
}

/// Ticks of both worlds in turn. After each the players are compared.
fn run_both(ticks: usize, revisions: &[LoadedRevision]) -> Result<(Arena, Arena)> {
    let threads = game::threads(0)?;
    let [mut hostile, mut control] = [true, false].map(|hostile| Arena::new(hostile, revisions, ticks));
    let progress = bar("hostile", ticks);
    for tick in 0..ticks {
        let mut turns = [&mut hostile, &mut control];
        if tick % 2 == 1 {
            turns.reverse();
        }
        turns.into_iter().for_each(|arena| threads.install(|| arena.tick()));
        let differing = hostile.players_state().zip(control.players_state()).position(|(one, other)| one != other);
        if let Some(player) = differing {
            let [one, other] = [&hostile, &control].map(|arena| arena.players_state().nth(player));
            anyhow::bail!("player {player} differs from the control's after tick {tick}: {one:?} is not {other:?}");
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    hostile.check()?;
    Ok((hostile, control))
}

fn replay_on(threads: usize, recording: &Recording, revisions: &[LoadedRevision]) -> Result<Replayed> {
    let progress = bar(&format!("replay on {threads} thread(s)"), recording.ticks());
    let first = recording.first_tick();
    let replayed = game::threads(threads)?.install(|| replay(recording, revisions, &mut |tick, _| progress.set_position(tick - first)))?;
    progress.finish_and_clear();
    Ok(replayed)
}

/// Runs it while time passes for calls as it does on a server: one that fuel does not end is ended by time, and would be counted.
pub fn with_epochs<T>(runtime: &Runtime, work: impl FnOnce() -> T) -> T {
    let (tick, done) = (runtime.epoch_ticker(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(game::EPOCH_TICK_MS));
                tick();
            }
        });
        let answer = work();
        done.store(true, Ordering::Relaxed);
        answer
    })
}

fn rows(hostile: &Arena, control: &Arena, ticks: usize) -> Vec<Row> {
    let how = format!(
        "{} kinds of hostile casts, each cast again as soon as it ends and the cooldown allows, beside {} walking players; {ticks} ticks, {:.0} s of the world; recorded; spells on all cores",
        kinds::COUNT,
        arena::PLAYERS,
        ticks as f64 / f64::from(TICK_HZ)
    );
    let [of_hostile, of_control] = [hostile, control].map(|arena| Samples::new(arena.tick_ms.clone()));
    let quantiles = [
        ("hostile64.tick_p50_ms", 0.5, ""),
        ("hostile64.tick_p99_ms", 0.99, ""),
        ("hostile64.tick_p999_ms", 0.999, "16.67"),
        ("hostile64.tick_max_ms", 1.0, "33"),
    ];
    let mut rows: Vec<Row> = quantiles
        .into_iter()
        .map(|(key, share, aim)| {
            of_hostile.only(share).against(&of_control.only(share), "the same world without the casts", key, "ms", aim, &how)
        })
        .collect();
    let counts = [
        (
            "hostile64.players_equal",
            ticks,
            "ticks",
            "after which all 32 players were as in the control, bit for bit; any other would have ended the run",
        ),
        ("hostile64.time_kills", hostile.time_kills(), "", "calls that were ended by time, where fuel should have ended them"),
        ("hostile64.casts", hostile.started(), "", "casts that began"),
        ("hostile64.faults", hostile.faults(), "", "casts that were stopped by a limit or a trap"),
    ];
    rows.extend(counts.map(|(key, count, unit, how)| one(count as f64).row(key, unit, if key.ends_with("kills") { "0" } else { "" }, how)));
    let live = hostile.live_sum as f64 / ticks as f64;
    rows.push(one(live).row("hostile64.live_casts", "", "", "of the 64, live in a tick, on average: the others wait for their cooldown"));
    rows
}

fn one(value: f64) -> Samples {
    Samples::new(vec![value])
}

/// Where the slowest ticks have spent their time.
fn slowest(arena: &Arena) {
    let mut ticks: Vec<usize> = (0..arena.tick_ms.len()).collect();
    ticks.sort_by(|one, other| arena.tick_ms[*other].total_cmp(&arena.tick_ms[*one]));
    println!("\nslowest ticks:");
    for tick in ticks.into_iter().take(SLOWEST) {
        let mut stages: Vec<_> = arena.stage_ms[tick].clone();
        stages.sort_by(|one, other| other.1.total_cmp(&one.1));
        let stages: Vec<String> = stages.iter().take(4).map(|(stage, ms)| format!("{stage} {ms:.2}")).collect();
        println!("  tick {tick}: {:.2} ms: {}", arena.tick_ms[tick], stages.join(", "));
    }
}

fn draw(report: &Report, hostile: &Arena, control: &Arena) -> Result<()> {
    let line = |name: &str, arena: &Arena| -> Series {
        let samples = Samples::new(arena.tick_ms.clone());
        let rarest = arena.tick_ms.len() as f64;
        let points = SHARES.map(|share| ((1.0 / (1.0 - share)).min(rarest), samples.quantile(share)));
        (name.to_owned(), points.into_iter().collect())
    };
    report.growth(
        "hostile",
        "Slow ticks beside 64 hostile casts",
        ("one tick in so many", "takes at least so many ms"),
        &[line("hostile", hostile), line("control", control)],
    )
}
