//! => failed
pub struct Pair<T>(T, T);
pub fn grow<T>(depth: u32, value: T) -> u32 { if depth == 0 { 0 } else { grow(depth - 1, Pair(value, loop {})) } }
pub fn run() -> u32 { grow(64, 0u8) }
#[used]
pub static RUN: fn() -> u32 = run;
