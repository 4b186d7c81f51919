//! Revisions: what their content is, its hash, and the manifest that is made of it.

use crate::{clock, package::Package, problem::Problem};
use protocol::{
    Manifest, RevisionId, Sha256Hex, SpellId,
    manifest::{Blob, Build, File, INTERFACE_VERSION, Metadata, Origin},
    package::text_type,
    worker::{COMPONENT_FILE, Finished},
};
use serde_json::{Value, json};

/// The component's path among a revision's files.
pub const ENTRYPOINT: &str = COMPONENT_FILE;

/// What a revision is, whoever built it and when.
pub struct Content {
    /// The component.
    pub component: Blob,
    /// Text files: source, and what is read beside it.
    pub code: Vec<File>,
    /// Other files.
    pub assets: Vec<File>,
    /// What people read about it.
    pub metadata: Metadata,
    /// What the build says of it. All that matters of it follows from the files, so that of this the envelope alone is part of the hash.
    pub finished: Finished,
    /// Where it comes from.
    pub origin: Option<Origin>,
}

impl Content {
    /// The content's hash: equal for equal content, and for nothing else.
    pub fn hash(&self) -> Sha256Hex {
        let list = |files: &[File]| files.iter().map(|file| json!([file.path, file.hash])).collect::<Vec<_>>();
        let mut text = String::from("ugc-world revision v1\n");
        let mut content = json!({
            "component": self.component.hash,
            "code": list(&self.code),
            "metadata": self.metadata,
            "envelope": self.finished.envelope,
            "interface": INTERFACE_VERSION,
        });
        if !self.assets.is_empty() {
            content["assets"] = list(&self.assets).into();
        }
        canonical(&content, &mut text);
        Sha256Hex::of(text.as_bytes())
    }

    /// The manifest under this name.
    pub fn manifest(
        self,
        spell_id: SpellId,
        name: (RevisionId, Option<RevisionId>, u32),
        (author, ours): (String, bool),
        log: String,
        now_ms: i64,
    ) -> Manifest {
        let (revision_id, parent_revision_id, version) = name;
        let Finished { envelope, cost, in_flight, needs_wasi, measured, toolchain, sdk_version, .. } = self.finished;
        Manifest {
            spell_id,
            revision_id,
            parent_revision_id,
            version,
            created_at: clock::iso8601(now_ms),
            author,
            // Source that comes with somebody's component is theirs to vouch for.
            language: if ours { "rust" } else { "component" }.into(),
            interface_version: INTERFACE_VERSION.into(),
            entrypoint: ENTRYPOINT.into(),
            component: self.component,
            code: self.code,
            assets: self.assets,
            metadata: self.metadata,
            envelope,
            cost,
            in_flight,
            needs_wasi,
            measured,
            origin: self.origin,
            build: Build { toolchain, sdk_version, log },
        }
    }
}

/// A package's files as a manifest lists them: text, and assets.
pub fn files(package: &Package) -> (Vec<File>, Vec<File>) {
    let file = |path: &str, bytes: &[u8], content_type: &str| File {
        path: path.into(),
        hash: Sha256Hex::of(bytes),
        size: bytes.len() as u64,
        content_type: content_type.into(),
    };
    let text = package.text.iter().map(|(path, text)| file(path.as_str(), text.as_bytes(), text_type(path)));
    let assets = package.assets.iter().map(|(path, asset)| file(path.as_str(), &asset.bytes, asset.content_type));
    (text.collect(), assets.collect())
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
pub fn metadata(value: Option<Value>) -> Result<Option<Metadata>, Problem> {
    let metadata: Metadata = match value {
        None | Some(Value::Null) => return Ok(None),
        // Clients of the first design send an empty object for nothing.
        Some(Value::Object(map)) if map.is_empty() => return Ok(None),
        Some(value @ Value::Object(_)) => serde_json::from_value(value).map_err(|error| bad_metadata(error.to_string()))?,
        Some(_) => return Err(bad_metadata("it must be an object".into())),
    };
    metadata.check().map_err(bad_metadata)?;
    Ok(Some(metadata))
}

/// Whether the icon that metadata names, if they do, is there to be shown.
pub fn check_icon(metadata: &Metadata, package: &Package) -> Result<(), String> {
    let icon = &metadata.preview_icon;
    let is_image = |content_type: &str| content_type.starts_with("image/");
    let is_there = package.assets.iter().any(|(path, asset)| path.as_str() == icon && is_image(asset.content_type));
    if icon.is_empty() || is_there { Ok(()) } else { Err("metadata: preview_icon names no image among the assets of this build".into()) }
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
    use protocol::{manifest::Cost, package::SOURCE_ROOT};

    fn content(source: &[u8], name: &str, envelope: Value) -> Content {
        let file = |path: &str, bytes: &[u8]| File {
            path: path.into(),
            hash: Sha256Hex::of(bytes),
            size: bytes.len() as u64,
            content_type: "text/plain".into(),
        };
        let finished = Finished {
            envelope,
            cost: Cost::default(),
            metadata: None,
            in_flight: Default::default(),
            needs_wasi: false,
            measured: None,
            toolchain: String::new(),
            sdk_version: String::new(),
            engine_id: String::new(),
            diagnostics: Vec::new(),
            stage_ms: Vec::new(),
        };
        Content {
            component: Blob { hash: Sha256Hex::of(b"component"), size: 9 },
            code: vec![file(SOURCE_ROOT, source)],
            assets: Vec::new(),
            metadata: Metadata { name: name.into(), ..Metadata::default() },
            finished,
            origin: None,
        }
    }

    #[test]
    fn the_same_content_has_the_same_hash_and_any_change_another() {
        let hash = content(b"fn", "Fire", json!({"a": 1, "b": [2, 3]})).hash();
        assert_eq!(content(b"fn", "Fire", serde_json::from_str(r#"{"b":[2,3],"a":1}"#).unwrap()).hash(), hash);
        let mut with_asset = content(b"fn", "Fire", json!({"a": 1, "b": [2, 3]}));
        with_asset.assets.append(&mut content(b"png", "", json!({})).code);
        for other in [
            content(b"fm", "Fire", json!({"a": 1, "b": [2, 3]})),
            content(b"fn", "fire", json!({"a": 1, "b": [2, 3]})),
            content(b"fn", "Fire", json!({"a": 1, "b": [23]})),
            with_asset,
        ] {
            assert_ne!(other.hash(), hash);
        }
    }

    #[test]
    fn metadata_must_be_an_object_of_known_fields() {
        assert_eq!(metadata(None).unwrap(), None);
        assert_eq!(metadata(Some(json!({}))).unwrap(), None);
        assert_eq!(metadata(Some(json!({"name": "Fire", "tags": ["hot"]}))).unwrap().unwrap().name, "Fire");
        for bad in [json!([]), json!("x"), json!({"colour": "red"}), json!({"name": "x".repeat(65)})] {
            assert!(metadata(Some(bad.clone())).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_icon_is_an_image_of_the_package() {
        let named = |icon: &str| Metadata { preview_icon: icon.into(), ..Metadata::default() };
        let package = Package::default()
            .with("assets/a.png", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec())
            .unwrap()
            .with("assets/a.txt", b"a".to_vec())
            .unwrap();
        assert!(check_icon(&named(""), &package).is_ok() && check_icon(&named("assets/a.png"), &package).is_ok());
        for bad in ["assets/b.png", "assets/a.txt", "../../etc/passwd"] {
            assert!(check_icon(&named(bad), &package).is_err(), "{bad}");
        }
    }
}
