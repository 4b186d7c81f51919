//! What one client sees, what it is known to have received, and what fits into its next snapshot.

use crate::groups::{Group, GroupId, Groups, Whose};
use crate::limits::{
    RELEVANT_MAX, RELEVANT_TICKS, SNAPSHOT_BYTES_PER_SECOND_V1, SNAPSHOT_BYTES_PER_SECOND_V2, SNAPSHOT_INTERVAL_TICKS, VIEW_LINGER_M,
    VIEW_M,
};
use crate::subprotocol::Subprotocol;
use protocol::limits::{BASELINES_MAX, SNAPSHOT_GROUPS_MAX};
use protocol::v1;
use protocol::v2::{self, GroupPart, Snapshot};
use sim::scene::{Entity, Scene};
use sim::{EntityId, Vec3};
use std::collections::{BTreeMap, VecDeque};
use tokio_tungstenite::tungstenite::Message;

/// One client's view of the world.
#[derive(Debug)]
pub struct View {
    subprotocol: Subprotocol,
    /// By group.
    sights: Vec<Sight>,
    /// The groups that are seen, by number.
    seen: Vec<GroupId>,
    /// Where it was looked from last, metres.
    here: Vec3,
    /// Who is seen at any distance, and until which tick.
    relevant: BTreeMap<EntityId, u64>,
    /// The groups of snapshots that are not acknowledged yet, oldest first.
    sent: VecDeque<(u64, Vec<(GroupId, u32)>)>,
    /// Bytes that may be sent now.
    budget: i64,
    /// Bytes of the last snapshot of v2: the next one will be about as long.
    length: usize,
}

/// What a client knows of a group.
#[derive(Debug, Clone, Copy, Default)]
struct Sight {
    seen: bool,
    /// Ticks of the newest snapshot with this group that the client has acknowledged, and of the one before that; 0 for none.
    bases: [u64; 2],
    /// How many there had been when each of these was sent.
    counts: [u32; 2],
    /// Snapshots with this group that were sent.
    count: u32,
    /// The tick of the last of them.
    last: u64,
}

/// Groups that come into view or leave it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Seen from now on.
    pub entered: Vec<GroupId>,
    /// Not seen any more.
    pub left: Vec<GroupId>,
}

impl View {
    /// Nothing is seen yet.
    pub fn new(subprotocol: Subprotocol) -> Self {
        let budget = i64::from(Self::bytes_per_second(subprotocol));
        let (sights, seen, relevant, sent, length) = Default::default();
        Self { subprotocol, sights, seen, here: Vec3::ZERO, relevant, sent, budget, length }
    }

    /// Whether the group is seen.
    pub fn sees(&self, group: GroupId) -> bool {
        self.sights.get(group as usize).is_some_and(|sight| sight.seen)
    }

    /// Whether the client is near enough to be told what happens at this point.
    pub fn reaches(&self, point: Vec3) -> bool {
        self.here.distance_squared(point) <= (VIEW_M + VIEW_LINGER_M) * (VIEW_M + VIEW_LINGER_M)
    }

    /// From now on this entity is seen at any distance, for a while.
    pub fn watch(&mut self, entity: EntityId, tick: u64) {
        self.relevant.insert(entity, tick + RELEVANT_TICKS);
        if self.relevant.len() > RELEVANT_MAX
            && let Some(first) = self.relevant.iter().min_by_key(|(_, until)| **until).map(|(id, _)| *id)
        {
            self.relevant.remove(&first);
        }
    }

    /// Looks around anew: what is near, one's own, or matters.
    pub fn look(&mut self, me: &Entity, tick: u64, groups: &Groups) -> Change {
        self.relevant.retain(|_, until| *until > tick);
        let own = groups.place(me.id);
        self.here = me.position;
        let relevant = self.relevant.keys().filter_map(|id| groups.place(*id));
        let matters: Vec<GroupId> = relevant.chain(own).chain(groups.of_owner(me.id)).collect();
        let mut change = Change::default();
        self.seen.clear();
        for (id, group) in groups.iter() {
            let sees = self.in_view(me, id, group) || matters.contains(&id);
            let sight = self.sight(id);
            match (sight.seen, sees) {
                (false, true) => change.entered.push(id),
                (true, false) => change.left.push(id),
                _ => {}
            }
            sight.seen = sees;
            if sees {
                self.seen.push(id);
            }
        }
        change
    }

    /// Takes a group that has just come to be into view, if that is where it is.
    pub fn notice(&mut self, me: &Entity, id: GroupId, group: &Group) {
        if !self.sees(id) && self.in_view(me, id, group) {
            self.sight(id).seen = true;
            self.seen.push(id);
        }
    }

    /// The number means another group from now on.
    pub fn forget(&mut self, group: GroupId) {
        *self.sight(group) = Sight::default();
        self.seen.retain(|id| *id != group);
        self.sent.iter_mut().for_each(|(_, groups)| groups.retain(|(id, _)| *id != group));
    }

    /// The client has the snapshot of this tick.
    pub fn acknowledge(&mut self, tick: u64) {
        while self.sent.front().is_some_and(|(sent, _)| *sent <= tick) {
            let Some((sent, groups)) = self.sent.pop_front().filter(|(sent, _)| *sent == tick) else { continue };
            for (group, count) in groups {
                let sight = self.sight(group);
                (sight.bases, sight.counts) = ([sent, sight.bases[0]], [count, sight.counts[0]]);
            }
        }
    }

