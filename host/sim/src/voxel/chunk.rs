//! A chunk: 32 x 32 x 32 voxels as indices into a palette, in the one form that its content has.

use super::{AIR, CHUNK_EDGE, CHUNK_VOXELS};
use crate::limits::CHUNK_COORDINATE_MAX;
use crate::material;
use crate::{IVec3, Vec3};

/// 32 x 32 x 32 voxels. Equal content is equal bytes: the palette holds what occurs, ascending, and an index has the fewest of 0, 1, 2, 4 or 8 bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    palette: Vec<u8>,
    /// Indices into the palette, the first voxel's in the lowest bits.
    words: Vec<u64>,
    version: u32,
    hash: u64,
}

/// A chunk's place: `floor(position / 32)` on each axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct ChunkId(pub [i32; 3]);

/// Why bytes are no chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Another format's, or none.
    #[error("chunk format {0} is unknown")]
    Format(u8),
    /// Cut off, or something behind its end.
    #[error("a chunk of {0} bytes has not the length that it says")]
    Length(usize),
    /// No voxel may be made of it.
    #[error("material {0} is unknown")]
    Material(u8),
    /// Not the one form that its content has.
    #[error("a chunk is not in its canonical form")]
    NotCanonical,
}

/// The first byte of an encoded chunk.
const FORMAT: u8 = 1;
/// Format, version and the palette's length.
const HEAD_BYTES: usize = 6;

impl Chunk {
    /// A chunk of nothing at version 0: what stands where no chunk is.
    pub fn air() -> Self {
        Self::from_voxels(&[AIR; CHUNK_VOXELS], 0)
    }

    /// A chunk at version 1 whose voxels are given by their place in it, 0 to 31 on each axis.
    pub fn filled(material: impl Fn(IVec3) -> u8) -> Self {
        let mut voxels = [AIR; CHUNK_VOXELS];
        for (index, voxel) in voxels.iter_mut().enumerate() {
            *voxel = material(place(index));
        }
        Self::from_voxels(&voxels, 1)
    }

    /// A chunk of these materials: voxel (x, y, z) at x + 32 y + 1024 z.
    pub fn from_voxels(voxels: &[u8; CHUNK_VOXELS], version: u32) -> Self {
        // Eight at a time, for most are as the eight before them: what those come to is worked out once.
        let (eights, _) = voxels.as_chunks::<8>();
        let (mut occurs, mut before) = ([false; 256], None);
        for eight in eights {
            if before != Some(eight) {
                before = Some(eight);
                eight.iter().for_each(|material| occurs[usize::from(*material)] = true);
            }
        }
        let palette: Vec<u8> = (0..=u8::MAX).filter(|material| occurs[usize::from(*material)]).collect();
        let mut index_of = [0; 256];
        for (index, material) in palette.iter().enumerate() {
            index_of[usize::from(*material)] = index as u64;
        }
        let bits = index_bits(palette.len());
        let words = match bits {
            0 => Vec::new(),
            bits => {
                let mut packed = (eights[0], pack(&eights[0], bits, &index_of));
                let mut pack = |eight: &[u8; 8]| {
                    if packed.0 != *eight {
                        packed = (*eight, pack(eight, bits, &index_of));
                    }
                    packed.1
                };
                // In two shifts, for by 64 at once there is none.
                let word = |run: &[[u8; 8]]| run.iter().rev().fold(0, |word, eight| (word << (4 * bits)) << (4 * bits) | pack(eight));
                eights.chunks_exact(8 / bits).map(word).collect()
            }
        };
        let hash = hash(&palette, &words);
        Self { palette, words, version, hash }
    }

    /// The materials: voxel (x, y, z) at x + 32 y + 1024 z.
    pub fn to_voxels(&self) -> Box<[u8; CHUNK_VOXELS]> {
        let mut voxels = Box::new([self.palette[0]; CHUNK_VOXELS]);
        let bits = index_bits(self.palette.len());
        if bits > 0 {
            let (eights, _) = voxels.as_chunks_mut::<8>();
            let mask = u64::MAX >> (64 - 8 * bits);
            let first = self.words[0] & mask;
            let mut unpacked = (first, unpack(first, bits, &self.palette));
            for (run, word) in eights.chunks_exact_mut(8 / bits).zip(&self.words) {
                for (index, eight) in run.iter_mut().enumerate() {
                    let packed = word >> (8 * bits * index) & mask;
                    if unpacked.0 != packed {
                        unpacked = (packed, unpack(packed, bits, &self.palette));
                    }
                    *eight = unpacked.1;
                }
            }
        }
        voxels
    }

