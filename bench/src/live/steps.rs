//! What publishes cost a tick, without sockets and without a clock to wait for: two worlds with the same hundred casters step by turns, and in one of them the
//! spells change all the time. As on a server, a revision is loaded by another thread while the tick runs.

use super::kinds::{KINDS, Rota, aim};
use super::one;
use crate::artifact;
use crate::hostile::with_epochs;
use crate::report::{Effort, Row, Samples, Series, bar};
use anyhow::{Context, Result, ensure};
use game::{Game, LoadedRevision, Loader, Runtime};
use sim::inbound::CastRequest;
use sim::lineup::InFlight;
use sim::{EntityId, Inbound, Outbound, Thoroughness, Vec3, World};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

const CASTERS: usize = 100;
const SEED: u64 = 7;
/// As the bots of the crowd do.
const PAUSE_TICKS: u64 = 120;
const PUBLISHES: (usize, usize) = (200, 40);
/// From one publish to the next: a quarter of a second.
const INTERVAL_TICKS: usize = 15;
/// A minute, until the long casts are there.
const WARMING_TICKS: (usize, usize) = (3_600, 600);
/// Ticks between two checkpoints: the game server's.
const SAVE_INTERVAL_TICKS: usize = 45;
/// Two worlds' live casts.
const INSTANCES: u32 = 4_096;
const REVISIONS: usize = 2;

/// What was measured.
pub struct Outcome {
    quiet: Stage,
    publishing: Stage,
}

/// One world and what its ticks took.
struct Stage {
    game: Game,
    casters: Vec<(EntityId, Rota)>,
    /// What the server holds of each spell: what is active and what was before.
    held: Vec<[Option<LoadedRevision>; 2]>,
    tick_ms: Vec<f64>,
    /// Those in which a spell was switched.
    switch_ms: Vec<f64>,
    casts: usize,
    moves: usize,
    faults: usize,
    live: usize,
}

/// Measures.
pub fn run(effort: Effort) -> Result<Outcome> {
    let artifacts = build()?;
    let runtime = Runtime::new(INSTANCES)?;
    let loader = Loader::new(runtime.clone(), artifact::public_key());
    let load = |kind: usize, revision: usize| -> Result<LoadedRevision> {
        let loaded = loader.load(KINDS[kind].name, &format!("rev_{:06}_0a1b2c3d", revision + 1), &artifacts[kind][revision % REVISIONS])?;
        Ok(loaded.with_in_flight(if KINDS[kind].migrates { InFlight::Migrate } else { InFlight::Finish }))
    };
    let first = (0..KINDS.len()).map(|kind| load(kind, 0)).collect::<Result<Vec<_>>>()?;
    let (mut quiet, mut publishing) = (Stage::new(&first), Stage::new(&first));
    let (orders, ordered) = channel::<(usize, usize)>();
    let (made, ready) = channel();
    let ticks = (effort.pick(WARMING_TICKS.0, WARMING_TICKS.1), effort.pick(PUBLISHES.0, PUBLISHES.1) * INTERVAL_TICKS);
    std::thread::scope(|scope| {
        scope.spawn(move || ordered.iter().try_for_each(|(kind, revision)| made.send((kind, load(kind, revision))).ok()));
        with_epochs(&runtime, || step(&mut quiet, &mut publishing, ticks, orders, &ready))
    })?;
    Ok(Outcome { quiet, publishing })
}

/// Of each spell its revisions' artifacts.
fn build() -> Result<Vec<Vec<Vec<u8>>>> {
    let progress = bar("builds for ticks alone", KINDS.len() * REVISIONS);
    let one = |kind: &super::kinds::Kind, revision| {
        progress.inc(1);
        artifact::build(&kind.source(revision)?).with_context(|| kind.name)
    };
    let built = KINDS.iter().map(|kind| (0..REVISIONS).map(|revision| one(kind, revision)).collect()).collect();
    progress.finish_and_clear();
    built
}

