//! The world as it can be looked at: entities and terrain. Spells see it frozen, as it stood when the tick began.

use crate::body::Form;
use crate::geometry::{Aabb, Contact, sweep_box, sweep_capsule};
use crate::grid::{Entry, Grid};
use crate::history::Frame;
use crate::limits::{BODY_REACH_M, CHARACTER_HALF_HEIGHT_M, CHARACTER_RADIUS_M, EYE_HEIGHT_M, RAY_LENGTH_MAX_M};
use crate::storage::Storage;
use crate::voxel::Terrain;
use crate::{EntityId, EntityKind, Quat, Vec3};
use rapier3d::glamx::Vec2;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One entity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// Its id.
    pub id: EntityId,
    /// Its kind.
    pub kind: EntityKind,
    /// Handle or name; empty for projectiles.
    pub name: String,
    /// Who made it; `NONE` for the world.
    pub owner: EntityId,
    /// The middle of its body.
    pub position: Vec3,
    /// How it is turned.
    pub rotation: Quat,
    /// What others bump into.
    pub form: Form,
    /// Metres a second.
    pub velocity: Vec3,
    /// A unit vector.
    pub aim: Vec3,
    /// 0 for what has no health.
    pub health: f32,
    /// 0 for what has no health.
    pub health_max: f32,
    /// Stands on something (players and NPCs).
    pub grounded: bool,
    /// The last input that was simulated (players).
    pub input_sequence: u32,
}

impl Entity {
    /// Where it looks from.
    pub fn eye(&self) -> Vec3 {
        if self.kind.is_character() { self.position + Vec3::Y * EYE_HEIGHT_M } else { self.position }
    }

    /// Whether it can be hurt and healed: it has health, and some is left.
    pub fn is_alive(&self) -> bool {
        self.health_max > 0.0 && self.health > 0.0
    }

    /// Where a ball of this radius that starts at `from`, as seen from the body's middle, meets the body. A box is taken as one grown by the radius.
    fn sweep(&self, from: Vec3, direction: Vec3, length: f32, radius: f32) -> Option<Contact> {
        match self.form {
            Form::Point => None,
            Form::Capsule => {
                let half_segment = CHARACTER_HALF_HEIGHT_M - CHARACTER_RADIUS_M;
                sweep_capsule(from, direction, length, half_segment, CHARACTER_RADIUS_M + radius)
            }
            Form::Box { half } => {
                let into_box = self.rotation.inverse();
                let contact = sweep_box(into_box * from, into_box * direction, length, half + radius)?;
                Some(Contact { normal: self.rotation * contact.normal, ..contact })
            }
            // A capsule without a segment.
            Form::Ball { radius: own } => sweep_capsule(from, direction, length, 0.0, own + radius),
        }
    }
}

/// Where to look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// All within a radius.
    Sphere {
        /// Middle.
        center: Vec3,
        /// Metres.
        radius: f32,
    },
    /// All within a length and an angle.
    Cone {
        /// Tip.
        apex: Vec3,
        /// A unit vector.
        direction: Vec3,
        /// Metres.
        length: f32,
        /// 0 to pi.
        half_angle: f32,
    },
    /// All within a box that is not turned.
    Cuboid {
        /// Middle.
        center: Vec3,
        /// Half of its edges, metres.
        half: Vec3,
    },
}

/// Which kinds a query answers with: bit `1 << (kind as u8)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds(pub u8);

impl Kinds {
    /// Every kind.
    pub const ALL: Self = Self(0b1_1110);

    /// These kinds.
    pub fn of(kinds: &[EntityKind]) -> Self {
        Self(kinds.iter().fold(0, |bits, kind| bits | 1 << (*kind as u8)))
    }

    /// Whether the kind is one of them.
    pub fn contains(self, kind: EntityKind) -> bool {
        self.0 & 1 << (kind as u8) != 0
    }
}

/// What a ray met first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RayHit {
    /// `NONE` is the terrain.
    pub entity: EntityId,
    /// Where.
    pub point: Vec3,
    /// The surface's normal.
    pub normal: Vec3,
    /// Metres from the start.
    pub distance: f32,
}

/// A ball's way, straight on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    pub start: Vec3,
    /// A unit vector, or nothing is met.
    pub direction: Vec3,
    /// Metres.
    pub length: f32,
    /// Metres.
    pub radius: f32,
}

/// Entities and terrain, without physics, and what spells keep.
#[derive(Debug, Default)]
pub struct Scene {
    entities: BTreeMap<EntityId, Entity>,
    grid: Grid,
    terrain: Terrain,
    storage: Storage,
}

impl Scene {
    /// A scene without entities.
    pub(crate) fn new(terrain: Terrain) -> Self {
        Self { terrain, ..Self::default() }
    }

