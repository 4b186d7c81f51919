//! A game as its connection sees it: chunks that come, edits that are told, and others as they are drawn.

use client_core::{Game, Ray, Received};
use protocol::client::InputFrame;
use protocol::server::{AffectedChunk, Properties};
use protocol::v2::{self, OwnState, Snapshot};
use protocol::{ClientMessage, ServerMessage};
use sim::edit::{Area, Change};
use sim::voxel::{Chunk, ChunkId};
use sim::{Edit, Vec3};

const STAND: InputFrame = InputFrame {
    client_tick: 0,
    server_tick_ack: 0,
    sequence_id: 0,
    movement: [0.0; 3],
    aim_direction: [0.0, 0.0, -1.0],
    sprint: false,
    fire: false,
    interact: false,
    jump: false,
};

/// A game whose player is entity 1.
fn joined() -> Game {
    let mut game = Game::default();
    let (world_id, error) = ("world_00000000".into(), String::new());
    hear(&mut game, &ServerMessage::HandshakeResponse { success: true, server_tick: 0, assigned_entity_id: 1, world_id, error });
    game
}

fn hear(game: &mut Game, message: &ServerMessage) {
    assert!(matches!(game.receive(&v2::encode_server(message), 0.0), Received::Message(_)));
}

fn snapshot(game: &mut Game, tick: u64, position: [f32; 3]) {
    let own = OwnState { sequence: 0, position, velocity: [0.0; 3], grounded: true };
    let frame = Snapshot { server_tick: tick, own, groups: Vec::new() }.encode();
    assert_eq!(game.receive(&frame, tick as f64 * 1_000.0 / 60.0), Received::Taken);
}

fn bring(game: &mut Game, id: ChunkId, chunk: &Chunk) {
    assert_eq!(game.receive(&v2::encode_chunk(id.0, chunk.hash(), &chunk.encode()), 0.0), Received::Taken);
}

fn outgoing(game: &mut Game) -> Vec<ClientMessage> {
    game.outgoing().iter().map(|frame| v2::decode_client(frame).expect("a message of ours")).collect()
}

fn floor() -> Chunk {
    Chunk::filled(|place| u8::from(place.y == 0))
}

/// An edit as the world makes it, and how it is told.
fn dug(chunk: &Chunk, center: [f32; 3]) -> (Chunk, ServerMessage) {
    let edit = Edit { area: Area::Sphere { center: Vec3::from_array(center), radius: 2.0 }, change: Change::Subtract };
    let mut voxels = chunk.to_voxels();
    edit.apply_to(ChunkId([0; 3]), &mut voxels);
    let after = Chunk::from_voxels(&voxels, chunk.version() + 1);
    let affected_chunks = vec![AffectedChunk { chunk_id: [0; 3], new_version: after.version().into(), hash: after.hash() }];
    let told = ServerMessage::TerraformApplied {
        server_tick: 1,
        op_type: 2,
        center,
        radius: 2.0,
        material_id: 0,
        affected_chunks,
        client_sequence_id: 0,
    };
    (after, told)
}

#[test]
fn credits_are_given_and_given_back() {
    let mut game = joined();
    assert_eq!(outgoing(&mut game), [ClientMessage::ChunkCredits(32)]);
    assert_eq!(outgoing(&mut game), []);
    bring(&mut game, ChunkId([0; 3]), &floor());
    bring(&mut game, ChunkId([1, 0, 0]), &floor());
    assert_eq!(outgoing(&mut game), [ClientMessage::ChunkCredits(2)]);
}

#[test]
fn an_edit_that_comes_out_as_told_needs_no_chunk() {
    let mut game = joined();
    bring(&mut game, ChunkId([0; 3]), &floor());
    outgoing(&mut game);
    let (_, told) = dug(&floor(), [5.0, 1.0, 5.0]);
    hear(&mut game, &told);
    assert_eq!((outgoing(&mut game), game.stats().chunks_wrong), (vec![], 0));
    let hole = Ray { start: Vec3::new(5.5, 3.0, 5.5), direction: Vec3::NEG_Y };
    assert!(game.look(hole).is_none(), "one sees through the floor");
}

#[test]
fn a_copy_that_is_wrong_is_asked_for_until_the_right_one_comes() {
    let mut game = joined();
    let strange = Chunk::filled(|place| u8::from(place.y == 0 || place.x == 31));
    bring(&mut game, ChunkId([0; 3]), &strange);
    outgoing(&mut game);
    let (right, told) = dug(&floor(), [5.0, 1.0, 5.0]);
    hear(&mut game, &told);
    let asks = |messages: &[ClientMessage]| messages.iter().filter(|message| matches!(message, ClientMessage::Chunk(_))).count();
    assert_eq!((asks(&outgoing(&mut game)), game.stats().chunks_wrong), (1, 1));
    // No answer, as when too much is asked for at once.
    (1..=21).for_each(|n| snapshot(&mut game, 3 * n, [5.0, 1.9, 5.0]));
    assert_eq!(asks(&outgoing(&mut game)), 1, "again after a second");
    bring(&mut game, ChunkId([0; 3]), &right);
    (22..=60).for_each(|n| snapshot(&mut game, 3 * n, [5.0, 1.9, 5.0]));
    assert_eq!(outgoing(&mut game), [], "what was asked for costs no credit");
}

