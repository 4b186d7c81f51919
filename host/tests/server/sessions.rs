//! Comings and goings: one session a player, goodbyes, and clients that do not read.

use crate::client::Client;
use crate::control_plane::World;
use serde_json::json;
use tokio::net::TcpSocket;

#[test]
fn a_newer_session_takes_over() {
    let world = World::start();
    let (mut watcher, _) = world.join("ann");
    let (mut older, older_player) = world.join("kim");
    watcher.wait_for(110, |joined| joined["entity_id"] == older_player);
    let (_newer, newer_player) = world.join("kim");
    assert_ne!(older_player, newer_player);
    assert_eq!(older.wait_for_close(), (1008, "taken over by a newer session".into()));
    watcher.wait_for(111, |left| left["entity_id"] == older_player && left["username"] == "kim");
    let spawn = watcher.wait_for(102, |spawn| spawn["entity_id"] == newer_player);
    assert_eq!(spawn["properties"], json!({"name": "kim", "hm": 100}));
}

#[test]
fn others_hear_when_a_player_leaves() {
    let world = World::start();
    let (mut watcher, _) = world.join("ann");
    for farewell in ["disconnect", "vanish"] {
        let (mut leaver, player) = world.join("kim");
        watcher.wait_for(102, |spawn| spawn["entity_id"] == player);
        if farewell == "disconnect" {
            leaver.send(&json!({"type": 6}));
            assert_eq!(leaver.wait_for_close(), (1000, "goodbye".into()));
        }
        drop(leaver);
        watcher.wait_for(111, |left| left["entity_id"] == player);
        watcher.wait_for(103, |despawn| despawn["entity_id"] == player && despawn["reason"] == "left");
    }
}

#[test]
fn a_client_that_never_reads_is_disconnected_and_the_others_play_on() {
    let world = World::start();
    let (mut watcher, _) = world.join("ann");
    // A small receive buffer, which the kernel does not let grow, fills soon.
    let stream = world.runtime.block_on(async {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("a socket option");
        socket.connect(world.address()).await.expect("the server listens").into_std().expect("a socket")
    });
    stream.set_nonblocking(false).expect("a socket option");
    let client = Client::over(stream, None).expect("the upgrade is granted").0;
    let (mut deaf, player) = world.join_over(client, "kim");
    let mut tick = 0;
    // Refused casts are answered one by one; each round stays within the message rate.
    for _round in 0..60 {
        for _ in 0..250 {
            let cast = json!({
                "type": 7, "spell_id": format!("s{}", "x".repeat(63)), "revision_id": "", "target_position": [0, 1, 0], "target_entity_id": 0,
                "extra_params": {},
            });
            if deaf.socket.send(tungstenite::Message::text(cast.to_string())).is_err() {
                break;
            }
        }
        let mut left = false;
        loop {
            let message = watcher.next();
            left |= message["type"] == 111 && message["entity_id"] == player;
            let now = message["server_tick"].as_u64().unwrap_or(0);
            if left || now >= tick + 30 {
                tick = tick.max(now);
                break;
            }
        }
        if left {
            watcher.wait_for(101, |_| true);
            return;
        }
    }
    panic!("the client that never reads is still connected");
}

#[test]
fn a_stopping_server_says_goodbye() {
    let mut world = World::start();
    let (mut client, _) = world.join("kim");
    let address = world.address();
    world.stop();
    assert_eq!(client.wait_for_close(), (1001, "server is stopping".into()));
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens any more");
}
