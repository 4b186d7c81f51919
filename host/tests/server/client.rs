//! A raw WebSocket client that waits for events, each with a deadline. Whatever it speaks, tests see messages as those of v1.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::{Compression, write::GzEncoder};
use host::subprotocol::Subprotocol;
use protocol::{v1, v2};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::client::Response;
use tungstenite::{Error, Message, WebSocket};

/// Far above what anything here takes on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(20);

pub struct Client {
    pub socket: WebSocket<TcpStream>,
    speech: Subprotocol,
    mirror: Mirror,
}

impl Client {
    pub fn connect(address: SocketAddr, speech: Subprotocol) -> Self {
        Self::over(TcpStream::connect(address).expect("the server listens"), Some(speech.name())).expect("the upgrade is granted").0
    }

    /// The upgrade over this stream, asking for this subprotocol.
    pub fn over(stream: TcpStream, subprotocol: Option<&str>) -> Result<(Self, Response), Box<Error>> {
        stream.set_read_timeout(Some(DEADLINE)).expect("a socket option");
        let mut request = "ws://test/".into_client_request().expect("a good address");
        if let Some(name) = subprotocol {
            request.headers_mut().insert("sec-websocket-protocol", name.parse().expect("a good header"));
        }
        match tungstenite::client(request, stream) {
            Ok((socket, response)) => {
                let chosen = response.headers().get("sec-websocket-protocol");
                let binary = chosen.is_some_and(|name| name == Subprotocol::Binary.name());
                let speech = if binary { Subprotocol::Binary } else { Subprotocol::Json };
                Ok((Self { socket, speech, mirror: Mirror::default() }, response))
            }
            Err(tungstenite::HandshakeError::Failure(error)) => Err(Box::new(error)),
            Err(tungstenite::HandshakeError::Interrupted(_)) => panic!("the upgrade took too long"),
        }
    }

    /// A good message, as one of v1.
    pub fn send(&mut self, message: &Value) {
        assert!(self.try_send(message), "the connection takes the message");
    }

    /// Whether the connection takes a good message.
    pub fn try_send(&mut self, message: &Value) -> bool {
        let mut message = message.clone();
        let frame = match self.speech {
            Subprotocol::Json => Message::text(message.to_string()),
            Subprotocol::Binary => {
                if message["type"] == 2 {
                    // Whoever acknowledges gets differences.
                    message["server_tick_ack"] = self.mirror.tick.into();
                }
                Message::binary(v2::encode_client(&v1::decode_client(&message.to_string()).expect("a good message")))
            }
        };
        self.socket.send(frame).is_ok()
    }

    pub fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).expect("the connection takes the message");
    }

    pub fn handshake(&mut self, ticket: &str, client_id: &str) {
        self.send(
            &json!({"type": 1, "protocol_version": self.speech.version(), "session_token": ticket, "client_id": client_id, "timestamp": 0}),
        );
    }

    pub fn ping(&mut self, client_time: u32) {
        self.send(&json!({"type": 5, "client_time": client_time}));
    }

    pub fn input(&mut self, sequence: u32, movement: [f32; 3]) {
        self.send(&json!({
            "type": 2, "client_tick": 1, "server_tick_ack": 1, "sequence_id": sequence, "movement": movement, "aim_direction": [0, 0, -1],
            "sprint": false, "fire": false, "interact": false, "jump": false,
        }));
    }

    /// Takes a ball out of the ground.
    pub fn terraform(&mut self, center: [f32; 3], radius: f32, sequence: u32) {
        self.send(&json!({"type": 3, "op_type": 2, "center": center, "radius": radius, "material_id": 0, "client_sequence_id": sequence}));
    }

    /// A chunk as the server has it.
    pub fn chunk(&mut self, chunk: [i32; 3]) -> Value {
        self.send(&json!({"type": 4, "chunk_id": chunk, "last_known_version": 0}));
        self.wait_for(107, |data| data["chunk_id"] == json!(chunk))
    }

    pub fn cast(&mut self, spell: &str) {
        self.send(&json!({
            "type": 7, "spell_id": spell, "revision_id": "", "target_position": [0, 1, 0], "target_entity_id": 0, "extra_params": {},
        }));
    }

    /// The tick of the next snapshot.
    pub fn tick(&mut self) -> u64 {
        self.wait_for(101, |_| true)["server_tick"].as_u64().expect("a tick")
    }

    /// Plays on for so many ticks of the world; answers how long that took, and the longest pause between two snapshots.
    pub fn play(&mut self, ticks: u64) -> (Duration, Duration) {
        let (first, began) = (self.tick(), Instant::now());
        let (mut last, mut pause) = (began, Duration::ZERO);
        while self.tick() < first + ticks {
            pause = pause.max(last.elapsed());
            last = Instant::now();
        }
        (began.elapsed(), pause)
    }

    /// Reads what has come, and what comes until nothing comes for so long; the tick of the newest snapshot.
    pub fn drain(&mut self, quiet: Duration) -> Option<u64> {
        self.socket.get_ref().set_read_timeout(Some(quiet)).expect("a socket option");
        let mut tick = None;
        while let Ok(message) = self.read() {
            tick = message["server_tick"].as_u64().filter(|_| message["type"] == 101).or(tick);
        }
        self.socket.get_ref().set_read_timeout(Some(DEADLINE)).expect("a socket option");
        tick
    }

    /// The next message.
    pub fn next(&mut self) -> Value {
        match self.read() {
            Ok(value) => value,
            Err(end) => panic!("the connection ended with {end:?}"),
        }
    }

    /// The next message of this type for which `wanted` holds; others are passed over.
    pub fn wait_for(&mut self, number: u64, wanted: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        while started.elapsed() < DEADLINE {
            let message = self.next();
            if message["type"] == number && wanted(&message) {
                return message;
            }
        }
        panic!("no such message of type {number} came in time");
    }

    /// Reads until the server closes, and answers its code and words.
    pub fn wait_for_close(&mut self) -> (u16, String) {
        loop {
            match self.read() {
                Ok(_) => {}
                Err(End::Closed(code, reason)) => return (code, reason),
                Err(end) => panic!("no close frame but {end:?}"),
            }
        }
    }

    fn read(&mut self) -> Result<Value, End> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => return Ok(serde_json::from_str(&text).expect("servers send JSON")),
                Ok(Message::Binary(frame)) => return Ok(self.mirror.read(&frame)),
                Ok(Message::Close(frame)) => {
                    let frame = frame.expect("our server says why");
                    return Err(End::Closed(frame.code.into(), frame.reason.to_string()));
                }
                Ok(_) => {}
                Err(error) => return Err(End::Broken(error.to_string())),
            }
        }
    }
}

