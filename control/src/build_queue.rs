//! The builds: who waits, who works, and what becomes of each, whatever happens to its worker.

use crate::{
    blobs::Blobs,
    clock,
    compile_worker::{self, Failure, Notice, Watch},
    error::Error,
    ids::{ClientId, JobId},
    limits::{BUILD_WORKERS, BUILDS_WAITING_MAX, BUILDS_WAITING_PER_PLAYER_MAX},
    revision::{Content, SOURCE_PATH},
    session::Player,
    store::{Built, Store},
};
use protocol::{
    RevisionId, SpellId,
    job::{Diagnostic, Job, Severity, Stage, Status},
    limits::{ARTIFACT_BYTES_MAX, COMPONENT_BYTES_MAX},
    manifest::{Build, File, Metadata},
    worker::{ARTIFACT_FILE, COMPONENT_FILE, Finished, Order, Sandbox},
};
use rustix::fs::OFlags;
use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write as _,
    fs,
    io::Read,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Sender},
    },
    thread::{self, JoinHandle},
};
use tokio::sync::watch;

/// A build that waits for a worker.
pub struct BuildOrder {
    /// The job.
    pub job_id: JobId,
    /// The spell.
    pub spell_id: SpellId,
    /// Who asked.
    pub player: Player,
    /// The source.
    pub code: String,
    /// What people will read about it.
    pub metadata: Metadata,
}

/// What builds need.
pub struct Workshop {
    /// The compile worker's executable.
    pub builder: PathBuf,
    /// The prebuilt SDK.
    pub sdk: PathBuf,
    /// Signs artifacts, as hex.
    pub signing_seed: String,
    /// What becomes of builds where a layer of the sandbox is missing.
    pub sandbox: Sandbox,
    /// Holds each running build's folder, and nothing else.
    pub scratch: PathBuf,
    /// Takes jobs' endings and revisions.
    pub store: Store,
    /// Takes components, artifacts and sources.
    pub blobs: Blobs,
}

/// The queue and its workers.
pub struct BuildQueue {
    workshop: Workshop,
    state: Mutex<State>,
    work: Condvar,
    /// Counts jobs that ended.
    ended: watch::Sender<u64>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<BuildOrder>,
    /// Places taken per player: those in `waiting`, and those promised to requests under way.
    places: BTreeMap<ClientId, usize>,
    running: BTreeMap<JobId, Running>,
    /// Jobs whose ending could not be written; a restart will fail them in the database too.
    unwritten: BTreeMap<JobId, String>,
    stopping: bool,
}

struct Running {
    spell_id: SpellId,
    client_id: ClientId,
    stage: Stage,
    since_ms: i64,
    notices: Sender<Notice>,
}

/// A place in the queue, given back when dropped unused.
pub struct Place {
    queue: Arc<BuildQueue>,
    client_id: ClientId,
    is_used: bool,
}

impl Place {
    /// Puts the build in.
    pub fn take(mut self, order: BuildOrder) {
        self.is_used = true;
        self.queue.state().waiting.push_back(order);
        self.queue.work.notify_all();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_used {
            self.queue.state().give_back(&self.client_id);
        }
    }
}

impl BuildQueue {
    /// Wipes the scratch folder, fails the jobs of an earlier process, and starts the workers.
    pub fn start(workshop: Workshop) -> Result<Arc<Self>, Error> {
        wipe(&workshop.scratch)?;
        let left = workshop.store.with(|db| db.fail_leftover_jobs(clock::now_ms()))?;
        if left > 0 {
            tracing::warn!(jobs = left, "builds that an earlier process left have failed");
        }
        let queue = Arc::new(Self {
            workshop,
            state: Mutex::default(),
            work: Condvar::new(),
            ended: watch::Sender::new(0),
            workers: Mutex::default(),
        });
        let workers = (0..BUILD_WORKERS).map(|number| {
            let queue = queue.clone();
            // Threads for good: a compile worker dies with the thread that spawned it.
            thread::Builder::new().name(format!("build-{number}")).spawn(move || queue.work()).map_err(Error::file("build thread"))
        });
        *queue.workers.lock().unwrap_or_else(PoisonError::into_inner) = workers.collect::<Result<_, _>>()?;
        Ok(queue)
    }

    /// A place for one more build of this player.
    pub fn place(self: &Arc<Self>, client: &ClientId) -> Result<Place, Error> {
        let mut state = self.state();
        let all: usize = state.places.values().sum();
        let own = state.places.get(client).copied().unwrap_or(0);
        if own >= BUILDS_WAITING_PER_PLAYER_MAX {
            return Err(Error::QueueFull { waiting: own, max: BUILDS_WAITING_PER_PLAYER_MAX, whose: "of one player" });
        }
        if all >= BUILDS_WAITING_MAX {
            return Err(Error::QueueFull { waiting: all, max: BUILDS_WAITING_MAX, whose: "in all" });
        }
        *state.places.entry(client.clone()).or_default() += 1;
        Ok(Place { queue: self.clone(), client_id: client.clone(), is_used: false })
    }

