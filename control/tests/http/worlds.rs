//! Worlds and their servers.

use crate::harness::{ADMIN_TOKEN, Server};
use pasetors::{
    Public,
    keys::AsymmetricPublicKey,
    token::UntrustedToken,
    version4::{PublicToken, V4},
};
use protocol::ticket::{Claims, TICKET_PURPOSE};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::json;
use std::time::{Duration, Instant};

fn lives(process: i32) -> bool {
    test_kill_process(Pid::from_raw(process).unwrap()).is_ok()
}

#[test]
fn a_join_gives_a_ticket_for_a_server_that_runs() {
    let server = Server::start();
    let login = server.post("/login", "", &json!({ "username": "kim" })).json();
    let token = login["session_token"].as_str().unwrap();
    let join = server.post("/join", token, &json!({ "name": "Kim's garden" })).json();
    let world = join["world_id"].as_str().unwrap();
    assert!(join["server_address"].as_str().unwrap().starts_with("ws://127.0.0.1:"));
    assert_eq!(join["client_id"], login["client_id"]);

    let key = hex::decode(server.secrets(world).ticket_key).unwrap();
    let ticket = UntrustedToken::<Public, V4>::try_from(join["session_token"].as_str().unwrap()).unwrap();
    let key = AsymmetricPublicKey::<V4>::from(&key).unwrap();
    let trusted = PublicToken::verify(&key, &ticket, None, Some(TICKET_PURPOSE)).unwrap();
    let claims: Claims = serde_json::from_str(trusted.payload()).unwrap();
    assert_eq!((claims.world_id.as_str(), claims.username.as_str()), (world, "kim"));
    assert_eq!(claims.client_id, login["client_id"].as_str().unwrap());

    let listed = server.get("/worlds", "").json()["worlds"][0].clone();
    assert_eq!((&listed["world_id"], &listed["name"], &listed["online"]), (&json!(world), &json!("Kim's garden"), &json!(true)));
    assert_eq!(server.get("/health", "").json()["servers"], 1);
}

#[test]
fn a_session_is_no_ticket_and_a_ticket_no_session() {
    let server = Server::start();
    let token = server.login("kim");
    let ticket = server.post("/join", &token, &json!({})).json()["session_token"].as_str().unwrap().to_owned();
    assert_ne!(ticket, token);
    server.get("/session", &ticket).is_problem(401, "unauthorized");
}

#[test]
fn two_joins_at_once_start_one_server() {
    let server = Server::start();
    let token = server.login("kim");
    let world = server.post("/worlds", &token, &json!({ "name": "one" })).json()["world"]["world_id"].as_str().unwrap().to_owned();
    let join = || server.post("/join", &token, &json!({ "world_id": world })).json()["server_address"].clone();
    let addresses =
        std::thread::scope(|scope| [scope.spawn(join), scope.spawn(join), scope.spawn(join)].map(|thread| thread.join().unwrap()));
    assert!(addresses.iter().all(|address| *address == addresses[0]), "{addresses:?}");
    assert_eq!(server.starts(&world).len(), 1);
}

#[test]
fn every_world_has_a_port_of_its_own() {
    let server = Server::start();
    let token = server.login("kim");
    let first = server.post("/join", &token, &json!({})).json();
    let second = server.post("/join", &token, &json!({})).json();
    assert_ne!(first["server_address"], second["server_address"]);
}

#[test]
fn a_server_that_died_under_its_players_is_replaced_at_once() {
    let server = Server::start();
    let token = server.login("kim");
    let world = server.world(&token);
    kill_process(Pid::from_raw(server.starts(&world)[0]).unwrap(), Signal::KILL).unwrap();
    until(|| server.starts(&world).len() == 2);
    assert_eq!(server.post("/join", &token, &json!({ "world_id": world })).status, 200);
    let starts = server.starts(&world);
    assert!(starts.len() == 2 && lives(starts[1]));
}

#[test]
fn a_server_that_always_crashes_is_left_alone_for_a_while() {
    let server = Server::start();
    let token = server.login("kim");
    let world = server.world(&token);
    for crash in 1..=5 {
        let phase = || server.get("/admin/servers", ADMIN_TOKEN).json()["servers"][0]["phase"].clone();
        until(|| server.starts(&world).len() == crash && phase() == "ready");
        kill_process(Pid::from_raw(server.starts(&world)[crash - 1]).unwrap(), Signal::KILL).unwrap();
    }
    until(|| server.get("/admin/servers", ADMIN_TOKEN).json()["servers"] == json!([]));
    let refused = server.post("/join", &token, &json!({ "world_id": world })).is_problem(503, "no_server");
    assert!(refused["detail"].as_str().unwrap().contains("it has crashed 5 times of late"), "{refused}");
    assert_eq!(server.starts(&world).len(), 5);
}

