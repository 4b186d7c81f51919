//! Saves on their way to the disk: written on a thread of its own, for a disk may take as long as it likes.

use crate::limits::{PREVIOUS_INTERVAL, SAVE_FAILURES_TOLD_EVERY, SAVER_JOBS_MAX};
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

/// What the thread is given.
enum Job {
    /// A tick to be saved.
    Save { checkpoint: Box<Checkpoint>, artifacts: Vec<Artifact> },
    /// The file as it was saved last is copied for the control plane.
    Copy { order: u64, to: PathBuf },
}

/// Where the game loop leaves its checkpoints.
#[derive(Debug)]
pub struct Saver {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
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
        Ok(Self { jobs: Some(jobs), thread: Some(thread), shared })
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

    /// Waits until everything is on the disk.
    pub fn finish(mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic has told itself.
            let _ = thread.join();
        }
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
    unwritten: Option<(Checkpoint, Vec<Artifact>)>,
    failures: u64,
    previous_due: Instant,
}

impl Writer {
    fn new(file: WorldFile, reports: Reports, shared: Arc<Shared>) -> Self {
        Self { file, reports, shared, unwritten: None, failures: 0, previous_due: Instant::now() }
    }

    fn run(mut self, jobs: &Receiver<Job>) {
        for job in jobs {
            match job {
                Job::Save { checkpoint, artifacts } => self.save(*checkpoint, artifacts),
                Job::Copy { order, to } => self.copy(order, &to),
            }
            self.shared.busy.store(false, Ordering::Release);
        }
    }

    fn save(&mut self, checkpoint: Checkpoint, mut artifacts: Vec<Artifact>) {
        let checkpoint = match self.unwritten.take() {
            Some((earlier, older)) => {
                artifacts.extend(older);
                earlier.then(checkpoint)
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
                self.unwritten = Some((checkpoint, artifacts));
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
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
