/** Every limit of the page, with its reason; those of the thinking are in core/src/limits.rs. */

/** One tick of the simulation. */
export const TICK_MS = 1000 / 60;
/** Ticks that are made up for after a stall. The server lets no input wait longer than six ticks, and goes on without what comes later. */
export const CATCH_UP_TICKS_MAX = 6;
/** How often it is looked whether a tick is due: twice a tick, whatever the picture does. */
export const STEP_INTERVAL_MS = 8;

/** Between two pings. */
export const PING_INTERVAL_MS = 1000;
/** Pauses before the first and the following tries to come back; they double. */
export const RECONNECT_MS = { first: 400, last: 5000 };
/** The server allows 2 s for the handshake; so do we for the whole way there. */
export const CONNECT_TIMEOUT_MS = 5000;
/** Bytes in and out are counted by the second, for the graph: so many of them. */
export const TRAFFIC_SECONDS = 60;

/** Meshes that are being made at once: the worker has one in hand and the next one waiting, so that the nearest chunk is chosen late. */
export const MESHES_IN_WORK_MAX = 2;
/** Particles at once; the oldest give way. */
export const PARTICLES_MAX = 2048;
/** Of those, ones that look like one spell's picture. */
export const SPRITE_PARTICLES_MAX = 256;
/** What a spell's files for its cues may be: small enough to be there in time, and to be shown by everybody nearby. */
export const PARTICLES_JSON_BYTES_MAX = 4 * 1024;
export const SPRITE_BYTES_MAX = 64 * 1024;
export const SPRITE_PIXELS_MAX = 256;
export const SOUND_BYTES_MAX = 128 * 1024;
export const SOUND_SECONDS_MAX = 5;
/** All of those that are kept, unpacked; who was not seen for the longest time gives way. */
export const ASSETS_KEPT_BYTES_MAX = 16 * 1024 * 1024;
/** Cues of which it is known what they bring, and when they were heard: a spell may think of ever new names. */
export const CUES_REMEMBERED_MAX = 512;
/** A cue whose files took longer to come is seen, but not heard any more. */
export const CUE_LATE_MS = 400;
/** One cue's sound is not begun again within this. */
export const CUE_EVERY_MS = 60;
/** What a spell's particles may be: at most, at least, and as a rule. Metres and seconds; gravity is downward. */
export const PARTICLE_LIMITS = {
  count: { least: 1, most: 128, usual: 40 },
  speed: { least: 0, most: 20, usual: 5 },
  seconds: { least: 0.05, most: 4, usual: 0.8 },
  size: { least: 0.02, most: 1.5, usual: 0.2 },
  gravity: { least: -20, most: 20, usual: 2 },
} as const;
/** Sounds at once; one more is not heard. */
export const VOICES_MAX = 24;
/** Further away nothing is heard, metres: what one sees of the world, and half. */
export const SOUND_HEARD_M = 64;
/** Lines of the feed, and how long each is shown. */
export const FEED_LINES_MAX = 6;
export const FEED_LINE_MS = 7000;
/** A line of chat, in bytes: `CHAT_BYTES_MAX` of the wire. */
export const CHAT_BYTES_MAX = 256;
/** Lines of chat that are kept. */
export const CHAT_LINES_MAX = 50;
/** A spell's key that is down for longer shows how far the spell reaches; a tap does not flash. */
export const HOLD_MS = 160;
/** Manifests that are kept: nine spells of each of a few people. */
export const MANIFESTS_MAX = 64;
/** A stick on the screen leans so many pixels, and runs when the finger is so many times as far away. */
export const STICK_TRAVEL_PX = 52;
export const STICK_RUNS_FROM = 1.5;
/** Spells within reach of one key each. */
export const SPELL_SLOTS = 9;

/** Eye above a character's middle, metres: `EYE_HEIGHT_M` of the simulation. */
export const EYE_HEIGHT_M = 0.7;
/** Live casts of one player: `LIVE_CASTS_PER_CASTER_MAX`. */
export const LIVE_CASTS_MAX = 8;
/** Between two casts of one spell: `CAST_COOLDOWN_TICKS`. */
export const CAST_COOLDOWN_MS = 500;
/** Full health of a player: `CHARACTER_HEALTH_MAX`. */
export const HEALTH_MAX = 100;
/** How far a player may dig, metres (`TERRAFORM_RANGE_M`), and what one dig takes. */
export const DIG_RANGE_M = 32;
export const DIG_RADIUS_M = 1.5;
/** Between two digs while the button is down: half of what the server grants. */
export const DIG_INTERVAL_MS = 200;
/** A chunk is so wide: `CHUNK_EDGE`. */
export const CHUNK_EDGE_M = 32;
/** How far one sees, metres; fog hides the edge. Chunks are streamed as far as the furthest, whatever is set: the wire cannot tell the server. */
export const VIEW_M = { near: 48, normal: 96, far: 128 } as const;
export type View = keyof typeof VIEW_M;
