//! The effect envelope: what a spell declares that it may do, checked while it compiles.

use crate::limits::{DURATION_MAX_S, ENVELOPE_BYTES, RADIUS_MAX_M, TICKS_PER_SECOND};

/// What a spell may do at most; what is not declared is denied. Built from constants, so that a wrong number is a compile error at its line:
///
/// ```
/// # use spell_sdk::prelude::*;
/// const ENVELOPE: Envelope = Envelope::timed(6.0).radius_m(60.0).can(Can::DAMAGE | Can::SPAWN_ENTITIES);
/// ```
///
/// ```compile_fail
/// # use spell_sdk::prelude::*;
/// const TOO_FAR: Envelope = Envelope::instant().radius_m(1000.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Envelope {
    scope: Scope,
    radius_m: f32,
    max_voxels: u32,
    max_entities: u32,
    max_chunks: u16,
    max_players: u16,
    duration: Duration,
    seconds: f32,
    frequency: Frequency,
    max_hz: f32,
    capabilities: u32,
    reversibility: Reversibility,
    undo_window_s: f32,
    tags: u8,
    school: School,
    counters: u8,
}

/// The capabilities: each names what a spell may do. They add up: `Can::DAMAGE | Can::HEAL`.
#[derive(Debug, Clone, Copy)]
pub enum Can {}

// The numbers are bits of the section's `capabilities`. They are plain integers because `|` of any other type is not allowed in a constant.
impl Can {
    /// Look at the world; always declared.
    pub const READ_WORLD: u32 = 1 << 0;
    /// Take health.
    pub const DAMAGE: u32 = 1 << 1;
    /// Give health.
    pub const HEAL: u32 = 1 << 2;
    /// Push bodies.
    pub const MOVE_ENTITIES: u32 = 1 << 3;
    /// Launch projectiles.
    pub const SPAWN_ENTITIES: u32 = 1 << 4;
    /// Summon NPCs.
    pub const SUMMON_NPC: u32 = 1 << 5;
    /// Change voxels.
    pub const MODIFY_TERRAIN: u32 = 1 << 6;
    /// Set statuses.
    pub const MODIFY_STATS: u32 = 1 << 7;
    /// Send messages to other casts and texts to people.
    pub const NETWORK_EMIT: u32 = 1 << 8;
    /// Keep values between casts.
    pub const STORAGE: u32 = 1 << 9;
    /// Change voxels of more than one chunk in a tick.
    pub const CROSS_CHUNK: u32 = 1 << 10;

    const ALL: u32 = (1 << 11) - 1;
}

/// The form of what a spell reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the forms")]
pub enum Scope {
    Sphere,
    Box,
    Cone,
    Path,
    Global,
}

/// How long a cast may last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duration {
    /// Until `on_cast` has returned and what it spawned is gone.
    Instant,
    /// At most so many seconds.
    Timed,
    /// Also when the caster has left.
    Persistent,
}

/// What calls a spell after `on_cast`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frequency {
    /// Nothing but what `on_cast` began.
    OneShot,
    /// `on_tick`, regularly.
    Tick,
    /// Events.
    Event,
}

/// What of a spell's effects can be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reversibility {
    /// All of it.
    Fully,
    /// All of it, within the undo window.
    Time,
    /// Some of it.
    Partially,
    /// Nothing.
    Irreversible,
}

/// What a spell is made of, in the eyes of spells that dispel it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the schools")]
pub enum School {
    /// Nothing counters it.
    None,
    Force,
    Fire,
    Frost,
    Earth,
    Life,
    Mind,
    Space,
}

impl Envelope {
    /// A spell that is over at once: a sphere of 12 m, 16 entities, 8 players, 8 chunks, no voxels, no capability but to look.
    pub const fn instant() -> Self {
        Self {
            scope: Scope::Sphere,
            radius_m: 12.0,
            max_voxels: 0,
            max_entities: 16,
            max_chunks: 8,
            max_players: 8,
            duration: Duration::Instant,
            seconds: 0.0,
            frequency: Frequency::OneShot,
            max_hz: 0.0,
            capabilities: Can::READ_WORLD,
            reversibility: Reversibility::Fully,
            undo_window_s: 0.0,
            tags: 0,
            school: School::None,
            counters: 0,
        }
    }

