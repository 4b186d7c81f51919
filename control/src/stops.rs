//! How often casts were stopped, by spell, revision and limit: what an operator looks at first when a world is slow or an author asks.

use crate::limits::{STOP_LIMIT_CHARS_MAX, STOPS_COUNTED_MAX};
use protocol::{RevisionId, SpellId};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Counts since this process started.
#[derive(Debug, Default)]
pub struct Stops(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    by_limit: BTreeMap<(SpellId, RevisionId, String), u64>,
    /// Those for which there was no room.
    others: u64,
}

impl Stops {
    /// One more cast of this revision was stopped by this limit.
    pub fn count(&self, spell: &SpellId, revision: &RevisionId, limit: &str) {
        let key = (spell.clone(), revision.clone(), limit.chars().take(STOP_LIMIT_CHARS_MAX).collect());
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = counts.by_limit.len() >= STOPS_COUNTED_MAX;
        if is_full && !counts.by_limit.contains_key(&key) {
            counts.others += 1;
        } else {
            *counts.by_limit.entry(key).or_default() += 1;
        }
    }

    /// The most frequent first.
    pub fn to_json(&self) -> Value {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stops: Vec<_> = counts.by_limit.iter().collect();
        stops.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let stop = |((spell, revision, limit), count): (&(SpellId, RevisionId, String), &u64)| json!({ "spell_id": spell, "revision_id": revision, "limit": limit, "count": count });
        json!({ "stops": stops.into_iter().map(stop).collect::<Vec<_>>(), "others": counts.others })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_comes_first_and_a_full_table_counts_the_rest_together() {
        let stops = Stops::default();
        let revision = RevisionId::new("rev_000001_00000000").expect("an id");
        let spell = |name: &str| SpellId::new(name).expect("an id");
        stops.count(&spell("once"), &revision, "fuel");
        for _ in 0..3 {
            stops.count(&spell("often"), &revision, &"m".repeat(1_000));
        }
        for number in 0..STOPS_COUNTED_MAX {
            stops.count(&spell(&format!("spell_{number}")), &revision, "memory");
        }
        stops.count(&spell("once"), &revision, "fuel");
        let counted = stops.to_json();
        assert_eq!(
            counted["stops"][0],
            json!({ "spell_id": "often", "revision_id": revision, "limit": "m".repeat(STOP_LIMIT_CHARS_MAX), "count": 3 })
        );
        assert_eq!(counted["stops"][1]["count"], 2);
        assert_eq!(counted["stops"].as_array().map(Vec::len), Some(STOPS_COUNTED_MAX));
        assert_eq!(counted["others"], 2);
    }
}
