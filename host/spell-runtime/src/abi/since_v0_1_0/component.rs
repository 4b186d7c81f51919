//! Through wasmtime's component layer: any component that speaks the interface.
//!
//! The types and the hooks are generated from the WIT. The imports are linked by hand, for two reasons: a host function must reach its store's fuel,
//! and a list that is too long must be refused before it is copied.

use super::calls::{self, Bytes, Caller, Text};
use crate::desk::{Checked, Desk, Limit, Refused};
use crate::instance::Hook;
use crate::types;
use std::borrow::Cow;
use wasmtime::component::{InstancePre, Linker, WasmList, WasmStr};
use wasmtime::{Result, Store};

#[allow(missing_docs, dead_code, reason = "generated; the WIT has the documentation, and the imports' traits are not used")]
mod bindings {
    wasmtime::component::bindgen!({ path: "../../wit/since-v0.1.0", world: "spell" });
}

use bindings::exports::ugc::spell::hooks::Guest;
use bindings::ugc::spell::types as wit;

/// A component whose imports and exports are known to fit.
#[derive(Clone)]
pub(crate) struct Linked(bindings::SpellPre<Desk>);

/// One instance's hooks.
pub(crate) struct Hooks(bindings::Spell);

impl Linked {
    pub fn new(pre: InstancePre<Desk>) -> Result<Self> {
        bindings::SpellPre::new(pre).map(Self)
    }
    pub fn instantiate(&self, store: &mut Store<Desk>) -> Result<Hooks> {
        self.0.instantiate(store).map(Hooks)
    }
}

impl Hooks {
    fn guest(&self) -> &Guest {
        self.0.ugc_spell_hooks()
    }
    pub fn init(&self, store: &mut Store<Desk>) -> Result<()> {
        self.guest().call_init(store)
    }
    pub fn call(&self, store: &mut Store<Desk>, hook: &Hook) -> Result<()> {
        let guest = self.guest();
        match hook {
            Hook::Cast(cast) => guest.call_on_cast(store, &cast.into()),
            Hook::Tick(dt) => guest.call_on_tick(store, *dt),
            Hook::Event(event) => guest.call_on_event(store, &event.into()),
            Hook::Cancel(reason) => guest.call_on_cancel(store, (*reason).into()),
        }
    }
    pub fn save(&self, store: &mut Store<Desk>) -> Result<Vec<u8>> {
        self.guest().call_save(store)
    }
    pub fn restore(&self, store: &mut Store<Desk>, from_version: u32, bytes: &[u8]) -> Result<Result<(), String>> {
        self.guest().call_restore(store, from_version, bytes)
    }
}

/// Offers the imports.
pub(crate) fn add_to_linker(linker: &mut Linker<Desk>) -> Result<()> {
    linker.instance("ugc:spell/types@0.1.0")?;
    add_reads(linker)?;
    add_intents(linker)
}

