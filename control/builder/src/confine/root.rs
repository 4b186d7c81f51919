//! Namespaces, and a root of its own: the program sees the system's libraries, what it is given to read, an empty scratch, and nothing else; no network, no other process.

use crate::limits::{ROOT_BYTES_MAX, SCRATCH_BYTES_MAX};
use rustix::fs::{StatVfsMountFlags, statvfs};
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_change, mount_remount, unmount};
use rustix::process::{getegid, geteuid, pivot_root};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// What an operator does where they are missing.
pub const REMEDY: &str = "allow user namespaces: `sysctl -w user.max_user_namespaces=15000`, on Debian and Ubuntu also `kernel.unprivileged_userns_clone=1` or \
                          `kernel.apparmor_restrict_unprivileged_userns=0`, in Docker `--security-opt seccomp=unconfined`; or start with BUILD_SANDBOX=as-there-is";

/// Who the program is to itself: nobody. Outside it stays who the launcher is, which matters to nothing that it can reach.
const NOBODY: u32 = 65_534;

/// What every program needs to start: the loader and the C library.
pub const SYSTEM: [&str; 3] = ["/lib", "/lib64", "/usr/lib"];
/// Where unwanted output goes; nothing else of `/dev` is there.
pub const NULL: &str = "/dev/null";

/// Goes there. Process ids are those of the next process that this one starts, which is the first of its namespace: all that it leaves behind ends with it.
pub fn enter(folder: &Path, reads: &[PathBuf], program: &Path) -> io::Result<()> {
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    let flags = UnshareFlags::NEWUSER
        | UnshareFlags::NEWNS
        | UnshareFlags::NEWPID
        | UnshareFlags::NEWNET
        | UnshareFlags::NEWIPC
        | UnshareFlags::NEWUTS;
    // SAFETY: the table of open files, whose parting is what can be unsound, is not among them; and this process has one thread.
    unsafe { unshare_unsafe(flags) }?;
    // The kernel wants this before it lets an ordinary user name groups.
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{NOBODY} {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("{NOBODY} {group} 1"))?;

    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    // The new root lies over the folder, and the folder's own place within it.
    let new_root = folder;
    tmpfs(new_root, ROOT_BYTES_MAX)?;
    let mut reads: Vec<PathBuf> = SYSTEM.iter().map(PathBuf::from).chain(reads.iter().cloned()).filter(|path| path.exists()).collect();
    // Whatever lies within another comes behind it, and is there already.
    reads.sort();
    for path in &reads {
        show(path, &within(new_root, path))?;
    }
    let null = within(new_root, Path::new(NULL));
    place_for(&null, false)?;
    mount_bind(NULL, &null)?;
    // All that there is of `/proc`: the loader asks it where the program lies, to find the libraries beside it. The linker's are those of the compiler.
    let own_path = within(new_root, Path::new("/proc/self/exe"));
    own_path.parent().map_or(Ok(()), fs::create_dir_all)?;
    symlink(program, &own_path)?;
    let scratch = within(new_root, folder);
    fs::create_dir_all(&scratch)?;
    tmpfs(&scratch, SCRATCH_BYTES_MAX)?;
    mount_remount(new_root, MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV, c"")?;

    std::env::set_current_dir(new_root)?;
    pivot_root(".", ".")?;
    // The old root lies over the new one now.
    unmount(".", UnmountFlags::DETACH)?;
    std::env::set_current_dir(folder)
}

fn tmpfs(at: &Path, bytes: u64) -> io::Result<()> {
    let options = CString::new(format!("size={bytes},mode=700")).expect("no NUL among digits");
    Ok(mount("tmpfs", at, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, options.as_c_str())?)
}

/// An absolute path's place in the new root.
fn within(new_root: &Path, path: &Path) -> PathBuf {
    new_root.join(path.strip_prefix("/").unwrap_or(path))
}

/// Shows a file or folder, to be read and run alone.
fn show(path: &Path, at: &Path) -> io::Result<()> {
    if at.exists() {
        return Ok(());
    }
    place_for(at, path.is_dir())?;
    mount_bind(path, at)?;
    // What the mount was locked with outside must be said again.
    let outside = statvfs(at)?.f_flag;
    let kept = [
        (StatVfsMountFlags::NOEXEC, MountFlags::NOEXEC),
        (StatVfsMountFlags::NOATIME, MountFlags::NOATIME),
        (StatVfsMountFlags::NODIRATIME, MountFlags::NODIRATIME),
        (StatVfsMountFlags::RELATIME, MountFlags::RELATIME),
    ];
    let kept = kept.into_iter().filter(|(there, _)| outside.contains(*there)).fold(MountFlags::empty(), |flags, (_, flag)| flags | flag);
    Ok(mount_remount(at, MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV | kept, c"")?)
}

fn place_for(at: &Path, is_folder: bool) -> io::Result<()> {
    if is_folder {
        return fs::create_dir_all(at);
    }
    at.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::File::create_new(at).map(drop)
}
