//! Rays through hills: ours, a march in small steps, and rapier's over the same voxels.

use crate::clock;
use crate::dice::Dice;
use crate::hills;
use crate::report::{Report, interleave};
use anyhow::{Result, ensure};
use rapier3d::prelude::{ColliderBuilder, PhysicsWorld, QueryFilter, Ray};
use sim::scene::Scene;
use sim::voxel::{Terrain, voxel_of};
use sim::{EntityId, Vec3, World};
use std::hint::black_box;

const ROUNDS: usize = 7;
const RAYS: usize = 4_000;
const SEED: u64 = 7;
const REACH_CHUNKS: i32 = 3;
/// Metres of ground on each side from which they start.
const EXTENT_M: f32 = 160.0;
/// A step of the march: it may still pass a corner that is thinner.
const STEP_M: f32 = 0.05;
/// How far apart two answers to the same ray may be: a step, and what rounding makes of it.
const CLOSE_M: f32 = STEP_M + 0.01;
/// Rays of which two answers may differ: the march passes thin corners, and rapier rounds where ours is exact.
const STRAYS_MAX: usize = RAYS / 50;

/// One ray of one kind.
struct Shot {
    start: Vec3,
    direction: Vec3,
    length: f32,
}

/// Adds the figures.
pub fn measure(report: &mut Report) -> Result<()> {
    let world = World::on(SEED, hills::walled(SEED, REACH_CHUNKS));
    let mut rapier = PhysicsWorld::new();
    for (id, chunk) in world.scene().terrain().chunks() {
        let solids: Vec<_> = chunk.solids().collect();
        rapier.insert_collider(ColliderBuilder::voxels(Vec3::ONE, &solids).translation(id.corner()), None);
    }
    // Its tree of colliders is made by a step.
    rapier.step();
    let kinds = [("sight", sight(), ["ray.vs_naive", "ray.vs_rapier"]), ("long", long(), ["ray_long.vs_naive", "ray_long.vs_rapier"])];
    for (kind, shots, keys) in kinds {
        let scene = world.scene();
        agree(scene, &rapier, &shots)?;
        let met = shots.iter().filter(|shot| ours(scene, shot).is_some()).count();
        let time = |one: &dyn Fn(&Shot) -> Option<f32>| {
            let start = clock::now();
            shots.iter().for_each(|shot| _ = black_box(one(black_box(shot))));
            clock::ms(start, clock::now()) * 1e6 / RAYS as f64
        };
        let samples = interleave(
            ROUNDS,
            &mut [
                (&format!("{kind} rays"), &mut || time(&|shot| ours(scene, shot))),
                ("march", &mut || time(&|shot| march(scene.terrain(), shot))),
                ("rapier", &mut || time(&|shot| of_rapier(&rapier, shot))),
            ],
        );
        let how = format!(
            "{RAYS} {kind} rays over hills, of which {met} meet something: {:.2} million a second; the march looks every {STEP_M} m; rapier casts over the chunks' colliders",
            1e3 / samples[0].median()
        );
        report.extend([
            samples[0].against(&samples[1], "a march in small steps", keys[0], "ns", "", &how),
            samples[0].against(&samples[2], "rapier over Voxels", keys[1], "ns", "", &how),
        ]);
    }
    Ok(())
}

/// From eye to body, at most 20 m apart: what NPCs look along.
fn sight() -> Vec<Shot> {
    let mut dice = Dice(SEED);
    let shots = (0..RAYS).map(|_| {
        let (x, z) = (dice.range(EXTENT_M), dice.range(EXTENT_M));
        let (dx, dz) = (dice.range(28.0), dice.range(28.0));
        let eye = Vec3::new(x, hills::surface(SEED, x, z) + 1.5, z);
        let body = Vec3::new(x + dx, hills::surface(SEED, x + dx, z + dz) + 0.5, z + dz);
        Shot { start: eye, direction: (body - eye).normalize_or(Vec3::X), length: (body - eye).length() }
    });
    shots.collect()
}

/// 100 m in any direction that is not steep.
fn long() -> Vec<Shot> {
    let mut dice = Dice(SEED + 1);
    let shots = (0..RAYS).map(|_| {
        let (x, z) = (dice.range(EXTENT_M), dice.range(EXTENT_M));
        let direction = Vec3::new(dice.range(2.0), dice.range(0.5), dice.range(2.0)).normalize_or(Vec3::X);
        Shot { start: Vec3::new(x, hills::surface(SEED, x, z) + 1.5, z), direction, length: 100.0 }
    });
    shots.collect()
}

fn ours(scene: &Scene, shot: &Shot) -> Option<f32> {
    scene.raycast(shot.start, shot.direction, shot.length, EntityId::NONE).map(|hit| hit.distance)
}

fn march(terrain: &Terrain, shot: &Shot) -> Option<f32> {
    let steps = (shot.length / STEP_M) as u32;
    (0..=steps).map(|n| n as f32 * STEP_M).find(|at| terrain.solid(voxel_of(shot.start + shot.direction * *at)))
}

fn of_rapier(rapier: &PhysicsWorld, shot: &Shot) -> Option<f32> {
    let queries = rapier.query_pipeline_with_filter(QueryFilter::default());
    queries.cast_ray(&Ray::new(shot.start, shot.direction), shot.length, true).map(|(_, distance)| distance)
}

/// All three meet the same.
fn agree(scene: &Scene, rapier: &PhysicsWorld, shots: &[Shot]) -> Result<()> {
    let strays = |other: &dyn Fn(&Shot) -> Option<f32>| {
        let close = |a: Option<f32>, b: Option<f32>| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() <= CLOSE_M,
            (None, None) => true,
            _ => false,
        };
        shots.iter().filter(|shot| !close(ours(scene, shot), other(shot))).count()
    };
    let (marched, cast) = (strays(&|shot| march(scene.terrain(), shot)), strays(&|shot| of_rapier(rapier, shot)));
    ensure!(marched <= STRAYS_MAX && cast <= STRAYS_MAX, "of {RAYS} rays {marched} differ from the march, {cast} from rapier");
    Ok(())
}
