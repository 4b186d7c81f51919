//! Random numbers for the crowd and its spells. The simulation's own streams are none of theirs.

use sim::Vec3;

/// SplitMix64.
pub struct Draw(u64);

impl Draw {
    /// The stream of this name.
    pub fn named(name: u64) -> Self {
        Self(name)
    }

    /// Where the stream stands: [`Draw::named`] takes it up again.
    pub fn state(&self) -> u64 {
        self.0
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let bits = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// 0 to `count` - 1.
    pub fn below(&mut self, count: u64) -> u64 {
        self.number() % count
    }

    /// Whether it is one of so many times.
    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of these, if there is one.
    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> Option<T> {
        // An empty list takes a number too.
        let at = self.below(choices.len().max(1) as u64);
        choices.get(at as usize).copied()
    }

    /// From `low` to `high`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * ((self.number() >> 40) as f32 / (1 << 24) as f32)
    }

    /// Each axis from -`reach` to `reach`.
    pub fn vector(&mut self, reach: f32) -> Vec3 {
        let mut axis = || self.between(-reach, reach);
        Vec3::new(axis(), axis(), axis())
    }
}
