//! Spells that misbehave, one file each in hostile/: that cast ends and says why, and everybody else plays on.

use crate::{ADMIN, FIREBALL, TIMEOUT, cast_until_granted, make_live, somebody, tick_now};
use anyhow::{Context, Result, ensure};
use examples::game::{ENTITY_SPAWN, SPELL_CAST_REJECTED, is};
use examples::{Game, Http, Player, Server};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// 60 ticks a second, less what a machine that also compiles takes away for a moment. A tick thread that stood still for even one loop would show.
const TICKS_PER_SECOND_MIN: f64 = 50.0;
/// A log line is written before the client is told; the pipe adds a moment.
const LOG_TIMEOUT: Duration = Duration::from_secs(5);

/// What a file's header says must happen.
struct Expected {
    hook: String,
    limits: Vec<String>,
}

#[test]
fn a_hostile_spell_ends_its_own_cast_only() -> Result<()> {
    let (server, http, kim, mut kims) = somebody()?;
    let world = http.get("/worlds", None)?.ok_json()?["worlds"][0]["world_id"].as_str().context("no world")?.to_owned();
    let mallory = http.login(Some("mallory"))?;
    let mut mallorys = Game::join(&http.join(&mallory, Some(&world))?)?;
    make_live(&http, &kim, &mut kims, "kims_fireball", FIREBALL)?;

    let started = Instant::now();
    let first_tick = tick_now(&mut kims, 1)?;
    for file in hostile_files()? {
        misbehave(&server, &http, &mallory, &mut mallorys, &file).with_context(|| format!("{}", file.display()))?;
        play_on(&mut kims).with_context(|| format!("while {} ran", file.display()))?;
    }
    let ticks = tick_now(&mut kims, 2)? - first_tick;
    let rate = ticks as f64 / started.elapsed().as_secs_f64();
    ensure!(rate >= TICKS_PER_SECOND_MIN, "the world made only {rate:.1} ticks a second");
    Ok(())
}

/// Builds, publishes and casts it, and reads what its caster and its operator are told.
fn misbehave(server: &Server, http: &Http, mallory: &Player, game: &mut Game, file: &Path) -> Result<()> {
    let source = std::fs::read_to_string(file)?;
    let expected = expected(&source).context("the header names no hook or limit")?;
    let spell = format!("bad_{}", file.file_stem().context("a name")?.to_string_lossy());
    let revision = make_live(http, mallory, game, &spell, &source)?;
    let bookmark = server.line_count();
    cast_until_granted(game, &spell)?;

    let told = game
        .wait_for("the end of the cast", TIMEOUT, |_, message| is(message, SPELL_CAST_REJECTED).filter(|end| end["spell_id"] == spell))?;
    let limit = told["limit"].as_str().unwrap_or_default();
    ensure!(told["revision_id"] == *revision && told["caster_entity_id"] == game.entity_id, "{told}");
    ensure!(told["hook"] == *expected.hook && expected.limits.iter().any(|allowed| allowed == limit), "{told}");
    ensure!(told["message"].as_str().is_some_and(|message| !message.is_empty()), "{told}");
    server.wait_for_line(bookmark, &[&spell, &revision, &game.entity_id.to_string(), limit], LOG_TIMEOUT)?;
    // The line is the game server's, or the control plane's, which counts when it has written it.
    let started = Instant::now();
    while counted(http, &spell, limit)? != Some(1) {
        ensure!(started.elapsed() < LOG_TIMEOUT, "the operator's count does not have it");
    }
    Ok(())
}

/// How often the operator reads that this spell was stopped by this limit.
fn counted(http: &Http, spell: &str, limit: &str) -> Result<Option<u64>> {
    let counts = http.get("/admin/stops", Some(ADMIN))?.ok_json()?;
    let stops = counts["stops"].as_array().context("a list")?;
    Ok(stops.iter().find(|stop| stop["spell_id"] == spell && stop["limit"] == limit).and_then(|stop| stop["count"].as_u64()))
}

/// The other player's spell still does what it did.
fn play_on(game: &mut Game) -> Result<()> {
    cast_until_granted(game, "kims_fireball")?;
    game.wait_for("the other player's projectile", TIMEOUT, |_, message| {
        is(message, ENTITY_SPAWN).filter(|spawn| spawn["entity_type"] == 3)
    })?;
    Ok(())
}

fn hostile_files() -> Result<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end/hostile");
    let mut files = folder.read_dir()?.map(|file| Ok(file?.path())).collect::<Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}

/// `//! hook: on-tick` and `//! limit: fuel` (or several, any of which will do).
fn expected(source: &str) -> Option<Expected> {
    let value = |key: &str| source.lines().find_map(|line| line.strip_prefix("//! ")?.strip_prefix(key)).map(str::trim);
    Some(Expected { hook: value("hook:")?.to_owned(), limits: value("limit:")?.split_whitespace().map(str::to_owned).collect() })
}
