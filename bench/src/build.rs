//! Edit to live, as an author feels it: real processes, real sockets, one player who stays connected.

use crate::library::{self, LIBRARY};
use crate::report::{Effort, Report, Row, Samples, progress};
use anyhow::{Context, Result, ensure};
use examples::game::{SPELL_ACTIVE_UPDATE, SPELL_CAST_EVENT, SPELL_CAST_REJECTED, is};
use examples::{Game, Http, Player, Server};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const EDITS: usize = 100;
const WARM_UP_EDITS: usize = 3;
/// Then somebody else casts.
const EDITS_PER_CASTER: usize = 15;
const CARGO_EDITS: usize = 7;
/// Builds of a package that was built before, of one that fails, and runs of an empty program.
const REPEATS: usize = 30;
/// Players who build in earnest, and as many who hand in bombs.
const CROWD: usize = 20;
const TIMEOUT: Duration = Duration::from_secs(60);
/// Endless constant evaluation: it takes all the CPU time that a build may have.
const BOMB: &str = "#![allow(long_running_const_eval)]\npub const ENDLESS: u64 = { let mut n = 0u64; while n != u64::MAX { n += 1; } n };";
/// Ticks between two casts of ours: the cooldown is 30, and what the dearest library spell costs is back after 240.
const PAUSE_TICKS: u64 = 240;
/// The stages whose share is told.
const STAGES: [(&str, &str); 4] = [
    ("compile", "stage.compile_ms"),
    ("precompile", "stage.precompile_ms"),
    ("smoke", "stage.smoke_ms"),
    ("componentize", "stage.componentize_ms"),
];

/// One edit's times, each in seconds from the start of its own step.
struct Edit {
    build: f64,
    publish: f64,
    switch: f64,
    cast: f64,
    /// Milliseconds of each stage of the build.
    stages: Value,
}

/// One column of the table of edits.
type Column = fn(&Edit) -> f64;

/// Measures, prints and records.
pub fn run() -> Result<()> {
    let mut report = Report::begin("build", Effort::Full);
    let server = Server::start()?;
    let http = Http::new(&server.url);
    let player = http.login(Some("bench"))?;
    let project = cargo_project()?;
    // Compiles the SDK as well, which takes longer than a game server waits for a client that says nothing.
    cargo_build(project.path(), WARM_UP_EDITS + EDITS)?;
    let world = http.join(&player, None)?;
    let mut game = Game::join(&world)?;

    let (mut edits, mut cargo) = (Vec::new(), Vec::new());
    for index in 0..WARM_UP_EDITS + EDITS {
        progress(&format!("edit {} of {}", index + 1, WARM_UP_EDITS + EDITS));
        // Some spells live for a minute, and a player may have eight casts.
        if index > 0 && index % EDITS_PER_CASTER == 0 {
            let caster = http.login(Some(&format!("caster{index}")))?;
            game = Game::join(&http.join(&caster, Some(&world.world_id))?)?;
        }
        let edit = edit_to_live(&http, &player, &mut game, index)?;
        if index >= WARM_UP_EDITS {
            edits.push(edit);
        }
        // The plain cargo builds are spread among ours, so that a slow minute of the machine meets both.
        if index % (EDITS / CARGO_EDITS) == 0 && cargo.len() < CARGO_EDITS {
            cargo.push(cargo_build(project.path(), index)?);
        }
    }
    progress("");
    let cargo = Samples::new(cargo);

    let column = |of: Column| Samples::new(edits.iter().map(of).collect());
    let total = column(|edit| edit.build + edit.publish + edit.switch + edit.cast);
    let how = format!(
        "POST build to SPELL_CAST_EVENT of the new revision on one connection; {EDITS} edits of the library's 11 spells, warm; each edit is new source"
    );
    report.extend([
        total.row("edit_to_live.p50_s", "s", "0.25", &how),
        total.only(0.95).row("edit_to_live.p95_s", "s", "0.5", &how),
        total.against(&cargo, "warm `cargo build` of edits of one of them, no publish", "edit_to_live.vs_cargo", "s", "", &how),
        column(|edit| edit.build).row("stage.build_s", "s", "", "POST build until the job says completed, long-polled"),
        column(|edit| edit.publish).row("stage.publish_s", "s", "", "POST publish until its answer: the channel is durable"),
        column(|edit| edit.switch).row("stage.switch_s", "s", "", "answer until SPELL_ACTIVE_UPDATE; 0 when it came first"),
        column(|edit| edit.cast).row("stage.cast_s", "s", "", "cast request until SPELL_CAST_EVENT: up to one tick"),
    ]);
    for (stage, key) in STAGES {
        let all = edits.iter().filter_map(|edit| stage_ms(&edit.stages, stage)).collect();
        let aim = if stage == "precompile" { "5" } else { "" };
        report.extend([Samples::new(all).row(
            key,
            "ms",
            aim,
            "of the builds above, as the job tells it; the sandbox's start is in it but for componentize",
        )]);
    }
    report.extend(answers(&http, &player)?);
    report.extend([sandbox()?]);
    report.extend(bombs(&server)?);
    report.finish()?;
    let stages: [(&str, Column); 4] =
        [("build", |edit| edit.build), ("publish", |edit| edit.publish), ("switch", |edit| edit.switch), ("cast", |edit| edit.cast)];
    let series: Vec<_> = stages
        .iter()
        .map(|(name, of)| (name.to_string(), edits.iter().enumerate().map(|(index, edit)| (index as f64 + 1.0, of(edit) * 1e3)).collect()))
        .chain(STAGES.iter().take(3).map(|(name, _)| {
            let points = edits.iter().enumerate().filter_map(|(index, edit)| Some((index as f64 + 1.0, stage_ms(&edit.stages, name)?)));
            (format!("of it {name}"), points.collect())
        }))
        .chain([(
            "edit to live".into(),
            edits
                .iter()
                .enumerate()
                .map(|(index, edit)| (index as f64 + 1.0, 1e3 * (edit.build + edit.publish + edit.switch + edit.cast)))
                .collect(),
        )])
        .collect();
    report.plot("build", "Edit to live", ("edit", "ms"), &series)
}

