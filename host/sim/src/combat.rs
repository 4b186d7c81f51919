//! Health: who is hurt, who dies, who comes back, and what is lost.

use crate::limits::{FALL_LIMIT_M, WORLD_EXTENT_M};
use crate::outbound::DespawnReason;
use crate::scene::Entity;
use crate::spells::Event;
use crate::{EntityId, EntityKind, Outbound, Vec3, World, npc, player, status, team};

/// The tick's stage: the lost, then the dead, then those who come back; each by id.
pub(crate) fn settle(world: &mut World) {
    quarantine(world);
    let dead: Vec<EntityId> =
        world.scene.entities().filter(|entity| entity.kind.is_character() && !entity.is_alive()).map(|entity| entity.id).collect();
    for id in &dead {
        die(world, *id);
    }
    world.history.forget(&dead);
    npc::respawn_due(world);
}

/// Takes health on somebody's behalf, as [`hurt`]; nothing when the world's policy protects the target.
pub(crate) fn harm(world: &mut World, from: EntityId, target: EntityId, amount: f32) -> f32 {
    if team::may_harm(world, from, target) { hurt(world, target, amount) } else { 0.0 }
}

/// Takes health and answers how much; 0 from what has none (left). A shield takes its part first.
pub(crate) fn hurt(world: &mut World, id: EntityId, amount: f32) -> f32 {
    if !world.scene.entity(id).is_some_and(Entity::is_alive) {
        return 0.0;
    }
    let amount = status::absorb(world, id, amount);
    let Some(entity) = world.scene.entity_mut(id) else { return 0.0 };
    let taken = amount.clamp(0.0, entity.health);
    entity.health -= taken;
    taken
}

/// Gives health, up to the maximum. The dead stay dead.
pub(crate) fn heal(world: &mut World, id: EntityId, amount: f32) {
    if let Some(entity) = world.scene.entity_mut(id).filter(|entity| entity.is_alive()) {
        entity.health = (entity.health + amount).min(entity.health_max);
    }
}

/// The quarantine after the step: the one place where what has fallen out of the world, or has a state that is not finite, is taken out of it, before
/// anything else can read it. The other quarantine, at the door, is `intent::admit`'s.
fn quarantine(world: &mut World) {
    let mut lost = world.physics.quarantined();
    lost.extend(world.scene.entities().filter(|entity| is_lost(entity)).map(|entity| entity.id));
    lost.sort_unstable();
    lost.dedup();
    for id in lost {
        match world.scene.entity(id).map(|entity| entity.kind) {
            Some(EntityKind::Player | EntityKind::Npc) => fell(world, id),
            Some(EntityKind::Projectile | EntityKind::Prop) => world.expire(id, DespawnReason::Lost),
            None => {}
        }
    }
}

fn is_lost(entity: &Entity) -> bool {
    let finite = entity.position.is_finite() && entity.velocity.is_finite() && entity.rotation.is_finite();
    !finite || entity.position.y < FALL_LIMIT_M || entity.position.abs().max_element() > WORLD_EXTENT_M
}

fn fell(world: &mut World, id: EntityId) {
    if let Some(entity) = world.scene.entity_mut(id) {
        entity.health = 0.0;
    }
}

fn die(world: &mut World, id: EntityId) {
    world.emit(Outbound::Died { id });
    world.casts.caster_is_gone(id);
    if world.players.contains_key(&id) {
        return come_back(world, id);
    }
    let maker = world.maker(id);
    match maker {
        Some(cast) => world.casts.notify(cast, Event::Died(id)),
        None => npc::respawn_later(world, id),
    }
    world.despawn(id, DespawnReason::Died);
}

fn come_back(world: &mut World, id: EntityId) {
    world.scene.place(id, player::SPAWN);
    // A new body rather than a moved one: it must not sweep props away on its way, and a quarantined one stays disabled.
    world.physics.remove(id);
    world.physics.insert_character(id, player::SPAWN);
    world.statuses.remove(&id);
    if let Some(entity) = world.scene.entity_mut(id) {
        (entity.velocity, entity.grounded, entity.health) = (Vec3::ZERO, false, entity.health_max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NoSpells, step};

    #[test]
    fn what_is_not_finite_is_lost_before_anything_reads_it() {
        let mut world = World::empty(1);
        let spoiled = world.spawn_prop("crate", Vec3::new(3.0, 1.5, 3.0));
        let whole = world.spawn_prop("crate", Vec3::new(5.0, 1.5, 3.0));
        let dummy = world.spawn_npc("dummy", Vec3::new(0.0, 1.9, 3.0));
        world.physics.spoil(spoiled);
        world.scene.entity_mut(dummy).expect("the dummy").velocity = Vec3::splat(f32::NAN);
        let events = step(&mut world, &[], &mut NoSpells, &mut |_| ());
        world.check_invariants();
        let gone = [Outbound::Despawned { id: spoiled, reason: DespawnReason::Lost }, Outbound::Died { id: dummy }];
        assert!(gone.iter().all(|event| events.contains(event)), "{events:?}");
        assert!(world.scene.entity(whole).is_some());
    }
}
