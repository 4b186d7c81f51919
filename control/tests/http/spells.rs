//! From source to revision to channel, and everything that must not happen on the way.

use crate::harness::Server;
use control::{
    clock,
    ids::JobId,
    keys,
    store::{Login, NewJob},
};
use protocol::Sha256Hex;
use serde_json::{Value, json};
use std::{
    fs, thread,
    time::{Duration, Instant},
};

fn scratch_is_empty(server: &Server) -> bool {
    fs::read_dir(server.data("scratch")).unwrap().count() == 0
}

#[test]
fn a_build_becomes_a_revision_that_can_be_published_and_read() {
    let server = Server::start();
    let token = server.login("kim");
    let job = server.build(&token, "fireball", "fn fire() {}");
    assert_eq!((&job["status"], &job["stage"], &job["progress_pct"]), (&json!("completed"), &json!("done"), &json!(100)));
    assert_eq!((&job["error_message"], &job["diagnostics"]), (&Value::Null, &json!([])));
    let revision = job["result_revision_id"].as_str().unwrap();
    assert!(revision.starts_with("rev_000001_"));
    assert!(scratch_is_empty(&server));

    let published = server.post("/api/spells/fireball/publish", &token, &json!({ "revision_id": revision })).json();
    assert_eq!(
        (&published["spell_id"], &published["revision_id"], &published["channel"]),
        (&json!("fireball"), &json!(revision), &json!("beta"))
    );
    let manifest = &published["manifest"];
    assert_eq!((&manifest["author"], &manifest["version"], &manifest["entrypoint"]), (&json!("kim"), &json!(1), &json!("component.wasm")));
    assert_eq!(manifest["envelope"], json!({ "duration": { "mode": "instant" } }));
    assert_eq!(manifest["cost"], json!({ "cast_mana": 3.5, "worst_case": 8.5 }));

    let seen = server.get("/api/spells", "").json()["spells"][0].clone();
    assert_eq!((&seen["active_draft_rev"], &seen["active_beta_rev"]), (&Value::Null, &json!(revision)));
    let spell = server.get("/api/spells", &token).json()["spells"][0].clone();
    assert_eq!(
        (&spell["active_draft_rev"], &spell["active_beta_rev"], &spell["active_stable_rev"]),
        (&json!(revision), &json!(revision), &Value::Null)
    );
    let listed = server.get("/api/spells/fireball/revisions", "").json()["revisions"][0].clone();
    assert_eq!((&listed["channel"], &listed["channels"], &listed["manifest"]), (&json!("beta"), &json!(["beta"]), manifest));
    server.publish(&token, "fireball", revision, "stable");
    let listed = server.get("/api/spells/fireball/revisions", &token).json()["revisions"][0].clone();
    assert_eq!((&listed["channel"], &listed["channels"]), (&json!("stable"), &json!(["stable", "beta", "draft"])));
    let path = format!("/api/spells/fireball/revisions/{revision}");
    assert_eq!(server.get(&format!("{path}/manifest"), "").json()["manifest"], *manifest);

    for (file, bytes, hash) in [
        ("src/lib.rs", "fn fire() {}", &manifest["code"][0]["hash"]),
        ("component.wasm", "component of fn fire() {}", &manifest["component"]["hash"]),
    ] {
        let answer = server.get(&format!("{path}/files/{file}"), "");
        assert_eq!((answer.status, answer.bytes.as_slice()), (200, bytes.as_bytes()));
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(*hash, Sha256Hex::of(bytes.as_bytes()).as_str());
    }
}

#[test]
fn the_same_content_is_the_same_revision() {
    let server = Server::start();
    let token = server.login("kim");
    let first = server.revision(&token, "fireball", "one");
    let second = server.revision(&token, "fireball", "two");
    assert!(second.starts_with("rev_000002_"));
    assert_eq!(server.revision(&token, "fireball", "one"), first);
    let revisions = server.get("/api/spells/fireball/revisions", &token).json()["revisions"].clone();
    let names: Vec<_> = revisions.as_array().unwrap().iter().map(|r| r["revision_id"].as_str().unwrap()).collect();
    assert_eq!(names, [&second, &first]);
    assert_eq!(revisions[0]["parent_revision_id"], first.as_str());
    // The older one was built last, so it is the draft.
    assert_eq!((&revisions[0]["channel"], &revisions[1]["channel"]), (&Value::Null, &json!("draft")));
}

