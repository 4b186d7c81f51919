//! The files of a package before anything is compiled: bounded, read where they say something about the spell, and laid out for the compiler.

use crate::diagnostics::placeless;
use crate::source;
use protocol::job::Diagnostic;
use protocol::limits::{PACKAGE_FILES_MAX, SOURCE_BYTES_MAX};
use protocol::manifest::{InFlight, Metadata};
use protocol::package::{Kind, PackagePath, SOURCE_ROOT, SPELL_TOML, clash, kind};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// Text files by path.
pub type Files = BTreeMap<PackagePath, String>;

/// What `spell.toml` may say. The envelope is not here: it stands in the source, where it is enforced from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpellToml {
    /// What people read about it.
    pub metadata: Metadata,
    /// What becomes of casts in flight.
    pub in_flight: InFlight,
}

/// All that refuses these files before a compiler sees them.
pub fn check(files: &Files) -> Vec<Diagnostic> {
    if files.len() > PACKAGE_FILES_MAX {
        return vec![placeless("size", &format!("{} files are over the limit of {PACKAGE_FILES_MAX}", files.len()), None)];
    }
    let bytes: usize = files.values().map(String::len).sum();
    if bytes > SOURCE_BYTES_MAX {
        let message = format!("the source has {bytes} bytes, over the limit of {SOURCE_BYTES_MAX}");
        return vec![placeless("size", &message, Some("split it into several spells"))];
    }
    if let Some(path) = clash(files.keys()) {
        return vec![placeless("file", &format!("{path} is there twice: as two files, or as a file and a folder"), None)];
    }
    if let Some(path) = files.keys().find(|path| !matches!(kind(path), Some(Kind::Source | Kind::Text))) {
        return vec![placeless(
            "file",
            &format!("{path} is no text file of a package"),
            Some("source lies in src/, what people read beside it"),
        )];
    }
    files.iter().filter(|(path, _)| kind(path) == Some(Kind::Source)).flat_map(|(path, text)| source::check(path, text)).collect()
}

/// Whether there is something to compile.
pub fn check_root(files: &Files) -> Option<Diagnostic> {
    let has_root = files.keys().any(|path| path.as_str() == SOURCE_ROOT);
    (!has_root).then(|| placeless("file", &format!("there is no {SOURCE_ROOT}"), Some("it is where a spell's source begins")))
}

/// What `spell.toml` says; nothing where there is none.
pub fn spell_toml(files: &Files) -> Result<Option<SpellToml>, Diagnostic> {
    let Some((path, text)) = files.iter().find(|(path, _)| path.as_str() == SPELL_TOML) else { return Ok(None) };
    let read: SpellToml = toml::from_str(text).map_err(|error| {
        let found = placeless("spell_toml", error.message(), None);
        match error.span() {
            Some(span) => source::placed(found, path, text, span),
            None => Diagnostic { file: path.to_string(), line: 1, column: 1, end_line: 1, end_column: 1, ..found },
        }
    })?;
    match read.metadata.check() {
        Ok(()) => Ok(Some(read)),
        Err(why) => {
            let at = text.find("[metadata]").unwrap_or(0);
            Err(source::placed(placeless("spell_toml", &format!("metadata: {why}"), None), path, text, at..at))
        }
    }
}

/// Writes the source below this folder, which must not exist.
pub fn lay_out(files: &Files, folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)?;
    for (path, text) in files.iter().filter(|(path, _)| kind(path) == Some(Kind::Source)) {
        let path = folder.join(path.as_str());
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> Files {
        files.iter().map(|(path, text)| (PackagePath::new(*path).expect("a path"), (*text).to_owned())).collect()
    }

    #[test]
    fn a_mistake_in_spell_toml_has_its_place() {
        let at = |text: &str| spell_toml(&files(&[("spell.toml", text)])).map_err(|found| (found.line, found.column, found.message));
        assert_eq!(
            at("[metadata]\nname = \"Fire\"\n[in_flight]\npolicy = \"migrate\"\n").expect("it reads").expect("it is there").metadata.name,
            "Fire"
        );
        let (line, _, message) = at("[metadata]\ncolour = \"red\"\n").expect_err("an unknown key");
        assert!(line == 2 && message.contains("colour"), "{line}: {message}");
        assert_eq!(at("[metadata").expect_err("cut off").0, 1);
        let (line, _, message) = at(&format!("\n[metadata]\nname = \"{}\"", "x".repeat(65))).expect_err("too long");
        assert!(line == 2 && message.contains("65"), "{message}");
        assert_eq!(spell_toml(&files(&[])), Ok(None));
    }

    #[test]
    fn what_is_no_package_is_refused() {
        let code = |list: &[(&str, &str)]| check(&files(list)).first().map(|found| found.code.clone());
        assert_eq!(code(&[("src/lib.rs", ""), ("src/a.rs", "")]), None);
        assert_eq!(code(&[("src/lib.rs", ""), ("src/A.rs", ""), ("src/a.rs", "")]).as_deref(), Some("file"));
        assert_eq!(code(&[("build.rs", "")]).as_deref(), Some("file"));
        assert_eq!(code(&[("assets/a.png", "")]).as_deref(), Some("file"));
        assert_eq!(code(&[("src/lib.rs", &"/".repeat(SOURCE_BYTES_MAX + 1))]).as_deref(), Some("size"));
        assert!(check_root(&files(&[("src/main.rs", "")])).is_some());
    }
}
