//! Landlock: what may be done with which file, once more beside the root, for the day when something is wrong with one of them.

use super::root::{NULL, SYSTEM};
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    RulesetStatus, Scope, make_bitflags, path_beneath_rules,
};
use std::io;
use std::path::{Path, PathBuf};

/// What an operator does where it is missing.
pub const REMEDY: &str = "use a kernel of 5.13 or newer with `landlock` among its security modules (/sys/kernel/security/lsm); or start with BUILD_SANDBOX=as-there-is";

/// Rights over files without which it is no layer: those of its first version. What newer kernels know is added where it is there, for the namespaces have it too.
const NEEDED: ABI = ABI::V1;
const KNOWN: ABI = ABI::V6;

/// Plain files and folders come and go in the scratch; nothing is run there, and there are no devices, sockets, pipes or links.
const SCRATCH: BitFlags<AccessFs> =
    make_bitflags!(AccessFs::{ReadFile | ReadDir | WriteFile | Truncate | MakeReg | MakeDir | RemoveFile | RemoveDir | Refer});

/// Restricts this process and what it becomes.
pub fn restrict(folder: &Path, reads: &[PathBuf]) -> io::Result<()> {
    match rules(folder, reads) {
        Ok(RulesetStatus::NotEnforced) => Err(io::Error::other("the kernel does not enforce it")),
        Ok(_) => Ok(()),
        Err(error) => Err(io::Error::other(error)),
    }
}

fn rules(folder: &Path, reads: &[PathBuf]) -> Result<RulesetStatus, RulesetError> {
    let system = SYSTEM.map(PathBuf::from);
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(NEEDED))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))?
        .handle_access(AccessNet::from_all(KNOWN))?
        .scope(Scope::from_all(KNOWN))?;
    let created = ruleset
        .create()?
        .add_rules(path_beneath_rules(reads.iter().chain(&system), AccessFs::from_read(KNOWN)))?
        .add_rules(path_beneath_rules([folder], SCRATCH))?
        .add_rules(path_beneath_rules([NULL], AccessFs::ReadFile | AccessFs::WriteFile))?;
    Ok(created.restrict_self()?.ruleset)
}
