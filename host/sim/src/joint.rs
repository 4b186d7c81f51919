//! Joints that spells make: between two bodies, or between a body and a place in the world. They are kept here as plain values, from which the physics
//! makes its own.

use crate::limits::{JOINT_ARM_MAX_M, JOINTS_MAX, JOINTS_PER_CASTER_MAX, ROPE_LENGTH_MAX_M, ROPE_LENGTH_MIN_M};
use crate::outbound::DespawnReason;
use crate::scene::Entity;
use crate::spells::Call;
use crate::{CastId, EntityId, Quat, Vec3, World};
use serde::{Deserialize, Serialize};

/// A joint to be. Only bodies of the caster's own casts and those of nobody can be joined; debris cannot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JointSpec {
    /// How.
    pub kind: JointKind,
    /// What.
    pub one: EntityId,
    /// To what; `NONE` is the world.
    pub other: EntityId,
    /// Where, in the world; at most `JOINT_ARM_MAX_M` from the middle of each body. For a rope it is only asked for where it hangs from the world.
    pub at: Vec3,
    /// Newtons at which it breaks, above 0; infinite for never.
    pub break_force: f32,
}

/// How two bodies hold together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum JointKind {
    /// As one.
    Fixed,
    /// By a point: they turn about it in every direction.
    Ball,
    /// They turn about an axis.
    Hinge {
        /// A unit vector, in the world.
        axis: Vec3,
    },
    /// Their middles (or the one's, and a place in the world) get no further apart.
    Rope {
        /// `ROPE_LENGTH_MIN_M` to `ROPE_LENGTH_MAX_M`, metres.
        length: f32,
    },
}

/// A joint as it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Joint {
    pub cast: CastId,
    pub caster: EntityId,
    /// A hinge's axis is that of the world at the time when it was made; the frames have it.
    pub kind: JointKind,
    pub one: End,
    pub other: End,
    pub break_force: f32,
}

/// What a joint is to one of its bodies, in that body's own frame.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct End {
    /// `NONE` is the world, whose frame is the world's.
    pub body: EntityId,
    /// From its middle, metres.
    pub anchor: Vec3,
    /// How the world's axes, or those of the hinge, stood to the body's own when they were joined.
    pub frame: Quat,
}

/// Joins what may be joined.
pub(crate) fn make(world: &mut World, id: EntityId, call: &Call, spec: JointSpec) -> bool {
    let of_caster = world.joints.values().filter(|joint| joint.caster == call.caster).count();
    let full = world.joints.len() >= JOINTS_MAX || of_caster >= JOINTS_PER_CASTER_MAX;
    if full || !spec.in_range() || spec.one == spec.other {
        return false;
    }
    let (Some(one), Some(other)) = (end(world, call.caster, spec.one, &spec), end(world, call.caster, spec.other, &spec)) else {
        return false;
    };
    let JointSpec { kind, break_force, .. } = spec;
    let joint = Joint { cast: call.cast, caster: call.caster, kind, one, other, break_force };
    world.physics.join(id, &joint);
    world.joints.insert(id, joint);
    true
}

/// Takes a joint away, and answers whether there was one.
pub(crate) fn remove(world: &mut World, id: EntityId) -> bool {
    world.physics.part(id);
    world.joints.remove(&id).is_some()
}

/// A body is gone: so are its joints.
pub(crate) fn part(world: &mut World, body: EntityId) {
    let of_body = |joint: &Joint| joint.one.body == body || joint.other.body == body;
    let gone: Vec<EntityId> = world.joints.iter().filter(|(_, joint)| of_body(joint)).map(|(id, _)| *id).collect();
    for id in gone {
        world.expire(id, DespawnReason::Expired);
    }
}

/// Joints that the last step has strained too much break, by id.
pub(crate) fn give_way(world: &mut World) {
    let strained = |(id, joint): &(&EntityId, &Joint)| world.physics.strain(**id) > joint.break_force;
    let broken: Vec<EntityId> = world.joints.iter().filter(strained).map(|(id, _)| *id).collect();
    for id in broken {
        world.expire(id, DespawnReason::Expired);
    }
}

