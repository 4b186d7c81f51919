//! Rigid bodies, what holds them together, and what moves them.

use crate::{EntityId, Vec3};

/// A rigid body to be. Where something is in its way it is not made, and the cast is told that it expired.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Body {
    /// A box or a ball.
    pub form: Form,
    /// Kilograms; 1 to 1,000.
    pub mass: f32,
    /// Its middle.
    pub position: Vec3,
    /// Metres a second; its length is at most 100.
    pub velocity: Vec3,
}

/// What a body bumps with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Form {
    /// A box, by half of its edges: each at least 0.1 m, the diagonal at most 2 m.
    Cuboid(Vec3),
    /// A ball, by its radius: 0.1 to 2 m.
    Ball(f32),
}

impl Default for Body {
    /// A crate of one metre and 50 kg, at rest at the origin.
    fn default() -> Self {
        Self { form: Form::Cuboid(Vec3::new(0.5, 0.5, 0.5)), mass: 50.0, position: Vec3::ZERO, velocity: Vec3::ZERO }
    }
}

/// Small bodies that fly from a point, belong to no cast and last some seconds; as many as fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Debris {
    /// Where from.
    pub at: Vec3,
    /// 1 to 16.
    pub count: u8,
    /// Metres a second of the fastest; 0 to 20.
    pub speed: f32,
    /// Above 0, at most 5.
    pub seconds: f32,
}

/// Two bodies that hold together, or one and a place in the world. Only bodies of this caster's casts and those of nobody can be joined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Joint {
    /// How.
    pub kind: JointKind,
    /// What.
    pub one: EntityId,
    /// To what; [`EntityId::NONE`] is the world.
    pub other: EntityId,
    /// Where, in the world; at most 8 m from the middle of each. A rope between bodies holds them by their middles.
    pub at: Vec3,
    /// Newtons at which it breaks; 0 for never.
    pub break_force: f32,
}

/// How two bodies hold together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum JointKind {
    /// As one.
    Fixed,
    /// By a point.
    Ball,
    /// About an axis, a vector of any length.
    Hinge(Vec3),
    /// No further apart than so many metres; 0.1 to 32.
    Rope(f32),
}

/// A ball in which bodies and characters are pushed away from its middle, or pulled to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Field {
    /// Its middle; all of it must be within the envelope's radius.
    pub center: Vec3,
    /// Above 0, at most 16 m.
    pub radius: f32,
    /// m/s2 in its middle; at most 100 either way. Above 0 it pushes away.
    pub acceleration: f32,
    /// Part of it that is lost at the rim; 0 to 1.
    pub falloff: f32,
    /// Above 0, at most 30; it ends with its cast.
    pub seconds: f32,
}
