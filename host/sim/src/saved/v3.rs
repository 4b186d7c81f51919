//! Saves of version 3, from before lineups: one active revision a spell, and casts that keep theirs.

use super::v4::{PlayerV4, ProjectileV4, SavedV4};
use crate::EntityId;
use crate::absent::Place;
use crate::body::Prop;
use crate::cast::v3::SavedCastsV3;
use crate::edit::Allowances;
use crate::field::Field;
use crate::joint::Joint;
use crate::mana::Purse;
use crate::npc::{Npc, Respawn};
use crate::physics::BodyState;
use crate::scene::Entity;
use crate::settings::Settings;
use crate::status::Statuses;
use crate::storage::{Drawer, Keeper};
use crate::team::{Policy, Team};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A state of version 3. Its fields and their order are those bytes'.
#[derive(Debug, Deserialize)]
pub struct SavedV3 {
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
    pub(super) casts: SavedCastsV3,
    pub(super) purses: BTreeMap<EntityId, Purse>,
    pub(super) stored: BTreeMap<(String, Keeper), Drawer>,
    pub(super) journal_next: u64,
}

impl From<SavedV3> for SavedV4 {
    fn from(old: SavedV3) -> Self {
        Self {
            tick: old.tick,
            settings: old.settings,
            policy: old.policy,
            next_id: old.next_id,
            entities: old.entities,
            players: old.players,
            absent: old.absent,
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
            purses: old.purses,
            stored: old.stored,
            journal_next: old.journal_next,
        }
    }
}