#[test]
fn what_is_far_is_thrown_away() {
    let mut game = joined();
    snapshot(&mut game, 3, [16.0, 1.9, 16.0]);
    bring(&mut game, ChunkId([0; 3]), &floor());
    bring(&mut game, ChunkId([3, 0, 0]), &floor());
    snapshot(&mut game, 6, [16.0 + 32.0 * 5.0, 1.9, 16.0]);
    assert_eq!(game.stats().chunks, 2, "at the edge they are kept");
    snapshot(&mut game, 9, [16.0 + 32.0 * 6.0, 1.9, 16.0]);
    assert_eq!(game.stats().chunks, 1);
    let stale: Vec<_> = std::iter::from_fn(|| game.next_stale()).map(|(id, volume)| (id.0, volume.is_some())).collect();
    assert_eq!(stale, [([3, 0, 0], true), ([0, 0, 0], false)], "the nearest first, and what is gone is told");
}

#[test]
fn an_edit_at_a_border_is_drawn_on_both_sides() {
    let mut game = joined();
    for id in [[0, 0, 0], [-1, 0, 0], [0, 0, -1], [1, 0, 0]] {
        bring(&mut game, ChunkId(id), &floor());
    }
    let stale = |game: &mut Game| {
        let mut ids: Vec<[i32; 3]> = std::iter::from_fn(|| game.next_stale()).map(|(id, _)| id.0).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(stale(&mut game).len(), 4);
    hear(&mut game, &dug(&floor(), [1.0, 1.0, 16.0]).1);
    assert_eq!(stale(&mut game), [[-1, 0, 0], [0, 0, 0]]);
}

#[test]
fn a_player_without_ground_waits_for_it() {
    let mut game = joined();
    let position = [16.0, 1.9, 16.0];
    snapshot(&mut game, 3, position);
    (0..30).for_each(|_| assert!(game.step(&STAND, 0.0).is_some(), "inputs are sent all the same"));
    let fell = |game: &Game| game.own_motion().position.distance(Vec3::from_array(position));
    assert!(fell(&game) < 1e-3);
    bring(&mut game, ChunkId([0; 3]), &floor());
    assert!(!game.stats().on_known_ground, "more of the column may come");
    bring(&mut game, ChunkId([1, 0, 0]), &floor());
    assert!(game.stats().on_known_ground);
    (0..30).for_each(|_| _ = game.step(&STAND, 0.0));
    assert!(fell(&game) < 1e-3 && game.own_motion().grounded, "and stands on it");
}

#[test]
fn others_are_drawn_in_the_past_and_go_when_their_time_has_come() {
    let mut game = joined();
    let properties = Properties { name: "ann".into(), owner: 0, health_max: 100 };
    let (position, rotation) = ([3.0, 1.9, 0.0], [0.0; 3]);
    hear(&mut game, &ServerMessage::EntitySpawn { server_tick: 30, entity_id: 2, entity_type: 1, position, rotation, properties });
    snapshot(&mut game, 30, [0.0, 1.9, 0.0]);
    let drawn = |game: &mut Game, tick: f64| game.others(tick * 1_000.0 / 60.0, 1.0).map(|drawn| drawn.id).collect::<Vec<_>>();
    assert!(drawn(&mut game, 38.0).is_empty(), "nine ticks behind, ann was not there yet");
    assert_eq!(drawn(&mut game, 39.5), [2]);
    hear(&mut game, &ServerMessage::EntityDespawn { server_tick: 60, entity_id: 2, reason: "left".into() });
    assert_eq!(drawn(&mut game, 60.0), [2]);
    assert!(drawn(&mut game, 69.5).is_empty());
}

#[test]
fn what_is_no_frame_is_refused_and_changes_nothing() {
    let mut game = joined();
    for frame in [&[][..], &[9], &[1, 200], &[2, 1, 2, 3]] {
        assert_eq!(game.receive(frame, 0.0), Received::Unknown, "{frame:?}");
    }
    assert_eq!((game.receive(&[0, 1, 2], 0.0), game.stats().snapshots_lost), (Received::Taken, 1));
}

#[test]
fn an_own_shot_is_drawn_at_once_and_the_servers_copy_of_it_never() {
    let mut game = joined();
    (1..=60).for_each(|n| snapshot(&mut game, 3 * n, [5.0, 10.0, 5.0]));
    let shot =
        |game: &mut Game| game.others(3_000.0, 1.0).filter(|drawn| drawn.kind == 3).map(|drawn| drawn.pose.position).collect::<Vec<_>>();
    game.step(&InputFrame { fire: true, ..STAND }, 3_000.0);
    let here = shot(&mut game);
    assert_eq!(here.len(), 1);
    let properties = Properties { owner: 1, ..Properties::default() };
    let (position, rotation) = (here[0].to_array(), [0.0; 3]);
    hear(
        &mut game,
        &ServerMessage::EntitySpawn { server_tick: 181, entity_id: 9, entity_type: 3, position, rotation, properties: properties.clone() },
    );
    assert_eq!(shot(&mut game).len(), 1, "one and the same");
    // A projectile of the player's that is no shot, and one of somebody else's.
    let aside = Vec3::from_array(position) + Vec3::X * 4.0;
    let other = |entity_id, owner, position: Vec3| {
        let (position, properties) = (position.to_array(), Properties { owner, ..Properties::default() });
        ServerMessage::EntitySpawn { server_tick: 0, entity_id, entity_type: 3, position, rotation, properties }
    };
    hear(&mut game, &other(10, 1, aside));
    hear(&mut game, &other(11, 2, Vec3::from_array(position)));
    assert_eq!(shot(&mut game).len(), 3);
    hear(&mut game, &ServerMessage::EntityDespawn { server_tick: 184, entity_id: 9, reason: "hit".into() });
    assert_eq!(shot(&mut game).len(), 2);
}
