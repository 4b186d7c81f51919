//! A fake world, so that spells are tested natively, by `cargo test`.
//!
//! It checks calls as the host does (capability, reach, ranges) and applies what is simple: damage, healing, pushes as a change of velocity, teleports, what is
//! made, edits of voxels, despawns and timers. Nothing moves by itself: a test that wants a hit says so by [`FakeCast::event`].

use crate::backend::{Backend, FakeCall, FakeState, fresh, voxels};
use crate::instance::Instance;
use crate::limits::TICKS_PER_SECOND;
use crate::saved::RestoreError;
use crate::{
    Area, Body, CancelReason, Cast, Change, Debris, Drawer, Entity, EntityId, EntityKind, Event, Field, Hit, Joint, Level, Npc, Order,
    Projectile, RayHit, Spell, Status, Vec3, Voxel,
};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

/// Kilograms of everything that can be pushed; a character's in the real world.
const MASS_KG: f32 = 80.0;

/// A world without physics, of air where a test or a spell has put no voxels.
#[derive(Debug, Default)]
pub struct FakeWorld {
    state: Rc<RefCell<FakeState>>,
}

/// A cast in a fake world.
#[derive(Debug)]
pub struct FakeCast<S> {
    instance: Instance<S>,
    backend: Backend,
    /// All that it has asked for, in order.
    pub intents: Vec<Intent>,
    tick: u64,
    ticked: u64,
    timers: Vec<(u64, u32)>,
    live: bool,
}

/// One thing that a cast has asked for, as it crossed the boundary.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the fields are those of the calls in `World`")]
pub enum Intent {
    /// [`World::damage`](crate::World::damage).
    Damage { target: EntityId, amount: f32 },
    /// [`World::heal`](crate::World::heal).
    Heal { target: EntityId, amount: f32 },
    /// All the pushes that were asked for together, each with its impulse.
    Push(Vec<(EntityId, Vec3)>),
    /// [`World::teleport`](crate::World::teleport).
    Teleport { target: EntityId, to: Vec3 },
    /// [`World::afflict`](crate::World::afflict).
    Afflict { target: EntityId, status: Status, seconds: f32 },
    /// [`World::spawn`](crate::World::spawn).
    Spawn { id: EntityId, body: Body },
    /// [`World::scatter`](crate::World::scatter).
    Scatter(Debris),
    /// [`World::join`](crate::World::join).
    Join { id: EntityId, joint: Joint },
    /// [`World::set_field`](crate::World::set_field).
    Field { id: EntityId, field: Field },
    /// [`World::summon`](crate::World::summon).
    Summon { id: EntityId, npc: Npc },
    /// [`World::command`](crate::World::command).
    Command { npc: EntityId, order: Order },
    /// [`World::terraform`](crate::World::terraform).
    Terraform { area: Area, change: Change },
    /// [`World::launch`](crate::World::launch).
    Launch { id: EntityId, projectile: Projectile },
    /// [`World::despawn`](crate::World::despawn).
    Despawn { id: EntityId },
    /// [`World::cue`](crate::World::cue).
    Cue { name: String, at: Vec3, scale: f32 },
    /// [`World::set_timer`](crate::World::set_timer).
    SetTimer { token: u32, ticks: u32 },
    /// [`World::send`](crate::World::send).
    Send { to: Addressee, data: Vec<u8> },
    /// [`World::say`](crate::World::say).
    Say { text: String, aloud: bool },
    /// [`World::store`](crate::World::store).
    Store { whose: Drawer, key: String, value: Option<Vec<u8>> },
    /// [`World::dispel`](crate::World::dispel).
    Dispel { target: EntityId },
    /// [`World::log`](crate::World::log), or a refusal that a hook returned.
    Log { level: Level, text: String },
}

/// A [`Recipient`](crate::Recipient) of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the same as those of `Recipient`")]
pub enum Addressee {
    Maker(EntityId),
    Mine(String),
}

impl FakeWorld {
    /// An empty world.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entity at rest that aims along -z; players and NPCs have 100 of 100 health.
    pub fn add(&mut self, kind: EntityKind, position: Vec3) -> EntityId {
        let mut state = self.state.borrow_mut();
        let id = state.next_id();
        state.entities.insert(id, fresh(id, kind, position));
        id
    }

    /// Adds a player.
    pub fn add_player(&mut self, position: Vec3) -> EntityId {
        self.add(EntityKind::Player, position)
    }

    /// Adds an NPC.
    pub fn add_npc(&mut self, position: Vec3) -> EntityId {
        self.add(EntityKind::Npc, position)
    }

    /// Adds a prop.
    pub fn add_prop(&mut self, position: Vec3) -> EntityId {
        self.add(EntityKind::Prop, position)
    }

