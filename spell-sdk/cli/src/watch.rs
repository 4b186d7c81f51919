//! A spell's folder, watched: says that it was saved.

use crate::limits::{SAVE_QUIET_TIME, SAVE_WAIT_MAX};
use crate::package::FOLDERS;
use anyhow::{Context, Result};
use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A folder under watch.
pub struct Watch {
    watcher: RecommendedWatcher,
    root: PathBuf,
    is_folder: bool,
}

impl Watch {
    /// Watches the folder, or the folder of a single file; `tell` hears of every change.
    pub fn new(path: &Path, tell: impl Fn(Instant) + Send + 'static) -> Result<Self> {
        let path = path.canonicalize().with_context(|| format!("there is no {}", path.display()))?;
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // An error is a queue that ran over: something has changed.
            if event.map_or(true, |event| is_change(&event.kind)) {
                tell(Instant::now());
            }
        })
        .context("folders cannot be watched")?;
        let is_folder = path.is_dir();
        let root = if is_folder { path } else { path.parent().context("a file is in a folder")?.to_path_buf() };
        let mut watch = Self { watcher, root, is_folder };
        watch.watcher.watch(&watch.root, RecursiveMode::NonRecursive).with_context(|| format!("cannot watch {}", watch.root.display()))?;
        watch.refresh();
        Ok(watch)
    }

    /// Watches the folders of a package that have come since. The whole tree is not watched: cargo's target folder may lie in it.
    pub fn refresh(&mut self) {
        let folders = FOLDERS.iter().map(|folder| self.root.join(folder)).filter(|folder| self.is_folder && folder.is_dir());
        for folder in folders {
            // One that is gone again will be told of by the root.
            let _ = self.watcher.watch(&folder, RecursiveMode::Recursive);
        }
    }
}

/// Whether a file may have another content now. That we read it is no change.
fn is_change(kind: &EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        _ => true,
    }
}

/// How long to wait for a further change, when the first was so long ago: an editor's save is several.
pub fn quiet_time(since: Duration) -> Option<Duration> {
    SAVE_WAIT_MAX.checked_sub(since).map(|left| left.min(SAVE_QUIET_TIME)).filter(|left| !left.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_save_is_over_when_it_is_quiet_or_has_lasted_too_long() {
        assert_eq!(quiet_time(Duration::ZERO), Some(SAVE_QUIET_TIME));
        assert_eq!(quiet_time(SAVE_WAIT_MAX - Duration::from_millis(1)), Some(Duration::from_millis(1)));
        assert_eq!(quiet_time(SAVE_WAIT_MAX), None);
        assert_eq!(quiet_time(SAVE_WAIT_MAX * 2), None);
    }
}
