//! A world's state at one tick, whole but for its chunks and its journal: what a file holds, and what a world goes on from.

mod v1;
mod v2;
mod v3;
mod v4;

pub use v1::SavedV1;
pub use v2::SavedV2;
pub use v3::SavedV3;
pub use v4::SavedV4;

use crate::absent::{self, Absent, Place};
use crate::body::Prop;
use crate::cast::SavedCasts;
use crate::edit::Allowances;
use crate::field::Field;
use crate::generate::Generation;
use crate::history::{self, Frame, History};
use crate::joint::Joint;
use crate::limits::{
    CHUNKS_MAX, ENTITIES_MAX, NAME_BYTES_MAX, PROJECTILE_RADIUS_MAX_M, PROJECTILE_SPEED_MAX, TICK_MAX, UNDO_BYTES_MAX, UNDO_ENTRIES_MAX,
    WORLD_EXTENT_M,
};
use crate::mana::Purse;
use crate::npc::{Npc, Respawn};
use crate::outbound::CastEnd;
use crate::path::Cell;
use crate::physics::{BodyState, Rebuilt};
use crate::player::Player;
use crate::projectile::Projectile;
use crate::scene::Entity;
use crate::settings::Settings;
use crate::spells::Resumed;
use crate::status::Statuses;
use crate::storage::{self, Drawer, Keeper, Storage};
use crate::team::{Policy, Team};
use crate::undo::{Entry, Journal};
use crate::voxel::{Chunk, ChunkId, Terrain};
use crate::{CastId, EntityId, Spells, Vec3, World, cast};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a world holds at a tick, without its chunks and its journal. Opaque: it is made by a checkpoint, and only [`World::load`] reads it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    tick: u64,
    settings: Settings,
    policy: Policy,
    next_id: u64,
    entities: Vec<Entity>,
    players: BTreeMap<EntityId, Player>,
    absent: BTreeMap<String, Place>,
    npcs: BTreeMap<EntityId, Npc>,
    respawns: Vec<Respawn>,
    projectiles: BTreeMap<EntityId, Projectile>,
    props: BTreeMap<EntityId, Prop>,
    /// Of props; all other bodies are where their entities are.
    bodies: BTreeMap<EntityId, BodyState>,
    joints: BTreeMap<EntityId, Joint>,
    fields: BTreeMap<EntityId, Field>,
    allowances: Allowances,
    teams: BTreeMap<EntityId, Team>,
    statuses: BTreeMap<EntityId, Statuses>,
    path_served: EntityId,
    casts: SavedCasts,
    purses: BTreeMap<EntityId, Purse>,
    stored: BTreeMap<(String, Keeper), Drawer>,
    journal_next: u64,
    history: Vec<Frame>,
}

/// Everything that a file holds of a world.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The state.
    pub saved: Saved,
    /// All chunks.
    pub chunks: BTreeMap<ChunkId, Arc<Chunk>>,
    /// The edits that can be undone.
    pub journal: BTreeMap<u64, Arc<Entry>>,
}

/// Why a world is not loaded: its state is none that a world can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the saved state is none of a world: not true that {0}")]
pub struct LoadError(String);

/// A cast that a load has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// Which.
    pub cast: CastId,
    /// Its spell.
    pub spell: String,
    /// The revision that it was pinned to.
    pub revision: String,
    /// Its caster.
    pub caster: EntityId,
}

impl Saved {
    /// The state after the running tick; the casts' own states come from whoever runs the spells.
    pub(crate) fn of(world: &World, states: BTreeMap<CastId, Vec<u8>>) -> Self {
        Self {
            tick: world.tick + 1,
            settings: world.settings,
            policy: world.policy,
            next_id: world.next_id,
            entities: world.scene.entities().cloned().collect(),
            players: world.players.clone(),
            absent: world.absent.places().clone(),
            npcs: world.npcs.clone(),
            respawns: world.respawns.clone(),
            projectiles: world.projectiles.clone(),
            props: world.props.clone(),
            bodies: world.props.keys().filter_map(|id| Some((*id, world.physics.state(*id)?))).collect(),
            joints: world.joints.clone(),
            fields: world.fields.clone(),
            allowances: world.allowances.clone(),
            teams: world.teams.clone(),
            statuses: world.statuses.clone(),
            path_served: world.path_served,
            casts: world.casts.save(states),
            purses: world.purses.clone(),
            stored: world.scene.storage().drawers().clone(),
            journal_next: world.journal.next(),
            history: world.history.frames().cloned().collect(),
        }
    }

