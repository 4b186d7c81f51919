//! The simulation's values as the runtime's, and back: the only place that names both.

use sim::body::{BodySpec, Form};
use sim::debris::DebrisSpec;
use sim::edit::{Area, Change, Edit};
use sim::field::FieldSpec;
use sim::joint::{JointKind, JointSpec};
use sim::scene::{self, Scene};
use sim::spells::Message;
use sim::status::Status;
use sim::storage::Keeper;
use sim::summon::{Order, SummonSpec};
use sim::{EntityId, IVec3, Intent, Temper, Vec3, intent, limits, material, spells, voxel};
use spell_runtime as rt;
use std::sync::Arc;

// What the desk lets pass, the world must take: else a spell would be told of an intent that nobody refused.
const _: () = assert!(rt::limits::PROJECTILE_BOUNCES_MAX <= limits::PROJECTILE_BOUNCES_MAX);
const _: () = assert!(rt::limits::PROJECTILE_PIERCES_MAX <= limits::PROJECTILE_PIERCES_MAX);
const _: () = assert!(rt::limits::HOMING_TURN_MAX <= limits::HOMING_TURN_MAX);
const _: () = assert!(rt::limits::BODY_REACH_M.0 >= limits::BODY_HALF_MIN_M && rt::limits::BODY_REACH_M.1 <= limits::BODY_REACH_M);
const _: () = assert!(rt::limits::BODY_MASS_KG.0 >= limits::BODY_MASS_MIN_KG && rt::limits::BODY_MASS_KG.1 <= limits::BODY_MASS_MAX_KG);
const _: () = assert!(rt::limits::BODY_SPEED_MAX <= limits::PROP_SPEED_MAX && rt::limits::DEBRIS_SPEED_MAX <= limits::DEBRIS_SPEED_MAX);
const _: () = assert!(rt::limits::DEBRIS_SECONDS_MAX <= limits::DEBRIS_SECONDS_MAX);
const _: () = assert!(rt::limits::ROPE_LENGTH_M.0 >= limits::ROPE_LENGTH_MIN_M && rt::limits::ROPE_LENGTH_M.1 <= limits::ROPE_LENGTH_MAX_M);
const _: () = assert!(rt::limits::FIELD_RADIUS_MAX_M <= limits::FIELD_RADIUS_MAX_M);
const _: () = assert!(rt::limits::FIELD_ACCELERATION_MAX <= limits::FIELD_ACCELERATION_MAX);
const _: () = assert!(rt::limits::FIELD_SECONDS_MAX <= limits::FIELD_SECONDS_MAX);
const _: () = assert!(rt::limits::STATUS_SECONDS_MAX <= limits::STATUS_SECONDS_MAX);
const _: () = assert!(rt::limits::STATUS_HEALTH_MAX <= limits::SHIELD_MAX && rt::limits::STATUS_HEALTH_MAX <= limits::BURN_PER_SECOND_MAX);
const _: () =
    assert!(rt::limits::EDIT_RADIUS_M.0 >= limits::TERRAFORM_RADIUS_MIN_M && rt::limits::EDIT_RADIUS_M.1 <= limits::TERRAFORM_RADIUS_MAX_M);
