//! What the control plane wants this world to run, made ready off the tick: revisions are fetched, verified and loaded before the game loop hears of them.

use crate::artifacts::{Artifacts, FetchError};
use crate::limits::SPELLS_MAX;
use crate::link::{Line, Reports};
use game::{LoadedRevision, Loader};
use protocol::link::{Barred, Lineup, Report, Slot, TrialBy};
use protocol::{Channel, InFlightPolicy, RevisionId, SpellId};
use sim::lineup::{self, InFlight, ShareBy};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A revision and its bytes, for the world's file.
#[derive(Debug, Clone)]
pub struct Ready {
    /// Ready to run.
    pub loaded: LoadedRevision,
    /// As it came.
    pub artifact: Arc<[u8]>,
}

/// What a spell runs from some tick on, with all that it needs.
#[derive(Debug, Clone)]
pub struct Switching {
    /// The spell.
    pub spell: String,
    /// The channel that the world follows for it.
    pub channel: Channel,
    /// Which revisions; each is in `ready`.
    pub lineup: sim::Lineup,
    /// By revision.
    pub ready: BTreeMap<String, Ready>,
    /// The rollout of the revision on trial.
    pub rollout: Option<u64>,
    /// In quarantine here, as the control plane knows.
    pub quarantined: BTreeSet<String>,
    /// Whose casts end at once.
    pub barred: lineup::Barred,
}

/// All lineups that have come so far.
#[derive(Debug, Default)]
pub struct Lineups {
    /// By spell: what its lineup names, ready to run. At most `SPELLS_MAX`.
    spells: BTreeMap<SpellId, Current>,
    /// Those of the change that is coming.
    coming: Vec<Lineup>,
    /// Spells that had a lineup since the connection began.
    named: BTreeSet<SpellId>,
}

#[derive(Debug, Default)]
struct Current {
    active: Option<RevisionId>,
    ready: BTreeMap<RevisionId, Ready>,
}

impl Lineups {
    /// A connection begins: what it does not bring to an end is brought again by the next.
    pub fn begin(&mut self) {
        self.coming.clear();
        self.named.clear();
    }

    /// One lineup of the coming change.
    pub fn take(&mut self, lineup: Lineup) {
        self.named.insert(lineup.spell_id.clone());
        self.coming.push(lineup);
    }

    /// The change is complete: answers it, ready to be made. With `complete`, spells that were not named since the connection began are
    /// forgotten.
    ///
    /// # Errors
    /// When an artifact cannot be fetched: nothing has changed then.
    pub fn ready(
        &mut self,
        complete: bool,
        line: &Line,
        loader: &Loader,
        artifacts: &Artifacts,
        reports: &Reports,
    ) -> Result<Vec<Switching>, FetchError> {
        let coming = std::mem::take(&mut self.coming);
        let mut made = Vec::with_capacity(coming.len());
        for lineup in coming {
            made.extend(self.make_ready(lineup, line, loader, artifacts, reports)?);
        }
        if complete {
            self.spells.retain(|spell, _| self.named.contains(spell));
            self.named.clear();
        }
        Ok(made)
    }

