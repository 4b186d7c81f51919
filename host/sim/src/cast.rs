//! Casts: which requests are admitted, which hooks are due in which order, and when a cast is over.

mod saved;
mod switch;
pub(crate) mod v2;
pub(crate) mod v3;

pub(crate) use saved::SavedCasts;
pub(crate) use switch::{migrate, switch};

use crate::inbound::{CastRequest, SpellSpec};
use crate::limits::{
    CAST_COOLDOWN_TICKS, CAST_INSTANT_TICKS_MAX, CASTER_FUEL_PER_TICK, EVENTS_PER_CAST_MAX, FUEL_DEBT_PARTS, LIVE_CASTS_MAX,
    LIVE_CASTS_PER_CASTER_MAX, SPAWNS_PER_CALL_MAX, SUSPENSION_TICKS, TICK_HZ, TICK_SECONDS, TIMERS_PER_CAST_MAX,
};
use crate::lineup::Lineup;
use crate::outbound::{CastEnd, DespawnReason};
use crate::rng::Stream;
use crate::spells::{Call, CancelReason, Event, Fault, Hook, Outcome};
use crate::strike::Strikes;
use crate::{CastId, EntityId, Outbound, World, mana};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// All casts of one world, and the spells that can be cast.
#[derive(Debug, Default)]
pub(crate) struct Casts {
    spells: BTreeMap<String, KnownSpell>,
    live: BTreeMap<CastId, Cast>,
    /// Live casts that are to go on with another revision, and which.
    migrating: BTreeMap<CastId, String>,
    /// The live casts of each caster that has some.
    by_caster: BTreeMap<EntityId, BTreeSet<CastId>>,
    /// The tick of each caster's last cast of a spell, as long as it still counts.
    last_cast: BTreeMap<(EntityId, String), u64>,
    /// Fuel that casters have spent beyond their share, as far as it is not forgiven.
    debts: BTreeMap<EntityId, u64>,
    /// By caster and spell: its faults, as far as they still count.
    strikes: BTreeMap<(EntityId, String), Strikes>,
    /// Casts so far; the next one's id is one more.
    count: u64,
    /// Casts that have ended in the running tick.
    ended: Vec<CastId>,
}

/// A spell that can be cast here, or of which casts are live.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct KnownSpell {
    pub lineup: Lineup,
    /// Those of the lineup, and others that live casts are pinned to.
    pub revisions: BTreeMap<String, KnownRevision>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct KnownRevision {
    pub spec: SpellSpec,
    /// Live casts that are pinned to it.
    pub live: usize,
}

/// One cast from its admission to its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cast {
    /// What was asked for; the revision is resolved.
    pub request: CastRequest,
    pub spec: SpellSpec,
    pub seed: u64,
    /// The tick of its admission.
    pub started: u64,
    /// Whether its first call was made: in the tick of its admission, or later when that was full.
    pub running: bool,
    /// The tick of its last `on-tick`, or of its first call.
    pub last_tick: u64,
    /// The tick of its last `on-event`, or of its admission.
    pub last_event: u64,
    pub events: VecDeque<Event>,
    /// In the order in which they are due, then in which they were set.
    pub timers: Vec<Timer>,
    pub spawned: BTreeSet<EntityId>,
    /// Why it is about to end.
    pub cancelled: Option<CancelReason>,
    /// Mana that it has taken beside what it cost at first, since its caster last began to owe.
    pub upkeep: f32,
}

/// A timer of a cast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Timer {
    /// The tick in which it is due.
    pub due: u64,
    /// The spell's own name for it.
    pub token: u32,
}

/// Why a request is not granted.
struct Rejection {
    limit: &'static str,
    allowed: f64,
    asked: f64,
}

/// Admits a request or tells why not.
pub(crate) fn admit(world: &mut World, request: &CastRequest) {
    let mut request = request.clone();
    let revision = switch::revision_of(world, &request.spell, &request.revision, request.caster);
    let is_admitted = revision.is_some();
    if let Some(revision) = revision {
        request.revision = revision;
    }
    match check(world, &request, is_admitted) {
        Ok(spec) => start(world, request, spec),
        Err(Rejection { limit, allowed, asked }) => {
            let CastRequest { spell, revision, caster, .. } = request;
            world.emit(Outbound::CastRejected { spell, revision, caster, limit, allowed, asked });
        }
    }
}

