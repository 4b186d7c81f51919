//! seccomp: the calls of the kernel that a compiler and a linker make. Every other one is refused, so that a hole in the kernel behind one of those does not matter here.

use rustix::io::Errno;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch, apply_filter,
};
use std::collections::BTreeMap;
use std::io;

/// What an operator does where it is missing.
pub const REMEDY: &str = "use a kernel with CONFIG_SECCOMP_FILTER on x86-64; or start with BUILD_SANDBOX=as-there-is";

/// Allowed whatever their arguments: memory, files that are open or that Landlock lets be opened, threads, time, the end.
const ALLOWED: &[i64] = &[
    libc::SYS_access,
    libc::SYS_arch_prctl,
    libc::SYS_brk,
    libc::SYS_chdir,
    libc::SYS_chmod,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    // Refused by a filter of its own, which has the better word for it.
    libc::SYS_clone3,
    libc::SYS_close,
    libc::SYS_close_range,
    libc::SYS_copy_file_range,
    libc::SYS_dup,
    libc::SYS_dup2,
    libc::SYS_dup3,
    libc::SYS_execve,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fadvise64,
    libc::SYS_fallocate,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fcntl,
    libc::SYS_fdatasync,
    libc::SYS_flock,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_fsync,
    libc::SYS_ftruncate,
    libc::SYS_futex,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getrandom,
    libc::SYS_getrlimit,
    libc::SYS_getrusage,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_getuid,
    libc::SYS_lseek,
    libc::SYS_lstat,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mkdir,
    libc::SYS_mkdirat,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_newfstatat,
    libc::SYS_open,
    libc::SYS_openat,
    libc::SYS_pipe,
    libc::SYS_pipe2,
    libc::SYS_poll,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_read,
    libc::SYS_readlink,
    libc::SYS_readlinkat,
    libc::SYS_readv,
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_recvfrom,
    libc::SYS_restart_syscall,
    libc::SYS_rmdir,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_sigaltstack,
    libc::SYS_stat,
    libc::SYS_statfs,
    libc::SYS_statx,
    libc::SYS_sysinfo,
    libc::SYS_tgkill,
    libc::SYS_umask,
    libc::SYS_uname,
    libc::SYS_unlink,
    libc::SYS_unlinkat,
    libc::SYS_vfork,
    libc::SYS_wait4,
    libc::SYS_waitid,
    libc::SYS_write,
    libc::SYS_writev,
];

/// What `clone` may not make: any namespace.
const NAMESPACES: u64 = (libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP) as u64;

/// What `prctl` may do: name threads and memory. It could also undo that this process dies with its launcher.
const PRCTL: [i32; 3] = [libc::PR_SET_NAME, libc::PR_GET_NAME, libc::PR_SET_VMA];

/// What `ioctl` may do: mark a descriptor. Drivers have the rest, and they are where kernels break.
const IOCTL: [u64; 2] = [libc::FIONBIO, libc::FIOCLEX];

/// Restricts this process and what it becomes. No new privileges can be had from then on, whatever is executed.
pub fn restrict() -> io::Result<()> {
    // Its flags lie in memory, which no filter can look at. Told that the kernel does not have it, the C library uses `clone`.
    let absent = SeccompAction::Errno(Errno::NOSYS.raw_os_error().cast_unsigned());
    apply([(libc::SYS_clone3, Vec::new())].into(), SeccompAction::Allow, absent)?;

    let argument = |index, length, how, value| SeccompCondition::new(index, length, how, value).and_then(|it| SeccompRule::new(vec![it]));
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
    let built = || -> Result<_, seccompiler::BackendError> {
        let clone = vec![argument(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(NAMESPACES), 0)?];
        let prctl = PRCTL.iter().map(|what| argument(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, what.cast_unsigned().into()));
        let ioctl = IOCTL.iter().map(|what| argument(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, *what));
        // To read a limit, not to set one: the third argument is the new limit.
        let prlimit = vec![argument(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)?];
        // Both ends are in the sandbox: rustc's standard library hears by one whether the linker has started.
        let pair = vec![argument(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, u64::from(libc::AF_UNIX.cast_unsigned()))?];
        Ok([
            (libc::SYS_clone, clone),
            (libc::SYS_ioctl, ioctl.collect::<Result<_, _>>()?),
            (libc::SYS_prctl, prctl.collect::<Result<_, _>>()?),
            (libc::SYS_prlimit64, prlimit),
            (libc::SYS_socketpair, pair),
        ])
    };
    rules.extend(built().map_err(io::Error::other)?);
    let refused = SeccompAction::Errno(Errno::PERM.raw_os_error().cast_unsigned());
    apply(rules, refused, SeccompAction::Allow)
}

fn apply(rules: BTreeMap<i64, Vec<SeccompRule>>, mismatch: SeccompAction, matching: SeccompAction) -> io::Result<()> {
    let filter = SeccompFilter::new(rules, mismatch, matching, TargetArch::x86_64).map_err(io::Error::other)?;
    let program: BpfProgram = filter.try_into().map_err(io::Error::other)?;
    apply_filter(&program).map_err(io::Error::other)
}
