//! Below wasmtime's component layer: the core module that our builder wrapped, its hooks called and its imports answered by our own glue.
//!
//! The component layer takes more than half of a call's time: it lifts and lowers by type, and enters and leaves two more instances. The names and flattened
//! signatures here are those that wit-component reads, of which a link and a typed export refuse any other.

mod imports;

use super::calls::Bytes;
use crate::abi::canonical::{Crossing, Guest, Realloc, no_case};
use crate::desk::Desk;
use crate::instance::Hook;
use crate::types::{Cast, Event};
pub(crate) use imports::add_to_linker;
use wasmtime::{AsContextMut, Error, Extern, InstancePre, ModuleExport, Result, Store, TypedFunc, WasmParams, WasmResults};

/// What the module exports for us.
pub(crate) const NAMES: [&str; 11] = [
    "memory",
    "cabi_realloc",
    "ugc:spell/hooks@0.1.0#init",
    "ugc:spell/hooks@0.1.0#on-cast",
    "ugc:spell/hooks@0.1.0#on-tick",
    "ugc:spell/hooks@0.1.0#on-event",
    "ugc:spell/hooks@0.1.0#on-cancel",
    "ugc:spell/hooks@0.1.0#save",
    "ugc:spell/hooks@0.1.0#restore",
    "cabi_post_ugc:spell/hooks@0.1.0#save",
    "cabi_post_ugc:spell/hooks@0.1.0#restore",
];
/// The last of them need not be there.
const POST_RETURNS: usize = 2;

/// A core module whose imports and exports are known to fit.
#[derive(Clone)]
pub(crate) struct Linked {
    pre: InstancePre<Desk>,
    exports: [Option<ModuleExport>; NAMES.len()],
}

/// One instance's hooks.
pub(crate) struct Hooks {
    init: TypedFunc<(), ()>,
    on_cast: TypedFunc<FlatCast, ()>,
    on_tick: TypedFunc<f32, ()>,
    on_event: TypedFunc<FlatEvent, ()>,
    on_cancel: TypedFunc<u32, ()>,
    save: TypedFunc<(), u32>,
    restore: TypedFunc<(u32, u32, u32), u32>,
    post_save: Option<TypedFunc<u32, ()>>,
    post_restore: Option<TypedFunc<u32, ()>>,
}

/// tick, caster, target; origin, aim, target-position; seed; params.
type FlatCast = (u64, u64, u64, f32, f32, f32, f32, f32, f32, f32, f32, f32, u64, u32, u32);
/// The case, then what the cases' payloads share: a slot that holds integers in one case and floats in another holds their bits.
type FlatEvent = (u32, u64, u64, u64, u32, u32, f32, f32, f32);

impl Linked {
    /// # Errors
    /// Where an export is missing.
    pub fn new(pre: InstancePre<Desk>) -> Result<Self> {
        let exports = NAMES.map(|name| pre.module().get_export_index(name));
        let missing = exports.iter().zip(NAMES).take(NAMES.len() - POST_RETURNS).find(|(export, _)| export.is_none());
        match missing {
            Some((_, name)) => Err(Error::msg(format!("does not export {name}"))),
            None => Ok(Self { pre, exports }),
        }
    }

    pub fn instantiate(&self, store: &mut Store<Desk>) -> Result<Hooks> {
        let instance = self.pre.instantiate(&mut *store)?;
        let mut export = |index: usize| self.exports[index].as_ref().and_then(|export| instance.get_module_export(&mut *store, export));
        let memory = export(0).and_then(Extern::into_memory).ok_or_else(|| Error::msg("its memory is none"))?;
        let mut next = 0;
        let functions = std::array::from_fn::<_, { NAMES.len() - 1 }, _>(|_| {
            next += 1;
            export(next)
        });
        let [realloc, init, on_cast, on_tick, on_event, on_cancel, save, restore, post_save, post_restore] = functions;
        let realloc: Realloc = typed(store, realloc)?;
        let hooks = Hooks {
            init: typed(store, init)?,
            on_cast: typed(store, on_cast)?,
            on_tick: typed(store, on_tick)?,
            on_event: typed(store, on_event)?,
            on_cancel: typed(store, on_cancel)?,
            save: typed(store, save)?,
            restore: typed(store, restore)?,
            post_save: post_save.map(|function| typed(store, Some(function))).transpose()?,
            post_restore: post_restore.map(|function| typed(store, Some(function))).transpose()?,
        };
        store.data_mut().guest = Some(Guest { memory, realloc });
        Ok(hooks)
    }
}

