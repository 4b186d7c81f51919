//! Spells change while the world runs: drafts, trials, rollbacks, revoked revisions, over the real processes.

use crate::{ADMIN, FIREBALL, TIMEOUT, cast_until_granted, make_live, own_answer, somebody};
use anyhow::{Context, Result, ensure};
use examples::game::{SPELL_ACTIVE_UPDATE, SPELL_CAST_EVENT, SPELL_CAST_REJECTED, SPELL_TEXT, is};
use examples::{Game, Http, Player};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Counts, and tells its count and its name to its caster four times a second.
const BEACON: &str = r#"
use spell_sdk::prelude::*;

spell! {
    envelope: Envelope::timed(60.0).ticks(4.0).can(Can::NETWORK_EMIT),

    /// A light that counts.
    pub struct Beacon {
        count: u32 = 0,
    }
}

impl Spell for Beacon {
    fn on_cast(&mut self, _world: &mut World, _cast: &Cast) -> Result<(), Refusal> {
        Ok(())
    }

    fn on_tick(&mut self, world: &mut World, _dt: f32) -> Result<(), Refusal> {
        self.count += 1;
        world.say(&format!("NAME {}", self.count), false)
    }
}
"#;
/// Its casts go on with a revision that replaces it, and with the one before when it is rolled back.
const MIGRATES: &str = "[in_flight]\npolicy = \"migrate\"\n";

fn build(http: &Http, player: &Player, spell: &str, files: &[(&str, &str)]) -> Result<String> {
    let files: serde_json::Map<String, Value> = files.iter().map(|(path, text)| ((*path).to_owned(), json!(text))).collect();
    let path = format!("/api/spells/{spell}/build");
    let job = http.post(&path, Some(&player.session_token), &json!({ "files": files }))?.ok_json()?;
    let job = http.wait_for_job(player, job["job_id"].as_str().context("a job")?, TIMEOUT, |_| ())?;
    Ok(job["result_revision_id"].as_str().with_context(|| format!("the build failed: {job}"))?.to_owned())
}

fn beacon(http: &Http, player: &Player, name: &str) -> Result<String> {
    build(http, player, "beacon", &[("src/lib.rs", &BEACON.replace("NAME", name)), ("spell.toml", MIGRATES)])
}

fn send(http: &Http, player: &Player, method: &str, path: &str, body: &Value) -> Result<Value> {
    http.request(method, path, Some(&player.session_token), "application/json", body.to_string().into_bytes())?.ok_json()
}

/// Waits until new casts of the spell run this revision for this client, by this channel.
fn follows(game: &mut Game, spell: &str, channel: &str, revision: &Value) -> Result<()> {
    game.wait_for(&format!("{spell} to be {revision} by {channel}"), TIMEOUT, |_, message| {
        let update = is(message, SPELL_ACTIVE_UPDATE)?;
        (update["spell_id"] == spell && update["channel"] == channel && update["revision_id"] == *revision).then_some(())
    })
}

/// The next text of a beacon: its name and its count.
fn text(game: &mut Game) -> Result<(String, u32)> {
    let text = game.wait_for("a beacon's text", TIMEOUT, |_, message| is(message, SPELL_TEXT))?;
    let words: Vec<&str> = text["text"].as_str().context("a text")?.split(' ').collect();
    Ok((words[0].to_owned(), words[1].parse()?))
}

/// Waits for a text of the beacon of this name; its count.
fn text_of(game: &mut Game, name: &str) -> Result<u32> {
    loop {
        let (of, count) = text(game)?;
        if of == name {
            return Ok(count);
        }
    }
}

#[test]
fn a_draft_is_cast_by_its_author_alone() -> Result<()> {
    let (_server, http, kim, mut of_kim) = somebody()?;
    let stable = make_live(&http, &kim, &mut of_kim, "kims_fireball", FIREBALL)?;
    let lee = http.login(None)?;
    let world = http.get("/worlds", None)?.ok_json()?["worlds"][0]["world_id"].as_str().context("a world")?.to_owned();
    let mut of_lee = Game::join(&http.join(&lee, Some(&world))?)?;
    let draft = http.build_revision(
        &kim,
        "kims_fireball",
        &FIREBALL.replace("    fn on_event", "    // Another revision.\n    fn on_event"),
        TIMEOUT,
    )?;
    ensure!(draft != stable);
    send(&http, &kim, "PUT", "/api/spells/kims_fireball/dev", &json!({ "revision_id": draft }))?;
    follows(&mut of_kim, "kims_fireball", "draft", &json!(draft))?;
    ensure!(cast_until_granted(&mut of_kim, "kims_fireball")?["revision_id"] == *draft);
    ensure!(cast_until_granted(&mut of_lee, "kims_fireball")?["revision_id"] == *stable);
    // Nobody else runs it by naming it.
    of_lee.cast_revision("kims_fireball", &draft, [0.0, 1.0, -10.0], 0)?;
    let refused = of_lee.wait_for("the refusal", TIMEOUT, |game, message| own_answer(game, message, "kims_fireball"))?;
    ensure!(refused["type"] == SPELL_CAST_REJECTED && refused["limit"] == "unknown_revision", "{refused}");
    // Who comes back finds it still.
    drop(of_kim);
    let mut of_kim = Game::join(&http.join(&kim, Some(&world))?)?;
    follows(&mut of_kim, "kims_fireball", "draft", &json!(draft))?;
    send(&http, &kim, "DELETE", "/api/spells/kims_fireball/dev", &Value::Null)?;
    follows(&mut of_kim, "kims_fireball", "stable", &json!(stable))?;
    ensure!(cast_until_granted(&mut of_kim, "kims_fireball")?["revision_id"] == *stable);
    Ok(())
}

