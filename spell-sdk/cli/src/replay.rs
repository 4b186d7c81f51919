//! `spell replay`: what a server recorded, run again on the author's own machine.

use crate::build::SIGNING_SEED;
use anyhow::{Context, Result, bail};
use game::recording::{Recorded, Recording, replay};
use game::{LoadedRevision, Loader, PublicKey, Runtime};
use std::fs;
use std::path::Path;
use std::time::Instant;

/// Casts that may be alive at once: as many as in a game server.
const CASTS_MAX: u32 = 10_000;
/// Lines of spells' logs and faults that are shown; of more the last ones, for a recording ends with what went wrong.
const LINES_SHOWN_MAX: usize = 40;

/// Replays a file; answers whether it came out the same.
pub fn run(file: &Path, threads: usize, spell: Option<&str>) -> Result<bool> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let recording = Recording::decode(&bytes).with_context(|| format!("{}", file.display()))?;
    println!(
        "{}: {} ticks from tick {}, {:.1} kB, made on {}",
        file.display(),
        recording.ticks(),
        recording.first_tick(),
        bytes.len() as f64 / 1000.0,
        recording.machine()
    );
    // What the recorded world admitted is admitted here.
    let loader = Loader::new(Runtime::new(CASTS_MAX)?, PublicKey::of_seed(&SIGNING_SEED)).admitting_wasi(true);
    let revisions = recording.revisions().iter().map(|revision| load(&loader, revision)).collect::<Result<Vec<_>>>()?;
    let pool = game::threads(threads).context("cannot start threads")?;

    let (started, mut lines) = (Instant::now(), Vec::new());
    let wanted = |of: &str| spell.is_none_or(|spell| spell == of);
    let replayed = pool.install(|| {
        replay(&recording, &revisions, &mut |tick, event| {
            if let Some((of, line)) = game::recording::in_words(event).filter(|(of, _)| wanted(of)) {
                lines.push(format!("  tick {tick}: {of}: {line}"));
            }
        })
    })?;
    let took = started.elapsed().as_secs_f64();
    let left_out = lines.len().saturating_sub(LINES_SHOWN_MAX);
    if left_out > 0 {
        println!("  ({left_out} earlier lines are not shown)");
    }
    lines.iter().skip(left_out).for_each(|line| println!("{line}"));
    println!("{} ticks in {took:.2} s on {} threads", replayed.ticks, pool.current_num_threads());
    match replayed.difference {
        None => println!("the same after every tick"),
        Some(difference) => println!("tick {} came out otherwise: its {} differ", difference.tick, difference.part),
    }
    Ok(replayed.difference.is_none())
}

fn load(loader: &Loader, recorded: &Recorded) -> Result<LoadedRevision> {
    let Recorded { spell, revision, component, boundary } = recorded;
    let artifact = match builder::native::artifact(component, *boundary, &SIGNING_SEED) {
        Ok(artifact) => artifact,
        Err(refused) => bail!("{spell} {revision} is refused: {}", refused.findings.first().map_or("", |finding| finding.message.as_str())),
    };
    loader.load(spell, revision, &artifact).with_context(|| format!("{spell} {revision} cannot be loaded"))
}
