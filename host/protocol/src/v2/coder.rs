//! A binary range coder over fixed probabilities, after Martin's range coder in the form that LZMA gave it: 32 bits of range, a byte leaves it once no carry can
//! reach it. One procedure describes a format for every direction: a writer writes the bits that it is given, a reader answers with what it reads instead.

/// The probability of a 0 in each context, in 256ths; 0 counts as a half of one. Learned from games and from Fiedler's cubes by `cargo xtask bench wire --learn`: adapting
/// them within a snapshot would save four bytes in a thousand.
static ZEROS: &[u8; CONTEXTS] = include_bytes!("zeros.bin");
/// Contexts in all.
pub const CONTEXTS: usize = super::model::CONTEXTS;
/// Below this range a byte is settled.
const SETTLED: u32 = 1 << 24;

/// A direction.
pub trait Coder {
    /// A bit in a context.
    fn bit(&mut self, context: usize, one: bool) -> bool;
    /// A bit of which nothing is expected.
    fn even(&mut self, one: bool) -> bool;
}

/// Of a range, the part that stands for 0.
fn zeros(range: u32, context: usize) -> u32 {
    (range >> 9) * (2 * u32::from(ZEROS[context])).max(1)
}

/// To bytes.
#[derive(Debug)]
pub struct Writer {
    low: u64,
    range: u32,
    /// The last byte that a carry may still reach, and how many of 0xff follow it.
    held: Option<u8>,
    held_ff: usize,
    bytes: Vec<u8>,
}

impl Writer {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { low: 0, range: u32::MAX, held: None, held_ff: 0, bytes: Vec::new() }
    }

    /// All bytes. Zeros at their end are left out, for a reader goes on with zeros.
    pub fn finish(mut self) -> Vec<u8> {
        // Of all numbers in the range, the one that ends in the most zeros.
        let last = self.low + u64::from(self.range) - 1;
        self.low = (0..32).rev().map(|bits| last >> bits << bits).find(|number| *number >= self.low).unwrap_or(last);
        (0..5).for_each(|_| self.shift());
        while self.bytes.last() == Some(&0) {
            self.bytes.pop();
        }
        self.bytes
    }

    fn narrow(&mut self, zeros: u32, one: bool) {
        if one {
            self.low += u64::from(zeros);
            self.range -= zeros;
        } else {
            self.range = zeros;
        }
        while self.range < SETTLED {
            self.range <<= 8;
            self.shift();
        }
    }

    fn shift(&mut self) {
        let carry = (self.low >> 32) as u8;
        if self.low < 0xff00_0000 || carry == 1 {
            self.bytes.extend(self.held.map(|held| held.wrapping_add(carry)));
            self.bytes.extend(std::iter::repeat_n(0xff_u8.wrapping_add(carry), self.held_ff));
            (self.held, self.held_ff) = (Some((self.low >> 24) as u8), 0);
        } else {
            self.held_ff += 1;
        }
        self.low = (self.low & 0x00ff_ffff) << 8;
    }
}

impl Coder for Writer {
    fn bit(&mut self, context: usize, one: bool) -> bool {
        self.narrow(zeros(self.range, context), one);
        one
    }

    fn even(&mut self, one: bool) -> bool {
        self.narrow(self.range >> 1, one);
        one
    }
}

/// From bytes; behind their end come zeros.
#[derive(Debug)]
pub struct Reader<'a> {
    code: u32,
    range: u32,
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// From the first byte on.
    pub fn new(bytes: &'a [u8]) -> Self {
        let mut reader = Self { code: 0, range: u32::MAX, bytes };
        (0..4).for_each(|_| reader.shift());
        reader
    }

    fn narrow(&mut self, zeros: u32) -> bool {
        let one = self.code >= zeros;
        if one {
            self.code -= zeros;
            self.range -= zeros;
        } else {
            self.range = zeros;
        }
        while self.range < SETTLED {
            self.range <<= 8;
            self.shift();
        }
        one
    }

    fn shift(&mut self) {
        let (byte, rest) = self.bytes.split_first().map_or((0, self.bytes), |(byte, rest)| (*byte, rest));
        (self.code, self.bytes) = (self.code << 8 | u32::from(byte), rest);
    }
}

impl Coder for Reader<'_> {
    fn bit(&mut self, context: usize, _: bool) -> bool {
        self.narrow(zeros(self.range, context))
    }

    fn even(&mut self, _: bool) -> bool {
        self.narrow(self.range >> 1)
    }
}

/// Counts what is written, so that the probabilities can be learned.
#[derive(Debug, Clone)]
pub struct Census {
    counts: Vec<[u64; 2]>,
}

impl Default for Census {
    fn default() -> Self {
        Self { counts: vec![[0; 2]; CONTEXTS] }
    }
}

impl Census {
    /// The table of probabilities; what was never seen is even.
    pub fn zeros(&self) -> Vec<u8> {
        let learned = |[zeros, ones]: &[u64; 2]| ((zeros * 2 + 1) * 128 / (zeros + ones + 1)).min(255) as u8;
        self.counts.iter().map(learned).collect()
    }
}

impl Coder for Census {
    fn bit(&mut self, context: usize, one: bool) -> bool {
        self.counts[context][usize::from(one)] += 1;
        one
    }

    fn even(&mut self, one: bool) -> bool {
        one
    }
}
