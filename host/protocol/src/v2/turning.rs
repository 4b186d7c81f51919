//! Rotations in whole numbers: what a prediction says must be the same on every machine and in every language.

use super::state::{ROTATION_UNITS, Rotation};
use crate::limits::STATE_POSITION_MAX;

/// A quaternion x, y, z, w; 2^15 is 1.
pub type Turn = [i64; 4];
/// A vector in units of position.
pub type Vector = [i64; 3];

const ONE_BITS: u32 = 15;
const ONE: i64 = 1 << ONE_BITS;

/// Of a rotation as it is sent.
pub fn turn_of(rotation: &Rotation) -> Turn {
    let units = ROTATION_UNITS as i64;
    let others = rotation.others.map(|other| nearest(i64::from(other) * ONE, units));
    let rest = (ONE * ONE - others.iter().map(|other| other * other).sum::<i64>()).max(0);
    let mut turn = [(rest as u64).isqrt() as i64; 4];
    for (index, other) in (0..4).filter(|index| *index != usize::from(rotation.largest)).zip(others) {
        turn[index] = other;
    }
    turn
}

/// The three components beside this one, as they are sent.
pub fn others(turn: Turn, largest: usize) -> [i32; 3] {
    let sign = if turn[largest] < 0 { -1 } else { 1 };
    let mut others = [0; 3];
    for (other, index) in others.iter_mut().zip((0..4).filter(|index| *index != largest)) {
        *other = nearest(sign * turn[index] * ROTATION_UNITS as i64, ONE) as i32;
    }
    others
}

/// The index of the component that is largest in magnitude; of equals the last.
pub fn largest(turn: Turn) -> usize {
    (0..4).max_by_key(|index| turn[*index].abs()).unwrap_or(3)
}

/// First `b`, then `a`.
pub fn after(a: Turn, b: Turn) -> Turn {
    let [ax, ay, az, aw] = a;
    let [bx, by, bz, bw] = b;
    let product = [
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    ];
    product.map(|component| nearest(component, ONE))
}

/// Back again.
pub fn inverse([x, y, z, w]: Turn) -> Turn {
    [-x, -y, -z, w]
}

/// The vector, turned: v + 2w (u x v) + 2 u x (u x v) for the quaternion (u, w).
pub fn turned([x, y, z, w]: Turn, vector: Vector) -> Vector {
    let u = [x, y, z];
    let once = cross(u, vector);
    let twice = cross(u, once);
    std::array::from_fn(|axis| vector[axis] + nearest(2 * w * once[axis] + 2 * twice[axis], ONE * ONE))
}

fn cross(a: Vector, b: Vector) -> Vector {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// The difference of two places.
pub fn from_to(from: Vector, to: Vector) -> Vector {
    std::array::from_fn(|axis| to[axis] - from[axis])
}

/// The sum.
pub fn sum(a: Vector, b: Vector) -> Vector {
    std::array::from_fn(|axis| a[axis] + b[axis])
}

/// The length, rounded down.
pub fn length(vector: Vector) -> i64 {
    (vector.iter().map(|axis| axis * axis).sum::<i64>() as u64).isqrt() as i64
}

/// The vector times a fraction, no further than two places are from each other: what lies beyond would overflow when it is squared.
pub fn times(vector: Vector, numerator: i64, denominator: i64) -> Vector {
    let most = 2 * STATE_POSITION_MAX;
    vector.map(|axis| nearest(axis * numerator, denominator).clamp(-most, most))
}

/// The whole number nearest to a quotient, halves away from 0; the denominator is above 0.
fn nearest(numerator: i64, denominator: i64) -> i64 {
    (2 * numerator + numerator.signum() * denominator) / (2 * denominator)
}
