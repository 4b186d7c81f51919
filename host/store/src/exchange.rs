//! A world as JSON, as HTTP gives and takes it, for tools that know nothing of our files.

use crate::limits::IMPORT_ENTITIES_MAX;
use crate::{Contents, StoreError, format};
use flate2::read::GzDecoder;
use flate2::{Compression, write::GzEncoder};
use serde::{Deserialize, Serialize};
use sim::voxel::{CHUNK_VOXELS, Chunk, ChunkId, Terrain};
use sim::{EntityKind, Generation, Inbound, NoSpells, Settings, Stored, Temper, Thoroughness, Vec3, World, material, step};
use std::io::{Read, Write};
use std::sync::Arc;

/// How a chunk's 32,768 voxels are packed before they become base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// As on the v1 wire.
    Gzip,
    /// Smaller and faster.
    Zstd,
}

/// A world as JSON shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shown {
    /// Its id.
    pub world_id: String,
    /// Ticks that were simulated.
    pub server_tick: u64,
    /// When it was saved, milliseconds since 1970.
    pub saved_at_ms: i64,
    /// `floor` or `hills`.
    pub generation: &'static str,
    /// All chunks, by place.
    pub chunks: Vec<ShownChunk>,
    /// All entities, by id.
    pub entities: Vec<ShownEntity>,
}

/// A chunk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShownChunk {
    /// Its place: `floor(position / 32)` on each axis.
    pub chunk_id: [i32; 3],
    /// How often it has changed; at least 1. An import keeps it.
    #[serde(default = "first_version")]
    pub version: u32,
    /// How `data` is packed.
    #[serde(default = "gzip")]
    pub encoding: Encoding,
    /// Base64 of the packed materials, one byte a voxel, at x + 32 y + 1024 z.
    pub data: String,
}

/// An entity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShownEntity {
    /// Its id.
    pub entity_id: u64,
    /// The wire's number: 1 player, 2 NPC, 3 projectile, 4 prop.
    pub entity_type: u8,
    /// Handle or name.
    pub name: String,
    /// The middle, metres.
    pub position: [f32; 3],
    /// A quaternion: x, y, z, w.
    pub rotation: [f32; 4],
    /// Metres a second.
    pub velocity: [f32; 3],
    /// 0 for what has none.
    pub health: f32,
}

/// What makes a world.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Brought {
    /// Chunks; where there is none, there is air, or what the world's generation makes.
    #[serde(default)]
    pub chunks: Vec<ShownChunk>,
    /// NPCs (type 2) and props (type 4). Players (1) and projectiles (3) are passed over, so that what was shown can be brought back.
    #[serde(default)]
    pub entities: Vec<BroughtEntity>,
}

/// An entity of an import.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct BroughtEntity {
    /// The wire's number.
    pub entity_type: u8,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// The middle, metres.
    pub position: [f32; 3],
    /// How an NPC behaves: `dummy` (when left out), `guard` or `critter`.
    pub temper: Option<String>,
}

/// Shows a world.
pub fn show(contents: &Contents, encoding: Encoding) -> Shown {
    let Contents { world_id, saved_at_ms, stored, .. } = contents;
    let chunks = stored.chunks.iter().map(|(id, chunk)| ShownChunk {
        chunk_id: id.0,
        version: chunk.version(),
        encoding,
        data: base64(&encoding.encode(&*chunk.to_voxels())),
    });
    let entities = stored.saved.entities().iter().map(|entity| ShownEntity {
        entity_id: entity.id.0,
        entity_type: entity.kind as u8,
        name: entity.name.clone(),
        position: entity.position.to_array(),
        rotation: entity.rotation.to_array(),
        velocity: entity.velocity.to_array(),
        health: entity.health,
    });
    Shown {
        world_id: world_id.clone(),
        server_tick: stored.saved.tick(),
        saved_at_ms: *saved_at_ms,
        generation: stored.saved.settings().generation.name(),
        chunks: chunks.collect(),
        entities: entities.collect(),
    }
}

/// A world of what was brought, with the settings of the world that it becomes.
///
/// # Errors
/// Which chunk or entity cannot be taken, and why; the whole is refused then.
pub fn bring(brought: Brought, world_id: &str, generation: Generation, now_ms: i64) -> Result<Contents, StoreError> {
    let refused = |what: String| StoreError::Import(what);
    let mut terrain = Terrain::default();
    for (index, chunk) in brought.chunks.into_iter().enumerate() {
        let (id, chunk) = chunk.read().map_err(|what| refused(format!("chunks[{index}]: {what}")))?;
        if terrain.chunk(id).is_some() {
            return Err(refused(format!("chunks[{index}]: chunk {:?} is there twice", id.0)));
        }
        terrain.insert(id, chunk);
        if terrain.len() > sim::limits::CHUNKS_MAX {
            return Err(refused(format!("a world has at most {} chunks", sim::limits::CHUNKS_MAX)));
        }
    }
    if brought.entities.len() > IMPORT_ENTITIES_MAX {
        return Err(refused(format!("{} entities are over the limit of {IMPORT_ENTITIES_MAX}", brought.entities.len())));
    }
    let mut world = World::of(settings(world_id, generation), terrain);
    for (index, entity) in brought.entities.into_iter().enumerate() {
        entity.spawn(&mut world).map_err(|what| refused(format!("entities[{index}]: {what}")))?;
    }
    step(&mut world, &[Inbound::Checkpoint(Thoroughness::Whole)], &mut NoSpells, &mut |_| ());
    let checkpoint = world.take_checkpoint().ok_or_else(|| refused("the world made no save".into()))?;
    Ok(Contents { world_id: world_id.into(), saved_at_ms: now_ms, stored: checkpoint.over(None), artifacts: Vec::new() })
}