fn add_reads(linker: &mut Linker<Desk>) -> Result<()> {
    let mut reads = linker.instance("ugc:spell/reads@0.1.0")?;
    reads.func_wrap("tick", |mut store: Caller<'_>, (): ()| Ok((calls::tick(&mut store)?,)))?;
    reads
        .func_wrap("get-entity", |mut store: Caller<'_>, (id,): (u64,)| Ok((calls::get_entity(&mut store, id)?.map(wit::Entity::from),)))?;
    reads.func_wrap("find", |mut store: Caller<'_>, (within, kinds, count): (wit::Shape, wit::EntityKinds, u32)| {
        answer::<_, wit::Nearby>(calls::find(&mut store, within.into(), kinds.into(), count))
    })?;
    reads.func_wrap("raycast", |mut store: Caller<'_>, (start, direction, length): (wit::Vec3, wit::Vec3, f32)| {
        let hit = calls::raycast(&mut store, start.into(), direction.into(), length)?;
        answer::<_, Option<wit::RayHit>>(Ok(hit.map(|hit| hit.map(wit::RayHit::from))))
    })?;
    reads.func_wrap("line-of-sight", |mut store: Caller<'_>, (start, end): (wit::Vec3, wit::Vec3)| {
        answer::<_, bool>(calls::line_of_sight(&mut store, start.into(), end.into()))
    })?;
    reads.func_wrap("material", |mut store: Caller<'_>, (at,): (wit::Vec3,)| answer::<_, u8>(calls::material(&mut store, at.into())))?;
    reads.func_wrap("materials", |mut store: Caller<'_>, (within,): (wit::VoxelBlock,)| {
        answer::<_, Vec<u8>>(calls::materials(&mut store, within.low.into(), within.high.into()))
    })?;
    reads.func_wrap("fuel-left", |mut store: Caller<'_>, (): ()| Ok((calls::fuel_left(&mut store)?,)))?;
    reads.func_wrap("mana", |mut store: Caller<'_>, (): ()| Ok((calls::mana(&mut store)?,)))?;
    reads.func_wrap("load", |mut store: Caller<'_>, (whose, key): (wit::Drawer, WasmStr)| {
        let value = calls::load(&mut store, whose.into(), &key)?;
        answer::<_, Option<Vec<u8>>>(Ok(value.map(|value| value.map(|value| value.to_vec()))))
    })
}

fn add_intents(linker: &mut Linker<Desk>) -> Result<()> {
    let mut intents = linker.instance("ugc:spell/intents@0.1.0")?;
    intents.func_wrap("damage", |mut store: Caller<'_>, (target, amount): (u64, f32)| done(calls::damage(&mut store, target, amount)))?;
    intents.func_wrap("heal", |mut store: Caller<'_>, (target, amount): (u64, f32)| done(calls::heal(&mut store, target, amount)))?;
    intents.func_wrap("push", |mut store: Caller<'_>, (targets, impulses): (WasmList<u64>, Vec<f32>)| {
        let ask = |store: &mut Caller<'_>| {
            // Wasm is little-endian.
            let targets: Vec<_> = targets.as_le_slice(&*store).iter().map(|id| u64::from_le(*id)).collect();
            store.data_mut().push(targets.iter().copied().zip(impulses.as_chunks().0.iter().copied()))
        };
        done(calls::push(&mut store, targets.len(), impulses.len(), ask))
    })?;
    intents.func_wrap("launch", |mut store: Caller<'_>, (what,): (wit::Projectile,)| {
        answer::<_, u64>(calls::launch(&mut store, what.into()))
    })?;
    intents.func_wrap("launch-flying", |mut store: Caller<'_>, (what, how): (wit::Projectile, wit::Flight)| {
        answer::<_, u64>(calls::launch_flying(&mut store, what.into(), how.into()))
    })?;
    intents.func_wrap("teleport", |mut store: Caller<'_>, (target, to): (u64, wit::Vec3)| {
        done(calls::teleport(&mut store, target, to.into()))
    })?;
    intents.func_wrap("afflict", |mut store: Caller<'_>, (target, what, seconds): (u64, wit::Status, f32)| {
        done(calls::afflict(&mut store, target, what.into(), seconds))
    })?;
    intents.func_wrap("spawn-body", |mut store: Caller<'_>, (what,): (wit::Body,)| {
        answer::<_, u64>(calls::spawn_body(&mut store, what.into()))
    })?;
    intents.func_wrap("scatter", |mut store: Caller<'_>, (what,): (wit::Debris,)| done(calls::scatter(&mut store, what.into())))?;
    intents.func_wrap("join", |mut store: Caller<'_>, (what,): (wit::Joint,)| answer::<_, u64>(calls::join(&mut store, what.into())))?;
    intents.func_wrap("set-field", |mut store: Caller<'_>, (what,): (wit::Field,)| {
        answer::<_, u64>(calls::set_field(&mut store, what.into()))
    })?;
    intents.func_wrap("summon", |mut store: Caller<'_>, (what,): (wit::Npc,)| answer::<_, u64>(calls::summon(&mut store, what.into())))?;
    intents.func_wrap("command", |mut store: Caller<'_>, (target, what): (u64, wit::Order)| {
        done(calls::command(&mut store, target, what.into()))
    })?;
    intents.func_wrap("terraform", |mut store: Caller<'_>, (within, what): (wit::Area, wit::Change)| {
        done(calls::terraform(&mut store, within.into(), what.into()))
    })?;
    intents.func_wrap("despawn", |mut store: Caller<'_>, (id,): (u64,)| done(calls::despawn(&mut store, id)))?;
    intents.func_wrap("cue", |mut store: Caller<'_>, (name, at, scale): (WasmStr, wit::Vec3, f32)| {
        done(calls::cue(&mut store, &name, at.into(), scale))
    })?;
    intents.func_wrap("set-timer", |mut store: Caller<'_>, (token, ticks): (u32, u32)| done(calls::set_timer(&mut store, token, ticks)))?;
    intents.func_wrap("send", |mut store: Caller<'_>, (to, data): (wit::Recipient, WasmList<u8>)| {
        done(calls::send(&mut store, to.into(), &data))
    })?;
    intents.func_wrap("say", |mut store: Caller<'_>, (text, aloud): (WasmStr, bool)| done(calls::say(&mut store, &text, aloud)))?;
    intents.func_wrap("store", |mut store: Caller<'_>, (whose, key, value): (wit::Drawer, WasmStr, Option<WasmList<u8>>)| {
        done(calls::store(&mut store, whose.into(), &key, value.as_ref()))
    })?;
    intents.func_wrap("dispel", |mut store: Caller<'_>, (target,): (u64,)| done(calls::dispel(&mut store, target)))?;
    intents.func_wrap("log", |mut store: Caller<'_>, (level, text): (wit::LogLevel, WasmStr)| {
        calls::log(&mut store, level_name(level), &text)
    })?;
    intents.func_wrap("finish", |mut store: Caller<'_>, (): ()| calls::finish(&mut store))
}

