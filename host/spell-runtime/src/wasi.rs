//! WASI, locked: what components of other toolchains import because their standard library does, and nothing that would let them out.
//!
//! The clock is the tick, randomness is the cast's seed, output is the spell's log. There are no files, sockets, arguments or variables, and nothing waits: a call
//! that would is ended. It is our own and not the `wasmtime-wasi` crate, which sleeps by a real clock, brings threads, and works for a guest without charging it.

mod imports;

pub(crate) use imports::add_to_linker;

use crate::desk::Desk;
use crate::limits::{LOG_LINE_BYTES_MAX, WASI_HANDLES_MAX, WASI_POLL_MAX, WASI_RANDOM_BYTES_MAX, WASI_WRITE_BYTES_MAX};
use serde::{Deserialize, Serialize};

/// The interfaces that a component may import, each of any version 0.2.x.
pub(crate) const INTERFACES: [&str; 20] = [
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:random/random",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/stderr",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:cli/terminal-stderr",
    "wasi:filesystem/types",
    "wasi:filesystem/preopens",
];

/// What each import costs, in fuel, charged before it works; written as in `prices.rs`, and shown in `docs/spells.md`.
pub(crate) mod prices {
    /// Crossing the boundary at all.
    pub const CALL: u64 = 100;
    /// A call that answers with a handle: an entry in the guest's table and in ours.
    pub const HANDLE: u64 = 300;
    /// A call that answers with a list: memory that the guest is asked for.
    pub const LIST: u64 = 300;
    /// Each pollable that a `poll` looks at.
    pub const POLL_EACH: u64 = 100;
    /// Each random byte.
    pub const RANDOM_BYTE: u64 = 1;
    /// Each byte that is written.
    pub const WRITE_BYTE: u64 = 1;
    /// Each line that is begun, an empty one too, as `log`.
    pub const LINE: u64 = crate::prices::LOG.fuel;
    /// Each byte of a line that is kept, as `log`.
    pub const KEPT_BYTE: u64 = crate::prices::LOG_KEPT_BYTE;
}

const NS_PER_SECOND: u64 = 1_000_000_000;
const TICKS_PER_SECOND: u64 = 60;
/// What the clocks say of themselves: a tick, rounded up.
const RESOLUTION_NS: u64 = NS_PER_SECOND.div_ceil(TICKS_PER_SECOND);
/// The random stream of `init`, where there is no cast yet, and with it no seed.
const INIT_SEED: u64 = 0;

/// What WASI keeps of one instance.
#[derive(Debug)]
pub(crate) struct Wasi {
    /// Handles that the guest holds: streams and pollables.
    handles: usize,
    /// By handle: the time on the monotonic clock from which on it is ready. A place that is free again is given away first.
    pollables: Vec<Option<u64>>,
    random: Random,
    /// By [`Stream`].
    lines: [Line; 2],
    /// What the running call has written to the standard error, its end alone: it may be the panic that explains a fault.
    said: Vec<u8>,
}

/// Where a guest writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Out,
    Err,
}

/// A line that is not ended yet: its first bytes, as many as a line of the log has.
#[derive(Debug, Default)]
struct Line(Vec<u8>);

/// SplitMix64: a counter that is scrambled. Its one number is seed and place, so it goes on in a resumed cast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Random(u64);

impl Default for Random {
    fn default() -> Self {
        Self::of_seed(INIT_SEED)
    }
}

/// Why a call of WASI ends the cast.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub(crate) enum Stop {
    /// It would have to wait: for so many seconds.
    #[error("waited for {0} s inside a call; a spell waits by a timer")]
    Wait(f64),
    /// `poll` of nothing, which nothing ends.
    #[error("polled an empty list, which waits for ever; a spell waits by a timer")]
    WaitForNothing,
    #[error("left by wasi:cli/exit with {0}; a spell ends its cast by `finish`")]
    Exit(u8),
    #[error("holds {WASI_HANDLES_MAX} WASI handles and asked for another: drop those that are not needed any more")]
    Handles,
    #[error("asked for {asked} bytes of {of} in one call: {allowed} are allowed")]
    Length { of: &'static str, allowed: usize, asked: u64 },
    #[error("polled {0} pollables in one call: {WASI_POLL_MAX} are allowed")]
    Poll(usize),
    /// A handle that was never given: a fault of ours or of wasmtime's.
    #[error("used a WASI handle that does not exist")]
    NoSuchHandle,
}

