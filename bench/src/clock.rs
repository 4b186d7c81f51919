//! The clock of what runs on one thread: only the time that the thread has run counts, so that whoever else uses the machine does not.

use cpu_time::ThreadTime;
use std::time::Duration;

/// CPU time of the calling thread so far. On an idle machine it passes as fast as any other time, for a tick waits for nothing.
pub fn now() -> Duration {
    ThreadTime::now().as_duration()
}

/// Milliseconds from one reading to another.
pub fn ms(from: Duration, to: Duration) -> f64 {
    (to - from).as_secs_f64() * 1e3
}
