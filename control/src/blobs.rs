//! Content by hash, as files: written whole or not at all, and never served with other bytes than those of their name.

use crate::{error::Error, keys::random};
use protocol::{Sha256Hex, manifest::Blob};
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

/// A folder of blobs: `<first two digits>/<hash>`.
#[derive(Clone)]
pub struct Blobs {
    folder: PathBuf,
}

impl Blobs {
    /// Opens the folder and removes what an earlier process left half written.
    pub fn open(folder: PathBuf) -> Result<Self, Error> {
        let blobs = Self { folder };
        let aside = blobs.aside();
        if aside.exists() {
            fs::remove_dir_all(&aside).map_err(Error::file(&aside))?;
        }
        fs::create_dir_all(&aside).map_err(Error::file(&aside))?;
        Ok(blobs)
    }

    /// Stores these bytes; on return they survive a power cut. Blocks.
    pub fn put(&self, bytes: &[u8]) -> Result<Blob, Error> {
        let hash = Sha256Hex::of(bytes);
        let path = self.path(&hash);
        // A damaged file is written anew, so a rebuild heals it.
        if self.get(&hash).is_err() {
            self.write(&path, bytes).map_err(Error::file(&path))?;
        }
        Ok(Blob { hash, size: bytes.len() as u64 })
    }

    /// The bytes of this hash. Blocks. Damage is an error, never an answer.
    pub fn get(&self, hash: &Sha256Hex) -> Result<Vec<u8>, Error> {
        let path = self.path(hash);
        let bytes = fs::read(&path).map_err(Error::file(&path))?;
        if Sha256Hex::of(&bytes) == *hash { Ok(bytes) } else { Err(Error::BlobDamaged(hash.clone())) }
    }

    /// Removes the others; answers how many. Blocks.
    pub fn keep(&self, is_named: impl Fn(&Sha256Hex) -> bool) -> Result<usize, Error> {
        let list = |folder: &Path| -> Result<Vec<PathBuf>, Error> {
            let entries = fs::read_dir(folder).map_err(Error::file(folder))?;
            entries.map(|entry| Ok(entry.map_err(Error::file(folder))?.path())).collect()
        };
        let mut removed = 0;
        for folder in list(&self.folder)?.into_iter().filter(|path| *path != self.aside() && path.is_dir()) {
            for path in list(&folder)? {
                // What is not named like a blob is none of ours.
                let hash = path.file_name().and_then(|name| name.to_str()?.parse().ok());
                if hash.is_some_and(|hash| !is_named(&hash)) {
                    fs::remove_file(&path).map_err(Error::file(&path))?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        let folder = path.parent().expect("a blob lies in a folder");
        fs::create_dir_all(folder)?;
        let aside = self.aside().join(hex::encode(random::<16>()));
        let written = write_aside(&aside, bytes).and_then(|()| fs::rename(&aside, path));
        // Half a blob would keep a full disk full.
        written.inspect_err(|_| _ = fs::remove_file(&aside))?;
        File::open(folder)?.sync_all()?;
        File::open(&self.folder)?.sync_all()
    }

    fn path(&self, hash: &Sha256Hex) -> PathBuf {
        self.folder.join(&hash.as_str()[..2]).join(hash.as_str())
    }

    fn aside(&self) -> PathBuf {
        self.folder.join("aside")
    }
}

fn write_aside(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_blob_is_refused_and_healed_by_the_next_put() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path().into()).unwrap();
        let blob = blobs.put(b"fire").unwrap();
        assert_eq!(blobs.get(&blob.hash).unwrap(), b"fire");
        fs::write(blobs.path(&blob.hash), b"fine").unwrap();
        assert!(matches!(blobs.get(&blob.hash), Err(Error::BlobDamaged(hash)) if hash == blob.hash));
        blobs.put(b"fire").unwrap();
        assert_eq!(blobs.get(&blob.hash).unwrap(), b"fire");
    }

    #[test]
    fn what_nothing_names_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path().into()).unwrap();
        let (fire, ice) = (blobs.put(b"fire").unwrap().hash, blobs.put(b"ice").unwrap().hash);
        fs::write(folder.path().join("notes"), b"the operator's own").unwrap();
        assert_eq!(blobs.keep(|hash| *hash == fire).unwrap(), 1);
        assert!(blobs.get(&fire).is_ok() && blobs.get(&ice).is_err() && folder.path().join("notes").exists());
    }

    #[test]
    fn what_could_not_be_written_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path().into()).unwrap();
        let path = blobs.path(&Sha256Hex::of(b"fire"));
        fs::create_dir_all(&path).unwrap();
        assert!(matches!(blobs.put(b"fire"), Err(Error::File { .. })));
        assert_eq!(fs::read_dir(blobs.aside()).unwrap().count(), 0);
    }

    #[test]
    fn what_was_half_written_is_gone_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path().into()).unwrap();
        fs::write(blobs.aside().join("half"), b"fi").unwrap();
        let blobs = Blobs::open(folder.path().into()).unwrap();
        assert_eq!(fs::read_dir(blobs.aside()).unwrap().count(), 0);
    }
}
