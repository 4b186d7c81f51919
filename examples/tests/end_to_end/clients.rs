//! Clients in other languages, each a program as its reader would start it. They say what they saw; here it is compared with the world.

use crate::author::Running;
use crate::worlds;
use anyhow::{Context, Result, ensure};
use examples::{Game, Server};
use std::net::TcpListener;
use std::process::{Command, Stdio};

const EXAMPLES: &str = env!("CARGO_MANIFEST_DIR");
/// What a client's lines begin with, in this order.
const STORY: &[&str] = &["login", "build", "join", "walk", "fire", "terraform", "cast", "all of it happened"];

/// The Python client. The second Python is Debian's, which has the packages of apt when another one comes first in the path.
fn python(url: &str) -> Result<Command> {
    let has_websockets = |python: &&str| {
        let asked = Command::new(python).args(["-c", "import websockets"]).stdin(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    };
    let python = ["python3", "/usr/bin/python3"].into_iter().find(has_websockets);
    let mut command = Command::new(python.context("no Python 3 with websockets: sudo apt-get install python3-websockets")?);
    command.env("PYTHONUNBUFFERED", "1").arg(format!("{EXAMPLES}/client.py")).args(["--url", url]);
    Ok(command)
}

/// The client for Godot 3.
fn godot(url: &str) -> Result<Command> {
    let asked = Command::new("godot3-server").arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).status();
    asked.context("no Godot 3 without a screen: sudo apt-get install godot3-server")?;
    let mut command = Command::new("godot3-server");
    command.args(["--path", &format!("{EXAMPLES}/godot3"), "-s", "client.gd", &format!("--url={url}")]);
    Ok(command)
}

/// Plays against a server of its own, and against nobody.
fn plays(client: fn(&str) -> Result<Command>) -> Result<()> {
    let server = Server::start()?;
    let said = Running::start(&mut client(&server.url)?)?.end()?;
    let mut lines = said.lines();
    for step in STORY {
        ensure!(lines.any(|line| line.starts_with(step)), "no line {step:?}, or not in its place, in:\n{said}");
    }
    let http = server.http();
    let world = http.get("/worlds", None)?.ok_json()?["worlds"][0]["world_id"].as_str().context("a world")?.to_owned();
    ensure!(said.contains(&world), "it was in another world than {world}:\n{said}");
    let mut game = Game::join(&http.join(&http.login(None)?, Some(&world))?)?;
    ensure!(worlds::chunk_version(&mut game, [0, 0, 0])? == 2, "nobody has dug where it says it has:\n{said}");

    let nobody = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let (status, said) = Running::start(&mut client(&format!("http://{nobody}"))?)?.ended()?;
    ensure!(!status.success() && said.contains("failed: "), "without a server: {status}\n{said}");
    Ok(())
}

#[test]
fn the_python_client_sees_what_it_does() -> Result<()> {
    plays(python)
}

#[test]
fn the_godot_client_sees_what_it_does() -> Result<()> {
    plays(godot)
}
