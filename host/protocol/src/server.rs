//! What servers say, whatever the encoding: [`crate::v1`] writes it as JSON, with floats rounded to 0.001, and [`crate::v2`] as it is.

use crate::{Channel, RevisionId, SpellId, Vec3};
use serde::de::Error;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use std::marker::PhantomData;

/// One message to a client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ServerMessage {
    /// 100: whether the client is in.
    HandshakeResponse {
        /// It is.
        success: bool,
        /// The tick of the join; 0 when refused.
        server_tick: u64,
        /// The player's entity; 0 when refused.
        assigned_entity_id: u64,
        /// `world_` + 8 hex digits.
        world_id: String,
        /// Why not; empty on success.
        error: String,
    },
    /// 102: an entity appeared.
    EntitySpawn {
        /// The tick.
        server_tick: u64,
        /// Which.
        entity_id: u64,
        /// 1 player, 2 NPC, 3 projectile, 4 prop.
        entity_type: u8,
        /// Where.
        #[serde(serialize_with = "rounded3")]
        position: Vec3,
        /// Euler angles x, y, z.
        #[serde(serialize_with = "rounded3")]
        rotation: Vec3,
        /// What does not change.
        properties: Properties,
    },
    /// 103: an entity is gone.
    EntityDespawn {
        /// The tick.
        server_tick: u64,
        /// Which.
        entity_id: u64,
        /// `left`, `hit`, `expired`...
        reason: String,
    },
    /// 104: a projectile hit.
    ProjectileHit {
        /// The tick.
        server_tick: u64,
        /// Which; it is gone.
        projectile_id: u64,
        /// 0 is terrain.
        hit_entity_id: u64,
        /// Where.
        #[serde(serialize_with = "rounded3")]
        hit_point: Vec3,
        /// The surface's.
        #[serde(serialize_with = "rounded3")]
        hit_normal: Vec3,
        /// Health taken.
        #[serde(serialize_with = "rounded1")]
        damage: f32,
    },
    /// 105: what an NPC makes of a target has changed.
    NpcEvent {
        /// The tick.
        server_tick: u64,
        /// Which NPC.
        npc_id: u64,
        /// How.
        event_type: NpcEventType,
        /// The target; it may be gone.
        target_entity_id: u64,
        /// 0 idle, 1 suspicious, 2 spotted.
        detection_state: u8,
        /// 0 to 1.
        #[serde(serialize_with = "rounded1")]
        suspicion_level: f32,
    },
    /// 106: the terrain has changed.
    TerraformApplied {
        /// The tick.
        server_tick: u64,
        /// 1 sphere add, 2 sphere subtract, 3 paint. What is none of these is a paint of radius 0: its chunks are to be asked for.
        op_type: u8,
        /// Where.
        #[serde(serialize_with = "rounded3")]
        center: Vec3,
        /// Metres.
        #[serde(serialize_with = "rounded1")]
        radius: f32,
        /// Of what.
        material_id: u8,
        /// The chunks that changed.
        #[serde(deserialize_with = "list")]
        affected_chunks: Vec<AffectedChunk>,
        /// As it came with the request.
        client_sequence_id: u32,
    },
    /// 107: a chunk.
    ChunkData {
        /// Chunk coordinates.
        chunk_id: [i32; 3],
        /// How often it has changed; 0 for air where no chunk is.
        version: u64,
        /// Base64 of gzip of 32768 bytes.
        data: String,
        /// Always true.
        compressed: bool,
    },
    /// 108: the answer to `Ping`.
    Pong {
        /// As it came.
        #[serde(serialize_with = "rounded")]
        client_time: f64,
        /// Seconds since 1970.
        #[serde(serialize_with = "rounded")]
        server_time: f64,
        /// The newest tick.
        server_tick: u64,
    },
    /// 109: a message was dropped.
    Error {
        /// What kind of fault it was.
        error_code: ErrorCode,
        /// In words.
        message: String,
    },
    /// 110: a player is here.
    PlayerJoined {
        /// Its entity.
        entity_id: u64,
        /// Its handle.
        username: String,
    },
    /// 111: a player is gone.
    PlayerLeft {
        /// Its entity.
        entity_id: u64,
        /// Its handle.
        username: String,
    },
    /// 112: a cast began.
    SpellCastEvent {
        /// The tick.
        server_tick: u64,
        /// What.
        spell_id: String,
        /// The revision that runs.
        revision_id: String,
        /// Who.
        caster_entity_id: u64,
        /// Where.
        #[serde(serialize_with = "rounded3")]
        target_position: Vec3,
        /// The lower 53 bits of the cast's seed: all that a JSON number carries exactly.
        seed: u64,
        /// As requested: a JSON object as text.
        #[serde(serialize_with = "object")]
        extra_params: String,
    },
    /// 120: a cosmetic cue.
    SpellEffect {
        /// The tick.
        server_tick: u64,
        /// Whose cue.
        spell_id: String,
        /// The revision that runs.
        revision_id: String,
        /// Whose cast.
        caster_entity_id: u64,
        /// Which.
        name: String,
        /// Where.
        #[serde(serialize_with = "rounded3")]
        position: Vec3,
        /// How big.
        #[serde(serialize_with = "rounded1")]
        scale: f32,
    },
    /// 123: a text that a spell has for people.
    SpellText {
        /// The tick.
        server_tick: u64,
        /// Whose text.
        spell_id: String,
        /// The revision that runs.
        revision_id: String,
        /// Whose cast.
        caster_entity_id: u64,
        /// What; plain text of at most 256 bytes, without control characters.
        text: String,
        /// Whether it is for everybody near the caster, or for the caster alone.
        aloud: bool,
    },
    /// 121: a cast was refused or stopped; for its caster only.
    SpellCastRejected {
        /// The tick.
        server_tick: u64,
        /// What was cast.
        spell_id: String,
        /// The revision; may be empty when none is known.
        revision_id: String,
        /// Who.
        caster_entity_id: u64,
        /// The limit, by name.
        limit: String,
        /// What would have been allowed.
        #[serde(serialize_with = "rounded")]
        allowed: f64,
        /// What was asked.
        #[serde(serialize_with = "rounded")]
        asked: f64,
        /// The hook that ran; empty when the cast was refused before it ran.
        hook: String,
        /// In words.
        message: String,
    },
    /// 122: your new casts of this spell run this revision.
    SpellActiveUpdate {
        /// The spell.
        spell_id: SpellId,
        /// The channel that the world follows; `draft` for a draft of yours, which you alone run.
        channel: Channel,
        /// The revision; null when it cannot be cast any more.
        revision_id: Option<RevisionId>,
    },
    /// 124: how the player itself is, beside place and health; for its own client only. Comes when it is other than the last one lets foresee, and every two seconds.
    PlayerStatus {
        /// The tick.
        server_tick: u64,
        /// The last input that was simulated.
        seq: u32,
        /// Of where the player is after it and how it moves, to the last bit: see docs/protocol.md.
        digest: u32,
        /// Mana; below 0 it is owed.
        #[serde(serialize_with = "rounded1")]
        mana: f32,
        /// The most that one has; 0 where casting costs nothing.
        mana_max: u32,
        /// What comes back each second.
        mana_per_second: u32,
        /// What the player bears.
        #[serde(deserialize_with = "few")]
        statuses: Vec<BorneStatus>,
    },
    /// 125: somebody says something to all.
    Chat {
        /// The tick.
        server_tick: u64,
        /// The player who says it.
        entity_id: u64,
        /// What; plain text of at most `CHAT_BYTES_MAX` bytes, without control characters.
        text: String,
    },
    /// 126: a cast is over, and what it came to; for its caster only.
    CastReport {
        /// The tick.
        server_tick: u64,
        /// The spell.
        spell_id: String,
        /// The revision that ran last.
        revision_id: String,
        /// Who.
        caster_entity_id: u64,
        /// The tick in which it began.
        began_tick: u64,
        /// Why it is over: `finished`, `duration`, `caster_gone`, `revision`, `fault`, `mana`, `dispelled`; there may be more.
        reason: String,
        /// Mana that its calls took beside what the cast cost at first.
        #[serde(serialize_with = "rounded1")]
        mana: f32,
        /// The most memory that it held, bytes.
        memory_bytes: u32,
        /// Its calls, by hook: on-cast with init, on-tick, on-event, on-cancel; those that were made.
        #[serde(deserialize_with = "few")]
        hooks: Vec<HookReport>,
    },
}

