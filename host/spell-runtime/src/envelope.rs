//! The effect envelope: what a spell declares that it may do, and is held to.

use crate::limits::{ENVELOPE_HZ_MAX, ENVELOPE_RADIUS_M_MAX, ENVELOPE_SECONDS_MAX};
use serde::{Serialize, Serializer};

/// The custom section of the core module that carries it.
pub const SECTION: &str = "ugc:envelope";
/// The section's length.
pub const SECTION_BYTES: usize = 44;

/// What a spell may do. What is not declared is denied. Serializes to the shape of the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Envelope {
    /// Where, and to how much.
    pub scope: Scope,
    /// For how long.
    pub duration: Duration,
    /// How often.
    pub frequency: Frequency,
    /// By which means.
    pub capabilities: Capabilities,
    /// What can be undone.
    pub reversibility: Reversibility,
    /// What else people should know.
    pub tags: Tags,
    /// What other spells know its casts as.
    pub school: School,
    /// The schools whose casts it can dispel.
    pub counters: Schools,
}

/// What a spell is made of, in the eyes of spells that dispel it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[allow(missing_docs, reason = "the names say it")]
pub enum School {
    None,
    Force,
    Fire,
    Frost,
    Earth,
    Life,
    Mind,
    Space,
}

/// Some schools: bit n is the school of number n, bit 0 is never set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Schools(pub u8);

impl School {
    const ALL: [Self; 8] = [Self::None, Self::Force, Self::Fire, Self::Frost, Self::Earth, Self::Life, Self::Mind, Self::Space];
}

impl Serialize for Schools {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(School::ALL.into_iter().filter(|school| self.0 & (1 << *school as u8) != 0))
    }
}

/// Where a spell acts, and on how much.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Scope {
    /// For people to see; `radius_m` binds in every shape.
    pub shape: Shape,
    /// Metres from the caster; above 0, at most 256.
    pub radius_m: f32,
    /// Chunks that edits work in, per tick. More than one takes the capability `cross_chunk`.
    pub max_chunks: u16,
    /// Voxels changed, per cast.
    pub max_voxels: u32,
    /// Entities touched per tick, and spawned per cast.
    pub max_entities: u32,
    /// Players touched per tick, the caster apart.
    pub max_players: u16,
}

/// The form of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Shape {
    Sphere,
    Box,
    Cone,
    Path,
    Global,
}

/// How long a cast lives.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Duration {
    /// When it ends.
    pub mode: DurationMode,
    /// 0 to 600; 0 when instant.
    pub seconds: f32,
    /// 0 to 600, at least `seconds`.
    pub max_seconds: f32,
}

/// When a cast ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DurationMode {
    /// When `on-cast` has run and what it spawned is gone.
    Instant,
    /// After `seconds`.
    Timed,
    /// Also when its caster leaves, it stays.
    Persistent,
}

/// How often a cast is called.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Frequency {
    /// By what.
    pub mode: FrequencyMode,
    /// Calls of `on-tick` a second, or of `on-event` in the mode `event`; 0 to 60; 0 when one_shot.
    pub max_hz: f32,
}

/// By what a cast is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FrequencyMode {
    /// `on-cast` alone, and events of what it spawned.
    OneShot,
    /// `on-tick`.
    Tick,
    /// `on-event`.
    Event,
}

/// A set of capabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities(u32);

/// By which means a spell acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Capability {
    ReadWorld,
    Damage,
    Heal,
    MoveEntities,
    SpawnEntities,
    SummonNpc,
    ModifyTerrain,
    ModifyStats,
    NetworkEmit,
    Storage,
    CrossChunk,
}

const CAPABILITY_NAMES: [&str; 11] = [
    "read_world",
    "damage",
    "heal",
    "move_entities",
    "spawn_entities",
    "summon_npc",
    "modify_terrain",
    "modify_stats",
    "network_emit",
    "storage",
    "cross_chunk",
];

impl Capabilities {
    /// The set of these.
    pub fn of(members: &[Capability]) -> Self {
        Self(members.iter().fold(0, |bits, member| bits | 1 << *member as u32))
    }
    /// This one as well.
    pub fn with(self, capability: Capability) -> Self {
        Self(self.0 | 1 << capability as u32)
    }
    /// The set of these bits, as [`Capabilities::bits`] gives them; others mean nothing.
    pub fn from_bits(bits: u32) -> Self {
        Self(bits & ((1 << CAPABILITY_NAMES.len()) - 1))
    }
    /// Bit n is the capability of number n.
    pub fn bits(self) -> u32 {
        self.0
    }
    /// Those that are not among the others.
    pub fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }
    /// Whether it is declared.
    pub fn has(self, capability: Capability) -> bool {
        self.0 & (1 << capability as u32) != 0
    }
    /// The declared ones' names.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        CAPABILITY_NAMES.into_iter().enumerate().filter(move |(bit, _)| self.0 & (1 << bit) != 0).map(|(_, name)| name)
    }
}

impl Serialize for Capabilities {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.names())
    }
}

