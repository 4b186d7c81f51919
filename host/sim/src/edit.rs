//! Changes of the terrain: what may be asked, by whom it is granted, and what it does to voxels, colliders and bodies.

use crate::generate;
use crate::limits::{
    CHARACTER_HALF_HEIGHT_M, CHARACTER_RADIUS_M, CHARACTER_SKIN_M, CHUNK_COORDINATE_MAX, CHUNKS_MAX, TERRAFORM_BURST,
    TERRAFORM_RADIUS_MAX_M, TERRAFORM_RADIUS_MIN_M, TERRAFORM_RANGE_M, TERRAFORM_VOXELS_MAX, TERRAFORM_VOXELS_PER_CASTER_TICK,
    TERRAFORM_VOXELS_PER_EDIT_MIN, TERRAFORM_VOXELS_PER_TICK, TERRAFORMS_PER_SECOND, TICK_HZ, WAKE_MARGIN_M,
};
use crate::outbound::ChangedChunk;
use crate::spells::Call;
use crate::undo::{Author, Change as VoxelChange, Entry};
use crate::voxel::{AIR, CHUNK_EDGE, CHUNK_VOXELS, Chunk, ChunkId, chunk_of, place};
use crate::{EntityId, IVec3, Outbound, Vec3, World, material, player};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One change of the terrain.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    /// Where.
    pub area: Area,
    /// What happens to each voxel there. Bedrock stays, and nothing is put where a player or NPC is.
    pub change: Change,
}

/// Where an edit works.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Area {
    /// The voxels whose middles are within a ball.
    Sphere {
        /// Its middle, metres.
        center: Vec3,
        /// Metres, `TERRAFORM_RADIUS_MIN_M` to `TERRAFORM_RADIUS_MAX_M`.
        radius: f32,
    },
    /// All voxels from one corner to the other, both included; at most `TERRAFORM_VOXELS_MAX`.
    Box {
        /// The corner with the lowest coordinates.
        low: IVec3,
        /// The corner with the highest.
        high: IVec3,
    },
}

/// What an edit does to a voxel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// It becomes this material.
    Add(u8),
    /// It becomes air.
    Subtract,
    /// If it is solid, it becomes this material.
    Paint(u8),
    /// If it is of one material, it becomes the other.
    Replace {
        /// What is looked for.
        from: u8,
        /// What it becomes.
        to: u8,
    },
}

/// A limit that stood against an edit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Refusal {
    /// Its name: `not_finite`, `material`, `radius_m`, `voxels`, `world_bounds`, `range_m`, `rate`, `protected`, `chunks`, and
    /// of a spell's `voxels_per_tick`.
    pub limit: &'static str,
    /// What would have been allowed, in the limit's unit.
    pub allowed: f64,
    /// What was asked.
    pub asked: f64,
}

/// How many edits each player may make now.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Allowances(BTreeMap<EntityId, Allowance>);

/// In parts of an edit, `TICK_HZ` to one, so that it is refilled in whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Allowance {
    parts: u32,
    tick: u64,
}

/// A player's wish: applied or refused, and told either way. An id that is no player's is ignored.
pub(crate) fn terraform(world: &mut World, player: EntityId, edit: Edit, client_sequence: u32) {
    if !world.players.contains_key(&player) {
        return;
    }
    let applied = grant(world, player, &edit).and_then(|()| apply(world, &edit, Author::of(world, player, None)));
    world.emit(match applied {
        Ok(affected) => Outbound::TerraformApplied { player, edit, affected, client_sequence },
        Err(Refusal { limit, allowed, asked }) => Outbound::TerraformRefused { player, client_sequence, limit, allowed, asked },
    });
}

/// A spell's wish, which counts as its caster's; the range is its envelope's business. Told when it is applied.
///
/// # Errors
/// The first limit that stands against it; nothing has changed then.
pub(crate) fn by_spell(world: &mut World, call: &Call, edit: Edit, worked: &mut Worked) -> Result<(), Refusal> {
    edit.check()?;
    unprotected(world, &edit)?;
    worked.take(call.caster, edit.area.work())?;
    let author = Author::of(world, call.caster, Some((call.spell.clone(), call.revision.clone())));
    let affected = apply(world, &edit, author)?;
    world.emit(Outbound::TerraformApplied { player: call.caster, edit, affected, client_sequence: 0 });
    Ok(())
}

/// How many voxels spells have looked at in the running tick to change them.
#[derive(Debug, Default)]
pub(crate) struct Worked {
    by_caster: BTreeMap<EntityId, usize>,
    all: usize,
}

