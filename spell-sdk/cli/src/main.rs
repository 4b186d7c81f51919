//! `spell`: an author's command line. It builds with the server's own builder, tests in the server's own simulation, and changes spells in worlds that run.

mod build;
mod dev;
mod ending;
mod entry;
mod events;
mod limits;
mod login;
mod logs;
mod new;
mod package;
mod plain;
mod project;
mod publish;
mod replay;
mod report;
mod revisions;
mod rollback;
mod sdk;
mod server;
mod server_build;
mod target;
mod test;
mod watch;

use anyhow::Result;
use clap::{Parser, Subcommand};
use protocol::{Channel, RevisionId};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "spell", version, about = "Write, build, test and publish spells", disable_help_subcommand = true)]
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
    /// Logs in at a server, and remembers it for the commands below; a later login there is the same player
    Login {
        /// The server's address
        #[arg(long, default_value = "http://127.0.0.1:5000")]
        server: String,
        /// The handle of a new player
        #[arg(long)]
        name: Option<String>,
    },
    /// Builds every save on the server, makes it live for you alone, and shows the spell's log
    Dev {
        /// A spell's folder, or a single source file
        #[arg(default_value = ".")]
        path: PathBuf,
        /// The spell's id, where that is not its folder's name
        #[arg(long)]
        spell: Option<String>,
        /// Leave the draft live at the end
        #[arg(long)]
        keep: bool,
        /// End when the standard input does, for programs that start this one
        #[arg(long)]
        until_stdin_ends: bool,
    },
    /// Builds on the server and publishes, for everybody or for a share of the casts first
    Publish {
        /// A spell's folder, or a single source file
        #[arg(default_value = ".")]
        path: PathBuf,
        /// The spell's id, where that is not its folder's name
        #[arg(long)]
        spell: Option<String>,
        /// beta or stable
        #[arg(long, default_value = "beta", value_parser = public_channel)]
        channel: Channel,
        /// PERCENT[,by=cast|player|world][,min_casts=50][,max_fault_rate=0.05][,max_upkeep_ratio=3][,bake_seconds=300]: a trial first
        #[arg(long)]
        rollout: Option<String>,
        /// Publish this revision, which was built before
        #[arg(long)]
        revision: Option<RevisionId>,
    },
    /// Points a channel back at an earlier revision, or ends the trial that runs there
    Rollback {
        /// A spell's id, or its folder
        #[arg(default_value = ".")]
        spell: String,
        /// beta or stable
        #[arg(long, default_value = "stable", value_parser = public_channel)]
        channel: Channel,
        /// The revision; left out, the newest good one from before
        #[arg(long)]
        to: Option<RevisionId>,
    },
    /// Shows a spell's revisions, where they are live, and how the last trial went
    Revisions {
        /// A spell's id, or its folder
        #[arg(default_value = ".")]
        spell: String,
    },
    /// Shows what game servers report about a spell, its log lines and its faults
    Logs {
        /// A spell's id, or its folder
        #[arg(default_value = ".")]
        spell: String,
        /// Go on with what comes
        #[arg(short, long)]
        follow: bool,
    },
}

/// A channel that others follow: what is a draft is live by `spell dev`.
fn public_channel(text: &str) -> Result<Channel, String> {
    match text.parse() {
        Ok(channel @ (Channel::Beta | Channel::Stable)) => Ok(channel),
        _ => Err("it must be beta or stable".into()),
    }
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
        Command::Login { server, name } => login::run(&server, name.as_deref()),
        Command::Dev { path, spell, keep, until_stdin_ends } => {
            dev::run(&dev::Options { path: &path, spell: spell.as_deref(), keep, until_stdin_ends })
        }
        Command::Publish { path, spell, channel, rollout, revision } => {
            publish::run(publish::Options { path: &path, spell: spell.as_deref(), channel, rollout: rollout.as_deref(), revision })
        }
        Command::Rollback { spell, channel, to } => rollback::run(&spell, channel, to.as_ref()),
        Command::Revisions { spell } => revisions::run(&spell),
        Command::Logs { spell, follow } => logs::run(&spell, follow),
    }
}
