//! What is written down of a running server, so that a control plane that starts anew finds it again.

use crate::{
    error::Error,
    ids::{ClientId, WorldId},
    keys::TokenHash,
};
use rustix::process::Pid;
use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// One running server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its world.
    pub world_id: WorldId,
    /// Names this life of it.
    pub server_id: String,
    /// Its process, and when that began, in clock ticks since the machine did: a process id alone is used again.
    pub process: i32,
    /// See `process`.
    pub began: u64,
    /// Where it listens.
    pub port: u16,
    /// Of the secret that it shows.
    pub secret_hash: TokenHash,
    /// Whose join started it.
    pub started_by: ClientId,
}

impl Record {
    /// Writes it into this folder, whole or not at all.
    pub fn write(&self, folder: &Path) -> Result<(), Error> {
        let path = path(folder, &self.world_id);
        let aside = path.with_extension("new");
        fs::write(&aside, serde_json::to_vec(self)?).map_err(Error::file(&aside))?;
        fs::rename(&aside, &path).map_err(Error::file(&path))
    }

    /// Whether its process still runs.
    pub fn is_alive(&self) -> bool {
        began(self.process) == Some(self.began)
    }
}

/// Forgets the record of this world's server.
pub fn remove(folder: &Path, world: &WorldId) {
    fs::remove_file(path(folder, world)).ok();
}

/// All records in this folder; what cannot be read is none.
pub fn read_all(folder: &Path) -> Vec<Record> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.filter_map(|path| serde_json::from_slice(&fs::read(path).ok()?).ok()).collect()
}

/// When a living process began, in clock ticks since the machine did (field 22 of `/proc/<pid>/stat`, see proc(5)).
pub fn began(process: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name may hold spaces and brackets; what follows the last bracket may not.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?;
    if state == "Z" { None } else { fields.nth(18)?.parse().ok() }
}

/// Processes of this program that serve a file in this folder.
pub fn serving(program: &Path, worlds: &Path) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let serves = |process: i32| {
        let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        let is_ours = words.iter().any(|word| word.ends_with(program.file_name().unwrap_or_default().as_encoded_bytes()));
        let saves = words.windows(2).any(|pair| pair[0] == b"--save" && Path::new(&*String::from_utf8_lossy(pair[1])).starts_with(worlds));
        is_ours && saves && began(process).is_some()
    };
    let processes = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    processes.filter(|process| serves(*process)).filter_map(Pid::from_raw).collect()
}

fn path(folder: &Path, world: &WorldId) -> PathBuf {
    folder.join(format!("{world}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_of_one_process_and_not_of_the_next_with_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let own = std::process::id().cast_signed();
        let record = Record {
            world_id: WorldId::generate(),
            server_id: "a life".into(),
            process: own,
            began: began(own).unwrap(),
            port: 7777,
            secret_hash: crate::keys::token_hash("secret"),
            started_by: ClientId::generate(),
        };
        record.write(folder.path()).unwrap();
        fs::write(folder.path().join("half.json"), "{").unwrap();
        assert_eq!(read_all(folder.path()), std::slice::from_ref(&record));
        assert!(record.is_alive());
        assert!(!Record { began: record.began + 1, ..record.clone() }.is_alive());
        remove(folder.path(), &record.world_id);
        assert_eq!(read_all(folder.path()), []);
    }
}
