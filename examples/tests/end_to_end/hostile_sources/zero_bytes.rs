//! => failed
pub const X: u8 = @zero 1;
