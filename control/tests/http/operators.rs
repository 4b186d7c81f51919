//! What operators see and do: sessions, bans, throttles, cleaning up, metrics.

use crate::harness::{ADMIN_TOKEN, Server};
use crate::link::Line;
use protocol::link::{Health, Push, Report};
use serde_json::json;

fn id(server: &Server, token: &str) -> String {
    server.get("/session", token).json()["client_id"].as_str().unwrap().to_owned()
}

#[test]
fn a_session_ends_when_its_player_logs_out() {
    let server = Server::start();
    let (kim, lee) = (server.login("kim"), server.login("lee"));
    assert_eq!(server.delete("/session", &kim).status, 200);
    server.get("/session", &kim).is_problem(401, "unauthorized");
    assert_eq!(server.get("/session", &lee).status, 200);
}

#[test]
fn a_banned_player_is_out_everywhere_until_the_ban_is_over() {
    let server = Server::start();
    let login = server.post("/login", "", &json!({ "username": "eve" })).json();
    let (eve, key) = (login["session_token"].as_str().unwrap(), login["account_key"].clone());
    let client = id(&server, eve);
    let line = Line::of(&server, eve);
    line.report(&server, &[Report::Players { clients: [client.clone()].into() }]);
    let mut stream = line.open(&server, 0);
    stream.change();
    let ban = format!("/admin/players/{client}/ban");
    server.put(&ban, eve, &json!({ "reason": "no" })).is_problem(403, "forbidden");
    server.put(&ban, ADMIN_TOKEN, &json!({ "reason": "" })).is_problem(422, "bad_reason");
    server.put(&ban, ADMIN_TOKEN, &json!({ "reason": "no", "hours": -1 })).is_problem(422, "bad_ban");
    server.put("/admin/players/client_000000000000/ban", ADMIN_TOKEN, &json!({ "reason": "no" })).is_problem(404, "unknown_player");
    std::thread::scope(|scope| {
        let banned = scope.spawn(|| server.put(&ban, ADMIN_TOKEN, &json!({ "reason": "griefing", "hours": 1 })));
        // The world that they are in is told, and says when it is done.
        let Push::Order(order) = stream.push() else { panic!("it is told to let them go") };
        line.report(&server, &[Report::Done(protocol::link::Done { order: order.number, error: None })]);
        assert_eq!(banned.join().unwrap().json()["kicked_from"], json!([line.world]));
    });
    server.get("/session", eve).is_problem(401, "unauthorized");
    let refused = server.post("/login", "", &json!({ "account_key": key })).is_problem(403, "banned");
    assert!(refused["detail"].as_str().unwrap().contains("griefing"), "{refused}");
    assert_eq!(server.get("/admin/bans", ADMIN_TOKEN).json()["bans"][0]["client_id"], *client);
    assert_eq!(server.delete(&ban, ADMIN_TOKEN).status, 200);
    assert_eq!(server.post("/login", "", &json!({ "account_key": key })).json()["client_id"], *client);
    let audit = server.get("/admin/audit", ADMIN_TOKEN).json();
    assert_eq!((&audit["entries"][0]["action"], &audit["entries"][1]["action"]), (&json!("unban"), &json!("ban")));
}

#[test]
fn sessions_are_listed_and_ended() {
    let server = Server::start();
    let (kim, lee) = (server.login("kim"), server.login("lee"));
    let listed = server.get("/admin/sessions", ADMIN_TOKEN).json();
    assert_eq!((&listed["count"], listed["sessions"].as_array().unwrap().len()), (&json!(2), 2));
    assert!(!listed.to_string().contains(&kim), "no token is ever told");
    let ended = server.delete(&format!("/admin/sessions/{}", id(&server, &kim)), ADMIN_TOKEN).json();
    assert_eq!(ended["sessions_ended"], 1);
    server.get("/session", &kim).is_problem(401, "unauthorized");
    assert_eq!(server.get("/session", &lee).status, 200);
}

#[test]
fn a_throttled_player_waits_and_others_do_not() {
    let server = Server::start();
    let (kim, lee) = (server.login("kim"), server.login("lee"));
    let path = format!("/admin/players/{}/throttle", id(&server, &kim));
    server.put(&path, ADMIN_TOKEN, &json!({ "requests_per_minute": 0 })).is_problem(422, "bad_throttle");
    assert_eq!(server.put(&path, ADMIN_TOKEN, &json!({ "requests_per_minute": 2 })).status, 200);
    let refused = (0..5).map(|_| server.get("/session", &kim)).find(|answer| answer.status != 200).expect("it is throttled");
    refused.is_problem(429, "too_many_requests");
    assert!(refused.header("retry-after").parse::<u32>().unwrap() >= 1);
    assert!((0..50).all(|_| server.get("/session", &lee).status == 200));
    // It outlives a restart, and ends by the operator's word.
    let server = server.restart();
    assert!((0..5).any(|_| server.get("/session", &kim).status == 429));
    assert_eq!(server.delete(&path, ADMIN_TOKEN).status, 200);
}

#[test]
fn cleaning_up_forgets_what_is_over_and_keeps_what_is_in_use() {
    let server = Server::start();
    let kim = server.login("kim");
    let one = server.revision(&kim, "fireball", "one");
    server.publish(&kim, "fireball", &one, "stable");
    server.database().execute("INSERT INTO session VALUES (x'00', (SELECT client_id FROM player), 1)", []).unwrap();
    assert_eq!(server.request("POST", "/admin/cleanup", ADMIN_TOKEN, None).json(), json!({ "rows": 1, "blobs": 0 }));
    assert_eq!(server.get("/session", &kim).status, 200);
    assert_eq!(server.get(&format!("/api/spells/fireball/revisions/{one}/files/src/lib.rs"), "").bytes, b"one");
}

#[test]
fn metrics_tell_of_requests_and_of_worlds() {
    let server = Server::start();
    let kim = server.login("kim");
    let line = Line::of(&server, &kim);
    let health = Health { tick: 600, tick_p99_us: 2_345, casts: 7, ..Health::default() };
    line.report(&server, &[Report::Health(health)]);
    server.get("/metrics", &kim).is_problem(403, "forbidden");
    let answer = server.get("/metrics", ADMIN_TOKEN);
    let text = String::from_utf8(answer.bytes.clone()).unwrap();
    for line in [
        format!("ugc_world_tick_p99_us{{world=\"{}\"}} 2345", line.world),
        format!("ugc_world_casts{{world=\"{}\"}} 7", line.world),
        "ugc_servers{phase=\"ready\"}".into(),
        "ugc_http_requests_total{route=\"/join\",status=\"200\"}".into(),
        "ugc_http_seconds_bucket{route=\"/login\"".into(),
    ] {
        assert!(text.contains(&line), "{line} is not in {text}");
    }
    assert_eq!(server.get("/admin/servers", ADMIN_TOKEN).json()["servers"][0]["health"]["tick"], 600);
    assert_eq!(server.get("/readyz", "").status, 200);
}
