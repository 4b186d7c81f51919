//! The game in a browser: the stories of client/tests, in Chromium, against the pages that the control plane serves.

use crate::ADMIN;
use anyhow::{Result, ensure};
use examples::Server;
use std::process::{Command, Stdio};

/// Writes the library's fireball, with something that the compiler warns of.
const GENERATOR: &str = concat!(
    "cat > /dev/null; sed 's/let start = /let unused = 1; let start = /' '",
    env!("CARGO_MANIFEST_DIR"),
    "/../spells/fireball/src/lib.rs'"
);
const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../client/tests");

#[test]
fn a_players_first_minute_in_two_browsers() -> Result<()> {
    plays(
        "browser.mjs",
        &[
            "both come in",
            "who sees near",
            "they see each other walk",
            "what one digs",
            "a spell goes live",
            "a newcomer casts",
            "what one says",
            "a key that is held",
            "over a bad line",
            "a killed server",
            "nobody's console",
        ],
    )
}

#[test]
fn an_authors_first_five_minutes_in_two_browsers() -> Result<()> {
    plays(
        "author.mjs",
        &[
            "both come in",
            "the fireball is forked",
            "a number is changed",
            "files are added",
            "a type error is underlined",
            "a loop without an end",
            "one that the trial does not come across",
            "what is published is cast by somebody else",
            "the difference is shown",
            "it is rolled back",
            "what was published is forked",
            "words become a spell",
            "nobody's console",
        ],
    )
}

#[test]
fn a_spells_page_in_a_browser() -> Result<()> {
    plays(
        "spell.mjs",
        &[
            "a spell is published twice",
            "its page says what it is",
            "somebody casts it",
            "an older revision",
            "it is forked",
            "nobody's console",
        ],
    )
}

#[test]
fn one_plays_by_touch_and_one_by_a_gamepad() -> Result<()> {
    plays(
        "hands.mjs",
        &["one walks and looks by touch", "buttons jump", "a tap casts", "a gamepad's sticks walk", "its buttons jump", "nobody's console"],
    )
}

#[test]
fn an_operators_first_minutes_in_a_browser() -> Result<()> {
    plays(
        "operator.mjs",
        &[
            "a wrong token is refused",
            "the token opens the page",
            "the costliest player has a name",
            "what the world said is read",
            "the world is saved, and goes on",
            "it is put into quarantine",
            "and lifted",
            "a revision is rolled back",
            "a player is sent away",
        ],
    )
}

/// Plays a story against a server of its own; it says these steps in this order.
fn plays(story: &str, steps: &[&str]) -> Result<()> {
    let server = Server::start_with(&[("ADMIN_TOKEN", ADMIN), ("GENERATOR_COMMAND", GENERATOR)])?;
    let mut play = Command::new("node");
    play.arg(format!("{TESTS}/{story}"))
        .env("UGC_URL", &server.url)
        .env("UGC_CONTROL_PID", server.pid().to_string())
        .env("ADMIN_TOKEN", ADMIN);
    // It takes its time, a minute of play; what it waits for has deadlines of its own.
    let output = play.stdin(Stdio::null()).output()?;
    let said = String::from_utf8(output.stdout)? + &String::from_utf8(output.stderr)?;
    ensure!(output.status.success(), "{}:\n{said}", output.status);
    let mut lines = said.lines();
    for step in steps.iter().chain(&["all of it happened"]) {
        ensure!(lines.any(|line| line.starts_with(step)), "no line {step:?}, or not in its place, in:\n{said}");
    }
    Ok(())
}
