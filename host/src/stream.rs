//! The chunks that a client is sent unasked, the nearest first, as long as it takes some; and those that it has, whose changes it is told.

use crate::limits::{STREAM_CHUNKS_PER_TICK, STREAM_DISTANCE_CHUNKS, STREAM_LINGER_CHUNKS, STREAM_LOOK_TICKS};
use protocol::limits::CHUNK_CREDITS_MAX;
use sim::scene::Entity;
use sim::voxel::{Chunk, ChunkId, Terrain, chunk_of, voxel_of};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

/// One client's.
#[derive(Debug, Default)]
pub struct Stream {
    /// Chunks that may still be sent unasked.
    credits: u32,
    /// Those that the client has. All of them are near: the others are forgotten.
    sent: BTreeSet<ChunkId>,
    /// Those that it is to have, the most urgent last.
    queue: Vec<ChunkId>,
    /// Where its player is; before that is known, everything counts as near.
    here: Option<ChunkId>,
    /// How many chunks the world had when the queue was made; `None` when it was made for another place.
    looked: Option<usize>,
    /// The tick from which on it may be made anew.
    look_tick: u64,
}

impl Stream {
    /// The client takes so many more.
    pub fn give(&mut self, credits: u32) {
        self.credits = self.credits.saturating_add(credits).min(CHUNK_CREDITS_MAX);
    }

    /// Whether the client has the chunk, and is told of its changes.
    pub fn has(&self, id: ChunkId) -> bool {
        self.sent.contains(&id)
    }

    /// The client gets the chunk because it has asked. One that is far away is not kept up to date.
    pub fn note(&mut self, id: ChunkId) {
        if self.is_near(id, STREAM_LINGER_CHUNKS) {
            self.sent.insert(id);
        }
    }

    /// A chunk that the client does not have has changed: where that is in view, it is what is sent next.
    pub fn missed(&mut self, id: ChunkId) {
        if self.is_near(id, 0) && !self.queue.contains(&id) {
            self.queue.push(id);
        }
    }

    /// Sends some chunks, if the client takes any. `send` answers whether there was room.
    pub fn advance(&mut self, me: &Entity, tick: u64, terrain: &Terrain, mut send: impl FnMut(ChunkId, &Arc<Chunk>) -> bool) {
        let here = chunk_of(voxel_of(me.position));
        if self.here.replace(here) != Some(here) {
            self.sent.retain(|id| is_within(*id, here, STREAM_LINGER_CHUNKS));
            self.queue.retain(|id| is_within(*id, here, 0));
            self.looked = None;
        }
        if self.credits == 0 {
            return;
        }
        // While some wait, also because the player may have turned.
        if tick >= self.look_tick && (self.looked != Some(terrain.len()) || !self.queue.is_empty()) {
            (self.looked, self.look_tick) = (Some(terrain.len()), tick + STREAM_LOOK_TICKS);
            self.look(me, here, terrain);
        }
        for _ in 0..STREAM_CHUNKS_PER_TICK.min(self.credits) {
            // What the client has asked for meanwhile, it has.
            let Some(id) = std::iter::from_fn(|| self.queue.pop()).find(|id| !self.sent.contains(id)) else { break };
            let Some(chunk) = terrain.chunk(id) else { continue };
            if !send(id, chunk) {
                self.queue.push(id);
                break;
            }
            self.sent.insert(id);
            self.credits -= 1;
        }
    }

    /// Queues what is in view and not sent: by the distance of its column, of one distance those that the player looks at first.
    fn look(&mut self, me: &Entity, here: ChunkId, terrain: &Terrain) {
        let wanted = |id: &ChunkId| !self.sent.contains(id) && terrain.chunk(*id).is_some_and(|chunk| !chunk.is_air());
        let mut queue: Vec<ChunkId> = view(here).filter(wanted).collect();
        queue.sort_by_cached_key(|id| {
            let way: [i32; 3] = std::array::from_fn(|axis| id.0[axis] - here.0[axis]);
            let ahead: f32 = way.iter().zip(me.aim.to_array()).map(|(way, aim)| *way as f32 * aim).sum();
            Reverse((way[0] * way[0] + way[2] * way[2], way[1].abs(), Reverse((ahead * 1e3) as i32)))
        });
        self.queue = queue;
    }

    fn is_near(&self, id: ChunkId, margin: i32) -> bool {
        self.here.is_none_or(|here| is_within(id, here, margin))
    }
}

/// The chunks that are seen from this one.
fn view(here: ChunkId) -> impl Iterator<Item = ChunkId> {
    let near = || -STREAM_DISTANCE_CHUNKS..=STREAM_DISTANCE_CHUNKS;
    let ways = near().flat_map(move |x| near().flat_map(move |y| near().map(move |z| [x, y, z])));
    ways.map(move |way| ChunkId(std::array::from_fn(|axis| here.0[axis] + way[axis]))).filter(move |id| is_within(*id, here, 0))
}

