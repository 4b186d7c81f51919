//! Where players and NPCs stood of late: what those who shoot see, for what they see is as old as their connection makes it.

use crate::geometry::Aabb;
use crate::limits::{ENTITIES_MAX, LAG_TICKS_MAX};
use crate::{EntityId, Vec3, World, digest, saved};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::VecDeque;

/// The last `LAG_TICKS_MAX` ticks. One tick after another, not one character after another: a shot asks who was near it in one tick, and who was not in the
/// world in that tick is not in its frame.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// Oldest first; each with its hash, for only one of them is new in a tick and all are digested.
    frames: VecDeque<(Frame, u64)>,
}

/// The players and NPCs as a tick left them, by x, then by id: a shot looks at those beside its way, not at all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Frame(Vec<(EntityId, Vec3)>);

/// The tick's stage: what clients are about to see is remembered.
pub(crate) fn record(world: &mut World) {
    let World { history, scene, .. } = world;
    let spare = if history.frames.len() < LAG_TICKS_MAX { None } else { history.frames.pop_front() };
    let (Frame(mut places), _) = spare.unwrap_or_default();
    places.clear();
    places.extend(scene.grid().characters().map(|entry| (entry.id, entry.position)));
    places.sort_unstable_by(by_x);
    history.push(Frame(places));
}

impl History {
    pub(crate) fn of(frames: Vec<Frame>) -> Self {
        let mut history = Self::default();
        frames.into_iter().for_each(|frame| history.push(frame));
        history
    }

    /// Oldest first.
    pub(crate) fn frames(&self) -> impl DoubleEndedIterator<Item = &Frame> {
        self.frames.iter().map(|(frame, _)| frame)
    }

    pub(crate) fn hashes(&self) -> impl Iterator<Item = u64> {
        self.frames.iter().map(|(_, hash)| *hash)
    }

    /// How many ticks can be gone back.
    pub(crate) fn len(&self) -> usize {
        self.frames.len()
    }

    /// How many ticks ago `seen_tick` was, cut to what is remembered: 0 for one that is unknown (0) or still to come.
    pub(crate) fn lag(&self, tick: u64, seen_tick: u64) -> usize {
        let age = if seen_tick == 0 { 0 } else { tick.saturating_sub(seen_tick) };
        usize::try_from(age).map_or(self.len(), |age| age.min(self.len()))
    }

    /// Where all were so many ticks before where they are in the running tick; `None` for 0, which is now.
    pub(crate) fn then(&self, lag_ticks: usize) -> Option<&Frame> {
        let at = self.len().checked_sub(lag_ticks)?;
        self.frames.get(at).map(|(frame, _)| frame)
    }

    /// These have died: what was aimed at them is for the life that is over, even if they are back at once under the same id. Sorted by id.
    pub(crate) fn forget(&mut self, dead: &[EntityId]) {
        if dead.is_empty() {
            return;
        }
        for (frame, hash) in &mut self.frames {
            frame.0.retain(|(id, _)| dead.binary_search(id).is_err());
            *hash = digest::stood(&frame.0);
        }
    }

    fn push(&mut self, frame: Frame) {
        let hash = digest::stood(&frame.0);
        self.frames.push_back((frame, hash));
    }
}

impl Frame {
    /// Those whose middle is above, in or below the box.
    pub(crate) fn near(&self, Aabb { low, high }: Aabb) -> impl Iterator<Item = (EntityId, Vec3)> {
        let first = self.0.partition_point(|(_, position)| position.x < low.x);
        let slab = self.0[first..].iter().take_while(move |(_, position)| position.x <= high.x);
        slab.filter(move |(_, position)| (low.z..=high.z).contains(&position.z)).copied()
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = EntityId> {
        self.0.iter().map(|(id, _)| *id)
    }

    pub(crate) fn has(&self, id: EntityId, position: Vec3) -> bool {
        self.0.binary_search_by(|place| by_x(place, &(id, position))).is_ok()
    }
}

/// Whether frames can be those of a world.
pub(crate) fn are_sound(frames: &[Frame]) -> bool {
    let sorted = |places: &[(EntityId, Vec3)]| places.is_sorted_by(|one, next| by_x(one, next).is_lt());
    let sound =
        |Frame(places): &Frame| places.len() <= ENTITIES_MAX && sorted(places) && places.iter().all(|(_, position)| saved::here(*position));
    frames.len() <= LAG_TICKS_MAX && frames.iter().all(sound)
}

fn by_x((id, one): &(EntityId, Vec3), (other, two): &(EntityId, Vec3)) -> Ordering {
    one.x.total_cmp(&two.x).then(id.cmp(other))
}
