//! Signed artifacts: asked of the control plane by hash, and kept in a folder that servers of one machine may share.

use crate::limits::{ARTIFACT_CACHE_BYTES_MAX, ARTIFACT_LEFT_BEHIND_AGE, LINK_ANSWER_TIMEOUT};
use crate::link::Line;
use protocol::Sha256Hex;
use protocol::limits::{ARTIFACT_BYTES_MAX, COMPONENT_BYTES_MAX};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// Where artifacts come from.
#[derive(Debug)]
pub struct Artifacts {
    folder: PathBuf,
    bytes_max: u64,
}

/// Why an artifact is not to be had now.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The control plane cannot be reached, or has not got it.
    #[error("artifact {0} cannot be fetched: {1}")]
    Http(Sha256Hex, Box<ureq::Error>),
    /// Other bytes came.
    #[error("what came for artifact {0} has another hash")]
    Damaged(Sha256Hex),
}

impl Artifacts {
    /// Those in this folder; it is made with the first one. What a server that was killed has left half-written there is removed.
    pub fn in_folder(folder: PathBuf) -> Self {
        let artifacts = Self { folder, bytes_max: ARTIFACT_CACHE_BYTES_MAX };
        artifacts.sweep();
        artifacts
    }

    /// The artifact: from the folder, else from the control plane. Blocks.
    ///
    /// # Errors
    /// When the control plane does not give it.
    pub fn get(&self, hash: &Sha256Hex, line: &Line) -> Result<Arc<[u8]>, FetchError> {
        if let Some(bytes) = self.kept(hash) {
            return Ok(bytes.into());
        }
        let http = |error: ureq::Error| FetchError::Http(hash.clone(), Box::new(error));
        let url = format!("{}/internal/worlds/{}/artifacts/{hash}", line.control_plane, line.world);
        let agent = ureq::Agent::config_builder().timeout_global(Some(LINK_ANSWER_TIMEOUT)).max_redirects(0).build().new_agent();
        let response = agent.get(url).header("authorization", format!("Bearer {}", line.secret)).call().map_err(http)?;
        let limit = (ARTIFACT_BYTES_MAX + COMPONENT_BYTES_MAX + 64 * 1024) as u64;
        let bytes = response.into_body().into_with_config().limit(limit).read_to_vec().map_err(http)?;
        if Sha256Hex::of(&bytes) != *hash {
            return Err(FetchError::Damaged(hash.clone()));
        }
        // A folder that cannot be written costs another fetch after a restart, and no more.
        if let Err(error) = self.keep(hash, &bytes) {
            tracing::warn!(folder = %self.folder.display(), %error, "an artifact is not kept");
        }
        Ok(bytes.into())
    }

    /// What lies in the folder, if it is whole. Its time says when it was used last.
    fn kept(&self, hash: &Sha256Hex) -> Option<Vec<u8>> {
        let path = self.folder.join(hash.as_str());
        let (mut bytes, mut file) = (Vec::new(), File::options().read(true).write(true).open(&path).ok()?);
        file.read_to_end(&mut bytes).ok()?;
        if Sha256Hex::of(&bytes) != *hash {
            fs::remove_file(&path).ok();
            return None;
        }
        file.set_modified(SystemTime::now()).ok();
        Some(bytes)
    }

    /// Writes it whole or not at all, and lets go of those that were not used for longest.
    fn keep(&self, hash: &Sha256Hex, bytes: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        // Another server may be writing the same one.
        let aside = self.folder.join(format!("{hash}.{}", std::process::id()));
        let written = fs::write(&aside, bytes).and_then(|()| fs::rename(&aside, self.folder.join(hash.as_str())));
        // Half of one would keep a full disk full.
        written.inspect_err(|_| _ = fs::remove_file(&aside))?;
        self.let_go()
    }

