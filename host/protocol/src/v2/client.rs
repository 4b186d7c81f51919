//! What clients say, in postcard: fields in their order, integers as varints, floats as they are in memory.

use crate::client::{BadMessage, CastRequest, ChunkRequest, ClientMessage, Handshake, InputFrame, TerraformOp, TerraformRequest, plain};
use crate::limits::{
    CAST_PARAMS_BYTES_MAX, CHUNK_COORDINATE_MAX, CHUNK_CREDITS_MAX, CLIENT_ID_BYTES_MAX, INPUT_FRAMES_MAX, POSITION_MAX_M,
    SESSION_TOKEN_BYTES_MAX, TERRAFORM_RADIUS_MAX_M,
};
use crate::{RevisionId, SpellId, Vec3};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A message as it is on the wire; it borrows, so that no length that it claims is made room for.
#[derive(Serialize, Deserialize)]
enum Wire<'a> {
    Handshake {
        protocol_version: u32,
        session_token: &'a str,
        client_id: &'a str,
        timestamp: f64,
    },
    Inputs {
        server_tick_ack: u64,
        /// Of the newest.
        client_tick: u64,
        /// Of the newest.
        sequence_id: u32,
        /// [`CONTROLS_BYTES`] each, oldest first; ticks and sequence numbers are consecutive.
        controls: &'a [u8],
    },
    Terraform {
        op_type: u8,
        center: Vec3,
        radius: f32,
        material_id: u8,
        client_sequence_id: u32,
    },
    Chunk {
        chunk_id: [i32; 3],
        last_known_version: u64,
    },
    Ping {
        client_time: f64,
    },
    Disconnect,
    Cast {
        spell_id: &'a str,
        revision_id: &'a str,
        target_position: Vec3,
        target_entity_id: u64,
        /// A JSON object as text.
        extra_params: &'a str,
    },
    ChunkCredits {
        credits: u32,
    },
    Chat {
        text: &'a str,
    },
}

/// Movement: three signed bytes, 127 is 1. Aim: see [`aim`], two little-endian numbers of 16 bits. Buttons: one byte.
const CONTROLS_BYTES: usize = 8;
const SPRINT: u8 = 1;
const FIRE: u8 = 2;
const INTERACT: u8 = 4;
const JUMP: u8 = 8;

/// The message in these bytes, all of it in range, or why there is none.
///
/// # Errors
/// They are no message, not all of them, or a field is out of range.
pub fn decode_client(bytes: &[u8]) -> Result<ClientMessage, BadMessage> {
    let (wire, rest) = postcard::take_from_bytes::<Wire<'_>>(bytes).map_err(|error| BadMessage(format!("not a message: {error}")))?;
    if !rest.is_empty() {
        return Err(BadMessage(format!("{} bytes follow the message", rest.len())));
    }
    Ok(match wire {
        Wire::Handshake { protocol_version, session_token, client_id, timestamp } => ClientMessage::Handshake(Handshake {
            protocol_version,
            session_token: text("session_token", session_token, 1, SESSION_TOKEN_BYTES_MAX)?,
            client_id: text("client_id", client_id, 0, CLIENT_ID_BYTES_MAX)?,
            timestamp: finite("timestamp", timestamp)?,
        }),
        Wire::Inputs { server_tick_ack, client_tick, sequence_id, controls } => {
            ClientMessage::Inputs(inputs(server_tick_ack, client_tick, sequence_id, controls)?)
        }
        Wire::Terraform { op_type, center, radius, material_id, client_sequence_id } => {
            let op = match op_type {
                1 => TerraformOp::Add,
                2 => TerraformOp::Subtract,
                3 => TerraformOp::Paint,
                _ => return Err(BadMessage("field op_type must be an integer from 1 to 3".into())),
            };
            if !(radius > 0.0 && radius <= TERRAFORM_RADIUS_MAX_M) {
                return Err(BadMessage(format!("field radius must be above 0 and at most {TERRAFORM_RADIUS_MAX_M}")));
            }
            let center = position("center", center)?;
            ClientMessage::Terraform(TerraformRequest { op, center, radius, material_id, client_sequence_id })
        }
        Wire::Chunk { chunk_id, last_known_version } => {
            if chunk_id.iter().any(|n| n.unsigned_abs() > CHUNK_COORDINATE_MAX as u32) {
                let reason = format!("field chunk_id must be three integers of at most {CHUNK_COORDINATE_MAX} in magnitude");
                return Err(BadMessage(reason));
            }
            ClientMessage::Chunk(ChunkRequest { chunk_id, last_known_version })
        }
        Wire::Ping { client_time } => ClientMessage::Ping { client_time: finite("client_time", client_time)? },
        Wire::Disconnect => ClientMessage::Disconnect,
        Wire::Cast { spell_id, revision_id, target_position, target_entity_id, extra_params } => ClientMessage::Cast(CastRequest {
            spell_id: SpellId::new(spell_id).map_err(|_| BadMessage("field spell_id must match [a-z][a-z0-9_]{1,63}".into()))?,
            revision_id: revision(revision_id)?,
            target_position: position("target_position", target_position)?,
            target_entity_id,
            extra_params: params(extra_params)?,
        }),
        Wire::ChunkCredits { credits: credits @ 1..=CHUNK_CREDITS_MAX } => ClientMessage::ChunkCredits(credits),
        Wire::Chat { text } => ClientMessage::Chat(plain(text)?),
        Wire::ChunkCredits { .. } => return Err(BadMessage(format!("field credits must be an integer from 1 to {CHUNK_CREDITS_MAX}"))),
    })
}