/// A status of 124.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BorneStatus {
    /// What kind.
    pub kind: StatusKind,
    /// Slow: the part of the speed that is left. Shield: the damage that it still takes. Burn: health a second. Root: 0.
    #[serde(serialize_with = "rounded1")]
    pub strength: f32,
    /// The first tick without it.
    pub until: u64,
}

/// `kind` of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum StatusKind {
    Slow,
    Root,
    Shield,
    Burn,
}

/// A hook of 126.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookReport {
    /// Which.
    pub hook: HookName,
    /// How often it was called.
    pub calls: u32,
    /// Fuel of all its calls, host work included.
    pub fuel: u64,
    /// Fuel of the dearest one.
    pub fuel_max: u64,
}

/// A hook, by its name in the WIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum HookName {
    Init,
    OnCast,
    OnTick,
    OnEvent,
    OnCancel,
    Save,
    Restore,
}

/// `event_type` of 105.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NpcEventType {
    /// The NPC is sure now.
    Spotted,
    /// It was sure, and is no more.
    Lost,
    /// Between nothing and suspicion.
    SuspicionChanged,
}

/// One chunk of 106.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct AffectedChunk {
    /// Chunk coordinates.
    pub chunk_id: [i32; 3],
    /// Its version now.
    pub new_version: u64,
    /// Its hash now, as in [`crate::v2::Chunk`]; not in text.
    pub hash: u64,
}

