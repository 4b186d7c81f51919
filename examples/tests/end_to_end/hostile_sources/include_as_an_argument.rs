//! => failed file
macro_rules! read { ($reader:ident) => { $reader!("@canary") } }
const _: () = panic!("{}", read!(include_str));
