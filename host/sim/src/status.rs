//! Statuses: what slows, roots, shields or burns a player or NPC for a while. One of each kind at a time.

use crate::character::Wish;
use crate::limits::{BURN_INTERVAL_TICKS, BURN_PER_SECOND_MAX, SHIELD_MAX, STATUS_SECONDS_MAX, TICK_HZ};
use crate::{EntityId, World, combat, team};
use serde::{Deserialize, Serialize};

/// A status to be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Status {
    /// Walks at this part of its speed, 0 to 1.
    Slow {
        /// Of the speed that it strives for.
        factor: f32,
    },
    /// Neither walks nor jumps; it can still be pushed.
    Root,
    /// Takes damage in its bearer's place, as long as it lasts.
    Shield {
        /// Health, above 0 and at most `SHIELD_MAX`.
        amount: f32,
    },
    /// Takes health every half second.
    Burn {
        /// Health a second, above 0 and at most `BURN_PER_SECOND_MAX`.
        per_second: f32,
    },
}

/// Why a status is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The target is gone, dead, or no player or NPC.
    Target,
    /// The target is of the giver's team, and the world's policy protects it.
    Team,
    /// A number is not finite or out of range.
    Range,
}

/// What one player or NPC bears.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Statuses {
    pub slow: Option<Slow>,
    /// The first tick in which it may walk again.
    pub root: Option<u64>,
    pub shield: Option<Shield>,
    pub burn: Option<Burn>,
}

/// See [`Status::Slow`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Slow {
    pub factor: f32,
    /// The first tick without it.
    pub until: u64,
}

/// See [`Status::Shield`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shield {
    /// What it can still take.
    pub left: f32,
    /// The first tick without it.
    pub until: u64,
}

/// See [`Status::Burn`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Burn {
    pub per_second: f32,
    /// The tick of its next bite.
    pub next: u64,
    /// The first tick without it.
    pub until: u64,
    /// Who set it on fire.
    pub source: EntityId,
}

/// Gives a status for some seconds (above 0, cut to `STATUS_SECONDS_MAX`). Of two of one kind the stronger stays, of equals the one that lasts longer.
pub(crate) fn give(world: &mut World, from: EntityId, target: EntityId, status: Status, seconds: f32) -> Result<(), Refusal> {
    let bears = world.scene.entity(target).is_some_and(|entity| entity.kind.is_character() && entity.is_alive());
    let harms = !matches!(status, Status::Shield { .. });
    match () {
        () if !bears => return Err(Refusal::Target),
        () if harms && !team::may_harm(world, from, target) => return Err(Refusal::Team),
        () if !status.in_range() || !seconds.is_finite() || seconds <= 0.0 => return Err(Refusal::Range),
        () => {}
    }
    let tick = world.tick;
    let until = tick + (seconds.min(STATUS_SECONDS_MAX) * TICK_HZ as f32).ceil() as u64;
    let borne = world.statuses.entry(target).or_default();
    match status {
        // A lower factor is the stronger slowness.
        Status::Slow { factor } if borne.slow.is_none_or(|slow| stronger((-factor, until), (-slow.factor, slow.until))) => {
            borne.slow = Some(Slow { factor, until });
        }
        Status::Root if borne.root.is_none_or(|last| until > last) => borne.root = Some(until),
        Status::Shield { amount } if borne.shield.is_none_or(|shield| stronger((amount, until), (shield.left, shield.until))) => {
            borne.shield = Some(Shield { left: amount, until });
        }
        Status::Burn { per_second } if borne.burn.is_none_or(|burn| stronger((per_second, until), (burn.per_second, burn.until))) => {
            // Set on fire anew, it still bites in its own rhythm: else a fire that is lit every tick would never bite.
            let next = borne.burn.map_or(tick + BURN_INTERVAL_TICKS, |burn| burn.next);
            borne.burn = Some(Burn { per_second, next, until, source: from });
        }
        _ => {}
    }
    Ok(())
}

/// Burns, by id, and forgets what is over. Runs before the dead are counted.
pub(crate) fn settle(world: &mut World) {
    let tick = world.tick;
    let bites: Vec<(EntityId, Burn)> =
        world.statuses.iter().filter_map(|(id, borne)| borne.burn.filter(|burn| burn.next <= tick).map(|burn| (*id, burn))).collect();
    for (id, burn) in bites {
        combat::hurt(world, id, burn.per_second * BURN_INTERVAL_TICKS as f32 / TICK_HZ as f32);
        if let Some(burn) = world.statuses.get_mut(&id).and_then(|borne| borne.burn.as_mut()) {
            burn.next = tick + BURN_INTERVAL_TICKS;
        }
    }
    let next = tick + 1;
    world.statuses.retain(|_, borne| {
        borne.slow = borne.slow.filter(|slow| slow.until > next);
        borne.root = borne.root.filter(|until| *until > next);
        borne.shield = borne.shield.filter(|shield| shield.until > next && shield.left > 0.0);
        borne.burn = borne.burn.filter(|burn| burn.until >= next);
        *borne != Statuses::default()
    });
}

