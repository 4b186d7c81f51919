//! What a cast is told while it lives.

use crate::{EntityId, Vec3};

/// Something that happened to this cast's own things.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    /// A projectile of mine hit something.
    Hit(Hit),
    /// What I made has ended by itself or could not be made: a projectile without a hit, a body, a joint that broke, a field whose time is up.
    Expired(EntityId),
    /// A timer that I set is due; carries its token.
    Timer(u32),
    /// An intent of mine was dropped: its target was gone or protected. [`EntityId::NONE`] for an edit of the terrain.
    Dropped(EntityId),
    /// An NPC that I summoned has died.
    Died(EntityId),
}

/// A projectile's end on something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Which projectile.
    pub projectile: EntityId,
    /// What it hit; [`EntityId::NONE`] is the terrain.
    pub entity: EntityId,
    /// Where.
    pub point: Vec3,
    /// The surface's normal.
    pub normal: Vec3,
}
