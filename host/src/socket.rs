//! One client's WebSocket: the upgrade, the handshake, then messages in and out until one side has enough.

use crate::convert;
use crate::crowd::{Crowd, Place};
use crate::game_loop::Shared;
use crate::inbox::{Mail, SessionId};
use crate::limits::{
    CHATS_AT_ONCE_MAX, CHATS_PER_SECOND_MAX, CHUNK_REQUESTS_PER_SECOND_MAX, CLOSE_TIMEOUT, HANDSHAKE_TIMEOUT, MESSAGES_AT_ONCE_MAX,
    MESSAGES_PER_SECOND_MAX, READ_BUFFER_BYTES, SEND_TIMEOUT, WRITE_BUFFER_BYTES, WRITE_BUFFER_BYTES_MAX,
};
use crate::origins::Origins;
use crate::outgoing::{Batch, Closing, Next, Outgoing, Outlet, outgoing};
use crate::subprotocol::Subprotocol;
use crate::ticket::Tickets;
use crate::upgrade::{self, linger, refusal};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use protocol::client::Handshake;
use protocol::limits::{BAD_MESSAGES_PER_SECOND_MAX, MESSAGE_BYTES_MAX, MESSAGE_BYTES_UNAUTHENTICATED_MAX};
use protocol::server::ErrorCode;
use protocol::{ClientMessage, ServerMessage};
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error as WsError, ProtocolError};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, header::SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};

/// What all connections of one world share.
#[derive(Debug)]
pub struct Door {
    /// The world.
    pub world_id: String,
    /// Whose pages may connect.
    pub origins: Origins,
    /// Who is connected.
    pub crowd: Arc<Crowd>,
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
pub async fn serve(stream: TcpStream, place: &Place, door: Arc<Door>) {
    // Without it, small messages wait for the acknowledgement of the last one.
    let _ = stream.set_nodelay(true);
    let mut subprotocol = Subprotocol::Json;
    #[allow(clippy::result_large_err, reason = "the type is tungstenite's")]
    let choose = |request: &Request, response| {
        let allowed = door.origins.check(request.headers());
        allowed.map_err(|origin| refusal(StatusCode::FORBIDDEN, &not_allowed(&origin)))?;
        let (chosen, response) = choose_subprotocol(request, response)?;
        subprotocol = chosen;
        Ok(response)
    };
    let Some(socket) = upgrade::upgrade(stream, websocket_config(), choose).await else { return };
    let (mut sink, mut incoming) = socket.split();
    let (outgoing, outlet) = outgoing();
    let session = SessionId(door.next_session.fetch_add(1, Ordering::Relaxed));
    let mut client = Client {
        door: &door,
        place,
        session,
        subprotocol,
        outgoing: outgoing.clone(),
        joined: false,
        bad: RecentTimes::default(),
        rate: Rate::new(Instant::now(), MESSAGES_PER_SECOND_MAX, MESSAGES_AT_ONCE_MAX),
        chunk_rate: Rate::new(Instant::now(), CHUNK_REQUESTS_PER_SECOND_MAX, CHUNK_REQUESTS_PER_SECOND_MAX),
        chat_rate: Rate::new(Instant::now(), CHATS_PER_SECOND_MAX, CHATS_AT_ONCE_MAX),
    };
    let mut closing = {
        let mut writer = std::pin::pin!(write(&mut sink, outlet));
        tokio::select! {
            closing = &mut writer => closing,
            closing = client.read(&mut incoming) => {
                outgoing.close(closing);
                writer.await
            }
        }
    };
    if closing == Closing::LineBroke {
        // It broke as we wrote: the client may have said goodbye, and that is still to be read.
        closing = tokio::time::timeout(CLOSE_TIMEOUT, client.read(&mut incoming)).await.unwrap_or(closing);
    }
    if client.joined {
        // Waits for room: a leave that is lost would leave the player standing there. An error means that the game loop has ended.
        let _ = door.mail.send(Mail::Leave { session, closing }).await;
    }
    place.let_go();
    if let Ok(mut socket) = sink.reunite(incoming) {
        let farewell = async {
            // Writes what tungstenite answers to a client's close frame by itself.
            let _ = SinkExt::close(&mut socket).await;
            linger(socket.get_mut()).await
        };
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, farewell).await;
    }
}

