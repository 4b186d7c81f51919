//! Saves on their way to the disk: written on a thread of its own, for a disk may take as long as it likes.

use crate::limits::{
    LAST_SAVE_RETRY_INTERVAL, LAST_SAVE_RETRY_TIME, LAST_SAVE_TIMEOUT, PREVIOUS_INTERVAL, SAVE_FAILURES_TOLD_EVERY, SAVER_JOBS_MAX,
};
use crate::link::Reports;
use protocol::link::{Done, Report};
use sim::Checkpoint;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use store::{Artifact, StoreError, WorldFile};

/// Why the file does not hold the world as it was when its server stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsaved {
    /// The disk is full or broken.
    #[error("the last save could not be written, and what happened since the one before is lost: {0}")]
    Disk(String),
    /// It still writes, or hangs.
    #[error("the last save was not written within {} s, and what happened since the one before may be lost", LAST_SAVE_TIMEOUT.as_secs())]
    TooSlow,
    /// Another server holds the file.
    #[error("another server has taken the world over: what happened here since then is lost")]
    TakenOver,
    /// A thread of ours has panicked, which it has told.
    #[error("the game has broken off, and what happened since the last save is lost")]
    Broken,
}

/// What the thread is given.
enum Job {
    /// A tick to be saved.
    Save { checkpoint: Box<Checkpoint>, artifacts: Vec<Artifact> },
    /// The file as it was saved last is copied for the control plane.
    Copy { order: u64, to: PathBuf },
    /// The control plane is told how the save before went.
    Confirm { order: u64 },
}

/// Where the game loop leaves its checkpoints.
#[derive(Debug)]
pub struct Saver {
    jobs: Option<SyncSender<Job>>,
    thread: JoinHandle<Result<(), Unsaved>>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// A save is on its way: the next one waits until it is written.
    busy: AtomicBool,
    /// Another server holds the file: nothing that happens here is kept.
    fenced: AtomicBool,
}

impl Saver {
    /// Starts the thread, which holds the file from now on.
    ///
    /// # Errors
    /// When the system gives us no thread.
    pub fn start(file: WorldFile, reports: Reports) -> std::io::Result<Self> {
        let (jobs, waiting) = sync_channel(SAVER_JOBS_MAX);
        let shared = Arc::new(Shared::default());
        let of_thread = shared.clone();
        let thread = std::thread::Builder::new().name("saver".into()).spawn(move || Writer::new(file, reports, of_thread).run(&waiting))?;
        Ok(Self { jobs: Some(jobs), thread, shared })
    }

    /// Whether a checkpoint that is made now will be written at once.
    pub fn is_free(&self) -> bool {
        !self.shared.busy.load(Ordering::Acquire)
    }

    /// Whether another server has taken the world over.
    pub fn is_fenced(&self) -> bool {
        self.shared.fenced.load(Ordering::Acquire)
    }

    /// Hands a checkpoint over; the queue has room for all that can be asked for at once.
    pub fn save(&self, checkpoint: Checkpoint, artifacts: Vec<Artifact>) {
        self.shared.busy.store(true, Ordering::Release);
        self.send(Job::Save { checkpoint: Box::new(checkpoint), artifacts });
    }

    /// Has the file copied; the report of the order says how that went.
    pub fn copy(&self, order: u64, to: PathBuf) {
        self.send(Job::Copy { order, to });
    }

    /// Has the order's report say whether everything that was handed over before is on the disk.
    pub fn confirm(&self, order: u64) {
        self.send(Job::Confirm { order });
    }

    /// Waits until everything is on the disk. What cannot be written is tried again for `LAST_SAVE_RETRY_TIME`.
    ///
    /// # Errors
    /// When it is not.
    pub fn finish(mut self) -> Result<(), Unsaved> {
        self.jobs = None;
        self.thread.join().unwrap_or(Err(Unsaved::Broken))
    }

