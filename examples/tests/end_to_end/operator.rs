//! An operator's day with a running server: docs/operate.md shows what it says, word for word.

use crate::page::Page;
use crate::{FIREBALL, TIMEOUT, make_live};
use anyhow::{Context, Result, ensure};
use examples::game::{STATE_SNAPSHOT, is};
use examples::{Game, Http, Player, Server, server};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const TOLD: &str = "The admin token, which is shown this once and kept nowhere: ";

/// Who asks, and whom and what for.
struct Desk<'a> {
    page: Page,
    http: &'a Http,
    token: String,
}

impl Desk<'_> {
    fn ask(&mut self, block: &'static str, method: &str, path: &str, body: &Value) -> Result<()> {
        self.page.ask(block, self.http, ("ADMIN_TOKEN", &self.token), method, path, body)
    }
}

#[test]
fn an_operator_finds_and_steers_everything() -> Result<()> {
    let server = Server::start_with(&[])?;
    let line = server.wait_for_line(0, &[TOLD], TIMEOUT)?;
    let token = line.strip_prefix(TOLD).with_context(|| format!("no token: {line}"))?.to_owned();
    let http = server.http();
    let kim = http.login(Some("kim"))?;
    let join = http.join(&kim, None)?;
    let world = join.world_id.clone();
    let mut of_kim = Game::join(&join)?;
    let spark = make_live(&http, &kim, &mut of_kim, "spark", FIREBALL)?;
    let mut desk = Desk { page: Page::of("operate.md", &server.url, &world), http: &http, token };

    desk.page.show("first start", "ugc-control", &format!("{line}\n"));
    health(&mut desk)?;
    of_kim.wait_for("a health report", TIMEOUT, |game, message| is(message, STATE_SNAPSHOT).filter(|_| game.server_tick > 120))?;
    desk.ask("servers", "GET", "/admin/servers", &Value::Null)?;
    let lee = http.login(Some("lee"))?;
    let of_lee = Game::join(&http.join(&lee, Some(&world))?)?;
    players(&mut desk, &lee, of_lee)?;
    spells(&mut desk, &world, &spark)?;
    backup(&mut desk.page, &server)?;
    desk.ask("save", "POST", &format!("/admin/servers/{world}/save"), &Value::Null)?;
    said(&desk, &world, &spark)?;
    desk.ask("stop", "DELETE", &format!("/admin/servers/{world}"), &Value::Null)?;
    desk.ask("records", "GET", "/admin/audit", &Value::Null)?;
    desk.ask("records", "POST", "/admin/cleanup", &Value::Null)?;
    desk.page.check()
}

fn health(desk: &mut Desk<'_>) -> Result<()> {
    desk.page.ask("health", desk.http, ("", ""), "GET", "/healthz", &Value::Null)?;
    ensure!(desk.http.get("/readyz", None)?.status == 200);
    let metrics = desk.http.get("/metrics", Some(&desk.token))?;
    let metrics = String::from_utf8(metrics.body)?;
    ensure!(metrics.contains("ugc_"), "{metrics}");
    Ok(())
}

fn players(desk: &mut Desk<'_>, lee: &Player, mut of_lee: Game) -> Result<()> {
    let client = &lee.client_id;
    // Where they play is known once their server has said so.
    let deadline = Instant::now() + TIMEOUT;
    let sessions = || desk.http.get("/admin/sessions", Some(&desk.token))?.ok_json();
    while sessions()?["sessions"].as_array().is_none_or(|sessions| sessions.iter().any(|session| session["world_id"].is_null())) {
        ensure!(Instant::now() < deadline, "{}", sessions()?);
    }
    desk.ask("players", "GET", "/admin/sessions", &Value::Null)?;
    desk.ask("players", "PUT", &format!("/admin/players/{client}/throttle"), &json!({ "requests_per_minute": 60 }))?;
    desk.ask("players", "PUT", &format!("/admin/players/{client}/trust"), &json!({ "trust": "known" }))?;
    desk.ask("players", "PUT", &format!("/admin/players/{client}/ban"), &json!({ "reason": "griefing", "hours": 24 }))?;
    let closed = of_lee.wait_for("the end", TIMEOUT, |_, _| None::<()>);
    ensure!(closed.as_ref().is_err_and(|error| error.to_string().contains("closed")), "{closed:?}");
    ensure!(desk.http.post("/login", None, &json!({ "account_key": lee.account_key }))?.json()?["code"] == "banned");
    desk.ask("players", "GET", "/admin/bans", &Value::Null)?;
    desk.ask("players", "DELETE", &format!("/admin/players/{client}/ban"), &Value::Null)
}

fn spells(desk: &mut Desk<'_>, world: &str, revision: &str) -> Result<()> {
    let quarantine = format!("/admin/worlds/{world}/quarantine/spark/{revision}");
    desk.ask("spells", "GET", "/admin/stops", &Value::Null)?;
    desk.ask("spells", "PUT", &quarantine, &Value::Null)?;
    desk.ask("spells", "DELETE", &quarantine, &Value::Null)?;
    let again = json!({ "revision_id": revision });
    desk.ask("spells", "POST", "/admin/spells/spark/rollback", &again)?;
    let revoke = format!("/admin/spells/spark/revisions/{revision}/revoke");
    desk.ask("spells", "POST", &revoke, &json!({ "reason": "it burns too much" }))?;
    desk.ask("spells", "DELETE", &revoke, &Value::Null)
}

/// The lines of the server's log come within moments, the newest first: the spell was active, and is not any more.
fn said(desk: &Desk<'_>, world: &str, revision: &str) -> Result<()> {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let log = desk.http.get(&format!("/admin/servers/{world}/log"), Some(&desk.token))?.ok_json()?;
        let lines: Vec<&str> = log["lines"].as_array().into_iter().flatten().filter_map(|line| line["text"].as_str()).collect();
        let of = |words: &str| lines.iter().position(|line| line.contains(words) && line.contains("spark"));
        if let (Some(inactive), Some(active)) = (of("no revision active"), of(&format!("revision={revision}")))
            && inactive < active
        {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "{log}");
    }
}

/// While everything runs; the copy is as good as what it was made of.
fn backup(page: &mut Page, server: &Server) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (copy, fresh) = (folder.path().join("today"), folder.path().join("ugc"));
    let mut run = |shown: &str, data: &Path, arguments: &[&str]| -> Result<()> {
        let output = Command::new(server::shipped("ugc-control")?).args(arguments).env("DATA_DIR", data).output()?;
        let said = String::from_utf8(output.stdout)? + &String::from_utf8(output.stderr)?;
        ensure!(output.status.success(), "{shown}: {said}");
        let said = said.replace(&*copy.to_string_lossy(), "/backups/today").replace(&*fresh.to_string_lossy(), "/srv/ugc");
        page.show("backup", shown, &said);
        Ok(())
    };
    let to = copy.to_string_lossy();
    run("ugc-control backup /backups/today", &server.data, &["backup", &to])?;
    run("ugc-control verify /backups/today", &server.data, &["verify", &to])?;
    run("DATA_DIR=/srv/ugc ugc-control restore /backups/today", &fresh, &["restore", &to])
}
