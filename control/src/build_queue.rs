//! The builds: who waits, who works, and what becomes of each, whatever happens to its worker.

use crate::{
    blobs::Blobs,
    clock,
    compile_worker::{self, Failure, Notice, Watch},
    error::Error,
    generator::{self, Generator},
    ids::{ClientId, JobId},
    limits::{
        BUILD_TIME_MAX, BUILD_WORKERS, BUILDS_WAITING_MAX, BUILDS_WAITING_PER_PLAYER_MAX, DISK_FREE_BYTES_MIN, GENERATOR_ROUNDS_MAX,
        GENERATOR_TIME_MAX, PROMPTS_WAITING_MAX, QUICK_BUILD_TIME_MAX, QUICK_PLAYERS_MAX, STRANGERS_WAITING_MAX, TRACES_KEPT,
        WAITING_BYTES_MAX, WITHOUT_NATIVE_MAX,
    },
    package::Package,
    revision::{self, Content},
    session::Player,
    store::{Built, Native, Store},
};
use protocol::{
    RevisionId, Sha256Hex, SpellId,
    job::{Diagnostic, Job, Severity, Stage, Status},
    limits::{ARTIFACT_BYTES_MAX, COMPONENT_BYTES_MAX},
    manifest::{Blob, Metadata, Origin},
    worker::{ARTIFACT_FILE, COMPONENT_FILE, Finished, Input, Order, Sandbox},
};
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write as _,
    fs,
    io::Read,
    os::unix::fs::OpenOptionsExt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Sender},
    },
    thread::{self, JoinHandle},
    time::Instant,
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
    /// What is built.
    pub what: What,
    /// What people will read about it, where the request said so.
    pub metadata: Option<Metadata>,
    /// Where it comes from.
    pub origin: Option<Origin>,
}

/// What a build begins with.
pub enum What {
    /// Files.
    Package(Package),
    /// Words, of which a generator makes a source file.
    Prompt(String),
    /// A revision of another server: files, and the component that they were built to there.
    Import {
        /// The files; where there is source, it is built as any other.
        package: Package,
        /// What it was there.
        component: Vec<u8>,
    },
}

impl What {
    /// What it holds in memory while it waits.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Package(package) => package.bytes(),
            Self::Prompt(prompt) => prompt.len(),
            Self::Import { package, component } => package.bytes() + component.len(),
        }
    }
}

/// What builds need.
pub struct Workshop {
    /// The compile worker's executable.
    pub builder: PathBuf,
    /// The prebuilt SDK.
    pub sdk: PathBuf,
    /// Signs artifacts, as hex.
    pub signing_seed: String,
    /// The public half.
    pub public_key: String,
    /// Changes with everything that a build's outcome depends on beside the package.
    pub fingerprint: Sha256Hex,
    /// What becomes of builds where a layer of the sandbox is missing.
    pub sandbox: Sandbox,
    /// Writes source for prompts.
    pub generator: Option<Generator>,
    /// Holds each running build's folder, and nothing else.
    pub scratch: PathBuf,
    /// Takes jobs' endings and revisions.
    pub store: Store,
    /// Takes components, artifacts and sources.
    pub blobs: Blobs,
}

/// What a build came to: kept by the hash of its package, so that the same one is built once.
#[derive(Serialize, Deserialize)]
struct Yield {
    finished: Finished,
    component: Blob,
    artifact: Sha256Hex,
    ours: bool,
}

/// The queue and its workers.
pub struct BuildQueue {
    workshop: Workshop,
    state: Mutex<State>,
    work: Condvar,
    /// Counts whatever happens to jobs.
    changes: watch::Sender<u64>,
    /// Native code is made for one asker at a time.
    native: Mutex<()>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<BuildOrder>,
    /// Places taken per player: those in `waiting`, and those promised to requests under way.
    places: BTreeMap<ClientId, usize>,
    running: BTreeMap<JobId, Running>,
    /// The stages that jobs went through: of the running ones, and of those that ended last.
    traces: BTreeMap<JobId, Vec<Step>>,
    ended: VecDeque<JobId>,
    /// Components that the builder makes no native code of, however often it is asked, and why.
    without_native: BTreeMap<Native, String>,
    /// Bytes of the packages that wait.
    bytes: usize,
    /// Players whose last build was quick, the latest at the end.
    quick: VecDeque<ClientId>,
    /// Jobs whose ending could not be written; a restart will fail them in the database too.
    unwritten: BTreeMap<JobId, String>,
    /// Somebody cleans up.
    is_paused: bool,
    stopping: bool,
}

