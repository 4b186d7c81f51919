//! => failed file
#[path = "/usr/lib/os-release"]
mod elsewhere;
