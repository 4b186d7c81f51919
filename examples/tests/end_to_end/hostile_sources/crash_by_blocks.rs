//! => failed
pub fn run() { @repeat(50000, "{")@repeat(50000, "}") }
