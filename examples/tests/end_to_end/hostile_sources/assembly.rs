//! => failed
pub fn run() { unsafe { core::arch::asm!("unreachable") } }