    /// The material at x + 32 y + 1024 z, below `CHUNK_VOXELS`.
    pub fn material(&self, index: usize) -> u8 {
        let bits = index_bits(self.palette.len());
        if bits == 0 {
            return self.palette[0];
        }
        let at = index * bits;
        self.palette[(self.words[at / 64] >> (at % 64) & ((1 << bits) - 1)) as usize]
    }

    /// How often it has changed: 1 when it was made, one more with each edit that changed something.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Whether there is nothing in it.
    pub fn is_air(&self) -> bool {
        self.palette == [AIR]
    }

    /// The places in the chunk of all solid voxels, in the order of the bytes.
    pub fn solids(&self) -> impl Iterator<Item = IVec3> {
        let voxels = self.to_voxels();
        (0..CHUNK_VOXELS).filter(move |index| voxels[*index] != AIR).map(place)
    }

    /// Format, version, palette and indices: at most 33 kB, a floor 4 kB, a chunk of one material 7 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        bytes.extend_from_slice(&self.version.to_le_bytes());
        bytes.push((self.palette.len() - 1) as u8);
        bytes.extend_from_slice(&self.palette);
        bytes.extend(self.words.iter().flat_map(|word| word.to_le_bytes()));
        bytes
    }

    /// The chunk in these bytes, or why there is none. Reads no more than a chunk can be long.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let wrong_length = DecodeError::Length(bytes.len());
        let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>().ok_or(wrong_length)?;
        let [format, version @ .., palette_last] = *head;
        if format != FORMAT {
            return Err(DecodeError::Format(format));
        }
        let (palette, rest) = rest.split_at_checked(usize::from(palette_last) + 1).ok_or(wrong_length)?;
        let bits = index_bits(palette.len());
        if rest.len() != CHUNK_VOXELS * bits / 8 {
            return Err(wrong_length);
        }
        if let Some(unknown) = palette.iter().find(|id| material::find(**id).is_none()) {
            return Err(DecodeError::Material(*unknown));
        }
        let words: Vec<u64> = rest.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let mask = (1_u64 << bits) - 1;
        let mut voxels = [palette[0]; CHUNK_VOXELS];
        for (index, voxel) in voxels.iter_mut().enumerate().filter(|_| bits > 0) {
            let at = index * bits;
            *voxel = *palette.get((words[at / 64] >> (at % 64) & mask) as usize).ok_or(DecodeError::NotCanonical)?;
        }
        let chunk = Self::from_voxels(&voxels, u32::from_le_bytes(version));
        if chunk.palette == palette && chunk.words == words { Ok(chunk) } else { Err(DecodeError::NotCanonical) }
    }

    /// xxh3 of palette and indices, kept so that a digest need not read them every tick.
    pub fn hash(&self) -> u64 {
        self.hash
    }
}

impl ChunkId {
    /// Whether a chunk may be there.
    pub fn is_in_world(self) -> bool {
        self.0.iter().all(|coordinate| coordinate.unsigned_abs() <= CHUNK_COORDINATE_MAX)
    }

    /// The corner with the lowest coordinates, metres.
    pub fn corner(self) -> Vec3 {
        self.corner_voxel().as_vec3()
    }

    /// The voxel with the lowest coordinates.
    pub fn corner_voxel(self) -> IVec3 {
        IVec3::from_array(self.0) * CHUNK_EDGE
    }
}

/// The place in the chunk of its voxel at x + 32 y + 1024 z.
pub(crate) fn place(index: usize) -> IVec3 {
    let index = index as i32;
    IVec3::new(index % CHUNK_EDGE, index / CHUNK_EDGE % CHUNK_EDGE, index / CHUNK_EDGE / CHUNK_EDGE)
}

/// Eight indices of so many bits, the first voxel's in the lowest.
fn pack(eight: &[u8; 8], bits: usize, index_of: &[u64; 256]) -> u64 {
    eight.iter().rev().fold(0, |packed, material| packed << bits | index_of[usize::from(*material)])
}

