//! Why and how a spell was cast, and why a cast ends.

use crate::{EntityId, Vec3};

/// Why and how this instance was cast. One instance serves one cast.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cast {
    /// Tick in which the cast was admitted; 60 a second.
    pub tick: u64,
    /// Who cast it.
    pub caster: EntityId,
    /// What the caster pointed at; [`EntityId::NONE`] when nothing.
    pub target: EntityId,
    /// The caster's eye.
    pub origin: Vec3,
    /// Where the caster looks: a unit vector.
    pub aim: Vec3,
    /// The point that the caster chose.
    pub target_position: Vec3,
    /// Seed of this cast's random stream; the same in a replay. [`World::rng`](crate::World::rng) starts from it.
    pub seed: u64,
    /// What the caster's client sent along: a JSON object, at most 1,024 bytes.
    pub params: String,
}

/// Why a cast ends that did not end itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelReason {
    /// The duration that the envelope declares is over.
    Duration,
    /// The caster left or died.
    CasterGone,
    /// The revision was replaced or revoked.
    Revision,
    /// The caster could not pay for it.
    Mana,
    /// A spell has dispelled it.
    Dispelled,
}
