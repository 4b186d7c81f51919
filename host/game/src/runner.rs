//! Runs the spells of a tick: each cast in an instance of its own, so that one cast's fault is one cast's end.

use crate::convert::{self, SceneView};
use crate::limits::*;
use crate::recording::Late;
use crate::revision::LoadedRevision;
use crate::scheduler::{self, Callee};
use crate::usage::{EndedCast, HookSpent, Spent};
use sim::scene::Scene;
use sim::spells::{Call, Fault, Hook, Kept, Migrated, Migration, Outcome, Resumed, Spells};
use sim::{CastId, EntityId, World};
use spell_runtime::mana::FUEL_UNIT;
use spell_runtime::{Instance, View};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The revisions that are loaded and the casts that live.
pub(crate) struct Runner {
    /// Fuel that all spells may spend in a tick.
    tick_fuel: u64,
    /// Calls that the last tick made.
    calls_made: usize,
    /// By spell and revision: those that new casts may run, and others that live casts are pinned to.
    revisions: BTreeMap<(String, String), Arc<LoadedRevision>>,
    casts: BTreeMap<CastId, Live>,
    /// Calls of the last tick that were ended by time.
    late: Vec<Late>,
    /// Those of the next one that are to be.
    to_be_late: BTreeSet<Late>,
    /// Something changed by which a revision may have become unused.
    sweep_due: bool,
    /// What the last tick took.
    spent: Spent,
}

impl Default for Runner {
    fn default() -> Self {
        Self {
            tick_fuel: SPELLS_TICK_FUEL_MAX,
            calls_made: 0,
            revisions: BTreeMap::new(),
            casts: BTreeMap::new(),
            late: Vec::new(),
            to_be_late: BTreeSet::new(),
            sweep_due: false,
            spent: Spent::default(),
        }
    }
}

/// The limit of a fault that fuel had nothing to do with.
const TIME: &str = "time";

/// What a call came to that was late when it was recorded.
fn late_fault(hook: &'static str) -> Fault {
    Fault { hook, limit: TIME, allowed: 0.0, asked: 0.0, message: format!("{hook} was ended by time when this was recorded") }
}

fn not_loaded(hook: &'static str, spell: &str, revision: &str) -> Fault {
    Fault { hook, limit: "load", allowed: 0.0, asked: 0.0, message: format!("{spell} {revision} is not loaded any more") }
}

/// What came of a call that never was, or was ended by time.
fn stopped(fault: Fault, fuel: u64) -> Outcome {
    Outcome { fault: Some(fault), fuel, upkeep: fuel as f32 * FUEL_UNIT, ..Outcome::default() }
}

/// One living cast.
struct Live {
    /// `None` before the first call, and after a fault until the simulation ends the cast: a store that trapped is never entered again.
    instance: Option<Instance>,
    /// Keeps the revision loaded; `None` when it was not loaded at all.
    revision: Option<Arc<LoadedRevision>>,
    /// The tick of its admission; not known of one that its world was loaded with.
    began: Option<u64>,
    /// Whose; nobody's before the first call that is seen.
    caster: EntityId,
    /// Its calls, since it began or since its world was loaded.
    hooks: [HookSpent; 4],
    /// Mana that they took.
    mana: f32,
    memory_bytes: usize,
    /// A call or a save of it was stopped.
    faulted: bool,
}

/// What came of replacing a cast's instance by one that is made of its save.
enum Renewed {
    /// The cast runs on a fresh instance made of this.
    Fresh(Vec<u8>),
    /// The save was not taken: the cast runs on as before.
    AsBefore(Fault),
    /// The save broke: there is no instance any more.
    Broken(Fault),
    /// There was no instance yet.
    Unstarted,
}

/// A cast and what it sees in this tick.
struct Seeing<'a> {
    live: &'a mut Live,
    view: &'a Arc<dyn View>,
    to_be_late: &'a BTreeSet<Late>,
}

impl Runner {
    /// Makes a revision known, before the simulation activates it.
    pub(crate) fn admit(&mut self, loaded: LoadedRevision) {
        self.revisions.insert((loaded.spell.clone(), loaded.revision.clone()), Arc::new(loaded));
    }

    /// After a load: what the world holds active, as it was told before the save.
    pub(crate) fn follow(&mut self, world: &World) {
        // Casts that wait for their first call hold their revisions too.
        for (cast, spell, revision) in world.waiting_casts() {
            let revision = self.revisions.get(&(spell.to_owned(), revision.to_owned())).cloned();
            self.casts.insert(cast, Live::new(None, revision));
        }
        self.sweep(world);
    }

    /// What a tick takes is counted from here.
    pub(crate) fn before_step(&mut self) {
        self.spent = Spent::default();
    }

