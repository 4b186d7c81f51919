//! What goes over the wire: Fiedler's cubes by several coders, players against Colyseus, a lively world in each encoding, and what one client's snapshot takes.

mod colyseus;
mod cubes;
mod gaffer;
mod lively;
mod onlookers;
mod scene;
mod shared;

use crate::report::{Effort, Report};
use anyhow::Result;
pub use cubes::learn;

/// Measures, prints and records.
pub fn run(effort: Effort) -> Result<()> {
    // A peer that is missing should be told of before anything has taken minutes.
    colyseus::install()?;
    let mut report = Report::begin("wire", effort);
    cubes::measure(&mut report, effort)?;
    shared::measure(&mut report, effort)?;
    lively::measure(&mut report, effort)?;
    colyseus::measure(&mut report, effort)?;
    report.finish()
}
