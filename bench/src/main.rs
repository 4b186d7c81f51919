//! The benchmarks: `cargo xtask bench [spell|prices|tick|voxels|build|saves]...`, all of them when none is named.
//!
//! Every figure is a ratio between things measured in the same, interleaved run. How and against whom: `docs/benchmarks.md`.

mod artifact;
mod build;
mod clock;
mod dice;
mod hills;
mod prices;
mod report;
mod saves;
mod spell;
mod tick;
mod twins;
mod voxels;

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
    /// What each call of the interface takes, beside its price.
    Prices,
    /// The whole tick: up to 1,000 live casts, the busy world, a bare rapier step, a Godot server.
    Tick,
    /// Rays, edits and compression of the terrain.
    Voxels,
    /// Edit to live, through the real processes.
    Build,
    /// What kills and flipped bits cost a world.
    Saves,
}

fn main() -> anyhow::Result<()> {
    let mut areas = Arguments::parse().areas;
    if areas.is_empty() {
        areas = vec![Area::Spell, Area::Prices, Area::Tick, Area::Voxels, Area::Build, Area::Saves];
    }
    for area in areas {
        match area {
            Area::Spell => spell::run()?,
            Area::Prices => prices::run()?,
            Area::Tick => tick::run()?,
            Area::Voxels => voxels::run()?,
            Area::Build => build::run()?,
            Area::Saves => saves::run()?,
        }
    }
    Ok(())
}
