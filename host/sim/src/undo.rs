//! Undoing edits: who changed which voxels when, for as long as that fits, and how an operator takes it back.

use crate::edit;
use crate::limits::{UNDO_BYTES_MAX, UNDO_ENTRIES_MAX, WAKE_MARGIN_M};
use crate::voxel::{AIR, CHUNK_EDGE, CHUNK_VOXELS, ChunkId, place};
use crate::{EntityId, IVec3, Outbound, World, material};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::sync::Arc;

/// Whose edits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Whose {
    /// One player's, by hand and by spell, as long as it had this entity.
    Player(EntityId),
    /// One account's, by hand and by spell, whichever entities it had.
    Account(String),
    /// One spell's, whoever cast it.
    Spell {
        /// The spell.
        spell: String,
        /// One revision of it; none for all.
        revision: Option<String>,
    },
}

/// Who made an edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Author {
    pub player: EntityId,
    /// The player's account; empty for one without.
    pub account: String,
    /// Spell and revision; none by hand.
    pub spell: Option<(String, String)>,
}

/// What became of a voxel, by its index in the chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Change {
    pub index: u16,
    pub old: u8,
    pub new: u8,
}

/// What the journal reckons for each chunk of an edit, beside its voxels.
const CHUNK_CHANGE_BYTES: usize = 40;
const _: () = assert!(size_of::<Change>() == 4);

/// One edit that can be undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub(crate) tick: u64,
    pub(crate) author: Author,
    pub(crate) chunks: Vec<(ChunkId, Vec<Change>)>,
}

/// The last edits, by their numbers, which rise. Entries are shared with whoever saves them while the next tick runs.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: BTreeMap<u64, Arc<Entry>>,
    bytes: usize,
    /// The next entry's number.
    next: u64,
    /// Entries from this number on have come since the last save.
    unsaved: u64,
    /// Older ones that have gone since.
    gone: Vec<u64>,
}

/// What has become of the journal since the last save.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JournalChange {
    /// New entries with their numbers, ascending.
    pub added: Vec<(u64, Arc<Entry>)>,
    /// The numbers of entries that cannot be undone any more.
    pub gone: Vec<u64>,
}

/// A chunk while edits are taken back.
struct Undoing {
    voxels: Box<[u8; CHUNK_VOXELS]>,
    version: u32,
    /// By index.
    undone: BTreeMap<u16, Change>,
}

/// Takes back what someone has done since a tick: each voxel that still is what the edit made it becomes what it was. Newest first, so that edits over edits
/// unravel. Nothing is put where a player or NPC stands now.
pub(crate) fn revert(world: &mut World, whose: &Whose, since_tick: u64) {
    let mut chunks: BTreeMap<ChunkId, Undoing> = BTreeMap::new();
    for entry in world.journal.take(whose, since_tick) {
        for (id, changes) in entry.chunks.iter().cloned() {
            let Undoing { voxels, undone, .. } = match chunks.entry(id) {
                Slot::Occupied(slot) => slot.into_mut(),
                Slot::Vacant(slot) => {
                    let Some((voxels, version)) = edit::unpacked(world, id) else { continue };
                    slot.insert(Undoing { voxels, version, undone: BTreeMap::new() })
                }
            };
            for Change { index, old, new } in changes {
                let voxel = &mut voxels[usize::from(index)];
                if *voxel == new {
                    *voxel = old;
                    undone.entry(index).and_modify(|change| change.new = old).or_insert(Change { index, old: new, new: old });
                }
            }
        }
    }
    let mut affected = Vec::new();
    for (id, Undoing { mut voxels, version, undone }) in chunks {
        let (low, high) = (id.corner_voxel(), id.corner_voxel() + (CHUNK_EDGE - 1));
        let characters = edit::characters_in(world, low, high);
        let stays = |change: &Change| {
            change.new == change.old || (change.old == AIR && edit::occupied(low + place(change.index.into()), &characters))
        };
        let (kept, undone): (Vec<Change>, Vec<Change>) = undone.into_values().partition(stays);
        kept.iter().for_each(|change| voxels[usize::from(change.index)] = change.old);
        if !undone.is_empty() {
            affected.push(edit::write(world, id, voxels, version, &undone));
            let reach = IVec3::splat(WAKE_MARGIN_M as i32);
            world.physics.wake((low - reach).as_vec3(), (high + 1 + reach).as_vec3());
        }
    }
    world.emit(Outbound::TerraformReverted { whose: whose.clone(), since_tick, affected });
}

