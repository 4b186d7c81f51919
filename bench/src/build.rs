//! Edit to live, as an author feels it: real processes, real sockets, one player who stays connected.

use crate::report::{Effort, Report, Samples, progress};
use anyhow::{Context, Result, ensure};
use examples::game::{SPELL_ACTIVE_UPDATE, SPELL_CAST_EVENT, SPELL_CAST_REJECTED, is};
use examples::{Game, Http, Player, Server};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const EDITS: usize = 30;
const WARM_UP_EDITS: usize = 2;
const CARGO_EDITS: usize = 7;
const TIMEOUT: Duration = Duration::from_secs(30);
const SOURCE: &str = include_str!("../../spells/fireball/src/lib.rs");
/// Ticks between two casts of ours: the cooldown is 30, and a fireball's mana is back after 150.
const PAUSE_TICKS: u64 = 160;
/// The line that each edit changes.
const LINE: &str = "const DAMAGE: f32 = 25.0;";
const SPELL: &str = "fireball";

/// One edit's times, each in seconds from the start of its own step.
struct Edit {
    build: f64,
    publish: f64,
    switch: f64,
    cast: f64,
}

/// One column of the table of edits.
type Column = fn(&Edit) -> f64;

/// Measures, prints and records.
pub fn run() -> Result<()> {
    let mut report = Report::begin("build", Effort::Full);
    let server = Server::start()?;
    let http = Http::new(&server.url);
    let player = http.login(Some("bench"))?;
    let mut game = Game::join(&http.join(&player, None)?)?;

    let mut edits = Vec::new();
    let mut cargo = Vec::new();
    let project = cargo_project()?;
    for index in 0..WARM_UP_EDITS + EDITS {
        progress(&format!("edit {} of {}", index + 1, WARM_UP_EDITS + EDITS));
        let edit = edit_to_live(&http, &player, &mut game, index)?;
        if index >= WARM_UP_EDITS {
            edits.push(edit);
        }
        // The plain cargo builds are spread among ours, so that a slow minute of the machine meets both.
        if index % (EDITS / CARGO_EDITS) == 0 && cargo.len() < CARGO_EDITS + 1 {
            cargo.push(cargo_build(project.path(), index)?);
        }
    }
    progress("");
    // The first one compiled the SDK as well.
    let cargo = Samples::new(cargo.split_off(1));

    let column = |of: Column| Samples::new(edits.iter().map(of).collect());
    let total = column(|edit| edit.build + edit.publish + edit.switch + edit.cast);
    let p95 = total.quantile(0.95);
    let how = format!(
        "POST build to SPELL_CAST_EVENT of the new revision on one connection; {EDITS} edits of spells/fireball, warm; each edit is new source"
    );
    let mut slow = total.row("edit_to_live.p95_s", "s", "0.8", &how);
    slow.value = p95;
    report.extend([
        total.row("edit_to_live.p50_s", "s", "0.4", &how),
        slow,
        total.against(&cargo, "warm `cargo build` of the same edits, no publish", "edit_to_live.vs_cargo", "s", "", &how),
        column(|edit| edit.build).row("stage.build_s", "s", "", "POST build until the job says completed, long-polled"),
        column(|edit| edit.publish).row("stage.publish_s", "s", "", "POST publish until its answer: the channel is durable"),
        column(|edit| edit.switch).row("stage.switch_s", "s", "", "answer until SPELL_ACTIVE_UPDATE; 0 when it came first"),
        column(|edit| edit.cast).row("stage.cast_s", "s", "", "cast request until SPELL_CAST_EVENT: up to one tick"),
    ]);
    report.finish()?;
    let stages: [(&str, Column); 4] =
        [("build", |edit| edit.build), ("publish", |edit| edit.publish), ("switch", |edit| edit.switch), ("cast", |edit| edit.cast)];
    let series: Vec<_> = stages
        .iter()
        .map(|(name, of)| (name.to_string(), edits.iter().enumerate().map(|(index, edit)| (index as f64 + 1.0, of(edit) * 1e3)).collect()))
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

fn edited(index: usize) -> Result<String> {
    ensure!(SOURCE.contains(LINE), "the fireball has no line {LINE:?} to edit");
    Ok(SOURCE.replace(LINE, &format!("const DAMAGE: f32 = {}.0;", 10 + index)))
}

fn edit_to_live(http: &Http, player: &Player, game: &mut Game, index: usize) -> Result<Edit> {
    let source = edited(index)?;
    // An author is slower than this: neither the cooldown of the last cast nor the time in which its mana comes back must count.
    let rested = game.server_tick + PAUSE_TICKS;
    game.wait_for("the cooldown and the mana", TIMEOUT, |game, _| (game.server_tick >= rested).then_some(()))?;
    let start = Instant::now();
    let revision = http.build_revision(player, SPELL, &source, TIMEOUT)?;
    let built = Instant::now();
    http.publish(player, SPELL, &revision, "stable")?;
    let published = Instant::now();
    game.wait_for("the switch", TIMEOUT, |_, message| {
        let update = is(message, SPELL_ACTIVE_UPDATE)?;
        (update["revision_id"] == *revision).then_some(())
    })?;
    let switched = Instant::now();
    game.cast(SPELL, [0.0, 2.0, -10.0], 0)?;
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
    std::fs::write(project.join("src/lib.rs"), edited(index)?)?;
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
