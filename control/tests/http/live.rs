//! Live change as the control plane runs it: what worlds are told when revisions are tried, rolled back, revoked, put into quarantine, or their author's alone.

use crate::{
    harness::{ADMIN_TOKEN, Server},
    link::Line,
};
use protocol::link::{Push, Report, Tally};
use serde_json::{Value, json};

/// A spell with two revisions, the first of which is stable, and a world.
struct Stage {
    server: Server,
    kim: String,
    one: String,
    two: String,
    line: Line,
}

impl Stage {
    fn set() -> Self {
        let server = Server::start();
        let kim = server.login("kim");
        let one = server.revision(&kim, "fireball", "one");
        server.publish(&kim, "fireball", &one, "stable");
        let two = server.revision(&kim, "fireball", "two");
        let line = Line::of(&server, &kim);
        Self { server, kim, one, two, line }
    }

    fn tally(&self, rollout: i64, life: u64, trial: (u64, u64), active: (u64, u64)) {
        let tally = |(casts, faults)| Tally { casts, faults, mana: casts as f64 };
        let report = Report::Trial { rollout: rollout as u64, life, trial: tally(trial), active: tally(active) };
        assert_eq!(self.line.report(&self.server, &[report]), 204);
    }

    fn rollout(&self) -> Value {
        self.server.get("/api/spells/fireball/rollouts", &self.kim).json()["rollouts"][0].clone()
    }
}

fn terms() -> Value {
    json!({ "percent": 10, "min_casts": 20, "max_fault_rate": 0.1, "bake_seconds": 1 })
}

#[test]
fn a_set_of_spells_is_one_change() {
    let stage = Stage::set();
    let Stage { server, kim, two, line, .. } = &stage;
    let gust = server.revision(kim, "gust", "three");
    let mut stream = line.open(server, 0);
    stream.change();
    let publish = |list: Value| server.post("/api/publications", kim, &json!({ "publications": list }));
    let one_of = |spell: &str, revision: &str| json!({ "spell_id": spell, "revision_id": revision, "channel": "stable" });
    publish(json!([one_of("fireball", two), one_of("gust", "rev_000009_00000000")])).is_problem(404, "unknown_revision");
    publish(json!([])).is_problem(422, "bad_publications");
    let answer = publish(json!([one_of("fireball", two), one_of("gust", &gust)]));
    assert_eq!((answer.status, answer.json()["publications"][1]["revision_id"].as_str()), (200, Some(gust.as_str())));
    assert_eq!(stream.change(), ["fireball stable artifact of two", "gust stable artifact of three"]);
}

#[test]
fn a_rollout_that_goes_well_is_promoted_and_its_evidence_is_kept() {
    let stage = Stage::set();
    let Stage { server, kim, two, line, .. } = &stage;
    let mut stream = line.open(server, 0);
    stream.change();
    let rollout = server.roll_out(kim, "fireball", two, &terms());
    assert_eq!(stream.change(), ["fireball stable artifact of one, 1000 in 10000 by Cast try artifact of two"]);
    stage.tally(rollout, 1, (10, 0), (90, 0));
    // The same life of the same server tells its sums again: they count once.
    stage.tally(rollout, 1, (15, 1), (130, 0));
    stage.tally(rollout, 2, (15, 0), (140, 1));
    // It has baked for a second by then, and the judge looks in each.
    assert_eq!(stream.change(), ["fireball stable artifact of two"]);
    let told = stage.rollout();
    let (trial, active) = (&told["evidence"]["trial"], &told["evidence"]["active"]);
    assert_eq!(
        (&told["state"], &trial["casts"], &trial["faults"], &active["casts"]),
        (&json!("promoted"), &json!(30), &json!(1), &json!(270))
    );
    assert_eq!(server.get("/api/spells", kim).json()["spells"][0]["active_stable_rev"], **two);
}

