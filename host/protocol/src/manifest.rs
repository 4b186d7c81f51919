//! `manifest.json`: what a revision is, by whom, from what, and what it may do.

use crate::limits::{SPELL_DESCRIPTION_CHARS_MAX, SPELL_NAME_CHARS_MAX, SPELL_TAG_CHARS_MAX, SPELL_TAGS_MAX};
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
    /// `rust` where it was built here of its source; `component` where the component was handed in, with whatever source beside it.
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
    /// What becomes of casts in flight when a newer revision is published.
    #[serde(default)]
    pub in_flight: InFlight,
    /// It runs only in worlds that admit WASI.
    #[serde(default)]
    pub needs_wasi: bool,
    /// What its casts came to in the small worlds of its build.
    #[serde(default)]
    pub measured: Option<Measured>,
    /// The revision of another spell or server that this one was made from.
    #[serde(default)]
    pub origin: Option<Origin>,
    /// How it was built.
    pub build: Build,
}

/// Where a fork or an import comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The spell there.
    pub spell_id: SpellId,
    /// Its revision.
    pub revision_id: RevisionId,
    /// Its author.
    pub author: String,
}

/// What becomes of casts in flight when a newer revision is published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InFlight {
    /// In one word.
    pub policy: InFlightPolicy,
}

/// What becomes of casts in flight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InFlightPolicy {
    /// They end on the revision that they began on.
    #[default]
    Finish,
    /// They are saved there and restored on the new one.
    Migrate,
    /// They end at once.
    Cancel,
}

/// What a revision's casts came to in the small worlds of its build: figures of those worlds, and no bound for others.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Casts that began.
    pub casts: u32,
    /// Calls of their hooks.
    pub calls: u32,
    /// Fuel of the dearest call.
    pub call_fuel_max: u64,
    /// Fuel of all calls.
    pub fuel: u64,
    /// The most mana that a cast took in a second, its beginning apart.
    pub upkeep_mana_per_s: f32,
    /// The most mana that one cast took in all.
    pub cast_mana_max: f32,
    /// The situation of that cast.
    pub worst_situation: String,
    /// Capabilities that its calls needed.
    pub used: Vec<String>,
    /// Capabilities that are declared, and were not needed in any situation.
    pub unused: Vec<String>,
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

impl Metadata {
    /// Whether it is within its limits, and without characters that make text look like other text. An error names the field and the figure.
    pub fn check(&self) -> Result<(), String> {
        text("name", &self.name, SPELL_NAME_CHARS_MAX)?;
        text("description", &self.description, SPELL_DESCRIPTION_CHARS_MAX)?;
        if self.tags.len() > SPELL_TAGS_MAX {
            return Err(format!("{} tags are over the limit of {SPELL_TAGS_MAX}", self.tags.len()));
        }
        self.tags.iter().try_for_each(|tag| text("a tag", tag, SPELL_TAG_CHARS_MAX))
    }
}

fn text(what: &str, text: &str, chars_max: usize) -> Result<(), String> {
    let chars = text.chars().count();
    if chars > chars_max {
        return Err(format!("{what} of {chars} characters is over the limit of {chars_max}"));
    }
    match text.chars().find(|c| is_deceptive(*c)) {
        Some(c) => Err(format!("{what} contains the character U+{:04X}, which cannot be seen", u32::from(c))),
        None => Ok(()),
    }
}

/// Controls (a line break in a description is none), and what changes the direction of text.
fn is_deceptive(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_that_lies_about_itself_is_refused() {
        let read = |json: &str| serde_json::from_str::<Metadata>(json).map_err(|error| error.to_string()).and_then(|it| it.check());
        assert_eq!(read(r#"{"name": "Fire", "tags": ["hot"], "description": "one\ntwo"}"#), Ok(()));
        let (long, many) = (format!(r#"{{"name": "{}"}}"#, "x".repeat(65)), format!(r#"{{"tags": [{}]}}"#, ["\"t\""; 17].join(",")));
        for bad in [r#"{"name": 1}"#, r#"{"colour": "red"}"#, r#"{"name": "a\u202eb"}"#, r#"{"description": "\u001b[31m"}"#, &long, &many] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
