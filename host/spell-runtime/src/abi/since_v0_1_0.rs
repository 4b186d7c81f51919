//! Version 0.1.0: `wit/since-v0.1.0`.
//!
//! The types and the hooks are generated from the WIT. The imports are linked by hand, for two reasons: a host function must reach its store's fuel,
//! and a list that is too long must be refused before it is copied.

use crate::desk::{self, Checked, Desk, Limit, Refused};
use crate::instance::Hook;
use crate::limits::{CUE_NAME_BYTES_MAX, ENVELOPE_RADIUS_M_MAX, LOG_LINE_BYTES_MAX, SAID_BYTES_MAX, STORED_KEY_BYTES_MAX};
use crate::{prices, types};
use wasmtime::component::{InstancePre, Linker, WasmList, WasmStr};
use wasmtime::{Result, Store, StoreContextMut, Trap};

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
    reads.func_wrap("tick", |mut store: Caller<'_>, (): ()| {
        charge(&mut store, prices::TICK.fuel)?;
        Ok((store.data().tick(),))
    })?;
    reads.func_wrap("get-entity", |mut store: Caller<'_>, (id,): (u64,)| {
        charge(&mut store, prices::GET_ENTITY.fuel)?;
        Ok((store.data().entity(id).map(wit::Entity::from),))
    })?;
    reads.func_wrap("find", |mut store: Caller<'_>, (within, kinds, count): (wit::Shape, wit::EntityKinds, u32)| {
        charge(&mut store, prices::FIND.fuel)?;
        let found = store.data().find(within.into(), kinds.into(), count);
        let answered = found.as_ref().map_or(0, Vec::len) as u64;
        charge(&mut store, prices::FIND.each * answered)?;
        Ok((answer(found.map(wit::Nearby::from)),))
    })?;
    reads.func_wrap("raycast", |mut store: Caller<'_>, (start, direction, length): (wit::Vec3, wit::Vec3, f32)| {
        charge(&mut store, prices::RAYCAST.fuel + prices::RAYCAST.each * metres(length))?;
        let hit = store.data().raycast(start.into(), direction.into(), length);
        Ok((answer(hit.map(|hit| hit.map(wit::RayHit::from))),))
    })?;
    reads.func_wrap("line-of-sight", |mut store: Caller<'_>, (start, end): (wit::Vec3, wit::Vec3)| {
        let (start, end) = (start.into(), end.into());
        charge(&mut store, prices::LINE_OF_SIGHT.fuel + prices::LINE_OF_SIGHT.each * metres(distance(start, end)))?;
        Ok((answer(store.data().line_of_sight(start, end)),))
    })?;
    reads.func_wrap("material", |mut store: Caller<'_>, (at,): (wit::Vec3,)| {
        charge(&mut store, prices::MATERIAL.fuel)?;
        Ok((answer(store.data().material(at.into())),))
    })?;
    reads.func_wrap("materials", |mut store: Caller<'_>, (within,): (wit::VoxelBlock,)| {
        let (low, high) = (within.low.into(), within.high.into());
        charge(&mut store, prices::MATERIALS.fuel)?;
        let count = match store.data().check_materials(low, high) {
            Ok(count) => count,
            Err(refused) => return Ok((Err(refused.into()),)),
        };
        charge(&mut store, prices::MATERIALS.each * count)?;
        Ok((answer(store.data().materials(low, high)),))
    })?;
    reads.func_wrap("fuel-left", |mut store: Caller<'_>, (): ()| {
        charge(&mut store, prices::FUEL_LEFT.fuel)?;
        Ok((store.get_fuel()?,))
    })?;
    reads.func_wrap("mana", |mut store: Caller<'_>, (): ()| {
        charge(&mut store, prices::MANA.fuel)?;
        Ok((store.data().mana(),))
    })?;
    reads.func_wrap("load", |mut store: Caller<'_>, (whose, key): (wit::Drawer, WasmStr)| load(&mut store, whose, &key))
}