struct Running {
    spell_id: SpellId,
    client_id: ClientId,
    /// To the worker that compiles, of which a generated spell may need several.
    notices: Sender<Notice>,
    is_cancelled: bool,
    /// Whether its player's last build was quick.
    is_trusted: bool,
    /// It was not found built already.
    has_compiled: bool,
    since: Instant,
}

/// A stage that a job has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub stage: Stage,
    /// When, in milliseconds since 1970.
    pub since_ms: i64,
}

/// A place in the queue, given back when dropped unused.
pub struct Place {
    queue: Arc<BuildQueue>,
    client_id: ClientId,
    bytes: usize,
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
            self.queue.state().give_back(&self.client_id, self.bytes);
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
            changes: watch::Sender::new(0),
            native: Mutex::default(),
            workers: Mutex::default(),
        });
        // Who waits for a generator's answer must not keep a compiler idle, so prompts have a worker of their own.
        let trades = [Trade::Prompts].into_iter().chain((0..BUILD_WORKERS).map(|_| Trade::Packages));
        let workers = trades.enumerate().map(|(number, trade)| {
            let queue = queue.clone();
            thread::Builder::new().name(format!("build-{number}")).spawn(move || queue.work(trade)).map_err(Error::file("build thread"))
        });
        *queue.workers.lock().unwrap_or_else(PoisonError::into_inner) = workers.collect::<Result<_, _>>()?;
        Ok(queue)
    }

    /// Whether there is something that writes source for prompts.
    pub fn has_generator(&self) -> bool {
        self.workshop.generator.is_some()
    }

    /// A place for one more build of this player, of so many bytes.
    pub fn place(self: &Arc<Self>, client: &ClientId, what: &What) -> Result<Place, Error> {
        let free = rustix::fs::statvfs(&self.workshop.scratch).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
        if free < DISK_FREE_BYTES_MIN {
            return Err(Error::DiskFull);
        }
        let bytes = what.bytes();
        let mut state = self.state();
        let all: usize = state.places.values().sum();
        let own = state.places.get(client).copied().unwrap_or(0);
        if own >= BUILDS_WAITING_PER_PLAYER_MAX {
            return Err(Error::QueueFull { waiting: own, max: BUILDS_WAITING_PER_PLAYER_MAX, whose: "of one player" });
        }
        // Places that newcomers cannot take, however many they are.
        let max = if state.quick.contains(client) { BUILDS_WAITING_MAX } else { STRANGERS_WAITING_MAX };
        if all >= max {
            return Err(Error::QueueFull { waiting: all, max, whose: "in all" });
        }
        let prompts = state.waiting.iter().filter(|order| matches!(order.what, What::Prompt(_))).count();
        if matches!(what, What::Prompt(_)) && prompts >= PROMPTS_WAITING_MAX {
            return Err(Error::QueueFull { waiting: prompts, max: PROMPTS_WAITING_MAX, whose: "of prompts" });
        }
        if state.bytes + bytes > WAITING_BYTES_MAX {
            return Err(Error::QueueFull { waiting: all, max: all, whose: "of this size" });
        }
        state.bytes += bytes;
        *state.places.entry(client.clone()).or_default() += 1;
        Ok(Place { queue: self.clone(), client_id: client.clone(), bytes, is_used: false })
    }

    /// The player's job as it stands now.
    pub async fn job(&self, job_id: JobId, client: ClientId) -> Result<Option<Job>, Error> {
        // Looked at before the database: a job that ends in between is read as ended there.
        let progress = self.state().progress(&job_id);
        let job = self.workshop.store.ask(move |db| db.job(&job_id, &client)).await?;
        Ok(job.map(|job| if job.status == Status::Pending { progress.apply(job) } else { job }))
    }

    /// Where a job is, as far as this process knows; it changes whenever there is something to tell of it.
    pub fn phase(&self, job_id: &JobId) -> (usize, bool, bool) {
        let state = self.state();
        let steps = state.traces.get(job_id).map_or(0, Vec::len);
        (steps, state.running.contains_key(job_id), state.waiting.iter().any(|order| order.job_id == *job_id))
    }

    /// The stages that a job went through, as far as this process knows: none of one that waits, or that ended long ago.
    pub fn trace(&self, job_id: &JobId) -> Vec<Step> {
        self.state().traces.get(job_id).cloned().unwrap_or_default()
    }

    /// Changes whenever a job begins a stage or ends.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Ends a job that has not ended yet: one that waits does so at once, one that runs when its worker is dead. Blocks.
    pub fn cancel(&self, job_id: &JobId) -> Result<(), Error> {
        let mut state = self.state();
        if let Some(index) = state.waiting.iter().position(|order| order.job_id == *job_id) {
            let order = state.waiting.remove(index).expect("it was found there");
            state.give_back(&order.player.client_id, order.what.bytes());
            drop(state);
            if let Err(error) = self.fail(&order, Failure::cancelled()) {
                self.state().unwritten.insert(order.job_id, "the build was cancelled".into());
                return Err(error);
            }
            self.changes.send_modify(|count| *count += 1);
        } else if let Some(running) = state.running.get_mut(job_id) {
            running.is_cancelled = true;
            running.notices.send(Notice::Cancel).ok();
        }
        Ok(())
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

    /// The signed native code of a component: what is there, or made anew for this server's own engine and key. Blocks.
    pub fn native(&self, component: &Sha256Hex, ours: bool, engine_id: &str) -> Result<Vec<u8>, Error> {
        let Workshop { store, blobs, public_key, .. } = &self.workshop;
        let native = Native { component: component.clone(), ours, engine_id: engine_id.into(), public_key: public_key.clone() };
        let stored = || Ok::<_, Error>(store.with(|db| db.artifact(&native))?.and_then(|artifact| blobs.get(&artifact).ok()));
        if let Some(artifact) = stored()? {
            return Ok(artifact);
        }
        let _alone = self.native.lock().unwrap_or_else(PoisonError::into_inner);
        // Another may have asked for the same and waited less.
        if let Some(artifact) = stored()? {
            return Ok(artifact);
        }
        let none = |reason: String| Error::NoNative { component: component.clone(), engine: engine_id.into(), reason };
        // Whoever asked again would wait as long, and be told the same.
        if let Some(reason) = self.state().without_native.get(&native) {
            return Err(none(reason.clone()));
        }
        let input = Input::Component { hex: hex::encode(blobs.get(component)?), files: BTreeMap::new(), ours, has_been_cast: true };
        let (sender, notices) = mpsc::channel();
        let made = self.compile(&JobId::generate(), input, Watch { sender, notices, time_max: BUILD_TIME_MAX }, ours);
        let made = made.map_err(|failure| (failure.message, failure.is_refusal)).and_then(|made| {
            let engine = &made.finished.engine_id;
            if engine != engine_id {
                return Err((format!("this server's builder makes it for {engine}"), true));
            }
            if made.component.hash == *component { Ok(made) } else { Err(("the builder gave back another component".into(), true)) }
        });
        let made = match made {
            Ok(made) => made,
            Err((reason, is_refusal)) => {
                let mut state = self.state();
                // A worker that was killed, or a full disk, says nothing of the component.
                if is_refusal && state.without_native.len() < WITHOUT_NATIVE_MAX {
                    state.without_native.insert(native, reason.clone());
                }
                return Err(none(reason));
            }
        };
        store.with(|db| db.add_artifact(&native, &made.artifact))?;
        tracing::info!(%component, engine = engine_id, "native code made anew");
        blobs.get(&made.artifact)
    }

    /// A worker's life: one build after the other.
    fn work(&self, trade: Trade) {
        while let Some((order, line)) = self.next(trade) {
            let job_id = order.job_id.clone();
            let outcome = catch_unwind(AssertUnwindSafe(|| self.build(&order, line)))
                .unwrap_or_else(|_| Err(Failure::plain("the build crashed the server's worker")));
            if outcome.as_ref().is_err_and(|failure| failure.is_slow) {
                self.put_back(order);
                continue;
            }
            let was_built = outcome.is_ok();
            let written = match outcome {
                Ok(revision) => {
                    tracing::info!(job = %job_id, spell = %order.spell_id, %revision, "built");
                    Ok(())
                }
                Err(failure) => self.fail(&order, failure),
            };
            let mut state = self.state();
            if let Some(running) = state.running.remove(&job_id)
                && trade == Trade::Packages
            {
                state.remember(running, was_built);
            }
            state.end_trace(&job_id);
            if let Err(error) = written {
                tracing::error!(job = %job_id, %error, "a job's ending could not be written");
                state.unwritten.insert(job_id, "the server could not write the build's ending".into());
            }
            drop(state);
            self.changes.send_modify(|count| *count += 1);
            // A build of the same spell, or of the same player, may have waited for this one.
            self.work.notify_all();
        }
    }

    /// What turned out not to be quick begins anew, among the strangers' builds.
    fn put_back(&self, order: BuildOrder) {
        let mut state = self.state();
        state.running.remove(&order.job_id);
        let client = order.player.client_id.clone();
        state.quick.retain(|known| *known != client);
        *state.places.entry(client).or_default() += 1;
        state.bytes += order.what.bytes();
        state.waiting.push_back(order);
        drop(state);
        self.changes.send_modify(|count| *count += 1);
        self.work.notify_all();
    }

    fn next(&self, trade: Trade) -> Option<(BuildOrder, Line)> {
        let mut state = self.state();
        loop {
            if state.stopping {
                return None;
            }
            if let Some(order) = state.pick(trade) {
                let (sender, notices) = mpsc::channel();
                state.give_back(&order.player.client_id, order.what.bytes());
                // A prompt has a worker of its own.
                let is_trusted = trade == Trade::Prompts || state.quick.contains(&order.player.client_id);
                state.running.insert(order.job_id.clone(), Running::of(&order, sender.clone(), is_trusted));
                let time_max = if is_trusted && trade == Trade::Packages { QUICK_BUILD_TIME_MAX } else { BUILD_TIME_MAX };
                return Some((order, Watch { sender, notices, time_max }));
            }
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The stages of a build, as the server sees them.
    fn build(&self, order: &BuildOrder, line: Line) -> Result<RevisionId, Failure> {
        match &order.what {
            What::Package(package) => {
                let made = self.make(&order.job_id, package, line)?;
                self.store(order, package, made)
            }
            What::Prompt(prompt) => {
                let (package, made) = self.generate(order, prompt, line)?;
                self.store(order, &package, made)
            }
            What::Import { package, component } => {
                let hash = Sha256Hex::of(component);
                let built = match package.component {
                    None => self.make(&order.job_id, package, line),
                    Some(_) => Err(Failure::plain("there is no source")),
                };
                if let Err(failure) = &built
                    && failure.is_slow
                {
                    return Err(failure.clone());
                }
                self.check_cancelled(&order.job_id)?;
                // Built here to the same bytes, it is ours. Else it was made by other tools, and is what it says it is: somebody's component.
                let made = match built {
                    Ok(made) if made.component.hash == hash => made,
                    _ => {
                        let files = package.text.clone();
                        let input = Input::Component { hex: hex::encode(component), files, ours: false, has_been_cast: false };
                        self.compile(&order.job_id, input, self.fresh_line(&order.job_id), false)?
                    }
                };
                self.store(order, package, made)
            }
        }
    }

    /// A generator's source, built; it sees the compiler's errors and tries again.
    fn generate(&self, order: &BuildOrder, prompt: &str, first: Line) -> Result<(Package, Yield), Failure> {
        let generator = self.workshop.generator.as_ref().ok_or_else(|| Failure::plain("no generator is configured any more"))?;
        let mut conversation = generator::Conversation::begin(prompt);
        let mut line = Some(first);
        loop {
            self.advance(&order.job_id, Stage::Generate);
            let line_or_fresh = line.take().unwrap_or_else(|| self.fresh_line(&order.job_id));
            let code = self.ask(generator, &conversation, &order.job_id, &line_or_fresh)?;
            let package = Package::of_code(code.clone())
                .map_err(|_| Failure::coded("generator", "the generator wrote more source than a spell may have"))?;
            match self.make(&order.job_id, &package, line_or_fresh) {
                Ok(made) => return Ok((package, made)),
                Err(failure) => {
                    self.check_cancelled(&order.job_id)?;
                    let is_the_source = !failure.diagnostics.is_empty();
                    if !is_the_source || conversation.rounds() >= GENERATOR_ROUNDS_MAX {
                        return Err(failure);
                    }
                    conversation.go_on(code, &failure.diagnostics);
                }
            }
        }
    }

    /// Source from the generator, unless the job is taken back or the server stops meanwhile: then nobody waits for the answer.
    fn ask(&self, generator: &Generator, conversation: &generator::Conversation, job_id: &JobId, line: &Line) -> Result<String, Failure> {
        let (generator, conversation) = (generator.clone(), conversation.clone());
        let (answer, answered) = mpsc::channel();
        // Held as long as somebody waits for the answer.
        let (_asker, wanted) = mpsc::channel();
        let done = line.sender.clone();
        thread::spawn(move || {
            answer.send(generator.write(&conversation, wanted)).ok();
            done.send(Notice::Over).ok();
        });
        match line.notices.recv_timeout(GENERATOR_TIME_MAX) {
            Ok(Notice::Over) | Err(mpsc::RecvTimeoutError::Timeout | mpsc::RecvTimeoutError::Disconnected) => {}
            Ok(Notice::Stop | Notice::Cancel) => self.check_cancelled(job_id)?,
        }
        let answer = answered.try_recv().unwrap_or(Err(generator::GeneratorError::Slow));
        answer.map_err(|error| {
            tracing::error!(job = %job_id, %error, "the generator failed");
            Failure::coded("generator", &format!("the generator failed: {}", error.in_short()))
        })
    }

    /// Builds a package, or finds what it was built to before.
    fn make(&self, job_id: &JobId, package: &Package, line: Line) -> Result<Yield, Failure> {
        let Workshop { store, fingerprint, .. } = &self.workshop;
        let key = Sha256Hex::of(format!("{} {fingerprint}", package.hash()).as_bytes());
        if let Some(mut known) = self.known(&key).map_err(internal)? {
            // What took that long was another build.
            known.finished.stage_ms.clear();
            return Ok(known);
        }
        let files = package.text.clone();
        let (input, ours) = match &package.component {
            None => (Input::Source { files }, true),
            Some(component) => (Input::Component { hex: hex::encode(component), files, ours: false, has_been_cast: false }, false),
        };
        let made = self.compile(job_id, input, line, ours)?;
        let result = serde_json::to_string(&made).map_err(|error| internal(error.into()))?;
        store.with(|db| db.add_built(&key, &result, clock::now_ms())).map_err(internal)?;
        Ok(made)
    }

    /// What this key's package was built to, if all of it is still there and whole.
    fn known(&self, key: &Sha256Hex) -> Result<Option<Yield>, Error> {
        let Workshop { store, blobs, .. } = &self.workshop;
        let Some(known) = store.with(|db| db.built(key, clock::now_ms()))? else { return Ok(None) };
        // A result of an older version of ours may not read: then it is built again.
        let known = serde_json::from_str::<Yield>(&known).ok();
        Ok(known.filter(|known| blobs.get(&known.component.hash).is_ok() && blobs.get(&known.artifact).is_ok()))
    }

    /// One run of the compile worker.
    fn compile(&self, job_id: &JobId, input: Input, line: Line, ours: bool) -> Result<Yield, Failure> {
        let Workshop { builder, sdk, signing_seed, sandbox, blobs, .. } = &self.workshop;
        let scratch = Scratch(self.workshop.scratch.join(job_id.as_str()));
        let order = Order { input, scratch: scratch.0.clone(), sdk: sdk.clone(), signing_seed: signing_seed.clone(), sandbox: *sandbox };
        compile_worker::run(
            builder,
            &order,
            line,
            |stage| self.advance(job_id, stage),
            |finished| {
                let component = output(&scratch.0.join(COMPONENT_FILE), COMPONENT_BYTES_MAX)?;
                let artifact = output(&scratch.0.join(ARTIFACT_FILE), ARTIFACT_BYTES_MAX)?;
                tracing::debug!(job = %job_id, stages_ms = ?finished.stage_ms, component = component.len(), artifact = artifact.len(), "compiled");
                let component = blobs.put(&component).map_err(internal)?;
                let artifact = blobs.put(&artifact).map_err(internal)?.hash;
                Ok(Yield { finished, component, artifact, ours })
            },
        )
    }

    fn store(&self, order: &BuildOrder, package: &Package, made: Yield) -> Result<RevisionId, Failure> {
        self.advance(&order.job_id, Stage::Store);
        let Yield { finished, component, artifact, ours } = made;
        let metadata = order.metadata.clone().or_else(|| finished.metadata.clone()).unwrap_or_default();
        revision::check_icon(&metadata, package).map_err(|why| Failure::coded("metadata", &why))?;
        self.write(order, package, Yield { finished, component, artifact, ours }, metadata).map_err(|error| match error {
            Error::Revoked { .. } | Error::TooMany { .. } | Error::Foreign(_) => Failure::plain(error.to_string()),
            error => internal(error),
        })
    }

    fn write(&self, order: &BuildOrder, package: &Package, made: Yield, metadata: Metadata) -> Result<RevisionId, Error> {
        let Workshop { blobs, store, public_key, .. } = &self.workshop;
        let texts = package.text.values().map(|text| text.as_bytes());
        texts.chain(package.assets.values().map(|asset| asset.bytes.as_slice())).try_for_each(|bytes| blobs.put(bytes).map(drop))?;
        let (code, assets) = revision::files(package);
        let Yield { finished, component, artifact, ours } = made;
        let native =
            Native { component: component.hash.clone(), ours, engine_id: finished.engine_id.clone(), public_key: public_key.clone() };
        let (diagnostics, stage_ms) = (finished.diagnostics.clone(), finished.stage_ms.clone());
        let content = Content { component, code, assets, metadata, finished, origin: order.origin.clone() };
        let (content_hash, now_ms) = (content.hash(), clock::now_ms());
        let built = Built {
            job_id: &order.job_id,
            spell_id: &order.spell_id,
            client_id: &order.player.client_id,
            content_hash: &content_hash,
            native: &native,
            artifact_hash: &artifact,
            diagnostics: &diagnostics,
            stage_ms: &stage_ms,
            now_ms,
        };
        let author = order.player.username.clone();
        let manifest =
            |id, parent, number| content.manifest(order.spell_id.clone(), (id, parent, number), (author, ours), log(&diagnostics), now_ms);
        store.with(|db| db.add_revision(&built, manifest))
    }

    fn fail(&self, order: &BuildOrder, failure: Failure) -> Result<(), Error> {
        tracing::info!(job = %order.job_id, spell = %order.spell_id, message = ?failure.message, "build failed");
        let stage = self.trace(&order.job_id).last().map_or(Stage::Queued, |step| step.stage);
        self.workshop.store.with(|db| db.fail_job(&order.job_id, stage, &failure.message, &failure.diagnostics, clock::now_ms()))
    }

    fn advance(&self, job_id: &JobId, stage: Stage) {
        let mut state = self.state();
        // What is made for a game server has no job that anybody follows.
        let Some(running) = state.running.get_mut(job_id) else { return };
        running.has_compiled |= stage == Stage::Compile || stage == Stage::Componentize;
        let steps = state.traces.entry(job_id.clone()).or_default();
        // The worker stores its files, and we what became of them: one stage to whoever follows.
        if steps.last().is_some_and(|step| step.stage == stage) {
            return;
        }
        steps.push(Step { stage, since_ms: clock::now_ms() });
        drop(state);
        self.changes.send_modify(|count| *count += 1);
    }

    fn check_cancelled(&self, job_id: &JobId) -> Result<(), Failure> {
        let state = self.state();
        if state.stopping {
            return Err(Failure::plain("the server is stopping: build again when it is back"));
        }
        if state.running.get(job_id).is_some_and(|running| running.is_cancelled) { Err(Failure::cancelled()) } else { Ok(()) }
    }

    /// A line to a further worker of the same job.
    fn fresh_line(&self, job_id: &JobId) -> Line {
        let (sender, notices) = mpsc::channel();
        let mut state = self.state();
        let is_stopping = state.stopping;
        if let Some(running) = state.running.get_mut(job_id) {
            // What was said to the one before is said again.
            let said = [(is_stopping, Notice::Stop), (running.is_cancelled, Notice::Cancel)];
            said.into_iter().filter(|(was, _)| *was).for_each(|(_, notice)| drop(sender.send(notice)));
            running.notices = sender.clone();
        }
        Watch { sender, notices, time_max: BUILD_TIME_MAX }
    }

    /// Does something that no build may see halfway; nothing where one runs. Meanwhile builds are taken, looked at and cancelled, and none begins.
    pub fn while_idle<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        let _alone = self.native.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.state();
        if !state.running.is_empty() {
            return None;
        }
        state.is_paused = true;
        drop(state);
        let _pause = Pause(self);
        Some(work())
    }

    /// How many builds wait, and how many run.
    pub fn counts(&self) -> (usize, usize) {
        let state = self.state();
        (state.waiting.len(), state.running.len())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// No build begins until this is dropped.
struct Pause<'a>(&'a BuildQueue);

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        self.0.state().is_paused = false;
        self.0.work.notify_all();
    }
}