    /// A spell that lasts at most so many seconds: above 0, at most 600.
    pub const fn timed(seconds: f32) -> Self {
        Self::instant().lasting(Duration::Timed, seconds)
    }

    /// A spell that lasts at most so many seconds (above 0, at most 600) even when its caster leaves.
    pub const fn persistent(seconds: f32) -> Self {
        Self::instant().lasting(Duration::Persistent, seconds)
    }

    /// How far from its caster it reaches, in metres: above 0, at most 256.
    pub const fn radius_m(mut self, radius_m: f32) -> Self {
        assert!(radius_m > 0.0 && radius_m <= RADIUS_MAX_M, "radius_m: above 0, at most 256 metres");
        self.radius_m = radius_m;
        self
    }

    /// What it may do besides looking: the constants of [`Can`], joined by `|`.
    pub const fn can(mut self, capabilities: u32) -> Self {
        assert!(capabilities & !Can::ALL == 0, "can: join constants of `Can` by `|`");
        self.capabilities |= capabilities;
        self
    }

    /// Has `on_tick` called so often a second: above 0, at most 60.
    pub const fn ticks(self, hz: f32) -> Self {
        self.at_most(Frequency::Tick, hz)
    }

    /// Lives by events, at most so many a second: above 0, at most 60; what comes sooner waits.
    pub const fn events(self, hz: f32) -> Self {
        self.at_most(Frequency::Event, hz)
    }

    /// The form of what it reaches.
    pub const fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Entities that it may touch in a tick, and spawn in all.
    pub const fn max_entities(mut self, count: u32) -> Self {
        self.max_entities = count;
        self
    }

    /// Players that it may touch in a tick, its caster apart.
    pub const fn max_players(mut self, count: u16) -> Self {
        self.max_players = count;
        self
    }

    /// Chunks that it may touch in a tick.
    pub const fn max_chunks(mut self, count: u16) -> Self {
        self.max_chunks = count;
        self
    }

    /// Voxels that it may change in all.
    pub const fn max_voxels(mut self, count: u32) -> Self {
        self.max_voxels = count;
        self
    }

    /// What of it can be undone, and within how many seconds: 0 to 600.
    pub const fn reversible(mut self, class: Reversibility, undo_window_s: f32) -> Self {
        assert!(undo_window_s >= 0.0 && undo_window_s <= DURATION_MAX_S, "undo_window_s: 0 to 600 seconds");
        self.reversibility = class;
        self.undo_window_s = undo_window_s;
        self
    }

    /// Matters in fights between players.
    pub const fn pvp_relevant(mut self) -> Self {
        self.tags |= 1;
        self
    }

    /// Matters to the economy.
    pub const fn economy_relevant(mut self) -> Self {
        self.tags |= 2;
        self
    }

    /// What other spells know its casts as: those that counter the school can dispel them, and for that a cast costs a tenth less.
    pub const fn school(mut self, school: School) -> Self {
        self.school = school;
        self
    }

    /// The schools whose casts it can [dispel](crate::World::dispel).
    pub const fn counters(mut self, schools: &[School]) -> Self {
        let mut i = 0;
        while i < schools.len() {
            assert!(!matches!(schools[i], School::None), "counters: nothing counters what has no school");
            self.counters |= 1 << schools[i] as u8;
            i += 1;
        }
        self
    }

    /// The section `ugc:envelope`, as `wit/since-v0.1.0/envelope.md` lays it out.
    pub const fn to_bytes(self) -> [u8; ENVELOPE_BYTES] {
        let mut bytes = [0; ENVELOPE_BYTES];
        bytes[0] = 1;
        bytes[1] = self.scope as u8;
        bytes[2] = self.duration as u8;
        bytes[3] = self.frequency as u8;
        put(&mut bytes, 4, &self.capabilities.to_le_bytes());
        put(&mut bytes, 8, &self.radius_m.to_le_bytes());
        put(&mut bytes, 12, &self.seconds.to_le_bytes());
        put(&mut bytes, 16, &self.max_hz.to_le_bytes());
        put(&mut bytes, 20, &self.max_voxels.to_le_bytes());
        put(&mut bytes, 24, &self.max_entities.to_le_bytes());
        put(&mut bytes, 28, &self.max_chunks.to_le_bytes());
        put(&mut bytes, 30, &self.max_players.to_le_bytes());
        bytes[32] = self.reversibility as u8;
        bytes[33] = self.tags;
        bytes[34] = self.school as u8;
        bytes[35] = self.counters;
        put(&mut bytes, 36, &self.undo_window_s.to_le_bytes());
        // One number serves for both: a cast has nothing to gain from declaring less than its maximum.
        put(&mut bytes, 40, &self.seconds.to_le_bytes());
        bytes
    }

