//! What builds are tried with: hostile sources as files of hostile_sources/, hostile components, floods, and a control plane that is killed at work.
//!
//! A file's first line says what must come of it: `//! => built`, or `//! => failed` and, where it is known, codes of which one must be among the findings. `@canary`
//! stands for the path of a file that nobody must read, `@repeat(n, "text")` for repetition, `@zero` and `@bidi` for a zero byte and a character that turns text around.

use crate::{FIREBALL, TIMEOUT};
use anyhow::{Context, Result, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use examples::{Http, Player, Server};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// What must be in no answer, no log and no artifact.
const CANARIES: [&str; 3] =
    ["canary-of-a-file-5ec2e7c0ffee", "canary-of-the-environment-5ec2e7c0ffee", "canary-of-another-build-5ec2e7c0ffee"];
/// After every ending there is nothing left of a build by then.
const LEFT_TIMEOUT: Duration = Duration::from_secs(1);
/// The stages of a build of source, in order.
const STAGES: [&str; 7] = ["queued", "prepare", "compile", "componentize", "smoke", "store", "done"];
/// Two players build at once: as many as there are workers.
const BUILDERS: usize = 2;

#[test]
fn no_hostile_source_gets_further_than_it_should_or_learns_anything() -> Result<()> {
    let server = Server::start_with(&[("CANARY", CANARIES[1]), ("RUSTC_BOOTSTRAP", "1")])?;
    let http = server.http();
    let canary = server.data.join("canary");
    fs::write(&canary, CANARIES[0])?;
    // Another's draft, built a moment before and never published.
    let neighbour = http.login(Some("neighbour"))?;
    http.build_revision(&neighbour, "quiet", &format!("{FIREBALL}\n// {}\n", CANARIES[2]), TIMEOUT)?;

    let mut files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end/hostile_sources"))?
        .map(|file| Ok(file?.path()))
        .collect::<Result<Vec<_>>>()?;
    files.sort();
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let builders = (0..BUILDERS).map(|number| {
            let (http, canary, server) = (server.http(), &canary, &server);
            let mine: Vec<_> = files.iter().skip(number).step_by(BUILDERS).collect();
            scope.spawn(move || -> Result<Vec<String>> {
                let player = http.login(Some(&format!("mallory{number}")))?;
                let verdicts = mine
                    .into_iter()
                    .map(|file| verdict(server, &http, &player, file, canary).with_context(|| format!("{}", file.display())));
                Ok(verdicts.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
            })
        });
        let builders: Vec<_> = builders.collect();
        builders.into_iter().map(|builder| builder.join().expect("no panic")).collect::<Result<Vec<_>>>()
    })?
    .concat();
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));

    let log = server.log();
    for canary in CANARIES {
        ensure!(!log.contains(canary), "the log has {canary}");
    }
    nothing_left(&server)
}

/// Builds it; what is wrong about what came of it.
fn verdict(server: &Server, http: &Http, player: &Player, file: &Path, canary: &Path) -> Result<Option<String>> {
    let text = fs::read_to_string(file)?;
    let (expected, source) = text.split_once('\n').context("a first line")?;
    let expected = expected.strip_prefix("//! => ").context("the first line says what must come of it")?;
    let source = expand(source)?.replace("@canary", &canary.display().to_string()).replace("@zero", "\0").replace("@bidi", "\u{202e}");
    let name = file.file_stem().context("a name")?.to_string_lossy().into_owned();
    let job = http.wait_for_job(player, &http.build(player, &name, &source)?, TIMEOUT, |_| ())?;
    let mut seen = job.to_string();
    if let Some(revision) = job["result_revision_id"].as_str() {
        let archive = http.get(&format!("/api/spells/{name}/revisions/{revision}/files/component.wasm"), Some(&player.session_token))?;
        seen += &String::from_utf8_lossy(&archive.body);
    }
    let hidden = [server.data.display().to_string(), ".rustup".into()];
    // What the source says itself, it may be told.
    let mut hidden = CANARIES.iter().copied().chain(hidden.iter().map(String::as_str)).filter(|hidden| !source.contains(hidden));
    if let Some(found) = hidden.find(|hidden| seen.contains(hidden)) {
        return Ok(Some(format!("{name}: it has learned {found}: {job}")));
    }
    let mut words = expected.split_whitespace();
    let status = if words.next() == Some("built") { "completed" } else { "failed" };
    let codes: Vec<&str> = words.collect();
    let found = job["diagnostics"].as_array().context("a list")?;
    let is_told = codes.is_empty() || found.iter().any(|found| codes.iter().any(|code| found["code"] == *code));
    let is_explained = status != "failed" || job["error_message"].as_str().is_some_and(|message| !message.is_empty());
    let is_as_expected = job["status"] == status && is_told && is_explained;
    Ok((!is_as_expected).then(|| format!("{name}: expected {expected}, got {job}")))
}

