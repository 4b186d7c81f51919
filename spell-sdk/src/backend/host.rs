//! Calls to the host, by the generated bindings.

use crate::bindings::ugc::spell::{intents, reads, types};
use crate::{
    Area, Block, Body, Change, Debris, Drawer, Entity, EntityId, EntityKind, Field, Form, Homing, Joint, JointKind, Kinds, Level, Limit,
    Npc, Order, Projectile, RayHit, Recipient, Refusal, Shape, Status, Temper, Vec3, Voxel,
};

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

    pub fn tick(&self) -> u64 {
        reads::tick()
    }

    pub fn line_of_sight(&self, start: Vec3, end: Vec3) -> Result<bool, Refusal> {
        reads::line_of_sight(start.into(), end.into()).map_err(refusal("line-of-sight"))
    }

    pub fn material(&self, at: Vec3) -> Result<u8, Refusal> {
        reads::material(at.into()).map_err(refusal("material"))
    }

    pub fn materials(&self, within: Block) -> Result<Vec<u8>, Refusal> {
        reads::materials(within.into()).map_err(refusal("materials"))
    }

    pub fn fuel_left(&self) -> u64 {
        reads::fuel_left()
    }

    pub fn mana(&self) -> Option<f32> {
        reads::mana()
    }

    pub fn load(&self, whose: Drawer, key: &str) -> Result<Option<Vec<u8>>, Refusal> {
        reads::load(drawer(whose), key).map_err(refusal("load"))
    }

    pub fn send(&self, to: Recipient<'_>, data: &[u8]) -> Result<(), Refusal> {
        let to = match to {
            Recipient::Maker(id) => types::Recipient::Maker(id.0),
            Recipient::Mine(spell) => types::Recipient::Mine(spell.to_owned()),
        };
        intents::send(&to, data).map_err(refusal("send"))
    }

    pub fn say(&self, text: &str, aloud: bool) -> Result<(), Refusal> {
        intents::say(text, aloud).map_err(refusal("say"))
    }

    pub fn store(&self, whose: Drawer, key: &str, value: Option<&[u8]>) -> Result<(), Refusal> {
        intents::store(drawer(whose), key, value).map_err(refusal("store"))
    }

    pub fn dispel(&self, target: EntityId) -> Result<(), Refusal> {
        intents::dispel(target.0).map_err(refusal("dispel"))
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
        let Projectile { start, velocity, radius, gravity, seconds, damage, restitution, bounces, pierces, homing } = what;
        let what = types::Projectile { start: start.into(), velocity: velocity.into(), radius, gravity, seconds, damage };
        if bounces == 0 && pierces == 0 && homing.is_none() {
            return intents::launch(what).map(EntityId).map_err(refusal("launch"));
        }
        let homing = homing.map(|Homing { turn, half_angle }| types::Homing { turn, half_angle });
        let how = types::Flight { restitution, bounces, pierces, homing };
        intents::launch_flying(what, how).map(EntityId).map_err(refusal("launch-flying"))
    }

    pub fn teleport(&self, target: EntityId, to: Vec3) -> Result<(), Refusal> {
        intents::teleport(target.0, to.into()).map_err(refusal("teleport"))
    }

    pub fn afflict(&self, target: EntityId, what: Status, seconds: f32) -> Result<(), Refusal> {
        let what = match what {
            Status::Slow(factor) => types::Status::Slow(factor),
            Status::Root => types::Status::Root,
            Status::Shield(amount) => types::Status::Shield(amount),
            Status::Burn(per_second) => types::Status::Burn(per_second),
        };
        intents::afflict(target.0, what, seconds).map_err(refusal("afflict"))
    }

    pub fn spawn(&self, what: Body) -> Result<EntityId, Refusal> {
        let form = match what.form {
            Form::Cuboid(half) => types::Form::Cuboid(half.into()),
            Form::Ball(radius) => types::Form::Ball(radius),
        };
        let what = types::Body { form, mass: what.mass, position: what.position.into(), velocity: what.velocity.into() };
        intents::spawn_body(what).map(EntityId).map_err(refusal("spawn-body"))
    }

    pub fn scatter(&self, what: Debris) -> Result<(), Refusal> {
        let Debris { at, count, speed, seconds } = what;
        intents::scatter(types::Debris { at: at.into(), count, speed, seconds }).map_err(refusal("scatter"))
    }

    pub fn join(&self, what: Joint) -> Result<EntityId, Refusal> {
        let kind = match what.kind {
            JointKind::Fixed => types::JointKind::Fixed,
            JointKind::Ball => types::JointKind::Ball,
            JointKind::Hinge(axis) => types::JointKind::Hinge(axis.into()),
            JointKind::Rope(length) => types::JointKind::Rope(length),
        };
        let what = types::Joint { kind, one: what.one.0, other: what.other.0, at: what.at.into(), break_force: what.break_force };
        intents::join(what).map(EntityId).map_err(refusal("join"))
    }

    pub fn set_field(&self, what: Field) -> Result<EntityId, Refusal> {
        let Field { center, radius, acceleration, falloff, seconds } = what;
        let what = types::Field { center: center.into(), radius, acceleration, falloff, seconds };
        intents::set_field(what).map(EntityId).map_err(refusal("set-field"))
    }

    pub fn summon(&self, what: Npc) -> Result<EntityId, Refusal> {
        let temper = match what.temper {
            Temper::Dummy => types::Temper::Dummy,
            Temper::Guard => types::Temper::Guard,
            Temper::Critter => types::Temper::Critter,
        };
        let what = types::Npc { temper, position: what.position.into(), aim: what.aim.into() };
        intents::summon(what).map(EntityId).map_err(refusal("summon"))
    }

    pub fn command(&self, npc: EntityId, order: Order) -> Result<(), Refusal> {
        let order = match order {
            Order::Follow => types::Order::Follow,
            Order::Stay => types::Order::Stay,
            Order::Go(to) => types::Order::Go(to.into()),
            Order::Attack(target) => types::Order::Attack(target.0),
        };
        intents::command(npc.0, order).map_err(refusal("command"))
    }

    pub fn terraform(&self, within: Area, what: Change) -> Result<(), Refusal> {
        let within = match within {
            Area::Ball { center, radius } => types::Area::Ball(types::Sphere { center: center.into(), radius }),
            Area::Block(block) => types::Area::Block(block.into()),
        };
        let what = match what {
            Change::Fill(material) => types::Change::Fill(material),
            Change::Dig => types::Change::Dig,
            Change::Paint(material) => types::Change::Paint(material),
            Change::Replace { old, new } => types::Change::Replace(types::Replacement { old, new }),
        };
        intents::terraform(within, what).map_err(refusal("terraform"))
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
        Shape::Cuboid { center, half } => types::Shape::Cuboid(types::Cuboid { center: center.into(), half: half.into() }),
    }
}

fn drawer(whose: Drawer) -> types::Drawer {
    match whose {
        Drawer::Mine => types::Drawer::Mine,
        Drawer::Shared => types::Drawer::Shared,
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
            types::Limit::Voxels => Limit::Voxels,
        },
        allowed: refusal.allowed,
        asked: refusal.asked,
        at: None,
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

impl From<Voxel> for types::Voxel {
    fn from(Voxel { x, y, z }: Voxel) -> Self {
        Self { x, y, z }
    }
}

impl From<Block> for types::VoxelBlock {
    fn from(Block { low, high }: Block) -> Self {
        Self { low: low.into(), high: high.into() }
    }
}
