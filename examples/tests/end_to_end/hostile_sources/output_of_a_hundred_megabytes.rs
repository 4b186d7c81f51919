//! => failed
#[used]
pub static MUCH: [u64; 13_107_200] = [7; 13_107_200];