/// The tick's stage: all calls that are due, by cast; those of one cast in the order cast, events, timers, tick, cancel. Each has its own block of ids.
/// Casters who owe fuel come last, the deepest in debt at the very end: whatever does not fit into the tick should be theirs. Among those who owe the same,
/// and among the casts of one caster, those that have waited longest come first, so that none is put off for ever by its dearer neighbours.
pub(crate) fn due(world: &mut World) -> Vec<Call> {
    end_unstarted(world);
    let (mut due, mut calls) = (Vec::new(), Vec::new());
    let (tick, mut first_id) = (world.tick, world.next_id);
    for (id, cast) in &world.casts.live {
        if cast.cancelled.is_none() && mana::skips(&world.purses, cast.request.caster, *id, tick) {
            continue;
        }
        for hook in hooks_due(*id, cast, tick, &world.scene) {
            let CastRequest { spell, revision, caster, .. } = &cast.request;
            let (spell, revision, owed) = (spell.clone(), revision.clone(), world.casts.debt(*caster));
            let mana = mana::of(world, *caster);
            due.push((owed, cast.waits_since(), calls.len()));
            calls.push(Some(Call { cast: *id, spell, revision, caster: *caster, owed, mana, tick, first_id, hook }));
            first_id += SPAWNS_PER_CALL_MAX;
        }
    }
    due.sort_unstable();
    due.into_iter().filter_map(|(_, _, place)| calls[place].take()).collect()
}

/// These calls were made: what they were due for is done with, and their casters are charged.
pub(crate) fn called(world: &mut World, calls: &[Call], outcomes: &[Outcome]) {
    for (call, outcome) in calls.iter().zip(outcomes) {
        let debt = world.casts.debts.entry(call.caster).or_default();
        *debt = debt.saturating_add(outcome.fuel);
        // What runs the spells may be anybody's; a number that is none takes nothing.
        let upkeep = if outcome.upkeep > 0.0 && outcome.upkeep.is_finite() { outcome.upkeep } else { 0.0 };
        mana::pay(world, call.caster, upkeep);
        let Some(cast) = world.casts.live.get_mut(&call.cast) else { continue };
        cast.upkeep += upkeep;
        match call.hook {
            Hook::Cast { .. } => (cast.running, cast.last_tick) = (true, world.tick),
            Hook::Event(ref event) => {
                cast.last_event = world.tick;
                match event {
                    Event::Timer(_) => _ = cast.timers.remove(0),
                    _ => _ = cast.events.pop_front(),
                }
            }
            Hook::Tick { .. } => cast.last_tick = world.tick,
            Hook::Cancel(_) => {}
        }
    }
    world.casts.forgive();
}

/// Ends the cast, if it lives: what it spawned goes, its instance is given back when the tick closes.
pub(crate) fn end(world: &mut World, id: CastId, reason: CastEnd) {
    let Some(cast) = world.casts.remove(id) else { return };
    for spawned in cast.spawned {
        world.despawn(spawned, DespawnReason::Spell);
    }
    world.emit(Outbound::CastEnded { cast: id, reason });
}

/// A call of the cast was stopped: that counts against its caster, everybody is told, and the cast ends.
pub(crate) fn faulted(world: &mut World, id: CastId, fault: Fault) {
    let Some(CastRequest { spell, revision, caster, .. }) = world.casts.get(id).map(|cast| cast.request.clone()) else { return };
    world.casts.strike(caster, &spell, &revision, world.tick);
    world.emit(Outbound::CastFaulted { cast: id, spell, revision, caster, fault });
    end(world, id, CastEnd::Fault);
}

/// Ends the instant casts that have nothing left to wait for.
pub(crate) fn settle(world: &mut World) {
    let done: Vec<CastId> = world.casts.live.iter().filter(|(_, cast)| cast.is_done()).map(|(id, _)| *id).collect();
    for id in done {
        end(world, id, CastEnd::Finished);
    }
    world.casts.forget_old_cooldowns(world.tick);
}

