//! What belongs to somebody else, asked for with its true name.

use super::Scene;
use crate::harness::ADMIN_TOKEN;
use serde_json::json;

const EXPORT: &str = "application/vnd.ugc-world";

#[test]
fn an_archive_of_somebody_else_s_spell_is_no_key_to_it() {
    let Scene { server, kim, ids } = &Scene::set();
    let eve = server.login("eve");
    let [_, (_, revision), ..] = ids;
    // It is a draft: somebody has passed the archive on.
    let archive = server.get(&format!("/api/spells/fireball/revisions/{revision}/archive"), kim);
    let before = server.get("/api/spells/fireball/revisions", kim).json();
    let import =
        |spell: &str| server.request("POST", &format!("/api/spells/{spell}/import"), &eve, Some(("application/zip", &archive.bytes)));
    import("fireball").is_problem(403, "not_your_spell");
    assert_eq!(server.get("/api/spells/fireball/revisions", kim).json(), before);
    // As a spell of one's own it is welcome, and says where it comes from.
    let job = server.ended(&eve, import("eves").json()["job_id"].as_str().unwrap());
    assert_eq!(job["status"], "completed", "{job}");
    // In a set, somebody else's spell keeps one's own from being published as well.
    let own = job["result_revision_id"].as_str().unwrap();
    let set =
        [("eves", own), ("fireball", revision.as_str())].map(|(spell, revision)| json!({ "spell_id": spell, "revision_id": revision }));
    server.post("/api/publications", &eve, &json!({ "publications": set })).is_problem(403, "not_your_spell");
    let eves =
        server.get("/api/spells", &eve).json()["spells"].as_array().unwrap().iter().find(|spell| spell["spell_id"] == "eves").cloned();
    assert!(eves.unwrap()["active_beta_rev"].is_null());
}

#[test]
fn a_world_is_replaced_by_its_owner_alone() {
    let scene = Scene::set();
    let (server, world) = (&scene.server, scene.place("/world/{world}"));
    let eve = server.login("eve");
    let eves = server.post("/worlds", &eve, &json!({})).json()["world"]["world_id"].as_str().unwrap().to_owned();
    let crates = |name: &str| json!({ "entities": [{ "entity_type": 4, "name": name, "position": [1.0, 5.0, 1.0] }] });
    assert_eq!(server.put(&world, &scene.kim, &crates("kim's")).status, 200);
    assert_eq!(server.put(&format!("/world/{eves}"), &eve, &crates("eve's")).status, 200);
    let export = server.get(&format!("/world/{eves}/export"), &eve).bytes;
    for method in ["PUT", "POST"] {
        for (kind, bytes) in [("application/json", crates("eve's").to_string().into_bytes()), (EXPORT, export.clone())] {
            server.request(method, &world, &eve, Some((kind, &bytes))).is_problem(403, "not_your_world");
        }
    }
    for path in [&world, &format!("{world}/export"), &format!("{world}/policy"), &format!("{world}/quarantine")] {
        server.get(path, &eve).is_problem(403, "not_your_world");
    }
    server.delete(&world, &eve).is_problem(403, "not_your_world");
    server.put(&format!("{world}/policy"), &eve, &json!({ "visibility": "private" })).is_problem(403, "not_your_world");
    assert_eq!(server.get(&world, &scene.kim).json()["entities"][0]["name"], "kim's");
    assert_eq!(server.get(&format!("{world}/policy"), &scene.kim).json()["visibility"], "public");
}

#[test]
fn a_quarantine_is_lifted_by_the_world_s_owner_alone_and_in_that_world() {
    let scene = Scene::set();
    let (server, eve) = (&scene.server, scene.server.login("eve"));
    let eves = server.post("/worlds", &eve, &json!({})).json()["world"]["world_id"].as_str().unwrap().to_owned();
    let slot = scene.place("/world/{world}/quarantine/{spell}/{revision}");
    let put = |world: &str| {
        let path = scene.place("/admin/worlds/{world}/quarantine/{spell}/{revision}").replace(scene.id("world"), world);
        server.request("PUT", &path, ADMIN_TOKEN, None).status
    };
    assert_eq!((put(scene.id("world")), put(&eves)), (200, 200));
    server.delete(&slot, &eve).is_problem(403, "not_your_world");
    server.delete(&format!("/admin{}", slot.replace("/world/", "/worlds/")), &eve).is_problem(403, "forbidden");
    // Her own she may lift, once; kim's stays.
    let own = slot.replace(scene.id("world"), &eves);
    assert_eq!(server.delete(&own, &eve).status, 200);
    server.delete(&own, &eve).is_problem(404, "unknown_quarantine");
    let kims = server.get(&scene.place("/world/{world}/quarantine"), &scene.kim).json();
    assert_eq!(kims["quarantined"][0]["revision_id"], scene.id("revision"));
    // Nor does a world run somebody else's draft because its policy names it.
    let pin = json!({ "pins": { "fireball": scene.id("revision") } });
    server.put(&format!("/world/{eves}/policy"), &eve, &pin).is_problem(404, "unknown_revision");
}
