//! Ground for worlds that are measured: the generator's hills within a wall, so that nothing rolls out of the world.

use sim::voxel::{AIR, CHUNK_EDGE, Chunk, ChunkId, Terrain};
use sim::{Generation, IVec3, generate};

/// What the wall is made of.
const STONE: u8 = 1;

/// Hills of `2 * reach + 1` chunks each way around the origin, made at once; a wall of one voxel stands at their edge up to y = 31.
pub fn walled(seed: u64, reach: i32) -> Terrain {
    let mut terrain = Terrain::default();
    for x in -reach..=reach {
        for z in -reach..=reach {
            for y in [-1, 0] {
                let id = ChunkId([x, y, z]);
                let chunk = generate::chunk(Generation::Hills, seed, id).expect("hills are made everywhere");
                terrain.insert(id, if x.abs().max(z.abs()) == reach { with_wall(&chunk, id, reach) } else { chunk });
            }
        }
    }
    terrain
}

/// The y of what stands on the ground there.
pub fn surface(seed: u64, x: f32, z: f32) -> f32 {
    (generate::ground(seed, x.floor() as i32, z.floor() as i32) + 1) as f32
}

/// The chunk with the wall in it, if it stands at the edge.
pub fn with_wall(chunk: &Chunk, id: ChunkId, reach: i32) -> Chunk {
    let mut voxels = chunk.to_voxels();
    let (low, high) = (-reach * CHUNK_EDGE, (reach + 1) * CHUNK_EDGE - 1);
    for (index, voxel) in voxels.iter_mut().enumerate().filter(|(_, voxel)| **voxel == AIR) {
        let index = index as i32;
        let IVec3 { x, z, .. } = id.corner_voxel() + IVec3::new(index % CHUNK_EDGE, 0, index / CHUNK_EDGE / CHUNK_EDGE);
        if x == low || x == high || z == low || z == high {
            *voxel = STONE;
        }
    }
    Chunk::from_voxels(&voxels, 1)
}
