//! The previous generation: a copy that is kept beside each world file, offered when that file is damaged.

use crate::file::WorldFile;
use crate::{Contents, StoreError};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// What SQLite keeps beside a file that it writes, or that was being written when its process died.
const LOGS: [&str; 2] = ["-wal", "-shm"];

/// A whole generation older than a damaged file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    /// Its file.
    pub path: PathBuf,
    /// Ticks that it holds.
    pub tick: u64,
    /// When it was saved, milliseconds since 1970.
    pub saved_at_ms: i64,
}

/// Puts the previous generation in the place of a damaged file, which is kept under another name; answers what is in place now.
///
/// # Errors
/// When there is no whole previous generation, or the files cannot be renamed.
pub fn restore_previous(path: &Path) -> Result<Previous, StoreError> {
    let io_error = |error: io::Error| StoreError::Io { path: path.to_owned(), error: error.to_string() };
    let previous = find_previous(path)
        .ok_or_else(|| StoreError::Io { path: beside(path, "previous"), error: "there is no whole previous generation".into() })?;
    for suffix in LOGS.into_iter().chain([""]) {
        let (from, to) = (with_suffix(path, suffix), with_suffix(&beside(path, "damaged"), suffix));
        match fs::rename(&from, &to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_error(error)),
            _ => {}
        }
    }
    let copy = beside(path, "restoring");
    fs::copy(&previous.path, &copy).map_err(io_error)?;
    replace(&copy, path)?;
    Ok(previous)
}

pub(crate) fn keep_previous(file: &WorldFile, path: &Path) -> Result<(), StoreError> {
    let copy = beside(path, "copying");
    remove(&copy)?;
    file.copy_to(&copy)?;
    // A copy that cannot be read is no generation to fall back to.
    WorldFile::read(&copy)?;
    replace(&copy, &beside(path, "previous"))
}

/// Removes a file and the logs beside it, if they are there.
pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    for suffix in LOGS.into_iter().chain([""]) {
        let path = with_suffix(path, suffix);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(StoreError::Io { path, error: error.to_string() }),
            _ => {}
        }
    }
    Ok(())
}

/// Puts a whole file in the place of another one, whose logs must not outlive it: SQLite would take them for the new one's.
pub(crate) fn replace(fresh: &Path, path: &Path) -> Result<(), StoreError> {
    for suffix in LOGS {
        remove(&with_suffix(path, suffix))?;
    }
    put_in_place(fresh, path).map_err(|error| StoreError::Io { path: path.to_owned(), error: error.to_string() })
}

/// The file is damaged, in these words.
pub(crate) fn damaged(path: &Path, what: &str) -> StoreError {
    // A copy that is damaged has no copy of its own.
    let is_copy = path.extension().is_some_and(|extension| extension == "previous" || extension == "copying");
    let previous = if is_copy { None } else { find_previous(path) };
    StoreError::Damaged { path: path.to_owned(), what: what.chars().take(200).collect(), previous }
}

/// What to do about it.
pub(crate) fn advice(previous: Option<&Previous>) -> String {
    match previous {
        Some(Previous { path, tick, .. }) => format!(
            "; nothing of it was used. Its previous generation, of tick {tick}, is whole: {}. To go on from it: ugc-control world restore <world id>",
            path.display()
        ),
        None => "; nothing of it was used, and there is no whole previous generation. Import an export of the world, or delete it".into(),
    }
}

fn find_previous(path: &Path) -> Option<Previous> {
    let path = beside(path, "previous");
    let Contents { saved_at_ms, stored, .. } = WorldFile::read(&path).ok()??;
    Some(Previous { path, tick: stored.saved.tick(), saved_at_ms })
}

/// After this the name means the new file, also after a power cut.
fn put_in_place(from: &Path, to: &Path) -> io::Result<()> {
    File::open(from)?.sync_all()?;
    fs::rename(from, to)?;
    File::open(to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))?.sync_all()
}

pub(crate) fn beside(path: &Path, what: &str) -> PathBuf {
    with_suffix(path, &format!(".{what}"))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