#[test]
fn a_failed_build_says_where_and_changes_nothing() {
    let server = Server::start();
    let token = server.login("kim");
    let good = server.revision(&token, "fireball", "good");
    server.publish(&token, "fireball", &good, "beta");
    let before = server.get("/api/spells", "").json()["spells"][0].clone();
    let job = server.build(&token, "fireball", "FAIL");
    assert_eq!((&job["status"], &job["stage"], &job["error_message"]), (&json!("failed"), &json!("compile"), &json!("mismatched types")));
    let found = &job["diagnostics"][0];
    assert_eq!(
        (&found["file"], &found["line"], &found["column"], &found["help"]),
        (&json!("src/lib.rs"), &json!(3), &json!(9), &json!("try 1.0"))
    );
    assert_eq!(job["result_revision_id"], Value::Null);
    assert_eq!(server.get("/api/spells", "").json()["spells"][0], before);
    assert!(scratch_is_empty(&server));
}

#[test]
fn a_worker_that_dies_or_lies_fails_its_job_and_leaves_nothing() {
    let server = Server::start();
    let token = server.login("kim");
    for (code, why) in [("DIE", "ended without a result"), ("NONSENSE", "no event"), ("LINK", "could not finish")] {
        let job = server.build(&token, "fireball", code);
        assert_eq!(job["status"], "failed");
        assert!(job["error_message"].as_str().unwrap().contains(why), "{job}");
        assert!(scratch_is_empty(&server));
    }
    // The workers are still there.
    server.revision(&token, "fireball", "good");
}

