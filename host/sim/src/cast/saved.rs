//! Casts as they are saved and loaded.

use super::{Cast, Casts, KnownSpell};
use crate::limits::TICK_MAX;
use crate::spells::Event;
use crate::strike::Strikes;
use crate::{CastId, EntityId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All casts as they are saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SavedCasts {
    pub(super) spells: BTreeMap<String, KnownSpell>,
    /// With their own states, of those that have been called and could be saved.
    pub(super) live: BTreeMap<CastId, (Cast, Option<Vec<u8>>)>,
    /// To which revision.
    pub(super) migrating: BTreeMap<CastId, String>,
    pub(super) last_cast: BTreeMap<(EntityId, String), u64>,
    pub(super) debts: BTreeMap<EntityId, u64>,
    pub(super) strikes: BTreeMap<(EntityId, String), Strikes>,
    pub(super) count: u64,
}

impl SavedCasts {
    /// The revisions that are active, and those that casts are pinned to.
    pub(crate) fn revisions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.spells.iter().flat_map(|(spell, known)| known.revisions.keys().map(|revision| (spell.as_str(), revision.as_str())))
    }

    /// Whether none that was called before has lost its state.
    pub(crate) fn are_saved(&self) -> bool {
        self.live.values().all(|(cast, state)| !cast.running || state.is_some())
    }

    /// What must hold before anything is made of them.
    pub(crate) fn check(&self, tick: u64) -> Result<(), String> {
        let past = |cast: &Cast| cast.started <= tick && cast.last_tick.max(cast.last_event) <= tick && cast.upkeep.is_finite();
        let known = |cast: &Cast| {
            let known = self.spells.get(&cast.request.spell);
            known.is_some_and(|known| known.revisions.contains_key(&cast.request.revision)) && cast.spec.is_sound()
        };
        let finite = |cast: &Cast| cast.request.target_position.is_finite() && cast.events.iter().all(Event::is_finite);
        let sound = |(id, (cast, _)): (&CastId, &(Cast, _))| {
            past(cast) && known(cast) && finite(cast) && cast.timers.is_sorted_by_key(|timer| timer.due) && id.0 <= self.count
        };
        let lineup = |known: &KnownSpell| known.lineup.is_sound() && known.lineup.revisions().all(|one| known.revisions.contains_key(one));
        let migrates = |(id, to): (&CastId, &String)| {
            let spell = self.live.get(id).and_then(|(cast, _)| self.spells.get(&cast.request.spell));
            spell.is_some_and(|known| known.revisions.contains_key(to))
        };
        match () {
            () if !self.live.iter().all(sound) => Err("casts are sound".into()),
            () if !self.spells.values().all(lineup) => Err("lineups are sound".into()),
            () if !self.migrating.iter().all(migrates) => Err("casts go on with known revisions".into()),
            () if !self.strikes.values().all(|strikes| strikes.last <= tick) => Err("strikes are of the past".into()),
            () if !self.last_cast.values().all(|last| *last <= tick) => Err("casts were made in the past".into()),
            () if self.count > TICK_MAX || self.debts.values().any(|debt| *debt > u64::MAX / 2) => Err("counts have room".into()),
            () => Ok(()),
        }
    }
}

impl Casts {
    pub(crate) fn save(&self, mut states: BTreeMap<CastId, Vec<u8>>) -> SavedCasts {
        SavedCasts {
            spells: self.spells.clone(),
            live: self.live.iter().map(|(id, cast)| (*id, (cast.clone(), states.remove(id)))).collect(),
            migrating: self.migrating.clone(),
            last_cast: self.last_cast.clone(),
            debts: self.debts.clone(),
            strikes: self.strikes.clone(),
            count: self.count,
        }
    }

    /// The casts and their own states.
    pub(crate) fn of(saved: SavedCasts) -> (Self, BTreeMap<CastId, Vec<u8>>) {
        let SavedCasts { mut spells, live, migrating, last_cast, debts, strikes, count } = saved;
        // Counted anew: the number of live casts must be right whatever the bytes said.
        spells.values_mut().flat_map(|known| known.revisions.values_mut()).for_each(|known| known.live = 0);
        let (mut casts, mut states) = (Self { spells, strikes, count, ..Self::default() }, BTreeMap::new());
        for (id, (cast, state)) in live {
            states.extend(state.map(|state| (id, state)));
            casts.insert(id, cast);
        }
        (casts.migrating, casts.last_cast, casts.debts) = (migrating, last_cast, debts);
        (casts, states)
    }
}
