//! Names of what is not there, in every spelling, on every operation.

use super::Scene;
use crate::harness::ADMIN_TOKEN;
use serde_json::Value;

/// What stands in the place of a name.
const NAMES: [&str; 13] =
    ["", "..%2f..%2fetc", "a%2fb", "%2e%2e", "%00", "a%0ab", "a%0d%0ab", "%F0%9F%94%A5", "%ff", "%", "%zz", "%25", "'%20OR%20'1'='1"];
/// What stands behind the name of something that is there.
const TAILS: [&str; 4] = ["%00", "%20", "%0a", ".."];

/// All that a request that went wrong must leave as it is.
fn state(scene: &Scene) -> Vec<Value> {
    let seen =
        ["/api/spells", "/api/spells/fireball/revisions", "/api/spells/fireball/audit", "/api/dev", "/worlds", "/world/{world}/policy"];
    let of_operators = ["/admin/bans", "/admin/servers", "/admin/sessions"];
    let of_kim = seen.iter().map(|path| scene.server.get(&scene.place(path), &scene.kim).json());
    of_kim.chain(of_operators.iter().map(|path| scene.server.get(path, ADMIN_TOKEN).json())).collect()
}

#[test]
fn a_name_that_nothing_can_have_is_refused_on_every_operation_and_changes_nothing() {
    let scene = Scene::set();
    let archive = scene.server.get(&scene.place("/api/spells/{spell}/revisions/{revision}/archive"), &scene.kim).bytes;
    let before = state(&scene);
    let long = "a".repeat(10_000);
    let mut asked = 0;
    for operation in scene.operations().iter().filter(|operation| operation.path.contains('{')) {
        scene.forgive();
        let takes = &operation.said["requestBody"]["content"];
        let body = match () {
            () if takes["application/json"].is_object() => Some(("application/json", scene.body(&operation.path).to_string().into_bytes())),
            () if takes["application/zip"].is_object() => Some(("application/zip", archive.clone())),
            () => None,
        };
        let body = body.as_ref().map(|(kind, bytes)| (*kind, bytes.as_slice()));
        for (name, id) in scene.ids.iter().filter(|(name, _)| operation.path.contains(&format!("{{{name}}}"))) {
            let tails = TAILS.iter().map(|tail| format!("{id}{tail}"));
            for hostile in NAMES.iter().map(|name| (*name).to_owned()).chain(tails).chain([long.clone(), id.to_uppercase() + "X"]) {
                // Only this one is wrong, so that it is what the others are asked for with.
                let path = scene.place(&operation.path.replace(&format!("{{{name}}}"), &hostile));
                let answer = scene.ask(operation, &path, body);
                let shown: String = format!("{} {path}: {answer:?}", operation.method).chars().take(1000).collect();
                assert!(matches!(answer.status, 400 | 404 | 405 | 422), "{shown}");
                assert_eq!(answer.header("content-type"), "application/problem+json", "{shown}");
                asked += 1;
            }
        }
    }
    assert!(asked > 500, "{asked}");
    assert_eq!(state(&scene), before);
}
