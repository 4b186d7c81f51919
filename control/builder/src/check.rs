//! Says whether this installation can build spells, and the command that mends it.

use crate::toolchain::{self, REMEDY, Toolchain};
use std::path::Path;
use std::process::Command;

/// Everything that is wrong with the SDK folder and its compiler, each with its remedy; empty when builds will work.
pub fn check(sdk: &Path) -> Vec<String> {
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
