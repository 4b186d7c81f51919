//! Publications of what was never built, and of many at once.

use crate::harness::Server;
use protocol::Sha256Hex;
use serde_json::{Value, json};

/// What a publication changes.
fn state(server: &Server, token: &str) -> [Value; 2] {
    ["/api/spells", "/api/spells/fireball/audit"].map(|path| server.get(path, token).json())
}

#[test]
fn what_was_not_built_is_not_published_whatever_it_is_called() {
    let server = Server::start();
    let kim = server.login("kim");
    let good = server.revision(&kim, "fireball", "one");
    assert_eq!(server.publish(&kim, "fireball", &good, "beta").status, 200);
    let failed = server.build(&kim, "fireball", "FAIL");
    assert_eq!((&failed["status"], &failed["result_revision_id"]), (&json!("failed"), &Value::Null));
    let before = state(&server, &kim);
    let digest = Sha256Hex::of(b"FAIL");
    let names = [
        failed["job_id"].as_str().unwrap().to_owned(),
        format!("rev_000002_{}", &digest.as_str()[..8]),
        format!("rev_000002_{}", &good[11..]),
        "rev_000002_00000000".into(),
        good.to_uppercase(),
        format!("{good} "),
        format!("{good}\0"),
        "null".into(),
        String::new(),
    ];
    for name in &names {
        for channel in ["draft", "beta", "stable"] {
            server.publish(&kim, "fireball", name, channel).is_problem(404, "unknown_revision");
        }
        let set =
            json!([{ "spell_id": "fireball", "revision_id": good, "channel": "stable" }, { "spell_id": "fireball", "revision_id": name }]);
        server.post("/api/publications", &kim, &json!({ "publications": set })).is_problem(404, "unknown_revision");
        server.put("/api/spells/fireball/dev", &kim, &json!({ "revision_id": name })).is_problem(404, "unknown_revision");
        server
            .post("/api/spells/fireball/rollback", &kim, &json!({ "channel": "beta", "revision_id": name }))
            .is_problem(404, "unknown_revision");
        assert_eq!(state(&server, &kim), before, "{name}");
    }
}

#[test]
fn publications_of_many_at_once_are_all_in_the_log_one_after_the_other() {
    const THREADS: usize = 8;
    const ROUNDS: usize = 4;
    let server = Server::start();
    let kim = server.login("kim");
    let revisions = ["one", "two", "three"].map(|code| server.revision(&kim, "fireball", code));
    let publish = |number: usize| {
        let revision = revisions[number % revisions.len()].as_str();
        (server.publish(&kim, "fireball", revision, "stable").status, revision)
    };
    let rounds = |thread: usize| (0..ROUNDS).map(|round| publish(thread + round)).collect::<Vec<_>>();
    let answered: Vec<(u16, &str)> = std::thread::scope(|scope| {
        let rounds = &rounds;
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || rounds(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    // Without a precondition nobody is too late.
    assert!(answered.len() == THREADS * ROUNDS && answered.iter().all(|(status, _)| *status == 200), "{answered:?}");
    let audit = server.get("/api/spells/fireball/audit", &kim).json();
    let acts: Vec<&Value> = audit["entries"].as_array().unwrap().iter().rev().map(|entry| &entry["detail"]).collect();
    let mut published: Vec<&str> = acts.iter().map(|act| act["revision_id"].as_str().unwrap()).collect();
    let mut good: Vec<&str> = answered.iter().map(|(_, revision)| *revision).collect();
    published.sort_unstable();
    good.sort_unstable();
    assert_eq!(published, good);
    // Each begins where the one before it has ended, and the channel is where the last one is.
    assert_eq!(acts[0]["before"], Value::Null);
    assert!(acts.windows(2).all(|two| two[1]["before"] == two[0]["revision_id"]), "{acts:?}");
    assert_eq!(server.get("/api/spells", &kim).json()["spells"][0]["active_stable_rev"], acts.last().unwrap()["revision_id"]);
}
