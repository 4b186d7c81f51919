//! Chunks over v2: they come by themselves as far as credits go, and a client keeps its copies right by what it is told of edits.

use crate::client::{Client, DEADLINE};
use crate::control_plane::World;
use host::limits::STREAM_DISTANCE_CHUNKS;
use host::subprotocol::Subprotocol;
use protocol::client::{ChunkRequest, TerraformOp, TerraformRequest};
use protocol::limits::CHUNK_CREDITS_MAX;
use protocol::server::{AffectedChunk, ErrorCode};
use protocol::{ClientMessage, ServerMessage, v2};
use sim::voxel::{CHUNK_VOXELS, Chunk};
use std::collections::BTreeMap;
use std::time::Instant;
use tungstenite::Message;

/// What no edit changes.
const BEDROCK: u8 = 9;

/// A client that keeps chunks as docs/protocol.md tells it to.
struct Land {
    client: Client,
    /// Copies that are right, with their versions.
    copies: BTreeMap<[i32; 3], (u64, Box<[u8; CHUNK_VOXELS]>)>,
    /// Chunks in the order in which they came.
    came: Vec<[i32; 3]>,
    /// Edits that were told, by their author's number, with the chunks that were told of.
    edits: Vec<(u32, Vec<AffectedChunk>)>,
    errors: Vec<ErrorCode>,
    snapshots: usize,
    /// How often a copy was right after an edit, and how often it was wrong or none.
    right: usize,
    wrong: usize,
}

impl Land {
    fn join(world: &World, name: &str) -> Self {
        let (copies, came, edits, errors) = Default::default();
        Self { client: world.join(name).0, copies, came, edits, errors, snapshots: 0, right: 0, wrong: 0 }
    }

    fn send(&mut self, message: &ClientMessage) {
        self.client.socket.send(Message::binary(v2::encode_client(message))).expect("the connection takes the message");
    }

    fn give(&mut self, credits: u32) {
        self.send(&ClientMessage::ChunkCredits(credits));
    }

    fn ask(&mut self, chunk_id: [i32; 3], last_known_version: u64) {
        self.send(&ClientMessage::Chunk(ChunkRequest { chunk_id, last_known_version }));
    }

    fn edit(&mut self, op: TerraformOp, center: [f32; 3], radius: f32, material_id: u8, number: u32) {
        self.send(&ClientMessage::Terraform(TerraformRequest { op, center, radius, material_id, client_sequence_id: number }));
    }

    /// Takes in what comes until this holds.
    fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            assert!(began.elapsed() < DEADLINE, "{what} did not come in time");
            let Message::Binary(frame) = self.client.socket.read().expect("the connection lasts") else { continue };
            match v2::decode_server(&frame).expect("a frame of ours") {
                v2::Frame::Chunk(chunk) => self.take(chunk),
                v2::Frame::Message(ServerMessage::TerraformApplied {
                    op_type,
                    center,
                    radius,
                    material_id,
                    affected_chunks,
                    client_sequence_id,
                    ..
                }) => {
                    for changed in &affected_chunks {
                        self.apply(changed, |voxel, at| edited(voxel, at, op_type, center, radius, material_id));
                    }
                    self.edits.push((client_sequence_id, affected_chunks));
                }
                v2::Frame::Message(ServerMessage::Error { error_code, .. }) => self.errors.push(error_code),
                v2::Frame::Message(_) => {}
                v2::Frame::Snapshot(_) => self.snapshots += 1,
            }
        }
    }

    /// Lets half a second of the world pass: time for whatever was on its way.
    fn settle(&mut self) {
        let then = self.snapshots + 10;
        self.until("snapshots", |land| land.snapshots == then);
    }

    fn take(&mut self, chunk: v2::Chunk) {
        let canonical = Chunk::from_voxels(&chunk.voxels, chunk.version);
        assert_eq!(canonical.hash(), chunk.hash, "{:?} is what it says", chunk.chunk_id);
        self.came.push(chunk.chunk_id);
        let version = u64::from(chunk.version);
        // An older one was overtaken by an edit; the newer was asked for.
        if self.copies.get(&chunk.chunk_id).is_none_or(|(had, _)| *had < version) {
            self.copies.insert(chunk.chunk_id, (version, chunk.voxels));
        }
    }

    /// Does to a copy what an edit did to the chunk; asks for the chunk when that gives another.
    fn apply(&mut self, changed: &AffectedChunk, edit: impl Fn(u8, [i32; 3]) -> u8) {
        let AffectedChunk { chunk_id, new_version, hash } = *changed;
        let copy = self.copies.get_mut(&chunk_id).filter(|(version, _)| version + 1 == new_version);
        let right = copy.is_some_and(|(version, voxels)| {
            for (index, voxel) in voxels.iter_mut().enumerate() {
                let place = [index % 32, index / 32 % 32, index / 1024];
                *voxel = edit(*voxel, std::array::from_fn(|axis| 32 * chunk_id[axis] + place[axis] as i32));
            }
            *version = new_version;
            Chunk::from_voxels(voxels, 0).hash() == hash
        });
        if right {
            self.right += 1;
        } else {
            self.wrong += 1;
            self.copies.remove(&chunk_id);
            self.ask(chunk_id, 0);
        }
    }

    fn hash(&self, chunk_id: [i32; 3]) -> Option<u64> {
        self.copies.get(&chunk_id).map(|(_, voxels)| Chunk::from_voxels(voxels, 0).hash())
    }
}

