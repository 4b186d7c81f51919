//! What a world is set up with, for good.

use crate::generate::Generation;
use crate::limits::SPAWN_PROTECTION_M;
use serde::{Deserialize, Serialize};

/// What a world is set up with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Of all random streams, and of the hills.
    pub seed: u64,
    /// How the ground is made.
    pub generation: Generation,
    /// Metres beside the spawn within which players change nothing, at any height; at least 0.
    pub spawn_protection_m: f32,
}

impl Settings {
    /// A floor, and `SPAWN_PROTECTION_M` around the spawn.
    pub fn new(seed: u64) -> Self {
        Self { seed, generation: Generation::Floor, spawn_protection_m: SPAWN_PROTECTION_M }
    }
}
