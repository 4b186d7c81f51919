//! Characters and props: who walks into a prop pushes it, and a prop that hits somebody knocks them back. Both as two bodies that do not bounce.

use crate::body::Form;
use crate::character::{Bump, Motion, Obstacle};
use crate::geometry::Aabb;
use crate::limits::{BODY_REACH_M, CHARACTER_MASS_KG, CHARACTER_PUSH_N, CHARACTER_SPEED_MAX, KNOCK_SPEED_MIN, TICK_SECONDS};
use crate::scene::{Entity, Kinds, Scene};
use crate::{EntityId, EntityKind, Vec3, World, character};

/// The props that a character may meet in a tick, by id.
pub(crate) fn obstacles(scene: &Scene, motion: &Motion) -> Vec<(EntityId, Obstacle)> {
    let way = motion.position + motion.velocity.clamp_length_max(CHARACTER_SPEED_MAX) * TICK_SECONDS;
    // A little more than its own size: it may speed up within the tick, and step up one voxel.
    let bounds = Aabb::around_segment(motion.position, way).grown(character::HALF_EXTENTS.length() + 1.0 + BODY_REACH_M);
    let mut near = Vec::new();
    scene.grid().near(bounds, Kinds::of(&[EntityKind::Prop]), |entry| {
        if entry.position.cmpge(bounds.low).all() && entry.position.cmple(bounds.high).all() {
            near.push(entry.id);
        }
    });
    near.sort_unstable();
    let spare = |entity: &Entity| BODY_REACH_M - entity.form.reach();
    let within = |entity: &Entity| {
        (entity.position - bounds.low).min_element() >= spare(entity) && (bounds.high - entity.position).min_element() >= spare(entity)
    };
    let solid = near.into_iter().filter_map(|id| scene.entity(id)).filter(|entity| entity.form != Form::Point && within(entity));
    let obstacle =
        |entity: &Entity| Obstacle { form: entity.form, position: entity.position, rotation: entity.rotation, velocity: entity.velocity };
    solid.map(|entity| (entity.id, obstacle(entity))).collect()
}

/// Pushes what a character has walked into, as far as its strength goes. What it stands on bears it.
pub(crate) fn push(world: &mut World, obstacles: &[(EntityId, Obstacle)], bumps: &[Bump]) {
    for bump in bumps.iter().filter(|bump| bump.velocity.y >= 0.0) {
        let (id, _) = obstacles[bump.obstacle];
        let Some(mass_kg) = world.props.get(&id).map(|prop| prop.mass_kg) else { continue };
        let shared = mass_kg * CHARACTER_MASS_KG / (mass_kg + CHARACTER_MASS_KG);
        let impulse = (bump.velocity * shared).clamp_length_max(CHARACTER_PUSH_N * TICK_SECONDS);
        world.physics.push(id, impulse);
    }
}

/// What the last step's contacts come to for characters. To the physics a character is as heavy as a wall; so what a prop has lost to it beyond what a
/// body of its mass would have taken is given back.
pub(crate) fn knock(world: &mut World) {
    let blows: Vec<(EntityId, EntityId, Vec3)> = world
        .scene
        .entities()
        .filter(|entity| entity.kind.is_character())
        .flat_map(|entity| world.physics.blows(entity.id).into_iter().map(|(prop, blow)| (entity.id, prop, blow)))
        .collect();
    for (character, prop, blow) in blows {
        let Some(mass_kg) = world.props.get(&prop).map(|prop| prop.mass_kg) else { continue };
        let change = blow / (mass_kg + CHARACTER_MASS_KG);
        // Also false for what is not a number.
        if change.length() >= KNOCK_SPEED_MIN
            && change.is_finite()
            && let Some(entity) = world.scene.entity_mut(character)
        {
            entity.velocity = (entity.velocity + change).clamp_length_max(CHARACTER_SPEED_MAX);
            world.physics.push(prop, change * mass_kg);
        }
    }
}
