//! Casts as they were saved in version 3 of a world's state.

use super::saved::SavedCasts;
use super::{Cast, KnownRevision, KnownSpell, Timer};
use crate::inbound::{CastRequest, School, Schools, SpellSpec};
use crate::lineup::{InFlight, Lineup};
use crate::spells::{CancelReason, Event};
use crate::strike::Strikes;
use crate::{CastId, EntityId};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Its fields and their order are those bytes'.
#[derive(Debug, Deserialize)]
pub(crate) struct SavedCastsV3 {
    pub(super) spells: BTreeMap<String, KnownSpellV3>,
    pub(super) live: BTreeMap<CastId, (CastV3, Option<Vec<u8>>)>,
    pub(super) last_cast: BTreeMap<(EntityId, String), u64>,
    pub(super) debts: BTreeMap<EntityId, u64>,
    pub(super) strikes: BTreeMap<(EntityId, String), Strikes>,
    pub(super) count: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct KnownSpellV3 {
    pub active: String,
    pub revisions: BTreeMap<String, KnownRevisionV3>,
}

#[derive(Debug, Deserialize)]
pub(super) struct KnownRevisionV3 {
    pub spec: SpellSpecV3,
    pub live: usize,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct SpellSpecV3 {
    pub duration_ticks: u32,
    pub tick_interval: u32,
    pub event_interval: u32,
    pub persistent: bool,
    pub cast_mana: f32,
    pub school: School,
    pub counters: Schools,
}

#[derive(Debug, Deserialize)]
pub(super) struct CastV3 {
    pub request: CastRequest,
    pub spec: SpellSpecV3,
    pub seed: u64,
    pub started: u64,
    pub running: bool,
    pub last_tick: u64,
    pub last_event: u64,
    pub events: VecDeque<Event>,
    pub timers: Vec<Timer>,
    pub spawned: BTreeSet<EntityId>,
    pub cancelled: Option<CancelReason>,
    pub upkeep: f32,
}

impl From<SavedCastsV3> for SavedCasts {
    fn from(old: SavedCastsV3) -> Self {
        let SavedCastsV3 { spells, live, last_cast, debts, strikes, count } = old;
        Self {
            spells: spells.into_iter().map(|(name, spell)| (name, spell.into())).collect(),
            live: live.into_iter().map(|(id, (cast, state))| (id, (cast.into(), state))).collect(),
            migrating: BTreeMap::new(),
            last_cast,
            debts,
            strikes,
            count,
        }
    }
}

impl From<KnownSpellV3> for KnownSpell {
    fn from(KnownSpellV3 { active, revisions }: KnownSpellV3) -> Self {
        let known = |KnownRevisionV3 { spec, live }| KnownRevision { spec: SpellSpec::from(spec), live };
        let revisions = revisions.into_iter().map(|(name, revision)| (name, known(revision))).collect();
        Self { lineup: Lineup::of(&active), revisions }
    }
}

impl From<SpellSpecV3> for SpellSpec {
    fn from(old: SpellSpecV3) -> Self {
        let SpellSpecV3 { duration_ticks, tick_interval, event_interval, persistent, cast_mana, school, counters } = old;
        Self { duration_ticks, tick_interval, event_interval, persistent, cast_mana, school, counters, in_flight: InFlight::Finish }
    }
}

impl From<CastV3> for Cast {
    fn from(old: CastV3) -> Self {
        let CastV3 { request, spec, seed, started, running, last_tick, last_event, events, timers, spawned, cancelled, upkeep } = old;
        Self { request, spec: spec.into(), seed, started, running, last_tick, last_event, events, timers, spawned, cancelled, upkeep }
    }
}
