//! Every wasmtime knob, each with its reason: those that compiler and runtime must share, then those of one side.

use crate::limits::*;
use wasmtime::{Config, Engine, Inlining, InstanceAllocationStrategy, PoolingAllocationConfig};

/// The engine that our artifacts are for: wasmtime's version and a digest of its `precompile_compatibility_hash` under the knobs below.
/// A process without a compiler cannot compute it, so it stands here; a test of the feature `compiler` says when it has to change.
pub const ENGINE_ID: &str = "wasmtime-48.0.8-159772902ef560419b78d2d8af6a64aa";

/// Whoever changes one of these must compile all spells anew: `ENGINE_ID` changes with them.
fn shared() -> Config {
    let mut config = Config::new();
    // Fuel decides when a call ends, the same on every machine (7 to 10 % on a spell).
    config.consume_fuel(true);
    // Instructions that take long cost more, or fuel would say little of time.
    config.operator_cost(crate::operators::costs());
    // Time is the last resort behind fuel (4 to 8 %).
    config.epoch_interruption(true);
    // Copy-on-write images cost two more mappings an instance and save a spell nothing: its data is some kilobytes.
    config.memory_init_cow(false);
    // 4 GiB of address space a memory and guards behind it: bounds checks become page faults (smaller reservations cost 30 % on loops).
    config.memory_reservation(4 << 30);
    config.memory_guard_size(32 << 20);
    config.memory_reservation_for_growth(0);
    config.guard_before_linear_memory(true);
    // The whole reservation is there from the start.
    config.memory_may_move(false);
    // Tables are filled when first used: a spell calls few of its functions through them.
    config.table_lazy_init(true);
    // Traps are found by signals instead of by checks in the code.
    config.signals_based_traps(true);
    // No asynchronous calls: they double a call's cost.
    config.concurrency_support(false);
    // No debugging aids in what players run.
    config.debug_info(false);
    // An inlined function is charged and limited as before, but a build takes longer.
    config.compiler_inlining(Inlining::No);
    // The same relaxed SIMD results on every machine.
    config.wasm_simd(true);
    config.wasm_relaxed_simd(true);
    config.relaxed_simd_deterministic(true);
    // What rustc emits by default.
    config.wasm_bulk_memory(true);
    config.wasm_multi_value(true);
    config.wasm_extended_const(true);
    config.wasm_component_model(true);
    // What no spell needs; each is surface. Threads, GC and exceptions are not compiled in at all.
    config.wasm_tail_call(false);
    config.wasm_multi_memory(false);
    config.wasm_memory64(false);
    config.wasm_custom_page_sizes(false);
    config.wasm_wide_arithmetic(false);
    config.wasm_shared_everything_threads(false);
    config.wasm_stack_switching(false);
    // Names of functions are stripped from spells: a backtrace would say nothing and makes every trap slow.
    config.wasm_backtrace_max_frames(None);
    // Only foreign unwinders would read it, and registering it grows with the number of loaded spells.
    config.native_unwind_info(false);
    config
}

/// The engine of a process that runs spells: `casts_max` instances may live at once.
pub(crate) fn for_running(casts_max: u32) -> wasmtime::Result<Engine> {
    let mut config = shared();
    config.max_wasm_stack(STACK_BYTES_MAX);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(casts_max)));
    // A process that ticks compiles nothing, even where the compiler is linked (tests, the author's command line).
    #[cfg(feature = "compiler")]
    config.enable_compiler(false);
    Engine::new(&config)
}

/// One slot for each cast, of exactly the size that a spell may have: a full pool is a refused cast, never a slow allocation.
fn pool(casts_max: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(casts_max);
    pool.total_core_instances(casts_max.saturating_mul(CORE_INSTANCES_MAX));
    pool.total_memories(casts_max.saturating_mul(MEMORIES_MAX));
    // Two are what SDK spells have; one that has four takes another's share and the pool is full earlier.
    pool.total_tables(casts_max.saturating_mul(2));
    pool.max_core_instances_per_component(CORE_INSTANCES_MAX);
    pool.max_memories_per_component(MEMORIES_MAX);
    pool.max_tables_per_component(TABLES_MAX);
    pool.max_memories_per_module(MEMORIES_MAX);
    pool.max_tables_per_module(TABLES_MAX);
    pool.max_memory_size(MEMORY_BYTES_MAX);
    pool.table_elements(TABLE_ELEMENTS_MAX);
    // Instance metadata grows with functions and imports; SDK spells need some kilobytes.
    pool.max_core_instance_size(256 * 1024);
    pool.max_component_instance_size(512 * 1024);
    // Give memory back at once and let the kernel zero it: keeping it resident made dropping 10,000 instances take seconds.
    pool.linear_memory_keep_resident(0);
    pool.table_keep_resident(0);
    pool
}

/// What the code may use beside the first x86-64: the second level of the psABI (x86-64-v2), which every server's CPU since 2009 has. Rounding a float is one
/// instruction then instead of a call; further levels gain a spell nothing.
#[cfg(feature = "compiler")]
const CPU_FEATURES: [&str; 5] = ["has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt"];

/// The engine of the builder's compile step. It runs nothing, so it pools nothing.
#[cfg(feature = "compiler")]
pub(crate) fn for_compiling() -> wasmtime::Result<Engine> {
    let mut config = shared();
    // Functions on all cores: an author waits for it. What comes out is the same.
    config.parallel_compilation(true);
    // Named, so that the builder's own CPU adds no features that another host lacks.
    config.target("x86_64-unknown-linux-gnu")?;
    for feature in CPU_FEATURES {
        // SAFETY: whoever loads the code is asked by wasmtime whether its CPU has each of them, and refuses the code where it has not.
        unsafe { config.cranelift_flag_enable(feature) };
    }
    // Off: costs 26 to 44 %. Non-finite numbers are refused at the boundary.
    config.cranelift_nan_canonicalization(false);
    config.cranelift_opt_level(wasmtime::OptLevel::Speed);
    config.cranelift_regalloc_algorithm(wasmtime::RegallocAlgorithm::Backtracking);
    // A safety net of the compiler's developers; costs time on each build.
    config.cranelift_debug_verifier(false);
    // Maps native code back to wasm for backtraces, which are off.
    config.generate_address_map(false);
    Engine::new(&config)
}

/// This build's engine id, computed.
#[cfg(feature = "compiler")]
pub(crate) fn computed_id(engine: &Engine) -> String {
    use sha2::Digest;
    use std::hash::{Hash, Hasher};

    /// Feeds what is hashed to SHA-256: the standard hashers promise nothing across releases.
    struct Digesting(sha2::Sha256);
    impl Hasher for Digesting {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }

    let mut hasher = Digesting(sha2::Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("wasmtime-48.0.8-{}", hex::encode(&hasher.0.finalize()[..16]))
}

#[cfg(all(test, feature = "compiler"))]
mod tests {
    #[test]
    fn the_written_engine_id_is_the_computed_one() {
        let engine = super::for_compiling().expect("the compiler's knobs fit together");
        assert_eq!(super::ENGINE_ID, super::computed_id(&engine), "wasmtime or a shared knob changed: write the new id into ENGINE_ID");
    }
}
