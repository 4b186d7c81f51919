//! One client's WebSocket: the upgrade, the handshake, then messages in and out until one side has enough.

use crate::convert;
use crate::game_loop::Shared;
use crate::inbox::{Mail, SessionId};
use crate::limits::{
    CHUNK_REQUESTS_PER_SECOND_MAX, CLOSE_TIMEOUT, HANDSHAKE_TIMEOUT, LINGER_BYTES_MAX, MESSAGES_AT_ONCE_MAX, MESSAGES_PER_SECOND_MAX,
    READ_BUFFER_BYTES, SEND_TIMEOUT, WRITE_BUFFER_BYTES, WRITE_BUFFER_BYTES_MAX,
};
use crate::outgoing::{Closing, Next, Outgoing, Outlet, outgoing};
use crate::ticket::Tickets;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use protocol::limits::{BAD_MESSAGES_PER_SECOND_MAX, MESSAGE_BYTES_MAX, MESSAGE_BYTES_UNAUTHENTICATED_MAX};
use protocol::v1::{ClientMessage, ErrorCode, Handshake, PROTOCOL_VERSION, SUBPROTOCOL, ServerMessage};
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error as WsError};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, header::SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// What all connections of one world share.
#[derive(Debug)]
pub struct Door {
    /// The world.
    pub world_id: String,
    /// Who may come in.
    pub tickets: Mutex<Tickets>,
    /// The game loop's inbox.
    pub mail: mpsc::Sender<Mail>,
    /// The game loop's tick.
    pub shared: Arc<Shared>,
    /// Names the next session.
    pub next_session: AtomicU64,
}

/// Serves one client from its accepted socket to its end.
pub async fn serve(stream: TcpStream, door: Arc<Door>) {
    // Without it, small messages wait for the acknowledgement of the last one.
    let _ = stream.set_nodelay(true);
    let upgrade = tokio_tungstenite::accept_hdr_async_with_config(stream, choose_subprotocol, Some(websocket_config()));
    let Ok(Ok(socket)) = tokio::time::timeout(HANDSHAKE_TIMEOUT, upgrade).await else { return };
    let (mut sink, mut incoming) = socket.split();
    let (outgoing, outlet) = outgoing();
    let session = SessionId(door.next_session.fetch_add(1, Ordering::Relaxed));
    let mut client = Client {
        door: &door,
        session,
        outgoing: outgoing.clone(),
        joined: false,
        bad: RecentTimes::default(),
        rate: Rate::new(Instant::now(), MESSAGES_PER_SECOND_MAX, MESSAGES_AT_ONCE_MAX),
        chunk_rate: Rate::new(Instant::now(), CHUNK_REQUESTS_PER_SECOND_MAX, CHUNK_REQUESTS_PER_SECOND_MAX),
    };
    {
        let mut writer = std::pin::pin!(write(&mut sink, outlet));
        tokio::select! {
            () = &mut writer => {}
            closing = client.read(&mut incoming) => {
                outgoing.close(closing);
                writer.await;
            }
        }
    }
    if client.joined {
        // Waits for room: a leave that is lost would leave the player standing there. An error means that the game loop has ended.
        let _ = door.mail.send(Mail::Leave { session }).await;
    }
    if let Ok(mut socket) = sink.reunite(incoming) {
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, linger(socket.get_mut())).await;
    }
}

/// Reads on for a moment after the close frame: a socket that is closed with bytes unread is reset, and the client would never see why it was closed.
async fn linger(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.shutdown().await?;
    let mut ignored = [0; 4096];
    let mut total = 0;
    while total < LINGER_BYTES_MAX {
        match stream.read(&mut ignored).await? {
            0 => break,
            read => total += read,
        }
    }
    Ok(())
}

/// All of tungstenite's limits; its defaults are 64 MiB messages and an unlimited write buffer.
fn websocket_config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(WRITE_BUFFER_BYTES_MAX)
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX))
        .accept_unmasked_frames(false)
}

