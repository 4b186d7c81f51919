//! The last minute before a spell's fault, in a file for its author: written on a thread of its own.

use crate::limits::{RECORDING_INTERVAL_TICKS, RECORDINGS_KEPT_MAX};
use game::Game;
use game::recording::Recording;
use sim::Outbound;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};

/// Where the game loop leaves what should be kept.
#[derive(Debug)]
pub struct Recordings {
    jobs: SyncSender<Recording>,
    /// The first tick in which another one may be kept.
    due: u64,
}

impl Recordings {
    /// Starts the thread. The folder is made with the first recording.
    ///
    /// # Errors
    /// When the system gives us no thread.
    pub fn start(folder: PathBuf) -> io::Result<Self> {
        // One is written while the next may wait: more at once are for nobody.
        let (jobs, waiting) = sync_channel::<Recording>(1);
        std::thread::Builder::new().name("recordings".into()).spawn(move || {
            for recording in waiting {
                match keep(&folder, &recording) {
                    Ok(path) => {
                        tracing::info!(path = %path.display(), ticks = recording.ticks(), "a spell faulted; `spell replay` runs what led to it")
                    }
                    Err(error) => tracing::warn!(folder = %folder.display(), %error, "a recording was not kept"),
                }
            }
        })?;
        Ok(Self { jobs, due: 0 })
    }

    /// Keeps what led to this tick if a spell faulted in it, and none was kept a moment ago.
    pub fn events(&mut self, game: &Game, tick: u64, outbound: &[Outbound]) {
        let faulted = outbound.iter().any(|event| matches!(event, Outbound::CastFaulted { .. }));
        if faulted
            && tick >= self.due
            && let Some(recording) = game.recording()
            && self.jobs.try_send(recording).is_ok()
        {
            self.due = tick + RECORDING_INTERVAL_TICKS;
        }
    }
}

/// Writes one, whole or not at all, and lets go of the oldest beyond those that are kept.
fn keep(folder: &Path, recording: &Recording) -> io::Result<PathBuf> {
    let bytes = recording.encode().map_err(io::Error::other)?;
    fs::create_dir_all(folder)?;
    // The tick that it ends with, of a fixed length: the names sort as the ticks do.
    let path = folder.join(format!("{:012}.recording", recording.first_tick() + recording.ticks() as u64));
    // Always the same name: what a kill leaves behind is written over by the next.
    let unfinished = folder.join("unfinished");
    let written = fs::write(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, &path));
    // Half of one would keep a full disk full, and the world could not be saved on it.
    written.inspect_err(|_| _ = fs::remove_file(&unfinished))?;
    let mut kept: Vec<PathBuf> = fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    kept.retain(|path| path.extension().is_some_and(|extension| extension == "recording"));
    kept.sort();
    let oldest = kept.len().saturating_sub(RECORDINGS_KEPT_MAX);
    kept.iter().take(oldest).try_for_each(fs::remove_file)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim::{Inbound, Thoroughness};

    #[test]
    fn the_newest_are_kept_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().join("recordings");
        let mut game = Game::new(7);
        game.record();
        game.step(&[Inbound::Checkpoint(Thoroughness::InPassing)], &mut |_| ());
        let mut paths = Vec::new();
        for _ in 0..RECORDINGS_KEPT_MAX + 2 {
            game.step(&[], &mut |_| ());
            paths.push(keep(&folder, &game.recording().expect("it is recorded")).expect("it is kept"));
        }
        let kept = fs::read_dir(&folder).expect("the folder").count();
        assert_eq!(kept, RECORDINGS_KEPT_MAX);
        let newest = fs::read(&paths[paths.len() - 1]).expect("the newest");
        assert_eq!(Recording::decode(&newest).expect("it is whole").ticks(), RECORDINGS_KEPT_MAX + 2);
        assert!(!paths[0].exists());
    }
}
