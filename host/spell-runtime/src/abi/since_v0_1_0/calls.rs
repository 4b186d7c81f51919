//! What each import does, whichever way the guest came here: it is charged, and the desk is asked.
//!
//! A call that has no fuel left for its price ends as it would in the guest. What a guest lends as text or bytes stays in its memory until it is paid for.

use crate::desk::{self, Checked, Desk};
use crate::limits::{CUE_NAME_BYTES_MAX, ENVELOPE_RADIUS_M_MAX, LOG_LINE_BYTES_MAX, SAID_BYTES_MAX, STORED_KEY_BYTES_MAX};
use crate::prices::{self, Price};
use crate::types::*;
use std::borrow::Cow;
use std::sync::Arc;
use wasmtime::{Result, StoreContextMut, Trap};

/// The store of a guest that has called.
pub(crate) type Caller<'a> = StoreContextMut<'a, Desk>;

/// A text in the guest's memory, within its bounds.
pub(crate) trait Text {
    /// All of it; an error where it is not UTF-8.
    fn read<'a>(&self, store: &'a Caller<'_>) -> Result<Cow<'a, str>>;
}

/// Bytes in the guest's memory, within its bounds.
pub(crate) trait Bytes {
    /// How many.
    fn len(&self) -> usize;
    /// All of them.
    fn read<'a>(&self, store: &'a Caller<'_>) -> &'a [u8];
}

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

/// A call begins: it is noted, and charged for itself and for `units` of what its price counts.
fn begin(store: &mut Caller<'_>, price: &Price, units: u64) -> Result<()> {
    store.data_mut().begins(price.name);
    charge(store, price.fuel + price.each * units)
}

pub fn tick(store: &mut Caller<'_>) -> Result<u64> {
    begin(store, &prices::TICK, 0)?;
    Ok(store.data().tick())
}

pub fn get_entity(store: &mut Caller<'_>, id: EntityId) -> Result<Option<Entity>> {
    begin(store, &prices::GET_ENTITY, 0)?;
    Ok(store.data().entity(id))
}

pub fn find(store: &mut Caller<'_>, within: Shape, kinds: Kinds, count: u32) -> Result<Checked<Vec<(EntityId, Vec3)>>> {
    begin(store, &prices::FIND, 0)?;
    let found = store.data().find(within, kinds, count);
    let answered = found.as_ref().map_or(0, Vec::len) as u64;
    charge(store, prices::FIND.each * answered)?;
    Ok(found)
}

pub fn raycast(store: &mut Caller<'_>, start: Vec3, direction: Vec3, length: f32) -> Result<Checked<Option<RayHit>>> {
    begin(store, &prices::RAYCAST, metres(length))?;
    Ok(store.data().raycast(start, direction, length))
}

pub fn line_of_sight(store: &mut Caller<'_>, start: Vec3, end: Vec3) -> Result<Checked<bool>> {
    begin(store, &prices::LINE_OF_SIGHT, metres(distance(start, end)))?;
    Ok(store.data().line_of_sight(start, end))
}

pub fn material(store: &mut Caller<'_>, at: Vec3) -> Result<Checked<u8>> {
    begin(store, &prices::MATERIAL, 0)?;
    Ok(store.data().material(at))
}

pub fn materials(store: &mut Caller<'_>, low: Voxel, high: Voxel) -> Result<Checked<Vec<u8>>> {
    begin(store, &prices::MATERIALS, 0)?;
    let count = match store.data().check_materials(low, high) {
        Ok(count) => count,
        Err(refused) => return Ok(Err(refused)),
    };
    charge(store, prices::MATERIALS.each * count)?;
    Ok(store.data().materials(low, high))
}

pub fn fuel_left(store: &mut Caller<'_>) -> Result<u64> {
    begin(store, &prices::FUEL_LEFT, 0)?;
    store.get_fuel()
}

pub fn mana(store: &mut Caller<'_>) -> Result<Option<f32>> {
    begin(store, &prices::MANA, 0)?;
    Ok(store.data().mana())
}

