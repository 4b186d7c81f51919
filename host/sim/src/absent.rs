//! Players who are away: where each has left, and in what state.

use crate::limits::{ABSENT_MAX, ACCOUNT_BYTES_MAX, CHARACTER_HEALTH_MAX};
use crate::saved::here;
use crate::scene::Entity;
use crate::{EntityId, Vec3, digest};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Their places, by account.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Absent {
    places: BTreeMap<String, Place>,
    /// Of the places, kept because they change with a coming or going alone and are digested in every tick.
    hash: u64,
}

/// Where a player has left, and in what state.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub position: Vec3,
    pub aim: Vec3,
    pub health: f32,
    /// The tick of the leave.
    pub left: u64,
    /// The id that it had: what it left behind knows it by that.
    pub entity: EntityId,
}

impl Default for Absent {
    fn default() -> Self {
        Self::of(BTreeMap::new())
    }
}

impl Absent {
    pub(crate) fn of(places: BTreeMap<String, Place>) -> Self {
        let hash = digest::places(&places);
        Self { places, hash }
    }

    /// Remembers where a player is who leaves in this tick, and forgets who has been away longest when there are too many. One without an account is not known again.
    pub(crate) fn remember(&mut self, account: &str, entity: &Entity, tick: u64) {
        if account.is_empty() {
            return;
        }
        let Entity { id, position, aim, health, .. } = *entity;
        self.places.insert(account.into(), Place { position, aim, health, left: tick, entity: id });
        if self.places.len() > ABSENT_MAX
            && let Some(longest) = self.places.iter().min_by_key(|(_, place)| place.left).map(|(account, _)| account.clone())
        {
            self.places.remove(&longest);
        }
        self.hash = digest::places(&self.places);
    }

    /// The place of one who comes back.
    pub(crate) fn take(&mut self, account: &str) -> Option<Place> {
        let place = self.places.remove(account)?;
        self.hash = digest::places(&self.places);
        Some(place)
    }

    pub(crate) fn places(&self) -> &BTreeMap<String, Place> {
        &self.places
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }
}

/// Whether these could be the places of a world in this tick.
pub(crate) fn are_sound(places: &BTreeMap<String, Place>, tick: u64) -> bool {
    let sound = |(account, place): (&String, &Place)| {
        let alive = place.health > 0.0 && place.health <= CHARACTER_HEALTH_MAX;
        let aims = place.aim.is_finite() && (place.aim.length() - 1.0).abs() < 1e-2;
        account.len() <= ACCOUNT_BYTES_MAX && alive && aims && here(place.position) && place.left <= tick
    };
    places.len() <= ABSENT_MAX && places.iter().all(sound)
}
