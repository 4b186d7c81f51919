//! Fiedler's 901 cubes, 60 times a second, each frame against what the client had a round trip before.

use super::gaffer;
use super::scene::{self, CUBES, Frame, HZ};
use crate::dice::Dice;
use crate::report::{Effort, Report, Samples, bar};
use anyhow::{Result, ensure};
use protocol::limits::GROUP_ENTITIES_MAX;
use protocol::server::Properties;
use protocol::v1::{self, PlayerState};
use protocol::v2::group::{self, Bases, Census};
use protocol::v2::{EntityState, Rotation};
use sim::inbound::Input;
use sim::scene::Entity;
use sim::{EntityId, Inbound, NoSpells, Quat, Temper, Vec3, World};
use std::time::Instant;

/// Frames from one that is sent back to the newest that the client has said it has: Fiedler's 100 ms.
const ROUND_TRIP: usize = 6;
/// Frames between the two that both sides know and from which motion is predicted.
const SPAN: usize = 3;
/// Seconds of the scene.
const SECONDS: (usize, usize) = (60, 5);
const SEED: u64 = 7;
/// Scenes from which the probabilities are learned; none is measured.
const LESSONS: std::ops::Range<u64> = 21..25;
/// zstd's level that fits a millisecond.
const ZSTD_LEVEL: i32 = 3;

/// Adds the figures, and draws them.
pub fn measure(report: &mut Report, effort: Effort) -> Result<()> {
    let frames = scene::play(SEED, effort.pick(SECONDS.0, SECONDS.1) * HZ + ROUND_TRIP + SPAN);
    let states: Vec<Vec<EntityState>> = frames.iter().map(states).collect();
    let first = ROUND_TRIP + SPAN;
    let mut coders = [
        Coder::new("raw"),
        Coder::new("v1 JSON"),
        Coder::new("quantised + zstd"),
        Coder::new("gaffer_net's model"),
        Coder::new("ugc.v2.bin"),
    ];
    // What each side of gaffer_net's coder knows after each frame.
    let mut known: Vec<gaffer::Known> = frames[..first].iter().map(|frame| gaffer::Known::first(&frame.cubes)).collect();
    let progress = bar("frames", frames.len() - first);
    let mut decode_ms = Vec::new();
    for at in first..frames.len() {
        let (frame, now) = (&frames[at], &states[at]);
        // Fiedler counts position, rotation and velocity as floats, and one bit.
        coders[0].note(0.0, (CUBES * (10 * 32 + 1)) as f64 / 8.0);
        coders[1].time(|| json(at, frame, now).len());
        coders[2].time(|| zstd::encode_all(&deltas(now, &states[at - ROUND_TRIP])[..], ZSTD_LEVEL).map_or(0, |bytes| bytes.len()));
        let mut coded = None;
        coders[3].time(|| {
            let (bytes, after) = gaffer::encode(&frame.cubes, &known[at - ROUND_TRIP]);
            let length = bytes.len();
            coded = Some((bytes, after));
            length
        });
        if let Some((bytes, after)) = coded {
            ensure!(gaffer::decode(&bytes, &known[at - ROUND_TRIP]).cubes == frame.cubes, "gaffer_net's model loses something");
            known.push(after);
        }
        let bases = Bases::new(Some(&states[at - ROUND_TRIP]), ROUND_TRIP as u32, Some(&states[at - ROUND_TRIP - SPAN]), SPAN as u32);
        let mut bytes = Vec::new();
        coders[4].time(|| {
            bytes = group::encode(now, &bases);
            bytes.len()
        });
        let since = Instant::now();
        ensure!(group::decode(&bytes, &bases)? == *now, "v2 loses something");
        decode_ms.push(since.elapsed().as_secs_f64() * 1e3);
        progress.inc(1);
    }
    progress.finish_and_clear();
    let how = "kbit/s of 901 cubes at 60 snapshots a second against a base six old; a second is a round";
    let rates: Vec<Samples> = coders.iter().map(Coder::kbps).collect();
    report.extend([
        rates[4].row(
            "cubes.kbps",
            "kbit/s",
            "",
            format!("{how}; published for Fiedler's own trace: 256 (his goal), 213.6 (rygorous), 135.07 (JodiTheTigger)"),
        ),
        Samples::new(vec![coders[4].total()]).against(
            &Samples::new(vec![coders[3].total()]),
            "a model of gaffer_net's coder",
            "cubes.vs_gaffer_model",
            "bytes",
            "0.65",
            "bytes of the whole run",
        ),
        Samples::new(coders[4].ms.clone()).row("cubes.encode_ms", "ms", "1", "one frame of 901 cubes"),
        Samples::new(decode_ms).row("cubes.decode_ms", "ms", "", "the same"),
        rates[3].row("cubes.gaffer_model_kbps", "kbit/s", "", how),
        Samples::new(coders[3].ms.clone()).row("cubes.gaffer_model_encode_ms", "ms", "", "one frame"),
        rates[2].row("cubes.zstd_kbps", "kbit/s", "", "differences to the base, field by field, 16 bits each, zstd level 3"),
        Samples::new(coders[2].ms.clone()).row("cubes.zstd_encode_ms", "ms", "1", "one frame"),
        rates[1].row("cubes.json_kbps", "kbit/s", "", "as v1 sends them"),
        rates[0].row("cubes.raw_kbps", "kbit/s", "", "ten floats and a bit, as Fiedler counts"),
    ]);
    let bars: Vec<(&str, &Samples)> = coders.iter().zip(&rates).skip(2).map(|(coder, rate)| (coder.name, rate)).collect();
    report.bars("wire_cubes", "901 cubes, 60 snapshots a second", "kbit/s", &bars)?;
    let over_time: Vec<_> = coders[2..].iter().map(|coder| (coder.name.to_owned(), coder.over_time())).collect();
    report.plot("wire_cubes_time", "901 cubes: what each second takes", ("s", "kbit/s"), &over_time)
}