/// What a world is made with, from its id: the same world has the same seed wherever it runs.
pub fn settings(world_id: &str, generation: Generation) -> Settings {
    Settings { generation, ..Settings::new(format::seed(world_id)) }
}

/// Checks a world that anybody may have written, by loading it as a server would. The casts are not gone on with here, so they do not count.
///
/// # Errors
/// What is wrong with it.
pub fn verify(stored: &Stored) -> Result<(), StoreError> {
    World::load(stored.clone(), &mut NoSpells).map(drop).map_err(|error| StoreError::Import(error.to_string()))
}

impl Encoding {
    fn encode(self, voxels: &[u8]) -> Vec<u8> {
        match self {
            Self::Gzip => {
                let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
                gzip.write_all(voxels).expect("memory takes all");
                gzip.finish().expect("memory takes all")
            }
            Self::Zstd => format::compress(voxels),
        }
    }

    fn decode(self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Gzip => {
                let mut voxels = Vec::new();
                GzDecoder::new(bytes).take(CHUNK_VOXELS as u64 + 1).read_to_end(&mut voxels).ok()?;
                Some(voxels)
            }
            Self::Zstd => format::decompress(bytes, CHUNK_VOXELS).ok(),
        }
    }
}

impl ShownChunk {
    fn read(&self) -> Result<(ChunkId, Chunk), String> {
        let id = ChunkId(self.chunk_id);
        if !id.is_in_world() {
            return Err(format!("chunk {:?} is outside of the world", self.chunk_id));
        }
        if self.version == 0 {
            return Err("a version is at least 1".into());
        }
        let packed = from_base64(&self.data).ok_or("data is not base64")?;
        let voxels = self.encoding.decode(&packed).ok_or_else(|| format!("data does not unpack as {:?}", self.encoding))?;
        let voxels: Box<[u8; CHUNK_VOXELS]> = voxels
            .into_boxed_slice()
            .try_into()
            .map_err(|other: Box<[u8]>| format!("data unpacks to {} bytes, not {CHUNK_VOXELS}", other.len()))?;
        match voxels.iter().find(|id| material::find(**id).is_none()) {
            Some(unknown) => Err(format!("material {unknown} is unknown")),
            None => Ok((id, Chunk::from_voxels(&voxels, self.version))),
        }
    }
}

impl BroughtEntity {
    fn spawn(&self, world: &mut World) -> Result<(), String> {
        let position = Vec3::from_array(self.position);
        let extent = sim::limits::WORLD_EXTENT_M;
        if !position.is_finite() || position.abs().max_element() > extent || position.y < sim::limits::FALL_LIMIT_M {
            return Err(format!("position {:?} is outside of the world", self.position));
        }
        if self.name.len() > sim::limits::NAME_BYTES_MAX {
            return Err(format!("a name has at most {} bytes", sim::limits::NAME_BYTES_MAX));
        }
        match self.entity_type {
            kind if kind == EntityKind::Player as u8 || kind == EntityKind::Projectile as u8 => {}
            kind if kind == EntityKind::Npc as u8 => {
                let temper = match self.temper.as_deref() {
                    None | Some("dummy") => Temper::Dummy,
                    Some("guard") => Temper::Guard,
                    Some("critter") => Temper::Critter,
                    Some(other) => return Err(format!("there is no temper {other:?}: dummy, guard or critter")),
                };
                world.spawn_npc_of(temper, &self.name, position, Vec3::Z);
            }
            kind if kind == EntityKind::Prop as u8 => _ = world.spawn_prop(&self.name, position),
            other => return Err(format!("there is no entity type {other}: 1 player, 2 npc, 3 projectile, 4 prop")),
        }
        Ok(())
    }
}

fn gzip() -> Encoding {
    Encoding::Gzip
}

fn first_version() -> u32 {
    1
}

fn base64(bytes: &[u8]) -> String {
    base64::Engine::encode(&base64::prelude::BASE64_STANDARD, bytes)
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    base64::Engine::decode(&base64::prelude::BASE64_STANDARD, text).ok()
}

/// The world with its chunks shared, as a file takes it.
pub(crate) fn checkpoint_of(contents: &Contents) -> sim::Checkpoint {
    let Stored { saved, chunks, journal } = &contents.stored;
    sim::Checkpoint {
        saved: saved.clone(),
        chunks: chunks.iter().map(|(id, chunk)| (*id, Arc::clone(chunk))).collect(),
        journal: sim::undo::JournalChange {
            added: journal.iter().map(|(number, entry)| (*number, entry.clone())).collect(),
            gone: Vec::new(),
        },
    }
}