/// Changes the voxels, their colliders and versions, wakes what lay there, and notes it all for who may want it undone. Answers the chunks that changed.
///
/// # Errors
/// When it is malformed, or would need more chunks than a world may have; nothing has changed then.
pub(crate) fn apply(world: &mut World, edit: &Edit, author: Author) -> Result<Vec<ChangedChunk>, Refusal> {
    edit.check()?;
    let (low, high) = edit.area.voxels();
    make_room(world, edit)?;
    let characters = characters_in(world, low, high);
    let mut entry = Entry { tick: world.tick, author, chunks: Vec::new() };
    let mut affected = Vec::new();
    for id in chunks_between(low, high) {
        let Some((voxels, version)) = unpacked(world, id) else { continue };
        let changes = edit.changes(id, &voxels, &characters);
        if !changes.is_empty() {
            affected.push(write(world, id, voxels, version, &changes));
            entry.chunks.push((id, changes));
        }
    }
    world.physics.wake(low.as_vec3() - WAKE_MARGIN_M, high.as_vec3() + 1.0 + WAKE_MARGIN_M);
    world.journal.note(entry);
    Ok(affected)
}

/// Puts changed voxels back into their chunk.
pub(crate) fn write(
    world: &mut World,
    id: ChunkId,
    mut voxels: Box<[u8; CHUNK_VOXELS]>,
    version: u32,
    changes: &[VoxelChange],
) -> ChangedChunk {
    let mut turned = Vec::new();
    for VoxelChange { index, old, new } in changes {
        voxels[usize::from(*index)] = *new;
        if (*old == AIR) != (*new == AIR) {
            turned.push((place(usize::from(*index)), *new != AIR));
        }
    }
    // A version that has run through all numbers begins again at 1: 0 is what was never there.
    let version = version.checked_add(1).unwrap_or(1);
    let chunk = Chunk::from_voxels(&voxels, version);
    let changed = ChangedChunk { id, version, hash: chunk.hash() };
    world.physics.change_chunk(id, &chunk, &turned);
    world.scene.terrain_mut().insert(id, chunk);
    changed
}

/// The chunk's voxels and version; air at version 0 where there is none. `None` when there is none and no room for one.
pub(crate) fn unpacked(world: &World, id: ChunkId) -> Option<(Box<[u8; CHUNK_VOXELS]>, u32)> {
    match world.scene.terrain().chunk(id) {
        Some(chunk) => Some((chunk.to_voxels(), chunk.version())),
        None => (world.scene.terrain().len() < CHUNKS_MAX).then(|| (Box::new([AIR; CHUNK_VOXELS]), 0)),
    }
}

/// The voxels that players and NPCs are in, as first and last of each, as far as they are between these.
pub(crate) fn characters_in(world: &World, low: IVec3, high: IVec3) -> Vec<(IVec3, IVec3)> {
    let ids = world.players.keys().chain(world.npcs.keys());
    let cells = ids.filter_map(|id| world.scene.entity(*id)).map(|entity| cells(entity.position));
    cells.filter(|(first, last)| first.cmple(high).all() && last.cmpge(low).all()).collect()
}

/// Whether the voxel is one of those that `characters_in` has answered.
pub(crate) fn occupied(voxel: IVec3, characters: &[(IVec3, IVec3)]) -> bool {
    characters.iter().any(|(first, last)| first.cmple(voxel).all() && last.cmpge(voxel).all())
}

impl Edit {
    /// Whether it is one that some player somewhere could make.
    ///
    /// # Errors
    /// The first limit that stands against it.
    pub fn check(&self) -> Result<(), Refusal> {
        let refuse = |limit, allowed: f64, asked: f64| Err(Refusal { limit, allowed, asked });
        let unknown = self.change.materials().into_iter().flatten().find(|id| !material::editable(*id));
        if let Some(id) = unknown {
            return refuse("material", (material::MATERIALS.len() - 2) as f64, id.into());
        }
        match self.area {
            Area::Sphere { center, radius } if !center.is_finite() || !radius.is_finite() => return refuse("not_finite", 0.0, 0.0),
            Area::Sphere { radius, .. } if radius < TERRAFORM_RADIUS_MIN_M => {
                return refuse("radius_m", TERRAFORM_RADIUS_MIN_M.into(), radius.into());
            }
            Area::Sphere { radius, .. } if radius > TERRAFORM_RADIUS_MAX_M => {
                return refuse("radius_m", TERRAFORM_RADIUS_MAX_M.into(), radius.into());
            }
            Area::Sphere { center, .. } if center.abs().max_element() > EXTENT_M => {
                return refuse("world_bounds", EXTENT_M.into(), center.abs().max_element().into());
            }
            Area::Sphere { .. } => {}
            Area::Box { low, high } => {
                let edges = (0..3).map(|axis| i64::from(high[axis]) - i64::from(low[axis]) + 1);
                let volume: f64 = edges.map(|edge| edge.max(0) as f64).product();
                if volume < 1.0 || volume > TERRAFORM_VOXELS_MAX as f64 {
                    return refuse("voxels", TERRAFORM_VOXELS_MAX as f64, volume);
                }
            }
        }
        let (low, high) = self.area.voxels();
        let furthest = chunk_of(low).0.into_iter().chain(chunk_of(high).0).map(i32::unsigned_abs).max().unwrap_or(0);
        if furthest > CHUNK_COORDINATE_MAX {
            return refuse("world_bounds", CHUNK_COORDINATE_MAX.into(), furthest.into());
        }
        Ok(())
    }

