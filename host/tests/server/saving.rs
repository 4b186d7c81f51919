//! Nothing is lost: over a restart, a crash, a second server and a damaged file.

use crate::control_plane::World;
use host::saver::Unsaved;
use host::server::StartError;
use host::subprotocol::Subprotocol;
use rstest::rstest;
use serde_json::{Value, json};
use std::fs;

#[rstest]
fn a_world_goes_on_after_a_restart_with_its_players_where_they_were(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let mut world = World::speaking(speech);
    let (mut client, player) = world.join("kim");
    client.wait_for(101, |snapshot| snapshot["player_state"]["g"] == true);
    // Of changes of what it has, a client hears.
    client.chunk([0, 0, 0]);
    client.terraform([8.0, 1.0, 0.0], 1.0, 7);
    let applied = client.wait_for(106, |_| true);
    let version = chunk_version(&applied, [0, 0, 0]).expect("the hole is there");
    let tick = applied["server_tick"].as_u64().expect("a tick");
    world.restart();
    let (mut client, again) = world.join("kim");
    assert_eq!(again, player, "who comes back soon goes on as the same entity");
    let snapshot = client.wait_for(101, |_| true);
    assert!(snapshot["server_tick"].as_u64().expect("a tick") > tick, "time goes on, too");
    let place = snapshot["player_state"]["p"].clone();
    assert!(place[1].as_f64().expect("a height") < 3.0, "{place}: it stands where it stood, on the ground, and not where players enter");
    assert_eq!(client.chunk([0, 0, 0])["version"].as_u64(), Some(version));
}

#[rstest]
fn who_has_said_goodbye_is_taken_out_and_keeps_its_place(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let mut world = World::speaking(speech);
    let (mut client, player) = world.join("kim");
    client.wait_for(101, |snapshot| snapshot["player_state"]["g"] == true);
    client.send(&json!({"type": 6}));
    client.wait_for_close();
    let (mut ann, _) = world.join("ann");
    ann.wait_for(101, |snapshot| snapshot["entities"].as_array().is_some_and(|all| all.iter().all(|entity| entity["id"] != player)));
    world.restart();
    let (mut client, again) = world.join("kim");
    assert_ne!(again, player, "it had left before the restart");
    let snapshot = client.wait_for(101, |_| true);
    assert!(snapshot["player_state"]["p"][1].as_f64().expect("a height") < 3.0, "{snapshot}");
}

#[rstest]
fn a_server_whose_world_was_taken_over_stops(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let mut world = World::speaking(speech);
    let (mut client, _) = world.join("kim");
    let newer = world.second_server();
    assert_eq!(client.wait_for_close().0, 1001);
    let mut server = world.server.take().expect("it runs");
    assert_eq!(world.runtime.block_on(server.game_loop_ended()), Err(Unsaved::TakenOver));
    assert_eq!(world.runtime.block_on(server.stop()), Err(Unsaved::TakenOver));
    assert_eq!(world.runtime.block_on(newer.stop()), Ok(()));
}

#[rstest]
fn a_damaged_file_is_refused_with_its_name_and_not_half_loaded(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let mut world = World::speaking(speech);
    let (client, _) = world.join("kim");
    drop(client);
    world.stop();
    let mut bytes = fs::read(world.save()).expect("it is there");
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0x55);
    fs::write(world.save(), &bytes).expect("written");
    let error = world.try_start().expect_err("damaged");
    assert!(matches!(error, StartError::File(store::StoreError::Damaged { .. })), "{error}");
    assert!(error.to_string().contains(world.save().to_str().expect("UTF-8")), "{error}");
    assert_eq!(fs::read(world.save()).expect("it is there"), bytes, "nothing was changed");
}

fn chunk_version(applied: &Value, chunk: [i32; 3]) -> Option<u64> {
    let chunks = applied["affected_chunks"].as_array()?;
    chunks.iter().find(|affected| affected["chunk_id"] == json!(chunk))?["new_version"].as_u64()
}
