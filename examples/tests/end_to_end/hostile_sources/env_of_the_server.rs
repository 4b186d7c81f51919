//! => failed
const TEXT: &str = env!("CANARY");
