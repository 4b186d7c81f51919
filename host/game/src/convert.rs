//! The simulation's values as the runtime's, and back: the only place that names both.

use sim::scene::{self, Scene};
use sim::{EntityId, Intent, Vec3, intent, spells};
use spell_runtime as rt;
use std::sync::Arc;

/// A frozen scene as spells see it.
pub(crate) struct SceneView(pub Arc<Scene>);

impl rt::View for SceneView {
    fn entity(&self, id: rt::EntityId) -> Option<rt::Entity> {
        self.0.entity(EntityId(id)).map(entity)
    }
    fn find(&self, shape: rt::Shape, kinds: rt::Kinds, count: usize, except: rt::EntityId) -> Vec<(rt::EntityId, rt::Vec3)> {
        let found = self.0.find(scene_shape(shape), scene_kinds(kinds), count, EntityId(except));
        found.into_iter().map(|(id, position)| (id.0, position.to_array())).collect()
    }
    fn raycast(&self, start: rt::Vec3, direction: rt::Vec3, length: f32, except: rt::EntityId) -> Option<rt::RayHit> {
        let hit = self.0.raycast(vector(start), vector(direction), length, EntityId(except))?;
        Some(rt::RayHit { entity: hit.entity.0, point: hit.point.to_array(), normal: hit.normal.to_array(), distance: hit.distance })
    }
}

/// The call's hook for the guest; the cast's caster stands in the call.
pub(crate) fn hook(call: &spells::Call) -> rt::Hook {
    match &call.hook {
        spells::Hook::Cast { tick, target, origin, aim, target_position, seed, params } => rt::Hook::Cast(rt::Cast {
            tick: *tick,
            caster: call.caster.0,
            target: target.0,
            origin: origin.to_array(),
            aim: aim.to_array(),
            target_position: target_position.to_array(),
            seed: *seed,
            params: params.clone(),
        }),
        spells::Hook::Tick { dt } => rt::Hook::Tick(*dt),
        spells::Hook::Event(what) => rt::Hook::Event(event(what)),
        spells::Hook::Cancel(reason) => rt::Hook::Cancel(cancel_reason(*reason)),
    }
}

/// What came of a call, for the simulation.
pub(crate) fn outcome(from: rt::Outcome) -> spells::Outcome {
    spells::Outcome {
        intents: from.intents.into_iter().map(sim_intent).collect(),
        finished: from.finished,
        fault: from.fault.map(fault),
        fuel: from.fuel,
    }
}

/// Why a call was stopped, for the simulation.
pub(crate) fn fault(from: rt::Fault) -> spells::Fault {
    let rt::Fault { hook, limit, allowed, asked, message } = from;
    spells::Fault { hook, limit, allowed, asked, message }
}

fn entity(from: &scene::Entity) -> rt::Entity {
    rt::Entity {
        id: from.id.0,
        kind: match from.kind {
            sim::EntityKind::Player => rt::EntityKind::Player,
            sim::EntityKind::Npc => rt::EntityKind::Npc,
            sim::EntityKind::Projectile => rt::EntityKind::Projectile,
            sim::EntityKind::Prop => rt::EntityKind::Prop,
        },
        position: from.position.to_array(),
        velocity: from.velocity.to_array(),
        aim: from.aim.to_array(),
        health: from.health,
        health_max: from.health_max,
    }
}

fn scene_shape(shape: rt::Shape) -> scene::Shape {
    match shape {
        rt::Shape::Sphere { center, radius } => scene::Shape::Sphere { center: vector(center), radius },
        rt::Shape::Cone { apex, direction, length, half_angle } => {
            scene::Shape::Cone { apex: vector(apex), direction: vector(direction), length, half_angle }
        }
    }
}

fn scene_kinds(kinds: rt::Kinds) -> scene::Kinds {
    let bit = |wanted: bool, kind: sim::EntityKind| u8::from(wanted) << (kind as u8);
    scene::Kinds(
        bit(kinds.player, sim::EntityKind::Player)
            | bit(kinds.npc, sim::EntityKind::Npc)
            | bit(kinds.projectile, sim::EntityKind::Projectile)
            | bit(kinds.prop, sim::EntityKind::Prop),
    )
}

fn event(from: &spells::Event) -> rt::Event {
    match *from {
        spells::Event::Hit { projectile, entity, point, normal } => {
            rt::Event::Hit { projectile: projectile.0, entity: entity.0, point: point.to_array(), normal: normal.to_array() }
        }
        // Interface 0.1 has no word for a death: there nothing that can die is summoned.
        spells::Event::Expired(id) | spells::Event::Died(id) => rt::Event::Expired(id.0),
        spells::Event::Timer(token) => rt::Event::Timer(token),
        spells::Event::Dropped(id) => rt::Event::Dropped(id.0),
    }
}

fn cancel_reason(from: spells::CancelReason) -> rt::CancelReason {
    match from {
        spells::CancelReason::Duration => rt::CancelReason::Duration,
        spells::CancelReason::CasterGone => rt::CancelReason::CasterGone,
        spells::CancelReason::Revision => rt::CancelReason::Revision,
    }
}

fn sim_intent(from: rt::Intent) -> Intent {
    match from {
        rt::Intent::Damage { target, amount } => Intent::Damage { target: EntityId(target), amount },
        rt::Intent::Heal { target, amount } => Intent::Heal { target: EntityId(target), amount },
        rt::Intent::Push { target, impulse } => Intent::Push { target: EntityId(target), impulse: vector(impulse) },
        rt::Intent::Launch { id, projectile } => Intent::Launch { id: EntityId(id), projectile: projectile_spec(projectile) },
        rt::Intent::Despawn { id } => Intent::Despawn { id: EntityId(id) },
        rt::Intent::Cue { name, at, scale } => Intent::Cue { name, at: vector(at), scale },
        rt::Intent::SetTimer { token, ticks } => Intent::SetTimer { token, ticks },
        rt::Intent::Log { level, text } => Intent::Log { level, text },
    }
}

fn projectile_spec(from: rt::Projectile) -> intent::ProjectileSpec {
    intent::ProjectileSpec {
        start: vector(from.start),
        velocity: vector(from.velocity),
        radius: from.radius,
        gravity: from.gravity,
        seconds: from.seconds,
        damage: from.damage,
        ..intent::ProjectileSpec::default()
    }
}

fn vector(from: rt::Vec3) -> Vec3 {
    Vec3::from_array(from)
}
