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

/// Puts the previous generation in the place of a damaged file, which is kept under another name; answers what is in place now. There is a file by that name at
/// every moment: without one, whoever came next would begin a new world.
///
/// # Errors
/// When there is no whole previous generation, or the disk is full or broken: the damaged file is where it was then.
pub fn restore_previous(path: &Path) -> Result<Previous, StoreError> {
    let io_error = |error: io::Error| StoreError::Io { path: path.to_owned(), error: error.to_string() };
    let previous = find_previous(path)
        .ok_or_else(|| StoreError::Io { path: beside(path, "previous"), error: "there is no whole previous generation".into() })?;
    let (copy, damaged) = (beside(path, "restoring"), beside(path, "damaged"));
    if let Err(error) = fs::copy(&previous.path, &copy).and_then(|_| File::open(&copy)?.sync_all()) {
        // Half a copy helps nobody, least of all on a full disk.
        fs::remove_file(&copy).ok();
        return Err(io_error(error));
    }
    remove(&damaged)?;
    for suffix in LOGS {
        if_there(fs::rename(with_suffix(path, suffix), with_suffix(&damaged, suffix))).map_err(io_error)?;
    }
    // A second name, so that the first one always names something; file systems that have no second names get it moved.
    if_there(fs::hard_link(path, &damaged)).or_else(|_| fs::rename(path, &damaged)).map_err(io_error)?;
    put_in_place(&copy, path).map_err(io_error)?;
    Ok(previous)
}

pub(crate) fn keep_previous(file: &WorldFile, path: &Path) -> Result<(), StoreError> {
    let copy = beside(path, "copying");
    remove(&copy)?;
    // A copy that cannot be read is no generation to fall back to.
    let kept = file.copy_to(&copy).and_then(|()| WorldFile::read(&copy)).and_then(|_| replace(&copy, &beside(path, "previous")));
    // Half a copy would keep a full disk full.
    kept.inspect_err(|_| _ = remove(&copy))
}

/// Removes a file and the logs beside it, if they are there.
pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    for suffix in LOGS.into_iter().chain([""]) {
        let path = with_suffix(path, suffix);
        if_there(fs::remove_file(&path)).map_err(|error| StoreError::Io { path, error: error.to_string() })?;
    }
    Ok(())
}

/// Removes what may stand beside a world's file: the generation before, a damaged one, and what a kill has left half-made.
pub(crate) fn remove_beside(path: &Path) -> Result<(), StoreError> {
    ["previous", "damaged", "copying", "restoring", "fresh"].into_iter().try_for_each(|what| remove(&beside(path, what)))
}

/// Puts a whole file in the place of another one, whose logs must not outlive it: SQLite would take them for the new one's. What they hold is written into the
/// file before they go, so that until the new one is in its place the old one is whole.
pub(crate) fn replace(fresh: &Path, path: &Path) -> Result<(), StoreError> {
    if with_suffix(path, "-wal").exists() {
        match WorldFile::take_log_in(path) {
            // It is damaged, and nothing of it could be saved.
            Ok(()) | Err(StoreError::Damaged { .. }) => {}
            Err(error) => return Err(error),
        }
    }
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

/// What is not there need not be moved or removed.
fn if_there(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

pub(crate) fn beside(path: &Path, what: &str) -> PathBuf {
    with_suffix(path, &format!(".{what}"))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As after a kill: the newest state is in the log alone.
    fn killed(folder: &Path) -> PathBuf {
        let (path, held) = (folder.join("world.sqlite"), folder.join("held.sqlite"));
        let (file, _) = WorldFile::open(&held, "world_0a1b2c3d").expect("a new file");
        for suffix in ["", "-wal"] {
            fs::copy(with_suffix(&held, suffix), with_suffix(&path, suffix)).expect("copied");
        }
        drop(file);
        path
    }

    #[test]
    fn a_world_that_could_not_be_replaced_has_lost_nothing_that_was_in_its_log() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = killed(folder.path());
        assert!(fs::metadata(with_suffix(&path, "-wal")).expect("a log").len() > 0);
        replace(&folder.path().join("nothing there"), &path).expect_err("there is nothing to put in its place");
        let (file, _) = WorldFile::open(&path, "world_0a1b2c3d").expect("it is whole");
        assert_eq!(file.save_epoch(), 2, "the first opening was in the log");
    }
}
