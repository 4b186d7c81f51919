//! The real processes over real sockets: the story of first_cast, and everything that may be thrown at them. Needs `cargo xtask dist`.

mod author;
mod bad_change;
mod bad_lines;
mod broken_source;
mod browser;
mod clients;
mod hostile_builds;
mod hostile_spells;
mod http;
mod killed_builder;
mod killed_control;
mod killed_host;
mod live;
mod operator;
mod page;
mod replay;
mod rollout_steps;
mod shipped;
mod story;
mod wire;
mod worlds;

use anyhow::{Context, Result, ensure};
use examples::game::{ERROR, PONG, SPELL_ACTIVE_UPDATE, SPELL_CAST_EVENT, SPELL_CAST_REJECTED, is};
use examples::{Game, Http, Player, Server};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What is waited for takes milliseconds; this is for a machine that is busy.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Opens the operator's endpoints.
const ADMIN: &str = "an admin token for tests";
/// The library's fireball: what a player whom nothing concerns goes on casting.
const FIREBALL: &str = include_str!("../../../spells/fireball/src/lib.rs");

/// Builds, publishes to `stable`, and waits until the world of `game` runs it; answers with the revision.
fn make_live(http: &Http, player: &Player, game: &mut Game, spell: &str, source: &str) -> Result<String> {
    let revision = http.build_revision(player, spell, source, TIMEOUT)?;
    http.publish(player, spell, &revision, "stable")?;
    game.wait_for("the revision to be active", TIMEOUT, |_, message| {
        let update = is(message, SPELL_ACTIVE_UPDATE)?;
        (update["spell_id"] == spell && update["revision_id"] == *revision).then_some(())
    })?;
    Ok(revision)
}

/// Casts until cooldown and mana let it through; answers with the cast event.
fn cast_until_granted(game: &mut Game, spell: &str) -> Result<Value> {
    loop {
        game.cast(spell, [0.0, 1.0, -10.0], 0)?;
        let answer = game.wait_for("an answer to our cast", TIMEOUT, |game, message| own_answer(game, message, spell))?;
        if answer["type"] == SPELL_CAST_EVENT {
            return Ok(answer);
        }
        ensure!(answer["limit"] == "cooldown" || answer["limit"] == "mana", "the cast was refused: {answer}");
    }
}

fn own_answer(game: &Game, message: &Value, spell: &str) -> Option<Value> {
    let answer = is(message, SPELL_CAST_EVENT).or_else(|| is(message, SPELL_CAST_REJECTED))?;
    (answer["spell_id"] == spell && answer["caster_entity_id"] == game.entity_id).then_some(answer)
}

/// The server's tick right now.
fn tick_now(game: &mut Game, stamp: u64) -> Result<u64> {
    game.send(&json!({ "type": examples::game::PING, "client_time": stamp }))?;
    let pong = game.wait_for("a pong", TIMEOUT, |_, message| is(message, PONG).filter(|pong| pong["client_time"] == stamp))?;
    pong["server_tick"].as_u64().ok_or_else(|| anyhow::anyhow!("a pong without a tick: {pong}"))
}

/// Sends a text that is no good message and expects to be told so.
fn expect_error(game: &mut Game, text: &str) -> Result<Value> {
    game.send_text(text)?;
    game.wait_for(&format!("an error about {:.80}", text), TIMEOUT, |_, message| is(message, ERROR))
}

/// Comes back to a world whose server is gone. Until that is noticed, tickets are for one that nobody can reach.
fn join_again(http: &Http, player: &Player, world: &str) -> Result<Game> {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        match http.join(player, Some(world)).and_then(|join| Game::join(&join)) {
            Err(error) if Instant::now() > deadline => return Err(error.context("nobody comes in again")),
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
            came => return came,
        }
    }
}

fn signal(process: i32, signal: Signal) -> Result<()> {
    Ok(kill_process(Pid::from_raw(process).context("a process")?, signal)?)
}

/// A server, somebody on it, and their connection to a world of their own.
fn somebody() -> Result<(Server, Http, Player, Game)> {
    let server = Server::start_with(&[("ADMIN_TOKEN", ADMIN)])?;
    let http = server.http();
    let player = http.login(None)?;
    let game = Game::join(&http.join(&player, None)?)?;
    Ok((server, http, player, game))
}
