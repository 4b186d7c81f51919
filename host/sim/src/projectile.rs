//! Projectiles: balls that are swept through the world until they hit something or their time is up.

use crate::intent::{Homing, ProjectileSpec};
use crate::limits::{HOMING_LOOK_TICKS, HOMING_RANGE_M, PROJECTILE_SPEED_MAX, PROJECTILE_SWEEPS_PER_TICK, TICK_HZ, TICK_SECONDS};
use crate::outbound::DespawnReason;
use crate::scene::{Entity, Kinds, RayHit, Shape, Way};
use crate::spells::Event;
use crate::{CastId, EntityId, EntityKind, Outbound, Vec3, World, combat, team};
use serde::{Deserialize, Serialize};

/// How far from a surface a bounce goes on, metres.
const SURFACE_GAP_M: f32 = 1e-3;
/// Those ahead among whom a homing projectile looks for one that it may hit.
const HOMING_CANDIDATES: usize = 16;

/// What only projectiles have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// How much of its speed into a surface a bounce gives back, 0 to 1.
    pub restitution: f32,
    /// Bounces that are left.
    pub bounces: u8,
    /// Bodies that it can still pierce.
    pub pierces: u8,
    /// What it has pierced: it hits nobody twice.
    pub pierced: Vec<EntityId>,
    pub homing: Option<Homing>,
    /// What it turns toward; `NONE`: nothing yet.
    pub target: EntityId,
    /// It meets players and NPCs where they stood so many ticks ago, all its way: where who shot it saw them go. At most what is remembered.
    pub lag_ticks: usize,
}

/// The tick's stage: each projectile, by id, flies on, hits, or expires.
pub(crate) fn advance(world: &mut World) {
    let ids: Vec<EntityId> = world.projectiles.keys().copied().collect();
    for id in ids {
        if world.projectiles.get(&id).is_some_and(|projectile| projectile.expires <= world.tick) {
            world.expire(id, DespawnReason::Expired);
        } else {
            fly(world, id);
        }
    }
}

/// Spawns a projectile whose numbers are in range already. `owner` is never hit by it. One that turns toward where its target is now has to meet it there:
/// for it there is no lag.
pub(crate) fn launch(world: &mut World, id: EntityId, owner: EntityId, cast: Option<CastId>, lag_ticks: usize, spec: ProjectileSpec) {
    let aim = spec.velocity.normalize_or(Vec3::NEG_Z);
    world.spawn(Entity { owner, velocity: spec.velocity, aim, ..Entity::inert(id, EntityKind::Projectile, spec.start) });
    let ticks = (spec.seconds * TICK_HZ as f32).round().max(1.0) as u64;
    let ProjectileSpec { radius, gravity, damage, restitution, bounces, pierces, homing, .. } = spec;
    let expires = world.tick + ticks;
    let (pierced, target) = (Vec::new(), EntityId::NONE);
    let lag_ticks = if homing.is_some() { 0 } else { lag_ticks };
    let projectile =
        Projectile { cast, radius, gravity, damage, expires, restitution, bounces, pierces, pierced, homing, target, lag_ticks };
    world.projectiles.insert(id, projectile);
}

/// One tick of flight: it turns, falls, and goes its way, from one thing that it meets to the next.
fn fly(world: &mut World, id: EntityId) {
    let toward = aim_for(world, id);
    let (Some(projectile), Some(entity)) = (world.projectiles.get(&id), world.scene.entity(id)) else { return };
    let fall = Vec3::NEG_Y * projectile.gravity * TICK_SECONDS;
    let turn = projectile.homing.map_or(0.0, |homing| homing.turn * TICK_SECONDS);
    let (mut position, mut aim, owner) = (entity.position, entity.aim, entity.owner);
    let mut velocity = (turned(entity.velocity, toward, turn) + fall).clamp_length_max(PROJECTILE_SPEED_MAX);
    // What is left of the tick, 1 to 0.
    let mut left = 1.0;
    for _ in 0..PROJECTILE_SWEEPS_PER_TICK {
        let Some(projectile) = world.projectiles.get(&id) else { return };
        let (direction, length) = (velocity.normalize_or(aim), velocity.length() * TICK_SECONDS * left);
        let pierced = (!projectile.pierced.is_empty()).then(|| [projectile.pierced.as_slice(), &[owner]].concat());
        let except = pierced.as_deref().unwrap_or(std::slice::from_ref(&owner));
        let way = Way { start: position, direction, length, radius: projectile.radius };
        let Some(hit) = world.scene.sweep_past(way, except, world.history.then(projectile.lag_ticks)) else {
            (position, aim) = (position + velocity * TICK_SECONDS * left, direction);
            break;
        };
        let (touching, radius) = (position + direction * hit.distance, projectile.radius);
        if !goes_on(world, id, hit, direction, &mut velocity) {
            return;
        }
        // A hair off the surface, or the next sweep would begin in it.
        position = if hit_body(world, hit) { touching } else { touching + hit.normal * SURFACE_GAP_M.max(radius * 1e-3) };
        aim = velocity.normalize_or(direction);
        left *= if length > 0.0 { 1.0 - (hit.distance / length).min(1.0) } else { 0.0 };
    }
    world.scene.place(id, position);
    if let Some(entity) = world.scene.entity_mut(id) {
        (entity.velocity, entity.aim) = (velocity, aim);
    }
}