    fn make_ready(
        &mut self,
        lineup: Lineup,
        line: &Line,
        loader: &Loader,
        artifacts: &Artifacts,
        reports: &Reports,
    ) -> Result<Option<Switching>, FetchError> {
        let Lineup { spell_id, channel, active, stays, trial, drafts, quarantined, barred } = lineup;
        let is_something = active.is_some() || stays || trial.is_some() || !drafts.is_empty();
        let may_stay = |revision: &RevisionId| {
            let is_barred = match &barred {
                Barred::All => true,
                Barred::Those(those) => those.contains(revision),
            };
            !is_barred && !quarantined.contains(revision)
        };
        let refuse = |revision_id: RevisionId, message: String| {
            tracing::error!(spell = %spell_id, revision = %revision_id, "revision refused: {message}");
            reports.send(Report::Refused { spell_id: spell_id.clone(), revision_id, message });
        };
        let before = match self.spells.remove(&spell_id) {
            Some(before) => before,
            None if self.spells.len() < SPELLS_MAX => Current::default(),
            None => {
                if let Some(slot) = active {
                    refuse(slot.revision_id, format!("this world follows {SPELLS_MAX} spells already, and that is its limit"));
                }
                return Ok(None);
            }
        };
        let mut ready: BTreeMap<RevisionId, Ready> = BTreeMap::new();
        let mut load = |slot: Slot| -> Result<Option<String>, FetchError> {
            let Slot { revision_id, artifact, in_flight } = slot;
            let known = before.ready.get(&revision_id).or_else(|| ready.get(&revision_id)).cloned();
            let made = match known {
                Some(Ready { loaded, artifact }) => Ok(Ready { loaded: loaded.with_in_flight(policy(in_flight)), artifact }),
                None => {
                    let artifact = artifacts.get(&artifact, line)?;
                    let loaded = loader.load(spell_id.as_str(), revision_id.as_str(), &artifact);
                    loaded.map(|loaded| Ready { loaded: loaded.with_in_flight(policy(in_flight)), artifact })
                }
            };
            match made {
                Ok(made) => {
                    ready.insert(revision_id.clone(), made);
                    Ok(Some(revision_id.into()))
                }
                Err(error) => {
                    refuse(revision_id, error.to_string());
                    Ok(None)
                }
            }
        };
        let all = (|| {
            let wanted = active.is_some() || stays;
            let mut active_now = active.map(&mut load).transpose()?.flatten();
            let rollout = trial.as_ref().map(|trial| trial.rollout);
            let trial = match trial {
                None => None,
                Some(trial) => load(trial.slot)?.map(|revision| lineup::Trial { revision, share: trial.share, by: share_by(trial.by) }),
            };
            let mut of_authors = BTreeMap::new();
            for (client, slot) in drafts {
                of_authors.extend(load(slot)?.map(|revision| (client, revision)));
            }
            // One that cannot be loaded leaves the last good one where it is.
            if wanted && active_now.is_none() {
                active_now = before.active.clone().filter(may_stay).map(String::from);
            }
            let rollout = rollout.filter(|_| trial.is_some());
            Ok((sim::Lineup { active: active_now, trial, drafts: of_authors }, rollout))
        })();
        let (lineup, rollout) = match all {
            Ok(all) => all,
            Err(error) => {
                self.spells.insert(spell_id, before);
                return Err(error);
            }
        };
        let active = lineup.active.as_ref().and_then(|revision| RevisionId::new(revision).ok());
        if let Some(revision) = &active
            && let Some(one) = before.ready.get(revision)
        {
            ready.entry(revision.clone()).or_insert_with(|| one.clone());
        }
        let barred = match barred {
            Barred::All => lineup::Barred::All,
            Barred::Those(those) => lineup::Barred::Those(those.into_iter().map(String::from).collect()),
        };
        let switching = Switching {
            spell: spell_id.to_string(),
            channel,
            lineup,
            ready: ready.iter().map(|(revision, ready)| (revision.to_string(), ready.clone())).collect(),
            rollout,
            quarantined: quarantined.into_iter().map(String::from).collect(),
            barred,
        };
        // What is nothing takes no place.
        if is_something {
            self.spells.insert(spell_id, Current { active, ready });
        }
        Ok(Some(switching))
    }
}

fn policy(policy: InFlightPolicy) -> InFlight {
    match policy {
        InFlightPolicy::Finish => InFlight::Finish,
        InFlightPolicy::Migrate => InFlight::Migrate,
        InFlightPolicy::Cancel => InFlight::Cancel,
    }
}

fn share_by(by: TrialBy) -> ShareBy {
    match by {
        TrialBy::Cast => ShareBy::Cast,
        TrialBy::Player => ShareBy::Player,
    }
}
