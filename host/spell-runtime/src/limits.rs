//! Every limit on a spell and on what may be loaded, with its reason.

/// A component's bytes. Spells of our SDK take 13 to 25 kB; the same number bounds the wire (`protocol`), which this crate may not know.
pub const COMPONENT_BYTES_MAX: usize = 1024 * 1024;
/// Native code of one component: 5 to 15 times its wasm.
pub const CODE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// An engine id is a version and a digest.
pub const ENGINE_ID_BYTES_MAX: usize = 128;

/// Linear memory of one cast. Memory is part of the CPU budget, because a bulk memory instruction cannot be interrupted.
pub const MEMORY_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of a wasm page.
pub const PAGE_BYTES: usize = 64 * 1024;
const _: () = assert!(MEMORY_BYTES_MAX.is_multiple_of(PAGE_BYTES));
/// Linear memories of one component: one spell, one memory.
pub const MEMORIES_MAX: u32 = 1;
/// Elements of one table. rustc puts one there for each function whose address is taken; a large spell has some hundreds.
pub const TABLE_ELEMENTS_MAX: usize = 1024;
/// Tables of one component: the spell's own, the one of componentization's trampolines, and room for two.
pub const TABLES_MAX: u32 = 4;
/// Core instances of one component: the spell, and componentization's trampolines and their fix-up; the fourth is the adapter of toolchains that speak WASI's
/// first version.
pub const CORE_INSTANCES_MAX: u32 = 4;
/// Native stack that a guest may use. rustc's frames are small; the host's threads have 2 MiB.
pub const STACK_BYTES_MAX: usize = 256 * 1024;
/// Bytes that one call across the boundary may copy to the host (wasmtime's default is 128 MiB).
pub const HOSTCALL_BYTES_MAX: usize = 64 * 1024;

/// Functions defined by all core modules. SDK spells have about 100.
pub const FUNCTIONS_MAX: u32 = 10_000;
/// Bytes of one function's body: a module of 90 kB with 2,000 locals and 6,000 branches in one function cost Cranelift 6 s. The library's largest has 1.4 kB.
pub const FUNCTION_BYTES_MAX: usize = 64 * 1024;
/// Locals of one function, parameters apart. Compilers make some dozens.
pub const LOCALS_MAX: u32 = 1_000;
/// Imports of all core modules of a component, and exports likewise: an SDK spell has about 80 of each, with those of its trampolines.
pub const CORE_NAMES_MAX: u32 = 512;
/// Globals, data segments and element segments, each in all core modules of a component.
pub const SEGMENTS_MAX: u32 = 1_000;
/// Instances in a component, of core modules and of components: an SDK spell has about a dozen.
pub const INSTANCES_MAX: u32 = 64;
/// Types defined by all core modules.
pub const TYPES_MAX: u32 = 2_000;
/// Imports and exports of the component and of what is nested in it. The interface takes 4, and the component that wraps its hooks about 26.
pub const COMPONENT_NAMES_MAX: u32 = 64;
/// Components nested in the component: componentization writes one for the exported interface.
pub const NESTED_COMPONENTS_MAX: u32 = 1;
/// Bytes of custom sections: the envelope, producers, names.
pub const CUSTOM_BYTES_MAX: usize = 64 * 1024;
/// Findings that one inspection reports.
pub const FINDINGS_MAX: usize = 20;

/// Time between two calls of the epoch ticker, in milliseconds.
pub const EPOCH_TICK_MS: u64 = 20;
/// Epoch ticks that a call may last. Fuel stops a call after some milliseconds; time is the last resort behind it, and 180 to 200 ms are
/// far beyond what a busy machine adds to a call that its fuel would have ended.
pub const EPOCH_TICKS_MAX: u64 = 10;

