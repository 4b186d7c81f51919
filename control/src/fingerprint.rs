//! What builds depend on beside the author's files: with another compiler, SDK or key the same package is built anew.

use crate::{
    config::Siblings,
    error::Error,
    keys::{self, Keys},
};
use protocol::Sha256Hex;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Changes with the builder, the SDK and the signing key.
pub fn of(siblings: &Siblings, keys: &Keys) -> Result<Sha256Hex, Error> {
    let mut files = vec![siblings.builder.clone()];
    add(&siblings.sdk, &mut files)?;
    files.sort();
    let mut text = format!("ugc-world builds v1\n{}\n", keys::public_hex(&keys.artifact));
    for file in files {
        let bytes = fs::read(&file).map_err(Error::file(&file))?;
        text += &format!("{}\n", Sha256Hex::of(&bytes));
    }
    Ok(Sha256Hex::of(text.as_bytes()))
}

/// The files in a folder; none where it is not there, which the builder says better.
fn add(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry.map_err(Error::file(folder))?.path();
        if path.is_dir() { add(&path, files)? } else { files.push(path) }
    }
    Ok(())
}
