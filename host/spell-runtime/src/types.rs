//! What crosses the boundary between host and guest, as plain values. The WIT (`wit/since-v0.1.0/spell.wit`) has the units and ranges.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Names an entity; 0 names nothing.
pub type EntityId = u64;
/// x, y, z.
pub type Vec3 = [f32; 3];
/// x, y, z of a cube of one metre: its corner with the lowest coordinates.
pub type Voxel = [i32; 3];

/// The world as a spell sees it: frozen when the tick began. Shared between threads while casts run.
pub trait View: Send + Sync {
    /// The entity, if it lives.
    fn entity(&self, id: EntityId) -> Option<Entity>;
    /// At most `count` entities in the shape, nearest first, then by id; `except` is left out.
    fn find(&self, shape: Shape, kinds: Kinds, count: usize, except: EntityId) -> Vec<(EntityId, Vec3)>;
    /// The first thing along the ray; `except` is left out. `direction` is a unit vector.
    fn raycast(&self, start: Vec3, direction: Vec3, length: f32, except: EntityId) -> Option<RayHit>;
    /// Whether nothing of the terrain is between two points.
    fn line_of_sight(&self, start: Vec3, end: Vec3) -> bool;
    /// What a voxel is made of; 0 where there is none.
    fn material(&self, voxel: Voxel) -> u8;
    /// A value that the spell keeps for this caster, or for everybody.
    fn stored(&self, spell: &str, caster: EntityId, drawer: Drawer, key: &str) -> Option<Arc<[u8]>>;
}

/// How calls cross between a spell and its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Boundary {
    /// Through wasmtime's component layer: any component.
    Component,
    /// Below it, by our own glue: the core module of a component that our builder made of it. What a call does is the same; the fuel that it takes is a little less.
    Direct,
}

/// What an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntityKind {
    /// A client's.
    Player,
    /// The world's.
    Npc,
    /// Flying.
    Projectile,
    /// A rigid body.
    Prop,
}

/// Which kinds a query answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the kinds'")]
pub struct Kinds {
    pub player: bool,
    pub npc: bool,
    pub projectile: bool,
    pub prop: bool,
}

/// An entity as it stood when the tick began.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "documented in the WIT")]
pub struct Entity {
    pub id: EntityId,
    pub kind: EntityKind,
    pub position: Vec3,
    pub velocity: Vec3,
    pub aim: Vec3,
    pub health: f32,
    pub health_max: f32,
}

/// Where to look.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "documented in the WIT")]
pub enum Shape {
    Sphere { center: Vec3, radius: f32 },
    Cone { apex: Vec3, direction: Vec3, length: f32, half_angle: f32 },
    Cuboid { center: Vec3, half: Vec3 },
}

/// What a ray met first; entity 0 is the terrain.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "documented in the WIT")]
pub struct RayHit {
    pub entity: EntityId,
    pub point: Vec3,
    pub normal: Vec3,
    pub distance: f32,
}

/// Why and how an instance was cast.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "documented in the WIT")]
pub struct Cast {
    pub tick: u64,
    pub caster: EntityId,
    pub target: EntityId,
    pub origin: Vec3,
    pub aim: Vec3,
    pub target_position: Vec3,
    pub seed: u64,
    pub params: String,
}

/// Something that a cast is told.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "documented in the WIT")]
pub enum Event {
    Hit { projectile: EntityId, entity: EntityId, point: Vec3, normal: Vec3 },
    Expired(EntityId),
    Timer(u32),
    Dropped(EntityId),
    Died(EntityId),
    Message { spell: Arc<str>, caster: EntityId, data: Arc<[u8]> },
}

/// Whom a message is for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented in the WIT")]
pub enum Recipient {
    Maker(EntityId),
    Mine(String),
}

/// Which of a spell's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented in the WIT")]
pub enum Drawer {
    Mine,
    Shared,
}

/// Why a cast ends that did not end itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented in the WIT")]
pub enum CancelReason {
    Duration,
    CasterGone,
    Revision,
    Mana,
    Dispelled,
}

/// A projectile to be.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "documented in the WIT")]
pub struct Projectile {
    pub start: Vec3,
    pub velocity: Vec3,
    pub radius: f32,
    pub gravity: f32,
    pub seconds: f32,
    pub damage: f32,
}

/// How a projectile flies on. By default it ends at the first thing in its way.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[allow(missing_docs, reason = "documented in the WIT")]
pub struct Flight {
    pub restitution: f32,
    pub bounces: u8,
    pub pierces: u8,
    pub homing: Option<Homing>,
}

