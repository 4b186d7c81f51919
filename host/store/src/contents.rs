//! What a world file holds, and its parts as bytes.

use crate::format::{self, BadBytes};
use crate::limits::EDITS_BYTES_MAX;
use sim::Stored;
use sim::limits::{CHUNKS_MAX, UNDO_ENTRIES_MAX};
use sim::voxel::ChunkId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything in a world file.
#[derive(Debug, Clone, PartialEq)]
pub struct Contents {
    /// The world's id.
    pub world_id: String,
    /// When it was saved, milliseconds since 1970.
    pub saved_at_ms: i64,
    /// The world.
    pub stored: Stored,
    /// The code of the spells that its casts and channels name.
    pub artifacts: Vec<Artifact>,
}

/// A revision's signed code, as the builder wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// The spell.
    pub spell: String,
    /// The revision.
    pub revision: String,
    /// The bytes. Shared with whoever loads them.
    pub bytes: Arc<[u8]>,
}

/// What kind of part a row is. The numbers are the file's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i64)]
pub(crate) enum Kind {
    Chunk = 1,
    Edit = 2,
    Artifact = 3,
}

/// A part's name within the file.
pub(crate) type PartKey = (Kind, Vec<u8>);

impl Kind {
    pub(crate) fn of(number: i64) -> Result<Self, BadBytes> {
        [Self::Chunk, Self::Edit, Self::Artifact].into_iter().find(|kind| *kind as i64 == number).ok_or(BadBytes("a part of unknown kind"))
    }
}

pub(crate) fn chunk_key(id: ChunkId) -> PartKey {
    (Kind::Chunk, id.0.iter().flat_map(|coordinate| coordinate.to_be_bytes()).collect())
}

pub(crate) fn edit_key(number: u64) -> PartKey {
    (Kind::Edit, number.to_be_bytes().to_vec())
}

pub(crate) fn artifact_key(spell: &str, revision: &str) -> PartKey {
    (Kind::Artifact, format!("{spell} {revision}").into_bytes())
}

/// The parts of a file as they come in: no more than a world has, for each may unpack to a thousand times its size.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    chunks: BTreeMap<ChunkId, Arc<sim::voxel::Chunk>>,
    journal: BTreeMap<u64, Arc<sim::undo::Entry>>,
    /// Of the journal, unpacked.
    edit_bytes: usize,
    artifacts: Vec<Artifact>,
}

impl Parts {
    pub(crate) fn take(&mut self, kind: Kind, key: &[u8], data: &[u8]) -> Result<(), BadBytes> {
        match kind {
            Kind::Chunk if self.chunks.len() == CHUNKS_MAX => return Err(BadBytes("more chunks than a world has")),
            Kind::Chunk => _ = self.chunks.insert(chunk_id(key)?, Arc::new(format::decode_chunk(data)?)),
            Kind::Edit => {
                let number = u64::from_be_bytes(key.try_into().map_err(|_| BadBytes("an edit's key has 8 bytes"))?);
                let (entry, bytes) = format::decode_edit(data)?;
                self.edit_bytes += bytes;
                if self.journal.len() == UNDO_ENTRIES_MAX || self.edit_bytes > EDITS_BYTES_MAX {
                    return Err(BadBytes("more edits than a world keeps"));
                }
                self.journal.insert(number, Arc::new(entry));
            }
            Kind::Artifact => {
                let name = std::str::from_utf8(key).ok().and_then(|name| name.split_once(' '));
                let (spell, revision) = name.ok_or(BadBytes("an artifact's key is a spell and a revision"))?;
                self.artifacts.push(Artifact { spell: spell.into(), revision: revision.into(), bytes: data.into() });
            }
        }
        Ok(())
    }

    pub(crate) fn into_contents(self, world_id: String, saved_at_ms: i64, saved: sim::Saved) -> Contents {
        let Self { chunks, journal, artifacts, .. } = self;
        Contents { world_id, saved_at_ms, stored: Stored { saved, chunks, journal }, artifacts }
    }
}

fn chunk_id(key: &[u8]) -> Result<ChunkId, BadBytes> {
    let (coordinates, []) = key.as_chunks::<4>() else { return Err(BadBytes("a chunk's key has 12 bytes")) };
    let coordinates: [[u8; 4]; 3] = coordinates.try_into().map_err(|_| BadBytes("a chunk's key has 12 bytes"))?;
    Ok(ChunkId(coordinates.map(i32::from_be_bytes)))
}
