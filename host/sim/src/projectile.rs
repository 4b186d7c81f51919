//! Projectiles: balls that are swept through the world until they hit something or their time is up.

use crate::intent::ProjectileSpec;
use crate::limits::{PROJECTILE_SPEED_MAX, TICK_HZ, TICK_SECONDS};
use crate::outbound::DespawnReason;
use crate::scene::{Entity, RayHit};
use crate::spells::Event;
use crate::{CastId, EntityId, EntityKind, Outbound, Vec3, World, combat};

/// What only projectiles have.
#[derive(Debug)]
pub(crate) struct Projectile {
    /// The cast that launched it; none for a player's shot.
    pub cast: Option<CastId>,
    /// Metres.
    pub radius: f32,
    /// Downward acceleration, m/s2.
    pub gravity: f32,
    /// Health taken from what it hits.
    pub damage: f32,
    /// The tick in which it ends if it has not hit anything.
    pub expires: u64,
}

/// The tick's stage: each projectile, by id, flies on, hits, or expires.
pub(crate) fn advance(world: &mut World) {
    let ids: Vec<EntityId> = world.projectiles.keys().copied().collect();
    for id in ids {
        if world.projectiles.get(&id).is_some_and(|projectile| projectile.expires <= world.tick) {
            expire(world, id, DespawnReason::Expired);
        } else {
            fly(world, id);
        }
    }
}

/// Spawns a projectile whose numbers are in range already. `owner` is never hit by it.
pub(crate) fn launch(world: &mut World, id: EntityId, owner: EntityId, cast: Option<CastId>, spec: ProjectileSpec) {
    let aim = spec.velocity.normalize_or(Vec3::NEG_Z);
    world.spawn(Entity { owner, velocity: spec.velocity, aim, ..Entity::inert(id, EntityKind::Projectile, spec.start) });
    let ticks = (spec.seconds * TICK_HZ as f32).round().max(1.0) as u64;
    let projectile = Projectile { cast, radius: spec.radius, gravity: spec.gravity, damage: spec.damage, expires: world.tick + ticks };
    world.projectiles.insert(id, projectile);
}

/// Ends a projectile that has not hit anything, and tells its cast.
pub(crate) fn expire(world: &mut World, id: EntityId, reason: DespawnReason) {
    let cast = world.projectiles.get(&id).and_then(|projectile| projectile.cast);
    world.despawn(id, reason);
    if let Some(cast) = cast {
        world.casts.notify(cast, Event::Expired(id));
    }
}

fn fly(world: &mut World, id: EntityId) {
    let (Some(projectile), Some(entity)) = (world.projectiles.get(&id), world.scene.entity(id)) else { return };
    let fall = Vec3::NEG_Y * projectile.gravity * TICK_SECONDS;
    let velocity = (entity.velocity + fall).clamp_length_max(PROJECTILE_SPEED_MAX);
    let (direction, way) = (velocity.normalize_or(entity.aim), velocity.length() * TICK_SECONDS);
    if let Some(hit) = world.scene.sweep(entity.position, direction, way, projectile.radius, entity.owner) {
        return strike(world, id, hit);
    }
    let position = entity.position + velocity * TICK_SECONDS;
    world.scene.place(id, position);
    if let Some(entity) = world.scene.entity_mut(id) {
        (entity.velocity, entity.aim) = (velocity, direction);
    }
}

fn strike(world: &mut World, id: EntityId, hit: RayHit) {
    let Some(projectile) = world.projectiles.get(&id) else { return };
    let (cast, damage) = (projectile.cast, projectile.damage);
    let damage = combat::hurt(world, hit.entity, damage);
    world.emit(Outbound::ProjectileHit { projectile: id, hit: hit.entity, point: hit.point, normal: hit.normal, damage });
    world.despawn(id, DespawnReason::Hit);
    if let Some(cast) = cast {
        world.casts.notify(cast, Event::Hit { projectile: id, entity: hit.entity, point: hit.point, normal: hit.normal });
    }
}