/// What a sphere makes of a voxel, as docs/world.md has it.
fn edited(voxel: u8, at: [i32; 3], op: u8, center: [f32; 3], radius: f32, material: u8) -> u8 {
    let [x, y, z]: [f32; 3] = std::array::from_fn(|axis| at[axis] as f32 + 0.5 - center[axis]);
    let inside = x * x + y * y + z * z <= radius * radius;
    match op {
        _ if !inside || voxel == BEDROCK => voxel,
        1 => material,
        2 => 0,
        _ if voxel != 0 => material,
        _ => voxel,
    }
}

/// Numbers that look random and are the same each time, below this.
fn dice() -> impl FnMut(u32) -> u32 {
    let mut state = 7_u64;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32 % below
    }
}

fn column_distance([x, _, z]: [i32; 3]) -> i32 {
    x * x + z * z
}

#[test]
fn chunks_come_by_themselves_the_nearest_first_and_no_more_than_there_are_credits() {
    let world = World::speaking(Subprotocol::Binary);
    let mut kim = Land::join(&world, "kim");
    kim.settle();
    assert_eq!(kim.came.len(), 0, "nothing without credits");
    kim.give(7);
    kim.until("seven chunks", |kim| kim.came.len() == 7);
    kim.settle();
    assert_eq!(kim.came.len(), 7);
    kim.give(CHUNK_CREDITS_MAX);
    kim.until("the whole floor", |kim| kim.came.len() == 25);
    kim.settle();
    assert_eq!((kim.came.len(), kim.copies.len()), (25, 25), "each once, and no air");
    assert!(kim.came.is_sorted_by_key(|chunk| column_distance(*chunk)), "{:?}", kim.came);
    assert!(column_distance(kim.came[24]) <= STREAM_DISTANCE_CHUNKS * STREAM_DISTANCE_CHUNKS);
}

#[test]
fn credits_and_requests_out_of_range_are_refused() {
    let world = World::speaking(Subprotocol::Binary);
    let mut kim = Land::join(&world, "kim");
    for credits in [0, CHUNK_CREDITS_MAX + 1, u32::MAX] {
        kim.give(credits);
    }
    for chunk_id in [[i32::MIN; 3], [i32::MAX, 0, 0], [0, 31_251, 0]] {
        kim.ask(chunk_id, 0);
    }
    kim.until("six refusals", |kim| kim.errors.len() == 6);
    assert!(kim.errors.iter().all(|code| *code == ErrorCode::BadMessage), "{:?}", kim.errors);
    // The furthest that can be asked for is air, and nobody keeps it up to date.
    kim.ask([31_250, -31_250, 31_250], 5);
    kim.until("air", |kim| kim.copies.contains_key(&[31_250, -31_250, 31_250]));
    assert_eq!(kim.came.len(), 1, "no credits were given");
    // However often they are given, no more are kept.
    (0..200).for_each(|_| kim.give(CHUNK_CREDITS_MAX));
    kim.until("the floor", |kim| kim.came.len() == 26);
}

