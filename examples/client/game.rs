//! A world as a client sees it: one connection that speaks `ugc.v1.json`.

use crate::Join;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};
use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket};

/// Messages that an error shows when what was waited for did not come.
const RECENT_MESSAGES_MAX: usize = 8;
/// The handshake's answer comes in the next tick; this is for a machine that is busy.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Names on the wire.
pub const HANDSHAKE: u64 = 1;
/// See PROTOCOL: what a player's controls say.
pub const INPUT_FRAME: u64 = 2;
/// A question for the server's tick.
pub const PING: u64 = 5;
/// A wish to cast.
pub const SPELL_CAST_REQUEST: u64 = 7;
/// The handshake's answer.
pub const HANDSHAKE_RESPONSE: u64 = 100;
/// Where everything is, 20 times a second.
pub const STATE_SNAPSHOT: u64 = 101;
/// Something appeared.
pub const ENTITY_SPAWN: u64 = 102;
/// Something is gone.
pub const ENTITY_DESPAWN: u64 = 103;
/// A projectile met something.
pub const PROJECTILE_HIT: u64 = 104;
/// The answer to a ping.
pub const PONG: u64 = 108;
/// A message was not understood or not granted.
pub const ERROR: u64 = 109;
/// A cast began.
pub const SPELL_CAST_EVENT: u64 = 112;
/// A cosmetic cue.
pub const SPELL_EFFECT: u64 = 120;
/// A cast was refused or stopped; only its caster is told.
pub const SPELL_CAST_REJECTED: u64 = 121;
/// New casts of a spell run another revision.
pub const SPELL_ACTIVE_UPDATE: u64 = 122;
/// A spell has a text for people.
pub const SPELL_TEXT: u64 = 123;

/// A player's connection to a world.
#[derive(Debug)]
pub struct Game {
    /// What is said goes out here.
    socket: WebSocket<TcpStream>,
    /// What has come: a thread of its own reads, so that the server's pings are answered while nobody looks here.
    incoming: Receiver<Result<Message, tungstenite::Error>>,
    /// This player's entity.
    pub entity_id: u64,
    /// What the server has shown so far.
    pub entities: BTreeMap<u64, Entity>,
    /// The last tick heard of.
    pub server_tick: u64,
    sequence: u64,
    recent: VecDeque<String>,
}

/// An entity as last shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entity {
    /// 1 player, 2 NPC, 3 projectile, 4 prop.
    pub kind: u64,
    /// A handle or a name; empty for projectiles.
    pub name: String,
    /// Metres; y is up.
    pub position: [f64; 3],
    /// 0 for what has no health.
    pub health: f64,
}

impl Game {
    /// Connects and shakes hands.
    pub fn join(join: &Join) -> Result<Self> {
        let mut game = Self::connect(&join.server_address)?;
        game.shake_hands(join)?;
        Ok(game)
    }

