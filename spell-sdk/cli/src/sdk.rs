//! What `cargo xtask dist` puts beside this program: the compile worker and the prebuilt SDK.

use anyhow::{Context, Result};
use std::path::PathBuf;

/// The two.
#[derive(Debug)]
pub struct Sdk {
    /// The folder with the libraries and toolchain.json.
    pub folder: PathBuf,
    /// The program that each step of a build runs in.
    pub builder: PathBuf,
}

/// Finds them.
pub fn find() -> Result<Sdk> {
    let program = std::env::current_exe()?.canonicalize()?;
    let beside = program.parent().context("this program is in no folder")?;
    let sdk = Sdk { folder: beside.join("sdk"), builder: beside.join("ugc-builder") };
    for needed in [&sdk.builder, &sdk.folder.join("toolchain.json")] {
        anyhow::ensure!(needed.exists(), "there is no {}: run `cargo xtask dist`", needed.display());
    }
    Ok(sdk)
}