    /// What the last tick took.
    pub(crate) fn spent(&self) -> &Spent {
        &self.spent
    }

    /// Lets go of revisions that no live cast runs and no new one may run any more.
    pub(crate) fn after_step(&mut self, world: &World, switched: bool) {
        if std::mem::take(&mut self.sweep_due) || switched {
            self.sweep(world);
        }
    }

    fn sweep(&mut self, world: &World) {
        self.revisions.retain(|(spell, revision), loaded| world.needs(spell, revision) || Arc::strong_count(loaded) > 1);
    }

    /// Calls of the last tick that were ended by time.
    pub(crate) fn take_late(&mut self) -> Vec<Late> {
        self.to_be_late.clear();
        std::mem::take(&mut self.late)
    }

    /// Calls of the next tick that are to be ended by time.
    pub(crate) fn be_late(&mut self, late: Vec<Late>) {
        self.to_be_late = late.into_iter().collect();
    }

    /// The revisions that are held in memory.
    pub(crate) fn loaded(&self) -> impl Iterator<Item = &LoadedRevision> {
        self.revisions.values().map(Arc::as_ref)
    }

    /// Another amount than `SPELLS_TICK_FUEL_MAX`.
    pub(crate) fn set_tick_fuel(&mut self, fuel: u64) {
        self.tick_fuel = fuel;
    }

    /// Calls that the last tick made; the others that were due wait.
    pub(crate) fn calls_made(&self) -> usize {
        self.calls_made
    }

    /// Casts that have an instance.
    pub(crate) fn casts_live(&self) -> usize {
        self.casts.values().filter(|live| live.instance.is_some()).count()
    }
}

impl Spells for Runner {
    fn run(&mut self, scene: Arc<Scene>, calls: &[Call]) -> Vec<Option<Outcome>> {
        let view: Arc<dyn View> = Arc::new(SceneView(scene));
        self.pin(calls);
        let mut casts: BTreeMap<CastId, &mut Live> = self.casts.iter_mut().map(|(cast, live)| (*cast, live)).collect();
        let to_be_late = std::mem::take(&mut self.to_be_late);
        let outcomes = scheduler::run(calls, self.tick_fuel, |call| {
            let live = casts.remove(&call.cast)?;
            Some(Seeing { live, view: &view, to_be_late: &to_be_late })
        });
        self.calls_made = outcomes.iter().flatten().count();
        for (call, outcome) in calls.iter().zip(&outcomes) {
            let fuel = outcome.as_ref().map_or(0, |outcome| outcome.fuel);
            if fuel > 0 {
                *self.spent.by_caster.entry(call.caster).or_default() += fuel;
            }
        }
        let faults = calls.iter().zip(&outcomes).filter_map(|(call, outcome)| Some((call, outcome.as_ref()?.fault.as_ref()?)));
        let late = faults.filter(|(_, fault)| fault.limit == TIME);
        self.late
            .extend(late.map(|(call, fault)| if fault.hook == "init" { Late::Init(call.first_id) } else { Late::Call(call.first_id) }));
        // What is late at the checkpoint of this tick is still to come.
        self.to_be_late = to_be_late;
        outcomes
    }

    fn end(&mut self, cast: CastId) {
        self.sweep_due = true;
        let ended = self.casts.remove(&cast).and_then(|live| live.ended(cast));
        self.spent.ended.extend(ended);
    }

    /// The cast that reaches the fuel is the last.
    fn checkpoint(&mut self, casts: &[CastId], fuel: u64) -> Vec<(Kept, u64)> {
        let mut left = fuel;
        let mut answers = Vec::with_capacity(casts.len());
        for cast in casts {
            let live = self.casts.get_mut(cast).filter(|_| left > 0);
            let (kept, spent, late) = live.map_or((Kept::Unsaved, 0, None), |live| live.checkpoint(*cast, &self.to_be_late));
            left = left.saturating_sub(spent);
            self.late.extend(late);
            answers.push((kept, spent));
        }
        answers
    }

    /// The cast that reaches the fuel is the last.
    fn migrate(&mut self, migrations: &[Migration], fuel: u64) -> Vec<(Migrated, u64)> {
        self.sweep_due = true;
        let mut left = fuel;
        let mut answers = Vec::with_capacity(migrations.len());
        for Migration { cast, spell, to, .. } in migrations {
            let (migrated, spent, late) = match (left, self.revisions.get(&(spell.clone(), to.clone())), self.casts.get_mut(cast)) {
                (0, ..) => (Migrated::Waits, 0, None),
                (_, None, _) => (Migrated::Stays(not_loaded("restore", spell, to)), 0, None),
                // It has not been called yet: it begins with the other revision.
                (_, Some(_), None) => (Migrated::Moved, 0, None),
                (_, Some(onto), Some(live)) => live.migrate(*cast, onto, &self.to_be_late),
            };
            left = left.saturating_sub(spent);
            self.late.extend(late);
            answers.push((migrated, spent));
        }
        answers
    }

