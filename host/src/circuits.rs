//! A bad change undoes itself: a revision whose casts keep faulting is put into quarantine on this world, and the one before it is active again. Counts also
//! what the control plane judges a rollout by.

use crate::limits::{TRIAL_CASTS_MIN, TRIAL_CASTS_REMEMBERED, TRIAL_FAULTS_PERCENT_MAX};
use crate::lineups::{Ready, Switching};
use game::Game;
use protocol::link::{Report, Tally};
use protocol::{Channel, RevisionId, SpellId};
use sim::inbound::Switch;
use sim::lineup::Barred;
use sim::{Inbound, Outbound, World};
use std::collections::{BTreeMap, BTreeSet};
use store::Artifact;

/// How the spells of one world are doing. What it orders comes in as an `Inbound` like everything else, so a recording has it.
#[derive(Debug, Default)]
pub struct Circuits {
    spells: BTreeMap<String, Standing>,
    /// Spells whose lineup has to change because of a quarantine.
    due: BTreeSet<String>,
    /// Code that the world's file does not have yet.
    artifacts: Vec<Artifact>,
}

#[derive(Debug)]
struct Standing {
    /// What the control plane wants.
    wanted: Switching,
    /// What was active before and did well; else the first that there was.
    good: Option<Ready>,
    /// Of the active revision and the one on trial.
    counts: BTreeMap<String, Count>,
    /// Whether the control plane knows: what it knew and names no more is free again.
    quarantined: BTreeMap<String, bool>,
    rollout: Option<Rollout>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Count {
    casts: u32,
    faults: u32,
    /// The limit of the last fault.
    limit: &'static str,
}

/// A trial that is counted for the control plane.
#[derive(Debug)]
struct Rollout {
    number: u64,
    trial: Counted,
    active: Counted,
    is_news: bool,
}

#[derive(Debug)]
struct Counted {
    revision: String,
    tally: Tally,
    /// Mana that its calls had taken when the count began.
    mana_before: f32,
}

/// A revision that was put into quarantine.
#[derive(Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Its spell.
    pub spell: String,
    /// Its id.
    pub revision: String,
    /// Why, and what is active now.
    pub message: String,
}

impl Circuits {
    /// What the control plane wants from now on; answers what the world runs then, which is the same but for what is in quarantine here.
    pub fn switch(&mut self, wanted: Switching, game: &mut Game) -> Inbound {
        let spell = wanted.spell.clone();
        let before = self.spells.remove(&spell);
        let is_known = before.is_some();
        let good = before.as_ref().and_then(|before| before.good_after(&wanted));
        let mut quarantined = before.as_ref().map(|before| before.quarantined.clone()).unwrap_or_default();
        quarantined.retain(|revision, is_known| !*is_known || wanted.quarantined.contains(revision));
        quarantined.extend(wanted.quarantined.iter().map(|revision| (revision.clone(), true)));
        let mut counts = before.as_ref().map(|before| before.counts.clone()).unwrap_or_default();
        counts.retain(|revision, _| wanted.lineup.revisions().any(|named| named == revision));
        let rollout = match (before.and_then(|before| before.rollout), wanted.rollout) {
            (Some(running), Some(number)) if running.number == number => Some(running),
            (_, Some(number)) => Rollout::begin(number, &wanted),
            (_, None) => None,
        };
        let barred = wanted.barred.clone();
        let standing = Standing { wanted, good, counts, quarantined, rollout };
        let inbound = self.make(&standing, barred, game);
        // A spell of which nothing was ever run here is none to remember.
        if is_known || !standing.wanted.ready.is_empty() {
            self.spells.insert(spell, standing);
        }
        inbound
    }

    /// These are all that there are: others, which the world may know from its file, are gone, and so are their casts.
    pub fn let_go(&mut self, all: &[Switching], world: &World) -> Vec<Inbound> {
        let named: BTreeSet<&str> = all.iter().map(|switching| switching.spell.as_str()).collect();
        self.spells.retain(|spell, _| named.contains(spell.as_str()));
        let gone = world.spells().filter(|spell| !named.contains(spell));
        let nothing =
            |spell: &str| Switch { spell: spell.to_owned(), lineup: sim::Lineup::default(), specs: BTreeMap::new(), barred: Barred::All };
        gone.map(|spell| Inbound::Switch(nothing(spell))).collect()
    }

