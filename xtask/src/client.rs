//! The game in the browser: its core as WebAssembly, then the page around it, into client/dist, which the control plane embeds.

use crate::step::Steps;
use crate::toolchain::SPELL_TARGET;
use crate::{cargo, root};
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Builds it all.
pub fn build(steps: &Steps) -> Result<()> {
    steps.run("build the client's core", &mut core())?;
    steps.call("put the core in place", place_core)?;
    if !has_packages()? {
        steps.run("fetch the client's packages", npm().arg("ci"))?;
    }
    steps.run("build the client", npm().args(["run", "build"]))
}

/// In a target folder of its own: in ours it would unify features with whatever is built there.
fn core() -> Command {
    let mut build = cargo(&["build", "--profile", "browser", "-p", "client-core", "--target", SPELL_TARGET]);
    build.arg("--target-dir").arg(target());
    build
}

fn place_core() -> Result<()> {
    let made = target().join(SPELL_TARGET).join("browser/client_core.wasm");
    let place = folder().join("build");
    fs::create_dir_all(&place)?;
    fs::copy(&made, place.join("client_core.wasm")).with_context(|| format!("cannot copy {}", made.display()))?;
    Ok(())
}

/// Whether the packages are those of the lock file: npm notes beside them what it has installed.
fn has_packages() -> Result<bool> {
    let wanted = fs::metadata(folder().join("package-lock.json")).context("client/ has no package-lock.json")?.modified()?;
    let there = fs::metadata(folder().join("node_modules/.package-lock.json"));
    Ok(there.is_ok_and(|there| there.modified().is_ok_and(|there| there >= wanted)))
}

fn npm() -> Command {
    let mut npm = Command::new("npm");
    npm.current_dir(folder()).env("NO_UPDATE_NOTIFIER", "1");
    npm
}

fn folder() -> PathBuf {
    root().join("client")
}

fn target() -> PathBuf {
    root().join("target/client-build")
}
