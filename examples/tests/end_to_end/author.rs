//! An author changes a spell from their own editor, with the shipped tool, while others play; docs/live-change.md shows what it says, word for word.

use crate::page::Page;
use crate::{ADMIN, TIMEOUT, cast_until_granted, own_answer, somebody};
use anyhow::{Context, Result, ensure};
use examples::game::{SPELL_ACTIVE_UPDATE, SPELL_CAST_REJECTED, is};
use examples::{Game, Http, Player, server};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

/// What the author begins with.
const SPARK: &str = r#"use spell_sdk::prelude::*;

const SPARKS: u32 = 3;

spell! {
    envelope: Envelope::instant(),
    pub struct Spark {}
}

impl Spell for Spark {
    fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        spell_sdk::info!(world, "{SPARKS} sparks");
        world.cue("spark", cast.origin, SPARKS as f32)
    }
}
"#;

/// An author's machine: a folder with a spell in it, and a login.
struct Author {
    folder: tempfile::TempDir,
}

/// A command that goes on.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Author {
    fn new() -> Result<Self> {
        let author = Self { folder: tempfile::tempdir()? };
        fs::create_dir_all(author.folder.path().join("spark/src"))?;
        author.save(SPARK)?;
        Ok(author)
    }

    /// As many editors do: beside it, then in its place.
    fn save(&self, source: &str) -> Result<()> {
        let path = self.folder.path().join("spark/src/lib.rs");
        fs::write(path.with_extension("rs~"), source)?;
        Ok(fs::rename(path.with_extension("rs~"), path)?)
    }

    fn spell(&self, words: &str) -> Result<Command> {
        let mut command = Command::new(server::shipped("spell")?);
        command.args(words.split(' ')).current_dir(self.folder.path()).env("SPELL_CONFIG", self.login());
        Ok(command)
    }

    fn login(&self) -> std::path::PathBuf {
        self.folder.path().join("config/login.json")
    }

    /// What it prints, when it goes well or when it does not.
    fn run(&self, words: &str, goes_well: bool) -> Result<String> {
        let output = self.spell(words)?.stdin(Stdio::null()).output()?;
        let said = String::from_utf8(output.stdout)? + &String::from_utf8(output.stderr)?;
        ensure!(output.status.success() == goes_well, "spell {words}: {}: {said}", output.status);
        Ok(said)
    }

    fn start(&self, words: &str) -> Result<Running> {
        Running::start(&mut self.spell(words)?)
    }

    /// The player that the login is of.
    fn player(&self, http: &Http, url: &str) -> Result<Player> {
        let login: Value = serde_json::from_slice(&fs::read(self.login())?)?;
        let account = &login["accounts"][url];
        let answer = http.post("/login", None, &json!({ "account_key": account["account_key"] }))?.ok_json()?;
        let word = |key: &str| answer[key].as_str().map(str::to_owned).with_context(|| format!("no {key} in {answer}"));
        ensure!(answer["account_key"] == account["account_key"] && answer["username"] == account["username"]);
        Ok(Player {
            session_token: word("session_token")?,
            client_id: word("client_id")?,
            username: word("username")?,
            account_key: word("account_key")?,
        })
    }
}

impl Running {
    pub fn start(command: &mut Command) -> Result<Self> {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.with_context(|| format!("{command:?} does not start"))?;
        let (tell, lines) = channel();
        follow(child.stdout.take(), tell.clone());
        follow(child.stderr.take(), tell);
        Ok(Self { child, lines, said: Vec::new() })
    }

