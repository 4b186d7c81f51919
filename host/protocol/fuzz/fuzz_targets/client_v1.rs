//! What clients say in v1.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(message) = protocol::v1::decode_client(text) {
        protocol::v1::decode_client(&protocol::v1::encode_client(&message)).expect("what we encode");
    }
});