    const fn lasting(mut self, duration: Duration, seconds: f32) -> Self {
        assert!(seconds > 0.0 && seconds <= DURATION_MAX_S, "seconds: above 0, at most 600");
        self.duration = duration;
        self.seconds = seconds;
        self
    }

    const fn at_most(mut self, frequency: Frequency, hz: f32) -> Self {
        assert!(hz > 0.0 && hz <= TICKS_PER_SECOND as f32, "hz: above 0, at most 60 a second");
        self.frequency = frequency;
        self.max_hz = hz;
        self
    }
}

impl Envelope {
    pub(crate) const fn is_instant(&self) -> bool {
        matches!(self.duration, Duration::Instant)
    }

    pub(crate) const fn has_ticks(&self) -> bool {
        matches!(self.frequency, Frequency::Tick)
    }

    /// Whether each of the world's ticks is one of the spell's.
    pub(crate) const fn ticks_always(&self) -> bool {
        self.has_ticks() && self.max_hz >= TICKS_PER_SECOND as f32
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Envelope {
    pub(crate) const fn allows(&self, capability: u32) -> bool {
        self.capabilities & capability == capability
    }

    pub(crate) const fn reach_m(&self) -> f32 {
        self.radius_m
    }

    pub(crate) const fn entities(&self) -> u32 {
        self.max_entities
    }

    pub(crate) const fn voxels(&self) -> u32 {
        self.max_voxels
    }

    pub(crate) const fn players(&self) -> u16 {
        self.max_players
    }

    /// Ticks between two calls of `on_tick`; none when it is never called.
    pub(crate) fn tick_interval(&self) -> Option<u64> {
        (self.frequency == Frequency::Tick).then(|| ((TICKS_PER_SECOND as f32 / self.max_hz).ceil() as u64).max(1))
    }

    /// Ticks that a cast may last; none when it is instant.
    pub(crate) fn duration_ticks(&self) -> Option<u64> {
        (self.duration != Duration::Instant).then(|| (self.seconds * TICKS_PER_SECOND as f32).ceil() as u64)
    }
}

const fn put<const N: usize>(bytes: &mut [u8; ENVELOPE_BYTES], at: usize, value: &[u8; N]) {
    let mut i = 0;
    while i < N {
        bytes[at + i] = value[i];
        i += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The default stands in `envelope.md` too; these bytes are the interface.
    #[test]
    fn the_default_has_golden_bytes() {
        let mut expected = vec![1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0x40, 0x41, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 8, 0, 8, 0];
        expected.resize(ENVELOPE_BYTES, 0);
        assert_eq!(Envelope::instant().to_bytes().to_vec(), expected);
    }

    #[test]
    fn each_field_has_its_place() {
        let bytes = Envelope::persistent(2.0)
            .scope(Scope::Cone)
            .radius_m(1.0)
            .ticks(4.0)
            .can(Can::DAMAGE | Can::CROSS_CHUNK)
            .max_voxels(0x0102_0304)
            .max_entities(5)
            .max_chunks(6)
            .max_players(7)
            .reversible(Reversibility::Partially, 0.5)
            .pvp_relevant()
            .economy_relevant()
            .school(School::Mind)
            .counters(&[School::Force, School::Space])
            .to_bytes();
        #[rustfmt::skip]
        let expected = [
            1, 2, 2, 1,  3, 4, 0, 0,  0, 0, 0x80, 0x3f,  0, 0, 0, 0x40,  0, 0, 0x80, 0x40,  4, 3, 2, 1,  5, 0, 0, 0,  6, 0, 7, 0,
            2, 3, 6, 0x82,  0, 0, 0, 0x3f,  0, 0, 0, 0x40,
        ];
        assert_eq!(bytes, expected);
    }
}
