//! The bytes of states, chunks and edits, and the sums that guard them.

use crate::limits::{CHUNK_BYTES_MAX, EDIT_BYTES_MAX, STATE_BYTES_MAX, ZSTD_LEVEL};
use sha2::{Digest, Sha256};
use sim::Saved;
use sim::saved::{SavedV1, SavedV2, SavedV3, SavedV4};
use sim::undo::Entry;
use sim::voxel::Chunk;
use xxhash_rust::xxh3::xxh3_64;

/// The version of a state that this program writes.
pub(crate) const STATE_VERSION: u32 = 5;

/// Bytes that are not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadBytes(pub &'static str);

pub(crate) fn encode_state(saved: &Saved) -> Vec<u8> {
    compress(&postcard::to_stdvec(saved).expect("a state is numbers, texts and lists, which postcard takes"))
}

/// The state in these bytes, brought up to the newest version.
pub(crate) fn decode_state(version: u32, bytes: &[u8]) -> Result<Saved, BadBytes> {
    let bytes = decompress(bytes, STATE_BYTES_MAX)?;
    let undecodable = |_| BadBytes("the state does not decode");
    match version {
        1 => postcard::from_bytes(&bytes).map(|old: SavedV1| SavedV4::from(SavedV3::from(SavedV2::from(old))).into()).map_err(undecodable),
        2 => postcard::from_bytes(&bytes).map(|old: SavedV2| SavedV4::from(SavedV3::from(old)).into()).map_err(undecodable),
        3 => postcard::from_bytes(&bytes).map(|old: SavedV3| SavedV4::from(old).into()).map_err(undecodable),
        4 => postcard::from_bytes::<SavedV4>(&bytes).map(Saved::from).map_err(undecodable),
        STATE_VERSION => postcard::from_bytes(&bytes).map_err(undecodable),
        _ => Err(BadBytes("the state's version is unknown")),
    }
}

pub(crate) fn encode_chunk(chunk: &Chunk) -> Vec<u8> {
    compress(&chunk.encode())
}

pub(crate) fn decode_chunk(bytes: &[u8]) -> Result<Chunk, BadBytes> {
    Chunk::decode(&decompress(bytes, CHUNK_BYTES_MAX)?).map_err(|_| BadBytes("a chunk does not decode"))
}

pub(crate) fn encode_edit(entry: &Entry) -> Vec<u8> {
    compress(&postcard::to_stdvec(entry).expect("an edit is numbers, texts and lists, which postcard takes"))
}

/// The edit, and how many bytes it has, unpacked.
pub(crate) fn decode_edit(bytes: &[u8]) -> Result<(Entry, usize), BadBytes> {
    let bytes = decompress(bytes, EDIT_BYTES_MAX)?;
    postcard::from_bytes(&bytes).map(|entry| (entry, bytes.len())).map_err(|_| BadBytes("an edit does not decode"))
}

/// Of a part: its kind, its key and its bytes. SQLite has no unsigned numbers, so sums are stored as the signed ones of the same bits.
pub(crate) fn part_sum(kind: i64, key: &[u8], data: &[u8]) -> u64 {
    let mut bytes = kind.to_le_bytes().to_vec();
    bytes.extend((key.len() as u64).to_le_bytes());
    bytes.extend(key);
    bytes.extend(data);
    xxh3_64(&bytes)
}

/// Of a world's row together with all of its parts. The parts' sums are added up, so that a save need not read what it does not write.
pub(crate) fn world_sum(world_id: &str, save_epoch: i64, state: Option<&StateRow>, parts: u64) -> u64 {
    let mut bytes = save_epoch.to_le_bytes().to_vec();
    bytes.extend(parts.to_le_bytes());
    bytes.extend((world_id.len() as u64).to_le_bytes());
    bytes.extend(world_id.as_bytes());
    if let Some(StateRow { tick, saved_at_ms, version, bytes: state }) = state {
        bytes.extend(tick.to_le_bytes());
        bytes.extend(saved_at_ms.to_le_bytes());
        bytes.extend(version.to_le_bytes());
        bytes.extend(state);
    }
    xxh3_64(&bytes)
}

/// A state as it stands in the world's row.
#[derive(Debug, Clone)]
pub(crate) struct StateRow {
    pub tick: i64,
    pub saved_at_ms: i64,
    pub version: u32,
    pub bytes: Vec<u8>,
}

pub(crate) fn compress(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, ZSTD_LEVEL).expect("zstd compresses into memory")
}

/// At most so many bytes come out, whatever the head of these says.
pub(crate) fn decompress(bytes: &[u8], most: usize) -> Result<Vec<u8>, BadBytes> {
    let mut unpacked = Vec::new();
    let mut decoder = zstd::stream::read::Decoder::new(bytes).map_err(|_| BadBytes("bytes that zstd does not read"))?;
    let read = std::io::Read::read_to_end(&mut std::io::Read::take(&mut decoder, most as u64 + 1), &mut unpacked);
    match read {
        Ok(length) if length <= most => Ok(unpacked),
        Ok(_) => Err(BadBytes("more bytes than may be here")),
        Err(_) => Err(BadBytes("bytes that zstd does not read")),
    }
}

/// A new world's seed: the first 64 bits of its id's SHA-256.
pub(crate) fn seed(world_id: &str) -> u64 {
    let hash = Sha256::digest(world_id.as_bytes());
    u64::from_be_bytes(*hash.first_chunk().expect("a hash has 32 bytes"))
}
