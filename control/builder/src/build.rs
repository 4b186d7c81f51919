//! One build, from source to signed artifact: the launcher's side, on one screen.

use crate::child::{self, Ended, How, Kept};
use crate::confine::{self, Confinement};
use crate::diagnostics::{self, FILE, placeless};
use crate::limits::*;
use crate::native::{self, Native};
use crate::source;
use crate::toolchain::{self, Toolchain};
use protocol::job::{Diagnostic, Severity, Stage};
use protocol::limits::{COMPILER_OUTPUT_BYTES_MAX, DIAGNOSTICS_MAX};
use protocol::manifest::Cost;
use protocol::worker::{ARTIFACT_FILE, COMPONENT_FILE, Event, Finished, Order};
use rustix::fs::{Mode, OFlags};
use rustix::process::Signal;
use spell_runtime::{artifact, inspect, mana};
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Builds. What the source is to blame for is an event; an error is the installation's fault and says what to do.
///
/// `worker` is the path of the executable `ugc-builder`, which all children are. They die with the calling thread. The signing seed stays in this process.
pub fn build(order: &Order, worker: &Path, on_event: &mut dyn FnMut(&Event)) -> io::Result<()> {
    let mut reached = Stage::Queued;
    let result = stages(order, worker, &mut |stage| {
        reached = stage;
        on_event(&Event::Stage { stage });
    });
    match result {
        Ok(finished) => on_event(&Event::Finished(finished)),
        Err(Stopped::Source { stage, diagnostics }) => {
            // The stages of the second child are one call for us: name the one that refused.
            if stage != reached {
                on_event(&Event::Stage { stage });
            }
            on_event(&Event::Failed { message: headline(&diagnostics), diagnostics });
        }
        Err(Stopped::Installation(error)) => return Err(error),
    }
    Ok(())
}

fn stages(order: &Order, worker: &Path, begin: &mut dyn FnMut(Stage)) -> Result<Finished, Stopped> {
    let seed = signing_seed(order)?;
    let mut toolchain = Toolchain::read(&order.sdk)?;
    // In the sandbox there are no links: everything is where it lies.
    toolchain.rustc = toolchain.rustc.canonicalize()?;
    let order = &Order { sdk: order.sdk.canonicalize()?, ..order.clone() };
    let worker = &worker.canonicalize()?;
    let work = Work::new(&order.scratch)?;
    let mut stage_ms = Vec::new();

    begin(Stage::Compile);
    let start = Instant::now();
    let (core, warnings) = compile(order, &toolchain, worker, &work.0)?;
    stage_ms.push((Stage::Compile, milliseconds(start)));

    begin(Stage::Componentize);
    let native = make_native(&core, order, worker, &work.0)?;
    stage_ms.extend(native.notes.stage_ms);
    // Once more on this side of the gap: the process that compiled untrusted code is not believed.
    let inspected = inspect::inspect(&native.component).map_err(inspection)?;
    if inspected.needs_wasi {
        return Err(blame(Stage::Inspect, "import", "imports wasi:*, which nothing that is built here does", None));
    }

    begin(Stage::Store);
    let start = Instant::now();
    let signed = artifact::sign(&native.component, &native.notes.engine_id, &native.code, &seed);
    write_new(&order.scratch.join(COMPONENT_FILE), &native.component)?;
    write_new(&order.scratch.join(ARTIFACT_FILE), &signed)?;
    stage_ms.push((Stage::Store, milliseconds(start)));

    let envelope = serde_json::to_value(inspected.envelope).map_err(io::Error::other)?;
    let mana::Cost { cast_mana, worst_case } = mana::cost(&inspected.envelope);
    let cost = Cost { cast_mana, worst_case };
    let Toolchain { toolchain, sdk_version, .. } = toolchain;
    Ok(Finished { envelope, cost, toolchain, sdk_version, diagnostics: warnings, stage_ms })
}

/// Why a build ended early.
enum Stopped {
    /// The author can mend it.
    Source { stage: Stage, diagnostics: Vec<Diagnostic> },
    /// The operator can.
    Installation(io::Error),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Installation(error)
    }
}

