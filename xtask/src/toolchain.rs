//! The Rust toolchain that this build uses, as its own programs describe it.

use crate::root;
use anyhow::{Context, Result, ensure};
use serde::Serialize;
use std::path::PathBuf;
use std::process::Command;

/// The target that spells are compiled for.
pub const SPELL_TARGET: &str = "wasm32-unknown-unknown";

/// What the builder must know of the toolchain: `sdk/toolchain.json`.
#[derive(Serialize)]
pub struct Toolchain {
    /// The compiler itself. A rustup proxy in front of it would cost every build some 20 ms and needs a home folder.
    pub rustc: PathBuf,
    /// `rustc -V`'s line.
    pub toolchain: String,
    /// The SDK's package version.
    pub sdk_version: String,
}

/// Describes the toolchain that cargo runs with here.
pub fn describe() -> Result<Toolchain> {
    let sysroot = sysroot()?;
    Ok(Toolchain { rustc: sysroot.join("bin/rustc"), toolchain: rustc(&["-V"])?, sdk_version: env!("CARGO_PKG_VERSION").to_owned() })
}

/// Whether the standard library for spells is installed.
pub fn has_spell_target() -> Result<bool> {
    let libraries = sysroot()?.join("lib/rustlib").join(SPELL_TARGET).join("lib");
    Ok(libraries
        .read_dir()
        .is_ok_and(|mut files| files.any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libstd-")))))
}

fn sysroot() -> Result<PathBuf> {
    Ok(rustc(&["--print", "sysroot"])?.into())
}

fn rustc(arguments: &[&str]) -> Result<String> {
    let program = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&program).args(arguments).current_dir(root()).output().with_context(|| format!("cannot run {program:?}"))?;
    ensure!(output.status.success(), "rustc {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
