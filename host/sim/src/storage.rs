//! What spells keep in the world beyond their casts: small values under keys, for all casts of a spell or for those of one caster.

use crate::EntityId;
use crate::digest;
use crate::limits::{
    ACCOUNT_BYTES_MAX, STORED_BYTES_MAX, STORED_KEY_BYTES_MAX, STORED_KEYS_MAX, STORED_SPELL_BYTES_MAX, STORED_VALUE_BYTES_MAX,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whose casts of a spell share what is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Keeper {
    /// Everybody's.
    Spell,
    /// Those of the player with this account, also when it comes back.
    Account(String),
    /// Those of one who has no account, for as long as it is in the world.
    Entity(EntityId),
}

/// All values of a world.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Storage {
    drawers: BTreeMap<(String, Keeper), Drawer>,
    /// By player, of those who have one.
    accounts: BTreeMap<EntityId, String>,
    /// Keys and values of all.
    bytes: usize,
    /// The same by spell, of those that keep some.
    by_spell: BTreeMap<String, usize>,
    /// The sum of what each value hashes to, so that a write costs what it writes, however much is kept.
    hash: u64,
}

/// The values of one spell and keeper, by key.
pub(crate) type Drawer = BTreeMap<String, Arc<[u8]>>;

/// A write that is not done: the limit, by name, what would have been allowed, and what was asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Refusal {
    pub limit: &'static str,
    pub allowed: usize,
    pub asked: usize,
}

impl Storage {
    /// A value.
    pub fn get(&self, spell: &str, keeper: &Keeper, key: &str) -> Option<&Arc<[u8]>> {
        self.drawers.get(&(spell.to_owned(), keeper.clone()))?.get(key)
    }

    /// Keeps a value in the place of what was there, or forgets the key.
    pub(crate) fn set(&mut self, spell: &str, keeper: Keeper, key: &str, value: Option<Arc<[u8]>>) -> Result<(), Refusal> {
        if key.is_empty() {
            return Err(Refusal { limit: "bytes of the key", allowed: STORED_KEY_BYTES_MAX, asked: 0 });
        }
        within("bytes of the key", STORED_KEY_BYTES_MAX, key.len())?;
        within("bytes of the value", STORED_VALUE_BYTES_MAX, value.as_ref().map_or(0, |value| value.len()))?;
        let place = (spell.to_owned(), keeper);
        let known = self.drawers.get(&place);
        let before = known.and_then(|drawer| drawer.get(key)).map_or(0, |old| size(key, old));
        let after = value.as_ref().map_or(0, |value| size(key, value));
        if after > before {
            within("keys", STORED_KEYS_MAX, known.map_or(0, Drawer::len) + usize::from(before == 0))?;
            let in_spell = self.by_spell.get(spell).copied().unwrap_or_default();
            within("bytes of the spell", STORED_SPELL_BYTES_MAX, in_spell - before + after)?;
            within("bytes of the world", STORED_BYTES_MAX, self.bytes - before + after)?;
        }
        self.remove(&place, key);
        if let Some(value) = value {
            self.insert(place, key, value);
        }
        Ok(())
    }

    fn insert(&mut self, place: (String, Keeper), key: &str, value: Arc<[u8]>) {
        let more = size(key, &value);
        self.bytes += more;
        *self.by_spell.entry(place.0.clone()).or_default() += more;
        self.hash = self.hash.wrapping_add(digest::stored(&place, key, &value));
        self.drawers.entry(place).or_default().insert(key.to_owned(), value);
    }

    fn remove(&mut self, place: &(String, Keeper), key: &str) {
        let Some(drawer) = self.drawers.get_mut(place) else { return };
        let Some(value) = drawer.remove(key) else { return };
        if drawer.is_empty() {
            self.drawers.remove(place);
        }
        let less = size(key, &value);
        self.bytes -= less;
        if let Some(bytes) = self.by_spell.get_mut(&place.0) {
            *bytes -= less;
            if *bytes == 0 {
                self.by_spell.remove(&place.0);
            }
        }
        self.hash = self.hash.wrapping_sub(digest::stored(place, key, &value));
    }

    /// For whom a caster's own values are kept.
    pub fn keeper(&self, caster: EntityId) -> Keeper {
        self.accounts.get(&caster).map_or(Keeper::Entity(caster), |account| Keeper::Account(account.clone()))
    }

    /// A player is there from now on.
    pub(crate) fn introduce(&mut self, player: EntityId, account: &str) {
        if !account.is_empty() {
            self.accounts.insert(player, account.to_owned());
        }
    }

