//! => failed
#[path = "../../../../canary"]
mod elsewhere;
