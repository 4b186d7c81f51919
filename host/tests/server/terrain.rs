//! The ground over the wire: changing it, hearing of changes, and fetching chunks.

use crate::client::Client;
use crate::control_plane::World;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::read::GzDecoder;
use host::subprotocol::Subprotocol;
use rstest::rstest;
use serde_json::{Value, json};
use std::io::Read;

fn terraform(client: &mut Client, op: u8, center: [f32; 3], radius: f32, sequence: u32) {
    client.send(&json!({"type": 3, "op_type": op, "center": center, "radius": radius, "material_id": 2, "client_sequence_id": sequence}));
}

fn ask(client: &mut Client, chunk: [i32; 3], version: u32) {
    client.send(&json!({"type": 4, "chunk_id": chunk, "last_known_version": version}));
}

fn voxels(data: &Value) -> Vec<u8> {
    assert_eq!(data["compressed"], true);
    let packed = BASE64_STANDARD.decode(data["data"].as_str().expect("text")).expect("base64");
    let mut voxels = Vec::new();
    GzDecoder::new(&*packed).read_to_end(&mut voxels).expect("gzip");
    assert_eq!(voxels.len(), 32_768);
    voxels
}

#[rstest]
fn a_change_is_told_to_all_and_seen_in_the_chunk(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let world = World::speaking(speech);
    let (mut kim, _) = world.join("kim");
    let (mut ann, _) = world.join("ann");
    // Over v2 one hears of changes of what one has.
    for client in [&mut kim, &mut ann] {
        assert_eq!(client.chunk([0, 0, -1])["version"], 1);
    }
    terraform(&mut kim, 1, [12.5, 2.5, -8.5], 0.6, 41);
    for client in [&mut kim, &mut ann] {
        let applied = client.wait_for(106, |_| true);
        assert_eq!(applied["client_sequence_id"], 41);
        assert_eq!(applied["affected_chunks"], json!([{"chunk_id": [0, 0, -1], "new_version": 2}]));
        assert_eq!((&applied["op_type"], &applied["radius"], &applied["center"]), (&json!(1), &json!(0.6), &json!([12.5, 2.5, -8.5])));
    }
    ask(&mut ann, [0, 0, -1], 1);
    let chunk = ann.wait_for(107, |_| true);
    assert_eq!((&chunk["chunk_id"], &chunk["version"]), (&json!([0, 0, -1]), &json!(2)));
    let voxels = voxels(&chunk);
    assert_eq!((voxels[12 + 32 * 2 + 1024 * 23], voxels[12 + 1024 * 23]), (2, 1), "the new voxel over the floor");
}

#[rstest]
fn a_known_version_is_answered_with_nothing_and_air_with_version_0(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let world = World::speaking(speech);
    let (mut kim, _) = world.join("kim");
    ask(&mut kim, [0, 0, 0], 1);
    ask(&mut kim, [-9, 3, 31_250], 0);
    ask(&mut kim, [-9, 3, 7], 5);
    let chunk = kim.wait_for(107, |_| true);
    assert_eq!((&chunk["chunk_id"], &chunk["version"]), (&json!([-9, 3, 7]), &json!(0)), "the first that has something new");
    assert!(voxels(&chunk).iter().all(|voxel| *voxel == 0));
}

#[rstest]
fn what_the_world_refuses_only_who_asked_hears_in_words(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let world = World::speaking(speech);
    let (mut kim, _) = world.join("kim");
    let cases = [
        (1, [0.0, 1.0, 60.0], 2.0, 403, "terraforming 1 refused: "),
        (2, [0.5, 0.5, 0.5], 2.0, 403, "terraforming 2 refused: 0.0 m from the spawn, which is protected up to 4 m"),
        (3, [12.0, 0.5, 0.5], 0.25, 400, "terraforming 3 refused: a radius of 0.25 m, and 0.5 m is the limit"),
    ];
    for (sequence, center, radius, code, words) in cases {
        terraform(&mut kim, 2, center, radius, sequence);
        let error = kim.wait_for(109, |_| true);
        assert_eq!(error["error_code"], code);
        assert!(error["message"].as_str().expect("text").starts_with(words), "{error}");
    }
    for sequence in 10..60 {
        terraform(&mut kim, 2, [12.0, 0.5, 0.5], 1.0, sequence);
    }
    assert_eq!(kim.wait_for(109, |_| true)["error_code"], 429);
}

#[rstest]
fn so_many_chunks_a_second_and_no_more(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let world = World::speaking(speech);
    let (mut kim, _) = world.join("kim");
    for n in 0..100 {
        ask(&mut kim, [n % 5 - 2, 0, n / 5 % 5 - 2], 0);
    }
    assert_eq!(kim.wait_for(109, |_| true)["error_code"], 429);
    kim.ping(3);
    kim.wait_for(108, |pong| pong["client_time"] == 3);
}
