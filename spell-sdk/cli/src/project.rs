//! A spell on disk: a folder with src/lib.rs and, if it likes, spell.toml and scenarios; or a single source file.

use anyhow::{Context, Result, ensure};
use protocol::limits::SOURCE_BYTES_MAX;
use protocol::manifest::Metadata;
use std::fs;
use std::path::{Path, PathBuf};

/// A spell as its author has it.
#[derive(Debug)]
pub struct Project {
    /// The folder's or file's name.
    pub name: String,
    /// The whole source.
    pub source: String,
    /// The scenarios, by file name.
    pub scenarios: Vec<PathBuf>,
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
            return Ok(Self { name, source: read_source(&path)?, scenarios: Vec::new() });
        }
        check_spell_toml(&path.join("spell.toml"))?;
        Ok(Self { name, source: read_source(&path.join("src/lib.rs"))?, scenarios: scenarios(&path.join("scenarios"))? })
    }
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
