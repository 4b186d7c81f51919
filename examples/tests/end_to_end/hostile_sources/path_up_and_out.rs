//! => failed E0583
#[path = "../../../../canary"]
mod elsewhere;
