//! The control plane's SQLite database: the only place with SQL. What a call acknowledges is on the disk.

mod answer;
mod artifact;
pub mod backup;
mod job;
mod lineup;
mod log;
mod operator_log;
mod ownership;
mod rollout;
mod session;
mod spell;
mod usage;
mod world;

pub use answer::Answered;
pub use artifact::Native;
pub use job::{Built, NewJob};
pub use lineup::{Asked, Changed, Chosen, Lineup, Quarantine};
pub use log::LogEntry;
pub use operator_log::OperatorAct;
pub use ownership::{Act, AuditEntry};
pub use rollout::{Ending, Rollout};
pub use session::{Ban, Login};
pub use spell::{Publication, Published, Revision, RolledBack, SpellRow};
pub use usage::Used;
pub use world::World;

use crate::error::Error;
use rusqlite::{Connection, Row, TransactionBehavior, types::Type};
use std::{
    path::Path,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The schema's versions, oldest first; `PRAGMA user_version` counts those that were applied. A released one is never edited.
const MIGRATIONS: [&str; 6] = [
    include_str!("store/0001_first.sql"),
    include_str!("store/0002_generation.sql"),
    include_str!("store/0003_pipeline.sql"),
    include_str!("store/0004_live.sql"),
    include_str!("store/0005_trust.sql"),
    include_str!("store/0006_usage.sql"),
];

/// A handle on the database; clones share it.
#[derive(Clone)]
pub struct Store(Arc<Mutex<Database>>);

impl Store {
    /// Opens the database in this file, making or migrating it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // A change that reads first and then finds another writer (an operator's shell, say) would fail at once, without the timeout.
        connection.set_transaction_behavior(TransactionBehavior::Immediate);
        migrate(&mut connection)?;
        Ok(Self(Arc::new(Mutex::new(Database { connection }))))
    }

    /// Asks from async code, on a thread that may wait for the disk.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Database) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let store = self.clone();
        tokio::task::spawn_blocking(move || store.with(question)).await.map_err(|_| Error::Lost)?
    }

    /// Asks from a thread that may wait.
    pub fn with<T>(&self, question: impl FnOnce(&mut Database) -> Result<T, Error>) -> Result<T, Error> {
        // A panic in a question rolls its transaction back, so the connection behind a poisoned lock is sound.
        question(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The open database. Its questions are methods, each in the file of its noun.
pub struct Database {
    connection: Connection,
}

/// A database that somebody else may be writing.
fn read_only(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(connection)
}

fn migrate(connection: &mut Connection) -> Result<(), Error> {
    let applied: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = MIGRATIONS.len() as u32;
    if applied > known {
        return Err(Error::NewerDatabase { found: applied, known });
    }
    for (version, migration) in (1_u32..).zip(MIGRATIONS).skip(applied as usize) {
        let change = connection.transaction()?;
        change.execute_batch(migration)?;
        change.pragma_update(None, "user_version", version)?;
        change.commit()?;
    }
    Ok(())
}

/// A column that holds one of our names.
fn parsed<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))
}

/// A column that holds one of our names, or nothing.
fn parsed_option<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>> {
    match row.get::<_, Option<String>>(column)? {
        Some(_) => parsed(row, column).map(Some),
        None => Ok(None),
    }
}

/// A column that holds JSON, which may also be a bare word.
fn from_json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))
}

/// Tells a unique row that is not there from a failure.
fn found<T>(result: rusqlite::Result<T>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::RevisionId;

    #[test]
    fn a_database_of_a_newer_program_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.sqlite");
        drop(Store::open(&path).unwrap());
        let newer = Connection::open(&path).unwrap();
        newer.pragma_update(None, "user_version", 99).unwrap();
        drop(newer);
        let before = std::fs::read(&path).unwrap();
        let Err(error) = Store::open(&path) else { panic!("it was opened") };
        let words = error.to_string();
        assert!(words.contains("version 99") && words.contains("start the newer one"), "{words}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_database_of_before_the_pipeline_keeps_its_spells() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.sqlite");
        let old = Connection::open(&path).unwrap();
        for (version, migration) in (1..).zip(&MIGRATIONS[..2]) {
            old.execute_batch(migration).unwrap();
            old.pragma_update(None, "user_version", version).unwrap();
        }
        let hash = "0".repeat(64);
        // As that version wrote it.
        let manifest = serde_json::json!({
            "spell_id": "fireball", "revision_id": "rev_000001_00000000", "parent_revision_id": null, "version": 1,
            "created_at": "2026-10-01T12:00:00.000Z", "author": "kim", "language": "rust", "interface_version": "0.1.0",
            "entrypoint": "component.wasm", "component": { "hash": hash, "size": 9 },
            "code": [{ "path": "src/lib.rs", "hash": hash, "size": 2, "content_type": "text/plain; charset=utf-8" }], "assets": [],
            "metadata": { "name": "", "description": "", "tags": [], "preview_icon": "" }, "envelope": {},
            "build": { "toolchain": "rustc 1.95.0", "sdk_version": "0.1.0", "log": "" },
        });
        old.execute_batch(&format!(
            "INSERT INTO player VALUES ('client_000000000001', 'kim', x'00', 0);
             INSERT INTO spell VALUES ('fireball', 'client_000000000001', 'Fireball', 'rev_000001_00000000', 'rev_000001_00000000', NULL, 1, 0, 0);
             INSERT INTO publication (spell_id, channel, revision_id, client_id, published_at) VALUES ('fireball', 'beta', 'rev_000001_00000000', 'client_000000000001', 0);
             INSERT INTO revision (spell_id, number, revision_id, content_hash, artifact_hash, manifest, published)
                VALUES ('fireball', 1, 'rev_000001_00000000', '{hash}', '{hash}', '{manifest}', 1);"
        ))
        .unwrap();
        drop(old);
        let store = Store::open(&path).unwrap();
        let (spell, revision): (_, RevisionId) = ("fireball".parse().unwrap(), "rev_000001_00000000".parse().unwrap());
        let stored = store.with(|db| db.revision(&spell, &revision)).unwrap().unwrap();
        assert!(stored.published && stored.revoked.is_none() && stored.manifest.measured.is_none());
        let published = store.with(|db| db.published_components()).unwrap();
        assert_eq!(published, [(hash.parse().unwrap(), true)].into());
    }
}
