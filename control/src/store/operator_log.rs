//! What operators did, and what is cleared away now and then.

use super::{Database, from_json};
use crate::{
    error::Error,
    limits::{ADMIN_LISTED_MAX, HISTORY_KEPT, IDEMPOTENCY_MS},
};
use rusqlite::{Transaction, params};
use serde_json::Value;

/// Writes it down, within the change that it is about.
pub(super) fn operator_note(change: &Transaction<'_>, action: &str, detail: &Value, now_ms: i64) -> Result<(), Error> {
    change
        .execute("INSERT INTO operator_log (action, detail, done_at) VALUES (?1, ?2, ?3)", params![action, detail.to_string(), now_ms])?;
    Ok(())
}

/// One act.
#[derive(Debug)]
pub struct OperatorAct {
    /// Rises with every act.
    pub entry: i64,
    /// In one word.
    pub action: String,
    /// The rest.
    pub detail: Value,
    /// When.
    pub done_at_ms: i64,
}

impl Database {
    /// Writes down something that changes nothing here.
    pub fn note_operator(&mut self, action: &str, detail: &Value, now_ms: i64) -> Result<(), Error> {
        let change = self.connection.transaction()?;
        operator_note(&change, action, detail, now_ms)?;
        Ok(change.commit()?)
    }

    /// What operators did, newest first.
    pub fn operator_log(&mut self) -> Result<Vec<OperatorAct>, Error> {
        let mut query = self.connection.prepare_cached("SELECT * FROM operator_log ORDER BY entry DESC LIMIT ?1")?;
        let rows = query.query_map([ADMIN_LISTED_MAX], |row| {
            Ok(OperatorAct {
                entry: row.get("entry")?,
                action: row.get("action")?,
                detail: from_json(row, "detail")?,
                done_at_ms: row.get("done_at")?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Forgets sessions that are over, answers that are old, drafts that nobody needs, and history beyond `HISTORY_KEPT`; answers how many rows.
    pub fn clean_up(&mut self, now_ms: i64) -> Result<usize, Error> {
        let drafts = self.forget_drafts()?;
        let change = self.connection.transaction()?;
        let mut gone = drafts;
        gone += change.execute("DELETE FROM session WHERE expires_at <= ?1", [now_ms])?;
        gone += change.execute("DELETE FROM answered WHERE answered_at <= ?1", [now_ms - IDEMPOTENCY_MS])?;
        gone += change.execute("DELETE FROM operator_log WHERE entry <= (SELECT max(entry) FROM operator_log) - ?1", [HISTORY_KEPT])?;
        gone += change.execute("DELETE FROM audit WHERE entry <= (SELECT max(entry) FROM audit) - 100 * ?1", [HISTORY_KEPT])?;
        // Which revisions a channel has pointed at is what a rollback goes by: of each the newest publication stays.
        gone += change.execute(
            "DELETE FROM publication WHERE sequence <= (SELECT max(sequence) FROM publication) - ?1
                AND sequence NOT IN (SELECT max(sequence) FROM publication GROUP BY spell_id, channel, revision_id)",
            [HISTORY_KEPT],
        )?;
        gone += change.execute(
            "DELETE FROM rollout WHERE state != 'running' AND rollout <= (SELECT max(rollout) FROM rollout) - ?1",
            [HISTORY_KEPT],
        )?;
        change.commit()?;
        Ok(gone)
    }
}
