//! A group's bytes, after two states that the same bytes have made.
#![no_main]

use protocol::limits::GROUP_ENTITIES_MAX;
use protocol::v2::group::{Bases, decode, encode};

libfuzzer_sys::fuzz_target!(|input: ([u32; 2], &[u8], &[u8], &[u8])| {
    let ([age, span], first, second, third) = input;
    let Ok(before) = decode(first, &Bases::default()) else { return };
    let Ok(base) = decode(second, &Bases::new(Some(&before), age, None, 0)) else { return };
    let bases = Bases::new(Some(&base), age, Some(&before), span);
    if let Ok(states) = decode(third, &bases) {
        assert!(states.len() <= GROUP_ENTITIES_MAX);
        assert_eq!(decode(&encode(&states, &bases), &bases), Ok(states));
    }
});
