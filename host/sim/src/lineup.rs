//! What a world runs of one spell: its active revision, another one on trial for a share of the casts, and authors' drafts.

use crate::limits::{ACCOUNT_BYTES_MAX, TRIAL_SHARE_WHOLE};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The revisions of a spell that new casts may run. Revisions are named so that of two the newer one's name sorts last.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Lineup {
    /// What everybody runs; none where nobody may cast it but those who have a draft.
    pub active: Option<String>,
    /// What some casts run instead, to see how it does.
    pub trial: Option<Trial>,
    /// By account: what that player alone runs.
    pub drafts: BTreeMap<String, String>,
}

/// A revision on trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Which.
    pub revision: String,
    /// Of `TRIAL_SHARE_WHOLE`.
    pub share: u16,
    /// Whether each cast draws, or each player once for all casts.
    pub by: ShareBy,
}

/// Who draws whether a trial's revision is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShareBy {
    /// Each cast.
    Cast,
    /// Each player, with the same result as long as the trial lasts.
    Player,
}

/// What becomes of a cast whose revision its caster would not run any more. Of the two revisions the newer one's word counts, for its author knew the other:
/// when it takes over, and when it is rolled back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum InFlight {
    /// It goes on as it is.
    #[default]
    Finish,
    /// It goes on with the other revision, which is given what it saves. If either fails, it goes on as it is.
    Migrate,
    /// It has one more call, which tells it.
    Cancel,
}

/// Revisions that are not called again: their casts end at once, without a word to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Barred {
    /// These.
    Those(BTreeSet<String>),
    /// All of the spell's.
    All,
}

impl Lineup {
    /// One revision for everybody.
    pub fn of(revision: &str) -> Self {
        Self { active: Some(revision.to_owned()), ..Self::default() }
    }

    /// The revision that a player runs: its own draft, or the active one. `account` is empty for one who has none.
    pub fn of_player(&self, account: &str) -> Option<&str> {
        self.draft(account).or(self.active.as_deref())
    }

    /// The draft of this account.
    pub fn draft(&self, account: &str) -> Option<&str> {
        self.drafts.get(account).filter(|_| !account.is_empty()).map(String::as_str)
    }

    /// Whether a cast of this player may run this revision.
    pub fn admits(&self, account: &str, revision: &str) -> bool {
        let on_trial = || self.trial.as_ref().is_some_and(|trial| trial.revision == revision);
        self.active.as_deref() == Some(revision) || on_trial() || self.draft(account) == Some(revision)
    }

    /// All revisions that it names.
    pub fn revisions(&self) -> impl Iterator<Item = &str> {
        self.active
            .as_deref()
            .into_iter()
            .chain(self.trial.iter().map(|trial| trial.revision.as_str()))
            .chain(self.drafts.values().map(String::as_str))
    }

    /// Lets go of revisions that are not known.
    pub(crate) fn keep(&mut self, is_known: impl Fn(&str) -> bool) {
        self.active = self.active.take().filter(|revision| is_known(revision));
        self.trial = self.trial.take().filter(|trial| is_known(&trial.revision));
        self.drafts.retain(|_, revision| is_known(revision));
    }

    /// Whether nobody can cast by it.
    pub(crate) fn is_empty(&self) -> bool {
        self.active.is_none() && self.drafts.is_empty()
    }

    /// Whether its numbers and names are in range.
    pub(crate) fn is_sound(&self) -> bool {
        self.trial.as_ref().is_none_or(|trial| trial.share <= TRIAL_SHARE_WHOLE)
            && self.drafts.keys().all(|account| account.len() <= ACCOUNT_BYTES_MAX)
    }
}

impl Barred {
    /// None.
    pub fn none() -> Self {
        Self::Those(BTreeSet::new())
    }

    /// Whether it is one of them.
    pub fn contains(&self, revision: &str) -> bool {
        match self {
            Self::Those(those) => those.contains(revision),
            Self::All => true,
        }
    }
}
