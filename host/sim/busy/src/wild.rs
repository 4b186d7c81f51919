//! Spells that ask for anything: each call draws its intents from its cast's stream.

use crate::draw::Draw;
use crate::witness::{Witness, one_of_each};
use sim::body::{BodySpec, Form};
use sim::debris::DebrisSpec;
use sim::edit::{Area, Change};
use sim::field::FieldSpec;
use sim::intent::{Homing, ProjectileSpec, Recipient};
use sim::joint::{JointKind, JointSpec};
use sim::limits::HOMING_TURN_MAX;
use sim::scene::{Kinds, Scene, Shape};
use sim::spells::{Call, Fault, Hook, Kept, Migrated, Migration, Outcome, Resumed};
use sim::status::Status;
use sim::summon::{Order, SummonSpec};
use sim::{CastId, Edit, EntityId, Intent, Spells, Temper, Vec3};
use std::collections::{BTreeMap, BTreeSet};
use std::f32::consts::PI;
use std::sync::Arc;

/// Their names; what they do is the same.
pub const SPELLS: &[&str] = &["bolt", "gust", "mend", "quake", "ward", "whim"];
/// What all spells may spend in a tick; with what one call spends, some calls wait in some ticks.
const TICK_FUEL: u64 = 200_000;
/// What one call may spend.
const CALL_FUEL: u64 = 40_000;
/// What a save takes.
const SAVE_FUEL: u64 = 300_000;
/// How far a spell looks, metres.
const SIGHT_M: f32 = 12.0;

one_of_each! {
    /// Each kind of intent: how one comes about.
    WISHES: fn(&mut Wish) -> Intent, Intent {
        Damage: |wish| Intent::Damage { target: wish.anyone(), amount: wish.draw.between(-1.0, 12.0) },
        Heal: |wish| Intent::Heal { target: wish.anyone(), amount: wish.draw.between(-1.0, 12.0) },
        Push: |wish| Intent::Push { target: wish.anyone(), impulse: wish.draw.vector(500.0) + Vec3::Y * 150.0 },
        Teleport: |wish| Intent::Teleport { target: wish.anyone(), to: wish.point() },
        Afflict: |wish| Intent::Afflict { target: wish.anyone(), status: wish.status(), seconds: wish.draw.between(-0.1, 4.0) },
        Launch: |wish| Intent::Launch { id: wish.reserve(), projectile: wish.projectile() },
        Despawn: |wish| Intent::Despawn { id: wish.launched() },
        Spawn: |wish| Intent::Spawn { id: wish.reserve(), body: wish.body() },
        Debris: |wish| Intent::Debris { id: wish.reserve(), debris: wish.debris() },
        Join: |wish| Intent::Join { id: wish.reserve(), joint: wish.joint() },
        Field: |wish| Intent::Field { id: wish.reserve(), field: wish.field() },
        Summon: |wish| Intent::Summon { id: wish.reserve(), npc: wish.servant() },
        Command: |wish| Intent::Command { npc: wish.launched(), order: wish.order() },
        Terraform: |wish| Intent::Terraform { edit: wish.edit() },
        Cue: |wish| Intent::Cue { name: "whim".into(), at: wish.point(), scale: wish.draw.between(0.0, 2.0) },
        SetTimer: |wish| Intent::SetTimer { token: wish.draw.below(9) as u32, ticks: wish.draw.below(90) as u32 },
        Send: |wish| Intent::Send { to: wish.recipient(), data: [wish.draw.below(256) as u8].into() },
        Say: |wish| Intent::Say { text: wish.look(), aloud: wish.draw.one_in(2) },
        Store: |wish| Intent::Store { own: wish.draw.one_in(2), key: wish.key(), value: wish.value() },
        Dispel: |wish| Intent::Dispel { target: wish.dispelled() },
        Log: |wish| Intent::Log { level: "info", text: wish.look() },
    }
}

/// Runs them, before a witness.
pub struct Wild<'a> {
    pub memories: &'a mut BTreeMap<CastId, Memory>,
    pub witness: &'a mut Witness,
}

/// What an instance remembers between its calls.
pub struct Memory {
    draw: Draw,
    launched: Vec<EntityId>,
}

