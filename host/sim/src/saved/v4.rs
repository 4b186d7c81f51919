//! Saves of version 4, from before it was remembered where everybody stood: no shot made up for anybody's connection.

use super::Saved;
use crate::absent::Place;
use crate::body::Prop;
use crate::cast::SavedCasts;
use crate::edit::Allowances;
use crate::field::Field;
use crate::inbound::Input;
use crate::intent::Homing;
use crate::joint::Joint;
use crate::mana::Purse;
use crate::npc::{Npc, Respawn};
use crate::physics::BodyState;
use crate::player::Player;
use crate::projectile::Projectile;
use crate::scene::Entity;
use crate::settings::Settings;
use crate::status::Statuses;
use crate::storage::{Drawer, Keeper};
use crate::team::{Policy, Team};
use crate::{CastId, EntityId, Vec3};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A state of version 4. Its fields and their order are those bytes'.
#[derive(Debug, Deserialize)]
pub struct SavedV4 {
    pub(super) tick: u64,
    pub(super) settings: Settings,
    pub(super) policy: Policy,
    pub(super) next_id: u64,
    pub(super) entities: Vec<Entity>,
    pub(super) players: BTreeMap<EntityId, PlayerV4>,
    pub(super) absent: BTreeMap<String, Place>,
    pub(super) npcs: BTreeMap<EntityId, Npc>,
    pub(super) respawns: Vec<Respawn>,
    pub(super) projectiles: BTreeMap<EntityId, ProjectileV4>,
    pub(super) props: BTreeMap<EntityId, Prop>,
    pub(super) bodies: BTreeMap<EntityId, BodyState>,
    pub(super) joints: BTreeMap<EntityId, Joint>,
    pub(super) fields: BTreeMap<EntityId, Field>,
    pub(super) allowances: Allowances,
    pub(super) teams: BTreeMap<EntityId, Team>,
    pub(super) statuses: BTreeMap<EntityId, Statuses>,
    pub(super) path_served: EntityId,
    pub(super) casts: SavedCasts,
    pub(super) purses: BTreeMap<EntityId, Purse>,
    pub(super) stored: BTreeMap<(String, Keeper), Drawer>,
    pub(super) journal_next: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct PlayerV4 {
    account: String,
    input: InputV4,
    fire_ready: u64,
}

#[derive(Debug, Deserialize)]
struct InputV4 {
    sequence: u32,
    movement: Vec3,
    aim: Vec3,
    sprint: bool,
    fire: bool,
    jump: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct ProjectileV4 {
    cast: Option<CastId>,
    radius: f32,
    gravity: f32,
    damage: f32,
    expires: u64,
    restitution: f32,
    bounces: u8,
    pierces: u8,
    pierced: Vec<EntityId>,
    homing: Option<Homing>,
    target: EntityId,
}

impl From<SavedV4> for Saved {
    fn from(old: SavedV4) -> Self {
        Self {
            tick: old.tick,
            settings: old.settings,
            policy: old.policy,
            next_id: old.next_id,
            entities: old.entities,
            players: old.players.into_iter().map(|(id, player)| (id, player.into())).collect(),
            absent: old.absent,
            npcs: old.npcs,
            respawns: old.respawns,
            projectiles: old.projectiles.into_iter().map(|(id, projectile)| (id, projectile.into())).collect(),
            props: old.props,
            bodies: old.bodies,
            joints: old.joints,
            fields: old.fields,
            allowances: old.allowances,
            teams: old.teams,
            statuses: old.statuses,
            path_served: old.path_served,
            casts: old.casts,
            purses: old.purses,
            stored: old.stored,
            journal_next: old.journal_next,
            history: Vec::new(),
        }
    }
}

impl From<PlayerV4> for Player {
    fn from(PlayerV4 { account, input, fire_ready }: PlayerV4) -> Self {
        let InputV4 { sequence, movement, aim, sprint, fire, jump } = input;
        Self { account, input: Input { sequence, movement, aim, sprint, fire, jump, seen_tick: 0 }, fire_ready }
    }
}

impl From<ProjectileV4> for Projectile {
    fn from(old: ProjectileV4) -> Self {
        let ProjectileV4 { cast, radius, gravity, damage, expires, restitution, bounces, pierces, pierced, homing, target } = old;
        Self { cast, radius, gravity, damage, expires, restitution, bounces, pierces, pierced, homing, target, lag_ticks: 0 }
    }
}
