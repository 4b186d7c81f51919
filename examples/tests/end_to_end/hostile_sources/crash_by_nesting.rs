//! => failed
pub const X: u8 = @repeat(60000, "(")1@repeat(60000, ")");
