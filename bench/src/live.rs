//! Spells that change while worlds run: what a publish costs those who play, and how soon it, a rollback and a revocation reach every world.

mod audit;
mod crowd;
mod kinds;
mod line;
mod publishes;
mod steps;
mod trial;
mod worlds;

use crate::report::{Effort, Report, Samples, Series};
use anyhow::Result;

/// Shares of all figures that a curve of rare ones shows.
const SHARES: [f64; 9] = [0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999];

/// Measures, prints and records.
pub fn run(effort: Effort) -> Result<()> {
    let mut report = Report::begin("live", effort);
    // The worlds that have the machine to themselves come first, while no process of ours has left it warm.
    let worlds = worlds::run(effort)?;
    let steps = steps::run(effort)?;
    let publishes = publishes::run(effort)?;
    let trial = trial::run(effort)?;
    report.extend(worlds.rows());
    report.extend(steps.rows());
    report.extend(publishes.rows());
    report.extend(trial.rows());
    report.finish()?;
    report.plot("live", "How soon worlds follow", ("% of all", "ms"), &worlds.curves())?;
    report.growth("live_ticks", "Slow ticks while spells change", ("one tick in so many", "takes at least so many ms"), &steps.curves())?;
    report.growth(
        "live_snapshots",
        "Late snapshots while spells change",
        ("one snapshot in so many", "comes so many ms after the one before"),
        &publishes.curves(),
    )?;
    report.plot("live_memory", "A game server's memory while spells change", ("publishes", "MiB"), &[publishes.resident()])?;
    publishes.check()
}

fn one(value: f64) -> Samples {
    Samples::new(vec![value])
}

/// What one figure in so many is at least.
fn rarity(name: &str, samples: &Samples) -> Series {
    (name.to_owned(), SHARES.map(|share| (1.0 / (1.0 - share), samples.quantile(share))).into_iter().collect())
}