/// Which orders a worker takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trade {
    Packages,
    Prompts,
}

/// The line to a compile worker.
type Line = Watch;

impl State {
    /// The build to do next: never two of one spell at once, so that its drafts come in order, and never two of one player, so that whoever builds a lot waits for themselves.
    /// One worker is kept for players whose last build was quick: what others hand in may be a compile bomb, which takes its worker for all the time that it gets.
    fn pick(&mut self, trade: Trade) -> Option<BuildOrder> {
        if self.is_paused {
            return None;
        }
        let strangers = self.running.values().filter(|running| !running.is_trusted).count();
        let has_room = |order: &BuildOrder| strangers + 1 < BUILD_WORKERS || self.quick.contains(&order.player.client_id);
        let is_free = |order: &BuildOrder| {
            !self.running.values().any(|running| running.spell_id == order.spell_id || running.client_id == order.player.client_id)
        };
        let is_mine = |order: &BuildOrder| matches!(order.what, What::Prompt(_)) == (trade == Trade::Prompts);
        let index =
            self.waiting.iter().position(|order| is_mine(order) && is_free(order) && (has_room(order) || trade == Trade::Prompts))?;
        self.waiting.remove(index)
    }

    /// Whether this player's builds are quick, as far as the last one tells. One that failed, or was found built already, tells nothing.
    fn remember(&mut self, running: Running, was_built: bool) {
        let Running { client_id, since, has_compiled, .. } = running;
        let took = since.elapsed();
        if took <= QUICK_BUILD_TIME_MAX && !(was_built && has_compiled) {
            return;
        }
        self.quick.retain(|known| *known != client_id);
        if took <= QUICK_BUILD_TIME_MAX {
            self.quick.push_back(client_id);
        }
        if self.quick.len() > QUICK_PLAYERS_MAX {
            self.quick.pop_front();
        }
    }

