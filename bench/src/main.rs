//! The benchmarks: `cargo xtask bench [spell|compute|scale|memory|cycles|hostile|prices|tick|voxels|build|live|control|wire|connections|saves]...`, all of them when none is named.
//!
//! Every figure is a ratio between things measured in the same, interleaved run. How and against whom: `docs/benchmarks.md`.

mod artifact;
mod bare;
mod bot;
mod build;
mod clock;
mod compute;
mod connections;
mod control;
mod cycles;
mod dice;
mod hills;
mod hostile;
mod library;
mod live;
mod memory;
mod prefetched;
mod prices;
mod report;
mod resident;
mod saves;
mod scale;
mod spell;
mod throng;
mod tick;
mod twins;
mod voxels;
mod wire;

use clap::{Parser, ValueEnum};
use report::Effort;

#[derive(Parser)]
struct Arguments {
    /// What to measure.
    areas: Vec<Area>,
    /// Only tries the areas that take long (spell, compute, scale, memory, cycles, hostile, live, control, connections, wire): small parameters, and the figures go to target/benchmarks.
    #[arg(long)]
    trial: bool,
    /// Learn v2's table of probabilities anew instead, and write it to host/protocol/src/v2/zeros.bin.
    #[arg(long)]
    learn: bool,
    /// Ticks of the world of `hostile`: 36,000, or 600 for a trial, when left out.
    #[arg(long)]
    ticks: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Area {
    /// What a live cast takes of the machine's memory.
    Memory,
    /// A hundred thousand times: load a spell, cast it, let it trap, drop it.
    Cycles,
    /// A spell's tick against native Rust, Luau and bare wasmtime; an empty call; instantiation.
    Spell,
    /// A spell that computes against Luau, native Rust and bare wasmtime.
    Compute,
    /// Up to 10,000 live casts, on one thread and on two.
    Scale,
    /// Sixty-four kinds of hostile casts beside 32 players, for ten minutes; recorded and replayed.
    Hostile,
    /// What each call of the interface takes, beside its price.
    Prices,
    /// The whole tick: up to 1,000 live casts, the busy world, a bare rapier step, a Godot server.
    Tick,
    /// Rays, edits and compression of the terrain.
    Voxels,
    /// Edit to live, through the real processes.
    Build,
    /// Spells that change while worlds run: publishes beside a hundred casters, and publish, rollback and revoke over eight worlds.
    Live,
    /// Killed game servers, logins, and eight worlds full of players.
    Control,
    /// Snapshots in bytes and time: Fiedler's 901 cubes, players against Colyseus, a lively world.
    Wire,
    /// Five hundred players, two hundred bad connections, and cheats.
    Connections,
    /// What kills and flipped bits cost a world.
    Saves,
}

fn main() -> anyhow::Result<()> {
    let Arguments { mut areas, trial, learn, ticks } = Arguments::parse();
    if learn {
        let table = concat!(env!("CARGO_MANIFEST_DIR"), "/../host/protocol/src/v2/zeros.bin");
        return Ok(std::fs::write(table, wire::learn())?);
    }
    let effort = if trial { Effort::Trial } else { Effort::Full };
    if areas.is_empty() {
        // Those that look at the process's memory first, before others have grown it.
        areas = Area::value_variants().to_vec();
    }
    for area in areas {
        match area {
            Area::Memory => memory::run(effort)?,
            Area::Cycles => cycles::run(effort)?,
            Area::Spell => spell::run(effort)?,
            Area::Compute => compute::run(effort)?,
            Area::Scale => scale::run(effort)?,
            Area::Hostile => hostile::run(effort, ticks)?,
            Area::Prices => prices::run()?,
            Area::Tick => tick::run()?,
            Area::Voxels => voxels::run()?,
            Area::Build => build::run()?,
            Area::Live => live::run(effort)?,
            Area::Control => control::run(effort)?,
            Area::Wire => wire::run(effort)?,
            Area::Connections => connections::run(effort)?,
            Area::Saves => saves::run()?,
        }
    }
    Ok(())
}
