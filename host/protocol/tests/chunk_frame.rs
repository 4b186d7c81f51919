//! A chunk in a frame of v2: its bytes, that it reads back, and that whatever else comes is refused.

use expect_test::expect;
use proptest::prelude::*;
use protocol::limits::CHUNK_BYTES_MAX;
use protocol::v2::{CHUNK_VOXELS, Frame, decode_server, encode_chunk};
use serde::Serialize;

/// The content of a chunk at version 7 with so many materials, 10 and up; the voxels are these, again and again.
fn content(materials: usize, voxels: &[u8]) -> Vec<u8> {
    let bits = [(1, 0), (2, 1), (4, 2), (16, 4), (256, 8)].into_iter().find(|(most, _)| materials <= *most).expect("at most 256").1;
    let mut content = vec![1, 7, 0, 0, 0, (materials - 1) as u8];
    content.extend((0..materials).map(|n| (n as u8).wrapping_add(10)));
    let head = content.len();
    content.resize(head + CHUNK_VOXELS * bits / 8, 0);
    for (n, voxel) in voxels.iter().cycle().take(CHUNK_VOXELS).enumerate() {
        let index = usize::from(*voxel) % materials;
        if bits > 0 {
            content[head + n * bits / 8] |= (index as u8) << (n * bits % 8);
        }
    }
    content
}

/// Whether a frame with this block, which says that it holds so many bytes, is a chunk.
fn is_chunk(bytes: u32, block: &[u8]) -> bool {
    #[derive(Serialize)]
    struct Wire<'a>([i32; 3], u64, u32, &'a [u8]);
    let frame = postcard::to_extend(&Wire([0; 3], 0, bytes, block), vec![2]).expect("bytes");
    decode_server(&frame).is_ok()
}

#[test]
fn the_bytes_of_a_chunk() {
    let frame = encode_chunk([-2, 0, 300], 0x0123_4567_89ab_cdef, &content(2, &[0, 1, 1, 0, 0, 0, 0, 0]));
    let hex: Vec<String> = frame.iter().map(|byte| format!("{byte:02x}")).collect();
    expect!["02 03 00 d8 04 ef 9b af cd f8 ac d1 91 01 88 20 23 9f 01 07 00 00 00 01 0a 0b 06 01 00 ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff f5 60 06 06 06 06 06 06"].assert_eq(&hex.join(" "));
}

#[test]
fn a_block_that_is_not_what_it_says_is_refused() {
    let content = content(3, &[0, 1, 2]);
    let compressed = lz4_flex::block::compress(&content);
    let length = content.len() as u32;
    assert!(is_chunk(length, &compressed));
    for claim in [0, length - 1, length + 1, CHUNK_BYTES_MAX as u32 + 1, u32::MAX] {
        assert!(!is_chunk(claim, &compressed), "{claim} bytes");
    }
    let block_of = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut content = content.clone();
        change(&mut content);
        is_chunk(content.len() as u32, &lz4_flex::block::compress(&content))
    };
    assert!(!block_of(&|content| content[0] = 2), "another format");
    assert!(!block_of(&|content| content[9] = 3), "an index that the palette has not");
    assert!(!block_of(&|content| content.truncate(5)), "no palette");
    assert!(!block_of(&|content| content.push(0)), "something behind the end");
    assert!(!block_of(&|content| content.resize(CHUNK_BYTES_MAX + 1, 0)), "more than a chunk can be");
    assert!(!block_of(&|content| content[5] = 255), "a longer palette");
}

proptest! {
    #[test]
    fn a_chunk_reads_back(id in any::<[i32; 3]>(), hash: u64, materials in 1usize..=256, voxels in prop::collection::vec(any::<u8>(), 1..5_000)) {
        let frame = encode_chunk(id, hash, &content(materials, &voxels));
        let Ok(Frame::Chunk(chunk)) = decode_server(&frame) else { panic!("no chunk") };
        prop_assert_eq!((chunk.chunk_id, chunk.version, chunk.hash), (id, 7, hash));
        for (got, voxel) in chunk.voxels.iter().zip(voxels.iter().cycle()) {
            prop_assert_eq!(usize::from(got.wrapping_sub(10)), usize::from(*voxel) % materials);
        }
        prop_assert!(decode_server(&frame[..frame.len() - 1]).is_err());
    }

    #[test]
    fn any_bytes_are_a_chunk_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), flip: prop::sample::Index, bit in 0u8..8) {
        let _ = decode_server(&[&[2], &*bytes].concat());
        let mut frame = encode_chunk([1, 2, 3], 9, &content(5, &bytes.iter().copied().chain([0]).collect::<Vec<_>>()));
        let at = flip.index(frame.len());
        frame[at] ^= 1 << bit;
        let _ = decode_server(&frame);
    }
}
