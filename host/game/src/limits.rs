//! Every limit of a world with spells, with its reason.

use sim::limits::{CASTER_FUEL_PER_TICK, PLAYERS_MAX};

/// Fuel of one call of a hook; the runtime's, for the price of a cast is computed from it.
pub const SPELL_CALL_FUEL_MAX: u64 = spell_runtime::limits::CALL_FUEL_MAX;
/// Fuel of making an instance and running its `init`: what a call may take, for a cast must not become dearer by moving its loop into `init`.
pub const SPELL_INIT_FUEL_MAX: u64 = SPELL_CALL_FUEL_MAX;
/// Fuel that all spells of a world may spend in a tick: 5 ms of library spells, a third of a tick; a thousand casts of the reference spell take 6 million.
/// When it runs low it is shared equally among casters. The call that reaches one of these three caps is the last; others wait for the next tick, those whose
/// casters owe most for longest.
pub const SPELLS_TICK_FUEL_MAX: u64 = 8_000_000;
/// Fuel that one caster's spells may spend in a tick.
pub const CASTER_TICK_FUEL_MAX: u64 = 1_000_000;
/// Fuel that the spells of all who are deep in debt may spend in a tick: a chain of square roots takes 4 ns a unit, and even that must not fill a tick.
pub const DEBTORS_TICK_FUEL_MAX: u64 = 1_000_000;
/// Who owes more is deep in debt: after two ticks at full speed, or by a steady 62,500 units a tick, twice a caster's share.
pub const DEBT_FUEL_MAX: u64 = 2_000_000;
const _: () = assert!(DEBTORS_TICK_FUEL_MAX <= SPELLS_TICK_FUEL_MAX && CASTER_TICK_FUEL_MAX <= DEBT_FUEL_MAX);
const _: () = assert!(CASTER_FUEL_PER_TICK * PLAYERS_MAX as u64 <= SPELLS_TICK_FUEL_MAX, "who keeps to their share is never put off");
/// Calls that are not worth a second thread: waking one takes some microseconds, a call one or two.
pub const PARALLEL_CALLS_MIN: usize = 16;
/// Fuel that it is taken to cost to enter an instance, beside what is spent in there: about half a microsecond.
pub const CALL_COST_FUEL: u64 = 500;
/// Fuel that it is taken to cost to make an instance and to drop it: about 12 microseconds.
pub const INSTANCE_COST_FUEL: u64 = 12_000;
/// Fuel of `save`, and again of `restore`, at a checkpoint or a load. A library spell's take 2,000; a state of `SAVE_BYTES_MAX` fits.
pub const SPELL_SAVE_FUEL_MAX: u64 = 200_000;
/// Text of one scenario. The library's are under 1 KiB.
pub const SCENARIO_BYTES_MAX: usize = 64 * 1024;
/// Ticks that one scenario may run: ten minutes of the world, which take some seconds.
pub const SCENARIO_TICKS_MAX: u64 = 36_000;
/// Entities that one scenario may set up.
pub const SCENARIO_ENTITIES_MAX: usize = 1_024;
/// Log lines kept of one scenario; a spell that logs each tick must not fill the memory.
pub const SCENARIO_LOGS_MAX: usize = 1_000;
/// Ticks that a recorder keeps at least, once they have passed: a minute.
pub const RECORDED_TICKS: usize = 3_600;
/// Ticks after which a recording may begin anew: what is kept is at most so much longer than a minute.
pub const SEGMENT_TICKS: usize = 600;
/// Ticks that a recorder keeps at most, where no checkpoint could save every cast: then it lets go of all and begins anew at the next that can.
pub const RECORDED_TICKS_MAX: usize = 4 * RECORDED_TICKS;
/// Bytes of a recorder's ticks: 256 players who send an input in each come to 30 MiB a minute.
pub const RECORDED_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of a recording, unpacked: its ticks, and a world of the largest kind to begin with.
pub const RECORDING_BYTES_MAX: usize = 512 * 1024 * 1024;
const _: () = assert!(SEGMENT_TICKS < RECORDED_TICKS && RECORDED_BYTES_MAX < RECORDING_BYTES_MAX);