    /// The player's job as it stands now.
    pub async fn job(&self, job_id: JobId, client: ClientId) -> Result<Option<Job>, Error> {
        // Looked at before the database: a job that ends in between is read as ended there.
        let progress = self.state().progress(&job_id);
        let job = self.workshop.store.ask(move |db| db.job(&job_id, &client)).await?;
        Ok(job.map(|job| if job.status == Status::Pending { progress.apply(job) } else { job }))
    }

    /// Changes whenever a job ends.
    pub fn endings(&self) -> watch::Receiver<u64> {
        self.ended.subscribe()
    }

    /// Ends the running builds, starts no more, and waits for the workers. Blocks.
    pub fn stop(&self) {
        let mut state = self.state();
        state.stopping = true;
        state.running.values().for_each(|running| drop(running.notices.send(Notice::Stop)));
        drop(state);
        self.work.notify_all();
        let workers = std::mem::take(&mut *self.workers.lock().unwrap_or_else(PoisonError::into_inner));
        workers.into_iter().for_each(|worker| drop(worker.join()));
    }

    /// A worker's life: one build after the other.
    fn work(&self) {
        while let Some((order, line)) = self.next() {
            let job_id = order.job_id.clone();
            let outcome = catch_unwind(AssertUnwindSafe(|| self.build(&order, line)))
                .unwrap_or_else(|_| Err(Failure::plain("the build crashed the server's worker")));
            let written = match outcome {
                Ok(revision) => {
                    tracing::info!(job = %job_id, spell = %order.spell_id, %revision, "built");
                    Ok(())
                }
                Err(failure) => self.fail(&order, failure),
            };
            let mut state = self.state();
            state.running.remove(&job_id);
            if let Err(error) = written {
                tracing::error!(job = %job_id, %error, "a job's ending could not be written");
                state.unwritten.insert(job_id, "the server could not write the build's ending".into());
            }
            drop(state);
            self.ended.send_modify(|count| *count += 1);
            // A build of the same spell may have waited for this one.
            self.work.notify_all();
        }
    }