fn add_intents(linker: &mut Linker<Desk>) -> Result<()> {
    let mut intents = linker.instance("ugc:spell/intents@0.1.0")?;
    intents.func_wrap("damage", |mut store: Caller<'_>, (target, amount): (u64, f32)| {
        charge(&mut store, prices::DAMAGE.fuel)?;
        Ok((answer(store.data_mut().damage(target, amount)),))
    })?;
    intents.func_wrap("heal", |mut store: Caller<'_>, (target, amount): (u64, f32)| {
        charge(&mut store, prices::HEAL.fuel)?;
        Ok((answer(store.data_mut().heal(target, amount)),))
    })?;
    intents.func_wrap("push", |store: Caller<'_>, (targets, impulses): (WasmList<u64>, Vec<f32>)| push(store, &targets, &impulses))?;
    intents.func_wrap("launch", |mut store: Caller<'_>, (what,): (wit::Projectile,)| {
        charge(&mut store, prices::LAUNCH.fuel)?;
        Ok((answer(store.data_mut().launch(what.into(), types::Flight::default())),))
    })?;
    intents.func_wrap("launch-flying", |mut store: Caller<'_>, (what, how): (wit::Projectile, wit::Flight)| {
        charge(&mut store, prices::LAUNCH_FLYING.fuel)?;
        Ok((answer(store.data_mut().launch(what.into(), how.into())),))
    })?;
    intents.func_wrap("teleport", |mut store: Caller<'_>, (target, to): (u64, wit::Vec3)| {
        charge(&mut store, prices::TELEPORT.fuel)?;
        Ok((answer(store.data_mut().teleport(target, to.into())),))
    })?;
    intents.func_wrap("afflict", |mut store: Caller<'_>, (target, what, seconds): (u64, wit::Status, f32)| {
        charge(&mut store, prices::AFFLICT.fuel)?;
        Ok((answer(store.data_mut().afflict(target, what.into(), seconds)),))
    })?;
    intents.func_wrap("spawn-body", |mut store: Caller<'_>, (what,): (wit::Body,)| {
        charge(&mut store, prices::SPAWN_BODY.fuel)?;
        Ok((answer(store.data_mut().spawn_body(what.into())),))
    })?;
    intents.func_wrap("scatter", |mut store: Caller<'_>, (what,): (wit::Debris,)| {
        charge(&mut store, prices::SCATTER.fuel + prices::SCATTER.each * u64::from(what.count))?;
        Ok((answer(store.data_mut().scatter(what.into())),))
    })?;
    intents.func_wrap("join", |mut store: Caller<'_>, (what,): (wit::Joint,)| {
        charge(&mut store, prices::JOIN.fuel)?;
        Ok((answer(store.data_mut().join(what.into())),))
    })?;
    intents.func_wrap("set-field", |mut store: Caller<'_>, (what,): (wit::Field,)| {
        charge(&mut store, prices::SET_FIELD.fuel)?;
        Ok((answer(store.data_mut().set_field(what.into())),))
    })?;
    intents.func_wrap("summon", |mut store: Caller<'_>, (what,): (wit::Npc,)| {
        charge(&mut store, prices::SUMMON.fuel)?;
        Ok((answer(store.data_mut().summon(what.into())),))
    })?;
    intents.func_wrap("command", |mut store: Caller<'_>, (target, what): (u64, wit::Order)| {
        charge(&mut store, prices::COMMAND.fuel)?;
        Ok((answer(store.data_mut().command(target, what.into())),))
    })?;
    intents.func_wrap("terraform", |mut store: Caller<'_>, (within, what): (wit::Area, wit::Change)| {
        let (area, change) = (within.into(), what.into());
        charge(&mut store, prices::TERRAFORM.fuel)?;
        let voxels = match store.data().check_terraform(area, change) {
            Ok(voxels) => voxels,
            Err(refused) => return Ok((Err(refused.into()),)),
        };
        charge(&mut store, prices::TERRAFORM.each * voxels)?;
        Ok((answer(store.data_mut().terraform(area, change)),))
    })?;
    intents.func_wrap("despawn", |mut store: Caller<'_>, (id,): (u64,)| {
        charge(&mut store, prices::DESPAWN.fuel)?;
        Ok((answer(store.data_mut().despawn(id)),))
    })?;
    intents.func_wrap("cue", |mut store: Caller<'_>, (name, at, scale): (WasmStr, wit::Vec3, f32)| cue(&mut store, &name, at, scale))?;
    intents.func_wrap("set-timer", |mut store: Caller<'_>, (token, ticks): (u32, u32)| {
        charge(&mut store, prices::SET_TIMER.fuel)?;
        Ok((answer(store.data_mut().set_timer(token, ticks)),))
    })?;
    intents.func_wrap("send", |mut store: Caller<'_>, (to, data): (wit::Recipient, WasmList<u8>)| send(&mut store, to, &data))?;
    intents.func_wrap("say", |mut store: Caller<'_>, (text, aloud): (WasmStr, bool)| say(&mut store, &text, aloud))?;
    intents.func_wrap("store", |mut store: Caller<'_>, (whose, key, value): (wit::Drawer, WasmStr, Option<WasmList<u8>>)| {
        keep(&mut store, whose, &key, value.as_ref())
    })?;
    intents.func_wrap("dispel", |mut store: Caller<'_>, (target,): (u64,)| {
        charge(&mut store, prices::DISPEL.fuel)?;
        Ok((answer(store.data_mut().dispel(target)),))
    })?;
    intents.func_wrap("log", |mut store: Caller<'_>, (level, text): (wit::LogLevel, WasmStr)| log(&mut store, level, &text))?;
    intents.func_wrap("finish", |mut store: Caller<'_>, (): ()| {
        charge(&mut store, prices::FINISH.fuel)?;
        store.data_mut().finish();
        Ok(())
    })
}

