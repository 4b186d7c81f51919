//! `ugc.v1.json`: one JSON object a message, named by its integer `type`. Frozen: clients that we do not own speak it.
//!
//! Positions are metres, velocities m/s, angles radians (euler x, y, z), y is up. What [`decode_client`] lets through is in range.
//!
//! ```
//! use protocol::v1;
//! use protocol::{ClientMessage, ServerMessage};
//! let message = v1::decode_client(r#"{"type": 5, "client_time": 12.5}"#).unwrap();
//! assert_eq!(message, ClientMessage::Ping { client_time: 12.5 });
//! let answer = ServerMessage::Pong { client_time: 12.5, server_time: 1.0, server_tick: 60 };
//! assert_eq!(v1::encode_server(&answer), r#"{"type":108,"client_time":12.5,"server_time":1,"server_tick":60}"#);
//! ```

mod client;
mod server;

pub use client::{decode_client, encode_client};
pub use server::{EntityState, PlayerState, encode_server, entities, snapshot};

/// The WebSocket subprotocol's name.
pub const SUBPROTOCOL: &str = "ugc.v1.json";
/// The only `protocol_version` of a handshake.
pub const PROTOCOL_VERSION: u32 = 1;
