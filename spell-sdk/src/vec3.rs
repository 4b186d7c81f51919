//! Three numbers: a point, a direction, a velocity or an impulse. y is up.

use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

/// A point in metres, a direction, a velocity in metres a second, or an impulse in newton seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[allow(missing_docs, reason = "the names are the axes'")]
pub struct Vec3 {
    pub x: f32,
    pub y: f32,
    pub z: f32,
}

impl Vec3 {
    /// All zero.
    pub const ZERO: Self = Self::new(0.0, 0.0, 0.0);
    /// One metre up.
    pub const UP: Self = Self::new(0.0, 1.0, 0.0);
    /// Along -y.
    pub const DOWN: Self = Self::new(0.0, -1.0, 0.0);

    /// From its three numbers.
    pub const fn new(x: f32, y: f32, z: f32) -> Self {
        Self { x, y, z }
    }

    /// The dot product.
    pub fn dot(self, other: Self) -> f32 {
        self.x * other.x + self.y * other.y + self.z * other.z
    }

    /// The cross product.
    pub fn cross(self, other: Self) -> Self {
        Self::new(self.y * other.z - self.z * other.y, self.z * other.x - self.x * other.z, self.x * other.y - self.y * other.x)
    }

    /// How long it is.
    pub fn length(self) -> f32 {
        self.dot(self).sqrt()
    }

    /// From one point to the other, in metres.
    pub fn distance(self, other: Self) -> f32 {
        (self - other).length()
    }

    /// The same direction with length 1. What has no direction (zero, or not finite) gives zero, so that no NaN can come of it.
    pub fn normalized(self) -> Self {
        let length = self.length();
        if length > 0.0 && length.is_finite() { self / length } else { Self::ZERO }
    }

    /// The same direction, no longer than this.
    pub fn clamp_length(self, most: f32) -> Self {
        let length = self.length();
        if length > most { self * (most / length) } else { self }
    }

    /// The same with another height.
    pub const fn with_y(self, y: f32) -> Self {
        Self::new(self.x, y, self.z)
    }

    /// On the way to `other`: 0 is here, 1 is there.
    pub fn lerp(self, other: Self, share: f32) -> Self {
        self + (other - self) * share
    }
}

impl From<[f32; 3]> for Vec3 {
    fn from([x, y, z]: [f32; 3]) -> Self {
        Self::new(x, y, z)
    }
}

impl From<Vec3> for [f32; 3] {
    fn from(v: Vec3) -> Self {
        [v.x, v.y, v.z]
    }
}

impl Add for Vec3 {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::new(self.x + other.x, self.y + other.y, self.z + other.z)
    }
}

impl Sub for Vec3 {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self::new(self.x - other.x, self.y - other.y, self.z - other.z)
    }
}

impl Neg for Vec3 {
    type Output = Self;
    fn neg(self) -> Self {
        Self::new(-self.x, -self.y, -self.z)
    }
}

impl Mul<f32> for Vec3 {
    type Output = Self;
    fn mul(self, factor: f32) -> Self {
        Self::new(self.x * factor, self.y * factor, self.z * factor)
    }
}

impl Mul<Vec3> for f32 {
    type Output = Vec3;
    fn mul(self, v: Vec3) -> Vec3 {
        v * self
    }
}

impl Div<f32> for Vec3 {
    type Output = Self;
    fn div(self, divisor: f32) -> Self {
        Self::new(self.x / divisor, self.y / divisor, self.z / divisor)
    }
}

impl AddAssign for Vec3 {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Vec3 {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl MulAssign<f32> for Vec3 {
    fn mul_assign(&mut self, factor: f32) {
        *self = *self * factor;
    }
}

#[cfg(test)]
mod tests {
    use super::Vec3;

    #[test]
    fn what_has_no_direction_normalizes_to_zero() {
        assert_eq!(Vec3::new(0.0, 3.0, 4.0).normalized(), Vec3::new(0.0, 0.6, 0.8));
        for none in [Vec3::ZERO, Vec3::new(f32::NAN, 0.0, 0.0), Vec3::new(f32::INFINITY, 0.0, 0.0)] {
            assert_eq!(none.normalized(), Vec3::ZERO);
        }
    }

    #[test]
    fn products_follow_the_right_hand() {
        let (x, y) = (Vec3::new(1.0, 0.0, 0.0), Vec3::UP);
        assert_eq!(x.cross(y), Vec3::new(0.0, 0.0, 1.0));
        assert_eq!(x.dot(y), 0.0);
        assert_eq!(2.0 * x - y / 2.0, Vec3::new(2.0, -0.5, 0.0));
    }
}
