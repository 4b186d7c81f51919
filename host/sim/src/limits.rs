//! Every limit and constant of the simulation, with its reason.

/// Ticks a second.
pub const TICK_HZ: u32 = 60;
/// Seconds a tick.
pub const TICK_SECONDS: f32 = 1.0 / TICK_HZ as f32;

/// Counters of ticks, ids and edits end far below u64's end, so that sums of them cannot: at 60 a second this is 148,000 years.
pub const TICK_MAX: u64 = 1 << 48;
/// Fuel that saving the live casts of a world may take at a checkpoint in passing: about 2 ms, 130 casts of the library's. What does not fit is not saved.
pub const CHECKPOINT_FUEL: u64 = 2_000_000;
/// Fuel that casts may take in a tick to go on with another revision: about 2 ms. Those that do not fit follow in the next ticks.
pub const MIGRATION_FUEL: u64 = 2_000_000;
/// Casts that may be moved to another revision in a tick, however cheap they are.
pub const MIGRATIONS_PER_TICK_MAX: usize = 256;
/// The share of a trial that takes all casts: shares are given in hundredths of a percent.
pub const TRIAL_SHARE_WHOLE: u16 = 10_000;
/// Bytes of a player's handle or of another entity's name; the control plane lets in shorter ones.
pub const NAME_BYTES_MAX: usize = 256;
/// Bytes of the name of a player's account: the control plane's are 19 long.
pub const ACCOUNT_BYTES_MAX: usize = 64;
/// Players whose places are remembered while they are away; who has been away longest is forgotten first. Each takes about 100 bytes of every save.
pub const ABSENT_MAX: usize = 4_096;

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
/// Mana that a player has at most (SPELLS.md's world default).
pub const MANA_MAX: u32 = 100;
/// Mana that comes back to a player each second (SPELLS.md's world default).
pub const MANA_PER_SECOND: u32 = 10;
/// A cast is called in one tick of so many while its caster owes mana.
pub const MANA_THROTTLE_TICKS: u64 = 4;
/// Ticks after which it is looked at whether a caster who owes mana owes less by now (1.5 s); if not, the cast that takes the most ends.
pub const MANA_BROKE_TICKS: u64 = 90;
/// Faults of one revision for one caster after which it may not cast it for a while.
pub const STRIKES_MAX: u32 = 10;
/// Ticks after which a strike is forgotten if no other came (60 s).
pub const STRIKE_TICKS: u64 = 3_600;
/// Ticks for which a caster may not cast what has struck out (30 s).
pub const SUSPENSION_TICKS: u64 = 1_800;

/// Bytes of a key under which a spell keeps a value; the same number stands in the WIT.
pub const STORED_KEY_BYTES_MAX: usize = 64;
/// Bytes of a value that a spell keeps; the same number stands in the WIT.
pub const STORED_VALUE_BYTES_MAX: usize = 1_024;
/// Keys that one spell keeps for all its casts, and again for each caster.
pub const STORED_KEYS_MAX: usize = 64;
/// Bytes that one spell keeps in a world, keys and values, whoever casts it.
pub const STORED_SPELL_BYTES_MAX: usize = 256 * 1024;
/// Bytes that all spells of a world keep: they stand in every save.
pub const STORED_BYTES_MAX: usize = 2 * 1024 * 1024;

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

/// Metres a tick by which a character gives way to a body that has come into it: 6 m/s, so that nobody is thrown by what rolls against their feet.
pub const CHARACTER_YIELD_M: f32 = 0.1;
/// Most force with which a character pushes what is in its way, newtons: a crate (50 kg, held by 620 N of friction) easily, 120 kg barely.
pub const CHARACTER_PUSH_N: f32 = 1_600.0;
/// Metres a second that a body's blow must change a character's speed by to count: below it is the weight of what lies on or leans against it.
pub const KNOCK_SPEED_MIN: f32 = 0.5;

