//! `ugc-control world ...`: what an operator does with a stopped world's file.

use crate::{error::Error, fleet, ids::WorldId};
use ::store::{Contents, WorldFile};
use clap::Subcommand;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What to do with a world's file. The control plane that uses the data directory must be stopped, and where the file is changed, so must the world's server.
#[derive(Debug, Subcommand)]
pub enum WorldCommand {
    /// Reads the whole file and says what it holds, or what is wrong with it
    Verify {
        /// The world's id
        world: WorldId,
    },
    /// Puts the previous generation in the place of a damaged file, which is kept beside it
    Restore {
        /// The world's id
        world: WorldId,
    },
    /// Writes the world as one file, which an import takes
    Export {
        /// The world's id
        world: WorldId,
        /// Where to
        file: PathBuf,
    },
    /// Replaces the world's contents by an export
    Import {
        /// The world's id
        world: WorldId,
        /// Where from
        file: PathBuf,
    },
}

impl WorldCommand {
    /// Does it, and answers what to print.
    pub fn run(&self, data_dir: &Path) -> Result<String, Error> {
        let worlds = data_dir.join("worlds");
        // As game servers were told it.
        let worlds = worlds.canonicalize().unwrap_or(worlds);
        match self {
            Self::Verify { world } => {
                let contents = read(&worlds, world)?;
                ::store::exchange::verify(&contents.stored)?;
                Ok(format!("{world} is whole: {}", describe(&contents)))
            }
            Self::Restore { world } => {
                refuse_running(&worlds, world)?;
                let previous = ::store::restore_previous(&fleet::world_file(&worlds, world))?;
                Ok(format!("{world} goes on from tick {}; the damaged file is kept beside it", previous.tick))
            }
            Self::Export { world, file } => {
                let contents = read(&worlds, world)?;
                fs::write(file, ::store::pack(&contents)).map_err(Error::file(file))?;
                Ok(format!("{world} is in {}: {}", file.display(), describe(&contents)))
            }
            Self::Import { world, file } => {
                refuse_running(&worlds, world)?;
                let contents = ::store::unpack(&fs::read(file).map_err(Error::file(file))?)?;
                ::store::exchange::verify(&contents.stored)?;
                let contents = Contents { world_id: world.to_string(), ..contents };
                WorldFile::replace(&fleet::world_file(&worlds, world), &contents)?;
                Ok(format!("{world} holds what was in {}: {}", file.display(), describe(&contents)))
            }
        }
    }
}

/// Servers outlive a control plane that was killed, and save over what is put in their file's place, or lose it.
fn refuse_running(worlds: &Path, world: &WorldId) -> Result<(), Error> {
    match fleet::process_of(worlds, world) {
        Some(process) => Err(Error::WorldRuns { world: world.to_string(), process }),
        None => Ok(()),
    }
}

fn read(worlds: &Path, world: &WorldId) -> Result<Contents, Error> {
    WorldFile::read(&fleet::world_file(worlds, world))?.ok_or_else(|| Error::unknown("saved world", world.as_str()))
}

fn describe(contents: &Contents) -> String {
    let Contents { stored, artifacts, saved_at_ms, .. } = contents;
    let (tick, chunks, entities) = (stored.saved.tick(), stored.chunks.len(), stored.saved.entities().len());
    let saved_at = crate::clock::iso8601(*saved_at_ms);
    format!(
        "tick {tick}, saved at {saved_at}, {chunks} chunks, {entities} entities, {} edits to undo, {} revisions",
        stored.journal.len(),
        artifacts.len()
    )
}
