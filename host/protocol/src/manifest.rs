//! `manifest.json`: what a revision is, by whom, from what, and what it may do.

use crate::{RevisionId, Sha256Hex, SpellId};
use serde::{Deserialize, Serialize};

/// The interface version that this server builds for; the folder's name in `wit/`.
pub const INTERFACE_VERSION: &str = "0.1.0";

/// A revision's manifest, as stored and as served.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The spell.
    pub spell_id: SpellId,
    /// This revision.
    pub revision_id: RevisionId,
    /// The revision that was the spell's newest when this one was built.
    pub parent_revision_id: Option<RevisionId>,
    /// The revision's number within its spell, from 1.
    pub version: u32,
    /// ISO 8601, UTC.
    pub created_at: String,
    /// The player who built it.
    pub author: String,
    /// `rust`.
    pub language: String,
    /// The WIT package's version that the component was compiled against.
    pub interface_version: String,
    /// The component's path among the revision's files.
    pub entrypoint: String,
    /// The component's bytes.
    pub component: Blob,
    /// Source files.
    pub code: Vec<File>,
    /// Other files.
    pub assets: Vec<File>,
    /// What people read about it.
    pub metadata: Metadata,
    /// The declared effect envelope, as inspection read it from the component.
    pub envelope: serde_json::Value,
    /// What a cast costs, computed from the envelope; zeros in manifests from before there was mana.
    #[serde(default)]
    pub cost: Cost,
    /// How it was built.
    pub build: Build,
}

/// What a cast costs its caster, in mana.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// When it begins.
    pub cast_mana: f32,
    /// The most that it can come to in all by the fuel of its hooks, the effects apart.
    pub worst_case: f32,
}

/// Content by hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    /// SHA-256.
    pub hash: Sha256Hex,
    /// Bytes.
    pub size: u64,
}

/// One file of a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Relative, with `/`.
    pub path: String,
    /// SHA-256.
    pub hash: Sha256Hex,
    /// Bytes.
    pub size: u64,
    /// A MIME type.
    pub content_type: String,
}

/// What people read about a spell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metadata {
    /// At most 64 characters.
    pub name: String,
    /// At most 1,024 characters.
    pub description: String,
    /// At most 16, each at most 32 characters.
    pub tags: Vec<String>,
    /// A path among the assets, or empty.
    pub preview_icon: String,
}

/// How a revision was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// `rustc -V`'s first line.
    pub toolchain: String,
    /// The SDK's package version.
    pub sdk_version: String,
    /// The compiler's warnings, rendered.
    pub log: String,
}
