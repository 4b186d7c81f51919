//! What a cast is told while it lives, and what it says to others.

use crate::{EntityId, Vec3};

/// Something that happened to this cast's own things.
#[derive(Debug, Clone, PartialEq)]
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
    /// Another cast has something to say.
    Message(Message),
}

/// What one cast says to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The spell that says it.
    pub spell: String,
    /// Its caster.
    pub caster: EntityId,
    /// What, at most 256 bytes.
    pub data: Vec<u8>,
}

/// Whom a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recipient<'a> {
    /// The cast that made this entity, joint or field.
    Maker(EntityId),
    /// The caster's other casts of this spell, by its name.
    Mine(&'a str),
}

/// Which of a spell's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Drawer {
    /// Those for this caster alone, also when it comes back.
    Mine,
    /// Those for everybody who casts the spell.
    Shared,
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
