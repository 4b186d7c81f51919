//! A peer: the same component in wasmtime with nothing of ours around it. No fuel, no epochs, no limiter, no checks, no prices; its hooks are called directly.
//!
//! Code generation and the pool are configured as ours are, so that what differs is what we add. The core module inside is the least that there is: an
//! instance without the component layer.

use crate::twins::{Fixture, Impulse};
use anyhow::{Context, Result, anyhow};
use bindings::ugc::spell::types as wit;
use std::sync::Arc;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, LinkerInstance, WasmList, WasmStr};
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, InstancePre, Module, PoolingAllocationConfig, Store, StoreContextMut, TypedFunc,
};

#[allow(missing_docs, dead_code, reason = "generated, and most of it is not called")]
mod bindings {
    wasmtime::component::bindgen!({ path: "../wit/since-v0.1.0", world: "spell" });
}

/// What the host functions see, and where pushes go.
pub struct World {
    fixture: Arc<Fixture>,
    /// What was pushed since this was last cleared.
    pub impulses: Vec<Impulse>,
    /// What was logged.
    pub lines: Vec<String>,
}

/// What of ours is left on, to see what that alone costs; or what of ours is changed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Knobs {
    /// Fuel is counted.
    pub fuel: bool,
    /// Epochs are looked at.
    pub epochs: bool,
    /// Code for this very machine, instead of for any of its kind.
    pub host_features: bool,
}

/// A component, ready to be instantiated.
pub struct Bare {
    knobs: Knobs,
    engine: Engine,
    pre: bindings::SpellPre<World>,
    fixture: Arc<Fixture>,
}

/// One instance.
pub struct BareCast {
    store: Store<World>,
    hooks: bindings::Spell,
}

/// The core module of a component, its imports as traps: it is only called where it calls nothing.
pub struct BareCore {
    engine: Engine,
    pre: InstancePre<()>,
}

/// One instance of a core module.
pub struct BareCoreCast {
    store: Store<()>,
    on_cancel: TypedFunc<(i32,), ()>,
}

impl Bare {
    /// Compiles it for at most `casts_max` instances.
    pub fn new(component: &[u8], casts_max: u32) -> Result<Self> {
        Self::with(component, casts_max, Knobs::default())
    }

    /// The same, with some knobs turned.
    pub fn with(component: &[u8], casts_max: u32, knobs: Knobs) -> Result<Self> {
        let engine = engine(casts_max, knobs)?;
        let component = Component::new(&engine, component).map_err(words)?;
        let mut linker = Linker::new(&engine);
        for (name, item) in component.component_type().imports(&engine) {
            let ComponentItem::ComponentInstance(interface) = item.ty else { continue };
            let mut instance = linker.instance(name).map_err(words)?;
            for (function, item) in interface.exports(&engine) {
                if matches!(item.ty, ComponentItem::ComponentFunc(_)) {
                    import(&mut instance, function).map_err(words)?;
                }
            }
        }
        let pre = bindings::SpellPre::new(linker.instantiate_pre(&component).map_err(words)?).map_err(words)?;
        Ok(Self { knobs, engine, pre, fixture: Arc::new(Fixture::new()) })
    }

    /// A fresh instance, its `init` run.
    pub fn instantiate(&self) -> BareCast {
        let world = World { fixture: self.fixture.clone(), impulses: Vec::new(), lines: Vec::new() };
        let mut store = Store::new(&self.engine, world);
        if self.knobs.fuel {
            store.set_fuel(u64::MAX / 2).expect("fuel is counted");
        }
        store.set_epoch_deadline(u64::MAX / 2);
        let hooks = self.pre.instantiate(&mut store).expect("the pool has room");
        hooks.ugc_spell_hooks().call_init(&mut store).expect("init of a spell of ours");
        BareCast { store, hooks }
    }

    /// A cast that is past its `on-cast`.
    pub fn cast(&self) -> BareCast {
        let mut cast = self.instantiate();
        let vector = |[x, y, z]: [f32; 3]| wit::Vec3 { x, y, z };
        let caster = vector(self.fixture.caster);
        let what = wit::Cast {
            tick: 1,
            caster: crate::prefetched::CASTER,
            target: 0,
            origin: caster,
            aim: vector([0.0, 0.0, -1.0]),
            target_position: caster,
            seed: 7,
            params: "{}".into(),
        };
        cast.hooks.ugc_spell_hooks().call_on_cast(&mut cast.store, &what).expect("on-cast of a spell of ours");
        cast
    }
}

impl BareCast {
    /// One tick; what the tick before pushed is forgotten.
    pub fn tick(&mut self) {
        self.store.data_mut().impulses.clear();
        self.hooks.ugc_spell_hooks().call_on_tick(&mut self.store, 1.0 / 60.0).expect("on-tick of a spell of ours");
    }

    /// A timer.
    pub fn timer(&mut self, token: u32) {
        self.hooks.ugc_spell_hooks().call_on_event(&mut self.store, &wit::Event::Timer(token)).expect("on-event of a spell of ours");
    }

    /// The emptiest hook.
    pub fn cancel(&mut self) {
        self.hooks.ugc_spell_hooks().call_on_cancel(&mut self.store, wit::CancelReason::Duration).expect("on-cancel of a spell of ours");
    }

