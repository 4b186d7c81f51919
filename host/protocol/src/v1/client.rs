//! What clients say, as JSON.

use crate::client::{BadMessage, CastRequest, ChunkRequest, ClientMessage, Handshake, InputFrame, TerraformOp, TerraformRequest, plain};
use crate::limits::{
    CAST_PARAMS_BYTES_MAX, CHAT_BYTES_MAX, CHUNK_COORDINATE_MAX, CLIENT_ID_BYTES_MAX, MATERIALS_MAX, POSITION_MAX_M,
    SESSION_TOKEN_BYTES_MAX, TERRAFORM_RADIUS_MAX_M,
};
use crate::{RevisionId, SpellId, Vec3};
use serde_json::{Map, Value, json};

/// The message in this text, all of it in range, or why there is none.
///
/// # Errors
/// It is not JSON, its type is unknown, or a field is missing or out of range.
pub fn decode_client(text: &str) -> Result<ClientMessage, BadMessage> {
    let value: Value = serde_json::from_str(text).map_err(|error| BadMessage(format!("not JSON: {error}")))?;
    let Value::Object(object) = value else { return Err(BadMessage("a message is a JSON object".into())) };
    let fields = Fields(&object);
    match fields.integer("type", 0, u64::from(u16::MAX))? {
        1 => fields.handshake(),
        2 => fields.input(),
        3 => fields.terraform(),
        4 => fields.chunk(),
        5 => Ok(ClientMessage::Ping { client_time: fields.number("client_time")? }),
        6 => Ok(ClientMessage::Disconnect),
        7 => fields.cast(),
        8 => Ok(ClientMessage::Chat(plain(fields.text("text", 1, CHAT_BYTES_MAX)?)?)),
        unknown => Err(BadMessage(format!("type {unknown} is unknown: a client sends 1 to 8"))),
    }
}

/// The message as text, as a client sends it. Of several inputs it is the newest.
pub fn encode_client(message: &ClientMessage) -> String {
    let value = match message {
            ClientMessage::Handshake(m) => json!({
                "type": 1, "protocol_version": m.protocol_version, "session_token": m.session_token, "client_id": m.client_id, "timestamp": m.timestamp,
            }),
            ClientMessage::Inputs(frames) => frames.last().map_or(Value::Null, |m| json!({
                "type": 2, "client_tick": m.client_tick, "server_tick_ack": m.server_tick_ack, "sequence_id": m.sequence_id, "movement": m.movement,
                "aim_direction": m.aim_direction, "sprint": m.sprint, "fire": m.fire, "interact": m.interact, "jump": m.jump,
            })),
            ClientMessage::Terraform(m) => json!({
                "type": 3, "op_type": m.op as u8, "center": m.center, "radius": m.radius, "material_id": m.material_id,
                "client_sequence_id": m.client_sequence_id,
            }),
            ClientMessage::Chunk(m) => json!({ "type": 4, "chunk_id": m.chunk_id, "last_known_version": m.last_known_version }),
            ClientMessage::Ping { client_time } => json!({ "type": 5, "client_time": client_time }),
            ClientMessage::Disconnect => json!({ "type": 6 }),
            ClientMessage::Chat(text) => json!({ "type": 8, "text": text }),
            // v1 has no word for it.
            ClientMessage::ChunkCredits(_) => Value::Null,
            ClientMessage::Cast(m) => json!({
                "type": 7, "spell_id": m.spell_id, "revision_id": m.revision_id.as_ref().map_or("", RevisionId::as_str),
                "target_position": m.target_position, "target_entity_id": m.target_entity_id,
                "extra_params": serde_json::from_str::<Map<String, Value>>(&m.extra_params).unwrap_or_default(),
            }),
        };
    value.to_string()
}

/// A message's fields, taken out one by one by name and range. Unknown fields are left alone, so that newer clients may say more.
struct Fields<'a>(&'a Map<String, Value>);

