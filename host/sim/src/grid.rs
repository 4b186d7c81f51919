//! Who is where, in coarse columns: what queries and projectiles look through instead of everybody.

use crate::geometry::Aabb;
use crate::limits::{GRID_CELL_M, WORLD_EXTENT_M};
use crate::scene::Kinds;
use crate::{EntityId, EntityKind, Vec3};
use std::collections::BTreeMap;

/// Entities by kind, so that who looks for players does not look through the shots around them, then by the column that holds their middle. Columns reach
/// from the bottom of the world to its top, for most things stand on the ground.
#[derive(Debug, Default)]
pub(crate) struct Grid {
    players: Layer,
    npcs: Layer,
    projectiles: Layer,
    props: Layer,
}

/// Columns in square pages, so that a query for a few neighbours is one or two searches, not one for each row; pages without entities do not exist.
#[derive(Debug, Default)]
struct Layer {
    pages: BTreeMap<Place, Page>,
}

/// Columns along an edge of a page: 32 m, which is more than most queries are wide. A page is 1.5 kB, and the world has at most one for each entity.
const PAGE_EDGE: i32 = 8;

#[derive(Debug)]
struct Page {
    columns: [Vec<Entry>; (PAGE_EDGE * PAGE_EDGE) as usize],
    /// Entries of all columns.
    count: usize,
}

/// What a query must know of an entity, kept here so that it need not look the entity up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Entry {
    pub id: EntityId,
    pub kind: EntityKind,
    pub position: Vec3,
}

/// x and z of a column, or of a page.
type Place = [i32; 2];

impl Grid {
    pub(crate) fn insert(&mut self, entry: Entry) {
        self.layer_mut(entry.kind).insert(entry);
    }

    pub(crate) fn remove(&mut self, kind: EntityKind, id: EntityId, position: Vec3) {
        self.layer_mut(kind).remove(id, position);
    }

    pub(crate) fn shift(&mut self, kind: EntityKind, id: EntityId, from: Vec3, to: Vec3) {
        self.layer_mut(kind).shift(id, from, to);
    }

    /// All entries, in no order that means anything.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.characters().chain([&self.projectiles, &self.props].into_iter().flat_map(Layer::entries))
    }

    /// Those of players and NPCs.
    pub(crate) fn characters(&self) -> impl Iterator<Item = &Entry> {
        [&self.players, &self.npcs].into_iter().flat_map(Layer::entries)
    }

    /// All entities of these kinds in columns that touch the box. The order says nothing: whoever asks sorts by distance and id.
    pub(crate) fn near(&self, bounds: Aabb, kinds: Kinds, mut visit: impl FnMut(&Entry)) {
        let (low, high) = (column_of(bounds.low), column_of(bounds.high));
        for kind in [EntityKind::Player, EntityKind::Npc, EntityKind::Projectile, EntityKind::Prop] {
            if kinds.contains(kind) {
                self.layer(kind).near(low, high, &mut visit);
            }
        }
    }

    fn layer(&self, kind: EntityKind) -> &Layer {
        match kind {
            EntityKind::Player => &self.players,
            EntityKind::Npc => &self.npcs,
            EntityKind::Projectile => &self.projectiles,
            EntityKind::Prop => &self.props,
        }
    }

    fn layer_mut(&mut self, kind: EntityKind) -> &mut Layer {
        match kind {
            EntityKind::Player => &mut self.players,
            EntityKind::Npc => &mut self.npcs,
            EntityKind::Projectile => &mut self.projectiles,
            EntityKind::Prop => &mut self.props,
        }
    }
}

impl Layer {
    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.pages.values().flat_map(|page| page.columns.iter().flatten())
    }

    fn insert(&mut self, entry: Entry) {
        let column = column_of(entry.position);
        let page = self.pages.entry(page_of(column)).or_insert_with(|| Page { columns: std::array::from_fn(|_| Vec::new()), count: 0 });
        page.columns[index_in_page(column)].push(entry);
        page.count += 1;
    }

    fn remove(&mut self, id: EntityId, position: Vec3) -> Option<Entry> {
        let column = column_of(position);
        let page = self.pages.get_mut(&page_of(column))?;
        let entries = &mut page.columns[index_in_page(column)];
        let at = entries.iter().position(|entry| entry.id == id)?;
        let entry = entries.swap_remove(at);
        page.count -= 1;
        if page.count == 0 {
            self.pages.remove(&page_of(column));
        }
        Some(entry)
    }

    fn shift(&mut self, id: EntityId, from: Vec3, to: Vec3) {
        let column = column_of(from);
        if column == column_of(to) {
            let entries = self.pages.get_mut(&page_of(column)).map(|page| &mut page.columns[index_in_page(column)]);
            if let Some(entry) = entries.into_iter().flatten().find(|entry| entry.id == id) {
                entry.position = to;
            }
        } else if let Some(entry) = self.remove(id, from) {
            self.insert(Entry { position: to, ..entry });
        }
    }

    fn near(&self, low: Place, high: Place, visit: &mut impl FnMut(&Entry)) {
        let ([x_first, z_first], [x_last, z_last]) = (page_of(low), page_of(high));
        // Looking at every page is cheaper than asking for more pages than there are.
        if (x_first..=x_last).count() * (z_first..=z_last).count() > self.pages.len() {
            self.pages.iter().for_each(|(place, page)| page.near(*place, low, high, visit));
        } else {
            for place in (x_first..=x_last).flat_map(|x| (z_first..=z_last).map(move |z| [x, z])) {
                if let Some(page) = self.pages.get(&place) {
                    page.near(place, low, high, visit);
                }
            }
        }
    }
}

impl Page {
    /// Its entries in the columns from one to the other.
    fn near(&self, [x, z]: Place, low: Place, high: Place, visit: &mut impl FnMut(&Entry)) {
        let within = |page: i32, axis: usize| {
            let (first, last) = (low[axis] - page * PAGE_EDGE, high[axis] - page * PAGE_EDGE);
            first.max(0)..last.min(PAGE_EDGE - 1) + 1
        };
        let columns = within(z, 1);
        for row in within(x, 0).filter(|_| !columns.is_empty()) {
            let (first, last) = (row * PAGE_EDGE + columns.start, row * PAGE_EDGE + columns.end);
            self.columns[first as usize..last as usize].iter().flatten().for_each(&mut *visit);
        }
    }
}

fn page_of(column: Place) -> Place {
    column.map(|at| at.div_euclid(PAGE_EDGE))
}

fn index_in_page(column: Place) -> usize {
    let [x, z] = column.map(|at| at.rem_euclid(PAGE_EDGE));
    (x * PAGE_EDGE + z) as usize
}

/// Everything beyond the world's extent shares the outermost columns, so that no box has too many.
fn column_of(position: Vec3) -> Place {
    let limit = Vec3::splat(WORLD_EXTENT_M);
    let column = (position.max(-limit).min(limit) / GRID_CELL_M).floor().as_ivec3();
    [column.x, column.z]
}
