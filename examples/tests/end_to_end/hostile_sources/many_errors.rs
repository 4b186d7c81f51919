//! => failed E0425 cpu time
pub fn run() { @repeat(20000, "x();") }
