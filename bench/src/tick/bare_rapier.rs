//! What our step adds to rapier's: the same crates on the same hills, once in a world and once in rapier alone.

use crate::clock;
use crate::dice::Dice;
use crate::hills;
use crate::report::{Report, Samples, progress};
use anyhow::{Result, ensure};
use rapier3d::prelude::{ColliderBuilder, PhysicsWorld, RigidBodyBuilder, RigidBodyHandle};
use sim::limits::{GRAVITY, PROP_HALF_M, PROP_MASS_KG, TICK_SECONDS};
use sim::{EntityId, NoSpells, Vec3, World, step};

const ROUNDS: usize = 7;
const CRATES: usize = 1_000;
/// They fall 1 to 13 m, and then roll and pile up: most of them are awake for two seconds, and whoever sleeps costs neither side anything.
const WARM_UP_TICKS: usize = 20;
const TICKS: usize = 100;
const SEED: u64 = 7;
const REACH_CHUNKS: i32 = 2;
/// Metres of ground on each side onto which they fall.
const EXTENT_M: f32 = 100.0;

/// Rapier as anybody would use it.
struct Bare {
    rapier: PhysicsWorld,
    crates: Vec<RigidBodyHandle>,
}

/// Adds the figure.
pub fn measure(report: &mut Report) -> Result<()> {
    let (mut ours, mut bare, mut awake) = (Vec::new(), Vec::new(), 0);
    for round in 0..=ROUNDS {
        progress(&format!("round {round}/{ROUNDS}, {CRATES} crates, with and without a world around them"));
        let (ours_ms, bare_ms);
        (ours_ms, bare_ms, awake) = fall()?;
        // Round 0 warms up.
        if round > 0 {
            ours.push(ours_ms);
            bare.push(bare_ms);
        }
    }
    progress("");
    let how = format!(
        "{CRATES} crates fall on hills; tick by tick in turn with rapier alone, the same colliders, bodies and dt; mean CPU of {TICKS} ticks, {awake} awake after the last; every crate ends up at the same place, bit for bit"
    );
    report.extend([Samples::new(ours).against(&Samples::new(bare), "rapier alone", "step.vs_bare_rapier", "ms", "1.3x", how)]);
    Ok(())
}

/// One fall, both in turn: the mean milliseconds of a tick, and how many are awake at its end.
fn fall() -> Result<(f64, f64, usize)> {
    let mut dice = Dice(SEED);
    let places: Vec<Vec3> = (0..CRATES)
        .map(|_| {
            let (x, z) = (dice.range(EXTENT_M), dice.range(EXTENT_M));
            Vec3::new(x, hills::surface(SEED, x, z) + 1.0 + 12.0 * dice.unit(), z)
        })
        .collect();
    let mut world = World::on(SEED, hills::walled(SEED, REACH_CHUNKS));
    let ids: Vec<EntityId> = places.iter().map(|place| world.spawn_prop("crate", *place)).collect();
    let mut bare = Bare::new(&places);
    let (mut ours_ms, mut bare_ms) = (0.0, 0.0);
    for tick in 0..WARM_UP_TICKS + TICKS {
        let start = clock::now();
        let _ = step(&mut world, &[], &mut NoSpells, &mut |_| ());
        let between = clock::now();
        bare.rapier.step();
        let end = clock::now();
        if tick >= WARM_UP_TICKS {
            ours_ms += clock::ms(start, between);
            bare_ms += clock::ms(between, end);
        }
    }
    let ours = ids.iter().map(|id| world.scene().entity(*id).map(|entity| entity.position));
    let same = ours.zip(&bare.crates).all(|(ours, handle)| ours == Some(bare.rapier.bodies[*handle].translation()));
    ensure!(same, "the two have simulated different things");
    Ok((ours_ms / TICKS as f64, bare_ms / TICKS as f64, world.props_awake()))
}

impl Bare {
    fn new(places: &[Vec3]) -> Self {
        let mut rapier = PhysicsWorld::new();
        rapier.gravity = Vec3::NEG_Y * GRAVITY;
        rapier.integration_parameters.dt = TICK_SECONDS;
        for (id, chunk) in hills::walled(SEED, REACH_CHUNKS).chunks() {
            let solids: Vec<_> = chunk.solids().collect();
            rapier.insert_collider(ColliderBuilder::voxels(Vec3::ONE, &solids).translation(id.corner()), None);
        }
        let cube = || ColliderBuilder::cuboid(PROP_HALF_M, PROP_HALF_M, PROP_HALF_M).mass(PROP_MASS_KG);
        let body = |place: &Vec3| RigidBodyBuilder::dynamic().translation(*place).ccd_enabled(true);
        let crates = places.iter().map(|place| rapier.insert(body(place), cube()).0).collect();
        Self { rapier, crates }
    }
}
