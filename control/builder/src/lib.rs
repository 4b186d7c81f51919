//! The compile worker: source to signed artifact, each step in a process of its own.
//!
//! [`build`] is the launcher. It holds the signing key and starts three confined children ([`confine`]): rustc, which makes a core module of the author's source, and this
//! very executable as `native`, which makes a component and native code of those bytes and sees nothing else, and as `smoke`, which casts them. A broken compiler can so hand us wrong code for its own
//! spell, and nothing more. The control plane runs the launcher as a process (`ugc-builder build`), the author's command line in its own.

mod build;
mod check;
pub mod child;
pub mod confine;
pub mod diagnostics;
pub mod lifeline;
pub mod limits;
pub mod native;
pub mod prepare;
pub mod probe;
pub mod smoke;
mod source;
pub mod toolchain;

pub use build::build;
pub use check::{check, check_sandbox};
