//! The sandbox, tried from within by the real executable, and by programs of this machine.

use builder::confine::{self, Confinement};
use builder::{check_sandbox, limits};
use protocol::worker::Sandbox;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Output;

/// The executable, without links.
fn worker() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_ugc-builder")).canonicalize().expect("it was built")
}

fn confinement(folder: &Path) -> Confinement {
    Confinement {
        sandbox: Sandbox::Whole,
        address_space: limits::ADDRESS_SPACE_BYTES_MAX,
        folder: folder.canonicalize().expect("a folder"),
        reads: vec!["/usr/bin".into(), "/bin".into()],
    }
}

/// A shell's script in the sandbox, where `/usr/bin` can be run.
fn shell(folder: &Path, script: &str) -> Output {
    confinement(folder).command(&worker(), Path::new("/usr/bin/dash")).args(["-c", script]).output().expect("it starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn nothing_that_a_program_must_not_do_can_be_done_within() {
    assert_eq!(check_sandbox(&worker()), Vec::<String>::new());
}

#[test]
fn a_program_finds_an_empty_folder_no_other_files_and_no_environment() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("canary"), "do not tell").expect("written");
    let output = shell(folder.path(), "echo *; cat canary /etc/hostname /proc/1/environ; echo ${HOME:-none} $TMPDIR $$");
    let said = said(&output);
    assert!(said.starts_with("*\n") && said.contains("none . 2\n") && !said.contains("do not tell"), "{said}");
}

#[test]
fn one_file_is_handed_over_and_only_a_plain_one() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(shell(folder.path(), "echo made > core.wasm; echo more > other").status.success());
    assert_eq!(fs::read_to_string(folder.path().join(confine::OUTPUT_FILE)).expect("handed over"), "made\n");
    assert!(!folder.path().join("other").exists());

    let folder = tempfile::tempdir().expect("a folder");
    assert!(shell(folder.path(), "mkdir core.wasm").status.success());
    assert!(!folder.path().join(confine::OUTPUT_FILE).exists());
}

#[test]
fn the_scratch_has_an_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = shell(folder.path(), "yes | head -c 50000000 > a; yes | head -c 50000000 > b; wc -c < a; wc -c < b");
    let sizes: Vec<u64> = said(&output).lines().filter_map(|line| line.parse().ok()).collect();
    assert!(sizes.len() == 2 && sizes.iter().sum::<u64>() <= limits::SCRATCH_BYTES_MAX, "{}", said(&output));
}

#[test]
fn an_exit_code_comes_through() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(shell(folder.path(), "exit 3").status.code().map(confine::ended), Some(Ok(3)));
}

#[test]
fn a_killed_launcher_leaves_no_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = confinement(folder.path())
        .command(&worker(), Path::new("/usr/bin/dash"))
        .args(["-c", "echo up; read line; sleep 1000"])
        .spawn()
        .expect("it starts");
    let mut said = [0; 3];
    std::io::Read::read_exact(&mut child.stdout.take().expect("piped"), &mut said).expect("it is up");
    let supervisor = child.id();
    let children = || fs::read_to_string(format!("/proc/{supervisor}/task/{supervisor}/children")).unwrap_or_default();
    let inside: u32 = children().trim().parse().expect("one process within");
    child.kill().expect("it lives");
    child.wait().expect("it is over");
    let mut stdin = child.stdin.take();
    drop(stdin.as_mut().map(|stdin| stdin.write_all(b"on\n")));
    // The kernel ends what was within when its parent does; this only waits for it to be done.
    let started = std::time::Instant::now();
    while Path::new(&format!("/proc/{inside}/exe")).read_link().is_ok() {
        assert!(started.elapsed().as_secs() < 10, "process {inside} lives on");
        std::thread::yield_now();
    }
}
