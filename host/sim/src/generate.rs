//! Making chunks from a seed: whole numbers only, so that every machine makes the same ones, and only where players are.

use crate::limits::{CHUNKS_MAX, CHUNKS_PER_TICK, GENERATE_PLAYERS_PER_TICK, GENERATE_RADIUS_CHUNKS};
use crate::material::BEDROCK;
use crate::voxel::{AIR, CHUNK_EDGE, CHUNK_VOXELS, Chunk, ChunkId, chunk_of, place, voxel_of};
use crate::{IVec3, Vec3, World, player};
use serde::{Deserialize, Serialize};

/// How a world's ground is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Generation {
    /// 5 x 5 chunks of floor; the rest is air.
    Floor,
    /// Hills of grass, dirt and stone without end, flat around the spawn.
    Hills,
}

impl Generation {
    /// Its name in requests and on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Hills => "hills",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Floor, Self::Hills].into_iter().find(|generation| generation.name() == name)
    }
}

/// The ground's height where players enter: voxels up to it are solid.
const SPAWN_HEIGHT: i32 = 4;
/// Voxels from the spawn within which the ground is flat.
const FLAT_RADIUS: i32 = 12;
/// Voxels over which the flat place goes over into hills.
const FLAT_MARGIN: i32 = 24;
/// The highest ground: all surface is in the chunks at y = 0, all that bears it in those at y = -1.
const HEIGHT_MAX: i32 = 16;
/// Fixed point: this is 1.
const ONE: i64 = 1 << 16;

/// Whether a chunk is made there at all.
pub fn has_chunk(generation: Generation, id: ChunkId) -> bool {
    match generation {
        Generation::Floor => false,
        Generation::Hills => matches!(id.0[1], -1 | 0),
    }
}

/// The chunk that is made there, at version 1; the same for the same seed, whoever asks. None where nothing is.
pub fn chunk(generation: Generation, seed: u64, id: ChunkId) -> Option<Chunk> {
    if !has_chunk(generation, id) {
        return None;
    }
    let corner = id.corner_voxel();
    let mut heights = [0; (CHUNK_EDGE * CHUNK_EDGE) as usize];
    for (index, height) in heights.iter_mut().enumerate() {
        let (x, z) = (index as i32 % CHUNK_EDGE, index as i32 / CHUNK_EDGE);
        *height = ground(seed, corner.x + x, corner.z + z);
    }
    let mut voxels = [AIR; CHUNK_VOXELS];
    for (index, voxel) in voxels.iter_mut().enumerate() {
        let IVec3 { x, y, z } = place(index);
        *voxel = layer(corner.y + y, heights[(x + CHUNK_EDGE * z) as usize]);
    }
    Some(Chunk::from_voxels(&voxels, 1))
}

/// The height of the ground in hills: the highest solid voxel's y, 0 to `HEIGHT_MAX`.
pub fn ground(seed: u64, x: i32, z: i32) -> i32 {
    // Broad hills and, a quarter as high, small ones on them.
    let hills = (4 * noise(seed, x, z, 64) + noise(seed ^ 1, x, z, 16)) / 5;
    let height = (hills * i64::from(HEIGHT_MAX)) / ONE;
    let from_spawn = i64::from(x.unsigned_abs().max(z.unsigned_abs())) - i64::from(FLAT_RADIUS);
    let wild = from_spawn.clamp(0, FLAT_MARGIN.into());
    let blended = height * wild + i64::from(SPAWN_HEIGHT) * (i64::from(FLAT_MARGIN) - wild);
    (blended / i64::from(FLAT_MARGIN)) as i32
}

/// The tick's stage: makes chunks that are missing around players, nearest first, a few a tick, the players taking turns.
pub(crate) fn advance(world: &mut World) {
    if world.settings.generation == Generation::Floor || world.players.is_empty() {
        return;
    }
    let mut left = CHUNKS_PER_TICK;
    let count = world.players.len();
    let first = (world.tick % count as u64) as usize;
    let turn: Vec<_> = world.players.keys().cycle().skip(first).take(GENERATE_PLAYERS_PER_TICK.min(count)).copied().collect();
    for id in turn {
        let Some(position) = world.scene.entity(id).map(|entity| entity.position) else { continue };
        for id in around(position, GENERATE_RADIUS_CHUNKS) {
            if left == 0 || world.scene.terrain().len() >= CHUNKS_MAX {
                return;
            }
            left -= usize::from(make(world, id));
        }
    }
}

/// Makes the ground where players enter, at once.
pub(crate) fn spawn_place(world: &mut World) {
    for id in around(player::SPAWN, 1) {
        make(world, id);
    }
}

