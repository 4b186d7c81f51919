//! What a scenario expects, and how it says that it is not so.

use sim::{EntityKind, Vec3};
use std::fmt;

/// Something that must be so.
#[derive(Debug, Clone, PartialEq)]
pub enum Expectation {
    /// A thing's health.
    Health {
        /// Its name.
        name: String,
        /// What it must be.
        must_be: Comparison,
    },
    /// What mana a player has.
    Mana {
        /// Its name.
        name: String,
        /// What it must be.
        must_be: Comparison,
    },
    /// How far a thing is from where it was set up, in metres.
    Moved {
        /// Its name.
        name: String,
        /// What it must be.
        must_be: Comparison,
    },
    /// What the voxel is made of that a point is in.
    Material {
        /// The point.
        at: Vec3,
        /// The material's id.
        must_be: Comparison,
    },
    /// How many entities of a kind there are.
    Count {
        /// The kind.
        kind: EntityKind,
        /// How many there must be.
        must_be: Comparison,
    },
    /// How many casts have not ended.
    CastsLive(Comparison),
    /// No cast was refused or stopped.
    NoFaults,
    /// Some cast was, by the limit of this name.
    Fault(String),
}

/// A relation to a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// How.
    pub relation: Relation,
    /// To what.
    pub value: f64,
}

/// How a number relates to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The same to a thousandth.
    Equal,
    /// At most, `<=`.
    AtMost,
    /// At least, `>=`.
    AtLeast,
}

impl Comparison {
    /// Whether it holds. A thousandth is forgiven, for a scenario's numbers are written by people.
    pub fn holds(self, actual: f64) -> bool {
        const SLACK: f64 = 0.001;
        match self.relation {
            Relation::Equal => (actual - self.value).abs() <= SLACK,
            Relation::AtMost => actual <= self.value + SLACK,
            Relation::AtLeast => actual >= self.value - SLACK,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.relation {
            Relation::Equal => write!(f, "{}", self.value),
            Relation::AtMost => write!(f, "at most {}", self.value),
            Relation::AtLeast => write!(f, "at least {}", self.value),
        }
    }
}