impl Serialize for AffectedChunk {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { chunk_id, new_version, hash } = self;
        if !to.is_human_readable() {
            return (chunk_id, new_version, hash).serialize(to);
        }
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("chunk_id", chunk_id)?;
        map.serialize_entry("new_version", new_version)?;
        map.end()
    }
}

/// `error_code` of 109; the numbers mean what they mean in HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum ErrorCode {
    /// Not a message, or a field is missing or out of range.
    BadMessage = 400,
    /// A message before the handshake.
    NoHandshake = 401,
    /// The world's rules do not allow it.
    Forbidden = 403,
    /// A second handshake.
    SecondHandshake = 409,
    /// Longer than allowed.
    TooLong = 413,
    /// More a second than allowed.
    TooMany = 429,
    /// This server does not do that yet.
    NotOffered = 501,
    /// The server has no room for it now.
    Busy = 503,
}

impl ErrorCode {
    const ALL: [Self; 8] = [
        Self::BadMessage,
        Self::NoHandshake,
        Self::Forbidden,
        Self::SecondHandshake,
        Self::TooLong,
        Self::TooMany,
        Self::NotOffered,
        Self::Busy,
    ];
}

impl<'de> Deserialize<'de> for ErrorCode {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = u16::deserialize(from)?;
        let known = Self::ALL.into_iter().find(|code| *code as u16 == number);
        known.ok_or_else(|| D::Error::custom(format_args!("{number} is no error code")))
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u16(*self as u16)
    }
}

/// What does not change of an entity. In text only what applies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Properties {
    /// A player's handle, an NPC's or prop's name; empty for what has none.
    pub name: String,
    /// Who made it; 0 for the world.
    pub owner: u64,
    /// Full health, whole points; 0 for what has none.
    pub health_max: u32,
}

