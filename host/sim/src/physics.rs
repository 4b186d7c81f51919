//! Rigid bodies: rapier behind the few words that the world needs, by entity.

use crate::body::{Form, Prop};
use crate::joint::{End, Joint, JointKind};
use crate::limits::{CHARACTER_HALF_HEIGHT_M, CHARACTER_RADIUS_M, GRAVITY, PROP_SPEED_MAX, TICK_SECONDS};
use crate::scene::Scene;
use crate::voxel::{Chunk, ChunkId, Terrain};
use crate::{EntityId, IVec3, Quat, Vec3, World, debris, field, joint, shove};
use rapier3d::prelude::{
    ColliderBuilder, ColliderHandle, GenericJoint, GenericJointBuilder, Group, ImpulseJointHandle, InteractionGroups, InteractionTestMode,
    JointAxesMask, PhysicsWorld, Pose, RigidBody, RigidBodyBuilder, RigidBodyHandle, RopeJointBuilder, SharedShape,
};
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
    joints: BTreeMap<EntityId, ImpulseJointHandle>,
    /// What joints to the world hold on to.
    ground: RigidBodyHandle,
}

/// What debris is in, and what it collides with: everything but characters and other debris.
const DEBRIS: Group = Group::GROUP_2;
/// What characters are in.
const CHARACTERS: Group = Group::GROUP_3;
/// How fast a ball on the ground loses its spin, 1/s: a box lies still by itself.
const BALL_DRAG: f32 = 0.8;

/// What the physics is made of.
pub(crate) struct Rebuilt<'a> {
    pub scene: &'a Scene,
    pub props: &'a BTreeMap<EntityId, Prop>,
    pub joints: &'a BTreeMap<EntityId, Joint>,
    /// Of the props; none for those of the physics itself.
    pub states: Option<&'a BTreeMap<EntityId, BodyState>>,
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

/// The tick's stage: force fields work, everything falls and rolls, hits whom it hits and breaks what it strains, and the scene learns where the props
/// are now.
pub(crate) fn advance(world: &mut World) {
    debris::advance(world);
    field::advance(world);
    for entity in world.scene.entities().filter(|entity| entity.kind.is_character()) {
        world.physics.walk_to(entity.id, entity.position);
    }
    world.physics.rapier.step();
    shove::knock(world);
    joint::give_way(world);
    for id in world.props.keys() {
        let Some(state) = world.physics.state(*id) else { continue };
        world.scene.place(*id, state.position);
        if let Some(entity) = world.scene.entity_mut(*id) {
            (entity.rotation, entity.velocity, entity.aim) = (state.rotation, state.velocity, state.rotation * Vec3::NEG_Z);
        }
    }
}

impl Physics {
    pub(crate) fn new(terrain: &Terrain) -> Self {
        let (rapier, ground) = empty_space();
        let (bodies, chunks, joints) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut physics = Self { rapier, bodies, chunks, changed: BTreeSet::new(), joints, ground };
        for (id, chunk) in terrain.chunks() {
            physics.insert_chunk(id, chunk);
        }
        physics
    }

    /// Makes everything anew from what is saved of it, in one order, as a load does: what rapier remembers beside that (contacts, islands, the order of
    /// insertions) would else tell a world that goes on from one that was loaded. Only the shapes of chunks that no edit has touched are kept, for they cost most.
    pub(crate) fn rebuild(&mut self, world: &Rebuilt<'_>) {
        let shapes: BTreeMap<ChunkId, SharedShape> =
            self.chunks.iter().filter_map(|(id, handle)| Some((*id, self.shape(*id, *handle)?))).collect();
        let states: BTreeMap<EntityId, BodyState> = world.props.keys().filter_map(|id| Some((*id, self.state(*id)?))).collect();
        *self = Self::new(&Terrain::default());
        for (id, chunk) in world.scene.terrain().chunks() {
            match shapes.get(&id) {
                Some(shape) => self.insert_shape(id, shape.clone()),
                None => self.insert_chunk(id, chunk),
            }
        }
        for entity in world.scene.entities() {
            match (world.props.get(&entity.id), world.states.unwrap_or(&states).get(&entity.id)) {
                (Some(prop), Some(state)) => self.insert_prop(entity.id, prop, *state),
                _ if entity.kind.is_character() => self.insert_character(entity.id, entity.position),
                _ => {}
            }
        }
        world.joints.iter().for_each(|(id, joint)| self.join(*id, joint));
    }

    /// A body that goes where it is told and moves what is in its way.
    pub(crate) fn insert_character(&mut self, id: EntityId, position: Vec3) {
        let capsule = ColliderBuilder::capsule_y(CHARACTER_HALF_HEIGHT_M - CHARACTER_RADIUS_M, CHARACTER_RADIUS_M)
            .collision_groups(InteractionGroups::new(CHARACTERS, Group::ALL, InteractionTestMode::And));
        self.insert(id, RigidBodyBuilder::kinematic_position_based().translation(position), capsule);
    }

