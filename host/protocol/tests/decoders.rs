//! What any bytes cost. A decoder of v2's messages answers, and takes no more memory than twice what it was given, and what an error's words take; a cast's parameters,
//! a kilobyte at most, are JSON, whose tree takes more; a chunk has its 32,768 voxels, though seven bytes can say them. A snapshot's list of groups takes up to 48 times as much, for a group is two bytes at least. Only a reader of snapshots makes more than it is given, for an entity that has not changed is a
//! fraction of a bit: for each group in the snapshot, at most [`GROUP_ENTITIES_MAX`] entities.

use protocol::limits::{
    BASELINES_MAX, CAST_PARAMS_BYTES_MAX, CHUNK_BYTES_MAX, GROUP_ENTITIES_MAX, SNAPSHOT_BYTES_MAX, SNAPSHOT_GROUPS_MAX,
};
use protocol::v2::{BadSnapshot, EntityState, Frame, GroupPart, OwnState, Reader, Rotation, Snapshot, group};
use protocol::{v1, v2};
use serde_json::Value;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts what this thread holds, and the most that it held.
struct Counting;

thread_local! {
    static HELD: Cell<[isize; 2]> = const { Cell::new([0; 2]) };
}

fn count(bytes: isize) {
    HELD.with(|held| {
        let [now, most] = held.get();
        held.set([now + bytes, most.max(now + bytes)]);
    });
}

// SAFETY: everything is passed on to the system's allocator as it came.
#[allow(unsafe_code, reason = "an allocator cannot be written without")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes for the words of an error, and for the smallest list.
const WORDS: usize = 512;
/// A server's message of chunks that have changed.
const TERRAFORM_APPLIED: [u8; 2] = [1, 5];
/// Of such a chunk 32 bytes are held for 5 at least, and thrice so many while the list grows.
const LIST_TIMES: usize = 20;
/// What a group takes in a snapshot's list while that grows, by the two bytes that it is at least.
const GROUP_TIMES: usize = 3 * size_of::<GroupPart<'_>>() / 2;
/// What JSON's tree takes: `{"":0},` becomes an object with room for eleven members. Of the longest message of v1, 2 MiB.
const JSON_TIMES: usize = 128;
/// What an entity takes: in its group's state while that grows and once it is shared, and in the list of all while that grows.
const ENTITY_BYTES: usize = 8 * size_of::<EntityState>();
/// What a group takes beside its entities: its parts, its place in the reader, and the list of its states.
const GROUP_BYTES: usize = 2_048;

/// The first byte of a client's cast.
const CAST: u8 = 6;
/// The first byte of a chunk.
const CHUNK: u8 = 2;

/// The most that was held beyond what was held before.
fn most_held<T>(work: impl FnOnce() -> T) -> (usize, T) {
    HELD.with(|held| held.set([0; 2]));
    let result = work();
    (usize::try_from(HELD.with(Cell::get)[1]).expect("not negative"), result)
}

/// As Knuth's MMIX: the same numbers on every machine.
fn next(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 24) as usize
}

/// Cut, lengthened, noise from the start, or only some bytes of it changed.
fn damage(bytes: &mut Vec<u8>, state: &mut u64) {
    match next(state) % 4 {
        0 => bytes.truncate(next(state) % (bytes.len() + 1)),
        1 => bytes.extend((0..next(state) % 16).map(|n| (n * 37) as u8)),
        2 => bytes.iter_mut().for_each(|byte| *byte = next(state) as u8),
        _ => {}
    }
    for _ in 0..next(state) % 4 {
        let index = next(state) % bytes.len().max(1);
        if let Some(byte) = bytes.get_mut(index) {
            *byte = next(state) as u8;
        }
    }
}

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../docs/protocol/v2_vectors.json")).expect("JSON")
}

fn bytes_of(vector: &Value) -> Vec<u8> {
    hex::decode(vector["hex"].as_str().expect("text")).expect("hex")
}

fn list<'a>(vectors: &'a Value, key: &str) -> &'a [Value] {
    vectors[key].as_array().expect("a list")
}

