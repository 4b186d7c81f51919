//! A small disk of its own for a game server, which can be full or read-only: a tmpfs in a mount namespace.

use crate::process::{HOST, Killed, save};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

/// Lives as long as this does, whatever becomes of the servers on it.
pub struct Disk {
    pub folder: Arc<TempDir>,
    /// Sits in the namespace.
    keeper: Killed,
}

impl Disk {
    /// One of so many megabytes.
    pub fn of(megabytes: u32) -> Self {
        let folder = Arc::new(tempfile::tempdir().expect("a folder"));
        let script = format!("mount -t tmpfs -o size={megabytes}m disk \"$0\" && echo ready && exec cat");
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", &script]).arg(folder.path());
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut keeper = Killed(spawned.expect("unshare of util-linux is installed"));
        let mut line = String::new();
        BufReader::new(keeper.0.stdout.take().expect("piped")).read_line(&mut line).expect("it writes text");
        if line.trim() != "ready" {
            let mut said = String::new();
            keeper.0.stderr.take().expect("piped").read_to_string(&mut said).expect("it writes text");
            panic!(
                "this test mounts a small disk in a namespace of its own, and this machine does not let it (user namespaces are off?): {said}"
            );
        }
        Self { folder, keeper }
    }

    /// A command that runs a game server there.
    pub fn host(&self) -> Command {
        self.within(HOST)
    }

    /// Mounts another disk over a folder of this one, which is read-only.
    pub fn read_only_folder(&self, name: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(self.seen_from_here(&path)).expect("a folder");
        self.run("mount", &["-t", "tmpfs", "-o", "ro", "disk"], &path);
    }

    /// Makes the whole of it read-only, or takes that back. Nobody may write to it.
    pub fn set_read_only(&self, read_only: bool) {
        self.run("mount", &["-o", if read_only { "remount,bind,ro" } else { "remount,bind,rw" }], self.folder.path());
    }

    /// Writes until nothing fits any more.
    pub fn fill(&self) {
        let mut ballast = File::create(self.ballast()).expect("a file");
        for size in [64 * 1024, 1] {
            while ballast.write_all(&vec![0x55; size]).is_ok() {}
        }
    }

    /// Takes away what filled it.
    pub fn free(&self) {
        std::fs::remove_file(self.ballast()).expect("it is there");
    }

    /// The world's file, as a path of ours.
    pub fn save(&self) -> PathBuf {
        self.seen_from_here(&save(&self.folder))
    }

    fn ballast(&self) -> PathBuf {
        self.seen_from_here(&self.folder.path().join("ballast"))
    }

    fn seen_from_here(&self, path: &Path) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{}", self.keeper.0.id(), path.display()))
    }

    fn within(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.keeper.0.id().to_string(), "--user", "--mount", "--preserve-credentials", program]);
        command
    }

    fn run(&self, program: &str, arguments: &[&str], path: &Path) {
        let output = self.within(program).args(arguments).arg(path).output().expect("nsenter of util-linux is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
