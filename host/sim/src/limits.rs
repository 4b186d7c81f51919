//! Every limit and constant of the simulation, with its reason.

/// Ticks a second.
pub const TICK_HZ: u32 = 60;
/// Seconds a tick.
pub const TICK_SECONDS: f32 = 1.0 / TICK_HZ as f32;

/// Players in one world.
pub const PLAYERS_MAX: usize = 256;
/// Entities of all kinds in one world. Beyond it nothing is spawned: joins are refused, projectiles expire at once, NPCs wait.
pub const ENTITIES_MAX: usize = 16_384;
/// Live casts of one player (SPELLS.md's world default).
pub const LIVE_CASTS_PER_CASTER_MAX: usize = 8;
/// Live casts in one world; the runtime's instance pool is sized by it.
pub const LIVE_CASTS_MAX: usize = 10_000;
/// Ticks before the same player may cast the same spell again (SPELLS.md's default of 0.5 s).
pub const CAST_COOLDOWN_TICKS: u64 = 30;
/// Fuel that a caster's spells may spend in a tick without owing any: what a world's spells may spend together (a limit of `game`), shared by `PLAYERS_MAX`.
/// Five casts of the reference spell take it.
pub const CASTER_FUEL_PER_TICK: u64 = 31_250;
/// Each tick forgives one part in so many of what a caster owes, so that a hundredth of it is left after five seconds.
pub const FUEL_DEBT_PARTS: u64 = 64;
/// Things that one call may spawn; ids are reserved in blocks of this size.
pub const SPAWNS_PER_CALL_MAX: u64 = 16;
/// Things that all casts of one caster may have in the world at once; what one launches beyond it expires at once. Each is swept through the world in every tick
/// and stands in every snapshot; this is a player's share of `ENTITIES_MAX`.
pub const SPAWNED_PER_CASTER_MAX: usize = 64;
/// Timers that wait for one cast; the same number stands in the WIT. A further one is not set, and the author's log says so.
pub const TIMERS_PER_CAST_MAX: usize = 16;
/// Events that wait for one cast; the oldest stay, later ones are dropped, so that a storm of hits cannot grow a queue.
pub const EVENTS_PER_CAST_MAX: usize = 32;
/// How long an instant cast may wait for what it spawned: the longest projectile life of the WIT (30 s) and a tick.
pub const CAST_INSTANT_TICKS_MAX: u32 = 30 * TICK_HZ + 1;

/// Downward acceleration of characters and props, m/s2 (PROTOCOL.md).
pub const GRAVITY: f32 = 24.8;
/// Radius of a player's or NPC's capsule, metres (PROTOCOL.md).
pub const CHARACTER_RADIUS_M: f32 = 0.4;
/// Half of the height of a player's or NPC's capsule, metres (PROTOCOL.md: 1.8 high).
pub const CHARACTER_HALF_HEIGHT_M: f32 = 0.9;
/// The eye above the middle of a character, metres.
pub const EYE_HEIGHT_M: f32 = 0.7;
/// Mass of a character, kilograms: what an impulse is divided by.
pub const CHARACTER_MASS_KG: f32 = 80.0;
/// Full health of players and NPCs (PROTOCOL.md).
pub const CHARACTER_HEALTH_MAX: f32 = 100.0;
/// Walking speed, m/s (PROTOCOL.md).
pub const WALK_SPEED: f32 = 8.0;
/// Running speed over walking speed (PROTOCOL.md).
pub const SPRINT_FACTOR: f32 = 1.8;
/// Upward speed of a jump, m/s (PROTOCOL.md).
pub const JUMP_SPEED: f32 = 12.0;
/// How fast the horizontal velocity follows its target, 1/s (PROTOCOL.md); a knock-back fades with it too.
pub const MOVE_GAIN: f32 = 10.0;
/// No character is faster, m/s, however many pushes add up: it bounds the work of one move.
pub const CHARACTER_SPEED_MAX: f32 = 200.0;
/// A character moves in steps of at most this many metres, so that a fast one rounds corners as a slow one does.
pub const CHARACTER_STEP_M: f32 = 0.5;
/// Metres by which a character may dip into a voxel and still count as outside: far above f32's rounding at the edge of the world, far below what shows.
pub const CHARACTER_SKIN_M: f32 = 1e-3;

/// Where players enter, metres (PROTOCOL.md).
pub const SPAWN_POSITION: [f32; 3] = [0.0, 10.0, 0.0];
/// Below this height everything has fallen out of the world, metres: two chunks under the floor.
pub const FALL_LIMIT_M: f32 = -64.0;
/// Beyond this distance from the origin on any axis an entity is lost, metres: positions are still exact to 1 mm there.
pub const WORLD_EXTENT_M: f32 = 8_192.0;
/// Ticks until a dead NPC is back (3 s).
pub const NPC_RESPAWN_TICKS: u64 = 180;

/// Ticks between two shots of a player: 0.2 s (PROTOCOL.md).
pub const FIRE_COOLDOWN_TICKS: u64 = 12;
/// Speed of a player's shot, m/s (PROTOCOL.md).
pub const SHOT_SPEED: f32 = 50.0;
/// Damage of a player's shot (PROTOCOL.md).
pub const SHOT_DAMAGE: f32 = 10.0;
/// Life of a player's shot, seconds (PROTOCOL.md).
pub const SHOT_SECONDS: f32 = 5.0;
/// Radius of a player's shot, metres (PROTOCOL.md).
pub const SHOT_RADIUS_M: f32 = 0.1;

/// Largest radius of a projectile, metres; the same number stands in the WIT. It bounds the voxels that a sweep looks at.
pub const PROJECTILE_RADIUS_MAX_M: f32 = 2.0;
/// No projectile is faster, m/s, gravity included; the same number stands in the WIT for its start. It bounds the voxels that a sweep looks at.
pub const PROJECTILE_SPEED_MAX: f32 = 200.0;
/// Longest life of a projectile, seconds; the same number stands in the WIT.
pub const PROJECTILE_SECONDS_MAX: f32 = 30.0;

/// Half of a prop's edge, metres.
pub const PROP_HALF_M: f32 = 0.5;
/// A prop's mass, kilograms.
pub const PROP_MASS_KG: f32 = 50.0;
/// No prop is faster, m/s, however many pushes add up: with continuous collision on, it stays above the floor.
pub const PROP_SPEED_MAX: f32 = 100.0;

/// Edge of a cell of the spatial grid, metres: about the size of what is looked for at once.
pub const GRID_CELL_M: f32 = 4.0;
/// No body reaches further from its middle, metres: a cube's half diagonal (0.87) and half a character (0.9), rounded up.
pub const BODY_REACH_M: f32 = 1.0;
/// A ray is cut here, metres: four times the largest radius that an envelope may declare.
pub const RAY_LENGTH_MAX_M: f32 = 1_024.0;

const _: () = assert!(LIVE_CASTS_PER_CASTER_MAX <= LIVE_CASTS_MAX && PLAYERS_MAX < ENTITIES_MAX);
const _: () = assert!(SPAWNED_PER_CASTER_MAX * PLAYERS_MAX <= ENTITIES_MAX);
const _: () = assert!(CHARACTER_HALF_HEIGHT_M <= BODY_REACH_M && PROP_HALF_M * 1.74 <= BODY_REACH_M);
const _: () = assert!(PROJECTILE_SECONDS_MAX * (TICK_HZ as f32) < CAST_INSTANT_TICKS_MAX as f32);
const _: () = assert!(SHOT_RADIUS_M <= PROJECTILE_RADIUS_MAX_M && SHOT_SPEED <= PROJECTILE_SPEED_MAX);