/// Where players enter, metres (PROTOCOL.md).
pub const SPAWN_POSITION: [f32; 3] = [0.0, 10.0, 0.0];
/// Below this height everything has fallen out of the world, metres: two chunks under the floor.
pub const FALL_LIMIT_M: f32 = -64.0;
/// Beyond this distance from the origin on any axis an entity is lost, metres: positions are still exact to 1 mm there.
pub const WORLD_EXTENT_M: f32 = 8_192.0;
/// Ticks until a dead NPC is back (3 s).
pub const NPC_RESPAWN_TICKS: u64 = 180;

/// Ticks between two looks of an NPC (PROTOCOL.md); ids spread them over ticks.
pub const NPC_PERCEPTION_TICKS: u64 = 3;
/// How far an NPC sees, metres (PROTOCOL.md).
pub const NPC_SIGHT_M: f32 = 20.0;
/// Cosine of half an NPC's field of view of 90 degrees (PROTOCOL.md).
pub const NPC_FOV_COSINE: f32 = std::f32::consts::FRAC_1_SQRT_2;
/// An NPC's eye above its middle, metres: 1.5 above its feet (PROTOCOL.md).
pub const NPC_EYE_M: f32 = 1.5 - CHARACTER_HALF_HEIGHT_M;
/// Where an NPC looks for a target, above the target's middle, metres: 0.5 above its feet (PROTOCOL.md).
pub const NPC_TARGET_M: f32 = 0.5 - CHARACTER_HALF_HEIGHT_M;
/// Targets that an NPC sees at once, the nearest ones: it bounds the rays of a look.
pub const NPC_NOTICED_MAX: usize = 16;
/// Suspicion a second of a target in sight (PROTOCOL.md).
pub const SUSPICION_GAIN: f32 = 2.0;
/// Suspicion that fades a second of a target out of sight (PROTOCOL.md).
pub const SUSPICION_LOSS: f32 = 0.2;
/// From here on an NPC is suspicious, and below it a target is lost (PROTOCOL.md).
pub const SUSPICION_SUSPICIOUS: f32 = 0.3;
/// From here on a target is spotted (PROTOCOL.md).
pub const SUSPICION_SPOTTED: f32 = 1.0;
/// Suspicion does not grow beyond it: who was in sight for long is lost as soon as who was just spotted, 3.5 s out of sight.
pub const SUSPICION_MAX: f32 = 1.0;
/// Speed of an NPC on its rounds, m/s.
pub const NPC_PATROL_SPEED: f32 = 3.0;
/// Speed of an NPC that chases or looks after something, m/s: slower than a walking player, who can get away.
pub const NPC_HUNT_SPEED: f32 = 6.5;
/// Speed of an NPC that flees, m/s.
pub const NPC_FLEE_SPEED: f32 = 7.0;
/// How far from its home an NPC walks on each axis, metres.
pub const NPC_PATROL_M: f32 = 8.0;
/// How far ahead an NPC that flees looks for a place, metres.
pub const NPC_FLEE_M: f32 = 10.0;
/// Ticks that an NPC stands between two walks (2 s).
pub const NPC_CALM_TICKS: u64 = 120;
/// How far an NPC's blow reaches, middle to middle, metres: two radii and an arm.
pub const NPC_REACH_M: f32 = 1.8;
/// Health that a blow takes.
pub const NPC_BLOW_DAMAGE: f32 = 10.0;
/// Ticks between two blows (0.75 s).
pub const NPC_BLOW_TICKS: u64 = 45;
/// A guard flees below this part of its health.
pub const GUARD_FLEES_BELOW: f32 = 0.25;
/// Ticks between two searches of an NPC whose goal moves (1/3 s).
pub const NPC_REPLAN_TICKS: u64 = 20;
/// Ticks without a step of its way after which an NPC searches anew (1.5 s).
pub const NPC_STUCK_TICKS: u64 = 90;
/// Cells that all searches of a tick look at: about 2 ms.
pub const PATH_NODES_PER_TICK: usize = 1_024;
/// Cells that one search looks at; beyond them it answers with the way to the nearest one.
pub const PATH_NODES_PER_SEARCH: usize = 256;
/// Voxels that a way drops at once.
pub const PATH_DROP_MAX: i32 = 3;
/// Voxels up and down within which a search looks for ground under its ends: the height of a jump.
pub const PATH_REACH: i32 = 4;
/// An NPC has taken a step of its way within this distance of the cell's middle, metres.
pub const PATH_ARRIVAL_M: f32 = 0.3;

