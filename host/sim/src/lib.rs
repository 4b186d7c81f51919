//! The game: pure, deterministic, without I/O, clock, threads or unordered iteration.
//!
//! [`step`] is the whole of it: a world, what came in, and whoever runs the spells; out come events and a digest.
//! Units: metres, seconds, radians, kilograms; y is up; one tick is 1/60 s.
//!
//! ```
//! use sim::{Inbound, NoSpells, Outbound, World, step};
//!
//! let mut world = World::new(7);
//! let joined = step(&mut world, &[Inbound::Join { token: 1, account: "client_1".into(), username: "kim".into() }], &mut NoSpells, &mut |_| ());
//! assert!(matches!(joined[0], Outbound::Joined { token: 1, .. }));
//! assert_eq!(world.tick(), 1);
//! ```
#![forbid(unsafe_code)]

mod absent;
mod behaviour;
pub mod body;
mod cast;
pub mod character;
pub mod checkpoint;
mod combat;
pub mod debris;
pub mod digest;
pub mod edit;
pub mod field;
pub mod generate;
mod geometry;
mod grid;
mod history;
pub mod inbound;
pub mod intent;
mod invariants;
pub mod joint;
pub mod limits;
pub mod lineup;
pub mod mana;
pub mod material;
mod npc;
pub mod outbound;
mod path;
mod perception;
mod physics;
mod player;
mod projectile;
mod rng;
pub mod saved;
pub mod scene;
pub mod settings;
mod shove;
mod space;
pub mod spells;
pub mod status;
pub mod storage;
mod strike;
pub mod summon;
pub mod team;
pub mod tick;
pub mod undo;
pub mod voxel;
pub mod world;

pub use checkpoint::{Checkpoint, Thoroughness};
pub use digest::Digest;
pub use edit::Edit;
pub use generate::Generation;
pub use geometry::Contact;
pub use inbound::Inbound;
pub use intent::Intent;
pub use lineup::Lineup;
pub use npc::{Spawner, Temper};
pub use outbound::Outbound;
pub use rapier3d::glamx::{IVec3, Quat, Vec3};
pub use saved::{Saved, Stored};
pub use settings::Settings;
pub use spells::{NoSpells, Spells};
pub use tick::{Stage, step};
pub use world::World;

/// Names an entity for as long as its world exists; never used twice. 0 names nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct EntityId(pub u64);

impl EntityId {
    /// Names nothing; on the wire also "terrain".
    pub const NONE: Self = Self(0);
}

/// Names one cast within its world; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct CastId(pub u64);

/// What an entity is. The numbers are the wire's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum EntityKind {
    /// A capsule that a client moves.
    Player = 1,
    /// A capsule that the world moves.
    Npc = 2,
    /// A swept sphere.
    Projectile = 3,
    /// A rigid body.
    Prop = 4,
}

impl EntityKind {
    /// Whether things of this kind walk, have health, and can cast.
    pub fn is_character(self) -> bool {
        matches!(self, Self::Player | Self::Npc)
    }
}
