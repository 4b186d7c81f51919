//! Says whether this installation can build spells, and the command that mends it.

use crate::confine::Confinement;
use crate::limits::ADDRESS_SPACE_BYTES_MAX;
use crate::toolchain::{self, REMEDY, Toolchain};
use protocol::worker::Sandbox;
use std::path::Path;
use std::process::Command;

/// Everything that is wrong with the SDK folder, its compiler and the sandbox, each with its remedy; empty when builds will work. `worker` is the path of the
/// executable `ugc-builder`, absolute and without links.
pub fn check(sdk: &Path, worker: &Path) -> Vec<String> {
    let mut wrong = check_sdk(sdk);
    wrong.extend(check_sandbox(worker));
    wrong
}

/// Has a program within the sandbox try what it must not be able to do.
pub fn check_sandbox(worker: &Path) -> Vec<String> {
    probe(worker).unwrap_or_else(|error| vec![format!("the sandbox could not be tried: {error}")])
}

fn probe(worker: &Path) -> std::io::Result<Vec<String>> {
    let folder = std::env::temp_dir().canonicalize()?.join(format!("ugc-builder-check-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let confinement =
        Confinement { sandbox: Sandbox::Whole, address_space: ADDRESS_SPACE_BYTES_MAX, folder: folder.clone(), reads: Vec::new() };
    let output = confinement.command(worker, worker).arg("probe").output();
    std::fs::remove_dir_all(&folder)?;
    let output = output?;
    if !output.status.success() {
        return Ok(vec![String::from_utf8_lossy(&output.stderr).trim().to_owned()]);
    }
    let breaches: Vec<String> = serde_json::from_slice(&output.stdout)?;
    Ok(breaches.into_iter().map(|breach| format!("the sandbox has a hole: {breach}")).collect())
}

fn check_sdk(sdk: &Path) -> Vec<String> {
    let toolchain = match Toolchain::read(sdk) {
        Ok(toolchain) => toolchain,
        Err(error) => return vec![error.to_string()],
    };
    let mut wrong = Vec::new();
    let rlib = toolchain::sdk_rlib(sdk);
    if !rlib.is_file() {
        wrong.push(format!("{} is missing; run `{REMEDY}`", rlib.display()));
    }
    match output(&toolchain.rustc, &["-V"]) {
        Ok(version) if version == toolchain.toolchain => {}
        Ok(version) => wrong.push(format!("rustc is {version:?} and the SDK was built by {:?}; run `{REMEDY}`", toolchain.toolchain)),
        Err(error) => wrong.push(format!("{} does not run: {error}; run `{REMEDY}`", toolchain.rustc.display())),
    }
    match output(&toolchain.rustc, &["--print", "target-libdir", "--target", "wasm32-unknown-unknown"]) {
        Ok(folder) if Path::new(&folder).is_dir() => {}
        Ok(folder) => wrong.push(format!("{folder} is missing; run `rustup target add wasm32-unknown-unknown`")),
        // Said above.
        Err(_) => {}
    }
    wrong
}

fn output(program: &Path, arguments: &[&str]) -> std::io::Result<String> {
    let output = Command::new(program).args(arguments).env_clear().output()?;
    if !output.status.success() {
        return Err(std::io::Error::other(format!("it ended with {}", output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