    /// What a quarantine of the last tick changes.
    pub fn fall_back(&mut self, game: &mut Game) -> Vec<Inbound> {
        let due = std::mem::take(&mut self.due);
        due.into_iter()
            .filter_map(|spell| {
                let standing = self.spells.remove(&spell)?;
                let inbound = self.make(&standing, Barred::none(), game);
                self.spells.insert(spell, standing);
                Some(inbound)
            })
            .collect()
    }

    /// Counts what a tick told, and answers with what it puts into quarantine.
    pub fn events(&mut self, outbound: &[Outbound]) -> Vec<Quarantined> {
        let mut quarantined = Vec::new();
        for event in outbound {
            match event {
                Outbound::CastStarted { spell, revision, .. } => {
                    self.count(spell, revision, |count| count.casts += 1, |tally| tally.casts += 1)
                }
                Outbound::CastFaulted { spell, revision, fault, .. } => {
                    let limit = fault.limit;
                    self.count(spell, revision, |count| (count.faults, count.limit) = (count.faults + 1, limit), |tally| tally.faults += 1);
                    quarantined.extend(self.judge(spell, revision));
                }
                _ => {}
            }
        }
        quarantined
    }

    /// How the trials go that have moved since this was last asked; `life` names this server's.
    pub fn trials(&mut self, life: u64) -> Vec<Report> {
        let report = |standing: &mut Standing| {
            let Standing { rollout, wanted, .. } = standing;
            let rollout = rollout.as_mut()?;
            let is_news = std::mem::take(&mut rollout.is_news);
            is_news.then(|| {
                let (trial, active) = (rollout.trial.now(wanted), rollout.active.now(wanted));
                Report::Trial { rollout: rollout.number, life, trial, active }
            })
        };
        self.spells.values_mut().filter_map(report).collect()
    }

    /// The channel that the world follows for a spell.
    pub fn channel(&self, spell: &str) -> Option<Channel> {
        self.spells.get(spell).map(|standing| standing.wanted.channel)
    }

    /// Code that has come since this was last asked.
    pub fn take_artifacts(&mut self) -> Vec<Artifact> {
        std::mem::take(&mut self.artifacts)
    }

    /// The lineup as it may be, and the revisions in the game's hands.
    fn make(&mut self, standing: &Standing, barred: Barred, game: &mut Game) -> Inbound {
        let spell = standing.wanted.spell.clone();
        let lineup = standing.allowed();
        let known = |revision: &str| standing.ready(revision);
        let mut specs = BTreeMap::new();
        for Ready { loaded, artifact } in lineup.revisions().filter_map(known) {
            specs.insert(loaded.revision.clone(), loaded.spec);
            self.artifacts.push(Artifact { spell: spell.clone(), revision: loaded.revision.clone(), bytes: artifact.clone() });
            game.admit(loaded.clone());
        }
        Inbound::Switch(Switch { spell, lineup, specs, barred })
    }

    fn count(&mut self, spell: &str, revision: &str, count: impl FnOnce(&mut Count), tally: impl FnOnce(&mut Tally)) {
        let Some(standing) = self.spells.get_mut(spell).filter(|standing| standing.judges(revision)) else { return };
        let counted = standing.counts.entry(revision.to_owned()).or_default();
        count(counted);
        // What was long ago weighs less and less.
        if counted.casts >= TRIAL_CASTS_REMEMBERED {
            (counted.casts, counted.faults) = (counted.casts / 2, counted.faults / 2);
        }
        if let Some(rollout) = &mut standing.rollout {
            let of = [&mut rollout.trial, &mut rollout.active].into_iter().find(|counted| counted.revision == revision);
            if let Some(counted) = of {
                tally(&mut counted.tally);
                rollout.is_news = true;
            }
        }
    }

