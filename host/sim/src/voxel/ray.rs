//! Which voxels a ray goes through, exactly: start and direction are taken as fractions of integers, so no rounding decides which face comes first.

use super::voxel_of;
use crate::{IVec3, Vec3};

/// Parts of a metre that a start is rounded to: finer than an f32 beyond 1 m, and 2^38 of them reach to the edge of the world.
const START_PARTS: f64 = (1_u64 << 24) as f64;
/// Parts of 1 that each axis of a unit direction is rounded to: a micrometre at the end of the longest ray.
const DIRECTION_PARTS: f64 = (1_u64 << 30) as f64;
/// Two faces whose distances differ by more than this part of them are told apart in f64, which rounds to 2^-53; the others exactly.
const DOUBT: f64 = 1e-12;

/// A ray on its way from voxel to voxel.
pub(super) struct Ray {
    voxel: IVec3,
    step: IVec3,
    /// By axis, in parts: from the start to the next face along the way, at least 0.
    ahead: [i64; 3],
    /// By axis, in parts, at least 0; 0 never meets a face.
    speed: [i64; 3],
    /// By axis: `ahead / speed` as it rounds, kept because a division is most of a step.
    distance: [f64; 3],
}

impl Ray {
    /// `start` is in the world, `direction` a unit vector. None when it is not finite or goes nowhere.
    pub(super) fn new(start: Vec3, direction: Vec3) -> Option<Self> {
        if !direction.is_finite() {
            return None;
        }
        let parts = START_PARTS as i64;
        let voxel = voxel_of(start);
        let (mut step, mut ahead, mut speed) = (IVec3::ZERO, [0; 3], [0; 3]);
        for axis in 0..3 {
            let toward = (f64::from(direction[axis]) * DIRECTION_PARTS).round() as i64;
            // Rounded within its voxel, so that the way begins where `voxel_of` says.
            let inside = ((f64::from(start[axis]) - f64::from(voxel[axis])) * START_PARTS).round() as i64;
            (step[axis], speed[axis]) = (toward.signum() as i32, toward.abs());
            ahead[axis] = if toward < 0 { inside } else { parts - inside };
        }
        speed.iter().any(|speed| *speed > 0).then(|| Self {
            voxel,
            step,
            ahead,
            speed,
            distance: [0, 1, 2].map(|axis| ahead[axis] as f64 / speed[axis] as f64),
        })
    }

    /// Where it is.
    pub(super) fn voxel(&self) -> IVec3 {
        self.voxel
    }

    /// The axis whose face comes next, and how far from the start that is, metres. Of faces that meet in one point, x comes before y before z.
    pub(super) fn next_face(&self) -> (usize, f32) {
        let mut nearest = None;
        for axis in (0..3).filter(|axis| self.speed[*axis] > 0) {
            let distance = self.distance[axis];
            if nearest.is_none_or(|(first, other)| self.sooner(axis, distance, first, other)) {
                nearest = Some((axis, distance));
            }
        }
        let (axis, distance) = nearest.expect("a ray moves along some axis");
        (axis, (distance * (DIRECTION_PARTS / START_PARTS)) as f32)
    }

    /// Goes through the next face of this axis.
    pub(super) fn cross(&mut self, axis: usize) {
        self.voxel[axis] += self.step[axis];
        self.ahead[axis] += START_PARTS as i64;
        self.distance[axis] = self.ahead[axis] as f64 / self.speed[axis] as f64;
    }

    fn sooner(&self, axis: usize, distance: f64, first: usize, other: f64) -> bool {
        if (distance - other).abs() > DOUBT * (distance + other) {
            return distance < other;
        }
        let product = |a: i64, b: i64| i128::from(a) * i128::from(b);
        product(self.ahead[axis], self.speed[first]) < product(self.ahead[first], self.speed[axis])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The voxels by sorting all faces on the way, each compared as a fraction.
    fn sorted_faces(start: Vec3, direction: Vec3, faces: usize) -> Vec<IVec3> {
        let mut crossings: Vec<(i128, i128, usize)> = Vec::new();
        for axis in 0..3 {
            let toward = (f64::from(direction[axis]) * DIRECTION_PARTS).round() as i128;
            let at = (f64::from(start[axis]) * START_PARTS).round() as i128;
            let floor = at.div_euclid(1 << 24);
            for n in 0..faces as i128 {
                if toward != 0 {
                    let face = if toward > 0 { floor + 1 + n } else { floor - n };
                    crossings.push(((face * (1 << 24) - at) * toward.signum(), toward.abs(), axis));
                }
            }
        }
        crossings.sort_by(|a, b| (a.0 * b.1).cmp(&(b.0 * a.1)).then(a.2.cmp(&b.2)));
        let mut voxel = voxel_of(start);
        let goes = |axis: usize| if direction[axis] > 0.0 { 1 } else { -1 };
        crossings
            .iter()
            .take(faces)
            .map(|(_, _, axis)| {
                voxel[*axis] += goes(*axis);
                voxel
            })
            .collect()
    }

    /// Numbers on faces, edges and corners as often as between them.
    fn coordinate() -> impl Strategy<Value = f32> {
        prop_oneof![-40.0f32..40.0, (-320i32..320).prop_map(|eighths| eighths as f32 / 8.0), (-40i32..40).prop_map(|whole| whole as f32)]
            // To a part of a metre, as the sorted faces take it.
            .prop_map(|number| ((f64::from(number) * START_PARTS).round() / START_PARTS) as f32)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn the_voxels_are_those_of_exact_arithmetic(
            start in prop::array::uniform3(coordinate()),
            toward in prop_oneof![prop::array::uniform3(-1.0f32..1.0), prop::array::uniform3((-2i32..=2).prop_map(|n| n as f32))],
        ) {
            let (start, direction) = (Vec3::from_array(start), Vec3::from_array(toward).normalize_or(Vec3::X));
            let mut ray = Ray::new(start, direction).expect("a direction");
            let mut before = 0.0;
            let mut walked = Vec::new();
            for _ in 0..200 {
                let (axis, distance) = ray.next_face();
                prop_assert!(distance >= before);
                before = distance;
                ray.cross(axis);
                walked.push(ray.voxel());
            }
            prop_assert_eq!(walked, sorted_faces(start, direction, 200));
        }
    }
}
