//! What servers say, as JSON.

use crate::Vec3;
use crate::server::{Properties, ServerMessage, rounded1, rounded3};
use serde::Serialize;

/// One entity of a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EntityState {
    /// Which.
    pub id: u64,
    /// 1 player, 2 NPC, 3 projectile, 4 prop.
    pub t: u8,
    /// Position.
    #[serde(serialize_with = "rounded3")]
    pub p: Vec3,
    /// Rotation: euler x, y, z.
    #[serde(serialize_with = "rounded3")]
    pub r: Vec3,
    /// Velocity.
    #[serde(serialize_with = "rounded3")]
    pub v: Vec3,
    /// Health.
    #[serde(serialize_with = "rounded1")]
    pub h: f32,
    /// What does not change, as far as it applies.
    #[serde(skip_serializing_if = "Properties::is_empty")]
    pub x: Properties,
}

/// The client's own player in a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PlayerState {
    /// The last input that was simulated, never the last one received.
    pub seq: u32,
    /// Position.
    #[serde(serialize_with = "rounded3")]
    pub p: Vec3,
    /// Velocity.
    #[serde(serialize_with = "rounded3")]
    pub v: Vec3,
    /// Stands on something.
    pub g: bool,
}

/// Entities as they stand in a snapshot, encoded once for all who see them; several such pieces are joined by [`snapshot`].
pub fn entities(states: &[EntityState]) -> String {
    let list = to_text(&states);
    list[1..list.len() - 1].to_owned()
}

/// A snapshot (101): the tick, pieces made by [`entities`], and the reader's own player.
pub fn snapshot<'a>(server_tick: u64, pieces: impl Iterator<Item = &'a str>, player_state: &PlayerState) -> String {
    let mut text = format!(r#"{{"type":101,"server_tick":{server_tick},"entities":["#);
    let head = text.len();
    for piece in pieces.filter(|piece| !piece.is_empty()) {
        if text.len() > head {
            text.push(',');
        }
        text.push_str(piece);
    }
    text.push_str(r#"],"player_state":"#);
    text.push_str(&to_text(player_state));
    text.push('}');
    text
}

/// The message as text.
pub fn encode_server(message: &ServerMessage) -> String {
    // serde calls a variant by its name, `{"Pong":{...}}`; the wire calls it by its number, among its fields.
    let named = to_text(message);
    let fields = named.find(":{").map_or("", |colon| &named[colon + 2..named.len() - 2]);
    format!(r#"{{"type":{},{fields}}}"#, message.number())
}

fn to_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("our messages have string keys only and write to memory")
}