pub(crate) type Caller<'a> = StoreContextMut<'a, Desk>;
type Answer<T = ()> = std::result::Result<T, wit::Refusal>;

/// Takes fuel for host work; without enough of it the call ends here, as it would in the guest.
pub(crate) fn charge(store: &mut Caller<'_>, price: u64) -> Result<()> {
    match store.get_fuel()?.checked_sub(price) {
        Some(left) => store.set_fuel(left),
        None => {
            store.set_fuel(0)?;
            Err(Trap::OutOfFuel.into())
        }
    }
}

/// Whole metres of a ray, to be charged. A length that is no length or beyond the envelope is refused before a ray is walked; the cast saturates.
fn metres(length: f32) -> u64 {
    length.clamp(0.0, ENVELOPE_RADIUS_M_MAX) as u64
}

fn distance(start: types::Vec3, end: types::Vec3) -> f32 {
    [0, 1, 2].map(|axis| (end[axis] - start[axis]) * (end[axis] - start[axis])).iter().sum::<f32>().sqrt()
}

/// The hottest intent. The targets stay in the guest's memory until their number is checked, then are read as one slice; the impulses are copied first, for wasmtime
/// reads lists of floats only whole: more than `HOSTCALL_BYTES_MAX` of them end the call.
fn push(mut store: Caller<'_>, targets: &WasmList<u64>, impulses: &[f32]) -> Result<(Answer,)> {
    charge(&mut store, prices::PUSH.fuel)?;
    if let Err(refused) = store.data().check_push(targets.len(), impulses.len()) {
        return Ok((Err(refused.into()),));
    }
    charge(&mut store, prices::PUSH.each * targets.len() as u64)?;
    // Wasm is little-endian.
    let pushes: Vec<_> =
        targets.as_le_slice(&store).iter().map(|id| u64::from_le(*id)).zip(impulses.as_chunks().0.iter().copied()).collect();
    Ok((answer(store.data_mut().push(&pushes)),))
}

fn cue(store: &mut Caller<'_>, name: &WasmStr, at: wit::Vec3, scale: f32) -> Result<(Answer,)> {
    charge(store, prices::CUE.fuel)?;
    let (name, bytes) = read_text(store, name, CUE_NAME_BYTES_MAX)?;
    if let Err(refused) = desk::check_length(bytes, CUE_NAME_BYTES_MAX) {
        return Ok((Err(refused.into()),));
    }
    Ok((answer(store.data_mut().cue(&name, at.into(), scale)),))
}

