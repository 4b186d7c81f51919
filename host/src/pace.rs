//! When the next tick is due, and how late ticks are.

use crate::limits::CATCH_UP_TICKS_MAX;
use std::time::{Duration, Instant};

/// One tick: 1/60 s.
pub const TICK: Duration = Duration::from_nanos(1_000_000_000 / sim::limits::TICK_HZ as u64);

/// Keeps 60 ticks a second. Takes the time from its caller, so that a test needs no clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    due: Instant,
    /// Ticks that began more than a tick after they were due.
    pub late_ticks: u64,
    /// Ticks that were given up after a stall.
    pub skipped_ticks: u64,
}

impl Pace {
    /// The first tick is due now.
    pub fn start(now: Instant) -> Self {
        Self { due: now, late_ticks: 0, skipped_ticks: 0 }
    }

    /// After a tick: how long to sleep until the next one. Nothing while there is something to catch up with.
    pub fn next(&mut self, now: Instant) -> Duration {
        self.due += TICK;
        let behind = now.saturating_duration_since(self.due);
        if behind > TICK {
            self.late_ticks += 1;
        }
        let excess = behind.saturating_sub(TICK * CATCH_UP_TICKS_MAX);
        if excess > Duration::ZERO {
            self.skipped_ticks += excess.as_nanos().div_ceil(TICK.as_nanos()) as u64;
            self.due = now - TICK * CATCH_UP_TICKS_MAX;
        }
        self.due.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_punctual_loop_sleeps_the_rest_of_each_tick() {
        let start = Instant::now();
        let mut pace = Pace::start(start);
        for tick in 0..600 {
            assert_eq!(pace.next(start + TICK * tick + TICK / 4), TICK - TICK / 4);
        }
        assert_eq!((pace.late_ticks, pace.skipped_ticks), (0, 0));
    }

    #[test]
    fn after_a_stall_at_most_five_ticks_are_made_up_for() {
        let start = Instant::now();
        let mut pace = Pace::start(start);
        let after = start + Duration::from_secs(10);
        let at_once = (0..100).take_while(|_| pace.next(after) == Duration::ZERO).count();
        assert_eq!(at_once as u32, CATCH_UP_TICKS_MAX + 1, "the tick that stalled, and five to catch up");
        assert!((590..=600).contains(&pace.skipped_ticks), "{}", pace.skipped_ticks);
        assert!(pace.late_ticks >= 4);
    }
}
