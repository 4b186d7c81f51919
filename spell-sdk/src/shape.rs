//! Where to look.

use crate::Vec3;

/// A part of space.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "said at the variants")]
pub enum Shape {
    /// All within `radius` metres of `center`.
    Sphere { center: Vec3, radius: f32 },
    /// All within `length` metres of `apex` whose direction is at most `half_angle` (radians, 0 to pi) away from `direction` (a unit vector).
    Cone { apex: Vec3, direction: Vec3, length: f32, half_angle: f32 },
    /// All within `half` of `center` along each axis; it is not turned.
    Cuboid { center: Vec3, half: Vec3 },
}

impl Shape {
    /// All within `radius` metres of `center`.
    pub const fn sphere(center: Vec3, radius: f32) -> Self {
        Self::Sphere { center, radius }
    }

    /// All within `length` metres of `apex` whose direction is at most `half_angle` (radians, 0 to pi) away from `direction` (a unit vector).
    pub const fn cone(apex: Vec3, direction: Vec3, length: f32, half_angle: f32) -> Self {
        Self::Cone { apex, direction, length, half_angle }
    }

    /// All within `half` of `center` along each axis; it is not turned.
    pub const fn cuboid(center: Vec3, half: Vec3) -> Self {
        Self::Cuboid { center, half }
    }
}

/// What a ray met first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RayHit {
    /// [`EntityId::NONE`](crate::EntityId::NONE) when it met the terrain.
    pub entity: crate::EntityId,
    /// Where.
    pub point: Vec3,
    /// The surface's normal.
    pub normal: Vec3,
    /// Metres from the start.
    pub distance: f32,
}
