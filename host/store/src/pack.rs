//! A whole world as one file of bytes: what an export is and an import takes. Anybody may have written it.

use crate::contents::{Kind, Parts, artifact_key, chunk_key, edit_key};
use crate::format::{self, STATE_VERSION};
use crate::limits::{PACK_BYTES_MAX, PACK_RATIO_FREE_BYTES, PACK_RATIO_MAX, PACK_UNPACKED_BYTES_MAX};
use crate::{Contents, StoreError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The first bytes; the last one is the format's version.
const MAGIC: &[u8; 9] = b"UGCWORLD\x01";
const HASH_BYTES: usize = 32;

#[derive(Serialize, Deserialize)]
struct Packed {
    world_id: String,
    saved_at_ms: i64,
    state_version: u32,
    state: Vec<u8>,
    /// Kind, key and bytes, as in a world file.
    parts: Vec<(u8, Vec<u8>, Vec<u8>)>,
}

/// The world as bytes: magic, SHA-256 of the rest, and the rest, by zstd.
pub fn pack(contents: &Contents) -> Vec<u8> {
    let Contents { world_id, saved_at_ms, stored, artifacts } = contents;
    let chunks = stored.chunks.iter().map(|(id, chunk)| (chunk_key(*id), format::encode_chunk(chunk)));
    let edits = stored.journal.iter().map(|(number, entry)| (edit_key(*number), format::encode_edit(entry)));
    let codes = artifacts.iter().map(|artifact| (artifact_key(&artifact.spell, &artifact.revision), artifact.bytes.to_vec()));
    let packed = Packed {
        world_id: world_id.clone(),
        saved_at_ms: *saved_at_ms,
        state_version: STATE_VERSION,
        state: format::encode_state(&stored.saved),
        parts: chunks.chain(edits).chain(codes).map(|((kind, key), data)| (kind as u8, key, data)).collect(),
    };
    let body = format::compress(&postcard::to_stdvec(&packed).expect("bytes and texts are nothing that postcard refuses"));
    let mut bytes = MAGIC.to_vec();
    bytes.extend(Sha256::digest(&body));
    bytes.extend(body);
    bytes
}

/// The world in these bytes. What it says is checked when it is loaded, as with a world file.
///
/// # Errors
/// When they are no export, of another format, cut or changed.
pub fn unpack(bytes: &[u8]) -> Result<Contents, StoreError> {
    let refused = |what: &str| StoreError::Pack(what.to_owned());
    if bytes.len() > PACK_BYTES_MAX {
        return Err(refused(&format!("{} bytes are over the limit of {PACK_BYTES_MAX}", bytes.len())));
    }
    let rest = bytes.strip_prefix(&MAGIC[..MAGIC.len() - 1]).ok_or_else(|| refused("it does not begin as one"))?;
    let (version, rest) = rest.split_first().ok_or_else(|| refused("it is cut off"))?;
    if *version != MAGIC[MAGIC.len() - 1] {
        return Err(refused(&format!("its format is {version}, and this program reads {}", MAGIC[MAGIC.len() - 1])));
    }
    let (hash, body) = rest.split_at_checked(HASH_BYTES).ok_or_else(|| refused("it is cut off"))?;
    if hash != Sha256::digest(body).as_slice() {
        return Err(refused("its checksum is not that of its bytes: it is cut off or was changed"));
    }
    let unpacked_max = (body.len() * PACK_RATIO_MAX).clamp(PACK_RATIO_FREE_BYTES, PACK_UNPACKED_BYTES_MAX);
    let body = format::decompress(body, unpacked_max).map_err(|error| refused(error.0))?;
    let packed: Packed = postcard::from_bytes(&body).map_err(|_| refused("it does not decode"))?;
    let mut parts = Parts::default();
    for (kind, key, data) in &packed.parts {
        Kind::of(i64::from(*kind)).and_then(|kind| parts.take(kind, key, data)).map_err(|error| refused(error.0))?;
    }
    let saved = format::decode_state(packed.state_version, &packed.state).map_err(|error| refused(error.0))?;
    Ok(parts.into_contents(packed.world_id, packed.saved_at_ms, saved))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim::voxel::{Chunk, ChunkId};
    use std::io::Write;

    fn sealed(body: &[u8]) -> Vec<u8> {
        [MAGIC.as_slice(), &Sha256::digest(body), body].concat()
    }

    fn why_not(bytes: &[u8]) -> String {
        unpack(bytes).expect_err("no export").to_string()
    }

    /// The most memory that this process has had, bytes.
    fn memory_peak() -> usize {
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak is there");
        line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1024
    }

    #[test]
    fn a_bomb_is_refused_before_it_is_unpacked() {
        let mut bomb = zstd::stream::Encoder::new(Vec::new(), 1).expect("memory");
        for _ in 0..1024 {
            bomb.write_all(&[0; 1 << 20]).expect("memory takes all");
        }
        let bomb = sealed(&bomb.finish().expect("memory takes all"));
        assert!(bomb.len() < 1 << 20);
        let before = memory_peak();
        assert_eq!(why_not(&bomb), "not an export of a world: more bytes than may be here");
        assert!(memory_peak() - before < 4 * PACK_RATIO_FREE_BYTES, "{} bytes", memory_peak() - before);
    }

    #[test]
    fn parts_that_unpack_to_more_than_a_world_are_refused() {
        let chunk = format::encode_chunk(&Chunk::filled(|voxel| (voxel.x % 2) as u8));
        let parts = (0..100_000).map(|x| {
            let (kind, key) = chunk_key(ChunkId([x, 0, 0]));
            (kind as u8, key, chunk.clone())
        });
        let (world_id, parts) = (String::new(), parts.collect());
        let packed = Packed { world_id, saved_at_ms: 0, state_version: STATE_VERSION, state: Vec::new(), parts };
        let body = format::compress(&postcard::to_stdvec(&packed).expect("bytes and texts"));
        assert_eq!(why_not(&sealed(&body)), "not an export of a world: more chunks than a world has");
    }
}