/// What can be undone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Reversibility {
    /// How far.
    pub class: ReversibilityClass,
    /// Seconds within which, 0 to 600.
    pub undo_window_s: f32,
}

/// How far effects can be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum ReversibilityClass {
    Fully,
    Time,
    Partially,
    Irreversible,
}

/// What else people should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tags {
    /// Matters between players.
    pub pvp_relevant: bool,
    /// Matters for what things are worth.
    pub economy_relevant: bool,
}

impl Serialize for Tags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = [(self.pvp_relevant, "pvp_relevant"), (self.economy_relevant, "economy_relevant")];
        serializer.collect_seq(names.into_iter().filter(|(set, _)| *set).map(|(_, name)| name))
    }
}

/// An envelope section that is not one.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not 44 bytes.
    #[error("envelope section has {0} bytes, not {SECTION_BYTES}")]
    Length(usize),
    /// A layout of another version.
    #[error("envelope layout is {0}, not 1")]
    Layout(u8),
    /// A number that its field does not know.
    #[error("envelope field {field} is {value}, which is out of its range {range}")]
    Range {
        /// The field.
        field: &'static str,
        /// What it holds.
        value: f64,
        /// What it may hold.
        range: &'static str,
    },
}

impl Default for Envelope {
    /// What a module without the section has.
    fn default() -> Self {
        Self {
            scope: Scope { shape: Shape::Sphere, radius_m: 12.0, max_chunks: 8, max_voxels: 0, max_entities: 16, max_players: 8 },
            duration: Duration { mode: DurationMode::Instant, seconds: 0.0, max_seconds: 0.0 },
            frequency: Frequency { mode: FrequencyMode::OneShot, max_hz: 0.0 },
            capabilities: Capabilities::of(&[Capability::ReadWorld]),
            reversibility: Reversibility { class: ReversibilityClass::Fully, undo_window_s: 0.0 },
            tags: Tags::default(),
            school: School::None,
            counters: Schools::default(),
        }
    }
}

impl Envelope {
    /// Reads the section's bytes; refuses every value that the layout does not name.
    pub fn decode(section: &[u8]) -> Result<Self, EnvelopeError> {
        let bytes: &[u8; SECTION_BYTES] = section.try_into().map_err(|_| EnvelopeError::Length(section.len()))?;
        if bytes[0] != 1 {
            return Err(EnvelopeError::Layout(bytes[0]));
        }
        let mode = duration_mode(bytes[2])?;
        let seconds = number(bytes, 12, "seconds", 0.0..=ENVELOPE_SECONDS_MAX, "0 to 600")?;
        let max_seconds = number(bytes, 40, "max_seconds", 0.0..=ENVELOPE_SECONDS_MAX, "0 to 600")?;
        refuse_unless(max_seconds >= seconds, "max_seconds", max_seconds, "at least seconds")?;
        refuse_unless(mode != DurationMode::Instant || seconds == 0.0, "seconds", seconds, "0 when instant")?;
        let frequency_mode = frequency_mode(bytes[3])?;
        let max_hz = number(bytes, 16, "max_hz", 0.0..=ENVELOPE_HZ_MAX, "0 to 60")?;
        refuse_unless(frequency_mode != FrequencyMode::OneShot || max_hz == 0.0, "max_hz", max_hz, "0 when one_shot")?;
        let capabilities = u32_at(bytes, 4);
        refuse_unless(capabilities >> CAPABILITY_NAMES.len() == 0, "capabilities", capabilities as f32, "bits 0 to 10")?;
        refuse_unless(bytes[33] <= 3, "tags", f32::from(bytes[33]), "bits 0 and 1")?;
        let school = choice(bytes[34], "school", "0 to 7", &School::ALL)?;
        refuse_unless(bytes[35] & 1 == 0, "counters", f32::from(bytes[35]), "bits 1 to 7")?;
        Ok(Self {
            scope: Scope {
                shape: shape(bytes[1])?,
                radius_m: number(bytes, 8, "radius_m", f32::MIN_POSITIVE..=ENVELOPE_RADIUS_M_MAX, "above 0, at most 256")?,
                max_chunks: u16_at(bytes, 28),
                max_voxels: u32_at(bytes, 20),
                max_entities: u32_at(bytes, 24),
                max_players: u16_at(bytes, 30),
            },
            duration: Duration { mode, seconds, max_seconds },
            frequency: Frequency { mode: frequency_mode, max_hz },
            capabilities: Capabilities(capabilities),
            reversibility: Reversibility {
                class: reversibility_class(bytes[32])?,
                undo_window_s: number(bytes, 36, "undo_window_s", 0.0..=ENVELOPE_SECONDS_MAX, "0 to 600")?,
            },
            tags: Tags { pvp_relevant: bytes[33] & 1 != 0, economy_relevant: bytes[33] & 2 != 0 },
            school,
            counters: Schools(bytes[35]),
        })
    }
}

