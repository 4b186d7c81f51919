//! Every limit of the SDK, with its reason.

/// The simulation's fixed rate; the WIT counts timers in these ticks.
pub const TICKS_PER_SECOND: u32 = 60;
/// Bytes of the section `ugc:envelope`, as `wit/since-v0.1.0/envelope.md` lays it out.
pub const ENVELOPE_BYTES: usize = 44;
/// Metres that an envelope may reach; the same number stands in `envelope.md`.
pub const RADIUS_MAX_M: f32 = 256.0;
/// Seconds that an envelope may last; the same number stands in `envelope.md`.
pub const DURATION_MAX_S: f32 = 600.0;
/// Entities that one query answers with at most; the same number stands in the WIT.
pub const FIND_MAX: u32 = 256;
/// Ticks that a timer waits at most; the same number stands in the WIT.
pub const TIMER_TICKS_MAX: u32 = 36_000;
/// Timers of the host that a straight-line spell's waits use at once, of the 16 that a cast has; its author may set the others.
pub const RUN_TIMERS_MAX: usize = 8;
/// Events that a straight-line spell has been told and does not await yet; the oldest is forgotten. As many as the host keeps before they are told.
pub const EVENTS_KEPT_MAX: usize = 32;