/// Source to core module, by rustc: no cargo, no proc macros, source on standard input.
fn compile(order: &Order, toolchain: &Toolchain, worker: &Path, work: &Path) -> Result<(Vec<u8>, Vec<Diagnostic>), Stopped> {
    let refused = source::check(&order.source);
    if !refused.is_empty() {
        return Err(Stopped::Source { stage: Stage::Compile, diagnostics: refused });
    }
    let core_path = work.join(confine::OUTPUT_FILE);
    let sysroot = toolchain.rustc.parent().and_then(Path::parent).ok_or_else(|| io::Error::other("rustc lies in no toolchain"))?;
    let reads = [sysroot, &toolchain::lib(&order.sdk)].map(|path| path.canonicalize());
    let confinement = Confinement { sandbox: order.sandbox, folder: work.into(), reads: reads.into_iter().collect::<Result<_, _>>()? };
    let mut rustc = confinement.command(worker, &toolchain.rustc);
    rustc.args(["-", "--crate-name", "spell", "--edition", "2024", "--crate-type", "cdylib", "--target", "wasm32-unknown-unknown"]);
    // One codegen unit: small, and the same bytes each time. A stack of 64 KiB, for rustc's default of 1 MiB is all the memory that a cast may have.
    rustc.args([
        "-C",
        "opt-level=2",
        "-C",
        "codegen-units=1",
        "-C",
        "panic=abort",
        "-C",
        "strip=symbols",
        "-C",
        "link-arg=-zstack-size=65536",
    ]);
    rustc.args(["-F", "unsafe_code", "--error-format=json"]);
    rustc.arg("--remap-path-prefix").arg(joined(work, "=/spell")).arg("--remap-path-prefix").arg(joined(&order.sdk, "=/sdk"));
    rustc.arg("-L").arg(prefixed("dependency=", &toolchain::lib(&order.sdk)));
    rustc.arg("--extern").arg(prefixed("spell_sdk=", &toolchain::sdk_rlib(&order.sdk)));
    rustc.arg("-o").arg(&core_path);
    let kept = Kept { stdout: COMPILER_OUTPUT_BYTES_MAX, stderr: COMPILER_OUTPUT_BYTES_MAX };
    let ended = child::run(&mut rustc, order.source.as_bytes(), kept)?;
    let diagnostics = read_diagnostics(&ended, order, toolchain, work);
    let failed = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    match program_end(ended.how) {
        How::Exited(0) => Ok((read_core(&core_path)?, diagnostics)),
        How::Exited(confine::NOT_STARTED) => Err(not_started(&ended)),
        How::Exited(_) if failed => Err(Stopped::Source { stage: Stage::Compile, diagnostics }),
        // rustc ended without an error that we could read: a limit, a crash, or more output than is kept.
        how => {
            let (code, message) = compiler_end(how, &ended);
            Err(blame(
                Stage::Compile,
                code,
                &message,
                Some("make the code simpler: less constant evaluation, fewer nested macros and expressions"),
            ))
        }
    }
}

/// Core module to component and native code, in a fresh process that sees nothing but those bytes.
fn make_native(core: &[u8], order: &Order, worker: &Path, work: &Path) -> Result<Native, Stopped> {
    let mut child = Confinement { sandbox: order.sandbox, folder: work.into(), reads: Vec::new() }.command(worker, worker);
    child.arg("native");
    let kept = Kept { stdout: NATIVE_OUTPUT_BYTES_MAX, stderr: COMPILER_OUTPUT_BYTES_MAX };
    let ended = child::run(&mut child, core, kept)?;
    match program_end(ended.how) {
        How::Exited(0) => native::decode(&ended.stdout)?.map_err(|refused| {
            let findings = refused.findings.iter().take(DIAGNOSTICS_MAX);
            let diagnostics = findings.map(|found| placeless(&found.code, &found.message, found.help.as_deref())).collect();
            Stopped::Source { stage: refused.stage, diagnostics }
        }),
        How::Exited(confine::NOT_STARTED) => Err(not_started(&ended)),
        how => {
            let (code, message) = compiler_end(how, &ended);
            Err(blame(Stage::Precompile, code, &message, Some("make functions smaller: very large ones take the native compiler too long")))
        }
    }
}

fn inspection(found: Vec<inspect::Finding>) -> Stopped {
    let diagnostics = found.iter().map(|finding| placeless(finding.code, &finding.message, finding.help)).collect();
    Stopped::Source { stage: Stage::Inspect, diagnostics }
}

fn blame(stage: Stage, code: &str, message: &str, help: Option<&str>) -> Stopped {
    Stopped::Source { stage, diagnostics: vec![placeless(code, message, help)] }
}

fn not_started(ended: &Ended) -> Stopped {
    let words = String::from_utf8_lossy(&ended.stderr);
    Stopped::Installation(io::Error::other(format!("compiler could not be started: {}; `ugc-builder check` tells more", words.trim())))
}