#[test]
fn a_rollout_that_goes_badly_is_rolled_back_at_the_report_that_shows_it() {
    let stage = Stage::set();
    let Stage { server, kim, one, two, line } = &stage;
    let mut stream = line.open(server, 0);
    stream.change();
    let rollout = server.roll_out(kim, "fireball", two, &terms());
    stream.change();
    stage.tally(rollout, 1, (2, 2), (20, 0));
    assert_eq!(stage.rollout()["state"], "running", "18 good ones would make up for it");
    stage.tally(rollout, 1, (3, 3), (30, 0));
    assert_eq!(stream.change(), ["fireball stable artifact of one"]);
    let told = stage.rollout();
    assert_eq!(
        (told["state"].as_str(), told["evidence"]["reason"].as_str()),
        (Some("rolled_back"), Some("3 of 3 casts were stopped; 0.1 is the limit"))
    );
    assert_eq!(server.get("/api/spells", kim).json()["spells"][0]["active_stable_rev"], **one);
    // What comes late changes nothing.
    stage.tally(rollout, 1, (500, 0), (30, 0));
    assert_eq!(stage.rollout()["evidence"]["trial"]["casts"], 3);
}

#[test]
fn a_rollout_ends_by_hand_by_another_publication_and_by_revoking() {
    let stage = Stage::set();
    let Stage { server, kim, one, two, line } = &stage;
    let mut stream = line.open(server, 0);
    stream.change();
    let roll_back = |body: Value| server.post("/api/spells/fireball/rollback", kim, &body);
    let rollout = server.roll_out(kim, "fireball", two, &terms());
    stream.change();
    let back = roll_back(json!({})).json();
    assert_eq!((&back["revision_id"], &back["ended_rollout"]), (&json!(one), &json!(rollout)));
    assert_eq!(stream.change(), ["fireball stable artifact of one"]);
    assert_eq!(stage.rollout()["state"], "rolled_back");

    server.roll_out(kim, "fireball", two, &terms());
    stream.change();
    server.publish(kim, "fireball", two, "stable");
    assert_eq!(stream.change(), ["fireball stable artifact of two"]);
    assert_eq!(stage.rollout()["state"], "stopped");

    let three = server.revision(kim, "fireball", "three");
    server.roll_out(kim, "fireball", &three, &json!({ "percent": 100 }));
    stream.change();
    server.post(&format!("/api/spells/fireball/revisions/{three}/revoke"), kim, &json!({ "reason": "no" }));
    assert_eq!(stream.change(), [format!("fireball stable artifact of two, barred {three}")]);
    assert_eq!(stage.rollout()["state"], "rolled_back");
}

#[test]
fn rollouts_survive_a_restart() {
    let stage = Stage::set();
    let rollout = stage.server.roll_out(&stage.kim, "fireball", &stage.two, &terms());
    stage.tally(rollout, 1, (15, 0), (130, 0));
    let Stage { server, kim, two, line, .. } = stage;
    let server = server.restart();
    server.post("/join", &kim, &json!({ "world_id": line.world }));
    let line = Line::to(&server, line.world);
    let mut stream = line.open(&server, 0);
    assert_eq!(stream.change(), ["fireball stable artifact of one, 1000 in 10000 by Cast try artifact of two"]);
    let tally = |casts| Tally { casts, faults: 0, mana: casts as f64 };
    line.report(&server, &[Report::Trial { rollout: rollout as u64, life: 2, trial: tally(5), active: tally(50) }]);
    assert_eq!(stream.change(), ["fireball stable artifact of two"]);
    assert_eq!(server.get("/api/spells", &kim).json()["spells"][0]["active_stable_rev"], two);
}

