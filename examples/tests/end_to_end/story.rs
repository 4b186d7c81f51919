//! first_cast as it is shipped, with a server of its own.

use anyhow::{Result, ensure};
use examples::server::shipped;
use std::process::Command;

#[test]
fn first_cast_tells_its_story() -> Result<()> {
    let output = Command::new(shipped("examples/first_cast")?).arg("--serve").output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    for step in [
        "login",
        "join",
        "handshake",
        "build",
        "publish",
        "active in the world",
        "cast",
        "projectile",
        "hit",
        "health",
        "double the damage",
    ] {
        ensure!(text.contains(step), "no {step:?} in:\n{text}");
    }
    Ok(())
}
