//! => failed
pub const ACCESS: &str = "user@bidi"; // the admin is checked for