#[test]
fn a_million_damaged_messages_are_answered_within_a_multiple_of_their_size() {
    let vectors = vectors();
    let snapshots = vectors["sequences"].as_object().expect("by name").values().flat_map(|frames| frames.as_array().expect("a list"));
    let messages = ["client_messages", "server_messages", "chunks", "refused"].iter().flat_map(|key| list(&vectors, key));
    let seeds: Vec<Vec<u8>> = messages.chain(snapshots.step_by(5)).map(bytes_of).collect();
    let mut state = 7;
    let mut decoded = [0_u32; 3];
    for round in 0..1_000_000_u32 {
        let mut bytes = seeds[next(&mut state) % seeds.len()].clone();
        damage(&mut bytes, &mut state);
        let (client, ok) = most_held(|| v2::decode_client(&bytes).is_ok());
        decoded[0] += u32::from(ok);
        let (server, ok) = most_held(|| v2::decode_server(&bytes).is_ok());
        decoded[1] += u32::from(ok);
        let (snapshot, ok) = most_held(|| Snapshot::decode(bytes.get(1..).unwrap_or_default()).is_ok());
        decoded[2] += u32::from(ok);
        let size = bytes.len();
        let params = if bytes.first() == Some(&CAST) { JSON_TIMES * size.min(CAST_PARAMS_BYTES_MAX) } else { 0 };
        // A chunk is what it is however few bytes say it: its palette with indices, and its voxels.
        let chunk = if bytes.first() == Some(&CHUNK) { 2 * CHUNK_BYTES_MAX } else { 0 };
        let list = if bytes.starts_with(&TERRAFORM_APPLIED) { LIST_TIMES * size } else { 0 };
        assert!(
            client <= 2 * size + WORDS + params && server <= 2 * size + WORDS + chunk + list,
            "round {round}: {client}, {server} bytes for {size}"
        );
        assert!(snapshot <= GROUP_TIMES * size + WORDS, "round {round}: {snapshot} bytes for {size}");
    }
    assert!(decoded.iter().all(|count| *count > 10_000), "some are whole: {decoded:?}");
}

#[test]
fn damaged_messages_of_v1_are_answered_within_what_their_json_takes() {
    let vectors = vectors();
    let messages = list(&vectors, "client_messages").iter().map(|vector| &vector["value"]);
    let seeds: Vec<Vec<u8>> = messages.map(|value| value.get(0).unwrap_or(value).to_string().into_bytes()).collect();
    let (mut state, mut decoded) = (8, 0);
    for round in 0..200_000_u32 {
        let mut bytes = seeds[next(&mut state) % seeds.len()].clone();
        damage(&mut bytes, &mut state);
        let text = String::from_utf8_lossy(&bytes);
        let (most, ok) = most_held(|| v1::decode_client(&text).is_ok());
        decoded += u32::from(ok);
        assert!(most <= JSON_TIMES * text.len() + WORDS, "round {round}: {most} bytes for {}", text.len());
    }
    assert!(decoded > 10_000, "some are whole: {decoded}");
    // The costliest: many small values.
    for text in [format!("[{}0]", "0,".repeat(8_000)), format!("[{}0]", "{\"\":0},".repeat(2_000))] {
        let (most, refused) = most_held(|| v1::decode_client(&text).is_err());
        assert!(refused && most <= JSON_TIMES * text.len(), "{most} bytes for {}", text.len());
    }
}

#[test]
fn damaged_snapshots_make_no_more_than_full_groups() {
    let vectors = vectors();
    let (mut state, mut read) = (9, [0_u32; 2]);
    for (name, frames) in vectors["sequences"].as_object().expect("by name") {
        let frames: Vec<Vec<u8>> = frames.as_array().expect("a list").iter().map(bytes_of).collect();
        for round in 0..1_500 {
            let mut reader = Reader::default();
            for whole in &frames {
                let mut bytes = whole[1..].to_vec();
                if next(&mut state).is_multiple_of(2) {
                    damage(&mut bytes, &mut state);
                }
                let groups = Snapshot::decode(&bytes).map_or(0, |snapshot| snapshot.groups.len());
                let (most, view) = most_held(|| reader.read(&bytes));
                let bound = GROUP_TIMES * bytes.len() + WORDS + groups * (GROUP_BYTES + GROUP_ENTITIES_MAX * ENTITY_BYTES);
                assert!(most <= bound, "{name}, round {round}: {most} bytes, and {bound} are allowed");
                match view {
                    Ok(view) => {
                        read[0] += 1;
                        assert!(view.entities.len() <= groups * GROUP_ENTITIES_MAX, "{name}, round {round}");
                    }
                    Err(_) => read[1] += 1,
                }
            }
        }
    }
    assert!(read.iter().all(|count| *count > 10_000), "some are whole, some are none: {read:?}");
}

