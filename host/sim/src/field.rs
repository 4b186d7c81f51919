//! Force fields: balls in which spells push bodies and characters away from the middle, or pull them to it.

use crate::limits::{
    CHARACTER_SPEED_MAX, FIELD_ACCELERATION_MAX, FIELD_BODIES_MAX, FIELD_RADIUS_MAX_M, FIELD_SECONDS_MAX, FIELDS_MAX,
    FIELDS_PER_CASTER_MAX, TICK_HZ, TICK_SECONDS,
};
use crate::outbound::DespawnReason;
use crate::scene::{Kinds, Shape};
use crate::spells::Call;
use crate::{CastId, EntityId, EntityKind, Vec3, World, team};
use serde::{Deserialize, Serialize};

/// A force field.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FieldSpec {
    /// Its middle.
    pub center: Vec3,
    /// Metres, above 0 and at most `FIELD_RADIUS_MAX_M`.
    pub radius: f32,
    /// In its middle, m/s2, at most `FIELD_ACCELERATION_MAX`; above 0 it pushes away, below it pulls.
    pub acceleration: f32,
    /// How much of that is lost at its rim, 0 to 1; in between, in proportion.
    pub falloff: f32,
    /// Its life, seconds, above 0 and at most `FIELD_SECONDS_MAX`; it ends with its cast.
    pub seconds: f32,
}

/// A field as it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Field {
    pub cast: CastId,
    pub caster: EntityId,
    pub spec: FieldSpec,
    /// The first tick without it.
    pub expires: u64,
}

/// Sets up a field, if there may be one more.
pub(crate) fn make(world: &mut World, id: EntityId, call: &Call, spec: FieldSpec) -> bool {
    let of_caster = world.fields.values().filter(|field| field.caster == call.caster).count();
    if world.fields.len() >= FIELDS_MAX || of_caster >= FIELDS_PER_CASTER_MAX || !spec.in_range() {
        return false;
    }
    let ticks = (spec.seconds * TICK_HZ as f32).round().max(1.0) as u64;
    world.fields.insert(id, Field { cast: call.cast, caster: call.caster, spec, expires: world.tick + ticks });
    true
}

/// A part of the tick's physics: each field, by id, moves what is in it, or ends.
pub(crate) fn advance(world: &mut World) {
    let fields: Vec<(EntityId, Field)> = world.fields.iter().map(|(id, field)| (*id, *field)).collect();
    for (id, field) in fields {
        if field.expires <= world.tick {
            world.expire(id, DespawnReason::Expired);
        } else {
            act(world, &field);
        }
    }
}

/// Characters of the caster's side are spared where the world's policy protects them.
fn act(world: &mut World, field: &Field) {
    let FieldSpec { center, radius, .. } = field.spec;
    let kinds = Kinds::of(&[EntityKind::Player, EntityKind::Npc, EntityKind::Prop]);
    for (id, position) in world.scene.find(Shape::Sphere { center, radius }, kinds, FIELD_BODIES_MAX, EntityId::NONE) {
        let change = field.spec.at(position) * TICK_SECONDS;
        if change == Vec3::ZERO {
            continue;
        }
        if let Some(prop) = world.props.get(&id) {
            world.physics.push(id, change * prop.mass_kg);
        } else if team::may_harm(world, field.caster, id)
            && let Some(entity) = world.scene.entity_mut(id)
        {
            entity.velocity = (entity.velocity + change).clamp_length_max(CHARACTER_SPEED_MAX);
        }
    }
}

impl Field {
    /// Whether some spell could have made it.
    pub(crate) fn is_sound(&self) -> bool {
        self.spec.in_range()
    }
}

impl FieldSpec {
    /// The acceleration at a place within it; none in the very middle, from which no way leads away.
    fn at(&self, position: Vec3) -> Vec3 {
        let way = position - self.center;
        let part = (way.length() / self.radius).min(1.0);
        way.normalize_or_zero() * self.acceleration * (1.0 - self.falloff * part)
    }

    fn in_range(&self) -> bool {
        self.radius > 0.0
            && self.radius <= FIELD_RADIUS_MAX_M
            && self.acceleration.abs() <= FIELD_ACCELERATION_MAX
            && (0.0..=1.0).contains(&self.falloff)
            && self.seconds > 0.0
            && self.seconds <= FIELD_SECONDS_MAX
    }
}