    /// The entity, if it lives.
    pub fn entity(&self, id: EntityId) -> Option<&Entity> {
        self.entities.get(&id)
    }

    /// All entities, by id.
    pub fn entities(&self) -> impl Iterator<Item = &Entity> {
        self.entities.values()
    }

    /// How many entities there are.
    pub fn len(&self) -> usize {
        self.entities.len()
    }

    /// Whether there is no entity at all.
    pub fn is_empty(&self) -> bool {
        self.entities.is_empty()
    }

    /// The voxels.
    pub fn terrain(&self) -> &Terrain {
        &self.terrain
    }

    /// What spells keep.
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    pub(crate) fn storage_mut(&mut self) -> &mut Storage {
        &mut self.storage
    }

    pub(crate) fn terrain_mut(&mut self) -> &mut Terrain {
        &mut self.terrain
    }

    /// At most `count` entities whose position lies in the shape, nearest first, then by id; `except` is left out.
    pub fn find(&self, shape: Shape, kinds: Kinds, count: usize, except: EntityId) -> Vec<(EntityId, Vec3)> {
        let region = Region::of(shape);
        let mut found: Vec<(f32, EntityId, Vec3)> = Vec::new();
        self.grid.near(Aabb::around_sphere(region.center, region.radius), kinds, |entry| {
            if entry.id != except
                && let Some(distance) = region.distance_squared(entry.position)
            {
                found.push((distance, entry.id, entry.position));
            }
        });
        let order = |a: &(f32, EntityId, Vec3), b: &(f32, EntityId, Vec3)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        if found.len() > count && count > 0 {
            found.select_nth_unstable_by(count - 1, order);
        }
        found.truncate(count);
        found.sort_unstable_by(order);
        found.into_iter().map(|(_, id, position)| (id, position)).collect()
    }

    /// The first thing (terrain, player, NPC or prop; rays pass through projectiles and debris) along the ray; `except` is left out.
    /// `direction` is a unit vector, or nothing is met; beyond `RAY_LENGTH_MAX_M` the ray ends.
    pub fn raycast(&self, start: Vec3, direction: Vec3, length: f32, except: EntityId) -> Option<RayHit> {
        if !direction.is_normalized() {
            return None;
        }
        let length = length.min(RAY_LENGTH_MAX_M);
        let ground = self.terrain.raycast(start, direction, length);
        self.first_of(ground, Way { start, direction, length, radius: 0.0 }, &[except], None)
    }

    /// The first thing that a ball meets on its way, as [`Scene::raycast`]; of two at the same distance the one with the lower id, terrain first.
    /// The point is where they touch.
    pub fn sweep(&self, start: Vec3, direction: Vec3, length: f32, radius: f32, except: EntityId) -> Option<RayHit> {
        self.sweep_past(Way { start, direction, length, radius }, &[except], None)
    }

    /// As [`Scene::sweep`], through everything in `except`; players and NPCs who are still there are met where they were `then`, if that is not now.
    pub(crate) fn sweep_past(&self, way: Way, except: &[EntityId], then: Option<&Frame>) -> Option<RayHit> {
        let Way { start, direction, length, radius } = way;
        if !direction.is_normalized() {
            return None;
        }
        let ground = self.terrain.sweep(start, direction, length, radius);
        self.first_of(ground, way, except, then)
    }

    fn first_of(&self, ground: Option<Contact>, way: Way, except: &[EntityId], then: Option<&Frame>) -> Option<RayHit> {
        let Way { start, direction, length, radius } = way;
        let mut first = ground.map(|contact| (contact, EntityId::NONE));
        let mut meet = |id: EntityId, position: Vec3, reach: f32| {
            // Most of a column is far from the way, and its entry says so: only what is near it is looked up. A box grown by a radius reaches up to 1.74
            // radii further; what is left of the two is for rounding.
            let reach = 2.0 * radius + reach;
            let beside = start + direction * (position - start).dot(direction).max(0.0).min(length);
            if beside.distance_squared(position) > reach * reach || except.contains(&id) {
                return;
            }
            let contact = self.entities.get(&id).and_then(|entity| entity.sweep(start - position, direction, length, radius));
            if let Some(contact) = contact.filter(|contact| first.is_none_or(|(other, by)| (contact.distance, id) < (other.distance, by))) {
                first = Some((contact, id));
            }
        };
        let (of_character, of_prop) = (2.0 * CHARACTER_HALF_HEIGHT_M, 1.1 * BODY_REACH_M);
        let bounds = Aabb::around_segment(start, start + direction * length).grown(radius + BODY_REACH_M);
        self.grid.near(bounds, Kinds::of(&[EntityKind::Prop]), |entry| meet(entry.id, entry.position, of_prop));
        match then {
            None => {
                let characters = Kinds::of(&[EntityKind::Player, EntityKind::Npc]);
                self.grid.near(bounds, characters, |entry| meet(entry.id, entry.position, of_character));
            }
            Some(then) => then.near(bounds).for_each(|(id, position)| meet(id, position, of_character)),
        }
        first.map(|(contact, entity)| RayHit {
            entity,
            point: start + direction * contact.distance - contact.normal * radius,
            normal: contact.normal,
            distance: contact.distance,
        })
    }
}

