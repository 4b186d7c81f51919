//! The chunks that have come, kept right by what is told of edits, and which of them have yet to be drawn again. docs/protocol.md says how.

use crate::limits::{ASK_AGAIN_SNAPSHOTS, GROUND_SNAPSHOTS_MAX, KEEP_DISTANCE_CHUNKS};
use crate::mesh::{PADDED_EDGE, Volume};
use protocol::client::ChunkRequest;
use protocol::limits::CHUNK_CREDITS_MAX;
use protocol::server::AffectedChunk;
use protocol::{ClientMessage, v2};
use sim::edit::{Area, Change};
use sim::voxel::{CHUNK_EDGE, CHUNK_VOXELS, Chunk, ChunkId, Terrain, chunk_of, voxel_of};
use sim::{Edit, IVec3, Vec3};
use std::collections::{BTreeMap, BTreeSet};

/// The ground around the player.
#[derive(Debug)]
pub struct Ground {
    terrain: Terrain,
    /// Chunks that are not right, with the version that they have by now at least, and the snapshot after which they were asked for.
    asked: BTreeMap<ChunkId, (u64, u64)>,
    /// Chunks whose picture is old.
    stale: BTreeSet<ChunkId>,
    /// The player's chunk, as the server has it.
    here: Option<ChunkId>,
    snapshots: u64,
    /// Snapshots since which the player waits for ground; none once it has come.
    waits: Option<u32>,
    /// Credits to be given back.
    credits: u32,
    outgoing: Vec<ClientMessage>,
    wrong: u32,
}

impl Default for Ground {
    fn default() -> Self {
        Self {
            terrain: Terrain::default(),
            asked: BTreeMap::new(),
            stale: BTreeSet::new(),
            here: None,
            snapshots: 0,
            waits: Some(0),
            credits: CHUNK_CREDITS_MAX,
            outgoing: Vec::new(),
            wrong: 0,
        }
    }
}

impl Ground {
    /// The copies.
    pub fn terrain(&self) -> &Terrain {
        &self.terrain
    }

    /// Whether the ground under the player has come. Columns come from the nearest on, so it has when another one does.
    pub fn is_known(&self) -> bool {
        self.waits.is_none()
    }

    /// How many copies an edit made other than the server's.
    pub fn wrong(&self) -> u32 {
        self.wrong
    }

    /// A snapshot has come, and the player is there.
    pub fn look(&mut self, position: Vec3) {
        self.snapshots += 1;
        self.waits = self.waits.map(|snapshots| snapshots + 1).filter(|snapshots| *snapshots < GROUND_SNAPSHOTS_MAX);
        let here = chunk_of(voxel_of(position));
        if self.here.replace(here) != Some(here) {
            self.forget_far(here);
        }
        let long_ago = |asked: u64| self.snapshots - asked > ASK_AGAIN_SNAPSHOTS;
        let unanswered: Vec<ChunkId> = self.asked.iter().filter(|(_, (_, asked))| long_ago(*asked)).map(|(id, _)| *id).collect();
        unanswered.into_iter().for_each(|id| self.ask(id, 0));
    }

    /// A chunk has come, asked for or not.
    pub fn take(&mut self, chunk: &v2::Chunk) {
        let id = ChunkId(chunk.chunk_id);
        let fresh = Chunk::from_voxels(&chunk.voxels, chunk.version);
        if self.asked.get(&id).is_none_or(|(least, _)| *least <= chunk.version.into()) && self.asked.remove(&id).is_none() {
            self.credits += 1;
        }
        if self.here.is_some_and(|here| here.0[0] != id.0[0] || here.0[2] != id.0[2]) {
            self.waits = None;
        }
        if self.terrain.chunk(id).is_none_or(|copy| copy.version() <= fresh.version()) {
            self.put(id, fresh);
        }
    }

    /// The terrain has changed. What is no sphere has no edit here, and its chunks are asked for.
    pub fn edit(&mut self, edit: Option<&Edit>, affected: &[AffectedChunk]) {
        for changed in affected {
            let id = ChunkId(changed.chunk_id);
            let right = !self.asked.contains_key(&id) && self.apply(id, edit, changed);
            if !right {
                self.wrong += u32::from(edit.is_some() && self.terrain.chunk(id).is_some());
                self.ask(id, changed.new_version);
            }
        }
    }

    /// What is to be sent.
    pub fn outgoing(&mut self) -> Vec<ClientMessage> {
        let mut messages = std::mem::take(&mut self.outgoing);
        if self.credits > 0 {
            messages.push(ClientMessage::ChunkCredits(self.credits.min(CHUNK_CREDITS_MAX)));
            self.credits = 0;
        }
        messages
    }

    /// The chunk nearest to the player whose picture is old, as it is now with a voxel's width around it; without one it is gone.
    pub fn next_stale(&mut self) -> Option<(ChunkId, Option<Volume>)> {
        let here = self.here.unwrap_or(ChunkId([0; 3]));
        let nearest = self.stale.iter().copied().min_by_key(|id| distance_squared(*id, here))?;
        self.stale.remove(&nearest);
        Some((nearest, self.terrain.chunk(nearest).map(|chunk| self.volume(nearest, chunk))))
    }

