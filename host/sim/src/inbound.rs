//! Whatever can change an outcome: nothing else reaches the simulation, and all of it belongs in a recording.

use crate::character::{self, Wish};
use crate::checkpoint::Thoroughness;
use crate::lineup::{Barred, InFlight, Lineup};
use crate::undo::Whose;
use crate::{Edit, EntityId, Vec3};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One thing that came in for this tick.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Inbound {
    /// A player enters. The world answers with `Outbound::Joined` that carries the same token.
    Join {
        /// Chosen by the shell, unique among the living connections.
        token: u64,
        /// Names the player for good, at most `ACCOUNT_BYTES_MAX`: who is in the world already goes on with the same entity, who was here before comes back
        /// where it left. Empty for one who is not to be known again.
        account: String,
        /// The handle that others see.
        username: String,
    },
    /// A player is gone; its casts end.
    Leave {
        /// The player.
        player: EntityId,
    },
    /// What a player's controls say from this tick on. The last one of a tick counts; `sequence` is acknowledged once simulated.
    Input {
        /// The player.
        player: EntityId,
        /// The controls.
        input: Input,
    },
    /// A player casts a spell.
    Cast(CastRequest),
    /// A player changes the terrain. The world answers with `Outbound::TerraformApplied` or `TerraformRefused`.
    Terraform {
        /// The player.
        player: EntityId,
        /// The change.
        edit: Edit,
        /// The client's number; comes back with the answer.
        client_sequence: u32,
    },
    /// An operator takes back what someone did to the terrain. The world answers with `Outbound::TerraformReverted`.
    Revert {
        /// Who.
        whose: Whose,
        /// The first tick of which edits are taken back.
        since_tick: u64,
    },
    /// The tick ends with a checkpoint: `World::take_checkpoint` has it then.
    Checkpoint(Thoroughness),
    /// From now on, new casts of a spell run what this says. Several in one tick are one change.
    Switch(Switch),
    /// From now on, friends can hurt each other, or cannot: `team::Policy::friendly_fire`.
    FriendlyFire(bool),
}

impl Inbound {
    /// From now on, casts of this spell run this revision.
    pub fn activate(spell: &str, revision: &str, spec: SpellSpec) -> Self {
        let specs = BTreeMap::from([(revision.to_owned(), spec)]);
        Self::Switch(Switch { spell: spell.to_owned(), lineup: Lineup::of(revision), specs, barred: Barred::none() })
    }
}

/// What a world runs of a spell from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Switch {
    /// The spell.
    pub spell: String,
    /// Which revisions. Those that are neither in `specs` nor known from before are left out.
    pub lineup: Lineup,
    /// By revision: what the simulation must know of it.
    pub specs: BTreeMap<String, SpellSpec>,
    /// Whose casts end at once.
    pub barred: Barred,
}

/// A player's controls, in range already.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// The client's number for this input.
    pub sequence: u32,
    /// Each axis -1 to 1, local to the aim: x right, y up, z back.
    pub movement: Vec3,
    /// A unit vector.
    pub aim: Vec3,
    /// Runs.
    pub sprint: bool,
    /// Shoots.
    pub fire: bool,
    /// Jumps when on the ground.
    pub jump: bool,
    /// The tick of the world that the client drew others at when it gave these controls: its shots, and projectiles that its spells launch as they are cast,
    /// meet players and NPCs where they stood then. 0: not known, which is now. One that is to come is now too, and one too far back is cut to
    /// `LAG_TICKS_MAX`.
    pub seen_tick: u64,
}

impl Input {
    /// As the simulation takes it: cut to its range, with a unit vector for an aim, or the one from `before` where there is none. What is not finite is
    /// ignored: nothing of the kind may reach a position.
    pub fn admitted(self, before: Vec3) -> Option<Self> {
        let movement = self.movement.clamp(Vec3::NEG_ONE, Vec3::ONE);
        (self.movement.is_finite() && self.aim.is_finite()).then(|| Self { movement, aim: self.aim.normalize_or(before), ..self })
    }

    /// What it asks of a character.
    pub fn wish(&self) -> Wish {
        Wish { velocity: character::wish_velocity(self.movement, self.aim, self.sprint), jump: self.jump }
    }
}

/// A player's wish to cast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CastRequest {
    /// Who.
    pub caster: EntityId,
    /// What.
    pub spell: String,
    /// Empty: the caster's draft, the one on trial where that falls to it, or the active one. Any other must be one of these three.
    pub revision: String,
    /// Where.
    pub target_position: Vec3,
    /// At whom; `NONE` for nobody.
    pub target: EntityId,
    /// A JSON object as text, at most 1,024 bytes.
    pub params: String,
}

/// What the simulation must know of a spell's envelope to schedule and charge it; the rest is held by the runtime.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct SpellSpec {
    /// Ticks after which a cast ends; 0 is instant: it ends once `on-cast` has run and nothing that it spawned lives, at the latest after `CAST_INSTANT_TICKS_MAX`.
    pub duration_ticks: u32,
    /// Ticks between two calls of `on-tick`; 0 is never.
    pub tick_interval: u32,
    /// Ticks between two calls of `on-event`; 0 is as many calls in a tick as there are events.
    pub event_interval: u32,
    /// Whether a cast goes on when its caster leaves or dies.
    pub persistent: bool,
    /// Mana that a cast costs; at least 0.
    pub cast_mana: f32,
    /// What others know its casts as.
    pub school: School,
    /// The schools whose casts it can dispel.
    pub counters: Schools,
    /// What becomes of casts of older revisions when it takes over, and of its own when it is rolled back.
    pub in_flight: InFlight,
}

impl SpellSpec {
    /// One that costs nothing, has no school, and ends with its caster: for tests and benchmarks.
    pub const fn free(duration_ticks: u32, tick_interval: u32) -> Self {
        let (event_interval, persistent, cast_mana) = (0, false, 0.0);
        let (school, counters, in_flight) = (School::None, Schools(0), InFlight::Finish);
        Self { duration_ticks, tick_interval, event_interval, persistent, cast_mana, school, counters, in_flight }
    }

    /// Whether its mana is a price.
    pub(crate) fn is_sound(&self) -> bool {
        self.cast_mana.is_finite() && self.cast_mana >= 0.0
    }
}

/// What a spell is made of, in the eyes of spells that dispel it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[repr(u8)]
#[allow(missing_docs, reason = "the names say it")]
pub enum School {
    /// Nothing counters it.
    #[default]
    None = 0,
    Force,
    Fire,
    Frost,
    Earth,
    Life,
    Mind,
    Space,
}

/// Some schools: bit n is the school of number n, bit 0 is never set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Schools(pub u8);

impl Schools {
    /// Whether it is one of them.
    pub fn contains(self, school: School) -> bool {
        school != School::None && self.0 & (1 << school as u8) != 0
    }
}
