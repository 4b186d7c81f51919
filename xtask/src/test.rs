//! `cargo xtask test`: every check, cheapest first; the first failure ends it.

use crate::step::Steps;
use crate::toolchain::SPELL_TARGET;
use crate::{cargo, dist, release, root, setup};
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::Command;

/// Packages that are not built along with all others. Cargo unifies features across one build, and those of xtask's own dependencies would make `dist` build wasmtime
/// and its compiler once more.
const APART: [&str; 6] = ["--exclude", "examples", "--exclude", "bench", "--exclude", "xtask"];

/// Runs them all.
///
/// Unit tests build the whole workspace in one cargo call, which links the compiler into target/release/ugc-host; the distribution is therefore made
/// after them, and the end-to-end tests, which run what is shipped, come last.
pub fn run() -> Result<()> {
    setup::run()?;
    let steps = Steps::new("test");
    steps.run("format", &mut cargo(&["fmt", "--all", "--check"]))?;
    steps.run("lints", &mut cargo(&["clippy", "--release", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    build_for_wasm(&steps)?;
    dist::build_sdk(&steps)?;
    steps.tests("unit tests", tests().arg("--workspace").args(APART))?;
    steps.tests("examples in the docs", cargo(&["test", "--release", "--doc", "--workspace"]).args(APART))?;
    steps.tests("tests of the folder tree", tests().args(["-p", "xtask"]))?;
    dist::run()?;
    steps.tests("end-to-end tests", &mut end_to_end_tests())?;
    steps.run("scenarios of the library", Command::new(release().join("spell")).arg("test").args(spells()?).current_dir(root()))?;
    steps.done("test: all passed");
    Ok(())
}

/// What the browser's client is made of, in the folder in which the test of the busy world builds its own. Two cargo calls: one would unify features,
/// and the test's build, of the simulation alone, would compile rapier once more.
fn build_for_wasm(steps: &Steps) -> Result<()> {
    for package in ["sim", "protocol"] {
        let mut build = cargo(&["build", "--release", "-p", package, "--target", SPELL_TARGET]);
        steps.run(&format!("{package} for wasm"), build.arg("--target-dir").arg(root().join("target/wasm-build")))?;
    }
    Ok(())
}

/// nextest where it is installed: it runs each test in a process of its own, and the tests of all crates at once.
fn tests() -> Command {
    if has_nextest() { cargo(&["nextest", "run", "--release"]) } else { cargo(&["test", "--release", "--lib", "--bins", "--tests"]) }
}

/// One at a time, for each starts servers that tick 60 times a second; nextest is told so by .config/nextest.toml.
fn end_to_end_tests() -> Command {
    let mut command = tests();
    command.args(["-p", "examples"]);
    if !has_nextest() {
        command.args(["--", "--test-threads=1"]);
    }
    command
}

fn has_nextest() -> bool {
    cargo(&["nextest", "--version"]).output().is_ok_and(|output| output.status.success())
}

fn spells() -> Result<Vec<PathBuf>> {
    let folders = root().join("spells").read_dir().context("cannot read spells/")?;
    let mut spells: Vec<PathBuf> =
        folders.filter_map(|folder| Some(folder.ok()?.path())).filter(|path| path.join("Cargo.toml").exists()).collect();
    spells.sort();
    Ok(spells)
}
