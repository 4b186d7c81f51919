//! A world in which everything happens, in one source for all targets: the same build after build, machine after machine, tick after tick.
//!
//! What players do is a line in `crowd.rs`, what spells ask for is a line in `wild.rs`. A kind of inbound, intent or event that has none does not compile,
//! and one that never happens fails the test.

mod crowd;
mod draw;
#[cfg(target_family = "wasm")]
mod exports;
mod place;
mod wild;
mod witness;

pub use witness::Witness;

use sim::{EntityId, Stage, World, step};
use std::collections::{BTreeMap, BTreeSet};

/// What all of its random streams come from.
const SEED: u64 = 20_260_811;

/// The world, who plays in it, and who watches.
pub struct Busy {
    world: World,
    crowd: crowd::Crowd,
    memories: BTreeMap<sim::CastId, wild::Memory>,
    witness: Witness,
}

impl Busy {
    /// It before its first tick.
    #[expect(clippy::new_without_default, reason = "a busy world is no default of anything")]
    pub fn new() -> Self {
        Self { world: place::set_up(), crowd: crowd::Crowd::new(), memories: BTreeMap::new(), witness: Witness::default() }
    }

    /// One tick. Answers each part of the state's digest with its name, and one of all that was said in the tick: to the spells, by them, and to the outside.
    pub fn tick(&mut self) -> Vec<(&'static str, u64)> {
        let inbound = self.crowd.acts(&self.world);
        inbound.iter().for_each(|one| self.witness.saw(one));
        let flying = self.world.scene().entities().map(|entity| entity.id);
        let lagged: BTreeSet<EntityId> = flying.filter(|id| self.world.lag_ticks(*id) > 0).collect();
        let mut stages: Vec<Stage> = Vec::new();
        let mut spells = wild::Wild { memories: &mut self.memories, witness: &mut self.witness };
        let outbound = step(&mut self.world, &inbound, &mut spells, &mut |stage| stages.push(stage));
        stages.iter().for_each(|stage| self.witness.saw(stage));
        outbound.iter().for_each(|event| self.witness.heard(event, &lagged));
        if let Some(checkpoint) = self.world.take_checkpoint() {
            // What would be written is compared as well; the chunks' hashes are in the digest.
            self.witness.was_told(&(checkpoint.saved, checkpoint.journal.gone));
        }
        let mut parts = self.world.digest().parts().to_vec();
        parts.push(("told", self.witness.take_told()));
        parts
    }

    /// The world, to look at.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Who has seen it all.
    pub fn witness(&self) -> &Witness {
        &self.witness
    }
}