/// The checks of an admission, in the order in which a caster wants to hear of them.
fn check(world: &World, request: &CastRequest, is_admitted: bool) -> Result<SpellSpec, Rejection> {
    let reject = |limit, allowed: f64, asked: f64| Err(Rejection { limit, allowed, asked });
    let casts = &world.casts;
    let Some(known) = casts.spells.get(&request.spell).filter(|known| !known.lineup.is_empty()) else {
        return reject("unknown_spell", 0.0, 0.0);
    };
    // A revision that is only known because casts still run it is for them alone.
    let Some(revision) = known.revisions.get(&request.revision).filter(|_| is_admitted) else {
        return reject(if request.revision.is_empty() { "unknown_spell" } else { "unknown_revision" }, 0.0, 0.0);
    };
    if !world.scene.entity(request.caster).is_some_and(|caster| caster.kind.is_character()) {
        return reject("caster_gone", 0.0, 0.0);
    }
    if !request.target_position.is_finite() {
        return reject("not_finite", 0.0, 0.0);
    }
    if let Some(last) =
        casts.last_cast.get(&(request.caster, request.spell.clone())).filter(|last| *last + CAST_COOLDOWN_TICKS > world.tick)
    {
        let seconds = |ticks: u64| ticks as f64 / f64::from(TICK_HZ);
        return reject("cooldown", seconds(CAST_COOLDOWN_TICKS), seconds(world.tick - last));
    }
    let strikes = casts.strikes.get(&(request.caster, request.spell.clone()));
    if let Some(since) = strikes.and_then(|strikes| strikes.suspended(&request.revision, world.tick)) {
        let seconds = |ticks: u64| ticks as f64 / f64::from(TICK_HZ);
        return reject("suspended", seconds(SUSPENSION_TICKS), seconds(since));
    }
    let of_caster = casts.of_caster(request.caster);
    if of_caster >= LIVE_CASTS_PER_CASTER_MAX {
        return reject("live_casts", LIVE_CASTS_PER_CASTER_MAX as f64, (of_caster + 1) as f64);
    }
    if casts.live.len() >= LIVE_CASTS_MAX {
        return reject("world_casts", LIVE_CASTS_MAX as f64, (casts.live.len() + 1) as f64);
    }
    if let Some(mana) = mana::of(world, request.caster).filter(|mana| *mana < revision.spec.cast_mana) {
        return reject("mana", f64::from(mana.max(0.0)), f64::from(revision.spec.cast_mana));
    }
    Ok(revision.spec)
}

fn start(world: &mut World, request: CastRequest, spec: SpellSpec) {
    world.casts.count += 1;
    let id = CastId(world.casts.count);
    // The cast's own stream: named by the world, the moment and the cast, so that no two casts share one and a replay gives the same.
    let seed = Stream::named(&[world.settings.seed, world.tick, id.0]).draw();
    world.emit(Outbound::CastStarted {
        cast: id,
        spell: request.spell.clone(),
        revision: request.revision.clone(),
        caster: request.caster,
        target_position: request.target_position,
        seed,
        params: request.params.clone(),
    });
    mana::pay(world, request.caster, spec.cast_mana);
    world.casts.insert(id, Cast::new(request, spec, seed, world.tick));
}

/// What is cancelled, or has lost its caster, before its first call leaves nothing to be told.
fn end_unstarted(world: &mut World) {
    let gone = |cast: &Cast| world.scene.entity(cast.request.caster).is_none().then_some(CancelReason::CasterGone);
    let unstarted = world.casts.live.iter().filter(|(_, cast)| !cast.running);
    let over: Vec<_> = unstarted.filter_map(|(id, cast)| Some((*id, cast.cancelled.or_else(|| gone(cast))?))).collect();
    for (id, reason) in over {
        end(world, id, reason.into());
    }
}

fn hooks_due(id: CastId, cast: &Cast, tick: u64, scene: &crate::scene::Scene) -> Vec<Hook> {
    if let Some(reason) = cast.cancelled {
        return vec![Hook::Cancel(reason)];
    }
    if !cast.running {
        let caster =
            scene.entity(cast.request.caster).unwrap_or_else(|| panic!("{id:?}'s caster is there at its first call, or it was ended"));
        let CastRequest { target, target_position, params, .. } = cast.request.clone();
        let (tick, origin, aim) = (cast.started, caster.eye(), caster.aim);
        return vec![Hook::Cast { tick, target, origin, aim, target_position, seed: cast.seed, params }];
    }
    let mut hooks: Vec<Hook> = cast.events.iter().cloned().map(Hook::Event).collect();
    hooks.extend(cast.timers.iter().take_while(|timer| timer.due <= tick).map(|timer| Hook::Event(Event::Timer(timer.token))));
    if cast.spec.event_interval > 0 {
        hooks.truncate(usize::from(tick >= cast.last_event + u64::from(cast.spec.event_interval)));
    }
    if cast.spec.tick_interval > 0 && tick >= cast.last_tick + u64::from(cast.spec.tick_interval) {
        hooks.push(Hook::Tick { dt: (tick - cast.last_tick) as f32 * TICK_SECONDS });
    }
    if cast.is_over(tick) {
        hooks.push(Hook::Cancel(CancelReason::Duration));
    }
    hooks
}