    fn knows(&self, spell: &str, revision: &str) -> bool {
        self.revisions.contains_key(&(spell.to_owned(), revision.to_owned()))
    }

    fn resume(&mut self, cast: Resumed<'_>) -> bool {
        let revision = self.revisions.get(&(cast.spell.to_owned(), cast.revision.to_owned()));
        let (Some(revision), Ok(suspended)) = (revision, postcard::from_bytes(cast.state)) else { return false };
        let Ok((instance, _)) = revision.resume(cast.revision, suspended) else { return false };
        self.casts.insert(cast.cast, Live::new(Some(instance), Some(revision.clone())));
        true
    }
}

impl Runner {
    /// Casts that begin hold their revisions from now on, for their first call may have to wait.
    fn pin(&mut self, calls: &[Call]) {
        for call in calls.iter().filter(|call| matches!(call.hook, Hook::Cast { .. })) {
            let revision = || self.revisions.get(&(call.spell.clone(), call.revision.clone())).cloned();
            self.casts.entry(call.cast).or_insert_with(|| Live::new(None, revision()));
        }
    }
}

impl Callee for Seeing<'_> {
    fn call(&mut self, call: &Call) -> Outcome {
        self.live.call(call, self.view, self.to_be_late)
    }
}

impl Live {
    fn new(instance: Option<Instance>, revision: Option<Arc<LoadedRevision>>) -> Self {
        let hooks = ["on-cast", "on-tick", "on-event", "on-cancel"].map(HookSpent::none);
        Self { instance, revision, began: None, caster: EntityId::NONE, hooks, mana: 0.0, memory_bytes: 0, faulted: false }
    }

    /// What it came to, unless it was never called.
    fn ended(self, cast: CastId) -> Option<EndedCast> {
        let Self { revision, began, caster, hooks, mana, memory_bytes, faulted, .. } = self;
        let hooks: Vec<HookSpent> = hooks.into_iter().filter(|hook| hook.calls > 0).collect();
        let fuel = hooks.iter().map(|hook| hook.fuel).sum();
        let revision = revision.filter(|_| !hooks.is_empty())?;
        let (spell, revision) = (revision.spell.clone(), revision.revision.clone());
        Some(EndedCast { cast, caster, began, spell, revision, fuel, hooks, mana, memory_bytes, faulted })
    }

    /// Saves the cast and goes on with a fresh instance made of its save, as a load would. One that does not take its own save back goes on as it is. Answers
    /// also whether one of the two was ended by time.
    fn checkpoint(&mut self, cast: CastId, to_be_late: &BTreeSet<Late>) -> (Kept, u64, Option<Late>) {
        let Some(own) = self.revision.clone() else { return (Kept::Unsaved, 0, None) };
        let (renewed, spent, late) = self.renew(&own, to_be_late, (Late::Save(cast), Late::Restore(cast)));
        let kept = match renewed {
            Renewed::Fresh(state) => Kept::State(state),
            Renewed::AsBefore(_) | Renewed::Unstarted => Kept::Unsaved,
            Renewed::Broken(fault) => Kept::Fault(fault),
        };
        (kept, spent, late)
    }

    /// Goes on with a fresh instance of another revision, made of what the cast saves on its own.
    fn migrate(&mut self, cast: CastId, onto: &Arc<LoadedRevision>, to_be_late: &BTreeSet<Late>) -> (Migrated, u64, Option<Late>) {
        let (renewed, spent, late) = self.renew(onto, to_be_late, (Late::MigrationSave(cast), Late::MigrationRestore(cast)));
        let migrated = match renewed {
            Renewed::Fresh(_) | Renewed::Unstarted => {
                self.revision = Some(onto.clone());
                Migrated::Moved
            }
            Renewed::AsBefore(fault) => Migrated::Stays(fault),
            Renewed::Broken(fault) => Migrated::Fault(fault),
        };
        (migrated, spent, late)
    }

