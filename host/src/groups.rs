//! Who stands where, for snapshots: entities in groups by place and owner. A group's state is encoded once for all clients who know the same of it.

use crate::limits::{GROUP_CELL_M, GROUP_IDLE_TICKS, GROUP_LINGER_M, GROUP_STATES_MAX, THINGS_AMONG_OTHERS_MAX};
use protocol::limits::GROUP_ENTITIES_MAX;
use protocol::v1;
use protocol::v2::{self, EntityState};
use sim::scene::Scene;
use sim::{EntityId, EntityKind, Vec3};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Names a group as long as there is somebody in it and some seconds longer.
pub type GroupId = u32;

/// What the entities of a group have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The column of the world, in cells.
    pub cell: [i32; 2],
    /// Whose they are.
    pub whose: Whose,
}

/// Whose the entities of a group are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    /// Players, NPCs, and the world's things.
    Nobodys,
    /// Things of owners who have few.
    Manys,
    /// What an owner has beyond that, so that a storm of things is nobody else's loss.
    Ones(EntityId),
}

/// Some entities that are seen together, or not at all.
#[derive(Debug)]
pub struct Group {
    /// Where, and whose.
    pub key: Key,
    members: BTreeSet<EntityId>,
    /// Their states, each with the tick since which it is so; oldest first.
    states: VecDeque<(u64, Arc<[EntityState]>)>,
    /// What was encoded of the newest state, by the ticks that it is a difference to.
    coded: Vec<Coded>,
    /// The newest state for v1.
    json: Option<Arc<str>>,
    /// Since when it is empty.
    empty_since: Option<u64>,
}

/// An entity that is in another group than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Which.
    pub entity: EntityId,
    /// Where it was.
    pub from: GroupId,
    /// Where it is.
    pub to: GroupId,
}

/// All groups of a world.
#[derive(Debug, Default)]
pub struct Groups {
    groups: Vec<Option<Group>>,
    by_key: BTreeMap<Key, Vec<GroupId>>,
    places: BTreeMap<EntityId, Place>,
    /// How many things each owner has in which groups.
    owned: BTreeMap<EntityId, BTreeMap<GroupId, usize>>,
}

/// Where an entity is, and whose it is.
#[derive(Debug, Clone, Copy)]
struct Place {
    group: GroupId,
    /// `NONE` for players, and for what is nobody's.
    owner: EntityId,
}

impl Groups {
    /// All entities of a scene, each in its group.
    pub fn of(scene: &Scene) -> Self {
        let mut groups = Self::default();
        for entity in scene.entities() {
            groups.insert(entity.id, entity.kind, entity.owner, entity.position);
        }
        groups
    }

    /// Takes in an entity that has appeared.
    pub fn insert(&mut self, entity: EntityId, kind: EntityKind, owner: EntityId, position: Vec3) -> GroupId {
        let owner = if kind == EntityKind::Player { EntityId::NONE } else { owner };
        let whose = match owner {
            EntityId::NONE => Whose::Nobodys,
            owner if self.count_of(owner) < THINGS_AMONG_OTHERS_MAX => Whose::Manys,
            owner => Whose::Ones(owner),
        };
        self.put(entity, owner, Key { cell: cell(position), whose })
    }

    fn put(&mut self, entity: EntityId, owner: EntityId, key: Key) -> GroupId {
        let room = |id: &GroupId| self.get(*id).is_some_and(|group| group.members.len() < GROUP_ENTITIES_MAX);
        let open = self.by_key.get(&key).and_then(|parts| parts.iter().copied().find(room));
        let id = open.unwrap_or_else(|| self.begin(key));
        if let Some(group) = &mut self.groups[id as usize] {
            group.members.insert(entity);
            group.empty_since = None;
        }
        self.places.insert(entity, Place { group: id, owner });
        if owner != EntityId::NONE {
            *self.owned.entry(owner).or_default().entry(id).or_default() += 1;
        }
        id
    }

