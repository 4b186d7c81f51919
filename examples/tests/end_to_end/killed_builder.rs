//! The compile worker dies in the middle of a build: the job fails, and nothing stays behind.

use crate::{FIREBALL, TIMEOUT, somebody};
use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::fs;
use std::time::{Duration, Instant};

/// How long the kernel may take to end what a killed launcher leaves.
const END_TIMEOUT: Duration = Duration::from_secs(5);
/// Keeps the compiler busy for longer than a build may take.
const SLOW: &str = "#![allow(long_running_const_eval)]\nconst SLOW: u64 = { let mut i = 0u64; while i < 100_000_000_000 { i += 1; } i };\n";

#[test]
fn a_killed_builder_fails_its_job_and_leaves_nothing() -> Result<()> {
    let (server, http, player, _game) = somebody()?;
    let slow = format!("{SLOW}{}\npub static KEPT: u64 = SLOW;\n", FIREBALL.replace("//!", "//"));
    let job_id = http.build(&player, "spark", &slow)?;

    let launcher = until("a builder with its compiler", || {
        let launcher = children(server.pid()).into_iter().find(|pid| name(*pid) == "ugc-builder")?;
        descendants(launcher).iter().any(|pid| name(*pid) == "rustc").then_some(launcher)
    })?;
    let family = descendants(launcher);
    kill_process(pid(launcher)?, Signal::KILL)?;

    let job = http.wait_for_job(&player, &job_id, TIMEOUT, |_| ())?;
    ensure!(job["status"] == "failed" && job["error_message"].as_str().is_some_and(|message| !message.is_empty()), "{job}");
    for process in family {
        until("the builder's children to end", || is_gone(process).then_some(()))?;
    }
    let scratch = server.data.join("scratch");
    until("an empty scratch folder", || fs::read_dir(&scratch).ok()?.next().is_none().then_some(()))?;

    // The next build is none the wiser.
    http.build_revision(&player, "spark", FIREBALL, TIMEOUT)?;
    Ok(())
}

/// Looks again until it is so. The kernel's process table sends no events.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> Result<T> {
    let deadline = Instant::now() + END_TIMEOUT;
    loop {
        if let Some(seen) = look() {
            return Ok(seen);
        }
        ensure!(Instant::now() < deadline, "waited {END_TIMEOUT:?} for {what}");
        std::thread::yield_now();
    }
}

pub fn descendants(parent: u32) -> Vec<u32> {
    children(parent).into_iter().flat_map(|child| [vec![child], descendants(child)].concat()).collect()
}

fn children(parent: u32) -> Vec<u32> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| parent_of(*pid) == Some(parent)).collect()
}

/// The fourth field of /proc/<pid>/stat; the second, the name, may hold spaces and ends with the last parenthesis.
fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn name(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned()
}

/// Ended; a zombie that waits for its parent holds nothing any more.
pub fn is_gone(process: u32) -> bool {
    let zombie = fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| stat.contains(") Z "));
    zombie || pid(process).is_ok_and(|pid| test_kill_process(pid).is_err())
}

fn pid(process: u32) -> Result<Pid> {
    Pid::from_raw(process.cast_signed()).context("no process has the number 0")
}