const _: () = assert!(rt::limits::EDIT_VOXELS_MAX <= limits::TERRAFORM_VOXELS_PER_CASTER_TICK as u64);
const _: () = assert!(rt::limits::MATERIAL_MAX < material::BEDROCK && rt::limits::CHUNK_EDGE == voxel::CHUNK_EDGE);
const _: () = assert!(rt::limits::STORED_KEY_BYTES_MAX <= limits::STORED_KEY_BYTES_MAX);
const _: () = assert!(rt::limits::STORED_VALUE_BYTES_MAX <= limits::STORED_VALUE_BYTES_MAX);
const _: () = assert!(rt::limits::SPAWNS_PER_CALL_MAX == limits::SPAWNS_PER_CALL_MAX);

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
    fn line_of_sight(&self, start: rt::Vec3, end: rt::Vec3) -> bool {
        self.0.terrain().line_of_sight(vector(start), vector(end))
    }
    fn material(&self, voxel: rt::Voxel) -> u8 {
        self.0.terrain().material(IVec3::from_array(voxel))
    }
    fn stored(&self, spell: &str, caster: rt::EntityId, drawer: rt::Drawer, key: &str) -> Option<Arc<[u8]>> {
        let storage = self.0.storage();
        let keeper = match drawer {
            rt::Drawer::Mine => storage.keeper(EntityId(caster)),
            rt::Drawer::Shared => Keeper::Spell,
        };
        storage.get(spell, &keeper, key).cloned()
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
        upkeep: from.impact + from.fuel as f32 * rt::mana::FUEL_UNIT,
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
        rt::Shape::Cuboid { center, half } => scene::Shape::Cuboid { center: vector(center), half: vector(half) },
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
        spells::Event::Message(Message { ref spell, caster, ref data }) => {
            rt::Event::Message { spell: spell.clone(), caster: caster.0, data: data.clone() }
        }
        spells::Event::Hit { projectile, entity, point, normal } => {
            rt::Event::Hit { projectile: projectile.0, entity: entity.0, point: point.to_array(), normal: normal.to_array() }
        }
        spells::Event::Expired(id) => rt::Event::Expired(id.0),
        spells::Event::Died(id) => rt::Event::Died(id.0),
        spells::Event::Timer(token) => rt::Event::Timer(token),
        spells::Event::Dropped(id) => rt::Event::Dropped(id.0),
    }
}

fn cancel_reason(from: spells::CancelReason) -> rt::CancelReason {
    match from {
        spells::CancelReason::Duration => rt::CancelReason::Duration,
        spells::CancelReason::CasterGone => rt::CancelReason::CasterGone,
        spells::CancelReason::Revision => rt::CancelReason::Revision,
        spells::CancelReason::Mana => rt::CancelReason::Mana,
        spells::CancelReason::Dispelled => rt::CancelReason::Dispelled,
    }
}

fn sim_intent(from: rt::Intent) -> Intent {
    match from {
        rt::Intent::Damage { target, amount } => Intent::Damage { target: EntityId(target), amount },
        rt::Intent::Heal { target, amount } => Intent::Heal { target: EntityId(target), amount },
        rt::Intent::Push { target, impulse } => Intent::Push { target: EntityId(target), impulse: vector(impulse) },
        rt::Intent::Teleport { target, to } => Intent::Teleport { target: EntityId(target), to: vector(to) },
        rt::Intent::Afflict { target, status, seconds } => {
            Intent::Afflict { target: EntityId(target), status: sim_status(status), seconds }
        }
        rt::Intent::Launch { id, projectile, flight } => {
            Intent::Launch { id: EntityId(id), projectile: projectile_spec(projectile, flight) }
        }
        rt::Intent::Spawn { id, body } => Intent::Spawn { id: EntityId(id), body: body_spec(body) },
        rt::Intent::Scatter { id, debris } => Intent::Debris { id: EntityId(id), debris: debris_spec(debris) },
        rt::Intent::Join { id, joint } => Intent::Join { id: EntityId(id), joint: joint_spec(joint) },
        rt::Intent::Field { id, field } => Intent::Field { id: EntityId(id), field: field_spec(field) },
        rt::Intent::Summon { id, npc } => Intent::Summon { id: EntityId(id), npc: summon_spec(npc) },
        rt::Intent::Command { npc, order } => Intent::Command { npc: EntityId(npc), order: sim_order(order) },
        rt::Intent::Terraform { area, change, voxels: _ } => Intent::Terraform { edit: edit(area, change) },
        rt::Intent::Despawn { id } => Intent::Despawn { id: EntityId(id) },
        rt::Intent::Cue { name, at, scale } => Intent::Cue { name, at: vector(at), scale },
        rt::Intent::SetTimer { token, ticks } => Intent::SetTimer { token, ticks },
        rt::Intent::Send { to, data } => Intent::Send { to: recipient(to), data },
        rt::Intent::Say { text, aloud } => Intent::Say { text, aloud },
        rt::Intent::Store { drawer, key, value } => Intent::Store { own: drawer == rt::Drawer::Mine, key, value },
        rt::Intent::Dispel { target } => Intent::Dispel { target: EntityId(target) },
        rt::Intent::Log { level, text } => Intent::Log { level, text },
    }
}

