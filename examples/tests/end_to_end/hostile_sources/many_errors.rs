//! => failed E0425
pub fn run() { @repeat(20000, "x();") }
