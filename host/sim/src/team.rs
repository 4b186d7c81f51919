//! Sides: who belongs to which, and what the world allows within one.

use crate::mana::ManaPolicy;
use crate::{EntityId, EntityKind, World};
use serde::{Deserialize, Serialize};

/// A side. Whoever has none is on nobody's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Team(pub u8);

/// What a world allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Whether players and NPCs of one team, and players of none, can hurt each other; everybody can hurt themselves.
    pub friendly_fire: bool,
    /// What players pay their casts with; `None` where casts are free. NPCs' always are.
    pub mana: Option<ManaPolicy>,
}

impl Policy {
    /// The usual one, but that casts are free: for tests and benchmarks that look at something else.
    pub const FREE: Self = Self { friendly_fire: true, mana: None };
}

impl Default for Policy {
    /// Everybody can hurt everybody, and players pay.
    fn default() -> Self {
        Self { friendly_fire: true, mana: Some(ManaPolicy::default()) }
    }
}

/// Whether both are of one team; nobody is of one team with those who have none.
pub(crate) fn allied(world: &World, one: EntityId, other: EntityId) -> bool {
    world.teams.get(&one).is_some_and(|team| world.teams.get(&other) == Some(team))
}

/// Whether the world's policy lets `from` hurt or hinder `target`. Where it spares friends, players without a team are each other's.
pub(crate) fn may_harm(world: &World, from: EntityId, target: EntityId) -> bool {
    let is_loose_player =
        |id| !world.teams.contains_key(&id) && world.scene.entity(id).is_some_and(|entity| entity.kind == EntityKind::Player);
    let friends = || allied(world, from, target) || is_loose_player(from) && is_loose_player(target);
    world.policy.friendly_fire || from == target || !friends()
}