/// The message as bytes, as a client sends it. Inputs must be consecutive; only the newest [`INPUT_FRAMES_MAX`] are sent.
pub fn encode_client(message: &ClientMessage) -> Vec<u8> {
    let mut controls = Vec::new();
    let wire = match message {
        ClientMessage::Handshake(m) => Wire::Handshake {
            protocol_version: m.protocol_version,
            session_token: &m.session_token,
            client_id: &m.client_id,
            timestamp: m.timestamp,
        },
        ClientMessage::Inputs(frames) => {
            let frames = &frames[frames.len().saturating_sub(INPUT_FRAMES_MAX)..];
            frames.iter().for_each(|frame| controls.extend(packed(frame)));
            let newest = frames.last();
            Wire::Inputs {
                server_tick_ack: newest.map_or(0, |m| m.server_tick_ack),
                client_tick: newest.map_or(0, |m| m.client_tick),
                sequence_id: newest.map_or(0, |m| m.sequence_id),
                controls: &controls,
            }
        }
        ClientMessage::Terraform(m) => Wire::Terraform {
            op_type: m.op as u8,
            center: m.center,
            radius: m.radius,
            material_id: m.material_id,
            client_sequence_id: m.client_sequence_id,
        },
        ClientMessage::Chunk(m) => Wire::Chunk { chunk_id: m.chunk_id, last_known_version: m.last_known_version },
        ClientMessage::Ping { client_time } => Wire::Ping { client_time: *client_time },
        ClientMessage::Disconnect => Wire::Disconnect,
        ClientMessage::Cast(m) => Wire::Cast {
            spell_id: m.spell_id.as_str(),
            revision_id: m.revision_id.as_ref().map_or("", RevisionId::as_str),
            target_position: m.target_position,
            target_entity_id: m.target_entity_id,
            extra_params: &m.extra_params,
        },
        ClientMessage::ChunkCredits(credits) => Wire::ChunkCredits { credits: *credits },
        ClientMessage::Chat(text) => Wire::Chat { text },
    };
    postcard::to_stdvec(&wire).expect("a message has no type that postcard refuses")
}

/// The controls as a server will understand them: what a client that predicts its own movement must predict with.
pub fn as_sent(frame: &InputFrame) -> InputFrame {
    unpacked(&packed(frame), frame.server_tick_ack, frame.client_tick, frame.sequence_id).unwrap_or(*frame)
}

fn inputs(server_tick_ack: u64, client_tick: u64, sequence_id: u32, controls: &[u8]) -> Result<Vec<InputFrame>, BadMessage> {
    let (controls, rest) = controls.as_chunks::<CONTROLS_BYTES>();
    if !rest.is_empty() || !(1..=INPUT_FRAMES_MAX).contains(&controls.len()) {
        return Err(BadMessage(format!("field controls must be 1 to {INPUT_FRAMES_MAX} times {CONTROLS_BYTES} bytes")));
    }
    let earliest = controls.len() as u32 - 1;
    if sequence_id < earliest || client_tick < u64::from(earliest) {
        return Err(BadMessage(format!("field controls has {} inputs, and there were not so many before", controls.len())));
    }
    let ages = (0..=earliest).rev();
    controls
        .iter()
        .zip(ages)
        .map(|(bytes, age)| unpacked(bytes, server_tick_ack, client_tick - u64::from(age), sequence_id - age))
        .collect()
}

fn packed(frame: &InputFrame) -> [u8; CONTROLS_BYTES] {
    let [x, y, z] = frame.movement.map(|axis| (axis.clamp(-1.0, 1.0) * 127.0).round() as i8 as u8);
    let [u, v] = aim::pack(frame.aim_direction).map(u16::to_le_bytes);
    let flag = |on: bool, bit: u8| if on { bit } else { 0 };
    let buttons = flag(frame.sprint, SPRINT) | flag(frame.fire, FIRE) | flag(frame.interact, INTERACT) | flag(frame.jump, JUMP);
    [x, y, z, u[0], u[1], v[0], v[1], buttons]
}

