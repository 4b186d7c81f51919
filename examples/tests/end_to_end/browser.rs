//! The game in a browser: client/tests plays a first minute in two of them, against the page that the control plane serves.

use crate::author::Running;
use anyhow::{Result, ensure};
use examples::Server;
use std::process::Command;

/// What it says it has played, in this order.
const STORY: &[&str] = &[
    "both come in",
    "they see each other walk",
    "what one digs",
    "a spell goes live",
    "over a bad line",
    "a killed server",
    "nobody's console",
    "all of it happened",
];

#[test]
fn a_players_first_minute_in_two_browsers() -> Result<()> {
    let server = Server::start()?;
    let mut play = Command::new("npm");
    play.args(["test", "--silent", "--prefix", concat!(env!("CARGO_MANIFEST_DIR"), "/../client")])
        .env("UGC_URL", &server.url)
        .env("UGC_CONTROL_PID", server.pid().to_string());
    let said = Running::start(&mut play)?.end()?;
    let mut lines = said.lines();
    for step in STORY {
        ensure!(lines.any(|line| line.starts_with(step)), "no line {step:?}, or not in its place, in:\n{said}");
    }
    Ok(())
}