type Answer<T = ()> = std::result::Result<T, wit::Refusal>;

impl Text for WasmStr {
    fn read<'a>(&self, store: &'a Caller<'_>) -> Result<Cow<'a, str>> {
        self.to_str(store)
    }
}

impl Bytes for WasmList<u8> {
    fn len(&self) -> usize {
        WasmList::len(self)
    }
    fn read<'a>(&self, store: &'a Caller<'_>) -> &'a [u8] {
        self.as_le_slice(store)
    }
}

fn level_name(level: wit::LogLevel) -> &'static str {
    match level {
        wit::LogLevel::Debug => "debug",
        wit::LogLevel::Info => "info",
        wit::LogLevel::Warn => "warn",
        wit::LogLevel::Error => "error",
    }
}

fn answer<T, W: From<T>>(called: Result<Checked<T>>) -> Result<(Answer<W>,)> {
    Ok((called?.map(W::from).map_err(wit::Refusal::from),))
}

fn done(called: Result<Checked>) -> Result<(Answer,)> {
    answer(called)
}

impl From<Refused> for wit::Refusal {
    fn from(refused: Refused) -> Self {
        let limit = match refused.limit {
            Limit::Capability => wit::Limit::Capability,
            Limit::Radius => wit::Limit::Radius,
            Limit::Entities => wit::Limit::Entities,
            Limit::Finite => wit::Limit::Finite,
            Limit::Magnitude => wit::Limit::Magnitude,
            Limit::Target => wit::Limit::Target,
            Limit::Intents => wit::Limit::Intents,
            Limit::Length => wit::Limit::Length,
            Limit::Voxels => wit::Limit::Voxels,
        };
        Self { limit, allowed: refused.allowed, asked: refused.asked }
    }
}

impl From<wit::Vec3> for types::Vec3 {
    fn from(vector: wit::Vec3) -> Self {
        [vector.x, vector.y, vector.z]
    }
}

impl From<types::Vec3> for wit::Vec3 {
    fn from([x, y, z]: types::Vec3) -> Self {
        Self { x, y, z }
    }
}

