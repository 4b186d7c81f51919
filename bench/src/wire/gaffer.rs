//! A model of the coder that Fabian Giesen wrote for Fiedler's scene (github.com/rygorous/gaffer_net, 445 bytes a frame on his trace): the same binarisation,
//! contexts and rates of adaptation, in our own words. Each frame is coded against the one a round trip older, with the models as they were after that one.

use super::scene::Cube;

/// One frame as both sides know it after it was coded.
#[derive(Clone)]
pub struct Known {
    pub cubes: Vec<Cube>,
    moves: Vec<Move>,
    models: Models,
}

/// What a cube did between a frame and the one it was coded against.
#[derive(Clone, Copy, Default)]
struct Move {
    changing: bool,
    turn: [i32; 3],
    travel: [i32; 3],
}

/// Probabilities have 15 bits; the two halves adapt at different speeds.
#[derive(Clone, Copy)]
struct Bit {
    fast: u16,
    slow: u16,
}

/// Bits of a number, each in the context of those above it.
type Tree<const NODES: usize> = [Bit; NODES];

/// A signed number: how many bits it has, the bit after the leading one, the rest as they are, and a sign.
#[derive(Clone, Copy)]
struct Number {
    length: Tree<32>,
    second: [Bit; 8],
    sign: [Bit; 2],
}

#[derive(Clone)]
struct Models {
    turned: [Bit; 4],
    largest: [Tree<4>; 16],
    turn: [Number; SIZES + 1],
    flipped: [Bit; 2],
    moved: [Bit; 8],
    travel: [Number; SIZES],
    interacting: [Bit; 4],
}

const SIZES: usize = 10;
const HALF: u16 = 1 << 14;
/// Of the published precision: where a component is zero, and about where the largest one lies.
const MIDDLE: i32 = 256;
const LARGEST: i32 = 450;
/// Along each axis, four metres.
const CLOSE: i32 = 2_048;

/// The frame in bytes, and as both sides know it then.
pub fn encode(cubes: &[Cube], base: &Known) -> (Vec<u8>, Known) {
    let mut writer = Writer { low: 0, high: u32::MAX, bytes: Vec::new() };
    let mut known = base.clone();
    known.cubes.copy_from_slice(cubes);
    code(&mut writer, &mut known, base);
    (writer.finish(), known)
}

/// What was encoded against the same base.
pub fn decode(bytes: &[u8], base: &Known) -> Known {
    let mut reader = Reader { low: 0, high: u32::MAX, code: 0, bytes };
    (0..4).for_each(|_| reader.shift());
    let mut known = base.clone();
    code(&mut reader, &mut known, base);
    known
}

impl Known {
    /// A first frame, which both sides have from elsewhere.
    pub fn first(cubes: &[Cube]) -> Self {
        let bit = Bit { fast: HALF / 2, slow: HALF / 2 };
        let number = Number { length: [bit; 32], second: [bit; 8], sign: [bit; 2] };
        let models = Models {
            turned: [bit; 4],
            largest: [[bit; 4]; 16],
            turn: [number; SIZES + 1],
            flipped: [bit; 2],
            moved: [bit; 8],
            travel: [number; SIZES],
            interacting: [bit; 4],
        };
        Self { cubes: cubes.to_vec(), moves: vec![Move::default(); cubes.len()], models }
    }
}

/// The same way for both directions: a writer writes what it is given, a reader ignores that and answers with what it reads.
fn code(io: &mut impl Coder, known: &mut Known, base: &Known) {
    let models = &mut known.models;
    for (index, (old, old_move)) in base.cubes.iter().zip(&base.moves).enumerate() {
        let mut now = known.cubes[index];
        let mut travel: [i32; 3] = std::array::from_fn(|axis| now.position[axis] - old.position[axis]);
        let close = (0..3).all(|axis| (old.position[axis] - base.cubes[0].position[axis]).abs() < CLOSE);
        let context = usize::from(old_move.changing) + 2 * usize::from(close);

        let turned = models.turned[context].code(io, (now.largest, now.smallest) != (old.largest, old.smallest));
        if turned {
            now.largest = tree::<2, 4>(io, &mut models.largest[largest_context(old)], now.largest.into()) as u8;
            if now.largest == old.largest {
                for axis in 0..3 {
                    let before = old_move.turn[axis];
                    let turn = models.turn[size(before)].code(io, now.smallest[axis] - old.smallest[axis], before < 0);
                    now.smallest[axis] = old.smallest[axis] + turn;
                }
            } else {
                code_new_largest(io, models, &mut now, old, old_move);
            }
        } else {
            (now.largest, now.smallest) = (old.largest, old.smallest);
        }

        let moved = models.moved[usize::from(turned) + 2 * context].code(io, travel != [0; 3]);
        #[allow(clippy::needless_range_loop, reason = "three lists in step")]
        for axis in 0..3 {
            let before = old_move.travel[axis];
            travel[axis] = if moved { before + models.travel[size(before)].code(io, travel[axis] - before, before < 0) } else { 0 };
            now.position[axis] = old.position[axis] + travel[axis];
        }

        let context = usize::from(old.interacting) + 2 * usize::from(turned || moved);
        now.interacting = models.interacting[context].code(io, now.interacting);
        let turn = std::array::from_fn(|axis| now.smallest[axis] - old.smallest[axis]);
        known.moves[index] = Move { changing: turned || moved, turn, travel };
        known.cubes[index] = now;
    }
}