/// Whatever bases there are, and whatever ticks lie between them.
#[test]
fn noise_makes_no_more_than_one_full_group() {
    let mut state = 10;
    let mut decoded = [0_u32; 2];
    for round in 0..200_000_u32 {
        let mut noise = || next(&mut state);
        let mut entities = |members: usize| -> Vec<EntityState> {
            let axis = |n: usize| (n % (1 << 24)) as i32 - (1 << 23);
            let other = |n: usize| (n % 723) as i16 - 361;
            (0..members as u64)
                .map(|id| EntityState {
                    id,
                    kind: (noise() % 4 + 1) as u8,
                    position: [(); 3].map(|()| axis(noise())),
                    rotation: Rotation { largest: (noise() % 4) as u8, others: [(); 3].map(|()| other(noise())) },
                    health: noise() as u16,
                })
                .collect()
        };
        let members = round as usize % (GROUP_ENTITIES_MAX + 1);
        let (base, before) = (entities(members), entities(members));
        let [age, span] = [(); 2].map(|()| (noise() as u32) >> (noise() % 32));
        let bytes: Vec<u8> = (0..noise() % 200).map(|_| noise() as u8).collect();
        let bases = group::Bases::new(Some(&base), age, Some(&before), span);
        let (most, states) = most_held(|| group::decode(&bytes, &bases));
        assert!(most <= GROUP_ENTITIES_MAX * ENTITY_BYTES, "round {round}: {most} bytes");
        match states {
            Ok(states) => {
                decoded[0] += 1;
                assert!(states.len() <= GROUP_ENTITIES_MAX && states.is_sorted_by(|a, b| a.id < b.id), "round {round}");
                // Not those of a known id and another kind, for one: nobody could have told them.
                assert_eq!(group::decode(&group::encode(&states, &bases), &bases), Ok(states), "round {round}");
            }
            Err(_) => decoded[1] += 1,
        }
    }
    assert!(decoded.iter().all(|count| *count > 1_000), "some are whole, some are none: {decoded:?}");
}

/// The most that a server can make a client keep: 4,096 groups of 64 entities, 32 states of each.
#[test]
fn a_reader_keeps_so_many_states_of_so_many_groups() {
    let own = OwnState { sequence: 0, position: [0.0; 3], velocity: [0.0; 3], grounded: false };
    let read = |reader: &mut Reader, server_tick: u64, groups: std::ops::Range<u32>, age: u32| {
        let groups = groups.map(|group| GroupPart { group, age, span: 0, bytes: &[] }).collect();
        reader.read(&Snapshot { server_tick, own, groups }.encode()[1..])
    };
    let mut reader = Reader::default();
    let most = SNAPSHOT_GROUPS_MAX as u32;
    let last = BASELINES_MAX as u64 + 1;
    for tick in 1..=last {
        read(&mut reader, tick, 0..most, 0).expect("whole");
    }
    read(&mut reader, last + 1, 0..1, BASELINES_MAX as u32).expect("the oldest that it keeps");
    assert_eq!(read(&mut reader, last + 1, 1..2, BASELINES_MAX as u32 + 1), Err(BadSnapshot::Baseline));
    assert_eq!(read(&mut reader, last + 1, 0..most + 1, 0), Err(BadSnapshot::Range("groups")));
    // Those that it has already take no room from others; one more does.
    read(&mut reader, last + 2, 0..most, 1).expect_err("all but one have nothing of the tick before");
    read(&mut reader, last + 2, 1..most, 2).expect("known");
    read(&mut reader, last + 3, most..most + 1, 0).expect("a new one");
    assert_eq!(read(&mut reader, last + 4, 1..2, 2), Err(BadSnapshot::Baseline));
    assert_eq!(reader.read(&vec![0; SNAPSHOT_BYTES_MAX + 1]), Err(BadSnapshot::Range("length")));
}

/// A group that is full takes no other, and one byte of ones does not make it go on for ever.
#[test]
fn a_group_has_no_more_entities_than_it_may() {
    let entity = |id| EntityState { id, kind: 4, position: [0; 3], rotation: Rotation::IDENTITY, health: 0 };
    let most: Vec<EntityState> = (0..GROUP_ENTITIES_MAX as u64).map(entity).collect();
    let more: Vec<EntityState> = (0..=GROUP_ENTITIES_MAX as u64).map(entity).collect();
    let none = group::Bases::default();
    assert_eq!(group::decode(&group::encode(&most, &none), &none), Ok(most.clone()));
    assert_eq!(group::decode(&group::encode(&more, &none), &none), Err(BadSnapshot::Range("entities")));
    let full = group::Bases::new(Some(&most), 3, None, 0);
    assert_eq!(group::decode(&group::encode(&more, &full), &full), Err(BadSnapshot::Range("entities")));
    let mut reader = Reader::default();
    let frame = [&[0_u8, 5, 2, 0, 0, 0, 0, 0, 0, 2][..], &[16], &[0xff; 16]].concat();
    let Ok(Frame::Snapshot(body)) = v2::decode_server(&frame) else { panic!("a snapshot by its first byte") };
    assert!(matches!(reader.read(body), Err(BadSnapshot::Range(_))));
}
