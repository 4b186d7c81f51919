//! What spells ask for. A spell writes nothing itself: these are admitted and applied here, in cast order, and nowhere else.

use crate::body::{self, BodySpec, Form};
use crate::cast::{self, Cast, Timer};
use crate::debris::{self, DebrisSpec};
use crate::edit::{self, Area, Worked};
use crate::field::{self, FieldSpec};
use crate::joint::{self, JointKind, JointSpec};
use crate::limits::{
    CHARACTER_MASS_KG, CHARACTER_SPEED_MAX, HOMING_TURN_MAX, PROJECTILE_BOUNCES_MAX, PROJECTILE_PIERCES_MAX, PROJECTILE_RADIUS_MAX_M,
    PROJECTILE_SECONDS_MAX, PROJECTILE_SPEED_MAX, SPAWNED_PER_CASTER_MAX, SPAWNS_PER_CALL_MAX, TIMERS_PER_CAST_MAX,
};
use crate::outbound::{CastEnd, DespawnReason};
use crate::scene::Entity;
use crate::spells::{Call, CancelReason, Event, Hook, Message, Outcome};
use crate::status::{self, Status};
use crate::storage::{self, Keeper};
use crate::summon::{self, Order, SummonSpec};
use crate::{CastId, Edit, EntityId, EntityKind, Outbound, Vec3, World, combat, player, projectile, team};
use std::sync::Arc;

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
    /// Spawn a rigid body.
    Spawn {
        /// Reserved for it at the call.
        id: EntityId,
        /// What.
        body: BodySpec,
    },
    /// Scatter debris, as much as fits.
    Debris {
        /// Reserved for the first piece; the others take the ids behind it.
        id: EntityId,
        /// What.
        debris: DebrisSpec,
    },
    /// Join two bodies, or one to the world.
    Join {
        /// Reserved for the joint.
        id: EntityId,
        /// What.
        joint: JointSpec,
    },
    /// Set up a force field.
    Field {
        /// Reserved for it at the call.
        id: EntityId,
        /// What.
        field: FieldSpec,
    },
    /// Call an NPC.
    Summon {
        /// Reserved for it at the call.
        id: EntityId,
        /// What.
        npc: SummonSpec,
    },
    /// Tell an NPC that a spell of this caster has summoned what to do.
    Command {
        /// Which.
        npc: EntityId,
        /// What.
        order: Order,
    },
    /// Change the terrain.
    Terraform {
        /// How.
        edit: Edit,
    },
    /// Take away a thing that this cast made: an entity, a joint or a field.
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
    /// Say something to other casts, which are told of it in the next tick.
    Send {
        /// To which.
        to: Recipient,
        /// What; at most 256 bytes.
        data: Arc<[u8]>,
    },
    /// Say something to people.
    Say {
        /// What; at most 256 bytes.
        text: String,
        /// To everybody near the caster, or to the caster alone.
        aloud: bool,
    },
    /// Keep a value beyond the cast, or forget it.
    Store {
        /// For the caster's casts of the spell alone, or for everybody's.
        own: bool,
        /// Its name.
        key: String,
        /// `None` forgets it.
        value: Option<Arc<[u8]>>,
    },
    /// End the casts of the schools that the spell counters: the one that made the target, or those of the player or NPC, whose statuses go too.
    Dispel {
        /// Of what or whom.
        target: EntityId,
    },
    /// A line for the author's log.
    Log {
        /// `debug`, `info`, `warn`, `error`.
        level: &'static str,
        /// What.
        text: String,
    },
}

/// Whom a message is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// The cast that made this entity, joint or field.
    Maker(EntityId),
    /// The caster's own casts of this spell, but for the one that sends.
    Mine(String),
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
    let mut worked = Worked::default();
    let mut settled: Vec<(&Call, Outcome)> = calls.iter().zip(outcomes).collect();
    settled.sort_by_key(|(call, _)| call.first_id);
    for (call, outcome) in settled {
        if world.casts.is_live(call.cast) {
            settle(world, call, outcome, &mut worked);
        }
    }
}