#[test]
fn a_bad_revision_on_trial_is_rolled_back_by_itself() -> Result<()> {
    let (_server, http, kim, mut game) = somebody()?;
    let good = make_live(&http, &kim, &mut game, "kims_fireball", FIREBALL)?;
    let hook = "fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {";
    let broken = FIREBALL.replace(hook, &format!("{hook}\n        assert!(cast.target_position.z != -10.0, \"a bad change\");"));
    let bad = http.build_revision(&kim, "kims_fireball", &broken, TIMEOUT)?;
    let terms = json!({ "percent": 50, "min_casts": 5, "max_fault_rate": 0.2, "bake_seconds": 3600 });
    send(&http, &kim, "POST", "/api/spells/kims_fireball/publish", &json!({ "revision_id": bad, "channel": "stable", "rollout": terms }))?;
    let (deadline, mut met) = (Instant::now() + TIMEOUT, 0);
    let ended = loop {
        ensure!(Instant::now() < deadline, "it is not rolled back");
        if cast_until_granted(&mut game, "kims_fireball")?["revision_id"] == *bad {
            met += 1;
            game.wait_for("its fault", TIMEOUT, |_, message| is(message, SPELL_CAST_REJECTED).filter(|end| end["limit"] == "unreachable"))?;
        }
        let rollout = http.get("/api/spells/kims_fireball/rollouts", Some(&kim.session_token))?.ok_json()?["rollouts"][0].clone();
        if rollout["state"] != "running" {
            break rollout;
        }
    };
    // Two of five may not fault: the second that does is enough, whatever the others do. A cast may come before that is known.
    ensure!(ended["state"] == "rolled_back" && (2..=4).contains(&met), "{met} casts met it: {ended}");
    for _ in 0..4 {
        ensure!(cast_until_granted(&mut game, "kims_fireball")?["revision_id"] == *good);
    }
    Ok(())
}

#[test]
fn casts_move_to_a_new_revision_in_every_world_and_back_again() -> Result<()> {
    let (_server, http, kim, mut here) = somebody()?;
    let one = beacon(&http, &kim, "one")?;
    http.publish(&kim, "beacon", &one, "stable")?;
    follows(&mut here, "beacon", "stable", &json!(one))?;
    let lee = http.login(None)?;
    let mut there = Game::join(&http.join(&lee, None)?)?;
    for game in [&mut here, &mut there] {
        cast_until_granted(game, "beacon")?;
        ensure!(text(game)?.0 == "one");
    }
    let two = beacon(&http, &kim, "two")?;
    http.publish(&kim, "beacon", &two, "stable")?;
    let mut counts = Vec::new();
    for game in [&mut here, &mut there] {
        let count = text_of(game, "two")?;
        ensure!(count > 1, "it began anew");
        counts.push(count);
    }
    ensure!(send(&http, &kim, "POST", "/api/spells/beacon/rollback", &json!({}))?["revision_id"] == *one);
    for (game, before) in [&mut here, &mut there].into_iter().zip(counts) {
        let count = text_of(game, "one")?;
        ensure!(count > before, "it began anew: {count} after {before}");
    }
    Ok(())
}

#[test]
fn a_revoked_revision_is_ended_everywhere_and_stays_away_after_a_restart() -> Result<()> {
    let (_server, http, kim, mut game) = somebody()?;
    let one = beacon(&http, &kim, "one")?;
    http.publish(&kim, "beacon", &one, "stable")?;
    follows(&mut game, "beacon", "stable", &json!(one))?;
    cast_until_granted(&mut game, "beacon")?;
    text(&mut game)?;
    let path = format!("/api/spells/beacon/revisions/{one}/revoke");
    let revoked = Instant::now();
    send(&http, &kim, "POST", &path, &json!({ "reason": "it counts wrongly" }))?;
    follows(&mut game, "beacon", "beta", &Value::Null)?;
    ensure!(revoked.elapsed() < Duration::from_secs(1), "that took {:?}", revoked.elapsed());
    game.cast("beacon", [0.0; 3], 0)?;
    let refused = game.wait_for("the refusal", TIMEOUT, |game, message| own_answer(game, message, "beacon"))?;
    ensure!(refused["limit"] == "unknown_spell", "{refused}");
    // A second without a text: it would have told four.
    let last = Instant::now() + Duration::from_secs(1);
    while let Some(message) = game.next(last)? {
        ensure!(is(&message, SPELL_TEXT).is_none(), "its cast goes on: {message}");
    }
    // The world's file may hold the cast: the server that goes on with it lets go of it before anybody comes in.
    let world = http.get("/worlds", None)?.ok_json()?["worlds"][0]["world_id"].as_str().context("a world")?.to_owned();
    drop(game);
    http.request("DELETE", &format!("/admin/servers/{world}"), Some(ADMIN), "", Vec::new())?.ok_json()?;
    let mut game = Game::join(&http.join(&kim, Some(&world))?)?;
    game.cast("beacon", [0.0; 3], 0)?;
    let refused = game.wait_for("the refusal", TIMEOUT, |game, message| own_answer(game, message, "beacon"))?;
    ensure!(refused["limit"] == "unknown_spell", "{refused}");
    ensure!(is(&refused, SPELL_CAST_EVENT).is_none());
    Ok(())
}
