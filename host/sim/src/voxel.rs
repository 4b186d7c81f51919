//! The terrain: chunks of one-byte voxels, and what a box, a ray or a ball meets in them.

mod chunk;
mod ray;

pub(crate) use chunk::place;
pub use chunk::{Chunk, ChunkId, DecodeError};

use crate::geometry::{Aabb, Contact, sweep_box};
use crate::{IVec3, Vec3, limits::RAY_LENGTH_MAX_M, limits::WORLD_EXTENT_M};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Voxels along an edge of a chunk.
pub const CHUNK_EDGE: i32 = 32;
/// Voxels in a chunk; also its bytes when it is unpacked.
pub const CHUNK_VOXELS: usize = (CHUNK_EDGE * CHUNK_EDGE * CHUNK_EDGE) as usize;
/// The material of nothing.
pub const AIR: u8 = 0;
/// The material of a new world's floor.
pub const FLOOR: u8 = 1;
/// Chunks of a new world's floor from the middle to an edge: 5 x 5 in all.
const FLOOR_CHUNKS: i32 = 2;

/// All chunks; where there is none, there is air.
#[derive(Debug, Default)]
pub struct Terrain {
    /// Shared with whoever packs them for a client while the next tick runs.
    chunks: BTreeMap<ChunkId, Arc<Chunk>>,
    /// Changed since `take_dirty`.
    dirty: BTreeSet<ChunkId>,
}

impl Terrain {
    /// The floor of a new world: 5 x 5 chunks whose lowest layer is solid, so that the ground is at y = 1.
    pub fn floor() -> Self {
        Self::floor_over(-FLOOR_CHUNKS..=FLOOR_CHUNKS)
    }

    /// The same over the chunks of these coordinates, along x and along z.
    pub fn floor_over(chunks: RangeInclusive<i32>) -> Self {
        let floor = Chunk::filled(|voxel| if voxel.y == 0 { FLOOR } else { AIR });
        let mut terrain = Self::default();
        for x in chunks.clone() {
            for z in chunks.clone() {
                terrain.insert(ChunkId([x, 0, z]), floor.clone());
            }
        }
        terrain
    }

    /// Puts a chunk in its place; what was there is gone.
    pub fn insert(&mut self, id: ChunkId, chunk: Chunk) {
        self.insert_shared(id, Arc::new(chunk));
    }

    pub(crate) fn insert_shared(&mut self, id: ChunkId, chunk: Arc<Chunk>) {
        self.chunks.insert(id, chunk);
        self.dirty.insert(id);
    }

    /// Takes a chunk out; for clients, which keep only what is near.
    pub fn remove(&mut self, id: ChunkId) {
        self.chunks.remove(&id);
    }

    /// The chunk, if there is one.
    pub fn chunk(&self, id: ChunkId) -> Option<&Arc<Chunk>> {
        self.chunks.get(&id)
    }

    /// All chunks, by place.
    pub fn chunks(&self) -> impl Iterator<Item = (ChunkId, &Chunk)> {
        self.chunks.iter().map(|(id, chunk)| (*id, &**chunk))
    }

    /// How many chunks there are.
    pub fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Whether there is no chunk.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The chunks that were put in their places since this was last asked.
    pub fn take_dirty(&mut self) -> BTreeSet<ChunkId> {
        std::mem::take(&mut self.dirty)
    }

    /// What the voxel is made of.
    pub fn material(&self, voxel: IVec3) -> u8 {
        self.chunks.get(&chunk_of(voxel)).map_or(AIR, |chunk| chunk.material(index_in_chunk(voxel)))
    }

    /// Whether the voxel stops bodies and rays.
    pub fn solid(&self, voxel: IVec3) -> bool {
        self.material(voxel) != AIR
    }

    /// The first solid voxel along a ray of at most `RAY_LENGTH_MAX_M`; `direction` is a unit vector. A ray that starts inside one hits at once, its normal
    /// turned against the ray. Where a ray meets several faces in the same point, it steps along x before y before z, one face at a time:
    /// it never slips through the crack between two voxels that touch along an edge.
    pub fn raycast(&self, start: Vec3, direction: Vec3, length: f32) -> Option<Contact> {
        if !in_world(start) {
            return None;
        }
        if self.solid(voxel_of(start)) {
            return Some(Contact { distance: 0.0, normal: -direction });
        }
        let length = length.min(RAY_LENGTH_MAX_M);
        let mut ray = ray::Ray::new(start, direction)?;
        let mut near = None;
        loop {
            let (axis, distance) = ray.next_face();
            if distance > length {
                return None;
            }
            ray.cross(axis);
            if self.solid_near(ray.voxel(), &mut near) {
                let mut normal = Vec3::ZERO;
                normal[axis] = -direction[axis].signum();
                return Some(Contact { distance, normal });
            }
        }
    }