const ABORT: i32 = Signal::ABORT.as_raw();
const KILL: i32 = Signal::KILL.as_raw();
const SEGMENT: i32 = Signal::SEGV.as_raw();
const CPU_TIME: i32 = Signal::XCPU.as_raw();
const FILE_SIZE: i32 = Signal::XFSZ.as_raw();

/// How the program ended, of which the supervisor's exit code speaks.
fn program_end(how: How) -> How {
    match how {
        How::Exited(code) => confine::ended(code).map_or_else(How::Killed, How::Exited),
        how => how,
    }
}

/// A compiler that ended without saying why, in words.
fn compiler_end(how: How, ended: &Ended) -> (&'static str, String) {
    let said = |words: &str| ended.stderr.windows(words.len()).any(|window| window == words.as_bytes());
    match how {
        How::TimedOut => ("time", format!("compiler was stopped: it took more than {} s", WALL_TIME_MAX.as_secs())),
        How::Killed(CPU_TIME) => ("cpu", format!("compiler was stopped: it used more than {CPU_SECONDS_MAX} s of CPU time")),
        How::Killed(FILE_SIZE) => ("size", format!("compiler was stopped: it wrote more than {FILE_BYTES_MAX} bytes")),
        How::Killed(ABORT) if said("memory allocation") => {
            ("memory", format!("compiler was stopped: it needed more than {ADDRESS_SPACE_BYTES_MAX} bytes of memory"))
        }
        How::Killed(SEGMENT | ABORT) => ("crash", "compiler crashed on this source".into()),
        How::Killed(KILL) => ("killed", "compiler was killed".into()),
        How::Killed(signal) => ("killed", format!("compiler was ended by signal {signal}")),
        How::Exited(code) => ("crash", format!("compiler failed with code {code} and no error about the source")),
    }
}

/// Errors and warnings, without the paths of this machine.
fn read_diagnostics(ended: &Ended, order: &Order, toolchain: &Toolchain, work: &Path) -> Vec<Diagnostic> {
    let sysroot = toolchain.rustc.parent().and_then(Path::parent).unwrap_or(&toolchain.rustc);
    let [work, sdk, sysroot] = [work, &order.sdk, sysroot].map(|path| path.to_string_lossy().into_owned());
    diagnostics::parse(&ended.stderr, &[(&work, "/spell"), (&sdk, "/sdk"), (&sysroot, "/rust")])
}

/// One line for a build that failed: the first error, and where it is.
fn headline(diagnostics: &[Diagnostic]) -> String {
    let Some(first) = diagnostics.first() else { return "the build failed".into() };
    let words = first.message.lines().next().unwrap_or_default();
    if first.file.is_empty() { words.into() } else { format!("{FILE}:{}:{}: {words}", first.line, first.column) }
}

/// rustc's output. Not followed if it is a link and not waited for if it is a pipe: the process that made it ran an author's macros.
fn read_core(path: &Path) -> io::Result<Vec<u8>> {
    let file =
        fs::File::from(rustix::fs::open(path, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("the compiler's output is no file"));
    }
    let mut core = Vec::new();
    // A byte more than is allowed: the second stage refuses it by name.
    file.take(CORE_BYTES_MAX as u64 + 1).read_to_end(&mut core)?;
    Ok(core)
}

/// An output of ours. What lies there already was put there by a child, and may be a link to anything: then the build fails.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::File::create_new(path)?.write_all(bytes)
}

/// The folder that children work in. It goes, whatever becomes of the build.
struct Work(PathBuf);

impl Work {
    fn new(scratch: &Path) -> io::Result<Self> {
        // Absolute, because children start in it.
        let path = fs::canonicalize(scratch)?.join("work");
        fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        // Whoever made the scratch folder removes it with all that is left; there is nobody to tell here.
        drop(fs::remove_dir_all(&self.0));
    }
}

/// The seed, from hex. An error does not repeat it.
fn signing_seed(order: &Order) -> io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    hex::decode_to_slice(&order.signing_seed, &mut seed).map_err(|_| io::Error::other("signing seed is not 64 hex digits"))?;
    Ok(seed)
}

fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

/// Paths are bytes: format! would lose those that are no text.
fn joined(path: &Path, tail: &str) -> std::ffi::OsString {
    let mut text = path.as_os_str().to_owned();
    text.push(tail);
    text
}

fn prefixed(head: &str, path: &Path) -> std::ffi::OsString {
    let mut text = std::ffi::OsString::from(head);
    text.push(path);
    text
}
