//! The SQLite file: opened, verified, saved into.

use crate::contents::{Artifact, Contents, Kind, PartKey, Parts, artifact_key, chunk_key, edit_key};
use crate::damage;
use crate::format::{self, STATE_VERSION, StateRow};
use crate::limits::BUSY_TIMEOUT_MS;
use crate::{StoreError, exchange};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, params};
use sim::Checkpoint;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The schema's versions, oldest first; `PRAGMA user_version` counts those that were applied. A released one is never edited.
const MIGRATIONS: [&str; 1] = [include_str!("0001_first.sql")];

/// A world file that this process holds: it may save until somebody else opens it.
#[derive(Debug)]
pub struct WorldFile {
    connection: Connection,
    path: PathBuf,
    world_id: String,
    save_epoch: i64,
    /// By part: its sum, so that a save can tell the sum of all without reading them.
    sums: BTreeMap<PartKey, u64>,
}

/// Where a world's recordings are kept: beside its file, by the same name.
pub fn recordings_folder(path: &Path) -> PathBuf {
    path.with_extension("recordings")
}

impl WorldFile {
    /// Opens this world's file, making it when there is none, and takes the next epoch. Answers also what it holds; nothing before the first save.
    ///
    /// # Errors
    /// When the file is damaged, newer than this program, another world's, or cannot be written. It is as it was then.
    pub fn open(path: &Path, world_id: &str) -> Result<(Self, Option<Contents>), StoreError> {
        let failed = |error| failure(path, &error);
        let mut connection = Connection::open(path).map_err(failed)?;
        prepare(&connection).map_err(failed)?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
        migrate(&mut connection, path)?;
        // Nobody else opens or saves between what is read and what is written: two would take the same epoch, or the sum would be that of a save before.
        let change = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let (row, contents, sums) = match read(&change, path)? {
            Some(read) => read,
            None => {
                let sum = format::world_sum(world_id, 0, None, 0);
                change
                    .execute(
                        "INSERT INTO world (id, world_id, save_epoch, sum) VALUES (1, ?1, 0, ?2)",
                        params![world_id, sum.cast_signed()],
                    )
                    .map_err(failed)?;
                (Row { world_id: world_id.to_owned(), save_epoch: 0, state: None }, None, BTreeMap::new())
            }
        };
        if row.world_id != world_id {
            return Err(StoreError::OtherWorld { path: path.to_owned(), found: row.world_id, expected: world_id.to_owned() });
        }
        let save_epoch = row.save_epoch + 1;
        let sum = format::world_sum(world_id, save_epoch, row.state.as_ref(), total(&sums));
        change.execute("UPDATE world SET save_epoch = ?1, sum = ?2", params![save_epoch, sum.cast_signed()]).map_err(failed)?;
        change.commit().map_err(failed)?;
        Ok((Self { connection, path: path.to_owned(), world_id: world_id.to_owned(), save_epoch, sums }, contents))
    }

    /// What a file holds that nobody writes: a stopped world's, or a copy. `None` before the first save.
    ///
    /// # Errors
    /// When there is no file, or it is damaged or newer than this program.
    pub fn read(path: &Path) -> Result<Option<Contents>, StoreError> {
        let failed = |error| failure(path, &error);
        // Not read-only: what a killed writer left in the log must be taken in first.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        prepare(&connection).map_err(failed)?;
        migrate(&mut connection, path)?;
        // One moment of the file, also should somebody begin to write it meanwhile.
        let moment = connection.transaction().map_err(failed)?;
        Ok(read(&moment, path)?.and_then(|(_, contents, _)| contents))
    }

    /// Saves a tick, whole, in one transaction that is on the disk when this returns. Artifacts are added to those that the file has; those that the state
    /// does not name any more go.
    ///
    /// # Errors
    /// When somebody else holds the file now, or the disk is full or broken. The file holds what it held before then.
    pub fn save(&mut self, checkpoint: &Checkpoint, artifacts: &[Artifact], now_ms: i64) -> Result<(), StoreError> {
        let state = StateRow {
            tick: checkpoint.saved.tick().cast_signed(),
            saved_at_ms: now_ms,
            version: STATE_VERSION,
            bytes: format::encode_state(&checkpoint.saved),
        };
        let (written, gone) = self.changes(checkpoint, artifacts);
        let mut sums = self.sums.clone();
        gone.iter().for_each(|key| _ = sums.remove(key));
        let (world_id, ours) = (self.world_id.clone(), self.save_epoch);
        let failed = |error| failure(&self.path, &error);
        let change = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let theirs: i64 = change.query_row("SELECT save_epoch FROM world", [], |row| row.get(0)).map_err(failed)?;
        if theirs != ours {
            return Err(StoreError::Fenced { path: self.path.clone(), theirs, ours });
        }
        {
            let mut write =
                change.prepare_cached("INSERT OR REPLACE INTO part (kind, key, data, sum) VALUES (?1, ?2, ?3, ?4)").map_err(failed)?;
            for ((kind, key), data) in written {
                let sum = format::part_sum(kind as i64, &key, &data);
                write.execute(params![kind as i64, key, data, sum.cast_signed()]).map_err(failed)?;
                sums.insert((kind, key), sum);
            }
            let mut remove = change.prepare_cached("DELETE FROM part WHERE kind = ?1 AND key = ?2").map_err(failed)?;
            for (kind, key) in gone {
                remove.execute(params![kind as i64, key]).map_err(failed)?;
            }
        }
        let sum = format::world_sum(&world_id, ours, Some(&state), total(&sums));
        change
            .execute(
                "UPDATE world SET tick = ?1, saved_at_ms = ?2, state_version = ?3, state = ?4, sum = ?5",
                params![state.tick, state.saved_at_ms, state.version, state.bytes, sum.cast_signed()],
            )
            .map_err(failed)?;
        change.commit().map_err(failed)?;
        self.sums = sums;
        Ok(())
    }

