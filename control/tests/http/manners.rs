//! How the interface behaves whatever is asked: requests sent twice, long lists, other origins, names of requests, pages about errors.

use crate::harness::Server;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn with_key(server: &Server, path: &str, token: &str, key: &str, body: &Value) -> crate::harness::Answer {
    server.request_with("POST", path, token, &[("idempotency-key", key)], Some(("application/json", body.to_string().as_bytes())))
}

#[test]
fn a_request_that_comes_twice_is_done_once() {
    let server = Server::start();
    let (kim, lee) = (server.login("kim"), server.login("lee"));
    let build = |token: &str, key: &str, code: &str| with_key(&server, "/api/spells/fireball/build", token, key, &json!({ "code": code }));
    let first = build(&kim, "a", "one");
    let again = build(&kim, "a", "one");
    assert_eq!((first.status, first.json(), again.header("idempotency-replayed")), (200, again.json(), "true"));
    assert_ne!(build(&kim, "b", "one").json(), first.json(), "another key is another build");
    build(&kim, "a", "two").is_problem(422, "idempotency_conflict");
    // Another player's keys are others.
    build(&lee, "a", "one").is_problem(403, "not_your_spell");
    build(&kim, "", "one").is_problem(422, "bad_idempotency_key");
    build("", "a", "one").is_problem(401, "unauthorized");
    let revision = server.ended(&kim, first.json()["job_id"].as_str().unwrap())["result_revision_id"].as_str().unwrap().to_owned();
    let publish = || with_key(&server, "/api/spells/fireball/publish", &kim, "p", &json!({ "revision_id": revision, "channel": "stable" }));
    assert_eq!((publish().status, publish().status), (200, 200));
    let count: u32 =
        server.database().query_row("SELECT count(*) FROM publication WHERE channel = 'stable'", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 1);
    // What was answered is answered so after a restart; what was refused stays refused.
    let server = server.restart();
    let again = with_key(&server, "/api/spells/fireball/build", &kim, "a", &json!({ "code": "one" }));
    assert_eq!(again.json(), first.json());
}