/// How a projectile turns toward a target.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "documented in the WIT")]
pub struct Homing {
    pub turn: f32,
    pub half_angle: f32,
}

/// A rigid body to be.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "documented in the WIT")]
pub struct Body {
    pub form: Form,
    pub mass: f32,
    pub position: Vec3,
    pub velocity: Vec3,
}

/// A body's form: half of a box's edges, or a ball's radius.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "documented in the WIT")]
pub enum Form {
    Cuboid(Vec3),
    Ball(f32),
}

/// Debris to be.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "documented in the WIT")]
pub struct Debris {
    pub at: Vec3,
    pub count: u8,
    pub speed: f32,
    pub seconds: f32,
}

/// A joint to be; `other` 0 is the world, `break_force` 0 is never.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "documented in the WIT")]
pub struct Joint {
    pub kind: JointKind,
    pub one: EntityId,
    pub other: EntityId,
    pub at: Vec3,
    pub break_force: f32,
}

/// How two bodies hold together. A hinge's axis is a unit vector by now.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "documented in the WIT")]
pub enum JointKind {
    Fixed,
    Ball,
    Hinge(Vec3),
    Rope(f32),
}

/// A force field to be.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "documented in the WIT")]
pub struct Field {
    pub center: Vec3,
    pub radius: f32,
    pub acceleration: f32,
    pub falloff: f32,
    pub seconds: f32,
}

/// An NPC to be; `aim` is a unit vector by now.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "documented in the WIT")]
pub struct Npc {
    pub temper: Temper,
    pub position: Vec3,
    pub aim: Vec3,
}

/// How an NPC behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented in the WIT")]
pub enum Temper {
    Dummy,
    Guard,
    Critter,
}

/// What a summoned NPC is told.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "documented in the WIT")]
pub enum Order {
    Follow,
    Stay,
    Go(Vec3),
    Attack(EntityId),
}

/// What a player or NPC bears for a while.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "documented in the WIT")]
pub enum Status {
    Slow(f32),
    Root,
    Shield(f32),
    Burn(f32),
}

/// Where an edit works; a block's corners are both included.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "documented in the WIT")]
pub enum Area {
    Ball { center: Vec3, radius: f32 },
    Block { low: Voxel, high: Voxel },
}

/// What an edit does to a voxel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented in the WIT")]
pub enum Change {
    Fill(u8),
    Dig,
    Paint(u8),
    Replace { old: u8, new: u8 },
}

/// One wish, checked against the spell's own limits at the call.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "documented in the WIT")]
pub enum Intent {
    Damage {
        target: EntityId,
        amount: f32,
    },
    Heal {
        target: EntityId,
        amount: f32,
    },
    Push {
        target: EntityId,
        impulse: Vec3,
    },
    Teleport {
        target: EntityId,
        to: Vec3,
    },
    Afflict {
        target: EntityId,
        status: Status,
        seconds: f32,
    },
    Launch {
        id: EntityId,
        projectile: Projectile,
        flight: Flight,
    },
    Spawn {
        id: EntityId,
        body: Body,
    },
    /// The pieces take the ids from this one on.
    Scatter {
        id: EntityId,
        debris: Debris,
    },
    Join {
        id: EntityId,
        joint: Joint,
    },
    Field {
        id: EntityId,
        field: Field,
    },
    Summon {
        id: EntityId,
        npc: Npc,
    },
    Command {
        npc: EntityId,
        order: Order,
    },
    Terraform {
        area: Area,
        change: Change,
        /// That it may change.
        voxels: u64,
    },
    Despawn {
        id: EntityId,
    },
    Cue {
        name: String,
        at: Vec3,
        scale: f32,
    },
    SetTimer {
        token: u32,
        ticks: u32,
    },
    Send {
        to: Recipient,
        data: Arc<[u8]>,
    },
    Say {
        text: String,
        aloud: bool,
    },
    Store {
        drawer: Drawer,
        key: String,
        value: Option<Arc<[u8]>>,
    },
    Dispel {
        target: EntityId,
    },
    Log {
        level: &'static str,
        text: String,
    },
}

/// Why a call of a hook was stopped.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// The hook, by its WIT name.
    pub hook: &'static str,
    /// The limit or trap, by name: `fuel`, `memory`, `stack`, `time`, `unreachable`, `out_of_bounds`, `division`, `indirect_call`, `host`...
    pub limit: &'static str,
    /// What would have been allowed; 0 where that says nothing.
    pub allowed: f64,
    /// What was asked; 0 where that says nothing.
    pub asked: f64,
    /// In words, with figures.
    pub message: String,
}
