//! What casts come to, for the control plane: counted tick by tick, and told every few seconds.

use crate::limits::{USAGE_KEPT_MAX, USAGE_REPORT_TICKS};
use crate::link::Reports;
use game::{EndedCast, Game};
use protocol::limits::{USAGE_COUNTED_MAX, USAGE_LIVE_MAX, USAGE_PLAYERS_MAX};
use protocol::link::{Counted, Live, Report, Usage};
use protocol::usage::FuelCounts;
use protocol::{RevisionId, SpellId};
use sim::{Outbound, World};
use std::collections::{BTreeMap, BTreeSet};

/// What is not told yet.
#[derive(Debug)]
pub struct Usages {
    reports: Reports,
    life: u64,
    /// Reports so far.
    number: u64,
    /// By spell and revision; at most `USAGE_KEPT_MAX`.
    counted: BTreeMap<(String, String), Count>,
    /// Whether casts were live when it was told last.
    was_live: bool,
}

#[derive(Debug, Clone, Default)]
struct Count {
    casts: u64,
    faults: u64,
    fuel: FuelCounts,
    players: BTreeSet<String>,
}

impl Usages {
    /// Nothing yet; `life` names this life of the server among all.
    pub fn new(reports: Reports, life: u64) -> Self {
        // What a life before has told may be live still.
        Self { reports, life, number: 0, counted: BTreeMap::new(), was_live: true }
    }

    /// Counts what a tick came to, and tells the control plane when it is time.
    pub fn tick(&mut self, game: &Game, outbound: &[Outbound]) {
        for EndedCast { spell, revision, fuel, faulted, .. } in &game.spent().ended {
            let Some(count) = self.count(spell, revision) else { continue };
            count.casts += 1;
            count.faults += u64::from(*faulted);
            count.fuel.count(*fuel);
        }
        for event in outbound {
            if let Outbound::CastStarted { spell, revision, caster, .. } = event
                && let Some(account) = game.world().account(*caster).filter(|account| !account.is_empty())
                && let Some(count) = self.count(spell, revision)
            {
                count.players.insert(account.to_owned());
            }
        }
        if game.world().tick().is_multiple_of(USAGE_REPORT_TICKS) {
            self.tell(game.world());
        }
    }

    /// What the report has no room for, or no report has, is kept for the next.
    fn tell(&mut self, world: &World) {
        let live = live(world);
        if self.counted.is_empty() && live.is_empty() && !self.was_live {
            return;
        }
        let (mut counted, mut told, mut players_left) = (Vec::new(), Vec::new(), USAGE_PLAYERS_MAX);
        for (key, count) in self.counted.iter().take(USAGE_COUNTED_MAX) {
            told.push(key.clone());
            let (Ok(spell_id), Ok(revision_id)) = (SpellId::new(&key.0), RevisionId::new(&key.1)) else { continue };
            let Count { casts, faults, fuel, players } = count.clone();
            let players: BTreeSet<String> = players.into_iter().take(players_left).collect();
            players_left -= players.len();
            counted.push(Counted { spell_id, revision_id, casts, faults, fuel, players });
        }
        let (life, number, is_live) = (self.life, self.number + 1, !live.is_empty());
        if self.reports.send(Report::Usage(Usage { life, number, counted, live })) {
            (self.number, self.was_live) = (number, is_live);
            told.iter().for_each(|key| _ = self.counted.remove(key));
        }
    }

    fn count(&mut self, spell: &str, revision: &str) -> Option<&mut Count> {
        let key = (spell.to_owned(), revision.to_owned());
        if self.counted.len() >= USAGE_KEPT_MAX && !self.counted.contains_key(&key) {
            return None;
        }
        Some(self.counted.entry(key).or_default())
    }
}

fn live(world: &World) -> Vec<Live> {
    let live = world.live_by_revision().filter_map(|(spell, revision, casts)| {
        let (spell_id, revision_id) = (SpellId::new(spell).ok()?, RevisionId::new(revision).ok()?);
        Some(Live { spell_id, revision_id, casts: u32::try_from(casts).unwrap_or(u32::MAX) })
    });
    live.take(USAGE_LIVE_MAX).collect()
}
