//! Every limit of a world file, with its reason.

/// Bytes of a state, unpacked. Entities take some megabytes; the rest is for the casts: `LIVE_CASTS_MAX` of them with 32 KiB each.
pub const STATE_BYTES_MAX: usize = 384 * 1024 * 1024;
/// Bytes of a chunk, unpacked: palette, a byte a voxel, and a head.
pub const CHUNK_BYTES_MAX: usize = 33 * 1024 + 256;
/// Bytes of one edit, unpacked: all that the journal may hold at most.
pub const EDIT_BYTES_MAX: usize = 2 * sim::limits::UNDO_BYTES_MAX;
/// Bytes of all edits, unpacked: their voxels, and names and places for `UNDO_ENTRIES_MAX` of them.
pub const EDITS_BYTES_MAX: usize = EDIT_BYTES_MAX + sim::limits::UNDO_ENTRIES_MAX * 512;
/// Bytes of an artifact: as much as a push to a game server may carry.
pub const ARTIFACT_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Bytes of a whole world in one export, packed. A world of hills that a crowd has walked for a day has about 20 MB.
pub const PACK_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The same, unpacked. Its parts stay packed in it, all but the native code, which packs to a third.
pub const PACK_UNPACKED_BYTES_MAX: usize = 256 * 1024 * 1024;
/// How many times its size an export may unpack to, which is a few times at most.
pub const PACK_RATIO_MAX: usize = 32;
/// An export that unpacks to no more than this is no bomb, whatever the ratio: thousands of chunks that are alike.
pub const PACK_RATIO_FREE_BYTES: usize = 16 * 1024 * 1024;
const _: () = assert!(PACK_RATIO_FREE_BYTES <= PACK_UNPACKED_BYTES_MAX);
/// Entities of an import.
pub const IMPORT_ENTITIES_MAX: usize = 4_096;
const _: () = assert!(IMPORT_ENTITIES_MAX < sim::limits::ENTITIES_MAX);
/// zstd's level for chunks and states: beyond it a tenth is won for three times the work.
pub const ZSTD_LEVEL: i32 = 3;
/// Milliseconds that a writer waits for another one, such as an operator's shell.
pub const BUSY_TIMEOUT_MS: u64 = 2_000;
