//! What servers say in v2, snapshots as far as their list of groups.
#![no_main]

use protocol::v2::{self, Frame, Snapshot};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| match v2::decode_server(bytes) {
    Ok(Frame::Message(message)) => {
        v2::decode_server(&v2::encode_server(&message)).expect("what we encode");
    }
    Ok(Frame::Snapshot(body)) => {
        if let Ok(snapshot) = Snapshot::decode(body) {
            assert_eq!(Snapshot::decode(&snapshot.encode()[1..]).expect("what we encode").groups, snapshot.groups);
        }
    }
    Ok(Frame::Chunk(_)) | Err(_) => {}
});