/// Longest status, seconds: as long as the longest projectile lives.
pub const STATUS_SECONDS_MAX: f32 = 30.0;
/// Most that a shield takes: ten characters' health.
pub const SHIELD_MAX: f32 = 1_000.0;
/// Most health a second that fire takes.
pub const BURN_PER_SECOND_MAX: f32 = 1_000.0;
/// Ticks between two bites of a fire (0.5 s).
pub const BURN_INTERVAL_TICKS: u64 = 30;

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

/// Times that a projectile may bounce, and bodies that it may pierce: together with the sweeps of a tick they bound its work.
pub const PROJECTILE_BOUNCES_MAX: u8 = 16;
/// See [`PROJECTILE_BOUNCES_MAX`].
pub const PROJECTILE_PIERCES_MAX: u8 = 16;
/// Things that a projectile meets in one tick; then it waits for the next.
pub const PROJECTILE_SWEEPS_PER_TICK: usize = 4;
/// Fastest turn of a homing projectile, radians a second: half a circle in half a second.
pub const HOMING_TURN_MAX: f32 = 6.3;
/// How far a homing projectile looks for a target, metres: as far as an NPC.
pub const HOMING_RANGE_M: f32 = 20.0;
/// Ticks between two looks of a homing projectile without a target, spread by id.
pub const HOMING_LOOK_TICKS: u64 = 6;

/// Ticks that clients draw others behind the newest snapshot that they have (PROTOCOL.md: 150 ms).
pub const INTERPOLATION_TICKS: u64 = 9;
/// Age of that snapshot that is made up for, ticks (250 ms): who is further from the server aims ahead of what they see. It is what somebody who has found
/// cover can still be hit by, and what a client that lies about what it saw can gain.
pub const SNAPSHOT_AGE_TICKS_MAX: u64 = 15;
/// Ticks that a shot can be judged back, and for which it is remembered where everybody stood: 400 ms, half a kilobyte a character in memory.
pub const LAG_TICKS_MAX: usize = (INTERPOLATION_TICKS + SNAPSHOT_AGE_TICKS_MAX) as usize;

/// Half of a prop's edge, metres.
pub const PROP_HALF_M: f32 = 0.5;
/// A prop's mass, kilograms.
pub const PROP_MASS_KG: f32 = 50.0;
/// No prop is faster, m/s, however many pushes add up: with continuous collision on, it stays above the floor.
pub const PROP_SPEED_MAX: f32 = 100.0;

/// Nothing of a spell's body is nearer to its middle, metres: thinner ones would slip through each other.
pub const BODY_HALF_MIN_M: f32 = 0.1;
/// Lightest body that a spell makes, kilograms. Between it and the heaviest the solver still holds a stack.
pub const BODY_MASS_MIN_KG: f32 = 1.0;
/// Heaviest body that a spell makes, kilograms.
pub const BODY_MASS_MAX_KG: f32 = 1_000.0;

/// Half of a piece of debris' edge, metres.
pub const DEBRIS_HALF_M: f32 = 0.12;
/// Mass of a piece of debris, kilograms.
pub const DEBRIS_MASS_KG: f32 = 4.0;
/// Fastest that debris starts, m/s: slow enough not to need continuous collision.
pub const DEBRIS_SPEED_MAX: f32 = 20.0;
/// Longest life of debris, seconds.
pub const DEBRIS_SECONDS_MAX: f32 = 5.0;
/// Pieces of debris of one caster in the world; of a blast only as many appear as fit.
pub const DEBRIS_PER_CASTER_MAX: usize = 48;
/// Pieces of debris in one world: each is an entity in every snapshot near it.
pub const DEBRIS_MAX: usize = 512;