pub fn load(store: &mut Caller<'_>, whose: Drawer, key: &impl Text) -> Result<Checked<Option<Arc<[u8]>>>> {
    begin(store, &prices::LOAD, 0)?;
    let (key, bytes) = read_text(store, key, STORED_KEY_BYTES_MAX)?;
    let loaded = desk::check_length(bytes, STORED_KEY_BYTES_MAX).and_then(|()| store.data().load(whose, &key));
    let answered = loaded.as_ref().ok().and_then(|value| value.as_ref()).map_or(0, |value| value.len());
    charge(store, prices::LOAD.each * answered as u64)?;
    Ok(loaded)
}

pub fn damage(store: &mut Caller<'_>, target: EntityId, amount: f32) -> Result<Checked> {
    priced(store, &prices::DAMAGE, |desk| desk.damage(target, amount))
}

pub fn heal(store: &mut Caller<'_>, target: EntityId, amount: f32) -> Result<Checked> {
    priced(store, &prices::HEAL, |desk| desk.heal(target, amount))
}

/// The hottest intent. `ask` hands the pushes from the guest's memory to the desk, when their numbers are known to match and are paid for.
pub fn push(store: &mut Caller<'_>, targets: usize, numbers: usize, ask: impl FnOnce(&mut Caller<'_>) -> Checked) -> Result<Checked> {
    begin(store, &prices::PUSH, 0)?;
    if let Err(refused) = store.data().check_push(targets, numbers) {
        return Ok(Err(refused));
    }
    charge(store, prices::PUSH.each * targets as u64)?;
    Ok(ask(store))
}

pub fn teleport(store: &mut Caller<'_>, target: EntityId, to: Vec3) -> Result<Checked> {
    priced(store, &prices::TELEPORT, |desk| desk.teleport(target, to))
}

pub fn afflict(store: &mut Caller<'_>, target: EntityId, what: Status, seconds: f32) -> Result<Checked> {
    priced(store, &prices::AFFLICT, |desk| desk.afflict(target, what, seconds))
}

pub fn launch(store: &mut Caller<'_>, what: Projectile) -> Result<Checked<EntityId>> {
    priced(store, &prices::LAUNCH, |desk| desk.launch(what, Flight::default()))
}

pub fn launch_flying(store: &mut Caller<'_>, what: Projectile, how: Flight) -> Result<Checked<EntityId>> {
    priced(store, &prices::LAUNCH_FLYING, |desk| desk.launch(what, how))
}

pub fn spawn_body(store: &mut Caller<'_>, what: Body) -> Result<Checked<EntityId>> {
    priced(store, &prices::SPAWN_BODY, |desk| desk.spawn_body(what))
}

pub fn scatter(store: &mut Caller<'_>, what: Debris) -> Result<Checked> {
    begin(store, &prices::SCATTER, u64::from(what.count))?;
    Ok(store.data_mut().scatter(what))
}

pub fn join(store: &mut Caller<'_>, what: Joint) -> Result<Checked<EntityId>> {
    priced(store, &prices::JOIN, |desk| desk.join(what))
}

pub fn set_field(store: &mut Caller<'_>, what: Field) -> Result<Checked<EntityId>> {
    priced(store, &prices::SET_FIELD, |desk| desk.set_field(what))
}

pub fn summon(store: &mut Caller<'_>, what: Npc) -> Result<Checked<EntityId>> {
    priced(store, &prices::SUMMON, |desk| desk.summon(what))
}

pub fn command(store: &mut Caller<'_>, target: EntityId, what: Order) -> Result<Checked> {
    priced(store, &prices::COMMAND, |desk| desk.command(target, what))
}

pub fn terraform(store: &mut Caller<'_>, area: Area, change: Change) -> Result<Checked> {
    begin(store, &prices::TERRAFORM, 0)?;
    let voxels = match store.data().check_terraform(area, change) {
        Ok(voxels) => voxels,
        Err(refused) => return Ok(Err(refused)),
    };
    charge(store, prices::TERRAFORM.each * voxels)?;
    Ok(store.data_mut().terraform(area, change))
}

pub fn despawn(store: &mut Caller<'_>, id: EntityId) -> Result<Checked> {
    priced(store, &prices::DESPAWN, |desk| desk.despawn(id))
}

