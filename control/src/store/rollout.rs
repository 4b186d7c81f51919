//! Rollouts in the database: their terms, what worlds have counted, and how they ended.

use super::{Database, found, from_json, lineup, ownership::note, parsed, spell::point};
use crate::{
    error::Error,
    ids::{ClientId, WorldId},
    limits::{ROLLOUTS_LISTED_MAX, TALLY_CASTS_MAX},
    rollout::{By, Evidence, Terms},
    store::Act,
};
use protocol::{Channel, RevisionId, SpellId, link::Tally};
use rusqlite::{Connection, Row, Transaction, params};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A revision that is, or was, tried on a share of the casts.
#[derive(Debug, Clone)]
pub struct Rollout {
    /// Its number.
    pub rollout: i64,
    /// The spell.
    pub spell_id: SpellId,
    /// What points at the revision when all goes well.
    pub channel: Channel,
    /// The revision.
    pub revision_id: RevisionId,
    /// Who has begun it.
    pub client_id: ClientId,
    /// When it is good or bad.
    pub terms: Terms,
    /// `running`, `promoted`, `rolled_back`, `stopped`.
    pub state: String,
    /// When it began.
    pub started_at_ms: i64,
    /// When it ended.
    pub ended_at_ms: Option<i64>,
    /// What it was judged by.
    pub evidence: Value,
}

impl Rollout {
    /// Whether this world tries it: where worlds draw, the same ones as long as it lasts.
    pub fn is_for(&self, world: &WorldId) -> bool {
        let digest = Sha256::digest(format!("{} {world}", self.rollout));
        let draw = u64::from_le_bytes(digest[..8].try_into().expect("a digest has 32 bytes")) % 10_000;
        self.terms.by != By::World || draw < u64::from(self.terms.share())
    }
}

/// How a rollout ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The channel points at its revision.
    Promoted,
    /// Its revision was bad.
    RolledBack,
    /// Something else was published, or its author stopped it.
    Stopped,
}

impl Ending {
    /// As it is stored and told.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Promoted => "promoted",
            Self::RolledBack => "rolled_back",
            Self::Stopped => "stopped",
        }
    }
}

/// The one that runs.
pub(super) fn running(database: &Connection, spell: &SpellId, channel: Channel) -> Result<Option<Rollout>, Error> {
    found(
        database
            .prepare_cached("SELECT * FROM rollout WHERE spell_id = ?1 AND channel = ?2 AND state = 'running'")?
            .query_row([spell.as_str(), channel.as_str()], read),
    )
}

/// Ends the one that runs on this channel, if one does; answers which.
pub(super) fn end(
    change: &Transaction<'_>,
    spell: &SpellId,
    channel: Channel,
    ending: Ending,
    reason: &str,
    now_ms: i64,
) -> Result<Option<Rollout>, Error> {
    let Some(rollout) = running(change, spell, channel)? else { return Ok(None) };
    let evidence = evidence(change, rollout.rollout)?;
    let seconds = (now_ms - rollout.started_at_ms) as f64 / 1e3;
    let told =
        json!({ "trial": evidence.trial, "active": evidence.active, "worlds": evidence.worlds, "seconds": seconds, "reason": reason });
    change.execute(
        "UPDATE rollout SET state = ?2, ended_at = ?3, evidence = ?4 WHERE rollout = ?1",
        params![rollout.rollout, ending.as_str(), now_ms, told.to_string()],
    )?;
    // Its sums stand in the evidence.
    change.execute("DELETE FROM rollout_tally WHERE rollout = ?1", [rollout.rollout])?;
    Ok(Some(rollout))
}

fn evidence(database: &Connection, rollout: i64) -> Result<Evidence, Error> {
    Ok(database
        .prepare_cached(
            "SELECT count(DISTINCT world_id), coalesce(sum(casts), 0), coalesce(sum(faults), 0), coalesce(sum(mana), 0.0),
                coalesce(sum(active_casts), 0), coalesce(sum(active_faults), 0), coalesce(sum(active_mana), 0.0) FROM rollout_tally WHERE rollout = ?1",
        )?
        .query_row([rollout], |row| {
            let tally = |at: usize| -> rusqlite::Result<Tally> {
                let count = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
                Ok(Tally { casts: count(at)?, faults: count(at + 1)?, mana: row.get(at + 2)? })
            };
            Ok(Evidence { worlds: row.get(0)?, trial: tally(1)?, active: tally(4)? })
        })?)
}

