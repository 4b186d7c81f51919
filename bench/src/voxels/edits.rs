//! A thousand edits a second: players dig and fill hills on which crates rest, colliders and all.

use crate::clock;
use crate::hills;
use crate::report::{Report, Samples, progress};
use anyhow::{Result, ensure};
use sim::edit::{Area, Change};
use sim::voxel::Terrain;
use sim::{Edit, EntityId, Inbound, NoSpells, Outbound, Stage, Vec3, World, step};

const ROUNDS: usize = 5;
const TICKS_PER_ROUND: usize = 120;
/// Each may make ten edits a second: one every sixth tick.
const PLAYERS: usize = 100;
const TICKS_PER_EDIT: usize = 6;
const EDITS_PER_SECOND: f64 = 1_000.0;
const CRATES_PER_PLAYER: usize = 3;
const RADIUS_M: f32 = 4.0;
const SEED: u64 = 7;
const REACH_CHUNKS: i32 = 4;
/// Metres between two players.
const APART_M: f32 = 22.0;
/// Until everything has fallen asleep.
const SETTLE_TICKS: usize = 300;

/// A world whose players dig, or one whose players do not.
struct Contender {
    world: World,
    players: Vec<(EntityId, Vec3)>,
    digs: bool,
    sequence: usize,
    tick_ms: Vec<f64>,
    /// Milliseconds of the stage that applies the edits.
    admit_ms: f64,
    applied: usize,
    chunks: usize,
}

/// Adds the figures.
pub fn measure(report: &mut Report) -> Result<()> {
    let mut contenders = [true, false].map(Contender::new);
    for round in 0..=ROUNDS {
        for contender in &mut contenders {
            progress(&format!("round {round}/{ROUNDS}, {}", if contender.digs { "edits" } else { "no edits" }));
            contender.measure();
            // Round 0 warms up.
            if round == 0 {
                (contender.applied, contender.chunks, contender.admit_ms) = (0, 0, 0.0);
                contender.tick_ms.clear();
            }
        }
    }
    progress("");
    let [digging, quiet] = contenders;
    let ticks = ROUNDS * TICKS_PER_ROUND;
    let rate = digging.applied as f64 * 60.0 / ticks as f64;
    ensure!((rate - EDITS_PER_SECOND).abs() < 0.02 * EDITS_PER_SECOND, "{rate} edits a second were applied");
    let how = format!(
        "{rate:.0} spheres of radius {RADIUS_M} m a second ({} chunks changed in all), dug and filled in turn by {PLAYERS} players between {} crates ({} awake at the end); CPU of {ROUNDS} rounds of {TICKS_PER_ROUND} ticks",
        digging.chunks,
        PLAYERS * CRATES_PER_PLAYER,
        digging.world.props_awake()
    );
    let (busy, calm) = (Samples::new(digging.tick_ms.clone()), Samples::new(quiet.tick_ms.clone()));
    let total = |samples: &[f64]| samples.iter().sum::<f64>();
    // All that the edits make a tick dearer by: voxels, colliders, awoken bodies, the digest.
    let cost_ms = (total(&digging.tick_ms) - total(&quiet.tick_ms)) / digging.applied as f64;
    let one = |value: f64| Samples::new(vec![value]);
    let mut p99 = busy.row("edits_1000.tick_p99_ms", "ms", "16.67", &how);
    p99.value = busy.quantile(0.99);
    report.extend([
        one(1e3 / cost_ms).row(
            "edits_per_s",
            "1/s",
            "1000",
            format!("what one core could do at what an edit makes a tick dearer by, {cost_ms:.3} ms; {how}"),
        ),
        busy.against(&calm, "the same world without edits", "edits_1000.tick_p50_ms", "ms", "16.67", &how),
        p99,
        one(1e3 * digging.admit_ms / digging.applied as f64).row(
            "edit.us",
            "us",
            "",
            "of the stage that applies it: voxels, packing, collider, journal, waking",
        ),
    ]);
    Ok(())
}

impl Contender {
    fn new(digs: bool) -> Self {
        let terrain: Terrain = hills::walled(SEED, REACH_CHUNKS);
        let mut world = World::on(SEED, terrain);
        let side = (PLAYERS as f32).sqrt() as usize;
        let mut players = Vec::new();
        for n in 0..PLAYERS {
            let at = |n: usize| (n as f32 - (side as f32 - 1.0) / 2.0) * APART_M;
            let (x, z) = (at(n % side), at(n / side));
            let ground = |dx: f32, dz: f32, up: f32| Vec3::new(x + dx, hills::surface(SEED, x + dx, z + dz) + up, z + dz);
            let id = world.spawn_player(&format!("player-{n}"), ground(-7.0, 0.0, 0.9), Vec3::NEG_Z);
            for index in 0..CRATES_PER_PLAYER {
                world.spawn_prop("crate", ground(2.0, 4.0 * (index as f32 - 1.0), 0.6));
            }
            players.push((id, ground(2.0, 0.0, 0.0)));
        }
        let mut contender = Self { world, players, digs, sequence: 0, tick_ms: Vec::new(), admit_ms: 0.0, applied: 0, chunks: 0 };
        for _ in 0..SETTLE_TICKS {
            let _ = step(&mut contender.world, &[], &mut NoSpells, &mut |_| ());
        }
        contender
    }

    fn measure(&mut self) {
        for _ in 0..TICKS_PER_ROUND {
            let inbound = if self.digs { self.edits() } else { Vec::new() };
            let mut admitted = None;
            let start = clock::now();
            let outbound = step(&mut self.world, &inbound, &mut NoSpells, &mut |stage| {
                if stage == Stage::Terrain {
                    admitted = Some(clock::now());
                }
            });
            self.tick_ms.push(clock::ms(start, clock::now()));
            self.admit_ms += admitted.map_or(0.0, |admitted| clock::ms(start, admitted));
            for event in outbound {
                if let Outbound::TerraformApplied { affected, .. } = event {
                    self.applied += 1;
                    self.chunks += affected.len();
                }
            }
        }
    }

    /// A sixth of the players each dig where they look, or fill it again.
    fn edits(&mut self) -> Vec<Inbound> {
        self.sequence += 1;
        let (turn, dig) = (self.sequence % TICKS_PER_EDIT, (self.sequence / TICKS_PER_EDIT).is_multiple_of(2));
        let change = if dig { Change::Subtract } else { Change::Add(2) };
        let edit = |(_, (player, center)): (usize, &(EntityId, Vec3))| Inbound::Terraform {
            player: *player,
            edit: Edit { area: Area::Sphere { center: *center, radius: RADIUS_M }, change },
            client_sequence: self.sequence as u32,
        };
        self.players.iter().enumerate().filter(|(index, _)| index % TICKS_PER_EDIT == turn).map(edit).collect()
    }
}
