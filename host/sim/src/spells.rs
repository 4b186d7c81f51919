//! Whoever runs the spells, as the simulation sees it: calls in, intents out.

use crate::{CastId, EntityId, Intent, Vec3, outbound::CastEnd, scene::Scene};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Runs spells. The game's is wasm; [`NoSpells`] serves the browser and tests of everything else.
pub trait Spells {
    /// Makes the calls, each against the same frozen scene, and answers in the same order, one outcome a call. A cast's first call is `Hook::Cast`,
    /// for which the instance is made.
    ///
    /// A call that does not fit into the tick is not made, nor are the later ones of its cast: they answer `None` and are due again in the next tick.
    /// Which these are must be the same on every machine. `calls` is sorted by what the casters owe, then by how long the casts wait; the calls of one cast are adjacent
    /// and made in their order.
    /// Once a call has faulted or finished its cast, that cast's later calls in the same batch are not made: they answer `Outcome::default()`.
    /// The ids that one call gives to what it launches ascend. The lease on the scene must be given back (dropped) before this returns.
    fn run(&mut self, scene: Arc<Scene>, calls: &[Call]) -> Vec<Option<Outcome>>;
    /// This cast is over: its instance can go. Also called for a cast that ended before its first call, which never had an instance.
    fn end(&mut self, cast: CastId);
    /// Takes the state of each of these casts and goes on with a fresh instance made of it, as [`Spells::resume`] will after a load: who goes on and who is
    /// loaded are in the same state. One answer a cast, in their order. Those that do not fit into so much fuel answer [`Kept::Unsaved`] and go on as they are.
    /// By itself, one that runs spells can save none.
    fn checkpoint(&mut self, casts: &[CastId], fuel: u64) -> Vec<(Kept, u64)> {
        let _ = fuel;
        casts.iter().map(|_| (Kept::Unsaved, 0)).collect()
    }
    /// Goes on with each of these casts on another revision, which is given what it saves on its own. One answer a cast, in their order. Those that do not fit into
    /// so much fuel answer [`Migrated::Waits`], and are asked for again in the next tick. By itself, one that runs spells has nothing that it would have to carry over.
    fn migrate(&mut self, migrations: &[Migration], fuel: u64) -> Vec<(Migrated, u64)> {
        let _ = fuel;
        migrations.iter().map(|_| (Migrated::Moved, 0)).collect()
    }
    /// Whether it can run this revision; asked when a world is loaded.
    fn knows(&self, spell: &str, revision: &str) -> bool {
        let _ = (spell, revision);
        true
    }
    /// Goes on with a cast of a loaded world. Whether it can.
    fn resume(&mut self, cast: Resumed<'_>) -> bool {
        let _ = cast;
        false
    }
}

/// What came of a cast at a checkpoint; beside it stands the fuel spent.
#[derive(Debug, Clone, PartialEq)]
pub enum Kept {
    /// Its state, as the runner of the spells alone understands it. The cast runs on a fresh instance made of it.
    State(Vec<u8>),
    /// The cast runs on as before; a load will end it.
    Unsaved,
    /// Its save broke a limit or trapped; the cast ends.
    Fault(Fault),
}

/// A cast that is to go on with another revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// The cast; it may still wait for its first call.
    pub cast: CastId,
    /// Its spell.
    pub spell: String,
    /// The revision that it is pinned to.
    pub from: String,
    /// The other one.
    pub to: String,
}

/// What came of a [`Migration`]; beside it stands the fuel spent.
#[derive(Debug, Clone, PartialEq)]
pub enum Migrated {
    /// The cast runs on a fresh instance of the other revision.
    Moved,
    /// The other revision did not take it: it runs on as before.
    Stays(Fault),
    /// Its save broke a limit or trapped; the cast ends.
    Fault(Fault),
    /// Not yet.
    Waits,
}

/// A cast of a loaded world, which has been called before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resumed<'a> {
    /// The cast.
    pub cast: CastId,
    /// Its spell.
    pub spell: &'a str,
    /// The revision that it is pinned to.
    pub revision: &'a str,
    /// As in [`Kept::State`].
    pub state: &'a [u8],
}

