//! Who may do what, for every operation of the OpenAPI document: a new one is in this table without anybody adding it.

use crate::harness::{ADMIN_TOKEN, Server};
use expect_test::expect_file;
use serde_json::{Value, json};
use std::fmt::Write;

/// One operation of the document.
struct Operation {
    method: String,
    path: String,
    /// `session`, `admin`, or nothing.
    wants: Option<String>,
    /// Its answer goes on and on.
    streams: bool,
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let security = operation["security"].as_array();
            // An empty alternative means that it is also for those who show nothing.
            let is_open = security.is_none_or(|ways| ways.iter().any(|way| way.as_object().unwrap().is_empty()));
            let wants = security.filter(|_| !is_open).and_then(|ways| ways[0].as_object()?.keys().next().cloned());
            let streams =
                operation["responses"]["200"]["content"].as_object().is_some_and(|content| content.contains_key("text/event-stream"));
            operations.push(Operation { method: method.to_uppercase(), path: path.clone(), wants, streams });
        }
    }
    // What destroys comes last, and the session that all of it is done with at the very end.
    operations.sort_by_key(|operation| (operation.path == "/session" && operation.method == "DELETE", operation.method == "DELETE"));
    operations
}

#[test]
fn every_operation_is_for_those_whom_the_document_names() {
    let server = Server::start();
    let (kim, eve, zoe) = (server.login("kim"), server.login("eve"), server.login("zoe"));
    let revision = server.revision(&kim, "fireball", "one");
    let job = server.build(&kim, "fireball", "two")["job_id"].as_str().unwrap().to_owned();
    let world = server.world(&kim);
    let secret = server.secrets(&world).server_secret;
    let victim = server.get("/session", &zoe).json()["client_id"].as_str().unwrap().to_owned();
    let place = |path: &str| {
        path.replace("{spell}", "fireball")
            .replace("{revision}", &revision)
            .replace("{world}", &world)
            .replace("{job}", &job)
            .replace("{client}", &victim)
            .replace("{path}", "src/lib.rs")
    };
    let ask = |operation: &Operation, token: &str| {
        // What any of them wants, so that a stranger is refused for being one and not for what is asked.
        let body = match operation.path.as_str() {
            "/world/{world}/policy" | "/login" | "/join" => json!({}),
            _ => json!({
                "spell_id": "fireball", "revision_id": revision, "code": "one", "usernames": [], "reason": "a test", "requests_per_minute": 60,
                "client_id": victim, "minutes": 1, "trust": "known", "publications": [{ "spell_id": "fireball", "revision_id": revision }],
            }),
        };
        let body = body.to_string();
        let body = matches!(operation.method.as_str(), "POST" | "PUT").then_some(("application/json", body.as_bytes()));
        server.request(&operation.method, &place(&operation.path), token, body).status
    };
    let document = server.get("/openapi.json", "").json();
    let operations = operations(&document);
    assert!(operations.len() > 40, "{}", operations.len());
    let mut table = String::from("operation: anonymous, forged token, game server, another player, operator\n");
    for operation in operations.iter().filter(|operation| !operation.path.contains("{code}")) {
        let name = format!("{} {}", operation.method, operation.path);
        let [anonymous, forged, of_server, of_eve, of_admin] = if operation.wants.as_deref() == Some("admin") {
            // The operator's turn comes when everybody else was refused.
            ["", "forged", &secret, &eve, ""].map(|token| ask(operation, token))
        } else if operation.path == "/session" && operation.method == "DELETE" {
            ["", "forged", &secret, "", ADMIN_TOKEN].map(|token| ask(operation, token))
        } else {
            ["", "forged", &secret, &eve, ADMIN_TOKEN].map(|token| ask(operation, token))
        };
        match operation.wants.as_deref() {
            Some("session") => {
                let refused = [anonymous, forged, of_server, of_admin];
                assert!(refused.iter().all(|status| *status == 401), "{name}: {refused:?}");
                // An archive says itself which spell it is of, so it is read first.
                if (operation.path.contains('{') || name == "POST /api/publications") && !operation.path.ends_with("/import") {
                    assert!(matches!(of_eve, 403 | 404), "{name} is not another player's: {of_eve}");
                }
            }
            Some("admin") => assert_eq!([anonymous, forged, of_server, of_eve], [401, 403, 403, 403], "{name}"),
            _ => assert!(!matches!(anonymous, 401 | 403), "{name} is for everybody: {anonymous}"),
        }
        writeln!(table, "{name}: {anonymous}, {forged}, {of_server}, {of_eve}, {of_admin}").unwrap();
    }
    // A stand-in for a game server carries out no orders; a stopped world's file is read without one.
    server.delete(&format!("/admin/servers/{world}"), ADMIN_TOKEN);
    // Whose it is may do it: whatever is wrong with the request, it is not who asks.
    for operation in operations.iter().filter(|operation| !operation.streams && !operation.path.contains("{code}")) {
        let token = if operation.wants.as_deref() == Some("admin") { ADMIN_TOKEN } else { &kim };
        let status = ask(operation, token);
        assert!(!matches!(status, 401 | 403) && status < 500, "{} {}: {status}", operation.method, operation.path);
    }
    expect_file!["./authorization.txt"].assert_eq(&table);
}