    /// A body that falls, rolls and can be pushed.
    pub(crate) fn insert_prop(&mut self, id: EntityId, prop: &Prop, state: BodyState) {
        // Always awake: a body that is put in asleep is woken by its first contacts, which come too late to hold it. What rests sleeps again in half a second.
        let BodyState { position, rotation, velocity, spin, sleeps: _ } = state;
        let body = RigidBodyBuilder::dynamic().pose(Pose::from_parts(position, rotation)).linvel(velocity).angvel(spin);
        let (collider, drag) = match prop.form {
            Form::Ball { radius } => (ColliderBuilder::ball(radius), BALL_DRAG),
            form => {
                let half = form.half();
                (ColliderBuilder::cuboid(half.x, half.y, half.z), 0.0)
            }
        };
        let collider = collider.mass(prop.mass_kg);
        if prop.is_debris() {
            let groups = InteractionGroups::new(DEBRIS, Group::ALL & !(DEBRIS | CHARACTERS), InteractionTestMode::And);
            self.insert(id, body, collider.collision_groups(groups));
        } else {
            self.insert(id, body.angular_damping(drag).ccd_enabled(true), collider);
        }
    }

    /// Joins what a joint says; nothing where a body is not there.
    pub(crate) fn join(&mut self, id: EntityId, joint: &Joint) {
        let body = |end: &End| if end.body == EntityId::NONE { Some(self.ground) } else { self.bodies.get(&end.body).copied() };
        let (Some(one), Some(other)) = (body(&joint.one), body(&joint.other)) else { return };
        let handle = self.rapier.insert_impulse_joint(one, other, rapier_joint(joint));
        self.joints.insert(id, handle);
    }

    pub(crate) fn part(&mut self, id: EntityId) {
        if let Some(handle) = self.joints.remove(&id) {
            self.rapier.remove_impulse_joint(handle);
        }
    }

    /// The joints, by id.
    pub(crate) fn joints(&self) -> impl Iterator<Item = EntityId> {
        self.joints.keys().copied()
    }

    /// Newtons with which a joint held in the last step.
    pub(crate) fn strain(&self, id: EntityId) -> f32 {
        let Some(joint) = self.joints.get(&id).and_then(|handle| self.rapier.impulse_joints.get(*handle)) else { return 0.0 };
        // A rope is a limit to the solver. Its impulses are those of one of its smaller steps, the last.
        let impulse = Vec3::from_array([0, 1, 2].map(|axis| joint.impulses[axis] + joint.data.limits[axis].impulse));
        impulse.length() * self.rapier.integration_parameters.num_solver_iterations as f32 / TICK_SECONDS
    }

    /// What props have pressed against a character in the last step, newton seconds, by prop.
    pub(crate) fn blows(&self, character: EntityId) -> Vec<(EntityId, Vec3)> {
        let Some(own) = self.bodies.get(&character).and_then(|handle| self.rapier.bodies.get(*handle)) else { return Vec::new() };
        let pairs = own.colliders().iter().flat_map(|collider| self.rapier.contact_pairs_with(*collider).map(move |pair| (collider, pair)));
        let mut blows: Vec<(EntityId, Vec3)> = pairs
            .filter_map(|(own, pair)| {
                let (other, toward) = if pair.collider1 == *own { (pair.collider2, -1.0) } else { (pair.collider1, 1.0) };
                let body = self.rapier.colliders.get(other).and_then(|collider| collider.parent())?;
                Some((EntityId(self.rapier.bodies.get(body)?.user_data as u64), pair.total_impulse() * toward))
            })
            .filter(|(_, blow)| *blow != Vec3::ZERO)
            .collect();
        blows.sort_by_key(|(prop, _)| *prop);
        blows
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
        let (handle, _) = self.rapier.insert(body.user_data(id.0.into()), collider);
        self.bodies.insert(id, handle);
    }

    fn body_mut(&mut self, id: EntityId) -> Option<&mut RigidBody> {
        self.bodies.get(&id).and_then(|handle| self.rapier.bodies.get_mut(*handle))
    }
}

/// Nothing but what joints to the world hold on to.
fn empty_space() -> (PhysicsWorld, RigidBodyHandle) {
    let mut rapier = PhysicsWorld::new();
    rapier.gravity = Vec3::NEG_Y * GRAVITY;
    rapier.integration_parameters.dt = TICK_SECONDS;
    let ground = rapier.insert_body(RigidBodyBuilder::fixed());
    (rapier, ground)
}

/// Those that are held together at a point do not collide with each other; those on a rope do.
fn rapier_joint(joint: &Joint) -> GenericJoint {
    let frame = |end: &End| Pose::from_parts(end.anchor, end.frame);
    let locked = match joint.kind {
        JointKind::Rope { length } => {
            return RopeJointBuilder::new(length).local_anchor1(joint.one.anchor).local_anchor2(joint.other.anchor).build().into();
        }
        JointKind::Fixed => JointAxesMask::LOCKED_FIXED_AXES,
        JointKind::Ball => JointAxesMask::LOCKED_SPHERICAL_AXES,
        JointKind::Hinge { .. } => JointAxesMask::LOCKED_REVOLUTE_AXES,
    };
    let (one, other) = (frame(&joint.one), frame(&joint.other));
    GenericJointBuilder::new(locked).local_frame1(one).local_frame2(other).contacts_enabled(false).build()
}

impl BodyState {
    /// One that is put somewhere, not turned.
    pub(crate) fn moving(position: Vec3, velocity: Vec3) -> Self {
        Self { position, rotation: Quat::IDENTITY, velocity, spin: Vec3::ZERO, sleeps: false }
    }

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
