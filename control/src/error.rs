//! Everything that can go wrong in the control plane, one variant per thing a caller does differently.

use protocol::{Channel, RevisionId, Sha256Hex, SpellId};
use std::io::ErrorKind;
use std::path::PathBuf;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error("database: {0}")]
    Database(#[from] rusqlite::Error),
    /// The database was written by a newer program, which may have put things into it that this one would spoil.
    #[error(
        "the database has version {found}, and this ugc-control knows versions up to {known}: start the newer one that wrote it, or one from before with a backup from before"
    )]
    NewerDatabase {
        /// Its version.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// A row of the database does not read as what it must be.
    #[error("database: {0}")]
    Row(#[from] serde_json::Error),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A blob's bytes are not those of its name.
    #[error("blob {0} is damaged: its bytes have another hash")]
    BlobDamaged(Sha256Hex),
    /// A background task ended without an answer.
    #[error("a background task ended without an answer")]
    Lost,
    /// No such spell, revision, world, job or server.
    #[error("unknown {what}: {name}")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// The spell belongs to somebody else.
    #[error("{0} belongs to another player")]
    Foreign(SpellId),
    /// An operator keeps the player out.
    #[error("kept out until {until}: {reason}")]
    Banned {
        /// ISO 8601.
        until: String,
        /// Why.
        reason: String,
    },
    /// The revision was taken out of use.
    #[error("{revision_id} is revoked: {reason}")]
    Revoked {
        /// Which.
        revision_id: RevisionId,
        /// Why.
        reason: String,
    },
    /// The same, to whoever wants to read it.
    #[error("{revision_id} is revoked: {reason}")]
    Gone {
        /// Which.
        revision_id: RevisionId,
        /// Why.
        reason: String,
    },
    /// An archive could not be written.
    #[error("archive: {0}")]
    Archive(String),
    /// Something else was published to the channel meanwhile.
    #[error("{channel} points at {} by now", .active.as_ref().map_or("nothing", |active| active.as_str()))]
    ChannelMoved {
        /// The channel.
        channel: Channel,
        /// What it points at.
        active: Option<RevisionId>,
    },
    /// There is no earlier revision to go back to.
    #[error("{channel} pointed at nothing good before {active}: publish a revision, or revoke this one")]
    NothingBefore {
        /// The channel.
        channel: Channel,
        /// What it points at.
        active: RevisionId,
    },
    /// There is nothing beside which a revision could be tried.
    #[error("{channel} points at {}: a rollout needs another revision that is active there", .active.as_ref().map_or("nothing", |active| active.as_str()))]
    NothingToTry {
        /// The channel.
        channel: Channel,
        /// What it points at.
        active: Option<RevisionId>,
    },
    /// The operator has revoked it, and only the operator lifts that.
    #[error("{0} was revoked by the operator, who alone can lift that")]
    OperatorsWord(RevisionId),
    /// There are as many as are allowed.
    #[error("{max} {what} are the limit")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: u32,
    },
    /// The build queue is full, for this player or for all.
    #[error("{waiting} builds are waiting, and {max} are the limit {whose}")]
    QueueFull {
        /// How many wait.
        waiting: usize,
        /// The limit.
        max: usize,
        /// `of one player` or `in all`.
        whose: &'static str,
    },
    /// A component has no native code for an engine.
    #[error("{component} has no native code for the engine {engine}: {reason}")]
    NoNative {
        /// Which.
        component: Sha256Hex,
        /// Whose.
        engine: String,
        /// Why it could not be made.
        reason: String,
    },
    /// The disk has too little room.
    #[error("the server's disk is nearly full: nothing is built until there is room")]
    DiskFull,
    /// A stopped world's file was to be changed, and a game server runs on it.
    #[error(
        "{world} is run by the game server with process id {process}, which a killed control plane has left: what is put in its place would be lost. Start ugc-control \
         and send DELETE /admin/servers/{world}, or end it with `kill {process}`, which has it save first; then try again"
    )]
    WorldRuns {
        /// The world.
        world: String,
        /// Its server.
        process: i32,
    },
    /// A world's file, or what should become one.
    #[error(transparent)]
    World(#[from] ::store::StoreError),
    /// No game server could be had.
    #[error("no game server for {world}: {reason}")]
    NoServer {
        /// The world.
        world: String,
        /// Why.
        reason: String,
    },
}

impl Error {
    /// An unknown thing, its name cut to what is safe to print.
    pub fn unknown(what: &'static str, name: &str) -> Self {
        Self::Unknown { what, name: name.chars().take(80).collect() }
    }
    /// Whether there was no room on the disk.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Database(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull),
            Self::File { source, .. } => matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded),
            Self::World(error) => error.is_disk_full(),
            Self::DiskFull => true,
            _ => false,
        }
    }
    /// A file's failure.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        |source| Self::File { path, source }
    }
}
