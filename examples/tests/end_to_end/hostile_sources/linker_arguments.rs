//! => failed
#![crate_type = "cdylib"]
#![feature(link_args)]
#[link_args = "--export-all"]
unsafe extern "C" {}