#[test]
fn of_many_at_once_with_one_key_one_is_done() {
    let server = Server::start();
    let kim = server.login("kim");
    let statuses: Vec<(u16, Value)> = std::thread::scope(|scope| {
        let ask = || {
            let answer = with_key(&server, "/api/spells/fireball/build", &kim, "same", &json!({ "code": "one" }));
            (answer.status, answer.json()["job_id"].clone())
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let jobs: BTreeSet<String> = statuses.iter().filter(|(status, _)| *status == 200).map(|(_, job)| job.to_string()).collect();
    assert!(jobs.len() == 1 && statuses.iter().all(|(status, _)| matches!(status, 200 | 409)), "{statuses:?}");
}

#[test]
fn long_lists_come_page_by_page() {
    let server = Server::start();
    let kim = server.login("kim");
    let made: BTreeSet<String> = (0..7)
        .map(|number| {
            let world = server.post("/worlds", &kim, &json!({ "name": format!("world {number}") })).json();
            world["world"]["world_id"].as_str().unwrap().to_owned()
        })
        .collect();
    let (mut seen, mut next, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = server.get(&format!("/worlds?limit=3{next}"), "").json();
        seen.extend(page["worlds"].as_array().unwrap().iter().map(|world| world["world_id"].as_str().unwrap().to_owned()));
        pages += 1;
        match page["next"].as_str() {
            Some(cursor) => next = format!("&after={cursor}"),
            None => break,
        }
    }
    assert_eq!((seen.len(), pages), (7, 3));
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), made);
    for code in ["one", "two", "three"] {
        let revision = server.revision(&kim, "fireball", code);
        server.publish(&kim, "fireball", &revision, "beta");
    }
    let first = server.get("/api/spells/fireball/revisions?limit=2", "").json();
    let second = server.get(&format!("/api/spells/fireball/revisions?limit=2&after={}", first["next"].as_str().unwrap()), "").json();
    let numbers: Vec<u64> = [first, second]
        .iter()
        .flat_map(|page| page["revisions"].as_array().unwrap().clone())
        .map(|one| one["version"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [3, 2, 1]);
    for query in ["limit=0", "limit=x", "after=nonsense", "after=x.y"] {
        server.get(&format!("/worlds?{query}"), "").is_problem(422, "bad_page");
    }
}

#[test]
fn only_named_origins_may_read_an_answer() {
    let server = Server::start();
    let allowed = |origin: &str| {
        let answer = server.request_with("GET", "/worlds", "", &[("origin", origin)], None);
        answer.header("access-control-allow-origin").to_owned()
    };
    assert_eq!(allowed("https://game.example"), "https://game.example");
    assert_eq!(allowed("https://evil.example"), "");
    let headers = [("origin", "https://game.example"), ("access-control-request-method", "PUT")];
    let preflight = server.request_with("OPTIONS", "/api/spells/fireball/dev", "", &headers, None);
    assert_eq!((preflight.status, preflight.header("access-control-allow-methods").contains("PUT")), (200, true));
}

#[test]
fn pages_of_named_origins_may_connect_to_game_servers_too() {
    let server = Server::start();
    let kim = server.login("kim");
    let joined = server.post("/join", &kim, &json!({})).json();
    assert_eq!(server.origins(joined["world_id"].as_str().unwrap()), "https://game.example");
}

#[test]
fn requests_have_names_and_errors_have_pages() {
    let server = Server::start();
    assert_eq!(server.get("/worlds", "").header("x-request-id").len(), 36);
    assert_eq!(server.request_with("GET", "/worlds", "", &[("x-request-id", "mine")], None).header("x-request-id"), "mine");
    let problem = server.post("/join", "", &json!({})).is_problem(401, "unauthorized");
    let page = server.get(problem["type"].as_str().unwrap(), "");
    assert!(page.status == 200 && String::from_utf8_lossy(&page.bytes).contains("Log in"));
    server.get("/problems/none", "").is_problem(404, "unknown_problem");
    server.get("/problems/%3Cscript%3E", "").is_problem(404, "unknown_problem");
    let docs = server.get("/docs", "");
    let text = String::from_utf8(docs.bytes.clone()).unwrap();
    assert!(text.contains("<code>/api/spells/{spell}/rollback</code>") && text.matches("<section>").count() > 40);
    assert!(docs.header("content-security-policy").contains("default-src 'none'"));
}

#[test]
fn a_world_takes_whom_its_policy_takes() {
    let server = Server::start();
    let (kim, eve) = (server.login("kim"), server.login("eve"));
    let world = server.world(&kim);
    let set = |policy: Value| assert_eq!(server.put(&format!("/world/{world}/policy"), &kim, &policy).status, 200);
    let join = |token: &str| server.post("/join", token, &json!({ "world_id": world }));
    set(json!({ "visibility": "private" }));
    join(&eve).is_problem(403, "world_private");
    assert_eq!(join(&kim).status, 200);
    assert_eq!(server.get("/worlds", &eve).json()["worlds"], json!([]));
    assert_eq!(server.get("/worlds", &kim).json()["worlds"][0]["world_id"], *world);
    let id = server.get("/session", &eve).json()["client_id"].clone();
    set(json!({ "visibility": "private", "members": [id] }));
    assert_eq!(join(&eve).status, 200);
    set(json!({ "capacity": 2 }));
    let full = join(&server.login("zoe"));
    full.is_problem(503, "world_full");
    assert_eq!(full.header("retry-after"), "5");
    assert_eq!(join(&eve).status, 200, "who is expected already may come");
    server.put(&format!("/world/{world}/policy"), &kim, &json!({ "capacity": 0 })).is_problem(422, "bad_policy");
}
