//! Runs one confined child to its end: fed, drained, and killed when its time is up.

use crate::limits::WALL_TIME_MAX;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How a child ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    /// Why it is over.
    pub how: How,
    /// Standard output, cut at the limit.
    pub stdout: Vec<u8>,
    /// Standard error, cut at the limit.
    pub stderr: Vec<u8>,
    /// Either stream had more than its limit.
    pub cut: bool,
}

/// Why a child is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It exited with this code.
    Exited(i32),
    /// A signal ended it.
    Killed(i32),
    /// We ended it: its wall-clock time was up.
    TimedOut,
}

/// Bytes kept of each stream; the rest is drained and dropped, so that a child that talks too much is not stuck on a full pipe.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    /// Of standard output.
    pub stdout: usize,
    /// Of standard error.
    pub stderr: usize,
}

/// A child that waits for its input: what it needs to get there, a sandbox above all, it does while something else is going on.
#[derive(Debug)]
pub struct Started(Child);

/// Starts the child. It dies with this thread, and when the value is dropped.
pub fn start(command: &mut Command) -> io::Result<Started> {
    command.spawn().map(Started)
}

/// Starts the child, writes `stdin` while its output is drained, and waits. The child dies with this thread.
pub fn run(command: &mut Command, stdin: &[u8], kept: Kept) -> io::Result<Ended> {
    start(command)?.finish(stdin, kept)
}

impl Started {
    /// Writes `stdin` while the child's output is drained, and waits for its end; the clock starts now.
    pub fn finish(self, stdin: &[u8], kept: Kept) -> io::Result<Ended> {
        self.finish_within(stdin, kept, WALL_TIME_MAX)
    }

    fn finish_within(mut self, stdin: &[u8], kept: Kept, wall_time: Duration) -> io::Result<Ended> {
        let child = &mut self.0;
        let (Some(mut input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take()) else {
            return Err(io::Error::other("the child has no pipes"));
        };
        let (done, over) = mpsc::channel::<()>();
        thread::scope(|scope| {
            // A child that stops reading closes the pipe: how it ended says more than a broken pipe would.
            scope.spawn(move || drop(input.write_all(stdin)));
            let stderr = scope.spawn(move || drain(errors, kept.stderr));
            let stdout = scope.spawn(move || {
                let drained = drain(output, kept.stdout);
                drop(done);
                drained
            });
            // Standard output ends when the child does: a wait with a limit, without polling.
            let timed_out = over.recv_timeout(wall_time) == Err(mpsc::RecvTimeoutError::Timeout);
            if timed_out {
                child.kill()?;
            }
            let status = child.wait()?;
            let how = if timed_out { How::TimedOut } else { how(status) };
            let joined =
                |stream: thread::ScopedJoinHandle<'_, (Vec<u8>, bool)>| stream.join().map_err(|_| io::Error::other("a reader failed"));
            let ((stdout, out_cut), (stderr, err_cut)) = (joined(stdout)?, joined(stderr)?);
            Ok(Ended { how, stdout, stderr, cut: out_cut || err_cut })
        })
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // Of one that has ended, both are known already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn how(status: ExitStatus) -> How {
    match (status.code(), status.signal()) {
        (Some(code), _) => How::Exited(code),
        (None, signal) => How::Killed(signal.unwrap_or(0)),
    }
}

/// Everything up to the limit, and whether there was more. A read error ends the stream as its end would.
fn drain(mut stream: impl Read, bytes_max: usize) -> (Vec<u8>, bool) {
    let mut kept = Vec::new();
    let mut cut = stream.by_ref().take(bytes_max as u64).read_to_end(&mut kept).is_err();
    cut |= io::copy(&mut stream, &mut io::sink()).unwrap_or(0) > 0;
    (kept, cut)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Stdio;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    const KEPT: Kept = Kept { stdout: 1000, stderr: 1000 };

    #[test]
    fn more_than_a_pipe_holds_goes_in_and_out_at_once() {
        let input = vec![b'x'; 1 << 20];
        let ended = run(&mut shell("tee /dev/stderr"), &input, Kept { stdout: 2 << 20, stderr: 1000 }).expect("runs");
        assert_eq!((ended.how, ended.stdout.len(), ended.stderr.len(), ended.cut), (How::Exited(0), 1 << 20, 1000, true));
    }

    #[test]
    fn a_child_that_does_not_read_is_no_error() {
        let ended = run(&mut shell("exit 3"), &vec![b'x'; 1 << 20], KEPT).expect("runs");
        assert_eq!(ended.how, How::Exited(3));
    }

    #[test]
    fn a_child_that_waits_for_ever_is_killed() {
        let ended = start(&mut shell("exec tail -f /dev/null"))
            .and_then(|child| child.finish_within(b"", KEPT, Duration::from_millis(50)))
            .expect("runs");
        assert_eq!(ended.how, How::TimedOut);
    }

    #[test]
    fn a_child_that_is_not_needed_after_all_is_gone() {
        let child = start(&mut shell("exec tail -f /dev/null")).expect("starts");
        let id = child.0.id();
        drop(child);
        assert!(!std::path::Path::new(&format!("/proc/{id}")).exists());
    }

    #[test]
    fn a_signal_is_named() {
        assert_eq!(run(&mut shell("kill -SEGV $$"), b"", KEPT).expect("runs").how, How::Killed(11));
    }
}
