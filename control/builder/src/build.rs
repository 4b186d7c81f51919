//! One build, from source to signed artifact: the launcher's side, on one screen.

use crate::child::{self, Ended, How, Kept, Started};
use crate::confine::{self, Confinement};
use crate::diagnostics::{self, Names, placeless};
use crate::limits::*;
use crate::native::{self, Given, Native};
use crate::prepare::{self, SpellToml};
use crate::smoke;
use crate::toolchain::{self, Toolchain};
use protocol::job::{Diagnostic, Severity, Stage};
use protocol::limits::{COMPILER_OUTPUT_BYTES_MAX, DIAGNOSTICS_MAX};
use protocol::manifest::Cost;
use protocol::package::SOURCE_ROOT;
use protocol::worker::{ARTIFACT_FILE, COMPONENT_FILE, Event, Finished, Input, Order};
use rustix::fs::{Mode, OFlags};
use rustix::process::Signal;
use spell_runtime::artifact::PublicKey;
use spell_runtime::{artifact, inspect, mana};
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
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
        Ok(finished) => on_event(&Event::Finished(Box::new(finished))),
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
    let toolchain = Toolchain::read(&order.sdk)?;
    // In the sandbox there are no links: everything is where it lies.
    let toolchain = Toolchain { rustc: toolchain.rustc.canonicalize()?, ..toolchain };
    let order = &Order { sdk: order.sdk.canonicalize()?, scratch: order.scratch.canonicalize()?, ..order.clone() };
    let worker = &worker.canonicalize()?;
    let folders = Folders::new(&order.scratch)?;
    let mut stage_ms = Vec::new();

    begin(Stage::Prepare);
    let start = Instant::now();
    let prepared = prepare(order, &folders)?;
    stage_ms.push((Stage::Prepare, milliseconds(start)));

    let given = match &order.input {
        Input::Source { .. } => Given::Core,
        Input::Component { ours: true, .. } => Given::Ours,
        Input::Component { ours: false, .. } => Given::Foreign,
    };
    // Their sandboxes are made while the compiler works.
    let native = child::start(confined(order, ADDRESS_SPACE_BYTES_MAX, worker, &folders).arg("native").arg(given.name()))?;
    let smoke = match &order.input {
        Input::Component { has_been_cast: true, .. } => None,
        _ => Some(child::start(confined(order, SMOKE_ADDRESS_SPACE_BYTES_MAX, worker, &folders).arg("smoke"))?),
    };

    let (core, built_by, mut findings) = match &order.input {
        Input::Source { .. } => {
            begin(Stage::Compile);
            let start = Instant::now();
            let (core, warnings) = compile(order, &prepared.names, &toolchain, worker, &folders)?;
            stage_ms.push((Stage::Compile, milliseconds(start)));
            (core, Some(&toolchain), warnings)
        }
        Input::Component { hex, .. } => (component(hex)?, None, Vec::new()),
    };

    begin(Stage::Componentize);
    let native = make_native(&core, native)?;
    stage_ms.extend(native.notes.stage_ms);
    // Once more on this side of the gap: the process that compiled untrusted code is not believed.
    let inspected = inspect::inspect(&native.component).map_err(inspection)?;
    if inspected.needs_wasi && given == Given::Core {
        return Err(blame(Stage::Inspect, "import", "imports wasi:*, which nothing that is built here does", None));
    }
    if given != Given::Core && native.component != core {
        return Err(Stopped::Installation(io::Error::other("the native stage gave back another component than it was given")));
    }
    if native.notes.engine_id != native::engine_id() {
        return Err(Stopped::Installation(io::Error::other("the native stage speaks of another engine than this one")));
    }
    let signed = artifact::sign(&native.component, &native.notes.engine_id, &native.code, &seed);

    let mut measured = None;
    if let Some(smoke) = smoke {
        begin(Stage::Smoke);
        let start = Instant::now();
        let answer = cast(&signed, &seed, smoke)?;
        stage_ms.push((Stage::Smoke, milliseconds(start)));
        findings.extend(answer.findings);
        findings.sort_by_key(|found| found.severity == Severity::Warning);
        findings.truncate(DIAGNOSTICS_MAX);
        if findings.iter().any(|found| found.severity == Severity::Error) {
            return Err(Stopped::Source { stage: Stage::Smoke, diagnostics: findings });
        }
        measured = Some(answer.measured);
    }

    begin(Stage::Store);
    let start = Instant::now();
    write_new(&order.scratch.join(COMPONENT_FILE), &native.component)?;
    write_new(&order.scratch.join(ARTIFACT_FILE), &signed)?;
    stage_ms.push((Stage::Store, milliseconds(start)));

    let envelope = serde_json::to_value(inspected.envelope).map_err(io::Error::other)?;
    let mana::Cost { cast_mana, worst_case } = mana::cost(&inspected.envelope);
    let (toolchain, sdk_version) = built_by.map(|built_by| (built_by.toolchain.clone(), built_by.sdk_version.clone())).unwrap_or_default();
    Ok(Finished {
        envelope,
        cost: Cost { cast_mana, worst_case },
        in_flight: prepared.spell_toml.as_ref().map(|read| read.in_flight).unwrap_or_default(),
        metadata: prepared.spell_toml.map(|read| read.metadata),
        needs_wasi: inspected.needs_wasi,
        measured,
        toolchain,
        sdk_version,
        engine_id: native.notes.engine_id,
        diagnostics: findings,
        stage_ms,
    })
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