/// Joints of one caster in the world; a further one is not made, and its cast is told that it expired.
pub const JOINTS_PER_CASTER_MAX: usize = 16;
/// Joints in one world: what the solver does in every tick, awake.
pub const JOINTS_MAX: usize = 1_024;
/// From a body's middle to where it is joined, metres: longer levers make the solver swing.
pub const JOINT_ARM_MAX_M: f32 = 8.0;
/// Longest rope, metres.
pub const ROPE_LENGTH_MAX_M: f32 = 32.0;
/// Shortest rope, metres.
pub const ROPE_LENGTH_MIN_M: f32 = 0.1;

/// Force fields of one caster in the world; a further one is not made, and its cast is told that it expired.
pub const FIELDS_PER_CASTER_MAX: usize = 4;
/// Force fields in one world. With `FIELD_BODIES_MAX` it bounds what they move in a tick.
pub const FIELDS_MAX: usize = 128;
/// Bodies and characters that one field moves, those nearest to its middle.
pub const FIELD_BODIES_MAX: usize = 128;
/// Largest radius of a field, metres: that of the largest edit.
pub const FIELD_RADIUS_MAX_M: f32 = 16.0;
/// Strongest field, m/s2 in its middle: four times what things fall with.
pub const FIELD_ACCELERATION_MAX: f32 = 100.0;
/// Longest life of a field, seconds: as long as the longest projectile lives.
pub const FIELD_SECONDS_MAX: f32 = 30.0;

/// NPCs that one caster has summoned at once: each looks around, walks and searches its way.
pub const SUMMONED_PER_CASTER_MAX: usize = 8;
/// How near a summoned NPC follows, metres.
pub const SUMMONED_FOLLOW_M: f32 = 3.0;
/// How near to where it was sent a summoned NPC has arrived, metres on the ground.
pub const SUMMONED_ARRIVAL_M: f32 = 1.0;

/// Edge of a cell of the spatial grid, metres: about the size of what is looked for at once.
pub const GRID_CELL_M: f32 = 4.0;
/// No body reaches further from its middle, metres: a cube of 2.3 m, a plank of 3.8 m. Everything that looks for bodies looks so much further.
pub const BODY_REACH_M: f32 = 2.0;
/// A ray is cut here, metres: four times the largest radius that an envelope may declare.
pub const RAY_LENGTH_MAX_M: f32 = 1_024.0;

/// Largest magnitude of a chunk's coordinate: the chunks (32 m) that are wholly within `WORLD_EXTENT_M`.
pub const CHUNK_COORDINATE_MAX: u32 = 255;
/// Chunks in one world: with its collider one takes up to 70 kB, all of them half a gigabyte. Beyond it none is made, and edits that need one are refused.
pub const CHUNKS_MAX: usize = 8_192;
/// Chunks that are made around players in a tick: each takes about a millisecond, most of it the collider.
pub const CHUNKS_PER_TICK: usize = 2;
/// Players around whom missing chunks are looked for in a tick; they take turns, so that all 256 have had one after half a second.
pub const GENERATE_PLAYERS_PER_TICK: usize = 8;
/// Chunks around a player's own that are made, each way: ground for nine seconds of running.
pub const GENERATE_RADIUS_CHUNKS: i32 = 4;
/// Radius of the smallest ball that an edit works in, metres: one voxel.
pub const TERRAFORM_RADIUS_MIN_M: f32 = 0.5;
/// Radius of the largest, metres: 17,000 voxels in at most 8 chunks. The same number stands in the wire's limits.
pub const TERRAFORM_RADIUS_MAX_M: f32 = 16.0;
/// Voxels of the largest box that an edit works in: as many as a chunk has.
pub const TERRAFORM_VOXELS_MAX: usize = 32_768;
/// From a player to the middle of what it changes, metres: as far as one sees what one does.
pub const TERRAFORM_RANGE_M: f32 = 32.0;
/// Edits that a player is granted each second, refilled by the tick.
pub const TERRAFORMS_PER_SECOND: u32 = 10;
/// Edits that a player who has made none for a while may make at once.
pub const TERRAFORM_BURST: u32 = 20;
/// Voxels that one caster's spells look at in a tick to change them: a ball of radius 9.5.
pub const TERRAFORM_VOXELS_PER_CASTER_TICK: usize = 8_192;
/// Voxels that all spells of a world look at in a tick to change them: about 4 ms.
pub const TERRAFORM_VOXELS_PER_TICK: usize = 32_768;
/// Each edit of a spell counts as at least so many voxels: its chunk is unpacked and packed for a single one too.
pub const TERRAFORM_VOXELS_PER_EDIT_MIN: usize = 512;
/// Metres beside the spawn within which a world's players change nothing unless its settings say otherwise: nobody is walled in or dropped where all come in.
pub const SPAWN_PROTECTION_M: f32 = 4.0;
/// Bodies so near to an edit are woken, metres: those that rest on it or against it.
pub const WAKE_MARGIN_M: f32 = 2.0;
/// Edits that can still be undone.
pub const UNDO_ENTRIES_MAX: usize = 65_536;
/// Bytes of changed voxels (4 each) that are kept for undoing: two million voxels, which one revert can put back in a fraction of a second.
pub const UNDO_BYTES_MAX: usize = 8 * 1024 * 1024;