impl From<types::Entity> for wit::Entity {
    fn from(entity: types::Entity) -> Self {
        let kind = match entity.kind {
            types::EntityKind::Player => wit::EntityKind::Player,
            types::EntityKind::Npc => wit::EntityKind::Npc,
            types::EntityKind::Projectile => wit::EntityKind::Projectile,
            types::EntityKind::Prop => wit::EntityKind::Prop,
        };
        let types::Entity { id, position, velocity, aim, health, health_max, .. } = entity;
        Self { id, kind, position: position.into(), velocity: velocity.into(), aim: aim.into(), health, health_max }
    }
}

impl From<Vec<(u64, types::Vec3)>> for wit::Nearby {
    fn from(found: Vec<(u64, types::Vec3)>) -> Self {
        Self { ids: found.iter().map(|(id, _)| *id).collect(), positions: found.iter().flat_map(|(_, position)| *position).collect() }
    }
}

impl From<wit::Shape> for types::Shape {
    fn from(shape: wit::Shape) -> Self {
        match shape {
            wit::Shape::Sphere(sphere) => Self::Sphere { center: sphere.center.into(), radius: sphere.radius },
            wit::Shape::Cone(cone) => {
                Self::Cone { apex: cone.apex.into(), direction: cone.direction.into(), length: cone.length, half_angle: cone.half_angle }
            }
            wit::Shape::Cuboid(cuboid) => Self::Cuboid { center: cuboid.center.into(), half: cuboid.half.into() },
        }
    }
}

impl From<wit::EntityKinds> for types::Kinds {
    fn from(kinds: wit::EntityKinds) -> Self {
        Self {
            player: kinds.contains(wit::EntityKinds::PLAYER),
            npc: kinds.contains(wit::EntityKinds::NPC),
            projectile: kinds.contains(wit::EntityKinds::PROJECTILE),
            prop: kinds.contains(wit::EntityKinds::PROP),
        }
    }
}

impl From<types::RayHit> for wit::RayHit {
    fn from(hit: types::RayHit) -> Self {
        Self { entity: hit.entity, point: hit.point.into(), normal: hit.normal.into(), distance: hit.distance }
    }
}

impl From<wit::Projectile> for types::Projectile {
    fn from(what: wit::Projectile) -> Self {
        let wit::Projectile { start, velocity, radius, gravity, seconds, damage } = what;
        Self { start: start.into(), velocity: velocity.into(), radius, gravity, seconds, damage }
    }
}

impl From<wit::Flight> for types::Flight {
    fn from(how: wit::Flight) -> Self {
        let wit::Flight { restitution, bounces, pierces, homing } = how;
        let homing = homing.map(|wit::Homing { turn, half_angle }| types::Homing { turn, half_angle });
        Self { restitution, bounces, pierces, homing }
    }
}

impl From<wit::Body> for types::Body {
    fn from(what: wit::Body) -> Self {
        let form = match what.form {
            wit::Form::Cuboid(half) => types::Form::Cuboid(half.into()),
            wit::Form::Ball(radius) => types::Form::Ball(radius),
        };
        Self { form, mass: what.mass, position: what.position.into(), velocity: what.velocity.into() }
    }
}

impl From<wit::Debris> for types::Debris {
    fn from(what: wit::Debris) -> Self {
        let wit::Debris { at, count, speed, seconds } = what;
        Self { at: at.into(), count, speed, seconds }
    }
}

impl From<wit::Joint> for types::Joint {
    fn from(what: wit::Joint) -> Self {
        let kind = match what.kind {
            wit::JointKind::Fixed => types::JointKind::Fixed,
            wit::JointKind::Ball => types::JointKind::Ball,
            wit::JointKind::Hinge(axis) => types::JointKind::Hinge(axis.into()),
            wit::JointKind::Rope(length) => types::JointKind::Rope(length),
        };
        Self { kind, one: what.one, other: what.other, at: what.at.into(), break_force: what.break_force }
    }
}

impl From<wit::Field> for types::Field {
    fn from(what: wit::Field) -> Self {
        let wit::Field { center, radius, acceleration, falloff, seconds } = what;
        Self { center: center.into(), radius, acceleration, falloff, seconds }
    }
}