    fn judge(&mut self, spell: &str, revision: &str) -> Option<Quarantined> {
        let standing = self.spells.get_mut(spell).filter(|standing| standing.judges(revision))?;
        let Count { casts, faults, limit } = *standing.counts.get(revision).filter(|count| count.is_bad())?;
        standing.quarantined.insert(revision.to_owned(), false);
        let after = match standing.allowed().active {
            Some(active) if standing.wanted.lineup.active.as_deref() == Some(revision) => format!("{active} is active again"),
            Some(active) => format!("{active} stays active"),
            None => "there is no other that could be active".into(),
        };
        self.due.insert(spell.to_owned());
        let message = format!("quarantined on this world: {faults} of its last {casts} casts faulted, the last by {limit}; {after}");
        Some(Quarantined { spell: spell.to_owned(), revision: revision.to_owned(), message })
    }
}

impl Standing {
    /// What is wanted, without what is in quarantine.
    fn allowed(&self) -> sim::Lineup {
        let mut lineup = self.wanted.lineup.clone();
        let bad = |revision: &String| self.quarantined.contains_key(revision);
        lineup.trial = lineup.trial.filter(|trial| !bad(&trial.revision));
        if lineup.active.as_ref().is_some_and(bad) {
            let good = self.good.as_ref().map(|good| good.loaded.revision.clone());
            lineup.active = good.filter(|revision| !bad(revision) && !self.wanted.barred.contains(revision));
        }
        // A draft is its author's alone, who should see what becomes of it.
        lineup
    }

    /// Whether this revision is everybody's or on trial, and may be put into quarantine.
    fn judges(&self, revision: &str) -> bool {
        let lineup = self.allowed();
        lineup.active.as_deref() == Some(revision) || lineup.trial.is_some_and(|trial| trial.revision == revision)
    }

    fn ready(&self, revision: &str) -> Option<&Ready> {
        self.wanted.ready.get(revision).or_else(|| self.good.as_ref().filter(|good| good.loaded.revision == revision))
    }

    /// What to go back to once something else is wanted: what is active now if it did well, else what was good before.
    fn good_after(&self, wanted: &Switching) -> Option<Ready> {
        let now = self.allowed().active.filter(|now| wanted.lineup.active.as_ref() != Some(now));
        let now = now.and_then(|now| self.ready(&now).cloned());
        match (now, &self.good) {
            // One that nobody has cast yet is only as good as nothing.
            (Some(now), Some(good)) if !self.counts.get(&now.loaded.revision).is_some_and(Count::has_stood) => Some(good.clone()),
            (Some(now), _) => Some(now),
            (None, good) => good.clone(),
        }
    }
}

impl Count {
    fn has_stood(&self) -> bool {
        self.casts > 0 && self.faults * 100 <= self.casts * TRIAL_FAULTS_PERCENT_MAX
    }

    fn is_bad(&self) -> bool {
        self.casts >= TRIAL_CASTS_MIN && self.faults * 100 > self.casts * TRIAL_FAULTS_PERCENT_MAX
    }
}

impl Rollout {
    fn begin(number: u64, wanted: &Switching) -> Option<Self> {
        let counted = |revision: &str| {
            let mana_before = wanted.ready.get(revision)?.loaded.usage().mana();
            Some(Counted { revision: revision.to_owned(), tally: Tally::default(), mana_before })
        };
        let trial = counted(&wanted.lineup.trial.as_ref()?.revision)?;
        // A spell's first revision has none beside it.
        let active = wanted.lineup.active.as_deref().and_then(counted);
        let active = active.unwrap_or_else(|| Counted { revision: String::new(), tally: Tally::default(), mana_before: 0.0 });
        Some(Self { number, trial, active, is_news: false })
    }
}

impl Counted {
    fn now(&self, wanted: &Switching) -> Tally {
        let mana = wanted.ready.get(&self.revision).map_or(0.0, |ready| ready.loaded.usage().mana() - self.mana_before);
        Tally { mana: f64::from(mana.max(0.0)), ..self.tally }
    }
}

impl Quarantined {
    /// As the control plane is told.
    pub fn report(&self) -> Option<Report> {
        let (spell_id, revision_id) = (SpellId::new(&self.spell).ok()?, RevisionId::new(&self.revision).ok()?);
        Some(Report::Quarantined { spell_id, revision_id, message: self.message.clone() })
    }
}
