//! => failed
#![recursion_limit = "100000"]
pub trait Endless { const NEXT: u32; }
impl<T> Endless for Vec<T> where Vec<Vec<T>>: Endless { const NEXT: u32 = <Vec<Vec<T>> as Endless>::NEXT + 1; }
pub const N: u32 = <Vec<u8> as Endless>::NEXT;
