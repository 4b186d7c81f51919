//! What goes back to one client: a bounded queue of what must arrive, a slot for the newest snapshot, and the wish to close. Sending never waits.

use crate::limits::{HANDSHAKE_TIMEOUT, OUTGOING_BATCHES_MAX, PING_INTERVAL, PINGS_UNANSWERED_MAX};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// Messages that belong together, in order.
pub type Batch = Vec<Message>;

/// Why a connection is closed; the reason is told to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the reasons say it")]
pub enum Closing {
    ClientLeft,
    LineBroke,
    Silent,
    TooSlow,
    TakenOver,
    Kicked,
    Refused,
    WorldFull,
    BadMessages,
    TooLong,
    NoHandshake,
    Broken,
    NotText,
    Stopping,
}

impl Closing {
    /// The close frame's code and words; none where nobody hears them.
    pub fn frame(self) -> Option<(CloseCode, &'static str)> {
        Some(match self {
            Self::LineBroke => return None,
            Self::ClientLeft => (CloseCode::Normal, "goodbye"),
            Self::Silent => (CloseCode::Policy, "silent for too long"),
            Self::TooSlow => (CloseCode::Policy, "too far behind"),
            Self::TakenOver => (CloseCode::Policy, "taken over by a newer session"),
            Self::Kicked => (CloseCode::Policy, "an operator has closed this session"),
            Self::Refused => (CloseCode::Policy, "handshake refused"),
            Self::WorldFull => (CloseCode::Again, "the world is full"),
            Self::BadMessages => (CloseCode::Policy, "too many bad messages"),
            Self::TooLong => (CloseCode::Size, "message too long"),
            Self::NoHandshake => (CloseCode::Policy, "no handshake in time"),
            Self::Broken => (CloseCode::Protocol, "not a websocket message"),
            Self::NotText => (CloseCode::Invalid, "text that is not UTF-8"),
            Self::Stopping => (CloseCode::Away, "server is stopping"),
        })
    }

    /// Whether what still waits is written before the close frame.
    pub fn flushes(self) -> bool {
        !matches!(self, Self::TooSlow | Self::Silent | Self::LineBroke)
    }

    /// Whether the player stays in the world for a while: its line has failed it, or its next session is there already. Who says goodbye, whom an operator
    /// sends away, and whose client speaks nonsense, leaves at once.
    pub fn keeps_player(self) -> bool {
        match self {
            Self::LineBroke | Self::Silent | Self::TooSlow | Self::TakenOver | Self::Stopping => true,
            Self::ClientLeft | Self::Kicked | Self::BadMessages | Self::TooLong | Self::Broken | Self::NotText => false,
            // They have none.
            Self::Refused | Self::WorldFull | Self::NoHandshake => false,
        }
    }
}

/// The sending end; cheap to clone.
#[derive(Debug, Clone)]
pub struct Outgoing {
    batches: mpsc::Sender<Batch>,
    snapshot: watch::Sender<Option<Message>>,
    closing: watch::Sender<Option<Closing>>,
    unanswered: Arc<AtomicU32>,
}

/// The socket's end.
#[derive(Debug)]
pub struct Outlet {
    batches: mpsc::Receiver<Batch>,
    snapshot: watch::Receiver<Option<Message>>,
    closing: watch::Receiver<Option<Closing>>,
    /// Made when it is first needed, for it takes a runtime.
    pings: Option<Interval>,
    /// Pings since the last pong.
    unanswered: Arc<AtomicU32>,
}

/// What the socket does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Write these.
    Batch(Batch),
    /// Write this; a newer one may come before it is written.
    Snapshot(Message),
    /// Ask whether the client is there.
    Ping,
    /// Say goodbye.
    Close(Closing),
}

/// Both ends.
pub fn outgoing() -> (Outgoing, Outlet) {
    let (batches, batches_out) = mpsc::channel(OUTGOING_BATCHES_MAX);
    let (snapshot, snapshot_out) = watch::channel(None);
    let (closing, closing_out) = watch::channel(None);
    let unanswered = Arc::<AtomicU32>::default();
    let outlet =
        Outlet { batches: batches_out, snapshot: snapshot_out, closing: closing_out, pings: None, unanswered: Arc::clone(&unanswered) };
    (Outgoing { batches, snapshot, closing, unanswered }, outlet)
}