impl Stop {
    /// The fault's limit, what was allowed, what was asked.
    pub fn figures(self) -> (&'static str, f64, f64) {
        match self {
            Self::Wait(seconds) => ("wait", 0.0, seconds),
            Self::WaitForNothing => ("wait", 0.0, 0.0),
            Self::Exit(code) => ("exit", 0.0, f64::from(code)),
            Self::Handles => ("handles", WASI_HANDLES_MAX as f64, WASI_HANDLES_MAX as f64 + 1.0),
            Self::Length { allowed, asked, .. } => ("length", allowed as f64, asked as f64),
            Self::Poll(asked) => ("length", WASI_POLL_MAX as f64, asked as f64),
            Self::NoSuchHandle => ("host", 0.0, 0.0),
        }
    }
}

/// Whether a component may import this: the interface, at any version 0.2.x.
pub(crate) fn admits(import: &str) -> bool {
    let Some((interface, version)) = import.split_once('@') else { return false };
    let patch = version.strip_prefix("0.2.").unwrap_or_default();
    INTERFACES.contains(&interface) && !patch.is_empty() && patch.bytes().all(|digit| digit.is_ascii_digit())
}

/// The monotonic clock at a tick: ticks × 10⁹ / 60 nanoseconds, rounded down.
fn now_ns(tick: u64) -> u64 {
    let ns = u128::from(tick) * u128::from(NS_PER_SECOND) / u128::from(TICKS_PER_SECOND);
    u64::try_from(ns).unwrap_or(u64::MAX)
}

impl Wasi {
    pub fn new() -> Self {
        Self { handles: 0, pollables: Vec::new(), random: Random::default(), lines: Default::default(), said: Vec::new() }
    }

    /// From `on-cast` on, randomness follows the cast's seed.
    pub fn seed(&mut self, seed: u64) {
        self.random = Random::of_seed(seed);
    }

    /// For what is kept of a cast.
    pub fn random(&self) -> Random {
        self.random
    }

    /// A cast goes on where another instance has left.
    pub fn resume(&mut self, random: Random) {
        self.random = random;
    }

    fn random_bytes(&mut self, length: u64) -> Vec<u8> {
        let mut bytes = vec![0; length as usize];
        for part in bytes.chunks_mut(8) {
            part.copy_from_slice(&self.random.next().to_le_bytes()[..part.len()]);
        }
        bytes
    }

    fn take_handle(&mut self) -> Result<(), Stop> {
        if self.handles >= WASI_HANDLES_MAX {
            return Err(Stop::Handles);
        }
        self.handles += 1;
        Ok(())
    }

    fn drop_handle(&mut self) {
        self.handles = self.handles.saturating_sub(1);
    }

    /// A pollable that is ready from then on.
    fn subscribe(&mut self, ready_ns: u64) -> Result<u32, Stop> {
        self.take_handle()?;
        let free = self.pollables.iter().position(Option::is_none).unwrap_or_else(|| {
            self.pollables.push(None);
            self.pollables.len() - 1
        });
        self.pollables[free] = Some(ready_ns);
        // At most `WASI_HANDLES_MAX`.
        Ok(free as u32)
    }

    fn drop_pollable(&mut self, handle: u32) {
        if let Some(place) = self.pollables.get_mut(handle as usize) {
            *place = None;
        }
        self.drop_handle();
    }

    fn ready_ns(&self, handle: u32) -> Result<u64, Stop> {
        self.pollables.get(handle as usize).copied().flatten().ok_or(Stop::NoSuchHandle)
    }

    /// What a fault's message quotes of the running call; the next call begins anew.
    pub fn take_said(&mut self) -> Option<String> {
        if self.said.is_empty() {
            return None;
        }
        let said = std::mem::take(&mut self.said);
        let words = String::from_utf8_lossy(&said).split_whitespace().collect::<Vec<_>>().join(" ");
        (!words.is_empty()).then_some(words)
    }
}

impl Random {
    /// Not the seed itself: a guest that draws from the same seed by the same method would find our numbers among its own.
    fn of_seed(seed: u64) -> Self {
        Self(scramble(seed ^ 0x7761_7369))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        scramble(self.0)
    }
}