impl From<wit::Npc> for types::Npc {
    fn from(what: wit::Npc) -> Self {
        let temper = match what.temper {
            wit::Temper::Dummy => types::Temper::Dummy,
            wit::Temper::Guard => types::Temper::Guard,
            wit::Temper::Critter => types::Temper::Critter,
        };
        Self { temper, position: what.position.into(), aim: what.aim.into() }
    }
}

impl From<wit::Order> for types::Order {
    fn from(order: wit::Order) -> Self {
        match order {
            wit::Order::Follow => Self::Follow,
            wit::Order::Stay => Self::Stay,
            wit::Order::Go(to) => Self::Go(to.into()),
            wit::Order::Attack(target) => Self::Attack(target),
        }
    }
}

impl From<wit::Status> for types::Status {
    fn from(status: wit::Status) -> Self {
        match status {
            wit::Status::Slow(factor) => Self::Slow(factor),
            wit::Status::Root => Self::Root,
            wit::Status::Shield(amount) => Self::Shield(amount),
            wit::Status::Burn(per_second) => Self::Burn(per_second),
        }
    }
}

impl From<wit::Drawer> for types::Drawer {
    fn from(drawer: wit::Drawer) -> Self {
        match drawer {
            wit::Drawer::Mine => Self::Mine,
            wit::Drawer::Shared => Self::Shared,
        }
    }
}

impl From<wit::Recipient> for types::Recipient {
    fn from(to: wit::Recipient) -> Self {
        match to {
            wit::Recipient::Maker(id) => Self::Maker(id),
            wit::Recipient::Mine(spell) => Self::Mine(spell),
        }
    }
}

impl From<wit::Voxel> for types::Voxel {
    fn from(voxel: wit::Voxel) -> Self {
        [voxel.x, voxel.y, voxel.z]
    }
}

impl From<wit::Area> for types::Area {
    fn from(area: wit::Area) -> Self {
        match area {
            wit::Area::Ball(ball) => Self::Ball { center: ball.center.into(), radius: ball.radius },
            wit::Area::Block(block) => Self::Block { low: block.low.into(), high: block.high.into() },
        }
    }
}

impl From<wit::Change> for types::Change {
    fn from(change: wit::Change) -> Self {
        match change {
            wit::Change::Fill(material) => Self::Fill(material),
            wit::Change::Dig => Self::Dig,
            wit::Change::Paint(material) => Self::Paint(material),
            wit::Change::Replace(wit::Replacement { old, new }) => Self::Replace { old, new },
        }
    }
}

impl From<&types::Cast> for wit::Cast {
    fn from(cast: &types::Cast) -> Self {
        Self {
            tick: cast.tick,
            caster: cast.caster,
            target: cast.target,
            origin: cast.origin.into(),
            aim: cast.aim.into(),
            target_position: cast.target_position.into(),
            seed: cast.seed,
            params: cast.params.clone(),
        }
    }
}

impl From<&types::Event> for wit::Event {
    fn from(event: &types::Event) -> Self {
        match *event {
            types::Event::Hit { projectile, entity, point, normal } => {
                Self::Hit(wit::Hit { projectile, entity, point: point.into(), normal: normal.into() })
            }
            types::Event::Expired(id) => Self::Expired(id),
            types::Event::Timer(token) => Self::Timer(token),
            types::Event::Dropped(id) => Self::Dropped(id),
            types::Event::Died(id) => Self::Died(id),
            types::Event::Message { ref spell, caster, ref data } => {
                Self::Message(wit::Message { spell: spell.to_string(), caster, data: data.to_vec() })
            }
        }
    }
}

impl From<types::CancelReason> for wit::CancelReason {
    fn from(reason: types::CancelReason) -> Self {
        match reason {
            types::CancelReason::Duration => Self::Duration,
            types::CancelReason::CasterGone => Self::CasterGone,
            types::CancelReason::Revision => Self::Revision,
            types::CancelReason::Mana => Self::Mana,
            types::CancelReason::Dispelled => Self::Dispelled,
        }
    }
}
