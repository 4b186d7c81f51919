//! => failed file
const TEXT: &str = include_str!("@canary");
