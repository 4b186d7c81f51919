//! A fingerprint of each part of a world's state: two worlds that went apart show where.

use crate::absent::Place;
use crate::behaviour::Mind;
use crate::body::{Form, Prop};
use crate::field::{Field, FieldSpec};
use crate::inbound::{CastRequest, Input, SpellSpec};
use crate::intent::Homing;
use crate::joint::{End, Joint, JointKind};
use crate::lineup::{Lineup, Trial};
use crate::mana::{ManaPolicy, Purse};
use crate::npc::Npc;
use crate::path::{Cell, Route};
use crate::perception::Notice;
use crate::scene::Entity;
use crate::spells::{Event, Message};
use crate::status::Statuses;
use crate::storage::Keeper;
use crate::strike::Strikes;
use crate::summon::{Order, Summoned};
use crate::team::Policy;
use crate::{EntityId, EntityKind, Quat, Vec3, World};
use std::collections::BTreeMap;
use xxhash_rust::xxh3::xxh3_64;

/// xxh3 of each part of the state. Floats count by their bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Digest {
    /// The voxels, how much of them each player may change, and the size of the journal of edits.
    pub terrain: u64,
    /// Players and their controls, and where absent ones have left.
    pub players: u64,
    /// NPCs, and those that will come back.
    pub npcs: u64,
    /// Projectiles, and where players and NPCs stood of late, where some of them meet them.
    pub projectiles: u64,
    /// Rigid bodies: rapier's own state of props and characters, and what the scene says of props; joints and force fields.
    pub bodies: u64,
    /// Spells, casts and cooldowns.
    pub casts: u64,
    /// Seed, tick and counters of ids.
    pub streams: u64,
}

impl Digest {
    /// All parts in one number.
    pub fn whole(&self) -> u64 {
        let bytes: Vec<u8> = self.parts().iter().flat_map(|(_, part)| part.to_le_bytes()).collect();
        xxh3_64(&bytes)
    }

