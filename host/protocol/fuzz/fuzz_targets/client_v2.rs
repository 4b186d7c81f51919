//! What clients say in v2.
#![no_main]

use protocol::v2;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(message) = v2::decode_client(bytes) {
        v2::decode_client(&v2::encode_client(&message)).expect("what we encode");
    }
});
