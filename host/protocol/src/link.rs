//! The control plane and a running game server.
//!
//! The server opens `GET /internal/worlds/<world>/stream?after=<sequence>` with its secret as bearer token and keeps reading the body: frames of a u32 length (little-endian)
//! and a postcard [`Push`]. The first frames bring what changed since that sequence number, or all; then each change comes at once: its lineups, and an `Apply`. A
//! `Push::Alive` each second tells a dead line from a quiet one. Lineups name artifacts by their hash; `GET /internal/worlds/<world>/artifacts/<hash>` brings the bytes.
//! What the server has to say goes by `POST /internal/worlds/<world>/reports` as a JSON list of [`Report`]. 204 says that they are taken; 413 and 422 that these never will be; after
//! all else they come again.

use crate::usage::FuelCounts;
use crate::{Channel, InFlightPolicy, RevisionId, Sha256Hex, SpellId, limits::LINK_FRAME_BYTES_MAX};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Control plane to game server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Push {
    /// What a spell runs from the next `Apply` or `Synced` on.
    Lineup(Lineup),
    /// The lineups since the last one are a change, to be made in one tick.
    Apply {
        /// The change's; the next connection asks for what came after it.
        sequence: u64,
    },
    /// As `Apply`; and with it the server knows what it needs to open its door.
    Synced {
        /// The newest change's.
        sequence: u64,
        /// Whether the lineups since the connection began are all that there are: a spell that has none is gone.
        complete: bool,
    },
    /// Nothing happened for a second.
    Alive,
    /// Something to do, once.
    Order(Order),
    /// Whether friends can hurt each other from the next tick on. A world that is told nothing stays as it is.
    FriendlyFire(bool),
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
    /// Close a player's session.
    Kick {
        /// The player's stable id.
        client: String,
    },
    /// Take back what somebody did to the terrain.
    Revert {
        /// Who.
        whose: Whose,
        /// How far back.
        seconds: u32,
    },
    /// Save the world now; it is done when the save is on the disk.
    Save,
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

/// What a world runs of one spell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineup {
    /// The spell.
    pub spell_id: SpellId,
    /// The channel that the world follows for it.
    pub channel: Channel,
    /// What everybody runs; none where the world has nothing to run.
    pub active: Option<Slot>,
    /// What should be active cannot be had now: the world stays with what it runs, unless that is barred.
    pub stays: bool,
    /// What some casts run instead.
    pub trial: Option<Trial>,
    /// By player: what it alone runs.
    pub drafts: BTreeMap<String, Slot>,
    /// Revisions that are in quarantine on this world, as the control plane knows.
    pub quarantined: BTreeSet<RevisionId>,
    /// Whose casts end at once.
    pub barred: Barred,
}

/// A revision in a lineup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Which.
    pub revision_id: RevisionId,
    /// Of its signed artifact, as the builder wrote it.
    pub artifact: Sha256Hex,
    /// What its manifest says of casts that run when it takes over.
    pub in_flight: InFlightPolicy,
}

/// A revision on trial, for a share of the casts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Names the rollout that it belongs to.
    pub rollout: u64,
    /// The revision.
    pub slot: Slot,
    /// Hundredths of a percent.
    pub share: u16,
    /// Who draws.
    pub by: TrialBy,
}

/// Who draws whether a revision on trial is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrialBy {
    /// Each cast.
    Cast,
    /// Each player, once.
    Player,
}

/// Revisions that must not be called again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Barred {
    /// These.
    Those(BTreeSet<RevisionId>),
    /// All of the spell's.
    All,
}

