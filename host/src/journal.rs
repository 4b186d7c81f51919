//! What operators and authors learn of a tick: faults with all that names them, spells' own log lines within a budget, and late ticks.

use crate::limits::{FAULT_LOG_LINES_PER_SECOND_MAX, SPELL_LOG_LINES_PER_SECOND_MAX};
use crate::link::Reports;
use crate::pace::Pace;
use crate::trial::Quarantined;
use protocol::link::{Done, Report};
use protocol::{RevisionId, SpellId};
use sim::{EntityId, Outbound};

/// Bounds the lines of one sort.
#[derive(Debug)]
struct Quota {
    sort: &'static str,
    lines_per_second_max: u32,
    /// The second that is counted, in ticks of the world, and the lines that were asked for in it.
    second: u64,
    asked: u32,
}

/// Keeps count between ticks.
#[derive(Debug)]
pub struct Journal {
    reports: Reports,
    fault_lines: Quota,
    spell_lines: Quota,
    /// As the control plane was told.
    players: usize,
    lateness_told: (u64, u64),
}

impl Journal {
    /// An empty one; what the control plane should know goes to `reports`.
    pub fn new(reports: Reports) -> Self {
        Self {
            reports,
            fault_lines: Quota::new("faults of casts", FAULT_LOG_LINES_PER_SECOND_MAX),
            spell_lines: Quota::new("lines of spells", SPELL_LOG_LINES_PER_SECOND_MAX),
            players: 0,
            lateness_told: (0, 0),
        }
    }

    /// Notes what a tick told.
    pub fn events(&mut self, tick: u64, outbound: &[Outbound]) {
        for event in outbound {
            match event {
                Outbound::CastFaulted { spell, revision, caster, fault, .. } => self.fault(tick, spell, revision, *caster, fault),
                Outbound::Log { spell, revision, caster, level, text, .. } => self.spell_line(tick, spell, revision, *caster, level, text),
                Outbound::Activated { spell, revision } => tracing::info!(%spell, %revision, tick, "revision active"),
                _ => {}
            }
        }
    }

    /// Notes what was put into quarantine; the control plane is told.
    pub fn quarantined(&mut self, tick: u64, quarantined: Vec<Quarantined>) {
        for Quarantined { spell, revision, message } in quarantined {
            tracing::warn!(%spell, %revision, tick, "revision {message}");
            if let (Ok(spell_id), Ok(revision_id)) = (SpellId::new(&spell), RevisionId::new(&revision)) {
                self.reports.send(Report::Refused { spell_id, revision_id, message });
            }
        }
    }

    /// Notes how many players are connected, when that has changed; again in each tick until the report finds room.
    pub fn players(&mut self, count: usize) {
        if count != self.players && self.reports.send(Report::Players { count: u32::try_from(count).unwrap_or(u32::MAX) }) {
            self.players = count;
        }
    }

    /// Tells the control plane that an order is done with.
    pub fn done(&mut self, order: u64) {
        self.reports.send(Report::Done(Done { order, error: None }));
    }

    /// Notes late ticks, at most once a second.
    pub fn lateness(&mut self, tick: u64, pace: &Pace) {
        let now = (pace.late_ticks, pace.skipped_ticks);
        if tick.is_multiple_of(u64::from(sim::limits::TICK_HZ)) && now != self.lateness_told {
            let (late, skipped) = (now.0 - self.lateness_told.0, now.1 - self.lateness_told.1);
            self.lateness_told = now;
            tracing::warn!(tick, late, skipped, "ticks were late");
        }
    }

    fn fault(&mut self, tick: u64, spell: &str, revision: &str, caster: EntityId, fault: &sim::spells::Fault) {
        let caster = caster.0;
        if self.fault_lines.admit(tick) {
            // Debug formatting escapes what a guest's panic message may hold: line breaks, terminal codes.
            tracing::warn!(%spell, %revision, caster, limit = fault.limit, hook = fault.hook, tick, "cast stopped: {:?}", fault.message);
        }
        let (Ok(spell_id), Ok(revision_id)) = (SpellId::new(spell), RevisionId::new(revision)) else { return };
        self.reports.send(Report::Fault {
            spell_id,
            revision_id,
            caster,
            tick,
            hook: fault.hook.to_owned(),
            limit: fault.limit.to_owned(),
            message: fault.message.clone(),
        });
    }

    fn spell_line(&mut self, tick: u64, spell: &str, revision: &str, caster: EntityId, level: &str, text: &str) {
        if self.spell_lines.admit(tick) {
            tracing::info!(%spell, %revision, caster = caster.0, level, tick, "spell says {text:?}");
        }
    }
}

impl Quota {
    fn new(sort: &'static str, lines_per_second_max: u32) -> Self {
        Self { sort, lines_per_second_max, second: 0, asked: 0 }
    }

    /// Whether there is room for one more line. How many were left out is told with the next that is asked for in a later second.
    fn admit(&mut self, tick: u64) -> bool {
        let second = tick / u64::from(sim::limits::TICK_HZ);
        if self.second != second {
            let left_out = self.asked.saturating_sub(self.lines_per_second_max);
            if left_out > 0 {
                tracing::warn!(tick, left_out, "{} were left out of this log", self.sort);
            }
            (self.second, self.asked) = (second, 0);
        }
        self.asked = self.asked.saturating_add(1);
        self.asked <= self.lines_per_second_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::limits::LINK_REPORTS_MAX;
    use sim::{CastId, spells::Fault};

    fn fault() -> Outbound {
        let fault = Fault { hook: "on-cast", limit: "unreachable", allowed: 0.0, asked: 0.0, message: "panicked".into() };
        Outbound::CastFaulted { cast: CastId(1), spell: "trap".into(), revision: "rev_000001_00000000".into(), caster: EntityId(1), fault }
    }

    #[test]
    fn a_storm_of_faults_leaves_a_bounded_log() {
        let (reports, _posts) = Reports::queue();
        let mut journal = Journal::new(reports);
        let storm = vec![fault(); 1_000];
        journal.events(7, &storm);
        assert_eq!((journal.fault_lines.asked, journal.fault_lines.admit(59)), (1_000, false));
        assert!(journal.fault_lines.admit(60), "the next second has room again");
        assert_eq!((0..1_000).filter(|_| journal.spell_lines.admit(7)).count(), SPELL_LOG_LINES_PER_SECOND_MAX as usize);
    }

    #[test]
    fn a_storm_of_faults_does_not_hide_how_many_players_there_are() {
        let (reports, posts) = Reports::queue();
        let mut journal = Journal::new(reports);
        journal.events(7, &vec![fault(); LINK_REPORTS_MAX]);
        journal.players(3);
        assert!(posts.try_iter().all(|report| matches!(report, Report::Fault { .. })), "there was no room for it");
        journal.players(3);
        journal.players(3);
        assert_eq!(posts.try_iter().collect::<Vec<_>>(), [Report::Players { count: 3 }]);
    }
}
