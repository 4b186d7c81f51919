//! A spell on disk: a folder with src/lib.rs and, if it likes, spell.toml and scenarios; or a single source file. Where another toolchain has built it, a
//! component.wasm stands in the source's place.

use anyhow::{Context, Result, ensure};
use builder::prepare::Files;
use protocol::limits::{COMPONENT_BYTES_MAX, PACKAGE_FILES_MAX, SOURCE_BYTES_MAX};
use protocol::package::{PackagePath, SOURCE_ROOT, SPELL_TOML};
use protocol::worker::COMPONENT_FILE;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A spell as its author has it.
#[derive(Debug)]
pub struct Project {
    /// The folder's or file's name.
    pub name: String,
    /// Its source and `spell.toml`, as a package has them.
    pub files: Files,
    /// A component that another toolchain has built, in the place of source.
    pub component: Option<Vec<u8>>,
    /// The scenarios, by file name.
    pub scenarios: Vec<PathBuf>,
}

impl Project {
    /// Reads it.
    pub fn open(path: &Path) -> Result<Self> {
        let path = path.canonicalize().with_context(|| format!("there is no {}", path.display()))?;
        let name = path.file_stem().context("a spell has a name")?.to_string_lossy().into_owned();
        let mut project = Self { name, files: Files::new(), component: None, scenarios: Vec::new() };
        if path.is_file() {
            if path.extension().is_some_and(|extension| extension == "wasm") {
                project.component = Some(read_component(&path)?);
            } else {
                project.add(&path, SOURCE_ROOT)?;
            }
            return Ok(project);
        }
        if path.join(SPELL_TOML).exists() {
            project.add(&path.join(SPELL_TOML), SPELL_TOML)?;
        }
        project.scenarios = scenarios(&path.join("scenarios"))?;
        let (source, component) = (path.join("src"), path.join(COMPONENT_FILE));
        // Who keeps both has built one of the other by hand: the source is what the server would build.
        if component.exists() && !source.exists() {
            project.component = Some(read_component(&component)?);
        } else {
            project.add_folder(&source, "src")?;
            ensure!(project.files.keys().any(|file| file.as_str() == SOURCE_ROOT), "there is no {}", path.join(SOURCE_ROOT).display());
        }
        Ok(project)
    }

    fn add_folder(&mut self, folder: &Path, name: &str) -> Result<()> {
        let entries = folder.read_dir().with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
            let name = format!("{name}/{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                self.add_folder(&entry.path(), &name)?;
            } else if name.ends_with(".rs") {
                self.add(&entry.path(), &name)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &Path, name: &str) -> Result<()> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        ensure!(
            bytes.len() <= SOURCE_BYTES_MAX,
            "{} has {} bytes; a spell's source has at most {SOURCE_BYTES_MAX}",
            path.display(),
            bytes.len()
        );
        let text = String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8", path.display()))?;
        self.files.insert(PackagePath::new(name)?, text);
        ensure!(self.files.len() <= PACKAGE_FILES_MAX, "a spell has at most {PACKAGE_FILES_MAX} files");
        Ok(())
    }
}

fn read_component(path: &Path) -> Result<Vec<u8>> {
    let mut component = Vec::new();
    let file = fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    // A byte more than is allowed: inspection refuses it by name.
    file.take(COMPONENT_BYTES_MAX as u64 + 1).read_to_end(&mut component).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(component)
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
            assert_eq!(Project::open(path).expect("a project").component.as_deref(), Some(b"\0asm".as_slice()));
        }
        fs::create_dir(folder.path().join("src")).expect("a folder");
        fs::write(folder.path().join("src/lib.rs"), "// mine").expect("it can be written");
        fs::create_dir(folder.path().join("src/more")).expect("a folder");
        fs::write(folder.path().join("src/more/mod.rs"), "// too").expect("it can be written");
        let project = Project::open(folder.path()).expect("a project");
        assert_eq!(project.component, None);
        assert_eq!(project.files.keys().map(PackagePath::as_str).collect::<Vec<_>>(), ["src/lib.rs", "src/more/mod.rs"]);
    }
}