/// One end; none where the caster may not join that, or it is too far away.
fn end(world: &World, caster: EntityId, body: EntityId, spec: &JointSpec) -> Option<End> {
    let turn = match spec.kind {
        JointKind::Hinge { axis } => Quat::from_rotation_arc(Vec3::X, axis),
        _ => Quat::IDENTITY,
    };
    if body == EntityId::NONE {
        return Some(End { body, anchor: spec.at, frame: turn });
    }
    let entity = world.scene.entity(body).filter(|entity| may_join(world, caster, entity))?;
    let into_body = entity.rotation.inverse();
    let rope = matches!(spec.kind, JointKind::Rope { .. });
    let anchor = if rope { Vec3::ZERO } else { into_body * (spec.at - entity.position) };
    (anchor.length() <= JOINT_ARM_MAX_M).then_some(End { body, anchor, frame: into_body * turn })
}

fn may_join(world: &World, caster: EntityId, entity: &Entity) -> bool {
    let whole = world.props.get(&entity.id).is_some_and(|prop| !prop.is_debris());
    whole && (entity.owner == caster || entity.owner == EntityId::NONE)
}

impl Joint {
    /// Whether some spell could have made it.
    pub(crate) fn is_sound(&self) -> bool {
        let spec = JointSpec { kind: self.kind, one: self.one.body, other: self.other.body, at: Vec3::ZERO, break_force: self.break_force };
        let end = |end: &End| end.anchor.is_finite() && end.frame.is_finite() && (end.frame.length() - 1.0).abs() < 1e-2;
        spec.in_range() && self.one.body != self.other.body && end(&self.one) && end(&self.other)
    }
}

impl JointSpec {
    fn in_range(&self) -> bool {
        let kind = match self.kind {
            JointKind::Fixed | JointKind::Ball => true,
            JointKind::Hinge { axis } => axis.is_normalized(),
            JointKind::Rope { length } => (ROPE_LENGTH_MIN_M..=ROPE_LENGTH_MAX_M).contains(&length),
        };
        kind && self.break_force > 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NoSpells, step};

    fn hang(break_force: f32, kind: JointKind) -> (World, EntityId) {
        let mut world = World::empty(1);
        let body = world.spawn_prop("crate", Vec3::new(9.0, 8.0, 0.0));
        let at = Vec3::new(9.0, 12.0, 0.0);
        let one =
            End { body, anchor: if matches!(kind, JointKind::Rope { .. }) { Vec3::ZERO } else { Vec3::Y * 4.0 }, frame: Quat::IDENTITY };
        let other = End { body: EntityId::NONE, anchor: at, frame: Quat::IDENTITY };
        let joint = Joint { cast: CastId(1), caster: EntityId::NONE, kind, one, other, break_force };
        let id = world.fresh_id();
        world.physics.join(id, &joint);
        world.joints.insert(id, joint);
        (world, id)
    }

    #[test]
    fn what_hangs_strains_its_joint_by_its_weight() {
        for kind in [JointKind::Rope { length: 4.0 }, JointKind::Ball, JointKind::Fixed, JointKind::Hinge { axis: Vec3::X }] {
            let (mut world, id) = hang(f32::INFINITY, kind);
            for _ in 0..30 {
                step(&mut world, &[], &mut NoSpells, &mut |_| ());
            }
            let strain = world.physics.strain(id);
            assert!((strain - 50.0 * 24.8).abs() < 1.0, "{kind:?}: {strain}");
        }
    }

    #[test]
    fn what_is_not_finite_takes_its_joint_along_and_nothing_else() {
        let (mut world, id) = hang(f32::INFINITY, JointKind::Rope { length: 4.0 });
        let (spoiled, other) = (world.joints[&id].one.body, world.spawn_prop("crate", Vec3::new(5.0, 8.0, 0.0)));
        let end = |body| End { body, anchor: Vec3::ZERO, frame: Quat::IDENTITY };
        let rope = Joint { kind: JointKind::Rope { length: 9.0 }, one: end(spoiled), other: end(other), ..world.joints[&id] };
        let second = world.fresh_id();
        world.physics.join(second, &rope);
        world.joints.insert(second, rope);
        world.physics.spoil(spoiled);
        step(&mut world, &[], &mut NoSpells, &mut |_| ());
        assert!(world.scene.entity(spoiled).is_none() && world.joints.is_empty() && world.physics.joints().count() == 0);
        assert!(world.scene.entity(other).is_some_and(|other| other.position.is_finite()));
        world.check_invariants();
    }
}
