//! A bad change undoes itself: a revision whose casts keep faulting is put into quarantine on this world, and the one before it is active again.

use crate::limits::{TRIAL_CASTS_MIN, TRIAL_CASTS_REMEMBERED, TRIAL_FAULTS_PERCENT_MAX};
use game::LoadedRevision;
use sim::Outbound;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How the spells of one world are doing. What it orders comes in as an `Inbound` like everything else, so a recording has it.
#[derive(Debug, Default)]
pub struct Trials {
    /// By spell: the active revision.
    active: BTreeMap<String, Trial>,
    /// By spell: the one before, if it has done well; else the first.
    good: BTreeMap<String, Candidate>,
    /// Spell and revision. It does not outlive the process: after a restart a bad revision has another chance.
    quarantined: BTreeSet<(String, String)>,
    /// What is to be active again.
    back: Vec<Candidate>,
}

/// A revision and its bytes, for the world's file.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Ready to run.
    pub loaded: LoadedRevision,
    /// As it came.
    pub artifact: Arc<[u8]>,
}

#[derive(Debug)]
struct Trial {
    candidate: Candidate,
    casts: u32,
    faults: u32,
    /// The limit of the last fault.
    limit: &'static str,
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

impl Trials {
    /// A revision is to be active from now on. Whether it may: not one that is in quarantine.
    pub fn begin(&mut self, candidate: Candidate) -> bool {
        let spell = candidate.loaded.spell.clone();
        if self.quarantined.contains(&(spell.clone(), candidate.loaded.revision.clone())) {
            return false;
        }
        if let Some(before) = self.active.get(&spell) {
            if before.candidate.loaded.revision == candidate.loaded.revision {
                return true;
            }
            // One that nobody has cast yet is only as good as nothing.
            if before.has_stood() || !self.good.contains_key(&spell) {
                self.good.insert(spell.clone(), before.candidate.clone());
            }
        }
        self.active.insert(spell, Trial::of(candidate));
        true
    }

    /// Counts what a tick told, and answers with what it puts into quarantine.
    pub fn events(&mut self, outbound: &[Outbound]) -> Vec<Quarantined> {
        let mut quarantined = Vec::new();
        for event in outbound {
            match event {
                Outbound::CastStarted { spell, revision, .. } => self.count(spell, revision, |trial| trial.casts += 1),
                Outbound::CastFaulted { spell, revision, fault, .. } => {
                    self.count(spell, revision, |trial| (trial.faults, trial.limit) = (trial.faults + 1, fault.limit));
                    quarantined.extend(self.judge(spell, revision));
                }
                _ => {}
            }
        }
        quarantined
    }

    /// What is to be active again from the next tick on.
    pub fn take_back(&mut self) -> Vec<Candidate> {
        std::mem::take(&mut self.back)
    }

    fn count(&mut self, spell: &str, revision: &str, count: impl FnOnce(&mut Trial)) {
        let Some(trial) = self.active.get_mut(spell).filter(|trial| trial.candidate.loaded.revision == revision) else { return };
        count(trial);
        // What was long ago weighs less and less.
        if trial.casts >= TRIAL_CASTS_REMEMBERED {
            (trial.casts, trial.faults) = (trial.casts / 2, trial.faults / 2);
        }
    }

    fn judge(&mut self, spell: &str, revision: &str) -> Option<Quarantined> {
        let trial = self.active.get(spell).filter(|trial| trial.candidate.loaded.revision == revision && trial.is_bad())?;
        let Trial { casts, faults, limit, .. } = *trial;
        // Without an earlier one there is nothing to go back to: its casts go on faulting alone.
        let good = self.good.remove(spell)?;
        let message = format!(
            "quarantined on this world: {faults} of its last {casts} casts faulted, the last by {limit}; {} is active again",
            good.loaded.revision
        );
        self.quarantined.insert((spell.to_owned(), revision.to_owned()));
        self.active.insert(spell.to_owned(), Trial::of(good.clone()));
        self.back.push(good);
        Some(Quarantined { spell: spell.to_owned(), revision: revision.to_owned(), message })
    }
}

impl Trial {
    fn of(candidate: Candidate) -> Self {
        Self { candidate, casts: 0, faults: 0, limit: "" }
    }

    fn has_stood(&self) -> bool {
        self.casts > 0 && self.faults * 100 <= self.casts * TRIAL_FAULTS_PERCENT_MAX
    }

    fn is_bad(&self) -> bool {
        self.casts >= TRIAL_CASTS_MIN && self.faults * 100 > self.casts * TRIAL_FAULTS_PERCENT_MAX
    }
}
