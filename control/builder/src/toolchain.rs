//! The folder that `cargo xtask dist` makes: the prebuilt SDK, and where the compiler is.
//!
//! ```text
//! <sdk>/toolchain.json       {"rustc": "/abs/path/bin/rustc", "toolchain": "rustc 1.95.0 (...)", "sdk_version": "0.1.0"}
//! <sdk>/lib/libspell_sdk.rlib
//! <sdk>/lib/lib*.rlib        its dependencies, under the names that cargo gave them
//! ```
//!
//! `rustc` is the real binary (`<rustc --print sysroot>/bin/rustc`, not rustup's proxy) of exactly the toolchain that built the rlibs.

use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// The command that makes or mends the folder.
pub const REMEDY: &str = "cargo xtask dist";

/// `toolchain.json`. Unknown keys are left alone, so that `dist` may note more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toolchain {
    /// The compiler's executable, absolute.
    pub rustc: PathBuf,
    /// `rustc -V`'s line.
    pub toolchain: String,
    /// The SDK's package version.
    pub sdk_version: String,
}

impl Toolchain {
    /// Reads `<sdk>/toolchain.json`. The error names the file and the command that makes it.
    pub fn read(sdk: &Path) -> io::Result<Self> {
        let path = sdk.join("toolchain.json");
        let explain = |error: &dyn std::fmt::Display| io::Error::other(format!("{}: {error}; run `{REMEDY}`", path.display()));
        let text = std::fs::read(&path).map_err(|error| explain(&error))?;
        serde_json::from_slice(&text).map_err(|error| explain(&error))
    }
}

/// The folder with the rlibs.
pub fn lib(sdk: &Path) -> PathBuf {
    sdk.join("lib")
}

/// The SDK itself.
pub fn sdk_rlib(sdk: &Path) -> PathBuf {
    lib(sdk).join("libspell_sdk.rlib")
}