    /// Whether nothing is between two points, up to `RAY_LENGTH_MAX_M`.
    pub fn line_of_sight(&self, from: Vec3, to: Vec3) -> bool {
        let way = to - from;
        way.try_normalize().is_none_or(|direction| self.raycast(from, direction, way.length()).is_none())
    }

    /// `solid` for one who asks about voxels near each other: looks a chunk up once.
    pub fn probe(&self) -> impl Fn(IVec3) -> bool {
        let near = Cell::new(None);
        move |voxel| {
            let mut at = near.get();
            let solid = self.solid_near(voxel, &mut at);
            near.set(at);
            solid
        }
    }

    /// `solid` for one who goes from voxel to voxel: looks a chunk up once.
    fn solid_near<'a>(&'a self, voxel: IVec3, near: &mut Option<(ChunkId, Option<&'a Chunk>)>) -> bool {
        let id = chunk_of(voxel);
        let chunk = match *near {
            Some((at, chunk)) if at == id => chunk,
            _ => near.insert((id, self.chunks.get(&id).map(|chunk| &**chunk))).1,
        };
        chunk.is_some_and(|chunk| chunk.material(index_in_chunk(voxel)) != AIR)
    }

    /// The first solid voxel that a ball meets on its way; `direction` is a unit vector. Voxels are taken as boxes grown by the radius: a corner is met
    /// up to 0.7 radii too early, in exchange for one exact formula.
    pub(crate) fn sweep(&self, start: Vec3, direction: Vec3, length: f32, radius: f32) -> Option<Contact> {
        if !in_world(start) {
            return None;
        }
        let (low, high) = Aabb::around_segment(start, start + direction * length).grown(radius).voxels();
        let mut first: Option<Contact> = None;
        let mut near = None;
        for x in low.x..=high.x {
            for y in low.y..=high.y {
                for z in low.z..=high.z {
                    let voxel = IVec3::new(x, y, z);
                    if !self.solid_near(voxel, &mut near) {
                        continue;
                    }
                    let contact = sweep_box(start - voxel.as_vec3() - Vec3::splat(0.5), direction, length, Vec3::splat(0.5 + radius));
                    if let Some(contact) = contact.filter(|contact| first.is_none_or(|first| contact.distance < first.distance)) {
                        first = Some(contact);
                    }
                }
            }
        }
        first
    }
}

/// The voxel that holds the point: rounded down, also below 0.
pub fn voxel_of(point: Vec3) -> IVec3 {
    point.floor().as_ivec3()
}

/// The chunk that holds the voxel: rounded down, also below 0.
pub fn chunk_of(voxel: IVec3) -> ChunkId {
    ChunkId(voxel.to_array().map(|coordinate| coordinate >> CHUNK_EDGE.trailing_zeros()))
}

pub(crate) fn index_in_chunk(voxel: IVec3) -> usize {
    let [x, y, z] = voxel.to_array().map(|coordinate| coordinate & (CHUNK_EDGE - 1));
    (x + CHUNK_EDGE * y + CHUNK_EDGE * CHUNK_EDGE * z) as usize
}

