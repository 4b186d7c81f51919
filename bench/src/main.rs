//! The benchmarks: `cargo xtask bench [spell|tick|build|saves]...`, all of them when none is named.
//!
//! Every figure is a ratio between things measured in the same, interleaved run. How and against whom: `docs/benchmarks.md`.

mod artifact;
mod build;
mod report;
mod saves;
mod spell;
mod tick;
mod twins;

use clap::{Parser, ValueEnum};

#[derive(Parser)]
struct Arguments {
    /// What to measure.
    areas: Vec<Area>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Area {
    /// A spell's tick against native Rust and Luau; instantiation.
    Spell,
    /// The whole tick with up to 1,000 live casts.
    Tick,
    /// Edit to live, through the real processes.
    Build,
    /// What kills and flipped bits cost a world.
    Saves,
}

fn main() -> anyhow::Result<()> {
    let mut areas = Arguments::parse().areas;
    if areas.is_empty() {
        areas = vec![Area::Spell, Area::Tick, Area::Build, Area::Saves];
    }
    for area in areas {
        match area {
            Area::Spell => spell::run()?,
            Area::Tick => tick::run()?,
            Area::Build => build::run()?,
            Area::Saves => saves::run()?,
        }
    }
    Ok(())
}
