//! The world file: one SQLite file a world, read and written by whoever holds that world.
//!
//! A save is one transaction and one tick: whoever reads the file finds the world as it stood after some tick, whole, or is told that the file is damaged.
//! Whoever opens a file to write it takes the next `save_epoch`; from then on, whoever held it before is refused.

mod contents;
mod damage;
pub mod exchange;
mod file;
mod format;
pub mod limits;
mod pack;

pub use contents::{Artifact, Contents};
pub use damage::{Previous, restore_previous};
pub use file::{WorldFile, recordings_folder};
pub use pack::{pack, unpack};
// What whoever asks for a world must name, so that it need not know the simulation.
pub use sim::Generation;

use std::path::PathBuf;

/// Why a world file is not read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It holds no world, or not the one that it says: nothing of it is used.
    #[error("world file {} is damaged: {what}{}", path.display(), damage::advice(previous.as_ref()))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: String,
        /// The generation before, if it is whole.
        previous: Option<Previous>,
    },
    /// It was written by a newer program.
    #[error("world file {} has format {found}, and this program reads formats up to {known}: start a newer one", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// It is another world's.
    #[error("world file {} is of {found}, not of {expected}", path.display())]
    OtherWorld {
        /// The file.
        path: PathBuf,
        /// The world in it.
        found: String,
        /// The world that was asked for.
        expected: String,
    },
    /// Somebody else has opened the file to write it since.
    #[error("world file {} was taken over by another server: it is at save epoch {theirs}, this one is at {ours}", path.display())]
    Fenced {
        /// The file.
        path: PathBuf,
        /// Whoever writes it now.
        theirs: i64,
        /// What we hold.
        ours: i64,
    },
    /// The disk is full or broken, or the file may not be read or written.
    #[error("world file {} cannot be used: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system or SQLite says.
        error: String,
    },
    /// Something that is to become a world, and cannot.
    #[error("not a world: {0}")]
    Import(String),
    /// Bytes that are no export of a world.
    #[error("not an export of a world: {0}")]
    Pack(String),
}

impl StoreError {
    /// Whether there was no room on the disk, by what SQLite or the system says of it.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Io { error, .. } if ["disk is full", "No space left"].iter().any(|words| error.contains(words)))
    }
}