    /// Lets go of one that is gone; answers where it was.
    pub fn remove(&mut self, entity: EntityId) -> Option<GroupId> {
        let Place { group: id, owner } = self.places.remove(&entity)?;
        if let Some(group) = &mut self.groups[id as usize] {
            group.members.remove(&entity);
        }
        if let Some(groups) = self.owned.get_mut(&owner) {
            let left = groups.get(&id).map_or(0, |count| count - 1);
            if left > 0 {
                groups.insert(id, left)
            } else {
                groups.remove(&id)
            };
            if groups.is_empty() {
                self.owned.remove(&owner);
            }
        }
        Some(id)
    }

    /// The entity's group.
    pub fn place(&self, entity: EntityId) -> Option<GroupId> {
        self.places.get(&entity).map(|place| place.group)
    }

    /// The entity's owner; `NONE` for players, and for what is nobody's.
    pub fn owner(&self, entity: EntityId) -> Option<EntityId> {
        self.places.get(&entity).map(|place| place.owner)
    }

    /// The groups in which an owner has things.
    pub fn of_owner(&self, owner: EntityId) -> impl Iterator<Item = GroupId> {
        self.owned.get(&owner).into_iter().flat_map(|groups| groups.keys().copied())
    }

    fn count_of(&self, owner: EntityId) -> usize {
        self.owned.get(&owner).map_or(0, |groups| groups.values().sum())
    }

    /// The group, if there is one of this number.
    pub fn get(&self, id: GroupId) -> Option<&Group> {
        self.groups.get(id as usize)?.as_ref()
    }

    /// All groups.
    pub fn iter(&self) -> impl Iterator<Item = (GroupId, &Group)> {
        (0..).zip(&self.groups).filter_map(|(id, group)| Some((id, group.as_ref()?)))
    }

    /// Takes down how everything stands in this tick. Answers who has gone from one group to another, and the groups that are no more.
    pub fn advance(&mut self, tick: u64, scene: &Scene) -> (Vec<Moved>, Vec<GroupId>) {
        let moved = self.regroup(scene);
        let mut ended = Vec::new();
        for (id, slot) in (0..).zip(&mut self.groups) {
            let Some(group) = slot else { continue };
            group.record(tick, scene);
            if group.members.is_empty() && tick - *group.empty_since.get_or_insert(tick) > GROUP_IDLE_TICKS {
                if let Some(parts) = self.by_key.get_mut(&group.key) {
                    parts.retain(|part| *part != id);
                    if parts.is_empty() {
                        self.by_key.remove(&group.key);
                    }
                }
                *slot = None;
                ended.push(id);
            }
        }
        (moved, ended)
    }

    /// A group's newest state in the snapshot of this tick, as a difference to those of two ticks before, where it still has them; 0 is none.
    pub fn encoded(&mut self, id: GroupId, tick: u64, bases: [u64; 2]) -> Option<&Coded> {
        self.groups.get_mut(id as usize)?.as_mut()?.encoded(tick, bases)
    }

    /// A group's newest state for v1.
    pub fn json(&mut self, id: GroupId, scene: &Scene) -> Option<Arc<str>> {
        let group = self.groups.get_mut(id as usize)?.as_mut()?;
        let Group { members, json, .. } = group;
        let states = || members.iter().filter_map(|id| scene.entity(*id)).map(crate::convert::entity_state).collect::<Vec<_>>();
        Some(Arc::clone(json.get_or_insert_with(|| v1::entities(&states()).into())))
    }

    /// Who has left its cell by more than the margin joins the group of its new one.
    fn regroup(&mut self, scene: &Scene) -> Vec<Moved> {
        let mut moved = Vec::new();
        for (entity, Place { group: from, owner }) in &self.places {
            let (Some(state), Some(group)) = (scene.entity(*entity), self.get(*from)) else { continue };
            if !group.key.holds(state.position) {
                moved.push((*entity, *from, *owner, Key { cell: cell(state.position), ..group.key }));
            }
        }
        let arrive = |(entity, from, owner, key)| {
            self.remove(entity);
            Moved { entity, from, to: self.put(entity, owner, key) }
        };
        moved.into_iter().map(arrive).collect()
    }

