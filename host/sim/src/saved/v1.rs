//! Saves of version 1, from before spells could make bodies, joints, force fields and servants: read for ever, never written again.

use super::v2::{PlaceV2, PolicyV2, SavedV2};
use super::v4::{PlayerV4, ProjectileV4};
use crate::behaviour::Mind;
use crate::body::{Form, Prop};
use crate::cast::v2::SavedCastsV2;
use crate::edit::Allowances;
use crate::npc::{Npc, Respawn, Temper};
use crate::path::Route;
use crate::perception::Notice;
use crate::physics::BodyState;
use crate::scene::Entity;
use crate::settings::Settings;
use crate::status::Statuses;
use crate::team::Team;
use crate::{EntityId, EntityKind, Quat, Vec3};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A state of version 1. Its fields and their order are those bytes'.
#[derive(Debug, Deserialize)]
pub struct SavedV1 {
    tick: u64,
    settings: Settings,
    policy: PolicyV2,
    next_id: u64,
    entities: Vec<EntityV1>,
    players: BTreeMap<EntityId, PlayerV4>,
    absent: BTreeMap<String, PlaceV2>,
    npcs: BTreeMap<EntityId, NpcV1>,
    respawns: Vec<Respawn>,
    projectiles: BTreeMap<EntityId, ProjectileV4>,
    bodies: BTreeMap<EntityId, BodyState>,
    allowances: Allowances,
    teams: BTreeMap<EntityId, Team>,
    statuses: BTreeMap<EntityId, Statuses>,
    path_served: EntityId,
    casts: SavedCastsV2,
    journal_next: u64,
}

#[derive(Debug, Deserialize)]
struct EntityV1 {
    id: EntityId,
    kind: EntityKind,
    name: String,
    owner: EntityId,
    position: Vec3,
    rotation: Quat,
    velocity: Vec3,
    aim: Vec3,
    health: f32,
    health_max: f32,
    grounded: bool,
    input_sequence: u32,
}

#[derive(Debug, Deserialize)]
struct NpcV1 {
    home: Vec3,
    temper: Temper,
    respawn_ticks: u64,
    notices: BTreeMap<EntityId, Notice>,
    mind: Mind,
    route: Route,
    strike_ready: u64,
}

impl From<SavedV1> for SavedV2 {
    /// Every prop was a crate, and nobody served anybody.
    fn from(old: SavedV1) -> Self {
        Self {
            tick: old.tick,
            settings: old.settings,
            policy: old.policy,
            next_id: old.next_id,
            entities: old.entities.into_iter().map(Entity::from).collect(),
            players: old.players,
            absent: old.absent,
            npcs: old.npcs.into_iter().map(|(id, npc)| (id, npc.into())).collect(),
            respawns: old.respawns,
            projectiles: old.projectiles,
            props: old.bodies.keys().map(|id| (*id, Prop::CRATE)).collect(),
            bodies: old.bodies,
            joints: BTreeMap::new(),
            fields: BTreeMap::new(),
            allowances: old.allowances,
            teams: old.teams,
            statuses: old.statuses,
            path_served: old.path_served,
            casts: old.casts,
            journal_next: old.journal_next,
        }
    }
}

impl From<EntityV1> for Entity {
    fn from(old: EntityV1) -> Self {
        let EntityV1 { id, kind, name, owner, position, rotation, velocity, aim, health, health_max, grounded, input_sequence } = old;
        let form = match kind {
            EntityKind::Player | EntityKind::Npc => Form::Capsule,
            EntityKind::Projectile => Form::Point,
            EntityKind::Prop => Prop::CRATE_FORM,
        };
        Self { id, kind, name, owner, position, rotation, form, velocity, aim, health, health_max, grounded, input_sequence }
    }
}

impl From<NpcV1> for Npc {
    fn from(old: NpcV1) -> Self {
        let NpcV1 { home, temper, respawn_ticks, notices, mind, route, strike_ready } = old;
        Self { home, temper, respawn_ticks, notices, mind, route, strike_ready, summoned: None }
    }
}
