//! `cargo xtask dist`: fills target/release with everything that a server needs, and with the tools.

use crate::step::Steps;
use crate::toolchain::{self, SPELL_TARGET};
use crate::{cargo, client, release, root};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Builds it all.
pub fn run() -> Result<()> {
    let steps = Steps::new("dist");
    build_sdk(&steps)?;
    client::build(&steps)?;
    build_tools(&steps)?;
    build_host(&steps)?;
    steps.done("dist: target/release is complete");
    Ok(())
}

/// The SDK as libraries for the spells' target, and a note of which compiler made them: only that one can use them.
pub fn build_sdk(steps: &Steps) -> Result<()> {
    let target_folder = root().join("target/sdk-build");
    let mut build = cargo(&["build", "--release", "-p", "spell-sdk", "--target", SPELL_TARGET, "--message-format=json-render-diagnostics"]);
    let lines = steps.output("build the SDK for spells", build.arg("--target-dir").arg(&target_folder))?;
    let libraries: Vec<PathBuf> = lines.iter().flat_map(|line| libraries(line)).collect();
    steps.call("put the SDK in place", || place_sdk(&libraries))
}

fn build_tools(steps: &Steps) -> Result<()> {
    let packages = ["-p", "control", "-p", "builder", "-p", "spell-cli", "-p", "examples"];
    steps.run("build control plane, builder, tools", cargo(&["build", "--release", "--bins", "--examples"]).args(packages))
}

/// A cargo call of its own, and the last one: cargo unifies features over one call, and beside the builder the game server would get the compiler linked in.
fn build_host(steps: &Steps) -> Result<()> {
    steps.run("build the game server", &mut cargo(&["build", "--release", "-p", "host", "--bins"]))
}

/// The libraries that a line of cargo's JSON output says were made. Read from there, not from the folder, where those of earlier builds lie around.
fn libraries(line: &str) -> Vec<PathBuf> {
    let Ok(message) = serde_json::from_str::<Value>(line) else { return Vec::new() };
    if message["reason"] != "compiler-artifact" {
        return Vec::new();
    }
    let files = message["filenames"].as_array().into_iter().flatten().filter_map(Value::as_str).map(PathBuf::from);
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rlib") && is_for_spells(path)).collect()
}

/// Build scripts and macros are compiled for this machine and are none of a spell's business.
fn is_for_spells(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == SPELL_TARGET)
}

/// Fills a new folder and swaps it in, so that a server that is building a spell right now finds the old SDK or the new one.
fn place_sdk(libraries: &[PathBuf]) -> Result<()> {
    let (sdk, fresh, old) = (release().join("sdk"), release().join("sdk.new"), release().join("sdk.old"));
    remove(&fresh)?;
    remove(&old)?;
    fs::create_dir_all(fresh.join("lib"))?;
    for library in libraries {
        let name = library.file_name().context("a library has a name")?;
        fs::copy(library, fresh.join("lib").join(name)).with_context(|| format!("cannot copy {}", library.display()))?;
    }
    ensure!(fresh.join("lib/libspell_sdk.rlib").exists(), "cargo made no libspell_sdk.rlib: {libraries:?}");
    fs::write(fresh.join("toolchain.json"), serde_json::to_string_pretty(&toolchain::describe()?)?)?;
    if sdk.exists() {
        fs::rename(&sdk, &old)?;
    }
    fs::rename(&fresh, &sdk)?;
    remove(&old)
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}