impl Casts {
    /// The casts that have been called, those of casters who owe least first.
    pub(crate) fn to_suspend(&self) -> Vec<CastId> {
        let mut casts: Vec<_> =
            self.live.iter().filter(|(_, cast)| cast.running).map(|(id, cast)| (self.debt(cast.request.caster), *id)).collect();
        casts.sort_unstable();
        casts.into_iter().map(|(_, id)| id).collect()
    }

    /// Work done for a cast outside of its calls.
    pub(crate) fn charge(&mut self, id: CastId, fuel: u64) {
        let Some(caster) = self.live.get(&id).map(|cast| cast.request.caster).filter(|_| fuel > 0) else { return };
        let debt = self.debts.entry(caster).or_default();
        *debt = debt.saturating_add(fuel);
    }

    /// Lets go of revisions that cannot be run; no cast may be live on what is forgotten.
    pub(crate) fn forget_unknown(&mut self, knows: impl Fn(&str, &str) -> bool) {
        self.spells.retain(|spell, known| {
            known.lineup.keep(|revision| knows(spell, revision));
            known.forget_unused();
            !known.revisions.is_empty()
        });
        let (live, spells) = (&self.live, &self.spells);
        let is_known = |spell: &str, to: &str| spells.get(spell).is_some_and(|known| known.revisions.contains_key(to));
        self.migrating.retain(|id, to| live.get(id).is_some_and(|cast| is_known(&cast.request.spell, to)));
    }

    /// Lets go of revisions of this spell that nothing can run any more, and of the spell with the last of them.
    fn forget_unused(&mut self, spell: &str) {
        if let Some(known) = self.spells.get_mut(spell) {
            known.forget_unused();
            if known.revisions.is_empty() {
                self.spells.remove(spell);
            }
        }
    }

    fn debt(&self, caster: EntityId) -> u64 {
        self.debts.get(&caster).copied().unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.live.len()
    }

    pub(crate) fn is_live(&self, id: CastId) -> bool {
        self.live.contains_key(&id)
    }

    pub(crate) fn is_cancelled(&self, id: CastId) -> bool {
        self.live.get(&id).is_some_and(|cast| cast.cancelled.is_some())
    }

    pub(crate) fn get(&self, id: CastId) -> Option<&Cast> {
        self.live.get(&id)
    }

    /// All live casts, by id.
    pub(crate) fn live(&self) -> impl Iterator<Item = (CastId, &Cast)> {
        self.live.iter().map(|(id, cast)| (*id, cast))
    }

    pub(crate) fn lineup(&self, spell: &str) -> Option<&Lineup> {
        self.spells.get(spell).map(|known| &known.lineup)
    }

    /// Whether casts of this revision are live or may come to be.
    pub(crate) fn knows(&self, spell: &str, revision: &str) -> bool {
        self.spells.get(spell).is_some_and(|known| known.revisions.contains_key(revision))
    }

    /// Live casts that are to go on with another revision, and which.
    pub(crate) fn migrating(&self) -> impl Iterator<Item = (CastId, &str)> {
        self.migrating.iter().map(|(id, to)| (*id, to.as_str()))
    }

    /// All spells, by name.
    pub(crate) fn spells(&self) -> impl Iterator<Item = (&str, &KnownSpell)> {
        self.spells.iter().map(|(name, spell)| (name.as_str(), spell))
    }

    /// The last cast of each spell by each caster that still counts.
    pub(crate) fn last_casts(&self) -> impl Iterator<Item = (EntityId, &str, u64)> {
        self.last_cast.iter().map(|((caster, spell), tick)| (*caster, spell.as_str(), *tick))
    }

    /// Fuel that each caster owes who owes some.
    pub(crate) fn debts(&self) -> impl Iterator<Item = (EntityId, u64)> {
        self.debts.iter().map(|(caster, fuel)| (*caster, *fuel))
    }