/// `ugc.v1.json` when it is among those asked for, none when none is asked for, else a refusal that names it.
#[allow(clippy::result_large_err, reason = "the type is tungstenite's")]
fn choose_subprotocol(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let mut asked = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok()).peekable();
    if asked.peek().is_none() {
        return Ok(response);
    }
    if asked.flat_map(|value| value.split(',')).any(|name| name.trim() == SUBPROTOCOL) {
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
        return Ok(response);
    }
    let mut refusal = ErrorResponse::new(Some(format!("this server speaks {SUBPROTOCOL}\n")));
    *refusal.status_mut() = StatusCode::BAD_REQUEST;
    Err(refusal)
}

type Sink = SplitSink<WebSocketStream<TcpStream>, Message>;

/// Writes what is to go out until the connection is to be closed, then closes it.
async fn write(sink: &mut Sink, mut outlet: Outlet) {
    let closing = loop {
        let messages: Arc<[Utf8Bytes]> = match outlet.next().await {
            Next::Batch(batch) => batch,
            Next::Snapshot(snapshot) => Arc::from([snapshot]),
            Next::Close(closing) => break closing,
        };
        // A client that reads nothing must not keep us from hearing that it is to be closed.
        tokio::select! {
            biased;
            closing = outlet.closing() => {
                // The batch at hand was cut off: what is written now would come after a gap.
                let _ = tokio::time::timeout(CLOSE_TIMEOUT, say_goodbye(sink, closing)).await;
                return;
            }
            sent = tokio::time::timeout(SEND_TIMEOUT, send(sink, &messages)) => match sent {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return,
                Err(_) => break Closing::TooSlow,
            }
        }
    };
    let farewell = async {
        while let Some(batch) = outlet.waiting().filter(|_| closing.flushes()) {
            send(sink, &batch).await?;
        }
        say_goodbye(sink, closing).await
    };
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, farewell).await;
}

async fn send(sink: &mut Sink, messages: &[Utf8Bytes]) -> Result<(), WsError> {
    for message in messages {
        sink.feed(Message::Text(message.clone())).await?;
    }
    sink.flush().await
}

async fn say_goodbye(sink: &mut Sink, closing: Closing) -> Result<(), WsError> {
    let (code, reason) = closing.frame();
    sink.send(Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) }))).await
}

/// The reading side of one connection.
struct Client<'a> {
    door: &'a Door,
    session: SessionId,
    outgoing: Outgoing,
    /// The game loop knows of this session.
    joined: bool,
    bad: RecentTimes,
    rate: Rate,
    chunk_rate: Rate,
}

