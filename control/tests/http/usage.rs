//! What a spell's casts came to, as worlds report it and as anybody may ask.

use crate::{harness::Server, link::Line};
use protocol::{
    link::{Counted, Live, Report, Usage},
    usage::FuelCounts,
};
use serde_json::{Value, json};

/// Casts of the fireball that took so much fuel, one of them stopped, by these players.
fn counted(revision: &str, fuel: &[u64], players: &[&str]) -> Counted {
    let mut counts = FuelCounts::default();
    fuel.iter().for_each(|fuel| counts.count(*fuel));
    Counted {
        spell_id: "fireball".parse().unwrap(),
        revision_id: revision.parse().unwrap(),
        casts: fuel.len() as u64,
        faults: 1,
        fuel: counts,
        players: players.iter().map(|player| (*player).to_owned()).collect(),
    }
}

fn report(line: &Line, server: &Server, life: u64, number: u64, counted: Vec<Counted>, live: &[(&str, u32)]) {
    let live = live.iter().map(|(revision, casts)| Live {
        spell_id: "fireball".parse().unwrap(),
        revision_id: revision.parse().unwrap(),
        casts: *casts,
    });
    let usage = Usage { life, number, counted, live: live.collect() };
    assert_eq!(line.report(server, &[Report::Usage(usage)]), 204);
}

/// What is told of this revision.
fn told(server: &Server, token: &str, revision: &str) -> Value {
    let answer = server.get("/api/spells/fireball/usage", token).json();
    let revisions = answer["revisions"].as_array().unwrap();
    revisions.iter().find(|told| told["revision_id"] == revision).cloned().unwrap_or(Value::Null)
}

#[test]
fn casts_of_all_worlds_add_up_and_a_report_that_comes_twice_counts_once() {
    let server = Server::start();
    let (kim, eve) = (server.login("kim"), server.login("eve"));
    let one = server.revision(&kim, "fireball", "one");
    server.publish(&kim, "fireball", &one, "stable");
    let (here, there) = (Line::of(&server, &kim), Line::of(&server, &eve));
    let never = told(&server, "", &one);
    assert_eq!((&never["casts"], &never["fuel_p50"], &never["worlds"]), (&json!(0), &Value::Null, &json!([])));

    let fuel: Vec<u64> = vec![20_000; 97];
    let players = ["client_00000000000a", "client_00000000000b"];
    for _ in 0..2 {
        report(&here, &server, 1, 1, vec![counted(&one, &fuel, &players)], &[(&one, 4)]);
    }
    report(&there, &server, 9, 1, vec![counted(&one, &[900_000, 20_000, 20_000], &players[..1])], &[]);
    let now = told(&server, "", &one);
    assert_eq!((&now["casts"], &now["faults"], &now["live_casts"], &now["players"]), (&json!(100), &json!(2), &json!(4), &json!(2)));
    let near = |told: &Value, exact: u64| assert!(told.as_u64().unwrap().abs_diff(exact) * 16 <= exact, "{told} for {exact}");
    near(&now["fuel_p50"], 20_000);
    near(&now["fuel_p99"], 20_000);
    // One more dear one, and the hundredth part is dear.
    report(&there, &server, 9, 2, vec![counted(&one, &[900_000], &[])], &[]);
    near(&told(&server, "", &one)["fuel_p99"], 900_000);

    // Another life of the server counts its reports anew; what was live in the one before is not.
    report(&here, &server, 2, 1, vec![counted(&one, &[20_000], &[])], &[]);
    let now = told(&server, "", &one);
    assert_eq!((&now["casts"], &now["live_casts"]), (&json!(102), &json!(0)));

    // The sums outlive a restart.
    let server = server.restart();
    let after = told(&server, "", &one);
    assert_eq!((&after["casts"], &after["faults"], &after["fuel_p99"]), (&json!(102), &json!(4), &now["fuel_p99"]));
    assert_eq!(after["worlds"], json!([]), "no world runs");
}

#[test]
fn a_draft_s_usage_is_its_authors_and_a_private_world_is_not_named() {
    let server = Server::start();
    let (kim, eve) = (server.login("kim"), server.login("eve"));
    let one = server.revision(&kim, "fireball", "one");
    server.publish(&kim, "fireball", &one, "stable");
    let draft = server.revision(&kim, "fireball", "two");
    let (public, private) = (Line::of(&server, &kim), Line::of(&server, &eve));
    let hide = json!({ "visibility": "private" });
    assert_eq!(server.put(&format!("/world/{}/policy", private.world), &eve, &hide).status, 200);
    report(&public, &server, 1, 1, vec![counted(&draft, &[20_000], &[])], &[(&one, 2), (&draft, 1)]);
    report(&private, &server, 1, 1, Vec::new(), &[(&one, 3)]);

    for token in ["", &eve] {
        assert_eq!(told(&server, token, &draft), Value::Null);
    }
    let own = told(&server, &kim, &draft);
    assert_eq!((&own["casts"], &own["live_casts"]), (&json!(1), &json!(1)));

    let listed = json!({ "world_id": public.world, "name": "kim's world", "live_casts": 2 });
    let of_all = told(&server, "", &one);
    assert_eq!((&of_all["worlds"], &of_all["other_worlds"], &of_all["live_casts"]), (&json!([listed]), &json!(1), &json!(5)));
    // Its own owner finds it.
    let hers = told(&server, &eve, &one);
    let names: Vec<&str> = hers["worlds"].as_array().unwrap().iter().map(|world| world["name"].as_str().unwrap()).collect();
    assert_eq!((names, &hers["other_worlds"]), (vec!["eve's world", "kim's world"], &json!(0)));
    // A world whose server is gone runs nothing.
    assert_eq!(server.delete(&format!("/admin/servers/{}", public.world), crate::harness::ADMIN_TOKEN).status, 200);
    assert_eq!(told(&server, "", &one)["worlds"], json!([]));
}

#[test]
fn what_is_about_nothing_known_is_dropped_and_what_is_malformed_refused() {
    let server = Server::start();
    let kim = server.login("kim");
    let one = server.revision(&kim, "fireball", "one");
    let line = Line::of(&server, &kim);
    server.get("/api/spells/nobodys/usage", "").is_problem(404, "unknown_spell");
    server.get("/api/spells/Not a spell/usage".replace(' ', "%20").as_str(), "").is_problem(404, "unknown_spell");
    server.get("/api/spells/fireball/usage", "forged").is_problem(401, "unauthorized");
    // With the most that numbers can say.
    let mut most = counted(&one, &[20_000], &["nobody"]);
    (most.casts, most.faults) = (u64::MAX, u64::MAX);
    report(
        &line,
        &server,
        u64::MAX,
        u64::MAX - 1,
        vec![counted("rev_000009_00000000", &[1], &[]), most.clone()],
        &[("rev_000009_00000000", 1)],
    );
    report(&line, &server, u64::MAX, u64::MAX, vec![most], &[]);
    let now = told(&server, &kim, &one);
    assert_eq!((&now["casts"], &now["players"]), (&json!(i64::MAX), &json!(0)));
    assert_eq!(told(&server, &kim, "rev_000009_00000000"), Value::Null);
    let path = format!("/internal/worlds/{}/reports", line.world);
    let counted = json!({ "spell_id": "fireball", "revision_id": one, "casts": 1, "faults": 0, "fuel": [[209, 1]], "players": [] });
    let usage = json!([{ "report": "usage", "life": 1, "number": 1, "counted": [counted], "live": [] }]);
    server.post(&path, &line.secret, &usage).is_problem(422, "wrong_json");
}
