//! `spell login`: who the author is on a server. A file of theirs alone remembers it.

use crate::limits::LOGIN_FILE_BYTES_MAX;
use crate::plain;
use crate::server::Wire;
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// All that the file says.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Logins {
    /// The server that commands talk to.
    pub server: String,
    /// By server: an account key that is lost is a player who is lost, so a login elsewhere forgets none.
    pub accounts: BTreeMap<String, Account>,
}

/// A player on one server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// The handle.
    pub username: String,
    /// Makes the same player of a later login.
    pub account_key: String,
    /// Of the session that is open, or is over by now.
    pub session_token: String,
}

/// Logs in and remembers it.
pub fn run(server: &str, name: Option<&str>) -> Result<bool> {
    let (path, wire) = (path()?, Wire::new(server)?);
    let mut logins = Logins::read(&path)?;
    let kept = logins.accounts.get(&wire.address).cloned();
    let account = log_in(&wire, kept.as_ref().map(|kept| kept.account_key.as_str()), name)?;
    println!("logged in at {} as {}", wire.address, plain::line(&account.username));
    match (&kept, name) {
        (Some(kept), _) if kept.account_key != account.account_key => {
            println!("  the server did not know the account of {}: this is a new one", plain::line(&kept.username));
        }
        (Some(_), Some(name)) if name != account.username => println!("  the account that you have there keeps its name"),
        (None, Some(name)) if name != account.username => println!("  somebody else is called {name}"),
        _ => {}
    }
    logins.server = wire.address.clone();
    logins.accounts.insert(wire.address, account);
    logins.write(&path)?;
    Ok(true)
}

/// Opens a session: for the account key's player, where the server knows it.
pub fn log_in(wire: &Wire, account_key: Option<&str>, name: Option<&str>) -> Result<Account> {
    let answer = wire.ask("POST", "/login", None, Some(&json!({ "username": name, "account_key": account_key })))?;
    serde_json::from_value(answer).context("the server's answer to the login is none")
}

/// Where the file lies.
pub fn path() -> Result<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(file) = folder("SPELL_CONFIG") {
        return Ok(file);
    }
    let config = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")));
    Ok(config.context("neither SPELL_CONFIG, XDG_CONFIG_HOME nor HOME says where the login is to be kept")?.join("ugc-spell/login.json"))
}

impl Logins {
    /// Reads the file; one that is not there is an empty one.
    pub fn read(path: &Path) -> Result<Self> {
        let file = match fs::File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            file => file.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let mut text = String::new();
        file.take(LOGIN_FILE_BYTES_MAX).read_to_string(&mut text).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is no file of logins", path.display()))
    }

    /// Writes the file, for its owner alone: aside first, so that what is there is always whole.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        ensure!(text.len() as u64 <= LOGIN_FILE_BYTES_MAX, "{} would have {} bytes", path.display(), text.len());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let written = (|| {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            // A temporary file is made with mode 0600, whatever the umask says.
            let mut aside = tempfile::NamedTempFile::new_in(folder)?;
            aside.write_all(text.as_bytes())?;
            aside.as_file().sync_all()?;
            aside.persist(path)?;
            std::io::Result::Ok(())
        })();
        written.with_context(|| format!("cannot write {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    }

    #[test]
    fn a_login_is_kept_for_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ugc-spell/login.json");
        assert_eq!(Logins::read(&path).expect("none yet"), Logins::default());
        let account = Account { username: "kim".into(), account_key: "key".into(), session_token: "token".into() };
        let mut logins = Logins { server: "http://here".into(), accounts: BTreeMap::from([("http://here".into(), account.clone())]) };
        logins.write(&path).expect("it can be written");
        assert_eq!((mode(&path), mode(path.parent().expect("a folder"))), (0o600, 0o700));
        // What somebody has opened up is closed by the next login, and nothing is left beside it.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("it is ours");
        logins.accounts.insert("http://there".into(), account);
        logins.write(&path).expect("it can be written");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(fs::read_dir(path.parent().expect("a folder")).expect("it can be read").count(), 1);
        assert_eq!(Logins::read(&path).expect("it can be read"), logins);
    }

    #[test]
    fn what_is_no_login_is_not_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("login.json");
        fs::write(&path, "{\"server\"").expect("it can be written");
        assert!(Logins::read(&path).is_err());
    }
}