/// Fuel of one call of a hook. A library spell's call takes 1,000 to 6,000; a million is about 1 ms, less of a loop that does nothing.
pub const CALL_FUEL_MAX: u64 = 1_000_000;
/// Intents of one call of a hook, log lines apart: as many as one `find` can answer with.
pub const INTENTS_PER_CALL_MAX: usize = 256;
/// Log lines of one call. Later ones are dropped, but for an error, which takes the last one's place: it may be the panic that explains a fault.
pub const LOG_LINES_PER_CALL_MAX: usize = 32;
/// Bytes of one log line; the same number stands in the WIT.
pub const LOG_LINE_BYTES_MAX: usize = 1024;
/// Things that one call may spawn: the world reserves ids in blocks of this size.
pub const SPAWNS_PER_CALL_MAX: u64 = 16;
/// Things that one cast may spawn in all, whatever its envelope declares: it remembers their ids.
pub const SPAWNS_PER_CAST_MAX: u32 = 4_096;
/// Timers that one call may set; the same number stands in the WIT for all that wait.
pub const TIMERS_PER_CALL_MAX: u32 = 16;
/// Ticks that a timer may wait for; the same number stands in the WIT.
pub const TIMER_TICKS_MAX: u32 = 36_000;
/// Entities that one `find` answers with; the same number stands in the WIT.
pub const FIND_COUNT_MAX: u32 = 256;
const _: () = assert!(FIND_COUNT_MAX as usize <= INTENTS_PER_CALL_MAX, "whatever was found can be pushed");
/// Health that one intent gives or takes; the same number stands in the WIT.
pub const HEALTH_CHANGE_MAX: f32 = 1_000.0;
/// Length of one impulse, in newton seconds; the same number stands in the WIT.
pub const IMPULSE_MAX: f32 = 10_000.0;
/// Metres a second of a projectile; the same number stands in the WIT.
pub const PROJECTILE_SPEED_MAX: f32 = 200.0;
/// Metres; the same numbers stand in the WIT.
pub const PROJECTILE_RADIUS_M: (f32, f32) = (0.01, 2.0);
/// m/s2; the same number stands in the WIT.
pub const PROJECTILE_GRAVITY_MAX: f32 = 100.0;
/// Life; the same number stands in the WIT.
pub const PROJECTILE_SECONDS_MAX: f32 = 30.0;
/// Times that a projectile bounces, and bodies that it pierces; the same number stands in the WIT.
pub const PROJECTILE_BOUNCES_MAX: u8 = 16;
/// See [`PROJECTILE_BOUNCES_MAX`].
pub const PROJECTILE_PIERCES_MAX: u8 = 16;
/// Radians a second; the same number stands in the WIT.
pub const HOMING_TURN_MAX: f32 = 6.3;
/// From a body's middle to its surface, metres: the least and the most; the same numbers stand in the WIT.
pub const BODY_REACH_M: (f32, f32) = (0.1, 2.0);
/// Kilograms; the same numbers stand in the WIT.
pub const BODY_MASS_KG: (f32, f32) = (1.0, 1_000.0);
/// Metres a second of a body that is made; the same number stands in the WIT.
pub const BODY_SPEED_MAX: f32 = 100.0;
/// Metres a second of debris; the same number stands in the WIT.
pub const DEBRIS_SPEED_MAX: f32 = 20.0;
/// Life of debris; the same number stands in the WIT.
pub const DEBRIS_SECONDS_MAX: f32 = 5.0;
/// Newtons at which a joint breaks, at most: a thousand times the heaviest body's weight. More is never.
pub const BREAK_FORCE_MAX: f32 = 10_000_000.0;
/// Metres of a rope; the same numbers stand in the WIT.
pub const ROPE_LENGTH_M: (f32, f32) = (0.1, 32.0);
/// Metres of a field; the same number stands in the WIT.
pub const FIELD_RADIUS_MAX_M: f32 = 16.0;
/// m/s2 of a field; the same number stands in the WIT.
pub const FIELD_ACCELERATION_MAX: f32 = 100.0;
/// Life of a field; the same number stands in the WIT.
pub const FIELD_SECONDS_MAX: f32 = 30.0;
/// Seconds of a status; the same number stands in the WIT.
pub const STATUS_SECONDS_MAX: f32 = 30.0;
/// What a shield takes and a fire takes a second; the same number stands in the WIT.
pub const STATUS_HEALTH_MAX: f32 = 1_000.0;
/// Radius of the ball of an edit, metres; the same numbers stand in the WIT.
pub const EDIT_RADIUS_M: (f32, f32) = (0.5, 16.0);
/// Voxels that one edit looks at: a ball of radius 9.5, which is a caster's share of a tick.
pub const EDIT_VOXELS_MAX: u64 = 8_192;
/// Voxels along an edge of a chunk.
pub const CHUNK_EDGE: i32 = 32;
/// Voxels that one `materials` answers with; the same number stands in the WIT.
pub const READ_VOXELS_MAX: u64 = 4_096;
/// The last material that a spell may put anywhere; the one behind it is bedrock. The WIT lists them.
pub const MATERIAL_MAX: u8 = 8;
/// Bytes of a cue's name; the same number stands in the WIT.
pub const CUE_NAME_BYTES_MAX: usize = 64;
/// A cue's scale; the same number stands in the WIT.
pub const CUE_SCALE_MAX: f32 = 100.0;
/// Bytes of a message to other casts; the same number stands in the WIT.
pub const MESSAGE_BYTES_MAX: usize = 256;
/// Messages that one call may send.
pub const MESSAGES_PER_CALL_MAX: u32 = 8;
/// Bytes of a text for people; the same number stands in the WIT.
pub const SAID_BYTES_MAX: usize = 256;
/// Texts for people of one call.
pub const SAID_PER_CALL_MAX: u32 = 2;
/// Bytes of a key; the same number stands in the WIT.
pub const STORED_KEY_BYTES_MAX: usize = 64;
/// Bytes of a value; the same number stands in the WIT.
pub const STORED_VALUE_BYTES_MAX: usize = 1_024;
/// Writes of one call.
pub const STORES_PER_CALL_MAX: u32 = 4;
/// Bytes of a spell's name in a message's address.
pub const SPELL_NAME_BYTES_MAX: usize = 64;
/// Bytes of a saved state. A state is a struct of an author's, some hundred bytes.
pub const SAVE_BYTES_MAX: usize = 32 * 1024;
const _: () = assert!(SAVE_BYTES_MAX <= HOSTCALL_BYTES_MAX);

