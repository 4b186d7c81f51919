//! The join ticket: a PASETO v4.public token that `/join` hands out and a game server admits once.

use serde::{Deserialize, Serialize};

/// Seconds a ticket is good for after `/join`.
pub const TICKET_SECONDS: u64 = 30;
/// Tickets that a game server remembers as used. Older ones have expired long before: 4,096 joins in 30 s are more than one server admits.
pub const TICKETS_REMEMBERED_MAX: usize = 4096;
/// The implicit assertion of every ticket: one signed for another purpose does not pass.
pub const TICKET_PURPOSE: &[u8] = b"ugc-world join ticket v1";

/// The token's JSON payload. `exp` is ISO 8601, as PASETO's registered claims are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Unique; a game server admits it once.
    pub jti: String,
    /// Expiry, ISO 8601, UTC.
    pub exp: String,
    /// The world that it opens.
    pub world_id: String,
    /// The server that it opens: one life of one process.
    pub server_id: String,
    /// The player's stable id: `client_` + 12 hex digits.
    pub client_id: String,
    /// The player's handle.
    pub username: String,
}