/// Bounds the integer arithmetic on voxels; also false for a point that is not finite.
fn in_world(point: Vec3) -> bool {
    point.abs().max_element() <= WORLD_EXTENT_M && point.is_finite()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn terrain_of(solids: &[[i32; 3]]) -> Terrain {
        let mut terrain = Terrain::default();
        for x in -1..=0 {
            for y in -1..=0 {
                for z in -1..=0 {
                    let corner = IVec3::new(x, y, z) * CHUNK_EDGE;
                    let chunk = Chunk::filled(|place| solids.contains(&(place + corner).to_array()) as u8);
                    terrain.insert(ChunkId([x, y, z]), chunk);
                }
            }
        }
        terrain
    }

    #[test]
    fn negative_coordinates_are_floored() {
        assert_eq!(voxel_of(Vec3::new(-0.25, -1.0, -32.01)), IVec3::new(-1, -1, -33));
        assert_eq!(chunk_of(IVec3::new(-1, -32, -33)), ChunkId([-1, -1, -2]));
        assert_eq!(chunk_of(IVec3::new(0, 31, 32)), ChunkId([0, 0, 1]));
        let terrain = terrain_of(&[[-1, -1, -1]]);
        assert!(terrain.solid(IVec3::new(-1, -1, -1)));
        assert!(!terrain.solid(IVec3::new(0, 0, 0)) && !terrain.solid(IVec3::new(31, 31, 31)));
    }

    #[test]
    fn a_new_floor_is_25_chunks_with_the_ground_at_1() {
        let terrain = Terrain::floor();
        assert_eq!(terrain.chunks().count(), 25);
        assert!(terrain.solid(IVec3::new(-64, 0, 95)) && !terrain.solid(IVec3::new(-65, 0, 0)));
        let hit = terrain.raycast(Vec3::new(-20.5, 10.0, -20.5), Vec3::NEG_Y, 100.0).expect("the ground");
        assert_eq!((hit.distance, hit.normal), (9.0, Vec3::Y));
    }

    #[test]
    fn a_ray_through_a_corner_meets_the_voxel_behind_it() {
        let diagonal = Vec3::ONE.normalize();
        let hit = terrain_of(&[[1, 1, 1]]).raycast(Vec3::splat(0.5), diagonal, 10.0).expect("the voxel");
        assert!((hit.distance - 0.75f32.sqrt()).abs() < 1e-6, "{hit:?}");
        let back = terrain_of(&[[-1, -1, -1]]).raycast(Vec3::splat(0.5), -diagonal, 10.0).expect("the voxel");
        assert!((back.distance - 0.75f32.sqrt()).abs() < 1e-6, "{back:?}");
    }

    #[test]
    fn a_ray_does_not_slip_between_two_voxels_that_share_an_edge() {
        let terrain = terrain_of(&[[1, 0, 0], [0, 1, 0]]);
        let direction = Vec3::new(1.0, 1.0, 0.0).normalize();
        assert!(terrain.raycast(Vec3::splat(0.5), direction, 10.0).is_some());
    }

    #[test]
    fn a_ray_along_a_face_stays_outside() {
        let terrain = Terrain::floor();
        assert_eq!(terrain.raycast(Vec3::new(0.5, 1.0, 0.5), Vec3::X, 50.0), None);
        let down = terrain.raycast(Vec3::new(0.5, 1.0, 0.5), Vec3::NEG_Y, 1.0).expect("the ground it stands on");
        assert_eq!((down.distance, down.normal), (0.0, Vec3::Y));
    }

    #[test]
    fn rays_from_nowhere_meet_nothing() {
        let terrain = Terrain::floor();
        for start in [Vec3::splat(f32::NAN), Vec3::splat(1e30), Vec3::splat(f32::NEG_INFINITY)] {
            assert_eq!(terrain.raycast(start, Vec3::X, f32::INFINITY), None);
            assert_eq!(terrain.sweep(start, Vec3::X, 1.0, 0.1), None);
        }
        assert_eq!(terrain.raycast(Vec3::splat(5.0), Vec3::splat(f32::NAN), 10.0), None);
        assert_eq!(terrain.raycast(Vec3::splat(5.0), Vec3::X, f32::INFINITY), None);
    }

    proptest! {
        /// What a fine walk along the ray finds, the traversal finds too, at the same distance.
        #[test]
        fn a_ray_agrees_with_small_steps(
            start in prop::array::uniform3(-6.0f32..6.0),
            toward in prop::array::uniform3(-1.0f32..1.0),
            solids in prop::collection::vec(prop::array::uniform3(-6i32..6), 1..40),
        ) {
            let terrain = terrain_of(&solids);
            let (start, direction) = (Vec3::from_array(start), Vec3::from_array(toward).normalize_or(Vec3::X));
            let walked = (0..12_000).map(|n| n as f32 * 1e-3).find(|at| terrain.solid(voxel_of(start + direction * *at)));
            let hit = terrain.raycast(start, direction, 12.0);
            if let Some(walked) = walked {
                let hit = hit.expect("the walk met a voxel");
                prop_assert!(hit.distance <= walked + 1e-3, "{} {}", hit.distance, walked);
            }
            if let Some(hit) = hit {
                let inside = start + direction * (hit.distance + 1e-4);
                let near = [inside, inside - hit.normal * 1e-3].iter().any(|point| terrain.solid(voxel_of(*point)));
                prop_assert!(near, "{hit:?}");
            }
        }
    }
}
