//! => failed E0463
extern crate rustc_driver;