/// What the world's stages change. Positions change by [`Scene::place`] alone, so that the grid always agrees.
impl Scene {
    pub(crate) fn insert(&mut self, entity: Entity) {
        self.grid.insert(Entry { id: entity.id, kind: entity.kind, position: entity.position });
        self.entities.insert(entity.id, entity);
    }

    pub(crate) fn remove(&mut self, id: EntityId) -> Option<Entity> {
        let entity = self.entities.remove(&id)?;
        self.grid.remove(entity.kind, id, entity.position);
        Some(entity)
    }

    pub(crate) fn place(&mut self, id: EntityId, position: Vec3) {
        let Some(entity) = self.entities.get_mut(&id) else { return };
        self.grid.shift(entity.kind, id, entity.position, position);
        entity.position = position;
    }

    /// For everything but the position.
    pub(crate) fn entity_mut(&mut self, id: EntityId) -> Option<&mut Entity> {
        self.entities.get_mut(&id)
    }

    pub(crate) fn grid(&self) -> &Grid {
        &self.grid
    }
}

/// A shape made ready for many tests.
struct Region {
    center: Vec3,
    radius: f32,
    within: Within,
}

/// What of the ball around it belongs to a region.
enum Within {
    All,
    /// Direction, and the cosine of the half angle.
    Cone(Vec3, f32),
    /// Half of the edges.
    Cuboid(Vec3),
}

impl Region {
    fn of(shape: Shape) -> Self {
        match shape {
            Shape::Sphere { center, radius } => Self { center, radius, within: Within::All },
            // Vec2::from_angle takes its cosine from libm (by rapier's enhanced-determinism), which has the same bits on every target; std's has not.
            Shape::Cone { apex, direction, length, half_angle } => {
                Self { center: apex, radius: length, within: Within::Cone(direction, Vec2::from_angle(half_angle).x) }
            }
            // A little more than to its corners, whatever rounding makes of them.
            Shape::Cuboid { center, half } => Self { center, radius: 1.001 * half.length(), within: Within::Cuboid(half) },
        }
    }

