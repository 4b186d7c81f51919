//! `spell build`: source to component, through the same launcher as the server's builds; a component of another toolchain goes the same way from inspection on.

use crate::project::Project;
use crate::{report, sdk};
use anyhow::{Context, Result};
use protocol::Sha256Hex;
use protocol::job::Stage;
use protocol::worker::{ARTIFACT_FILE, COMPONENT_FILE, Event, Finished, Input, Order, Sandbox};
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
    /// What the builder says of it.
    pub finished: Finished,
    /// All of it.
    pub took: Duration,
}

/// Builds and prints what came of it; answers whether it could be built.
pub fn run(path: &Path, out: Option<&Path>) -> Result<bool> {
    let project = Project::open(path)?;
    match &project.component {
        None => {
            println!("{} ({} bytes in {} files)", project.name, project.files.values().map(String::len).sum::<usize>(), project.files.len())
        }
        Some(_) => println!("{} (built elsewhere)", project.name),
    }
    let Some(built) = build(&project)? else { return Ok(false) };
    for (stage, ms) in &built.finished.stage_ms {
        println!("  {:<14} {ms:>8.1} ms", in_words(*stage));
    }
    println!("  component      {:>8.1} kB   sha256 {}", kilobytes(&built.component), Sha256Hex::of(&built.component));
    println!("  native code    {:>8.1} kB", kilobytes(&built.artifact) - kilobytes(&built.component));
    println!("  all            {:>8.1} ms", built.took.as_secs_f64() * 1000.0);
    println!("  a cast         {:>8.1} mana", built.finished.cost.cast_mana);
    if let Some(measured) = &built.finished.measured {
        println!(
            "  in small worlds{:>8.1} mana at most ({}), dearest call {} fuel",
            measured.cast_mana_max, measured.worst_situation, measured.call_fuel_max
        );
    }
    if built.finished.needs_wasi {
        println!("  needs wasi: it runs in worlds that admit components of other toolchains");
    }
    if let Some(out) = out {
        fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
        fs::write(out.join(COMPONENT_FILE), &built.component).with_context(|| format!("cannot write to {}", out.display()))?;
    }
    Ok(true)
}

/// Builds; prints findings; `None` when the spell is at fault.
pub fn build(project: &Project) -> Result<Option<Built>> {
    let sdk = sdk::find()?;
    let scratch = tempfile::tempdir()?;
    let files = project.files.clone();
    let order = Order {
        input: match &project.component {
            None => Input::Source { files },
            Some(component) => Input::Component { hex: hex::encode(component), files, ours: false, has_been_cast: false },
        },
        scratch: scratch.path().to_path_buf(),
        sdk: sdk.folder,
        signing_seed: hex::encode(SIGNING_SEED),
        // Authors build their own source.
        sandbox: Sandbox::AsThereIs,
    };
    let started = Instant::now();
    let mut last = None;
    builder::build(&order, &sdk.builder, &mut |event| last = Some(event.clone())).context("the builder cannot run")?;
    let took = started.elapsed();
    match last {
        Some(Event::Finished(finished)) => {
            report::print(&finished.diagnostics, &project.files);
            let read = |file| fs::read(order.scratch.join(file)).with_context(|| format!("the builder left no {file}"));
            Ok(Some(Built { component: read(COMPONENT_FILE)?, artifact: read(ARTIFACT_FILE)?, finished: *finished, took }))
        }
        Some(Event::Failed { message, diagnostics }) => {
            report::print(&diagnostics, &project.files);
            println!("{}: {message}", project.name);
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
