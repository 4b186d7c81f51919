//! Rigid bodies: rapier behind the few words that the world needs, by entity.

use crate::limits::{CHARACTER_HALF_HEIGHT_M, CHARACTER_RADIUS_M, GRAVITY, PROP_HALF_M, PROP_MASS_KG, PROP_SPEED_MAX, TICK_SECONDS};
use crate::scene::Scene;
use crate::voxel::{Chunk, ChunkId, Terrain};
use crate::{EntityId, EntityKind, IVec3, Quat, Vec3, World};
use rapier3d::prelude::{ColliderBuilder, ColliderHandle, PhysicsWorld, Pose, RigidBody, RigidBodyBuilder, RigidBodyHandle, SharedShape};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The rigid bodies of one world.
pub(crate) struct Physics {
    rapier: PhysicsWorld,
    bodies: BTreeMap<EntityId, RigidBodyHandle>,
    /// One for each chunk in which something is.
    chunks: BTreeMap<ChunkId, ColliderHandle>,
    /// Chunks whose colliders were changed voxel by voxel: they hold the same voxels as ones made at once, but in another order.
    changed: BTreeSet<ChunkId>,
}

/// A body as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct BodyState {
    pub position: Vec3,
    pub rotation: Quat,
    pub velocity: Vec3,
    pub spin: Vec3,
    pub sleeps: bool,
}

/// The tick's stage: characters push what they walk into, everything falls and rolls, and the scene learns where the props are now.
pub(crate) fn advance(world: &mut World) {
    for entity in world.scene.entities().filter(|entity| entity.kind.is_character()) {
        world.physics.walk_to(entity.id, entity.position);
    }
    world.physics.rapier.step();
    for id in &world.props {
        let Some(state) = world.physics.state(*id) else { continue };
        world.scene.place(*id, state.position);
        if let Some(entity) = world.scene.entity_mut(*id) {
            (entity.rotation, entity.velocity, entity.aim) = (state.rotation, state.velocity, state.rotation * Vec3::NEG_Z);
        }
    }
}

impl Physics {
    pub(crate) fn new(terrain: &Terrain) -> Self {
        let mut physics = Self { rapier: empty_space(), bodies: BTreeMap::new(), chunks: BTreeMap::new(), changed: BTreeSet::new() };
        for (id, chunk) in terrain.chunks() {
            physics.insert_chunk(id, chunk);
        }
        physics
    }

    /// Makes everything anew from what is saved of it, in one order, as a load does: what rapier remembers beside that (contacts, islands, the order of
    /// insertions) would else tell a world that goes on from one that was loaded. Only the shapes of chunks that no edit has touched are kept, for they cost most.
    pub(crate) fn rebuild<'a>(&mut self, scene: &'a Scene, props: impl Fn(EntityId) -> Option<BodyState> + 'a) {
        let shapes: BTreeMap<ChunkId, SharedShape> =
            self.chunks.iter().filter_map(|(id, handle)| Some((*id, self.shape(*id, *handle)?))).collect();
        (self.rapier, self.bodies, self.chunks, self.changed) = (empty_space(), BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        for (id, chunk) in scene.terrain().chunks() {
            match shapes.get(&id) {
                Some(shape) => self.insert_shape(id, shape.clone()),
                None => self.insert_chunk(id, chunk),
            }
        }
        for entity in scene.entities() {
            match entity.kind {
                EntityKind::Player | EntityKind::Npc => self.insert_character(entity.id, entity.position),
                EntityKind::Prop => {
                    if let Some(state) = props(entity.id) {
                        self.insert_prop_as(entity.id, state);
                    }
                }
                EntityKind::Projectile => {}
            }
        }
    }

    /// A body that goes where it is told and moves what is in its way.
    pub(crate) fn insert_character(&mut self, id: EntityId, position: Vec3) {
        let capsule = ColliderBuilder::capsule_y(CHARACTER_HALF_HEIGHT_M - CHARACTER_RADIUS_M, CHARACTER_RADIUS_M);
        self.insert(id, RigidBodyBuilder::kinematic_position_based().translation(position), capsule);
    }

    /// A cube that falls, rolls and can be pushed.
    pub(crate) fn insert_prop(&mut self, id: EntityId, position: Vec3) {
        self.insert_prop_as(id, BodyState { position, rotation: Quat::IDENTITY, velocity: Vec3::ZERO, spin: Vec3::ZERO, sleeps: false });
    }

    /// A cube in this state.
    pub(crate) fn insert_prop_as(&mut self, id: EntityId, state: BodyState) {
        let cube = ColliderBuilder::cuboid(PROP_HALF_M, PROP_HALF_M, PROP_HALF_M).mass(PROP_MASS_KG);
        let BodyState { position, rotation, velocity, spin, sleeps } = state;
        let body = RigidBodyBuilder::dynamic().pose(Pose::from_parts(position, rotation)).linvel(velocity).angvel(spin);
        self.insert(id, body.ccd_enabled(true).sleeping(sleeps), cube);
    }