fn until(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "nothing happened");
        std::thread::yield_now();
    }
}

#[test]
fn a_server_that_cannot_start_is_503_and_a_later_join_tries_again() {
    let server = Server::start();
    let token = server.login("kim");
    server.break_hosts();
    for _ in 0..2 {
        let refused = server.post("/join", &token, &json!({}));
        refused.is_problem(503, "no_server");
        assert_eq!(refused.header("retry-after"), "2");
    }
    assert_eq!(server.get("/health", "").json()["servers"], 0);
}

#[test]
fn unknown_worlds_are_404() {
    let server = Server::start();
    let token = server.login("kim");
    for id in ["world_00000000", "x", "../../x", "world_0000000", "WORLD_00000000"] {
        server.post("/join", &token, &json!({ "world_id": id })).is_problem(404, "unknown_world");
    }
}

#[test]
fn a_world_s_texts_have_limits() {
    let server = Server::start();
    let token = server.login("kim");
    for body in [json!({ "name": "x".repeat(65) }), json!({ "description": "x".repeat(1025) }), json!({ "name": "\u{1b}[31m" })] {
        server.post("/worlds", &token, &body).is_problem(422, "bad_world");
    }
    let world = server.post("/worlds", &token, &json!({ "name": "x".repeat(64) })).json()["world"].clone();
    assert_eq!((&world["online"], &world["player_count"]), (&json!(false), &json!(0)));
}

#[test]
fn the_admin_stops_a_server() {
    let server = Server::start();
    let token = server.login("kim");
    let world = server.world(&token);
    let listed = server.get("/admin/servers", ADMIN_TOKEN).json()["servers"][0].clone();
    assert_eq!((&listed["world_id"], &listed["alive"]), (&json!(world), &json!(true)));
    let process = server.starts(&world)[0];
    assert!(lives(process));
    let stopped = server.request("DELETE", &format!("/admin/servers/{world}"), ADMIN_TOKEN, None);
    assert_eq!(stopped.json(), json!({ "status": "stopped" }));
    assert!(!lives(process));
    assert_eq!(server.get("/admin/servers", ADMIN_TOKEN).json(), json!({ "servers": [] }));
}

#[test]
fn who_joins_while_the_server_ends_gets_the_next_one() {
    let server = Server::start();
    let token = server.login("kim");
    let world = server.world(&token);
    server.make_hosts_linger();
    std::thread::scope(|scope| {
        scope.spawn(|| server.request("DELETE", &format!("/admin/servers/{world}"), ADMIN_TOKEN, None));
        let deadline = Instant::now() + Duration::from_secs(20);
        while server.get("/admin/servers", ADMIN_TOKEN).json()["servers"][0]["alive"] == json!(true) {
            assert!(Instant::now() < deadline);
        }
        assert_eq!(server.post("/join", &token, &json!({ "world_id": world })).status, 200);
    });
    let starts = server.starts(&world);
    assert_eq!(starts.len(), 2);
    assert!(!lives(starts[0]) && lives(starts[1]));
}

#[test]
fn one_player_cannot_take_all_servers_for_empty_worlds() {
    let server = Server::start();
    let (kim, eve) = (server.login("kim"), server.login("eve"));
    let worlds: Vec<_> = (0..8).map(|_| server.world(&kim)).collect();
    server.post("/join", &kim, &json!({})).is_problem(422, "too_many");
    // Those that run are open to all, and others start theirs.
    assert_eq!(server.post("/join", &kim, &json!({ "world_id": worlds[0] })).status, 200);
    server.world(&eve);
}

#[test]
fn servers_end_with_the_control_plane_and_worlds_stay() {
    let server = Server::start();
    let token = server.login("kim");
    let world = server.world(&token);
    let process = server.starts(&world)[0];
    let server = server.restart();
    assert!(!lives(process));
    assert_eq!(server.get("/worlds", "").json()["worlds"][0]["online"], json!(false));
    assert_eq!(server.post("/join", &token, &json!({ "world_id": world })).status, 200);
}
