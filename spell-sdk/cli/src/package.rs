//! A spell's folder as the server takes it: source, what people read, and assets.

use crate::project::Project;
use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use builder::prepare::Files;
use protocol::limits::{ASSET_BYTES_MAX, ASSETS_BYTES_MAX, SOURCE_BYTES_MAX};
use protocol::package::{ASSETS, Kind, PackagePath, kind};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Its folders beside `src`.
pub const FOLDERS: [&str; 3] = ["src", "scenarios", "assets"];

/// What is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Package {
    /// Text by path.
    pub files: Files,
    /// What clients show and play.
    pub assets: BTreeMap<PackagePath, Vec<u8>>,
    /// In the place of source.
    pub component: Option<Vec<u8>>,
}

impl Package {
    /// Reads it from a folder, or from a single source file.
    pub fn read(path: &Path) -> Result<Self> {
        let Project { files, component, .. } = Project::open(path)?;
        let mut package = Self { files, assets: BTreeMap::new(), component };
        if path.is_dir() {
            package.add_folder(path, "")?;
            package.add_folder(&path.join("scenarios"), "scenarios/")?;
            package.add_folder(&path.join("assets"), ASSETS)?;
        }
        Ok(package)
    }

    /// As the body of a build's order.
    pub fn order(&self) -> Value {
        let assets: BTreeMap<&PackagePath, String> = self.assets.iter().map(|(path, bytes)| (path, BASE64.encode(bytes))).collect();
        let mut order = json!({ "files": self.files });
        if !assets.is_empty() {
            order["assets"] = json!(assets);
        }
        if let Some(component) = &self.component {
            order["options"] = json!({ "component": BASE64.encode(component) });
        }
        order
    }

    /// Adds a folder's files; of `assets/` with its folders, and all of them: what has no place there the server names.
    fn add_folder(&mut self, folder: &Path, name: &str) -> Result<()> {
        let are_assets = name.starts_with(ASSETS);
        if !folder.exists() {
            return Ok(());
        }
        let entries = folder.read_dir().with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
            let file_name = entry.file_name().to_string_lossy().into_owned();
            let (path, name) = (entry.path(), format!("{name}{file_name}"));
            // Editors and file managers leave theirs everywhere.
            if file_name.starts_with('.') {
                continue;
            }
            match PackagePath::new(name.clone()) {
                Ok(_) if path.is_dir() && are_assets => self.add_folder(&path, &format!("{name}/"))?,
                Ok(_) if path.is_dir() => {}
                Ok(place) if are_assets => self.add_asset(&path, place)?,
                Ok(place) if kind(&place) == Some(Kind::Text) => self.add_text(&path, place)?,
                Err(error) if are_assets => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    fn add_text(&mut self, path: &Path, place: PackagePath) -> Result<()> {
        let text = String::from_utf8(read(path, SOURCE_BYTES_MAX)?).with_context(|| format!("{} is not UTF-8", path.display()))?;
        self.files.insert(place, text);
        Ok(())
    }

    fn add_asset(&mut self, path: &Path, place: PackagePath) -> Result<()> {
        self.assets.insert(place, read(path, ASSET_BYTES_MAX)?);
        let all = self.assets.values().map(Vec::len).sum::<usize>();
        ensure!(all <= ASSETS_BYTES_MAX, "the assets have {all} bytes and more; all of them together have at most {ASSETS_BYTES_MAX}");
        Ok(())
    }
}

fn read(path: &Path, bytes_max: usize) -> Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", path.display());
    let length = fs::metadata(path).with_context(cannot)?.len();
    ensure!(length <= bytes_max as u64, "{} has {length} bytes; it may have {bytes_max}", path.display());
    fs::read(path).with_context(cannot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_sent_without_what_only_its_author_needs() {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, text) in [
            ("src/lib.rs", "// mine"),
            ("src/lib.rs~", "// before"),
            ("spell.toml", ""),
            ("Cargo.toml", "[package]"),
            ("README.md", "# Mine"),
            ("LICENSE", "MIT"),
            ("scenarios/hit.scenario", "cast"),
            ("scenarios/notes", "?"),
            ("assets/.DS_Store", "?"),
            ("assets/sounds/hit.txt", "ouch"),
            ("target/debug/x.md", "?"),
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
            fs::write(path, text).expect("it can be written");
        }
        let order = Package::read(folder.path()).expect("a package").order();
        assert_eq!(
            order,
            json!({
                "files": { "src/lib.rs": "// mine", "spell.toml": "", "README.md": "# Mine", "LICENSE": "MIT", "scenarios/hit.scenario": "cast" },
                "assets": { "assets/sounds/hit.txt": "b3VjaA==" },
            })
        );
        let file = folder.path().join("src/lib.rs");
        assert_eq!(Package::read(&file).expect("a package").order(), json!({ "files": { "src/lib.rs": "// mine" } }));
        fs::write(folder.path().join("assets/a b.png"), "?").expect("it can be written");
        assert!(Package::read(folder.path()).is_err());
    }
}
