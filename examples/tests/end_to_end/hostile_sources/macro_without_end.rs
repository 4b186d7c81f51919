//! => failed
#![recursion_limit = "1000000"]
macro_rules! more { ($($x:tt)*) => { more! { $($x)* $($x)* } } }
more! { x }