/// Both worlds by turns.
fn step(
    quiet: &mut Stage,
    publishing: &mut Stage,
    (warming, ticks): (usize, usize),
    orders: Sender<(usize, usize)>,
    ready: &Receiver<(usize, Result<LoadedRevision>)>,
) -> Result<()> {
    let threads = game::threads(0)?;
    let progress = bar("ticks", warming + ticks);
    let mut coming = None;
    for tick in 0..warming + ticks {
        if tick == warming {
            quiet.begin();
            publishing.begin();
        }
        let due = (tick >= warming && (tick - warming).is_multiple_of(INTERVAL_TICKS)).then(|| (tick - warming) / INTERVAL_TICKS);
        let order = due.map(|publish| (publish % KINDS.len(), publish / KINDS.len() + 1));
        for turn in 0..2 {
            if (tick + turn) % 2 == 0 {
                threads.install(|| quiet.tick(None));
                continue;
            }
            // What is loaded while this tick runs is switched to in the next. The quiet world's tick has the machine to itself.
            order.map(|order| orders.send(order)).transpose()?;
            threads.install(|| publishing.tick(coming.take()));
            if order.is_some() {
                let (kind, loaded) = ready.recv()?;
                coming = Some((kind, loaded?));
            }
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    ensure!(quiet.casts > 0 && quiet.faults + publishing.faults == 0, "{} casts were stopped", quiet.faults + publishing.faults);
    Ok(())
}

impl Stage {
    /// Everybody in place, on a grid.
    fn new(revisions: &[LoadedRevision]) -> Self {
        let mut world = World::new(SEED);
        let casters = (0..CASTERS).map(|number| {
            let [x, z] = [number % 10, number / 10].map(|row| row as f32 * 6.0 - 27.0);
            let [aim_x, aim_y, aim_z] = aim(number).map(|axis| axis as f32);
            let id = world.spawn_player(&format!("caster-{number}"), Vec3::new(x, 1.9, z), Vec3::new(aim_x, aim_y, aim_z).normalize());
            (id, Rota::new(number, &KINDS, PAUSE_TICKS, 1))
        });
        let casters = casters.collect();
        let mut game = Game::with_world(world);
        game.record();
        let inbound: Vec<_> = revisions.iter().map(|revision| game.activate(revision.clone())).collect();
        game.step(&inbound, &mut |_| ());
        let held = revisions.iter().map(|revision| [Some(revision.clone()), None]).collect();
        Self { game, casters, held, tick_ms: Vec::new(), switch_ms: Vec::new(), casts: 0, moves: 0, faults: 0, live: 0 }
    }

    /// From here on it counts.
    fn begin(&mut self) {
        self.tick_ms.clear();
        (self.casts, self.moves, self.faults) = (0, 0, 0);
    }

    /// One tick, timed, with what has been published.
    fn tick(&mut self, published: Option<(usize, LoadedRevision)>) {
        let tick = self.game.world().tick();
        let mut inbound: Vec<Inbound> = self.casters.iter_mut().filter_map(|(id, rota)| Some(cast(*id, rota.turn(tick)?))).collect();
        if tick.is_multiple_of(SAVE_INTERVAL_TICKS as u64) {
            inbound.push(Inbound::Checkpoint(Thoroughness::InPassing));
        }
        let switches = published.is_some();
        let start = Instant::now();
        if let Some((kind, loaded)) = published {
            let [active, before] = &mut self.held[kind];
            *before = active.replace(loaded.clone());
            inbound.push(self.game.activate(loaded));
        }
        let told = self.game.step(&inbound, &mut |_| ());
        let ms = start.elapsed().as_secs_f64() * 1e3;
        self.tick_ms.push(ms);
        if switches {
            self.switch_ms.push(ms);
        }
        self.game.take_checkpoint();
        self.live = self.game.casts_live();
        told.iter().for_each(|event| self.hear(event));
    }

    fn hear(&mut self, event: &Outbound) {
        match event {
            Outbound::CastStarted { .. } => self.casts += 1,
            Outbound::Migrated { .. } => self.moves += 1,
            Outbound::CastFaulted { .. } | Outbound::MigrationFailed { .. } => self.faults += 1,
            Outbound::CastRejected { spell, caster, .. } => {
                let rota = self.casters.iter_mut().find(|(id, _)| id == caster);
                if let (Some((_, rota)), Some(kind)) = (rota, KINDS.iter().position(|kind| kind.name == spell)) {
                    rota.refused(kind);
                }
            }
            _ => {}
        }
    }
}

fn cast(caster: EntityId, kind: usize) -> Inbound {
    Inbound::Cast(CastRequest {
        caster,
        spell: KINDS[kind].name.into(),
        revision: String::new(),
        target_position: Vec3::new(0.0, 1.0, -7.5),
        target: EntityId::NONE,
        params: "{}".into(),
    })
}

impl Outcome {
    /// Its figures.
    pub fn rows(&self) -> Vec<Row> {
        let Self { quiet, publishing } = self;
        let how = format!(
            "{} publishes of {} spells, one every {INTERVAL_TICKS} ticks, {CASTERS} casters, {} live casts at the end, {} began; two worlds by turns",
            publishing.switch_ms.len(),
            KINDS.len(),
            publishing.live,
            publishing.casts,
        );
        let [of_publishing, of_quiet] = [publishing, quiet].map(|stage| Samples::new(stage.tick_ms.clone()));
        let row = |key, share, aim| of_publishing.only(share).against(&of_quiet.only(share), "the same world, quiet", key, "ms", aim, &how);
        let of_switches = Samples::new(publishing.switch_ms.clone());
        let of_switch_ticks = format!("ticks that switch a spell; {how}");
        let of_moves = format!("times that a cast was moved to another revision; {how}");
        vec![
            row("publishes_200.tick_p50_ms", 0.5, ""),
            row("publishes_200.tick_p99_ratio", 0.99, "1.1x"),
            row("publishes_200.tick_max_ms", 1.0, ""),
            of_switches.against(&of_quiet, "a quiet tick", "publishes_200.switch_tick_ms", "ms", "", of_switch_ticks),
            one(publishing.moves as f64).row("publishes_200.tick_moves", "", "", of_moves),
        ]
    }

    /// For the plot.
    pub fn curves(&self) -> Vec<Series> {
        [(&self.publishing, "publishing"), (&self.quiet, "quiet")]
            .map(|(stage, name)| super::rarity(name, &Samples::new(stage.tick_ms.clone())))
            .into()
    }
}
