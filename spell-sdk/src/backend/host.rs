//! Calls to the host, by the generated bindings.

use crate::bindings::ugc::spell::{intents, reads, types};
use crate::{Entity, EntityId, EntityKind, Kinds, Level, Limit, Projectile, RayHit, Refusal, Shape, Vec3};

/// The host that runs this component; there is only one.
#[derive(Debug)]
pub struct Backend;

impl Backend {
    pub fn entity(&self, id: EntityId) -> Option<Entity> {
        reads::get_entity(id.0).map(entity)
    }

    pub fn find(&self, within: Shape, kinds: Kinds, count: u32) -> Result<(Vec<u64>, Vec<f32>), Refusal> {
        let kinds = types::EntityKinds::from_bits_retain(kinds.bits());
        let nearby = reads::find(shape(within), kinds, count).map_err(refusal("find"))?;
        Ok((nearby.ids, nearby.positions))
    }

    pub fn raycast(&self, start: Vec3, direction: Vec3, length: f32) -> Result<Option<RayHit>, Refusal> {
        let hit = reads::raycast(start.into(), direction.into(), length).map_err(refusal("raycast"))?;
        Ok(hit.map(|hit| RayHit {
            entity: EntityId(hit.entity),
            point: hit.point.into(),
            normal: hit.normal.into(),
            distance: hit.distance,
        }))
    }

    pub fn fuel_left(&self) -> u64 {
        reads::fuel_left()
    }

    pub fn damage(&self, target: EntityId, amount: f32) -> Result<(), Refusal> {
        intents::damage(target.0, amount).map_err(refusal("damage"))
    }

    pub fn heal(&self, target: EntityId, amount: f32) -> Result<(), Refusal> {
        intents::heal(target.0, amount).map_err(refusal("heal"))
    }

    pub fn push(&self, targets: &[u64], impulses: &[f32]) -> Result<(), Refusal> {
        intents::push(targets, impulses).map_err(refusal("push"))
    }

    pub fn launch(&self, what: Projectile) -> Result<EntityId, Refusal> {
        let Projectile { start, velocity, radius, gravity, seconds, damage } = what;
        let what = types::Projectile { start: start.into(), velocity: velocity.into(), radius, gravity, seconds, damage };
        intents::launch(what).map(EntityId).map_err(refusal("launch"))
    }

    pub fn despawn(&self, id: EntityId) -> Result<(), Refusal> {
        intents::despawn(id.0).map_err(refusal("despawn"))
    }

    pub fn cue(&self, name: &str, at: Vec3, scale: f32) -> Result<(), Refusal> {
        intents::cue(name, at.into(), scale).map_err(refusal("cue"))
    }

    pub fn set_timer(&self, token: u32, ticks: u32) -> Result<(), Refusal> {
        intents::set_timer(token, ticks).map_err(refusal("set-timer"))
    }

    pub fn log(&self, level: Level, text: &str) {
        log(level, text);
    }

    pub fn finish(&self) {
        intents::finish();
    }
}

/// Writes a line without a world at hand: the panic hook has none.
pub fn log(level: Level, text: &str) {
    let level = match level {
        Level::Debug => types::LogLevel::Debug,
        Level::Info => types::LogLevel::Info,
        Level::Warn => types::LogLevel::Warn,
        Level::Error => types::LogLevel::Error,
    };
    intents::log(level, text);
}

fn entity(entity: types::Entity) -> Entity {
    Entity {
        id: EntityId(entity.id),
        kind: match entity.kind {
            types::EntityKind::Player => EntityKind::Player,
            types::EntityKind::Npc => EntityKind::Npc,
            types::EntityKind::Projectile => EntityKind::Projectile,
            types::EntityKind::Prop => EntityKind::Prop,
        },
        position: entity.position.into(),
        velocity: entity.velocity.into(),
        aim: entity.aim.into(),
        health: entity.health,
        health_max: entity.health_max,
    }
}

fn shape(shape: Shape) -> types::Shape {
    match shape {
        Shape::Sphere { center, radius } => types::Shape::Sphere(types::Sphere { center: center.into(), radius }),
        Shape::Cone { apex, direction, length, half_angle } => {
            types::Shape::Cone(types::Cone { apex: apex.into(), direction: direction.into(), length, half_angle })
        }
    }
}

fn refusal(call: &'static str) -> impl Fn(types::Refusal) -> Refusal {
    move |refusal| Refusal {
        call,
        limit: match refusal.limit {
            types::Limit::Capability => Limit::Capability,
            types::Limit::Radius => Limit::Radius,
            types::Limit::Entities => Limit::Entities,
            types::Limit::Finite => Limit::Finite,
            types::Limit::Magnitude => Limit::Magnitude,
            types::Limit::Target => Limit::Target,
            types::Limit::Intents => Limit::Intents,
            types::Limit::Length => Limit::Length,
        },
        allowed: refusal.allowed,
        asked: refusal.asked,
    }
}

impl From<Vec3> for types::Vec3 {
    fn from(Vec3 { x, y, z }: Vec3) -> Self {
        Self { x, y, z }
    }
}

impl From<types::Vec3> for Vec3 {
    fn from(types::Vec3 { x, y, z }: types::Vec3) -> Self {
        Self { x, y, z }
    }
}
