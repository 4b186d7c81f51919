//! Free space: whether a character or a body fits where somebody wants to put it.

use crate::body::Form;
use crate::geometry::overlap;
use crate::limits::{BODY_REACH_M, CHARACTER_SKIN_M, FALL_LIMIT_M, WORLD_EXTENT_M};
use crate::scene::{Kinds, Shape};
use crate::{EntityId, EntityKind, Vec3, World, character};

/// Whether nothing is in the way of a character there: no voxel, no other character, no prop but debris.
pub(crate) fn character_fits(world: &World, id: EntityId, at: Vec3) -> bool {
    is_inside(at)
        && character::fits(at, &|voxel| world.scene.terrain().solid(voxel))
        && nobody_in(world, Kinds::of(&[EntityKind::Player, EntityKind::Npc, EntityKind::Prop]), character::HALF_EXTENTS, at, id)
}

/// Whether a body, not turned, is in no voxel and no character there. It may touch other props: they push each other away.
pub(crate) fn body_fits(world: &World, form: Form, at: Vec3) -> bool {
    let half = form.half() - CHARACTER_SKIN_M;
    is_inside(at)
        && character::none_solid(at - half, at + half, &|voxel| world.scene.terrain().solid(voxel))
        && nobody_in(world, Kinds::of(&[EntityKind::Player, EntityKind::Npc]), form.half(), at, EntityId::NONE)
}

/// Whether a place is within the world.
fn is_inside(at: Vec3) -> bool {
    at.is_finite() && at.y >= FALL_LIMIT_M && at.abs().max_element() <= WORLD_EXTENT_M
}

fn nobody_in(world: &World, kinds: Kinds, half: Vec3, at: Vec3, except: EntityId) -> bool {
    let near = world.scene.find(Shape::Sphere { center: at, radius: half.length() + BODY_REACH_M }, kinds, usize::MAX, except);
    near.into_iter().filter_map(|(id, _)| world.scene.entity(id)).all(|other| {
        // A capsule counts as the box around it, as it does when it moves.
        let form = if other.form == Form::Capsule { Form::Box { half: character::HALF_EXTENTS } } else { other.form };
        let rotation = if other.kind.is_character() { crate::Quat::IDENTITY } else { other.rotation };
        overlap(other.position - at, half - CHARACTER_SKIN_M, form, rotation).is_none()
    })
}
