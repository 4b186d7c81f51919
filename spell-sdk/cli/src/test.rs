//! `spell test`: plays a spell's scenarios headless, in the simulation that the server runs.

use crate::build::{SIGNING_SEED, build};
use crate::project::Project;
use anyhow::{Context, Result, ensure};
use game::scenario::{self, Report};
use game::{LoadedRevision, Loader, PublicKey, Runtime};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Casts that a scenario may have alive at once: more than one player may have, and small enough to start in a moment.
const CASTS_MAX: u32 = 256;
/// Lines of the spell's log that a failed scenario shows.
const LOG_LINES_SHOWN_MAX: usize = 20;
/// How the revision is called in the logs: it has no name before it is published.
const REVISION: &str = "local";

/// Tests them all, so that one run shows everything that is wrong; answers whether all passed.
pub fn run(paths: &[PathBuf]) -> Result<bool> {
    // Whether a world admits WASI is its operator's to say; a component's author tests it as one that does would run it.
    let loader = Loader::new(Runtime::new(CASTS_MAX)?, PublicKey::of_seed(&SIGNING_SEED)).admitting_wasi(true);
    let mut counts = Counts::default();
    for path in paths {
        test(path, &loader, &mut counts).with_context(|| format!("{}", path.display()))?;
    }
    println!("\n{} passed, {} failed", counts.passed, counts.failed);
    Ok(counts.failed == 0)
}

#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
}

fn test(path: &Path, loader: &Loader, counts: &mut Counts) -> Result<()> {
    let project = Project::open(path)?;
    let Some(built) = build(&project)? else {
        counts.failed += 1;
        return Ok(());
    };
    println!("{} (built in {:.0} ms)", project.name, built.took.as_secs_f64() * 1000.0);
    ensure!(!project.scenarios.is_empty(), "there are no scenarios/*.scenario to play");
    let spell = loader.load(&project.name, REVISION, &built.artifact).context("the spell builds, but cannot be loaded")?;
    for file in &project.scenarios {
        match play(file, &spell)? {
            true => counts.passed += 1,
            false => counts.failed += 1,
        }
    }
    Ok(())
}

/// Plays a scenario twice: a spell whose second run differs would also differ between a server and its replay.
fn play(file: &Path, spell: &LoadedRevision) -> Result<bool> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let scenario = scenario::parse(&text).with_context(|| format!("{}", file.display()))?;
    let started = Instant::now();
    let report = scenario::run(&scenario, spell);
    let took = started.elapsed();
    let differs = first_difference(&report, &scenario::run(&scenario, spell));
    let passed = report.passed && differs.is_none();

    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let mark = if passed { "ok" } else { "FAILED" };
    println!("  {name:<30} {mark:<6} {:>5} ticks {:>8.1} ms", report.digests.len(), took.as_secs_f64() * 1000.0);
    if !passed {
        explain(file, &report, differs);
    }
    Ok(passed)
}

/// The first tick after which the two worlds are not the same.
fn first_difference(first: &Report, second: &Report) -> Option<usize> {
    (0..first.digests.len().max(second.digests.len())).find(|tick| first.digests.get(*tick) != second.digests.get(*tick))
}

fn explain(file: &Path, report: &Report, differs: Option<usize>) {
    for failure in report.failures() {
        println!("    {}: {failure}", file.display());
    }
    if let Some(tick) = differs {
        println!("    a second run differs from tick {tick} on: the same inputs must give the same world");
    }
    for fault in &report.faults {
        println!("    {fault}");
    }
    for line in report.logs.iter().take(LOG_LINES_SHOWN_MAX) {
        println!("    tick {}: {}: {}", line.tick, line.level, line.text);
    }
}