/// What a hit comes to: a bounce, a pierced body, or the end. Answers whether it flies on.
fn goes_on(world: &mut World, id: EntityId, hit: RayHit, direction: Vec3, velocity: &mut Vec3) -> bool {
    let body = hit_body(world, hit);
    let Some(projectile) = world.projectiles.get_mut(&id) else { return false };
    if !body && projectile.bounces > 0 {
        projectile.bounces -= 1;
        // One that began inside something has its direction for a normal, and goes back where it came from.
        let into = velocity.dot(hit.normal).min(0.0);
        *velocity -= hit.normal * into * (1.0 + projectile.restitution);
        return true;
    }
    let flies_on = body && projectile.pierces > 0;
    if flies_on {
        projectile.pierces -= 1;
        projectile.pierced.push(hit.entity);
        *velocity = direction * velocity.length();
    }
    strike(world, id, hit, flies_on);
    flies_on
}

fn hit_body(world: &World, hit: RayHit) -> bool {
    world.scene.entity(hit.entity).is_some_and(|entity| entity.kind.is_character())
}

fn strike(world: &mut World, id: EntityId, hit: RayHit, flies_on: bool) {
    let (Some(projectile), Some(entity)) = (world.projectiles.get(&id), world.scene.entity(id)) else { return };
    let (cast, damage, owner) = (projectile.cast, projectile.damage, entity.owner);
    let damage = combat::harm(world, owner, hit.entity, damage);
    world.emit(Outbound::ProjectileHit { projectile: id, hit: hit.entity, point: hit.point, normal: hit.normal, damage });
    if !flies_on {
        world.despawn(id, DespawnReason::Hit);
    }
    if let Some(cast) = cast {
        world.casts.notify(cast, Event::Hit { projectile: id, entity: hit.entity, point: hit.point, normal: hit.normal });
    }
}

/// Where a homing projectile's target is. One whose target is gone or pierced looks for the next, now and then.
fn aim_for(world: &mut World, id: EntityId) -> Option<Vec3> {
    let projectile = world.projectiles.get(&id)?;
    let (homing, entity) = (projectile.homing?, world.scene.entity(id)?);
    let fits = |target: EntityId| {
        let alive = world.scene.entity(target).is_some_and(Entity::is_alive);
        alive && target != entity.owner && !projectile.pierced.contains(&target) && team::may_harm(world, entity.owner, target)
    };
    let mut target = projectile.target;
    if !fits(target) {
        target = EntityId::NONE;
        if world.tick.wrapping_add(id.0).is_multiple_of(HOMING_LOOK_TICKS) {
            let cone = Shape::Cone { apex: entity.position, direction: entity.aim, length: HOMING_RANGE_M, half_angle: homing.half_angle };
            let characters = Kinds::of(&[EntityKind::Player, EntityKind::Npc]);
            let found = world.scene.find(cone, characters, HOMING_CANDIDATES, entity.owner);
            target = found.into_iter().map(|(id, _)| id).find(|id| fits(*id)).unwrap_or(EntityId::NONE);
        }
    }
    let toward = world.scene.entity(target).map(|other| other.position - entity.position);
    if let Some(projectile) = world.projectiles.get_mut(&id) {
        projectile.target = target;
    }
    toward
}

/// A velocity turned toward a direction by at most so much of a turn (its tangent: for the angle of one tick nearly the same, and without trigonometry).
fn turned(velocity: Vec3, toward: Option<Vec3>, turn: f32) -> Vec3 {
    let (Some(forward), Some(wanted)) = (velocity.try_normalize(), toward.and_then(Vec3::try_normalize)) else { return velocity };
    let along = forward.dot(wanted);
    if along >= 1.0 / (1.0 + turn * turn).sqrt() {
        return wanted * velocity.length();
    }
    // Straight behind it, every side is as good: it takes one.
    let side = (wanted - forward * along).try_normalize().unwrap_or_else(|| forward.any_orthonormal_vector());
    (forward + side * turn).normalize_or(forward) * velocity.length()
}
