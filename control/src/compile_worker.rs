//! One build in a process of its own: the order goes in, events come out, and afterwards nothing of it is left running.

use crate::limits::{BUILD_TIME_MAX, BUILDER_OUTPUT_BYTES_MAX};
use protocol::{
    job::{Diagnostic, Severity, Stage},
    worker::{Event, Finished, Order},
};
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

/// What the watch over a running build waits for.
pub enum Notice {
    /// The worker's output has ended.
    Over,
    /// The server stops: end the build.
    Stop,
    /// Who asked for it does not want it any more.
    Cancel,
}

/// The line to the watch over one build.
pub struct Watch {
    /// Tells it.
    pub sender: Sender<Notice>,
    /// Hears it.
    pub notices: Receiver<Notice>,
    /// What the build may take. One with less than `BUILD_TIME_MAX` is not failed by it, but put off.
    pub time_max: Duration,
}

/// Why a build yielded nothing.
#[derive(Debug, Clone)]
pub struct Failure {
    /// In one line.
    pub message: String,
    /// What the compiler and inspection found.
    pub diagnostics: Vec<Diagnostic>,
    /// It took longer than a quick build may, and is to begin anew with all the time that there is.
    pub is_slow: bool,
    /// The compiler has seen what it was given and does not take it; anything else may go better another time.
    pub is_refusal: bool,
}

/// What the compile worker says of a compiler that was ended from outside.
const MOODS: [&str; 2] = ["killed", "time"];

impl Failure {
    /// A failure that has no place in the source.
    pub fn plain(message: impl Into<String>) -> Self {
        Self { message: message.into(), diagnostics: Vec::new(), is_slow: false, is_refusal: false }
    }

    /// Who asked for it has taken it back.
    pub fn cancelled() -> Self {
        Self::coded("cancelled", "the build was cancelled")
    }

    /// A failure that a program can tell from others.
    pub fn coded(code: &str, message: &str) -> Self {
        let found = Diagnostic {
            severity: Severity::Error,
            file: String::new(),
            line: 0,
            column: 0,
            end_line: 0,
            end_column: 0,
            code: code.into(),
            message: message.into(),
            help: None,
        };
        Self { diagnostics: vec![found], ..Self::plain(message) }
    }

    fn refused(message: String, diagnostics: Vec<Diagnostic>) -> Self {
        let is_refusal = !diagnostics.iter().any(|found| MOODS.contains(&found.code.as_str()));
        Self { diagnostics, is_refusal, ..Self::plain(message) }
    }
}

/// Runs `builder build` to its end, or to `BUILD_TIME_MAX`, or to a notice that ends it. What it yields is taken while its files are there; when this returns, neither files
/// nor processes are.
pub fn run<T>(
    builder: &Path,
    order: &Order,
    line: Watch,
    stage: impl FnMut(Stage),
    take: impl FnOnce(Finished) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut child = spawn(builder).map_err(|error| {
        tracing::error!(%error, builder = %builder.display(), "the compile worker does not start");
        Failure::plain("the compile worker does not start; the server's log says why")
    })?;
    let group = Pid::from_child(&child);
    let Watch { sender, notices, time_max } = line;
    // Its lifeline: the worker that sees it end empties its scratch and ends, also when that is because this process is killed.
    let mut input = child.stdin.take().expect("stdin is piped");
    let (said, cut) = thread::scope(|scope| {
        let watch = scope.spawn(move || watch(group, &notices, time_max));
        let said = converse(&mut child, &mut input, order, stage);
        // The receiver is gone when the watch has already cut the build short.
        sender.send(Notice::Over).ok();
        (said, watch.join().unwrap_or(None))
    });
    let result = match (cut, said) {
        (Some(cut), _) => Err(cut),
        (None, Ok(Some(Event::Finished(finished)))) => take(*finished),
        (None, Ok(Some(Event::Failed { message, diagnostics }))) => Err(Failure::refused(message, diagnostics)),
        (None, Ok(_)) => {
            kill_process_group(group, Signal::KILL).ok();
            // Reaped, its group's number may be another's: there is nothing more to kill by it.
            return Err(Failure::plain(format!("the compile worker ended without a result ({})", ending(child.wait()))));
        }
        (None, Err(message)) => Err(Failure::plain(message)),
    };
    // Before the wait: until then the dead leader keeps its group's number from being given away.
    kill_process_group(group, Signal::KILL).ok();
    child.wait().ok();
    drop(input);
    result
}

fn spawn(builder: &Path) -> std::io::Result<Child> {
    let mut command = Command::new(builder);
    command.arg("build").env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).process_group(0);
    command.spawn()
}

/// Waits for the build's end and makes one where it does not come; says why it did.
fn watch(group: Pid, notices: &Receiver<Notice>, time_max: Duration) -> Option<Failure> {
    let reason = match notices.recv_timeout(time_max) {
        Ok(Notice::Over) | Err(RecvTimeoutError::Disconnected) => return None,
        Ok(Notice::Stop) => Failure::plain("the server is stopping: build again when it is back"),
        Ok(Notice::Cancel) => Failure::cancelled(),
        Err(RecvTimeoutError::Timeout) if time_max < BUILD_TIME_MAX => {
            Failure { is_slow: true, ..Failure::plain("the build is not quick") }
        }
        Err(RecvTimeoutError::Timeout) => {
            Failure::plain(format!("the build took longer than {} s and was stopped", BUILD_TIME_MAX.as_secs()))
        }
    };
    kill_process_group(group, Signal::KILL).ok();
    Some(reason)
}

/// Sends the order, follows the stages, returns the last event, if there is one.
fn converse(child: &mut Child, input: &mut ChildStdin, order: &Order, mut stage: impl FnMut(Stage)) -> Result<Option<Event>, String> {
    let mut line = serde_json::to_vec(order).expect("an order is plain text");
    line.push(b'\n');
    // A worker that died reads nothing; its missing result says so.
    input.write_all(&line).ok();
    let output = child.stdout.take().expect("stdout is piped");
    for line in BufReader::new(output.take(BUILDER_OUTPUT_BYTES_MAX)).split(b'\n') {
        let line = line.map_err(|error| format!("the compile worker's output is lost: {error}"))?;
        match serde_json::from_slice(&line) {
            Ok(Event::Stage { stage: next }) => stage(next),
            Ok(event) => return Ok(Some(event)),
            Err(error) => return Err(format!("the compile worker's output is no event: {error}")),
        }
    }
    Ok(None)
}

fn ending(status: std::io::Result<ExitStatus>) -> String {
    status.map_or_else(|error| error.to_string(), |status| status.to_string())
}
