//! Who sees all that happens: counts it by kind, and keeps what was said in a tick for its digest.

use sim::edit::{Area, Change};
use sim::outbound::{CastEnd, DespawnReason, NpcEventKind};
use sim::spells::{CancelReason, Event, Hook};
use sim::status::Status;
use sim::{Edit, EntityId, Inbound, Intent, Outbound, Stage};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Write};
use xxhash_rust::xxh3::xxh3_64;

/// Things of several kinds, all of which should happen.
pub trait Named {
    /// All kinds.
    const ALL: &[&'static str];
    /// This one's kind.
    fn name(&self) -> &'static str;
}

/// Names the kinds of an enum. One that is missing here does not compile.
macro_rules! named {
    ($($kinds:ident { $($kind:ident),+ $(,)? })+) => {$(
        impl $crate::witness::Named for $kinds {
            const ALL: &[&'static str] = &[$(concat!(stringify!($kinds), "::", stringify!($kind))),+];
            fn name(&self) -> &'static str {
                match self { $($kinds::$kind { .. } => concat!(stringify!($kinds), "::", stringify!($kind))),+ }
            }
        }
    )+};
}

/// A table with a line for each kind of an enum that says how one comes about. A kind without a line does not compile.
macro_rules! one_of_each {
    ($(#[$doc:meta])* $table:ident: $how:ty, $kinds:ident { $($kind:ident: $line:expr),+ $(,)? }) => {
        $(#[$doc])*
        const $table: &[$how] = &[$($line),+];
        $crate::witness::named! { $kinds { $($kind),+ } }
    };
}

pub(crate) use {named, one_of_each};

named! {
    Outbound {
        Joined, JoinRefused, Spawned, Despawned, Died, ProjectileHit, NpcEvent, CastStarted, CastRejected, CastFaulted, CastEnded, Cue, Said, Log,
        TerraformApplied, TerraformRefused, TerraformReverted, Activated, Deactivated, DraftChanged, Migrated, MigrationFailed,
    }
    DespawnReason { Left, Hit, Expired, Spell, Died, Lost }
    NpcEventKind { Spotted, Lost, SuspicionChanged }
    CastEnd { Finished, Duration, CasterGone, Revision, Fault, Mana, Dispelled }
    Hook { Cast, Tick, Event, Cancel }
    Event { Hit, Expired, Timer, Dropped, Died, Message }
    CancelReason { Duration, CasterGone, Revision, Mana, Dispelled }
    Status { Slow, Root, Shield, Burn }
    Area { Sphere, Box }
    Change { Add, Subtract, Paint, Replace }
    Met { Now, Then }
    Stage { Admit, Migrate, Terrain, Move, Due, Spells, Intents, Npcs, Projectiles, Physics, Combat, Checkpoint, Close }
}

/// How a projectile met somebody whom it hurt.
enum Met {
    /// Where they were.
    Now,
    /// Where they had been.
    Then,
}

/// Everything that should happen.
const EVERYTHING: &[&[&str]] = &[
    Inbound::ALL,
    Intent::ALL,
    Outbound::ALL,
    DespawnReason::ALL,
    NpcEventKind::ALL,
    CastEnd::ALL,
    Hook::ALL,
    Event::ALL,
    CancelReason::ALL,
    Status::ALL,
    Area::ALL,
    Change::ALL,
    Met::ALL,
    <Stage as Named>::ALL,
];

/// See the module.
#[derive(Debug, Default)]
pub struct Witness {
    counts: BTreeMap<&'static str, u64>,
    told: String,
}

impl Witness {
    /// How often each kind of thing has happened.
    pub fn counts(&self) -> &BTreeMap<&'static str, u64> {
        &self.counts
    }

    /// What has happened less than so many times.
    pub fn missed(&self, times: u64) -> Vec<&'static str> {
        let happened = |name: &str| self.counts.get(name).copied().unwrap_or_default();
        EVERYTHING.iter().copied().flatten().copied().filter(|name| happened(name) < times).collect()
    }
}

impl Witness {
    pub(crate) fn saw(&mut self, one: &impl Named) {
        *self.counts.entry(one.name()).or_default() += 1;
    }

    /// Floats are written so that reading them gives the same bits again.
    pub(crate) fn was_told(&mut self, what: &impl Debug) {
        writeln!(self.told, "{what:?}").expect("a string takes it");
    }

    /// `lagged` are projectiles that meet others where they had been.
    pub(crate) fn heard(&mut self, event: &Outbound, lagged: &BTreeSet<EntityId>) {
        self.saw(event);
        self.was_told(event);
        match event {
            Outbound::Despawned { reason, .. } => self.saw(reason),
            Outbound::NpcEvent { kind, .. } => self.saw(kind),
            Outbound::CastEnded { reason, .. } => self.saw(reason),
            Outbound::ProjectileHit { projectile, damage, .. } if *damage > 0.0 => {
                self.saw(&if lagged.contains(projectile) { Met::Then } else { Met::Now });
            }
            Outbound::TerraformApplied { edit: Edit { area, change }, .. } => {
                self.saw(area);
                self.saw(change);
            }
            _ => {}
        }
    }

    pub(crate) fn take_told(&mut self) -> u64 {
        let told = xxh3_64(self.told.as_bytes());
        self.told.clear();
        told
    }
}