    /// Each part with its name.
    pub fn parts(&self) -> [(&'static str, u64); 7] {
        [
            ("terrain", self.terrain),
            ("players", self.players),
            ("npcs", self.npcs),
            ("projectiles", self.projectiles),
            ("bodies", self.bodies),
            ("casts", self.casts),
            ("streams", self.streams),
        ]
    }

    pub(crate) fn of(world: &World) -> Self {
        Self {
            terrain: terrain(world),
            players: players(world),
            npcs: npcs(world),
            projectiles: projectiles(world),
            bodies: bodies(world),
            casts: casts(world),
            streams: Part::new().number(world.settings.seed).number(world.tick).number(world.next_id).number(world.casts.count()).done(),
        }
    }
}

/// Of the places of players who are away.
pub(crate) fn places(places: &BTreeMap<String, Place>) -> u64 {
    let mut part = Part::new();
    for (account, Place { position, aim, health, left, entity }) in places {
        part.text(account).vector(*position).vector(*aim).float(*health).number(*left).id(*entity);
    }
    part.done()
}

/// Of where everybody stood.
pub(crate) fn stood(places: &[(EntityId, Vec3)]) -> u64 {
    let mut part = Part { bytes: Vec::with_capacity(size_of_val(places)) };
    places.iter().for_each(|(id, position)| _ = part.id(*id).vector(*position));
    part.done()
}

/// Of one value that a spell keeps.
pub(crate) fn stored((spell, keeper): &(String, Keeper), key: &str, value: &[u8]) -> u64 {
    let mut part = Part { bytes: Vec::new() };
    part.text(spell);
    match keeper {
        Keeper::Spell => part.number(0),
        Keeper::Account(account) => part.number(1).text(account),
        Keeper::Entity(id) => part.number(2).id(*id),
    };
    part.text(key).bytes(value).done()
}

fn terrain(world: &World) -> u64 {
    let mut part = Part::new();
    for (id, chunk) in world.scene.terrain().chunks() {
        for coordinate in id.0 {
            part.number(coordinate as u64);
        }
        part.number(chunk.hash()).number(chunk.version().into());
    }
    for (player, parts, tick) in world.allowances.entries() {
        part.id(player).number(parts.into()).number(tick);
    }
    // Of the journal its size alone: a revert is rare, and hashing two million voxels in every tick is not.
    part.number(world.journal.len() as u64).number(world.journal.bytes() as u64).number(world.journal.next());
    part.done()
}

fn players(world: &World) -> u64 {
    let mut part = Part::new();
    for (id, player) in &world.players {
        part.entity(world.scene.entity(*id)).number(player.fire_ready);
        part.text(&player.account);
        let Input { sequence, movement, aim, sprint, fire, jump, seen_tick } = player.input;
        part.number(sequence.into()).vector(movement).vector(aim).flag(sprint).flag(fire).flag(jump).number(seen_tick).standing(world, *id);
    }
    let Policy { friendly_fire, mana } = world.policy;
    part.flag(friendly_fire).flag(mana.is_some());
    let ManaPolicy { max, per_second } = mana.unwrap_or_default();
    part.number(max.into()).number(per_second.into());
    for (id, Purse { mana, debt }) in &world.purses {
        part.id(*id).float(*mana).number(debt.map_or(0, |debt| debt.tick + 1)).float(debt.map_or(0.0, |debt| debt.mana));
    }
    part.number(world.absent.hash()).done()
}

fn npcs(world: &World) -> u64 {
    let mut part = Part::new();
    for (id, npc) in &world.npcs {
        let Npc { home, temper, respawn_ticks, notices, mind, route, strike_ready, summoned } = npc;
        part.entity(world.scene.entity(*id)).standing(world, *id).vector(*home).number(*temper as u64).number(*respawn_ticks);
        for (target, Notice { suspicion, detection, last_seen, in_sight }) in notices {
            part.id(*target).float(*suspicion).number(*detection as u64).vector(*last_seen).flag(*in_sight);
        }
        part.number(notices.len() as u64).mind(*mind).number(*strike_ready).summoned(*summoned);
        let Route { goal, steps, asked, searched, since } = route;
        part.flag(goal.is_some())
            .cells(goal.as_slice())
            .number(steps.len() as u64)
            .cells(steps)
            .flag(*asked)
            .number(*searched)
            .number(*since);
    }
    part.id(world.path_served);
    for respawn in &world.respawns {
        part.text(&respawn.name).vector(respawn.home).number(respawn.due).number(respawn.temper as u64).number(respawn.respawn_ticks);
        part.number(respawn.team.map_or(0, |team| 1 + u64::from(team.0)));
    }
    part.done()
}

fn projectiles(world: &World) -> u64 {
    let mut part = Part::new();
    for (id, projectile) in &world.projectiles {
        part.entity(world.scene.entity(*id)).number(projectile.cast.map_or(0, |cast| cast.0)).number(projectile.expires);
        part.float(projectile.radius).float(projectile.gravity).float(projectile.damage);
        part.float(projectile.restitution).number(projectile.bounces.into()).number(projectile.pierces.into());
        projectile.pierced.iter().for_each(|id| _ = part.id(*id));
        let Homing { turn, half_angle } = projectile.homing.unwrap_or_default();
        part.number(projectile.pierced.len() as u64).float(turn).float(half_angle).id(projectile.target);
        part.number(projectile.lag_ticks as u64);
    }
    world.history.hashes().for_each(|hash| _ = part.number(hash));
    part.done()
}

fn bodies(world: &World) -> u64 {
    let mut part = Part::new();
    for (id, state) in world.physics.states() {
        part.id(id).vector(state.position).rotation(state.rotation).vector(state.velocity).vector(state.spin).flag(state.sleeps);
    }
    for entity in world.scene.entities().filter(|entity| entity.kind == EntityKind::Prop) {
        part.entity(Some(entity));
    }
    for Prop { form, mass_kg, cast, expires } in world.props.values() {
        part.form(*form).float(*mass_kg).number(cast.map_or(0, |cast| cast.0)).number(expires.unwrap_or(0));
    }
    for (id, Joint { cast, caster, kind, one, other, break_force }) in &world.joints {
        part.id(*id).number(cast.0).id(*caster).joint_kind(*kind).end(*one).end(*other).float(*break_force);
    }
    for (id, Field { cast, caster, spec, expires }) in &world.fields {
        let FieldSpec { center, radius, acceleration, falloff, seconds } = *spec;
        part.id(*id)
            .number(cast.0)
            .id(*caster)
            .vector(center)
            .float(radius)
            .float(acceleration)
            .float(falloff)
            .float(seconds)
            .number(*expires);
    }
    part.number(world.joints.len() as u64).number(world.fields.len() as u64);
    part.done()
}

fn casts(world: &World) -> u64 {
    let mut part = Part::new();
    for (name, spell) in world.casts.spells() {
        part.text(name).lineup(&spell.lineup);
        for (revision, known) in &spell.revisions {
            part.text(revision).spec(&known.spec).number(known.live as u64);
        }
    }
    for (id, cast) in world.casts.live() {
        let CastRequest { caster, spell, revision, target_position, target, params } = &cast.request;
        part.number(id.0).id(*caster).text(spell).text(revision).vector(*target_position).id(*target).text(params);
        part.spec(&cast.spec).float(cast.upkeep);
        part.number(cast.seed)
            .number(cast.started)
            .number(cast.last_tick)
            .number(cast.last_event)
            .flag(cast.running)
            .number(cast.cancelled.map_or(0, |reason| 1 + reason as u64));
        cast.events.iter().for_each(|event| part.event(event));
        cast.timers.iter().for_each(|timer| _ = part.number(timer.due).number(timer.token.into()));
        cast.spawned.iter().for_each(|id| _ = part.id(*id));
        part.number(cast.events.len() as u64).number(cast.timers.len() as u64).number(cast.spawned.len() as u64);
    }
    for (id, to) in world.casts.migrating() {
        part.number(id.0).text(to);
    }
    for (caster, spell, tick) in world.casts.last_casts() {
        part.id(caster).text(spell).number(tick);
    }
    for (caster, fuel) in world.casts.debts() {
        part.id(caster).number(fuel);
    }
    for (caster, spell, Strikes { revision, count, last }) in world.casts.strikes() {
        part.id(caster).text(spell).text(revision).number((*count).into()).number(*last);
    }
    part.number(world.scene.storage().hash());
    part.done()
}

/// Gathers one part's bytes, to be hashed at once: many small updates of a streaming hash cost several times as much.
struct Part {
    bytes: Vec<u8>,
}

impl Part {
    fn new() -> Self {
        // What a hundred entities take, so that it is not doubled from nothing seven times a tick.
        Self { bytes: Vec::with_capacity(16 * 1024) }
    }