#[test]
fn terms_that_make_no_sense_are_refused() {
    let stage = Stage::set();
    let Stage { server, kim, two, .. } = &stage;
    let publish = |channel: &str, terms: Value| {
        server.post("/api/spells/fireball/publish", kim, &json!({ "revision_id": two, "channel": channel, "rollout": terms }))
    };
    for terms in [
        json!({ "percent": 0 }),
        json!({ "percent": 101 }),
        json!({ "min_casts": 0 }),
        json!({ "max_fault_rate": 1.5 }),
        json!({ "max_upkeep_ratio": 0 }),
        json!({ "bake_seconds": 0 }),
    ] {
        publish("stable", terms).is_problem(422, "bad_rollout");
    }
    publish("stable", json!({ "by": "moon" })).is_problem(422, "wrong_json");
    publish("stable", json!({ "percentage": 5 })).is_problem(422, "wrong_json");
    publish("draft", json!({})).is_problem(422, "bad_rollout");
    publish("beta", json!({})).is_problem(409, "nothing_to_try");
    assert_eq!(publish("stable", json!({})).status, 200, "all terms have defaults");
}

#[test]
fn worlds_that_draw_all_try_it_or_none_do() {
    let stage = Stage::set();
    let Stage { server, kim, two, .. } = &stage;
    server.roll_out(kim, "fireball", two, &json!({ "percent": 50, "by": "world" }));
    let lines: Vec<Line> = (0..7).map(|_| Line::of(server, kim)).collect();
    let first = |line: &Line| line.open(server, 0).change().remove(0);
    let drawn: Vec<String> = lines.iter().map(first).collect();
    for words in &drawn {
        assert!(
            ["fireball stable artifact of one", "fireball stable artifact of one, 10000 in 10000 by Cast try artifact of two"]
                .contains(&words.as_str()),
            "{words}"
        );
    }
    assert_eq!(lines.iter().map(first).collect::<Vec<_>>(), drawn, "a world draws once");
}

#[test]
fn rolling_back_goes_to_ever_older_good_revisions() {
    let stage = Stage::set();
    let Stage { server, kim, one, two, line } = &stage;
    let three = server.revision(kim, "fireball", "three");
    server.publish(kim, "fireball", two, "stable");
    server.publish(kim, "fireball", &three, "stable");
    let mut stream = line.open(server, 0);
    stream.change();
    let roll_back = |body: Value| server.post("/api/spells/fireball/rollback", kim, &body);
    let back = roll_back(json!({})).json();
    assert_eq!((&back["revision_id"], &back["ended_rollout"]), (&json!(two), &Value::Null));
    assert_eq!(stream.change(), ["fireball stable artifact of two"]);
    assert_eq!(roll_back(json!({})).json()["revision_id"], **one);
    roll_back(json!({})).is_problem(409, "nothing_before");
    assert_eq!(roll_back(json!({ "revision_id": three })).json()["revision_id"], three);
    roll_back(json!({ "channel": "beta" })).is_problem(404, "unknown_publication");
    roll_back(json!({ "channel": "moon" })).is_problem(422, "unknown_channel");
    server.post("/api/spells/fireball/rollback", &server.login("eve"), &json!({})).is_problem(403, "not_your_spell");
}

#[test]
fn what_was_rolled_back_does_not_come_again_when_its_successor_is_revoked() {
    let stage = Stage::set();
    let Stage { server, kim, one, two, line } = &stage;
    let three = server.revision(kim, "fireball", "three");
    server.publish(kim, "fireball", two, "stable");
    server.publish(kim, "fireball", &three, "stable");
    server.post("/api/spells/fireball/rollback", kim, &json!({}));
    let mut stream = line.open(server, 0);
    stream.change();
    server.post(&format!("/api/spells/fireball/revisions/{two}/revoke"), kim, &json!({ "reason": "no" }));
    assert_eq!(stream.change(), [format!("fireball stable artifact of one, barred {two}")]);
    assert_eq!(server.get("/api/spells", kim).json()["spells"][0]["active_stable_rev"], **one);
}

