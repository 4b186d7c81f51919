//! What spells ask for. A spell writes nothing itself: these are admitted and applied here, in cast order, and nowhere else.

use crate::cast::{self, Timer};
use crate::limits::{
    CHARACTER_MASS_KG, CHARACTER_SPEED_MAX, HOMING_TURN_MAX, PROJECTILE_BOUNCES_MAX, PROJECTILE_PIERCES_MAX, PROJECTILE_RADIUS_MAX_M,
    PROJECTILE_SECONDS_MAX, PROJECTILE_SPEED_MAX, SPAWNED_PER_CASTER_MAX, SPAWNS_PER_CALL_MAX, TIMERS_PER_CAST_MAX,
};
use crate::outbound::{CastEnd, DespawnReason};
use crate::scene::Entity;
use crate::spells::{Call, Event, Hook, Outcome};
use crate::status::{self, Status};
use crate::{CastId, EntityId, EntityKind, Outbound, Vec3, World, combat, player, projectile, team};

/// One wish of one cast, its own limits already checked at the call.
#[derive(Debug, Clone, PartialEq)]
pub enum Intent {
    /// Take health.
    Damage {
        /// From whom.
        target: EntityId,
        /// How much; above 0.
        amount: f32,
    },
    /// Give health, up to the maximum.
    Heal {
        /// To whom.
        target: EntityId,
        /// How much; above 0.
        amount: f32,
    },
    /// An impulse on a body or character.
    Push {
        /// On what.
        target: EntityId,
        /// Newton seconds.
        impulse: Vec3,
    },
    /// Put a player or NPC somewhere else.
    Teleport {
        /// Whom.
        target: EntityId,
        /// Where to, the middle of its body; nothing may be in its way there.
        to: Vec3,
    },
    /// Give a player or NPC a status for a while.
    Afflict {
        /// Whom.
        target: EntityId,
        /// What.
        status: Status,
        /// For how long; above 0, cut to `STATUS_SECONDS_MAX`.
        seconds: f32,
    },
    /// Spawn a projectile.
    Launch {
        /// Reserved for it at the call.
        id: EntityId,
        /// What.
        projectile: ProjectileSpec,
    },
    /// Take away a thing that this cast spawned.
    Despawn {
        /// Which.
        id: EntityId,
    },
    /// Show something.
    Cue {
        /// Which.
        name: String,
        /// Where.
        at: Vec3,
        /// How big.
        scale: f32,
    },
    /// Call `on-event(timer)` later.
    SetTimer {
        /// Comes back with the event.
        token: u32,
        /// From now; at least 1.
        ticks: u32,
    },
    /// A line for the author's log.
    Log {
        /// `debug`, `info`, `warn`, `error`.
        level: &'static str,
        /// What.
        text: String,
    },
}

/// A projectile to be. Ranges as in the WIT. The default hits the first thing in its way and neither bounces, pierces nor turns.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ProjectileSpec {
    /// Where it starts.
    pub start: Vec3,
    /// Metres a second.
    pub velocity: Vec3,
    /// Metres.
    pub radius: f32,
    /// Downward acceleration, m/s2.
    pub gravity: f32,
    /// Life.
    pub seconds: f32,
    /// Health taken from what it hits.
    pub damage: f32,
    /// How much of its speed into a surface a bounce gives back, 0 to 1.
    pub restitution: f32,
    /// Times that it bounces off terrain and props before it hits them; at most `PROJECTILE_BOUNCES_MAX`.
    pub bounces: u8,
    /// Players and NPCs that it hits and flies on from; at most `PROJECTILE_PIERCES_MAX`.
    pub pierces: u8,
    /// Whether it turns toward a target.
    pub homing: Option<Homing>,
}

/// How a projectile turns toward the nearest player or NPC ahead that is neither its owner nor under the policy's protection from it.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Homing {
    /// Radians a second, 0 to `HOMING_TURN_MAX`.
    pub turn: f32,
    /// Half of the angle of the cone in which it looks for a target, radians, 0 to pi.
    pub half_angle: f32,
}

/// The tick's stage: what every call came to, in cast order, which is that of the calls' ids. What a cast's later calls ask for after it has ended
/// is not heard any more.
pub(crate) fn apply(world: &mut World, calls: &[Call], outcomes: Vec<Outcome>) {
    let mut settled: Vec<(&Call, Outcome)> = calls.iter().zip(outcomes).collect();
    settled.sort_by_key(|(call, _)| call.first_id);
    for (call, outcome) in settled {
        if world.casts.is_live(call.cast) {
            settle(world, call, outcome);
        }
    }
}

/// One call: its intents (of a faulted one only its log lines), then whether its cast goes on.
fn settle(world: &mut World, call: &Call, outcome: Outcome) {
    for intent in outcome.intents {
        if outcome.fault.is_none() || matches!(intent, Intent::Log { .. }) {
            admit(world, call, intent);
        }
    }
    if let Some(fault) = outcome.fault {
        let (spell, revision) = (call.spell.clone(), call.revision.clone());
        world.emit(Outbound::CastFaulted { cast: call.cast, spell, revision, caster: call.caster, fault });
        cast::end(world, call.cast, CastEnd::Fault);
    } else if let Hook::Cancel(reason) = call.hook {
        cast::end(world, call.cast, reason.into());
    } else if outcome.finished {
        cast::end(world, call.cast, CastEnd::Finished);
    }
}