    /// Casts so far.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn of_caster(&self, caster: EntityId) -> usize {
        self.by_caster.get(&caster).map_or(0, BTreeSet::len)
    }

    /// Things in the world that the caster's live casts have spawned.
    pub(crate) fn spawned_by(&self, caster: EntityId) -> usize {
        self.by_caster.get(&caster).into_iter().flatten().filter_map(|id| self.live.get(id)).map(|cast| cast.spawned.len()).sum()
    }

    pub(crate) fn active_revision(&self, spell: &str) -> Option<&str> {
        self.spells.get(spell)?.lineup.active.as_deref()
    }

    /// Tells the cast in the next tick, if it still lives and its queue is not full.
    pub(crate) fn notify(&mut self, id: CastId, event: Event) {
        if let Some(cast) = self.live.get_mut(&id).filter(|cast| cast.events.len() < EVENTS_PER_CAST_MAX) {
            cast.events.push_back(event);
        }
    }

    /// Whether the timer was set: not when as many as there may be wait already.
    pub(crate) fn set_timer(&mut self, id: CastId, timer: Timer) -> bool {
        let Some(cast) = self.live.get_mut(&id).filter(|cast| cast.timers.len() < TIMERS_PER_CAST_MAX) else { return false };
        let place = cast.timers.partition_point(|other| other.due <= timer.due);
        cast.timers.insert(place, timer);
        true
    }

    pub(crate) fn remember_spawned(&mut self, id: CastId, spawned: EntityId) {
        if let Some(cast) = self.live.get_mut(&id) {
            cast.spawned.insert(spawned);
        }
    }

    pub(crate) fn forget_spawned(&mut self, id: CastId, spawned: EntityId) {
        if let Some(cast) = self.live.get_mut(&id) {
            cast.spawned.remove(&spawned);
        }
    }

    /// The caster left or died: each of its casts that cannot do without it has one more call.
    pub(crate) fn caster_is_gone(&mut self, caster: EntityId) {
        self.each_of_caster(caster, |cast| {
            if !cast.spec.persistent {
                cast.cancelled = Some(CancelReason::CasterGone);
            }
        });
    }

    /// The cast has one more call, which tells it why. The first reason counts.
    pub(crate) fn cancel(&mut self, id: CastId, reason: CancelReason) {
        if let Some(cast) = self.live.get_mut(&id) {
            cast.cancelled.get_or_insert(reason);
            self.migrating.remove(&id);
        }
    }

    /// Cancels the caster's cast that has taken the most mana of late; of equals the oldest.
    pub(crate) fn cancel_dearest(&mut self, caster: EntityId, reason: CancelReason) {
        let upkeep = |id: &CastId| self.live.get(id).filter(|cast| cast.cancelled.is_none()).map(|cast| cast.upkeep);
        let its = self.ids_of_caster(caster).filter_map(|id| Some((id, upkeep(&id)?)));
        if let Some((dearest, _)) = its.reduce(|dearest, one| if one.1 > dearest.1 { one } else { dearest }) {
            self.cancel(dearest, reason);
        }
    }

    /// From now on, what the caster's casts take is counted for [`Casts::cancel_dearest`].
    pub(crate) fn count_upkeep_anew(&mut self, caster: EntityId) {
        self.each_of_caster(caster, |cast| cast.upkeep = 0.0);
    }

    /// One player has become another entity: what was the old one's is the new one's.
    pub(crate) fn hand_over(&mut self, old: EntityId, new: EntityId) {
        self.each_of_caster(old, |cast| cast.request.caster = new);
        if let Some(casts) = self.by_caster.remove(&old) {
            self.by_caster.insert(new, casts);
        }
        if let Some(debt) = self.debts.remove(&old) {
            self.debts.insert(new, debt);
        }
        let (others, its) = std::mem::take(&mut self.strikes).into_iter().partition(|((caster, _), _)| *caster != old);
        self.strikes = others;
        self.strikes.extend(its.into_iter().map(|((_, spell), strikes): ((_, String), _)| ((new, spell), strikes)));
    }

    /// A call of this revision has faulted.
    pub(crate) fn strike(&mut self, caster: EntityId, spell: &str, revision: &str, tick: u64) {
        self.strikes.entry((caster, spell.to_owned())).or_default().add(revision, tick);
    }

    /// Faults that still count, by caster and spell.
    pub(crate) fn strikes(&self) -> impl Iterator<Item = (EntityId, &str, &Strikes)> {
        self.strikes.iter().map(|((caster, spell), strikes)| (*caster, spell.as_str(), strikes))
    }

    /// The caster's live casts, by id.
    pub(crate) fn ids_of_caster(&self, caster: EntityId) -> impl Iterator<Item = CastId> {
        self.by_caster.get(&caster).into_iter().flatten().copied()
    }

    fn each_of_caster(&mut self, caster: EntityId, mut change: impl FnMut(&mut Cast)) {
        for id in self.by_caster.get(&caster).into_iter().flatten() {
            if let Some(cast) = self.live.get_mut(id) {
                change(cast);
            }
        }
    }

    /// For a caster that does not come back.
    pub(crate) fn forget_cooldowns(&mut self, caster: EntityId) {
        self.last_cast.retain(|(other, _), _| *other != caster);
    }

    pub(crate) fn take_ended(&mut self) -> Vec<CastId> {
        std::mem::take(&mut self.ended)
    }

    /// A tick's share is free, and a part of the rest is forgotten.
    fn forgive(&mut self) {
        self.debts.retain(|_, fuel| {
            *fuel = (*fuel - *fuel / FUEL_DEBT_PARTS).saturating_sub(CASTER_FUEL_PER_TICK);
            *fuel > 0
        });
    }

    fn forget_old_cooldowns(&mut self, tick: u64) {
        self.last_cast.retain(|_, last| *last + CAST_COOLDOWN_TICKS > tick);
        self.strikes.retain(|_, strikes| strikes.counts(tick));
    }

    fn insert(&mut self, id: CastId, cast: Cast) {
        let CastRequest { spell, revision, caster, .. } = &cast.request;
        self.by_caster.entry(*caster).or_default().insert(id);
        self.last_cast.insert((*caster, spell.clone()), cast.started);
        if let Some(known) = self.spells.get_mut(spell).and_then(|known| known.revisions.get_mut(revision)) {
            known.live += 1;
        }
        self.live.insert(id, cast);
    }

    fn remove(&mut self, id: CastId) -> Option<Cast> {
        let cast = self.live.remove(&id)?;
        self.migrating.remove(&id);
        self.ended.push(id);
        let CastRequest { spell, revision, caster, .. } = &cast.request;
        if let Some(casts) = self.by_caster.get_mut(caster) {
            casts.remove(&id);
            if casts.is_empty() {
                self.by_caster.remove(caster);
            }
        }
        if let Some(known) = self.spells.get_mut(spell).and_then(|known| known.revisions.get_mut(revision)) {
            known.live -= 1;
        }
        self.forget_unused(spell);
        Some(cast)
    }
}

