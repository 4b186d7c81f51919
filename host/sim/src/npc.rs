//! NPCs: what each one is, where it comes from, and how it comes back after it died.

use crate::behaviour::Mind;
use crate::limits::{NPC_RESPAWN_TICKS, PATH_REACH};
use crate::path::{self, Route};
use crate::perception::Notice;
use crate::scene::Entity;
use crate::summon::Summoned;
use crate::team::Team;
use crate::{EntityId, EntityKind, Vec3, World};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How an NPC behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Temper {
    /// Stands where it is put, notices nobody and does nothing.
    Dummy,
    /// Walks about its home, looks after what it suspects, chases whom it spots and beats it; nearly dead, it flees.
    Guard,
    /// Walks about its home, and flees from whom it notices.
    Critter,
}

/// NPCs of one kind that a world is set up with, each of which comes back some time after it died.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spawner {
    /// The NPCs' name.
    pub name: String,
    /// How they behave.
    pub temper: Temper,
    /// The middle of the first one, metres; the others stand around it.
    pub position: Vec3,
    /// How many.
    pub count: u32,
    /// Ticks from a death to the return; at least 1.
    pub respawn_ticks: u64,
    /// Their team.
    pub team: Option<Team>,
}

/// What only NPCs have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Npc {
    /// Where it comes back, and around which it walks.
    pub home: Vec3,
    pub temper: Temper,
    /// Ticks from its death to its return.
    pub respawn_ticks: u64,
    /// Whom it has noticed.
    pub notices: BTreeMap<EntityId, Notice>,
    pub mind: Mind,
    pub route: Route,
    /// The first tick in which it may strike again.
    pub strike_ready: u64,
    /// Whom it serves, if a spell has called it; it does not come back then.
    pub summoned: Option<Summoned>,
}

/// An NPC that is dead for now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Respawn {
    pub name: String,
    pub home: Vec3,
    pub temper: Temper,
    pub respawn_ticks: u64,
    pub team: Option<Team>,
    /// The tick in which it comes back.
    pub due: u64,
}

/// A dummy.
pub(crate) fn spawn(world: &mut World, name: &str, home: Vec3) -> EntityId {
    spawn_of(world, Temper::Dummy, name, home, Vec3::Z)
}

/// An NPC that looks along `aim`.
pub(crate) fn spawn_of(world: &mut World, temper: Temper, name: &str, home: Vec3, aim: Vec3) -> EntityId {
    let id = world.fresh_id();
    spawn_as(world, id, temper, name, home, aim, None);
    id
}

/// As [`spawn_of`], under an id that was given out already.
pub(crate) fn spawn_as(world: &mut World, id: EntityId, temper: Temper, name: &str, home: Vec3, aim: Vec3, summoned: Option<Summoned>) {
    let owner = summoned.map_or(EntityId::NONE, |summoned| summoned.summoner);
    world.spawn(Entity { owner, ..Entity::character(id, EntityKind::Npc, name, home, aim.normalize_or(Vec3::Z)) });
    let npc = Npc {
        home,
        temper,
        respawn_ticks: NPC_RESPAWN_TICKS,
        notices: BTreeMap::new(),
        mind: Mind::default(),
        route: Route::default(),
        strike_ready: 0,
        summoned,
    };
    world.npcs.insert(id, npc);
    world.physics.insert_character(id, home);
}

/// One of a spawner's NPCs, two metres from its neighbours, on the ground if there is some near.
pub(crate) fn spawn_one_of(world: &mut World, spawner: &Spawner, index: u32) -> EntityId {
    let place = spawner.position + spiral(index).as_vec3() * 2.0;
    let terrain = world.scene.terrain();
    let ground = path::ground_near(path::feet(place), PATH_REACH, &|voxel| terrain.solid(voxel));
    let home = ground.map_or(place, |cell| Vec3::new(place.x, path::standing(cell).y, place.z));
    let id = spawn_of(world, spawner.temper, &spawner.name, home, Vec3::Z);
    if let Some(npc) = world.npcs.get_mut(&id) {
        npc.respawn_ticks = spawner.respawn_ticks.max(1);
    }
    join_team(world, id, spawner.team);
    id
}

/// Remembers a dying NPC; to be called while it is still there.
pub(crate) fn respawn_later(world: &mut World, id: EntityId) {
    if let (Some(npc), Some(entity)) = (world.npcs.get(&id), world.scene.entity(id)) {
        world.respawns.push(Respawn {
            name: entity.name.clone(),
            home: npc.home,
            temper: npc.temper,
            respawn_ticks: npc.respawn_ticks,
            team: world.teams.get(&id).copied(),
            due: world.tick + npc.respawn_ticks,
        });
    }
}

/// Brings back those whose time has come, under new ids, as long as there is room.
pub(crate) fn respawn_due(world: &mut World) {
    for respawn in std::mem::take(&mut world.respawns) {
        if respawn.due <= world.tick && world.has_room() {
            let id = spawn_of(world, respawn.temper, &respawn.name, respawn.home, Vec3::Z);
            if let Some(npc) = world.npcs.get_mut(&id) {
                npc.respawn_ticks = respawn.respawn_ticks;
            }
            join_team(world, id, respawn.team);
        } else {
            world.respawns.push(respawn);
        }
    }
}

pub(crate) fn join_team(world: &mut World, id: EntityId, team: Option<Team>) {
    if let Some(team) = team {
        world.teams.insert(id, team);
    }
}

/// The place of the n-th square on a spiral around the first, on the ground.
fn spiral(index: u32) -> crate::IVec3 {
    let (mut at, mut step) = (crate::IVec3::ZERO, crate::IVec3::X);
    let (mut run, mut left, mut turns) = (1, 1, 0);
    for _ in 0..index {
        at += step;
        left -= 1;
        if left == 0 {
            step = crate::IVec3::new(-step.z, 0, step.x);
            turns += 1;
            run += i32::from(turns % 2 == 0);
            left = run;
        }
    }
    at
}