impl Properties {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Serialize for Properties {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { name, owner, health_max } = self;
        if !to.is_human_readable() {
            return (name, owner, health_max).serialize(to);
        }
        let mut map = to.serialize_map(None)?;
        if *health_max > 0 {
            map.serialize_entry("hm", health_max)?;
        }
        if !name.is_empty() {
            map.serialize_entry("name", name)?;
        }
        if *owner != 0 {
            map.serialize_entry("owner", owner)?;
        }
        map.end()
    }
}

impl ServerMessage {
    /// The message's `type`.
    pub fn number(&self) -> u16 {
        match self {
            Self::HandshakeResponse { .. } => 100,
            Self::EntitySpawn { .. } => 102,
            Self::EntityDespawn { .. } => 103,
            Self::ProjectileHit { .. } => 104,
            Self::NpcEvent { .. } => 105,
            Self::TerraformApplied { .. } => 106,
            Self::ChunkData { .. } => 107,
            Self::Pong { .. } => 108,
            Self::Error { .. } => 109,
            Self::PlayerJoined { .. } => 110,
            Self::PlayerLeft { .. } => 111,
            Self::SpellCastEvent { .. } => 112,
            Self::SpellEffect { .. } => 120,
            Self::SpellText { .. } => 123,
            Self::SpellCastRejected { .. } => 121,
            Self::SpellActiveUpdate { .. } => 122,
            Self::PlayerStatus { .. } => 124,
            Self::Chat { .. } => 125,
            Self::CastReport { .. } => 126,
        }
    }
}

/// In text, an object; what is none is an empty one.
fn object<S: Serializer>(text: &str, to: S) -> Result<S::Ok, S::Error> {
    if !to.is_human_readable() {
        return to.serialize_str(text);
    }
    serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default().serialize(to)
}

/// In text: to 0.001; a whole number without its fraction, and never -0. A number that is not finite, which no message should hold, becomes 0: JSON has no word for it.
pub(crate) fn rounded<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
    if !to.is_human_readable() {
        return to.serialize_f64(*value);
    }
    let rounded = (value * 1000.0).round() / 1000.0;
    // Above 2^53 / 1000 the multiplication loses more than the rounding gains.
    let rounded = if value.abs() > 9.0e12 { *value } else { rounded };
    match rounded {
        n if !n.is_finite() => to.serialize_i64(0),
        n if n.fract() == 0.0 && n.abs() <= 9.0e15 => to.serialize_i64(n as i64),
        n => to.serialize_f64(n),
    }
}

pub(crate) fn rounded1<S: Serializer>(value: &f32, to: S) -> Result<S::Ok, S::Error> {
    if !to.is_human_readable() {
        return to.serialize_f32(*value);
    }
    rounded(&f64::from(*value), to)
}

pub(crate) fn rounded3<S: Serializer>(value: &Vec3, to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Rounded(#[serde(serialize_with = "rounded1")] f32);
    value.map(Rounded).serialize(to)
}

/// A list as long as it turns out to be: what its length claims is not made room for.
fn list<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    list_of(usize::MAX, from)
}

/// A list of at most `FEW`.
fn few<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    list_of(FEW, from)
}

/// There are four kinds of status, and seven hooks.
const FEW: usize = 8;

fn list_of<'de, T: Deserialize<'de>, D: Deserializer<'de>>(most: usize, from: D) -> Result<Vec<T>, D::Error> {
    struct Visitor<T>(usize, PhantomData<T>);
    impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Visitor<T> {
        type Value = Vec<T>;

        fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            to.write_str("a list")
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::new();
            while let Some(one) = list.next_element()? {
                if all.len() == self.0 {
                    return Err(A::Error::custom(format_args!("more than {} in a list", self.0)));
                }
                all.push(one);
            }
            Ok(all)
        }
    }
    from.deserialize_seq(Visitor(most, PhantomData))
}
