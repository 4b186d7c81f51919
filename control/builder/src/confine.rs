//! The one place where a child is confined: every process that touches an author's work starts here.
//!
//! The launcher starts `ugc-builder confine -- <program> <arguments>`, which limits itself and then becomes the program: no code of ours runs between fork and
//! exec, so none of it must be unsafe. Namespaces, Landlock and seccomp belong in [`confine`], before its last line.

use crate::limits::*;
use rustix::process::{Resource, Rlimit, Signal, getppid, set_parent_process_death_signal, setrlimit};
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// The exit code that says that the child could not even be started: a fault of the installation, not of the source. rustc has no such code.
pub const NOT_STARTED: i32 = 126;

/// A command that runs `program` confined, with no environment but `TMPDIR`, in `folder`, and pipes for its three streams.
pub fn command(worker: &Path, folder: &Path, program: &Path) -> Command {
    let mut command = Command::new(worker);
    command.arg("confine").arg(std::process::id().to_string()).arg("--").arg(program);
    // An inherited RUSTC_BOOTSTRAP would open unstable features; an inherited secret could be compiled in. So could the folder's name, by `env!("TMPDIR")`: hence a dot.
    command.env_clear().env("TMPDIR", ".").current_dir(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Limits this process and becomes `program`. Comes back only with an error.
pub fn become_confined(launcher: u32, program: &OsString, arguments: &[OsString]) -> io::Error {
    match confine(launcher) {
        Ok(()) => Command::new(program).args(arguments).exec(),
        Err(error) => error,
    }
}

fn confine(launcher: u32) -> io::Result<()> {
    // A killed launcher leaves nothing running. The signal comes when the thread that started this process ends, so launchers build on a thread that stays.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid().map(|parent| parent.as_raw_nonzero().get().cast_unsigned()) != Some(launcher) {
        return Err(io::Error::other("the launcher is gone"));
    }
    for (resource, limit) in [
        (Resource::As, ADDRESS_SPACE_BYTES_MAX),
        (Resource::Fsize, FILE_BYTES_MAX),
        (Resource::Nofile, OPEN_FILES_MAX),
        (Resource::Core, 0),
    ] {
        setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })?;
    }
    // The soft limit's signal names the reason; the hard one, a second later, is for whoever ignores it.
    setrlimit(Resource::Cpu, Rlimit { current: Some(CPU_SECONDS_MAX), maximum: Some(CPU_SECONDS_MAX + 1) })?;
    Ok(())
}