impl Journal {
    /// All of it, by number.
    pub(crate) fn entries(&self) -> BTreeMap<u64, Arc<Entry>> {
        self.entries.clone()
    }

    /// A journal with these entries, whose next one has this number.
    pub(crate) fn of(entries: BTreeMap<u64, Arc<Entry>>, next: u64) -> Self {
        let bytes = entries.values().map(|entry| entry.bytes()).sum();
        Self { entries, bytes, next, unsaved: next, gone: Vec::new() }
    }

    /// Keeps an edit, and lets go of the oldest while there are too many. One that changed nothing is not kept.
    pub(crate) fn note(&mut self, entry: Entry) {
        if entry.chunks.is_empty() {
            return;
        }
        self.bytes += entry.bytes();
        self.entries.insert(self.next, Arc::new(entry));
        self.next += 1;
        while self.entries.len() > UNDO_ENTRIES_MAX || self.bytes > UNDO_BYTES_MAX {
            let Some(oldest) = self.entries.keys().next().copied() else { break };
            self.remove(oldest);
        }
    }

    /// What has changed since this was last asked.
    pub(crate) fn take_change(&mut self) -> JournalChange {
        let added = self.entries.range(self.unsaved..).map(|(number, entry)| (*number, entry.clone())).collect();
        self.unsaved = self.next;
        JournalChange { added, gone: std::mem::take(&mut self.gone) }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Bytes that its entries take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The number of the next entry.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Takes the entries out, newest first.
    fn take(&mut self, whose: &Whose, since_tick: u64) -> Vec<Arc<Entry>> {
        let covered = |entry: &Entry| entry.tick >= since_tick && whose.covers(&entry.author);
        let numbers: Vec<u64> = self.entries.iter().rev().filter(|(_, entry)| covered(entry)).map(|(number, _)| *number).collect();
        numbers.into_iter().filter_map(|number| self.remove(number)).collect()
    }

    fn remove(&mut self, number: u64) -> Option<Arc<Entry>> {
        let entry = self.entries.remove(&number)?;
        self.bytes -= entry.bytes();
        if number < self.unsaved {
            self.gone.push(number);
        }
        Some(entry)
    }
}

impl Author {
    /// A player, by hand or by spell and revision.
    pub(crate) fn of(world: &World, player: EntityId, spell: Option<(String, String)>) -> Self {
        let account = world.players.get(&player).map(|player| player.account.clone()).unwrap_or_default();
        Self { player, account, spell }
    }
}

impl Entry {
    /// Whether it could have been noted by some world: its chunks are in the world, its places in their chunks, its materials known.
    pub(crate) fn is_sound(&self) -> bool {
        let sound = |change: &Change| {
            let known = material::find(change.old).is_some() && material::find(change.new).is_some();
            known && usize::from(change.index) < CHUNK_VOXELS
        };
        self.chunks.iter().all(|(id, changes)| id.is_in_world() && changes.iter().all(sound))
    }

