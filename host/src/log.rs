//! Structured log lines to standard error, by a thread of their own: whoever logs never waits for whoever reads.

use crate::limits::LOG_LINES_WAITING_MAX;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Lines that were dropped because too many waited.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Starts logging for the process. `RUST_LOG` filters; without it, `info` and above.
pub fn start() -> io::Result<()> {
    let (lines, waiting) = sync_channel(LOG_LINES_WAITING_MAX);
    std::thread::Builder::new().name("log".into()).spawn(move || write_lines(&waiting))?;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_target(false).with_writer(Lines(lines)).init();
    Ok(())
}

fn write_lines(waiting: &Receiver<Vec<u8>>) {
    for line in waiting {
        let mut out = io::stderr().lock();
        // Nobody may read any more; that is no reason to stop.
        let _ = out.write_all(&line);
        let dropped = DROPPED.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let _ = writeln!(out, "WARN {dropped} log lines were dropped");
        }
    }
}

/// Makes one writer a line.
struct Lines(SyncSender<Vec<u8>>);

/// Gathers one line and queues it when it is dropped.
struct Line<'a> {
    bytes: Vec<u8>,
    lines: &'a SyncSender<Vec<u8>>,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;
    fn make_writer(&'a self) -> Line<'a> {
        Line { bytes: Vec::new(), lines: &self.0 }
    }
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if let Err(TrySendError::Full(_)) = self.lines.try_send(std::mem::take(&mut self.bytes)) {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }
}
