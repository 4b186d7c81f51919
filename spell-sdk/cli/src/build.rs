//! `spell build`: source to component, through the same launcher as the server's builds; a component of another toolchain is inspected and compiled.

use crate::project::{Code, Project};
use crate::{report, sdk};
use anyhow::{Context, Result};
use builder::native::Boundary;
use protocol::Sha256Hex;
use protocol::job::Stage;
use protocol::worker::{ARTIFACT_FILE, COMPONENT_FILE, Event, Order, Sandbox};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Signs what this very process loads a moment later. It protects nothing, and no server accepts it: each has a key of its own.
pub const SIGNING_SEED: [u8; 32] = *b"a seed for the author's own runs";

/// What a build made.
pub struct Built {
    /// The component: what is published.
    pub component: Vec<u8>,
    /// Component and native code, signed.
    pub artifact: Vec<u8>,
    /// Milliseconds of each stage, in order.
    pub stage_ms: Vec<(Stage, f64)>,
    /// All of it.
    pub took: Duration,
}

/// Builds and prints what came of it; answers whether it could be built.
pub fn run(path: &Path, out: Option<&Path>) -> Result<bool> {
    let project = Project::open(path)?;
    match &project.code {
        Code::Source(source) => println!("{} ({} bytes of source)", project.name, source.len()),
        Code::Component(_) => println!("{} (built elsewhere)", project.name),
    }
    let Some(built) = build(&project)? else { return Ok(false) };
    for (stage, ms) in &built.stage_ms {
        println!("  {:<14} {ms:>8.1} ms", in_words(*stage));
    }
    println!("  component      {:>8.1} kB   sha256 {}", kilobytes(&built.component), Sha256Hex::of(&built.component));
    println!("  native code    {:>8.1} kB", kilobytes(&built.artifact) - kilobytes(&built.component));
    println!("  all            {:>8.1} ms", built.took.as_secs_f64() * 1000.0);
    if builder::native::needs_wasi(&built.component) {
        println!("  needs wasi: it runs in worlds that admit components of other toolchains");
    }
    if let Some(out) = out {
        fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
        fs::write(out.join(COMPONENT_FILE), &built.component).with_context(|| format!("cannot write to {}", out.display()))?;
    }
    Ok(true)
}

/// Builds; prints findings; `None` when the source is at fault.
pub fn build(project: &Project) -> Result<Option<Built>> {
    match &project.code {
        Code::Source(source) => build_source(&project.name, source),
        Code::Component(component) => Ok(take_component(&project.name, component)),
    }
}

fn take_component(name: &str, component: &[u8]) -> Option<Built> {
    let started = Instant::now();
    match builder::native::artifact(component, Boundary::Component, &SIGNING_SEED) {
        Ok(artifact) => Some(Built { component: component.to_vec(), artifact, stage_ms: Vec::new(), took: started.elapsed() }),
        Err(refused) => {
            for finding in &refused.findings {
                println!("{name}: {}: {}", finding.code, finding.message);
            }
            None
        }
    }
}

fn build_source(name: &str, source: &str) -> Result<Option<Built>> {
    let sdk = sdk::find()?;
    let scratch = tempfile::tempdir()?;
    let order = Order {
        source: source.to_owned(),
        scratch: scratch.path().to_path_buf(),
        sdk: sdk.folder,
        signing_seed: SIGNING_SEED.iter().map(|byte| format!("{byte:02x}")).collect(),
        // Authors build their own source.
        sandbox: Sandbox::AsThereIs,
    };
    let started = Instant::now();
    let mut last = None;
    builder::build(&order, &sdk.builder, &mut |event| last = Some(event.clone())).context("the builder cannot run")?;
    let took = started.elapsed();
    match last {
        Some(Event::Finished(finished)) => {
            report::print(&finished.diagnostics, source);
            let read = |file| fs::read(order.scratch.join(file)).with_context(|| format!("the builder left no {file}"));
            Ok(Some(Built { component: read(COMPONENT_FILE)?, artifact: read(ARTIFACT_FILE)?, stage_ms: finished.stage_ms, took }))
        }
        Some(Event::Failed { message, diagnostics }) => {
            report::print(&diagnostics, source);
            println!("{name}: {message}");
            Ok(None)
        }
        _ => anyhow::bail!("the builder ended without a word"),
    }
}

fn in_words(stage: Stage) -> String {
    format!("{stage:?}").to_lowercase()
}

fn kilobytes(bytes: &[u8]) -> f64 {
    bytes.len() as f64 / 1000.0
}
