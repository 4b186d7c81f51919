//! Native code of components, and what builds came to, in the database.

use super::{Database, found, parsed};
use crate::{error::Error, limits::BUILDS_CACHED_MAX};
use protocol::Sha256Hex;
use rusqlite::params;

/// Of which component native code is, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Native {
    /// The component.
    pub component: Sha256Hex,
    /// Whether this server's builder made it.
    pub ours: bool,
    /// The engine that it is for.
    pub engine_id: String,
    /// The key that it is signed with.
    pub public_key: String,
}

impl Database {
    /// The signed artifact, if there is one.
    pub fn artifact(&mut self, native: &Native) -> Result<Option<Sha256Hex>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT artifact_hash FROM artifact WHERE component_hash = ?1 AND ours = ?2 AND engine_id = ?3 AND public_key = ?4",
        )?;
        let of = params![native.component.as_str(), native.ours, native.engine_id, native.public_key];
        found(query.query_row(of, |row| parsed(row, "artifact_hash")))
    }

    /// Whether these are the bytes of a signed artifact.
    pub fn is_artifact(&mut self, hash: &Sha256Hex) -> Result<bool, Error> {
        let mut query = self.connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM artifact WHERE artifact_hash = ?1)")?;
        Ok(query.query_row([hash.as_str()], |row| row.get(0))?)
    }

    /// Notes it; one that was there is replaced.
    pub fn add_artifact(&mut self, native: &Native, artifact: &Sha256Hex) -> Result<(), Error> {
        self.connection.execute(
            "INSERT OR REPLACE INTO artifact (component_hash, ours, engine_id, public_key, artifact_hash) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![native.component.as_str(), native.ours, native.engine_id, native.public_key, artifact.as_str()],
        )?;
        Ok(())
    }

    /// What a build of this package came to, as JSON.
    pub fn built(&mut self, package_key: &Sha256Hex, now_ms: i64) -> Result<Option<String>, Error> {
        let mut query =
            self.connection.prepare_cached("UPDATE built SET used_at = max(used_at, ?2) WHERE package_key = ?1 RETURNING result")?;
        found(query.query_row(params![package_key.as_str(), now_ms], |row| row.get(0)))
    }

    /// Remembers it, and forgets what was not asked for longest.
    pub fn add_built(&mut self, package_key: &Sha256Hex, result: &str, now_ms: i64) -> Result<(), Error> {
        let change = self.connection.transaction()?;
        change.execute(
            "INSERT OR REPLACE INTO built (package_key, result, used_at) VALUES (?1, ?2, ?3)",
            params![package_key.as_str(), result, now_ms],
        )?;
        change.execute(
            "DELETE FROM built WHERE used_at < (SELECT used_at FROM built ORDER BY used_at DESC LIMIT 1 OFFSET ?1)",
            [BUILDS_CACHED_MAX - 1],
        )?;
        Ok(change.commit()?)
    }
}
