//! The one place where a child is confined: every process that touches an author's work starts here.
//!
//! Three processes stand between the launcher and what it runs, each an `exec` of this executable, so that no code of ours runs between fork and exec:
//! `ugc-builder confine` limits itself, enters namespaces of its own and gives itself a root in which there is nothing but what the program reads and an empty
//! scratch folder; it starts `ugc-builder confined` there, which gives up the rest of its rights (Landlock, seccomp) and runs the program. When that has ended, the first
//! hands its one output file over and ends as it did. The launcher, outside, believes neither of them.

mod calls;
mod files;
mod root;

use crate::limits::*;
use protocol::worker::Sandbox;
use rustix::fs::{Mode, OFlags};
use rustix::process::{Resource, Rlimit, Signal, getpid, getppid, set_parent_process_death_signal, setrlimit};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// The exit code that says that the child could not even be started: a fault of the installation, not of the source. rustc has no such code.
pub const NOT_STARTED: i32 = 126;
/// An exit code above this is the number of the signal that ended the program, as shells say it.
const SIGNALS: i32 = 128;
/// The file that a program leaves in its folder, where it leaves one.
pub const OUTPUT_FILE: &str = "core.wasm";

/// What a program may reach.
#[derive(Debug, Clone)]
pub struct Confinement {
    /// Whether a layer that this machine does not have ends the build.
    pub sandbox: Sandbox,
    /// Bytes of address space that it may have.
    pub address_space: u64,
    /// Where it works. It finds the folder empty, and of what it leaves there [`OUTPUT_FILE`] alone is handed over.
    pub folder: PathBuf,
    /// Files and folders that it reads and runs, beside the system's libraries. All paths are absolute and without links.
    pub reads: Vec<PathBuf>,
}

