//! A loaded spell, and one instance of it for each cast.

use crate::abi::since_v0_1_0::{Code, Hooks, Linked, Linkers};
use crate::artifact::{self, ArtifactError};
use crate::desk::{Caster, Desk, KeptDesk};
use crate::fault::{self, Circumstances};
use crate::inspect::{self, Finding, Inspected};
use crate::limits::*;
use crate::{Envelope, engine, envelope::Capabilities, mana, types::*, wasi};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use wasmtime::{Engine, Store};

/// The engine, the linker, and the instance pool: one a process. Cheap to clone; a clone may load while another runs casts.
#[derive(Clone)]
pub struct Runtime {
    engine: Engine,
    linkers: Arc<Linkers>,
}

/// A verified, loaded revision; cheap to clone and shared between casts.
#[derive(Clone)]
pub struct Spell(Arc<Loaded>);

struct Loaded {
    linked: Linked,
    engine: Engine,
    name: Arc<str>,
    envelope: Envelope,
    needs_wasi: bool,
    component_hash: String,
}

/// One cast's instance: store, memory, hooks. Can be sent to another thread between calls.
pub struct Instance {
    store: Store<Desk>,
    hooks: Hooks,
    /// A call was stopped midway: the guest's state means nothing any more.
    stopped: bool,
}

/// A cast without its instance: what a file or another server can hold of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Suspended {
    /// As the spell saved it.
    state: Vec<u8>,
    desk: KeptDesk,
}

/// One call of one hook.
pub struct Call {
    /// What is called.
    pub hook: Hook,
    /// The world's tick: what the envelope allows a tick, all calls of one tick share.
    pub tick: u64,
    /// The frozen world; dropped before the call returns.
    pub view: Arc<dyn View>,
    /// The caster, left out of queries; the envelope's radius is measured from where it stands in the view (or, when it is gone, from where it stood last).
    pub caster: EntityId,
    /// Mana that the caster has; `None` for one who pays nothing.
    pub mana: Option<f32>,
    /// The first of `SPAWNS_PER_CALL_MAX` ids that the call may give away.
    pub first_id: EntityId,
    /// Fuel for this call.
    pub fuel: u64,
}

/// The hook and its arguments.
#[derive(Debug, Clone, PartialEq)]
pub enum Hook {
    /// `on-cast`.
    Cast(Cast),
    /// `on-tick`, with dt in seconds.
    Tick(f32),
    /// `on-event`.
    Event(Event),
    /// `on-cancel`.
    Cancel(CancelReason),
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// In the order of the calls; after a fault only `Log` lines.
    pub intents: Vec<Intent>,
    /// The spell asked to end.
    pub finished: bool,
    /// Why it was stopped; the instance must be dropped then.
    pub fault: Option<Fault>,
    /// Fuel spent, host work included.
    pub fuel: u64,
    /// Mana that the intents take, beside what the fuel does.
    pub impact: f32,
    /// The capabilities that its calls of the interface needed, declared or not.
    pub needed: Capabilities,
}

/// The runtime cannot be had on this machine.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The kernel allows a process too few memory mappings; beyond them every allocation would fail.
    #[error(
        "{casts_max} live casts need {needed} memory mappings, and vm.max_map_count is {allowed}: raise it with sysctl, or lower the number of casts"
    )]
    Mappings {
        /// What was asked for.
        casts_max: u32,
        /// Mappings that it takes.
        needed: u64,
        /// Mappings that there are.
        allowed: u64,
    },
    /// wasmtime refused the configuration, or the address space cannot be had.
    #[error("wasm engine could not be made: {0}")]
    Engine(String),
}

/// A revision that is not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Not one of our builder's, or changed since.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// Compiled by another version of the engine: build the spell again.
    #[error("artifact is for engine {found:?}, and this server runs {expected:?}")]
    EngineId {
        /// The artifact's.
        found: String,
        /// Ours.
        expected: &'static str,
    },
    /// The component breaks a rule.
    #[error("component is refused: {}", .0.first().map_or("", |finding| finding.message.as_str()))]
    Component(Vec<Finding>),
    /// It needs WASI, and this world's policy does not admit that.
    #[error("component imports wasi:*, which this world does not admit")]
    Wasi,
    /// wasmtime does not take the native code.
    #[error("native code is refused: {0}")]
    Code(String),
    /// An import or export has another type than the interface says.
    #[error("component does not fit the interface: {0}")]
    Interface(String),
}