/// A call that is being made.
struct Wish<'a> {
    draw: &'a mut Draw,
    launched: &'a mut Vec<EntityId>,
    scene: &'a Scene,
    call: &'a Call,
    next_id: u64,
    from: Vec3,
    aim: Vec3,
    near: Vec<EntityId>,
}

impl Spells for Wild<'_> {
    fn run(&mut self, scene: Arc<Scene>, calls: &[Call]) -> Vec<Option<Outcome>> {
        let (mut spent, mut over, mut outcomes) = (0, BTreeSet::new(), Vec::new());
        for call in calls {
            if spent >= TICK_FUEL {
                outcomes.push(None);
                continue;
            }
            let outcome = if over.contains(&call.cast) { Outcome::default() } else { self.call(&scene, call) };
            if outcome.finished || outcome.fault.is_some() {
                over.insert(call.cast);
            }
            spent += outcome.fuel;
            outcomes.push(Some(outcome));
        }
        outcomes
    }

    fn end(&mut self, cast: CastId) {
        self.memories.remove(&cast);
    }

    /// The stream's state is all of a save; now and then one breaks, and what does not fit is not saved.
    fn checkpoint(&mut self, casts: &[CastId], fuel: u64) -> Vec<(Kept, u64)> {
        let mut left = fuel;
        let answer = |cast: &CastId| {
            let Some(memory) = self.memories.get_mut(cast).filter(|_| left >= SAVE_FUEL) else { return (Kept::Unsaved, 0) };
            left -= SAVE_FUEL;
            let fault = || Fault { hook: "save", limit: "fuel", allowed: 1.0, asked: 2.0, message: "a whim".into() };
            let kept = if memory.draw.one_in(20) { Kept::Fault(fault()) } else { Kept::State(memory.draw.state().to_le_bytes().to_vec()) };
            (kept, SAVE_FUEL)
        };
        casts.iter().map(answer).collect()
    }

    /// Most go on with the same stream; now and then a save breaks, or is not taken.
    fn migrate(&mut self, migrations: &[Migration], fuel: u64) -> Vec<(Migrated, u64)> {
        let mut left = fuel;
        let answer = |migration: &Migration| {
            let Some(memory) = self.memories.get_mut(&migration.cast) else { return (Migrated::Moved, 0) };
            if left < SAVE_FUEL {
                return (Migrated::Waits, 0);
            }
            left -= SAVE_FUEL;
            let fault = |hook| Fault { hook, limit: "fuel", allowed: 1.0, asked: 2.0, message: "a whim".into() };
            let migrated = match memory.draw.below(8) {
                0 => Migrated::Fault(fault("save")),
                1..=4 => Migrated::Stays(fault("restore")),
                _ => Migrated::Moved,
            };
            (migrated, SAVE_FUEL)
        };
        migrations.iter().map(answer).collect()
    }

    fn knows(&self, spell: &str, _revision: &str) -> bool {
        SPELLS.contains(&spell)
    }

    fn resume(&mut self, cast: Resumed<'_>) -> bool {
        let Some(state) = cast.state.try_into().ok().map(u64::from_le_bytes) else { return false };
        self.memories.insert(cast.cast, Memory { draw: Draw::named(state), launched: Vec::new() });
        true
    }
}

impl Wild<'_> {
    fn call(&mut self, scene: &Scene, call: &Call) -> Outcome {
        let name = if let Hook::Cast { seed, .. } = call.hook { seed } else { call.cast.0 };
        let memory = self.memories.entry(call.cast).or_insert_with(|| Memory { draw: Draw::named(name), launched: Vec::new() });
        let outcome = Wish::new(memory, scene, call).outcome();
        self.witness.saw(&call.hook);
        match &call.hook {
            Hook::Event(event) => self.witness.saw(event),
            Hook::Cancel(reason) => self.witness.saw(reason),
            Hook::Cast { .. } | Hook::Tick { .. } => {}
        }
        for intent in &outcome.intents {
            self.witness.saw(intent);
            if let Intent::Afflict { status, .. } = intent {
                self.witness.saw(status);
            }
        }
        self.witness.was_told(call);
        self.witness.was_told(&outcome);
        outcome
    }
}

