//! Debris: small short-lived bodies that fly from what is blown up. They fall and roll over the ground and against props, but nobody bumps into them, no ray
//! or projectile meets them, and they belong to no cast: they outlive it by their few seconds.

use crate::body::{self, Form, Prop};
use crate::limits::{DEBRIS_HALF_M, DEBRIS_MASS_KG, DEBRIS_MAX, DEBRIS_PER_CASTER_MAX, DEBRIS_SECONDS_MAX, DEBRIS_SPEED_MAX, TICK_HZ};
use crate::outbound::DespawnReason;
use crate::rng::Stream;
use crate::scene::Entity;
use crate::voxel::voxel_of;
use crate::{EntityId, EntityKind, Vec3, World};

/// How far from the middle of a blast its debris begins, metres.
const SCATTER_M: f32 = 0.4;

/// Debris to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DebrisSpec {
    /// From where it flies.
    pub at: Vec3,
    /// Pieces; each takes an id of the call's block, from the one given on.
    pub count: u8,
    /// How fast the fastest starts, m/s; at most `DEBRIS_SPEED_MAX`.
    pub speed: f32,
    /// Life, above 0 and at most `DEBRIS_SECONDS_MAX`.
    pub seconds: f32,
}

/// Scatters as many pieces as there may be, upward and to all sides.
pub(crate) fn scatter(world: &mut World, caster: EntityId, ids: impl Iterator<Item = EntityId>, spec: DebrisSpec) {
    if !spec.in_range() {
        return;
    }
    let expires = world.tick + (spec.seconds * TICK_HZ as f32).round().max(1.0) as u64;
    let (mut all, mut own) = count(world, caster);
    for id in ids {
        if all >= DEBRIS_MAX || own >= DEBRIS_PER_CASTER_MAX || !world.has_room() {
            return;
        }
        let mut stream = Stream::named(&[world.settings.seed, world.tick, id.0]);
        let mut draw = || (stream.draw() >> 40) as f32 / (1u32 << 24) as f32;
        let way = Vec3::new(2.0 * draw() - 1.0, draw(), 2.0 * draw() - 1.0).normalize_or(Vec3::Y);
        let velocity = way * spec.speed * (0.4 + 0.6 * draw());
        let position = spec.at + way * SCATTER_M;
        if !world.scene.terrain().solid(voxel_of(position)) {
            put(world, id, caster, position, velocity, expires);
            (all, own) = (all + 1, own + 1);
        }
    }
}

/// A part of the tick's physics: debris whose time is up goes.
pub(crate) fn advance(world: &mut World) {
    let tick = world.tick;
    let over = |(id, prop): (&EntityId, &Prop)| prop.expires.is_some_and(|expires| expires <= tick).then_some(*id);
    let over: Vec<EntityId> = world.props.iter().filter_map(over).collect();
    for id in over {
        world.despawn(id, DespawnReason::Expired);
    }
}

/// Pieces in the world, and the caster's among them.
pub(crate) fn count(world: &World, caster: EntityId) -> (usize, usize) {
    let debris = world.props.iter().filter(|(_, prop)| prop.is_debris());
    debris.fold((0, 0), |(all, own), (id, _)| {
        let mine = world.scene.entity(*id).is_some_and(|entity| entity.owner == caster);
        (all + 1, own + usize::from(mine))
    })
}

fn put(world: &mut World, id: EntityId, caster: EntityId, position: Vec3, velocity: Vec3, expires: u64) {
    let form = Form::Box { half: Vec3::splat(DEBRIS_HALF_M) };
    let prop = Prop { form, mass_kg: DEBRIS_MASS_KG, cast: None, expires: Some(expires) };
    let entity =
        Entity { name: "debris".into(), owner: caster, velocity, form: Form::Point, ..Entity::inert(id, EntityKind::Prop, position) };
    body::put(world, entity, prop);
}

impl DebrisSpec {
    fn in_range(&self) -> bool {
        (0.0..=DEBRIS_SPEED_MAX).contains(&self.speed) && self.seconds > 0.0 && self.seconds <= DEBRIS_SECONDS_MAX
    }
}