impl Runtime {
    /// A runtime for at most `casts_max` live casts, whose address space it reserves, and one instance more: whoever puts a fresh instance in the place of
    /// an old one makes it before it drops that. 0 is taken as 1.
    pub fn new(casts_max: u32) -> Result<Self, RuntimeError> {
        let casts_max = casts_max.max(1).saturating_add(1);
        check_mappings(casts_max, mappings_allowed())?;
        let refused = |error: wasmtime::Error| RuntimeError::Engine(format!("{error:#}"));
        let engine = engine::for_running(casts_max).map_err(refused)?;
        let linkers = linkers(&engine).map_err(refused)?;
        Ok(Self { engine, linkers: Arc::new(linkers) })
    }

    /// Verifies the artifact, inspects the component, and makes its code ready. Takes some milliseconds: not for the thread that ticks.
    ///
    /// `name` is the spell's, by which it keeps values in the world.
    pub fn load(&self, name: &str, artifact: &[u8], key: &artifact::PublicKey) -> Result<Spell, LoadError> {
        let parts = artifact::verify(artifact, key)?;
        if parts.engine_id != engine::ENGINE_ID {
            return Err(LoadError::EngineId { found: parts.engine_id.chars().take(80).collect(), expected: engine::ENGINE_ID });
        }
        let inspected = inspect::inspect(parts.component).map_err(LoadError::Component)?;
        // SAFETY: native code is trusted only behind the signature that was just verified: our builder made these bytes with wasmtime's compiler,
        // for this very engine id, and nobody has changed them since. wasmtime itself checks its version and the knobs that it knows.
        let code = unsafe { Code::deserialize(&self.engine, parts.code) }.map_err(|error| LoadError::Code(format!("{error:#}")))?;
        let linked = self.linkers.link(&code).map_err(|error| LoadError::Interface(format!("{error:#}")))?;
        let component_hash = hex::encode(Sha256::digest(parts.component));
        let Inspected { envelope, needs_wasi } = inspected;
        let (name, engine) = (name.into(), self.engine.clone());
        Ok(Spell(Arc::new(Loaded { linked, engine, name, envelope, needs_wasi, component_hash })))
    }

    /// What a thread of the host's calls every `EPOCH_TICK_MS`, so that a call which fuel does not end is ended by time. It does not keep the engine alive.
    pub fn epoch_ticker(&self) -> impl Fn() + Send + Sync + use<> {
        let engine = self.engine.weak();
        move || {
            if let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
            }
        }
    }
}

/// All that a spell may import. Whether a world admits WASI is its loader's to say.
pub(crate) fn linkers(engine: &Engine) -> wasmtime::Result<Linkers> {
    Linkers::new(engine, wasi::add_to_linker)
}

impl Spell {
    /// What the spell may do.
    pub fn envelope(&self) -> &Envelope {
        &self.0.envelope
    }
    /// Whether it imports WASI, which not every world admits.
    pub fn needs_wasi(&self) -> bool {
        self.0.needs_wasi
    }
    /// How its calls cross: what its artifact was compiled for.
    pub fn boundary(&self) -> Boundary {
        self.0.linked.boundary()
    }
    /// The component's SHA-256, in hex.
    pub fn component_hash(&self) -> &str {
        &self.0.component_hash
    }
    /// A fresh instance, its `init` run, for at most this much fuel.
    pub fn instantiate(&self, fuel: u64) -> Result<Instance, Fault> {
        let mut store = Store::new(&self.0.engine, Desk::new(self.0.envelope, self.0.name.clone()));
        store.limiter(|desk| desk);
        store.set_hostcall_fuel(HOSTCALL_BYTES_MAX);
        store.epoch_deadline_trap();
        let linked = &self.0.linked;
        let hooks = guarded(&mut store, "init", fuel, |store| {
            let hooks = linked.instantiate(store)?;
            hooks.init(store)?;
            Ok(hooks)
        })?;
        Ok(Instance { store, hooks, stopped: false })
    }