#[test]
fn a_world_without_native_code_for_the_next_revision_still_hears_what_is_revoked() {
    let stage = Stage::set();
    let Stage { server, kim, two, line, .. } = &stage;
    server.publish(kim, "fireball", two, "stable");
    let mut stream = line.open(server, 0);
    stream.change();
    for bytes in [b"artifact of one".as_slice(), b"component of one"] {
        let hash = protocol::Sha256Hex::of(bytes);
        std::fs::write(server.data("blobs").join(&hash.as_str()[..2]).join(hash.as_str()), "other bytes").unwrap();
    }
    server.post(&format!("/api/spells/fireball/revisions/{two}/revoke"), kim, &json!({ "reason": "no" }));
    assert_eq!(stream.change(), [format!("fireball stable nothing (stays), barred {two}")]);
}

#[test]
fn who_may_not_change_a_spell_any_more_has_no_draft_of_it() {
    let stage = Stage::set();
    let Stage { server, kim, two, line, .. } = &stage;
    let lee = server.login("lee");
    let collaborators = |usernames: Value| {
        assert_eq!(server.put("/api/spells/fireball/collaborators", kim, &json!({ "usernames": usernames })).status, 200);
    };
    collaborators(json!(["lee"]));
    server.put("/api/spells/fireball/dev", &lee, &json!({ "revision_id": two }));
    server.post("/join", &lee, &json!({ "world_id": line.world }));
    // A line that opens when they are there already has their draft.
    let mut stream = line.open(server, 0);
    assert_eq!(stream.change(), ["fireball stable artifact of one, draft artifact of two"]);
    collaborators(json!([]));
    assert_eq!(stream.change(), ["fireball stable artifact of one"]);
    assert_eq!(server.get("/api/dev", &lee).json()["drafts"], json!({}));
}

#[test]
fn a_draft_is_live_for_its_author_while_they_are_there() {
    let stage = Stage::set();
    let Stage { server, kim, one, two, line } = &stage;
    let eve = server.login("eve");
    let mut stream = line.open(server, 0);
    stream.change();
    let dev = |token: &str, revision: &str| server.put("/api/spells/fireball/dev", token, &json!({ "revision_id": revision }));
    dev(&eve, two).is_problem(403, "not_your_spell");
    dev(kim, "rev_000009_00000000").is_problem(404, "unknown_revision");
    assert_eq!(dev(kim, two).status, 200);
    assert_eq!(server.get("/api/dev", kim).json()["drafts"], json!({ "fireball": two }));
    // Kim started the world, so kim is expected there.
    assert_eq!(stream.change(), ["fireball stable artifact of one, draft artifact of two"]);
    let clients = |players: &[&str]| Report::Players { clients: players.iter().map(|player| (*player).to_owned()).collect() };
    let id = server.get("/session", kim).json()["client_id"].as_str().unwrap().to_owned();
    line.report(server, &[clients(&[&id])]);
    line.report(server, &[clients(&[])]);
    assert_eq!(stream.change(), ["fireball stable artifact of one"]);
    // Another world has the draft when its author comes there.
    let other = Line::of(server, &eve);
    let mut of_other = other.open(server, 0);
    assert_eq!(of_other.change(), ["fireball stable artifact of one"]);
    server.post("/join", kim, &json!({ "world_id": other.world }));
    assert_eq!(of_other.change(), ["fireball stable artifact of one, draft artifact of two"]);
    assert_eq!(server.delete("/api/spells/fireball/dev", kim).status, 200);
    assert_eq!(of_other.change(), ["fireball stable artifact of one"]);
    // What is published is no draft any more, and what is revoked is none either.
    dev(kim, two);
    of_other.change();
    server.publish(kim, "fireball", two, "stable");
    assert_eq!(of_other.change(), ["fireball stable artifact of two"]);
    dev(kim, one);
    of_other.change();
    server.post(&format!("/api/spells/fireball/revisions/{one}/revoke"), kim, &json!({ "reason": "no" }));
    assert_eq!(of_other.change(), [format!("fireball stable artifact of two, barred {one}")]);
    dev(kim, one).is_problem(409, "revoked");
}

