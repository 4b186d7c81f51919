//! Two clocks: of what runs on one thread, and of what runs on several.

use cpu_time::ThreadTime;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// CPU time of the calling thread so far: whoever else uses the machine does not count. On an idle machine it passes as fast as any other time, for a tick
/// waits for nothing but other threads.
pub fn now() -> Duration {
    ThreadTime::now().as_duration()
}

/// Time that has passed: what several threads share has no other measure.
pub fn wall() -> Duration {
    static ZERO: LazyLock<Instant> = LazyLock::new(Instant::now);
    ZERO.elapsed()
}

/// Milliseconds from one reading to another.
pub fn ms(from: Duration, to: Duration) -> f64 {
    (to - from).as_secs_f64() * 1e3
}