/// One call: its intents (of a faulted one only its log lines), then whether its cast goes on.
fn settle(world: &mut World, call: &Call, outcome: Outcome, worked: &mut Worked) {
    for intent in outcome.intents {
        if outcome.fault.is_none() || matches!(intent, Intent::Log { .. }) {
            admit(world, call, intent, worked);
        }
    }
    if let Some(fault) = outcome.fault {
        let (spell, revision) = (call.spell.clone(), call.revision.clone());
        world.casts.strike(call.caster, &spell, &revision, world.tick);
        world.emit(Outbound::CastFaulted { cast: call.cast, spell, revision, caster: call.caster, fault });
        cast::end(world, call.cast, CastEnd::Fault);
    } else if let Hook::Cancel(reason) = call.hook {
        cast::end(world, call.cast, reason.into());
    } else if outcome.finished {
        cast::end(world, call.cast, CastEnd::Finished);
    }
}

/// The world's own rules. A number that is not finite or out of the contract's range is a fault of whoever ran the spell; here it is only kept out.
/// This is the quarantine at the door: what is not finite gets no further. The other one is `combat`'s, after the step.
fn admit(world: &mut World, call: &Call, intent: Intent, worked: &mut Worked) {
    if !intent.is_finite() {
        return refuse(world, call, &intent);
    }
    match intent {
        Intent::Damage { target, amount } => {
            if amount > 0.0 && is_there(world, call.cast, target) && is_fair(world, call, target) {
                combat::hurt(world, target, amount);
            }
        }
        Intent::Heal { target, amount } => {
            if amount > 0.0 && is_there(world, call.cast, target) {
                combat::heal(world, target, amount);
            }
        }
        Intent::Push { target, impulse } => {
            if is_there(world, call.cast, target) {
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
        Intent::Launch { id, projectile } => make(world, call, id, |world| launch(world, call, id, projectile)),
        Intent::Spawn { id, body } => make(world, call, id, |world| body::spawn(world, id, call.caster, call.cast, body)),
        Intent::Debris { id, debris } => scatter(world, call, id, debris),
        Intent::Join { id, joint } => make(world, call, id, |world| joint::make(world, id, call, joint)),
        Intent::Field { id, field } => make(world, call, id, |world| field::make(world, id, call, field)),
        Intent::Summon { id, npc } => make(world, call, id, |world| summon::summon(world, id, call, npc)),
        Intent::Command { npc, order } => {
            if !summon::command(world, call.caster, npc, order) {
                world.casts.notify(call.cast, Event::Dropped(npc));
            }
        }
        Intent::Terraform { edit } => terraform(world, call, edit, worked),
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
        Intent::Send { to, data } => send(world, call, to, data),
        Intent::Say { text, aloud } => {
            let (spell, revision) = (call.spell.clone(), call.revision.clone());
            world.emit(Outbound::Said { cast: call.cast, spell, revision, caster: call.caster, text, aloud });
        }
        Intent::Store { own, key, value } => store(world, call, own, &key, value),
        Intent::Dispel { target } => dispel(world, call, target),
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

/// What is not finite: its cast is told as if it had been tried.
fn refuse(world: &mut World, call: &Call, intent: &Intent) {
    match intent {
        Intent::Launch { id, .. }
        | Intent::Spawn { id, .. }
        | Intent::Join { id, .. }
        | Intent::Field { id, .. }
        | Intent::Summon { id, .. } => {
            make(world, call, *id, |_| false);
        }
        Intent::Damage { target, .. }
        | Intent::Heal { target, .. }
        | Intent::Push { target, .. }
        | Intent::Teleport { target, .. }
        | Intent::Afflict { target, .. }
        | Intent::Dispel { target }
        | Intent::Command { npc: target, .. } => world.casts.notify(call.cast, Event::Dropped(*target)),
        Intent::Terraform { .. } => world.casts.notify(call.cast, Event::Dropped(EntityId::NONE)),
        Intent::Debris { .. } | Intent::Cue { .. } | Intent::Despawn { .. } | Intent::SetTimer { .. } | Intent::Log { .. } => {}
        Intent::Send { .. } | Intent::Say { .. } | Intent::Store { .. } => {}
    }
}

/// Makes something under an id of the call's block. Where the world or the caster's share of it is full, or it cannot be made, what the spell already knows
/// expires at once.
fn make(world: &mut World, call: &Call, id: EntityId, make: impl FnOnce(&mut World) -> bool) {
    if !take_id(world, call, id) {
        return;
    }
    let full = !world.has_room() || world.casts.spawned_by(call.caster) >= SPAWNED_PER_CASTER_MAX;
    if !full && make(world) {
        world.casts.remember_spawned(call.cast, id);
    } else {
        world.casts.notify(call.cast, Event::Expired(id));
    }
}

/// Whether the id is one of the call's block that nothing had before: one at or above the world's next. It is given out then.
fn take_id(world: &mut World, call: &Call, id: EntityId) -> bool {
    let reserved = call.first_id..call.first_id + SPAWNS_PER_CALL_MAX;
    let free = reserved.contains(&id.0) && id.0 >= world.next_id;
    if free {
        world.next_id = id.0 + 1;
    }
    free
}

/// What flies off as the spell is cast goes where its caster aims, at what that one saw. What is launched later, nobody has aimed.
fn launch(world: &mut World, call: &Call, id: EntityId, spec: ProjectileSpec) -> bool {
    let fine = in_range(&spec);
    if fine {
        let lag_ticks = if let Hook::Cast { .. } = call.hook { player::lag(world, call.caster) } else { 0 };
        projectile::launch(world, id, call.caster, Some(call.cast), lag_ticks, spec);
    }
    fine
}

/// Debris belongs to no cast: nobody is told what becomes of it.
fn scatter(world: &mut World, call: &Call, first: EntityId, spec: DebrisSpec) {
    let ids = (0..u64::from(spec.count)).map_while(|index| first.0.checked_add(index).map(EntityId));
    let taken: Vec<EntityId> = ids.take_while(|id| take_id(world, call, *id)).collect();
    debris::scatter(world, call.caster, taken.into_iter(), spec);
}

fn terraform(world: &mut World, call: &Call, edit: Edit, worked: &mut Worked) {
    if let Err(edit::Refusal { limit, allowed, asked }) = edit::by_spell(world, call, edit, worked) {
        log(world, call, "warn", format!("terraform refused: {limit}, allowed {allowed:.2}, asked {asked:.2}"));
        world.casts.notify(call.cast, Event::Dropped(EntityId::NONE));
    }
}

impl Intent {
    /// Whether every number in it is one. An infinite break force says that a joint never breaks.
    fn is_finite(&self) -> bool {
        match self {
            Self::Damage { amount, .. } | Self::Heal { amount, .. } => amount.is_finite(),
            Self::Push { impulse, .. } => impulse.is_finite(),
            Self::Teleport { to, .. } => to.is_finite(),
            Self::Afflict { status, seconds, .. } => status.is_finite() && seconds.is_finite(),
            Self::Launch { projectile, .. } => projectile.is_finite(),
            Self::Spawn { body: BodySpec { form, mass_kg, position, velocity }, .. } => {
                let form = match form {
                    Form::Point | Form::Capsule => true,
                    Form::Box { half } => half.is_finite(),
                    Form::Ball { radius } => radius.is_finite(),
                };
                form && mass_kg.is_finite() && position.is_finite() && velocity.is_finite()
            }
            Self::Debris { debris: DebrisSpec { at, count: _, speed, seconds }, .. } => {
                at.is_finite() && speed.is_finite() && seconds.is_finite()
            }
            Self::Join { joint: JointSpec { kind, at, break_force, .. }, .. } => {
                let kind = match kind {
                    JointKind::Fixed | JointKind::Ball => true,
                    JointKind::Hinge { axis } => axis.is_finite(),
                    JointKind::Rope { length } => length.is_finite(),
                };
                kind && at.is_finite() && !break_force.is_nan()
            }
            Self::Field { field: FieldSpec { center, radius, acceleration, falloff, seconds }, .. } => {
                center.is_finite() && [radius, acceleration, falloff, seconds].into_iter().all(|number| number.is_finite())
            }
            Self::Summon { npc: SummonSpec { position, aim, .. }, .. } => position.is_finite() && aim.is_finite(),
            Self::Command { order: Order::Go { to }, .. } => to.is_finite(),
            Self::Terraform { edit: Edit { area: Area::Sphere { center, radius }, .. } } => center.is_finite() && radius.is_finite(),
            Self::Cue { at, scale, .. } => at.is_finite() && scale.is_finite(),
            Self::Command { .. } | Self::Terraform { .. } | Self::Despawn { .. } | Self::SetTimer { .. } | Self::Log { .. } => true,
            Self::Send { .. } | Self::Say { .. } | Self::Store { .. } | Self::Dispel { .. } => true,
        }
    }
}

impl ProjectileSpec {
    fn is_finite(&self) -> bool {
        let Self { start, velocity, radius, gravity, seconds, damage, restitution, bounces: _, pierces: _, homing } = self;
        let numbers = [radius, gravity, seconds, damage, restitution];
        let homing = homing.is_none_or(|Homing { turn, half_angle }| turn.is_finite() && half_angle.is_finite());
        start.is_finite() && velocity.is_finite() && numbers.into_iter().all(|number| number.is_finite()) && homing
    }
}

fn in_range(spec: &ProjectileSpec) -> bool {
    // A little over the maximum is what rounding makes of it.
    spec.velocity.length() <= PROJECTILE_SPEED_MAX * 1.001
        && (0.0..=PROJECTILE_RADIUS_MAX_M).contains(&spec.radius)
        && (0.0..=PROJECTILE_SECONDS_MAX).contains(&spec.seconds)
        && (0.0..=1.0).contains(&spec.restitution)
        && spec.bounces <= PROJECTILE_BOUNCES_MAX
        && spec.pierces <= PROJECTILE_PIERCES_MAX
        && spec.homing.is_none_or(|homing| {
            (0.0..=HOMING_TURN_MAX).contains(&homing.turn) && (0.0..=std::f32::consts::PI).contains(&homing.half_angle)
        })
}

fn despawn(world: &mut World, cast: CastId, id: EntityId) {
    if world.maker(id) == Some(cast) {
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

/// Who has not been called yet hears nothing. A message that reaches nobody is dropped, of which the sender is told where it named a thing.
fn send(world: &mut World, call: &Call, to: Recipient, data: Arc<[u8]>) {
    let hears = |cast: &CastId| *cast != call.cast && world.casts.get(*cast).is_some_and(|cast| cast.running);
    let (maker, to) = match to {
        Recipient::Maker(id) => (Some(id), world.maker(id).into_iter().filter(hears).collect::<Vec<_>>()),
        Recipient::Mine(spell) => {
            let of_spell = |cast: &CastId| world.casts.get(*cast).is_some_and(|cast| cast.request.spell == spell);
            (None, world.casts.ids_of_caster(call.caster).filter(hears).filter(of_spell).collect())
        }
    };
    if let Some(target) = maker.filter(|_| to.is_empty()) {
        world.casts.notify(call.cast, Event::Dropped(target));
    }
    let message = Message { spell: call.spell.as_str().into(), caster: call.caster, data };
    to.into_iter().for_each(|cast| world.casts.notify(cast, Event::Message(message.clone())));
}

/// What is kept can be read from the next tick on.
fn store(world: &mut World, call: &Call, own: bool, key: &str, value: Option<Arc<[u8]>>) {
    let keeper = if own { world.scene.storage().keeper(call.caster) } else { Keeper::Spell };
    if own && world.scene.entity(call.caster).is_none() {
        return log(world, call, "warn", format!("{key:?} is not kept: the caster is away"));
    }
    if let Err(storage::Refusal { limit, allowed, asked }) = world.storage_mut().set(&call.spell, keeper, key, value) {
        log(world, call, "warn", format!("{key:?} is not kept: {limit}, allowed {allowed}, asked {asked}"));
    }
}

/// What takes casts or a shield from somebody is harm; what takes a fire from them is not.
fn dispel(world: &mut World, call: &Call, target: EntityId) {
    let Some(counters) = world.casts.get(call.cast).map(|cast| cast.spec.counters) else { return };
    let casts: Vec<CastId> = world.maker(target).map_or_else(|| world.casts.ids_of_caster(target).collect(), |maker| vec![maker]);
    let falls = |id: &CastId| {
        let cast = world.casts.get(*id);
        let fair = |cast: &Cast| team::may_harm(world, call.caster, cast.request.caster);
        *id != call.cast && cast.is_some_and(|cast| counters.contains(cast.spec.school) && fair(cast))
    };
    let fallen: Vec<CastId> = casts.into_iter().filter(falls).collect();
    let freed = status::dispel(world, call.caster, target);
    if fallen.is_empty() && !freed {
        world.casts.notify(call.cast, Event::Dropped(target));
    }
    fallen.into_iter().for_each(|cast| world.casts.cancel(cast, CancelReason::Dispelled));
}

fn log(world: &mut World, call: &Call, level: &'static str, text: String) {
    let (spell, revision) = (call.spell.clone(), call.revision.clone());
    world.emit(Outbound::Log { cast: call.cast, spell, revision, caster: call.caster, level, text });
}