impl Client<'_> {
    /// Reads until there is a reason to close.
    async fn read(&mut self, incoming: &mut SplitStream<WebSocketStream<TcpStream>>) -> Closing {
        let deadline = tokio::time::Instant::now() + HANDSHAKE_TIMEOUT;
        loop {
            let next = if self.joined {
                incoming.next().await
            } else {
                match tokio::time::timeout_at(deadline, incoming.next()).await {
                    Ok(next) => next,
                    Err(_) => return Closing::NoHandshake,
                }
            };
            let message = match next {
                Some(Ok(message)) => message,
                Some(Err(WsError::Capacity(CapacityError::MessageTooLong { .. }))) => return Closing::TooLong,
                Some(Err(WsError::Protocol(_) | WsError::Utf8(_))) => return Closing::Broken,
                Some(Err(_)) | None => return Closing::ClientLeft,
            };
            if let ControlFlow::Break(closing) = self.take(message, Instant::now()) {
                return closing;
            }
        }
    }

    fn take(&mut self, message: Message, now: Instant) -> ControlFlow<Closing> {
        if !self.rate.admit(now) {
            return self.refuse(now, ErrorCode::TooMany, format!("more than {MESSAGES_PER_SECOND_MAX} messages in a second"));
        }
        match message {
            Message::Text(text) if !self.joined && text.len() > MESSAGE_BYTES_UNAUTHENTICATED_MAX => ControlFlow::Break(Closing::TooLong),
            Message::Text(text) => match ClientMessage::decode(&text) {
                Ok(message) => self.handle(message, now),
                Err(bad) => self.refuse(now, ErrorCode::BadMessage, bad.to_string()),
            },
            Message::Binary(_) => self.refuse(now, ErrorCode::BadMessage, format!("{SUBPROTOCOL} has text frames only")),
            Message::Close(_) => ControlFlow::Break(Closing::ClientLeft),
            // tungstenite answers pings itself.
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => ControlFlow::Continue(()),
        }
    }

    fn handle(&mut self, message: ClientMessage, now: Instant) -> ControlFlow<Closing> {
        match message {
            ClientMessage::Disconnect => ControlFlow::Break(Closing::ClientLeft),
            ClientMessage::Handshake(_) if self.joined => {
                self.refuse(now, ErrorCode::SecondHandshake, "there was a handshake already".into())
            }
            ClientMessage::Handshake(handshake) => self.join(handshake, now),
            _ if !self.joined => self.refuse(now, ErrorCode::NoHandshake, "the first message must be a handshake".into()),
            ClientMessage::Input(frame) => {
                // Full: this input is lost like one that the network lost; the next replaces it anyway.
                self.post(Mail::Input { session: self.session, frame });
                ControlFlow::Continue(())
            }
            ClientMessage::Cast(request) => {
                if !self.post(Mail::Cast { session: self.session, request }) {
                    self.error(ErrorCode::Busy, "the server is too busy for this cast".into());
                }
                ControlFlow::Continue(())
            }
            ClientMessage::Ping { client_time } => {
                self.outgoing.send_one(self.pong(client_time));
                ControlFlow::Continue(())
            }
            ClientMessage::Terraform(request) => {
                if !self.post(Mail::Terraform { session: self.session, request }) {
                    self.error(ErrorCode::Busy, "the server is too busy for this terraforming".into());
                }
                ControlFlow::Continue(())
            }
            ClientMessage::Chunk(request) => {
                if !self.chunk_rate.admit(now) {
                    // No bad message: a client that has just come in wants all at once.
                    self.error(
                        ErrorCode::TooMany,
                        format!("more than {CHUNK_REQUESTS_PER_SECOND_MAX} chunks in a second: ask again later"),
                    );
                } else if !self.post(Mail::Chunk { session: self.session, request }) {
                    self.error(ErrorCode::Busy, "the server is too busy for this chunk: ask again".into());
                }
                ControlFlow::Continue(())
            }
        }
    }

    /// Lets the client in, or says why not and closes.
    fn join(&mut self, handshake: Handshake, now: Instant) -> ControlFlow<Closing> {
        let mail = match self.admit(handshake, now) {
            Ok(mail) => mail,
            Err(reason) => return self.turn_away(&reason),
        };
        if !self.post(mail) {
            return self.turn_away("the server is too busy: join again in a moment");
        }
        self.joined = true;
        ControlFlow::Continue(())
    }

    fn admit(&self, handshake: Handshake, now: Instant) -> Result<Mail, String> {
        if handshake.protocol_version != PROTOCOL_VERSION {
            return Err(format!(
                "protocol version {} is not spoken here; this server speaks {PROTOCOL_VERSION}",
                handshake.protocol_version
            ));
        }
        // Poisoned: another connection's thread panicked between two lines that leave the desk whole.
        let mut tickets = self.door.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        let claims = tickets.admit(&handshake.session_token, now).map_err(|error| error.to_string())?;
        if claims.client_id != handshake.client_id {
            return Err("the join ticket is for another client_id".to_owned());
        }
        let outgoing = self.outgoing.clone();
        Ok(Mail::Join { session: self.session, client_id: claims.client_id, username: claims.username, outgoing })
    }

    fn turn_away(&self, reason: &str) -> ControlFlow<Closing> {
        self.outgoing.send_one(convert::refusal(&self.door.world_id, reason));
        ControlFlow::Break(Closing::Refused)
    }

    /// Whether the inbox took it.
    fn post(&self, mail: Mail) -> bool {
        self.door.mail.try_send(mail).is_ok()
    }

    /// Drops a message, says why, and closes when there were too many such.
    fn refuse(&mut self, now: Instant, code: ErrorCode, reason: String) -> ControlFlow<Closing> {
        self.error(code, reason);
        if self.bad.add(now) >= BAD_MESSAGES_PER_SECOND_MAX as usize {
            ControlFlow::Break(Closing::BadMessages)
        } else {
            ControlFlow::Continue(())
        }
    }

    fn error(&self, error_code: ErrorCode, message: String) {
        self.outgoing.send_one(convert::error(error_code, message));
    }

    fn pong(&self, client_time: f64) -> String {
        let server_time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        let server_tick = self.door.shared.tick.load(Ordering::Acquire);
        ServerMessage::Pong { client_time, server_time, server_tick }.encode()
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// The times of what went wrong within the last second; holds no more than matter.
#[derive(Debug, Default)]
struct RecentTimes(VecDeque<Instant>);

impl RecentTimes {
    /// Adds one, and answers how many there are now.
    fn add(&mut self, now: Instant) -> usize {
        while self.0.front().is_some_and(|at| now.saturating_duration_since(*at) >= SECOND) {
            self.0.pop_front();
        }
        self.0.push_back(now);
        self.0.len()
    }
}

/// So many messages at once, and so many more in each second: what was saved up in silence may come in one go, for it is not the client's fault when its line or
/// this process has stood still.
#[derive(Debug)]
struct Rate {
    at: Instant,
    left: f64,
    per_second: u32,
    at_once: u32,
}

impl Rate {
    fn new(at: Instant, per_second: u32, at_once: u32) -> Self {
        Self { at, left: at_once.into(), per_second, at_once }
    }

    fn admit(&mut self, now: Instant) -> bool {
        let more = now.saturating_duration_since(self.at).as_secs_f64() * f64::from(self.per_second);
        self.left = (self.left + more).min(self.at_once.into());
        self.at = now;
        let admits = self.left >= 1.0;
        self.left -= f64::from(u8::from(admits));
        admits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_messages_count_within_any_second() {
        let start = Instant::now();
        let mut bad = RecentTimes::default();
        for n in 1..=19 {
            assert_eq!(bad.add(start + Duration::from_millis(n as u64)), n);
        }
        assert_eq!(bad.add(start + Duration::from_millis(1_010)), 10, "ten are older than a second");
    }

    #[test]
    fn ten_times_the_input_rate_is_admitted_for_good_and_no_more() {
        let start = Instant::now();
        let mut rate = Rate::new(start, MESSAGES_PER_SECOND_MAX, MESSAGES_AT_ONCE_MAX);
        let admitted = |rate: &mut Rate, seconds: u32| (0..5_000).filter(|_| rate.admit(start + SECOND * seconds)).count();
        assert_eq!(admitted(&mut rate, 0), 1_800);
        assert_eq!(admitted(&mut rate, 1), 600);
        assert_eq!(admitted(&mut rate, 2), 600, "a flood gets no more");
    }

    #[test]
    fn what_an_honest_client_sent_while_the_server_stood_still_is_no_flood() {
        let start = Instant::now();
        let mut rate = Rate::new(start, MESSAGES_PER_SECOND_MAX, MESSAGES_AT_ONCE_MAX);
        assert!((0..600).all(|tick| rate.admit(start + SECOND * tick / 60)));
        let after = start + SECOND * 24;
        assert!((0..14 * 61).all(|_| rate.admit(after)), "inputs and pings of 14 s");
        assert!((0..600).all(|tick| rate.admit(after + SECOND * tick / 60)));
    }
}
