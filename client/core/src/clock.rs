//! What time it is in the world: ticks as they come in snapshots, made even.

use crate::limits::{CLOCK_FOLLOWS, CLOCK_LEAP_MS, DELAY_TICKS, TICK_MS};

/// A clock that goes as the server's, behind it by the line.
#[derive(Debug, Default)]
pub struct Clock {
    /// The local time of tick 0, milliseconds.
    zero_ms: Option<f64>,
}

impl Clock {
    /// A snapshot of this tick has come now.
    pub fn heard(&mut self, tick: u64, now_ms: f64) {
        let heard = now_ms - tick as f64 * TICK_MS;
        let zero = self.zero_ms.filter(|zero| (heard - zero).abs() < CLOCK_LEAP_MS).unwrap_or(heard);
        self.zero_ms = Some(zero + (heard - zero) * CLOCK_FOLLOWS);
    }

    /// The tick at which others are drawn now, with its fraction; 0 before any snapshot.
    pub fn drawn_tick(&self, now_ms: f64) -> f64 {
        self.zero_ms.map_or(0.0, |zero| ((now_ms - zero) / TICK_MS - DELAY_TICKS).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_uneven_line_is_made_even() {
        let mut clock = Clock::default();
        let lateness = |n: u64| [0.0, 30.0, 10.0, 20.0][(n % 4) as usize];
        let drawn: Vec<f64> = (1..400)
            .map(|n| {
                let sent_ms = 3.0 * n as f64 * TICK_MS;
                clock.heard(3 * n, 5_000.0 + sent_ms + lateness(n));
                clock.drawn_tick(5_000.0 + sent_ms) - (3 * n) as f64 + DELAY_TICKS
            })
            .collect();
        let (least, most) = drawn[200..].iter().fold((f64::MAX, f64::MIN), |(least, most), tick| (least.min(*tick), most.max(*tick)));
        assert!(most - least < 0.2, "{least} to {most}");
        assert!((least * TICK_MS + 15.0).abs() < 3.0, "as late as the mean: {}", least * TICK_MS);
    }

    #[test]
    fn a_world_that_stood_still_is_another_time() {
        let mut clock = Clock::default();
        clock.heard(600, 10_000.0);
        clock.heard(603, 13_000.0);
        assert!((clock.drawn_tick(13_000.0) - (603.0 - DELAY_TICKS)).abs() < 1e-6);
    }
}
