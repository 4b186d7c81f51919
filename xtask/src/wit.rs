//! `cargo xtask wit`: generates the SDK's bindings from the WIT, and says when the checked-in ones are stale.

use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use wit_bindgen_core::{Files, WorldGenerator, wit_parser::Resolve};

/// The released interface that the SDK speaks, relative to the workspace.
const INTERFACE: &str = "wit/since-v0.1.0";
/// The world in it that a spell implements.
const WORLD: &str = "spell";
/// Where the bindings are checked in, relative to the workspace.
const BINDINGS: &str = "spell-sdk/src/bindings.rs";
/// First lines of the generated file.
const HEADER: &str = "//! The component ABI of `ugc:spell`, generated from `wit/` by `cargo xtask wit`. Not edited by hand.\n\n";

/// Writes the bindings, or with `check` only compares them with the checked-in file and fails when they differ.
pub fn run(check: bool) -> Result<()> {
    let path = workspace().join(BINDINGS);
    let fresh = generate()?;
    let current = fs::read_to_string(&path).unwrap_or_default();
    if fresh == current {
        return Ok(());
    }
    if check {
        bail!("{BINDINGS} is stale: run `cargo xtask wit` and commit the file");
    }
    fs::write(&path, fresh).with_context(|| format!("cannot write {}", path.display()))
}

/// The bindings as Rust source, formatted: the same WIT and the same generator give the same text.
pub fn generate() -> Result<String> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(workspace().join(INTERFACE)).with_context(|| format!("cannot read {INTERFACE}"))?;
    let world = resolve.select_world(&[package], Some(WORLD))?;

    let mut files = Files::default();
    let options = wit_bindgen_rust::Opts { format: true, generate_all: true, pub_export_macro: true, ..Default::default() };
    options.build().generate(&mut resolve, world, &mut files)?;

    let mut sources = files.iter();
    let (_, source) = sources.next().context("the generator gave no file")?;
    ensure!(sources.next().is_none(), "the generator gave more than one file");
    Ok(format!("{HEADER}{}", std::str::from_utf8(source)?))
}

/// The workspace's folder.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checked_in_bindings_are_fresh() {
        super::run(true).unwrap();
    }
}
