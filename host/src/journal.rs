//! What operators and authors learn of a tick: faults with all that names them, spells' own log lines within a budget, and late ticks.

use crate::circuits::Quarantined;
use crate::limits::{FAULT_LOG_LINES_PER_SECOND_MAX, PLAYERS_REPORT_TICKS, SPELL_LOG_LINES_PER_SECOND_MAX, TRIAL_REPORT_TICKS};
use crate::link::Reports;
use crate::pace::Pace;
use protocol::link::{Done, Health, Report};
use protocol::{RevisionId, SpellId};
use sim::{CastId, EntityId, Outbound};
use std::collections::{BTreeSet, VecDeque};

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
    players: BTreeSet<String>,
    /// What the control plane must hear of, until there is room.
    unsent: VecDeque<Report>,
    /// Names this life of the server.
    life: u64,
    lateness_told: (u64, u64),
}

/// A cast, for a line about it.
struct Who<'a> {
    cast: CastId,
    spell: &'a str,
    revision: &'a str,
    caster: EntityId,
}

impl Journal {
    /// An empty one; what the control plane should know goes to `reports`. `life` names this life of the server among all.
    pub fn new(reports: Reports, life: u64) -> Self {
        Self {
            reports,
            fault_lines: Quota::new("faults of casts", FAULT_LOG_LINES_PER_SECOND_MAX),
            spell_lines: Quota::new("lines of spells", SPELL_LOG_LINES_PER_SECOND_MAX),
            players: BTreeSet::new(),
            unsent: VecDeque::new(),
            life,
            lateness_told: (0, 0),
        }
    }

    /// Notes what a tick told.
    pub fn events(&mut self, tick: u64, outbound: &[Outbound]) {
        for event in outbound {
            match event {
                Outbound::CastFaulted { cast, spell, revision, caster, fault } => {
                    self.fault(tick, Who { cast: *cast, spell, revision, caster: *caster }, fault)
                }
                Outbound::Log { cast, spell, revision, caster, level, text } => {
                    self.spell_line(tick, Who { cast: *cast, spell, revision, caster: *caster }, level, text)
                }
                Outbound::Activated { spell, revision } => tracing::info!(%spell, %revision, tick, "revision active"),
                Outbound::Deactivated { spell } => tracing::info!(%spell, tick, "no revision active"),
                Outbound::DraftChanged { spell, revision, player } => {
                    tracing::info!(%spell, revision = revision.as_deref(), player = player.0, tick, "draft active for its author");
                }
                Outbound::Migrated { cast, spell, from, to, caster } => {
                    tracing::debug!(cast = cast.0, %spell, %from, %to, caster = caster.0, tick, "cast goes on with another revision");
                }
                Outbound::MigrationFailed { cast, spell, from, to, caster, fault } => {
                    self.not_migrated(tick, Who { cast: *cast, spell, revision: from, caster: *caster }, to, fault)
                }
                _ => {}
            }
        }
    }

    /// Notes what was put into quarantine; the control plane is told.
    pub fn quarantined(&mut self, tick: u64, quarantined: Vec<Quarantined>) {
        for one in quarantined {
            let Quarantined { spell, revision, message } = &one;
            tracing::warn!(%spell, %revision, tick, "revision {message}");
            self.unsent.extend(one.report());
        }
        // What is forgotten here would be active again after a restart: it is kept until there is room.
        while let Some(report) = self.unsent.front().cloned()
            && self.reports.send(report)
        {
            self.unsent.pop_front();
        }
    }

    /// Tells the control plane how trials go, four times a second.
    pub fn trials(&mut self, tick: u64, trials: impl FnOnce(u64) -> Vec<Report>) {
        if tick.is_multiple_of(TRIAL_REPORT_TICKS) {
            trials(self.life).into_iter().for_each(|report| _ = self.reports.send(report));
        }
    }

    /// Tells the control plane how the server does.
    pub fn health(&mut self, health: Health) {
        self.reports.send(Report::Health(health));
    }