    /// A player or NPC is gone, and with one who has no account all that was kept for it.
    pub(crate) fn part(&mut self, character: EntityId) {
        self.accounts.remove(&character);
        let its = self.drawers.iter().filter(|((_, keeper), _)| *keeper == Keeper::Entity(character));
        let gone: Vec<_> = its.flat_map(|(place, drawer)| drawer.keys().map(|key| (place.clone(), key.clone()))).collect();
        gone.iter().for_each(|(place, key)| self.remove(place, key));
    }

    pub(crate) fn of(drawers: BTreeMap<(String, Keeper), Drawer>) -> Self {
        let mut storage = Self::default();
        for (place, drawer) in drawers {
            drawer.into_iter().for_each(|(key, value)| storage.insert(place.clone(), &key, value));
        }
        storage
    }

    pub(crate) fn drawers(&self) -> &BTreeMap<(String, Keeper), Drawer> {
        &self.drawers
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }
}

/// Whether these could be the values of a world.
pub(crate) fn are_sound(drawers: &BTreeMap<(String, Keeper), Drawer>) -> bool {
    let sound = |((_, keeper), drawer): (&(String, Keeper), &Drawer)| {
        let named = !matches!(keeper, Keeper::Account(account) if account.len() > ACCOUNT_BYTES_MAX);
        let fits =
            |(key, value): (&String, &Arc<[u8]>)| (1..=STORED_KEY_BYTES_MAX).contains(&key.len()) && value.len() <= STORED_VALUE_BYTES_MAX;
        named && !drawer.is_empty() && drawer.len() <= STORED_KEYS_MAX && drawer.iter().all(fits)
    };
    drawers.iter().all(sound) && Storage::of(drawers.clone()).bytes <= STORED_BYTES_MAX
}

fn size(key: &str, value: &[u8]) -> usize {
    key.len() + value.len()
}

fn within(limit: &'static str, allowed: usize, asked: usize) -> Result<(), Refusal> {
    if asked <= allowed { Ok(()) } else { Err(Refusal { limit, allowed, asked }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_by_key_value_spell_and_world() {
        let mut storage = Storage::default();
        let value = |bytes: usize| Some(vec![1; bytes].into());
        let limit = |refused: Result<(), Refusal>| refused.expect_err("one too many").limit;
        assert_eq!(limit(storage.set("a", Keeper::Spell, "", value(1))), "bytes of the key");
        assert_eq!(limit(storage.set("a", Keeper::Spell, &"k".repeat(65), value(1))), "bytes of the key");
        assert_eq!(limit(storage.set("a", Keeper::Spell, "k", value(1_025))), "bytes of the value");
        let fill = |storage: &mut Storage, spell: &str, keeper: u64| {
            (0..STORED_KEYS_MAX).try_for_each(|key| storage.set(spell, Keeper::Entity(EntityId(keeper)), &key.to_string(), value(1_024)))
        };
        fill(&mut storage, "a", 1).expect("a drawer holds so many keys");
        assert_eq!(limit(storage.set("a", Keeper::Entity(EntityId(1)), "more", value(1))), "keys");
        assert_eq!(limit((2..9).try_for_each(|keeper| fill(&mut storage, "a", keeper))), "bytes of the spell");
        let spells = (0..12).map(|spell| format!("b{spell}"));
        let all = spells.map(|spell| (1..4).try_for_each(|keeper| fill(&mut storage, &spell, keeper)));
        assert_eq!(limit(all.collect()), "bytes of the world");
        // Less is always taken.
        storage.set("a", Keeper::Entity(EntityId(1)), "1", value(1)).expect("a smaller value");
    }

    #[test]
    fn counts_and_hash_are_those_of_what_is_kept() {
        let mut storage = Storage::default();
        for (keeper, key, value) in [(1, "a", "one"), (2, "a", "two"), (1, "b", "three"), (1, "a", "four"), (3, "c", "")] {
            storage.set("spell", Keeper::Entity(EntityId(keeper)), key, Some(value.as_bytes().into())).expect("room");
            assert_eq!(storage, Storage::of(storage.drawers.clone()));
        }
        storage.set("spell", Keeper::Entity(EntityId(2)), "a", None).expect("forgetting is allowed");
        assert_eq!(storage, Storage::of(storage.drawers.clone()));
        [1, 3].into_iter().for_each(|character| storage.part(EntityId(character)));
        assert_eq!(storage, Storage::default());
    }
}
