//! A spell as its author hands it in: which files it may have, and what they are called.

use crate::limits::{PACKAGE_DEPTH_MAX, PACKAGE_PATH_CHARS_MAX};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// The root of a spell's source.
pub const SOURCE_ROOT: &str = "src/lib.rs";
/// What people read about a spell, and what becomes of casts in flight; optional.
pub const SPELL_TOML: &str = "spell.toml";
/// Where assets lie.
pub const ASSETS: &str = "assets/";

/// A file's place in a package: relative, parts of `[A-Za-z0-9_-][A-Za-z0-9_.-]*` between `/`. It names no place outside, no hidden file, and is the same text for every file system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PackagePath(String);

/// A path that no file of a package has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path:?} cannot be a file of a package: {why}")]
pub struct PathError {
    /// As it was written, at most 80 characters.
    pub path: String,
    /// The rule that it breaks.
    pub why: &'static str,
}

impl PackagePath {
    /// The checked path, or why it is none.
    pub fn new(text: impl Into<String>) -> Result<Self, PathError> {
        let text = text.into();
        match broken_rule(&text) {
            None => Ok(Self(text)),
            Some(why) => Err(PathError { path: text.chars().take(80).collect(), why }),
        }
    }
    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// What follows its last point; empty without one.
    pub fn extension(&self) -> &str {
        self.0.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or("", |(_, extension)| extension)
    }
}

impl fmt::Display for PackagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for PackagePath {
    type Error = PathError;
    fn try_from(text: String) -> Result<Self, PathError> {
        Self::new(text)
    }
}

impl From<PackagePath> for String {
    fn from(path: PackagePath) -> String {
        path.0
    }
}

fn broken_rule(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("it is empty");
    }
    if text.len() > PACKAGE_PATH_CHARS_MAX {
        return Some("it is too long");
    }
    if text.split('/').count() > PACKAGE_DEPTH_MAX {
        return Some("it lies too deep");
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if let Some(part) =
        text.split('/').find(|part| part.is_empty() || part.starts_with('.') || part.ends_with('.') || !part.chars().all(is_plain))
    {
        return Some(match part {
            "" => "it begins or ends with a slash, or has two in a row",
            "." | ".." => "it leads elsewhere",
            part if part.starts_with('.') => "hidden files are not taken",
            _ => "names are of ASCII letters, digits, `_`, `-` and inner points",
        });
    }
    None
}

/// Two of these paths that cannot lie in one folder on every file system: equal but for case, or one a folder of the other.
pub fn clash<'a>(paths: impl IntoIterator<Item = &'a PackagePath>) -> Option<String> {
    let mut files = BTreeSet::new();
    for path in paths {
        if !files.insert(path.as_str().to_ascii_lowercase()) {
            return Some(path.to_string());
        }
    }
    let is_folder = |file: &&String| files.range(format!("{file}/")..).next().is_some_and(|next| next.starts_with(&format!("{file}/")));
    files.iter().find(is_folder).cloned()
}

/// What a file of this path is in a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Rust source below `src`.
    Source,
    /// Other text: `spell.toml`, a README, a licence, scenarios.
    Text,
    /// Something that clients show or play, of this MIME type.
    Asset(&'static str),
}

/// What this file is, or nothing where a package has no such file.
pub fn kind(path: &PackagePath) -> Option<Kind> {
    let is_below = |folder: &str| path.as_str().starts_with(folder);
    match path.extension() {
        "rs" if is_below("src/") => Some(Kind::Source),
        "rs" => None,
        "toml" if path.as_str() == SPELL_TOML => Some(Kind::Text),
        "md" | "scenario" => Some(Kind::Text),
        "" if is_below("LICENSE") && !path.as_str().contains('/') => Some(Kind::Text),
        extension if is_below(ASSETS) => asset_type(extension).map(Kind::Asset),
        _ => None,
    }
}

/// The MIME type of a text file of a package.
pub fn text_type(path: &PackagePath) -> &'static str {
    match path.extension() {
        "md" => "text/markdown; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    }
}

fn asset_type(extension: &str) -> Option<&'static str> {
    Some(match extension {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "wav" => "audio/wav",
        "ogg" => "audio/ogg",
        "mp3" => "audio/mpeg",
        "glb" => "model/gltf-binary",
        "txt" => "text/plain; charset=utf-8",
        "json" => "application/json",
        _ => return None,
    })
}

