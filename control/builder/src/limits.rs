//! Every limit of a build, with its reason.

use std::time::Duration;

/// Address space of a child. rustc fails at 400 MB on a small std crate and works at 500; compiling a component to native code needs less.
pub const ADDRESS_SPACE_BYTES_MAX: u64 = 1 << 30;
/// Address space of the smoke run: the runtime reserves 4 GiB around each memory that a cast may have, and touches next to nothing of it. What a spell may really have is
/// bounded by its store.
pub const SMOKE_ADDRESS_SPACE_BYTES_MAX: u64 = 64 << 30;
/// Live casts of the smoke run.
pub const SMOKE_CASTS_MAX: u32 = 8;
/// CPU time of a child, in seconds, all its threads together. A spell takes 0.15 s; an endless constant evaluation takes it all.
pub const CPU_SECONDS_MAX: u64 = 10;
/// One file that a child writes.
pub const FILE_BYTES_MAX: u64 = 64 << 20;
/// The scratch, all files together.
pub const SCRATCH_BYTES_MAX: u64 = 64 << 20;
/// The root that it lies in, which holds nothing but the places of what is shown there.
pub const ROOT_BYTES_MAX: u64 = 1 << 20;
/// Open files of a child: rustc holds some dozens.
pub const OPEN_FILES_MAX: u64 = 256;
/// Wall-clock time of a child: behind CPU time, for one that waits instead of working.
pub const WALL_TIME_MAX: Duration = Duration::from_secs(12);
const _: () = assert!(WALL_TIME_MAX.as_secs() > CPU_SECONDS_MAX, "CPU time is the limit that says more");
/// A core module that rustc wrote: as much as a component may have.
pub const CORE_BYTES_MAX: usize = protocol::limits::COMPONENT_BYTES_MAX;
/// What the smoke run may answer: figures, and `DIAGNOSTICS_MAX` findings.
pub const SMOKE_OUTPUT_BYTES_MAX: usize = 512 * 1024;
/// What the second stage may answer: component, native code, and words.
pub const NATIVE_OUTPUT_BYTES_MAX: usize = protocol::limits::COMPONENT_BYTES_MAX + protocol::limits::ARTIFACT_BYTES_MAX + 64 * 1024;
/// An order as JSON: text, which escaping at most sextuples, a component in hex, and some paths.
pub const ORDER_BYTES_MAX: usize = 6 * protocol::limits::SOURCE_BYTES_MAX + 2 * protocol::limits::COMPONENT_BYTES_MAX + 64 * 1024;
/// Characters of one diagnostic's message or help.
pub const MESSAGE_CHARS_MAX: usize = 2_000;