/// Streams and pollables of WASI that one instance holds: a standard library holds three and drops the others at once.
pub const WASI_HANDLES_MAX: usize = 256;
/// Pollables that one `poll` looks at.
pub const WASI_POLL_MAX: usize = WASI_HANDLES_MAX;
/// Bytes that one call writes to a stream of WASI's; WASI itself promises so many for a write that waits.
pub const WASI_WRITE_BYTES_MAX: usize = 4096;
/// Random bytes of one call of WASI's.
pub const WASI_RANDOM_BYTES_MAX: usize = 4096;

/// Metres that an envelope may reach.
pub const ENVELOPE_RADIUS_M_MAX: f32 = 256.0;
/// Seconds that an envelope may last or be undone within.
pub const ENVELOPE_SECONDS_MAX: f32 = 600.0;
/// Calls of `on-tick` a second: one a tick.
pub const ENVELOPE_HZ_MAX: f32 = 60.0;

/// Memory mappings that one live instance costs (its memory's accessible part and the rest of its reservation), as `memory_init_cow(false)` leaves it.
pub const MAPPINGS_PER_CAST: u64 = 2;
/// Mappings left to the rest of the process: code of loaded spells, threads, allocator, libraries.
pub const MAPPINGS_RESERVED: u64 = 8_192;
