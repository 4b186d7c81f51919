//! Where a moving ball first touches a box or a capsule, and a moving box a body. Only sums, products and square roots, so that every target gets the
//! same bits.

use crate::body::Form;
use crate::{IVec3, Quat, Vec3};

/// Where something was met along a way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contact {
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

/// How far an upright box may go along an axis until it touches a body; `None` when it does not within `by`. `offset` is from the box's middle to the body's,
/// and they do not overlap yet.
pub(crate) fn slide_box(offset: Vec3, half: Vec3, form: Form, rotation: Quat, axis: usize, by: f32) -> Option<f32> {
    let toward = by.signum();
    let touch = match form {
        Form::Point | Form::Capsule => return None,
        Form::Ball { radius } => {
            let mut beside = (offset.abs() - half).max(Vec3::ZERO);
            beside[axis] = 0.0;
            let left = radius * radius - beside.length_squared();
            if left <= 0.0 || offset[axis] * toward <= 0.0 {
                return None;
            }
            offset[axis].abs() - half[axis] - left.sqrt()
        }
        Form::Box { half: other } => {
            let mut way = Vec3::ZERO;
            way[axis] = toward;
            let (mut enter, mut leave) = (f32::NEG_INFINITY, f32::INFINITY);
            for (_, line) in separating_lines(rotation) {
                let (distance, reach, speed) = (offset.dot(line), shadow(line, half, other, rotation), way.dot(line));
                if speed.abs() < FLAT {
                    if distance.abs() >= reach {
                        return None;
                    }
                    continue;
                }
                let (one, other) = ((distance - reach) / speed, (distance + reach) / speed);
                (enter, leave) = (enter.max(one.min(other)), leave.min(one.max(other)));
            }
            if enter >= leave || leave <= 0.0 {
                return None;
            }
            enter
        }
    };
    (touch <= by.abs()).then_some(touch.max(0.0))
}

/// The shortest way out of a body that an upright box overlaps: the direction, a unit vector, and how far. `offset` is from the box's middle to the body's.
pub(crate) fn overlap(offset: Vec3, half: Vec3, form: Form, rotation: Quat) -> Option<(Vec3, f32)> {
    match form {
        Form::Point | Form::Capsule => None,
        Form::Ball { radius } => {
            let nearest = offset.clamp(-half, half);
            let distance = offset.distance(nearest);
            // A ball whose middle is in the box is left upward, as everything is.
            (distance < radius).then(|| ((nearest - offset).try_normalize().unwrap_or(Vec3::Y), radius - distance))
        }
        Form::Box { half: other } => {
            let mut way_out = (Vec3::Y, f32::INFINITY);
            for (is_face, line) in separating_lines(rotation) {
                let distance = offset.dot(line);
                let depth = shadow(line, half, other, rotation) - distance.abs();
                if depth <= 0.0 {
                    return None;
                }
                // Of nearly equal ways that along a face is taken, lest rounding choose between them.
                if depth * if is_face { 1.0 } else { 1.05 } < way_out.1 {
                    way_out = (if distance > 0.0 { -line } else { line }, depth);
                }
            }
            Some(way_out)
        }
    }
}

/// Below it a speed along a line, or the square of a line's length, is rounding: that of two edges which are parallel.
const FLAT: f32 = 1e-6;

/// The 15 lines, one of which an upright box and a turned one are apart on if they are apart at all; first those along a face of either.
fn separating_lines(rotation: Quat) -> impl Iterator<Item = (bool, Vec3)> {
    let own = [Vec3::Y, Vec3::X, Vec3::Z];
    let other = own.map(|axis| rotation * axis);
    let edges = own.into_iter().flat_map(move |one| other.map(|other| (false, one.cross(other))));
    let lines = own.into_iter().chain(other).map(|line| (true, line)).chain(edges);
    lines.filter(|(_, line)| line.length_squared() > FLAT).map(|(is_face, line)| (is_face, line.normalize()))
}

/// Half of what both boxes together cover of a line.
fn shadow(line: Vec3, half: Vec3, other: Vec3, rotation: Quat) -> f32 {
    line.abs().dot(half) + (rotation.inverse() * line).abs().dot(other)
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

    /// An eighth of a turn about y.
    fn eighth() -> Quat {
        let (sine, cosine) = (0.382_683_43, 0.923_879_5);
        Quat::from_xyzw(0.0, sine, 0.0, cosine)
    }

    #[test]
    fn a_box_goes_up_to_a_body_and_along_it() {
        let cube = Form::Box { half: Vec3::ONE };
        let go = |offset, form, rotation, by| slide_box(offset, Vec3::splat(0.5), form, rotation, 0, by);
        let close =
            |found: Option<f32>, wanted: f32| assert!(found.is_some_and(|found| (found - wanted).abs() < 1e-5), "{found:?} {wanted}");
        close(go(Vec3::X * 4.0, cube, Quat::IDENTITY, 5.0), 2.5);
        close(go(Vec3::X * -4.0, cube, Quat::IDENTITY, -5.0), 2.5);
        close(go(Vec3::X * 4.0, cube, eighth(), 5.0), 3.5 - 2f32.sqrt());
        close(go(Vec3::X * 4.0, Form::Ball { radius: 1.0 }, Quat::IDENTITY, 5.0), 2.5);
        close(go(Vec3::new(4.0, 1.1, 0.0), Form::Ball { radius: 1.0 }, Quat::IDENTITY, 5.0), 3.5 - 0.8);
        let misses = [
            (Vec3::X * 4.0, cube, 2.4),
            (Vec3::X * 4.0, cube, -5.0),
            (Vec3::new(4.0, 1.5, 0.0), cube, 5.0),
            (Vec3::new(4.0, 1.6, 0.0), Form::Ball { radius: 1.0 }, 5.0),
            (Vec3::X * 4.0, Form::Point, 5.0),
        ];
        assert!(misses.into_iter().all(|(offset, form, by)| go(offset, form, Quat::IDENTITY, by).is_none()));
    }

    #[test]
    fn the_way_out_of_a_body_is_the_shortest() {
        let half = Vec3::splat(0.5);
        let out = |offset, form, rotation| overlap(offset, half, form, rotation);
        let cube = Form::Box { half: Vec3::ONE };
        assert_eq!(out(Vec3::new(1.4, 0.2, 0.0), cube, Quat::IDENTITY).map(|(way, _)| way), Some(Vec3::NEG_X));
        assert_eq!(out(Vec3::new(0.2, -1.4, 0.0), cube, Quat::IDENTITY).map(|(way, _)| way), Some(Vec3::Y));
        assert_eq!(out(Vec3::X * 1.6, cube, Quat::IDENTITY), None);
        assert!(out(Vec3::X * 1.6, cube, eighth()).is_some_and(|(way, depth)| way.x < -0.7 && depth > 0.1), "its edge reaches in");
        let (way, depth) = out(Vec3::Y * -1.3, Form::Ball { radius: 1.0 }, Quat::IDENTITY).expect("they overlap");
        assert!(way == Vec3::Y && (depth - 0.2).abs() < 1e-6);
        assert_eq!(out(Vec3::Y * -1.6, Form::Ball { radius: 1.0 }, Quat::IDENTITY), None);
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
