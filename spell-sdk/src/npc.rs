//! NPCs that a spell calls, and what players and NPCs bear.

use crate::{EntityId, Vec3};

/// An NPC to be, of its caster's team. It goes with its cast. Where something is in its way it is not made, and the cast is told that it expired.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Npc {
    /// How it behaves.
    pub temper: Temper,
    /// Its middle.
    pub position: Vec3,
    /// Where it looks: a vector of any length.
    pub aim: Vec3,
}

/// How an NPC behaves. A dummy takes no orders, and only a guard attacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "said above")]
pub enum Temper {
    Dummy,
    Guard,
    Critter,
}

/// What a summoned NPC is told; at first it follows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Order {
    /// To stay near its summoner.
    Follow,
    /// To stay where it is.
    Stay,
    /// To go somewhere, and stay there.
    Go(Vec3),
    /// To run after somebody and beat them until they are dead; then it follows again.
    Attack(EntityId),
}

/// What a player or NPC bears for a while. Of two of one kind the stronger stays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Status {
    /// Walks at this part of its speed; 0 to 1.
    Slow(f32),
    /// Neither walks nor jumps.
    Root,
    /// Takes so much damage in its bearer's place; above 0, at most 1,000.
    Shield(f32),
    /// Takes so much health a second; above 0, at most 1,000. Needs [`Can::DAMAGE`](crate::Can::DAMAGE).
    Burn(f32),
}
