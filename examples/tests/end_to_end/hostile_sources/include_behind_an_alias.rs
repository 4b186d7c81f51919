//! => failed file
use std::include_str as text;
const TEXT: &str = text!("@canary");