/// `@repeat(3, "ab")` becomes `ababab`.
fn expand(source: &str) -> Result<String> {
    let mut parts = source.split("@repeat(");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (count, rest) = part.split_once(", \"").context("a count")?;
        let (repeated, rest) = rest.split_once("\")").context("a text")?;
        text += &repeated.repeat(count.parse()?);
        text += rest;
    }
    Ok(text)
}

#[test]
fn components_are_inspected_before_anything_compiles_them() -> Result<()> {
    let server = Server::start()?;
    let http = server.http();
    let mallory = http.login(Some("mallory"))?;
    let revision = http.build_revision(&mallory, "good", FIREBALL, TIMEOUT)?;
    let component = http.get(&format!("/api/spells/good/revisions/{revision}/files/component.wasm"), Some(&mallory.session_token))?.body;
    // As it is, it is as good as its source.
    let job = send(&http, &mallory, &component)?;
    ensure!(job["status"] == "completed", "{job}");

    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/spell-runtime/tests/guests");
    let mut tried = 0;
    for file in fs::read_dir(guests)? {
        let file = file?.path();
        let text = fs::read_to_string(&file)?;
        let (verdict, module) = text.split_once('\n').context("a first line")?;
        let Some(refused) = verdict.strip_prefix(";; => refused: ") else { continue };
        // The others are fields that a test wraps.
        if !module.lines().any(|line| line.starts_with("(component") || line.starts_with("(module")) {
            continue;
        }
        let job = send(&http, &mallory, &wat::parse_str(module)?)?;
        // `import: imports wasi:...`, or a message alone; of what is a core module, that is said first.
        let is_module = module.lines().any(|line| line.starts_with("(module"));
        let fits = |found: &Value| {
            let (code, message) = (found["code"].as_str().unwrap_or_default(), found["message"].as_str().unwrap_or_default());
            refused.starts_with(&format!("{code}: ")) || refused == message || (is_module && code == "core_module")
        };
        let is_told = job["diagnostics"].as_array().is_some_and(|found| found.iter().any(fits));
        ensure!(job["status"] == "failed" && is_told, "{}: expected {refused}, got {job}", file.display());
        tried += 1;
    }
    ensure!(tried >= 5, "only {tried} guests were tried");

    let cuts = (1..12).map(|twelfth| component[..component.len() * twelfth / 12].to_vec());
    let artifact =
        fs::read_dir(server.data.join("blobs"))?.flat_map(|folder| fs::read_dir(folder.expect("a folder").path()).expect("a folder"));
    // The largest blob is native code, signed by this very server: none of it is a component.
    let artifact = artifact.map(|file| fs::read(file.expect("a file").path()).expect("a blob")).max_by_key(Vec::len).context("a blob")?;
    let nonsense = [Vec::new(), b"\0asm".to_vec(), vec![0xff; 1000], vec![0; 1 << 20], artifact[..artifact.len().min(1 << 20)].to_vec()];
    for bytes in cuts.chain(nonsense) {
        let job = send(&http, &mallory, &bytes)?;
        ensure!(job["status"] == "failed" && job["stage"] == "inspect", "{} bytes: {job}", bytes.len());
    }
    nothing_left(&server)
}

fn send(http: &Http, player: &Player, component: &[u8]) -> Result<Value> {
    let body = json!({ "options": { "component": STANDARD.encode(component) } });
    let job = http.post("/api/spells/sent/build", Some(&player.session_token), &body)?.ok_json()?;
    http.wait_for_job(player, job["job_id"].as_str().context("a job")?, TIMEOUT, |_| ())
}

