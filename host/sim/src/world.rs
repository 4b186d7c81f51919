//! The world: everything that the next tick depends on, and how one is set up.

use crate::absent::Absent;
use crate::body::{self, Form, Prop};
use crate::cast::Casts;
use crate::checkpoint::{Checkpoint, Thoroughness};
use crate::digest::Digest;
use crate::edit::Allowances;
use crate::field::Field;
use crate::generate::{self, Generation};
use crate::history::History;
use crate::joint::{self, Joint};
use crate::limits::{CHARACTER_HEALTH_MAX, ENTITIES_MAX};
use crate::lineup::Lineup;
use crate::mana::{ManaPolicy, Purse};
use crate::npc::{self, Npc, Respawn, Spawner, Temper};
use crate::outbound::DespawnReason;
use crate::physics::Physics;
use crate::player::Player;
use crate::projectile::Projectile;
use crate::scene::{Entity, Scene};
use crate::settings::Settings;
use crate::spells::Event;
use crate::status::{self, Borne, Status, Statuses};
use crate::storage::Storage;
use crate::team::{Policy, Team};
use crate::undo::Journal;
use crate::voxel::Terrain;
use crate::{CastId, EntityId, EntityKind, Outbound, Quat, Vec3, character, mana};
use std::collections::BTreeMap;

/// Where the target dummy of a new world stands, metres.
const DUMMY_POSITION: Vec3 = Vec3::new(0.0, 1.9, -10.0);
/// Where the crates of a new world stand, metres.
const CRATE_POSITIONS: [Vec3; 4] =
    [Vec3::new(4.0, 1.5, -7.0), Vec3::new(-4.0, 1.5, -7.0), Vec3::new(6.0, 1.5, 4.0), Vec3::new(-6.0, 1.5, 4.0)];

/// A world: everything that the next tick depends on.
#[derive(Debug)]
pub struct World {
    pub(crate) tick: u64,
    pub(crate) settings: Settings,
    /// The next entity's id.
    pub(crate) next_id: u64,
    /// What all entities have in common; the maps below hold what only their kind has.
    pub(crate) scene: Scene,
    pub(crate) players: BTreeMap<EntityId, Player>,
    pub(crate) npcs: BTreeMap<EntityId, Npc>,
    pub(crate) respawns: Vec<Respawn>,
    pub(crate) projectiles: BTreeMap<EntityId, Projectile>,
    pub(crate) props: BTreeMap<EntityId, Prop>,
    pub(crate) joints: BTreeMap<EntityId, Joint>,
    pub(crate) fields: BTreeMap<EntityId, Field>,
    pub(crate) physics: Physics,
    /// How many edits of the terrain each player may make now.
    pub(crate) allowances: Allowances,
    /// The edits that can still be undone.
    pub(crate) journal: Journal,
    pub(crate) policy: Policy,
    /// Of those who have one.
    pub(crate) teams: BTreeMap<EntityId, Team>,
    /// Of those who bear any.
    pub(crate) statuses: BTreeMap<EntityId, Statuses>,
    /// The NPC whose way was searched last.
    pub(crate) path_served: EntityId,
    pub(crate) casts: Casts,
    /// Of those who have less mana than the most.
    pub(crate) purses: BTreeMap<EntityId, Purse>,
    /// Where players come back to who have left, by account.
    pub(crate) absent: Absent,
    /// Where players and NPCs stood of late.
    pub(crate) history: History,
    /// A checkpoint that the running tick ends with.
    pub(crate) checkpoint_due: Option<Thoroughness>,
    /// The one that the last tick has ended with, until it is taken.
    pub(crate) checkpoint: Option<Checkpoint>,
    /// What the running tick has told the outside so far.
    pub(crate) outbound: Vec<Outbound>,
    digest: Digest,
}

impl World {
    /// A new world: the 5 x 5 floor, the target dummy, four crates. The seed is all that makes two of them differ.
    pub fn new(seed: u64) -> Self {
        Self::with(Settings::new(seed))
    }

    /// A new world of these settings, with the target dummy and four crates on its ground.
    pub fn with(settings: Settings) -> Self {
        let mut world = Self::bare(settings);
        let ground = |position: Vec3| match settings.generation {
            Generation::Floor => position,
            // The floor's ground is that of height 0.
            Generation::Hills => position + Vec3::Y * generate::ground(settings.seed, position.x as i32, position.z as i32) as f32,
        };
        world.spawn_npc("dummy", ground(DUMMY_POSITION));
        for position in CRATE_POSITIONS {
            world.spawn_prop("crate", ground(position));
        }
        world
    }

