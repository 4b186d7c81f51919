//! The names that the control plane gives: players, worlds, jobs.

use crate::keys::random;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Text that is no id of the asked kind.
#[derive(Debug, thiserror::Error)]
#[error("not an id of this kind")]
pub struct NotAnId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $digits:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// A fresh one.
            pub fn generate() -> Self {
                Self(format!(concat!($prefix, "{}"), hex::encode(random::<{ $digits / 2 }>())))
            }
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl TryFrom<String> for $name {
            type Error = NotAnId;
            fn try_from(text: String) -> Result<Self, NotAnId> {
                text.parse()
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let digits = text.strip_prefix($prefix).ok_or(NotAnId)?;
                let well_formed = digits.len() == $digits && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                if well_formed { Ok(Self(text.into())) } else { Err(NotAnId) }
            }
        }
    };
}

id!(
    /// A player, for good: `client_` + 12 hex digits.
    ClientId, "client_", 12
);
id!(
    /// A world: `world_` + 8 hex digits.
    WorldId, "world_", 8
);
id!(
    /// A build job: `job_` + 12 hex digits.
    JobId, "job_", 12
);
