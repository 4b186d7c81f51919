//! What the game loop counts: for Prometheus, where somebody asks, and each second for the control plane.

use crate::limits::{METRIC_IDLE, METRIC_PLAYERS_MAX, METRIC_REVISIONS_MAX};
use crate::pace::Pace;
use game::Game;
use metrics::{Counter, Gauge, Histogram, Label, counter, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder};
use metrics_util::MetricKindMask;
use protocol::link::Health;
use sim::{EntityId, Outbound, Stage};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Upper bounds of ticks and their stages, seconds: from a hundredth of a tick to six.
const TICK_SECONDS: [f64; 12] = [0.000_166, 0.000_5, 0.001, 0.002, 0.004, 0.006, 0.008, 0.012, 0.016_667, 0.025, 0.05, 0.1];

/// Serves `GET /metrics` on this address, from threads of its own.
///
/// # Errors
/// When the address cannot be listened on.
pub fn serve(address: SocketAddr) -> Result<(), BuildError> {
    // The other counters are touched each second.
    let builder = PrometheusBuilder::new().with_http_listener(address).idle_timeout(MetricKindMask::COUNTER, Some(METRIC_IDLE));
    builder.set_buckets_for_metric(Matcher::Suffix("tick_seconds".into()), &TICK_SECONDS)?.install()
}

/// The game loop's counts. Where nobody serves them they cost next to nothing.
pub struct Meters {
    tick: Histogram,
    stages: BTreeMap<Stage, Histogram>,
    late: Counter,
    skipped: Counter,
    players: Gauge,
    entities: Gauge,
    casts: Gauge,
    snapshot_bytes: Counter,
    recorded_bytes: Gauge,
    revisions: Apart<2>,
    players_apart: Apart<1>,
    /// By spell and revision: the fuel that was counted already.
    fuel: BTreeMap<(String, String), u64>,
    /// Of this second.
    second: Second,
    told: (u64, u64),
    stage: Option<(Stage, Instant)>,
}

#[derive(Default)]
struct Second {
    ticks_us: Vec<u32>,
    casts: u32,
    faults: u32,
    snapshot_bytes: u64,
    /// What the casts of each caster took.
    by_caster: BTreeMap<EntityId, OfCaster>,
}

#[derive(Default)]
struct OfCaster {
    fuel: u64,
    casts: u64,
    faults: u64,
}

/// Counters by these labels: of so many apart, each as long as something happens, and of the others together.
struct Apart<const N: usize> {
    labels: [&'static str; N],
    max: usize,
    /// When it was counted last.
    last: BTreeMap<[String; N], Instant>,
}

/// What is counted beyond those.
const OTHERS: &str = "(others)";

impl Meters {
    /// All at nothing.
    pub fn new() -> Self {
        let stages = Stage::ALL.iter().map(|stage| (*stage, histogram!("ugc_stage_tick_seconds", "stage" => stage.name())));
        Self {
            tick: histogram!("ugc_tick_seconds"),
            stages: stages.collect(),
            late: counter!("ugc_ticks_late_total"),
            skipped: counter!("ugc_ticks_skipped_total"),
            players: gauge!("ugc_players"),
            entities: gauge!("ugc_entities"),
            casts: gauge!("ugc_casts_live"),
            snapshot_bytes: counter!("ugc_snapshot_bytes_total"),
            recorded_bytes: gauge!("ugc_recording_bytes"),
            revisions: Apart { labels: ["spell", "revision"], max: METRIC_REVISIONS_MAX, last: BTreeMap::new() },
            players_apart: Apart { labels: ["player"], max: METRIC_PLAYERS_MAX, last: BTreeMap::new() },
            fuel: BTreeMap::new(),
            second: Second::default(),
            told: (0, 0),
            stage: None,
        }
    }

    /// A stage of the tick begins.
    pub fn stage(&mut self, stage: Stage) {
        let now = Instant::now();
        self.end_stage(now);
        self.stage = Some((stage, now));
    }

    fn end_stage(&mut self, now: Instant) {
        if let Some((stage, since)) = self.stage.take() {
            self.stages[&stage].record(now - since);
        }
    }