impl Outgoing {
    /// Queues what must arrive. A client for which the queue is full is closed: it could not be told what it missed.
    pub fn send(&self, batch: Batch) {
        if !batch.is_empty() && matches!(self.batches.try_send(batch), Err(mpsc::error::TrySendError::Full(_))) {
            self.close(Closing::TooSlow);
        }
    }

    /// Queues one message.
    pub fn send_one(&self, message: Message) {
        self.send(vec![message]);
    }

    /// Replaces the snapshot that waits, if one does.
    pub fn snapshot(&self, message: Message) {
        self.snapshot.send_replace(Some(message));
    }

    /// The client has answered a ping.
    pub fn answered(&self) {
        self.unanswered.store(0, Ordering::Relaxed);
    }

    /// Wishes the connection closed; the first reason stays.
    pub fn close(&self, closing: Closing) {
        self.closing.send_if_modified(|wish| {
            let first = wish.is_none();
            wish.get_or_insert(closing);
            first
        });
    }
}

impl Outlet {
    /// Waits for the next thing to do. Closing comes first, then a ping that is due, then what must arrive, then the newest snapshot.
    pub async fn next(&mut self) -> Next {
        let Self { batches, snapshot, closing, pings, unanswered } = self;
        let pings = pings.get_or_insert_with(pings_from_now_on);
        tokio::select! {
            biased;
            closing = wished(closing) => Next::Close(closing),
            _ = pings.tick() => match unanswered.fetch_add(1, Ordering::Relaxed) {
                ..PINGS_UNANSWERED_MAX => Next::Ping,
                _ => Next::Close(Closing::Silent),
            },
            Some(batch) = batches.recv() => Next::Batch(batch),
            Some(snapshot) = newest(snapshot) => Next::Snapshot(snapshot),
        }
    }

    /// Waits for the wish to close.
    pub async fn closing(&mut self) -> Closing {
        wished(&mut self.closing).await
    }

    /// The next batch that waits already.
    pub fn waiting(&mut self) -> Option<Batch> {
        self.batches.try_recv().ok()
    }
}

/// Waits for a snapshot that was not written yet.
async fn newest(snapshot: &mut watch::Receiver<Option<Message>>) -> Option<Message> {
    snapshot.changed().await.ok()?;
    snapshot.borrow_and_update().clone()
}

fn pings_from_now_on() -> Interval {
    // Who has not come in by then is gone.
    let mut pings = interval_at(Instant::now() + HANDSHAKE_TIMEOUT + PING_INTERVAL / 4, PING_INTERVAL);
    // After a pause of this process one is enough.
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pings
}

/// Nobody left to wish counts as a wish.
async fn wished(closing: &mut watch::Receiver<Option<Closing>>) -> Closing {
    match closing.wait_for(Option::is_some).await {
        Ok(wish) => wish.unwrap_or(Closing::ClientLeft),
        Err(_) => Closing::ClientLeft,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(text: &str) -> Batch {
        vec![Message::text(text)]
    }

    #[tokio::test]
    async fn the_newest_snapshot_wins_and_events_go_first() {
        let (outgoing, mut outlet) = outgoing();
        outgoing.snapshot(Message::text("old"));
        outgoing.snapshot(Message::text("new"));
        outgoing.send(batch("event"));
        assert_eq!(outlet.next().await, Next::Batch(batch("event")));
        assert_eq!(outlet.next().await, Next::Snapshot(Message::text("new")));
        outgoing.close(Closing::Stopping);
        outgoing.close(Closing::TooSlow);
        assert_eq!(outlet.next().await, Next::Close(Closing::Stopping));
    }

    #[tokio::test]
    async fn a_client_that_reads_nothing_is_closed_when_its_queue_is_full() {
        let (outgoing, mut outlet) = outgoing();
        for _ in 0..OUTGOING_BATCHES_MAX {
            outgoing.send(batch("event"));
        }
        assert_eq!(outlet.next().await, Next::Batch(batch("event")));
        outgoing.send(batch("fits"));
        outgoing.send(batch("does not"));
        assert_eq!(outlet.next().await, Next::Close(Closing::TooSlow));
    }
}