fn not_allowed(origin: &str) -> String {
    format!("pages of {origin} may not connect to this game server: its operator names those that may in CORS_ORIGINS")
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

/// The best of those asked for, `ugc.v1.json` when none is asked for, else a refusal that names them.
#[allow(clippy::result_large_err, reason = "the type is tungstenite's")]
fn choose_subprotocol(request: &Request, mut response: Response) -> Result<(Subprotocol, Response), ErrorResponse> {
    let mut asked = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok()).peekable();
    if asked.peek().is_none() {
        return Ok((Subprotocol::Json, response));
    }
    let names: Vec<&str> = asked.flat_map(|value| value.split(',')).map(str::trim).collect();
    if let Some(chosen) = Subprotocol::ALL.into_iter().find(|it| names.contains(&it.name())) {
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(chosen.name()));
        return Ok((chosen, response));
    }
    Err(refusal(StatusCode::BAD_REQUEST, &format!("this server speaks {}", Subprotocol::ALL.map(Subprotocol::name).join(" and "))))
}

type Sink = SplitSink<WebSocketStream<TcpStream>, Message>;

/// Writes what is to go out until the connection is to be closed, then closes it; answers why.
async fn write(sink: &mut Sink, mut outlet: Outlet) -> Closing {
    let closing = loop {
        let messages = match outlet.next().await {
            Next::Batch(batch) => batch,
            Next::Snapshot(snapshot) => vec![snapshot],
            Next::Ping => vec![Message::Ping(Bytes::new())],
            Next::Close(closing) => break closing,
        };
        // A client that reads nothing must not keep us from hearing that it is to be closed.
        tokio::select! {
            biased;
            closing = outlet.closing() => {
                // The batch at hand was cut off: what is written now would come after a gap.
                let _ = tokio::time::timeout(CLOSE_TIMEOUT, say_goodbye(sink, closing)).await;
                return closing;
            }
            sent = tokio::time::timeout(SEND_TIMEOUT, send(sink, messages)) => match sent {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Closing::LineBroke,
                Err(_) => break Closing::TooSlow,
            }
        }
    };
    let farewell = async {
        while let Some(batch) = outlet.waiting().filter(|_| closing.flushes()) {
            send(sink, batch).await?;
        }
        say_goodbye(sink, closing).await
    };
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, farewell).await;
    closing
}

async fn send(sink: &mut Sink, messages: Batch) -> Result<(), WsError> {
    for message in messages {
        sink.feed(message).await?;
    }
    sink.flush().await
}

async fn say_goodbye(sink: &mut Sink, closing: Closing) -> Result<(), WsError> {
    let Some((code, reason)) = closing.frame() else { return Ok(()) };
    sink.send(Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) }))).await
}

/// The reading side of one connection.
struct Client<'a> {
    door: &'a Door,
    place: &'a Place,
    session: SessionId,
    subprotocol: Subprotocol,
    outgoing: Outgoing,
    /// The game loop knows of this session.
    joined: bool,
    bad: RecentTimes,
    rate: Rate,
    chunk_rate: Rate,
    chat_rate: Rate,
}

