//! The host's part, played by plain values: a frozen view, checks against the envelope, and a list of intents.

use crate::limits::FIND_MAX;
use crate::testing::{Addressee, Intent};
use crate::{
    Area, Block, Body, Can, Change, Debris, Drawer, Entity, EntityId, EntityKind, Envelope, Field, Form, Joint, JointKind, Kinds, Level,
    Limit, Npc, Order, Projectile, RayHit, Recipient, Refusal, Shape, Status, Vec3, Voxel, material,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// One cast's way into a fake world.
#[derive(Debug, Clone)]
pub struct Backend {
    pub state: Rc<RefCell<FakeState>>,
    pub call: Rc<RefCell<FakeCall>>,
}

/// What all casts of a fake world share.
#[derive(Debug, Default)]
pub struct FakeState {
    pub entities: BTreeMap<EntityId, Entity>,
    pub last_id: u64,
    pub rays: Vec<RayHit>,
    /// The voxels that are not air.
    pub voxels: BTreeMap<Voxel, u8>,
    pub tick: u64,
    /// The caster's.
    pub mana: Option<f32>,
    /// What the spell keeps.
    pub stored: BTreeMap<(Drawer, String), Vec<u8>>,
}

/// What one cast has asked for and not got yet.
#[derive(Debug)]
pub struct FakeCall {
    pub envelope: Envelope,
    pub caster: EntityId,
    /// Where the caster stood last; reach is measured from there when it is gone.
    pub caster_position: Vec3,
    pub spawned: Vec<EntityId>,
    /// Whom the running hook has acted on.
    pub touched: BTreeSet<EntityId>,
    /// Voxels in the areas of all edits of the cast.
    pub voxels: u32,
    pub pending: Vec<Intent>,
    pub finished: bool,
}

impl FakeState {
    pub fn material(&self, voxel: Voxel) -> u8 {
        self.voxels.get(&voxel).copied().unwrap_or_default()
    }

    pub fn change(&mut self, voxel: Voxel, change: Change) {
        let before = self.material(voxel);
        let after = match change {
            Change::Fill(material) => material,
            Change::Dig => material::AIR,
            Change::Paint(material) if before != material::AIR => material,
            Change::Replace { old, new } if before == old => new,
            Change::Paint(_) | Change::Replace { .. } => before,
        };
        if after == material::AIR {
            self.voxels.remove(&voxel)
        } else {
            self.voxels.insert(voxel, after)
        };
    }

    pub fn next_id(&mut self) -> EntityId {
        self.last_id += 1;
        EntityId(self.last_id)
    }
}

impl Backend {
    pub fn entity(&self, id: EntityId) -> Option<Entity> {
        self.state.borrow().entities.get(&id).copied()
    }

    pub fn find(&self, within: Shape, kinds: Kinds, count: u32) -> Result<(Vec<u64>, Vec<f32>), Refusal> {
        let check = self.check("find");
        let (center, radius) = match within {
            Shape::Sphere { center, radius } => (center, radius),
            Shape::Cone { apex, direction, length, half_angle } => {
                check.direction(direction)?;
                check.range(half_angle, 0.0..=std::f32::consts::PI)?;
                (apex, length)
            }
            Shape::Cuboid { center, half } => {
                <[f32; 3]>::from(half).into_iter().try_for_each(|axis| check.extent(axis))?;
                (center, half.x)
            }
        };
        check.finite(&[center.x, center.y, center.z])?;
        check.range(count as f32, 1.0..=FIND_MAX as f32)?;
        check.reach(center)?;
        check.extent(radius)?;

        let caster = self.call.borrow().caster;
        let state = self.state.borrow();
        let mut found: Vec<(f32, EntityId, Vec3)> = state
            .entities
            .values()
            .filter(|entity| entity.id != caster && kinds.contains(entity.kind) && contains(within, entity.position))
            .filter(|entity| check.reach(entity.position).is_ok())
            .map(|entity| (entity.position.distance(center), entity.id, entity.position))
            .collect();
        found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        found.truncate(count as usize);
        Ok((found.iter().map(|f| f.1.0).collect(), found.iter().flat_map(|f| <[f32; 3]>::from(f.2)).collect()))
    }

    pub fn tick(&self) -> u64 {
        self.state.borrow().tick
    }

    /// Looks at points a few centimetres apart.
    pub fn line_of_sight(&self, start: Vec3, end: Vec3) -> Result<bool, Refusal> {
        let check = self.check("line-of-sight");
        check.reach(start)?;
        check.reach(end)?;
        let steps = (start.distance(end) / 0.05).ceil().max(1.0) as u32;
        let state = self.state.borrow();
        Ok((0..=steps).all(|step| !state.voxels.contains_key(&Voxel::at(start + (end - start) * (step as f32 / steps as f32)))))
    }

    pub fn material(&self, at: Vec3) -> Result<u8, Refusal> {
        self.check("material").reach(at)?;
        Ok(self.state.borrow().material(Voxel::at(at)))
    }

    pub fn materials(&self, within: Block) -> Result<Vec<u8>, Refusal> {
        let check = self.check("materials");
        let voxels = voxels(Area::Block(within));
        check.count(Limit::Voxels, voxels.len(), 4_096)?;
        voxels.iter().try_for_each(|voxel| check.reach(voxel.middle()))?;
        Ok(voxels.into_iter().map(|voxel| self.state.borrow().material(voxel)).collect())
    }

    /// A fake world's rays meet neither bodies nor voxels: the test says what they meet, one after the other.
    pub fn raycast(&self, start: Vec3, direction: Vec3, length: f32) -> Result<Option<RayHit>, Refusal> {
        let check = self.check("raycast");
        check.finite(&[start.x, start.y, start.z])?;
        check.direction(direction)?;
        check.reach(start)?;
        check.extent(length)?;
        let mut state = self.state.borrow_mut();
        Ok(if state.rays.is_empty() { None } else { Some(state.rays.remove(0)) })
    }

    pub fn fuel_left(&self) -> u64 {
        u64::MAX
    }

    pub fn mana(&self) -> Option<f32> {
        self.state.borrow().mana
    }

    pub fn load(&self, whose: Drawer, key: &str) -> Result<Option<Vec<u8>>, Refusal> {
        let check = self.check("load");
        check.capability(Can::STORAGE)?;
        check.text(key, 64)?;
        Ok(self.state.borrow().stored.get(&(whose, key.to_owned())).cloned())
    }

    pub fn damage(&self, target: EntityId, amount: f32) -> Result<(), Refusal> {
        let check = self.check("damage");
        check.capability(Can::DAMAGE)?;
        check.range(amount, f32::MIN_POSITIVE..=1_000.0)?;
        check.has_health(target)?;
        check.touch(target)?;
        self.ask(Intent::Damage { target, amount })
    }

    pub fn heal(&self, target: EntityId, amount: f32) -> Result<(), Refusal> {
        let check = self.check("heal");
        check.capability(Can::HEAL)?;
        check.range(amount, f32::MIN_POSITIVE..=1_000.0)?;
        check.has_health(target)?;
        check.touch(target)?;
        self.ask(Intent::Heal { target, amount })
    }

    pub fn push(&self, targets: &[u64], impulses: &[f32]) -> Result<(), Refusal> {
        let check = self.check("push");
        check.capability(Can::MOVE_ENTITIES)?;
        let pushes: Vec<(EntityId, Vec3)> = targets.iter().map(|id| EntityId(*id)).zip(impulses.chunks_exact(3).map(vector)).collect();
        let touched = self.call.borrow().touched.clone();
        let all = pushes.iter().try_for_each(|(target, impulse)| {
            check.range(impulse.length(), 0.0..=10_000.0)?;
            check.touch(*target)
        });
        if let Err(refusal) = all {
            self.call.borrow_mut().touched = touched;
            return Err(refusal);
        }
        self.ask(Intent::Push(pushes))
    }

    pub fn launch(&self, what: Projectile) -> Result<EntityId, Refusal> {
        let check = self.check("launch");
        check.capability(Can::SPAWN_ENTITIES)?;
        check.finite(&[what.start.x, what.start.y, what.start.z, what.velocity.x, what.velocity.y, what.velocity.z])?;
        check.range(what.velocity.length(), 0.0..=200.0)?;
        check.range(what.radius, 0.01..=2.0)?;
        check.range(what.gravity, 0.0..=100.0)?;
        check.range(what.seconds, f32::MIN_POSITIVE..=30.0)?;
        check.range(what.damage, 0.0..=1_000.0)?;
        if what.damage > 0.0 {
            check.capability(Can::DAMAGE)?;
        }
        check.reach(what.start)?;
        check.range(what.restitution, 0.0..=1.0)?;
        check.range(f32::from(what.bounces), 0.0..=16.0)?;
        check.range(f32::from(what.pierces), 0.0..=16.0)?;
        if let Some(homing) = what.homing {
            check.range(homing.turn, 0.0..=6.3)?;
            check.range(homing.half_angle, 0.0..=std::f32::consts::PI)?;
        }
        let id = self.take_ids(&check, 1)?;
        self.ask(Intent::Launch { id, projectile: what })?;
        Ok(id)
    }

    pub fn teleport(&self, target: EntityId, to: Vec3) -> Result<(), Refusal> {
        let check = self.check("teleport");
        check.capability(Can::MOVE_ENTITIES)?;
        check.reach(to)?;
        check.character(target)?;
        check.touch(target)?;
        self.ask(Intent::Teleport { target, to })
    }

    pub fn afflict(&self, target: EntityId, status: Status, seconds: f32) -> Result<(), Refusal> {
        let check = self.check("afflict");
        check.capability(Can::MODIFY_STATS)?;
        match status {
            Status::Slow(factor) => check.range(factor, 0.0..=1.0)?,
            Status::Root => {}
            Status::Shield(amount) => check.range(amount, f32::MIN_POSITIVE..=1_000.0)?,
            Status::Burn(per_second) => {
                check.capability(Can::DAMAGE)?;
                check.range(per_second, f32::MIN_POSITIVE..=1_000.0)?;
            }
        }
        check.range(seconds, f32::MIN_POSITIVE..=30.0)?;
        check.character(target)?;
        check.touch(target)?;
        self.ask(Intent::Afflict { target, status, seconds })
    }

    pub fn spawn(&self, what: Body) -> Result<EntityId, Refusal> {
        let check = self.check("spawn-body");
        check.capability(Can::SPAWN_ENTITIES)?;
        check.reach(what.position)?;
        check.range(what.velocity.length(), 0.0..=100.0)?;
        check.range(what.mass, 1.0..=1_000.0)?;
        match what.form {
            Form::Cuboid(half) => {
                <[f32; 3]>::from(half).into_iter().try_for_each(|axis| check.range(axis, 0.1..=2.0))?;
                check.range(half.length(), 0.1..=2.0)?;
            }
            Form::Ball(radius) => check.range(radius, 0.1..=2.0)?,
        }
        let id = self.take_ids(&check, 1)?;
        self.ask(Intent::Spawn { id, body: what })?;
        Ok(id)
    }

    pub fn scatter(&self, what: Debris) -> Result<(), Refusal> {
        let check = self.check("scatter");
        check.capability(Can::SPAWN_ENTITIES)?;
        check.reach(what.at)?;
        check.range(f32::from(what.count), 1.0..=16.0)?;
        check.range(what.speed, 0.0..=20.0)?;
        check.range(what.seconds, f32::MIN_POSITIVE..=5.0)?;
        self.take_ids(&check, usize::from(what.count))?;
        self.ask(Intent::Scatter(what))
    }

    pub fn join(&self, what: Joint) -> Result<EntityId, Refusal> {
        let check = self.check("join");
        check.capability(Can::SPAWN_ENTITIES)?;
        check.reach(what.at)?;
        check.range(what.break_force, 0.0..=10_000_000.0)?;
        match what.kind {
            JointKind::Fixed | JointKind::Ball => {}
            JointKind::Hinge(axis) => check.direction(axis)?,
            JointKind::Rope(length) => check.range(length, 0.1..=32.0)?,
        }
        [what.one, what.other].into_iter().filter(|end| !end.is_none()).try_for_each(|end| check.touch(end))?;
        let id = self.take_ids(&check, 1)?;
        self.ask(Intent::Join { id, joint: what })?;
        Ok(id)
    }

    pub fn set_field(&self, what: Field) -> Result<EntityId, Refusal> {
        let check = self.check("set-field");
        check.capability(Can::MOVE_ENTITIES)?;
        check.range(what.radius, f32::MIN_POSITIVE..=16.0)?;
        check.ball(what.center, what.radius)?;
        check.range(what.acceleration, -100.0..=100.0)?;
        check.range(what.falloff, 0.0..=1.0)?;
        check.range(what.seconds, f32::MIN_POSITIVE..=30.0)?;
        let id = self.take_ids(&check, 1)?;
        self.ask(Intent::Field { id, field: what })?;
        Ok(id)
    }

    pub fn summon(&self, what: Npc) -> Result<EntityId, Refusal> {
        let check = self.check("summon");
        check.capability(Can::SUMMON_NPC)?;
        check.reach(what.position)?;
        check.direction(what.aim)?;
        let id = self.take_ids(&check, 1)?;
        self.ask(Intent::Summon { id, npc: what })?;
        Ok(id)
    }

    pub fn command(&self, npc: EntityId, order: Order) -> Result<(), Refusal> {
        let check = self.check("command");
        check.capability(Can::SUMMON_NPC)?;
        match order {
            Order::Follow | Order::Stay => {}
            Order::Go(to) => check.reach(to)?,
            Order::Attack(target) => check.character(target)?,
        }
        check.character(npc)?;
        self.ask(Intent::Command { npc, order })
    }

    pub fn terraform(&self, within: Area, change: Change) -> Result<(), Refusal> {
        let check = self.check("terraform");
        check.capability(Can::MODIFY_TERRAIN)?;
        let materials = match change {
            Change::Fill(material) | Change::Paint(material) => [material, 0],
            Change::Dig => [0, 0],
            Change::Replace { old, new } => [old, new],
        };
        materials.into_iter().try_for_each(|material| check.range(f32::from(material), 0.0..=8.0))?;
        if let Area::Ball { center, radius } = within {
            check.range(radius, 0.5..=16.0)?;
            check.ball(center, radius)?;
        }
        let voxels = voxels(within);
        voxels.iter().try_for_each(|voxel| check.reach(voxel.middle()))?;
        let chunks: BTreeSet<[i32; 3]> = voxels.iter().map(|voxel| [voxel.x, voxel.y, voxel.z].map(|axis| axis.div_euclid(32))).collect();
        if chunks.len() > 1 {
            check.capability(Can::CROSS_CHUNK)?;
        }
        let asked = self.call.borrow().voxels as usize + voxels.len();
        check.count(Limit::Voxels, asked, self.call.borrow().envelope.voxels() as usize)?;
        self.call.borrow_mut().voxels = asked as u32;
        self.ask(Intent::Terraform { area: within, change })
    }

    pub fn despawn(&self, id: EntityId) -> Result<(), Refusal> {
        if !self.call.borrow().spawned.contains(&id) {
            return Err(self.check("despawn").refusal(Limit::Target, 0.0, id.0 as f64));
        }
        self.ask(Intent::Despawn { id })
    }

    pub fn cue(&self, name: &str, at: Vec3, scale: f32) -> Result<(), Refusal> {
        let check = self.check("cue");
        check.text(name, 64)?;
        check.finite(&[at.x, at.y, at.z])?;
        check.range(scale, 0.0..=100.0)?;
        check.reach(at)?;
        self.ask(Intent::Cue { name: name.to_owned(), at, scale })
    }

    pub fn set_timer(&self, token: u32, ticks: u32) -> Result<(), Refusal> {
        self.check("set-timer").range(ticks as f32, 1.0..=36_000.0)?;
        self.ask(Intent::SetTimer { token, ticks })
    }

    pub fn send(&self, to: Recipient<'_>, data: &[u8]) -> Result<(), Refusal> {
        let check = self.check("send");
        check.capability(Can::NETWORK_EMIT)?;
        check.count(Limit::Length, data.len(), 256)?;
        let to = match to {
            Recipient::Maker(id) => {
                check.known(id)?;
                Addressee::Maker(id)
            }
            Recipient::Mine(spell) => {
                check.text(spell, 64)?;
                Addressee::Mine(spell.to_owned())
            }
        };
        self.ask(Intent::Send { to, data: data.to_owned() })
    }

    pub fn say(&self, text: &str, aloud: bool) -> Result<(), Refusal> {
        let check = self.check("say");
        check.capability(Can::NETWORK_EMIT)?;
        check.text(text, 256)?;
        self.ask(Intent::Say { text: text.to_owned(), aloud })
    }

    pub fn store(&self, whose: Drawer, key: &str, value: Option<&[u8]>) -> Result<(), Refusal> {
        let check = self.check("store");
        check.capability(Can::STORAGE)?;
        check.text(key, 64)?;
        check.count(Limit::Length, value.map_or(0, <[u8]>::len), 1_024)?;
        self.ask(Intent::Store { whose, key: key.to_owned(), value: value.map(<[u8]>::to_vec) })
    }

    pub fn dispel(&self, target: EntityId) -> Result<(), Refusal> {
        let check = self.check("dispel");
        check.capability(Can::MODIFY_STATS)?;
        check.touch(target)?;
        self.ask(Intent::Dispel { target })
    }

    pub fn log(&self, level: Level, text: &str) {
        let mut end = text.len().min(1_024);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.call.borrow_mut().pending.push(Intent::Log { level, text: text[..end].to_owned() });
    }

    pub fn finish(&self) {
        self.call.borrow_mut().finished = true;
    }

    /// The first of so many ids.
    fn take_ids(&self, check: &Check<'_>, count: usize) -> Result<EntityId, Refusal> {
        let (spawned, entities) = (self.call.borrow().spawned.len(), self.call.borrow().envelope.entities());
        check.count(Limit::Entities, spawned + count, entities as usize)?;
        let ids: Vec<EntityId> = (0..count).map(|_| self.state.borrow_mut().next_id()).collect();
        self.call.borrow_mut().spawned.extend(&ids);
        Ok(ids[0])
    }

    fn ask(&self, intent: Intent) -> Result<(), Refusal> {
        self.call.borrow_mut().pending.push(intent);
        Ok(())
    }

    fn check(&self, call: &'static str) -> Check<'_> {
        Check { backend: self, call }
    }
}

/// The checks of one call.
struct Check<'a> {
    backend: &'a Backend,
    call: &'static str,
}

impl Check<'_> {
    fn refusal(&self, limit: Limit, allowed: f64, asked: f64) -> Refusal {
        Refusal { call: self.call, limit, allowed, asked, at: None }
    }

    fn capability(&self, capability: u32) -> Result<(), Refusal> {
        let allowed = self.backend.call.borrow().envelope.allows(capability);
        if allowed { Ok(()) } else { Err(self.refusal(Limit::Capability, 0.0, 1.0)) }
    }

    fn finite(&self, numbers: &[f32]) -> Result<(), Refusal> {
        if numbers.iter().all(|number| number.is_finite()) { Ok(()) } else { Err(self.refusal(Limit::Finite, 0.0, 0.0)) }
    }

    fn range(&self, number: f32, range: std::ops::RangeInclusive<f32>) -> Result<(), Refusal> {
        self.finite(&[number])?;
        let bound = if number < *range.start() { range.start() } else { range.end() };
        if range.contains(&number) { Ok(()) } else { Err(self.refusal(Limit::Magnitude, f64::from(*bound), f64::from(number))) }
    }

    fn count(&self, limit: Limit, count: usize, most: usize) -> Result<(), Refusal> {
        if count <= most { Ok(()) } else { Err(self.refusal(limit, most as f64, count as f64)) }
    }

    /// From 1 byte on.
    fn text(&self, text: &str, most: usize) -> Result<(), Refusal> {
        self.count(Limit::Length, text.len(), most)?;
        if text.is_empty() { Err(self.refusal(Limit::Length, 1.0, 0.0)) } else { Ok(()) }
    }

    fn known(&self, id: EntityId) -> Result<(), Refusal> {
        let known = self.backend.entity(id).is_some() || self.backend.call.borrow().spawned.contains(&id);
        if known { Ok(()) } else { Err(self.refusal(Limit::Target, 0.0, id.0 as f64)) }
    }

    fn direction(&self, direction: Vec3) -> Result<(), Refusal> {
        self.range(direction.length(), 1e-6..=f32::MAX)
    }

    fn has_health(&self, id: EntityId) -> Result<(), Refusal> {
        match self.backend.entity(id) {
            Some(entity) if entity.health_max > 0.0 => Ok(()),
            _ => Err(self.refusal(Limit::Target, 0.0, id.0 as f64)),
        }
    }

    /// A player or NPC; of what this hook has just made nobody can tell yet.
    fn character(&self, id: EntityId) -> Result<(), Refusal> {
        let known = match self.backend.entity(id) {
            Some(entity) => matches!(entity.kind, EntityKind::Player | EntityKind::Npc),
            None => self.backend.call.borrow().spawned.contains(&id),
        };
        if known { Ok(()) } else { Err(self.refusal(Limit::Target, 0.0, id.0 as f64)) }
    }

    /// The target must live, be in reach, and not be one too many of this hook; the caster is no player to itself. What the hook has just made is not in the
    /// view yet.
    fn touch(&self, id: EntityId) -> Result<(), Refusal> {
        match self.backend.entity(id) {
            Some(target) => self.reach(target.position)?,
            None if self.backend.call.borrow().spawned.contains(&id) => {}
            None => return Err(self.refusal(Limit::Target, 0.0, id.0 as f64)),
        }
        let mut touched = self.backend.call.borrow().touched.clone();
        touched.insert(id);
        let (entities, players, caster) = {
            let call = self.backend.call.borrow();
            (call.envelope.entities(), call.envelope.players(), call.caster)
        };
        self.count(Limit::Entities, touched.len(), entities as usize)?;
        let is_player = |id: &&EntityId| **id != caster && self.backend.entity(**id).is_some_and(|e| e.kind == EntityKind::Player);
        self.count(Limit::Entities, touched.iter().filter(is_player).count(), players as usize)?;
        self.backend.call.borrow_mut().touched = touched;
        Ok(())
    }

    fn extent(&self, length: f32) -> Result<(), Refusal> {
        self.range(length, f32::MIN_POSITIVE..=f32::MAX)?;
        let allowed = self.backend.call.borrow().envelope.reach_m();
        if length <= allowed { Ok(()) } else { Err(self.refusal(Limit::Radius, f64::from(allowed), f64::from(length))) }
    }

    /// All of it.
    fn ball(&self, center: Vec3, radius: f32) -> Result<(), Refusal> {
        self.reach(center)?;
        let (caster, allowed) = self.caster_and_reach();
        let asked = caster.distance(center) + radius;
        if asked <= allowed { Ok(()) } else { Err(self.refusal(Limit::Radius, f64::from(allowed), f64::from(asked))) }
    }

    fn caster_and_reach(&self) -> (Vec3, f32) {
        let call = self.backend.call.borrow();
        (self.backend.entity(call.caster).map_or(call.caster_position, |caster| caster.position), call.envelope.reach_m())
    }

    fn reach(&self, point: Vec3) -> Result<(), Refusal> {
        self.finite(&<[f32; 3]>::from(point))?;
        let (caster, allowed) = self.caster_and_reach();
        let asked = caster.distance(point);
        if asked <= allowed { Ok(()) } else { Err(self.refusal(Limit::Radius, f64::from(allowed), f64::from(asked))) }
    }
}