    /// Removes what was begun and never became whole. What is young another server may be writing.
    fn sweep(&self) {
        for path in fs::read_dir(&self.folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())) {
            let age = used(&path).and_then(|(time, ..)| time.elapsed().ok());
            if path.extension().is_some() && age.is_some_and(|age| age >= ARTIFACT_LEFT_BEHIND_AGE) {
                fs::remove_file(path).ok();
            }
        }
    }

    fn let_go(&self) -> io::Result<()> {
        let mut kept: Vec<(SystemTime, u64, PathBuf)> = fs::read_dir(&self.folder)?.filter_map(|entry| used(&entry.ok()?.path())).collect();
        kept.sort();
        let mut bytes: u64 = kept.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, size, path) in kept {
            if bytes <= self.bytes_max {
                break;
            }
            // Another server may have been faster.
            fs::remove_file(path).ok();
            bytes -= size;
        }
        Ok(())
    }
}

fn used(path: &Path) -> Option<(SystemTime, u64, PathBuf)> {
    let about = fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.len(), path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nobody listens there: what is not in the folder cannot be had.
    fn line() -> Line {
        Line { control_plane: "http://127.0.0.1:1".into(), world: "world_00000001".into(), secret: String::new() }
    }

    #[test]
    fn what_was_never_finished_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let (hash, other) = (Sha256Hex::of(b"one"), Sha256Hex::of(b"other"));
        let named = |name: String| folder.path().join(name);
        let (left_behind, being_written) = (named(format!("{hash}.77")), named(format!("{other}.78")));
        for path in [&left_behind, &being_written, &named(hash.to_string())] {
            fs::write(path, b"one").expect("written");
        }
        for path in [&left_behind, &named(hash.to_string())] {
            let file = File::options().write(true).open(path).expect("it is there");
            file.set_modified(SystemTime::now() - ARTIFACT_LEFT_BEHIND_AGE).expect("a time");
        }
        let artifacts = Artifacts::in_folder(folder.path().to_owned());
        assert!(!left_behind.exists() && being_written.exists());
        assert_eq!(*artifacts.get(&hash, &line()).expect("it is whole, and older"), *b"one");
        // Neither does one stay that could not be put in its place.
        let in_the_way = named(Sha256Hex::of(b"third").to_string());
        fs::create_dir(&in_the_way).expect("a folder");
        artifacts.keep(&Sha256Hex::of(b"third"), b"third").expect_err("a folder is in its way");
        let begun =
            fs::read_dir(folder.path()).expect("the folder").filter(|entry| entry.as_ref().expect("an entry").path().extension().is_some());
        assert_eq!(begun.count(), 1, "the one that another server writes");
    }

    #[test]
    fn what_is_kept_is_whole_and_bounded() {
        let folder = tempfile::tempdir().expect("a folder");
        let artifacts = Artifacts { folder: folder.path().join("artifacts"), bytes_max: 25 };
        let all: Vec<(Sha256Hex, Vec<u8>)> = (0..3_u8).map(|n| (Sha256Hex::of(&[n; 10]), vec![n; 10])).collect();
        for (age, (hash, bytes)) in (1..).zip(&all) {
            artifacts.keep(hash, bytes).expect("it is written");
            // Seconds apart, whatever the file system's clock.
            let file = File::options().write(true).open(artifacts.folder.join(hash.as_str()));
            if let Ok(file) = file {
                file.set_modified(SystemTime::now() - std::time::Duration::from_secs(60 - age)).expect("a time");
            }
        }
        assert!(artifacts.get(&all[0].0, &line()).is_err(), "the oldest is gone");
        assert_eq!(*artifacts.get(&all[2].0, &line()).expect("kept"), *all[2].1);
        fs::write(artifacts.folder.join(all[1].0.as_str()), b"other bytes").expect("written");
        assert!(artifacts.get(&all[1].0, &line()).is_err(), "what is damaged is asked for again");
        assert!(!artifacts.folder.join(all[1].0.as_str()).exists());
    }
}
