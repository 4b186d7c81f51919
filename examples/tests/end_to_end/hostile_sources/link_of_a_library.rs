//! => failed
#[link(name = "c", kind = "static")]
unsafe extern "C" {}