    /// A new group, with the lowest number that is free: numbers stand in every snapshot.
    fn begin(&mut self, key: Key) -> GroupId {
        let index = self.groups.iter().position(Option::is_none).unwrap_or(self.groups.len());
        let group = Group { key, members: BTreeSet::new(), states: VecDeque::new(), coded: Vec::new(), json: None, empty_since: None };
        if index == self.groups.len() {
            self.groups.push(Some(group));
        } else {
            self.groups[index] = Some(group);
        }
        let id = index as GroupId;
        self.by_key.entry(key).or_default().push(id);
        id
    }
}

impl Key {
    /// Metres from a point to the nearest one of the cell, seen from above.
    pub fn distance(&self, from: Vec3) -> f32 {
        let axis = |value: f32, cell: i32| {
            let low = cell as f32 * GROUP_CELL_M;
            (low - value).max(value - low - GROUP_CELL_M).max(0.0)
        };
        let (x, z) = (axis(from.x, self.cell[0]), axis(from.z, self.cell[1]));
        (x * x + z * z).sqrt()
    }

    fn holds(&self, position: Vec3) -> bool {
        self.distance(position) <= GROUP_LINGER_M
    }
}

fn cell(position: Vec3) -> [i32; 2] {
    [position.x, position.z].map(|axis| (axis / GROUP_CELL_M).floor() as i32)
}

/// A group's part of a snapshot.
#[derive(Debug, Clone)]
pub struct Coded {
    /// The bases that were asked for: most clients know the same, and find it by these.
    asked: [u64; 2],
    /// The ticks that it is a difference to: the base, and the one before it; 0 where there is none.
    pub bases: [u64; 2],
    /// Ticks from the base to the snapshot, and from the one before to the base.
    pub ages: [u32; 2],
    /// Made by [`v2::group::encode`].
    pub bytes: Arc<[u8]>,
}

impl Group {
    /// How many are in it.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether nobody is in it.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Who is in it, by id.
    pub fn members(&self) -> impl Iterator<Item = EntityId> {
        self.members.iter().copied()
    }

    /// The tick since which it is as it is now.
    pub fn changed(&self) -> u64 {
        self.states.back().map_or(0, |(tick, _)| *tick)
    }

    fn record(&mut self, tick: u64, scene: &Scene) {
        (self.json, _) = (None, self.coded.clear());
        let states = || self.members.iter().filter_map(|id| scene.entity(*id)).map(crate::convert::quantised);
        if self.states.back().is_some_and(|(_, last)| last.iter().copied().eq(states())) {
            return;
        }
        let states = states().collect();
        self.states.push_back((tick, states));
        if self.states.len() > GROUP_STATES_MAX {
            self.states.pop_front();
        }
    }

    /// As it stood after this tick; `None` for tick 0, and for what is forgotten.
    fn state(&self, tick: u64) -> Option<&Arc<[EntityState]>> {
        let index = self.states.partition_point(|(since, _)| *since <= tick).checked_sub(1)?;
        self.states.get(index).filter(|_| tick > 0).map(|(_, states)| states)
    }

    fn encoded(&mut self, tick: u64, asked: [u64; 2]) -> Option<&Coded> {
        let made = self.coded.iter().position(|coded| coded.asked == asked);
        let index = match made {
            Some(index) => index,
            None => {
                let coded = self.encode(tick, asked)?;
                self.coded.push(coded);
                self.coded.len() - 1
            }
        };
        self.coded.get(index)
    }

    fn encode(&self, tick: u64, asked: [u64; 2]) -> Option<Coded> {
        let [base, before] = asked;
        let base = if self.state(base).is_some() { base } else { 0 };
        let before = if base > before && self.state(before).is_some() { before } else { 0 };
        let bases = [base, before];
        if let Some(coded) = self.coded.iter().find(|coded| coded.bases == bases) {
            return Some(Coded { asked, ..coded.clone() });
        }
        let ages = [if base == 0 { 0 } else { (tick - base) as u32 }, if before == 0 { 0 } else { (base - before) as u32 }];
        let states = [base, before].map(|tick| self.state(tick).map(AsRef::as_ref));
        let known = v2::group::Bases::new(states[0], ages[0], states[1], ages[1]);
        let bytes = v2::group::encode(&self.states.back()?.1, &known).into();
        Some(Coded { asked, bases, ages, bytes })
    }
}