    /// The snapshot of this tick, as far as the budget goes: the rest waits, and comes before others next time.
    pub fn snapshot(&mut self, me: &Entity, tick: u64, groups: &mut Groups, scene: &Scene) -> Message {
        let allowance = i64::from(Self::bytes_per_second(self.subprotocol));
        let interval = SNAPSHOT_INTERVAL_TICKS as i64;
        self.budget = (self.budget + allowance * interval / i64::from(sim::limits::TICK_HZ)).min(allowance);
        let message = match self.subprotocol {
            Subprotocol::Json => self.json(me, tick, groups, scene),
            Subprotocol::Binary => self.binary(me, tick, groups),
        };
        self.budget -= message.len() as i64;
        message
    }

    fn json(&mut self, me: &Entity, tick: u64, groups: &mut Groups, scene: &Scene) -> Message {
        let order = self.order(me, tick, groups);
        let mut room = self.budget;
        let mut pieces = Vec::with_capacity(self.seen.len());
        for n in 0..self.seen.len() {
            let id = order.as_ref().unwrap_or(&self.seen)[n];
            let Some(piece) = groups.json(id, scene) else { continue };
            room -= piece.len() as i64;
            if room < 0 && !pieces.is_empty() {
                break;
            }
            self.sight(id).last = tick;
            pieces.push(piece);
        }
        let own = crate::convert::player_state(me);
        Message::text(v1::snapshot(tick, pieces.iter().map(AsRef::as_ref), &own))
    }

    fn binary(&mut self, me: &Entity, tick: u64, groups: &mut Groups) -> Message {
        let order = self.order(me, tick, groups);
        let mut room = self.budget;
        let mut frame = Snapshot::writer(tick, &crate::convert::own_state(me), self.length);
        let mut ages = v2::NO_AGES;
        let forgotten = if self.sent.len() < BASELINES_MAX { None } else { self.sent.pop_front() };
        let mut sent = forgotten.map_or_else(Vec::new, |(_, groups)| groups);
        sent.clear();
        for n in 0..self.seen.len() {
            let id = order.as_ref().unwrap_or(&self.seen)[n];
            let sight = self.sight(id);
            if groups.get(id).is_none_or(|group| sight.bases[0] >= group.changed()) {
                continue;
            }
            // What the client has forgotten by now is no base.
            let bases: [u64; 2] = std::array::from_fn(|n| {
                let kept = sight.count - sight.counts[n] < BASELINES_MAX as u32;
                if kept { sight.bases[n] } else { 0 }
            });
            let Some(coded) = groups.encoded(id, tick, bases) else { continue };
            room -= coded.bytes.len() as i64;
            if (room < 0 && !sent.is_empty()) || sent.len() == SNAPSHOT_GROUPS_MAX {
                break;
            }
            v2::put_part(&mut frame, &GroupPart { group: id, age: coded.ages[0], span: coded.ages[1], bytes: &coded.bytes }, &mut ages);
            (sight.count, sight.last) = (sight.count + 1, tick);
            sent.push((id, sight.count));
        }
        self.length = frame.len();
        self.sent.push_back((tick, sent));
        Message::binary(frame)
    }

    /// What is seen, the most urgent first; nothing when there is room for all: one's own group, then who has waited longest for the distance, and things of others behind everybody, those of
    /// whom there are the fewest first: whoever floods the world is seen last.
    fn order(&self, me: &Entity, tick: u64, groups: &Groups) -> Option<Vec<GroupId>> {
        if self.budget >= i64::from(Self::bytes_per_second(self.subprotocol)) / 2 {
            return None;
        }
        let own = groups.place(me.id);
        let mut floods: BTreeMap<EntityId, usize> = BTreeMap::new();
        for group in self.seen.iter().filter_map(|id| groups.get(*id)) {
            if let Whose::Ones(owner) = group.key.whose {
                *floods.entry(owner).or_default() += group.len();
            }
        }
        let rank = |id: &GroupId| {
            let (group, sight) = (groups.get(*id)?, self.sights.get(*id as usize)?);
            let waited = (tick - sight.last) as f32;
            let behind = ahead(me, group) < 0.0 && group.key.distance(me.position) > 0.0;
            let urgency = waited / (8.0 + group.key.distance(me.position)) * if behind { 0.5 } else { 1.0 };
            let others = match group.key.whose {
                Whose::Nobodys => 0,
                Whose::Manys => 1,
                Whose::Ones(owner) if owner == me.id => 0,
                Whose::Ones(owner) => 1 + floods.get(&owner).copied().unwrap_or(0),
            };
            Some((Some(*id) != own, others, std::cmp::Reverse((urgency * 1e6) as u64)))
        };
        let mut wanted = self.seen.clone();
        wanted.sort_by_cached_key(rank);
        Some(wanted)
    }

    fn in_view(&self, me: &Entity, id: GroupId, group: &Group) -> bool {
        let margin = if self.sees(id) { VIEW_LINGER_M } else { 0.0 };
        group.key.distance(me.position) <= VIEW_M + margin
    }

    fn sight(&mut self, group: GroupId) -> &mut Sight {
        let index = group as usize;
        if index >= self.sights.len() {
            self.sights.resize(index + 1, Sight::default());
        }
        &mut self.sights[index]
    }

    fn bytes_per_second(subprotocol: Subprotocol) -> u32 {
        match subprotocol {
            Subprotocol::Json => SNAPSHOT_BYTES_PER_SECOND_V1,
            Subprotocol::Binary => SNAPSHOT_BYTES_PER_SECOND_V2,
        }
    }
}

/// Positive for a group whose middle lies where the player looks.
fn ahead(me: &Entity, group: &Group) -> f32 {
    let [x, z] = group.key.cell.map(|cell| (cell as f32 + 0.5) * crate::limits::GROUP_CELL_M);
    (x - me.position.x) * me.aim.x + (z - me.position.z) * me.aim.z
}
