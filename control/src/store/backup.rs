//! A copy of everything that a control plane keeps: made while it runs, checked, and put in an empty place.

use super::{Store, read_only};
use crate::error::Error;
use ::store::WorldFile;
use protocol::Sha256Hex;
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

/// What a copy holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Blobs.
    pub blobs: usize,
    /// Worlds.
    pub worlds: usize,
}

/// Why a copy is none, or was not made.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The place is taken.
    #[error("{0} is not empty: choose another folder")]
    NotEmpty(PathBuf),
    /// The database is not whole.
    #[error("{path}: {found}")]
    Database {
        /// Which.
        path: PathBuf,
        /// What SQLite says.
        found: String,
    },
    /// A blob is missing or damaged.
    #[error("blob {0} is missing or damaged")]
    Blob(Sha256Hex),
    /// A world's file is damaged.
    #[error(transparent)]
    World(#[from] ::store::StoreError),
    /// Anything else.
    #[error(transparent)]
    Other(#[from] Error),
}

const DATABASE: &str = "control.sqlite";
/// What all keys follow from, and which of them are in use: without it, nothing that was signed is worth anything.
const SMALL_FILES: [&str; 3] = ["secret", "keys.json", "admin_token_hash"];

/// The database is copied anew so often, when a cleanup meanwhile took away what the copy names.
const TRIES: usize = 3;

/// Copies a data directory into an empty folder, whether or not a control plane and its worlds run: each file as it stands at one moment, and all that the database
/// names with it.
pub fn copy(data: &Path, to: &Path) -> Result<Tally, BackupError> {
    if fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(BackupError::NotEmpty(to.to_owned()));
    }
    make_folder(&to.join("worlds"))?;
    let mut tally = Tally::default();
    for name in SMALL_FILES {
        let from = data.join(name);
        if from.exists() {
            fs::copy(&from, to.join(name)).map_err(Error::file(&from))?;
        }
    }
    for world in world_files(&data.join("worlds"))? {
        copy_database(&world, &to.join("worlds").join(world.file_name().unwrap_or_default()))?;
        tally.worlds += 1;
    }
    let mut copied = BTreeSet::new();
    for left in (0..TRIES).rev() {
        let database = to.join(DATABASE);
        copy_database(&data.join(DATABASE), &database)?;
        copy_blobs(&data.join("blobs"), &to.join("blobs"), &mut copied)?;
        match blobs_named(&database)?.into_iter().find(|hash| !copied.contains(hash)) {
            None => break,
            Some(missing) if left == 0 => return Err(BackupError::Blob(missing)),
            Some(_) => fs::remove_file(&database).map_err(Error::file(&database))?,
        }
    }
    tally.blobs = copied.len();
    Ok(tally)
}

/// Those that are not there yet; one that goes away meanwhile is left out.
fn copy_blobs(from: &Path, to: &Path, copied: &mut BTreeSet<Sha256Hex>) -> Result<(), Error> {
    for (hash, path) in blobs(from)? {
        if copied.contains(&hash) {
            continue;
        }
        let folder = to.join(&hash.as_str()[..2]);
        make_folder(&folder)?;
        match fs::copy(&path, folder.join(hash.as_str())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::file(&path)(error)),
            Ok(_) => _ = copied.insert(hash),
        }
    }
    Ok(())
}

/// What a database names, read from a copy of it, for opening one brings it up to date.
fn blobs_named(database: &Path) -> Result<BTreeSet<Sha256Hex>, Error> {
    let aside = tempfile::tempdir().map_err(Error::file(std::env::temp_dir()))?;
    let copy = aside.path().join(DATABASE);
    copy_database(database, &copy)?;
    Store::open(&copy)?.with(|db| db.blobs_named())
}

/// Reads all of a data directory or a copy of one, and says what is wrong with it.
pub fn verify(data: &Path) -> Result<Tally, BackupError> {
    let path = data.join(DATABASE);
    let database = read_only(&path)?;
    let found: String = database.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(Error::from)?;
    if found != "ok" {
        return Err(BackupError::Database { path, found });
    }
    drop(database);
    let mut tally = Tally::default();
    for hash in blobs_named(&path)? {
        let path = data.join("blobs").join(&hash.as_str()[..2]).join(hash.as_str());
        if fs::read(&path).ok().is_none_or(|bytes| Sha256Hex::of(&bytes) != hash) {
            return Err(BackupError::Blob(hash));
        }
        tally.blobs += 1;
    }
    for world in world_files(&data.join("worlds"))? {
        WorldFile::read(&world)?;
        tally.worlds += 1;
    }
    Ok(tally)
}

/// As it stands at one moment, in one file without a log beside it.
fn copy_database(from: &Path, to: &Path) -> Result<(), Error> {
    read_only(from)?.execute("VACUUM INTO ?1", [to.to_string_lossy()])?;
    fs::File::open(to).and_then(|file| file.sync_all()).map_err(Error::file(to))
}

fn world_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>().map_err(Error::file(folder))?;
    Ok(paths.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "sqlite")).collect())
}

fn blobs(folder: &Path) -> Result<Vec<(Sha256Hex, PathBuf)>, Error> {
    let mut found = Vec::new();
    let list = |folder: &Path| -> Result<Vec<PathBuf>, Error> {
        let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>().map_err(Error::file(folder))
    };
    for folder in list(folder)?.into_iter().filter(|path| path.is_dir()) {
        let named = |path: PathBuf| Some((path.file_name()?.to_str()?.parse().ok()?, path));
        found.extend(list(&folder)?.into_iter().filter_map(named));
    }
    Ok(found)
}

fn make_folder(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(Error::file(folder))
}
