//! Saves of version 2, from before mana, casts that outlast their casters, and what spells keep: read for ever, never written again.

use super::SavedV3;
use super::v4::{PlayerV4, ProjectileV4};
use crate::absent::Place;
use crate::body::Prop;
use crate::cast::v2::SavedCastsV2;
use crate::edit::Allowances;
use crate::field::Field;
use crate::joint::Joint;
use crate::npc::{Npc, Respawn};
use crate::physics::BodyState;
use crate::scene::Entity;
use crate::settings::Settings;
use crate::status::Statuses;
use crate::team::{Policy, Team};
use crate::{EntityId, Vec3};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A state of version 2. Its fields and their order are those bytes'.
#[derive(Debug, Deserialize)]
pub struct SavedV2 {
    pub(super) tick: u64,
    pub(super) settings: Settings,
    pub(super) policy: PolicyV2,
    pub(super) next_id: u64,
    pub(super) entities: Vec<Entity>,
    pub(super) players: BTreeMap<EntityId, PlayerV4>,
    pub(super) absent: BTreeMap<String, PlaceV2>,
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
    pub(super) casts: SavedCastsV2,
    pub(super) journal_next: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct PolicyV2 {
    friendly_fire: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct PlaceV2 {
    position: Vec3,
    aim: Vec3,
    health: f32,
    left: u64,
}

impl From<SavedV2> for SavedV3 {
    /// Everybody has all their mana, and those who are away have left nothing behind.
    fn from(old: SavedV2) -> Self {
        Self {
            tick: old.tick,
            settings: old.settings,
            policy: Policy { friendly_fire: old.policy.friendly_fire, ..Policy::default() },
            next_id: old.next_id,
            entities: old.entities,
            players: old.players,
            absent: old.absent.into_iter().map(|(account, place)| (account, place.into())).collect(),
            npcs: old.npcs,
            respawns: old.respawns,
            projectiles: old.projectiles,
            props: old.props,
            bodies: old.bodies,
            joints: old.joints,
            fields: old.fields,
            allowances: old.allowances,
            teams: old.teams,
            statuses: old.statuses,
            path_served: old.path_served,
            casts: old.casts.into(),
            purses: BTreeMap::new(),
            stored: BTreeMap::new(),
            journal_next: old.journal_next,
        }
    }
}

impl From<PlaceV2> for Place {
    fn from(PlaceV2 { position, aim, health, left }: PlaceV2) -> Self {
        Self { position, aim, health, left, entity: EntityId::NONE }
    }
}
