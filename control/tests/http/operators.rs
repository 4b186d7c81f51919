//! What operators see and do: sessions, bans, throttles, cleaning up, metrics.

use crate::harness::{ADMIN_TOKEN, Server};
use crate::link::Line;
use protocol::link::{Errand, Health, Push, Report};
use serde_json::json;
use std::{
    io::Write,
    time::{Duration, Instant},
};

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

#[test]
fn a_world_is_saved_when_its_server_says_so_and_no_sooner() {
    let server = Server::start();
    let kim = server.login("kim");
    let line = Line::of(&server, &kim);
    let path = format!("/admin/servers/{}/save", line.world);
    server.post(&path, &kim, &json!({})).is_problem(403, "forbidden");
    server.post("/admin/servers/world_00000000/save", ADMIN_TOKEN, &json!({})).is_problem(404, "unknown_server");
    server.post("/admin/servers/moon/save", ADMIN_TOKEN, &json!({})).is_problem(404, "unknown_server");
    let mut stream = line.open(&server, 0);
    stream.change();
    let mut save = |error: Option<&str>| {
        std::thread::scope(|scope| {
            let saved = scope.spawn(|| server.post(&path, ADMIN_TOKEN, &json!({})));
            let Push::Order(order) = stream.push() else { panic!("it is told to save") };
            assert_eq!(order.what, Errand::Save);
            assert!(!saved.is_finished());
            line.report(&server, &[Report::Done(protocol::link::Done { order: order.number, error: error.map(str::to_owned) })]);
            saved.join().unwrap()
        })
    };
    save(Some("no space left")).is_problem(503, "no_server");
    assert_eq!(server.get("/admin/audit", ADMIN_TOKEN).json()["entries"], json!([]), "nothing was done");
    assert_eq!(save(None).json(), json!({ "world_id": line.world, "status": "saved" }));
    let act = &server.get("/admin/audit", ADMIN_TOKEN).json()["entries"][0];
    assert_eq!((&act["action"], &act["detail"]), (&json!("save_server"), &json!({ "world_id": line.world })));
}

#[test]
fn what_a_world_said_last_is_shown_newest_first() {
    let server = Server::start();
    let kim = server.login("kim");
    let one = server.revision(&kim, "fireball", "one");
    let line = Line::of(&server, &kim);
    let path = format!("/admin/servers/{}/log", line.world);
    server.get(&path, &kim).is_problem(403, "forbidden");
    server.get("/admin/servers/world_00000000/log", ADMIN_TOKEN).is_problem(404, "unknown_world");
    let said = |text: &str| Report::Line {
        spell_id: "fireball".parse().unwrap(),
        revision_id: one.parse().unwrap(),
        cast: 1,
        caster: 2,
        tick: 3,
        level: "info".into(),
        text: text.into(),
    };
    let quarantined =
        Report::Quarantined { spell_id: "fireball".parse().unwrap(), revision_id: one.parse().unwrap(), message: "it faulted".into() };
    line.report(&server, &[said("first"), said(&"x".repeat(4_000)), quarantined, Report::Health(Health::default())]);
    let log = server.get(&path, ADMIN_TOKEN).json();
    let reports = log["reports"].as_array().unwrap();
    assert_eq!(reports.len(), 2, "{log}");
    assert_eq!((&reports[0]["report"], &reports[0]["message"]), (&json!("quarantined"), &json!("it faulted")));
    assert_eq!((&reports[1]["report"], &reports[1]["text"], &reports[1]["tick"]), (&json!("line"), &json!("first"), &json!(3)));
    assert!(reports.iter().all(|report| report["at"].as_str().is_some_and(|at| at.ends_with('Z'))), "{log}");
    // What stands in for a server logs nothing by itself.
    let mut file = std::fs::File::options().append(true).open(server.data(&format!("worlds/logs/{}.log", line.world))).unwrap();
    writeln!(file, "an older line\na newer line").unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    let lines = loop {
        let lines = server.get(&path, ADMIN_TOKEN).json()["lines"].as_array().unwrap().clone();
        if lines.len() == 2 {
            break lines;
        }
        assert!(Instant::now() < deadline, "{lines:?}");
    };
    assert_eq!((&lines[0]["text"], &lines[1]["text"]), (&json!("a newer line"), &json!("an older line")));
}

#[test]
fn an_operator_rolls_anybodys_spell_back_and_that_is_written_down() {
    let server = Server::start();
    let kim = server.login("kim");
    let one = server.revision(&kim, "fireball", "one");
    server.publish(&kim, "fireball", &one, "stable");
    let two = server.revision(&kim, "fireball", "two");
    server.publish(&kim, "fireball", &two, "stable");
    let roll_back = |body: serde_json::Value| server.post("/admin/spells/fireball/rollback", ADMIN_TOKEN, &body);
    server.post("/admin/spells/fireball/rollback", &kim, &json!({})).is_problem(403, "forbidden");
    server.post("/admin/spells/nobodys/rollback", ADMIN_TOKEN, &json!({})).is_problem(404, "unknown_spell");
    roll_back(json!({ "channel": "moon" })).is_problem(422, "unknown_channel");
    roll_back(json!({ "revision_id": "rev_000009_00000000" })).is_problem(404, "unknown_revision");
    assert_eq!(server.get("/admin/audit", ADMIN_TOKEN).json()["entries"], json!([]), "nothing was done");
    assert_eq!(roll_back(json!({})).json()["revision_id"], *one);
    roll_back(json!({})).is_problem(409, "nothing_before");
    assert_eq!(server.get("/api/spells", "").json()["spells"][0]["active_stable_rev"], *one);
    let act = &server.get("/admin/audit", ADMIN_TOKEN).json()["entries"][0];
    assert_eq!(
        (&act["action"], &act["detail"]["spell_id"], &act["detail"]["revision_id"]),
        (&json!("rollback"), &json!("fireball"), &json!(one))
    );
    let own = &server.get("/api/spells/fireball/audit", &kim).json()["entries"][0];
    assert_eq!((&own["actor"], &own["action"]), (&json!("operator"), &json!("rollback")));
    // Its author may go on from there.
    assert_eq!(server.publish(&kim, "fireball", &two, "stable").status, 200);
    // And what is revoked is among what operators did.
    server.post(&format!("/admin/spells/fireball/revisions/{two}/revoke"), ADMIN_TOKEN, &json!({ "reason": "no" }));
    let act = &server.get("/admin/audit", ADMIN_TOKEN).json()["entries"][0];
    assert_eq!(
        (&act["action"], &act["detail"]["spell_id"], &act["detail"]["reason"]),
        (&json!("revoke"), &json!("fireball"), &json!("no"))
    );
}