fn typed<P: WasmParams, R: WasmResults>(store: &Store<Desk>, export: Option<Extern>) -> Result<TypedFunc<P, R>> {
    export.and_then(Extern::into_func).ok_or_else(|| Error::msg("a hook is no function"))?.typed(store)
}

impl Hooks {
    pub fn init(&self, store: &mut Store<Desk>) -> Result<()> {
        self.init.call(store, ())
    }

    pub fn call(&self, store: &mut Store<Desk>, hook: &Hook) -> Result<()> {
        match hook {
            Hook::Cast(cast) => {
                let params = Crossing::new(store.as_context_mut())?.give(cast.params.as_bytes())?;
                self.on_cast.call(store, flat_cast(cast, params))
            }
            Hook::Tick(dt) => self.on_tick.call(store, *dt),
            Hook::Event(event) => {
                let flat = flat_event(&mut Crossing::new(store.as_context_mut())?, event)?;
                self.on_event.call(store, flat)
            }
            Hook::Cancel(reason) => self.on_cancel.call(store, *reason as u32),
        }
    }

    pub fn save(&self, store: &mut Store<Desk>) -> Result<Vec<u8>> {
        let at = self.save.call(&mut *store, ())?;
        let mut crossing = Crossing::new(store.as_context_mut())?;
        let (start, count) = pointer_pair(*crossing.area::<8>(at, 4)?);
        let lent = crossing.lent(start, count, 1, 1)?;
        let saved = Bytes::read(&lent, &crossing.store).to_vec();
        cleaned_up(&mut crossing, self.post_save.as_ref(), at)?;
        Ok(saved)
    }

    pub fn restore(&self, store: &mut Store<Desk>, from_version: u32, bytes: &[u8]) -> Result<Result<(), String>> {
        let (start, count) = Crossing::new(store.as_context_mut())?.give(bytes)?;
        let at = self.restore.call(&mut *store, (from_version, start, count))?;
        let mut crossing = Crossing::new(store.as_context_mut())?;
        let area = *crossing.area::<12>(at, 4)?;
        let answer = match area[0] {
            0 => Ok(()),
            1 => {
                let [_, _, _, _, pair @ ..] = area;
                let (start, count) = pointer_pair(pair);
                Err(crossing.text(start, count)?)
            }
            case => return Err(no_case(case.into())),
        };
        cleaned_up(&mut crossing, self.post_restore.as_ref(), at)?;
        Ok(answer)
    }
}

/// Tells the guest that its answer has been read.
fn cleaned_up(crossing: &mut Crossing<'_>, post_return: Option<&TypedFunc<u32, ()>>, answer: u32) -> Result<()> {
    match post_return {
        Some(function) => crossing.while_it_stays(|store, _| function.call(store, answer)),
        None => Ok(()),
    }
}

fn pointer_pair([a, b, c, d, e, f, g, h]: [u8; 8]) -> (u32, u32) {
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}

fn flat_cast(cast: &Cast, (start, bytes): (u32, u32)) -> FlatCast {
    let Cast { tick, caster, target, origin: o, aim: a, target_position: t, seed, .. } = *cast;
    (tick, caster, target, o[0], o[1], o[2], a[0], a[1], a[2], t[0], t[1], t[2], seed, start, bytes)
}

fn flat_event(crossing: &mut Crossing<'_>, event: &Event) -> Result<FlatEvent> {
    let of_id = |case, id| (case, id, 0, 0, 0, 0, 0.0, 0.0, 0.0);
    Ok(match event {
        Event::Hit { projectile, entity, point: [x, y, z], normal: n } => {
            (0, *projectile, *entity, x.to_bits().into(), y.to_bits(), z.to_bits(), n[0], n[1], n[2])
        }
        Event::Expired(id) => of_id(1, *id),
        Event::Timer(token) => of_id(2, u64::from(*token)),
        Event::Dropped(id) => of_id(3, *id),
        Event::Died(id) => of_id(4, *id),
        Event::Message { spell, caster, data } => {
            let spell = crossing.give(spell.as_bytes())?;
            let data = crossing.give(data)?;
            (5, spell.0.into(), spell.1.into(), *caster, data.0, data.1, 0.0, 0.0, 0.0)
        }
    })
}
