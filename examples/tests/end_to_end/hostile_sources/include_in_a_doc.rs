//! => failed file
#![doc = include_str!("@canary")]
