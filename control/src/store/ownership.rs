//! Who may build and publish a spell beside its owner, and who did what with it.

use super::{Database, from_json, lineup};
use crate::{
    error::Error,
    ids::ClientId,
    limits::{AUDIT_LISTED_MAX, COLLABORATORS_MAX},
};
use protocol::SpellId;
use rusqlite::{Connection, Transaction, params};
use serde_json::Value;

/// Something that was done with a spell.
pub struct Act<'a> {
    /// With which.
    pub spell_id: &'a SpellId,
    /// By whom: a player's id, or `operator`.
    pub actor: &'a str,
    /// In one word: `publish`, `revoke`, `collaborators`.
    pub action: &'static str,
    /// The rest.
    pub detail: Value,
    /// When.
    pub now_ms: i64,
}

/// An act that was written down.
pub struct AuditEntry {
    /// Rises with every act of any spell.
    pub entry: i64,
    /// Who.
    pub actor: String,
    /// What, in one word.
    pub action: String,
    /// The rest.
    pub detail: Value,
    /// When.
    pub done_at_ms: i64,
}

/// Writes it down, within the change that it is about.
pub(super) fn note(change: &Transaction<'_>, act: &Act<'_>) -> Result<(), Error> {
    change.execute(
        "INSERT INTO audit (spell_id, actor, action, detail, done_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![act.spell_id.as_str(), act.actor, act.action, act.detail.to_string(), act.now_ms],
    )?;
    Ok(())
}

/// Whether this player may build and publish it.
pub(super) fn may_change(database: &Connection, spell: &SpellId, client: &ClientId) -> Result<bool, Error> {
    Ok(database.query_row(
        "SELECT EXISTS (SELECT 1 FROM spell WHERE spell_id = ?1 AND owner = ?2)
            OR EXISTS (SELECT 1 FROM collaborator WHERE spell_id = ?1 AND client_id = ?2)",
        params![spell.as_str(), client.as_str()],
        |row| row.get(0),
    )?)
}

impl Database {
    /// Whether this player may build and publish it.
    pub fn may_change(&mut self, spell: &SpellId, client: &ClientId) -> Result<bool, Error> {
        may_change(&self.connection, spell, client)
    }

    /// The handles of those who may, beside the owner.
    pub fn collaborators(&mut self, spell: &SpellId) -> Result<Vec<String>, Error> {
        let mut query = self
            .connection
            .prepare_cached("SELECT username FROM collaborator JOIN player USING (client_id) WHERE spell_id = ?1 ORDER BY username")?;
        Ok(query.query_map([spell.as_str()], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
    }

    /// Sets them; its owner's right alone.
    pub fn set_collaborators(&mut self, act: &Act<'_>, owner: &ClientId, handles: &[String]) -> Result<(), Error> {
        if handles.len() > COLLABORATORS_MAX {
            return Err(Error::TooMany { what: "collaborators of one spell", max: COLLABORATORS_MAX as u32 });
        }
        let change = self.connection.transaction()?;
        let is_owner: bool = change.query_row(
            "SELECT EXISTS (SELECT 1 FROM spell WHERE spell_id = ?1 AND owner = ?2)",
            params![act.spell_id.as_str(), owner.as_str()],
            |row| row.get(0),
        )?;
        if !is_owner {
            return Err(Error::Foreign(act.spell_id.clone()));
        }
        change.execute("DELETE FROM collaborator WHERE spell_id = ?1", [act.spell_id.as_str()])?;
        for handle in handles {
            let added = change.execute(
                "INSERT OR IGNORE INTO collaborator (spell_id, client_id) SELECT ?1, client_id FROM player WHERE username = ?2",
                params![act.spell_id.as_str(), handle],
            )?;
            let is_known: bool =
                added > 0 || change.query_row("SELECT EXISTS (SELECT 1 FROM player WHERE username = ?1)", [handle], |row| row.get(0))?;
            if !is_known {
                return Err(Error::unknown("player", handle));
            }
        }
        // Who may not change it any more runs what everybody runs.
        change.execute(
            "DELETE FROM live_draft WHERE spell_id = ?1 AND client_id != ?2
                AND client_id NOT IN (SELECT client_id FROM collaborator WHERE spell_id = ?1)",
            params![act.spell_id.as_str(), owner.as_str()],
        )?;
        lineup::touch(&change, act.spell_id)?;
        note(&change, act)?;
        Ok(change.commit()?)
    }

    /// What was done with a spell, newest first, `AUDIT_LISTED_MAX` at most.
    pub fn audit(&mut self, spell: &SpellId) -> Result<Vec<AuditEntry>, Error> {
        let mut query = self.connection.prepare_cached("SELECT * FROM audit WHERE spell_id = ?1 ORDER BY entry DESC LIMIT ?2")?;
        let rows = query.query_map(params![spell.as_str(), AUDIT_LISTED_MAX], |row| {
            Ok(AuditEntry {
                entry: row.get("entry")?,
                actor: row.get("actor")?,
                action: row.get("action")?,
                detail: from_json(row, "detail")?,
                done_at_ms: row.get("done_at")?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
