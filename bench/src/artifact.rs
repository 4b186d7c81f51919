//! Builds a spell's source by the real builder, for what is measured in this process.

use anyhow::{Context, Result, anyhow};
use protocol::package::{PackagePath, SOURCE_ROOT};
use protocol::worker::{ARTIFACT_FILE, Event, Input, Order, Sandbox};
use spell_runtime::Boundary;
use spell_runtime::artifact::{self, PublicKey};
use spell_runtime::compile::{self, Compiled};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A key for this run; nothing else trusts it.
const SIGNING_SEED: [u8; 32] = [7; 32];

/// What `cargo xtask dist` has filled.
pub fn dist() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release")
}

/// The signed artifact of this source.
pub fn build(source: &str) -> Result<Vec<u8>> {
    let scratch = tempfile::tempdir()?;
    let order = Order {
        input: Input::Source { files: [(PackagePath::new(SOURCE_ROOT)?, source.to_owned())].into() },
        scratch: scratch.path().join("build"),
        sdk: dist().join("sdk"),
        signing_seed: SIGNING_SEED.iter().map(|byte| format!("{byte:02x}")).collect(),
        sandbox: Sandbox::Whole,
    };
    let builder = dist().join("ugc-builder");
    let mut child = Command::new(&builder)
        .arg("build")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{} does not start: run `cargo xtask dist`", builder.display()))?;
    // It stays, and with it what it has made, until its input ends.
    let mut input = child.stdin.take().expect("piped");
    serde_json::to_writer(&input, &order)?;
    input.write_all(b"\n")?;
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let events = lines.map(|line| Ok(serde_json::from_str(&line?)?));
    let last = events.take_while(Result::is_ok).find(|event: &Result<Event>| !matches!(event, Ok(Event::Stage { .. })));
    let artifact = match last {
        Some(Ok(Event::Finished(_))) => std::fs::read(order.scratch.join(ARTIFACT_FILE)).context("the builder left no artifact"),
        Some(Ok(Event::Failed { message, diagnostics })) => Err(anyhow!("the spell does not build: {message}: {diagnostics:#?}")),
        _ => Err(anyhow!("the builder ended without a verdict")),
    };
    drop(input);
    child.wait()?;
    artifact
}

/// The signed artifact of this component, compiled in this process for one of the boundaries: of text of ours, or of what the builder has inspected.
pub fn compile(component: &[u8], boundary: Boundary) -> Result<Vec<u8>> {
    let Compiled { engine_id, code } = compile::compile(component, boundary)?;
    Ok(artifact::sign(component, &engine_id, &code, &SIGNING_SEED))
}

/// The component in an artifact of ours.
pub fn component(artifact: &[u8]) -> Result<&[u8]> {
    Ok(artifact::verify(artifact, &public_key())?.component)
}

/// Checks what [`build`] signs.
pub fn public_key() -> PublicKey {
    PublicKey::of_seed(&SIGNING_SEED)
}