/// How the casts of a revision went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Casts that began.
    pub casts: u64,
    /// Those that were stopped.
    pub faults: u64,
    /// Mana that their calls took, beside what they cost at first.
    pub mana: f64,
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
        /// The cast, as long as its world lives.
        #[serde(default)]
        cast: u64,
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
    /// A cast was to go on with another revision, and goes on as it was.
    NotMigrated {
        /// The spell.
        spell_id: SpellId,
        /// The revision that it runs.
        revision_id: RevisionId,
        /// The one that did not take it.
        to: RevisionId,
        /// The cast, as long as its world lives.
        #[serde(default)]
        cast: u64,
        /// The caster's entity id.
        caster: u64,
        /// The tick.
        tick: u64,
        /// The limit or trap.
        limit: String,
        /// In words.
        message: String,
    },
    /// A line that a spell wrote for its author.
    Line {
        /// The spell.
        spell_id: SpellId,
        /// The revision.
        revision_id: RevisionId,
        /// The cast, as long as its world lives.
        #[serde(default)]
        cast: u64,
        /// The caster's entity id.
        caster: u64,
        /// The tick.
        tick: u64,
        /// `debug`, `info`, `warn`, `error`.
        level: String,
        /// What.
        text: String,
    },
    /// Too many of its casts were stopped: this world does not run it any more.
    Quarantined {
        /// The spell.
        spell_id: SpellId,
        /// The revision.
        revision_id: RevisionId,
        /// Why, and what is active now.
        message: String,
    },
    /// How a trial goes on this world.
    Trial {
        /// Its rollout.
        rollout: u64,
        /// Names this life of the server: the tallies begin with it, or with the trial.
        life: u64,
        /// Of the revision on trial.
        trial: Tally,
        /// Of the active one meanwhile.
        active: Tally,
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
    /// What casts came to since the report before, and which are live. The counts are for one number of one life: the same one again counts once.
    Usage(Usage),
    /// An order is done with.
    Done(Done),
    /// How the server does, each second.
    Health(Health),
    /// Players connected now.
    Players {
        /// Their stable ids.
        clients: BTreeSet<String>,
    },
}

/// What a world's casts came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Names this life of the server.
    pub life: u64,
    /// Rises with each report of a life.
    pub number: u64,
    /// Revisions of which casts have begun or ended; `USAGE_COUNTED_MAX` at most.
    pub counted: Vec<Counted>,
    /// All revisions of which casts are live; `USAGE_LIVE_MAX` at most.
    pub live: Vec<Live>,
}

/// What the casts of one revision came to, since the report before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// The spell.
    pub spell_id: SpellId,
    /// The revision.
    pub revision_id: RevisionId,
    /// Casts that have ended.
    pub casts: u64,
    /// Those of them that were stopped.
    pub faults: u64,
    /// All of them, by the fuel of their calls; host work is included.
    pub fuel: FuelCounts,
    /// Stable ids of the players who have begun one.
    pub players: BTreeSet<String>,
}

/// Live casts of one revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// The spell.
    pub spell_id: SpellId,
    /// The revision.
    pub revision_id: RevisionId,
    /// How many.
    pub casts: u32,
}

/// How a game server does. Counts without a time are of the last second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Ticks that the world has seen.
    pub tick: u64,
    /// The median of a tick's time, microseconds.
    pub tick_p50_us: u32,
    /// Of a hundred ticks one takes longer.
    pub tick_p99_us: u32,
    /// The longest.
    pub tick_max_us: u32,
    /// Ticks that began late, since the server's start.
    pub late_ticks: u64,
    /// Ticks that were given up, since the server's start.
    pub skipped_ticks: u64,
    /// Clients that are connected.
    pub players: u32,
    /// Entities in the world.
    pub entities: u32,
    /// Live casts.
    pub casts: u32,
    /// Casts that began.
    pub casts_begun: u32,
    /// Casts that were stopped.
    pub faults: u32,
    /// Fuel that spells spent.
    pub fuel: u64,
    /// Bytes of snapshots that were handed to clients' connections.
    pub snapshot_bytes: u64,
}

/// What a game server is told on the first line of its standard input, as JSON. Secrets come this way, for a command line is public.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    /// Names this life of the server: tickets are for it alone.
    pub server_id: String,
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
