//! Time as timers count it.

use crate::limits::TICKS_PER_SECOND;

/// A span of whole ticks; 60 a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticks(pub u32);

/// The span that covers so many seconds, at least one tick: `world.set_timer(1, after(2.5))`, and in a [straight-line](crate::Straight) spell
/// `after(2.5).await`.
pub fn after(seconds: f32) -> Ticks {
    Ticks(((seconds * TICKS_PER_SECOND as f32).ceil() as u32).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_waits_at_least_one_tick() {
        assert_eq!([0.0, 0.001, 0.5, -3.0, f32::NAN].map(after), [1, 1, 30, 1, 1].map(Ticks));
    }
}
