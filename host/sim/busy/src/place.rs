//! What stands there from the start.

use crate::SEED;
use crate::draw::Draw;
use sim::generate::ground;
use sim::mana::ManaPolicy;
use sim::status::Status;
use sim::team::{Policy, Team};
use sim::{Generation, Settings, Spawner, Temper, Vec3, World};

/// Crates beside the four of every new world.
const CRATES: u64 = 20;
/// NPCs beside those of the spawners.
const NPCS: u64 = 16;
/// Within so many metres of the spawn everything stands.
const REACH_M: f32 = 20.0;

/// Hills with crates, NPCs of every temper, spawners, teams, and some who bear a status.
pub fn set_up() -> World {
    let mut world = World::with(Settings { generation: Generation::Hills, ..Settings::new(SEED) });
    let mut draw = Draw::named(SEED);
    world.set_policy(Policy { friendly_fire: false, mana: Some(ManaPolicy { max: 60, per_second: 3 }) });
    for number in 0..CRATES {
        // Every other one falls on what is below.
        let place = on_ground(&mut draw, 0.5 + 2.0 * (number % 2) as f32);
        world.spawn_prop("crate", place);
    }
    for number in 0..NPCS {
        let temper = [Temper::Guard, Temper::Critter, Temper::Dummy, Temper::Guard][number as usize % 4];
        let (place, aim) = (on_ground(&mut draw, 0.9), draw.vector(1.0));
        let id = world.spawn_npc_of(temper, "npc", place, aim);
        world.set_team(id, Team((number % 3) as u8));
        world.set_status(id, Status::Shield { amount: 30.0 }, number as f32);
    }
    for (name, temper, count, respawn_ticks, team) in
        [("hare", Temper::Critter, 4, 90, None), ("warden", Temper::Guard, 3, 240, Some(Team(1)))]
    {
        let position = on_ground(&mut draw, 0.9);
        world.add_spawner(&Spawner { name: name.into(), temper, position, count, respawn_ticks, team });
    }
    world
}

/// Somewhere, so many metres above the ground.
fn on_ground(draw: &mut Draw, above: f32) -> Vec3 {
    let (x, z) = (draw.between(-REACH_M, REACH_M).floor(), draw.between(-REACH_M, REACH_M).floor());
    Vec3::new(x + 0.5, (ground(SEED, x as i32, z as i32) + 1) as f32 + above, z + 0.5)
}