    /// Keeps the stages of an ended job for a while.
    fn end_trace(&mut self, job_id: &JobId) {
        self.ended.push_back(job_id.clone());
        if self.ended.len() > TRACES_KEPT
            && let Some(oldest) = self.ended.pop_front()
        {
            self.traces.remove(&oldest);
        }
    }

    fn give_back(&mut self, client: &ClientId, bytes: usize) {
        self.bytes -= bytes;
        if let Some(places) = self.places.get_mut(client) {
            *places -= 1;
            if *places == 0 {
                self.places.remove(client);
            }
        }
    }

    fn progress(&self, job_id: &JobId) -> Progress {
        let begun = self.traces.get(job_id).and_then(|steps| steps.last().copied());
        match (self.running.get(job_id), self.unwritten.get(job_id)) {
            (Some(_), _) => Progress::Running(begun),
            (None, Some(message)) => Progress::Lost(message.clone()),
            (None, None) => Progress::Waiting,
        }
    }
}

impl Running {
    fn of(order: &BuildOrder, notices: Sender<Notice>, is_trusted: bool) -> Self {
        let (spell_id, client_id) = (order.spell_id.clone(), order.player.client_id.clone());
        Self { spell_id, client_id, notices, is_cancelled: false, is_trusted, has_compiled: false, since: Instant::now() }
    }
}

