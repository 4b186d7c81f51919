//! What a spell can look at and act on.

use crate::Vec3;
use std::ops::BitOr;

/// Names an entity for as long as its world exists; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EntityId(pub u64);

impl EntityId {
    /// Names nothing. As what a projectile hit, the terrain.
    pub const NONE: Self = Self(0);

    /// Whether it names nothing.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// What an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntityKind {
    /// Moved by a client.
    Player,
    /// Moved by the world.
    Npc,
    /// A flying, swept sphere.
    Projectile,
    /// A rigid body.
    Prop,
}

/// An entity as it stood when the tick began.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entity {
    /// Its name for spells.
    pub id: EntityId,
    /// What it is.
    pub kind: EntityKind,
    /// The middle of its body.
    pub position: Vec3,
    /// Metres a second.
    pub velocity: Vec3,
    /// A unit vector; for what cannot aim, its forward axis.
    pub aim: Vec3,
    /// 0 for what has no health.
    pub health: f32,
    /// 0 for what has no health.
    pub health_max: f32,
}

/// Which kinds a query answers with. Kinds add up: `Kinds::NPCS | Kinds::PROPS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    /// Players.
    pub const PLAYERS: Self = Self(1);
    /// NPCs.
    pub const NPCS: Self = Self(2);
    /// Projectiles.
    pub const PROJECTILES: Self = Self(4);
    /// Props.
    pub const PROPS: Self = Self(8);
    /// All that can be pushed: players, NPCs and props.
    pub const BODIES: Self = Self(1 | 2 | 8);
    /// All that has health: players and NPCs.
    pub const LIVING: Self = Self(1 | 2);

    /// Bit 0 players, 1 NPCs, 2 projectiles, 3 props.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether entities of this kind are among them.
    pub const fn contains(self, kind: EntityKind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }
}

impl BitOr for Kinds {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
