//! `cargo xtask setup`: what building, playing and testing need and this machine may lack.

use crate::step::Steps;
use crate::toolchain::{SPELL_TARGET, has_spell_target};
use anyhow::{Result, bail};
use std::process::{Command, Stdio};

/// The oldest Node that the client is built with and the tests run in: Debian 12's.
const NODE_MIN: u32 = 18;

/// Checks, and installs what can be installed without asking.
pub fn run() -> Result<()> {
    check_websockets()?;
    check_godot()?;
    check_chromium()?;
    to_play()
}

/// The same, for who does not test.
pub fn to_play() -> Result<()> {
    let steps = Steps::new("setup");
    check_c_compiler()?;
    check_node()?;
    add_spell_target(&steps)?;
    steps.done("setup: all there");
    Ok(())
}

/// SQLite is compiled from its C source, so that no library of the machine's decides which one runs.
fn check_c_compiler() -> Result<()> {
    if runs("cc", &["--version"]) {
        return Ok(());
    }
    bail!("no C compiler: `cc` is needed once, to compile the bundled SQLite\n  on Debian or Ubuntu: sudo apt-get install build-essential")
}

/// The client is built by npm, and the tests compare the simulation with itself as WebAssembly, which Node runs.
fn check_node() -> Result<()> {
    if !runs("npm", &["--version"]) {
        bail!("no npm: it builds the game in the browser\n{GET_NODE}");
    }
    let output = Command::new("node").arg("--version").stdin(Stdio::null()).output();
    let version = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    match node_major(&version) {
        Some(major) if major >= NODE_MIN => Ok(()),
        Some(_) => bail!("`node` is {version}; the client and the tests need Node {NODE_MIN} or newer\n{GET_NODE}"),
        None => bail!("no Node: `node` builds the game in the browser, and runs the simulation as WebAssembly in the tests\n{GET_NODE}"),
    }
}

const GET_NODE: &str = "  on Debian or Ubuntu: sudo apt-get install nodejs npm
  elsewhere: https://nodejs.org";

/// The tests run the Python client. Debian's Python has the packages of apt, also where another one comes first in the path.
fn check_websockets() -> Result<()> {
    if ["python3", "/usr/bin/python3"].into_iter().any(|python| runs(python, &["-c", "import websockets"])) {
        return Ok(());
    }
    bail!(
        "no Python 3 with websockets: the tests run examples/client.py\n  on Debian or Ubuntu: sudo apt-get install python3-websockets\n  elsewhere: pip install websockets"
    )
}

/// The tests run the client for Godot. Whether it starts is all that counts: Godot 3.2 says its version and ends with 255.
fn check_godot() -> Result<()> {
    if Command::new("godot3-server").arg("--version").stdin(Stdio::null()).output().is_ok() {
        return Ok(());
    }
    bail!(
        "no `godot3-server`: the tests run examples/godot3\n  on Debian or Ubuntu: sudo apt-get install godot3-server\n  elsewhere: the headless build of Godot 3 under that name, https://godotengine.org"
    )
}

/// The tests play the game in a browser.
fn check_chromium() -> Result<()> {
    if runs(CHROMIUM, &["--version"]) {
        return Ok(());
    }
    bail!("no {CHROMIUM}: the tests play the game in it\n  on Debian or Ubuntu: sudo apt-get install chromium fonts-dejavu-core")
}

/// Debian's; client/tests starts the same.
const CHROMIUM: &str = "/usr/bin/chromium";

/// The first number of `v20.1.2`.
fn node_major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

fn add_spell_target(steps: &Steps) -> Result<()> {
    if has_spell_target()? {
        return Ok(());
    }
    if !runs("rustup", &["--version"]) {
        bail!("the Rust target {SPELL_TARGET} is missing and there is no rustup to add it\n{WITHOUT_RUSTUP}");
    }
    eprintln!("  the Rust target {SPELL_TARGET} is missing: adding it by `rustup target add {SPELL_TARGET}`");
    let added =
        steps.run("add the target for spells", Command::new("rustup").args(["target", "add", SPELL_TARGET]).current_dir(crate::root()));
    added.map_err(|error| error.context(format!("spells compile for {SPELL_TARGET}, and rustup could not add it\n{WITHOUT_RUSTUP}")))
}

/// What to do by hand. Debian's `rustc-web` is no way out: 1.85, as of Debian 12, is older than the `rust-version` of this workspace.
const WITHOUT_RUSTUP: &str = "  with rustup and a network:  rustup target add wasm32-unknown-unknown
  with a rustup mirror:       RUSTUP_DIST_SERVER=https://<mirror> rustup target add wasm32-unknown-unknown
  without either:             copy the folder lib/rustlib/wasm32-unknown-unknown of another machine's toolchain of the same version
                              into $(rustc --print sysroot)/lib/rustlib/";

fn runs(program: &str, arguments: &[&str]) -> bool {
    let status = Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