    fn distance_squared(&self, point: Vec3) -> Option<f32> {
        let offset = point - self.center;
        let distance_squared = offset.length_squared();
        let within = distance_squared <= self.radius * self.radius
            && match self.within {
                Within::All => true,
                Within::Cone(direction, cosine) => offset.dot(direction) >= cosine * distance_squared.sqrt(),
                Within::Cuboid(half) => offset.abs().cmple(half).all(),
            };
        within.then_some(distance_squared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entity(id: u64, kind: EntityKind, position: Vec3) -> Entity {
        let form = if kind.is_character() { Form::Capsule } else { Form::Point };
        Entity { form, ..Entity::inert(EntityId(id), kind, position) }
    }

    fn scene(positions: &[[f32; 3]]) -> Scene {
        let mut scene = Scene::new(Terrain::floor());
        for (id, position) in (1..).zip(positions) {
            scene.insert(entity(id, EntityKind::Npc, Vec3::from_array(*position)));
        }
        scene
    }

    fn ids(found: Vec<(EntityId, Vec3)>) -> Vec<u64> {
        found.into_iter().map(|(id, _)| id.0).collect()
    }

    #[test]
    fn a_box_has_corners_and_no_more() {
        let scene = scene(&[[2.9, 5.0, 0.9], [-3.1, 5.0, 0.0], [0.0, 5.0, -1.1], [0.0, 6.9, 0.0]]);
        let shape = Shape::Cuboid { center: Vec3::new(0.0, 5.0, 0.0), half: Vec3::new(3.0, 2.0, 1.0) };
        assert_eq!(ids(scene.find(shape, Kinds::ALL, 9, EntityId::NONE)), [4, 1]);
    }

    #[test]
    fn nearest_first_then_by_id() {
        let scene = scene(&[[2.0, 5.0, 0.0], [-1.0, 5.0, 0.0], [1.0, 5.0, 0.0], [0.0, 5.0, 40.0]]);
        let sphere = Shape::Sphere { center: Vec3::Y * 5.0, radius: 3.0 };
        assert_eq!(ids(scene.find(sphere, Kinds::ALL, 10, EntityId::NONE)), [2, 3, 1]);
        assert_eq!(ids(scene.find(sphere, Kinds::ALL, 2, EntityId(2))), [3, 1]);
        assert_eq!(ids(scene.find(sphere, Kinds::of(&[EntityKind::Prop]), 10, EntityId::NONE)), []);
        assert_eq!(ids(scene.find(sphere, Kinds::ALL, 0, EntityId::NONE)), []);
    }

    #[test]
    fn a_cone_leaves_out_what_is_beside_and_behind() {
        let scene = scene(&[[0.0, 5.0, -4.0], [3.9, 5.0, -4.0], [4.1, 5.0, -4.0], [0.0, 5.0, 4.0]]);
        let cone = |half_angle| Shape::Cone { apex: Vec3::Y * 5.0, direction: Vec3::NEG_Z, length: 10.0, half_angle };
        assert_eq!(ids(scene.find(cone(std::f32::consts::FRAC_PI_4), Kinds::ALL, 10, EntityId::NONE)), [1, 2]);
        assert_eq!(ids(scene.find(cone(std::f32::consts::PI), Kinds::ALL, 10, EntityId::NONE)), [1, 4, 2, 3]);
    }

    #[test]
    fn a_ray_meets_the_body_before_the_ground_behind_it() {
        let scene = scene(&[[0.0, 1.9, -10.0]]);
        let hit = scene.raycast(Vec3::new(0.0, 1.9, 0.0), Vec3::NEG_Z, 50.0, EntityId::NONE).expect("the NPC");
        assert_eq!(hit.entity, EntityId(1));
        assert!((hit.distance - 9.6).abs() < 1e-5);
        assert_eq!(scene.raycast(Vec3::new(0.0, 1.9, 0.0), Vec3::NEG_Z, 50.0, EntityId(1)), None);
        let down = scene.raycast(Vec3::new(0.0, 8.0, 0.0), Vec3::NEG_Y, 50.0, EntityId::NONE).expect("the ground");
        assert_eq!((down.entity, down.point), (EntityId::NONE, Vec3::Y));
        assert_eq!(scene.raycast(Vec3::Y, Vec3::X * 9.0, 50.0, EntityId::NONE), None, "not a unit vector");
    }

    #[test]
    fn a_body_is_met_at_its_own_surface() {
        let mut scene = Scene::new(Terrain::floor());
        let body = |id, x, form| Entity { form, ..entity(id, EntityKind::Prop, Vec3::new(x, 5.0, 0.0)) };
        scene.insert(body(1, 0.0, Form::Box { half: Vec3::new(0.2, 0.3, 1.9) }));
        scene.insert(body(2, 10.0, Form::Ball { radius: 1.5 }));
        scene.insert(body(3, 20.0, Form::Point));
        let met = |x, y, radius| {
            let hit = scene.sweep(Vec3::new(x, y, 5.0), Vec3::NEG_Z, 9.0, radius, EntityId::NONE);
            hit.map(|hit| (hit.entity.0, (hit.distance * 1e4).round() / 1e4))
        };
        assert_eq!(met(0.1, 5.0, 0.0), Some((1, 3.1)));
        assert_eq!(met(0.3, 5.0, 0.0), None);
        assert_eq!(met(0.3, 5.0, 0.5), Some((1, 2.6)));
        assert_eq!(met(10.0, 5.0, 0.5), Some((2, 3.0)));
        assert_eq!(met(11.6, 5.0, 0.0), None);
        assert_eq!(met(20.0, 5.0, 0.0), None, "debris is met by nobody");
    }

    proptest! {
        /// The grid answers as looking at everybody would.
        #[test]
        fn the_grid_finds_what_a_full_look_finds(
            positions in prop::collection::vec(prop::array::uniform3(-40.0f32..40.0), 0..60),
            moved in prop::collection::vec(prop::array::uniform3(-40.0f32..40.0), 0..20),
            center in prop::array::uniform3(-40.0f32..40.0),
            radius in prop_oneof![0.0f32..60.0, Just(1e9)],
        ) {
            let mut scene = scene(&positions);
            for (id, position) in (1..).zip(&moved) {
                scene.place(EntityId(id), Vec3::from_array(*position));
            }
            let center = Vec3::from_array(center);
            let found = ids(scene.find(Shape::Sphere { center, radius }, Kinds::ALL, usize::MAX, EntityId::NONE));
            let mut all: Vec<_> = scene.entities().map(|e| ((e.position - center).length_squared(), e.id.0)).filter(|(d, _)| *d <= radius * radius).collect();
            all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            prop_assert_eq!(found, all.into_iter().map(|(_, id)| id).collect::<Vec<_>>());
        }
    }
}