    /// A collider for a chunk that has none yet; one of air needs none.
    pub(crate) fn insert_chunk(&mut self, id: ChunkId, chunk: &Chunk) {
        let solids: Vec<_> = chunk.solids().collect();
        if !solids.is_empty() {
            self.insert_shape(id, SharedShape::voxels(Vec3::ONE, &solids));
        }
    }

    fn insert_shape(&mut self, id: ChunkId, shape: SharedShape) {
        let collider = ColliderBuilder::new(shape).translation(id.corner());
        self.chunks.insert(id, self.rapier.insert_collider(collider, None));
    }

    /// The shape of a chunk's collider, if it is as it was made.
    fn shape(&self, id: ChunkId, handle: ColliderHandle) -> Option<SharedShape> {
        let made = !self.changed.contains(&id);
        self.rapier.colliders.get(handle).filter(|_| made).map(|collider| collider.shared_shape().clone())
    }

    /// Brings the collider of a chunk up to what the chunk is now; `turned` are the voxels, by their places in it, that became solid or did not stay so.
    pub(crate) fn change_chunk(&mut self, id: ChunkId, chunk: &Chunk, turned: &[(IVec3, bool)]) {
        let Some(handle) = self.chunks.get(&id).copied() else { return self.insert_chunk(id, chunk) };
        if chunk.is_air() {
            self.chunks.remove(&id);
            self.changed.remove(&id);
            self.rapier.remove_collider(handle);
        } else if !turned.is_empty()
            && let Some(voxels) = self.rapier.colliders.get_mut(handle).and_then(|collider| collider.shape_mut().as_voxels_mut())
        {
            for (place, solid) in turned {
                voxels.set_voxel(*place, *solid);
            }
            self.changed.insert(id);
        }
    }

    /// The chunks that have colliders.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = ChunkId> {
        self.chunks.keys().copied()
    }

    /// Wakes the bodies whose middles are in this box.
    pub(crate) fn wake(&mut self, low: Vec3, high: Vec3) {
        for handle in self.bodies.values() {
            if let Some(body) = self.rapier.bodies.get_mut(*handle)
                && body.is_sleeping()
                && body.translation().cmpge(low).all()
                && body.translation().cmple(high).all()
            {
                body.wake_up(true);
            }
        }
    }

    pub(crate) fn remove(&mut self, id: EntityId) {
        if let Some(handle) = self.bodies.remove(&id) {
            self.rapier.remove_body(handle);
        }
    }

    /// Newton seconds at the middle of a prop.
    pub(crate) fn push(&mut self, id: EntityId, impulse: Vec3) {
        if let Some(body) = self.body_mut(id) {
            body.apply_impulse(impulse, true);
            body.set_linvel(body.linvel().clamp_length_max(PROP_SPEED_MAX), true);
        }
    }

    pub(crate) fn state(&self, id: EntityId) -> Option<BodyState> {
        self.bodies.get(&id).and_then(|handle| self.rapier.bodies.get(*handle)).map(BodyState::of)
    }

    /// All bodies, by entity.
    pub(crate) fn states(&self) -> impl Iterator<Item = (EntityId, BodyState)> {
        self.bodies.keys().filter_map(|id| self.state(*id).map(|state| (*id, state)))
    }

    /// Bodies that the last step has disabled because their state was not finite, by entity.
    pub(crate) fn quarantined(&self) -> Vec<EntityId> {
        let disabled = self.rapier.quarantine().bodies();
        self.bodies.iter().filter(|(_, handle)| disabled.contains(handle)).map(|(id, _)| *id).collect()
    }

    #[cfg(test)]
    pub(crate) fn spoil(&mut self, id: EntityId) {
        self.body_mut(id).expect("a body").set_linvel(Vec3::splat(f32::NAN), true);
    }

    fn walk_to(&mut self, id: EntityId, position: Vec3) {
        if let Some(body) = self.body_mut(id) {
            body.set_next_kinematic_translation(position);
        }
    }

    fn insert(&mut self, id: EntityId, body: RigidBodyBuilder, collider: ColliderBuilder) {
        let (handle, _) = self.rapier.insert(body, collider);
        self.bodies.insert(id, handle);
    }

    fn body_mut(&mut self, id: EntityId) -> Option<&mut RigidBody> {
        self.bodies.get(&id).and_then(|handle| self.rapier.bodies.get_mut(*handle))
    }
}

fn empty_space() -> PhysicsWorld {
    let mut rapier = PhysicsWorld::new();
    rapier.gravity = Vec3::NEG_Y * GRAVITY;
    rapier.integration_parameters.dt = TICK_SECONDS;
    rapier
}

impl BodyState {
    fn of(body: &RigidBody) -> Self {
        Self {
            position: body.translation(),
            rotation: *body.rotation(),
            velocity: body.linvel(),
            spin: body.angvel(),
            sleeps: body.is_sleeping(),
        }
    }
}

/// rapier's own state says nothing to a reader.
impl fmt::Debug for Physics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.states()).finish()
    }
}
