//! A build whose owner is gone leaves nothing: the launcher sees its input end, ends what it has started, and empties the scratch.

use rustix::process::{Signal, getpgrp, kill_process_group};
use std::fs;
use std::io::{self, BufRead};
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Looks at a folder that will not go, while what wrote in it ends.
const TRIES_MAX: usize = 200;
/// Between two of them.
const TRY_INTERVAL: Duration = Duration::from_millis(5);

/// The watch over the input.
pub struct Lifeline(JoinHandle<()>);

impl Lifeline {
    /// Until the input has ended and the scratch is empty; the process usually ends within.
    pub fn wait(self) {
        drop(self.0.join());
    }
}

/// Waits for the input's end on a thread of its own; what still comes is thrown away.
pub fn hold(mut input: impl BufRead + Send + 'static, scratch: &Path) -> Lifeline {
    let scratch = scratch.to_path_buf();
    survive_own_signal();
    Lifeline(thread::spawn(move || {
        drop(io::copy(&mut input, &mut io::sink()));
        end_children();
        clear(&scratch);
        std::process::exit(0);
    }))
}

/// What works for us is in our group, and each dies with its parent.
fn end_children() {
    let _ = kill_process_group(getpgrp(), Signal::TERM);
}

/// The signal goes to the whole group, and we are in it. A handler, unlike to ignore it, is not inherited by what we start.
fn survive_own_signal() {
    extern "C" fn go_on(_: libc::c_int) {}
    let handler: extern "C" fn(libc::c_int) = go_on;
    // SAFETY: the handler does nothing, which is allowed at any point of a program.
    unsafe { libc::signal(libc::SIGTERM, handler as libc::sighandler_t) };
}

/// Removes the scratch, with what children that end just now still leave there.
pub fn clear(scratch: &Path) {
    for _ in 0..TRIES_MAX {
        // Another thread of ours may take away parts of it meanwhile, which is an error here and no reason to go.
        if fs::remove_dir_all(scratch).is_ok() || !scratch.exists() {
            return;
        }
        thread::sleep(TRY_INTERVAL);
    }
}