    /// Does the edit to a copy. Whether that made it what the server has; a copy that is not is kept until the right one comes, for somebody may stand on it.
    fn apply(&mut self, id: ChunkId, edit: Option<&Edit>, changed: &AffectedChunk) -> bool {
        let (Some(edit), Some(copy)) = (edit, self.terrain.chunk(id)) else { return false };
        let followed = u64::from(copy.version()) + 1 == changed.new_version;
        let mut voxels = copy.to_voxels();
        edit.apply_to(id, &mut voxels);
        let edited = Chunk::from_voxels(&voxels, if followed { copy.version() + 1 } else { copy.version() });
        let right = followed && edited.hash() == changed.hash;
        self.put(id, edited);
        right
    }

    fn ask(&mut self, id: ChunkId, version: u64) {
        let least = self.asked.get(&id).map_or(version, |(least, _)| version.max(*least));
        self.asked.insert(id, (least, self.snapshots));
        self.outgoing.push(ClientMessage::Chunk(ChunkRequest { chunk_id: id.0, last_known_version: 0 }));
    }

    /// Puts a copy in its place; it, and those beside it who see what changed, have to be drawn again.
    fn put(&mut self, id: ChunkId, chunk: Chunk) {
        let old = self.terrain.chunk(id).map_or_else(|| Box::new([0; CHUNK_VOXELS]), |copy| copy.to_voxels());
        let known = self.terrain.chunk(id).is_some();
        let changed = bounds_of_change(&old, &chunk.to_voxels());
        self.terrain.insert(id, chunk);
        self.terrain.take_dirty();
        if !known {
            self.stale.insert(id);
        }
        let Some((low, high)) = changed else { return };
        let sides = |low: i32, high: i32| -i32::from(low == 0)..=i32::from(high == CHUNK_EDGE - 1);
        for x in sides(low.x, high.x) {
            for y in sides(low.y, high.y) {
                for z in sides(low.z, high.z) {
                    let beside = ChunkId([id.0[0] + x, id.0[1] + y, id.0[2] + z]);
                    if self.terrain.chunk(beside).is_some() {
                        self.stale.insert(beside);
                    }
                }
            }
        }
    }

    fn forget_far(&mut self, here: ChunkId) {
        let far: Vec<ChunkId> = self.terrain.chunks().map(|(id, _)| id).filter(|id| !is_kept(*id, here)).collect();
        for id in far {
            self.terrain.remove(id);
            self.stale.insert(id);
        }
        self.asked.retain(|id, _| is_kept(*id, here));
    }

    fn volume(&self, id: ChunkId, chunk: &Chunk) -> Volume {
        let corner = id.corner_voxel();
        let voxels = chunk.to_voxels();
        let mut volume = Volume::default();
        let padded = -1..=CHUNK_EDGE;
        for z in padded.clone() {
            for y in padded.clone() {
                let inside = (0..CHUNK_EDGE).contains(&y) && (0..CHUNK_EDGE).contains(&z);
                if inside {
                    let row = (CHUNK_EDGE * (y + CHUNK_EDGE * z)) as usize;
                    volume.set_row(y, z, &voxels[row..row + CHUNK_EDGE as usize]);
                }
                for x in padded.clone().filter(|x| !inside || *x < 0 || *x == CHUNK_EDGE) {
                    volume.set(IVec3::new(x, y, z), self.terrain.material(corner + IVec3::new(x, y, z)));
                }
            }
        }
        volume
    }
}

/// The edit that the wire's sphere is; none for what changes nothing.
pub fn sphere(op_type: u8, center: [f32; 3], radius: f32, material_id: u8) -> Option<Edit> {
    let change = match op_type {
        1 => Change::Add(material_id),
        2 => Change::Subtract,
        3 => Change::Paint(material_id),
        _ => return None,
    };
    (radius > 0.0).then(|| Edit { area: Area::Sphere { center: Vec3::from_array(center), radius }, change })
}

const _: () = assert!(PADDED_EDGE as i32 == CHUNK_EDGE + 2);

/// The first and last place, on each axis, where the two differ.
fn bounds_of_change(old: &[u8; CHUNK_VOXELS], new: &[u8; CHUNK_VOXELS]) -> Option<(IVec3, IVec3)> {
    let mut bounds: Option<(IVec3, IVec3)> = None;
    let edge = CHUNK_EDGE as usize;
    for (row, (old, new)) in old.chunks_exact(edge).zip(new.chunks_exact(edge)).enumerate() {
        let differs = |x: &usize| old[*x] != new[*x];
        let (Some(first), Some(last)) = ((0..edge).find(differs), (0..edge).rev().find(differs)) else { continue };
        let place = |x: usize| IVec3::new(x as i32, (row % edge) as i32, (row / edge) as i32);
        let (low, high) = bounds.unwrap_or((place(first), place(last)));
        bounds = Some((low.min(place(first)), high.max(place(last))));
    }
    bounds
}

fn is_kept(id: ChunkId, here: ChunkId) -> bool {
    let [x, y, z] = way(id, here);
    x * x + z * z <= KEEP_DISTANCE_CHUNKS * KEEP_DISTANCE_CHUNKS && y.abs() <= KEEP_DISTANCE_CHUNKS
}

fn distance_squared(id: ChunkId, here: ChunkId) -> i64 {
    way(id, here).iter().map(|way| way * way).sum()
}

fn way(id: ChunkId, here: ChunkId) -> [i64; 3] {
    std::array::from_fn(|axis| i64::from(id.0[axis]) - i64::from(here.0[axis]))
}