fn unpacked(bytes: &[u8; CONTROLS_BYTES], server_tick_ack: u64, client_tick: u64, sequence_id: u32) -> Result<InputFrame, BadMessage> {
    let [x, y, z, u0, u1, v0, v1, buttons] = *bytes;
    if [x, y, z].contains(&0x80) {
        return Err(BadMessage("field movement must be three numbers from -127 to 127".into()));
    }
    if buttons & !(SPRINT | FIRE | INTERACT | JUMP) != 0 {
        return Err(BadMessage("field buttons has bits that mean nothing".into()));
    }
    Ok(InputFrame {
        client_tick,
        server_tick_ack,
        sequence_id,
        movement: [x, y, z].map(|axis| f32::from(axis as i8) / 127.0),
        aim_direction: aim::unpack([u16::from_le_bytes([u0, u1]), u16::from_le_bytes([v0, v1])]),
        sprint: buttons & SPRINT != 0,
        fire: buttons & FIRE != 0,
        interact: buttons & INTERACT != 0,
        jump: buttons & JUMP != 0,
    })
}

/// A direction as a point of an octahedron's unfolded surface: Cigolle et al., "A Survey of Efficient Representations for Independent Unit Vectors"
/// (JCGT 3(2), 2014). Off by at most 0.005 degrees. Only additions, divisions and square roots, which have the same bits on every machine.
mod aim {
    use crate::Vec3;

    const HALF: f32 = 32_767.0;

    pub fn pack(direction: Vec3) -> [u16; 2] {
        let [x, y, z] = direction;
        let length = x.abs() + y.abs() + z.abs();
        if !(length > 0.0 && length.is_finite()) {
            return pack([0.0, 0.0, -1.0]);
        }
        let (u, v) = (x / length, y / length);
        let (u, v) = if z < 0.0 { folded(u, v) } else { (u, v) };
        [u, v].map(|axis| (axis.clamp(-1.0, 1.0) * HALF + HALF).round() as u16)
    }

    pub fn unpack(packed: [u16; 2]) -> Vec3 {
        let [u, v] = packed.map(|axis| (f32::from(axis) - HALF) / HALF);
        let z = 1.0 - u.abs() - v.abs();
        let (x, y) = if z < 0.0 { folded(u, v) } else { (u, v) };
        let length = (x * x + y * y + z * z).sqrt();
        // Never near 0: the surface of the octahedron is at least 0.57 from its middle.
        [x / length, y / length, z / length]
    }

    /// The lower half's corners are folded outward.
    fn folded(u: f32, v: f32) -> (f32, f32) {
        ((1.0 - v.abs()) * 1.0_f32.copysign(u), (1.0 - u.abs()) * 1.0_f32.copysign(v))
    }
}

fn finite(name: &str, number: f64) -> Result<f64, BadMessage> {
    if number.is_finite() { Ok(number) } else { Err(BadMessage(format!("field {name} must be a finite number"))) }
}

fn text(name: &str, text: &str, least: usize, most: usize) -> Result<String, BadMessage> {
    if (least..=most).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err(BadMessage(format!("field {name} must be a string of {least} to {most} bytes")))
    }
}

fn position(name: &str, vector: Vec3) -> Result<Vec3, BadMessage> {
    // NaN is not at most anything.
    if vector.iter().all(|n| n.abs() <= POSITION_MAX_M) {
        Ok(vector)
    } else {
        Err(BadMessage(format!("field {name} must be three finite numbers of at most {POSITION_MAX_M} in magnitude")))
    }
}

fn revision(text: &str) -> Result<Option<RevisionId>, BadMessage> {
    let id = (!text.is_empty()).then(|| RevisionId::new(text)).transpose();
    id.map_err(|_| BadMessage("field revision_id must be empty or look like rev_000001_0a1b2c3d".into()))
}

/// As compact text with sorted keys.
fn params(text: &str) -> Result<String, BadMessage> {
    let too_long = |bytes| BadMessage(format!("field extra_params must be at most {CAST_PARAMS_BYTES_MAX} bytes as JSON, not {bytes}"));
    if text.len() > CAST_PARAMS_BYTES_MAX {
        return Err(too_long(text.len()));
    }
    let object: Map<String, Value> =
        serde_json::from_str(text).map_err(|_| BadMessage("field extra_params must be a JSON object".into()))?;
    let text = Value::Object(object).to_string();
    if text.len() > CAST_PARAMS_BYTES_MAX { Err(too_long(text.len())) } else { Ok(text) }
}
