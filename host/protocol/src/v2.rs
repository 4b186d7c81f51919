//! `ugc.v2.bin`: the same messages as [`crate::v1`], small. Snapshots are differences to what the client has acknowledged, coded by a range coder
//! over fixed probabilities; everything else is postcard. docs/protocol.md specifies every byte, examples/decode_v2.py reads them without this crate.

mod chunk;
mod client;
mod coder;
pub mod group;
mod model;
mod reader;
mod snapshot;
mod state;
mod turning;

pub use chunk::{CHUNK_VOXELS, Chunk, encode_chunk};
pub use client::{as_sent, decode_client, encode_client};
pub use reader::{Reader, View};
pub use snapshot::{BadSnapshot, GroupPart, NO_AGES, OwnState, Snapshot, put_part};
pub use state::{EntityState, POSITION_UNITS_PER_M, ROTATION_UNITS, Rotation};

use crate::ServerMessage;

/// The WebSocket subprotocol's name.
pub const SUBPROTOCOL: &str = "ugc.v2.bin";
/// The only `protocol_version` of a handshake.
pub const PROTOCOL_VERSION: u32 = 2;

/// The first byte of what a server sends.
const SNAPSHOT: u8 = 0;
const MESSAGE: u8 = 1;
const CHUNK: u8 = 2;

/// What a server sends in one binary frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame<'a> {
    /// The world as the client sees it; for [`Reader`].
    Snapshot(&'a [u8]),
    /// Anything else.
    Message(ServerMessage),
    /// A chunk, asked for or not.
    Chunk(Chunk),
}

/// The message as a frame.
pub fn encode_server(message: &ServerMessage) -> Vec<u8> {
    postcard::to_extend(message, vec![MESSAGE]).expect("a message has no type that postcard refuses")
}

/// What a frame holds.
///
/// # Errors
/// It is of no known kind, or its message or chunk is cut short, too long or none.
pub fn decode_server(frame: &[u8]) -> Result<Frame<'_>, postcard::Error> {
    match frame {
        [SNAPSHOT, body @ ..] => Ok(Frame::Snapshot(body)),
        [MESSAGE, body @ ..] => match postcard::take_from_bytes(body)? {
            (message, []) => Ok(Frame::Message(message)),
            _ => Err(postcard::Error::DeserializeBadEncoding),
        },
        [CHUNK, body @ ..] => chunk::decode(body).map(Frame::Chunk),
        _ => Err(postcard::Error::DeserializeBadEncoding),
    }
}
