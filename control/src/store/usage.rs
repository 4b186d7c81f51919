//! What casts came to, in the database: sums over all worlds, by revision.

use super::{Database, found, from_json, parsed};
use crate::{error::Error, ids::WorldId, limits::REVISIONS_LISTED_MAX};
use protocol::{
    RevisionId, SpellId,
    link::{Counted, Usage},
    usage::FuelCounts,
};
use rusqlite::{Row, Transaction, params};

/// What the casts of one revision came to.
#[derive(Debug, Clone)]
pub struct Used {
    /// The revision.
    pub revision_id: RevisionId,
    /// Casts that have ended.
    pub casts: u64,
    /// Those of them that were stopped.
    pub faults: u64,
    /// By the fuel that they took.
    pub fuel: FuelCounts,
}

impl Database {
    /// Adds a world's report, unless it is there already; what is about revisions that are not known is dropped. Whether it was added.
    pub fn add_usage(&mut self, world: &WorldId, usage: &Usage) -> Result<bool, Error> {
        let (life, number) = (usage.life.cast_signed(), usage.number.cast_signed());
        let change = self.connection.transaction()?;
        let last: Option<(i64, i64)> =
            found(change.query_row("SELECT life, number FROM usage_told WHERE world_id = ?1", [world.as_str()], |row| {
                Ok((row.get(0)?, row.get(1)?))
            }))?;
        if last.is_some_and(|(of, newest)| of == life && newest >= number) {
            return Ok(false);
        }
        let told = change.execute(
            "INSERT INTO usage_told SELECT world_id, ?2, ?3 FROM world WHERE world_id = ?1
                ON CONFLICT (world_id) DO UPDATE SET life = excluded.life, number = excluded.number",
            params![world.as_str(), life, number],
        )?;
        if told == 0 {
            return Ok(false);
        }
        for counted in &usage.counted {
            add(&change, counted)?;
        }
        change.commit()?;
        Ok(true)
    }

    /// A spell's newest revisions, `REVISIONS_LISTED_MAX` at most, whether or not they were ever cast.
    pub fn usage(&mut self, spell: &SpellId, published_only: bool) -> Result<Vec<Used>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT revision_id, coalesce(casts, 0) AS casts, coalesce(faults, 0) AS faults, coalesce(fuel, '[]') AS fuel
                FROM revision LEFT JOIN usage USING (spell_id, revision_id)
                WHERE spell_id = ?1 AND published >= ?2 ORDER BY number DESC LIMIT ?3",
        )?;
        let rows = query.query_map(params![spell.as_str(), published_only, REVISIONS_LISTED_MAX], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn add(change: &Transaction<'_>, counted: &Counted) -> Result<(), Error> {
    let Counted { spell_id, revision_id, casts, faults, fuel, .. } = counted;
    let before = found(
        change
            .prepare_cached("SELECT * FROM usage WHERE spell_id = ?1 AND revision_id = ?2")?
            .query_row([spell_id.as_str(), revision_id.as_str()], read),
    )?;
    let mut sum = before.unwrap_or_else(|| Used { revision_id: revision_id.clone(), casts: 0, faults: 0, fuel: FuelCounts::default() });
    sum.fuel.add(fuel);
    // What SQLite counts ends there.
    let counts = |before: u64, more: u64| before.saturating_add(more).min(i64::MAX.cast_unsigned()).cast_signed();
    change.execute(
        "INSERT INTO usage SELECT spell_id, revision_id, ?3, ?4, ?5 FROM revision WHERE spell_id = ?1 AND revision_id = ?2
            ON CONFLICT (spell_id, revision_id) DO UPDATE SET casts = excluded.casts, faults = excluded.faults, fuel = excluded.fuel",
        params![
            spell_id.as_str(),
            revision_id.as_str(),
            counts(sum.casts, *casts),
            counts(sum.faults, *faults),
            serde_json::to_string(&sum.fuel)?
        ],
    )?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Used> {
    let count = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
    Ok(Used { revision_id: parsed(row, "revision_id")?, casts: count("casts")?, faults: count("faults")?, fuel: from_json(row, "fuel")? })
}
