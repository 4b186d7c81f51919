//! Players by the hundred: a thread plays many of them, each on a connection of its own that waits for nothing.

use anyhow::{Context, Result, bail, ensure};
use examples::Join;
use host::subprotocol::Subprotocol;
use protocol::client::{Handshake, InputFrame};
use protocol::{ClientMessage, ServerMessage, v1, v2};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::Value;
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Error, Message, WebSocket};

/// Between two inputs of one bot.
pub const TICK: Duration = Duration::from_nanos(1_000_000_000 / 60);
/// A player goes straight on for so many ticks, then elsewhere.
const LEG_TICKS: u32 = 45;

/// Between two looks at who has something to read: snapshots seem late by up to so much.
const LOOK_INTERVAL: Duration = Duration::from_millis(2);
/// Inputs that come at once from who sends them in bursts.
const BURST: usize = 60;

/// How a bot behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Walks, turns, shoots as often as it may.
    Honest,
    /// Walks, turns, shoots every two seconds.
    Lively,
    /// Walks and turns.
    Walks,
    /// Ten inputs a tick.
    TenTimes,
    /// Each input again and again.
    Replays,
    /// Sequence numbers and ticks from the future.
    Future,
    /// Axes that are no numbers, beside good ones.
    NotNumbers,
    /// Nothing for a second, then all at once.
    Bursts,
    /// Fires in every input.
    FiresAlways,
}

/// One player.
pub struct Bot {
    socket: WebSocket<TcpStream>,
    subprotocol: Subprotocol,
    manner: Manner,
    entity: u64,
    number: u32,
    tick: u64,
    sequence: u32,
    frames: VecDeque<InputFrame>,
    pub seen: Seen,
    last: Option<([f32; 3], Instant)>,
}

/// What it has seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// Between two snapshots, milliseconds.
    pub intervals_ms: Vec<f64>,
    pub snapshots: u64,
    /// Of all frames.
    pub bytes: u64,
    /// Metres along its way, as the server says.
    pub distance: f64,
    /// Projectiles of its own that it saw appear.
    pub shots: u64,
}

impl Bot {
    /// Connects by v2, and shakes hands.
    pub fn join(join: &Join, number: u32, manner: Manner) -> Result<Self> {
        Self::join_by(Subprotocol::Binary, join, number, manner)
    }

