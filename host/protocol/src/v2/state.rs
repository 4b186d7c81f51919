//! An entity in a snapshot: whole numbers, so that what is sent is what both sides have.

use crate::Vec3;
use crate::limits::STATE_POSITION_MAX;

/// Of a position in a metre: 7.8 mm, which is below a pixel on a screen of 1080 lines beyond 7 m, and half of it is the error.
pub const POSITION_UNITS_PER_M: f32 = 128.0;
/// Of a rotation's component in 1: with the largest left out, the others are at most 0.71, which is 255 units. The error is at most 0.3 degrees, half of what a step
/// turns; it is the precision of Fiedler's cubes.
pub const ROTATION_UNITS: f32 = 361.0;

/// A rotation as the three smaller components of its quaternion (x, y, z, w); the fourth is what makes its length 1, and not negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// Which component is left out: 0 to 3.
    pub largest: u8,
    /// The others in their order, in parts of [`ROTATION_UNITS`].
    pub others: [i16; 3],
}

impl Rotation {
    /// No rotation.
    pub const IDENTITY: Self = Self { largest: 3, others: [0; 3] };

    /// The nearest to a unit quaternion (x, y, z, w).
    pub fn nearest(quaternion: [f32; 4]) -> Self {
        let magnitude = |index: &usize| quaternion[*index].abs();
        // Of equals the last: identity and everything near it then leave out w.
        let largest = (0..4).max_by(|a, b| magnitude(a).total_cmp(&magnitude(b))).unwrap_or(3);
        let sign = if quaternion[largest] < 0.0 { -ROTATION_UNITS } else { ROTATION_UNITS };
        let mut others = [0; 3];
        for (other, index) in others.iter_mut().zip((0..4).filter(|index| *index != largest)) {
            *other = (quaternion[index] * sign).round() as i16;
        }
        Self { largest: largest as u8, others }
    }

    /// The unit quaternion (x, y, z, w).
    pub fn quaternion(self) -> [f32; 4] {
        let others = self.others.map(|other| f32::from(other) / ROTATION_UNITS);
        let rest = 1.0 - others.iter().map(|other| other * other).sum::<f32>();
        let mut quaternion = [rest.max(0.0).sqrt(); 4];
        let indices = (0..4).filter(|index| *index != usize::from(self.largest));
        for (index, other) in indices.zip(others) {
            quaternion[index] = other;
        }
        quaternion
    }
}

/// One entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntityState {
    /// Its id.
    pub id: u64,
    /// 1 player, 2 NPC, 3 projectile, 4 prop.
    pub kind: u8,
    /// In parts of [`POSITION_UNITS_PER_M`].
    pub position: [i32; 3],
    /// How it is turned.
    pub rotation: Rotation,
    /// Health in whole points, rounded up: 0 is dead, or has none.
    pub health: u16,
}

impl EntityState {
    /// The nearest to this entity; `rotation` is a unit quaternion (x, y, z, w).
    pub fn nearest(id: u64, kind: u8, position: Vec3, rotation: [f32; 4], health: f32) -> Self {
        let most = STATE_POSITION_MAX as f32;
        let position = position.map(|axis| (axis * POSITION_UNITS_PER_M).round().clamp(-most, most) as i32);
        let rotation = Rotation::nearest(rotation);
        Self { id, kind, position, rotation, health: health.ceil() as u16 }
    }

    /// Metres.
    pub fn position_m(&self) -> Vec3 {
        self.position.map(|axis| axis as f32 / POSITION_UNITS_PER_M)
    }
}
