//! => failed
#![allow(unsafe_code)]
pub fn peek() -> u8 { unsafe { *(8 as *const u8) } }