    /// The same by either; by v1 it sees no distances and no shots.
    pub fn join_by(subprotocol: Subprotocol, join: &Join, number: u32, manner: Manner) -> Result<Self> {
        let address = join.server_address.trim_start_matches("ws://").trim_end_matches('/');
        let stream = TcpStream::connect(address).with_context(|| format!("cannot reach the game server at {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut request = format!("ws://{address}/").into_client_request()?;
        request.headers_mut().insert("Sec-WebSocket-Protocol", subprotocol.name().parse()?);
        let (socket, _) = tungstenite::client(request, stream).context("no upgrade")?;
        let (frames, seen) = (VecDeque::new(), Seen::default());
        let mut bot = Self { socket, subprotocol, manner, entity: 0, number, tick: 0, sequence: 0, frames, seen, last: None };
        let handshake = Handshake {
            protocol_version: subprotocol.version(),
            session_token: join.ticket.clone(),
            client_id: join.client_id.clone(),
            timestamp: 0.0,
        };
        bot.tell(&ClientMessage::Handshake(handshake))?;
        bot.entity = bot.welcomed()?;
        bot.socket.get_ref().set_nonblocking(true)?;
        Ok(bot)
    }

    /// Waits for the handshake's answer; answers which entity is this player's.
    fn welcomed(&mut self) -> Result<u64> {
        loop {
            let (success, entity, error) = match self.socket.read()? {
                Message::Binary(frame) => match v2::decode_server(&frame)? {
                    v2::Frame::Message(ServerMessage::HandshakeResponse { success, assigned_entity_id, error, .. }) => {
                        (success, assigned_entity_id, error)
                    }
                    _ => continue,
                },
                Message::Text(text) => {
                    let message: Value = serde_json::from_str(&text)?;
                    if message["type"] != 100 {
                        continue;
                    }
                    (message["success"] == true, message["assigned_entity_id"].as_u64().unwrap_or_default(), message["error"].to_string())
                }
                _ => continue,
            };
            ensure!(success, "not let in: {error}");
            return Ok(entity);
        }
    }

    /// Reads what has come, and says what its controls say now.
    fn play(&mut self) -> Result<()> {
        self.read()?;
        let leg = self.sequence / LEG_TICKS + self.number * 7;
        let angle = (leg.wrapping_mul(2_654_435_761) >> 16) as f32 / 65_536.0 * std::f32::consts::TAU;
        let fire = match self.manner {
            Manner::FiresAlways => true,
            Manner::Lively => (self.sequence + self.number).is_multiple_of(120),
            Manner::Walks => false,
            _ => self.sequence.is_multiple_of(12),
        };
        self.sequence += 1;
        self.frames.push_back(InputFrame {
            client_tick: self.sequence.into(),
            server_tick_ack: self.tick,
            sequence_id: self.sequence,
            movement: [0.0, 0.0, -1.0],
            aim_direction: [angle.sin(), 0.0, -angle.cos()],
            sprint: false,
            fire,
            interact: false,
            jump: false,
        });
        let kept = if self.manner == Manner::Bursts { BURST } else { protocol::limits::INPUT_FRAMES_MAX };
        if self.frames.len() > kept {
            self.frames.pop_front();
        }
        self.say()
    }

    fn say(&mut self) -> Result<()> {
        let newest = *self.frames.back().context("an input")?;
        match self.manner {
            Manner::Honest | Manner::Lively | Manner::Walks | Manner::FiresAlways => {
                let frames = self.frames.iter().copied().collect();
                self.tell(&ClientMessage::Inputs(frames))
            }
            Manner::TenTimes => (0..10).try_for_each(|n| {
                let frame =
                    InputFrame { sequence_id: newest.sequence_id * 10 + n, client_tick: newest.client_tick * 10 + u64::from(n), ..newest };
                self.tell(&ClientMessage::Inputs(vec![frame]))
            }),
            Manner::Replays => {
                let frames: Vec<_> = self.frames.iter().rev().copied().collect();
                frames.into_iter().try_for_each(|frame| self.tell(&ClientMessage::Inputs(vec![frame])))
            }
            Manner::Future => {
                let ahead =
                    InputFrame { sequence_id: newest.sequence_id * 1_000, client_tick: newest.client_tick + 1_000_000_000, ..newest };
                self.tell(&ClientMessage::Inputs(vec![ahead]))
            }
            Manner::NotNumbers => {
                let mut bytes = v2::encode_client(&ClientMessage::Inputs(vec![newest]));
                self.send(Message::binary(bytes.clone()))?;
                // Ten bad ones a second: twenty close the connection.
                if newest.sequence_id.is_multiple_of(6) {
                    let first = bytes.len() - 8;
                    bytes[first] = 0x80;
                    self.send(Message::binary(bytes))?;
                }
                Ok(())
            }
            Manner::Bursts => {
                if (newest.sequence_id as usize).is_multiple_of(BURST) {
                    let frames: Vec<_> = self.frames.iter().copied().collect();
                    frames.into_iter().try_for_each(|frame| self.tell(&ClientMessage::Inputs(vec![frame])))?;
                }
                Ok(())
            }
        }
    }

    fn tell(&mut self, message: &ClientMessage) -> Result<()> {
        match self.subprotocol {
            Subprotocol::Json => self.send(Message::text(v1::encode_client(message))),
            Subprotocol::Binary => self.send(Message::binary(v2::encode_client(message))),
        }
    }

    fn send(&mut self, message: Message) -> Result<()> {
        match self.socket.send(message) {
            Ok(()) => Ok(()),
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn read(&mut self) -> Result<()> {
        loop {
            match self.socket.read() {
                Ok(Message::Binary(frame)) => self.note(&frame)?,
                Ok(Message::Text(text)) => self.note_text(&text),
                Ok(Message::Close(frame)) => bail!("the server closed the connection: {frame:?}"),
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn note(&mut self, frame: &[u8]) -> Result<()> {
        self.seen.bytes += frame.len() as u64;
        match v2::decode_server(frame)? {
            v2::Frame::Snapshot(body) => {
                // Only its head: what a hundred clients do with the rest is not what is measured here.
                let snapshot = v2::Snapshot::decode(body)?;
                self.tick = snapshot.server_tick;
                let now = Instant::now();
                let [x, y, z] = snapshot.own.position;
                if let Some(([u, v, w], at)) = self.last.replace((snapshot.own.position, now)) {
                    self.seen.intervals_ms.push((now - at).as_secs_f64() * 1e3);
                    // Who falls or is put back to the spawn has not walked.
                    let way = (x - u).hypot(z - w);
                    if way < 2.0 && (y - v).abs() < 2.0 {
                        self.seen.distance += f64::from(way);
                    }
                }
                self.seen.snapshots += 1;
            }
            v2::Frame::Message(ServerMessage::EntitySpawn { entity_type: 3, properties, .. }) if properties.owner == self.entity => {
                self.seen.shots += 1;
            }
            v2::Frame::Message(_) | v2::Frame::Chunk(_) => {}
        }
        Ok(())
    }

    /// Of text only the head is read: it is the server that is measured.
    fn note_text(&mut self, text: &str) {
        self.seen.bytes += text.len() as u64;
        let tick = text.strip_prefix(r#"{"type":101,"server_tick":"#).and_then(|rest| rest.split_once(','));
        if let Some(tick) = tick.and_then(|(tick, _)| tick.parse().ok()) {
            self.tick = tick;
            self.seen.snapshots += 1;
        }
    }

    /// Forgets what it has seen so far.
    pub fn begin(&mut self) {
        (self.seen, self.last) = (Seen::default(), None);
    }
}

/// Plays all of them until it is over.
pub fn play(bots: &mut [Bot], over: &AtomicBool) -> Result<()> {
    play_while(bots, || !over.load(Ordering::Relaxed))
}

/// Plays all of them for so long.
pub fn play_for(bots: &mut [Bot], time: Duration) -> Result<()> {
    let since = Instant::now();
    play_while(bots, || since.elapsed() < time)
}

/// Plays whoever arrives, from the moment on in which it does, until it is over; what they have seen since `counts`.
pub fn play_arriving(arrivals: &Receiver<Bot>, counts: &AtomicBool, over: &AtomicBool) -> Result<Vec<Seen>> {
    let (mut bots, mut next, mut counted) = (Vec::new(), Instant::now(), false);
    while !over.load(Ordering::Relaxed) {
        bots.extend(arrivals.try_iter());
        if !counted && counts.load(Ordering::Relaxed) {
            counted = true;
            bots.iter_mut().for_each(Bot::begin);
        }
        play_tick(&mut bots, &mut next)?;
    }
    Ok(bots.into_iter().map(|bot| bot.seen).collect())
}

fn play_while(bots: &mut [Bot], goes_on: impl Fn() -> bool) -> Result<()> {
    let mut next = Instant::now();
    while goes_on() {
        play_tick(bots, &mut next)?;
    }
    Ok(())
}

fn play_tick(bots: &mut [Bot], next: &mut Instant) -> Result<()> {
    for bot in &mut *bots {
        bot.play().with_context(|| format!("a bot that is {:?}", bot.manner))?;
    }
    *next += TICK;
    read_until(bots, *next)
}

/// Reads whatever comes until then, soon after it comes: a snapshot that waits for a bot's next tick would look late.
fn read_until(bots: &mut [Bot], then: Instant) -> Result<()> {
    loop {
        // Looking at all sockets for each that is ready would take longer than the servers do.
        std::thread::sleep(LOOK_INTERVAL.min(then.saturating_duration_since(Instant::now())));
        let left = then.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        let timeout = Timespec { tv_sec: 0, tv_nsec: left.as_nanos() as i64 };
        let mut sockets: Vec<PollFd<'_>> = bots.iter().map(|bot| PollFd::new(bot.socket.get_ref(), PollFlags::IN)).collect();
        poll(&mut sockets, Some(&timeout))?;
        let ready: Vec<bool> = sockets.iter().map(|socket| !socket.revents().is_empty()).collect();
        for (bot, _) in bots.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
            bot.read().with_context(|| format!("a bot that is {:?}", bot.manner))?;
        }
    }
}