impl<'a> Wish<'a> {
    fn new(memory: &'a mut Memory, scene: &'a Scene, call: &'a Call) -> Self {
        let Memory { draw, launched } = memory;
        let (from, aim) = scene.entity(call.caster).map_or((Vec3::Y, Vec3::X), |caster| (caster.eye(), caster.aim));
        let shape = if draw.one_in(2) {
            Shape::Sphere { center: from, radius: SIGHT_M }
        } else {
            Shape::Cone { apex: from, direction: aim, length: 2.0 * SIGHT_M, half_angle: draw.between(0.0, PI) }
        };
        let near = scene.find(shape, Kinds::ALL, 8, call.caster).into_iter().map(|(id, _)| id).collect();
        Self { draw, launched, scene, call, next_id: call.first_id, from, aim, near }
    }

    fn outcome(&mut self) -> Outcome {
        let intents = (0..self.draw.below(4)).map(|_| self.intent()).collect();
        let fault =
            self.draw.one_in(60).then(|| Fault { hook: "on-tick", limit: "fuel", allowed: 1.0, asked: 2.0, message: "a whim".into() });
        let (finished, fuel, upkeep) =
            (self.draw.one_in(30), self.draw.below(CALL_FUEL), self.draw.between(-0.2, if self.call.spell == "whim" { 60.0 } else { 4.0 }));
        Outcome { intents, finished, fault, fuel, upkeep }
    }

    fn intent(&mut self) -> Intent {
        let at = self.draw.below(WISHES.len() as u64) as usize;
        WISHES[at](self)
    }

    /// Somebody or something near, the caster, or what may never have been.
    fn anyone(&mut self) -> EntityId {
        match self.draw.below(12) {
            0 => EntityId(self.draw.below(self.call.first_id)),
            1 => self.call.caster,
            _ => self.draw.one_of(&self.near).unwrap_or(self.call.caster),
        }
    }

    /// Somewhere near, or under the world, where all is lost.
    fn point(&mut self) -> Vec3 {
        let near = self.from + self.draw.vector(SIGHT_M) * Vec3::new(1.0, 0.3, 1.0);
        if self.draw.one_in(16) { Vec3::new(near.x, -50.0, near.z) } else { near }
    }

    fn status(&mut self) -> Status {
        match self.draw.below(4) {
            0 => Status::Slow { factor: self.draw.between(0.0, 1.1) },
            1 => Status::Root,
            2 => Status::Shield { amount: self.draw.between(-1.0, 40.0) },
            _ => Status::Burn { per_second: self.draw.between(-1.0, 15.0) },
        }
    }

    fn reserve(&mut self) -> EntityId {
        let id = EntityId(self.next_id);
        self.next_id += 1;
        self.launched.push(id);
        id
    }

    fn launched(&mut self) -> EntityId {
        self.draw.one_of(self.launched).unwrap_or(EntityId::NONE)
    }

    /// Of every sort: straight, falling, bouncing, piercing, homing, and one that is too fast.
    fn projectile(&mut self) -> ProjectileSpec {
        let start = if self.draw.one_in(8) { self.point() } else { self.from + self.aim * 0.8 };
        let toward = self.aim + self.draw.vector(0.5);
        let draw = &mut *self.draw;
        let speed = if draw.one_in(8) { draw.between(100.0, 210.0) } else { draw.between(1.0, 60.0) };
        let homing = Homing { turn: draw.between(0.0, HOMING_TURN_MAX), half_angle: draw.between(0.0, PI) };
        ProjectileSpec {
            start,
            velocity: toward.normalize_or(Vec3::X) * speed,
            radius: draw.between(0.0, 0.6),
            gravity: if draw.one_in(2) { draw.between(-5.0, 40.0) } else { 0.0 },
            seconds: draw.between(0.0, 2.5),
            damage: draw.between(0.0, 15.0),
            restitution: draw.between(0.0, 1.0),
            bounces: draw.below(5) as u8,
            pierces: draw.below(4) as u8,
            homing: draw.one_in(2).then_some(homing),
        }
    }

