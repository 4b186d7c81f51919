//! JSON with the wrong thing in every place of every body.

use super::Scene;
use crate::{
    harness::{ADMIN_TOKEN, Answer},
    link::Line,
};
use serde_json::{Value, json};

/// What stands where something else should; as text, for not all of it can be a value.
const WRONG: [&str; 15] = [
    "1",
    "-1",
    "18446744073709551615",
    "1e308",
    "1e999",
    "\"x\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "[]",
    "[[]]",
    "{}",
    "{\"\":0}",
    "null",
    "true",
    "NaN",
];
/// Stands for it until the body is text.
const MARK: &str = "what is wrong here";

/// The places of all values in this one, as JSON pointers; its own comes first.
fn places(value: &Value, place: &str) -> Vec<String> {
    let below = |key: String, value: &Value| places(value, &format!("{place}/{}", key.replace('~', "~0").replace('/', "~1")));
    let mut all = vec![place.to_owned()];
    match value {
        Value::Object(fields) => all.extend(fields.iter().flat_map(|(key, value)| below(key.clone(), value))),
        Value::Array(items) => all.extend(items.iter().enumerate().flat_map(|(index, value)| below(index.to_string(), value))),
        _ => {}
    }
    all
}

/// This body once for each place and each wrong thing.
fn spoilt(body: &Value) -> Vec<String> {
    let deep = "[".repeat(200) + &"]".repeat(200);
    let marked = places(body, "").into_iter().map(|place| {
        let mut body = body.clone();
        *body.pointer_mut(&place).unwrap() = json!(MARK);
        body.to_string()
    });
    let marked: Vec<String> = marked.collect();
    let wrong = WRONG.iter().copied().chain([deep.as_str()]);
    wrong.flat_map(|wrong| marked.iter().map(move |body| body.replace(&format!("\"{MARK}\""), wrong))).collect()
}

/// Checks that the body has all that the document says of it, so that what is new to the document is tried here too.
fn has_all(document: &Value, schema: &Value, body: &Value) {
    if let Some(reference) = schema["$ref"].as_str() {
        return has_all(document, document.pointer(&reference[1..]).unwrap(), body);
    }
    for kind in ["oneOf", "allOf"] {
        schema[kind].as_array().into_iter().flatten().for_each(|schema| has_all(document, schema, body));
    }
    if schema["items"].is_object() && body[0].is_object() {
        has_all(document, &schema["items"], &body[0]);
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        has_all(document, schema, body.get(name).unwrap_or_else(|| panic!("a body without {name}, which the document has: {body}")));
    }
}

/// Whatever is wrong, it is told in the form of all problems, with its place where it is one of the text.
fn is_answered(answer: &Answer, shown: &str) {
    let shown = format!("{shown}: {answer:?}");
    assert!(answer.status < 500, "{shown}");
    if answer.status < 400 {
        return;
    }
    let problem = answer.json();
    assert_eq!((answer.header("content-type"), &problem["status"]), ("application/problem+json", &json!(answer.status)), "{shown}");
    assert_ne!(problem["code"], "too_many_requests", "the test itself is refused");
    if ["wrong_json", "malformed_json"].iter().any(|code| problem["code"] == *code) {
        assert!(problem["line"].as_u64().is_some_and(|line| line >= 1) && problem["column"].is_u64(), "{shown}");
    }
}

/// Checks that whatever was let in can be looked at, and that others go on as ever.
fn all_is_well(scene: &Scene) {
    // A stand-in for a game server shows nothing of its world.
    scene.server.delete(&scene.place("/admin/servers/{world}"), ADMIN_TOKEN);
    scene.forgive();
    for operation in scene.operations().iter().filter(|operation| operation.method == "GET" && !operation.path.ends_with("/events")) {
        let answer = scene.ask(operation, &scene.place(&operation.path), None);
        assert!(answer.status < 500, "{}: {answer:?}", operation.path);
    }
    scene.server.revision(&scene.server.login("ann"), "gust", "as good as ever");
}