impl Fields<'_> {
    fn handshake(&self) -> Result<ClientMessage, BadMessage> {
        Ok(ClientMessage::Handshake(Handshake {
            protocol_version: self.u32("protocol_version")?,
            session_token: self.text("session_token", 1, SESSION_TOKEN_BYTES_MAX)?.to_owned(),
            client_id: self.text("client_id", 0, CLIENT_ID_BYTES_MAX)?.to_owned(),
            timestamp: self.number("timestamp")?,
        }))
    }

    fn input(&self) -> Result<ClientMessage, BadMessage> {
        Ok(ClientMessage::Inputs(vec![InputFrame {
            client_tick: self.integer("client_tick", 0, u64::MAX)?,
            server_tick_ack: self.integer("server_tick_ack", 0, u64::MAX)?,
            sequence_id: self.u32("sequence_id")?,
            movement: self.vector("movement", 1.0)?,
            aim_direction: self.direction("aim_direction")?,
            sprint: self.flag("sprint")?,
            fire: self.flag("fire")?,
            interact: self.flag("interact")?,
            jump: self.flag("jump")?,
        }]))
    }

    fn terraform(&self) -> Result<ClientMessage, BadMessage> {
        let op = match self.integer("op_type", 1, 3)? {
            1 => TerraformOp::Add,
            2 => TerraformOp::Subtract,
            _ => TerraformOp::Paint,
        };
        let radius = self.number("radius")? as f32;
        if !(radius > 0.0 && radius <= TERRAFORM_RADIUS_MAX_M) {
            return Err(BadMessage(format!("field radius must be above 0 and at most {TERRAFORM_RADIUS_MAX_M}")));
        }
        Ok(ClientMessage::Terraform(TerraformRequest {
            op,
            center: self.vector("center", POSITION_MAX_M)?,
            radius,
            material_id: self.integer("material_id", 0, MATERIALS_MAX)? as u8,
            client_sequence_id: self.u32("client_sequence_id")?,
        }))
    }

    fn chunk(&self) -> Result<ClientMessage, BadMessage> {
        let mut chunk_id = [0; 3];
        for (out, value) in chunk_id.iter_mut().zip(self.triple("chunk_id")?) {
            *out = whole(value).filter(|n| n.abs() <= f64::from(CHUNK_COORDINATE_MAX)).ok_or_else(|| {
                BadMessage(format!("field chunk_id must be three integers of at most {CHUNK_COORDINATE_MAX} in magnitude"))
            })? as i32;
        }
        Ok(ClientMessage::Chunk(ChunkRequest { chunk_id, last_known_version: self.integer("last_known_version", 0, u64::MAX)? }))
    }

    fn cast(&self) -> Result<ClientMessage, BadMessage> {
        let spell_id =
            SpellId::new(self.text("spell_id", 1, 64)?).map_err(|_| BadMessage("field spell_id must match [a-z][a-z0-9_]{1,63}".into()))?;
        let revision_id = match self.text("revision_id", 0, 64)? {
            "" => None,
            text => Some(
                RevisionId::new(text).map_err(|_| BadMessage("field revision_id must be empty or look like rev_000001_0a1b2c3d".into()))?,
            ),
        };
        Ok(ClientMessage::Cast(CastRequest {
            spell_id,
            revision_id,
            target_position: self.vector("target_position", POSITION_MAX_M)?,
            target_entity_id: self.integer("target_entity_id", 0, u64::MAX)?,
            extra_params: self.params("extra_params")?,
        }))
    }

    fn value(&self, name: &str) -> Result<&Value, BadMessage> {
        self.0.get(name).ok_or_else(|| BadMessage(format!("field {name} is missing")))
    }

    fn number(&self, name: &str) -> Result<f64, BadMessage> {
        self.value(name)?.as_f64().filter(|n| n.is_finite()).ok_or_else(|| BadMessage(format!("field {name} must be a finite number")))
    }

    /// An integer; a whole float counts as one, for some engines' JSON knows only floats.
    fn integer(&self, name: &str, least: u64, most: u64) -> Result<u64, BadMessage> {
        let value = self.value(name)?;
        let exact = value.as_u64().or_else(|| whole(value).filter(|n| (0.0..=9_007_199_254_740_992.0).contains(n)).map(|n| n as u64));
        exact
            .filter(|n| (least..=most).contains(n))
            .ok_or_else(|| BadMessage(format!("field {name} must be an integer from {least} to {most}")))
    }

    fn u32(&self, name: &str) -> Result<u32, BadMessage> {
        Ok(self.integer(name, 0, u64::from(u32::MAX))? as u32)
    }

    fn flag(&self, name: &str) -> Result<bool, BadMessage> {
        self.value(name)?.as_bool().ok_or_else(|| BadMessage(format!("field {name} must be true or false")))
    }

    fn text(&self, name: &str, least: usize, most: usize) -> Result<&str, BadMessage> {
        self.value(name)?
            .as_str()
            .filter(|text| (least..=most).contains(&text.len()))
            .ok_or_else(|| BadMessage(format!("field {name} must be a string of {least} to {most} bytes")))
    }

    fn triple(&self, name: &str) -> Result<&[Value; 3], BadMessage> {
        self.value(name)?
            .as_array()
            .and_then(|list| list.as_slice().try_into().ok())
            .ok_or_else(|| BadMessage(format!("field {name} must be a list of three numbers")))
    }

    /// Three numbers, each at most `most` in magnitude.
    fn vector(&self, name: &str, most: f32) -> Result<Vec3, BadMessage> {
        let mut vector = [0.0; 3];
        for (out, value) in vector.iter_mut().zip(self.triple(name)?) {
            *out = value
                .as_f64()
                .filter(|n| n.abs() <= f64::from(most))
                .ok_or_else(|| BadMessage(format!("field {name} must be three finite numbers of at most {most} in magnitude")))?
                as f32;
        }
        Ok(vector)
    }

    /// Three numbers made a unit vector. Computed in f64, where neither 1e30 nor 1e-30 overflows or vanishes when squared.
    fn direction(&self, name: &str) -> Result<Vec3, BadMessage> {
        let refused = || BadMessage(format!("field {name} must be three finite numbers, not all of them 0"));
        let mut raw = [0.0_f64; 3];
        for (out, value) in raw.iter_mut().zip(self.triple(name)?) {
            *out = value.as_f64().filter(|n| n.abs() <= f64::from(f32::MAX)).ok_or_else(refused)?;
        }
        let length = raw.iter().map(|n| n * n).sum::<f64>().sqrt();
        if length < 1e-30 {
            return Err(refused());
        }
        Ok(raw.map(|n| (n / length) as f32))
    }

    fn params(&self, name: &str) -> Result<String, BadMessage> {
        let value = self.value(name)?;
        let text =
            if value.is_object() { value.to_string() } else { return Err(BadMessage(format!("field {name} must be a JSON object"))) };
        if text.len() > CAST_PARAMS_BYTES_MAX {
            return Err(BadMessage(format!("field {name} must be at most {CAST_PARAMS_BYTES_MAX} bytes as JSON, not {}", text.len())));
        }
        Ok(text)
    }
}

fn whole(value: &Value) -> Option<f64> {
    value.as_f64().filter(|n| n.fract() == 0.0)
}