    /// Does to a client's copy of a chunk what the world does to the chunk, as far as a client can know: not where players and NPCs stand in the way.
    /// Anything that does not pass [`Edit::check`] changes nothing.
    pub fn apply_to(&self, id: ChunkId, voxels: &mut [u8; CHUNK_VOXELS]) {
        if self.check().is_ok() {
            for VoxelChange { index, new, .. } in self.changes(id, voxels, &[]) {
                voxels[usize::from(index)] = new;
            }
        }
    }

    /// What it does to a chunk with these voxels.
    fn changes(&self, id: ChunkId, voxels: &[u8; CHUNK_VOXELS], characters: &[(IVec3, IVec3)]) -> Vec<VoxelChange> {
        let corner = id.corner_voxel();
        let (low, high) = self.area.voxels();
        let (low, high) = ((low - corner).max(IVec3::ZERO), (high - corner).min(IVec3::splat(CHUNK_EDGE - 1)));
        let mut changes = Vec::new();
        for z in low.z..=high.z {
            for y in low.y..=high.y {
                for x in low.x..=high.x {
                    let index = (x + CHUNK_EDGE * y + CHUNK_EDGE * CHUNK_EDGE * z) as u16;
                    let (old, voxel) = (voxels[usize::from(index)], corner + IVec3::new(x, y, z));
                    let new = self.change.of(old);
                    let changed = new != old && material::editable(old) && self.area.contains(voxel);
                    if changed && !(old == AIR && occupied(voxel, characters)) {
                        changes.push(VoxelChange { index, old, new });
                    }
                }
            }
        }
        changes
    }
}

/// Beyond it no chunk may be, metres.
const EXTENT_M: f32 = (CHUNK_COORDINATE_MAX as i32 * CHUNK_EDGE) as f32;

impl Area {
    /// The first and last voxel that may be in it.
    fn voxels(&self) -> (IVec3, IVec3) {
        match *self {
            Self::Sphere { center, radius } => ((center - radius).floor().as_ivec3(), (center + radius).floor().as_ivec3()),
            Self::Box { low, high } => (low, high),
        }
    }

    fn contains(&self, voxel: IVec3) -> bool {
        match *self {
            Self::Sphere { center, radius } => (voxel.as_vec3() + 0.5 - center).length_squared() <= radius * radius,
            Self::Box { .. } => true,
        }
    }

    /// Voxels that an edit looks at there; of one that passes [`Edit::check`].
    fn work(&self) -> usize {
        let (low, high) = self.voxels();
        let edges = (high - low + 1).max(IVec3::ZERO);
        let voxels = edges.to_array().into_iter().fold(1usize, |voxels, edge| voxels.saturating_mul(edge as usize));
        voxels.max(TERRAFORM_VOXELS_PER_EDIT_MIN)
    }

    /// From a point to the middle of a ball, or to the nearest point of a box; metres.
    fn distance(&self, from: Vec3) -> f32 {
        match *self {
            Self::Sphere { center, .. } => center.distance(from),
            Self::Box { low, high } => from.clamp(low.as_vec3(), high.as_vec3() + 1.0).distance(from),
        }
    }

    /// From an upright line through a point to the nearest part of it; metres, below 0 when the line goes through a ball.
    fn beside(&self, line: Vec3) -> f32 {
        let flat = |point: Vec3| Vec3::new(point.x, 0.0, point.z);
        match *self {
            Self::Sphere { center, radius } => flat(center).distance(flat(line)) - radius,
            Self::Box { low, high } => flat(line).clamp(flat(low.as_vec3()), flat(high.as_vec3() + 1.0)).distance(flat(line)),
        }
    }
}

impl Change {
    /// What a voxel of this material becomes.
    fn of(self, old: u8) -> u8 {
        match self {
            Self::Add(material) => material,
            Self::Subtract => AIR,
            Self::Paint(material) if old != AIR => material,
            Self::Replace { from, to } if old == from => to,
            Self::Paint(_) | Self::Replace { .. } => old,
        }
    }

