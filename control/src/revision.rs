//! Revisions: what their content is, its hash, and the manifest that is made of it.

use crate::{
    clock,
    limits::{SPELL_DESCRIPTION_CHARS_MAX, SPELL_NAME_CHARS_MAX, SPELL_TAG_CHARS_MAX, SPELL_TAGS_MAX},
    problem::Problem,
};
use protocol::{
    Manifest, RevisionId, Sha256Hex, SpellId,
    manifest::{Blob, Build, Cost, File, INTERFACE_VERSION, Metadata},
};
use serde_json::{Value, json};

/// The component's path among a revision's files.
pub const ENTRYPOINT: &str = "component.wasm";
/// The source's path among a revision's files, as the compiler's diagnostics name it.
pub const SOURCE_PATH: &str = "src/lib.rs";

/// What a revision is, whoever built it and when.
pub struct Content {
    /// The component.
    pub component: Blob,
    /// The source files.
    pub code: Vec<File>,
    /// What people read about it.
    pub metadata: Metadata,
    /// What inspection read from the component.
    pub envelope: Value,
    /// What a cast costs; the envelope says all of it, so it is no part of the content's hash.
    pub cost: Cost,
}

impl Content {
    /// The content's hash: equal for equal content, and for nothing else.
    pub fn hash(&self) -> Sha256Hex {
        let code: Vec<_> = self.code.iter().map(|file| json!([file.path, file.hash])).collect();
        let mut text = String::from("ugc-world revision v1\n");
        canonical(
            &json!({ "component": self.component.hash, "code": code, "metadata": self.metadata, "envelope": self.envelope, "interface": INTERFACE_VERSION }),
            &mut text,
        );
        Sha256Hex::of(text.as_bytes())
    }

    /// The manifest under this name.
    pub fn manifest(
        self,
        spell_id: SpellId,
        name: (RevisionId, Option<RevisionId>, u32),
        author: String,
        build: Build,
        now_ms: i64,
    ) -> Manifest {
        let (revision_id, parent_revision_id, version) = name;
        Manifest {
            spell_id,
            revision_id,
            parent_revision_id,
            version,
            created_at: clock::iso8601(now_ms),
            author,
            language: "rust".into(),
            interface_version: INTERFACE_VERSION.into(),
            entrypoint: ENTRYPOINT.into(),
            component: self.component,
            code: self.code,
            assets: Vec::new(),
            metadata: self.metadata,
            envelope: self.envelope,
            cost: self.cost,
            build,
        }
    }
}

/// The file at this path, looked up among those that the manifest names. The path is a key and never touches a file system.
pub fn file(manifest: &Manifest, path: &str) -> Option<File> {
    if path == manifest.entrypoint {
        let Blob { hash, size } = manifest.component.clone();
        return Some(File { path: path.into(), hash, size, content_type: "application/wasm".into() });
    }
    manifest.code.iter().chain(&manifest.assets).find(|file| file.path == path).cloned()
}

/// Metadata within its limits, and without characters that make text look like other text.
pub fn metadata(value: Option<Value>) -> Result<Metadata, Problem> {
    let metadata = match value {
        None | Some(Value::Null) => Metadata::default(),
        Some(value @ Value::Object(_)) => serde_json::from_value(value).map_err(|error| bad_metadata(error.to_string()))?,
        Some(_) => return Err(bad_metadata("it must be an object".into())),
    };
    text("name", &metadata.name, SPELL_NAME_CHARS_MAX)?;
    text("description", &metadata.description, SPELL_DESCRIPTION_CHARS_MAX)?;
    if metadata.tags.len() > SPELL_TAGS_MAX {
        return Err(bad_metadata(format!("{} tags are over the limit of {SPELL_TAGS_MAX}", metadata.tags.len())));
    }
    metadata.tags.iter().try_for_each(|tag| text("a tag", tag, SPELL_TAG_CHARS_MAX))?;
    if !metadata.preview_icon.is_empty() {
        return Err(bad_metadata("preview_icon names no asset of this build".into()));
    }
    Ok(metadata)
}

fn text(what: &str, text: &str, chars_max: usize) -> Result<(), Problem> {
    let chars = text.chars().count();
    if chars > chars_max {
        return Err(bad_metadata(format!("{what} of {chars} characters is over the limit of {chars_max}")));
    }
    match text.chars().find(|c| is_deceptive(*c)) {
        Some(c) => Err(bad_metadata(format!("{what} contains the character U+{:04X}, which cannot be seen", u32::from(c)))),
        None => Ok(()),
    }
}

/// Controls (a line break in a description is none), and what changes the direction of text.
fn is_deceptive(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn bad_metadata(why: String) -> Problem {
    Problem::unprocessable("bad_metadata", format!("options.metadata: {why}"))
}

/// JSON with sorted keys and no spaces: one text for one value, whatever map type serde_json was built with.
fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (key, value) in entries {
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                canonical(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                canonical(item, text);
                text.push(',');
            }
            text.push(']');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(source: &[u8], name: &str, envelope: Value) -> Content {
        let code = vec![File {
            path: SOURCE_PATH.into(),
            hash: Sha256Hex::of(source),
            size: source.len() as u64,
            content_type: "text/plain".into(),
        }];
        let metadata = Metadata { name: name.into(), ..Metadata::default() };
        Content { component: Blob { hash: Sha256Hex::of(b"component"), size: 9 }, code, metadata, envelope, cost: Cost::default() }
    }

    #[test]
    fn the_same_content_has_the_same_hash_and_any_change_another() {
        let hash = content(b"fn", "Fire", json!({"a": 1, "b": [2, 3]})).hash();
        assert_eq!(content(b"fn", "Fire", serde_json::from_str(r#"{"b":[2,3],"a":1}"#).unwrap()).hash(), hash);
        for other in [
            content(b"fm", "Fire", json!({"a": 1, "b": [2, 3]})),
            content(b"fn", "fire", json!({"a": 1, "b": [2, 3]})),
            content(b"fn", "Fire", json!({"a": 1, "b": [23]})),
        ] {
            assert_ne!(other.hash(), hash);
        }
    }

    #[test]
    fn metadata_that_lies_about_itself_is_refused() {
        assert_eq!(metadata(None).unwrap(), Metadata::default());
        assert_eq!(metadata(Some(json!({"name": "Fire", "tags": ["hot"]}))).unwrap().name, "Fire");
        for bad in [
            json!([]),
            json!({"name": 1}),
            json!({"colour": "red"}),
            json!({"name": "x".repeat(65)}),
            json!({"name": "a\u{202e}b"}),
            json!({"description": "\u{1b}[31m"}),
            json!({"tags": vec!["t"; 17]}),
            json!({"preview_icon": "../../etc/passwd"}),
        ] {
            assert!(metadata(Some(bad.clone())).is_err(), "{bad}");
        }
    }
}