#[test]
fn a_quarantine_is_remembered_and_ends_a_rollout_everywhere() {
    let stage = Stage::set();
    let Stage { server, kim, one, two, line } = &stage;
    let (eve, mut stream) = (server.login("eve"), line.open(server, 0));
    let other = Line::of(server, &eve);
    let mut of_other = other.open(server, 0);
    stream.change();
    of_other.change();
    let quarantined = |revision: &str| Report::Quarantined {
        spell_id: "fireball".parse().unwrap(),
        revision_id: revision.parse().unwrap(),
        message: "5 of its last 8 casts faulted".into(),
    };
    server.publish(kim, "fireball", two, "stable");
    stream.change();
    of_other.change();
    line.report(server, &[quarantined(two)]);
    // That world goes back to the good one before; others do not.
    assert_eq!(stream.change(), [format!("fireball stable artifact of one, quarantined {two}")]);
    assert_eq!(of_other.change(), ["fireball stable artifact of two"]);
    assert_eq!(line.open(server, 0).change(), [format!("fireball stable artifact of one, quarantined {two}")]);
    let path = format!("/world/{}/quarantine", line.world);
    let listed = server.get(&path, kim).json();
    assert_eq!(
        (&listed["quarantined"][0]["revision_id"], &listed["quarantined"][0]["reason"]),
        (&json!(two), &json!("5 of its last 8 casts faulted"))
    );
    server.get(&path, &eve).is_problem(403, "not_your_world");
    server.delete(&format!("{path}/fireball/{one}"), kim).is_problem(404, "unknown_quarantine");
    assert_eq!(server.delete(&format!("{path}/fireball/{two}"), kim).status, 200);
    assert_eq!(stream.change(), ["fireball stable artifact of two"]);
    of_other.change();

    let three = server.revision(kim, "fireball", "three");
    server.roll_out(kim, "fireball", &three, &terms());
    stream.change();
    of_other.change();
    line.report(server, &[quarantined(&three)]);
    // Two changes: the quarantine there, the rollout's end everywhere.
    let last = |stream: &mut crate::link::Stream<'_>, wanted: &str| {
        let seen: Vec<_> = (0..2).map(|_| stream.change()).take_while(|change| change[0] != wanted).collect();
        assert!(seen.len() < 2, "{seen:?}");
    };
    last(&mut of_other, "fireball stable artifact of two");
    last(&mut stream, &format!("fireball stable artifact of two, quarantined {three}"));
    assert_eq!(stage.rollout()["state"], "rolled_back");
    // An operator may do both for any world.
    let path = format!("/admin/worlds/{}/quarantine/fireball/{two}", other.world);
    server.put(&path, kim, &json!({})).is_problem(403, "forbidden");
    assert_eq!(server.put(&path, ADMIN_TOKEN, &json!({})).status, 200);
    assert_eq!(of_other.change(), [format!("fireball stable artifact of one, quarantined {two}")]);
    assert_eq!(server.delete(&path, ADMIN_TOKEN).status, 200);
}

#[test]
fn revoking_bars_a_revision_until_it_is_lifted() {
    let stage = Stage::set();
    let Stage { server, kim, one, two, line } = &stage;
    let mut stream = line.open(server, 0);
    stream.change();
    let path = format!("/api/spells/fireball/revisions/{one}/revoke");
    server.post(&path, kim, &json!({ "reason": "it burns too much" }));
    assert_eq!(stream.change(), [format!("fireball beta nothing, barred {one}")]);
    server.publish(kim, "fireball", one, "stable").is_problem(409, "revoked");
    assert_eq!(server.delete(&path, kim).status, 200);
    assert_eq!(stream.change(), ["fireball beta nothing"]);
    server.delete(&path, kim).is_problem(404, "unknown_revocation");
    assert_eq!(server.publish(kim, "fireball", one, "stable").status, 200);
    assert_eq!(stream.change(), ["fireball stable artifact of one"]);
    // The operator's word is the operator's.
    let of_operator = format!("/admin/spells/fireball/revisions/{two}/revoke");
    server.post(&of_operator, ADMIN_TOKEN, &json!({ "reason": "no" }));
    server.delete(&format!("/api/spells/fireball/revisions/{two}/revoke"), kim).is_problem(403, "operators_word");
    assert_eq!(server.delete(&of_operator, ADMIN_TOKEN).status, 200);
}

