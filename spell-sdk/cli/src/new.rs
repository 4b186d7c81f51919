//! `spell new`: the library's fireball under another name, so that the first thing an author has is something that works.

use anyhow::{Context, Result, ensure};
use protocol::SpellId;
use std::fs;
use std::path::Path;

const SOURCE: &str = include_str!("../../../spells/fireball/src/lib.rs");
const SCENARIO: &str = include_str!("../../../spells/fireball/scenarios/hit.scenario");
/// The SDK's sources, for editors; `spell build` does not need them.
const SDK_SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Makes the folder.
pub fn run(path: &Path) -> Result<bool> {
    let name = path.file_name().context("a spell needs a name")?.to_string_lossy().into_owned();
    SpellId::new(name.clone())?;
    ensure!(!path.exists(), "{} exists already", path.display());
    fs::create_dir_all(path.join("src"))?;
    fs::create_dir_all(path.join("scenarios"))?;
    fs::write(path.join("Cargo.toml"), cargo_toml(path, &name)?)?;
    fs::write(path.join("spell.toml"), spell_toml(&name))?;
    fs::write(path.join("src/lib.rs"), renamed(SOURCE, &name))?;
    fs::write(path.join("scenarios/hit.scenario"), renamed(SCENARIO, &name))?;
    println!("made {0}\n  spell build {0}\n  spell test {0}", path.display());
    Ok(true)
}

/// Only editors and `cargo test` read it: the server and `spell build` compile src/lib.rs by itself.
fn cargo_toml(path: &Path, name: &str) -> Result<String> {
    let sdk = Path::new(SDK_SOURCES).canonicalize().context("the SDK's sources are gone from where this tool was built")?;
    let library = sdk.parent().map(|root| root.join("spells"));
    let is_member = library.is_some() && path.canonicalize()?.parent().map(Path::to_path_buf) == library;
    let sdk = if is_member { "../../spell-sdk".to_owned() } else { sdk.display().to_string() };
    let own_workspace = if is_member { "" } else { "\n# Not part of the workspace of a folder above.\n[workspace]\n" };
    Ok(format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n[dependencies]\nspell-sdk = {{ path = \"{sdk}\" }}\n{own_workspace}"
    ))
}

fn spell_toml(name: &str) -> String {
    format!("[metadata]\nname = \"{}\"\ndescription = \"\"\ntags = []\n\n[in_flight]\npolicy = \"finish\"\n", camel_case(name))
}

fn renamed(text: &str, name: &str) -> String {
    text.replace("Fireball", &camel_case(name)).replace("fireball", name)
}

/// `ice_lance` as a type's name: `IceLance`.
fn camel_case(name: &str) -> String {
    name.split('_').filter_map(|word| Some(word.chars().next()?.to_ascii_uppercase().to_string() + &word[1..])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_type() {
        assert_eq!(camel_case("ice_lance"), "IceLance");
        assert_eq!(camel_case("a1__b_"), "A1B");
    }

    #[test]
    fn what_is_no_spell_id_is_refused() {
        assert!(run(Path::new("/nowhere/Not-A-Spell")).is_err());
    }
}