/// What a client of v2 keeps to understand the next snapshot.
#[derive(Default)]
struct Mirror {
    reader: v2::Reader,
    /// Of the newest snapshot.
    tick: u64,
    /// Those that the client was told of, with what does not change of them.
    spawned: BTreeMap<u64, protocol::server::Properties>,
    /// As they were in the last snapshot that had them.
    entities: BTreeMap<u64, v2::EntityState>,
}

impl Mirror {
    /// What the frame says, in the words of v1.
    fn read(&mut self, frame: &[u8]) -> Value {
        let text = match v2::decode_server(frame).expect("a frame of ours") {
            v2::Frame::Message(message) => {
                self.note(&message);
                v1::encode_server(&message)
            }
            v2::Frame::Chunk(chunk) => {
                let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
                gzip.write_all(&*chunk.voxels).expect("memory takes all");
                let data = BASE64_STANDARD.encode(gzip.finish().expect("memory takes all"));
                let (chunk_id, version) = (chunk.chunk_id, chunk.version.into());
                v1::encode_server(&protocol::ServerMessage::ChunkData { chunk_id, version, data, compressed: true })
            }
            v2::Frame::Snapshot(body) => {
                let view = self.reader.read(body).expect("a snapshot that follows from what was acknowledged");
                self.tick = view.server_tick;
                self.entities.extend(view.entities.iter().map(|entity| (entity.id, *entity)));
                let seen = self.spawned.iter().filter_map(|(id, properties)| Some(state(self.entities.get(id)?, properties)));
                let v2::OwnState { sequence, position, velocity, grounded } = view.own;
                let own = v1::PlayerState { seq: sequence, p: position, v: velocity, g: grounded };
                let entities = v1::entities(&seen.collect::<Vec<_>>());
                v1::snapshot(view.server_tick, std::iter::once(entities.as_str()), &own)
            }
        };
        serde_json::from_str(&text).expect("JSON")
    }

    fn note(&mut self, message: &protocol::ServerMessage) {
        match message {
            protocol::ServerMessage::EntitySpawn { entity_id, properties, .. } => {
                let before = self.spawned.insert(*entity_id, properties.clone());
                assert_eq!(before, None, "{entity_id} has appeared twice");
            }
            protocol::ServerMessage::EntityDespawn { entity_id, .. } => {
                self.spawned.remove(entity_id).expect("only who has appeared disappears");
                self.entities.remove(entity_id);
            }
            _ => {}
        }
    }
}

/// Velocities are not on this wire, and no test here asks for the others' rotations.
fn state(entity: &v2::EntityState, properties: &protocol::server::Properties) -> v1::EntityState {
    let (p, h) = (entity.position_m(), entity.health.into());
    v1::EntityState { id: entity.id, t: entity.kind, p, r: [0.0; 3], v: [0.0; 3], h, x: properties.clone() }
}

#[derive(Debug)]
#[allow(dead_code, reason = "read by a failing test's reader")]
enum End {
    Closed(u16, String),
    Broken(String),
}