    /// An instance that goes on where another one was suspended, whose revision had the number `from_version`, and the fuel that this took.
    ///
    /// # Errors
    /// As [`Spell::instantiate`] and [`Instance::restore`]; also when the bytes were never of a suspended cast. Beside the fault stands the fuel that was spent;
    /// where there is no instance to ask, its whole cap.
    pub fn resume(
        &self,
        init_fuel: u64,
        restore_fuel: u64,
        from_version: u32,
        suspended: Suspended,
    ) -> Result<(Instance, u64), (Fault, u64)> {
        let Suspended { state, desk } = suspended;
        let mut instance = self.instantiate(init_fuel).map_err(|fault| (fault, init_fuel))?;
        let init = init_fuel.saturating_sub(instance.fuel_left());
        let restored = instance.restore(restore_fuel, from_version, &state);
        let spent = init + restore_fuel.saturating_sub(instance.fuel_left());
        restored.map_err(|fault| (fault, spent))?;
        if !instance.store.data_mut().resume(desk) {
            return Err((fault::raised("restore", "restore", 0.0, 0.0, "what was kept of the cast is damaged"), spent));
        }
        Ok((instance, spent))
    }
}

impl Instance {
    /// Calls a hook. After a fault the instance is good for nothing but being dropped; it says so if it is called again.
    pub fn call(&mut self, call: Call) -> Outcome {
        let Call { hook, tick, view, caster, mana, first_id, fuel } = call;
        let name = hook.name();
        let origin = if let Hook::Cast(cast) = &hook { Some(cast.origin) } else { None };
        let desk = self.store.data_mut();
        if let Hook::Cast(cast) = &hook {
            desk.wasi.seed(cast.seed);
        }
        desk.open(tick, view, Caster { id: caster, mana }, origin, first_id);
        let result = self.run(name, fuel, |hooks, store| hooks.call(store, &hook));
        // An epoch-killed call is charged its whole cap: how far it came depends on the machine.
        let spent = match &result {
            Err(fault) if fault.limit == "time" => fuel,
            _ => fuel.saturating_sub(self.fuel_left()),
        };
        let desk = self.store.data_mut();
        let mut intents = desk.close();
        let finished = desk.finished();
        let needed = desk.take_needed();
        let fault = result.err();
        if fault.is_some() {
            intents.retain(|intent| matches!(intent, Intent::Log { .. }));
        }
        let impact = intents.iter().map(mana::impact).sum();
        Outcome { intents, finished, fault, fuel: spent, impact, needed }
    }

    /// What the last call, or `init`, has left of its fuel.
    pub fn fuel_left(&self) -> u64 {
        self.store.get_fuel().unwrap_or(0)
    }

    /// Linear memory that it holds, bytes; it never shrinks.
    pub fn memory_bytes(&self) -> usize {
        self.store.data().memory_bytes()
    }

    /// The spell's state, at most `SAVE_BYTES_MAX`.
    pub fn save(&mut self, fuel: u64) -> Result<Vec<u8>, Fault> {
        let bytes = self.run("save", fuel, |hooks, store| hooks.save(store))?;
        if bytes.len() > SAVE_BYTES_MAX {
            let what = format!("saved {} bytes: {SAVE_BYTES_MAX} are allowed", bytes.len());
            return Err(fault::raised("save", "length", SAVE_BYTES_MAX as f64, bytes.len() as f64, &what));
        }
        Ok(bytes)
    }

    /// The spell's state and what the server keeps of the cast beside it: what [`Spell::resume`] makes an instance of that goes on as this one would.
    ///
    /// # Errors
    /// As [`Instance::save`].
    pub fn suspend(&mut self, fuel: u64) -> Result<Suspended, Fault> {
        let state = self.save(fuel)?;
        Ok(Suspended { state, desk: self.store.data().keep() })
    }

