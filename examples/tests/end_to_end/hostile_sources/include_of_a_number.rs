//! => failed file
const NUMBER: u64 = include!("@canary");