fn shape(byte: u8) -> Result<Shape, EnvelopeError> {
    choice(byte, "shape", "0 to 4", &[Shape::Sphere, Shape::Box, Shape::Cone, Shape::Path, Shape::Global])
}

fn duration_mode(byte: u8) -> Result<DurationMode, EnvelopeError> {
    choice(byte, "duration mode", "0 to 2", &[DurationMode::Instant, DurationMode::Timed, DurationMode::Persistent])
}

fn frequency_mode(byte: u8) -> Result<FrequencyMode, EnvelopeError> {
    choice(byte, "frequency mode", "0 to 2", &[FrequencyMode::OneShot, FrequencyMode::Tick, FrequencyMode::Event])
}

fn reversibility_class(byte: u8) -> Result<ReversibilityClass, EnvelopeError> {
    use ReversibilityClass::*;
    choice(byte, "reversibility", "0 to 3", &[Fully, Time, Partially, Irreversible])
}

fn choice<T: Copy>(byte: u8, field: &'static str, range: &'static str, choices: &[T]) -> Result<T, EnvelopeError> {
    choices.get(usize::from(byte)).copied().ok_or(EnvelopeError::Range { field, value: f64::from(byte), range })
}

/// NaN is in no range, so it is refused here too.
fn number(
    bytes: &[u8; SECTION_BYTES],
    at: usize,
    field: &'static str,
    allowed: std::ops::RangeInclusive<f32>,
    range: &'static str,
) -> Result<f32, EnvelopeError> {
    let value = f32::from_bits(u32_at(bytes, at));
    refuse_unless(allowed.contains(&value), field, value, range)?;
    Ok(value)
}

fn refuse_unless(allowed: bool, field: &'static str, value: f32, range: &'static str) -> Result<(), EnvelopeError> {
    if allowed { Ok(()) } else { Err(EnvelopeError::Range { field, value: f64::from(value), range }) }
}

fn u32_at(bytes: &[u8; SECTION_BYTES], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u16_at(bytes: &[u8; SECTION_BYTES], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fireball's: 60 m, 6 s, event, damage + spawn + read.
    fn section() -> [u8; SECTION_BYTES] {
        let mut bytes = [0; SECTION_BYTES];
        bytes[..4].copy_from_slice(&[1, 0, 1, 2]);
        bytes[4..8].copy_from_slice(&0b1_0011u32.to_le_bytes());
        bytes[8..12].copy_from_slice(&60f32.to_le_bytes());
        bytes[12..16].copy_from_slice(&6f32.to_le_bytes());
        bytes[24..28].copy_from_slice(&16u32.to_le_bytes());
        bytes[28..30].copy_from_slice(&8u16.to_le_bytes());
        bytes[30..32].copy_from_slice(&4u16.to_le_bytes());
        bytes[33..36].copy_from_slice(&[1, 2, 8]);
        bytes[40..44].copy_from_slice(&6f32.to_le_bytes());
        bytes
    }

    #[test]
    fn decodes_every_field() {
        let envelope = Envelope::decode(&section()).expect("a good section");
        assert_eq!(
            envelope.scope,
            Scope { shape: Shape::Sphere, radius_m: 60.0, max_chunks: 8, max_voxels: 0, max_entities: 16, max_players: 4 }
        );
        assert_eq!(envelope.duration, Duration { mode: DurationMode::Timed, seconds: 6.0, max_seconds: 6.0 });
        assert_eq!(envelope.capabilities.names().collect::<Vec<_>>(), ["read_world", "damage", "spawn_entities"]);
        assert_eq!((envelope.school, envelope.counters), (School::Fire, Schools(8)));
        assert!(envelope.tags.pvp_relevant && !envelope.tags.economy_relevant);
    }

    #[test]
    fn refuses_what_the_layout_does_not_name() {
        type Damage = fn(&mut [u8; SECTION_BYTES]);
        let cases: [(&str, Damage); 13] = [
            ("layout", |b| b[0] = 2),
            ("shape", |b| b[1] = 5),
            ("duration mode", |b| b[2] = 3),
            ("frequency mode", |b| b[3] = 3),
            ("capabilities", |b| b[5] = 0x80),
            ("radius_m", |b| b[8..12].copy_from_slice(&f32::NAN.to_le_bytes())),
            ("radius_m", |b| b[8..12].copy_from_slice(&0f32.to_le_bytes())),
            ("radius_m", |b| b[8..12].copy_from_slice(&257f32.to_le_bytes())),
            ("max_seconds", |b| b[40..44].copy_from_slice(&5f32.to_le_bytes())),
            ("seconds", |b| b[2] = 0),
            ("reversibility", |b| b[32] = 4),
            ("school", |b| b[34] = 8),
            ("counters", |b| b[35] = 1),
        ];
        for (field, damage) in cases {
            let mut bytes = section();
            damage(&mut bytes);
            let error = Envelope::decode(&bytes).expect_err(field);
            assert!(error.to_string().contains(field), "{error}");
        }
        assert_eq!(Envelope::decode(&[1; 43]), Err(EnvelopeError::Length(43)));
    }
}