/// One call of one cast's hook.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The cast.
    pub cast: CastId,
    /// Its spell.
    pub spell: String,
    /// The revision that it is pinned to.
    pub revision: String,
    /// Its caster.
    pub caster: EntityId,
    /// Fuel that the caster has spent beyond its share in earlier ticks, as far as it is not forgiven.
    pub owed: u64,
    /// Mana that the caster has; below 0 it is owed. `None` for one who pays nothing.
    pub mana: Option<f32>,
    /// The running tick.
    pub tick: u64,
    /// The first of `SPAWNS_PER_CALL_MAX` ids that this call may give to what it spawns.
    pub first_id: u64,
    /// What is called.
    pub hook: Hook,
}

/// The hook and its arguments.
#[derive(Debug, Clone, PartialEq)]
pub enum Hook {
    /// `init`, then `on-cast`.
    Cast {
        /// The tick in which the cast was admitted.
        tick: u64,
        /// `NONE` for nobody.
        target: EntityId,
        /// The caster's eye.
        origin: Vec3,
        /// A unit vector.
        aim: Vec3,
        /// Where.
        target_position: Vec3,
        /// The cast's random stream.
        seed: u64,
        /// A JSON object as text.
        params: String,
    },
    /// `on-tick`.
    Tick {
        /// Seconds since the last one.
        dt: f32,
    },
    /// `on-event`.
    Event(Event),
    /// `on-cancel`, the cast's last call.
    Cancel(CancelReason),
}

/// Something that a cast is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// Its projectile hit.
    Hit {
        /// Which.
        projectile: EntityId,
        /// What; `NONE` is the terrain.
        entity: EntityId,
        /// Where.
        point: Vec3,
        /// The surface's normal.
        normal: Vec3,
    },
    /// What it made has ended by itself, or was refused: a projectile without a hit, a body that was lost, a joint that broke, a field whose time is up.
    Expired(EntityId),
    /// Its timer is due.
    Timer(u32),
    /// Its intent came to nothing: the target was gone or protected. `NONE` for an edit of the terrain that was refused.
    Dropped(EntityId),
    /// The NPC that it summoned died.
    Died(EntityId),
    /// Another cast has something to say.
    Message(Message),
}

/// What one cast says to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The spell that says it.
    pub spell: Arc<str>,
    /// Its caster.
    pub caster: EntityId,
    /// What.
    pub data: Arc<[u8]>,
}

impl Event {
    pub(crate) fn is_finite(&self) -> bool {
        match self {
            Self::Hit { point, normal, .. } => point.is_finite() && normal.is_finite(),
            Self::Expired(_) | Self::Timer(_) | Self::Dropped(_) | Self::Died(_) | Self::Message(_) => true,
        }
    }
}

/// Why a cast ends that did not end itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CancelReason {
    /// Its envelope's duration is over.
    Duration,
    /// Its caster left or died.
    CasterGone,
    /// Its revision was replaced.
    Revision,
    /// Its caster could not pay for it.
    Mana,
    /// A spell has dispelled it.
    Dispelled,
}

impl From<CancelReason> for CastEnd {
    fn from(reason: CancelReason) -> Self {
        match reason {
            CancelReason::Duration => Self::Duration,
            CancelReason::CasterGone => Self::CasterGone,
            CancelReason::Revision => Self::Revision,
            CancelReason::Mana => Self::Mana,
            CancelReason::Dispelled => Self::Dispelled,
        }
    }
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// In the order of the calls. Empty after a fault but for log lines.
    pub intents: Vec<Intent>,
    /// The spell has ended itself.
    pub finished: bool,
    /// The call broke a limit or trapped; the cast ends.
    pub fault: Option<Fault>,
    /// Fuel spent; charged to the caster.
    pub fuel: u64,
    /// Mana that the call and what it asked for take from the caster; at least 0.
    pub upkeep: f32,
}

/// Why a call was stopped.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// The hook, by its WIT name.
    pub hook: &'static str,
    /// The limit or trap, by name: `fuel`, `memory`, `stack`, `unreachable`, `load`...
    pub limit: &'static str,
    /// What would have been allowed; 0 where that says nothing.
    pub allowed: f64,
    /// What was asked; 0 where that says nothing.
    pub asked: f64,
    /// In words, for the author.
    pub message: String,
}

/// Runs nothing: every cast finishes at once.
#[derive(Debug, Default)]
pub struct NoSpells;

impl Spells for NoSpells {
    fn run(&mut self, _scene: Arc<Scene>, calls: &[Call]) -> Vec<Option<Outcome>> {
        calls.iter().map(|_| Some(Outcome { finished: true, ..Outcome::default() })).collect()
    }
    fn end(&mut self, _cast: CastId) {}
}
