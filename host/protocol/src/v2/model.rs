//! The contexts in which a group's bits are told: where each stands in the table of probabilities, and how numbers become bits.

use super::coder::Coder;

/// What moves alike: characters, projectiles, props on their own, and what the group's first mover carries.
pub const CLASSES: usize = 4;
/// Whether an entity was still or moving between the two known states; 0 when only one is known.
pub const ACTIVITIES: usize = 3;
/// Speeds and spins, each twice the one before.
pub const BUCKETS: usize = 10;
/// How far off the number before was: 0, up to 2, up to 6, more.
pub const OFFS: usize = 4;

/// Lengths of a number that have contexts of their own; longer ones are told by even bits.
const LENGTHS: usize = 12;
/// Contexts of a number: whether it is 0, whether it is longer than so many bits, and the bit behind its highest.
const NUMBER: usize = 1 + 2 * LENGTHS;

pub const SAME_MEMBERS: usize = 0;
pub const GONE: usize = SAME_MEMBERS + 1;
/// By class, activity, and whether each of the two before has changed.
pub const CHANGED: usize = GONE + 1;
/// By class and activity.
pub const MOVED: usize = CHANGED + CLASSES * ACTIVITIES * 4;
/// By class and activity.
pub const TURNED: usize = MOVED + CLASSES * ACTIVITIES;
/// By class.
pub const OTHER_LARGEST: usize = TURNED + CLASSES * ACTIVITIES;
/// Two bits, the second by the first.
pub const LARGEST: usize = OTHER_LARGEST + CLASSES;
/// By class.
pub const HURT: usize = LARGEST + 3;
/// By class.
pub const HEALTH: usize = HURT + CLASSES;
/// By class, whether it is the vertical axis, speed, and how far off the number before was.
pub const POSITION: usize = HEALTH + CLASSES * NUMBER;
/// By class, spin, and how far off the number before was; the first of three has none before it.
pub const ROTATION: usize = POSITION + CLASSES * 2 * BUCKETS * OFFS * NUMBER;
/// Numbers of which there is nothing to be known from: 0 for those of entities that come new, 1 for a rotation that has flipped.
pub const FRESH: usize = ROTATION + CLASSES * BUCKETS * (OFFS + 1) * NUMBER;
pub const CONTEXTS: usize = FRESH + 2 * NUMBER;

/// The context of the number with this index, of those that begin at `first`.
pub fn number_at(first: usize, index: usize) -> usize {
    first + index * NUMBER
}

/// How fast, as a bucket: the bits of the magnitude.
pub fn bucket(magnitude: u64) -> usize {
    ((u64::BITS - magnitude.leading_zeros()) as usize).min(BUCKETS - 1)
}

/// How far off.
pub fn off(magnitude: u32) -> usize {
    match magnitude {
        0 => 0,
        1..=2 => 1,
        3..=6 => 2,
        _ => 3,
    }
}

/// A signed number of less than 31 bits, whose contexts begin at `context`: whether it is 0, its sign, how many bits follow its highest, and those bits.
pub fn number(coder: &mut impl Coder, context: usize, value: i32) -> i32 {
    if !coder.bit(context, value != 0) {
        return 0;
    }
    let negative = coder.even(value < 0);
    let magnitude = value.unsigned_abs();
    let bits = magnitude.checked_ilog2().unwrap_or(0);
    let mut length = 0;
    while length < 29 {
        let more = length < bits;
        let more = if (length as usize) < LENGTHS { coder.bit(context + 1 + length as usize, more) } else { coder.even(more) };
        if !more {
            break;
        }
        length += 1;
    }
    let mut number = 1;
    for index in (0..length).rev() {
        let bit = magnitude >> index & 1 == 1;
        let first = index + 1 == length && (length as usize) <= LENGTHS;
        let bit = if first { coder.bit(context + LENGTHS + length as usize, bit) } else { coder.even(bit) };
        number = number << 1 | i32::from(bit);
    }
    if negative { -number } else { number }
}