    /// Boxes and balls of every size, and one that is too heavy.
    fn body(&mut self) -> BodySpec {
        let (position, velocity) = (self.point(), self.draw.vector(20.0));
        let half = Vec3::new(self.draw.between(0.1, 0.9), self.draw.between(0.1, 0.9), self.draw.between(0.1, 0.9));
        let form = if self.draw.one_in(2) { Form::Box { half } } else { Form::Ball { radius: half.x } };
        BodySpec { form, mass_kg: self.draw.between(1.0, 1_050.0), position, velocity }
    }

    fn debris(&mut self) -> DebrisSpec {
        DebrisSpec {
            at: self.point(),
            count: self.draw.below(6) as u8,
            speed: self.draw.between(0.0, 20.0),
            seconds: self.draw.between(0.0, 3.0),
        }
    }

    /// Between two things of its own, or one and the world.
    fn joint(&mut self) -> JointSpec {
        let kind = match self.draw.below(4) {
            0 => JointKind::Fixed,
            1 => JointKind::Ball,
            2 => JointKind::Hinge { axis: Vec3::Y },
            _ => JointKind::Rope { length: self.draw.between(0.0, 9.0) },
        };
        let one = self.draw.one_of(self.launched).unwrap_or(EntityId::NONE);
        let other = if self.draw.one_in(2) { self.launched() } else { EntityId::NONE };
        let at = self.scene.entity(one).map_or(self.from, |entity| entity.position + self.draw.vector(2.0));
        JointSpec { kind, one, other, at, break_force: self.draw.between(100.0, 20_000.0) }
    }

    fn field(&mut self) -> FieldSpec {
        let center = self.point();
        let draw = &mut *self.draw;
        FieldSpec {
            center,
            radius: draw.between(0.5, 8.0),
            acceleration: draw.between(-60.0, 60.0),
            falloff: draw.between(0.0, 1.0),
            seconds: draw.between(0.0, 2.0),
        }
    }

    fn servant(&mut self) -> SummonSpec {
        let temper = self.draw.one_of(&[Temper::Guard, Temper::Guard, Temper::Critter, Temper::Dummy]).unwrap_or(Temper::Guard);
        let beside = self.from + self.draw.vector(3.0) * Vec3::new(1.0, 0.0, 1.0);
        // Some are called where they fall to their death.
        let position = if self.draw.one_in(3) { Vec3::new(beside.x, -50.0, beside.z) } else { beside };
        SummonSpec { temper, position, aim: self.aim }
    }

    fn order(&mut self) -> Order {
        match self.draw.below(4) {
            0 => Order::Follow,
            1 => Order::Stay,
            2 => Order::Go { to: self.point() },
            _ => Order::Attack { target: self.anyone() },
        }
    }

    fn recipient(&mut self) -> Recipient {
        let spell = self.draw.one_of(SPELLS).unwrap_or_default();
        if self.draw.one_in(2) { Recipient::Mine(spell.into()) } else { Recipient::Maker(self.anyone()) }
    }

    fn key(&mut self) -> String {
        if self.draw.one_in(40) { String::new() } else { format!("key {}", self.draw.below(80)) }
    }

    fn value(&mut self) -> Option<Arc<[u8]>> {
        let bytes = self.draw.below(40) as usize;
        (!self.draw.one_in(4)).then(|| vec![7; bytes].into())
    }

    fn dispelled(&mut self) -> EntityId {
        if self.draw.one_in(2) { self.call.caster } else { self.anyone() }
    }

    fn edit(&mut self) -> Edit {
        let area = Area::Sphere { center: self.point(), radius: self.draw.between(0.3, 3.0) };
        let change = if self.draw.one_in(2) { Change::Subtract } else { Change::Add(1 + self.draw.below(4) as u8) };
        Edit { area, change }
    }

    /// What it sees, in words, so that it is compared too.
    fn look(&mut self) -> String {
        let direction = (self.aim + self.draw.vector(0.6)).normalize_or(Vec3::NEG_Y);
        let ray = self.scene.raycast(self.from, direction, 60.0, self.call.caster);
        let ball = self.scene.sweep(self.from, direction, 20.0, self.draw.between(0.1, 1.0), self.call.caster);
        format!("near {:?}, ahead {ray:?}, in a ball's way {ball:?}", self.near)
    }
}