fn scramble(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

/// What writing these bytes costs beside the bytes themselves, begun lines and kept bytes: to be charged before they are written.
struct Cost {
    lines: u64,
    kept: u64,
}

impl Desk {
    /// What `write_out` would begin and keep.
    fn cost_of(&self, stream: Stream, bytes: &[u8]) -> Cost {
        let open = self.wasi.lines[stream as usize].0.len();
        let mut cost = Cost { lines: 0, kept: 0 };
        let mut lines = bytes.split(|byte| *byte == b'\n').enumerate().peekable();
        while let Some((index, line)) = lines.next() {
            let before = if index == 0 { open } else { 0 };
            let is_ended = lines.peek().is_some();
            cost.lines += u64::from(before == 0 && (is_ended || !line.is_empty()));
            cost.kept += line.len().min(LOG_LINE_BYTES_MAX - before) as u64;
        }
        cost
    }

    /// Logs the lines that end here, and keeps what begins one. Of a long line the first bytes stay; an empty one says nothing.
    fn write_out(&mut self, stream: Stream, bytes: &[u8]) {
        if stream == Stream::Err {
            let said = &mut self.wasi.said;
            said.extend_from_slice(bytes);
            said.drain(..said.len().saturating_sub(LOG_LINE_BYTES_MAX));
        }
        for (index, part) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if index > 0 {
                self.end_line(stream);
            }
            let Line(line) = &mut self.wasi.lines[stream as usize];
            line.extend_from_slice(&part[..part.len().min(LOG_LINE_BYTES_MAX - line.len())]);
        }
    }

    fn end_line(&mut self, stream: Stream) {
        let Line(line) = std::mem::take(&mut self.wasi.lines[stream as usize]);
        if !line.is_empty() {
            self.log(stream.level(), &String::from_utf8_lossy(&line));
        }
    }

    /// At the end of each call: what is not a whole line yet is one now.
    pub fn flush_wasi(&mut self) {
        self.end_line(Stream::Out);
        self.end_line(Stream::Err);
    }
}

impl Stream {
    fn level(self) -> &'static str {
        match self {
            Self::Out => "info",
            Self::Err => "error",
        }
    }
}

/// Refused before a byte of it is looked at.
fn check_length(of: &'static str, asked: u64, allowed: usize) -> Result<(), Stop> {
    if asked > allowed as u64 { Err(Stop::Length { of, allowed, asked }) } else { Ok(()) }
}

fn check_random(asked: u64) -> Result<(), Stop> {
    check_length("randomness", asked, WASI_RANDOM_BYTES_MAX)
}

fn check_write(asked: u64) -> Result<(), Stop> {
    check_length("output", asked, WASI_WRITE_BYTES_MAX)
}