    /// Changes an entity; none such is left alone.
    pub fn change(&mut self, id: EntityId, change: impl FnOnce(&mut Entity)) {
        if let Some(entity) = self.state.borrow_mut().entities.get_mut(&id) {
            change(entity);
        }
    }

    /// Takes an entity away.
    pub fn remove(&mut self, id: EntityId) {
        self.state.borrow_mut().entities.remove(&id);
    }

    /// The entity as it is now.
    pub fn entity(&self, id: EntityId) -> Option<Entity> {
        self.state.borrow().entities.get(&id).copied()
    }

    /// Makes a voxel of this material.
    pub fn put(&mut self, voxel: Voxel, material: u8) {
        self.state.borrow_mut().change(voxel, Change::Fill(material));
    }

    /// What a voxel is made of.
    pub fn material(&self, voxel: Voxel) -> u8 {
        self.state.borrow().material(voxel)
    }

    /// Says what mana casters have; at first they pay nothing.
    pub fn set_mana(&mut self, mana: Option<f32>) {
        self.state.borrow_mut().mana = mana;
    }

    /// What the spells of this world keep under a key.
    pub fn stored(&self, whose: Drawer, key: &str) -> Option<Vec<u8>> {
        self.state.borrow().stored.get(&(whose, key.to_owned())).cloned()
    }

    /// Says what the next ray that no earlier answer is left for will meet.
    pub fn answer_ray(&mut self, hit: RayHit) {
        self.state.borrow_mut().rays.push(hit);
    }

    /// A cast as a client asks for it: from the caster's eye along its aim, at nothing.
    ///
    /// # Panics
    /// When there is no such caster.
    pub fn aimed_by(&self, caster: EntityId) -> Cast {
        let body = self.entity(caster).expect("the caster was added to this world");
        let origin = body.position + Vec3::UP * 0.7;
        Cast { caster, origin, aim: body.aim, target_position: origin + body.aim * 10.0, params: "{}".to_owned(), ..Cast::default() }
    }

    /// Casts a spell at nothing; its `on_cast` has run when this returns.
    ///
    /// # Panics
    /// When there is no such caster.
    pub fn cast<S: Spell>(&mut self, caster: EntityId) -> FakeCast<S> {
        self.cast_as(self.aimed_by(caster))
    }

    /// Casts a spell in just this way; its `on_cast` has run when this returns.
    pub fn cast_as<S: Spell>(&mut self, cast: Cast) -> FakeCast<S> {
        let call = FakeCall {
            envelope: S::ENVELOPE,
            caster: cast.caster,
            caster_position: cast.origin,
            spawned: Vec::new(),
            touched: BTreeSet::new(),
            voxels: 0,
            pending: Vec::new(),
            finished: false,
        };
        let backend = Backend { state: Rc::clone(&self.state), call: Rc::new(RefCell::new(call)) };
        let instance = Instance::new(backend.clone());
        let mut running = FakeCast { instance, backend, intents: Vec::new(), tick: 0, ticked: 0, timers: Vec::new(), live: true };
        running.hook(|instance| instance.cast(cast));
        running
    }
}

impl<S: Spell> FakeCast<S> {
    /// The spell's state.
    pub fn spell(&self) -> &S {
        &self.instance.spell
    }

    /// Whether the cast goes on.
    pub const fn is_live(&self) -> bool {
        self.live
    }

    /// One tick (1/60 s) later: due timers, then `on_tick` as often as the envelope says, then the end of the envelope's duration.
    pub fn tick(&mut self) {
        self.tick += 1;
        self.backend.state.borrow_mut().tick += 1;
        let now = self.tick;
        let due: Vec<u32> = self.timers.extract_if(.., |timer| timer.0 <= now).map(|timer| timer.1).collect();
        for token in due {
            self.event(Event::Timer(token));
        }
        if S::ENVELOPE.tick_interval().is_some_and(|interval| now - self.ticked >= interval) {
            let dt = (now - self.ticked) as f32 / TICKS_PER_SECOND as f32;
            self.ticked = now;
            self.hook(|instance| instance.tick(dt));
        }
        if S::ENVELOPE.duration_ticks().is_some_and(|ticks| now >= ticks) {
            self.cancel(CancelReason::Duration);
        }
    }

    /// So many ticks later, or when the cast has ended.
    pub fn run(&mut self, ticks: u32) {
        for _ in 0..ticks {
            self.tick();
        }
    }

    /// Tells the cast something.
    pub fn event(&mut self, event: Event) {
        self.hook(|instance| instance.event(event));
    }

