//! What a tick tells the outside, in the order in which it happened.

use crate::spells::Fault;
use crate::undo::Whose;
use crate::voxel::ChunkId;
use crate::{CastId, Edit, EntityId, EntityKind, Quat, Vec3};

/// A chunk of which some voxels are others now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangedChunk {
    /// Which.
    pub id: ChunkId,
    /// Its version now.
    pub version: u32,
    /// Its content's hash now.
    pub hash: u64,
}

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub enum Outbound {
    /// A player is in the world.
    Joined {
        /// The join's token.
        token: u64,
        /// The player's entity.
        player: EntityId,
    },
    /// A join that could not be granted.
    JoinRefused {
        /// The join's token.
        token: u64,
        /// Why.
        reason: &'static str,
    },
    /// An entity appeared.
    Spawned {
        /// Its id.
        id: EntityId,
        /// Its kind.
        kind: EntityKind,
        /// Where.
        position: Vec3,
        /// How it is turned.
        rotation: Quat,
        /// A player's handle, an NPC's or prop's name; empty for projectiles.
        name: String,
        /// Who made it; `NONE` for the world.
        owner: EntityId,
        /// Its full health; 0 for what has none.
        health_max: f32,
    },
    /// An entity is gone.
    Despawned {
        /// Its id.
        id: EntityId,
        /// Why.
        reason: DespawnReason,
    },
    /// A player or NPC died. A player keeps its id and is back at the spawn with full health; an NPC is despawned next.
    Died {
        /// Who.
        id: EntityId,
    },
    /// A projectile hit something.
    ProjectileHit {
        /// The projectile, which is gone now unless it has pierced what it hit.
        projectile: EntityId,
        /// What it hit; `NONE` is the terrain.
        hit: EntityId,
        /// Where.
        point: Vec3,
        /// The surface's normal.
        normal: Vec3,
        /// Health taken.
        damage: f32,
    },
    /// What an NPC makes of a target has changed.
    NpcEvent {
        /// The NPC.
        npc: EntityId,
        /// How.
        kind: NpcEventKind,
        /// The target; it may be gone.
        target: EntityId,
        /// What it makes of it now.
        state: Detection,
        /// 0 to 1.
        suspicion: f32,
    },
    /// A cast began.
    CastStarted {
        /// The cast.
        cast: CastId,
        /// Spell and revision.
        spell: String,
        /// The revision it is pinned to.
        revision: String,
        /// Who.
        caster: EntityId,
        /// Where.
        target_position: Vec3,
        /// Its random stream's seed.
        seed: u64,
        /// As requested.
        params: String,
    },
    /// A cast was refused before it ran.
    CastRejected {
        /// The spell that was asked for.
        spell: String,
        /// The revision that was asked for, or the active one.
        revision: String,
        /// Who asked.
        caster: EntityId,
        /// The limit, by name: `unknown_spell`, `unknown_revision`, `cooldown`, `live_casts`, `world_casts`, `caster_gone`, `not_finite`, `mana`, `suspended`.
        limit: &'static str,
        /// What would have been allowed: seconds between casts for `cooldown`, seconds of the suspension for `suspended`, casts for `live_casts` and `world_casts`,
        /// what the caster has for `mana`, else 0.
        allowed: f64,
        /// What was asked, in the same unit.
        asked: f64,
    },
    /// A cast was stopped: its call broke a limit or trapped.
    CastFaulted {
        /// The cast.
        cast: CastId,
        /// The spell.
        spell: String,
        /// The revision.
        revision: String,
        /// The caster.
        caster: EntityId,
        /// What happened.
        fault: Fault,
    },
    /// A cast is over.
    CastEnded {
        /// The cast.
        cast: CastId,
        /// Why.
        reason: CastEnd,
    },
    /// A cosmetic cue.
    Cue {
        /// The cast that asked for it.
        cast: CastId,
        /// Its spell.
        spell: String,
        /// Its revision.
        revision: String,
        /// Its caster.
        caster: EntityId,
        /// Which.
        name: String,
        /// Where.
        at: Vec3,
        /// How big.
        scale: f32,
    },
    /// A text that a spell has for people.
    Said {
        /// The cast.
        cast: CastId,
        /// Its spell.
        spell: String,
        /// Its revision.
        revision: String,
        /// Its caster.
        caster: EntityId,
        /// What.
        text: String,
        /// Whether it is for everybody near the caster, or for the caster alone.
        aloud: bool,
    },
    /// A line that a spell wrote for its author.
    Log {
        /// The cast.
        cast: CastId,
        /// Its spell.
        spell: String,
        /// Its revision.
        revision: String,
        /// Its caster.
        caster: EntityId,
        /// `debug`, `info`, `warn`, `error`.
        level: &'static str,
        /// What.
        text: String,
    },
    /// A player, or a spell in its caster's name, has changed the terrain.
    TerraformApplied {
        /// Who.
        player: EntityId,
        /// How.
        edit: Edit,
        /// The chunks that changed; none when all was so already.
        affected: Vec<ChangedChunk>,
        /// The client's number of its wish; 0 for a spell's.
        client_sequence: u32,
    },
    /// A player may not change the terrain so.
    TerraformRefused {
        /// Who asked.
        player: EntityId,
        /// The client's number of its wish.
        client_sequence: u32,
        /// The limit, by name: one of `edit::Refusal`.
        limit: &'static str,
        /// What would have been allowed, in the limit's unit.
        allowed: f64,
        /// What was asked.
        asked: f64,
    },
    /// What someone did to the terrain was taken back.
    TerraformReverted {
        /// Whose edits.
        whose: Whose,
        /// The first tick of which edits were taken back.
        since_tick: u64,
        /// The chunks that changed.
        affected: Vec<ChangedChunk>,
    },
    /// New casts of this spell run this revision.
    Activated {
        /// The spell.
        spell: String,
        /// The revision.
        revision: String,
    },
    /// This spell cannot be cast any more, but by those who have a draft of it.
    Deactivated {
        /// The spell.
        spell: String,
    },
    /// A player who is here runs another draft of this spell from now on, or none.
    DraftChanged {
        /// The spell.
        spell: String,
        /// The draft.
        revision: Option<String>,
        /// Its author.
        player: EntityId,
    },
    /// A cast goes on with another revision.
    Migrated {
        /// The cast.
        cast: CastId,
        /// Its spell.
        spell: String,
        /// The revision that it ran.
        from: String,
        /// The revision that it runs.
        to: String,
        /// Its caster.
        caster: EntityId,
    },
    /// A cast was to go on with another revision, which did not take it; it goes on as before.
    MigrationFailed {
        /// The cast.
        cast: CastId,
        /// Its spell.
        spell: String,
        /// The revision that it runs.
        from: String,
        /// The one that it was offered to.
        to: String,
        /// Its caster.
        caster: EntityId,
        /// Why not.
        fault: Fault,
    },
}

