//! Who is where, in coarse columns: what queries and projectiles look through instead of everybody.

use crate::geometry::Aabb;
use crate::limits::{GRID_CELL_M, WORLD_EXTENT_M};
use crate::{EntityId, EntityKind, Vec3};
use std::collections::BTreeMap;

/// Entities by the column that holds their middle. Columns reach from the bottom of the world to its top, for most things stand on the ground;
/// those without entities do not exist.
#[derive(Debug, Default)]
pub(crate) struct Grid {
    columns: BTreeMap<Column, Vec<Entry>>,
}

/// What a query must know of an entity, kept here so that it need not look the entity up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Entry {
    pub id: EntityId,
    pub kind: EntityKind,
    pub position: Vec3,
}

/// x, then z: columns that are neighbours along z are one range.
type Column = [i32; 2];

impl Grid {
    pub(crate) fn insert(&mut self, entry: Entry) {
        self.columns.entry(column_of(entry.position)).or_default().push(entry);
    }

    pub(crate) fn remove(&mut self, id: EntityId, position: Vec3) -> Option<Entry> {
        let column = column_of(position);
        let entries = self.columns.get_mut(&column)?;
        let at = entries.iter().position(|entry| entry.id == id)?;
        let entry = entries.swap_remove(at);
        if entries.is_empty() {
            self.columns.remove(&column);
        }
        Some(entry)
    }

    pub(crate) fn shift(&mut self, id: EntityId, from: Vec3, to: Vec3) {
        if column_of(from) == column_of(to) {
            let entries = self.columns.get_mut(&column_of(from)).into_iter().flatten();
            entries.filter(|entry| entry.id == id).for_each(|entry| entry.position = to);
        } else if let Some(entry) = self.remove(id, from) {
            self.insert(Entry { position: to, ..entry });
        }
    }

    /// All entries, in no order that means anything.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.columns.values().flatten()
    }

    /// All entities in columns that touch the box. The order says nothing: whoever asks sorts by distance and id.
    pub(crate) fn near(&self, bounds: Aabb, visit: impl FnMut(&Entry)) {
        let (low, high) = (column_of(bounds.low), column_of(bounds.high));
        let rows = low[0]..=high[0];
        // Looking at every column is cheaper than asking for more rows than there are columns.
        if rows.clone().count() > self.columns.len() {
            let within = |column: &Column| rows.contains(&column[0]) && (low[1]..=high[1]).contains(&column[1]);
            self.columns.iter().filter(|(column, _)| within(column)).flat_map(|(_, entries)| entries).for_each(visit);
        } else if low[1] <= high[1] {
            rows.flat_map(|x| self.columns.range([x, low[1]]..=[x, high[1]])).flat_map(|(_, entries)| entries).for_each(visit);
        }
    }
}

/// Everything beyond the world's extent shares the outermost columns, so that no box has too many.
fn column_of(position: Vec3) -> Column {
    let limit = Vec3::splat(WORLD_EXTENT_M);
    let column = (position.max(-limit).min(limit) / GRID_CELL_M).floor().as_ivec3();
    [column.x, column.z]
}
