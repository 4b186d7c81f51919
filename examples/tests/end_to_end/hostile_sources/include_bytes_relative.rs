//! => failed file
const BYTES: &[u8] = include_bytes!("../../../../canary");
