//! What a query answers with: entities that can be walked over and acted on.

use crate::{Entity, EntityId, Refusal, Vec3, World};

/// Entities nearest first (then by id), as they stood when the tick began: `for e in world.near(5.0)? { e.push(Vec3::UP * 100.0); }`.
#[derive(Debug)]
pub struct Nearby<'w> {
    world: &'w World,
    ids: Vec<u64>,
    positions: Vec<f32>,
}

/// One of them.
#[derive(Debug, Clone, Copy)]
pub struct Near<'w> {
    world: &'w World,
    /// Its name.
    pub id: EntityId,
    /// The middle of its body.
    pub position: Vec3,
}

impl<'w> Nearby<'w> {
    pub(crate) const fn new(world: &'w World, ids: Vec<u64>, positions: Vec<f32>) -> Self {
        Self { world, ids, positions }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The one at this place, nearest first.
    pub fn get(&self, index: usize) -> Option<Near<'w>> {
        let id = EntityId(*self.ids.get(index)?);
        let &[x, y, z] = self.positions.get(index * 3..index * 3 + 3)? else { return None };
        Some(Near { world: self.world, id, position: Vec3::new(x, y, z) })
    }

    /// The nearest.
    pub fn nearest(&self) -> Option<Near<'w>> {
        self.get(0)
    }

    /// Walks over them, nearest first.
    pub fn iter(&self) -> impl Iterator<Item = Near<'w>> + '_ {
        (0..self.len()).map_while(|index| self.get(index))
    }
}

impl<'w> IntoIterator for Nearby<'w> {
    type Item = Near<'w>;
    type IntoIter = NearbyIter<'w>;
    fn into_iter(self) -> NearbyIter<'w> {
        NearbyIter { nearby: self, next: 0 }
    }
}

/// Walks over what a query answered.
#[derive(Debug)]
pub struct NearbyIter<'w> {
    nearby: Nearby<'w>,
    next: usize,
}

impl<'w> Iterator for NearbyIter<'w> {
    type Item = Near<'w>;
    fn next(&mut self) -> Option<Near<'w>> {
        let near = self.nearby.get(self.next)?;
        self.next += 1;
        Some(near)
    }
}

impl Near<'_> {
    /// Pushes it by an impulse; see [`World::push`].
    #[track_caller]
    pub fn push(&self, impulse: Vec3) {
        self.world.push(self.id, impulse);
    }

    /// Takes health; see [`World::damage`].
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    pub fn damage(&self, amount: f32) -> Result<(), Refusal> {
        self.world.damage(self.id, amount)
    }

    /// Gives health; see [`World::heal`].
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    pub fn heal(&self, amount: f32) -> Result<(), Refusal> {
        self.world.heal(self.id, amount)
    }

    /// All about it. None when it is gone.
    pub fn entity(&self) -> Option<Entity> {
        self.world.entity(self.id)
    }
}