    /// A world with the 5 x 5 floor and nothing on it.
    pub fn empty(seed: u64) -> Self {
        Self::on(seed, Terrain::floor())
    }

    /// A world with this terrain and nothing on it.
    pub fn on(seed: u64, terrain: Terrain) -> Self {
        Self::of(Settings::new(seed), terrain)
    }

    /// A world with its ground and nothing on it.
    pub fn bare(settings: Settings) -> Self {
        let mut world = match settings.generation {
            Generation::Floor => Self::of(settings, Terrain::floor()),
            Generation::Hills => Self::of(settings, Terrain::default()),
        };
        generate::spawn_place(&mut world);
        world.refresh_digest();
        world
    }

    /// A world of these settings with this terrain and nothing on it.
    pub fn of(settings: Settings, terrain: Terrain) -> Self {
        let physics = Physics::new(&terrain);
        let mut world = Self {
            tick: 0,
            settings,
            next_id: 1,
            scene: Scene::new(terrain),
            players: BTreeMap::new(),
            npcs: BTreeMap::new(),
            respawns: Vec::new(),
            projectiles: BTreeMap::new(),
            props: BTreeMap::new(),
            joints: BTreeMap::new(),
            fields: BTreeMap::new(),
            physics,
            allowances: Allowances::default(),
            journal: Journal::default(),
            policy: Policy::default(),
            teams: BTreeMap::new(),
            statuses: BTreeMap::new(),
            path_served: EntityId::NONE,
            casts: Casts::default(),
            purses: BTreeMap::new(),
            absent: Absent::default(),
            history: History::default(),
            checkpoint_due: None,
            checkpoint: None,
            outbound: Vec::new(),
            digest: Digest::default(),
        };
        world.refresh_digest();
        world
    }

    /// What it was set up with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Ticks that have been simulated.
    pub fn tick(&self) -> u64 {
        self.tick
    }

    /// What can be looked at.
    pub fn scene(&self) -> &Scene {
        &self.scene
    }

    /// The state's fingerprint after the last tick (or after setup).
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The players that are in it, by id.
    pub fn players(&self) -> impl Iterator<Item = EntityId> {
        self.players.keys().copied()
    }

    /// The player of this account, if it is in the world; nobody is known by an empty one.
    pub fn player_of(&self, account: &str) -> Option<EntityId> {
        self.players.iter().find(|(_, player)| !account.is_empty() && player.account == account).map(|(id, _)| *id)
    }

    /// The account of a player that is in the world; empty for one who has none.
    pub fn account(&self, player: EntityId) -> Option<&str> {
        self.players.get(&player).map(|player| player.account.as_str())
    }

    /// Props that are awake: what the physics works on.
    pub fn props_awake(&self) -> usize {
        self.props.keys().filter(|id| self.physics.state(**id).is_some_and(|state| !state.sleeps)).count()
    }

    /// Mana that a player has; below 0 it is owed. `None` for one who pays nothing.
    pub fn mana(&self, id: EntityId) -> Option<f32> {
        mana::of(self, id)
    }

    /// What its policy says of mana; `None` where casting costs nothing.
    pub fn mana_policy(&self) -> Option<ManaPolicy> {
        self.policy.mana
    }

    /// What a player or NPC bears, at most one of each kind.
    pub fn statuses_of(&self, id: EntityId) -> Vec<Borne> {
        status::of(self, id)
    }

    /// How many ticks ago players and NPCs stood where this projectile meets them; 0 is now.
    pub fn lag_ticks(&self, projectile: EntityId) -> usize {
        self.projectiles.get(&projectile).map_or(0, |projectile| projectile.lag_ticks)
    }

    /// Casts that are running.
    pub fn live_casts(&self) -> usize {
        self.casts.len()
    }

    /// Live casts of each spell's revision that has some.
    pub fn live_by_revision(&self) -> impl Iterator<Item = (&str, &str, usize)> {
        let spells = self.casts.spells();
        let all =
            spells.flat_map(|(spell, known)| known.revisions.iter().map(move |(revision, known)| (spell, revision.as_str(), known.live)));
        all.filter(|(_, _, live)| *live > 0)
    }