    /// Replaces the instance by a fresh one that is made of its save: of its own revision or of another one. `late` names the two calls.
    fn renew(&mut self, onto: &LoadedRevision, to_be_late: &BTreeSet<Late>, late: (Late, Late)) -> (Renewed, u64, Option<Late>) {
        let (Some(instance), Some(own)) = (&mut self.instance, &self.revision) else { return (Renewed::Unstarted, 0, None) };
        let saved = match to_be_late.contains(&late.0) {
            true => Err(late_fault("save")),
            false => instance.suspend(SPELL_SAVE_FUEL_MAX).map_err(convert::fault),
        };
        let suspended = match saved {
            Ok(suspended) => suspended,
            Err(fault) => {
                (self.instance, self.faulted) = (None, true);
                let late = (fault.limit == TIME).then_some(late.0);
                return (Renewed::Broken(fault), CALL_COST_FUEL + SPELL_SAVE_FUEL_MAX, late);
            }
        };
        let saving = CALL_COST_FUEL + SPELL_SAVE_FUEL_MAX.saturating_sub(instance.fuel_left());
        let state = postcard::to_stdvec(&suspended).expect("bytes and numbers are nothing that postcard refuses");
        let resumed = match to_be_late.contains(&late.1) {
            true => Err((late_fault("restore"), SPELL_INIT_FUEL_MAX + SPELL_SAVE_FUEL_MAX)),
            false => onto.resume(&own.revision, suspended).map_err(|(fault, spent)| (convert::fault(fault), spent)),
        };
        match resumed {
            Ok((fresh, spent)) => {
                self.instance = Some(fresh);
                (Renewed::Fresh(state), saving + INSTANCE_COST_FUEL + spent, None)
            }
            // A refusal is charged what it took, not the cap: a few casts that cannot be saved must not leave a checkpoint without fuel for all others.
            Err((fault, spent)) => {
                let late = (fault.limit == TIME).then_some(late.1);
                let spent = if late.is_some() { SPELL_INIT_FUEL_MAX + SPELL_SAVE_FUEL_MAX } else { spent };
                (Renewed::AsBefore(fault), saving + INSTANCE_COST_FUEL + spent, late)
            }
        }
    }

    fn call(&mut self, call: &Call, view: &Arc<dyn View>, to_be_late: &BTreeSet<Late>) -> Outcome {
        let outcome = self.make_call(call, view, to_be_late);
        self.caster = call.caster;
        let hook = match call.hook {
            Hook::Cast { tick, .. } => {
                self.began = Some(tick);
                0
            }
            Hook::Tick { .. } => 1,
            Hook::Event(_) => 2,
            Hook::Cancel(_) => 3,
        };
        // One that has faulted before, and is about to end, is not called.
        if outcome.fuel > 0 {
            self.hooks[hook].count(outcome.fuel);
        }
        self.mana += outcome.upkeep;
        self.faulted |= outcome.fault.is_some();
        outcome
    }

    fn make_call(&mut self, call: &Call, view: &Arc<dyn View>, to_be_late: &BTreeSet<Late>) -> Outcome {
        let mut cost = CALL_COST_FUEL;
        if matches!(call.hook, Hook::Cast { .. }) {
            let made = if to_be_late.contains(&Late::Init(call.first_id)) { Err(late_fault("init")) } else { self.instantiate(call) };
            match made {
                Ok(fuel) => cost += fuel,
                // How far `init` came is not told: it is charged its whole cap.
                Err(fault) => return stopped(fault, INSTANCE_COST_FUEL + SPELL_INIT_FUEL_MAX),
            }
        }
        // Without an instance the cast faulted in an earlier tick, and the simulation is about to end it.
        let Some(instance) = &mut self.instance else { return Outcome { finished: true, ..Outcome::default() } };
        if to_be_late.contains(&Late::Call(call.first_id)) {
            self.instance = None;
            return stopped(late_fault(convert::hook(call).name()), SPELL_CALL_FUEL_MAX + cost);
        }
        let outcome = instance.call(spell_runtime::Call {
            hook: convert::hook(call),
            tick: call.tick,
            view: view.clone(),
            caster: call.caster.0,
            mana: call.mana,
            first_id: call.first_id,
            fuel: SPELL_CALL_FUEL_MAX,
        });
        if let Some(revision) = &self.revision {
            revision.usage.count(&outcome);
        }
        self.memory_bytes = self.memory_bytes.max(instance.memory_bytes());
        if outcome.fault.is_some() {
            self.instance = None;
        }
        let outcome = convert::outcome(outcome);
        Outcome { fuel: outcome.fuel + cost, upkeep: outcome.upkeep + cost as f32 * FUEL_UNIT, ..outcome }
    }

    /// Makes the instance and answers what that took.
    fn instantiate(&mut self, call: &Call) -> Result<u64, Fault> {
        let revision = self.revision.as_ref().ok_or_else(|| not_loaded("init", &call.spell, &call.revision))?;
        let instance = self.instance.insert(revision.code.instantiate(SPELL_INIT_FUEL_MAX).map_err(convert::fault)?);
        Ok(INSTANCE_COST_FUEL + SPELL_INIT_FUEL_MAX.saturating_sub(instance.fuel_left()))
    }
}