/// Takes slowness, roots and fire from a player or NPC, and its shield where that is somebody else's whom the world's policy lets `from` harm. Whether there
/// was any of it.
pub(crate) fn dispel(world: &mut World, from: EntityId, target: EntityId) -> bool {
    let harms = from != target && team::may_harm(world, from, target);
    let Some(borne) = world.statuses.get_mut(&target) else { return false };
    let before = *borne;
    *borne = Statuses { shield: before.shield.filter(|_| !harms), ..Statuses::default() };
    before != *borne
}

/// What is left of a wish under what its bearer bears.
pub(crate) fn hinder(world: &World, id: EntityId, wish: Wish) -> Wish {
    world.statuses.get(&id).map_or(wish, |borne| borne.hindrance().hinder(world.tick, wish))
}

/// What one bears, one of each kind.
pub(crate) fn of(world: &World, id: EntityId) -> Vec<Borne> {
    world.statuses.get(&id).map_or_else(Vec::new, Statuses::list)
}

/// A status and its end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Borne {
    /// Which. A shield's amount is what it still takes.
    pub status: Status,
    /// The first tick without it.
    pub until: u64,
}

/// What keeps its bearer from walking as it wishes: all that whoever predicts its steps must know of its statuses.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Hindrance {
    /// The part of its speed that is left, and the first tick without that.
    pub slow: Option<(f32, u64)>,
    /// The first tick in which it may walk again.
    pub root: Option<u64>,
}

impl Hindrance {
    /// What is left of a wish in this tick.
    pub fn hinder(&self, tick: u64, wish: Wish) -> Wish {
        match (self.root, self.slow) {
            (Some(until), _) if tick < until => Wish::default(),
            (_, Some((factor, until))) if tick < until => Wish { velocity: wish.velocity * factor, ..wish },
            _ => wish,
        }
    }
}

/// What is left of some damage once a shield has taken its part.
pub(crate) fn absorb(world: &mut World, id: EntityId, amount: f32) -> f32 {
    let Some(shield) = world.statuses.get_mut(&id).and_then(|borne| borne.shield.as_mut()) else { return amount };
    let taken = amount.min(shield.left);
    shield.left -= taken;
    amount - taken
}

impl Statuses {
    fn hindrance(&self) -> Hindrance {
        Hindrance { slow: self.slow.map(|slow| (slow.factor, slow.until)), root: self.root }
    }

    fn list(&self) -> Vec<Borne> {
        let slow = self.slow.map(|Slow { factor, until }| Borne { status: Status::Slow { factor }, until });
        let root = self.root.map(|until| Borne { status: Status::Root, until });
        let shield = self.shield.map(|Shield { left, until }| Borne { status: Status::Shield { amount: left }, until });
        let burn = self.burn.map(|Burn { per_second, until, .. }| Borne { status: Status::Burn { per_second }, until });
        [slow, root, shield, burn].into_iter().flatten().collect()
    }

    /// Whether all its numbers are ones that a status can have.
    pub(crate) fn is_sound(&self) -> bool {
        let Self { slow, root: _, shield, burn } = self;
        slow.is_none_or(|slow| (0.0..=1.0).contains(&slow.factor))
            && shield.is_none_or(|shield| (0.0..=SHIELD_MAX).contains(&shield.left))
            && burn.is_none_or(|burn| (0.0..=BURN_PER_SECOND_MAX).contains(&burn.per_second))
    }
}

impl Status {
    pub(crate) fn is_finite(self) -> bool {
        match self {
            Self::Slow { factor } => factor.is_finite(),
            Self::Root => true,
            Self::Shield { amount } => amount.is_finite(),
            Self::Burn { per_second } => per_second.is_finite(),
        }
    }

    fn in_range(self) -> bool {
        match self {
            Self::Slow { factor } => (0.0..=1.0).contains(&factor),
            Self::Root => true,
            Self::Shield { amount } => amount > 0.0 && amount <= SHIELD_MAX,
            Self::Burn { per_second } => per_second > 0.0 && per_second <= BURN_PER_SECOND_MAX,
        }
    }
}

/// By strength, then by end.
fn stronger(one: (f32, u64), other: (f32, u64)) -> bool {
    one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)).is_gt()
}
