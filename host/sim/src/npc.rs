//! NPCs: so far the target dummy, which stands where it is put and comes back after it died.

use crate::limits::NPC_RESPAWN_TICKS;
use crate::scene::Entity;
use crate::{EntityId, EntityKind, Vec3, World};

/// What only NPCs have.
#[derive(Debug)]
pub(crate) struct Npc {
    /// Where it comes back.
    pub home: Vec3,
}

/// An NPC that is dead for now.
#[derive(Debug)]
pub(crate) struct Respawn {
    pub name: String,
    pub home: Vec3,
    /// The tick in which it comes back.
    pub due: u64,
}

pub(crate) fn spawn(world: &mut World, name: &str, home: Vec3) -> EntityId {
    let id = world.fresh_id();
    world.spawn(Entity::character(id, EntityKind::Npc, name, home, Vec3::Z));
    world.npcs.insert(id, Npc { home });
    world.physics.insert_character(id, home);
    id
}

/// Remembers a dying NPC; to be called while it is still there.
pub(crate) fn respawn_later(world: &mut World, id: EntityId) {
    if let (Some(npc), Some(entity)) = (world.npcs.get(&id), world.scene.entity(id)) {
        world.respawns.push(Respawn { name: entity.name.clone(), home: npc.home, due: world.tick + NPC_RESPAWN_TICKS });
    }
}

/// Brings back those whose time has come, under new ids, as long as there is room.
pub(crate) fn respawn_due(world: &mut World) {
    for respawn in std::mem::take(&mut world.respawns) {
        if respawn.due <= world.tick && world.has_room() {
            spawn(world, &respawn.name, respawn.home);
        } else {
            world.respawns.push(respawn);
        }
    }
}
