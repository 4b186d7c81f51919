//! Mana: what players pay for what their spells do. Who owes some is served more rarely, and whoever comes to owe no less by that loses the cast that takes the most.
//!
//! What a cast costs is not known here: its spec and the outcomes of its calls say so.

use crate::limits::{MANA_BROKE_TICKS, MANA_MAX, MANA_PER_SECOND, MANA_THROTTLE_TICKS, TICK_SECONDS};
use crate::spells::CancelReason;
use crate::{CastId, EntityId, World};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What players have to spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManaPolicy {
    /// The most that one has, and what one begins with.
    pub max: u32,
    /// What comes back each second.
    pub per_second: u32,
}

/// What a player has who has less than the most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Purse {
    /// Below 0 it is owed; never below what the policy grants at most, negated.
    pub mana: f32,
    /// Since when it is owed.
    pub debt: Option<Debt>,
}

/// When it was last looked at what a player owes, and how much mana there was then.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Debt {
    pub tick: u64,
    pub mana: f32,
}

impl Default for ManaPolicy {
    fn default() -> Self {
        Self { max: MANA_MAX, per_second: MANA_PER_SECOND }
    }
}

/// What the caster has; `None` for one who pays nothing: an NPC, and everybody where the world's policy knows no mana.
pub(crate) fn of(world: &World, caster: EntityId) -> Option<f32> {
    let policy = policy_for(world, caster)?;
    Some(world.purses.get(&caster).map_or(policy.max as f32, |purse| purse.mana))
}

/// Takes mana, into debt if need be.
pub(crate) fn pay(world: &mut World, caster: EntityId, mana: f32) {
    let Some(policy) = policy_for(world, caster).filter(|_| mana > 0.0) else { return };
    let most = policy.max as f32;
    let purse = world.purses.entry(caster).or_insert(Purse { mana: most, debt: None });
    purse.mana = (purse.mana - mana).max(-most);
}

/// Whether this is none of the ticks in which a cast is called whose caster owes mana.
pub(crate) fn skips(purses: &BTreeMap<EntityId, Purse>, caster: EntityId, cast: CastId, tick: u64) -> bool {
    purses.get(&caster).is_some_and(|purse| purse.debt.is_some()) && !(tick + cast.0).is_multiple_of(MANA_THROTTLE_TICKS)
}

/// The part of a stage: what a tick gives back, and what becomes of those who owe. Who has the most again is forgotten.
pub(crate) fn settle(world: &mut World) {
    let Some(ManaPolicy { max, per_second }) = world.policy.mana else { return };
    let (tick, gain) = (world.tick, per_second as f32 * TICK_SECONDS);
    let mut broke = Vec::new();
    for (caster, purse) in &mut world.purses {
        purse.mana += gain;
        let now = Debt { tick, mana: purse.mana };
        match purse.debt {
            Some(_) if purse.mana >= 0.0 => purse.debt = None,
            Some(then) if tick >= then.tick + MANA_BROKE_TICKS => {
                purse.debt = Some(now);
                if now.mana <= then.mana {
                    broke.push(*caster);
                }
            }
            None if purse.mana < 0.0 => {
                purse.debt = Some(now);
                world.casts.count_upkeep_anew(*caster);
            }
            _ => {}
        }
    }
    world.purses.retain(|_, purse| purse.mana < max as f32);
    for caster in broke {
        world.casts.cancel_dearest(caster, CancelReason::Mana);
    }
}

fn policy_for(world: &World, caster: EntityId) -> Option<ManaPolicy> {
    world.policy.mana.filter(|_| !world.npcs.contains_key(&caster))
}

impl Purse {
    pub(crate) fn is_sound(&self, tick: u64) -> bool {
        self.mana.is_finite() && self.debt.is_none_or(|debt| debt.tick <= tick && debt.mana.is_finite())
    }
}
