//! Casts as they were saved in versions 1 and 2 of a world's state.

use super::Timer;
use super::v3::{CastV3, KnownRevisionV3, KnownSpellV3, SavedCastsV3, SpellSpecV3};
use crate::inbound::CastRequest;
use crate::spells::{CancelReason, Event};
use crate::{CastId, EntityId};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Its fields and their order are those bytes'.
#[derive(Debug, Deserialize)]
pub(crate) struct SavedCastsV2 {
    spells: BTreeMap<String, KnownSpellV2>,
    live: BTreeMap<CastId, (CastV2, Option<Vec<u8>>)>,
    last_cast: BTreeMap<(EntityId, String), u64>,
    debts: BTreeMap<EntityId, u64>,
    count: u64,
}

#[derive(Debug, Deserialize)]
struct KnownSpellV2 {
    active: String,
    revisions: BTreeMap<String, KnownRevisionV2>,
}

#[derive(Debug, Deserialize)]
struct KnownRevisionV2 {
    spec: SpellSpecV2,
    live: usize,
}

#[derive(Debug, Deserialize)]
struct SpellSpecV2 {
    duration_ticks: u32,
    tick_interval: u32,
}

#[derive(Debug, Deserialize)]
struct CastV2 {
    request: CastRequest,
    spec: SpellSpecV2,
    seed: u64,
    started: u64,
    running: bool,
    last_tick: u64,
    events: VecDeque<Event>,
    timers: Vec<Timer>,
    spawned: BTreeSet<EntityId>,
    caster_gone: bool,
}

impl From<SavedCastsV2> for SavedCastsV3 {
    /// What was cast then is free and cannot be countered, until its spell is activated again.
    fn from(old: SavedCastsV2) -> Self {
        let SavedCastsV2 { spells, live, last_cast, debts, count } = old;
        Self {
            spells: spells.into_iter().map(|(name, spell)| (name, spell.into())).collect(),
            live: live.into_iter().map(|(id, (cast, state))| (id, (cast.into(), state))).collect(),
            last_cast,
            debts,
            strikes: BTreeMap::new(),
            count,
        }
    }
}

impl From<KnownSpellV2> for KnownSpellV3 {
    fn from(KnownSpellV2 { active, revisions }: KnownSpellV2) -> Self {
        let known = |KnownRevisionV2 { spec, live }| KnownRevisionV3 { spec: SpellSpecV3::from(spec), live };
        Self { active, revisions: revisions.into_iter().map(|(name, revision)| (name, known(revision))).collect() }
    }
}

impl From<SpellSpecV2> for SpellSpecV3 {
    fn from(SpellSpecV2 { duration_ticks, tick_interval }: SpellSpecV2) -> Self {
        Self { duration_ticks, tick_interval, ..Self::default() }
    }
}

impl From<CastV2> for CastV3 {
    fn from(old: CastV2) -> Self {
        let CastV2 { request, spec, seed, started, running, last_tick, events, timers, spawned, caster_gone } = old;
        let cancelled = caster_gone.then_some(CancelReason::CasterGone);
        let (spec, last_event) = (spec.into(), last_tick);
        Self { request, spec, seed, started, running, last_tick, last_event, events, timers, spawned, cancelled, upkeep: 0.0 }
    }
}
