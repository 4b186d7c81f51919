//! The control plane and a running game server.
//!
//! The server opens `GET /internal/worlds/<world>/stream?after=<sequence>` with its secret as bearer token and keeps reading the body: frames of a u32 length (little-endian)
//! and a postcard [`Push`]. The first frames bring the state as it is, then each change is one frame, at once. A `Push::Alive` each second tells a dead line from a quiet one.
//! What the server has to say goes by `POST /internal/worlds/<world>/reports` as a JSON list of [`Report`].

use crate::{Channel, RevisionId, SpellId, limits::LINK_FRAME_BYTES_MAX};
use serde::{Deserialize, Serialize};

/// Control plane to game server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Push {
    /// From the next tick on, new casts of this spell run this revision.
    Activate(Activate),
    /// The state at connection time is complete: the server may open its door.
    Synced,
    /// Nothing happened for a second.
    Alive,
    /// Something to do, once.
    Order(Order),
}

/// Something that the control plane wants done; a [`Report::Done`] with its number says how that went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Unique among the orders of one control plane's life.
    pub number: u64,
    /// What.
    pub what: Errand,
}

/// What an order is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Errand {
    /// Save the world now, and copy its file to where nobody else writes.
    Copy {
        /// A path on the machine that both run on; nothing is there yet.
        to: String,
    },
    /// Take back what somebody did to the terrain.
    Revert {
        /// Who.
        whose: Whose,
        /// How far back.
        seconds: u32,
    },
}

/// Whose edits are taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Whose {
    /// One player's, by hand and by spell.
    Client(String),
    /// One spell's, whoever cast it.
    Spell {
        /// The spell.
        spell_id: SpellId,
        /// One revision of it; none for all.
        revision_id: Option<RevisionId>,
    },
}

/// What came of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The order's number.
    pub order: u64,
    /// Why it was not done; none when it was.
    pub error: Option<String>,
}

/// A revision that becomes a world's active one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activate {
    /// Rises with every change; pushes of one stream come in this order.
    pub sequence: u64,
    /// The spell.
    pub spell_id: SpellId,
    /// The channel that the world follows for this spell.
    pub channel: Channel,
    /// The revision.
    pub revision_id: RevisionId,
    /// The signed artifact, as the builder wrote it.
    pub artifact: Vec<u8>,
}

/// Game server to control plane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub enum Report {
    /// A cast was stopped by the server.
    Fault {
        /// The spell.
        spell_id: SpellId,
        /// The revision that ran.
        revision_id: RevisionId,
        /// The caster's entity id.
        caster: u64,
        /// The tick.
        tick: u64,
        /// The hook (`on-tick`...).
        hook: String,
        /// The limit or trap (`fuel`, `memory`, `unreachable`...).
        limit: String,
        /// In words, with figures.
        message: String,
    },
    /// A revision could not be loaded; the last good one stays active.
    Refused {
        /// The spell.
        spell_id: SpellId,
        /// The revision.
        revision_id: RevisionId,
        /// Why.
        message: String,
    },
    /// An order is done with.
    Done(Done),
    /// Players connected now.
    Players {
        /// How many.
        count: u32,
    },
}

/// What a game server is told on the first line of its standard input, as JSON. Secrets come this way, for a command line is public. End of input means: drain and stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    /// Bearer token for this world's stream and reports.
    pub server_secret: String,
    /// The Ed25519 public key (32 bytes, hex) that artifacts are signed with.
    pub artifact_key: String,
    /// Those that they were signed with before: what a world has kept still loads.
    #[serde(default)]
    pub older_artifact_keys: Vec<String>,
    /// The Ed25519 public key (32 bytes, hex) that join tickets are signed with.
    pub ticket_key: String,
}

/// A frame that is not one.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The stream ended or failed.
    #[error("link closed: {0}")]
    Io(#[from] std::io::Error),
    /// Longer than `LINK_FRAME_BYTES_MAX`.
    #[error("link frame of {0} bytes is over the limit of {LINK_FRAME_BYTES_MAX}")]
    Length(usize),
    /// Not a `Push`.
    #[error("link frame does not decode: {0}")]
    Decode(#[from] postcard::Error),
}

/// One frame's bytes, length included.
pub fn encode(push: &Push) -> Vec<u8> {
    let body = postcard::to_stdvec(push).expect("a push has no type that postcard refuses");
    let mut frame = Vec::with_capacity(4 + body.len());
    frame.extend_from_slice(&u32::try_from(body.len()).expect("artifacts are bounded far below 4 GiB").to_le_bytes());
    frame.extend_from_slice(&body);
    frame
}

/// Reads the next frame; blocks until it is whole.
pub fn read(stream: &mut impl std::io::Read) -> Result<Push, FrameError> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > LINK_FRAME_BYTES_MAX {
        return Err(FrameError::Length(length));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(postcard::from_bytes(&body)?)
}