    /// Makes a world's file of this, in the place of the one that is there, if one is. Nobody may hold that.
    ///
    /// # Errors
    /// When the disk is full or broken; the file that was there is still there then.
    pub fn replace(path: &Path, contents: &Contents) -> Result<(), StoreError> {
        let fresh = damage::beside(path, "fresh");
        damage::remove(&fresh)?;
        let replaced = Self::make(&fresh, contents).and_then(|()| damage::replace(&fresh, path));
        // Half a file would keep a full disk full.
        replaced.inspect_err(|_| _ = damage::remove(&fresh))
    }

    /// Makes a file of this, without a log of its own: it can be renamed.
    fn make(path: &Path, contents: &Contents) -> Result<(), StoreError> {
        let (mut file, _) = Self::open(path, &contents.world_id)?;
        file.save(&exchange::checkpoint_of(contents), &contents.artifacts, contents.saved_at_ms)?;
        drop(file);
        Self::take_log_in(path)
    }

    /// Writes what the file's log holds into the file itself, which has no log then. Nobody may hold it.
    pub(crate) fn take_log_in(path: &Path) -> Result<(), StoreError> {
        let failed = |error| failure(path, &error);
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
        prepare(&connection).map_err(failed)?;
        connection.pragma_update(None, "journal_mode", "DELETE").map_err(failed)
    }

    /// Deletes a world's file and what stands beside it. Nobody may hold it.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn delete(path: &Path) -> Result<(), StoreError> {
        let folder = recordings_folder(path);
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::Io { path: folder, error: error.to_string() });
            }
            _ => {}
        }
        damage::remove_beside(path)?;
        damage::remove(path)
    }

    /// Which opening of the file this is: each takes a greater number, and only the greatest may save.
    pub fn save_epoch(&self) -> i64 {
        self.save_epoch
    }

    /// Copies the world as it was saved last into another file, which must not be there yet.
    ///
    /// # Errors
    /// When the disk is full or broken; what was written of it is gone again then.
    pub fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        let refused = |why: &str| StoreError::Io { path: path.to_owned(), error: why.to_owned() };
        let name = path.to_str().ok_or_else(|| refused("its name is not UTF-8"))?;
        if path.exists() {
            return Err(refused("it is there already"));
        }
        let copied = self.connection.execute("VACUUM INTO ?1", [name]).map(drop).map_err(|error| failure(path, &error));
        copied.inspect_err(|_| _ = damage::remove(path))
    }

    /// Keeps the world as it was saved last as the previous generation, in place of the one before.
    ///
    /// # Errors
    /// When the disk is full or broken, or the copy is not whole; the generation before is still there then.
    pub fn keep_previous(&self) -> Result<(), StoreError> {
        damage::keep_previous(self, &self.path)
    }

    /// The parts to write, and the names of those that go.
    fn changes(&self, checkpoint: &Checkpoint, artifacts: &[Artifact]) -> (Vec<(PartKey, Vec<u8>)>, Vec<PartKey>) {
        let needed: BTreeSet<PartKey> = checkpoint.saved.revisions().map(|(spell, revision)| artifact_key(spell, revision)).collect();
        let chunks = checkpoint.chunks.iter().map(|(id, chunk)| (chunk_key(*id), format::encode_chunk(chunk)));
        let edits = checkpoint.journal.added.iter().map(|(number, entry)| (edit_key(*number), format::encode_edit(entry)));
        let named = artifacts.iter().map(|artifact| (artifact_key(&artifact.spell, &artifact.revision), artifact));
        let new = named.filter(|(key, _)| needed.contains(key) && !self.sums.contains_key(key));
        let written = chunks.chain(edits).chain(new.map(|(key, artifact)| (key, artifact.bytes.to_vec()))).collect();
        let idle = self.sums.keys().filter(|key| key.0 == Kind::Artifact && !needed.contains(key)).cloned();
        let gone = checkpoint.journal.gone.iter().map(|number| edit_key(*number)).chain(idle).collect();
        (written, gone)
    }
}