    fn number(&mut self, number: u64) -> &mut Self {
        self.bytes.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn flag(&mut self, flag: bool) -> &mut Self {
        self.number(flag.into())
    }

    fn id(&mut self, id: EntityId) -> &mut Self {
        self.number(id.0)
    }

    fn float(&mut self, float: f32) -> &mut Self {
        self.bytes.extend_from_slice(&float.to_bits().to_le_bytes());
        self
    }

    fn vector(&mut self, vector: Vec3) -> &mut Self {
        self.bytes.extend_from_slice(vector.to_array().map(|axis| axis.to_bits().to_le_bytes()).as_flattened());
        self
    }

    fn rotation(&mut self, rotation: Quat) -> &mut Self {
        self.bytes.extend_from_slice(rotation.to_array().map(|part| part.to_bits().to_le_bytes()).as_flattened());
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
        self
    }

    fn spec(&mut self, spec: &SpellSpec) -> &mut Self {
        let SpellSpec { duration_ticks, tick_interval, event_interval, persistent, cast_mana, school, counters, in_flight } = *spec;
        self.number(duration_ticks.into()).number(tick_interval.into()).number(event_interval.into()).flag(persistent).float(cast_mana);
        self.number(school as u64).number(counters.0.into()).number(in_flight as u64)
    }

    fn lineup(&mut self, lineup: &Lineup) -> &mut Self {
        let Lineup { active, trial, drafts } = lineup;
        self.flag(active.is_some()).text(active.as_deref().unwrap_or_default()).flag(trial.is_some());
        if let Some(Trial { revision, share, by }) = trial {
            self.text(revision).number((*share).into()).number(*by as u64);
        }
        drafts.iter().for_each(|(account, revision)| _ = self.text(account).text(revision));
        self.number(drafts.len() as u64)
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Hit { projectile, entity, point, normal } => self.number(1).id(*projectile).id(*entity).vector(*point).vector(*normal),
            Event::Expired(id) => self.number(2).id(*id),
            Event::Timer(token) => self.number(3).number((*token).into()),
            Event::Dropped(id) => self.number(4).id(*id),
            Event::Died(id) => self.number(5).id(*id),
            Event::Message(Message { spell, caster, data }) => self.number(6).text(spell).id(*caster).bytes(data),
        };
    }

