//! A world with spells, without sockets and clock: what the game server, the author's harness and tests share.
//!
//! A [`Loader`] makes revisions ready on any thread; [`Game::admit`] turns a ready one into the [`Inbound`] that activates it; [`Game::step`] is one tick.

mod convert;
pub mod limits;
pub mod recording;
mod revision;
mod runner;
pub mod scenario;
mod scheduler;
mod usage;

pub use revision::{LoadedRevision, Loader};
pub use usage::{EndedCast, HookSpent, Spent, Usage};
// What whoever runs a game must name, so that it need not know the runtime itself.
pub use sim::limits::TICK_HZ;
pub use spell_runtime::artifact::PublicKey;
pub use spell_runtime::envelope::{Capabilities, Envelope};
pub use spell_runtime::limits::EPOCH_TICK_MS;
pub use spell_runtime::{ENGINE_ID, LoadError, Runtime};

use recording::{Late, Recorder, Recording};
use sim::saved::{Dropped, Stored};
use sim::{Checkpoint, Inbound, Outbound, Stage, World};

/// Threads for ticks to run on, by `install`; 0 is one for each core.
///
/// # Errors
/// When the system gives us none.
pub fn threads(count: usize) -> std::io::Result<rayon::ThreadPool> {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(count).thread_name(|number| format!("game-{number}"));
    threads.build().map_err(std::io::Error::other)
}

/// A world and whoever runs its spells.
pub struct Game {
    world: World,
    runner: runner::Runner,
    recorder: Option<Recorder>,
}

impl Game {
    /// The world that players find, with this seed.
    pub fn new(seed: u64) -> Self {
        Self::with_world(World::new(seed))
    }

    /// A world that someone else has set up.
    pub fn with_world(world: World) -> Self {
        Self { world, runner: runner::Runner::default(), recorder: None }
    }

    /// The game as it was saved, with the revisions that its spells and casts need; `Saved::revisions` names them. What cannot go on without one that is
    /// missing is ended, and the answer names those casts.
    ///
    /// # Errors
    /// When the state does not fit together.
    pub fn load(
        stored: Stored,
        revisions: impl IntoIterator<Item = LoadedRevision>,
    ) -> Result<(Self, Vec<Dropped>), sim::saved::LoadError> {
        let mut runner = runner::Runner::default();
        revisions.into_iter().for_each(|revision| runner.admit(revision));
        let (world, dropped) = World::load(stored, &mut runner)?;
        runner.follow(&world);
        Ok((Self { world, runner, recorder: None }, dropped))
    }

    /// What the last tick has saved, if `Inbound::Checkpoint` asked for it.
    pub fn take_checkpoint(&mut self) -> Option<Checkpoint> {
        self.world.take_checkpoint()
    }

    /// Takes a revision in, before the step that switches to it.
    pub fn admit(&mut self, loaded: LoadedRevision) {
        self.runner.admit(loaded);
    }

    /// Takes a revision in, to be everybody's. The answer belongs into the next step's inbound: until then the last good one stays active.
    pub fn activate(&mut self, loaded: LoadedRevision) -> Inbound {
        let activate = Inbound::activate(&loaded.spell, &loaded.revision, loaded.spec);
        self.admit(loaded);
        activate
    }

    /// One tick. `stages` is told each stage as it begins. Spells run on the threads of the calling thread's rayon pool; how many those are changes nothing.
    pub fn step(&mut self, inbound: &[Inbound], stages: &mut impl FnMut(Stage)) -> Vec<Outbound> {
        self.runner.before_step();
        let outbound = sim::step(&mut self.world, inbound, &mut self.runner, stages);
        let late = self.runner.take_late();
        if let Some(recorder) = &mut self.recorder {
            recorder.note(inbound, late, &self.world, self.runner.loaded());
        }
        let switched = inbound.iter().any(|one| matches!(one, Inbound::Switch(_)));
        self.runner.after_step(&self.world, switched);
        outbound
    }

    /// From the next checkpoint on, keeps the last minute.
    pub fn record(&mut self) {
        self.record_ticks(limits::RECORDED_TICKS);
    }

    /// From the next checkpoint on, keeps at least so many ticks, once they have passed: a server can spare the memory for a minute, a test for more.
    pub fn record_ticks(&mut self, ticks: usize) {
        self.recorder = Some(Recorder::new(ticks));
    }

    /// What is kept of the last ticks, if any is; none before the first checkpoint that could save every cast.
    pub fn recording(&self) -> Option<Recording> {
        self.recorder.as_ref()?.recording()
    }

    /// Bytes of inbound and components that are kept of the last ticks; the world that they begin with shares its chunks with the game's own.
    pub fn recorded_bytes(&self) -> usize {
        self.recorder.as_ref().map_or(0, Recorder::bytes)
    }

    /// Calls of the next step that end by time, as they did when it was recorded.
    pub(crate) fn be_late(&mut self, late: Vec<Late>) {
        self.runner.be_late(late);
    }

    /// The world, to look at.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The revisions that are held in memory: those that new casts may run, and those that live casts are pinned to.
    pub fn loaded(&self) -> impl Iterator<Item = &LoadedRevision> {
        self.runner.loaded()
    }

    /// Lets all spells together spend another amount of fuel in a tick than `SPELLS_TICK_FUEL_MAX`, to see what a world would take in which nobody waits. It is in
    /// no recording and no save.
    pub fn set_tick_fuel(&mut self, fuel: u64) {
        self.runner.set_tick_fuel(fuel);
    }

    /// Calls of hooks that the last tick made; others that were due wait for fuel.
    pub fn calls_made(&self) -> usize {
        self.runner.calls_made()
    }

    /// What the last tick's calls took, and the casts that have ended in it.
    pub fn spent(&self) -> &Spent {
        self.runner.spent()
    }

    /// Casts that have an instance.
    pub fn casts_live(&self) -> usize {
        self.runner.casts_live()
    }
}
