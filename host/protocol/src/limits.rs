//! Every limit of what crosses a process boundary, with its reason.

/// Text files of one spell, all together. The largest library spell is under 4 KiB; generated ones reach tens.
pub const SOURCE_BYTES_MAX: usize = 256 * 1024;
/// Files of one package, assets among them.
pub const PACKAGE_FILES_MAX: usize = 64;
/// Characters of a file's path in a package: ASCII, so bytes as well.
pub const PACKAGE_PATH_CHARS_MAX: usize = 128;
/// Names in such a path.
pub const PACKAGE_DEPTH_MAX: usize = 8;
/// One asset: a texture of 512 x 512, some seconds of sound, a small model.
pub const ASSET_BYTES_MAX: usize = 512 * 1024;
/// All assets of one spell: every client loads them.
pub const ASSETS_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Characters of a spell's display name.
pub const SPELL_NAME_CHARS_MAX: usize = 64;
/// Characters of a spell's description.
pub const SPELL_DESCRIPTION_CHARS_MAX: usize = 1024;
/// Tags of a spell.
pub const SPELL_TAGS_MAX: usize = 16;
/// Characters of a tag.
pub const SPELL_TAG_CHARS_MAX: usize = 32;
/// A core module or component. SDK spells are about 15 kB; other toolchains' are for a later version.
pub const COMPONENT_BYTES_MAX: usize = 1024 * 1024;
/// Native code is 5 to 15 times the size of its wasm; Cranelift's debug-free output of a 1 MiB module fits.
pub const ARTIFACT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// What rustc may say; the rest is drained and dropped (20,000 errors are a known attack).
pub const COMPILER_OUTPUT_BYTES_MAX: usize = 64 * 1024;
/// Diagnostics kept for one build.
pub const DIAGNOSTICS_MAX: usize = 50;
/// A prompt kept as provenance.
pub const PROMPT_BYTES_MAX: usize = 16 * 1024;

/// One message before the handshake.
pub const MESSAGE_BYTES_UNAUTHENTICATED_MAX: usize = 4 * 1024;
/// One message after it.
pub const MESSAGE_BYTES_MAX: usize = 16 * 1024;
const _: () = assert!(MESSAGE_BYTES_UNAUTHENTICATED_MAX <= MESSAGE_BYTES_MAX);
/// Messages that do not parse, within one second, before the connection is closed with 1008.
pub const BAD_MESSAGES_PER_SECOND_MAX: u32 = 20;
/// Inputs in one message of v2: the newest, and those before it again, so that the next message makes up for up to three that were lost.
pub const INPUT_FRAMES_MAX: usize = 4;
/// One snapshot of v2: more than a world full of entities takes.
pub const SNAPSHOT_BYTES_MAX: usize = 1024 * 1024;
/// Groups of entities that one client sees.
pub const SNAPSHOT_GROUPS_MAX: usize = 4_096;
/// Entities of one group.
pub const GROUP_ENTITIES_MAX: usize = 64;
/// Largest magnitude of a coordinate in a snapshot, in its units: 65 km, eight times as far as a world reaches.
pub const STATE_POSITION_MAX: i64 = 1 << 23;
/// States of one group that a client remembers: what it has not acknowledged of them comes whole (at 20 snapshots a second, more than a second and a half).
pub const BASELINES_MAX: usize = 32;
/// A chunk's voxels as palette and indices: format, version and the palette's length, 256 materials, a byte for each voxel.
pub const CHUNK_BYTES_MAX: usize = 6 + 256 + 32 * 32 * 32;
/// Chunks that a client can have let the server send it unasked: with a round trip of 200 ms, 160 in a second.
pub const CHUNK_CREDITS_MAX: u32 = 32;
/// `extra_params` of a cast, as JSON text; the same number stands in the WIT.
pub const CAST_PARAMS_BYTES_MAX: usize = 1024;
/// A line of chat; as long as what a spell may say.
pub const CHAT_BYTES_MAX: usize = 256;
/// Largest magnitude of a position that the wire accepts, in metres.
pub const POSITION_MAX_M: f32 = 1_000_000.0;
/// Largest magnitude of a chunk coordinate: the chunk (32 m) that holds the outermost position.
pub const CHUNK_COORDINATE_MAX: i32 = 31_250;
/// A join ticket is about 350 bytes; a handshake must fit into `MESSAGE_BYTES_UNAUTHENTICATED_MAX` with the rest of its fields.
pub const SESSION_TOKEN_BYTES_MAX: usize = 2048;
const _: () = assert!(SESSION_TOKEN_BYTES_MAX < MESSAGE_BYTES_UNAUTHENTICATED_MAX);
/// `client_` and 12 hex digits are 19 bytes; other clients may name themselves longer.
pub const CLIENT_ID_BYTES_MAX: usize = 64;
/// Radius of one terraforming, in metres: 16 touch at most 8 chunks.
pub const TERRAFORM_RADIUS_MAX_M: f32 = 16.0;
/// Highest material number: a voxel is one byte.
pub const MATERIALS_MAX: u64 = 255;

/// One frame on the link between control plane and game server: a lineup with `DRAFTS_PER_SPELL_MAX` drafts and `BARRED_MAX` barred revisions takes a quarter of it.
pub const LINK_FRAME_BYTES_MAX: usize = 256 * 1024;
/// Players whose drafts of one spell are live in one world.
pub const DRAFTS_PER_SPELL_MAX: usize = 256;
/// Revoked revisions of a spell that a world is told of: the newest.
pub const BARRED_MAX: usize = 256;
/// Reports that a game server keeps for its control plane while it cannot be reached.
pub const LINK_REPORTS_MAX: usize = 256;

/// Fuel of casts is counted in so many equal parts of each doubling, as a power of two: eight, of which each is an eighth of its beginning wide at most.
pub const FUEL_BUCKETS_PER_OCTAVE_BITS: u32 = 3;
/// The first doubling that is counted in parts, from 2^10: a call takes 500 at least, and the cheapest cast 12,500.
pub const FUEL_OCTAVE_FIRST: u32 = 10;
/// Doublings from there: up to 2^36, nearly twice what a cast of ten minutes can take that spends a million in each tick.
pub const FUEL_OCTAVES: u32 = 26;
/// Revisions whose casts are counted in one report; the others come in the next.
pub const USAGE_COUNTED_MAX: usize = 256;
/// Revisions whose live casts are told in one report: as many as a world follows spells.
pub const USAGE_LIVE_MAX: usize = 1_024;
/// Players that one report names, for all of its revisions together.
pub const USAGE_PLAYERS_MAX: usize = 4_096;