const _: () = assert!(SUSPENSION_TICKS <= STRIKE_TICKS, "a suspension is not forgotten before it is over");
const _: () = assert!(STORED_KEYS_MAX * (STORED_KEY_BYTES_MAX + STORED_VALUE_BYTES_MAX) <= STORED_SPELL_BYTES_MAX);
const _: () = assert!(STORED_SPELL_BYTES_MAX <= STORED_BYTES_MAX);
const _: () = assert!(CHUNK_COORDINATE_MAX as f32 * 32.0 < WORLD_EXTENT_M);
const _: () = assert!(WAKE_MARGIN_M >= BODY_REACH_M);
const _: () = assert!(LIVE_CASTS_PER_CASTER_MAX <= LIVE_CASTS_MAX && PLAYERS_MAX < ENTITIES_MAX);
const _: () = assert!(SPAWNED_PER_CASTER_MAX * PLAYERS_MAX <= ENTITIES_MAX);
const _: () = assert!(CHARACTER_HALF_HEIGHT_M <= BODY_REACH_M && PROP_HALF_M * 1.74 <= BODY_REACH_M);
const _: () = assert!(PROJECTILE_SECONDS_MAX * (TICK_HZ as f32) < CAST_INSTANT_TICKS_MAX as f32);
const _: () = assert!(FIELD_SECONDS_MAX * (TICK_HZ as f32) < CAST_INSTANT_TICKS_MAX as f32);
const _: () = assert!(BODY_HALF_MIN_M * 1.74 <= BODY_REACH_M && DEBRIS_HALF_M >= BODY_HALF_MIN_M && BODY_MASS_MIN_KG < BODY_MASS_MAX_KG);
const _: () = assert!(DEBRIS_PER_CASTER_MAX <= DEBRIS_MAX && DEBRIS_SPEED_MAX <= PROP_SPEED_MAX);
const _: () = assert!(JOINTS_PER_CASTER_MAX <= SPAWNED_PER_CASTER_MAX && FIELDS_PER_CASTER_MAX <= SPAWNED_PER_CASTER_MAX);
const _: () = assert!(SUMMONED_PER_CASTER_MAX <= SPAWNED_PER_CASTER_MAX && FIELDS_PER_CASTER_MAX <= FIELDS_MAX);
const _: () = assert!(ROPE_LENGTH_MIN_M < ROPE_LENGTH_MAX_M);
const _: () = assert!(TERRAFORM_VOXELS_PER_EDIT_MIN <= TERRAFORM_VOXELS_PER_CASTER_TICK);
const _: () = assert!(TERRAFORM_VOXELS_PER_CASTER_TICK <= TERRAFORM_VOXELS_PER_TICK);
const _: () = assert!(SHOT_RADIUS_M <= PROJECTILE_RADIUS_MAX_M && SHOT_SPEED <= PROJECTILE_SPEED_MAX);
const _: () = assert!(PATH_NODES_PER_SEARCH <= PATH_NODES_PER_TICK && SUSPICION_SUSPICIOUS < SUSPICION_SPOTTED);