#[test]
fn a_stopping_server_ends_running_builds_and_they_read_as_failed_afterwards() {
    let server = Server::start();
    let login = server.post("/login", "", &json!({ "username": "kim" })).json();
    let token = login["session_token"].as_str().unwrap();
    let jobs: Vec<_> = ["a1", "a2", "a3"]
        .map(|spell| {
            server.post(&format!("/api/spells/{spell}/build"), token, &json!({ "code": "HANG" })).json()["job_id"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .into();
    let server = server.restart();
    for job in jobs {
        let job = server.get(&format!("/api/jobs/{job}"), token).json();
        assert_eq!(job["status"], "failed", "{job}");
    }
    assert!(scratch_is_empty(&server));
}

#[test]
fn a_job_left_by_a_killed_server_is_failed_at_the_next_start() {
    let (token, job_id) = (keys::token(), JobId::generate());
    let server = Server::start_with(None, |store| {
        let now_ms = clock::now_ms();
        let login =
            Login { username: None, account_key: None, new_account_key: keys::token_hash("key"), token: keys::token_hash(&token), now_ms };
        let (player, _) = store.with(|db| db.login(&login)).unwrap();
        let job =
            NewJob { job_id: job_id.clone(), spell_id: "fireball".parse().unwrap(), client_id: player.client_id, prompt: None, now_ms };
        store.with(|db| db.add_job(&job)).unwrap();
    });
    let job = server.get(&format!("/api/jobs/{job_id}"), &token).json();
    assert_eq!((&job["status"], &job["error_message"]), (&json!("failed"), &json!("the server was restarted during this build")));
}

#[test]
fn a_client_that_leaves_leaves_no_job_that_nobody_works_on() {
    let server = Server::start();
    let token = server.login("kim");
    server.post_and_leave("/api/spells/fireball/build", &token, &json!({ "code": "one" }));
    let deadline = Instant::now() + Duration::from_secs(20);
    let ended = || {
        server.database().query_row("SELECT status FROM job", [], |row| row.get::<_, String>(0)).is_ok_and(|status| status == "completed")
    };
    while !ended() {
        assert!(Instant::now() < deadline, "the job is left behind");
        thread::yield_now();
    }
}

#[test]
fn a_prompt_without_code_is_refused_and_does_not_crash() {
    let server = Server::start();
    let token = server.login("kim");
    let build = |body| server.post("/api/spells/fireball/build", &token, &body);
    for body in [
        json!({ "prompt": "a ball of fire" }),
        json!({ "prompt": "a ball of fire", "code": null }),
        json!({ "prompt": "a ball", "code": " \n" }),
    ] {
        build(body).is_problem(422, "no_generator");
    }
    build(json!({})).is_problem(422, "code_missing");
    build(json!({ "code": "x", "options": { "metadata": { "name": "a\u{202e}b" } } })).is_problem(422, "bad_metadata");
    build(json!({ "code": "x", "options": { "metadata": { "owner": "me" } } })).is_problem(422, "bad_metadata");
    build(json!({ "code": "x", "files": { "src/lib.rs": "x" } })).is_problem(422, "bad_package");
    assert_eq!(server.get("/api/spells", "").json(), json!({ "spells": [] }));
}

#[test]
fn nobody_builds_or_publishes_another_s_spell() {
    let server = Server::start();
    let (kim, eve) = (server.login("kim"), server.login("eve"));
    let revision = server.revision(&kim, "fireball", "one");
    server.post("/api/spells/fireball/build", &eve, &json!({ "code": "x" })).is_problem(403, "not_your_spell");
    for channel in ["draft", "beta", "stable"] {
        server.publish(&eve, "fireball", &revision, channel).is_problem(403, "not_your_spell");
    }
    server.publish(&eve, "fireball", "rev_000009_00000000", "beta").is_problem(403, "not_your_spell");
    server.get("/api/spells/fireball/log", &eve).is_problem(403, "not_your_spell");
}

#[test]
fn a_failed_first_build_owns_its_name_too() {
    let server = Server::start();
    let (kim, eve) = (server.login("kim"), server.login("eve"));
    server.build(&kim, "fireball", "FAIL");
    server.post("/api/spells/fireball/build", &eve, &json!({ "code": "x" })).is_problem(403, "not_your_spell");
}

#[test]
fn a_job_is_its_builder_s_alone() {
    let server = Server::start();
    let (kim, eve) = (server.login("kim"), server.login("eve"));
    let job = server.build(&kim, "fireball", "one")["job_id"].as_str().unwrap().to_owned();
    server.get(&format!("/api/jobs/{job}"), &eve).is_problem(404, "unknown_job");
    for id in ["job_000000000000", "x", "..", &"j".repeat(10_000)] {
        server.get(&format!("/api/jobs/{id}"), &kim).is_problem(404, "unknown_job");
    }
}

#[test]
fn publishing_what_is_not_there_is_refused() {
    let server = Server::start();
    let token = server.login("kim");
    let (fireball, gust) = (server.revision(&token, "fireball", "one"), server.revision(&token, "gust", "two"));
    server.publish(&token, "fireball", &fireball, "gamma").is_problem(422, "unknown_channel");
    server.publish(&token, "fireball", &fireball, "").is_problem(422, "unknown_channel");
    server.publish(&token, "fireball", &gust, "beta").is_problem(404, "unknown_revision");
    server.publish(&token, "fireball", "rev_000007_00000000", "beta").is_problem(404, "unknown_revision");
    server.publish(&token, "fireball", "../../x", "beta").is_problem(404, "unknown_revision");
    server.publish(&token, "blizzard", &fireball, "beta").is_problem(404, "unknown_spell");
    assert_eq!(server.get("/api/spells", "").json()["spells"], json!([]));
    assert_eq!(server.get("/api/spells", &token).json()["spells"][0]["active_beta_rev"], Value::Null);
}

#[test]
fn spell_ids_are_what_they_must_be() {
    let server = Server::start();
    let token = server.login("kim");
    for id in ["", "F", "f", "1x", "fire-ball", "fire%2Fball", "%2e%2e", &"f".repeat(65), &"f".repeat(10_000)] {
        server.post(&format!("/api/spells/{id}/build"), &token, &json!({ "code": "x" })).is_problem(422, "bad_spell_id");
        server.get(&format!("/api/spells/{id}/revisions"), "").is_problem(404, "unknown_spell");
    }
}

#[test]
fn a_draft_s_source_is_its_owner_s_alone_until_it_is_published() {
    let server = Server::start();
    let (kim, eve) = (server.login("kim"), server.login("eve"));
    let revision = server.revision(&kim, "fireball", "secret plan");
    server.publish(&kim, "fireball", &revision, "draft");
    let path = format!("/api/spells/fireball/revisions/{revision}");
    for token in ["", &eve] {
        server.get(&format!("{path}/files/src/lib.rs"), token).is_problem(404, "unknown_revision");
        server.get(&format!("{path}/manifest"), token).is_problem(404, "unknown_revision");
        assert_eq!(server.get("/api/spells/fireball/revisions", token).json()["revisions"], json!([]));
    }
    let own = server.get(&format!("{path}/files/src/lib.rs"), &kim);
    assert_eq!((own.bytes.as_slice(), own.header("cache-control")), (b"secret plan".as_slice(), "private, max-age=31536000, immutable"));
    server.publish(&kim, "fireball", &revision, "stable");
    assert_eq!(server.get(&format!("{path}/files/src/lib.rs"), &eve).status, 200);
}

#[test]
fn no_spelling_of_a_path_leads_out_of_a_revision() {
    let server = Server::start();
    let token = server.login("kim");
    let revision = server.revision(&token, "fireball", "one");
    server.publish(&token, "fireball", &revision, "beta");
    let base = format!("/api/spells/fireball/revisions/{revision}/files");
    assert_eq!(server.raw_get(&format!("{base}/src/lib.rs")).0, 200);
    for path in [
        "../../../../../../etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "%252e%252e%252fetc%252fpasswd",
        "..\\..\\etc\\passwd",
        "..%5c..%5cetc%5cpasswd",
        "..%c0%af..%c0%afetc/passwd",
        "/etc/passwd",
        "//etc/passwd",
        "%2fetc%2fpasswd",
        "src/../src/lib.rs",
        "./src/lib.rs",
        "src//lib.rs",
        "src/lib.rs/",
        "src/lib.rs%00",
        "src/lib.rs%00.png",
        "SRC/LIB.RS",
        "....//....//etc/passwd",
        "file:///etc/passwd",
        "../../../../../../secret",
        "artifact.bin",
        "",
    ] {
        let (status, text) = server.raw_get(&format!("{base}/{path}"));
        assert!(status == 404 || status == 400, "{path}: {status}");
        assert!(text.contains("application/problem+json") || status == 400, "{path}: {text}");
        assert!(!text.contains("root:"), "{path}");
    }
}

#[test]
fn a_damaged_file_is_never_served() {
    let server = Server::start();
    let token = server.login("kim");
    let revision = server.revision(&token, "fireball", "one");
    let hash = Sha256Hex::of(b"one");
    let blob = server.data("blobs").join(&hash.as_str()[..2]).join(hash.as_str());
    assert_eq!(fs::read(&blob).unwrap(), b"one");
    fs::write(&blob, "two").unwrap();
    server.get(&format!("/api/spells/fireball/revisions/{revision}/files/src/lib.rs"), &token).is_problem(500, "internal");
    // A build of the same source heals it.
    assert_eq!(server.revision(&token, "fireball", "one"), revision);
    assert_eq!(server.get(&format!("/api/spells/fireball/revisions/{revision}/files/src/lib.rs"), &token).bytes, b"one");
}

#[test]
fn one_player_cannot_fill_the_queue_for_all() {
    let server = Server::start();
    let (kim, eve) = (server.login("kim"), server.login("eve"));
    server.revision(&eve, "mend", "first");
    let build = |n: u32| server.post(&format!("/api/spells/s{n}/build"), &kim, &json!({ "code": "HANG" }));
    let refused = (0..6).map(build).find(|answer| answer.status != 200).expect("one runs, three wait");
    refused.is_problem(429, "build_queue_full");
    assert_eq!(refused.header("retry-after"), "5");
    // The other worker is free for another player at once: builds of one player never take both.
    server.revision(&eve, "mend", "quick");
}

#[test]
fn strangers_never_take_all_workers_from_those_whose_builds_are_quick() {
    let server = Server::start();
    let (known, stranger) = (server.login("known"), server.login("stranger"));
    server.revision(&known, "mend", "first");
    for n in 0..4 {
        let token = server.login("bomber");
        assert_eq!(server.post(&format!("/api/spells/bomb{n}/build"), &token, &json!({ "code": "HANG" })).status, 200);
    }
    for n in 0..3 {
        server.revision(&known, "mend", &format!("{n}"));
    }
    // Whoever is not known yet waits behind the others like them.
    let job = server.post("/api/spells/gust/build", &stranger, &json!({ "code": "one" })).json()["job_id"].as_str().unwrap().to_owned();
    server.revision(&known, "mend", "last");
    assert_eq!(server.get(&format!("/api/jobs/{job}"), &stranger).json()["status"], "pending");
}

#[test]
fn builds_of_one_player_come_in_the_order_they_were_asked_for() {
    let server = Server::start();
    let token = server.login("kim");
    let mut jobs: Vec<String> = Vec::new();
    for n in 0..40 {
        // Whoever is told that too many wait waits for one of them.
        let job = loop {
            let answer = server.post("/api/spells/fireball/build", &token, &json!({ "code": format!("{n}") }));
            match answer.status {
                200 => break answer.json()["job_id"].as_str().unwrap().to_owned(),
                _ => answer.is_problem(429, "build_queue_full"),
            };
            server.ended(&token, &jobs[jobs.len() - 3]);
        };
        jobs.push(job);
    }
    for (index, job) in jobs.iter().enumerate() {
        let job = server.ended(&token, job);
        assert_eq!(job["status"], "completed");
        assert!(job["result_revision_id"].as_str().unwrap().starts_with(&format!("rev_{:06}_", index + 1)), "{job}");
    }
}

#[test]
fn what_was_built_before_is_found_again_whoever_asks() {
    let server = Server::start();
    let (kim, eve) = (server.login("kim"), server.login("eve"));
    let first = server.revision(&kim, "fireball", "one");
    assert_eq!(server.builds(), 1);
    assert_eq!(server.revision(&kim, "fireball", "one"), first);
    // Same content, same hash, under whatever name.
    assert_eq!(server.revision(&eve, "my_fireball", "one"), first);
    assert_eq!(server.builds(), 1);
    // What has gone bad on the disk is built anew.
    let hash = Sha256Hex::of(b"artifact of one");
    fs::write(server.data("blobs").join(&hash.as_str()[..2]).join(hash.as_str()), "x").unwrap();
    assert_eq!(server.revision(&kim, "fireball", "one"), first);
    assert_eq!(server.builds(), 2);
}