/// Columns are seen in a circle, as far up and down as to the sides.
fn is_within(id: ChunkId, here: ChunkId, margin: i32) -> bool {
    let far = i64::from(STREAM_DISTANCE_CHUNKS + margin);
    let [x, y, z]: [i64; 3] = std::array::from_fn(|axis| i64::from(id.0[axis]) - i64::from(here.0[axis]));
    x * x + z * z <= far * far && y.abs() <= far
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim::{Inbound, NoSpells, Vec3, World, step};

    /// A player at this x, who looks there.
    fn player(x: f32, aim: Vec3) -> Entity {
        let mut world = World::empty(1);
        let join = Inbound::Join { token: 1, account: "kim".into(), username: "kim".into() };
        step(&mut world, &[join], &mut NoSpells, &mut |_| ());
        let kim = world.players().find_map(|id| world.scene().entity(id)).expect("kim is in");
        Entity { position: Vec3::new(x, 2.0, 16.0), aim, ..kim.clone() }
    }

    /// What is sent in this tick.
    fn sent(stream: &mut Stream, me: &Entity, tick: u64, terrain: &Terrain) -> Vec<[i32; 3]> {
        let mut sent = Vec::new();
        stream.advance(me, tick, terrain, |id, _| {
            sent.push(id.0);
            true
        });
        sent
    }

    /// In so many ticks, with new credits in each.
    fn streamed(stream: &mut Stream, me: &Entity, ticks: std::ops::Range<u64>, terrain: &Terrain) -> Vec<[i32; 3]> {
        let all = ticks.map(|tick| {
            stream.give(CHUNK_CREDITS_MAX);
            sent(stream, me, tick, terrain)
        });
        all.flatten().collect()
    }

    #[test]
    fn credits_are_kept_up_to_a_limit_and_bound_what_is_sent() {
        let (me, terrain) = (player(16.0, Vec3::NEG_Z), Terrain::floor_over(-9..=9));
        let mut stream = Stream::default();
        assert!(sent(&mut stream, &me, 0, &terrain).is_empty());
        (0..9).for_each(|_| stream.give(CHUNK_CREDITS_MAX));
        let in_ticks: Vec<usize> = (1..100).map(|tick| sent(&mut stream, &me, tick, &terrain).len()).collect();
        assert_eq!(in_ticks.iter().sum::<usize>(), CHUNK_CREDITS_MAX as usize);
        assert_eq!(in_ticks.iter().max(), Some(&(STREAM_CHUNKS_PER_TICK as usize)));
    }

    #[test]
    fn the_nearest_come_first_and_ahead_of_others_those_that_are_looked_at() {
        let (me, terrain) = (player(16.0, Vec3::X), Terrain::floor_over(-9..=9));
        let order = streamed(&mut Stream::default(), &me, 0..100, &terrain);
        assert_eq!(order[..5], [[0, 0, 0], [1, 0, 0], [0, 0, 1], [0, 0, -1], [-1, 0, 0]]);
        let distances: Vec<i32> = order.iter().map(|[x, _, z]| x * x + z * z).collect();
        assert!(distances.is_sorted() && distances.last() == Some(&16), "{distances:?}");
        assert_eq!(order.len(), 49, "all in the circle, each once");
    }

    #[test]
    fn air_is_not_sent_until_something_is_put_there() {
        let me = player(16.0, Vec3::X);
        let mut terrain = Terrain::default();
        terrain.insert(ChunkId([0, 0, 0]), Chunk::air());
        let mut stream = Stream::default();
        assert!(streamed(&mut stream, &me, 0..10, &terrain).is_empty());
        terrain.insert(ChunkId([0, 0, 0]), Chunk::filled(|_| 1));
        stream.missed(ChunkId([0, 0, 0]));
        stream.missed(ChunkId([5, 0, 0]));
        assert_eq!(sent(&mut stream, &me, 10, &terrain), [[0, 0, 0]], "at once, and nothing out of view");
    }

    #[test]
    fn chunks_that_are_made_later_are_sent_too() {
        let me = player(16.0, Vec3::X);
        let mut terrain = Terrain::floor_over(0..=0);
        let mut stream = Stream::default();
        assert_eq!(streamed(&mut stream, &me, 0..10, &terrain).len(), 1);
        terrain.insert(ChunkId([2, -1, 0]), Chunk::filled(|_| 1));
        assert_eq!(streamed(&mut stream, &me, 10..10 + STREAM_LOOK_TICKS, &terrain), [[2, -1, 0]]);
    }

    #[test]
    fn what_is_left_behind_is_forgotten_and_sent_again() {
        let terrain = Terrain::floor_over(0..=0);
        let mut stream = Stream::default();
        let chunk = ChunkId([0, 0, 0]);
        assert_eq!(streamed(&mut stream, &player(16.0, Vec3::X), 0..20, &terrain).len(), 1);
        let edge = (STREAM_DISTANCE_CHUNKS + STREAM_LINGER_CHUNKS) as f32 * 32.0;
        assert!(streamed(&mut stream, &player(edge + 16.0, Vec3::X), 20..40, &terrain).is_empty() && stream.has(chunk));
        assert!(streamed(&mut stream, &player(edge + 48.0, Vec3::X), 40..60, &terrain).is_empty() && !stream.has(chunk));
        stream.note(chunk);
        assert!(!stream.has(chunk), "asked for from too far away");
        assert_eq!(streamed(&mut stream, &player(16.0, Vec3::X), 60..80, &terrain).len(), 1);
    }

    #[test]
    fn who_is_gone_for_a_moment_gets_again_what_was_forgotten_meanwhile() {
        let terrain = Terrain::floor_over(0..=0);
        let mut stream = Stream::default();
        let here = player(16.0, Vec3::X);
        assert_eq!(streamed(&mut stream, &here, 0..20, &terrain).len(), 1);
        assert!(streamed(&mut stream, &player(1_000.0, Vec3::X), 20..21, &terrain).is_empty());
        assert_eq!(streamed(&mut stream, &here, 21..40, &terrain).len(), 1);
    }

    #[test]
    fn what_finds_no_room_is_sent_later() {
        let (me, terrain) = (player(16.0, Vec3::X), Terrain::floor_over(0..=0));
        let mut stream = Stream::default();
        stream.give(1);
        stream.advance(&me, 0, &terrain, |_, _| false);
        assert!(!stream.has(ChunkId([0, 0, 0])));
        assert_eq!(sent(&mut stream, &me, 1, &terrain), [[0, 0, 0]]);
    }
}