    /// By spell: the revision that everybody's new casts run, where there is one.
    pub fn active_revisions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.casts.spells().filter_map(|(spell, known)| Some((spell, known.lineup.active.as_deref()?)))
    }

    /// All spells that can be cast, or of which casts are live.
    pub fn spells(&self) -> impl Iterator<Item = &str> {
        self.casts.spells().map(|(spell, _)| spell)
    }

    /// By spell: the draft that this player alone runs.
    pub fn drafts_of(&self, player: EntityId) -> impl Iterator<Item = (&str, &str)> {
        let account = self.players.get(&player).map_or("", |player| player.account.as_str());
        self.casts.spells().filter_map(move |(spell, known)| Some((spell, known.lineup.draft(account)?)))
    }

    /// What new casts of this spell run.
    pub fn lineup(&self, spell: &str) -> Option<&Lineup> {
        self.casts.lineup(spell)
    }

    /// Whether casts of this revision are live or may come to be.
    pub fn needs(&self, spell: &str, revision: &str) -> bool {
        self.casts.knows(spell, revision)
    }

    /// Casts that wait for their first call, with spell and revision.
    pub fn waiting_casts(&self) -> impl Iterator<Item = (CastId, &str, &str)> {
        let waiting = self.casts.live().filter(|(_, cast)| !cast.running);
        waiting.map(|(id, cast)| (id, cast.request.spell.as_str(), cast.request.revision.as_str()))
    }

    /// The revision that new casts of the spell run.
    pub fn active_revision(&self, spell: &str) -> Option<&str> {
        self.casts.active_revision(spell)
    }
}

/// Setup for scenarios, tests and benchmarks. What is set up is part of the starting state and in no recording, so it ends with the first tick:
/// each of these panics after it, and when the world is full.
impl World {
    /// An NPC with full health that respawns at `position` (its middle, metres).
    pub fn spawn_npc(&mut self, name: &str, position: Vec3) -> EntityId {
        self.set_up(|world| npc::spawn(world, name, position))
    }

    /// An NPC of this temper, as [`World::spawn_npc`]; it looks along `aim`.
    pub fn spawn_npc_of(&mut self, temper: Temper, name: &str, position: Vec3, aim: Vec3) -> EntityId {
        self.set_up(|world| npc::spawn_of(world, temper, name, position, aim))
    }

    /// The NPCs of a spawner; they stand on the ground around its position, two metres apart. Those that the world has no room for are left out.
    pub fn add_spawner(&mut self, spawner: &Spawner) -> Vec<EntityId> {
        self.set_up(|world| {
            (0..spawner.count).map_while(|index| world.has_room().then(|| npc::spawn_one_of(world, spawner, index))).collect()
        })
    }

    /// Puts a player or NPC on a side.
    pub fn set_team(&mut self, id: EntityId, team: Team) {
        self.set_up(|world| {
            if world.scene.entity(id).is_some_and(|entity| entity.kind.is_character()) {
                world.teams.insert(id, team);
            }
        });
    }

    /// What the world allows from the start.
    pub fn set_policy(&mut self, policy: Policy) {
        self.set_up(|world| world.policy = policy);
    }

    /// Gives a player or NPC a status for some seconds; one that is out of range is not given.
    pub fn set_status(&mut self, id: EntityId, status: Status, seconds: f32) {
        self.set_up(|world| _ = status::give(world, EntityId::NONE, id, status, seconds));
    }

    /// A crate of 1 m and 50 kg.
    pub fn spawn_prop(&mut self, name: &str, position: Vec3) -> EntityId {
        self.set_up(|world| {
            let id = world.fresh_id();
            let entity = Entity { name: name.into(), form: Prop::CRATE_FORM, ..Entity::inert(id, EntityKind::Prop, position) };
            body::put(world, entity, Prop::CRATE);
            id
        })
    }

    /// A player without a connection; `aim` is a unit vector.
    pub fn spawn_player(&mut self, name: &str, position: Vec3, aim: Vec3) -> EntityId {
        self.set_up(|world| crate::player::spawn(world, "", name, position, aim))
    }

    /// Hurts or heals a player or NPC; cut to above 0 and its maximum. Nothing happens to what has no health.
    pub fn set_health(&mut self, id: EntityId, health: f32) {
        self.set_up(|world| {
            if let Some(entity) = world.scene.entity_mut(id).filter(|entity| entity.health_max > 0.0) {
                entity.health = health.max(f32::EPSILON).min(entity.health_max);
            }
        });
    }

