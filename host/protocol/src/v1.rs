//! `ugc.v1.json`: one JSON object a message, named by its integer `type`. Frozen: clients that we do not own speak it.
//!
//! Positions are metres, velocities m/s, angles radians (euler x, y, z), y is up. What [`ClientMessage::decode`] lets through is in range.
//!
//! ```
//! use protocol::v1::{ClientMessage, ServerMessage};
//! let message = ClientMessage::decode(r#"{"type": 5, "client_time": 12.5}"#).unwrap();
//! assert_eq!(message, ClientMessage::Ping { client_time: 12.5 });
//! let answer = ServerMessage::Pong { client_time: 12.5, server_time: 1.0, server_tick: 60 };
//! assert_eq!(answer.encode(), r#"{"type":108,"client_time":12.5,"server_time":1,"server_tick":60}"#);
//! ```

mod client;
mod server;

pub use client::{BadMessage, CastRequest, ChunkRequest, ClientMessage, Handshake, InputFrame, TerraformOp, TerraformRequest};
pub use server::{AffectedChunk, EntityState, ErrorCode, NpcEventType, PlayerState, ServerMessage, SnapshotHead};

/// The WebSocket subprotocol's name.
pub const SUBPROTOCOL: &str = "ugc.v1.json";
/// The only `protocol_version` of a handshake.
pub const PROTOCOL_VERSION: u32 = 1;
/// x, y, z.
pub type Vec3 = [f32; 3];