    /// Hands a saved state to a fresh instance. What the spell answers with an error is a fault with the limit `restore`.
    pub fn restore(&mut self, fuel: u64, from_version: u32, bytes: &[u8]) -> Result<(), Fault> {
        let answer = self.run("restore", fuel, |hooks, store| hooks.restore(store, from_version, bytes))?;
        answer.map_err(|reason| {
            let reason: String = reason.chars().take(200).collect();
            fault::raised("restore", "restore", 0.0, 0.0, &format!("the state was refused: {reason:?}"))
        })
    }

    fn run<T>(
        &mut self,
        hook: &'static str,
        fuel: u64,
        work: impl FnOnce(&Hooks, &mut Store<Desk>) -> wasmtime::Result<T>,
    ) -> Result<T, Fault> {
        if self.stopped {
            return Err(fault::raised(hook, "stopped", 0.0, 0.0, "the instance was stopped in an earlier call"));
        }
        let hooks = &self.hooks;
        let result = guarded(&mut self.store, hook, fuel, |store| work(hooks, store));
        self.stopped = result.is_err();
        result
    }
}

impl Hook {
    /// The hook's WIT name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cast(_) => "on-cast",
            Self::Tick(_) => "on-tick",
            Self::Event(_) => "on-event",
            Self::Cancel(_) => "on-cancel",
        }
    }
}

/// Runs guest code with fuel, a deadline, and a net under our own panics.
fn guarded<T>(
    store: &mut Store<Desk>,
    hook: &'static str,
    fuel: u64,
    work: impl FnOnce(&mut Store<Desk>) -> wasmtime::Result<T>,
) -> Result<T, Fault> {
    store.set_epoch_deadline(EPOCH_TICKS_MAX);
    if let Err(error) = store.set_fuel(fuel) {
        return Err(fault::raised(hook, "host", 0.0, 0.0, &format!("fuel could not be set: {error}")));
    }
    // Unwind safety: after a panic the store is never entered again.
    let result = catch_unwind(AssertUnwindSafe(|| work(store)));
    let desk = store.data_mut();
    desk.flush_wasi();
    let said = desk.wasi.take_said();
    let (memory_refused, table_refused) = desk.take_refused_growth();
    let last_call = desk.take_last_call();
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            let last_error = said.or_else(|| store.data().last_error());
            Err(fault::explain(&error, Circumstances { hook, fuel, memory_refused, table_refused, last_call, last_error }))
        }
        Err(_) => Err(fault::raised(hook, "host", 0.0, 0.0, "the server failed in this call: this is our bug, not the spell's")),
    }
}

fn check_mappings(casts_max: u32, allowed: Option<u64>) -> Result<(), RuntimeError> {
    let needed = u64::from(casts_max) * MAPPINGS_PER_CAST + MAPPINGS_RESERVED;
    match allowed {
        Some(allowed) if needed > allowed => Err(RuntimeError::Mappings { casts_max, needed, allowed }),
        _ => Ok(()),
    }
}

/// None where the kernel does not say: then there is nothing to check against.
fn mappings_allowed() -> Option<u64> {
    std::fs::read_to_string("/proc/sys/vm/max_map_count").ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_that_the_kernel_cannot_map_is_refused_with_figures() {
        let error = check_mappings(40_000, Some(65_530)).expect_err("too many");
        assert_eq!(
            error.to_string(),
            "40000 live casts need 88192 memory mappings, and vm.max_map_count is 65530: raise it with sysctl, or lower the number of casts"
        );
        assert!(check_mappings(10_000, Some(65_530)).is_ok());
        assert!(check_mappings(40_000, None).is_ok());
    }

    #[test]
    fn what_crosses_threads_can() {
        fn sendable<T: Send>() {}
        fn shareable<T: Send + Sync>() {}
        shareable::<Runtime>();
        shareable::<Spell>();
        sendable::<Instance>();
    }
}