/// What an NPC makes of a target. The numbers are the wire's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum Detection {
    /// Nothing.
    #[default]
    Idle = 0,
    /// Something is there.
    Suspicious = 1,
    /// There it is.
    Spotted = 2,
}

/// How what an NPC makes of a target has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NpcEventKind {
    /// It is sure.
    Spotted,
    /// It was sure, and is no more.
    Lost,
    /// Between nothing and suspicion.
    SuspicionChanged,
}

impl NpcEventKind {
    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spotted => "spotted",
            Self::Lost => "lost",
            Self::SuspicionChanged => "suspicion_changed",
        }
    }
}

/// Why an entity is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DespawnReason {
    /// Its player left.
    Left,
    /// It hit something.
    Hit,
    /// Its time was up.
    Expired,
    /// Its spell took it away, or ended.
    Spell,
    /// It died.
    Died,
    /// It fell out of the world or its state was not finite.
    Lost,
}

impl DespawnReason {
    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Hit => "hit",
            Self::Expired => "expired",
            Self::Spell => "spell",
            Self::Died => "died",
            Self::Lost => "lost",
        }
    }
}

impl CastEnd {
    /// The reason's name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Duration => "duration",
            Self::CasterGone => "caster_gone",
            Self::Revision => "revision",
            Self::Fault => "fault",
            Self::Mana => "mana",
            Self::Dispelled => "dispelled",
        }
    }
}

/// Why a cast is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CastEnd {
    /// It said so, or it was instant and is done.
    Finished,
    /// Its envelope's duration is over.
    Duration,
    /// Its caster left or died.
    CasterGone,
    /// Its revision was replaced or revoked.
    Revision,
    /// It broke a limit.
    Fault,
    /// Its caster could not pay for it.
    Mana,
    /// A spell has dispelled it.
    Dispelled,
}
