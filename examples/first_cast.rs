//! From source text to a live spell in a running world, each step with its time: `first_cast --url http://127.0.0.1:5000`, or `--serve` to bring its own server.

use anyhow::{Context, Result, ensure};
use clap::Parser;
use examples::game::{PROJECTILE_HIT, SPELL_ACTIVE_UPDATE, SPELL_CAST_EVENT, SPELL_CAST_REJECTED, STATE_SNAPSHOT, is};
use examples::{Game, Http, Player, Server};
use serde_json::Value;
use std::time::{Duration, Instant};

/// The spell as an author sees it in the library.
const FIREBALL: &str = include_str!("../spells/fireball/src/lib.rs");
/// The line that the author edits, and what it becomes.
const EDIT: (&str, &str) = ("const DAMAGE: f32 = 25.0;", "const DAMAGE: f32 = 50.0;");
/// What each of the two does to the dummy.
const DAMAGE: (f64, f64) = (25.0, 50.0);
/// Everything here takes well under a second; this is for a machine that is busy.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Kinds on the wire.
const NPC: u64 = 2;
const PROJECTILE: u64 = 3;

#[derive(Parser)]
#[command(about = "Builds, publishes and casts a spell, edits it, and casts it again on the same connection")]
struct Arguments {
    /// The control plane
    #[arg(long, default_value = "http://127.0.0.1:5000")]
    url: String,
    /// Start a server of our own instead, with an empty data folder
    #[arg(long)]
    serve: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let server = if arguments.serve { Some(Server::start()?) } else { None };
    story(server.as_ref().map_or(arguments.url.as_str(), |server| &server.url))
}

fn story(url: &str) -> Result<()> {
    println!("first cast, at {url}\n");
    let http = Http::new(url);

    let player = step("login", || http.login(None), |player: &Player| format!("{} ({})", player.username, player.client_id))?;
    let join = step("join", || http.join(&player, None), |join| format!("{} at {}", join.world_id, join.server_address))?;
    let mut game = step("handshake", || Game::join(&join), |game| format!("entity {}", game.entity_id))?;
    let dummy = step("look around", || land_and_aim(&mut game), |dummy| format!("on the ground, aiming at the dummy (entity {dummy})"))?;
    // Spells belong to who built them first; the player's id makes a name that nobody else has.
    let spell = format!("fireball_{}", &player.client_id[player.client_id.len() - 6..]);

    println!("\n  {spell} from source");
    let first = cast_from_source(&http, &player, &mut game, &spell, FIREBALL, dummy)?;
    ensure!(first == DAMAGE.0, "the first fireball took {first} health, expected {}", DAMAGE.0);

    println!("\n  edit: {} -> {}", EDIT.0, EDIT.1);
    ensure!(FIREBALL.contains(EDIT.0), "the library's fireball has no line {:?} to edit", EDIT.0);
    let second = cast_from_source(&http, &player, &mut game, &spell, &FIREBALL.replace(EDIT.0, EDIT.1), dummy)?;
    ensure!(second == DAMAGE.1, "the edited fireball took {second} health, expected {}", DAMAGE.1);

    println!("\nthe same connection, double the damage");
    Ok(())
}

/// Source in, damage out; returns the health that the dummy lost.
fn cast_from_source(http: &Http, player: &Player, game: &mut Game, spell: &str, source: &str, dummy: u64) -> Result<f64> {
    aim(game, dummy)?;
    let edited = Instant::now();
    let revision = step("build", || build(http, player, spell, source), String::clone)?;
    step(
        "publish",
        || http.publish(player, spell, &revision, "stable"),
        |answer| format!("to {}", answer["channel"].as_str().unwrap_or("?")),
    )?;
    step("active in the world", || wait_until_active(game, spell, &revision), |tick| format!("at tick {tick}"))?;

    let before = game.health(dummy);
    step(
        "cast",
        || cast(game, spell, &revision, dummy),
        |tick| format!("in tick {tick}, {} ms after the edit", edited.elapsed().as_millis()),
    )?;
    step("projectile", || wait_for_projectile(game), |at| format!("in a snapshot, at {:.1} {:.1} {:.1}", at[0], at[1], at[2]))?;
    step("hit", || wait_for_hit(game, dummy), |damage| format!("the dummy, for {damage}"))?;
    let after = step("health", || wait_for_health_below(game, dummy, before), |after| format!("{before} -> {after}"))?;
    Ok(before - after)
}

