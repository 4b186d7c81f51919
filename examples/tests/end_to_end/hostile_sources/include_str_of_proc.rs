//! => failed file
const TEXT: &str = include_str!("/proc/self/environ");