    fn send(&self, job: Job) {
        // An error means that the thread has panicked, which it has told.
        let _ = self.jobs.as_ref().map(|jobs| jobs.send(job));
    }
}

/// The thread's state.
struct Writer {
    file: WorldFile,
    reports: Reports,
    shared: Arc<Shared>,
    /// What could not be written yet: it goes with the next save.
    unwritten: Option<Unwritten>,
    failures: u64,
    previous_due: Instant,
}

struct Unwritten {
    checkpoint: Checkpoint,
    artifacts: Vec<Artifact>,
    /// Why.
    error: String,
}

impl Writer {
    fn new(file: WorldFile, reports: Reports, shared: Arc<Shared>) -> Self {
        Self { file, reports, shared, unwritten: None, failures: 0, previous_due: Instant::now() }
    }

    fn run(mut self, jobs: &Receiver<Job>) -> Result<(), Unsaved> {
        for job in jobs {
            match job {
                Job::Save { checkpoint, artifacts } => self.save(*checkpoint, artifacts),
                Job::Copy { order, to } => self.copy(order, &to),
                Job::Confirm { order } => self.confirm(order),
            }
            self.shared.busy.store(false, Ordering::Release);
        }
        self.insist()
    }

    /// There is no next save that would take along what is not written yet.
    fn insist(&mut self) -> Result<(), Unsaved> {
        let until = Instant::now() + LAST_SAVE_RETRY_TIME;
        while let Some(Unwritten { checkpoint, artifacts, error }) = self.unwritten.take() {
            if Instant::now() >= until {
                return Err(Unsaved::Disk(error));
            }
            std::thread::sleep(LAST_SAVE_RETRY_INTERVAL);
            self.save(checkpoint, artifacts);
        }
        if self.shared.fenced.load(Ordering::Acquire) { Err(Unsaved::TakenOver) } else { Ok(()) }
    }

    fn save(&mut self, checkpoint: Checkpoint, mut artifacts: Vec<Artifact>) {
        let checkpoint = match self.unwritten.take() {
            Some(earlier) => {
                artifacts.extend(earlier.artifacts);
                earlier.checkpoint.then(checkpoint)
            }
            None => checkpoint,
        };
        match self.file.save(&checkpoint, &artifacts, now_ms()) {
            Ok(()) => {
                if std::mem::take(&mut self.failures) > 0 {
                    tracing::info!(tick = checkpoint.saved.tick(), "the world is saved again");
                }
                self.keep_previous();
            }
            Err(error @ StoreError::Fenced { .. }) => {
                tracing::error!("{error}");
                self.shared.fenced.store(true, Ordering::Release);
            }
            Err(error) => {
                if self.failures.is_multiple_of(SAVE_FAILURES_TOLD_EVERY) {
                    tracing::error!(
                        tick = checkpoint.saved.tick(),
                        failures = self.failures,
                        "the world is not saved: {error}; the next save tries again"
                    );
                }
                self.failures += 1;
                self.unwritten = Some(Unwritten { checkpoint, artifacts, error: error.to_string() });
            }
        }
    }

    /// With the first save, which shows that the file could be read, and then now and then.
    fn keep_previous(&mut self) {
        if Instant::now() < self.previous_due {
            return;
        }
        self.previous_due = Instant::now() + PREVIOUS_INTERVAL;
        if let Err(error) = self.file.keep_previous() {
            tracing::error!("the previous generation is not kept: {error}");
        }
    }

    fn copy(&self, order: u64, to: &std::path::Path) {
        let error = self.file.copy_to(to).err().map(|error| error.to_string());
        self.reports.send(Report::Done(Done { order, error }));
    }

    fn confirm(&self, order: u64) {
        let unwritten = self.unwritten.as_ref().map(|unwritten| unwritten.error.clone());
        let fenced = || self.shared.fenced.load(Ordering::Acquire).then(|| Unsaved::TakenOver.to_string());
        self.reports.send(Report::Done(Done { order, error: unwritten.or_else(fenced) }));
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
