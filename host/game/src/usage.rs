//! What a revision's calls came to, and what a tick's did. Sums and maxima, so that the thread which counts first changes nothing.

use sim::{CastId, EntityId};
use spell_runtime::Outcome;
use spell_runtime::envelope::Capabilities;
use spell_runtime::mana::FUEL_UNIT;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// What one tick took. Nothing of the simulation reads it.
#[derive(Debug, Default)]
pub struct Spent {
    /// Fuel of the calls that were made, by whose casts they were of; host work included.
    pub by_caster: BTreeMap<EntityId, u64>,
    /// The casts that have ended and had been called.
    pub ended: Vec<EndedCast>,
}

/// A cast that is over. Of one that its world was loaded with, all counts are since then.
#[derive(Debug, Clone, PartialEq)]
pub struct EndedCast {
    /// Which.
    pub cast: CastId,
    /// Whose.
    pub caster: EntityId,
    /// The tick of its admission; not known of one that its world was loaded with.
    pub began: Option<u64>,
    /// Its spell.
    pub spell: String,
    /// The revision that it ended on.
    pub revision: String,
    /// Fuel of all its calls, host work included.
    pub fuel: u64,
    /// Its calls by hook, those that were made: on-cast (with init), on-tick, on-event, on-cancel.
    pub hooks: Vec<HookSpent>,
    /// Mana that its calls took, beside what it cost at first.
    pub mana: f32,
    /// The most linear memory that it held, bytes.
    pub memory_bytes: usize,
    /// It was stopped.
    pub faulted: bool,
}

/// What the calls of one hook of one cast took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HookSpent {
    /// By its WIT name.
    pub hook: &'static str,
    /// How many.
    pub calls: u32,
    /// Fuel of them all, host work included.
    pub fuel: u64,
    /// Fuel of the dearest.
    pub fuel_max: u64,
}

impl HookSpent {
    pub(crate) const fn none(hook: &'static str) -> Self {
        Self { hook, calls: 0, fuel: 0, fuel_max: 0 }
    }

    pub(crate) fn count(&mut self, fuel: u64) {
        self.calls = self.calls.saturating_add(1);
        self.fuel += fuel;
        self.fuel_max = self.fuel_max.max(fuel);
    }
}

/// Counters of a loaded revision. Nothing of the simulation reads them.
#[derive(Debug, Default)]
pub struct Usage {
    calls: AtomicU64,
    fuel: AtomicU64,
    call_fuel_max: AtomicU64,
    /// In millionths: a sum of floats would depend on its order.
    impact_micromana: AtomicU64,
    needed: AtomicU32,
}

impl Usage {
    pub(crate) fn count(&self, outcome: &Outcome) {
        self.calls.fetch_add(1, Relaxed);
        self.fuel.fetch_add(outcome.fuel, Relaxed);
        self.call_fuel_max.fetch_max(outcome.fuel, Relaxed);
        self.impact_micromana.fetch_add((outcome.impact * 1e6) as u64, Relaxed);
        self.needed.fetch_or(outcome.needed.bits(), Relaxed);
    }

    /// Calls of hooks.
    pub fn calls(&self) -> u64 {
        self.calls.load(Relaxed)
    }

    /// Their fuel, host work included.
    pub fn fuel(&self) -> u64 {
        self.fuel.load(Relaxed)
    }

    /// Fuel of the dearest one.
    pub fn call_fuel_max(&self) -> u64 {
        self.call_fuel_max.load(Relaxed)
    }

    /// Mana that they took, by fuel and by what they did.
    pub fn mana(&self) -> f32 {
        (self.impact_micromana.load(Relaxed) as f64 / 1e6) as f32 + self.fuel() as f32 * FUEL_UNIT
    }

    /// Capabilities that they needed, declared or not.
    pub fn needed(&self) -> Capabilities {
        Capabilities::from_bits(self.needed.load(Relaxed))
    }
}
