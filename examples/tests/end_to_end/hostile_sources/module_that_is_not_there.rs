//! => failed E0583
mod elsewhere;