/// Runs a step and prints a line about it.
fn step<T>(name: &str, work: impl FnOnce() -> Result<T>, describe: impl FnOnce(&T) -> String) -> Result<T> {
    let started = Instant::now();
    let answer = work().with_context(|| format!("step {name:?} failed"))?;
    println!("  {name:<20}  {:<58} {:>7.1} ms", describe(&answer), started.elapsed().as_secs_f64() * 1000.0);
    Ok(answer)
}

/// Waits for the fall from the spawn point to end, then looks at the dummy and waits until the server has simulated that.
fn land_and_aim(game: &mut Game) -> Result<u64> {
    let dummy = game.wait_for("a snapshot with us on the ground and the dummy", TIMEOUT, |game, message| {
        let grounded = is(message, STATE_SNAPSHOT)?["player_state"]["g"] == true;
        grounded.then(|| game.find(NPC, "")).flatten()
    })?;
    aim(game, dummy)?;
    Ok(dummy)
}

fn aim(game: &mut Game, target: u64) -> Result<()> {
    let position = game.entities.get(&target).context("the target is gone")?.position;
    game.look_at(position)?;
    let sequence = game.last_input();
    game.wait_for("our input to be simulated", TIMEOUT, |_, message| (message["player_state"]["seq"].as_u64()? >= sequence).then_some(()))
}

fn build(http: &Http, player: &Player, spell: &str, source: &str) -> Result<String> {
    let job_id = http.build(player, spell, source)?;
    let job = http.wait_for_job(player, &job_id, TIMEOUT, show_stage)?;
    Ok(job["result_revision_id"]
        .as_str()
        .with_context(|| format!("the build failed: {} {}", job["error_message"], job["diagnostics"]))?
        .to_owned())
}

fn show_stage(job: &Value) {
    println!("  {:>14} %  {}", job["progress_pct"].as_u64().unwrap_or_default(), job["stage"].as_str().unwrap_or("?"));
}

fn wait_until_active(game: &mut Game, spell: &str, revision: &str) -> Result<u64> {
    game.wait_for("the new revision to be active", TIMEOUT, |game, message| {
        let update = is(message, SPELL_ACTIVE_UPDATE)?;
        (update["spell_id"] == spell && update["revision_id"] == revision).then_some(game.server_tick)
    })
}

/// Casts at the dummy; answers with the tick in which the cast began.
fn cast(game: &mut Game, spell: &str, revision: &str, dummy: u64) -> Result<u64> {
    let position = game.entities.get(&dummy).context("the dummy is gone")?.position;
    game.cast(spell, position, dummy)?;
    let answer =
        game.wait_for("the cast", TIMEOUT, |_, message| is(message, SPELL_CAST_EVENT).or_else(|| is(message, SPELL_CAST_REJECTED)))?;
    ensure!(answer["type"] == SPELL_CAST_EVENT, "the cast was refused: {answer}");
    ensure!(answer["revision_id"] == revision, "another revision was cast: {answer}");
    answer["server_tick"].as_u64().context("a cast without a tick")
}

fn wait_for_projectile(game: &mut Game) -> Result<[f64; 3]> {
    game.wait_for("a projectile in the snapshots", TIMEOUT, |game, message| {
        let shown = is(message, STATE_SNAPSHOT)?["entities"].as_array()?.iter().find(|entity| entity["t"] == PROJECTILE)?["id"].as_u64()?;
        Some(game.entities.get(&shown)?.position)
    })
}

fn wait_for_hit(game: &mut Game, dummy: u64) -> Result<f64> {
    game.wait_for("the dummy to be hit", TIMEOUT, |_, message| {
        let hit = is(message, PROJECTILE_HIT)?;
        (hit["hit_entity_id"] == dummy).then(|| hit["damage"].as_f64()).flatten()
    })
}

fn wait_for_health_below(game: &mut Game, dummy: u64, before: f64) -> Result<f64> {
    game.wait_for("the dummy's health to fall", TIMEOUT, |game, message| {
        is(message, STATE_SNAPSHOT)?;
        let health = game.health(dummy);
        (health < before).then_some(health)
    })
}
