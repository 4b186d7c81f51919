//! Seeded streams of numbers: the world's only randomness.

/// SplitMix64: a counter that is scrambled. Small, fast, the same on every target, and any seed is a good one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    counter: u64,
}

/// 2^64 over the golden ratio, odd: the counter's step visits every number.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

impl Stream {
    /// The stream that these numbers name. Each is stirred in by itself, so that neighbours share nothing and their order counts.
    pub fn named(names: &[u64]) -> Self {
        Self { counter: names.iter().fold(0, |counter, name| scramble(counter.wrapping_add(STEP) ^ scramble(name.wrapping_add(STEP)))) }
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.counter = self.counter.wrapping_add(STEP);
        scramble(self.counter)
    }
}

/// Every input bit reaches every output bit; one to one.
fn scramble(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_stream_is_its_name() {
        assert_eq!(Stream::named(&[1, 2, 3]).draw(), Stream::named(&[1, 2, 3]).draw());
        let mut seen = BTreeSet::new();
        for names in [[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 2, 3], [3, 2, 1]] {
            let mut stream = Stream::named(&names);
            assert!((0..1_000).all(|_| seen.insert(stream.draw())), "{names:?}");
        }
    }

    #[test]
    fn the_numbers_never_change() {
        let mut stream = Stream { counter: 0 };
        assert_eq!([stream.draw(), stream.draw()], [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4]);
    }
}