/// The call is ended unless one is ready; else those that are.
fn poll(now_ns: u64, ready_ns: &[u64]) -> Result<Vec<u32>, Stop> {
    let ready: Vec<u32> = (0..).zip(ready_ns).filter(|(_, ready)| **ready <= now_ns).map(|(index, _)| index).collect();
    match ready_ns.iter().min() {
        None => Err(Stop::WaitForNothing),
        Some(first) if ready.is_empty() => Err(Stop::Wait((first - now_ns) as f64 / NS_PER_SECOND as f64)),
        Some(_) => Ok(ready),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Envelope;

    #[test]
    fn versions_0_2_of_what_is_listed_are_admitted_and_nothing_else() {
        for import in ["wasi:io/poll@0.2.0", "wasi:io/poll@0.2.6", "wasi:cli/stdout@0.2.12"] {
            assert!(admits(import), "{import}");
        }
        let refused = [
            "wasi:io/poll",
            "wasi:io/poll@0.2",
            "wasi:io/poll@0.2.",
            "wasi:io/poll@0.3.0",
            "wasi:io/poll@0.2.0-rc-2023-11-10",
            "wasi:io/poll@0.2.0@0.2.0",
            "wasi:sockets/tcp@0.2.0",
            "wasi:http/types@0.2.0",
            "wasi:clocks/timezone@0.2.0",
            "wasi:cli/run@0.2.0",
        ];
        for import in refused {
            assert!(!admits(import), "{import}");
        }
    }

    #[test]
    fn the_clock_is_the_tick() {
        assert_eq!([0, 1, 3, 60, 216_000].map(now_ns), [0, 16_666_666, 50_000_000, NS_PER_SECOND, 3_600 * NS_PER_SECOND]);
        assert_eq!(now_ns(u64::MAX), u64::MAX);
        assert_eq!(RESOLUTION_NS, 16_666_667);
    }

    #[test]
    fn a_poll_answers_with_those_that_are_ready_or_ends_the_call() {
        assert_eq!(poll(10, &[10, 11, 0]), Ok(vec![0, 2]));
        assert_eq!(poll(0, &[3_600 * NS_PER_SECOND, u64::MAX]), Err(Stop::Wait(3_600.0)));
        assert_eq!(poll(0, &[]), Err(Stop::WaitForNothing));
        assert_eq!(Stop::Wait(3_600.0).to_string(), "waited for 3600 s inside a call; a spell waits by a timer");
    }

    #[test]
    fn handles_are_limited_and_dropped_ones_make_room() {
        let mut wasi = Wasi::new();
        let all: Vec<u32> = (0..WASI_HANDLES_MAX as u64).map(|due| wasi.subscribe(due).expect("there is room")).collect();
        assert_eq!(wasi.subscribe(0), Err(Stop::Handles));
        wasi.drop_pollable(all[7]);
        assert_eq!(wasi.ready_ns(all[7]), Err(Stop::NoSuchHandle));
        assert_eq!(wasi.subscribe(99), Ok(all[7]));
        assert_eq!(wasi.ready_ns(all[7]), Ok(99));
    }

    #[test]
    fn the_same_seed_draws_the_same_and_another_another() {
        let drawn = |seed| {
            let mut wasi = Wasi::new();
            wasi.seed(seed);
            wasi.random_bytes(20)
        };
        assert_eq!((drawn(7), drawn(7).len()), (drawn(7), 20));
        assert_ne!(drawn(7), drawn(8));
        assert!(Wasi::new().random_bytes(0).is_empty());
    }

    #[test]
    fn a_resumed_stream_goes_on() {
        let (mut one, mut other) = (Wasi::new(), Wasi::new());
        one.seed(7);
        one.random_bytes(24);
        other.resume(one.random());
        assert_eq!(one.random_bytes(16), other.random_bytes(16));
    }

    #[test]
    fn lines_are_charged_as_they_are_kept() {
        let mut desk = Desk::new(Envelope::default(), "sundial".into());
        let mut cost = |text: &[u8]| {
            let Cost { lines, kept } = desk.cost_of(Stream::Out, text);
            desk.write_out(Stream::Out, text);
            (lines, kept)
        };
        assert_eq!(cost(b"one\ntwo\n\nth"), (4, 8));
        assert_eq!(cost(b"ree"), (0, 3));
        assert_eq!(cost(&[b'e'; 4_000]), (0, LOG_LINE_BYTES_MAX as u64 - 5));
        assert_eq!(cost(b"e"), (0, 0));
        assert_eq!(cost(b"\nfour"), (1, 4));
    }

    #[test]
    fn authors_read_what_wasi_costs_and_allows() {
        let page =
            std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spells.md")).expect("the page");
        let rows = [
            format!("| any call, and dropping a handle | {} |", prices::CALL),
            format!("| a call that answers with a stream, a pollable or a list | {} |", prices::HANDLE),
            format!("| `poll` | {} more for each pollable |", prices::POLL_EACH),
            format!("| random bytes | {} more for each |", prices::RANDOM_BYTE),
            format!(
                "| output | {} more for each byte, {} for each line, {} for each of its bytes that are kept |",
                prices::WRITE_BYTE,
                prices::LINE,
                prices::KEPT_BYTE
            ),
            format!("| streams and pollables that an instance holds, pollables of one `poll` | {WASI_HANDLES_MAX}, {WASI_POLL_MAX} |"),
            "| bytes of one write, of one call for randomness | 4,096, 4,096 |".to_owned(),
        ];
        assert_eq!(prices::HANDLE, prices::LIST);
        for row in rows {
            assert!(page.contains(&row), "docs/spells.md lacks {row}");
        }
        assert_eq!((WASI_WRITE_BYTES_MAX, WASI_RANDOM_BYTES_MAX), (4_096, 4_096));
    }
}