fn stage_ms(stages: &Value, stage: &str) -> Option<f64> {
    stages.as_array()?.iter().find(|entry| entry[0] == stage)?[1].as_f64()
}

/// How soon an author reads an error, and how soon a package is there that was built before.
fn answers(http: &Http, player: &Player) -> Result<Vec<Row>> {
    let (spell, source) = LIBRARY[3];
    let (mut errors, mut hits) = (Vec::new(), Vec::new());
    for index in 0..REPEATS {
        progress(&format!("answer {} of {REPEATS}", index + 1));
        let broken = format!("{source}\npub fn broken() -> u32 {{ \"{index}\" }}\n");
        let start = Instant::now();
        let job = http.wait_for_job(player, &http.build(player, spell, &broken)?, TIMEOUT, |_| ())?;
        errors.push(start.elapsed().as_secs_f64());
        ensure!(job["status"] == "failed" && job["diagnostics"][0]["code"] == "E0308", "{job}");
        let start = Instant::now();
        http.build_revision(player, spell, &edited(WARM_UP_EDITS + 3)?.1, TIMEOUT)?;
        hits.push(start.elapsed().as_secs_f64() * 1e3);
    }
    progress("");
    Ok(vec![
        Samples::new(errors).row("errors.p50_s", "s", "0.1", "POST build of a source with a type error until the job says failed"),
        Samples::new(hits).row(
            "cache_hit.p50_ms",
            "ms",
            "20",
            "POST build of a package that was built before until the job says completed",
        ),
    ])
}

/// What the sandbox costs: an empty program in it against the same one alone.
fn sandbox() -> Result<Row> {
    let worker = examples::server::shipped("ugc-builder")?.canonicalize()?;
    let folder = tempfile::tempdir()?;
    let place = folder.path().canonicalize()?;
    let time = |command: &mut Command| -> Result<f64> {
        let start = Instant::now();
        let output = command.stdin(Stdio::null()).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(start.elapsed().as_secs_f64() * 1e3)
    };
    let (mut within, mut alone) = (Vec::new(), Vec::new());
    for _ in 0..REPEATS {
        let mut confined = Command::new(&worker);
        confined
            .arg("confine")
            .arg(std::process::id().to_string())
            .args(["whole", "1073741824"])
            .arg(&place)
            .arg("--")
            .arg(&worker)
            .arg("engine");
        within.push(time(&mut confined)?);
        alone.push(time(Command::new(&worker).arg("engine"))?);
    }
    let (within, alone) = (Samples::new(within), Samples::new(alone));
    let each = within.median() - alone.median();
    let how = "three times what a program that does nothing takes longer in it than alone: a build runs three";
    Ok(Samples::new(vec![3.0 * each]).row("sandbox.build_ms", "ms", "30", how))
}

/// Twenty players who build in earnest, alone and beside as many compile bombs.
fn bombs(server: &Server) -> Result<Vec<Row>> {
    let good = players(server, "good")?;
    let bad = players(server, "bad")?;
    // They have built before, as all have but for their first time.
    crowd(server, &good, 0)?;
    progress("twenty good builds");
    let idle = crowd(server, &good, 1)?;
    progress("twenty good builds beside twenty bombs");
    let http = server.http();
    let mut jobs = Vec::new();
    for (index, player) in bad.iter().enumerate() {
        jobs.push((player, http.build(player, &format!("bomb{index}"), BOMB)?));
    }
    let beside = crowd(server, &good, 2)?;
    for (player, job) in &jobs {
        http.request("DELETE", &format!("/api/jobs/{job}"), Some(&player.session_token), "", Vec::new())?.ok_json()?;
    }
    progress("");
    let how = format!("{CROWD} players' edits at once, each from POST build until completed");
    Ok(vec![
        idle.only(0.95).row("crowd.idle_p95_s", "s", "", &how),
        beside.only(0.95).against(
            &idle.only(0.95),
            "without bombs",
            "crowd.beside_bombs_p95_s",
            "s",
            "3x",
            how + &format!(", while {CROWD} others' builds never end by themselves"),
        ),
    ])
}

