//! Numbers for scenes that look random and are the same in each run.

/// Its state.
pub struct Dice(pub u64);

impl Dice {
    /// From minus half of `width` to half of it.
    pub fn range(&mut self, width: f32) -> f32 {
        (self.unit() - 0.5) * width
    }

    /// From 0 to just below 1.
    pub fn unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1_u64 << 24) as f32
    }
}