    /// Ticks that have been simulated.
    pub fn tick(&self) -> u64 {
        self.tick
    }

    /// What the world was set up with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// All entities, by id.
    pub fn entities(&self) -> &[Entity] {
        &self.entities
    }

    /// Whether every cast that was called before has saved its state.
    pub fn is_whole(&self) -> bool {
        self.casts.are_saved()
    }

    /// The revisions that the world's spells and casts need: spell and revision.
    pub fn revisions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.casts.revisions()
    }
}

impl World {
    /// The world as it was saved, exactly: it goes on as the one that went through the checkpoint. Casts that `spells` cannot go on with are ended, with
    /// what they spawned, and so are spells whose revisions it does not know; the answer names the casts.
    ///
    /// # Errors
    /// When the state does not fit together; nothing of the kind is simulated.
    pub fn load(stored: Stored, spells: &mut impl Spells) -> Result<(Self, Vec<Dropped>), LoadError> {
        stored.check().map_err(LoadError)?;
        let Stored { saved, chunks, journal } = stored;
        let mut terrain = Terrain::default();
        chunks.into_iter().for_each(|(id, chunk)| terrain.insert_shared(id, chunk));
        terrain.take_dirty();
        let mut world = Self::of(saved.settings, terrain);
        world.tick = saved.tick;
        world.policy = saved.policy;
        world.next_id = saved.next_id;
        saved.entities.into_iter().for_each(|entity| world.scene.insert(entity));
        world.props = saved.props;
        world.joints = saved.joints;
        world.fields = saved.fields;
        world.players = saved.players;
        world.absent = Absent::of(saved.absent);
        world.npcs = saved.npcs;
        world.respawns = saved.respawns;
        world.projectiles = saved.projectiles;
        world.allowances = saved.allowances;
        world.teams = saved.teams;
        world.statuses = saved.statuses;
        world.path_served = saved.path_served;
        world.purses = saved.purses;
        world.history = History::of(saved.history);
        *world.storage_mut() = Storage::of(saved.stored);
        let World { scene, players, .. } = &mut world;
        players.iter().for_each(|(id, player)| scene.storage_mut().introduce(*id, &player.account));
        world.journal = Journal::of(journal, saved.journal_next);
        let World { scene, props, joints, physics, .. } = &mut world;
        physics.rebuild(&Rebuilt { scene, props, joints, states: Some(&saved.bodies) });
        let (casts, states) = cast::Casts::of(saved.casts);
        world.casts = casts;
        world.fits_together().map_err(LoadError)?;
        let dropped = resume(&mut world, states, spells);
        world.outbound.clear();
        world.refresh_digest();
        Ok((world, dropped))
    }
}

/// Goes on with the casts, and ends those that cannot go on.
fn resume(world: &mut World, mut states: BTreeMap<CastId, Vec<u8>>, spells: &mut impl Spells) -> Vec<Dropped> {
    let mut dropped = Vec::new();
    for (id, cast) in world.casts.live() {
        let (spell, revision) = (cast.request.spell.as_str(), cast.request.revision.as_str());
        let goes_on = spells.knows(spell, revision)
            && match states.remove(&id) {
                Some(state) => spells.resume(Resumed { cast: id, spell, revision, state: &state }),
                // One that waits for its first call has no state yet.
                None => !cast.running,
            };
        if !goes_on {
            dropped.push(Dropped { cast: id, spell: spell.into(), revision: revision.into(), caster: cast.request.caster });
        }
    }
    for cast in &dropped {
        cast::end(world, cast.cast, CastEnd::Revision);
    }
    world.casts.take_ended().into_iter().for_each(|cast| spells.end(cast));
    world.casts.forget_unknown(|spell, revision| spells.knows(spell, revision));
    dropped
}

type Check = Result<(), String>;

fn ensure(holds: bool, what: &str) -> Check {
    if holds { Ok(()) } else { Err(what.into()) }
}

/// Before anything is made of it: what would break arithmetic, rapier, or a limit. What fits together beyond that, the world's invariants say.
impl Stored {
    fn check(&self) -> Check {
        let Self { saved, chunks, journal } = self;
        saved.check()?;
        ensure(chunks.len() <= CHUNKS_MAX, "there are not too many chunks")?;
        ensure(chunks.keys().all(|id| id.is_in_world()), "all chunks are in the world")?;
        ensure(journal.len() <= UNDO_ENTRIES_MAX, "the journal is not too long")?;
        ensure(journal.keys().all(|number| *number < saved.journal_next), "the journal's numbers were given out")?;
        ensure(journal.values().all(|entry| entry.is_sound() && entry.tick < saved.tick), "the journal's entries are sound")?;
        ensure(Journal::of(journal.clone(), saved.journal_next).bytes() <= UNDO_BYTES_MAX, "the journal is not too large")
    }
}