fn players(server: &Server, name: &str) -> Result<Vec<Player>> {
    let http = server.http();
    (0..CROWD).map(|index| http.login(Some(&format!("{name}{index}")))).collect()
}

/// One edit of each, all at once.
fn crowd(server: &Server, players: &[Player], round: usize) -> Result<Samples> {
    let times: Vec<Result<f64>> = std::thread::scope(|scope| {
        let builds = players.iter().enumerate().map(|(index, player)| {
            scope.spawn(move || {
                let source = edited(1_000 + round * CROWD + index)?.1;
                let start = Instant::now();
                server.http().build_revision(player, &format!("crowd{index}"), &source, TIMEOUT)?;
                Ok(start.elapsed().as_secs_f64())
            })
        });
        builds.collect::<Vec<_>>().into_iter().map(|build| build.join().expect("no panic")).collect()
    });
    Ok(Samples::new(times.into_iter().collect::<Result<_>>()?))
}

/// A library spell in turn, edited.
fn edited(index: usize) -> Result<(&'static str, String)> {
    let (spell, source) = LIBRARY[index % LIBRARY.len()];
    Ok((spell, library::edited(source, index).with_context(|| spell.to_owned())?))
}

fn edit_to_live(http: &Http, player: &Player, game: &mut Game, index: usize) -> Result<Edit> {
    let (spell, source) = edited(index)?;
    // An author is slower than this: neither the cooldown of the last cast nor the time in which its mana comes back must count.
    let rested = game.server_tick + PAUSE_TICKS;
    game.wait_for("the cooldown and the mana", TIMEOUT, |game, _| (game.server_tick >= rested).then_some(()))?;
    let start = Instant::now();
    let job = http.wait_for_job(player, &http.build(player, spell, &source)?, TIMEOUT, |_| ())?;
    let revision = job["result_revision_id"].as_str().with_context(|| format!("{spell}: {job}"))?.to_owned();
    let built = Instant::now();
    http.publish(player, spell, &revision, "stable")?;
    let published = Instant::now();
    game.wait_for("the switch", TIMEOUT, |_, message| {
        let update = is(message, SPELL_ACTIVE_UPDATE)?;
        (update["revision_id"] == *revision).then_some(())
    })?;
    let switched = Instant::now();
    game.cast(spell, [0.0, 2.0, -10.0], 0)?;
    let answer =
        game.wait_for("the cast", TIMEOUT, |_, message| is(message, SPELL_CAST_EVENT).or_else(|| is(message, SPELL_CAST_REJECTED)))?;
    ensure!(answer["type"] == SPELL_CAST_EVENT && answer["revision_id"] == *revision, "not cast: {answer}");
    let cast = Instant::now();
    let seconds = |from: Instant, to: Instant| to.duration_since(from).as_secs_f64();
    Ok(Edit {
        build: seconds(start, built),
        publish: seconds(built, published),
        switch: seconds(published, switched),
        cast: seconds(switched, cast),
        stages: job["stage_ms"].clone(),
    })
}

/// The same spell as a cargo project of its own, as an author without our builder would have it.
fn cargo_project() -> Result<tempfile::TempDir> {
    let project = tempfile::tempdir()?;
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spell-sdk").canonicalize()?;
    std::fs::create_dir(project.path().join("src"))?;
    std::fs::write(
        project.path().join("Cargo.toml"),
        format!(
            "[package]\nname = \"edited\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n[dependencies]\nspell-sdk = {{ path = {sdk:?} }}\n[workspace]\n"
        ),
    )?;
    Ok(project)
}

/// Seconds of `cargo build` after an edit.
fn cargo_build(project: &Path, index: usize) -> Result<f64> {
    std::fs::write(project.join("src/lib.rs"), edited(3 + index * LIBRARY.len())?.1)?;
    let start = Instant::now();
    let output = Command::new("cargo")
        .args(["build", "--release", "--quiet", "--target", "wasm32-unknown-unknown"])
        .current_dir(project)
        .env("CARGO_TARGET_DIR", project.join("target"))
        .stdin(Stdio::null())
        .output()
        .context("cargo does not start")?;
    ensure!(output.status.success(), "cargo build failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(start.elapsed().as_secs_f64())
}
