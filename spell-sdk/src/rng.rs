//! Random numbers that are the same in a replay.

use crate::Vec3;
use std::cell::Cell;

/// A cast's own random stream (PCG32: 64 bits of state, 32 out), seeded from the cast and saved with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rng {
    state: Cell<u64>,
}

/// Multiplier and increment of the linear congruential step, as PCG's author chose them.
const MULTIPLIER: u64 = 6_364_136_223_846_793_005;
const INCREMENT: u64 = 1_442_695_040_888_963_407;

impl Rng {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        let rng = Self::from_state(seed.wrapping_add(INCREMENT));
        // Without a step, neighbouring seeds would give similar first numbers.
        rng.next_u32();
        rng
    }

    /// The stream as [`Rng::state`] left it.
    pub const fn from_state(state: u64) -> Self {
        Self { state: Cell::new(state) }
    }

    /// Where the stream stands.
    pub fn state(&self) -> u64 {
        self.state.get()
    }

    /// Any number of 32 bits.
    pub fn next_u32(&self) -> u32 {
        let state = self.state.get();
        self.state.set(state.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT));
        let mixed = (((state >> 18) ^ state) >> 27) as u32;
        mixed.rotate_right((state >> 59) as u32)
    }

    /// From 0 to just below 1.
    pub fn unit(&self) -> f32 {
        // 24 bits are what an f32 holds exactly.
        (self.next_u32() >> 8) as f32 / 16_777_216.0
    }

    /// From `low` to just below `high`.
    pub fn range(&self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// A whole number below `count`; 0 when `count` is 0. Its bias is below one part in a million for counts up to 4,000.
    pub fn below(&self, count: u32) -> u32 {
        ((u64::from(self.next_u32()) * u64::from(count)) >> 32) as u32
    }

    /// True with this probability: 0 never, 1 always.
    pub fn chance(&self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// A unit vector, every direction alike.
    pub fn direction(&self) -> Vec3 {
        // A point of the cube that lies in the ball: half of them do. Sine and cosine would differ between machines.
        loop {
            let point = Vec3::new(self.range(-1.0, 1.0), self.range(-1.0, 1.0), self.range(-1.0, 1.0));
            let length = point.length();
            if length > 0.001 && length <= 1.0 {
                return point / length;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_stream_and_its_state_goes_on_with_it() {
        let (a, b) = (Rng::new(7), Rng::new(7));
        assert_eq!([a.next_u32(), a.next_u32()], [b.next_u32(), b.next_u32()]);
        let c = Rng::from_state(a.state());
        assert_eq!(a.next_u32(), c.next_u32());
        assert_ne!(Rng::new(7).next_u32(), Rng::new(8).next_u32());
    }

    #[test]
    fn numbers_keep_their_ranges() {
        let rng = Rng::new(1);
        for _ in 0..1_000 {
            assert!((0.0..1.0).contains(&rng.unit()));
            assert!((-3.0..5.0).contains(&rng.range(-3.0, 5.0)));
            assert!(rng.below(6) < 6);
            assert!((rng.direction().length() - 1.0).abs() < 1e-5);
        }
        assert_eq!(rng.below(0), 0);
        assert!(!rng.chance(0.0) && rng.chance(1.0));
    }
}
