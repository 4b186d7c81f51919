//! The whole tick: under casts, in a busy world, against a bare rapier step, and against the first design's kind of server.

mod bare_rapier;
mod busy;
mod casts;
pub mod crowd;
mod seed_scene;

use crate::report::{Effort, Report};
use anyhow::Result;

/// Measures, prints and records.
pub fn run() -> Result<()> {
    // A peer that is missing should be told of before anything has taken minutes.
    seed_scene::find_godot()?;
    let mut report = Report::begin("tick", Effort::Full);
    // As the game server does it: the tick runs on one of the threads that spells may use.
    rayon::ThreadPoolBuilder::new().build()?.install(|| busy::measure(&mut report))?;
    bare_rapier::measure(&mut report)?;
    seed_scene::measure(&mut report)?;
    casts::measure(&mut report)?;
    report.finish()
}