#[test]
fn a_thousand_builds_of_one_player_are_refused_and_the_others_do_not_wait() -> Result<()> {
    let server = Server::start()?;
    let http = server.http();
    let (flood, good) = (http.login(Some("flood"))?, http.login(Some("good"))?);
    let bomb = "#![allow(long_running_const_eval)]\npub const ENDLESS: u64 = { let mut n = 0u64; while n != u64::MAX { n += 1; } n };";
    http.build_revision(&good, "spark", FIREBALL, TIMEOUT)?;
    let mut queued = Vec::new();
    for n in 0..1_000 {
        let answer = http.post(&format!("/api/spells/flood{n}/build"), Some(&flood.session_token), &json!({ "code": bomb }))?;
        match answer.status {
            200 => queued.push(answer.json()?["job_id"].as_str().context("a job")?.to_owned()),
            // By the queue, or by what one player may ask in a second at all.
            429 => ensure!(matches!(answer.json()?["code"].as_str(), Some("build_queue_full" | "too_many_requests")), "{}", answer.json()?),
            status => anyhow::bail!("build {n} was answered with {status}"),
        }
    }
    ensure!((4..=6).contains(&queued.len()), "{} were taken", queued.len());
    let started = Instant::now();
    http.build_revision(&good, "spark", &format!("{FIREBALL}\n// once more\n"), TIMEOUT)?;
    ensure!(started.elapsed() < Duration::from_secs(8), "it waited {:?} behind the flood", started.elapsed());
    // Taken back, they are gone.
    for job in &queued {
        let job = http.request("DELETE", &format!("/api/jobs/{job}"), Some(&flood.session_token), "", Vec::new())?.ok_json()?;
        ensure!(job["status"] == "failed", "{job}");
    }
    nothing_left(&server)
}

#[test]
fn a_control_plane_that_is_killed_at_any_stage_of_a_build_leaves_nothing() -> Result<()> {
    for stage in STAGES {
        let server = Server::start()?;
        let http = server.http();
        let kim = http.login(Some("kim"))?;
        let job = http.build(&kim, "spark", FIREBALL)?;
        // Or a moment later: a short stage may be over when we hear of it.
        let is_before = |job: &Value| STAGES.iter().position(|name| job["stage"] == *name) < STAGES.iter().position(|name| *name == stage);
        while is_before(&http.job(&kim, &job)?) {}
        let family = descendants(server.pid());
        kill_process(Pid::from_raw(server.pid().cast_signed()).context("a process")?, Signal::KILL)?;
        let deadline = Instant::now() + LEFT_TIMEOUT;
        let is_left = || {
            let alive: Vec<u32> = family.iter().copied().filter(|process| is_running(*process)).collect();
            let files: Vec<_> = fs::read_dir(server.data.join("scratch"))
                .map(|files| files.flatten().map(|file| file.path()).collect())
                .unwrap_or_default();
            (!alive.is_empty() || !files.is_empty()).then_some((alive, files))
        };
        while let Some(left) = is_left() {
            ensure!(Instant::now() < deadline, "killed at the stage {stage}, these are left: {left:?}");
            std::thread::yield_now();
        }
    }
    Ok(())
}

/// Neither processes nor files of builds, a second after the last one.
fn nothing_left(server: &Server) -> Result<()> {
    let deadline = Instant::now() + LEFT_TIMEOUT;
    loop {
        let builders: Vec<u32> = descendants(server.pid()).into_iter().filter(|process| is_running(*process)).collect();
        let files: Vec<_> = fs::read_dir(server.data.join("scratch"))?.map(|file| Ok(file?.path())).collect::<Result<_>>()?;
        if builders.is_empty() && files.is_empty() {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "left: processes {builders:?}, files {files:?}");
        std::thread::yield_now();
    }
}

fn descendants(parent: u32) -> Vec<u32> {
    crate::killed_builder::descendants(parent)
}

fn is_running(process: u32) -> bool {
    !crate::killed_builder::is_gone(process)
}
