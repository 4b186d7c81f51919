//! Worlds in the database.

use super::{Database, found, from_json, lineup, parsed};
use crate::{
    cursor::Page,
    error::Error,
    ids::{ClientId, WorldId},
    limits::{LISTED_MAX, WORLDS_PER_PLAYER_MAX},
    policy::Policy,
};
use rusqlite::{Row, params};

/// A world, running or not.
#[derive(Debug, Clone)]
pub struct World {
    /// Its id.
    pub world_id: WorldId,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// Who made it.
    pub created_by: ClientId,
    /// How its ground is made: `floor` or `hills`.
    pub generation: String,
    /// When it was made.
    pub created_at_ms: i64,
    /// When it was last joined.
    pub updated_at_ms: i64,
    /// What of the spells it runs.
    pub policy: Policy,
    /// The number of the change that its policy came with.
    pub changed: i64,
}

impl Database {
    /// Adds a world, unless its maker has too many.
    pub fn add_world(&mut self, world: &World) -> Result<(), Error> {
        let change = self.connection.transaction()?;
        let owned: u32 =
            change.query_row("SELECT count(*) FROM world WHERE created_by = ?1", [world.created_by.as_str()], |row| row.get(0))?;
        if owned >= WORLDS_PER_PLAYER_MAX {
            return Err(Error::TooMany { what: "worlds of one player", max: WORLDS_PER_PLAYER_MAX });
        }
        change.execute(
            "INSERT INTO world (world_id, name, description, created_by, created_at, updated_at, generation) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)",
            params![world.world_id.as_str(), world.name, world.description, world.created_by.as_str(), world.created_at_ms, world.generation],
        )?;
        Ok(change.commit()?)
    }

    /// Notes that somebody joins this world; false where there is none.
    pub fn touch_world(&mut self, world: &WorldId, now_ms: i64) -> Result<bool, Error> {
        let changed = self.connection.execute("UPDATE world SET updated_at = ?2 WHERE world_id = ?1", params![world.as_str(), now_ms])?;
        Ok(changed == 1)
    }

    /// Says what of the spells it runs; answers the change's number.
    pub fn set_policy(&mut self, world: &WorldId, policy: &Policy) -> Result<i64, Error> {
        let change = self.connection.transaction()?;
        let number = lineup::number(&change)?;
        change.execute(
            "UPDATE world SET policy = ?2, changed = ?3 WHERE world_id = ?1",
            params![world.as_str(), serde_json::to_string(policy)?, number],
        )?;
        change.commit()?;
        Ok(number)
    }

    /// Forgets a world.
    pub fn delete_world(&mut self, world: &WorldId) -> Result<(), Error> {
        let change = self.connection.transaction()?;
        change.execute("DELETE FROM quarantine WHERE world_id = ?1", [world.as_str()])?;
        change.execute("DELETE FROM world WHERE world_id = ?1", [world.as_str()])?;
        Ok(change.commit()?)
    }

    /// One world.
    pub fn world(&mut self, world: &WorldId) -> Result<Option<World>, Error> {
        found(self.connection.query_row("SELECT * FROM world WHERE world_id = ?1", [world.as_str()], read))
    }

    /// The public worlds and those of this player, those joined last first; `LISTED_MAX` at most.
    pub fn worlds(&mut self, viewer: Option<&ClientId>, page: &Page) -> Result<Vec<World>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT * FROM world WHERE (coalesce(json_extract(policy, '$.visibility'), 'public') = 'public' OR created_by = ?1)
                AND (?2 IS NULL OR updated_at < ?2 OR (updated_at = ?2 AND world_id > ?3)) ORDER BY updated_at DESC, world_id LIMIT ?4",
        )?;
        let after = page.after.as_ref();
        let of = params![
            viewer.map_or("", ClientId::as_str),
            after.map(|after| after.at),
            after.map(|after| after.name.as_str()),
            page.limit.min(LISTED_MAX)
        ];
        Ok(query.query_map(of, read)?.collect::<rusqlite::Result<_>>()?)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<World> {
    Ok(World {
        world_id: parsed(row, "world_id")?,
        name: row.get("name")?,
        description: row.get("description")?,
        created_by: parsed(row, "created_by")?,
        generation: row.get("generation")?,
        created_at_ms: row.get("created_at")?,
        updated_at_ms: row.get("updated_at")?,
        policy: from_json(row, "policy")?,
        changed: row.get("changed")?,
    })
}
