//! Names that outlive a process: spells, revisions, channels, content hashes.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A name that is not well formed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not `[a-z][a-z0-9_]{1,63}`.
    #[error("{0:?} is not a spell id: it must match [a-z][a-z0-9_]{{1,63}}")]
    Spell(String),
    /// Not `rev_` + 6 digits + `_` + 8 hex digits.
    #[error("{0:?} is not a revision id: it must look like rev_000001_0a1b2c3d")]
    Revision(String),
    /// Not 64 lower-case hex digits.
    #[error("{0:?} is not a SHA-256: it must be 64 lower-case hex digits")]
    Sha256(String),
    /// Not one of the three channels.
    #[error("{0:?} is not a channel: it must be draft, beta or stable")]
    Channel(String),
}

/// The text as an excerpt that is safe to print in an error: at most 80 characters.
fn excerpt(text: &str) -> String {
    text.chars().take(80).collect()
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $error:ident, $well_formed:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The checked name, or why it is none.
            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                let well_formed: fn(&str) -> bool = $well_formed;
                if well_formed(&text) { Ok(Self(text)) } else { Err(IdError::$error(excerpt(&text))) }
            }
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }
        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

text_id!(
    /// A spell's name: `[a-z][a-z0-9_]{1,63}`.
    SpellId,
    Spell,
    |text| (2..=64).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
);
text_id!(
    /// An immutable revision's name: `rev_%06d_<first 8 hex of its content hash>`.
    RevisionId,
    Revision,
    |text| text.strip_prefix("rev_").and_then(|rest| rest.split_once('_')).is_some_and(|(number, hash)| {
        number.len() == 6 && number.bytes().all(|b| b.is_ascii_digit()) && hash.len() == 8 && is_lower_hex(hash)
    })
);
text_id!(
    /// A SHA-256 as 64 lower-case hex digits.
    Sha256Hex,
    Sha256,
    |text| text.len() == 64 && is_lower_hex(text)
);

fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

impl RevisionId {
    /// The name of a spell's `number`th revision (from 1) with that content.
    pub fn of(number: u32, content: &Sha256Hex) -> Self {
        Self(format!("rev_{number:06}_{}", &content.as_str()[..8]))
    }
    /// The revision's number within its spell.
    pub fn number(&self) -> u32 {
        self.0[4..10].parse().expect("checked at construction")
    }
}

impl Sha256Hex {
    /// The hash of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest;
        Self(hex::encode(sha2::Sha256::digest(bytes)))
    }
}

/// A pointer to one revision of a spell. A build moves `draft`; publishing moves the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// What the author built last.
    Draft,
    /// What worlds fall back to while there is no stable revision.
    Beta,
    /// What worlds run by default.
    Stable,
}

impl Channel {
    /// The channel's name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Beta => "beta",
            Self::Stable => "stable",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Channel {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        match text {
            "draft" => Ok(Self::Draft),
            "beta" => Ok(Self::Beta),
            "stable" => Ok(Self::Stable),
            _ => Err(IdError::Channel(excerpt(text))),
        }
    }
}