/// What the process knows of a job that has not ended in the database.
enum Progress {
    Waiting,
    Running(Option<Step>),
    Lost(String),
}

impl Progress {
    fn apply(self, job: Job) -> Job {
        match self {
            Self::Waiting => job,
            Self::Running(None) => Job { status: Status::Running, ..job },
            Self::Running(Some(Step { stage, since_ms })) => {
                Job { status: Status::Running, stage, progress_pct: stage.progress_pct(), updated_at: clock::iso8601(since_ms), ..job }
            }
            Self::Lost(message) => Job { status: Status::Failed, error_message: Some(message), ..job },
        }
    }
}

/// A build's own folder, which its worker makes; removed on every ending that the worker does not live to see.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // The worker may have been faster.
        if let Err(error) = fs::remove_dir_all(&self.0)
            && error.kind() != std::io::ErrorKind::NotFound
        {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(folder: &Path) -> Arc<BuildQueue> {
        let queue = BuildQueue::start(Workshop {
            builder: "/bin/false".into(),
            sdk: folder.into(),
            signing_seed: String::new(),
            public_key: String::new(),
            fingerprint: Sha256Hex::of(b""),
            sandbox: Sandbox::Whole,
            generator: None,
            scratch: folder.join("scratch"),
            store: Store::open(&folder.join("control.sqlite")).unwrap(),
            blobs: Blobs::open(folder.join("blobs")).unwrap(),
        });
        queue.unwrap()
    }

    #[test]
    fn while_somebody_cleans_up_builds_are_taken_and_none_begins() {
        let folder = tempfile::tempdir().unwrap();
        let queue = queue(folder.path());
        let player = Player { client_id: ClientId::generate(), username: "kim".into() };
        let what = What::Package(Package::of_code("one".into()).unwrap());
        let done = queue.while_idle(|| {
            let place = queue.place(&player.client_id, &what).unwrap();
            let (job_id, spell_id) = (JobId::generate(), "fireball".parse().unwrap());
            place.take(BuildOrder { job_id, spell_id, player, what, metadata: None, origin: None });
            assert_eq!(queue.counts(), (1, 0));
        });
        assert!(done.is_some());
        // It begins now, and comes to nothing.
        while queue.counts() != (0, 0) {
            thread::yield_now();
        }
        queue.stop();
    }
}
