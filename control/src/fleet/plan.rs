//! What to do next about one world's server: a pure function of what is wanted and what is seen.

use crate::limits::{
    CRASH_BACKOFF_MAX, CRASH_BACKOFF_MIN, CRASHES_MAX, SERVER_CHECK_INTERVAL, SERVER_DRAIN_TIME_MAX, SERVER_IDLE_TIME_MAX,
    SERVER_SILENCE_MAX,
};
use std::time::Duration;

/// What is wanted of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Somebody plays on it, or wants to.
    Run,
    /// It runs as long as it does; nobody misses it.
    Rest,
    /// An operator, an import or the control plane's own end wants it gone.
    Stop,
}

/// What is seen of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// There is no process. It has crashed so often of late, and the last time so long ago; `has_run` is whether it ever listened.
    Absent { crashes: u32, since_crash: Duration, has_run: bool },
    /// It listens. It was last heard of so long ago, and nobody has played for so long.
    Running { silent: Duration, idle: Option<Duration> },
    /// It was told to stop so long ago.
    Draining { since: Duration },
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Start a process.
    Start,
    /// Look again then, or when something happens.
    Wait(Duration),
    /// Tell it to save, to say goodbye and to end.
    Drain(&'static str),
    /// End it now.
    Kill(&'static str),
    /// There is nothing to do for it any more.
    Forget,
    /// It crashes whenever it is started: leave it alone for a while.
    GiveUp,
}

/// The next step.
pub fn step(wanted: Wanted, seen: Seen) -> Step {
    match (seen, wanted) {
        (Seen::Absent { .. }, Wanted::Stop) => Step::Forget,
        (Seen::Absent { crashes: 0, .. }, Wanted::Run) => Step::Start,
        // What never listened is told to whoever waits for it, who may try again.
        (Seen::Absent { has_run: false, .. }, _) | (Seen::Absent { .. }, Wanted::Rest) => Step::Forget,
        (Seen::Absent { crashes, .. }, Wanted::Run) if crashes >= CRASHES_MAX => Step::GiveUp,
        (Seen::Absent { crashes, since_crash, .. }, Wanted::Run) => match backoff(crashes).saturating_sub(since_crash) {
            Duration::ZERO => Step::Start,
            left => Step::Wait(left),
        },
        (Seen::Running { .. }, Wanted::Stop) => Step::Drain("it was stopped"),
        (Seen::Running { silent, .. }, _) if silent >= SERVER_SILENCE_MAX => Step::Kill("it was silent for too long"),
        (Seen::Running { idle: Some(idle), .. }, _) if idle >= SERVER_IDLE_TIME_MAX => Step::Drain("nobody played on it"),
        (Seen::Running { .. }, _) => Step::Wait(SERVER_CHECK_INTERVAL),
        (Seen::Draining { since }, _) if since >= SERVER_DRAIN_TIME_MAX => Step::Kill("it did not drain in time"),
        (Seen::Draining { since }, _) => Step::Wait(SERVER_DRAIN_TIME_MAX - since),
    }
}

/// The pause before it is started again: none after the first crash, for whoever plays waits; then ever longer ones.
pub fn backoff(crashes: u32) -> Duration {
    match crashes {
        0 | 1 => Duration::ZERO,
        more => CRASH_BACKOFF_MIN.saturating_mul(1 << (more - 2).min(16)).min(CRASH_BACKOFF_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use std::fmt::Write;

    #[test]
    fn every_wish_meets_every_sight() {
        let seconds = Duration::from_secs;
        let absent = |crashes, since, has_run| Seen::Absent { crashes, since_crash: seconds(since), has_run };
        let running = |silent, idle: Option<u64>| Seen::Running { silent: seconds(silent), idle: idle.map(seconds) };
        let sights = [
            ("never started", absent(0, 0, false)),
            ("did not start", absent(1, 0, false)),
            ("crashed", absent(1, 0, true)),
            ("crashed again", absent(2, 0, true)),
            ("crashed again, a second ago", absent(2, 1, true)),
            ("crashed a fourth time", absent(4, 0, true)),
            ("crashes always", absent(5, 0, true)),
            ("well", running(1, None)),
            ("empty", running(1, Some(10))),
            ("long empty", running(1, Some(600))),
            ("hung", running(15, None)),
            ("draining", Seen::Draining { since: seconds(1) }),
            ("does not drain", Seen::Draining { since: seconds(8) }),
        ];
        let mut table = String::new();
        for (name, seen) in sights {
            let steps = [Wanted::Run, Wanted::Rest, Wanted::Stop].map(|wanted| format!("{wanted:?} {:?}", step(wanted, seen)));
            writeln!(table, "{name}: {}", steps.join(", ")).unwrap();
        }
        expect![[r#"
            never started: Run Start, Rest Forget, Stop Forget
            did not start: Run Forget, Rest Forget, Stop Forget
            crashed: Run Start, Rest Forget, Stop Forget
            crashed again: Run Wait(500ms), Rest Forget, Stop Forget
            crashed again, a second ago: Run Start, Rest Forget, Stop Forget
            crashed a fourth time: Run Wait(2s), Rest Forget, Stop Forget
            crashes always: Run GiveUp, Rest Forget, Stop Forget
            well: Run Wait(1s), Rest Wait(1s), Stop Drain("it was stopped")
            empty: Run Wait(1s), Rest Wait(1s), Stop Drain("it was stopped")
            long empty: Run Drain("nobody played on it"), Rest Drain("nobody played on it"), Stop Drain("it was stopped")
            hung: Run Kill("it was silent for too long"), Rest Kill("it was silent for too long"), Stop Drain("it was stopped")
            draining: Run Wait(7s), Rest Wait(7s), Stop Wait(7s)
            does not drain: Run Kill("it did not drain in time"), Rest Kill("it did not drain in time"), Stop Kill("it did not drain in time")
        "#]].assert_eq(&table);
    }
}