/// The world's own rules. A number that is not finite or out of the contract's range is a fault of whoever ran the spell; here it is only kept out.
fn admit(world: &mut World, call: &Call, intent: Intent) {
    match intent {
        Intent::Damage { target, amount } => {
            if amount > 0.0 && amount.is_finite() && is_there(world, call.cast, target) && is_fair(world, call, target) {
                combat::hurt(world, target, amount);
            }
        }
        Intent::Heal { target, amount } => {
            if amount > 0.0 && amount.is_finite() && is_there(world, call.cast, target) {
                combat::heal(world, target, amount);
            }
        }
        Intent::Push { target, impulse } => {
            if impulse.is_finite() && is_there(world, call.cast, target) {
                push(world, target, impulse);
            }
        }
        Intent::Teleport { target, to } => {
            if is_there(world, call.cast, target) && !player::teleport(world, target, to) {
                world.casts.notify(call.cast, Event::Dropped(target));
            }
        }
        Intent::Afflict { target, status, seconds } => {
            if is_there(world, call.cast, target) && status::give(world, call.caster, target, status, seconds).is_err() {
                world.casts.notify(call.cast, Event::Dropped(target));
            }
        }
        Intent::Launch { id, projectile } => launch(world, call, id, projectile),
        Intent::Despawn { id } => despawn(world, call.cast, id),
        Intent::Cue { name, at, scale } => world.emit(Outbound::Cue {
            cast: call.cast,
            spell: call.spell.clone(),
            revision: call.revision.clone(),
            caster: call.caster,
            name,
            at,
            scale,
        }),
        Intent::SetTimer { token, ticks } => set_timer(world, call, token, ticks),
        Intent::Log { level, text } => log(world, call, level, text),
    }
}

/// Whether the target is still there and not dead; else the spell is told that its intent was dropped.
fn is_there(world: &mut World, cast: CastId, target: EntityId) -> bool {
    let dead = |entity: &Entity| entity.kind.is_character() && !entity.is_alive();
    let there = world.scene.entity(target).is_some_and(|entity| !dead(entity));
    if !there {
        world.casts.notify(cast, Event::Dropped(target));
    }
    there
}

/// Whether the caster may harm the target; else the spell is told that its intent was dropped.
fn is_fair(world: &mut World, call: &Call, target: EntityId) -> bool {
    let fair = team::may_harm(world, call.caster, target);
    if !fair {
        world.casts.notify(call.cast, Event::Dropped(target));
    }
    fair
}

/// Characters take an impulse as velocity from the next tick on, props in this tick's physics; projectiles fly on.
fn push(world: &mut World, target: EntityId, impulse: Vec3) {
    let Some(entity) = world.scene.entity_mut(target) else { return };
    match entity.kind {
        EntityKind::Player | EntityKind::Npc => {
            entity.velocity = (entity.velocity + impulse / CHARACTER_MASS_KG).clamp_length_max(CHARACTER_SPEED_MAX);
        }
        EntityKind::Prop => world.physics.push(target, impulse),
        EntityKind::Projectile => {}
    }
}

/// Spawns under an id of the call's block that nothing had before: one at or above the world's next. Where the world or the caster's share of it is full,
/// the projectile that the spell already knows expires at once.
fn launch(world: &mut World, call: &Call, id: EntityId, spec: ProjectileSpec) {
    let reserved = call.first_id..call.first_id + SPAWNS_PER_CALL_MAX;
    if !reserved.contains(&id.0) || id.0 < world.next_id {
        return;
    }
    world.next_id = id.0 + 1;
    let full = !world.has_room() || world.casts.spawned_by(call.caster) >= SPAWNED_PER_CASTER_MAX;
    if full || !in_range(&spec) {
        world.casts.notify(call.cast, Event::Expired(id));
        return;
    }
    projectile::launch(world, id, call.caster, Some(call.cast), spec);
    world.casts.remember_spawned(call.cast, id);
}

fn in_range(spec: &ProjectileSpec) -> bool {
    // A little over the maximum is what rounding makes of it.
    spec.start.is_finite()
        && spec.velocity.is_finite()
        && spec.velocity.length() <= PROJECTILE_SPEED_MAX * 1.001
        && (0.0..=PROJECTILE_RADIUS_MAX_M).contains(&spec.radius)
        && (0.0..=PROJECTILE_SECONDS_MAX).contains(&spec.seconds)
        && spec.gravity.is_finite()
        && spec.damage.is_finite()
        && (0.0..=1.0).contains(&spec.restitution)
        && spec.bounces <= PROJECTILE_BOUNCES_MAX
        && spec.pierces <= PROJECTILE_PIERCES_MAX
        && spec.homing.is_none_or(|homing| {
            (0.0..=HOMING_TURN_MAX).contains(&homing.turn) && (0.0..=std::f32::consts::PI).contains(&homing.half_angle)
        })
}

fn despawn(world: &mut World, cast: CastId, id: EntityId) {
    if world.projectiles.get(&id).is_some_and(|projectile| projectile.cast == Some(cast)) {
        world.despawn(id, DespawnReason::Spell);
    } else if world.scene.entity(id).is_none() {
        world.casts.notify(cast, Event::Dropped(id));
    }
}

fn set_timer(world: &mut World, call: &Call, token: u32, ticks: u32) {
    let due = world.tick + u64::from(ticks.max(1));
    if !world.casts.set_timer(call.cast, Timer { due, token }) {
        log(world, call, "warn", format!("timer {token} is not set: {TIMERS_PER_CAST_MAX} timers wait already"));
    }
}

fn log(world: &mut World, call: &Call, level: &'static str, text: String) {
    let (spell, revision) = (call.spell.clone(), call.revision.clone());
    world.emit(Outbound::Log { cast: call.cast, spell, revision, caster: call.caster, level, text });
}
