//! Tries from within what a confined program must not be able to do. Run in the sandbox by `ugc-builder check`, by the control plane when it starts, and by a test.

use rustix::io::Errno;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// Tries everything and answers with what could be done, in words. Empty is as it should be.
pub fn breaches() -> Vec<String> {
    let mut breaches = Vec::new();
    for (what, attempt) in attempts() {
        if let Err(how) = must_fail(attempt()) {
            breaches.push(format!("{what}: {how}"));
        }
    }
    for (name, number) in CALLS {
        // SAFETY: with arguments that are all zero none of these calls touches memory of ours; what could end this process or change it is what must not be possible.
        let answer = unsafe { libc::syscall(*number, 0, 0, 0, 0, 0, 0) };
        let error = io::Error::last_os_error();
        // Any other error is the kernel's own answer: the call came through.
        if answer != -1 || ![Some(libc::EPERM), Some(libc::ENOSYS)].contains(&error.raw_os_error()) {
            breaches.push(format!("call {name}: it reached the kernel, which answered {answer} ({error})"));
        }
    }
    breaches
}

type Attempt = fn() -> io::Result<()>;

fn attempts() -> [(&'static str, Attempt); 19] {
    [
        ("read /etc/passwd", || fs::read("/etc/passwd").map(drop)),
        ("read /proc/self/environ", || fs::read("/proc/self/environ").map(drop)),
        ("list /", || fs::read_dir("/").map(drop)),
        ("list /root", || fs::read_dir("/root").map(drop)),
        ("list /home", || fs::read_dir("/home").map(drop)),
        ("list /tmp", || fs::read_dir("/tmp").map(drop)),
        ("see what is beside the scratch", || fs::read_dir("..").map(drop)),
        ("write beside the scratch", || File::create("../left").map(drop)),
        ("write to /", || File::create("/left").map(drop)),
        ("write to /lib", || File::create("/lib/left").map(drop)),
        ("write to what it runs", || OpenOptions::new().write(true).open(std::env::args_os().next().unwrap_or_default()).map(drop)),
        ("open a device", || File::open("/dev/zero").map(drop)),
        ("run a shell", || Command::new("/bin/sh").args(["-c", "true"]).status().map(drop)),
        ("run what it has written", run_own_program),
        ("make a pipe with a name", || {
            rustix::fs::mknodat(rustix::fs::CWD, "pipe", rustix::fs::FileType::Fifo, 0o600.into(), 0).map_err(io::Error::from)
        }),
        ("link to a file outside", || std::os::unix::fs::symlink("/etc/passwd", "link")),
        ("fill the disk", fill_scratch),
        ("read the environment of the launcher", has_environment),
        ("find other processes", || {
            rustix::process::test_kill_process(rustix::process::Pid::from_raw(2).expect("not 0")).map_err(io::Error::from)
        }),
    ]
}

fn must_fail(result: io::Result<()>) -> Result<(), &'static str> {
    if result.is_err() { Ok(()) } else { Err("it was possible") }
}

fn run_own_program() -> io::Result<()> {
    fs::write("program", "#!/bin/sh\n")?;
    fs::set_permissions("program", fs::Permissions::from_mode(0o755))?;
    Command::new(Path::new("./program")).status().map(drop)
}

/// More than the scratch holds, in files that are each allowed.
fn fill_scratch() -> io::Result<()> {
    let block = vec![1; 1 << 20];
    let filled = (0..4).try_for_each(|number| {
        let mut file = File::create(format!("filler{number}"))?;
        (0..crate::limits::SCRATCH_BYTES_MAX >> 21).try_for_each(|_| file.write_all(&block))
    });
    (0..4).for_each(|number| drop(fs::remove_file(format!("filler{number}"))));
    filled
}

/// One variable is its own.
fn has_environment() -> io::Result<()> {
    if std::env::vars_os().all(|(name, _)| name == "TMPDIR") { Err(Errno::NOENT.into()) } else { Ok(()) }
}

/// Calls that none of its rights or wrongs should need, by name.
const CALLS: &[(&str, i64)] = &[
    ("socket", libc::SYS_socket),
    ("socketpair", libc::SYS_socketpair),
    ("connect", libc::SYS_connect),
    ("bind", libc::SYS_bind),
    ("ptrace", libc::SYS_ptrace),
    ("process_vm_readv", libc::SYS_process_vm_readv),
    ("process_vm_writev", libc::SYS_process_vm_writev),
    ("kill", libc::SYS_kill),
    ("pidfd_open", libc::SYS_pidfd_open),
    ("mount", libc::SYS_mount),
    ("umount2", libc::SYS_umount2),
    ("pivot_root", libc::SYS_pivot_root),
    ("chroot", libc::SYS_chroot),
    ("move_mount", libc::SYS_move_mount),
    ("open_tree", libc::SYS_open_tree),
    ("fsopen", libc::SYS_fsopen),
    ("unshare", libc::SYS_unshare),
    ("setns", libc::SYS_setns),
    ("clone3", libc::SYS_clone3),
    ("setuid", libc::SYS_setuid),
    ("setgroups", libc::SYS_setgroups),
    ("capset", libc::SYS_capset),
    ("personality", libc::SYS_personality),
    ("sethostname", libc::SYS_sethostname),
    ("setrlimit", libc::SYS_setrlimit),
    ("sched_setscheduler", libc::SYS_sched_setscheduler),
    ("keyctl", libc::SYS_keyctl),
    ("add_key", libc::SYS_add_key),
    ("request_key", libc::SYS_request_key),
    ("bpf", libc::SYS_bpf),
    ("perf_event_open", libc::SYS_perf_event_open),
    ("io_uring_setup", libc::SYS_io_uring_setup),
    ("userfaultfd", libc::SYS_userfaultfd),
    ("memfd_create", libc::SYS_memfd_create),
    ("memfd_secret", libc::SYS_memfd_secret),
    ("open_by_handle_at", libc::SYS_open_by_handle_at),
    ("name_to_handle_at", libc::SYS_name_to_handle_at),
    ("fanotify_init", libc::SYS_fanotify_init),
    ("inotify_init1", libc::SYS_inotify_init1),
    ("init_module", libc::SYS_init_module),
    ("finit_module", libc::SYS_finit_module),
    ("kexec_load", libc::SYS_kexec_load),
    ("reboot", libc::SYS_reboot),
    ("swapon", libc::SYS_swapon),
    ("syslog", libc::SYS_syslog),
    ("settimeofday", libc::SYS_settimeofday),
    ("acct", libc::SYS_acct),
    ("quotactl", libc::SYS_quotactl),
    ("shmget", libc::SYS_shmget),
    ("msgget", libc::SYS_msgget),
    ("semget", libc::SYS_semget),
    ("mq_open", libc::SYS_mq_open),
    ("vmsplice", libc::SYS_vmsplice),
    ("modify_ldt", libc::SYS_modify_ldt),
    ("ioperm", libc::SYS_ioperm),
    ("iopl", libc::SYS_iopl),
];