    /// Reckoned, not measured: a pointer has another size on another machine, and what is forgotten must not depend on that.
    fn bytes(&self) -> usize {
        self.chunks.iter().map(|(_, changes)| CHUNK_CHANGE_BYTES + size_of_val(&**changes)).sum()
    }
}

impl Whose {
    fn covers(&self, author: &Author) -> bool {
        match self {
            Self::Player(player) => author.player == *player,
            Self::Account(account) => author.account == *account,
            Self::Spell { spell, revision } => {
                author.spell.as_ref().is_some_and(|(name, of)| name == spell && revision.as_ref().is_none_or(|revision| revision == of))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Vec3;
    use crate::edit::{Area, Edit};

    fn by(player: u64, revision: Option<&str>) -> Author {
        Author { player: EntityId(player), account: String::new(), spell: revision.map(|revision| ("dig".into(), revision.into())) }
    }

    fn paint(world: &mut World, x: i32, material: u8, author: Author) {
        let area = Area::Box { low: IVec3::new(x, 0, 20), high: IVec3::new(x + 1, 0, 20) };
        edit::apply(world, &Edit { area, change: edit::Change::Paint(material) }, author).expect("a good edit");
    }

    fn row(world: &World) -> Vec<u8> {
        (20..24).map(|x| world.scene.terrain().material(IVec3::new(x, 0, 20))).collect()
    }

    #[test]
    fn a_spells_revision_is_taken_back_and_what_others_painted_over_stays() {
        let mut world = World::empty(1);
        paint(&mut world, 20, 2, by(1, Some("r1")));
        paint(&mut world, 21, 3, by(1, Some("r2")));
        paint(&mut world, 22, 5, by(2, None));
        assert_eq!(row(&world), [2, 3, 5, 5]);
        let whose = |revision: &str| Whose::Spell { spell: "dig".into(), revision: Some(revision.into()) };
        revert(&mut world, &whose("r1"), 0);
        assert_eq!(row(&world), [1, 3, 5, 5], "r2 has painted over one of its two");
        revert(&mut world, &whose("r2"), 1);
        assert_eq!(row(&world), [1, 3, 5, 5], "nothing since tick 1");
        revert(&mut world, &whose("r2"), 0);
        assert_eq!(row(&world), [1, 2, 5, 5], "what it found");
        revert(&mut world, &Whose::Player(EntityId(2)), 0);
        assert_eq!(row(&world), [1, 2, 3, 1]);
    }

    #[test]
    fn edits_over_edits_unravel_and_a_second_revert_does_nothing() {
        let mut world = World::empty(1);
        let before = world.scene.terrain().chunk(ChunkId([0; 3])).map(|chunk| chunk.hash());
        for material in [2, 3, 5] {
            paint(&mut world, 21, material, by(1, None));
        }
        let whose = Whose::Player(EntityId(1));
        revert(&mut world, &whose, 0);
        let chunk = world.scene.terrain().chunk(ChunkId([0; 3])).expect("it is there").clone();
        assert_eq!((Some(chunk.hash()), chunk.version()), (before, 5), "four changes after it was made");
        revert(&mut world, &whose, 0);
        assert_eq!(world.scene.terrain().chunk(ChunkId([0; 3])).map(|chunk| chunk.version()), Some(5));
    }

    #[test]
    fn the_oldest_edits_are_forgotten_first() {
        let mut journal = Journal::default();
        let entry = |tick, voxels| Entry {
            tick,
            author: by(1, None),
            chunks: vec![(ChunkId([0; 3]), vec![Change { index: 0, old: 0, new: 1 }; voxels])],
        };
        for tick in 0..UNDO_ENTRIES_MAX as u64 + 5 {
            journal.note(entry(tick, 1));
        }
        assert_eq!((journal.entries.len(), journal.entries.values().next().expect("one").tick), (UNDO_ENTRIES_MAX, 5));
        journal.note(entry(9_999_999, UNDO_BYTES_MAX / size_of::<Change>() - 100));
        assert!(journal.bytes <= UNDO_BYTES_MAX && journal.entries.len() < 100, "{}", journal.entries.len());
        let whose = Whose::Player(EntityId(1));
        assert_eq!(journal.take(&whose, 9_999_999).len(), 1);
        journal.take(&whose, 0);
        assert_eq!(journal.bytes, 0);
    }

    #[test]
    fn nothing_is_put_back_where_someone_stands() {
        let mut world = World::empty(1);
        let pit = Edit { area: Area::Box { low: IVec3::new(20, 0, 20), high: IVec3::new(20, 0, 20) }, change: edit::Change::Subtract };
        edit::apply(&mut world, &pit, by(1, None)).expect("a good edit");
        world.spawn_player("kim", Vec3::new(20.5, 0.95, 20.5), Vec3::X);
        revert(&mut world, &Whose::Player(EntityId(1)), 0);
        assert!(!world.scene.terrain().solid(IVec3::new(20, 0, 20)));
    }
}
