//! Strikes: who casts a revision that faults again and again may not cast it for a while.

use crate::limits::{STRIKE_TICKS, STRIKES_MAX, SUSPENSION_TICKS};
use serde::{Deserialize, Serialize};

/// The faults of one spell for one caster.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Strikes {
    /// Of this revision: a new one begins without.
    pub revision: String,
    pub count: u32,
    /// The tick of the last one.
    pub last: u64,
}

impl Strikes {
    pub(crate) fn add(&mut self, revision: &str, tick: u64) {
        if self.revision != revision {
            *self = Self { revision: revision.to_owned(), ..Self::default() };
        }
        self.count = self.count.saturating_add(1);
        self.last = tick;
    }

    /// Ticks since the suspension of this revision began, while it lasts.
    pub(crate) fn suspended(&self, revision: &str, tick: u64) -> Option<u64> {
        let since = tick.saturating_sub(self.last);
        (self.count >= STRIKES_MAX && self.revision == revision && since < SUSPENSION_TICKS).then_some(since)
    }

    pub(crate) fn counts(&self, tick: u64) -> bool {
        let for_long = if self.count >= STRIKES_MAX { SUSPENSION_TICKS } else { STRIKE_TICKS };
        self.last + for_long > tick
    }
}