    fn materials(self) -> [Option<u8>; 2] {
        match self {
            Self::Add(material) | Self::Paint(material) => [Some(material), None],
            Self::Subtract => [None, None],
            Self::Replace { from, to } => [Some(from), Some(to)],
        }
    }
}

impl Worked {
    /// Takes the voxels from what the caster, and all, have left in this tick.
    fn take(&mut self, caster: EntityId, voxels: usize) -> Result<(), Refusal> {
        let own = self.by_caster.entry(caster).or_default();
        let left = (TERRAFORM_VOXELS_PER_CASTER_TICK - *own).min(TERRAFORM_VOXELS_PER_TICK - self.all);
        if voxels > left {
            return Err(Refusal { limit: "voxels_per_tick", allowed: left as f64, asked: voxels as f64 });
        }
        *own += voxels;
        self.all += voxels;
        Ok(())
    }
}

impl Allowances {
    /// Takes one edit, or answers how many there are.
    fn take(&mut self, player: EntityId, tick: u64) -> Result<(), f64> {
        const FULL: u32 = TERRAFORM_BURST * TICK_HZ;
        let allowance = self.0.entry(player).or_insert(Allowance { parts: FULL, tick });
        let refill = (tick - allowance.tick).saturating_mul(TERRAFORMS_PER_SECOND.into()).min(FULL.into()) as u32;
        *allowance = Allowance { parts: (allowance.parts + refill).min(FULL), tick };
        match allowance.parts.checked_sub(TICK_HZ) {
            Some(parts) => {
                allowance.parts = parts;
                Ok(())
            }
            None => Err(f64::from(allowance.parts) / f64::from(TICK_HZ)),
        }
    }

    /// For a player who is gone.
    pub(crate) fn forget(&mut self, player: EntityId) {
        self.0.remove(&player);
    }

    /// By player: parts left, and the tick of which that is true.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (EntityId, u32, u64)> {
        self.0.iter().map(|(player, allowance)| (*player, allowance.parts, allowance.tick))
    }
}

/// What the world's rules say of a player's edit.
fn grant(world: &mut World, player: EntityId, edit: &Edit) -> Result<(), Refusal> {
    edit.check()?;
    let from = world.scene.entity(player).map_or(Vec3::ZERO, |entity| entity.position);
    let distance = edit.area.distance(from);
    if distance > TERRAFORM_RANGE_M {
        return Err(Refusal { limit: "range_m", allowed: TERRAFORM_RANGE_M.into(), asked: distance.into() });
    }
    unprotected(world, edit)?;
    world.allowances.take(player, world.tick).map_err(|left| Refusal { limit: "rate", allowed: left, asked: 1.0 })
}

/// Nothing is changed around the spawn.
fn unprotected(world: &World, edit: &Edit) -> Result<(), Refusal> {
    let (protected, beside) = (world.settings.spawn_protection_m, edit.area.beside(player::SPAWN));
    if beside < protected {
        return Err(Refusal { limit: "protected", allowed: protected.into(), asked: beside.max(0.0).into() });
    }
    Ok(())
}

/// Makes the chunks that are generated where the edit works, and checks that those which it would add fit.
fn make_room(world: &mut World, edit: &Edit) -> Result<(), Refusal> {
    let (low, high) = edit.area.voxels();
    let missing: Vec<ChunkId> = chunks_between(low, high).filter(|id| world.scene.terrain().chunk(*id).is_none()).collect();
    let adds = matches!(edit.change, Change::Add(material) if material != AIR) || matches!(edit.change, Change::Replace { from: AIR, .. });
    let made = missing.iter().filter(|id| adds || generate::has_chunk(world.settings.generation, **id)).count();
    let asked = world.scene.terrain().len() + made;
    if asked > CHUNKS_MAX {
        return Err(Refusal { limit: "chunks", allowed: CHUNKS_MAX as f64, asked: asked as f64 });
    }
    for id in missing {
        generate::make(world, id);
    }
    Ok(())
}

/// The first and last voxel that a character is in by more than its skin.
fn cells(position: Vec3) -> (IVec3, IVec3) {
    let half = Vec3::new(CHARACTER_RADIUS_M, CHARACTER_HALF_HEIGHT_M, CHARACTER_RADIUS_M) - CHARACTER_SKIN_M;
    ((position - half).floor().as_ivec3(), (position + half).ceil().as_ivec3() - 1)
}

fn chunks_between(low: IVec3, high: IVec3) -> impl Iterator<Item = ChunkId> {
    let (ChunkId(low), ChunkId(high)) = (chunk_of(low), chunk_of(high));
    (low[0]..=high[0]).flat_map(move |x| (low[1]..=high[1]).flat_map(move |y| (low[2]..=high[2]).map(move |z| ChunkId([x, y, z]))))
}
