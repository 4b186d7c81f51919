//! Summoned NPCs: who called them, what they are told, and what they make of it. Of themselves they attack nobody.

use crate::behaviour::Mind;
use crate::limits::{SUMMONED_ARRIVAL_M, SUMMONED_FOLLOW_M, SUMMONED_PER_CASTER_MAX};
use crate::npc::{self, Temper};
use crate::scene::Entity;
use crate::spells::Call;
use crate::{CastId, EntityId, Vec3, World, behaviour, saved, space, team};
use serde::{Deserialize, Serialize};

/// An NPC to be. It is of its summoner's team, belongs to its cast, and does not come back when it dies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SummonSpec {
    /// A dummy takes no orders, and only a guard attacks.
    pub temper: Temper,
    /// Its middle; nothing may be in its way there.
    pub position: Vec3,
    /// Where it looks.
    pub aim: Vec3,
}

/// What a summoned NPC is told.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Order {
    /// To stay near its summoner.
    Follow,
    /// To stay where it is.
    Stay,
    /// To go somewhere, and stay there.
    Go {
        /// Where to.
        to: Vec3,
    },
    /// To run after somebody and beat them until they are dead; then it follows again.
    Attack {
        /// A player or NPC; neither its summoner, nor one of that one's side.
        target: EntityId,
    },
}

/// What only summoned NPCs have.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Summoned {
    pub cast: CastId,
    pub summoner: EntityId,
    pub order: Order,
}

impl Summoned {
    /// Whether its numbers are in the world.
    pub(crate) fn is_sound(&self) -> bool {
        match self.order {
            Order::Go { to } => saved::here(to),
            Order::Follow | Order::Stay | Order::Attack { .. } => true,
        }
    }
}

/// Calls an NPC, which follows its summoner until it is told otherwise; not where something is in its way.
pub(crate) fn summon(world: &mut World, id: EntityId, call: &Call, spec: SummonSpec) -> bool {
    let mine = world.npcs.values().filter_map(|npc| npc.summoned).filter(|summoned| summoned.summoner == call.caster).count();
    if mine >= SUMMONED_PER_CASTER_MAX || !space::character_fits(world, id, spec.position) {
        return false;
    }
    let name = match spec.temper {
        Temper::Dummy => "dummy",
        Temper::Guard => "guard",
        Temper::Critter => "critter",
    };
    let summoned = Summoned { cast: call.cast, summoner: call.caster, order: Order::Follow };
    let team = world.teams.get(&call.caster).copied();
    npc::spawn_as(world, id, spec.temper, name, spec.position, spec.aim, Some(summoned));
    npc::join_team(world, id, team);
    true
}

/// Gives an order, if the NPC is the caster's and can follow it.
pub(crate) fn command(world: &mut World, caster: EntityId, id: EntityId, order: Order) -> bool {
    let can = |npc: &npc::Npc| match order {
        Order::Attack { target } => npc.temper == Temper::Guard && may_attack(world, caster, target),
        Order::Follow | Order::Stay | Order::Go { .. } => npc.temper != Temper::Dummy,
    };
    let mine = |npc: &npc::Npc| npc.summoned.is_some_and(|summoned| summoned.summoner == caster);
    if !world.npcs.get(&id).is_some_and(|npc| mine(npc) && can(npc)) {
        return false;
    }
    set_order(world, id, order);
    true
}

/// What it makes of its order now.
pub(crate) fn obey(world: &mut World, id: EntityId, summoned: Summoned) -> Mind {
    let Some(here) = world.scene.entity(id).map(|entity| entity.position) else { return Mind::Fresh };
    match summoned.order {
        Order::Attack { target } if !may_attack(world, summoned.summoner, target) => {
            set_order(world, id, Order::Follow);
            Mind::Follow
        }
        Order::Attack { target } if behaviour::reaches(world, id, target) => Mind::Attack { target },
        Order::Attack { target } => Mind::Chase { target },
        Order::Go { to } if behaviour::flat(to - here).length() <= SUMMONED_ARRIVAL_M => {
            set_order(world, id, Order::Stay);
            Mind::Fresh
        }
        Order::Go { .. } => Mind::Go,
        Order::Follow => {
            let away = world.scene.entity(summoned.summoner).map_or(0.0, |summoner| (summoner.position - here).length());
            if away > SUMMONED_FOLLOW_M { Mind::Follow } else { Mind::Fresh }
        }
        Order::Stay => Mind::Fresh,
    }
}

/// Whether somebody's NPC may be set on a target: alive, neither themselves, theirs nor of their side.
fn may_attack(world: &World, summoner: EntityId, target: EntityId) -> bool {
    let enemy = |entity: &Entity| entity.kind.is_character() && entity.is_alive() && entity.owner != summoner;
    target != summoner && world.scene.entity(target).is_some_and(enemy) && !team::allied(world, summoner, target)
}

fn set_order(world: &mut World, id: EntityId, order: Order) {
    if let Some(summoned) = world.npcs.get_mut(&id).and_then(|npc| npc.summoned.as_mut()) {
        summoned.order = order;
    }
}
