//! `spell`: an author's command line. It builds with the server's own builder and tests in the server's own simulation.

mod build;
mod new;
mod project;
mod replay;
mod report;
mod sdk;
mod test;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "spell", version, about = "Write, build and test spells", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes a folder with a small, working spell in it
    New {
        /// The spell's id ([a-z][a-z0-9_]{1,63}), or a path that ends with it
        path: PathBuf,
    },
    /// Builds a spell as the server does, and shows what the compiler says
    Build {
        /// A spell's folder, or a single source file; component.wasm stands in the place of a source where another toolchain has built it
        #[arg(default_value = ".")]
        path: PathBuf,
        /// Also write component.wasm to this folder
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Builds spells and plays their scenarios/*.scenario; exit code 1 when one fails
    Test {
        /// Spells' folders
        #[arg(default_value = ".")]
        paths: Vec<PathBuf>,
    },
    /// Runs again what a server recorded, and says whether it comes out the same; exit code 1 when it does not
    Replay {
        /// A recording, as a game server leaves it beside its world's file when a spell faults
        file: PathBuf,
        /// Threads that it runs on; 0 is one for each core
        #[arg(long, default_value_t = 0)]
        threads: usize,
        /// Show the log lines of this spell alone
        #[arg(long)]
        spell: Option<String>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all went well. What did not has been printed by then; an error is something that kept us from trying.
fn run(command: Command) -> Result<bool> {
    match command {
        Command::New { path } => new::run(&path),
        Command::Build { path, out } => build::run(&path, out.as_deref()),
        Command::Test { paths } => test::run(&paths),
        Command::Replay { file, threads, spell } => replay::run(&file, threads, spell.as_deref()),
    }
}