    fn set_up<T>(&mut self, change: impl FnOnce(&mut Self) -> T) -> T {
        assert!(self.tick == 0, "a world is set up before its first tick");
        assert!(self.has_room(), "a world holds {ENTITIES_MAX} entities");
        let made = change(self);
        // What stands there from the start is no event.
        self.outbound.clear();
        self.refresh_digest();
        made
    }
}

/// What several stages share.
impl World {
    pub(crate) fn emit(&mut self, event: Outbound) {
        self.outbound.push(event);
    }

    /// What spells keep.
    pub(crate) fn storage_mut(&mut self) -> &mut Storage {
        self.scene.storage_mut()
    }

    pub(crate) fn fresh_id(&mut self) -> EntityId {
        let id = EntityId(self.next_id);
        self.next_id += 1;
        id
    }

    /// Whether one more entity may be spawned.
    pub(crate) fn has_room(&self) -> bool {
        self.scene.len() < ENTITIES_MAX
    }

    /// Puts an entity into the scene and tells of it. Its kind's own map is the caller's business.
    pub(crate) fn spawn(&mut self, entity: Entity) {
        self.emit(Outbound::Spawned {
            id: entity.id,
            kind: entity.kind,
            position: entity.position,
            rotation: entity.rotation,
            name: entity.name.clone(),
            owner: entity.owner,
            health_max: entity.health_max,
        });
        self.scene.insert(entity);
    }

    /// The cast that an entity, joint or field belongs to.
    pub(crate) fn maker(&self, id: EntityId) -> Option<CastId> {
        let of_entity = || self.projectiles.get(&id)?.cast;
        let of_prop = || self.props.get(&id)?.cast;
        let of_npc = || Some(self.npcs.get(&id)?.summoned?.cast);
        let of_joint = || Some(self.joints.get(&id)?.cast);
        let of_field = || Some(self.fields.get(&id)?.cast);
        of_entity().or_else(of_prop).or_else(of_npc).or_else(of_joint).or_else(of_field)
    }

    /// Takes away what has come to its end by itself, and tells its cast.
    pub(crate) fn expire(&mut self, id: EntityId, reason: DespawnReason) {
        let maker = self.maker(id);
        self.despawn(id, reason);
        if let Some(cast) = maker {
            self.casts.notify(cast, Event::Expired(id));
        }
    }

    /// Takes an entity away from everywhere and tells of it, or a joint or field, which nobody is told of; nothing happens when it is gone already.
    pub(crate) fn despawn(&mut self, id: EntityId, reason: DespawnReason) {
        if let Some(cast) = self.maker(id) {
            self.casts.forget_spawned(cast, id);
        }
        if joint::remove(self, id) || self.fields.remove(&id).is_some() || self.scene.remove(id).is_none() {
            return;
        }
        if self.props.remove(&id).is_some() {
            joint::part(self, id);
        }
        if self.players.remove(&id).is_some() | self.npcs.remove(&id).is_some() {
            self.storage_mut().part(id);
        }
        self.allowances.forget(id);
        self.teams.remove(&id);
        self.statuses.remove(&id);
        self.physics.remove(id);
        self.projectiles.remove(&id);
        self.emit(Outbound::Despawned { id, reason });
    }

    pub(crate) fn refresh_digest(&mut self) {
        self.digest = Digest::of(self);
    }
}

impl Entity {
    /// Something at rest, without name, owner and health.
    pub(crate) fn inert(id: EntityId, kind: EntityKind, position: Vec3) -> Self {
        Self {
            id,
            kind,
            name: String::new(),
            owner: EntityId::NONE,
            position,
            rotation: Quat::IDENTITY,
            form: Form::Point,
            velocity: Vec3::ZERO,
            aim: Vec3::NEG_Z,
            health: 0.0,
            health_max: 0.0,
            grounded: false,
            input_sequence: 0,
        }
    }

    /// A player or NPC with full health.
    pub(crate) fn character(id: EntityId, kind: EntityKind, name: &str, position: Vec3, aim: Vec3) -> Self {
        Self {
            name: name.into(),
            rotation: character::facing(aim),
            form: Form::Capsule,
            aim,
            health: CHARACTER_HEALTH_MAX,
            health_max: CHARACTER_HEALTH_MAX,
            ..Self::inert(id, kind, position)
        }
    }
}
