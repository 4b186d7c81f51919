//! => failed E0554
#![feature(never_type)]