fn projectile_spec(from: rt::Projectile, flight: rt::Flight) -> intent::ProjectileSpec {
    intent::ProjectileSpec {
        start: vector(from.start),
        velocity: vector(from.velocity),
        radius: from.radius,
        gravity: from.gravity,
        seconds: from.seconds,
        damage: from.damage,
        restitution: flight.restitution,
        bounces: flight.bounces,
        pierces: flight.pierces,
        homing: flight.homing.map(|rt::Homing { turn, half_angle }| intent::Homing { turn, half_angle }),
    }
}

fn sim_status(from: rt::Status) -> Status {
    match from {
        rt::Status::Slow(factor) => Status::Slow { factor },
        rt::Status::Root => Status::Root,
        rt::Status::Shield(amount) => Status::Shield { amount },
        rt::Status::Burn(per_second) => Status::Burn { per_second },
    }
}

fn body_spec(from: rt::Body) -> BodySpec {
    let form = match from.form {
        rt::Form::Cuboid(half) => Form::Box { half: vector(half) },
        rt::Form::Ball(radius) => Form::Ball { radius },
    };
    BodySpec { form, mass_kg: from.mass, position: vector(from.position), velocity: vector(from.velocity) }
}

fn debris_spec(from: rt::Debris) -> DebrisSpec {
    DebrisSpec { at: vector(from.at), count: from.count, speed: from.speed, seconds: from.seconds }
}

fn joint_spec(from: rt::Joint) -> JointSpec {
    let kind = match from.kind {
        rt::JointKind::Fixed => JointKind::Fixed,
        rt::JointKind::Ball => JointKind::Ball,
        rt::JointKind::Hinge(axis) => JointKind::Hinge { axis: vector(axis) },
        rt::JointKind::Rope(length) => JointKind::Rope { length },
    };
    // To guests 0 is never: an infinite number is none that they may hand over.
    let break_force = if from.break_force > 0.0 { from.break_force } else { f32::INFINITY };
    JointSpec { kind, one: EntityId(from.one), other: EntityId(from.other), at: vector(from.at), break_force }
}

fn field_spec(from: rt::Field) -> FieldSpec {
    let rt::Field { center, radius, acceleration, falloff, seconds } = from;
    FieldSpec { center: vector(center), radius, acceleration, falloff, seconds }
}

fn summon_spec(from: rt::Npc) -> SummonSpec {
    let temper = match from.temper {
        rt::Temper::Dummy => Temper::Dummy,
        rt::Temper::Guard => Temper::Guard,
        rt::Temper::Critter => Temper::Critter,
    };
    SummonSpec { temper, position: vector(from.position), aim: vector(from.aim) }
}

fn recipient(from: rt::Recipient) -> intent::Recipient {
    match from {
        rt::Recipient::Maker(id) => intent::Recipient::Maker(EntityId(id)),
        rt::Recipient::Mine(spell) => intent::Recipient::Mine(spell),
    }
}

fn sim_order(from: rt::Order) -> Order {
    match from {
        rt::Order::Follow => Order::Follow,
        rt::Order::Stay => Order::Stay,
        rt::Order::Go(to) => Order::Go { to: vector(to) },
        rt::Order::Attack(target) => Order::Attack { target: EntityId(target) },
    }
}

fn edit(area: rt::Area, change: rt::Change) -> Edit {
    let area = match area {
        rt::Area::Ball { center, radius } => Area::Sphere { center: vector(center), radius },
        rt::Area::Block { low, high } => Area::Box { low: IVec3::from_array(low), high: IVec3::from_array(high) },
    };
    let change = match change {
        rt::Change::Fill(material) => Change::Add(material),
        rt::Change::Dig => Change::Subtract,
        rt::Change::Paint(material) => Change::Paint(material),
        rt::Change::Replace { old, new } => Change::Replace { from: old, to: new },
    };
    Edit { area, change }
}

fn vector(from: rt::Vec3) -> Vec3 {
    Vec3::from_array(from)
}
