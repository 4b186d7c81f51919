//! Snapshots one after another, each with its length in two bytes before it.
#![no_main]

use protocol::limits::GROUP_ENTITIES_MAX;
use protocol::v2::{Reader, Snapshot};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (mut reader, mut rest) = (Reader::default(), bytes);
    while let Some(([low, high], after)) = rest.split_first_chunk() {
        let (body, after) = after.split_at(after.len().min(usize::from(u16::from_le_bytes([*low, *high]))));
        rest = after;
        if let Ok(view) = reader.read(body) {
            let groups = Snapshot::decode(body).expect("what was read").groups.len();
            assert!(view.entities.len() <= groups * GROUP_ENTITIES_MAX);
        }
    }
});