/// What is known of a package before it is compiled.
struct Prepared {
    /// The source files, by path.
    names: Vec<String>,
    spell_toml: Option<SpellToml>,
}

/// The package's files, checked and laid out.
fn prepare(order: &Order, folders: &Folders) -> Result<Prepared, Stopped> {
    let refused = |diagnostics| Stopped::Source { stage: Stage::Prepare, diagnostics };
    let files = match &order.input {
        Input::Source { files } | Input::Component { files, .. } => files,
    };
    let mut found = prepare::check(files);
    if matches!(order.input, Input::Source { .. }) {
        found.extend(prepare::check_root(files));
        prepare::lay_out(files, &folders.source)?;
    }
    let spell_toml = match prepare::spell_toml(files) {
        Ok(read) => read,
        Err(finding) => {
            found.push(finding);
            None
        }
    };
    if found.is_empty() { Ok(Prepared { names: files.keys().map(ToString::to_string).collect(), spell_toml }) } else { Err(refused(found)) }
}

fn component(hex: &str) -> Result<Vec<u8>, Stopped> {
    hex::decode(hex).map_err(|_| Stopped::Installation(io::Error::other("order's component is not hex")))
}

/// Source to core module, by rustc: no cargo, no proc macros.
fn compile(
    order: &Order,
    files: &[String],
    toolchain: &Toolchain,
    worker: &Path,
    folders: &Folders,
) -> Result<(Vec<u8>, Vec<Diagnostic>), Stopped> {
    let Folders { work, source } = folders;
    let core_path = work.join(confine::OUTPUT_FILE);
    let sysroot = toolchain.rustc.parent().and_then(Path::parent).ok_or_else(|| io::Error::other("rustc lies in no toolchain"))?;
    let lib = toolchain::lib(&order.sdk).canonicalize()?;
    let confinement = confinement(order, ADDRESS_SPACE_BYTES_MAX, folders, vec![sysroot.canonicalize()?, lib, source.clone()]);
    let mut rustc = confinement.command(worker, &toolchain.rustc);
    rustc.arg(source.join(SOURCE_ROOT)).args([
        "--crate-name",
        "spell",
        "--edition",
        "2024",
        "--crate-type",
        "cdylib",
        "--target",
        "wasm32-unknown-unknown",
    ]);
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
    for (path, name) in [(work, "=/spell"), (&order.sdk, "=/sdk"), (source, "=")] {
        rustc.arg("--remap-path-prefix").arg(joined(path, name));
    }
    rustc.arg("-L").arg(prefixed("dependency=", &toolchain::lib(&order.sdk)));
    rustc.arg("--extern").arg(prefixed("spell_sdk=", &toolchain::sdk_rlib(&order.sdk)));
    rustc.arg("-o").arg(&core_path);
    let kept = Kept { stdout: COMPILER_OUTPUT_BYTES_MAX, stderr: COMPILER_OUTPUT_BYTES_MAX };
    let ended = child::run(&mut rustc, &[], kept)?;
    let diagnostics = read_diagnostics(&ended, files, order, toolchain, folders);
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
fn make_native(bytes: &[u8], child: Started) -> Result<Native, Stopped> {
    let kept = Kept { stdout: NATIVE_OUTPUT_BYTES_MAX, stderr: COMPILER_OUTPUT_BYTES_MAX };
    let ended = child.finish(bytes, kept)?;
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

/// The candidate's casts in small worlds, in a third process, which sees the artifact as a game server does.
fn cast(signed: &[u8], seed: &[u8; 32], child: Started) -> Result<smoke::Answer, Stopped> {
    let kept = Kept { stdout: SMOKE_OUTPUT_BYTES_MAX + 1, stderr: COMPILER_OUTPUT_BYTES_MAX };
    let input = [PublicKey::of_seed(seed).to_hex().as_bytes(), signed].concat();
    let ended = child.finish(&input, kept)?;
    match program_end(ended.how) {
        How::Exited(0) => Ok(smoke::decode(&ended.stdout)?),
        How::Exited(confine::NOT_STARTED) => Err(not_started(&ended)),
        How::TimedOut | How::Killed(CPU_TIME) => Err(blame(
            Stage::Smoke,
            "cpu",
            &format!("its casts in small worlds took more than {CPU_SECONDS_MAX} s"),
            Some("do less in a call"),
        )),
        how => {
            let words = String::from_utf8_lossy(&ended.stderr);
            Err(Stopped::Installation(io::Error::other(format!("smoke run ended with {how:?}: {}", words.trim()))))
        }
    }
}

/// A command that runs this executable in a sandbox of its own, which shows it nothing.
fn confined(order: &Order, address_space: u64, worker: &Path, folders: &Folders) -> Command {
    confinement(order, address_space, folders, Vec::new()).command(worker, worker)
}

fn confinement(order: &Order, address_space: u64, folders: &Folders, reads: Vec<PathBuf>) -> Confinement {
    Confinement { sandbox: order.sandbox, address_space, folder: folders.work.clone(), reads }
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
fn read_diagnostics(ended: &Ended, files: &[String], order: &Order, toolchain: &Toolchain, folders: &Folders) -> Vec<Diagnostic> {
    let sysroot = toolchain.rustc.parent().and_then(Path::parent).unwrap_or(&toolchain.rustc);
    let [work, source, sdk, sysroot] =
        [&folders.work, &folders.source, &order.sdk, sysroot].map(|path| path.to_string_lossy().into_owned());
    let source_files = format!("{source}/");
    let hidden = [(work.as_str(), "/spell"), (&source_files, ""), (&source, ""), (&sdk, "/sdk"), (&sysroot, "/rust")];
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    diagnostics::parse(&ended.stderr, Names { files: &files, hidden: &hidden })
}

/// One line for a build that failed: the first error, and where it is.
fn headline(diagnostics: &[Diagnostic]) -> String {
    let Some(first) = diagnostics.first() else { return "the build failed".into() };
    let words = first.message.lines().next().unwrap_or_default();
    if first.file.is_empty() { words.into() } else { format!("{}:{}:{}: {words}", first.file, first.line, first.column) }
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

/// The folders in the scratch. They go, whatever becomes of the build.
struct Folders {
    /// Where children work; in the sandbox an empty one lies over it.
    work: PathBuf,
    /// The author's source files, which the compiler reads.
    source: PathBuf,
}

impl Folders {
    fn new(scratch: &Path) -> io::Result<Self> {
        let folders = Self { work: scratch.join("work"), source: scratch.join("source") };
        fs::create_dir(&folders.work)?;
        Ok(folders)
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        // Whoever made the scratch folder removes it with all that is left; there is nobody to tell here.
        drop(fs::remove_dir_all(&self.work));
        drop(fs::remove_dir_all(&self.source));
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