/// Learns the probabilities of `v2` from other scenes of cubes and from a world of players, and answers the table that `protocol` holds.
pub fn learn() -> Vec<u8> {
    let mut census = Census::default();
    for seed in LESSONS {
        let scene: Vec<_> = scene::play(seed, 60 * HZ).iter().map(|frame| vec![states(frame)]).collect();
        note(&mut census, &scene, ROUND_TRIP, 2);
    }
    for seed in LESSONS {
        // Twenty snapshots a second, and clients that are near or far.
        let world = players(seed);
        [3, 6, 9, 12].iter().for_each(|age| note(&mut census, &world, *age, 3));
    }
    census.zeros()
}

/// Counts the groups of every so many-th tick against what was so many ticks before.
fn note(census: &mut Census, ticks: &[Vec<Vec<EntityState>>], age: usize, step: usize) {
    for at in (age + SPAN..ticks.len()).step_by(step) {
        for (group, now) in ticks[at].iter().enumerate() {
            let base = ticks[at - age].get(group).map(Vec::as_slice);
            let before = ticks[at - age - SPAN].get(group).map(Vec::as_slice);
            group::learn(census, now, &Bases::new(base, age as u32, before, SPAN as u32));
        }
    }
}

/// A minute of a world in which 48 players walk, turn, jump and shoot among NPCs and crates; by tick, those of the world and those that somebody owns.
fn players(seed: u64) -> Vec<Vec<Vec<EntityState>>> {
    let mut world = World::empty(seed);
    let mut dice = Dice(seed);
    let mut somewhere = || Vec3::new(dice.range(50.0), 1.9, dice.range(50.0));
    let players: Vec<EntityId> = (0..48).map(|n| world.spawn_player(&format!("player{n}"), somewhere(), Vec3::NEG_Z)).collect();
    (0..12).for_each(|_| _ = world.spawn_npc_of(Temper::Guard, "npc", somewhere(), Vec3::NEG_Z));
    (0..4).for_each(|_| _ = world.spawn_prop("crate", somewhere()));
    let tick = |tick: u32| {
        let controls = |(n, player): (u32, &EntityId)| {
            let leg = (tick + n * 11) / 45 + n * 7;
            let angle = (leg.wrapping_mul(2_654_435_761) >> 16) as f32 / 65_536.0 * std::f32::consts::TAU;
            // A quarter of them turn their heads all the time, an eighth stands.
            let angle = if n.is_multiple_of(4) { angle + (tick as f32 * 0.05).sin() } else { angle };
            let aim = Vec3::new(angle.sin(), 0.0, -angle.cos());
            let movement = if leg.is_multiple_of(8) { Vec3::ZERO } else { Vec3::NEG_Z };
            let (fire, jump) = (n.is_multiple_of(3), (tick + n * 17).is_multiple_of(97));
            let input = Input { sequence: tick + 1, movement, aim, sprint: leg.is_multiple_of(5), fire, jump, seen_tick: 0 };
            Inbound::Input { player: *player, input }
        };
        let inbound: Vec<Inbound> = (0..).zip(&players).map(controls).collect();
        sim::step(&mut world, &inbound, &mut NoSpells, &mut |_| ());
        let entities = || world.scene().entities();
        let of =
            |owned: bool| entities().filter(|it| (it.owner != EntityId::NONE) == owned).take(GROUP_ENTITIES_MAX).map(quantised).collect();
        vec![of(false), of(true)]
    };
    (0..60 * HZ as u32).map(tick).collect()
}

