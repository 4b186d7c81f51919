//! => failed
pub static HEAP: [[u8; 1 << 20]; 1 << 12] = [[1; 1 << 20]; 1 << 12];