#[test]
fn a_world_s_policy_says_which_spells_it_runs() {
    let stage = Stage::set();
    let Stage { server, kim, one, two, line } = &stage;
    let eve = server.login("eve");
    server.publish(kim, "fireball", two, "beta");
    let gust = server.revision(kim, "gust", "three");
    server.publish(kim, "gust", &gust, "stable");
    let mut stream = line.open(server, 0);
    stream.change();
    let path = format!("/world/{}/policy", line.world);
    let set = |policy: Value| server.put(&path, kim, &policy);
    server.put(&path, &eve, &json!({})).is_problem(403, "not_your_world");
    // A change of it brings everything anew, in one step.
    let Push::Lineup(_) = (assert_eq!(set(json!({ "channel": "beta" })).status, 200), stream.push()).1 else { panic!("lineups come") };
    assert_eq!(stream.change(), ["gust stable artifact of three"]);
    set(json!({ "pins": { "fireball": one } }));
    assert_eq!(stream.change(), ["fireball stable artifact of one", "gust stable artifact of three"]);
    set(json!({ "deny": ["fireball"] }));
    assert_eq!(stream.change(), ["gust stable artifact of three"]);
    set(json!({ "allow": ["fireball"] }));
    assert_eq!(stream.change(), ["fireball stable artifact of one"]);
    // What it does not run stays away when it is published.
    server.publish(kim, "gust", &gust, "beta");
    assert_eq!(stream.change(), ["gust stable nothing, all barred"]);
    assert_eq!(server.get(&path, kim).json()["allow"], json!(["fireball"]));
    set(json!({ "friendly_fire": false }));
    assert_eq!(stream.next(), "friendly fire false");
    set(json!({ "channel": "draft" })).is_problem(422, "bad_policy");
    set(json!({ "trust": "blind" })).is_problem(422, "wrong_json");
    set(json!({ "pins": { "fireball": "rev_000009_00000000" } })).is_problem(404, "unknown_revision");
    set(json!({ "chanel": "beta" })).is_problem(422, "wrong_json");
}

#[test]
fn a_world_runs_spells_of_those_whom_it_trusts_and_its_owner_s() {
    let stage = Stage::set();
    let Stage { server, kim, line, .. } = &stage;
    let eve = server.login("eve");
    let author = server.get("/session", &eve).json()["client_id"].as_str().unwrap().to_owned();
    let gust = server.revision(&eve, "gust", "three");
    server.publish(&eve, "gust", &gust, "stable");
    let mut stream = line.open(server, 0);
    assert_eq!(stream.change(), ["fireball stable artifact of one", "gust stable artifact of three"]);
    assert_eq!(server.put(&format!("/world/{}/policy", line.world), kim, &json!({ "trust": "known" })).status, 200);
    assert_eq!(stream.change(), ["fireball stable artifact of one"]);
    let trust = |tier: &str| server.put(&format!("/admin/players/{author}/trust"), ADMIN_TOKEN, &json!({ "trust": tier }));
    assert_eq!(trust("trusted").status, 200);
    assert_eq!(stream.change(), ["gust stable artifact of three"]);
    // Whoever connects anew hears the same.
    assert_eq!(line.open(server, 0).change(), ["fireball stable artifact of one", "gust stable artifact of three"]);
    assert_eq!(trust("new").status, 200);
    assert_eq!(stream.change(), ["gust stable nothing, all barred"]);
    trust("boundless").is_problem(422, "wrong_json");
    let nobody = "/admin/players/client_00000000beef/trust";
    server.put(nobody, ADMIN_TOKEN, &json!({ "trust": "known" })).is_problem(404, "unknown_player");
    assert_eq!(server.get("/admin/audit", ADMIN_TOKEN).json()["entries"][0]["detail"]["trust"], "new");
}
