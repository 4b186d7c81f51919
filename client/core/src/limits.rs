//! Every limit of the client, with its reason.

use sim::limits::{FIRE_COOLDOWN_TICKS, INTERPOLATION_TICKS, SHOT_SECONDS, TICK_HZ};

/// Milliseconds of a tick.
pub const TICK_MS: f64 = 1_000.0 / TICK_HZ as f64;
/// Inputs that wait to be acknowledged (2 s): a line that is slower than that is a broken one.
pub const PENDING_INPUTS_MAX: usize = 2 * TICK_HZ as usize;
/// How far what was predicted may be from what the server says, metres and metres a second, before it is a correction. A snapshot is rounded to 1/1024: half of
/// that is off by itself, another half since the last correction, which began from a rounded state.
pub const AGREEMENT: f32 = 2.0 / 1_024.0;
/// Ticks and inputs between two snapshots for which it is tried which input was taken in which tick: twice as many as there are as a rule. It is 252 tries.
pub const EXPLAINED_TICKS_MAX: u64 = 6;
/// See [`EXPLAINED_TICKS_MAX`].
pub const EXPLAINED_INPUTS_MAX: usize = 6;
/// Of a correction this share is still seen after each tick: half of it after four, nothing after a quarter of a second.
pub const CORRECTION_KEPT: f32 = 0.84;
/// A correction further than this is no glide, but a jump, metres.
pub const SNAP_M: f32 = 3.0;

/// Ticks within which the server must have told of a shot (1.5 s), or it was never fired there.
pub const SHOT_ANSWER_TICKS_MAX: u64 = 90;
/// How far from the line of a shot the server's copy of it may come into view, metres: a correction lies between the two.
pub const SHOT_LINE_M: f32 = 1.0;
/// Shots of the player in the air: as many as its cooldown allows within their life.
pub const SHOTS_FLYING_MAX: usize = 25;
const _: () = assert!(SHOTS_FLYING_MAX as u64 * FIRE_COOLDOWN_TICKS >= (SHOT_SECONDS * TICK_HZ as f32) as u64);

/// States of one entity that are kept: 1.6 s of snapshots.
pub const STATES_MAX: usize = 32;
/// Ticks that others are drawn behind the newest snapshot: what the server reckons with when it judges a shot.
pub const DELAY_TICKS: f64 = INTERPOLATION_TICKS as f64;
/// Ticks for which an entity goes on as it did when snapshots fail to come; then it stands.
pub const EXTRAPOLATION_TICKS_MAX: f64 = 6.0;
/// Ticks from one snapshot to the next.
pub const SNAPSHOT_TICKS: u64 = 3;
/// Ticks between two states of an entity beyond which it stood still in between: what does not change is not sent.
pub const STOOD_TICKS: u64 = 12;
const _: () = assert!(STOOD_TICKS > SNAPSHOT_TICKS);
/// What goes further than this from one state to the next was put there, metres: a shot flies 2.5 m in the time.
pub const LEAP_M: f32 = 10.0;

/// The clock follows the snapshots by this share of each one's lateness: an uneven line averages out over some twenty of them.
pub const CLOCK_FOLLOWS: f64 = 0.05;
/// Beyond this it is set anew, milliseconds: the server stood still, or is another one.
pub const CLOCK_LEAP_MS: f64 = 500.0;

/// Copies of chunks whose column, or height, is further away than this are thrown away: where the server forgets them too (docs/protocol.md).
pub const KEEP_DISTANCE_CHUNKS: i64 = 5;
/// Snapshots (3 s) after which the player moves on whatever ground has come by then.
pub const GROUND_SNAPSHOTS_MAX: u32 = 60;
/// Snapshots (1 s) after which a chunk that was asked for is asked for again: the server answers no more than 64 in a second.
pub const ASK_AGAIN_SNAPSHOTS: u64 = 20;