/// Makes one chunk, if one belongs there and is missing. Whether it did; room for it is the caller's business.
pub(crate) fn make(world: &mut World, id: ChunkId) -> bool {
    if world.scene.terrain().chunk(id).is_some() {
        return false;
    }
    let Some(chunk) = chunk(world.settings.generation, world.settings.seed, id) else { return false };
    world.physics.insert_chunk(id, &chunk);
    world.scene.terrain_mut().insert(id, chunk);
    true
}

/// The chunks of hills around a point, ring by ring, each ring in the order of places.
fn around(point: Vec3, radius: i32) -> impl Iterator<Item = ChunkId> {
    let ChunkId([x, _, z]) = chunk_of(voxel_of(point));
    let ring = move |ring: i32| {
        let columns = (-ring..=ring).flat_map(move |dx| (-ring..=ring).map(move |dz| (dx, dz)));
        columns.filter(move |(dx, dz)| dx.abs().max(dz.abs()) == ring)
    };
    (0..=radius).flat_map(ring).flat_map(move |(dx, dz)| [0, -1].map(|y| ChunkId([x + dx, y, z + dz])))
}

fn layer(y: i32, ground: i32) -> u8 {
    const STONE: u8 = 1;
    const DIRT: u8 = 2;
    const GRASS: u8 = 3;
    match ground - y {
        _ if y == -CHUNK_EDGE => BEDROCK,
        ..0 => AIR,
        0 => GRASS,
        1..=3 => DIRT,
        _ => STONE,
    }
}

/// Value noise, 0 to `ONE`: random heights on a lattice with `cell` voxels between its points, smoothly joined.
fn noise(seed: u64, x: i32, z: i32, cell: i32) -> i64 {
    let (column, row) = (x.div_euclid(cell), z.div_euclid(cell));
    let (across, along) = (smooth(x.rem_euclid(cell), cell), smooth(z.rem_euclid(cell), cell));
    let mix = |a: i64, b: i64, part: i64| a + (b - a) * part / ONE;
    let near = mix(height(seed, column, row), height(seed, column + 1, row), across);
    let far = mix(height(seed, column, row + 1), height(seed, column + 1, row + 1), across);
    mix(near, far, along)
}

/// 3 t^2 - 2 t^3 of a part of a cell.
fn smooth(at: i32, cell: i32) -> i64 {
    let part = i64::from(at) * ONE / i64::from(cell);
    part * part / ONE * (3 * ONE - 2 * part) / ONE
}

/// The lattice's random height at a point, 0 to `ONE` - 1.
fn height(seed: u64, column: i32, row: i32) -> i64 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..12].copy_from_slice(&column.to_le_bytes());
    bytes[12..].copy_from_slice(&row.to_le_bytes());
    (xxhash_rust::xxh3::xxh3_64(&bytes) >> 48) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hills_are_worth_walking_in() {
        let heights: Vec<i32> = (-200..200).flat_map(|x| (-200..200).map(move |z| ground(7, x, z))).collect();
        let (low, high) = (heights.iter().min().expect("some"), heights.iter().max().expect("some"));
        assert!(*low >= 0 && *high < HEIGHT_MAX && high - low >= 8, "{low} to {high}");
        let steep = (-200..200)
            .flat_map(|x| (-200..200).map(move |z| (x, z)))
            .filter(|(x, z)| (ground(7, *x, *z) - ground(7, x + 1, *z)).abs() > 1);
        assert!(steep.count() < heights.len() / 50, "nearly every step is of one voxel");
        assert!((-12..=12).all(|x| (-12..=12).all(|z| ground(7, x, z) == SPAWN_HEIGHT)), "the spawn is flat");
        assert_ne!(ground(7, 150, 90), ground(8, 150, 90), "another seed makes others");
    }

    #[test]
    fn a_column_is_grass_on_dirt_on_stone_on_bedrock() {
        let column: Vec<u8> = [-1, 0]
            .into_iter()
            .flat_map(|y| {
                let voxels = chunk(Generation::Hills, 7, ChunkId([0, y, 0])).expect("hills").to_voxels();
                (0..32).map(move |level| voxels[32 * level])
            })
            .collect();
        assert_eq!(column[..2], [BEDROCK, 1]);
        assert_eq!(column[31..39], [1, 1, 2, 2, 2, 3, 0, 0]);
        assert_eq!(chunk(Generation::Hills, 7, ChunkId([0, 1, 0])), None);
        assert_eq!(chunk(Generation::Floor, 7, ChunkId([0, 0, 0])), None);
    }

    /// The same on every target and in every release: a saved world goes on where it ended.
    #[test]
    fn a_seed_always_makes_the_same_chunks() {
        let hash = |id| chunk(Generation::Hills, 7, ChunkId(id)).expect("hills").hash();
        assert_eq!([hash([3, 0, -5]), hash([-1, 0, 40])].map(|hash| format!("{hash:016x}")), ["5351812dd71566a7", "0dcc34477c693b66"]);
    }
}
