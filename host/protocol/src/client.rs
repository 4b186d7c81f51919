//! What clients say, in range, whatever the encoding: [`crate::v1`] and [`crate::v2`] decode to this, or refuse with the field's name.

use crate::limits::CHAT_BYTES_MAX;
use crate::{RevisionId, SpellId, Vec3};

/// One message of a client, in range.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientMessage {
    /// 1: the first message of a connection.
    Handshake(Handshake),
    /// 2: the controls, 60 times a second; oldest first. Frames that came before may come again, so that a lost message loses nothing.
    Inputs(Vec<InputFrame>),
    /// 3: a wish to change the terrain.
    Terraform(TerraformRequest),
    /// 4: a wish to see a chunk.
    Chunk(ChunkRequest),
    /// 5: answered with `Pong`.
    Ping {
        /// The client's clock, in its own unit; comes back as it is.
        client_time: f64,
    },
    /// 6: the client leaves.
    Disconnect,
    /// 7: a wish to cast.
    Cast(CastRequest),
    /// 8: something to say to all who are in the world. See [`plain`].
    Chat(String),
    /// v2 only: the server may send so many more chunks unasked. 1 to `CHUNK_CREDITS_MAX`; no more than that are kept, however often it is said.
    ChunkCredits(u32),
}

/// Who connects.
#[derive(Debug, Clone, PartialEq)]
pub struct Handshake {
    /// Must be the subprotocol's; whoever answers says so, for a client of another version should read it.
    pub protocol_version: u32,
    /// The join ticket that `/join` answered with. 1 to `SESSION_TOKEN_BYTES_MAX` bytes.
    pub session_token: String,
    /// The player's stable id. At most `CLIENT_ID_BYTES_MAX` bytes.
    pub client_id: String,
    /// The client's clock, in its own unit.
    pub timestamp: f64,
}

/// A player's controls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InputFrame {
    /// The client's own tick.
    pub client_tick: u64,
    /// The newest server tick that the client has seen.
    pub server_tick_ack: u64,
    /// The client's number for this input; comes back in `player_state.seq` once simulated.
    pub sequence_id: u32,
    /// Each axis -1 to 1, local to the aim.
    pub movement: Vec3,
    /// A unit vector.
    pub aim_direction: Vec3,
    /// Runs.
    pub sprint: bool,
    /// Shoots.
    pub fire: bool,
    /// Uses what it looks at.
    pub interact: bool,
    /// Jumps.
    pub jump: bool,
}

/// What to do to the terrain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum TerraformOp {
    /// Fill a sphere.
    Add = 1,
    /// Empty a sphere.
    Subtract = 2,
    /// Change what is solid.
    Paint = 3,
}

/// A wish to change the terrain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TerraformRequest {
    /// What.
    pub op: TerraformOp,
    /// Where.
    pub center: Vec3,
    /// Metres; above 0, at most `TERRAFORM_RADIUS_MAX_M`.
    pub radius: f32,
    /// 0 to 255.
    pub material_id: u8,
    /// Comes back with the answer.
    pub client_sequence_id: u32,
}

/// A wish to see a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkRequest {
    /// Chunk coordinates, each at most `CHUNK_COORDINATE_MAX` in magnitude.
    pub chunk_id: [i32; 3],
    /// The version that the client has; 0 for none.
    pub last_known_version: u64,
}

/// A wish to cast.
#[derive(Debug, Clone, PartialEq)]
pub struct CastRequest {
    /// What.
    pub spell_id: SpellId,
    /// `None`: the active one.
    pub revision_id: Option<RevisionId>,
    /// Where.
    pub target_position: Vec3,
    /// At whom; 0 for nobody.
    pub target_entity_id: u64,
    /// A JSON object as compact text with sorted keys, at most `CAST_PARAMS_BYTES_MAX` bytes.
    pub extra_params: String,
}

/// A line of chat: 1 to `CHAT_BYTES_MAX` bytes, not only spaces, and nothing that breaks a line, moves a cursor or turns the reading direction.
///
/// # Errors
/// It is something else.
pub fn plain(text: &str) -> Result<String, BadMessage> {
    let hidden = |c: char| c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if text.len() > CHAT_BYTES_MAX || text.trim().is_empty() || text.contains(hidden) {
        return Err(BadMessage(format!("field text must be a line of 1 to {CHAT_BYTES_MAX} bytes, and not only spaces")));
    }
    Ok(text.to_owned())
}

/// Why a message was dropped. Safe to send back: it quotes nothing of the message but names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadMessage(pub String);
