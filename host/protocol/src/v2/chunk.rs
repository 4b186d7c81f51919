//! A chunk of terrain: its palette and packed indices, compressed by LZ4.

use super::CHUNK;
use crate::limits::CHUNK_BYTES_MAX;
use serde::{Deserialize, Serialize};

/// Voxels in a chunk.
pub const CHUNK_VOXELS: usize = 32 * 32 * 32;

/// A chunk as a client has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Chunk coordinates.
    pub chunk_id: [i32; 3],
    /// How often it has changed; 0 for air where no chunk is.
    pub version: u32,
    /// xxh3 of its palette and indices in their canonical form: what a client's own copy is compared with.
    pub hash: u64,
    /// Materials: voxel (x, y, z) at x + 32 y + 1024 z.
    pub voxels: Box<[u8; CHUNK_VOXELS]>,
}

/// As it is on the wire, in postcard.
#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    chunk_id: [i32; 3],
    hash: u64,
    /// Bytes that the block holds.
    bytes: u32,
    /// An LZ4 block.
    block: &'a [u8],
}

/// The first byte of the block's content.
const FORMAT: u8 = 1;

/// A chunk as a frame. `content` is its canonical form: format 1, version, the palette's length less 1, the palette, the indices.
pub fn encode_chunk(chunk_id: [i32; 3], hash: u64, content: &[u8]) -> Vec<u8> {
    let wire = Wire { chunk_id, hash, bytes: content.len() as u32, block: &lz4_flex::block::compress(content) };
    postcard::to_extend(&wire, vec![CHUNK]).expect("a chunk has no type that postcard refuses")
}

pub(super) fn decode(body: &[u8]) -> Result<Chunk, postcard::Error> {
    let no_chunk = postcard::Error::DeserializeBadEncoding;
    let (Wire { chunk_id, hash, bytes, block }, []) = postcard::take_from_bytes(body)? else { return Err(no_chunk) };
    let (version, voxels) = inflate(bytes as usize, block).as_deref().and_then(unpack).ok_or(no_chunk)?;
    Ok(Chunk { chunk_id, version, hash, voxels })
}

/// No more room is made than a chunk can need.
fn inflate(bytes: usize, block: &[u8]) -> Option<Vec<u8>> {
    let mut content = vec![0; Some(bytes).filter(|bytes| *bytes <= CHUNK_BYTES_MAX)?];
    let written = lz4_flex::block::decompress_into(block, &mut content).ok()?;
    (written == bytes).then_some(content)
}

/// Version and voxels.
fn unpack(content: &[u8]) -> Option<(u32, Box<[u8; CHUNK_VOXELS]>)> {
    let (&[FORMAT, v0, v1, v2, v3, palette_last], rest) = content.split_first_chunk()? else { return None };
    let (palette, indices) = rest.split_at_checked(usize::from(palette_last) + 1)?;
    let bits = match palette.len() {
        1 => 0,
        2 => 1,
        3..=4 => 2,
        5..=16 => 4,
        _ => 8,
    };
    if indices.len() != CHUNK_VOXELS * bits / 8 {
        return None;
    }
    let mut voxels = Box::new([palette[0]; CHUNK_VOXELS]);
    for (index, voxel) in voxels.iter_mut().enumerate().filter(|_| bits > 0) {
        let at = index * bits;
        *voxel = *palette.get(usize::from(indices[at / 8] >> (at % 8) & u8::MAX >> (8 - bits)))?;
    }
    Some((u32::from_le_bytes([v0, v1, v2, v3]), voxels))
}
