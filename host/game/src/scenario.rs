//! Text scenarios: a small world, some casts, and what must come of them. `spell test` and our own tests share them.
//!
//! One step a line, in order; `#` begins a comment. Positions are metres, y is up; the floor's surface is y = 1, so a character's middle stands at y = 1.9.
//!
//! | line | meaning |
//! |---|---|
//! | `world seed 7` | the seed of the world's random streams; 1 without it |
//! | `world small` | a floor of 64 by 64 metres, which is quicker to make; 160 by 160 without it |
//! | `world mana 20` | players have at most so much mana, and a unit a second comes back; 100 and 10 without it |
//! | `npc dummy at 0 1.9 -10` | a target with 100 health |
//! | `prop crate at 2 2 -6` | a rigid box |
//! | `player ann at 3 1.9 0` | a player who does nothing |
//! | `npc dummy at 0 1.9 -10 health 40` | a wounded one; players likewise |
//! | `cast as caster at 0 1.9 0 aim 0 0 -1 target dummy` | that player casts the spell in the next tick; `at` belongs to its first cast, `target` may be left out |
//! | `run 90 ticks` | time passes |
//! | `settle 240 ticks` | time passes until no cast is live, at most so much |
//! | `reload` | the world is saved, and goes on from its save, as after a restart of its server; a cast that does not go on from it as before fails the line |
//! | `expect dummy health 75` | also `<= 75`, `>= 75`; 0 when it is not in the world |
//! | `expect caster mana >= 80` | what a player has; 0 when it is not in the world |
//! | `expect crate moved >= 0.5` | metres from where it was set up |
//! | `expect material at 0 1.5 -4 1` | what the voxel there is made of, by the material's id; 0 is air |
//! | `expect npcs 2` | entities of a kind; also `props`, `projectiles` |
//! | `expect casts live 0` | casts that have not ended |
//! | `expect no faults` | no cast was refused or stopped so far |
//! | `expect fault fuel` | some cast was, by this limit |
//!
//! Things are set up before the first tick, wherever their lines stand.

mod expectation;
mod parse;
mod run;

pub use expectation::{Comparison, Expectation, Relation};
pub use parse::{ParseError, parse};
pub use run::{Fault, LineReport, LogLine, Report, run};

use sim::Vec3;

/// A parsed scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Of the world.
    pub seed: u64,
    /// Whether its floor is small.
    pub small: bool,
    /// What players have to spend at most, where it is not the usual.
    pub mana: Option<u32>,
    /// What stands in the world before the first tick, in the order of the lines.
    pub things: Vec<Thing>,
    /// What happens then.
    pub steps: Vec<Step>,
}

/// Something that stands in the world before the first tick.
#[derive(Debug, Clone, PartialEq)]
pub struct Thing {
    /// Unique within the scenario.
    pub name: String,
    /// Player, NPC or prop.
    pub kind: ThingKind,
    /// The middle of its body.
    pub at: Vec3,
    /// What is left of its health; `None` is all.
    pub health: Option<f32>,
}

/// What can be set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum ThingKind {
    Player,
    Npc,
    Prop,
}

/// One line that does something.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// From 1.
    pub line: usize,
    /// As it stands there.
    pub text: String,
    /// What it does.
    pub action: Action,
}

/// What a line does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// A player casts the spell, in the next tick that runs.
    Cast {
        /// The player's name.
        caster: String,
        /// A unit vector.
        aim: Vec3,
        /// The name of what it points at.
        target: Option<String>,
    },
    /// Time passes.
    Run {
        /// 1/60 s each.
        ticks: u64,
    },
    /// Time passes until no cast is live.
    Settle {
        /// At most so many.
        ticks: u64,
    },
    /// The world is saved and loaded, which takes a tick.
    Reload,
    /// Something must be so by now.
    Expect(Expectation),
}