impl Client<'_> {
    /// Reads until there is a reason to close.
    async fn read(&mut self, incoming: &mut SplitStream<WebSocketStream<TcpStream>>) -> Closing {
        let handshake_due = tokio::time::Instant::now() + HANDSHAKE_TIMEOUT;
        loop {
            // After a pause of this process, what has come meanwhile counts: it is looked at first. A flood of what is no message yet is looked at for no longer.
            // Whether a client that has joined is still there, its pongs say.
            let next = match self.joined {
                true => incoming.next().await,
                false => match tokio::time::timeout_at(handshake_due, incoming.next()).await {
                    Ok(next) => next,
                    Err(_) => return Closing::NoHandshake,
                },
            };
            let message = match next {
                Some(Ok(message)) => message,
                Some(Err(error)) => return ended_by(&error),
                None => return Closing::LineBroke,
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
        if !self.joined && message.len() > MESSAGE_BYTES_UNAUTHENTICATED_MAX {
            return ControlFlow::Break(Closing::TooLong);
        }
        match self.subprotocol.decode(&message) {
            Some(Ok(message)) => self.handle(message, now),
            Some(Err(bad)) => self.refuse(now, ErrorCode::BadMessage, bad.to_string()),
            None if message.is_close() => ControlFlow::Break(Closing::ClientLeft),
            None => {
                // tungstenite answers pings itself.
                if message.is_pong() {
                    self.outgoing.answered();
                }
                ControlFlow::Continue(())
            }
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
            ClientMessage::Inputs(frames) => {
                // Full: these are lost like those that the network lost; the next replace them anyway.
                self.post(Mail::Input { session: self.session, frames });
                ControlFlow::Continue(())
            }
            ClientMessage::Cast(request) => {
                if !self.post(Mail::Cast { session: self.session, request }) {
                    self.error(ErrorCode::Busy, "the server is too busy for this cast".into());
                }
                ControlFlow::Continue(())
            }
            ClientMessage::Ping { client_time } => {
                self.send(&self.pong(client_time));
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
            ClientMessage::Chat(text) => {
                if !self.chat_rate.admit(now) {
                    self.error(
                        ErrorCode::TooMany,
                        format!("more than {CHATS_PER_SECOND_MAX} line of chat in a second: say it again later"),
                    );
                } else if !self.post(Mail::Chat { session: self.session, text }) {
                    self.error(ErrorCode::Busy, "the server is too busy for this line of chat: say it again".into());
                }
                ControlFlow::Continue(())
            }
            ClientMessage::ChunkCredits(credits) => {
                if !self.post(Mail::ChunkCredits { session: self.session, credits }) {
                    self.error(ErrorCode::Busy, "the server is too busy for these credits: give them again".into());
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
        // No player may lose its place, for nobody would say that it has left.
        if !self.place.keep() || !self.post(mail) {
            return self.turn_away("the server is too busy: join again in a moment");
        }
        self.joined = true;
        ControlFlow::Continue(())
    }

    fn admit(&self, handshake: Handshake, now: Instant) -> Result<Mail, String> {
        let version = self.subprotocol.version();
        if handshake.protocol_version != version {
            return Err(format!("protocol version {} is not spoken here; this server speaks {version}", handshake.protocol_version));
        }
        // Poisoned: another connection's thread panicked between two lines that leave the desk whole.
        let mut tickets = self.door.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        let claims = tickets.admit(&handshake.session_token, now).map_err(|error| error.to_string())?;
        if claims.client_id != handshake.client_id {
            return Err("the join ticket is for another client_id".to_owned());
        }
        let (session, subprotocol, outgoing) = (self.session, self.subprotocol, self.outgoing.clone());
        Ok(Mail::Join { session, client_id: claims.client_id, username: claims.username, subprotocol, outgoing })
    }

    fn turn_away(&self, reason: &str) -> ControlFlow<Closing> {
        self.send(&convert::refusal(&self.door.world_id, reason));
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
        self.send(&ServerMessage::Error { error_code, message });
    }

    fn send(&self, message: &ServerMessage) {
        self.outgoing.send_one(self.subprotocol.encode(message));
    }

    fn pong(&self, client_time: f64) -> ServerMessage {
        let server_time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        let server_tick = self.door.shared.tick.load(Ordering::Acquire);
        ServerMessage::Pong { client_time, server_time, server_tick }
    }
}

/// Why a connection is over that tungstenite reads no further.
fn ended_by(error: &WsError) -> Closing {
    match error {
        WsError::Capacity(CapacityError::MessageTooLong { .. }) => Closing::TooLong,
        WsError::Utf8(_) => Closing::NotText,
        WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Closing::LineBroke,
        WsError::Protocol(_) => Closing::Broken,
        _ => Closing::LineBroke,
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
