//! Which spell a command is about: the one that is named, or the one whose folder or file it is.

use anyhow::{Context, Result};
use protocol::SpellId;
use std::path::Path;

/// The spell of a folder or a source file: unless another id is given, its name.
pub fn of_path(path: &Path, given: Option<&str>) -> Result<SpellId> {
    if let Some(given) = given {
        return Ok(SpellId::new(given)?);
    }
    let path = path.canonicalize().with_context(|| format!("there is no {}", path.display()))?;
    let name = path.file_stem().context("a spell has a name")?.to_string_lossy().into_owned();
    SpellId::new(name).with_context(|| format!("{} has no name that a spell could have: give one with --spell", path.display()))
}

/// The spell that is meant by a spell's id or by a path.
pub fn of_word(word: &str) -> Result<SpellId> {
    if Path::new(word).exists() { of_path(Path::new(word), None) } else { Ok(SpellId::new(word)?) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spell_is_called_as_its_folder_or_as_is_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ice_lance");
        std::fs::create_dir(&path).expect("a folder");
        assert_eq!(of_path(&path, None).expect("a name").as_str(), "ice_lance");
        assert_eq!(of_path(&path, Some("my_lance")).expect("a name").as_str(), "my_lance");
        assert_eq!(of_word(&path.display().to_string()).expect("a name").as_str(), "ice_lance");
        assert_eq!(of_word("fireball").expect("a name").as_str(), "fireball");
        assert!(of_word("no spell").is_err());
    }
}