    /// Connects without a word.
    pub fn connect(server_address: &str) -> Result<Self> {
        let address = server_address.trim_start_matches("ws://").trim_end_matches('/');
        let stream = TcpStream::connect(address).with_context(|| format!("cannot reach the game server at {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(HANDSHAKE_TIMEOUT))?;
        let mut request = format!("ws://{address}/").into_client_request()?;
        request.headers_mut().insert("Sec-WebSocket-Protocol", "ugc.v1.json".parse()?);
        let (reading, _) = tungstenite::client(request, stream).with_context(|| format!("{address} does not speak ugc.v1.json"))?;
        reading.get_ref().set_read_timeout(None)?;
        let socket = WebSocket::from_raw_socket(reading.get_ref().try_clone()?, Role::Client, None);
        let (sender, incoming) = channel();
        thread::spawn(move || read_on(reading, &sender));
        Ok(Self { socket, incoming, entity_id: 0, entities: BTreeMap::new(), server_tick: 0, sequence: 0, recent: VecDeque::new() })
    }

    /// Hands the ticket over and waits to be let in.
    pub fn shake_hands(&mut self, join: &Join) -> Result<()> {
        self.send(&handshake(&join.ticket, &join.client_id))?;
        let answer = self.wait_for("the handshake's answer", HANDSHAKE_TIMEOUT, |_, message| is(message, HANDSHAKE_RESPONSE))?;
        if answer["success"] != true {
            bail!("not let in: {}", answer["error"]);
        }
        self.entity_id = answer["assigned_entity_id"].as_u64().context("no assigned_entity_id")?;
        Ok(())
    }

    /// Asks for a cast of the active revision at a point.
    pub fn cast(&mut self, spell_id: &str, target_position: [f64; 3], target_entity_id: u64) -> Result<()> {
        self.cast_revision(spell_id, "", target_position, target_entity_id)
    }

    /// Asks for a cast of a certain revision at a point.
    pub fn cast_revision(&mut self, spell_id: &str, revision_id: &str, target_position: [f64; 3], target_entity_id: u64) -> Result<()> {
        self.send(&json!({
            "type": SPELL_CAST_REQUEST, "spell_id": spell_id, "revision_id": revision_id, "target_position": target_position,
            "target_entity_id": target_entity_id, "extra_params": {}
        }))
    }

    /// Stands still and looks along `aim`.
    pub fn look(&mut self, aim: [f64; 3]) -> Result<()> {
        self.input([0.0; 3], aim, false)
    }

    /// Looks from the player's eye at a point.
    pub fn look_at(&mut self, point: [f64; 3]) -> Result<()> {
        let from = self.me().map(|me| me.position).unwrap_or_default();
        let way = [point[0] - from[0], point[1] - from[1], point[2] - from[2]];
        let length = way.iter().map(|axis| axis * axis).sum::<f64>().sqrt();
        self.look(if length > 0.001 { way.map(|axis| axis / length) } else { [0.0, 0.0, -1.0] })
    }

    /// Sends one frame of controls; answers with its number.
    pub fn input(&mut self, movement: [f64; 3], aim: [f64; 3], jump: bool) -> Result<()> {
        self.sequence += 1;
        self.send(&json!({
            "type": INPUT_FRAME, "client_tick": self.sequence, "server_tick_ack": self.server_tick, "sequence_id": self.sequence,
            "movement": movement, "aim_direction": aim, "sprint": false, "fire": false, "interact": false, "jump": jump
        }))
    }

    /// The number of the last input frame.
    pub fn last_input(&self) -> u64 {
        self.sequence
    }

    /// This player's own entity, once shown.
    pub fn me(&self) -> Option<&Entity> {
        self.entities.get(&self.entity_id)
    }

    /// The first entity of that kind and name, by id.
    pub fn find(&self, kind: u64, name: &str) -> Option<u64> {
        self.entities.iter().find(|(_, entity)| entity.kind == kind && (name.is_empty() || entity.name == name)).map(|(id, _)| *id)
    }

    /// An entity's health as last shown, or 0.
    pub fn health(&self, id: u64) -> f64 {
        self.entities.get(&id).map_or(0.0, |entity| entity.health)
    }

    /// Sends a message.
    pub fn send(&mut self, message: &Value) -> Result<()> {
        self.send_text(&message.to_string())
    }

    /// Sends any text, well formed or not.
    pub fn send_text(&mut self, text: &str) -> Result<()> {
        Ok(self.socket.send(Message::text(text))?)
    }

    /// Reads on until `pick` answers; what came before has updated the picture. Fails at the deadline, and shows what did come.
    pub fn wait_for<T>(&mut self, what: &str, timeout: Duration, mut pick: impl FnMut(&Self, &Value) -> Option<T>) -> Result<T> {
        let deadline = Instant::now() + timeout;
        loop {
            let Some(message) = self.next(deadline)? else {
                bail!("waited {timeout:?} for {what}; the last messages were:\n  {}", Vec::from(self.recent.clone()).join("\n  "));
            };
            if let Some(answer) = pick(self, &message) {
                return Ok(answer);
            }
        }
    }

    /// The next message, or none by the deadline.
    pub fn next(&mut self, deadline: Instant) -> Result<Option<Value>> {
        loop {
            match self.incoming.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(Ok(Message::Text(text))) => {
                    let message = serde_json::from_str(&text).with_context(|| format!("not JSON: {text}"))?;
                    self.remember(&text);
                    self.update(&message);
                    return Ok(Some(message));
                }
                Ok(Ok(Message::Close(frame))) => bail!("the server closed the connection: {frame:?}"),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(error).context("the connection to the game server broke"),
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => bail!("the connection to the game server has ended"),
            }
        }
    }

    fn remember(&mut self, text: &str) {
        if self.recent.len() == RECENT_MESSAGES_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(text.chars().take(240).collect());
    }

    /// Takes a message into the picture.
    fn update(&mut self, message: &Value) {
        if let Some(tick) = message["server_tick"].as_u64() {
            self.server_tick = self.server_tick.max(tick);
        }
        match message["type"].as_u64() {
            Some(STATE_SNAPSHOT) => message["entities"].as_array().into_iter().flatten().for_each(|entity| self.update_entity(entity)),
            Some(ENTITY_SPAWN) => self.add_entity(message),
            Some(ENTITY_DESPAWN) => {
                message["entity_id"].as_u64().map(|id| self.entities.remove(&id));
            }
            _ => {}
        }
    }

    fn add_entity(&mut self, spawn: &Value) {
        let Some(id) = spawn["entity_id"].as_u64() else { return };
        let entity = self.entities.entry(id).or_default();
        entity.kind = spawn["entity_type"].as_u64().unwrap_or_default();
        entity.name = spawn["properties"]["name"].as_str().unwrap_or_default().to_owned();
        entity.position = vector(&spawn["position"]);
    }

    fn update_entity(&mut self, shown: &Value) {
        let Some(id) = shown["id"].as_u64() else { return };
        let entity = self.entities.entry(id).or_default();
        entity.kind = shown["t"].as_u64().unwrap_or(entity.kind);
        entity.position = vector(&shown["p"]);
        entity.health = shown["h"].as_f64().unwrap_or(entity.health);
        if let Some(name) = shown["x"]["name"].as_str() {
            entity.name = name.to_owned();
        }
    }
}

/// The first message of a connection.
pub fn handshake(ticket: &str, client_id: &str) -> Value {
    json!({ "type": HANDSHAKE, "protocol_version": 1, "session_token": ticket, "client_id": client_id, "timestamp": 0 })
}

/// The message itself when it has that type.
pub fn is(message: &Value, kind: u64) -> Option<Value> {
    (message["type"] == kind).then(|| message.clone())
}

fn vector(value: &Value) -> [f64; 3] {
    [0, 1, 2].map(|axis| value[axis].as_f64().unwrap_or_default())
}

/// Reads until the connection ends, and hands everything over. It has the only other hold on the connection, and answers pings and the close frame.
fn read_on(mut socket: WebSocket<TcpStream>, sender: &Sender<Result<Message, tungstenite::Error>>) {
    loop {
        let message = socket.read();
        let is_over = message.is_err();
        if sender.send(message).is_err() || is_over {
            return;
        }
    }
}

impl Drop for Game {
    fn drop(&mut self) {
        // Or the thread that reads would hold it open.
        let _ = self.socket.get_ref().shutdown(Shutdown::Both);
    }
}
