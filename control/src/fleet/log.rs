//! A game server's log: it writes to a file, so that it can go on without us, and we pass on what comes.

use super::lines::Lines;
use crate::{
    error::Error,
    ids::WorldId,
    limits::{SERVER_LINE_BYTES_MAX, SERVER_LOG_BYTES_MAX, SERVER_LOG_INTERVAL},
};
use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::task::JoinHandle;

/// The file, to be written to from its end: a server that goes on after it was cut goes on at its beginning.
pub fn open(path: &Path) -> Result<File, Error> {
    File::options().create(true).append(true).open(path).map_err(Error::file(path))
}

/// A log that is passed on to our standard error, line by line under its world's name.
pub struct Tail {
    world: WorldId,
    path: PathBuf,
    /// How much of it was passed on.
    position: u64,
    /// A line that has not ended yet.
    unfinished: Vec<u8>,
    /// Where its lines are kept for operators.
    lines: Arc<Lines>,
}

impl Tail {
    /// From its present end on.
    pub fn new(world: &WorldId, path: PathBuf, lines: Arc<Lines>) -> Self {
        let position = fs::metadata(&path).map_or(0, |about| about.len());
        Self { world: world.clone(), path, position, unfinished: Vec::new(), lines }
    }

    /// Passes on what comes, until the answer is dropped.
    pub fn follow(self) -> Following {
        let tail = Arc::new(Mutex::new(self));
        let followed = tail.clone();
        let task = tokio::spawn(async move {
            loop {
                followed.lock().unwrap_or_else(PoisonError::into_inner).pass_on();
                tokio::time::sleep(SERVER_LOG_INTERVAL).await;
            }
        });
        Following { tail, task }
    }

    /// Passes on what has come. A file that has grown too large is kept aside and begun anew.
    pub fn pass_on(&mut self) {
        let Ok(mut file) = File::options().read(true).write(true).open(&self.path) else { return };
        let length = file.metadata().map_or(0, |about| about.len());
        // Somebody has cut it.
        if length < self.position {
            self.position = 0;
        }
        let mut bytes = Vec::new();
        let read = file.seek(SeekFrom::Start(self.position)).and_then(|_| (&file).take(SERVER_LOG_BYTES_MAX).read_to_end(&mut bytes));
        if read.is_err() {
            return;
        }
        self.position += bytes.len() as u64;
        self.unfinished.extend(bytes);
        while let Some(end) = self.unfinished.iter().position(|byte| *byte == b'\n').or_else(|| {
            let is_long = self.unfinished.len() as u64 >= SERVER_LINE_BYTES_MAX;
            is_long.then_some(SERVER_LINE_BYTES_MAX as usize - 1)
        }) {
            let line: Vec<u8> = self.unfinished.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            tell(&self.world, line.trim_end());
            self.lines.line(&self.world, line.trim_end());
        }
        if self.position >= SERVER_LOG_BYTES_MAX
            && fs::copy(&self.path, self.path.with_extension("log.1")).is_ok()
            && file.set_len(0).is_ok()
        {
            self.position = 0;
        }
    }
}

/// A log that is being passed on. What has come until it is dropped is passed on as well: a server that ends at once has said why.
pub struct Following {
    tail: Arc<Mutex<Tail>>,
    task: JoinHandle<()>,
}

impl Drop for Following {
    fn drop(&mut self) {
        self.task.abort();
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).pass_on();
    }
}

/// Not by eprintln!, which panics once nobody reads our standard error.
pub fn tell(world: &WorldId, line: &str) {
    writeln!(std::io::stderr(), "[{world}] {line}").ok();
}