/// The world's row.
struct Row {
    world_id: String,
    save_epoch: i64,
    state: Option<StateRow>,
}

type Sums = BTreeMap<PartKey, u64>;

/// Reads and verifies everything, within one transaction of its caller's; nothing where no world was ever written.
fn read(connection: &Connection, path: &Path) -> Result<Option<(Row, Option<Contents>, Sums)>, StoreError> {
    let failed = |error| failure(path, &error);
    let damaged = |what: &str| damage::damaged(path, what);
    let check: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(failed)?;
    if check != "ok" {
        return Err(damaged(&check));
    }
    let Some((row, sum)) = read_row(connection).map_err(failed)? else { return Ok(None) };
    let (parts, sums) = read_parts(connection, path)?;
    if format::world_sum(&row.world_id, row.save_epoch, row.state.as_ref(), total(&sums)) != sum {
        return Err(damaged("its checksum is not that of what it holds"));
    }
    let contents = match &row.state {
        None => None,
        Some(state) => {
            let saved = format::decode_state(state.version, &state.bytes).map_err(|error| damaged(error.0))?;
            Some(parts.into_contents(row.world_id.clone(), state.saved_at_ms, saved))
        }
    };
    Ok(Some((row, contents, sums)))
}

fn read_row(connection: &Connection) -> rusqlite::Result<Option<(Row, u64)>> {
    let mut query = connection.prepare("SELECT world_id, save_epoch, tick, saved_at_ms, state_version, state, sum FROM world")?;
    let mut rows = query.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let state = match row.get::<_, Option<Vec<u8>>>(5)? {
        Some(bytes) => Some(StateRow { tick: row.get(2)?, saved_at_ms: row.get(3)?, version: row.get(4)?, bytes }),
        None => None,
    };
    Ok(Some((Row { world_id: row.get(0)?, save_epoch: row.get(1)?, state }, row.get::<_, i64>(6)?.cast_unsigned())))
}

fn read_parts(connection: &Connection, path: &Path) -> Result<(Parts, Sums), StoreError> {
    let failed = |error| failure(path, &error);
    let (mut parts, mut sums) = (Parts::default(), BTreeMap::new());
    let mut query = connection.prepare("SELECT kind, key, data, sum FROM part").map_err(failed)?;
    let mut rows = query.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let (number, key): (i64, Vec<u8>) = (row.get(0).map_err(failed)?, row.get(1).map_err(failed)?);
        let data = row.get_ref(2).and_then(|data| Ok(data.as_blob()?)).map_err(failed)?;
        let sum = row.get::<_, i64>(3).map_err(failed)?.cast_unsigned();
        if format::part_sum(number, &key, data) != sum {
            return Err(damage::damaged(path, "a part's checksum is not that of its bytes"));
        }
        let kind = Kind::of(number).and_then(|kind| parts.take(kind, &key, data).map(|()| kind));
        sums.insert((kind.map_err(|error| damage::damaged(path, error.0))?, key), sum);
    }
    Ok((parts, sums))
}

/// Added up: it does not matter in which order, and one that changes is taken out by its old sum.
fn total(sums: &Sums) -> u64 {
    sums.values().fold(0, |total, sum| total.wrapping_add(*sum))
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // A damaged or planted schema must not run anything, and a damaged page is told, not guessed at.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |error| failure(path, &error);
    let known = MIGRATIONS.len() as u32;
    let found = applied(connection).map_err(failed)?;
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    for (version, migration) in (1_u32..).zip(MIGRATIONS).skip(found as usize) {
        let change = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        // Whoever opened the file at the same time may have been faster.
        if applied(&change).map_err(failed)? >= version {
            continue;
        }
        change.execute_batch(migration).map_err(failed)?;
        change.pragma_update(None, "user_version", version).map_err(failed)?;
        change.commit().map_err(failed)?;
    }
    Ok(())
}

/// How many of the schema's versions the file has.
fn applied(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// What SQLite says, as ours: damage is what it finds in the file, all else is the system's.
pub(crate) fn failure(path: &Path, error: &rusqlite::Error) -> StoreError {
    let io = [ErrorCode::CannotOpen, ErrorCode::DiskFull, ErrorCode::SystemIoFailure, ErrorCode::PermissionDenied, ErrorCode::ReadOnly];
    let busy = [ErrorCode::DatabaseBusy, ErrorCode::DatabaseLocked, ErrorCode::OutOfMemory, ErrorCode::FileLockingProtocolFailed];
    match error.sqlite_error_code() {
        Some(code) if io.contains(&code) || busy.contains(&code) => StoreError::Io { path: path.to_owned(), error: error.to_string() },
        _ => damage::damaged(path, &error.to_string()),
    }
}
