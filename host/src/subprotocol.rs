//! Which encoding a client speaks.

use protocol::client::BadMessage;
use protocol::{ClientMessage, ServerMessage, v1, v2};
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subprotocol {
    /// `ugc.v1.json`; also when none is asked for.
    Json,
    /// `ugc.v2.bin`.
    Binary,
}

impl Subprotocol {
    /// All of them, the one that is taken when a client offers both first.
    pub const ALL: [Self; 2] = [Self::Binary, Self::Json];

    /// As in `Sec-WebSocket-Protocol`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => v1::SUBPROTOCOL,
            Self::Binary => v2::SUBPROTOCOL,
        }
    }

    /// The `protocol_version` of its handshake.
    pub fn version(self) -> u32 {
        match self {
            Self::Json => v1::PROTOCOL_VERSION,
            Self::Binary => v2::PROTOCOL_VERSION,
        }
    }

    /// The client's message in this frame; `None` for a frame that is no message of a client's.
    ///
    /// # Errors
    /// It is none, or the frame is of the other kind.
    pub fn decode(self, frame: &Message) -> Option<Result<ClientMessage, BadMessage>> {
        match (self, frame) {
            (Self::Json, Message::Text(text)) => Some(v1::decode_client(text)),
            (Self::Binary, Message::Binary(bytes)) => Some(v2::decode_client(bytes)),
            (Self::Json, Message::Binary(_)) => Some(Err(BadMessage(format!("{} has text frames only", self.name())))),
            (Self::Binary, Message::Text(_)) => Some(Err(BadMessage(format!("{} has binary frames only", self.name())))),
            _ => None,
        }
    }

    /// The frame of a message.
    pub fn encode(self, message: &ServerMessage) -> Message {
        match self {
            Self::Json => Message::Text(Utf8Bytes::from(v1::encode_server(message))),
            Self::Binary => Message::Binary(Bytes::from(v2::encode_server(message))),
        }
    }
}

/// A message for many: encoded once for each subprotocol that is spoken among them.
#[derive(Debug)]
pub struct Shared {
    message: ServerMessage,
    frames: [std::cell::OnceCell<Message>; 2],
}

impl Shared {
    /// Not encoded yet.
    pub fn new(message: ServerMessage) -> Self {
        Self { message, frames: Default::default() }
    }

    /// What it says.
    pub fn message(&self) -> &ServerMessage {
        &self.message
    }

    /// The frame for a client of this subprotocol.
    pub fn frame(&self, subprotocol: Subprotocol) -> Message {
        self.frames[subprotocol as usize].get_or_init(|| subprotocol.encode(&self.message)).clone()
    }
}