fn load(store: &mut Caller<'_>, whose: wit::Drawer, key: &WasmStr) -> Result<(Answer<Option<Vec<u8>>>,)> {
    charge(store, prices::LOAD.fuel)?;
    let (key, bytes) = read_text(store, key, STORED_KEY_BYTES_MAX)?;
    let loaded = desk::check_length(bytes, STORED_KEY_BYTES_MAX).and_then(|()| store.data().load(whose.into(), &key));
    let answered = loaded.as_ref().ok().and_then(|value| value.as_ref()).map_or(0, |value| value.len());
    charge(store, prices::LOAD.each * answered as u64)?;
    Ok((answer(loaded.map(|value| value.map(|value| value.to_vec()))),))
}

/// The bytes stay in the guest's memory until their number is checked.
fn send(store: &mut Caller<'_>, to: wit::Recipient, data: &WasmList<u8>) -> Result<(Answer,)> {
    charge(store, prices::SEND.fuel)?;
    if let Err(refused) = store.data().check_send(data.len()) {
        return Ok((Err(refused.into()),));
    }
    charge(store, prices::SEND.each * data.len() as u64)?;
    let data = data.as_le_slice(&*store).into();
    Ok((answer(store.data_mut().send(to.into(), data)),))
}

fn say(store: &mut Caller<'_>, text: &WasmStr, aloud: bool) -> Result<(Answer,)> {
    charge(store, prices::SAY.fuel)?;
    let (text, bytes) = read_text(store, text, SAID_BYTES_MAX)?;
    charge(store, prices::SAY.each * text.len() as u64)?;
    let checked = desk::check_length(bytes, SAID_BYTES_MAX);
    Ok((answer(checked.and_then(|()| store.data_mut().say(&text, aloud))),))
}

fn keep(store: &mut Caller<'_>, whose: wit::Drawer, key: &WasmStr, value: Option<&WasmList<u8>>) -> Result<(Answer,)> {
    charge(store, prices::STORE.fuel)?;
    let (key, bytes) = read_text(store, key, STORED_KEY_BYTES_MAX)?;
    let value_bytes = value.map_or(0, WasmList::len);
    let checked = desk::check_length(bytes, STORED_KEY_BYTES_MAX).and_then(|()| store.data().check_store(value_bytes));
    if let Err(refused) = checked {
        return Ok((Err(refused.into()),));
    }
    charge(store, prices::STORE.each * (key.len() + value_bytes) as u64)?;
    let value = value.map(|value| value.as_le_slice(&*store).into());
    Ok((answer(store.data_mut().store(whose.into(), key, value)),))
}

fn log(store: &mut Caller<'_>, level: wit::LogLevel, text: &WasmStr) -> Result<()> {
    charge(store, prices::LOG.fuel)?;
    let (kept, _) = read_text(store, text, LOG_LINE_BYTES_MAX)?;
    charge(store, prices::LOG_KEPT_BYTE * kept.len() as u64)?;
    store.data_mut().log(level_name(level), &kept);
    Ok(())
}

/// The text's beginning, and the length of all of it. The whole is checked to be UTF-8 before its length can be asked, so all of it is charged.
fn read_text(store: &mut Caller<'_>, text: &WasmStr, bytes_max: usize) -> Result<(String, usize)> {
    let text = text.to_str(&*store)?;
    let (kept, bytes) = (text[..text.floor_char_boundary(bytes_max)].to_owned(), text.len());
    drop(text);
    charge(store, prices::LOG.each * bytes as u64)?;
    Ok((kept, bytes))
}

fn level_name(level: wit::LogLevel) -> &'static str {
    match level {
        wit::LogLevel::Debug => "debug",
        wit::LogLevel::Info => "info",
        wit::LogLevel::Warn => "warn",
        wit::LogLevel::Error => "error",
    }
}

fn answer<T>(checked: Checked<T>) -> Answer<T> {
    checked.map_err(wit::Refusal::from)
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