fn vector(numbers: &[f32]) -> Vec3 {
    Vec3::new(numbers[0], numbers[1], numbers[2])
}

fn contains(shape: Shape, point: Vec3) -> bool {
    match shape {
        Shape::Sphere { center, radius } => center.distance(point) <= radius,
        Shape::Cone { apex, direction, length, half_angle } => {
            let way = point - apex;
            way.length() <= length && way.normalized().dot(direction.normalized()) >= half_angle.cos()
        }
        Shape::Cuboid { center, half } => {
            let way = point - center;
            way.x.abs() <= half.x && way.y.abs() <= half.y && way.z.abs() <= half.z
        }
    }
}

/// The voxels of an area, x first, then y, then z.
pub fn voxels(area: Area) -> Vec<Voxel> {
    let Block { low, high } = match area {
        Area::Block(block) => block,
        Area::Ball { center, radius } => {
            let reach = Vec3::new(radius, radius, radius);
            Block { low: Voxel::at(center - reach), high: Voxel::at(center + reach) }
        }
    };
    let all = (low.z..=high.z).flat_map(|z| (low.y..=high.y).map(move |y| (y, z)));
    let all = all.flat_map(|(y, z)| (low.x..=high.x).map(move |x| Voxel::new(x, y, z)));
    let within = |voxel: &Voxel| match area {
        Area::Ball { center, radius } => voxel.middle().distance(center) <= radius,
        Area::Block(_) => true,
    };
    all.filter(within).collect()
}

/// What an entity of this kind is like at first.
pub fn fresh(id: EntityId, kind: EntityKind, position: Vec3) -> Entity {
    let health = if matches!(kind, EntityKind::Player | EntityKind::Npc) { 100.0 } else { 0.0 };
    Entity { id, kind, position, velocity: Vec3::ZERO, aim: Vec3::new(0.0, 0.0, -1.0), health, health_max: health }
}