impl Database {
    /// What a world has counted in this life of its server. Whether the rollout still runs.
    pub fn set_tally(&mut self, rollout: i64, world: &WorldId, life: i64, trial: &Tally, active: &Tally) -> Result<bool, Error> {
        // A sum that is no number any more would keep all rollouts from being judged.
        let counted = |count: u64| count.min(TALLY_CASTS_MAX).cast_signed();
        let noted = self.connection.execute(
            "INSERT OR REPLACE INTO rollout_tally SELECT rollout, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM rollout WHERE rollout = ?1 AND state = 'running'",
            params![
                rollout,
                world.as_str(),
                life,
                counted(trial.casts),
                counted(trial.faults),
                trial.mana,
                counted(active.casts),
                counted(active.faults),
                active.mana
            ],
        )?;
        Ok(noted > 0)
    }

    /// All that run, with what is known of them.
    pub fn running_rollouts(&mut self) -> Result<Vec<(Rollout, Evidence)>, Error> {
        let mut query = self.connection.prepare_cached("SELECT * FROM rollout WHERE state = 'running' ORDER BY rollout")?;
        let running: Vec<Rollout> = query.query_map([], read)?.collect::<rusqlite::Result<_>>()?;
        let with_evidence = |rollout: Rollout| evidence(&self.connection, rollout.rollout).map(|evidence| (rollout, evidence));
        running.into_iter().map(with_evidence).collect()
    }

    /// Ends this rollout, if it still runs: a promoted revision is what its channel points at then. Answers the change's number.
    pub fn end_rollout(&mut self, rollout: &Rollout, ending: Ending, actor: &str, reason: &str, now_ms: i64) -> Result<Option<i64>, Error> {
        let Rollout { spell_id, channel, revision_id, client_id, .. } = rollout;
        let row = self.spell(spell_id)?.ok_or_else(|| Error::unknown("spell", spell_id.as_str()))?;
        let change = self.connection.transaction()?;
        if running(&change, spell_id, *channel)?.is_none_or(|running| running.rollout != rollout.rollout) {
            return Ok(None);
        }
        end(&change, spell_id, *channel, ending, reason, now_ms)?;
        let detail = json!({ "rollout": rollout.rollout, "channel": channel, "revision_id": revision_id, "reason": reason });
        note(&change, &Act { spell_id, actor, action: ending.as_str(), detail, now_ms })?;
        let number = match ending {
            Ending::Promoted => point(&change, &row, *channel, Some(revision_id), client_id, now_ms)?,
            Ending::RolledBack | Ending::Stopped => lineup::touch(&change, spell_id)?,
        };
        change.commit()?;
        Ok(Some(number))
    }

    /// A spell's newest rollouts. Of one that runs, what is known so far.
    pub fn rollouts(&mut self, spell: &SpellId) -> Result<Vec<Rollout>, Error> {
        let mut query = self.connection.prepare_cached("SELECT * FROM rollout WHERE spell_id = ?1 ORDER BY rollout DESC LIMIT ?2")?;
        let mut rollouts: Vec<Rollout> =
            query.query_map(params![spell.as_str(), ROLLOUTS_LISTED_MAX], read)?.collect::<rusqlite::Result<_>>()?;
        for rollout in rollouts.iter_mut().filter(|rollout| rollout.state == "running") {
            let Evidence { worlds, trial, active } = evidence(&self.connection, rollout.rollout)?;
            rollout.evidence = json!({ "trial": trial, "active": active, "worlds": worlds });
        }
        Ok(rollouts)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Rollout> {
    Ok(Rollout {
        rollout: row.get("rollout")?,
        spell_id: parsed(row, "spell_id")?,
        channel: parsed(row, "channel")?,
        revision_id: parsed(row, "revision_id")?,
        client_id: parsed(row, "client_id")?,
        terms: from_json(row, "terms")?,
        state: row.get("state")?,
        started_at_ms: row.get("started_at")?,
        ended_at_ms: row.get("ended_at")?,
        evidence: from_json(row, "evidence")?,
    })
}