    /// What its calls have left.
    pub fn world(&self) -> &World {
        self.store.data()
    }
}

impl BareCore {
    /// Compiles the first module of the component, the spell's own.
    pub fn new(component: &[u8], casts_max: u32) -> Result<Self> {
        let engine = engine(casts_max, Knobs::default())?;
        let module = Module::new(&engine, core_module(component)?).map_err(words)?;
        let mut linker = wasmtime::Linker::new(&engine);
        linker.define_unknown_imports_as_traps(&module).map_err(words)?;
        let pre = linker.instantiate_pre(&module).map_err(words)?;
        Ok(Self { engine, pre })
    }

    /// A fresh instance, its `init` run.
    pub fn instantiate(&self) -> BareCoreCast {
        let mut store = Store::new(&self.engine, ());
        let instance = self.pre.instantiate(&mut store).expect("the pool has room");
        let init = instance.get_typed_func::<(), ()>(&mut store, "ugc:spell/hooks@0.1.0#init").expect("the hook");
        init.call(&mut store, ()).expect("init of a spell of ours");
        let on_cancel = instance.get_typed_func(&mut store, "ugc:spell/hooks@0.1.0#on-cancel").expect("the hook");
        BareCoreCast { store, on_cancel }
    }
}

impl BareCoreCast {
    /// The emptiest hook.
    pub fn cancel(&mut self) {
        self.on_cancel.call(&mut self.store, (0,)).expect("on-cancel of a spell of ours");
    }
}

/// Ours without what meters and guards: see `host/spell-runtime/src/engine.rs` for the reason of each knob.
fn engine(casts_max: u32, knobs: Knobs) -> Result<Engine> {
    let mut config = Config::new();
    if !knobs.host_features {
        config.target("x86_64-unknown-linux-gnu").map_err(words)?;
        for feature in ["has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt"] {
            // SAFETY: the code runs here alone, and wasmtime refuses it on a CPU without them.
            unsafe { config.cranelift_flag_enable(feature) };
        }
    }
    config.consume_fuel(knobs.fuel);
    config.epoch_interruption(knobs.epochs);
    config.memory_init_cow(false);
    config.memory_reservation_for_growth(0);
    config.memory_may_move(false);
    config.concurrency_support(false);
    config.generate_address_map(false);
    config.native_unwind_info(false);
    config.wasm_backtrace_max_frames(None);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(casts_max);
    pool.total_core_instances(casts_max * 3);
    pool.total_memories(casts_max);
    pool.total_tables(casts_max * 2);
    pool.max_memory_size(1 << 20);
    pool.table_elements(1024);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config).map_err(words)
}

/// What the reference spell and the compute-bound one call is answered as the native twin's host does; all else traps.
fn import(instance: &mut LinkerInstance<'_, World>, name: &str) -> wasmtime::Result<()> {
    type Answer<T> = Result<T, wit::Refusal>;
    let vector = |[x, y, z]: [f32; 3]| wit::Vec3 { x, y, z };
    match name {
        "get-entity" => instance.func_wrap(name, move |store: StoreContextMut<'_, World>, (id,): (u64,)| {
            let position = vector(store.data().fixture.caster);
            let (velocity, aim) = (vector([0.0; 3]), vector([0.0, 0.0, -1.0]));
            let kind = wit::EntityKind::Player;
            Ok((Some(wit::Entity { id, kind, position, velocity, aim, health: 100.0, health_max: 100.0 }),))
        }),
        "find" => instance.func_wrap(name, |store: StoreContextMut<'_, World>, (_, _, count): (wit::Shape, wit::EntityKinds, u32)| {
            let near = || store.data().fixture.near.iter().take(count as usize);
            let found = wit::Nearby { ids: near().map(|(id, _)| *id).collect(), positions: near().flat_map(|(_, at)| *at).collect() };
            Ok((Answer::Ok(found),))
        }),
        "push" => instance.func_wrap(name, |mut store: StoreContextMut<'_, World>, (targets, impulses): (WasmList<u64>, Vec<f32>)| {
            let pushes: Vec<Impulse> =
                targets.as_le_slice(&store).iter().map(|id| u64::from_le(*id)).zip(impulses.as_chunks().0.iter().copied()).collect();
            store.data_mut().impulses.extend(pushes);
            Ok((Answer::Ok(()),))
        }),
        "cue" => instance.func_wrap(name, |_: StoreContextMut<'_, World>, (_, _, _): (WasmStr, wit::Vec3, f32)| Ok((Answer::Ok(()),))),
        "log" => instance.func_wrap(name, |mut store: StoreContextMut<'_, World>, (_, text): (wit::LogLevel, WasmStr)| {
            let line = text.to_str(&store)?.into_owned();
            store.data_mut().lines.push(line);
            Ok(())
        }),
        _ => instance.func_new(name, |_, _, _, _| Err(wasmtime::Error::msg("nothing that is measured calls this"))),
    }
}

fn core_module(component: &[u8]) -> Result<&[u8]> {
    for payload in wasmparser::Parser::new(0).parse_all(component) {
        if let wasmparser::Payload::ModuleSection { unchecked_range, .. } = payload? {
            return component.get(unchecked_range).context("a module that is cut off");
        }
    }
    Err(anyhow!("a component without a module"))
}

fn words(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("bare wasmtime: {error:#}")
}