    /// Waits for a line with all of these words.
    fn wait_for(&mut self, words: &[&str]) -> Result<String> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let line = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now()));
            let line = line.with_context(|| format!("no line has {words:?}; it said:\n{}", self.said.join("\n")))?;
            self.said.push(line.clone());
            if words.iter().all(|word| line.contains(word)) {
                return Ok(line);
            }
        }
    }

    /// Waits for its good end; answers with all that it said.
    pub fn end(self) -> Result<String> {
        let (status, said) = self.ended()?;
        ensure!(status.success(), "{status}; it said:\n{said}");
        Ok(said)
    }

    /// Waits for its end.
    pub fn ended(mut self) -> Result<(ExitStatus, String)> {
        let deadline = Instant::now() + TIMEOUT;
        // Both its streams end with it.
        while let Ok(line) = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            self.said.push(line);
        }
        ensure!(Instant::now() < deadline, "it does not end; it said:\n{}", self.said.join("\n"));
        Ok((self.child.wait()?, self.said.join("\n") + "\n"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended needs no killing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn follow(stream: Option<impl Read + Send + 'static>, tell: Sender<String>) {
    let Some(stream) = stream else { return };
    std::thread::spawn(move || BufReader::new(stream).lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
}

/// The revision that a line names.
fn revision_in(line: &str) -> Result<String> {
    let word = line.split([' ', ':']).find(|word| word.starts_with("rev_"));
    Ok(word.with_context(|| format!("no revision in {line:?}"))?.to_owned())
}

/// Waits until new casts of the spark run this revision for the client of this game; null is none.
fn follows(game: &mut Game, revision: &Value) -> Result<()> {
    game.wait_for(&format!("spark to be {revision}"), TIMEOUT, |_, message| {
        let update = is(message, SPELL_ACTIVE_UPDATE)?;
        (update["spell_id"] == "spark" && update["revision_id"] == *revision).then_some(())
    })
}

fn is_unknown(game: &mut Game) -> Result<()> {
    game.cast("spark", [0.0; 3], 0)?;
    let refused = game.wait_for("the refusal", TIMEOUT, |game, message| own_answer(game, message, "spark"))?;
    ensure!(refused["type"] == SPELL_CAST_REJECTED && refused["limit"] == "unknown_spell", "{refused}");
    Ok(())
}

fn run(page: &mut Page, block: &'static str, author: &Author, words: &str, goes_well: bool) -> Result<String> {
    let said = author.run(words, goes_well)?;
    page.show(block, &format!("spell {words}"), &said);
    Ok(said)
}

#[test]
fn a_spell_is_changed_from_its_authors_editor() -> Result<()> {
    let (server, http, lee, mut of_lee) = somebody()?;
    let world = http.get("/worlds", None)?.ok_json()?["worlds"][0]["world_id"].as_str().context("a world")?.to_owned();
    let author = Author::new()?;
    let mut page = Page::of("live-change.md", &server.url, &world);
    page.show("source", "cat spark/src/lib.rs", SPARK);

    run(&mut page, "login", &author, &format!("login --server {} --name kim", server.url), true)?;
    ensure!(fs::metadata(author.login())?.permissions().mode() & 0o777 == 0o600);
    let kim = author.player(&http, &server.url)?;
    let mut of_kim = Game::join(&http.join(&kim, Some(&world))?)?;

    // A draft is its author's alone.
    let mut dev = author.start("dev spark --until-stdin-ends")?;
    let first = revision_in(&dev.wait_for(&["is live for you alone", "after the start"])?)?;
    follows(&mut of_kim, &json!(first))?;
    ensure!(cast_until_granted(&mut of_kim, "spark")?["revision_id"] == *first);
    dev.wait_for(&[&first, "info: 3 sparks"])?;
    is_unknown(&mut of_lee)?;
    author.save(&SPARK.replace("u32 = 3", "u32 = \"5\""))?;
    dev.wait_for(&["--> src/lib.rs:3:21"])?;
    dev.wait_for(&[&first, "stays live for you"])?;
    author.save(&SPARK.replace("u32 = 3", "u32 = 5"))?;
    let second = revision_in(&dev.wait_for(&["is live for you alone", "after the save"])?)?;
    follows(&mut of_kim, &json!(second))?;
    ensure!(cast_until_granted(&mut of_kim, "spark")?["revision_id"] == *second);
    dev.wait_for(&[&second, "info: 5 sparks"])?;
    drop(dev.child.stdin.take());
    page.show("dev", "spell dev spark", &dev.end()?);
    follows(&mut of_kim, &Value::Null)?;
    is_unknown(&mut of_kim)?;
    run(&mut page, "logs", &author, "logs spark", true)?;

    // Published, it is everybody's.
    run(&mut page, "publish", &author, "publish spark --channel stable", true)?;
    follows(&mut of_lee, &json!(second))?;
    ensure!(cast_until_granted(&mut of_lee, "spark")?["revision_id"] == *second);
    let mut logs = author.start("logs spark -f")?;
    for sparks in ["3 sparks", "5 sparks", "5 sparks"] {
        logs.wait_for(&[sparks])?;
    }
    author.save(&SPARK.replace("u32 = 3", "u32 = 8"))?;
    let trial =
        run(&mut page, "trial", &author, "publish spark --channel stable --rollout 50,by=cast,min_casts=1000,bake_seconds=3600", true)?;
    let third = revision_in(&trial)?;
    while cast_until_granted(&mut of_lee, "spark")?["revision_id"] != *third {}
    logs.wait_for(&[&third, "info: 8 sparks"])?;
    drop(logs);
    let deadline = Instant::now() + TIMEOUT;
    while author.run("revisions spark", true)?.contains("  on trial  0 casts") {
        ensure!(Instant::now() < deadline, "the world's count does not come");
    }
    run(&mut page, "revisions", &author, "revisions spark", true)?;
    run(&mut page, "rollback", &author, "rollback spark", true)?;
    for _ in 0..4 {
        ensure!(cast_until_granted(&mut of_lee, "spark")?["revision_id"] == *second);
    }
    run(&mut page, "rollback", &author, "revisions spark", true)?;
    run(&mut page, "rollback", &author, "rollback spark", false)?;

    requests(&mut page, &http, (&kim, &lee), (&second, &third), &mut of_lee)?;
    page.check()
}

/// The same by hand.
fn requests(page: &mut Page, http: &Http, (kim, lee): (&Player, &Player), (good, next): (&str, &str), game: &mut Game) -> Result<()> {
    let world = page.world().to_owned();
    let session = ("SESSION_TOKEN", kim.session_token.as_str());
    let draft = json!({ "revision_id": next });
    page.ask("draft by hand", http, session, "PUT", "/api/spells/spark/dev", &draft)?;
    page.ask("draft by hand", http, session, "GET", "/api/dev", &Value::Null)?;
    page.ask("draft by hand", http, session, "DELETE", "/api/spells/spark/dev", &Value::Null)?;
    let trial = json!({ "revision_id": next, "channel": "stable", "rollout": { "percent": 10, "by": "player" } });
    page.ask("publish by hand", http, session, "POST", "/api/spells/spark/publish", &trial)?;
    let back = json!({ "channel": "stable", "revision_id": good });
    page.ask("publish by hand", http, session, "POST", "/api/spells/spark/rollback", &back)?;

    let policy = json!({ "channel": "beta", "pins": { "spark": good }, "deny": ["meteor"] });
    page.ask("policy", http, ("SESSION_TOKEN", &lee.session_token), "PUT", &format!("/world/{world}/policy"), &policy)?;
    let quarantine = format!("/world/{world}/quarantine");
    let held = format!("/admin/worlds/{world}/quarantine/spark/{good}");
    page.ask("quarantine", http, ("ADMIN_TOKEN", ADMIN), "PUT", &held, &Value::Null)?;
    follows(game, &Value::Null)?;
    page.ask("quarantine", http, ("SESSION_TOKEN", &lee.session_token), "GET", &quarantine, &Value::Null)?;
    page.ask("quarantine", http, ("SESSION_TOKEN", &lee.session_token), "DELETE", &format!("{quarantine}/spark/{good}"), &Value::Null)?;
    follows(game, &json!(good))?;
    let reason = json!({ "reason": "it blinds people" });
    page.ask("revoke", http, session, "POST", &format!("/api/spells/spark/revisions/{next}/revoke"), &reason)?;
    Ok(())
}

#[test]
fn a_session_that_is_over_is_opened_again_and_a_log_drives_no_terminal() -> Result<()> {
    let (server, http, ..) = somebody()?;
    let author = Author::new()?;
    ensure!(author.run("logs spark", false)?.contains("you are logged in nowhere: run `spell login`"));
    author.run(&format!("login --server {} --name kim", server.url), true)?;
    let kim = author.player(&http, &server.url)?;
    // The session ends; the account does not.
    let mut login: Value = serde_json::from_slice(&fs::read(author.login())?)?;
    login["accounts"][&server.url]["session_token"] = json!("0".repeat(64));
    fs::write(author.login(), login.to_string())?;
    author.save(&SPARK.replace("{SPARKS} sparks", "\\u{1b}]0;mine\\u{7}\\u{202e}{SPARKS}"))?;
    let mut dev = author.start("dev spark")?;
    let revision = revision_in(&dev.wait_for(&["is live for you alone"])?)?;
    ensure!(author.player(&http, &server.url)?.client_id == kim.client_id);
    let renewed: Value = serde_json::from_slice(&fs::read(author.login())?)?;
    ensure!(renewed["accounts"][&server.url]["session_token"] != login["accounts"][&server.url]["session_token"], "it was not kept");

    let mut game = Game::join(&http.join(&kim, None)?)?;
    follows(&mut game, &json!(revision))?;
    cast_until_granted(&mut game, "spark")?;
    let told = dev.wait_for(&[&revision, "]0;mine"])?;
    ensure!(!told.contains(|c: char| c.is_control() || c == '\u{202e}'), "{told:?}");
    // Ctrl-c.
    kill_process(Pid::from_child(&dev.child), Signal::INT)?;
    ensure!(dev.end()?.ends_with("spark: your draft is taken away: you cast what everybody casts\n"));
    follows(&mut game, &Value::Null)?;

    // What the server refuses is told with its code.
    let other = Author::new()?;
    other.run(&format!("login --server {} --name kim", server.url), true)?;
    let refused = other.run("publish spark", false)?;
    ensure!(refused == "error: spark belongs to another player (not_your_spell)\n", "{refused}");
    let gone = Path::new(&author.folder.path().join("spark")).with_file_name("nothing");
    ensure!(author.run(&format!("dev {}", gone.display()), false)?.contains("there is no"));
    Ok(())
}
