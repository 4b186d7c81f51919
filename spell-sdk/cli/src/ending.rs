//! What ends a command that would go on for ever: ctrl-c and its like, or the end of its input.

use anyhow::{Context, Result};
use std::io;
use std::thread;
use tokio::signal::unix::{SignalKind, signal};

/// Exit code of a program that was interrupted, as shells have it.
const INTERRUPTED: i32 = 130;

/// Calls this at the first ctrl-c (or when the terminal closes); the second ends the process whatever it is at.
pub fn on_interrupt(then: impl Fn() + Send + 'static) -> Result<()> {
    // The standard library has no signals, and of what this workspace has, tokio does.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().context("signals cannot be heard")?;
    let _context = runtime.enter();
    let mut signals = Vec::new();
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        signals.push(signal(kind).context("signals cannot be heard")?);
    }
    drop(_context);
    thread::spawn(move || {
        let [interrupt, terminate, hangup] = &mut signals[..] else { return };
        for attempt in 0.. {
            runtime.block_on(async {
                tokio::select! {
                    _ = interrupt.recv() => (),
                    _ = terminate.recv() => (),
                    _ = hangup.recv() => (),
                }
            });
            if attempt > 0 {
                std::process::exit(INTERRUPTED);
            }
            then();
        }
    });
    Ok(())
}

/// Calls this when the standard input ends.
pub fn on_stdin_end(then: impl FnOnce() + Send + 'static) {
    thread::spawn(move || {
        // An input that breaks has ended too.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        then();
    });
}