/// The materials of eight indices.
fn unpack(packed: u64, bits: usize, palette: &[u8]) -> [u8; 8] {
    std::array::from_fn(|index| palette[(packed >> (bits * index) & ((1 << bits) - 1)) as usize])
}

/// Bits of an index into a palette of so many materials, 1 to 256.
fn index_bits(materials: usize) -> usize {
    match materials {
        0..=1 => 0,
        2 => 1,
        3..=4 => 2,
        5..=16 => 4,
        _ => 8,
    }
}

fn hash(palette: &[u8], words: &[u64]) -> u64 {
    let mut bytes = Vec::with_capacity(palette.len() + 8 * words.len());
    bytes.extend_from_slice(palette);
    bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    xxhash_rust::xxh3::xxh3_64(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chunk_of(changes: &[(usize, u8)]) -> Chunk {
        let mut voxels = [AIR; CHUNK_VOXELS];
        changes.iter().for_each(|(index, material)| voxels[*index] = *material);
        Chunk::from_voxels(&voxels, 7)
    }

    #[test]
    fn the_index_is_x_then_y_then_z() {
        let chunk = Chunk::filled(|place| if place == IVec3::new(1, 2, 3) { 7 } else { AIR });
        assert_eq!(chunk.to_voxels()[1 + 32 * 2 + 1024 * 3], 7);
        assert_eq!(chunk.solids().collect::<Vec<_>>(), [IVec3::new(1, 2, 3)]);
    }

    #[test]
    fn an_index_has_the_fewest_bits() {
        for (materials, bytes) in [(1, 0), (2, 4_096), (3, 8_192), (4, 8_192), (5, 16_384), (16, 16_384), (17, 32_768), (256, 32_768)] {
            let chunk = Chunk::filled(|place| ((place.x + 32 * place.y) % materials) as u8);
            assert_eq!(chunk.encode().len(), HEAD_BYTES + materials as usize + bytes, "{materials} materials");
            let voxels = chunk.to_voxels();
            assert!((0..CHUNK_VOXELS).all(|index| chunk.material(index) == voxels[index]), "{materials} materials");
        }
    }

    #[test]
    fn malformed_bytes_are_refused_by_name() {
        let good = chunk_of(&[(0, 1), (5, 2)]).encode();
        let refused = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = good.clone();
            change(&mut bytes);
            Chunk::decode(&bytes).expect_err("malformed").to_string()
        };
        assert_eq!(refused(&|bytes| bytes[0] = 9), "chunk format 9 is unknown");
        assert_eq!(refused(&|bytes| bytes.truncate(3)), "a chunk of 3 bytes has not the length that it says");
        assert_eq!(refused(&|bytes| bytes.push(0)), "a chunk of 8202 bytes has not the length that it says");
        assert_eq!(refused(&|bytes| bytes[8] = 250), "material 250 is unknown");
        assert_eq!(refused(&|bytes| bytes.swap(6, 7)), "a chunk is not in its canonical form");
        assert_eq!(refused(&|bytes| bytes[9] |= 3), "a chunk is not in its canonical form", "an index that the palette has not");
    }

    proptest! {
        #[test]
        fn equal_content_is_equal_bytes(changes in prop::collection::vec((0..CHUNK_VOXELS, 0u8..9), 0..60), detour in 0u8..9) {
            let chunk = chunk_of(&changes);
            let mut voxels = chunk.to_voxels();
            let first = voxels[0];
            voxels[0] = detour;
            let mut voxels = Chunk::from_voxels(&voxels, 8).to_voxels();
            voxels[0] = first;
            prop_assert_eq!(&Chunk::from_voxels(&voxels, 7), &chunk);
            prop_assert_eq!(Chunk::decode(&chunk.encode()), Ok(chunk));
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..9_000), flip in 0usize..66_000) {
            let _ = Chunk::decode(&bytes);
            let mut good = chunk_of(&[(3, 1), (9, 2)]).encode();
            let bit = flip % (good.len() * 8);
            good[bit / 8] ^= 1 << (bit % 8);
            if let Ok(chunk) = Chunk::decode(&good) {
                prop_assert_eq!(chunk.encode(), good);
            }
        }
    }
}