/// Whether these bytes are of this MIME type, by what files of it begin with and say of their own length. Nothing is decoded: whoever shows it has a decoder of its own to trust.
pub fn is_of_type(bytes: &[u8], mime: &str) -> bool {
    let at = |offset: usize, magic: &[u8]| bytes.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    let length_at = |offset: usize| bytes.get(offset..offset + 4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize);
    match mime {
        "image/png" => at(0, b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"),
        "image/jpeg" => at(0, b"\xff\xd8\xff") && bytes.ends_with(b"\xff\xd9"),
        "image/webp" => at(0, b"RIFF") && at(8, b"WEBP") && length_at(4).is_some_and(|length| length + 8 <= bytes.len() + 1),
        "audio/wav" => at(0, b"RIFF") && at(8, b"WAVE") && length_at(4).is_some_and(|length| length + 8 <= bytes.len() + 1),
        "audio/ogg" => at(0, b"OggS\0"),
        // An ID3 tag, or a frame's eleven bits of sync with a layer and a version that exist.
        "audio/mpeg" => at(0, b"ID3") || (bytes.len() > 4 && bytes[0] == 0xff && bytes[1] & 0xe6 == 0xe2 && bytes[1] & 0x18 != 0x08),
        "model/gltf-binary" => at(0, b"glTF\x02\0\0\0") && length_at(8) == Some(bytes.len()),
        "application/json" => serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok(),
        mime if mime.starts_with("text/") => std::str::from_utf8(bytes).is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_relative_paths_are_paths() {
        for good in ["src/lib.rs", "spell.toml", "assets/fire-ball_2.png", "LICENSE-MIT", "a/b/c.rs"] {
            assert_eq!(PackagePath::new(good).expect("a path").as_str(), good);
        }
        let long = "x".repeat(PACKAGE_PATH_CHARS_MAX + 1);
        let deep = ["d"; PACKAGE_DEPTH_MAX + 1].join("/");
        for bad in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../x",
            "src/../../x",
            "./x",
            "src//x",
            "src/",
            "a\\b",
            "C:/x",
            "C:x",
            "src/.hidden",
            "x.",
            "a b",
            "a\0b",
            "\u{202e}x",
            "\u{e4}.rs",
            "~/x",
            "%2e%2e/x",
            "a/\n",
            &long,
            &deep,
        ] {
            assert!(PackagePath::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn paths_that_are_one_on_some_disk_clash() {
        let paths = |names: &[&str]| names.iter().map(|name| PackagePath::new(*name).expect("a path")).collect::<Vec<_>>();
        assert_eq!(clash(&paths(&["src/lib.rs", "src/a.rs", "src/a/b.rs"])), None);
        assert_eq!(clash(&paths(&["src/a.rs", "src/A.rs"])).as_deref(), Some("src/A.rs"));
        assert_eq!(clash(&paths(&["src/a", "src/a-b", "src/a/b.rs"])).as_deref(), Some("src/a"));
    }

    #[test]
    fn a_file_is_what_its_place_and_name_say() {
        let kind = |path: &str| kind(&PackagePath::new(path).expect("a path"));
        assert_eq!(kind("src/deep/er.rs"), Some(Kind::Source));
        assert_eq!(kind("build.rs"), None);
        assert_eq!(kind("Cargo.toml"), None);
        assert_eq!(kind("spell.toml"), Some(Kind::Text));
        assert_eq!(kind("assets/a.png"), Some(Kind::Asset("image/png")));
        assert_eq!(kind("a.png"), None);
        assert_eq!(kind("assets/a.svg"), None);
        assert_eq!(kind("assets/a.html"), None);
    }

    #[test]
    fn an_asset_is_what_its_bytes_say() {
        let glb = [b"glTF\x02\0\0\0".as_slice(), &20u32.to_le_bytes(), &[0; 8]].concat();
        let wav = [b"RIFF".as_slice(), &4u32.to_le_bytes(), b"WAVE"].concat();
        assert!(is_of_type(&glb, "model/gltf-binary") && !is_of_type(&glb[..19], "model/gltf-binary"));
        assert!(is_of_type(&wav, "audio/wav") && !is_of_type(&wav, "image/webp"));
        assert!(is_of_type(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", "image/png"));
        assert!(is_of_type(b"{\"a\": 1}", "application/json") && !is_of_type(b"{\"a\": 1", "application/json"));
        for html in ["image/png", "image/jpeg", "audio/mpeg", "audio/ogg", "model/gltf-binary", "application/json"] {
            assert!(!is_of_type(b"<script>alert(1)</script>", html), "{html}");
        }
        assert!(!is_of_type(b"\xff\xfe\xff", "text/plain; charset=utf-8"));
    }
}
