//! What game servers reported about spells, in the database: the newest entries of each spell.

use super::{Database, from_json, parsed};
use crate::{clock, error::Error, ids::WorldId, limits::SPELL_LOG_ENTRIES_MAX};
use protocol::{SpellId, link::Report};
use rusqlite::{Row, params};
use serde::Serialize;

/// One entry of a spell's log.
#[derive(Serialize)]
pub struct LogEntry {
    /// Rises with every entry of any spell.
    pub entry: i64,
    /// When it was reported, ISO 8601.
    pub at: String,
    /// Where.
    pub world_id: WorldId,
    /// What.
    #[serde(flatten)]
    pub report: Report,
}

impl Database {
    /// Adds these reports to their spells' logs; those about spells that nobody built are dropped.
    pub fn add_reports(&mut self, world: &WorldId, reports: &[(SpellId, Report)], now_ms: i64) -> Result<(), Error> {
        let change = self.connection.transaction()?;
        for (spell, report) in reports {
            change.execute(
                "INSERT INTO spell_log (spell_id, world_id, logged_at, report) SELECT spell_id, ?2, ?3, ?4 FROM spell WHERE spell_id = ?1",
                params![spell.as_str(), world.as_str(), now_ms, serde_json::to_string(report)?],
            )?;
            change.execute(
                "DELETE FROM spell_log WHERE spell_id = ?1 AND entry <=
                    (SELECT entry FROM spell_log WHERE spell_id = ?1 ORDER BY entry DESC LIMIT 1 OFFSET ?2)",
                params![spell.as_str(), SPELL_LOG_ENTRIES_MAX],
            )?;
        }
        Ok(change.commit()?)
    }

    /// A spell's log, newest first.
    pub fn spell_log(&mut self, spell: &SpellId) -> Result<Vec<LogEntry>, Error> {
        let mut query = self.connection.prepare_cached("SELECT * FROM spell_log WHERE spell_id = ?1 ORDER BY entry DESC")?;
        Ok(query.query_map([spell.as_str()], read)?.collect::<rusqlite::Result<_>>()?)
    }

    /// What came after this entry, oldest first.
    pub fn spell_log_after(&mut self, spell: &SpellId, entry: i64) -> Result<Vec<LogEntry>, Error> {
        let mut query = self.connection.prepare_cached("SELECT * FROM spell_log WHERE spell_id = ?1 AND entry > ?2 ORDER BY entry")?;
        Ok(query.query_map(params![spell.as_str(), entry], read)?.collect::<rusqlite::Result<_>>()?)
    }

    /// The newest entry of a spell's log; 0 where it is empty.
    pub fn newest_log_entry(&mut self, spell: &SpellId) -> Result<i64, Error> {
        let mut query = self.connection.prepare_cached("SELECT coalesce(max(entry), 0) FROM spell_log WHERE spell_id = ?1")?;
        Ok(query.query_row([spell.as_str()], |row| row.get(0))?)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<LogEntry> {
    Ok(LogEntry {
        entry: row.get("entry")?,
        at: clock::iso8601(row.get("logged_at")?),
        world_id: parsed(row, "world_id")?,
        report: from_json(row, "report")?,
    })
}
