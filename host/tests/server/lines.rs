//! Lines that break, and goodbyes: whose line breaks stands where it was and comes back as the same; who says goodbye, or is sent away, leaves at once.

use crate::client::Client;
use crate::control_plane::World;
use serde_json::{Value, json};
use std::net::Shutdown;

/// What a watcher has been told, up to a tick.
fn told_until(watcher: &mut Client, tick: u64) -> Vec<Value> {
    let mut told = Vec::new();
    loop {
        let message = watcher.next();
        if message["type"] == 101 && message["server_tick"].as_u64() >= Some(tick) {
            return told;
        }
        told.push(message);
    }
}

/// Whether others are told that a player comes or goes.
fn is_coming_or_going(message: &Value, player: u64) -> bool {
    [102, 103, 110, 111].iter().any(|number| message["type"] == *number) && message["entity_id"] == player
}

fn state(snapshot: &Value, entity: u64) -> Option<&Value> {
    snapshot["entities"].as_array().expect("a list").iter().find(|state| state["id"] == entity)
}

fn speed(snapshot: &Value, entity: u64) -> f64 {
    let velocity = &state(snapshot, entity).expect("it is in the world")["v"];
    velocity[0].as_f64().expect("a number").hypot(velocity[2].as_f64().expect("a number"))
}

/// Walks and shoots.
fn busy_input(client: &mut Client, sequence: u32) {
    client.send(&json!({
        "type": 2, "client_tick": 1, "server_tick_ack": 1, "sequence_id": sequence, "movement": [1, 0, 0], "aim_direction": [0, 0, -1],
        "sprint": false, "fire": true, "interact": false, "jump": false,
    }));
}

#[test]
fn whose_line_breaks_stands_still_and_comes_back_as_the_same() {
    let world = World::start();
    let (mut watcher, _) = world.join("ann");
    for (sequence, breaks) in [(300, "is reset"), (200, "ends"), (100, "is half closed")] {
        let (mut kim, player) = world.join("kim");
        kim.wait_for(101, |snapshot| snapshot["player_state"]["g"] == true);
        busy_input(&mut kim, sequence);
        watcher.wait_for(101, |snapshot| speed(snapshot, player) > 5.0);
        watcher.wait_for(102, |spawn| spawn["entity_type"] == 3);
        match breaks {
            // What has not been read when a socket is closed becomes a reset.
            "is reset" => _ = watcher.play(10),
            "ends" => _ = kim.drain(std::time::Duration::from_millis(20)),
            _ => kim.socket.get_ref().shutdown(Shutdown::Write).expect("it is open"),
        }
        let tick = watcher.tick();
        drop(kim);
        watcher.wait_for(101, |snapshot| snapshot["server_tick"].as_u64() > Some(tick) && speed(snapshot, player) < 0.01);
        let tick = watcher.tick();
        let told = told_until(&mut watcher, tick + 30);
        assert!(!told.iter().any(|message| message["entity_type"] == 3), "its line {breaks}, and it shoots on: {told:?}");

        let (mut kim, again) = world.join("kim");
        assert_eq!(again, player, "its line {breaks}");
        let snapshot = kim.wait_for(101, |_| true);
        assert_eq!(snapshot["player_state"]["seq"], 0, "inputs are counted anew");
        kim.input(1, [0.0, 0.0, -1.0]);
        let moved = kim.wait_for(101, |snapshot| snapshot["player_state"]["seq"] == 1);
        let told = told_until(&mut watcher, moved["server_tick"].as_u64().expect("a tick"));
        assert!(!told.iter().any(|message| is_coming_or_going(message, player)), "its line {breaks}: {told:?}");
        kim.send(&json!({"type": 6}));
        kim.wait_for_close();
        watcher.wait_for(111, |left| left["entity_id"] == player);
    }
}

#[test]
fn a_newer_session_takes_over_and_goes_on_as_the_same() {
    let world = World::start();
    let (mut watcher, _) = world.join("ann");
    let (mut older, player) = world.join("kim");
    // The last that is told of a newcomer.
    watcher.wait_for(102, |spawn| spawn["entity_id"] == player);
    busy_input(&mut older, 70);
    older.wait_for(101, |snapshot| snapshot["player_state"]["seq"] == 70);
    let (mut newer, again) = world.join("kim");
    assert_eq!(again, player);
    assert_eq!(older.wait_for_close(), (1008, "taken over by a newer session".into()));
    // What the older one held is let go, and what it says is nothing any more.
    newer.wait_for(101, |snapshot| snapshot["player_state"]["seq"] == 0 && speed(snapshot, player) < 0.01);
    newer.input(1, [0.0, 0.0, -1.0]);
    let moved = newer.wait_for(101, |snapshot| snapshot["player_state"]["seq"] == 1);
    let told = told_until(&mut watcher, moved["server_tick"].as_u64().expect("a tick"));
    assert!(!told.iter().any(|message| is_coming_or_going(message, player)), "{told:?}");
}

#[test]
fn who_says_goodbye_or_speaks_nonsense_leaves_at_once() {
    let world = World::start();
    let (mut watcher, _) = world.join("ann");
    for farewell in ["disconnect", "close frame", "close frame and gone", "nonsense", "not UTF-8"] {
        let (mut kim, player) = world.join("kim");
        watcher.wait_for(102, |spawn| spawn["entity_id"] == player);
        let closed = match farewell {
            "disconnect" => {
                kim.send(&json!({"type": 6}));
                Some((1000, "goodbye"))
            }
            "nonsense" => {
                (0..20).for_each(|_| kim.send_text("nonsense"));
                Some((1008, "too many bad messages"))
            }
            "not UTF-8" => {
                let stream = kim.socket.get_mut();
                std::io::Write::write_all(stream, &crate::raw::frame(crate::raw::TEXT, &[0xff])).expect("it is open");
                Some((1007, "text that is not UTF-8"))
            }
            _ => {
                kim.socket.close(None).expect("it is open");
                None
            }
        };
        match closed {
            Some((code, reason)) => assert_eq!(kim.wait_for_close(), (code, reason.into())),
            None if farewell == "close frame" => while kim.socket.read().is_ok() {},
            None => {}
        }
        drop(kim);
        watcher.wait_for(111, |left| left["entity_id"] == player && left["username"] == "kim");
        watcher.wait_for(103, |despawn| despawn["entity_id"] == player && despawn["reason"] == "left");
    }
}
