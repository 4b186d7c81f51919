//! Rigid bodies as the world knows them: their forms and masses, and those that spells make. How they move is `physics.rs`'s business.

use crate::character;
use crate::limits::{BODY_HALF_MIN_M, BODY_MASS_MAX_KG, BODY_MASS_MIN_KG, BODY_REACH_M, PROP_HALF_M, PROP_MASS_KG, PROP_SPEED_MAX};
use crate::physics::BodyState;
use crate::scene::Entity;
use crate::{CastId, EntityId, EntityKind, Vec3, World, space};
use serde::{Deserialize, Serialize};

/// What of an entity others bump into. A box is turned as its entity is.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub enum Form {
    /// Nothing: projectiles and debris are met by nobody.
    #[default]
    Point,
    /// A player's or NPC's upright capsule.
    Capsule,
    /// A box.
    Box {
        /// Half of its edges, metres.
        half: Vec3,
    },
    /// A ball.
    Ball {
        /// Metres.
        radius: f32,
    },
}

/// A rigid body to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BodySpec {
    /// A box or a ball; nothing of it is nearer to its middle than `BODY_HALF_MIN_M` or further than `BODY_REACH_M`.
    pub form: Form,
    /// `BODY_MASS_MIN_KG` to `BODY_MASS_MAX_KG`.
    pub mass_kg: f32,
    /// Its middle; no voxel and nobody may be in its way there.
    pub position: Vec3,
    /// Metres a second, at most `PROP_SPEED_MAX`.
    pub velocity: Vec3,
}

/// What only props have. With position, rotation, velocity and spin it is all that makes a body: the physics can be built anew from it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Prop {
    /// What falls and rolls. What others bump into is its entity's form: of debris it is nothing.
    pub form: Form,
    pub mass_kg: f32,
    /// The cast that made it; none for the world's own, and for debris.
    pub cast: Option<CastId>,
    /// The tick in which debris goes.
    pub expires: Option<u64>,
}

/// Makes a body for a cast; not one that is out of range or has no room where it should be.
pub(crate) fn spawn(world: &mut World, id: EntityId, caster: EntityId, cast: CastId, spec: BodySpec) -> bool {
    if !spec.in_range() || !space::body_fits(world, spec.form, spec.position) {
        return false;
    }
    let prop = Prop { form: spec.form, mass_kg: spec.mass_kg, cast: Some(cast), expires: None };
    let entity = Entity {
        name: "body".into(),
        owner: caster,
        velocity: spec.velocity,
        form: spec.form,
        ..Entity::inert(id, EntityKind::Prop, spec.position)
    };
    put(world, entity, prop);
    true
}

/// Puts a prop into the world.
pub(crate) fn put(world: &mut World, entity: Entity, prop: Prop) {
    world.physics.insert_prop(entity.id, &prop, BodyState::moving(entity.position, entity.velocity));
    world.props.insert(entity.id, prop);
    world.spawn(entity);
}

impl Form {
    /// How far it reaches from its middle, metres.
    pub fn reach(self) -> f32 {
        match self {
            Self::Point => 0.0,
            Self::Capsule => character::HALF_EXTENTS.y,
            Self::Box { half } => half.length(),
            Self::Ball { radius } => radius,
        }
    }

    /// Half of the box along the axes that holds it, when it is not turned.
    pub(crate) fn half(self) -> Vec3 {
        match self {
            Self::Point => Vec3::ZERO,
            Self::Capsule => character::HALF_EXTENTS,
            Self::Box { half } => half,
            Self::Ball { radius } => Vec3::splat(radius),
        }
    }
}

impl BodySpec {
    fn in_range(&self) -> bool {
        // A little over the maximum is what rounding makes of it.
        matches!(self.form, Form::Box { .. } | Form::Ball { .. })
            && self.form.half().min_element() >= BODY_HALF_MIN_M
            && self.form.reach() <= BODY_REACH_M
            && (BODY_MASS_MIN_KG..=BODY_MASS_MAX_KG).contains(&self.mass_kg)
            && self.velocity.length() <= PROP_SPEED_MAX * 1.001
    }
}

impl Prop {
    /// The form of a crate.
    pub const CRATE_FORM: Form = Form::Box { half: Vec3::splat(PROP_HALF_M) };
    /// A crate of the world's own.
    pub const CRATE: Self = Self { form: Self::CRATE_FORM, mass_kg: PROP_MASS_KG, cast: None, expires: None };

    /// Whether some spell could have made it, or a world was set up with it.
    pub(crate) fn is_sound(&self) -> bool {
        let solid = matches!(self.form, Form::Box { .. } | Form::Ball { .. });
        let sized = self.form.half().is_finite() && self.form.half().min_element() > 1e-3 && self.form.reach() <= BODY_REACH_M;
        solid && sized && self.mass_kg > 1e-3 && self.mass_kg <= BODY_MASS_MAX_KG
    }

    /// Whether it is debris: short-lived, and in nobody's way.
    pub fn is_debris(&self) -> bool {
        self.expires.is_some()
    }
}
