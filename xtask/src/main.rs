//! `cargo xtask <task>`: everything one does with this project besides writing it.

mod client;
mod dist;
mod play;
mod setup;
mod step;
mod test;
mod toolchain;
mod wit;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's tasks", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Sets up and builds everything, starts a server, casts the first spell, and leaves the server running
    Play {
        /// Stop after the first cast
        #[arg(long)]
        once: bool,
    },
    /// Sets up and runs every check: format, lints, unit, scenario and end-to-end tests
    Test,
    /// Fills target/release with the server, the `spell` tool and the prebuilt SDK
    Dist,
    /// Installs what a build needs and this machine lacks
    Setup,
    /// Runs the benchmarks, or some areas of them
    Bench {
        /// All areas when left out; `--trial` tries those that take long
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Generates the SDK's bindings from wit/
    Wit {
        /// Only fail when the checked-in file is stale
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Play { once } => play::run(once),
        Task::Test => test::run(),
        Task::Dist => dist::run(),
        Task::Setup => setup::run(),
        Task::Bench { arguments } => bench(&arguments),
        Task::Wit { check } => wit::run(check),
    }
}

/// Benchmarks print as they go, so this one is no captured step; those from edit to live need the shipped binaries.
fn bench(arguments: &[String]) -> Result<()> {
    dist::run()?;
    let status = cargo(&["run", "--quiet", "--release", "-p", "bench", "--"]).args(arguments).status()?;
    anyhow::ensure!(status.success(), "the benchmarks ended with {status}");
    Ok(())
}

/// The workspace's folder.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask/ is a folder of the workspace")
}

/// Where the binaries are: the one place that `cargo xtask dist` fills.
fn release() -> PathBuf {
    root().join("target/release")
}

/// The cargo that runs us, in the workspace's folder.
fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}
