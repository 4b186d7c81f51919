//! Who may do what with a spell, and what becomes of its revisions.

use crate::harness::{ADMIN_TOKEN, Server};
use serde_json::{Value, json};

fn publish_if(server: &Server, token: &str, revision: &str, if_active: &Value) -> crate::harness::Answer {
    let body = json!({ "revision_id": revision, "channel": "stable", "if_active": if_active });
    server.post("/api/spells/fireball/publish", token, &body)
}

#[test]
fn collaborators_build_and_publish_and_the_owner_alone_names_them() {
    let server = Server::start();
    let (kim, ann, eve) = (server.login("kim"), server.login("ann"), server.login("eve"));
    let first = server.revision(&kim, "fireball", "one");
    let set = |token: &str, names: Value| {
        let body = json!({ "usernames": names }).to_string();
        server.request("PUT", "/api/spells/fireball/collaborators", token, Some(("application/json", body.as_bytes())))
    };
    set(&ann, json!(["ann"])).is_problem(403, "not_your_spell");
    set(&kim, json!(["nobody"])).is_problem(404, "unknown_player");
    assert_eq!(set(&kim, json!(["ann"])).json()["usernames"], json!(["ann"]));
    let second = server.revision(&ann, "fireball", "two");
    assert_eq!(server.publish(&ann, "fireball", &second, "beta").status, 200);
    assert_eq!(server.get(&format!("/api/spells/fireball/revisions/{first}/manifest"), &ann).status, 200);
    server.get(&format!("/api/spells/fireball/revisions/{first}/manifest"), &eve).is_problem(404, "unknown_revision");
    // A collaborator names nobody, and is one no longer than the owner says.
    set(&ann, json!(["ann", "eve"])).is_problem(403, "not_your_spell");
    server.post("/api/spells/fireball/build", &eve, &json!({ "code": "x" })).is_problem(403, "not_your_spell");
    set(&kim, json!([])).json();
    server.post("/api/spells/fireball/build", &ann, &json!({ "code": "x" })).is_problem(403, "not_your_spell");
    set(&kim, json!(vec!["ann"; 17])).is_problem(422, "too_many");
    set(&kim, json!(["a".repeat(10_000)])).is_problem(404, "unknown_player");
    let audit = server.get("/api/spells/fireball/audit", &kim).json();
    let acts: Vec<_> = audit["entries"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(acts, ["collaborators", "publish", "collaborators"]);
    server.get("/api/spells/fireball/audit", &eve).is_problem(403, "not_your_spell");
    server.get("/api/spells/fireball/collaborators", &eve).is_problem(403, "not_your_spell");
}

#[test]
fn of_two_who_publish_at_once_one_hears_that_the_channel_has_moved() {
    let server = Server::start();
    let token = server.login("kim");
    let (one, two) = (server.revision(&token, "fireball", "one"), server.revision(&token, "fireball", "two"));
    assert_eq!(publish_if(&server, &token, &one, &Value::Null).status, 200);
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let threads = [&one, &two, &two, &one].map(|revision| {
            let (server, token, expected) = (&server, &token, json!(one));
            scope.spawn(move || publish_if(server, token, revision, &expected).status)
        });
        threads.map(|thread| thread.join().unwrap()).into()
    });
    // Those who put the same again change nothing; of the others the first one wins.
    let moved = answers.iter().filter(|status| **status == 409).count();
    assert!(answers.iter().all(|status| [200, 409].contains(status)) && moved >= 1, "{answers:?}");
    publish_if(&server, &token, &two, &Value::Null).is_problem(409, "channel_moved");
    let problem = publish_if(&server, &token, &two, &json!(one)).is_problem(409, "channel_moved");
    assert!(problem["detail"].as_str().unwrap().contains(&two), "{problem}");
    publish_if(&server, &token, &one, &json!("nonsense")).is_problem(404, "unknown_revision");
    // Rolling back is publishing an older one.
    assert_eq!(publish_if(&server, &token, &one, &json!(two)).status, 200);
    let audit = server.get("/api/spells/fireball/audit", &token).json();
    assert_eq!(audit["entries"][0]["detail"], json!({ "channel": "stable", "revision_id": one, "before": two }));
}