/// Another component is the largest: each component is predicted by its old value, the old largest by a typical one, and all may have changed their signs.
fn code_new_largest(io: &mut impl Coder, models: &mut Models, now: &mut Cube, old: &Cube, old_move: &Move) {
    let (old_largest, largest) = (usize::from(old.largest), usize::from(now.largest));
    let mut four = [LARGEST; 4];
    for index in 0..3 {
        four[index + usize::from(index >= old_largest)] = old.smallest[index];
    }
    let place = |component: usize, largest: usize| component - usize::from(component > largest);
    let context = usize::from(four[largest] < MIDDLE);
    let flipped = models.flipped[context].code(io, now.smallest[place(old_largest, largest)] < MIDDLE);
    for index in 0..3 {
        let component = index + usize::from(index >= largest);
        let guess = if flipped { 2 * MIDDLE - four[component] } else { four[component] };
        let (context, negative) = if component == old_largest {
            (SIZES, flipped)
        } else {
            let before = old_move.turn[place(component, old_largest)];
            (size(before), (before < 0) != flipped)
        };
        now.smallest[index] = guess + models.turn[context].code(io, now.smallest[index] - guess, negative);
    }
}

/// The largest component, and the second where it comes near.
fn largest_context(cube: &Cube) -> usize {
    let sizes = cube.smallest.map(|value| (value - MIDDLE).abs());
    let second = (1..3).fold(0, |best, index| if sizes[index] > sizes[best] { index } else { best });
    usize::from(cube.largest) + if sizes[second] >= MIDDLE / 2 { 4 * (second + 1) } else { 0 }
}

fn size(value: i32) -> usize {
    (value.unsigned_abs().max(1).ilog2() as usize).min(SIZES - 1)
}

impl Bit {
    fn code(&mut self, io: &mut impl Coder, bit: bool) -> bool {
        let bit = io.code(bit, u32::from(self.fast + self.slow));
        if bit {
            self.fast += (HALF - self.fast) >> 3;
            self.slow += (HALF - self.slow) >> 7;
        } else {
            self.fast -= self.fast >> 3;
            self.slow -= self.slow >> 7;
        }
        bit
    }
}

fn tree<const BITS: usize, const NODES: usize>(io: &mut impl Coder, tree: &mut Tree<NODES>, value: usize) -> usize {
    let mut node = 1;
    for bit in (0..BITS).rev() {
        node = 2 * node + usize::from(tree[node].code(io, value >> bit & 1 == 1));
    }
    node - NODES
}

impl Number {
    fn code(&mut self, io: &mut impl Coder, value: i32, negative: bool) -> i32 {
        let wanted = value.unsigned_abs() + 1;
        let length = tree::<5, 32>(io, &mut self.length, wanted.ilog2() as usize);
        let mut size = 1;
        for bit in (0..length).rev() {
            let wanted = wanted >> bit & 1 == 1;
            let bit = if bit + 1 == length { self.second[length.min(7)].code(io, wanted) } else { io.code(wanted, HALF.into()) };
            size = 2 * size + i32::from(bit);
        }
        let size = size - 1;
        if size != 0 && self.sign[usize::from(negative)].code(io, value < 0) { -size } else { size }
    }
}

/// One yes or no, with the probability of a yes in 1/32768.
trait Coder {
    fn code(&mut self, bit: bool, yes: u32) -> bool;
}

struct Writer {
    low: u32,
    high: u32,
    bytes: Vec<u8>,
}

impl Coder for Writer {
    fn code(&mut self, bit: bool, yes: u32) -> bool {
        narrow(&mut self.low, &mut self.high, bit, yes);
        while (self.low ^ self.high) >> 24 == 0 {
            self.bytes.push((self.low >> 24) as u8);
            (self.low, self.high) = (self.low << 8, self.high << 8 | 0xff);
        }
        bit
    }
}

impl Writer {
    /// As few bytes as still tell the interval, when zeros follow them.
    fn finish(mut self) -> Vec<u8> {
        let rounded = [24, 16, 8].map(|bits| (u64::from(self.low) + (1 << bits) - 1) >> bits << bits);
        let mut last = rounded.into_iter().find(|value| *value <= u64::from(self.high)).map_or(self.low, |value| value as u32);
        while last != 0 {
            self.bytes.push((last >> 24) as u8);
            last <<= 8;
        }
        self.bytes
    }
}

struct Reader<'a> {
    low: u32,
    high: u32,
    code: u32,
    bytes: &'a [u8],
}

impl Reader<'_> {
    fn shift(&mut self) {
        let (byte, rest) = self.bytes.split_first().unwrap_or((&0, &[]));
        self.code = self.code << 8 | u32::from(*byte);
        self.bytes = rest;
    }
}

impl Coder for Reader<'_> {
    fn code(&mut self, _: bool, yes: u32) -> bool {
        let bit = self.code <= middle(self.low, self.high, yes);
        narrow(&mut self.low, &mut self.high, bit, yes);
        while (self.low ^ self.high) >> 24 == 0 {
            (self.low, self.high) = (self.low << 8, self.high << 8 | 0xff);
            self.shift();
        }
        bit
    }
}

fn middle(low: u32, high: u32, yes: u32) -> u32 {
    low + ((u64::from(high - low) * u64::from(yes)) >> 15) as u32
}

fn narrow(low: &mut u32, high: &mut u32, bit: bool, yes: u32) {
    let middle = middle(*low, *high, yes);
    if bit { *high = middle } else { *low = middle + 1 }
}