    fn next(&self) -> Option<(BuildOrder, Watch)> {
        let mut state = self.state();
        loop {
            if state.stopping {
                return None;
            }
            if let Some(order) = state.pick() {
                let (sender, notices) = mpsc::channel();
                state.give_back(&order.player.client_id);
                state.running.insert(order.job_id.clone(), Running::of(&order, sender.clone()));
                return Some((order, Watch { sender, notices }));
            }
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The stages of a build, as the server sees them.
    fn build(&self, order: &BuildOrder, line: Watch) -> Result<RevisionId, Failure> {
        let scratch = Scratch::create(&self.workshop.scratch, &order.job_id).map_err(internal)?;
        let work = Order {
            source: order.code.clone(),
            scratch: scratch.0.clone(),
            sdk: self.workshop.sdk.clone(),
            signing_seed: self.workshop.signing_seed.clone(),
            sandbox: self.workshop.sandbox,
        };
        let finished = compile_worker::run(&self.workshop.builder, &work, line, |stage| self.advance(&order.job_id, stage))?;
        self.advance(&order.job_id, Stage::Store);
        let component = output(&scratch.0.join(COMPONENT_FILE), COMPONENT_BYTES_MAX)?;
        let artifact = output(&scratch.0.join(ARTIFACT_FILE), ARTIFACT_BYTES_MAX)?;
        tracing::debug!(job = %order.job_id, stages_ms = ?finished.stage_ms, component = component.len(), artifact = artifact.len(), "compiled");
        self.store(order, finished, &component, &artifact).map_err(internal)
    }

    fn store(&self, order: &BuildOrder, finished: Finished, component: &[u8], artifact: &[u8]) -> Result<RevisionId, Error> {
        let Workshop { blobs, store, .. } = &self.workshop;
        let source = blobs.put(order.code.as_bytes())?;
        let artifact = blobs.put(artifact)?;
        let content = Content {
            component: blobs.put(component)?,
            code: vec![File {
                path: SOURCE_PATH.into(),
                hash: source.hash,
                size: source.size,
                content_type: "text/plain; charset=utf-8".into(),
            }],
            metadata: order.metadata.clone(),
            envelope: finished.envelope,
            cost: finished.cost,
        };
        let (content_hash, now_ms) = (content.hash(), clock::now_ms());
        let build = Build { toolchain: finished.toolchain, sdk_version: finished.sdk_version, log: log(&finished.diagnostics) };
        let built = Built {
            job_id: &order.job_id,
            spell_id: &order.spell_id,
            content_hash: &content_hash,
            artifact_hash: &artifact.hash,
            diagnostics: &finished.diagnostics,
            now_ms,
        };
        let author = order.player.username.clone();
        let manifest = |id, parent, number| content.manifest(order.spell_id.clone(), (id, parent, number), author, build, now_ms);
        store.with(|db| db.add_revision(&built, manifest))
    }

    fn fail(&self, order: &BuildOrder, failure: Failure) -> Result<(), Error> {
        tracing::info!(job = %order.job_id, spell = %order.spell_id, message = ?failure.message, "build failed");
        let stage = self.state().running.get(&order.job_id).map_or(Stage::Queued, |running| running.stage);
        self.workshop.store.with(|db| db.fail_job(&order.job_id, stage, &failure.message, &failure.diagnostics, clock::now_ms()))
    }

    fn advance(&self, job_id: &JobId, stage: Stage) {
        if let Some(running) = self.state().running.get_mut(job_id) {
            (running.stage, running.since_ms) = (stage, clock::now_ms());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The build to do next: never two of one spell at once, so that its drafts come in order, and rather one of a player who has none running.
    fn pick(&mut self) -> Option<BuildOrder> {
        let can_run = |order: &BuildOrder| !self.running.values().any(|running| running.spell_id == order.spell_id);
        let is_idle = |order: &BuildOrder| !self.running.values().any(|running| running.client_id == order.player.client_id);
        let fair = self.waiting.iter().position(|order| can_run(order) && is_idle(order));
        let index = fair.or_else(|| self.waiting.iter().position(can_run))?;
        self.waiting.remove(index)
    }

    fn give_back(&mut self, client: &ClientId) {
        if let Some(places) = self.places.get_mut(client) {
            *places -= 1;
            if *places == 0 {
                self.places.remove(client);
            }
        }
    }

    fn progress(&self, job_id: &JobId) -> Progress {
        match (self.running.get(job_id), self.unwritten.get(job_id)) {
            (Some(running), _) => Progress::Running(running.stage, running.since_ms),
            (None, Some(message)) => Progress::Lost(message.clone()),
            (None, None) => Progress::Waiting,
        }
    }
}

impl Running {
    fn of(order: &BuildOrder, notices: Sender<Notice>) -> Self {
        let (spell_id, client_id) = (order.spell_id.clone(), order.player.client_id.clone());
        Self { spell_id, client_id, stage: Stage::Queued, since_ms: clock::now_ms(), notices }
    }
}

/// What the process knows of a job that has not ended in the database.
enum Progress {
    Waiting,
    Running(Stage, i64),
    Lost(String),
}

impl Progress {
    fn apply(self, job: Job) -> Job {
        match self {
            Self::Waiting => job,
            Self::Running(stage, since_ms) => {
                Job { status: Status::Running, stage, progress_pct: stage.progress_pct(), updated_at: clock::iso8601(since_ms), ..job }
            }
            Self::Lost(message) => Job { status: Status::Failed, error_message: Some(message), ..job },
        }
    }
}

/// A build's own folder, removed on every ending.
struct Scratch(PathBuf);

impl Scratch {
    fn create(parent: &Path, job_id: &JobId) -> Result<Self, Error> {
        let path = parent.join(job_id.as_str());
        fs::DirBuilder::new().mode(0o700).create(&path).map_err(Error::file(&path))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::error!(path = %self.0.display(), %error, "a build's folder could not be removed");
        }
    }
}

fn wipe(scratch: &Path) -> Result<(), Error> {
    if scratch.exists() {
        fs::remove_dir_all(scratch).map_err(Error::file(scratch))?;
    }
    fs::create_dir_all(scratch).map_err(Error::file(scratch))
}

/// An output of the worker: a plain file (no link that leads elsewhere, no pipe that never ends), within its limit.
fn output(path: &Path, bytes_max: usize) -> Result<Vec<u8>, Failure> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let read = || {
        let file = fs::OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(std::io::Error::other("not a plain file"));
        }
        let mut bytes = Vec::new();
        file.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|error| internal(Error::file(path)(error)))?;
    if bytes.len() > bytes_max {
        return Err(Failure::plain(format!("the build's output is over the limit of {bytes_max} bytes")));
    }
    Ok(bytes)
}

/// A failure that is ours: the author learns that it is, our log learns what.
fn internal(error: Error) -> Failure {
    tracing::error!(%error, "a build failed through the server");
    Failure::plain("the server could not finish this build; its log says why")
}

fn log(diagnostics: &[Diagnostic]) -> String {
    let mut log = String::new();
    for Diagnostic { severity, file, line, column, message, .. } in diagnostics {
        let severity = if *severity == Severity::Error { "error" } else { "warning" };
        writeln!(log, "{severity}: {file}:{line}:{column}: {message}").expect("a string takes all text");
    }
    log
}