#[test]
fn a_revoked_revision_is_out_of_use_for_good() {
    let server = Server::start();
    let (kim, eve) = (server.login("kim"), server.login("eve"));
    let (one, two) = (server.revision(&kim, "fireball", "one"), server.revision(&kim, "fireball", "two"));
    for revision in [&one, &two] {
        server.publish(&kim, "fireball", revision, "stable");
    }
    let revoke = |token: &str, revision: &str, reason: &str| {
        server.post(&format!("/api/spells/fireball/revisions/{revision}/revoke"), token, &json!({ "reason": reason }))
    };
    revoke(&eve, &two, "mine now").is_problem(403, "not_your_spell");
    revoke(&kim, &two, "").is_problem(422, "bad_reason");
    revoke(&kim, &two, "a\u{1b}[31mb").is_problem(422, "bad_reason");
    revoke(&kim, "rev_000009_00000000", "x").is_problem(404, "unknown_revision");
    assert_eq!(revoke(&kim, &two, "it burns too much").status, 200);
    // The channel is back at what it pointed at before.
    let spell = server.get("/api/spells", &kim).json()["spells"][0].clone();
    assert_eq!((&spell["active_stable_rev"], &spell["active_draft_rev"]), (&json!(one), &json!(one)));
    server.publish(&kim, "fireball", &two, "stable").is_problem(409, "revoked");
    let gone = server.get(&format!("/api/spells/fireball/revisions/{two}/files/src/lib.rs"), &eve).is_problem(410, "revoked");
    assert!(gone["detail"].as_str().unwrap().contains("it burns too much"), "{gone}");
    assert_eq!(server.get(&format!("/api/spells/fireball/revisions/{two}/files/src/lib.rs"), &kim).status, 200);
    let job = server.build(&kim, "fireball", "two");
    assert!(job["status"] == "failed" && job["error_message"].as_str().unwrap().contains("is revoked"), "{job}");
    // An operator may do so with anybody's, and with the last one: then nothing is active.
    let path = format!("/admin/spells/fireball/revisions/{one}/revoke");
    server.post(&path, &kim, &json!({ "reason": "x" })).is_problem(403, "forbidden");
    assert_eq!(server.post(&path, ADMIN_TOKEN, &json!({ "reason": "against the rules" })).status, 200);
    assert_eq!(server.get("/api/spells", "").json()["spells"], json!([]));
    assert_eq!(server.get("/api/spells", &kim).json()["spells"][0]["active_stable_rev"], Value::Null);
    assert_eq!(server.get("/api/spells/fireball/audit", &kim).json()["entries"][0]["actor"], "operator");
}

#[test]
fn a_fork_is_a_spell_of_one_s_own_that_remembers_where_it_comes_from() {
    let server = Server::start();
    let (kim, eve) = (server.login("kim"), server.login("eve"));
    let revision = server.revision(&kim, "fireball", "one");
    let fork = |token: &str, to: &str| {
        server.post(&format!("/api/spells/{to}/fork"), token, &json!({ "spell_id": "fireball", "revision_id": revision }))
    };
    fork(&eve, "eves_fireball").is_problem(404, "unknown_revision");
    server.publish(&kim, "fireball", &revision, "beta");
    let job = server.ended(&eve, fork(&eve, "eves_fireball").json()["job_id"].as_str().unwrap());
    let forked = job["result_revision_id"].as_str().unwrap_or_else(|| panic!("{job}"));
    let manifest = server.get(&format!("/api/spells/eves_fireball/revisions/{forked}/manifest"), &eve).json()["manifest"].clone();
    assert_eq!(manifest["origin"], json!({ "spell_id": "fireball", "revision_id": revision, "author": "kim" }));
    assert_eq!(manifest["author"], "eve");
    server.get(&format!("/api/spells/eves_fireball/revisions/{forked}/manifest"), &kim).is_problem(404, "unknown_revision");
    fork(&eve, "fireball").is_problem(403, "not_your_spell");
    server.post("/api/spells/x1/fork", &eve, &json!({ "spell_id": "../x", "revision_id": "x" })).is_problem(404, "unknown_spell");
}

#[test]
fn old_drafts_go_and_what_was_published_stays() {
    let server = Server::start();
    let token = server.login("kim");
    let first = server.revision(&token, "fireball", "published");
    server.publish(&token, "fireball", &first, "beta");
    let second = server.revision(&token, "fireball", "draft");
    for n in 0..50 {
        server.revision(&token, "fireball", &format!("{n}"));
    }
    let server = server.restart();
    let status = |revision: &str| server.get(&format!("/api/spells/fireball/revisions/{revision}/files/src/lib.rs"), &token).status;
    assert_eq!((status(&first), status(&second)), (200, 404));
    let blob = protocol::Sha256Hex::of(b"component of draft");
    assert!(!server.data("blobs").join(&blob.as_str()[..2]).join(blob.as_str()).exists());
    // The same again is built again, and nobody notices.
    server.revision(&token, "fireball", "draft");
}