impl KnownSpell {
    /// Revisions that nothing can run any more; the runner of the spells drops them too.
    fn forget_unused(&mut self) {
        let named: BTreeSet<&str> = self.lineup.revisions().collect();
        self.revisions.retain(|revision, known| named.contains(revision.as_str()) || known.live > 0);
    }
}

impl Cast {
    fn new(request: CastRequest, spec: SpellSpec, seed: u64, tick: u64) -> Self {
        Self {
            request,
            spec,
            seed,
            started: tick,
            running: false,
            last_tick: tick,
            last_event: tick,
            events: VecDeque::new(),
            timers: Vec::new(),
            spawned: BTreeSet::new(),
            cancelled: None,
            upkeep: 0.0,
        }
    }

    /// The tick in which it became due for its first call, or for its next `on-tick`; later than now for one that is only told of events.
    fn waits_since(&self) -> u64 {
        if self.running { self.last_tick + u64::from(self.spec.tick_interval) } else { self.started }
    }

    /// Its envelope's duration is over; an instant one's is the longest that it may wait.
    fn is_over(&self, tick: u64) -> bool {
        let elapsed = tick - self.started;
        match self.spec.duration_ticks {
            0 => elapsed > u64::from(CAST_INSTANT_TICKS_MAX),
            duration => elapsed >= u64::from(duration),
        }
    }

    /// An instant cast that has run and waits for nothing.
    fn is_done(&self) -> bool {
        let waits = self.cancelled.is_some() || !self.events.is_empty() || !self.timers.is_empty() || !self.spawned.is_empty();
        self.spec.duration_ticks == 0 && self.running && !waits
    }
}