fn quantised(entity: &Entity) -> EntityState {
    let Quat { x, y, z, w, .. } = entity.rotation;
    EntityState::nearest(entity.id.0, entity.kind as u8, entity.position.to_array(), [x, y, z, w], entity.health)
}

/// Figures of one contender.
struct Coder {
    name: &'static str,
    bytes: Vec<f64>,
    ms: Vec<f64>,
}

impl Coder {
    fn new(name: &'static str) -> Self {
        Self { name, bytes: Vec::new(), ms: Vec::new() }
    }

    fn note(&mut self, ms: f64, bytes: f64) {
        self.ms.push(ms);
        self.bytes.push(bytes);
    }

    fn time(&mut self, encode: impl FnOnce() -> usize) {
        let since = Instant::now();
        let bytes = encode();
        self.note(since.elapsed().as_secs_f64() * 1e3, bytes as f64);
    }

    fn total(&self) -> f64 {
        self.bytes.iter().sum()
    }

    fn over_time(&self) -> Vec<(f64, f64)> {
        let seconds = self.bytes.chunks_exact(HZ).map(|second| second.iter().sum::<f64>() * 8.0 / 1e3);
        (1..).map(f64::from).zip(seconds).collect()
    }

    fn kbps(&self) -> Samples {
        Samples::new(self.over_time().into_iter().map(|(_, kbps)| kbps).collect())
    }
}

/// At the published precision: 512 steps a metre, and 9 bits for each of three components. Our y is up, Fiedler's z.
fn states(frame: &Frame) -> Vec<EntityState> {
    let state = |(index, (exact, cube)): (usize, (&scene::Exact, &scene::Cube))| {
        let ([x, y, z], [i, j, k, w]) = (exact.position, exact.rotation);
        EntityState {
            id: index as u64 + 1,
            kind: 4,
            position: [x, z, -y].map(|axis| (axis * 512.0).round() as i32),
            rotation: Rotation::nearest([i, k, -j, w]),
            health: cube.interacting.into(),
        }
    };
    frame.exact.iter().zip(&frame.cubes).enumerate().map(state).collect()
}

fn json(at: usize, frame: &Frame, states: &[EntityState]) -> String {
    let entities: Vec<v1::EntityState> = states
        .iter()
        .zip(&frame.exact)
        .map(|(state, exact)| {
            let [x, y, z, w] = exact.rotation;
            let euler = [(2.0 * (w * x - y * z)).clamp(-1.0, 1.0).asin(), (2.0 * (x * z + w * y)).atan2(1.0 - 2.0 * (x * x + y * y)), 0.0];
            let x = Properties::default();
            v1::EntityState { id: state.id, t: 4, p: exact.position, r: euler, v: exact.velocity, h: state.health.into(), x }
        })
        .collect();
    let own = PlayerState { seq: 1, p: frame.exact[0].position, v: frame.exact[0].velocity, g: true };
    v1::snapshot(at as u64, std::iter::once(v1::entities(&entities).as_str()), &own)
}

/// Field by field, so that what is alike stands together.
fn deltas(now: &[EntityState], base: &[EntityState]) -> Vec<u8> {
    let fields: [fn(&EntityState) -> i32; 8] = [
        |state| state.position[0],
        |state| state.position[1],
        |state| state.position[2],
        |state| state.rotation.largest.into(),
        |state| state.rotation.others[0].into(),
        |state| state.rotation.others[1].into(),
        |state| state.rotation.others[2].into(),
        |state| state.health.into(),
    ];
    let all = fields.iter().flat_map(|field| now.iter().zip(base).map(move |(now, base)| (field(now) - field(base)) as i16));
    all.flat_map(i16::to_le_bytes).collect()
}
