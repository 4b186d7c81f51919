//! Version 0.1.0: `wit/since-v0.1.0`.
//!
//! Two ways lead here, and `calls` is what both end in: `component` through wasmtime's component layer, for any component; `direct` below it, for those that our
//! builder has made of a core module. A test runs the same guests on both.

pub(crate) mod calls;
mod component;
mod direct;

#[cfg(feature = "compiler")]
pub(crate) use direct::NAMES as DIRECT_EXPORTS;

use crate::desk::Desk;
use crate::instance::Hook;
use crate::types::Boundary;
use wasmtime::component::Component;
use wasmtime::{Engine, Module, Precompiled, Result, Store, component as layer};

/// All that a spell may import, on both ways.
pub(crate) struct Linkers {
    component: layer::Linker<Desk>,
    direct: wasmtime::Linker<Desk>,
}

/// Code whose imports and exports are known to fit.
#[derive(Clone)]
pub(crate) enum Linked {
    Component(component::Linked),
    Direct(direct::Linked),
}

/// One instance's hooks.
pub(crate) enum Hooks {
    Component(component::Hooks),
    Direct(Box<direct::Hooks>),
}

impl Linkers {
    /// Of our interface; `add` adds what else components may import.
    pub fn new(engine: &Engine, add: impl FnOnce(&mut layer::Linker<Desk>) -> Result<()>) -> Result<Self> {
        let mut linkers = Self { component: layer::Linker::new(engine), direct: wasmtime::Linker::new(engine) };
        component::add_to_linker(&mut linkers.component)?;
        direct::add_to_linker(&mut linkers.direct)?;
        add(&mut linkers.component)?;
        Ok(linkers)
    }

    /// # Errors
    /// Where an import or an export has another type than the interface says.
    pub fn link(&self, code: &Code) -> Result<Linked> {
        Ok(match code {
            Code::Component(code) => Linked::Component(component::Linked::new(self.component.instantiate_pre(code)?)?),
            Code::Module(code) => Linked::Direct(direct::Linked::new(self.direct.instantiate_pre(code)?)?),
        })
    }
}

/// Native code of either kind.
pub(crate) enum Code {
    Component(Component),
    Module(Module),
}

impl Code {
    /// # Errors
    /// Where these bytes are no code of wasmtime's for this engine.
    ///
    /// # Safety
    /// As of `Component::deserialize`: the bytes are what wasmtime's compiler wrote.
    pub unsafe fn deserialize(engine: &Engine, bytes: &[u8]) -> Result<Self> {
        // SAFETY: the caller vouches for the bytes.
        unsafe {
            match Engine::detect_precompiled(bytes) {
                Some(Precompiled::Module) => Module::deserialize(engine, bytes).map(Self::Module),
                // Whatever else it may be is refused there, with the reason.
                Some(Precompiled::Component) | None => Component::deserialize(engine, bytes).map(Self::Component),
            }
        }
    }
}

impl Linked {
    pub fn boundary(&self) -> Boundary {
        match self {
            Self::Component(_) => Boundary::Component,
            Self::Direct(_) => Boundary::Direct,
        }
    }

    pub fn instantiate(&self, store: &mut Store<Desk>) -> Result<Hooks> {
        Ok(match self {
            Self::Component(linked) => Hooks::Component(linked.instantiate(store)?),
            Self::Direct(linked) => Hooks::Direct(Box::new(linked.instantiate(store)?)),
        })
    }
}

impl Hooks {
    pub fn init(&self, store: &mut Store<Desk>) -> Result<()> {
        match self {
            Self::Component(hooks) => hooks.init(store),
            Self::Direct(hooks) => hooks.init(store),
        }
    }

    pub fn call(&self, store: &mut Store<Desk>, hook: &Hook) -> Result<()> {
        match self {
            Self::Component(hooks) => hooks.call(store, hook),
            Self::Direct(hooks) => hooks.call(store, hook),
        }
    }

    pub fn save(&self, store: &mut Store<Desk>) -> Result<Vec<u8>> {
        match self {
            Self::Component(hooks) => hooks.save(store),
            Self::Direct(hooks) => hooks.save(store),
        }
    }

    pub fn restore(&self, store: &mut Store<Desk>, from_version: u32, bytes: &[u8]) -> Result<Result<(), String>> {
        match self {
            Self::Component(hooks) => hooks.restore(store, from_version, bytes),
            Self::Direct(hooks) => hooks.restore(store, from_version, bytes),
        }
    }
}