#[test]
fn a_client_that_applies_edits_itself_has_the_same_ground() {
    let world = World::speaking(Subprotocol::Binary);
    let (mut kim, mut ann) = (Land::join(&world, "kim"), Land::join(&world, "ann"));
    for land in [&mut kim, &mut ann] {
        // As many as there are: what edits put below the floor does not come.
        land.give(25);
        land.until("the floor", |land| land.copies.len() == 25);
    }
    let mut dice = dice();
    let mut coordinate = |from: f32, steps: u32| from + dice(steps) as f32 / 1_000.0;
    // Far from the players, among whom nothing is put, and from the spawn, which is protected; as many as may come at once.
    for number in 1..=20 {
        let center = [coordinate(10.0, 14_000), coordinate(0.0, 4_000), coordinate(-6.0, 12_000)];
        let (radius, material) = (1.0 + coordinate(0.0, 4_000), 1 + number as u8 % 7);
        let op = [TerraformOp::Add, TerraformOp::Subtract, TerraformOp::Paint][number as usize % 3];
        kim.edit(op, center, radius, material, number);
    }
    kim.until("the edits", |kim| kim.edits.len() == 20);
    // Of an edit that changes nothing only its author hears.
    let changes = kim.edits.iter().filter(|(_, chunks)| !chunks.is_empty()).cloned().collect::<Vec<_>>();
    ann.until("the changes", |ann| ann.edits == changes);
    for land in [&kim, &ann] {
        assert!(land.errors.is_empty(), "{:?}", land.errors);
        assert_eq!((land.wrong, land.came.len()), (0, 25), "no chunk had to be sent again");
        assert!(land.right >= 20, "{} chunks changed", land.right);
    }
    let mut bob = Land::join(&world, "bob");
    bob.give(CHUNK_CREDITS_MAX);
    bob.until("the floor", |bob| kim.came.iter().all(|chunk| bob.copies.contains_key(chunk)));
    for chunk in kim.came.clone() {
        assert_eq!((kim.hash(chunk), ann.hash(chunk)), (bob.hash(chunk), bob.hash(chunk)), "{chunk:?}");
    }
}

#[test]
fn a_wrong_copy_is_found_by_its_hash_and_sent_whole() {
    let world = World::speaking(Subprotocol::Binary);
    let mut kim = Land::join(&world, "kim");
    kim.give(CHUNK_CREDITS_MAX);
    kim.until("the floor", |kim| kim.copies.len() == 25);
    kim.copies.get_mut(&[0, 0, 0]).expect("a copy").1[31] = 4;
    kim.edit(TerraformOp::Add, [16.5, 3.5, 16.5], 1.5, 2, 1);
    kim.until("the edit", |kim| kim.edits.len() == 1);
    assert_eq!((kim.wrong, kim.hash([0, 0, 0])), (1, None));
    kim.until("the chunk", |kim| kim.copies.contains_key(&[0, 0, 0]));
    assert_eq!((kim.hash([0, 0, 0]), kim.copies[&[0, 0, 0]].0), (Some(kim.edits[0].1[0].hash), 2));
    // And goes on from there.
    kim.edit(TerraformOp::Subtract, [16.5, 3.5, 16.5], 1.5, 0, 2);
    kim.until("the edit", |kim| kim.edits.len() == 2);
    assert_eq!((kim.wrong, kim.right), (1, 1));
}

#[test]
fn of_edits_one_hears_as_far_as_one_has_the_chunks() {
    let world = World::speaking(Subprotocol::Binary);
    let (mut kim, mut ann) = (Land::join(&world, "kim"), Land::join(&world, "ann"));
    ann.ask([0, 0, 0], 0);
    ann.until("the chunk", |ann| ann.copies.len() == 1);
    kim.edit(TerraformOp::Add, [16.5, 3.5, -16.5], 1.5, 2, 1);
    kim.edit(TerraformOp::Add, [16.5, 3.5, 0.5], 1.5, 2, 2);
    kim.until("both", |kim| kim.edits.len() == 2);
    assert!(kim.edits.iter().all(|(_, chunks)| chunks.is_empty()), "one's own edits, though one has no chunks: {:?}", kim.edits);
    ann.until("the second", |ann| !ann.edits.is_empty());
    let told: Vec<(u32, Vec<[i32; 3]>)> =
        ann.edits.iter().map(|(number, chunks)| (*number, chunks.iter().map(|changed| changed.chunk_id).collect())).collect();
    assert_eq!(told, [(2, vec![[0, 0, 0]])]);
}

#[test]
fn what_is_built_into_the_air_is_sent_to_who_did_not_have_that() {
    let world = World::speaking(Subprotocol::Binary);
    let mut kim = Land::join(&world, "kim");
    kim.give(25);
    kim.until("the floor", |kim| kim.copies.len() == 25);
    kim.give(1);
    kim.edit(TerraformOp::Add, [10.5, -10.5, 10.5], 1.5, 2, 1);
    kim.until("a new chunk", |kim| kim.copies.contains_key(&[0, -1, 0]));
    assert_eq!((kim.came.len(), kim.copies[&[0, -1, 0]].0), (26, 1));
}
