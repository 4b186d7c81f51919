//! Who may do what.

use crate::harness::{ADMIN_TOKEN, Server};
use control::{clock, keys, limits::SESSION_MS, store::Login};
use serde_json::json;
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

/// Every endpoint that changes something or shows what is private.
const GUARDED: [(&str, &str); 8] = [
    ("GET", "/session"),
    ("POST", "/join"),
    ("POST", "/worlds"),
    ("POST", "/api/spells/fireball/build"),
    ("POST", "/api/spells/fireball/publish"),
    ("GET", "/api/spells/fireball/log"),
    ("GET", "/api/jobs/job_0a1b2c3d4e5f"),
    ("GET", "/internal/worlds/world_0a1b2c3d/stream"),
];

fn expired_token(server: &Server) -> String {
    let token = keys::token();
    let login = Login {
        username: Some("yesterday".into()),
        account_key: None,
        new_account_key: keys::token_hash("key"),
        token: keys::token_hash(&token),
        now_ms: clock::now_ms() - SESSION_MS - 1,
    };
    server.app.store.with(|db| db.login(&login)).unwrap();
    token
}

#[test]
fn guarded_endpoints_refuse_whoever_has_no_session() {
    let server = Server::start();
    let long = "a".repeat(4096);
    let expired = expired_token(&server);
    for (method, path) in GUARDED {
        for token in ["", "anything", "%00", &"0".repeat(64), &long, &expired, ADMIN_TOKEN] {
            let body = (method == "POST").then_some(("application/json", b"{}".as_slice()));
            let answer = server.request(method, path, token, body);
            answer.is_problem(401, "unauthorized");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
}

#[test]
fn a_refusal_leaves_the_connection_open_for_the_next_request_although_the_body_comes_late() {
    let server = Server::start();
    let mut stream = TcpStream::connect(server.address).unwrap();
    for _ in 0..3 {
        write!(stream, "POST /worlds HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n").unwrap();
        let mut answer = [0; 4096];
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        assert!(stream.read(&mut answer).is_err(), "answered before the body was there");
        stream.write_all(b"{}").unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let length = stream.read(&mut answer).unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 401 "), "{}", String::from_utf8_lossy(&answer[..length]));
    }
}

#[test]
fn whoever_shows_a_bad_token_is_told_so_even_where_none_is_needed() {
    let server = Server::start();
    server.get("/api/spells/fireball/revisions", "nonsense").is_problem(401, "unauthorized");
}

#[test]
fn a_login_is_a_session_and_the_key_brings_the_player_back() {
    let server = Server::start();
    let first = server.post("/login", "", &json!({ "username": "kim" })).json();
    assert_eq!(first["username"], "kim");
    assert_eq!(first["client_id"].as_str().unwrap().len(), "client_".len() + 12);
    let session = server.get("/session", first["session_token"].as_str().unwrap()).json();
    assert_eq!((&session["client_id"], &session["username"]), (&first["client_id"], &first["username"]));

    let again = server.post("/login", "", &json!({ "username": "kim", "account_key": first["account_key"] })).json();
    assert_eq!(
        (&again["client_id"], &again["username"], &again["account_key"]),
        (&first["client_id"], &first["username"], &first["account_key"])
    );
    assert_ne!(again["session_token"], first["session_token"]);

    for (stranger, name) in [(json!({ "username": "kim" }), "kim-2"), (json!({ "username": "Kim", "account_key": "guessed" }), "Kim-3")] {
        let other = server.post("/login", "", &stranger).json();
        assert_eq!(other["username"], name);
        assert_ne!(other["client_id"], first["client_id"]);
        assert_ne!(other["account_key"], stranger["account_key"]);
    }
}

#[test]
fn a_taken_handle_of_full_length_makes_room_for_its_suffix() {
    let server = Server::start();
    let name = "k".repeat(32);
    server.login(&name);
    let second = server.post("/login", "", &json!({ "username": name })).json();
    assert_eq!(second["username"], format!("{}-2", "k".repeat(30)));
}

#[test]
fn a_login_may_leave_everything_out_but_not_send_anything() {
    let server = Server::start();
    let generated = server.request("POST", "/login", "", None).json();
    assert!(generated["username"].as_str().unwrap().starts_with("player-"));
    for name in ["", " ", "a b", "ä", "<b>", "../x", &"k".repeat(33), "a\u{202e}b"] {
        server.post("/login", "", &json!({ "username": name })).is_problem(422, "bad_username");
    }
}

#[test]
fn a_player_s_oldest_session_makes_room_for_the_newest() {
    let server = Server::start();
    let key = server.post("/login", "", &json!({ "username": "kim" })).json()["account_key"].clone();
    let tokens: Vec<String> = (0..17)
        .map(|_| server.post("/login", "", &json!({ "account_key": key })).json()["session_token"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(server.get("/health", "").json()["sessions"], 16);
    assert_eq!(server.get("/session", &tokens[16]).status, 200);
}

#[test]
fn tokens_and_keys_are_not_in_the_database() {
    let mut server = Server::start();
    let login = server.post("/login", "", &json!({ "username": "kim" })).json();
    server.stop();
    for file in ["control.sqlite", "control.sqlite-wal"] {
        let bytes = std::fs::read(server.data(file)).unwrap_or_default();
        for secret in ["session_token", "account_key"] {
            let secret = login[secret].as_str().unwrap().as_bytes();
            assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{file}");
        }
    }
}

#[test]
fn admin_endpoints_open_to_the_admin_token_alone() {
    let server = Server::start();
    let player = server.login("kim");
    for (method, path) in [("GET", "/admin/servers"), ("GET", "/admin/stops"), ("DELETE", "/admin/servers/world_0a1b2c3d")] {
        server.request(method, path, "", None).is_problem(401, "unauthorized");
        for token in ["anything", &player, &ADMIN_TOKEN[1..]] {
            server.request(method, path, token, None).is_problem(403, "forbidden");
        }
    }
    assert_eq!(server.get("/admin/servers", ADMIN_TOKEN).json(), json!({ "servers": [] }));
    server.request("DELETE", "/admin/servers/world_0a1b2c3d", ADMIN_TOKEN, None).is_problem(404, "unknown_server");
}

#[test]
fn without_an_admin_token_nobody_is_admin() {
    let server = Server::start_with(None, |_| {});
    for token in ["", "anything", ADMIN_TOKEN] {
        server.get("/admin/servers", token).is_problem(403, "forbidden");
    }
}
