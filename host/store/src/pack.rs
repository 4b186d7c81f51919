//! A whole world as one file of bytes: what an export is and an import takes. Anybody may have written it.

use crate::contents::{Kind, Parts, artifact_key, chunk_key, edit_key};
use crate::format::{self, STATE_VERSION};
use crate::limits::{PACK_BYTES_MAX, PACK_UNPACKED_BYTES_MAX};
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
    let body = format::decompress(body, PACK_UNPACKED_BYTES_MAX).map_err(|error| refused(error.0))?;
    let packed: Packed = postcard::from_bytes(&body).map_err(|_| refused("it does not decode"))?;
    let mut parts = Parts::default();
    for (kind, key, data) in &packed.parts {
        Kind::of(i64::from(*kind)).and_then(|kind| parts.take(kind, key, data)).map_err(|error| refused(error.0))?;
    }
    let saved = format::decode_state(packed.state_version, &packed.state).map_err(|error| refused(error.0))?;
    Ok(parts.into_contents(packed.world_id, packed.saved_at_ms, saved))
}
