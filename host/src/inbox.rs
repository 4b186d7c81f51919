//! What reaches the game loop from other threads: bounded, in the order in which it came.

use crate::limits::INBOX_MAX;
use crate::lineups::Switching;
use crate::outgoing::{Closing, Outgoing};
use crate::subprotocol::Subprotocol;
use protocol::client::{CastRequest, ChunkRequest, InputFrame, TerraformRequest};
use protocol::link::Order;
use tokio::sync::mpsc;

/// Names one connection for as long as the process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// One thing for the game loop.
#[derive(Debug)]
pub enum Mail {
    /// A client whose ticket was good.
    Join {
        /// The connection.
        session: SessionId,
        /// The player's stable id; one session each.
        client_id: String,
        /// The handle that others see.
        username: String,
        /// How it is spoken with.
        subprotocol: Subprotocol,
        /// What goes back to it.
        outgoing: Outgoing,
    },
    /// A client that is gone.
    Leave {
        /// The connection.
        session: SessionId,
        /// What ended it.
        closing: Closing,
    },
    /// Controls.
    Input {
        /// The connection.
        session: SessionId,
        /// The controls, oldest first.
        frames: Vec<InputFrame>,
    },
    /// A wish to change the terrain.
    Terraform {
        /// The connection.
        session: SessionId,
        /// The wish.
        request: TerraformRequest,
    },
    /// A wish to see a chunk.
    Chunk {
        /// The connection.
        session: SessionId,
        /// The wish.
        request: ChunkRequest,
    },
    /// A client takes more chunks unasked.
    ChunkCredits {
        /// The connection.
        session: SessionId,
        /// How many.
        credits: u32,
    },
    /// Something that a player says to all.
    Chat {
        /// The connection.
        session: SessionId,
        /// A line of plain text.
        text: String,
    },
    /// A wish to cast.
    Cast {
        /// The connection.
        session: SessionId,
        /// The wish.
        request: CastRequest,
    },
    /// Spells whose lineups change, all in one tick.
    Switch {
        /// What each runs.
        switches: Vec<Switching>,
        /// Whether the others are gone.
        complete: bool,
    },
    /// Whether friends can hurt each other.
    FriendlyFire(bool),
    /// The control plane wants something done.
    Order(Order),
}

/// The game loop's end.
#[derive(Debug)]
pub struct Inbox(mpsc::Receiver<Mail>);

/// A new inbox. Who sends decides what a full one means: inputs are dropped, casts refused, a leave waits.
pub fn inbox() -> (mpsc::Sender<Mail>, Inbox) {
    let (sender, receiver) = mpsc::channel(INBOX_MAX);
    (sender, Inbox(receiver))
}

impl Inbox {
    /// What has come, at most `INBOX_MAX`: what comes meanwhile waits for the next tick.
    pub fn drain(&mut self) -> Vec<Mail> {
        std::iter::from_fn(|| self.0.try_recv().ok()).take(INBOX_MAX).collect()
    }
}