    fn mind(&mut self, mind: Mind) -> &mut Self {
        match mind {
            Mind::Fresh => self.number(0),
            Mind::Idle { until } => self.number(1).number(until),
            Mind::Patrol => self.number(2),
            Mind::Investigate => self.number(3),
            Mind::Chase { target } => self.number(4).id(target),
            Mind::Attack { target } => self.number(5).id(target),
            Mind::Flee { from } => self.number(6).id(from),
            Mind::Follow => self.number(7),
            Mind::Go => self.number(8),
        }
    }

    fn summoned(&mut self, summoned: Option<Summoned>) -> &mut Self {
        let Some(Summoned { cast, summoner, order }) = summoned else { return self.number(0) };
        self.number(cast.0).id(summoner);
        match order {
            Order::Follow => self.number(1),
            Order::Stay => self.number(2),
            Order::Go { to } => self.number(3).vector(to),
            Order::Attack { target } => self.number(4).id(target),
        }
    }

    fn form(&mut self, form: Form) -> &mut Self {
        match form {
            Form::Point => self.number(0),
            Form::Capsule => self.number(1),
            Form::Box { half } => self.number(2).vector(half),
            Form::Ball { radius } => self.number(3).float(radius),
        }
    }

    fn joint_kind(&mut self, kind: JointKind) -> &mut Self {
        match kind {
            JointKind::Fixed => self.number(0),
            JointKind::Ball => self.number(1),
            JointKind::Hinge { axis } => self.number(2).vector(axis),
            JointKind::Rope { length } => self.number(3).float(length),
        }
    }

    fn end(&mut self, End { body, anchor, frame }: End) -> &mut Self {
        self.id(body).vector(anchor).rotation(frame)
    }

    fn cells(&mut self, cells: &[Cell]) -> &mut Self {
        cells.iter().flatten().for_each(|coordinate| _ = self.number(*coordinate as u64));
        self
    }

    /// Team and statuses.
    fn standing(&mut self, world: &World, id: EntityId) -> &mut Self {
        self.number(world.teams.get(&id).map_or(0, |team| 1 + u64::from(team.0)));
        let Statuses { slow, root, shield, burn } = world.statuses.get(&id).copied().unwrap_or_default();
        self.float(slow.map_or(1.0, |slow| slow.factor)).number(slow.map_or(0, |slow| slow.until)).number(root.unwrap_or(0));
        self.float(shield.map_or(0.0, |shield| shield.left)).number(shield.map_or(0, |shield| shield.until));
        self.float(burn.map_or(0.0, |burn| burn.per_second)).number(burn.map_or(0, |burn| burn.next));
        self.number(burn.map_or(0, |burn| burn.until)).id(burn.map_or(EntityId::NONE, |burn| burn.source))
    }

    fn entity(&mut self, entity: Option<&Entity>) -> &mut Self {
        let Some(entity) = entity else { return self.number(0) };
        let Entity { id, kind, name, owner, position, rotation, form, velocity, aim, health, health_max, grounded, input_sequence } =
            entity;
        self.id(*id).number(*kind as u64).text(name).id(*owner);
        self.vector(*position).rotation(*rotation).form(*form).vector(*velocity).vector(*aim);
        self.float(*health).float(*health_max).flag(*grounded).number((*input_sequence).into())
    }

    fn done(&self) -> u64 {
        xxh3_64(&self.bytes)
    }
}
