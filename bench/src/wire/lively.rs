//! A lively world: 64 players, 200 NPCs, casts, balls in the air. What one client gets of it in each encoding, and how fast it is encoded and decoded.

use super::onlookers::{ACKNOWLEDGED_TICKS, Onlookers};
use crate::artifact;
use crate::report::{Effort, Report, Samples, progress};
use crate::tick::crowd::{Census, Crowd, SPELLS};
use anyhow::{Result, ensure};
use game::Loader;
use host::convert;
use host::limits::SNAPSHOT_INTERVAL_TICKS;
use protocol::limits::GROUP_ENTITIES_MAX;
use protocol::v1;
use protocol::v2::group::{self, Bases};
use protocol::v2::{EntityState, GroupPart, Snapshot};
use sim::scene::Scene;
use spell_runtime::Runtime;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

const CENSUS: Census = Census { players: 64, npcs: 200, shots: 100, props: 50, casts: 64 };
/// Metres each way: three times as wide as a client sees to one side.
const EXTENT_M: f32 = 384.0;
const SNAPSHOTS: (usize, usize) = (600, 60);
/// Before anything is measured: until then nothing is acknowledged.
const WARMING: usize = 20;
/// How many snapshots come until one is acknowledged.
const ACKNOWLEDGED_SNAPSHOTS: usize = (ACKNOWLEDGED_TICKS / SNAPSHOT_INTERVAL_TICKS) as usize;
/// Live casts that the loader has room for.
const CASTS_MAX: u32 = 256;

/// All entities by id, in groups of ids that follow each other.
type States = BTreeMap<u32, Vec<EntityState>>;

/// What was taken down of each snapshot.
#[derive(Default)]
struct Figures {
    v1: Vec<f64>,
    full: Vec<f64>,
    delta: Vec<f64>,
    interest: Vec<f64>,
    /// Entities in a microsecond.
    encoded: Vec<f64>,
    decoded: Vec<f64>,
}

/// Adds the figures, and draws them.
pub fn measure(report: &mut Report, effort: Effort) -> Result<()> {
    let loader = Loader::new(Runtime::new(CASTS_MAX)?, artifact::public_key());
    let mut spells = Vec::new();
    for (name, source) in SPELLS {
        progress(&format!("building {name}"));
        spells.push(loader.load(name, "rev_000001_00000000", &artifact::build(source)?)?);
    }
    let mut crowd = Crowd::of(CENSUS, EXTENT_M, &spells)?;
    let mut onlookers = Onlookers::new(&crowd, CENSUS.players);
    let (mut figures, mut known): (Figures, VecDeque<States>) = Default::default();
    let count = effort.pick(SNAPSHOTS.0, SNAPSHOTS.1);
    for number in 0..WARMING + count {
        progress(&format!("snapshot {number}/{count} of the lively world"));
        onlookers.play(&mut crowd);
        let (tick, scene) = (crowd.game.world().tick(), crowd.game.world().scene());
        onlookers.advance(tick, scene);
        onlookers.acknowledge(tick.saturating_sub(ACKNOWLEDGED_TICKS));
        onlookers.look(tick, scene);
        let mut seen = Vec::new();
        onlookers.snapshots(tick, scene, |message| seen.push(message.len() as f64));
        let now = states(scene);
        if number >= WARMING {
            figures.interest.push(kilobytes(seen.iter().sum::<f64>() / seen.len() as f64));
            figures.take(tick, scene, &crowd, &now, &known)?;
        }
        known.push_front(now);
        known.truncate(2 * ACKNOWLEDGED_SNAPSHOTS);
    }
    progress("");
    let (seen, _) = crowd.counted();
    let how = format!(
        "snapshots alone, to one client of {} players, {} NPCs, {} projectiles and {} bodies with {} live casts, on {EXTENT_M} m of hills each way; acknowledged after 100 ms",
        seen.players, seen.npcs, seen.shots, seen.props, seen.casts
    );
    let Figures { v1, full, delta, interest, encoded, decoded } = figures;
    let [v1, full, delta, interest, encoded, decoded] = [v1, full, delta, interest, encoded, decoded].map(Samples::new);
    let times = |samples: &Samples, key, what: &str| samples.against(&v1, "v1, all entities", key, "kB/s", "", format!("{what}; {how}"));
    report.extend([
        times(&full, "lively.full", "v2, all entities, each snapshot whole"),
        times(&delta, "lively.delta", "v2, all entities, as differences to what was acknowledged"),
        times(
            &interest,
            "lively.interest",
            "v2 as the game server does it: what is within sight, in groups by place; the mean of all clients",
        ),
        encoded.row("lively.encode", "M/s", "", "million entities in a second, as differences, in groups of 64 at most, on one thread"),
        decoded.row("lively.decode", "M/s", "", "of the same"),
    ]);
    let bars = [("v1", &v1), ("v2, whole", &full), ("v2, differences", &delta), ("v2, within sight", &interest)];
    report.bars("wire_lively", "A lively world to one client", "kB/s", &bars)
}

impl Figures {
    /// The newest of `known` is the snapshot before this one.
    fn take(&mut self, tick: u64, scene: &Scene, crowd: &Crowd, now: &States, known: &VecDeque<States>) -> Result<()> {
        let Some(me) = scene.entity(crowd.players[0]) else { return Ok(()) };
        let text = v1::entities(&scene.entities().map(convert::entity_state).collect::<Vec<_>>());
        self.v1.push(kilobytes(v1::snapshot(tick, std::iter::once(text.as_str()), &convert::player_state(me)).len() as f64));
        let (base, before) = (&known[ACKNOWLEDGED_SNAPSHOTS - 1], &known[2 * ACKNOWLEDGED_SNAPSHOTS - 1]);
        let age = ACKNOWLEDGED_TICKS as u32;
        let frame = |age: u32, groups: &[(u32, Vec<u8>)]| {
            let parts = groups.iter().map(|(group, bytes)| GroupPart { group: *group, age, span: age, bytes }).collect();
            Snapshot { server_tick: tick, own: convert::own_state(me), groups: parts }.encode().len() as f64
        };
        let whole: Vec<_> = now.iter().map(|(group, states)| (*group, group::encode(states, &Bases::default()))).collect();
        self.full.push(kilobytes(frame(0, &whole)));
        let entities = now.values().map(Vec::len).sum::<usize>() as f64;
        let bases = |group: &u32| Bases::new(base.get(group).map(Vec::as_slice), age, before.get(group).map(Vec::as_slice), age);
        let since = Instant::now();
        let coded: Vec<_> = now.iter().map(|(group, states)| (*group, group::encode(states, &bases(group)))).collect();
        self.encoded.push(entities / micros(since.elapsed()));
        self.delta.push(kilobytes(frame(age, &coded)));
        let since = Instant::now();
        let decoded = coded.iter().map(|(group, bytes)| group::decode(bytes, &bases(group))).collect::<Result<Vec<_>, _>>()?;
        self.decoded.push(entities / micros(since.elapsed()));
        ensure!(decoded.iter().eq(now.values()), "what was decoded is not what was encoded");
        Ok(())
    }
}

fn states(scene: &Scene) -> States {
    let mut states = States::new();
    for state in scene.entities().map(convert::quantised) {
        states.entry((state.id / GROUP_ENTITIES_MAX as u64) as u32).or_default().push(state);
    }
    states
}

/// A second, of the bytes of one snapshot.
fn kilobytes(bytes: f64) -> f64 {
    bytes * f64::from(sim::limits::TICK_HZ) / SNAPSHOT_INTERVAL_TICKS as f64 / 1e3
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
