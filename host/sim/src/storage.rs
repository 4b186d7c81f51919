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
#[derive(Debug, Clone, PartialEq)]
pub struct Storage {
    drawers: BTreeMap<(String, Keeper), Drawer>,
    /// By player, of those who have one.
    accounts: BTreeMap<EntityId, String>,
    /// Keys and values of all.
    bytes: usize,
    /// Of all, kept because it changes with a write alone and is digested in every tick.
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

impl Default for Storage {
    fn default() -> Self {
        Self::of(BTreeMap::new())
    }
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
        let keys = known.map_or(0, Drawer::len) + usize::from(before == 0);
        let in_spell = self.of_spell(spell) - before + after;
        let in_all = self.bytes - before + after;
        if after > before {
            within("keys", STORED_KEYS_MAX, keys)?;
            within("bytes of the spell", STORED_SPELL_BYTES_MAX, in_spell)?;
            within("bytes of the world", STORED_BYTES_MAX, in_all)?;
        }
        let drawer = self.drawers.entry(place.clone()).or_default();
        match value {
            Some(value) => _ = drawer.insert(key.to_owned(), value),
            None => _ = drawer.remove(key),
        }
        if drawer.is_empty() {
            self.drawers.remove(&place);
        }
        self.bytes = in_all;
        self.hash = digest::storage(&self.drawers);
        Ok(())
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
        let before = self.drawers.len();
        self.drawers.retain(|(_, keeper), _| *keeper != Keeper::Entity(character));
        if self.drawers.len() != before {
            let accounts = std::mem::take(&mut self.accounts);
            *self = Self { accounts, ..Self::of(std::mem::take(&mut self.drawers)) };
        }
    }

    pub(crate) fn of(drawers: BTreeMap<(String, Keeper), Drawer>) -> Self {
        let bytes = drawers.values().flatten().map(|(key, value)| size(key, value)).sum();
        let hash = digest::storage(&drawers);
        Self { drawers, accounts: BTreeMap::new(), bytes, hash }
    }

    pub(crate) fn drawers(&self) -> &BTreeMap<(String, Keeper), Drawer> {
        &self.drawers
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    fn of_spell(&self, spell: &str) -> usize {
        let from = (spell.to_owned(), Keeper::Spell);
        let its = self.drawers.range(from..).take_while(|((name, _), _)| name == spell);
        its.flat_map(|(_, drawer)| drawer).map(|(key, value)| size(key, value)).sum()
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