impl Confinement {
    /// A command that runs `program` confined, with no environment but `TMPDIR`, and pipes for its three streams. `worker` is this executable.
    pub fn command(&self, worker: &Path, program: &Path) -> Command {
        let mut command = Command::new(worker);
        command.arg("confine").arg(std::process::id().to_string());
        self.pass(&mut command, program);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Hands this and the program on to the next process.
    fn pass(&self, command: &mut Command, program: &Path) {
        let sandbox = match self.sandbox {
            Sandbox::Whole => WHOLE,
            Sandbox::AsThereIs => AS_THERE_IS,
        };
        command.arg(sandbox).arg(self.address_space.to_string()).arg(&self.folder).args(&self.reads).arg("--").arg(program);
        // An inherited RUSTC_BOOTSTRAP would open unstable features; an inherited secret could be compiled in. So could the folder's name, by `env!("TMPDIR")`: hence a dot.
        command.env_clear().env("TMPDIR", ".").current_dir(&self.folder);
    }

    /// As [`Confinement::pass`] wrote it, and what stands behind it: program and arguments.
    fn read(arguments: &[OsString]) -> Option<(Self, &OsString, &[OsString])> {
        let end = arguments.iter().position(|argument| argument == "--")?;
        let ([sandbox, address_space, folder, reads @ ..], [_, program, arguments @ ..]) = arguments.split_at(end) else { return None };
        let sandbox = match sandbox.to_str()? {
            WHOLE => Sandbox::Whole,
            AS_THERE_IS => Sandbox::AsThereIs,
            _ => return None,
        };
        let address_space = address_space.to_str()?.parse().ok()?;
        Some((Self { sandbox, address_space, folder: folder.into(), reads: reads.iter().map(PathBuf::from).collect() }, program, arguments))
    }

    /// What comes of a layer that is not there.
    fn need(&self, layer: &str, remedy: &str, result: io::Result<()>) -> io::Result<bool> {
        match (result, self.sandbox) {
            (Ok(()), _) => Ok(true),
            (Err(_), Sandbox::AsThereIs) => Ok(false),
            (Err(error), Sandbox::Whole) => Err(io::Error::other(format!("{layer} cannot be had: {error}; {remedy}"))),
        }
    }
}

const WHOLE: &str = "whole";
const AS_THERE_IS: &str = "as-there-is";

/// Runs a program confined and answers with its exit code: `ugc-builder confine`'s arguments are the launcher's process id and a confinement.
pub fn supervise(arguments: &[OsString]) -> io::Result<i32> {
    let malformed = || io::Error::other("a confinement that does not parse");
    let (launcher, rest) = arguments.split_first().ok_or_else(malformed)?;
    let launcher = launcher.to_str().and_then(|pid| pid.parse().ok()).ok_or_else(malformed)?;
    let (confinement, program, arguments) = Confinement::read(rest).ok_or_else(malformed)?;
    die_with(launcher)?;
    limit_resources(confinement.address_space)?;
    let worker = std::env::current_exe()?;
    // Before the scratch covers it.
    let outside = rustix::fs::open(&confinement.folder, OFlags::DIRECTORY | OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let inside = Confinement { reads: confinement.reads.iter().cloned().chain([worker.clone()]).collect(), ..confinement };
    inside.need("a root and namespaces of its own", root::REMEDY, root::enter(&inside.folder, &inside.reads, Path::new(program)))?;

    let mut child = Command::new(&worker);
    child.arg("confined");
    inside.pass(&mut child, Path::new(program));
    let status = child.args(arguments).status()?;
    if status.success() && is_covered(&inside.folder, &outside)? {
        hand_over(&inside.folder.join(OUTPUT_FILE), &outside)?;
    }
    Ok(code(status))
}

/// Gives up what is left of this process's rights, and runs the program or becomes it. Answers with its exit code.
pub fn run_confined(arguments: &[OsString]) -> io::Result<i32> {
    let malformed = || io::Error::other("a confinement that does not parse");
    let (confinement, program, arguments) = Confinement::read(arguments).ok_or_else(malformed)?;
    set_parent_process_death_signal(Some(Signal::KILL))?;
    confinement.need("Landlock", files::REMEDY, files::restrict(&confinement.folder, &confinement.reads))?;
    confinement.need("seccomp", calls::REMEDY, calls::restrict())?;
    let mut program = Command::new(program);
    program.args(arguments);
    if getpid().is_init() {
        // The first process of a namespace ignores the signals that end another: of CPU time, of an abort. It stays, and what it starts goes when it goes.
        program.status().map(code)
    } else {
        // Without a namespace a child would outlive us.
        Err(program.exec())
    }
}

/// A killed launcher leaves nothing running. The signal comes when the thread that started this process ends, so launchers build on a thread that stays. What runs
/// inside dies with this process, which is its parent and the owner of its process ids.
fn die_with(launcher: u32) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid().map(|parent| parent.as_raw_nonzero().get().cast_unsigned()) != Some(launcher) {
        return Err(io::Error::other("the launcher is gone"));
    }
    Ok(())
}

fn limit_resources(address_space: u64) -> io::Result<()> {
    for (resource, limit) in
        [(Resource::As, address_space), (Resource::Fsize, FILE_BYTES_MAX), (Resource::Nofile, OPEN_FILES_MAX), (Resource::Core, 0)]
    {
        setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })?;
    }
    // The soft limit's signal names the reason; the hard one, a second later, is for whoever ignores it.
    setrlimit(Resource::Cpu, Rlimit { current: Some(CPU_SECONDS_MAX), maximum: Some(CPU_SECONDS_MAX + 1) })?;
    Ok(())
}

/// Whether the program's scratch lies over the folder outside: where not all layers can be had, it may have worked in that one itself.
fn is_covered(folder: &Path, outside: &OwnedFd) -> io::Result<bool> {
    let (within, outside) = (rustix::fs::stat(folder)?, rustix::fs::fstat(outside)?);
    Ok((within.st_dev, within.st_ino) != (outside.st_dev, outside.st_ino))
}

/// Copies what the program left, if it left a file, to the folder outside. Not followed if it is a link and not waited for if it is a pipe.
fn hand_over(output: &Path, outside: &OwnedFd) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(left) = rustix::fs::open(output, flags, Mode::empty()) else { return Ok(()) };
    let left = File::from(left);
    if !left.metadata()?.is_file() {
        return Ok(());
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut handed = File::from(rustix::fs::openat(outside, OUTPUT_FILE, flags, Mode::RUSR | Mode::WUSR)?);
    // A byte more than is allowed: the next stage refuses it by name.
    io::copy(&mut left.take(CORE_BYTES_MAX as u64 + 1), &mut handed)?;
    handed.flush()
}

fn code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| SIGNALS + signal)).unwrap_or(NOT_STARTED)
}

/// How the program itself ended, from how its supervisor did.
pub fn ended(code: i32) -> Result<i32, i32> {
    if code > SIGNALS { Err(code - SIGNALS) } else { Ok(code) }
}