    /// Lets a projectile hit something ([`EntityId::NONE`] is the terrain): it is gone, its damage is done, and the cast is told.
    pub fn hit(&mut self, projectile: EntityId, entity: EntityId, point: Vec3) {
        let launched = self.intents.iter().find_map(|intent| match intent {
            Intent::Launch { id, projectile: what } if *id == projectile => Some(*what),
            _ => None,
        });
        let mut state = self.backend.state.borrow_mut();
        state.entities.remove(&projectile);
        if let (Some(what), Some(body)) = (launched, state.entities.get_mut(&entity)) {
            body.health = (body.health - what.damage).max(0.0);
        }
        drop(state);
        self.event(Event::Hit(Hit { projectile, entity, point, normal: Vec3::UP }));
    }

    /// Ends the cast.
    pub fn cancel(&mut self, reason: CancelReason) {
        self.hook(|instance| instance.cancel(reason));
        self.live = false;
    }

    /// The whole state as bytes.
    pub fn save(&self) -> Vec<u8> {
        self.instance.save()
    }

    /// Brings back a state that this or another revision has saved.
    ///
    /// # Errors
    /// When the bytes are malformed, or a field has another type now; then nothing has changed.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), RestoreError> {
        self.instance.restore(bytes)
    }

    /// Goes on in a fresh instance made of its save, as a cast does whenever its world saves itself, and when that world is loaded.
    ///
    /// # Errors
    /// When it does not take its own save back; then it goes on as it is, and a load would end it.
    pub fn reload(&mut self) -> Result<(), RestoreError> {
        let mut fresh = Instance::new(self.backend.clone());
        fresh.restore(&self.save())?;
        self.instance = fresh;
        Ok(())
    }

    /// The lines that it has logged.
    pub fn log_lines(&self) -> Vec<&str> {
        let lines = self.intents.iter().filter_map(|intent| match intent {
            Intent::Log { text, .. } => Some(text.as_str()),
            _ => None,
        });
        lines.collect()
    }

    /// Runs a hook against the frozen view, and applies afterwards what it has asked for, as the world does.
    fn hook(&mut self, run: impl FnOnce(&mut Instance<S>)) {
        if !self.live {
            return;
        }
        self.backend.call.borrow_mut().touched.clear();
        run(&mut self.instance);
        let asked = std::mem::take(&mut self.backend.call.borrow_mut().pending);
        for intent in &asked {
            self.apply(intent);
        }
        self.intents.extend(asked);
        self.live = !self.backend.call.borrow().finished;
    }

    fn apply(&mut self, intent: &Intent) {
        let mut state = self.backend.state.borrow_mut();
        if let Intent::Terraform { area, change } = intent {
            voxels(*area).into_iter().for_each(|voxel| state.change(voxel, *change));
        }
        let FakeState { entities, stored, .. } = &mut *state;
        match intent {
            Intent::Damage { target, amount } => {
                entities.entry(*target).and_modify(|e| e.health = (e.health - amount).max(0.0));
            }
            Intent::Heal { target, amount } => {
                entities.entry(*target).and_modify(|e| e.health = (e.health + amount).min(e.health_max));
            }
            Intent::Push(pushes) => {
                for (target, impulse) in pushes {
                    entities.entry(*target).and_modify(|e| e.velocity += *impulse / MASS_KG);
                }
            }
            Intent::Launch { id, projectile } => {
                let body = Entity { velocity: projectile.velocity, ..fresh(*id, EntityKind::Projectile, projectile.start) };
                entities.insert(*id, body);
            }
            Intent::Spawn { id, body } => {
                let body = Entity { velocity: body.velocity, ..fresh(*id, EntityKind::Prop, body.position) };
                entities.insert(*id, body);
            }
            Intent::Summon { id, npc } => {
                let npc = Entity { aim: npc.aim.normalized(), ..fresh(*id, EntityKind::Npc, npc.position) };
                entities.insert(*id, npc);
            }
            Intent::Teleport { target, to } => {
                entities.entry(*target).and_modify(|e| e.position = *to);
            }
            Intent::Despawn { id } => {
                entities.remove(id);
            }
            Intent::Store { whose, key, value } => {
                let key = (*whose, key.clone());
                match value {
                    Some(value) => _ = stored.insert(key, value.clone()),
                    None => _ = stored.remove(&key),
                }
            }
            Intent::SetTimer { token, ticks } => self.timers.push((self.tick + u64::from(*ticks), *token)),
            Intent::Afflict { .. }
            | Intent::Scatter(_)
            | Intent::Join { .. }
            | Intent::Field { .. }
            | Intent::Command { .. }
            | Intent::Terraform { .. }
            | Intent::Cue { .. }
            | Intent::Send { .. }
            | Intent::Say { .. }
            | Intent::Dispel { .. }
            | Intent::Log { .. } => {}
        }
    }
}