impl Saved {
    fn check(&self) -> Check {
        let Settings { generation: Generation::Floor | Generation::Hills, spawn_protection_m, seed: _ } = self.settings;
        ensure(spawn_protection_m.is_finite() && spawn_protection_m >= 0.0, "the spawn's protection is a distance")?;
        ensure(self.tick <= TICK_MAX && self.next_id <= TICK_MAX && self.journal_next <= TICK_MAX, "its counters have room")?;
        ensure(self.entities.len() <= ENTITIES_MAX && self.respawns.len() <= ENTITIES_MAX, "there are not too many entities")?;
        ensure(self.entities.is_sorted_by(|one, next| one.id < next.id), "entities are sorted and named once")?;
        ensure(self.entities.iter().all(sound), "entities are sound")?;
        ensure(absent::are_sound(&self.absent, self.tick), "absent players are sound")?;
        ensure(self.players.values().all(Player::is_sound), "players are sound")?;
        ensure(self.npcs.values().all(|npc| self.npc_is_sound(npc)), "npcs are sound")?;
        ensure(self.respawns.iter().all(|respawn| here(respawn.home) && named(&respawn.name)), "dead npcs are sound")?;
        ensure(self.respawns.iter().all(|respawn| respawn.respawn_ticks <= TICK_MAX), "dead npcs come back")?;
        ensure(self.projectiles.values().all(projectile_is_sound), "projectiles are sound")?;
        ensure(self.props.values().all(Prop::is_sound), "props are sound")?;
        ensure(self.bodies.values().all(body_is_sound), "bodies are sound")?;
        ensure(self.joints.values().all(Joint::is_sound), "joints are sound")?;
        ensure(self.fields.values().all(Field::is_sound), "force fields are sound")?;
        ensure(self.allowances.entries().all(|(_, _, tick)| tick <= self.tick), "allowances are of the past")?;
        ensure(self.statuses.values().all(Statuses::is_sound), "statuses are sound")?;
        ensure(self.purses.values().all(|purse| purse.is_sound(self.tick)), "purses are sound")?;
        ensure(storage::are_sound(&self.stored), "what spells keep is sound")?;
        ensure(history::are_sound(&self.history), "it is remembered soundly where everybody stood")?;
        self.casts.check(self.tick)
    }

    fn npc_is_sound(&self, npc: &Npc) -> bool {
        let cell = |cell: &Cell| cell.iter().all(|coordinate| coordinate.unsigned_abs() <= WORLD_EXTENT_M as u32);
        here(npc.home)
            && npc.respawn_ticks <= TICK_MAX
            && npc.strike_ready <= 2 * TICK_MAX
            && npc.summoned.is_none_or(|summoned| summoned.is_sound())
            && npc.notices.values().all(|notice| here(notice.last_seen) && notice.suspicion.is_finite())
            && npc.route.goal.iter().chain(&npc.route.steps).all(cell)
    }
}

fn sound(entity: &Entity) -> bool {
    let unit = |length: f32| (length - 1.0).abs() < 1e-2;
    here(entity.position)
        && entity.velocity.is_finite()
        && entity.rotation.is_finite()
        && unit(entity.rotation.length())
        && entity.aim.is_finite()
        && unit(entity.aim.length())
        && entity.health.is_finite()
        && entity.health_max.is_finite()
        && named(&entity.name)
}

fn projectile_is_sound(projectile: &Projectile) -> bool {
    let turns = projectile.homing.is_none_or(|homing| homing.turn.is_finite() && homing.half_angle.is_finite());
    (0.0..=PROJECTILE_RADIUS_MAX_M).contains(&projectile.radius)
        && projectile.gravity.is_finite()
        && projectile.damage.is_finite()
        && (0.0..=1.0).contains(&projectile.restitution)
        && turns
}

fn body_is_sound(body: &BodyState) -> bool {
    here(body.position) && body.rotation.is_finite() && body.velocity.length() <= 2.0 * PROJECTILE_SPEED_MAX && body.spin.length() <= 1e3
}

/// Whether it is a place of the world.
pub(crate) fn here(position: Vec3) -> bool {
    position.is_finite() && position.abs().max_element() <= WORLD_EXTENT_M
}

pub(crate) fn named(name: &str) -> bool {
    name.len() <= NAME_BYTES_MAX
}
