//! The client's side of snapshots: remembers what later ones are differences to.

use super::group;
use super::snapshot::{BadSnapshot, OwnState, Snapshot};
use super::state::EntityState;
use crate::limits::{BASELINES_MAX, SNAPSHOT_GROUPS_MAX};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// What a client knows of groups.
#[derive(Debug, Default)]
pub struct Reader {
    known: BTreeMap<u32, Known>,
}

/// A group's states, by the tick of the snapshot that brought them, oldest first.
type Known = VecDeque<(u64, Arc<[EntityState]>)>;

/// What a snapshot says.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The tick; a client acknowledges it with its next input.
    pub server_tick: u64,
    /// The reader's player.
    pub own: OwnState,
    /// Of those groups that the snapshot has something of: all their entities as they are now. Those that the client was not told of are not to be shown.
    pub entities: Vec<EntityState>,
}

impl Reader {
    /// Takes in a snapshot.
    ///
    /// # Errors
    /// It is no snapshot, or a difference to something that was never received. The reader is as it was then.
    pub fn read(&mut self, body: &[u8]) -> Result<View, BadSnapshot> {
        let snapshot = Snapshot::decode(body)?;
        let (server_tick, mut decoded) = (snapshot.server_tick, Vec::with_capacity(snapshot.groups.len()));
        for part in &snapshot.groups {
            let newest = self.state(part.group, server_tick, part.age)?;
            let before = self.state(part.group, server_tick.wrapping_sub(part.age.into()), part.span)?;
            let bases = group::Bases::new(newest.as_deref(), part.age, before.as_deref(), part.span);
            decoded.push((part.group, group::decode(part.bytes, &bases)?));
        }
        let new = decoded.iter().filter(|(group, _)| !self.known.contains_key(group)).count();
        if self.known.len() + new > SNAPSHOT_GROUPS_MAX {
            // Those of long ago: a server that still differs from them is none of ours.
            self.known.retain(|group, _| decoded.iter().any(|(part, _)| part == group));
        }
        let mut entities = Vec::new();
        for (group, states) in decoded {
            entities.extend_from_slice(&states);
            let known = self.known.entry(group).or_default();
            known.push_back((server_tick, states.into()));
            if known.len() > BASELINES_MAX {
                known.pop_front();
            }
        }
        Ok(View { server_tick, own: snapshot.own, entities })
    }

    /// The state of a group that came so many ticks before this one; none where no difference is meant.
    fn state(&self, group: u32, tick: u64, age: u32) -> Result<Option<Arc<[EntityState]>>, BadSnapshot> {
        if age == 0 {
            return Ok(None);
        }
        let wanted = tick.checked_sub(age.into()).ok_or(BadSnapshot::Baseline)?;
        let states = self.known.get(&group).into_iter().flatten();
        let found = states.rev().find(|(tick, _)| *tick == wanted).map(|(_, states)| Arc::clone(states));
        found.map(Some).ok_or(BadSnapshot::Baseline)
    }
}
