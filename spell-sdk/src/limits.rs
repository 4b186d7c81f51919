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