    /// Notes who is connected, when that has changed, and now and then, for the control plane may have come anew; again in each tick until the report finds room.
    pub fn players<'a>(&mut self, tick: u64, clients: impl Iterator<Item = &'a str> + Clone) {
        if tick.is_multiple_of(PLAYERS_REPORT_TICKS) || !clients.clone().eq(self.players.iter().map(String::as_str)) {
            let clients: BTreeSet<String> = clients.map(str::to_owned).collect();
            if self.reports.send(Report::Players { clients: clients.clone() }) {
                self.players = clients;
            }
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

    fn fault(&mut self, tick: u64, Who { cast, spell, revision, caster }: Who<'_>, fault: &sim::spells::Fault) {
        let (cast, caster) = (cast.0, caster.0);
        if self.fault_lines.admit(tick) {
            // Debug formatting escapes what a guest's panic message may hold: line breaks, terminal codes.
            tracing::warn!(cast, %spell, %revision, caster, limit = fault.limit, hook = fault.hook, tick, "cast stopped: {:?}", fault.message);
        }
        let (Ok(spell_id), Ok(revision_id)) = (SpellId::new(spell), RevisionId::new(revision)) else { return };
        self.reports.send(Report::Fault {
            spell_id,
            revision_id,
            cast,
            caster,
            tick,
            hook: fault.hook.to_owned(),
            limit: fault.limit.to_owned(),
            message: fault.message.clone(),
        });
    }

    fn not_migrated(&mut self, tick: u64, Who { cast, spell, revision: from, caster }: Who<'_>, to: &str, fault: &sim::spells::Fault) {
        let (cast, caster) = (cast.0, caster.0);
        let sim::spells::Fault { limit, message, .. } = fault;
        if self.fault_lines.admit(tick) {
            tracing::warn!(cast, %spell, %from, %to, caster, limit, tick, "cast stays with its revision: {message:?}");
        }
        if let (Ok(spell_id), Ok(revision_id), Ok(to)) = (SpellId::new(spell), RevisionId::new(from), RevisionId::new(to)) {
            let (limit, message) = ((*limit).to_owned(), message.clone());
            self.reports.send(Report::NotMigrated { spell_id, revision_id, to, cast, caster, tick, limit, message });
        }
    }

    fn spell_line(&mut self, tick: u64, Who { cast, spell, revision, caster }: Who<'_>, level: &str, text: &str) {
        let (cast, caster) = (cast.0, caster.0);
        if self.spell_lines.admit(tick) {
            tracing::info!(cast, %spell, %revision, caster, level, tick, "spell says {text:?}");
            let (Ok(spell_id), Ok(revision_id)) = (SpellId::new(spell), RevisionId::new(revision)) else { return };
            let (level, text) = (level.to_owned(), text.to_owned());
            self.reports.send(Report::Line { spell_id, revision_id, cast, caster, tick, level, text });
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
    use sim::spells::Fault;

    fn fault() -> Outbound {
        let fault = Fault { hook: "on-cast", limit: "unreachable", allowed: 0.0, asked: 0.0, message: "panicked".into() };
        Outbound::CastFaulted { cast: CastId(1), spell: "trap".into(), revision: "rev_000001_00000000".into(), caster: EntityId(1), fault }
    }

    #[test]
    fn a_storm_of_faults_leaves_a_bounded_log() {
        let (reports, _posts) = Reports::queue();
        let mut journal = Journal::new(reports, 1);
        let storm = vec![fault(); 1_000];
        journal.events(7, &storm);
        assert_eq!((journal.fault_lines.asked, journal.fault_lines.admit(59)), (1_000, false));
        assert!(journal.fault_lines.admit(60), "the next second has room again");
        assert_eq!((0..1_000).filter(|_| journal.spell_lines.admit(7)).count(), SPELL_LOG_LINES_PER_SECOND_MAX as usize);
    }

    #[test]
    fn a_storm_of_faults_does_not_hide_how_many_players_there_are() {
        let (reports, posts) = Reports::queue();
        let mut journal = Journal::new(reports, 1);
        journal.events(7, &vec![fault(); LINK_REPORTS_MAX]);
        let clients = ["client_000000000001"];
        journal.players(7, clients.into_iter());
        assert!(posts.try_iter().all(|report| matches!(report, Report::Fault { .. })), "there was no room for it");
        journal.players(8, clients.into_iter());
        journal.players(9, clients.into_iter());
        assert_eq!(posts.try_iter().collect::<Vec<_>>(), [Report::Players { clients: clients.map(String::from).into() }]);
    }
}
