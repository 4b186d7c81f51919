//! A spell on disk: a folder with src/lib.rs and, if it likes, spell.toml and scenarios; or a single source file. Where another toolchain has built it, a
//! component.wasm stands in the source's place.

use anyhow::{Context, Result, ensure};
use protocol::limits::{COMPONENT_BYTES_MAX, SOURCE_BYTES_MAX};
use protocol::manifest::Metadata;
use protocol::worker::COMPONENT_FILE;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A spell as its author has it.
#[derive(Debug)]
pub struct Project {
    /// The folder's or file's name.
    pub name: String,
    /// What it is made of.
    pub code: Code,
    /// The scenarios, by file name.
    pub scenarios: Vec<PathBuf>,
}

/// A spell's code.
#[derive(Debug)]
pub enum Code {
    /// The whole source, for our builder.
    Source(String),
    /// A component that another toolchain has built.
    Component(Vec<u8>),
}

/// What spell.toml may say. The envelope is not here: it stands in the source, where it is enforced from.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SpellToml {
    metadata: Metadata,
    in_flight: InFlight,
}

/// What becomes of casts in flight when a new revision is published.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct InFlight {
    policy: Policy,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Policy {
    #[default]
    Finish,
    Migrate,
    Cancel,
}

impl Project {
    /// Reads it.
    pub fn open(path: &Path) -> Result<Self> {
        let path = path.canonicalize().with_context(|| format!("there is no {}", path.display()))?;
        let name = path.file_stem().context("a spell has a name")?.to_string_lossy().into_owned();
        if path.is_file() {
            return Ok(Self { name, code: read_code(&path)?, scenarios: Vec::new() });
        }
        check_spell_toml(&path.join("spell.toml"))?;
        let (source, component) = (path.join("src/lib.rs"), path.join(COMPONENT_FILE));
        // Who keeps both has built one of the other by hand: the source is what the server would build.
        let code = read_code(if component.exists() && !source.exists() { &component } else { &source })?;
        Ok(Self { name, code, scenarios: scenarios(&path.join("scenarios"))? })
    }
}

fn read_code(path: &Path) -> Result<Code> {
    if path.extension().is_some_and(|extension| extension == "wasm") {
        let mut component = Vec::new();
        let file = fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        // A byte more than is allowed: inspection refuses it by name.
        file.take(COMPONENT_BYTES_MAX as u64 + 1).read_to_end(&mut component).with_context(|| format!("cannot read {}", path.display()))?;
        return Ok(Code::Component(component));
    }
    read_source(path).map(Code::Source)
}

fn read_source(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(
        bytes.len() <= SOURCE_BYTES_MAX,
        "{} has {} bytes; a spell's source has at most {SOURCE_BYTES_MAX}",
        path.display(),
        bytes.len()
    );
    String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8", path.display()))
}

/// spell.toml is optional; a mistake in it is found here and not at the server.
fn check_spell_toml(path: &Path) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let SpellToml { metadata: _, in_flight: InFlight { policy: _ } } =
        toml::from_str(&text).with_context(|| format!("{}", path.display()))?;
    Ok(())
}

fn scenarios(folder: &Path) -> Result<Vec<PathBuf>> {
    let Ok(entries) = folder.read_dir() else { return Ok(Vec::new()) };
    let mut scenarios = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    scenarios.retain(|path| path.extension().is_some_and(|extension| extension == "scenario"));
    scenarios.sort();
    Ok(scenarios)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_stands_in_the_place_of_a_missing_source() {
        let folder = tempfile::tempdir().expect("a folder");
        let component = folder.path().join(COMPONENT_FILE);
        fs::write(&component, b"\0asm").expect("it can be written");
        for path in [folder.path(), &component] {
            assert!(matches!(Project::open(path).expect("a project").code, Code::Component(bytes) if bytes == b"\0asm"));
        }
        fs::create_dir(folder.path().join("src")).expect("a folder");
        fs::write(folder.path().join("src/lib.rs"), "// mine").expect("it can be written");
        assert!(matches!(Project::open(folder.path()).expect("a project").code, Code::Source(source) if source == "// mine"));
    }
}
