//! A checkpoint: the state is taken, and the running world goes on from it as a loaded one would, so that both are the same from then on.

use crate::limits::CHECKPOINT_FUEL;
use crate::physics::Rebuilt;
use crate::saved::{Saved, Stored};
use crate::spells::Kept;
use crate::undo::JournalChange;
use crate::voxel::{Chunk, ChunkId};
use crate::{CastId, Spells, World, cast};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What has to be written so that a file holds the world as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// The state.
    pub saved: Saved,
    /// The chunks that were made or changed since the last checkpoint.
    pub chunks: Vec<(ChunkId, Arc<Chunk>)>,
    /// What became of the journal since.
    pub journal: JournalChange,
}

/// How much of a tick the casts of a checkpoint may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Thoroughness {
    /// `CHECKPOINT_FUEL`: the casts that do not fit are not saved this time.
    InPassing,
    /// Whatever it takes, for a world that is about to stop.
    Whole,
}

/// The tick's stage: nothing, unless a checkpoint was asked for.
pub(crate) fn settle(world: &mut World, spells: &mut impl Spells) {
    let Some(thoroughness) = world.checkpoint_due.take() else { return };
    let states = suspend(world, spells, thoroughness.fuel());
    let World { scene, props, joints, physics, .. } = world;
    physics.rebuild(&Rebuilt { scene, props, joints, states: None });
    let dirty = world.scene.terrain_mut().take_dirty();
    let chunks = dirty.into_iter().filter_map(|id| Some((id, world.scene.terrain().chunk(id)?.clone()))).collect();
    world.checkpoint = Some(Checkpoint { saved: Saved::of(world, states), chunks, journal: world.journal.take_change() });
}

/// The casts' own states. Who owes least comes first, as in every tick, so that dear casts crowd out nobody else's; the work is charged to the casters.
fn suspend(world: &mut World, spells: &mut impl Spells, fuel: u64) -> BTreeMap<CastId, Vec<u8>> {
    let casts = world.casts.to_suspend();
    let kept = spells.checkpoint(&casts, fuel);
    assert_eq!(casts.len(), kept.len(), "every cast of a checkpoint is answered once");
    let mut states = BTreeMap::new();
    for (id, (kept, fuel)) in casts.into_iter().zip(kept) {
        world.casts.charge(id, fuel);
        match kept {
            Kept::State(state) => _ = states.insert(id, state),
            Kept::Unsaved => {}
            Kept::Fault(fault) => cast::faulted(world, id, fault),
        }
    }
    states
}

impl Thoroughness {
    fn fuel(self) -> u64 {
        match self {
            Self::InPassing => CHECKPOINT_FUEL,
            Self::Whole => u64::MAX,
        }
    }
}

impl Checkpoint {
    /// This and a later one in one, for a file that has missed this one.
    pub fn then(self, later: Self) -> Self {
        let mut chunks: BTreeMap<_, _> = self.chunks.into_iter().collect();
        chunks.extend(later.chunks);
        let mut added: BTreeMap<_, _> = self.journal.added.into_iter().collect();
        later.journal.gone.iter().for_each(|number| _ = added.remove(number));
        added.extend(later.journal.added);
        let gone = self.journal.gone.into_iter().chain(later.journal.gone).collect();
        Self {
            saved: later.saved,
            chunks: chunks.into_iter().collect(),
            journal: JournalChange { added: added.into_iter().collect(), gone },
        }
    }

    /// What a file holds once this is written over what it held before.
    pub fn over(self, before: Option<Stored>) -> Stored {
        let (mut chunks, mut journal) = before.map(|stored| (stored.chunks, stored.journal)).unwrap_or_default();
        chunks.extend(self.chunks);
        journal.extend(self.journal.added);
        self.journal.gone.iter().for_each(|number| _ = journal.remove(number));
        Stored { saved: self.saved, chunks, journal }
    }
}

impl World {
    /// The checkpoint that the last tick has made, if it was asked for one.
    pub fn take_checkpoint(&mut self) -> Option<Checkpoint> {
        self.checkpoint.take()
    }

    /// All that a load needs to go on as this world does, if the last tick has made a checkpoint that nobody has taken yet and that has saved every cast.
    pub fn stored(&self) -> Option<Stored> {
        let saved = self.checkpoint.as_ref().map(|checkpoint| &checkpoint.saved).filter(|saved| saved.is_whole())?;
        let terrain = self.scene.terrain();
        let chunks = terrain.chunks().filter_map(|(id, _)| Some((id, terrain.chunk(id)?.clone()))).collect();
        Some(Stored { saved: saved.clone(), chunks, journal: self.journal.entries() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EntityId, Inbound, NoSpells, Vec3, step};

    /// What rapier forgets at a checkpoint (it goes on without its memory of contacts) must not be felt: a tower stands, and comes to rest between two.
    #[test]
    fn a_tower_stands_and_rests_through_many_checkpoints() {
        let mut world = World::empty(1);
        let crates: Vec<EntityId> = (0..6).map(|storey| world.spawn_prop("crate", Vec3::new(9.0, 1.5 + storey as f32, 0.0))).collect();
        let rest = |world: &World, id: &EntityId| world.physics.state(*id).is_some_and(|state| state.sleeps);
        let mut resting_ticks = 0;
        for tick in 0..900 {
            let inbound = if tick % 45 == 44 { vec![Inbound::Checkpoint(Thoroughness::InPassing)] } else { Vec::new() };
            step(&mut world, &inbound, &mut NoSpells, &mut |_| ());
            resting_ticks += usize::from(crates.iter().all(|id| rest(&world, id)));
        }
        for (storey, id) in crates.iter().enumerate() {
            let position = world.scene.entity(*id).expect("it is there").position;
            let place = Vec3::new(9.0, 1.5 + storey as f32, 0.0);
            assert!(position.distance(place) < 0.1, "storey {storey} is at {position}");
        }
        assert!(resting_ticks > 100, "{resting_ticks} of 900 ticks at rest");
    }
}
