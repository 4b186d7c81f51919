//! A connection to a world that reads no more of what comes than it must.

use anyhow::{Context, Result, bail, ensure};
use examples::Join;
use examples::game::{HANDSHAKE_RESPONSE, SPELL_CAST_REQUEST, STATE_SNAPSHOT, handshake};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

/// Snapshots come 20 times a second: a line that is silent for so long is broken.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// The connection.
pub struct Line {
    socket: WebSocket<TcpStream>,
    /// This player's entity.
    pub entity: u64,
}

/// What has come.
pub enum Heard {
    /// Where everything is, of this tick; the rest is not read.
    Snapshot(u64),
    /// One of the kinds that were asked for.
    Told(Told),
    /// Anything else.
    Other,
}

/// What a message says of a spell, as far as it says it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Told {
    /// The message's.
    #[serde(rename = "type")]
    pub kind: u64,
    pub server_tick: u64,
    pub spell_id: String,
    pub revision_id: Option<String>,
    pub caster_entity_id: u64,
    pub text: String,
    /// What a cast was refused or stopped by.
    pub limit: String,
    /// Empty when it was refused.
    pub hook: String,
}

impl Line {
    /// Connects and shakes hands.
    pub fn join(join: &Join) -> Result<Self> {
        let address = join.server_address.trim_start_matches("ws://").trim_end_matches('/');
        let stream = TcpStream::connect(address).with_context(|| format!("cannot reach the game server at {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        let mut request = format!("ws://{address}/").into_client_request()?;
        request.headers_mut().insert("Sec-WebSocket-Protocol", "ugc.v1.json".parse()?);
        let (socket, _) = tungstenite::client(request, stream).context("no handshake")?;
        let mut line = Self { socket, entity: 0 };
        line.send(&handshake(&join.ticket, &join.client_id))?;
        loop {
            let text = line.text()?;
            if kind(&text) == HANDSHAKE_RESPONSE {
                let answer: Value = serde_json::from_str(&text)?;
                ensure!(answer["success"] == true, "not let in: {}", answer["error"]);
                line.entity = answer["assigned_entity_id"].as_u64().context("no assigned_entity_id")?;
                return Ok(line);
            }
        }
    }

    /// The next message, and when it had come; only those of these kinds are read.
    pub fn hear(&mut self, kinds: &[u64]) -> Result<(Instant, Heard)> {
        let text = self.text()?;
        let at = Instant::now();
        let heard = match kind(&text) {
            STATE_SNAPSHOT => Heard::Snapshot(number(text.split_once(r#""server_tick":"#).context("a snapshot without a tick")?.1)),
            kind if kinds.contains(&kind) => Heard::Told(serde_json::from_str(&text).with_context(|| text.to_string())?),
            _ => Heard::Other,
        };
        Ok((at, heard))
    }

    /// Asks for a cast of the revision that falls to this player.
    pub fn cast(&mut self, spell: &str, target: [f64; 3]) -> Result<()> {
        self.send(&json!({
            "type": SPELL_CAST_REQUEST, "spell_id": spell, "revision_id": "", "target_position": target, "target_entity_id": 0, "extra_params": {}
        }))
    }

    /// Stands still and looks there.
    pub fn look(&mut self, aim: [f64; 3]) -> Result<()> {
        self.send(&json!({
            "type": examples::game::INPUT_FRAME, "client_tick": 1, "server_tick_ack": 0, "sequence_id": 1,
            "movement": [0, 0, 0], "aim_direction": aim, "sprint": false, "fire": false, "interact": false, "jump": false
        }))
    }

    fn send(&mut self, message: &Value) -> Result<()> {
        Ok(self.socket.send(Message::text(message.to_string()))?)
    }

    fn text(&mut self) -> Result<tungstenite::Utf8Bytes> {
        loop {
            match self.socket.read().context("the connection broke")? {
                Message::Text(text) => return Ok(text),
                Message::Close(frame) => bail!("the server closed the connection: {frame:?}"),
                _ => {}
            }
        }
    }
}

/// The server writes the type first.
fn kind(text: &str) -> u64 {
    text.strip_prefix(r#"{"type":"#).map_or(0, number)
}

/// The whole number that a text begins with.
fn number(text: &str) -> u64 {
    text.bytes().take_while(u8::is_ascii_digit).fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
}