#[test]
fn the_wrong_thing_in_any_place_of_any_body_is_refused_and_fails_nothing() {
    let scene = Scene::set();
    let document = scene.server.get("/openapi.json", "").json();
    let (mut bodies, mut refused) = (0, 0);
    for operation in scene.operations() {
        let Some(schema) = operation.said["requestBody"]["content"]["application/json"].get("schema") else { continue };
        let body = scene.body(&operation.path);
        has_all(&document, schema, &body);
        scene.forgive();
        let path = match operation.path.as_str() {
            // See `Scene::body`: of a world that is there, some of these would be carried out.
            "/admin/worlds/{world}/revert" => "/admin/worlds/world_00000000/revert".into(),
            path => scene.place(path),
        };
        for body in spoilt(&body) {
            let answer = scene.ask(&operation, &path, Some(("application/json", body.as_bytes())));
            is_answered(&answer, &format!("{} {path} {body}", operation.method));
            (bodies, refused) = (bodies + 1, refused + usize::from(answer.status >= 400));
        }
        if operation.path.ends_with("/revoke") {
            // What comes after it is to find the revision.
            let lifted = [ADMIN_TOKEN, &scene.kim].map(|token| scene.server.delete(&path, token).status);
            assert!(lifted.contains(&200), "{path}: {lifted:?}");
        }
    }
    assert!(bodies > 1500 && refused > bodies / 2, "{refused} of {bodies}");
    all_is_well(&scene);
}

/// One of each report that a game server makes.
fn reports(scene: &Scene) -> Value {
    let (trial, tally) = (scene.id("revision"), json!({ "casts": 1, "faults": 0, "mana": 1.5 }));
    json!([
        { "report": "fault", "spell_id": "fireball", "revision_id": trial, "cast": 3, "caster": 7, "tick": 1, "hook": "on-tick", "limit": "fuel", "message": "" },
        { "report": "not_migrated", "spell_id": "fireball", "revision_id": trial, "to": trial, "cast": 3, "caster": 7, "tick": 1, "limit": "fuel", "message": "" },
        { "report": "line", "spell_id": "fireball", "revision_id": trial, "cast": 3, "caster": 7, "tick": 1, "level": "info", "text": "" },
        { "report": "quarantined", "spell_id": "fireball", "revision_id": "rev_000001_00000000", "message": "" },
        { "report": "trial", "rollout": 1, "life": 1, "trial": tally, "active": tally },
        { "report": "refused", "spell_id": "fireball", "revision_id": trial, "message": "" },
        { "report": "done", "order": 1, "error": null },
        {
            "report": "health", "tick": 1, "tick_p50_us": 1, "tick_p99_us": 1, "tick_max_us": 1, "late_ticks": 1, "skipped_ticks": 1, "players": 1,
            "entities": 1, "casts": 1, "casts_begun": 1, "faults": 1, "fuel": 1, "snapshot_bytes": 1,
        },
        { "report": "players", "clients": [scene.id("client")] },
    ])
}

#[test]
fn a_confused_game_server_s_reports_fail_nothing_either() {
    let scene = Scene::set();
    let terms = json!({ "min_casts": 1_000_000, "bake_seconds": 2_000_000, "max_fault_rate": 1.0 });
    let body = json!({ "revision_id": scene.id("revision"), "channel": "beta", "rollout": terms });
    let rollout = scene.server.post("/api/spells/fireball/publish", &scene.kim, &body).json()["rollout"].clone();
    assert_eq!(rollout, 1);
    assert_eq!(scene.server.post("/join", &scene.kim, &json!({ "world_id": scene.id("world") })).status, 200);
    let line = Line::to(&scene.server, scene.id("world").to_owned());
    let path = scene.place("/internal/worlds/{world}/reports");
    let reports = reports(&scene);
    assert_eq!(scene.server.post(&path, &line.secret, &reports).status, 204);
    for body in spoilt(&reports) {
        let answer = scene.server.request("POST", &path, &line.secret, Some(("application/json", body.as_bytes())));
        is_answered(&answer, &body);
    }
    all_is_well(&scene);
}
