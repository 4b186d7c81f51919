//! Where a moving ball first touches a box or a capsule. Only sums, products and square roots, so that every target gets the same bits.

use crate::{IVec3, Vec3};

/// Where something was met along a way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Contact {
    /// Metres from the start; 0 when it began inside.
    pub distance: f32,
    /// The surface's normal; against the direction when it began inside.
    pub normal: Vec3,
}

/// A box along the axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Aabb {
    pub low: Vec3,
    pub high: Vec3,
}

impl Aabb {
    pub(crate) fn around_segment(a: Vec3, b: Vec3) -> Self {
        Self { low: a.min(b), high: a.max(b) }
    }

    pub(crate) fn around_sphere(center: Vec3, radius: f32) -> Self {
        Self { low: center, high: center }.grown(radius)
    }

    pub(crate) fn grown(self, by: f32) -> Self {
        Self { low: self.low - by, high: self.high + by }
    }

    /// The first and last voxel that it touches.
    pub(crate) fn voxels(self) -> (IVec3, IVec3) {
        (self.low.floor().as_ivec3(), self.high.floor().as_ivec3())
    }
}

/// Where a point meets a box around the origin; `direction` is a unit vector.
pub(crate) fn sweep_box(start: Vec3, direction: Vec3, length: f32, half: Vec3) -> Option<Contact> {
    let (mut enter, mut leave, mut face) = (f32::NEG_INFINITY, f32::INFINITY, 0);
    for axis in 0..3 {
        if direction[axis] == 0.0 {
            if start[axis].abs() >= half[axis] {
                return None;
            }
            continue;
        }
        let toward = direction[axis].signum();
        let near = (-toward * half[axis] - start[axis]) / direction[axis];
        let far = (toward * half[axis] - start[axis]) / direction[axis];
        if near > enter {
            (enter, face) = (near, axis);
        }
        leave = leave.min(far);
    }
    if enter >= leave || leave <= 0.0 || enter > length {
        return None;
    }
    if enter < 0.0 {
        return Some(Contact { distance: 0.0, normal: -direction });
    }
    let mut normal = Vec3::ZERO;
    normal[face] = -direction[face].signum();
    Some(Contact { distance: enter, normal })
}

/// Where a point meets an upright capsule around the origin; `half_segment` is from the middle to the centre of a cap.
pub(crate) fn sweep_capsule(start: Vec3, direction: Vec3, length: f32, half_segment: f32, radius: f32) -> Option<Contact> {
    let axis_point = |point: Vec3| Vec3::new(0.0, point.y.clamp(-half_segment, half_segment), 0.0);
    if (start - axis_point(start)).length_squared() < radius * radius {
        return Some(Contact { distance: 0.0, normal: -direction });
    }
    let flat = |v: Vec3| Vec3::new(v.x, 0.0, v.z);
    let side = enter_round(flat(start), flat(direction), radius).filter(|at| (start.y + direction.y * at).abs() <= half_segment);
    let caps = [half_segment, -half_segment].map(|y| enter_round(start - Vec3::Y * y, direction, radius));
    let distance = caps.into_iter().chain([side]).flatten().min_by(f32::total_cmp).filter(|at| *at <= length)?;
    let point = start + direction * distance;
    Some(Contact { distance, normal: (point - axis_point(point)).normalize_or(-direction) })
}

/// Where `start + t * direction` comes within `radius` of the origin, if it does so ahead; `direction` need not be a unit vector.
fn enter_round(start: Vec3, direction: Vec3, radius: f32) -> Option<f32> {
    let (a, b, c) = (direction.length_squared(), start.dot(direction), start.length_squared() - radius * radius);
    let discriminant = b * b - a * c;
    // Moving away, not moving at all, or passing by.
    if b >= 0.0 || a <= f32::EPSILON || discriminant < 0.0 {
        return None;
    }
    Some(((-b - discriminant.sqrt()) / a).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_met_at_its_face() {
        let hit = sweep_box(Vec3::new(-3.0, 0.0, 0.0), Vec3::X, 5.0, Vec3::ONE);
        assert_eq!(hit, Some(Contact { distance: 2.0, normal: Vec3::NEG_X }));
        assert_eq!(sweep_box(Vec3::new(-3.0, 0.0, 0.0), Vec3::X, 1.9, Vec3::ONE), None);
        assert_eq!(sweep_box(Vec3::new(-3.0, 0.0, 0.0), Vec3::NEG_X, 5.0, Vec3::ONE), None);
        assert_eq!(sweep_box(Vec3::new(-3.0, 1.0, 0.0), Vec3::X, 5.0, Vec3::ONE), None, "along a face");
        let inside = sweep_box(Vec3::ZERO, Vec3::X, 5.0, Vec3::ONE);
        assert_eq!(inside, Some(Contact { distance: 0.0, normal: Vec3::NEG_X }));
    }

    #[test]
    fn a_capsule_is_met_at_its_side_and_its_caps() {
        let side = sweep_capsule(Vec3::new(0.0, 0.3, 4.0), Vec3::NEG_Z, 10.0, 0.5, 0.4).expect("the side");
        assert!((side.distance - 3.6).abs() < 1e-6 && (side.normal - Vec3::Z).length() < 1e-6, "{side:?}");
        let cap = sweep_capsule(Vec3::new(0.0, 3.0, 0.0), Vec3::NEG_Y, 10.0, 0.5, 0.4).expect("the cap");
        assert!((cap.distance - 2.1).abs() < 1e-6 && (cap.normal - Vec3::Y).length() < 1e-6, "{cap:?}");
        assert_eq!(sweep_capsule(Vec3::new(0.0, 0.95, 4.0), Vec3::NEG_Z, 10.0, 0.5, 0.4), None, "over its head");
        assert_eq!(sweep_capsule(Vec3::new(0.5, 0.0, 4.0), Vec3::NEG_Z, 10.0, 0.5, 0.4), None, "beside it");
    }
}