pub fn cue(store: &mut Caller<'_>, name: &impl Text, at: Vec3, scale: f32) -> Result<Checked> {
    begin(store, &prices::CUE, 0)?;
    let (name, bytes) = read_text(store, name, CUE_NAME_BYTES_MAX)?;
    if let Err(refused) = desk::check_length(bytes, CUE_NAME_BYTES_MAX) {
        return Ok(Err(refused));
    }
    Ok(store.data_mut().cue(&name, at, scale))
}

pub fn set_timer(store: &mut Caller<'_>, token: u32, ticks: u32) -> Result<Checked> {
    priced(store, &prices::SET_TIMER, |desk| desk.set_timer(token, ticks))
}

pub fn send(store: &mut Caller<'_>, to: Recipient, data: &impl Bytes) -> Result<Checked> {
    begin(store, &prices::SEND, 0)?;
    if let Err(refused) = store.data().check_send(data.len()) {
        return Ok(Err(refused));
    }
    charge(store, prices::SEND.each * data.len() as u64)?;
    let data = data.read(store).into();
    Ok(store.data_mut().send(to, data))
}

pub fn say(store: &mut Caller<'_>, text: &impl Text, aloud: bool) -> Result<Checked> {
    begin(store, &prices::SAY, 0)?;
    let (text, bytes) = read_text(store, text, SAID_BYTES_MAX)?;
    charge(store, prices::SAY.each * text.len() as u64)?;
    let checked = desk::check_length(bytes, SAID_BYTES_MAX);
    Ok(checked.and_then(|()| store.data_mut().say(&text, aloud)))
}

pub fn store(store: &mut Caller<'_>, whose: Drawer, key: &impl Text, value: Option<&impl Bytes>) -> Result<Checked> {
    begin(store, &prices::STORE, 0)?;
    let (key, bytes) = read_text(store, key, STORED_KEY_BYTES_MAX)?;
    let value_bytes = value.map_or(0, Bytes::len);
    let checked = desk::check_length(bytes, STORED_KEY_BYTES_MAX).and_then(|()| store.data().check_store(value_bytes));
    if let Err(refused) = checked {
        return Ok(Err(refused));
    }
    charge(store, prices::STORE.each * (key.len() + value_bytes) as u64)?;
    let value = value.map(|value| value.read(store).into());
    Ok(store.data_mut().store(whose, key, value))
}

pub fn dispel(store: &mut Caller<'_>, target: EntityId) -> Result<Checked> {
    priced(store, &prices::DISPEL, |desk| desk.dispel(target))
}

pub fn log(store: &mut Caller<'_>, level: &'static str, text: &impl Text) -> Result<()> {
    begin(store, &prices::LOG, 0)?;
    let (kept, _) = read_text(store, text, LOG_LINE_BYTES_MAX)?;
    charge(store, prices::LOG_KEPT_BYTE * kept.len() as u64)?;
    store.data_mut().log(level, &kept);
    Ok(())
}

pub fn finish(store: &mut Caller<'_>) -> Result<()> {
    begin(store, &prices::FINISH, 0)?;
    store.data_mut().finish();
    Ok(())
}

/// A call of one price, and what the desk says to it.
fn priced<T>(store: &mut Caller<'_>, price: &Price, ask: impl FnOnce(&mut Desk) -> Checked<T>) -> Result<Checked<T>> {
    begin(store, price, 0)?;
    Ok(ask(store.data_mut()))
}

/// Whole metres of a ray, to be charged. A length that is no length or beyond the envelope is refused before a ray is walked; the cast saturates.
fn metres(length: f32) -> u64 {
    length.clamp(0.0, ENVELOPE_RADIUS_M_MAX) as u64
}

fn distance(start: Vec3, end: Vec3) -> f32 {
    [0, 1, 2].map(|axis| (end[axis] - start[axis]) * (end[axis] - start[axis])).iter().sum::<f32>().sqrt()
}

/// The text's beginning, and the length of all of it. The whole is checked to be UTF-8 before its length can be asked, so all of it is charged.
fn read_text(store: &mut Caller<'_>, text: &impl Text, bytes_max: usize) -> Result<(String, usize)> {
    let text = text.read(store)?;
    let (kept, bytes) = (text[..text.floor_char_boundary(bytes_max)].to_owned(), text.len());
    drop(text);
    charge(store, prices::LOG.each * bytes as u64)?;
    Ok((kept, bytes))
}
