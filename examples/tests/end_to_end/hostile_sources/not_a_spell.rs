//! => failed export
pub fn nothing() {}
