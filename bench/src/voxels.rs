//! The terrain: rays through it, edits of it with all that hangs on them, and how small and how fast chunks are packed.

mod chunks;
mod edits;
mod rays;

use crate::report::{Effort, Report};
use anyhow::Result;

/// Measures, prints and records.
pub fn run() -> Result<()> {
    let mut report = Report::begin("voxels", Effort::Full);
    rays::measure(&mut report)?;
    edits::measure(&mut report)?;
    chunks::measure(&mut report)?;
    report.finish()
}