    /// A tick was simulated and told, and took so long.
    pub fn tick(&mut self, took: Duration, game: &Game, outbound: &[Outbound], snapshot_bytes: u64) {
        self.end_stage(Instant::now());
        self.tick.record(took);
        self.second.ticks_us.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
        self.second.snapshot_bytes += snapshot_bytes;
        self.snapshot_bytes.increment(snapshot_bytes);
        for (caster, fuel) in &game.spent().by_caster {
            self.second.by_caster.entry(*caster).or_default().fuel += fuel;
        }
        for event in outbound {
            match event {
                Outbound::CastStarted { spell, revision, caster, .. } => {
                    self.second.casts += 1;
                    self.second.by_caster.entry(*caster).or_default().casts += 1;
                    self.revisions.count("ugc_spell_casts_total", [spell, revision], 1);
                }
                Outbound::CastFaulted { spell, revision, caster, .. } => {
                    self.second.faults += 1;
                    self.second.by_caster.entry(*caster).or_default().faults += 1;
                    self.revisions.count("ugc_spell_faults_total", [spell, revision], 1);
                }
                _ => {}
            }
        }
    }

    /// Once a second: how the server does.
    pub fn health(&mut self, game: &Game, players: usize, pace: &Pace) -> Health {
        let world = game.world();
        let (entities, casts) = (world.scene().len(), world.live_casts());
        self.players.set(players as f64);
        self.entities.set(entities as f64);
        self.casts.set(casts as f64);
        self.recorded_bytes.set(game.recorded_bytes() as f64);
        self.late.increment(pace.late_ticks - self.told.0);
        self.skipped.increment(pace.skipped_ticks - self.told.1);
        self.told = (pace.late_ticks, pace.skipped_ticks);
        let fuel = self.count_fuel(game);
        let Second { mut ticks_us, casts: casts_begun, faults, snapshot_bytes, by_caster } = std::mem::take(&mut self.second);
        self.count_players(game, &by_caster);
        ticks_us.sort_unstable();
        let quantile = |share: f64| {
            ticks_us.get(((ticks_us.len() as f64 * share) as usize).min(ticks_us.len().saturating_sub(1))).copied().unwrap_or(0)
        };
        Health {
            tick: world.tick(),
            tick_p50_us: quantile(0.5),
            tick_p99_us: quantile(0.99),
            tick_max_us: ticks_us.last().copied().unwrap_or(0),
            late_ticks: pace.late_ticks,
            skipped_ticks: pace.skipped_ticks,
            players: players as u32,
            entities: entities as u32,
            casts: casts as u32,
            casts_begun,
            faults,
            fuel,
            snapshot_bytes,
        }
    }

    /// Fuel that was spent since this was last asked, by the revisions that are loaded.
    fn count_fuel(&mut self, game: &Game) -> u64 {
        let mut counted = BTreeMap::new();
        let mut all = 0;
        for loaded in game.loaded() {
            let key = (loaded.spell.clone(), loaded.revision.clone());
            let fuel = loaded.usage().fuel();
            let more = fuel.saturating_sub(self.fuel.get(&key).copied().unwrap_or(0));
            if more > 0 {
                self.revisions.count("ugc_spell_fuel_total", [&loaded.spell, &loaded.revision], more);
            }
            all += more;
            counted.insert(key, fuel);
        }
        self.fuel = counted;
        self.revisions.forget_idle();
        all
    }

    /// NPCs are nobody's, and who has left meanwhile is not known any more.
    fn count_players(&mut self, game: &Game, by_caster: &BTreeMap<EntityId, OfCaster>) {
        for (caster, OfCaster { fuel, casts, faults }) in by_caster {
            let Some(account) = game.world().account(*caster).filter(|account| !account.is_empty()) else { continue };
            for (what, more) in [("ugc_player_fuel_total", fuel), ("ugc_player_casts_total", casts), ("ugc_player_faults_total", faults)] {
                self.players_apart.count(what, [account], *more);
            }
        }
        self.players_apart.forget_idle();
    }
}

impl<const N: usize> Apart<N> {
    /// Looked up each time: the exporter lets go of what was idle, and a counter that was held would count for nobody then.
    fn count(&mut self, what: &'static str, key: [&str; N], more: u64) {
        let key = key.map(str::to_owned);
        let is_apart = self.last.contains_key(&key) || self.last.len() < self.max;
        let shown = if is_apart { key.clone() } else { [(); N].map(|()| OTHERS.to_owned()) };
        let labels: Vec<Label> = self.labels.into_iter().zip(shown).map(|(name, value)| Label::new(name, value)).collect();
        counter!(what, labels).increment(more);
        if is_apart {
            self.last.insert(key, Instant::now());
        }
    }

    fn forget_idle(&mut self) {
        self.last.retain(|_, last| last.elapsed() < METRIC_IDLE);
    }
}

impl Default for Meters {
    fn default() -> Self {
        Self::new()
    }
}
