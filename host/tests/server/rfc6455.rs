//! The frames of RFC 6455: what is right is understood, what is wrong ends the connection with the code that the RFC names. Beside each case stands what comes of it;
//! where that is not what the RFC asks for, the reason too.

use crate::client::Client;
use crate::control_plane::{World, client_id};
use crate::raw::{BINARY, CLOSE, FIRST, Frame, MORE, PING, PONG, REST, Raw, TEXT, close, frame, headed, unmasked};
use host::limits::{PING_INTERVAL, PINGS_UNANSWERED_MAX};
use protocol::limits::{MESSAGE_BYTES_MAX, MESSAGE_BYTES_UNAUTHENTICATED_MAX};
use serde_json::{Value, json};
use std::io::Write;
use std::time::{Duration, Instant};

/// A message that is read and understood; without a handshake its answer is 401.
const HELLO: &str = r#"{"type":5,"client_time":1}"#;
/// Sent last: who is answered that this type is unknown is connected still. Texts are answered in order, and pings before what comes behind them.
const LAST: &str = r#"{"type":99}"#;

const HEARD: &str = "error 401, alive";
const BROKEN: &str = "close 1002 not a websocket message, end";
const NOT_TEXT: &str = "close 1007 text that is not UTF-8, end";
const TOO_LONG: &str = "close 1009 message too long, end";

/// A case's name, the bytes that are sent after the upgrade, and what comes back until the end, or until it is clear that there is none.
type Case = (String, Vec<u8>, String);

fn case(name: &str, bytes: Vec<u8>, comes: &str) -> Case {
    (name.into(), bytes, comes.into())
}

/// How bytes are sent.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    AtOnce,
    ByteByByte,
    /// And nothing more ever.
    ThenHalfClosed,
}

fn check(manner: Manner, cases: Vec<Case>) {
    let world = World::start();
    let differences: Vec<String> = cases
        .iter()
        .filter_map(|(name, bytes, expected)| {
            let came = transcript(&world, manner, bytes);
            (came != *expected).then(|| format!("{name}: {came}, and not {expected}"))
        })
        .collect();
    assert!(differences.is_empty(), "{differences:#?}");
    world.join("kim");
}

fn transcript(world: &World, manner: Manner, bytes: &[u8]) -> String {
    let mut raw = Raw::upgraded(world.address());
    match manner {
        Manner::ByteByByte => bytes.chunks(1).for_each(|byte| raw.write(byte)),
        Manner::AtOnce | Manner::ThenHalfClosed => raw.write(bytes),
    }
    match manner {
        Manner::ThenHalfClosed => raw.half_close(),
        Manner::AtOnce | Manner::ByteByByte => raw.write(&frame(TEXT, LAST.as_bytes())),
    }
    let mut came = Vec::new();
    while came.last().is_none_or(|last| last != "alive" && last != "end") {
        came.push(raw.frame().map_or_else(|| "end".into(), |frame| told(&frame)));
    }
    came.join(", ")
}

fn told(Frame { first, payload }: &Frame) -> String {
    match *first {
        CLOSE if payload.is_empty() => "close".into(),
        CLOSE => {
            let code = u16::from_be_bytes([payload[0], payload[1]]);
            let reason = std::str::from_utf8(&payload[2..]).expect("a reason is text");
            format!("close {code} {reason}").trim_end().to_owned()
        }
        PONG => format!("pong {}", payload.len()),
        TEXT => {
            let message: Value = serde_json::from_slice(payload).expect("servers send JSON");
            match message["message"].as_str() {
                Some(text) if text.starts_with("type 99 is unknown") => "alive".into(),
                _ => format!("error {}", message["error_code"]),
            }
        }
        other => format!("frame {other:#x}"),
    }
}

/// A message that is understood, of so many bytes.
fn padded(bytes: usize) -> Vec<u8> {
    let mut text = HELLO.as_bytes().to_vec();
    text.resize(bytes, b' ');
    text
}

#[test]
fn frames_are_masked_and_use_no_reserved_bits_or_opcodes() {
    let hello = HELLO.as_bytes();
    let mut cases = vec![
        case("a text", frame(TEXT, hello), HEARD),
        case("masked with zeros", [&[TEXT, 0x80 | hello.len() as u8, 0, 0, 0, 0][..], hello].concat(), HEARD),
        case("an unmasked text", unmasked(TEXT, hello), BROKEN),
        case("an unmasked ping", unmasked(PING, b"hi"), BROKEN),
        case("an unmasked close", unmasked(CLOSE, &close(1000, "")), BROKEN),
        case("an unmasked rest", [frame(FIRST, &hello[..5]), unmasked(REST, &hello[5..])].concat(), BROKEN),
        case("a reserved bit on a ping", frame(PING | 0x40, b"hi"), BROKEN),
        case("a reserved bit on a close", frame(CLOSE | 0x20, &close(1000, "")), BROKEN),
        case("a reserved bit on a rest", [frame(FIRST, &hello[..5]), frame(REST | 0x40, &hello[5..])].concat(), BROKEN),
    ];
    cases.extend([0x40, 0x20, 0x10, 0x70].map(|bits| case(&format!("reserved bits {bits:#x}"), frame(TEXT | bits, hello), BROKEN)));
    cases.extend((3..=7).chain(11..=15).map(|code| case(&format!("opcode {code}"), frame(0x80 | code, b""), BROKEN)));
    check(Manner::AtOnce, cases);
}

#[test]
fn pings_are_answered_and_control_frames_are_short_and_whole() {
    let hello = HELLO.as_bytes();
    let pings: Vec<u8> = (0..=125).flat_map(|length| frame(PING, &vec![b'p'; length])).collect();
    let pongs: Vec<String> = (0..=125).map(|length| format!("pong {length}")).collect();
    check(
        Manner::AtOnce,
        vec![
            case("pings of every length", pings, &format!("{}, alive", pongs.join(", "))),
            case("a ping of 126 bytes", frame(PING, &[b'p'; 126]), BROKEN),
            case("a pong of 126 bytes", frame(PONG, &[b'p'; 126]), BROKEN),
            case("a close of 126 bytes", frame(CLOSE, &close(1000, &"r".repeat(124))), BROKEN),
            // It ends all the same; that it is too long is seen before that it is a ping.
            case("a ping of 65,536 bytes", frame(PING, &vec![b'p'; 65_536]), TOO_LONG),
            case("a ping in fragments", [frame(PING & 0x7f, b"h"), frame(REST, b"i")].concat(), BROKEN),
            case("a close in fragments", frame(CLOSE & 0x7f, &close(1000, "")), BROKEN),
            case("a pong that nobody asked for", frame(PONG, &[b'p'; 125]), "alive"),
            case(
                "a ping between fragments",
                [frame(FIRST, &hello[..5]), frame(PING, b"hi"), frame(REST, &hello[5..])].concat(),
                &format!("pong 2, {HEARD}"),
            ),
            case("a pong between fragments", [frame(FIRST, &hello[..5]), frame(PONG, b"hi"), frame(REST, &hello[5..])].concat(), HEARD),
            case("a close between fragments", [frame(FIRST, &hello[..5]), frame(CLOSE, &close(1000, ""))].concat(), "close 1000, end"),
            case(
                "several frames in one segment",
                [frame(PING, b"a"), frame(PONG, b""), frame(PING, b"bc"), frame(TEXT, hello), frame(TEXT, hello)].concat(),
                "pong 1, pong 2, error 401, error 401, alive",
            ),
        ],
    );
}

#[test]
fn a_message_may_come_in_fragments() {
    let hello = HELLO.as_bytes();
    let in_bytes: Vec<u8> = hello.iter().flat_map(|byte| frame(MORE, &[*byte])).collect();
    let whole = [frame(FIRST, b""), in_bytes, frame(REST, b"")].concat();
    let empty: Vec<u8> = (0..1_000).flat_map(|_| frame(MORE, b"")).collect();
    check(
        Manner::AtOnce,
        vec![
            case("in two", [frame(FIRST, &hello[..7]), frame(REST, &hello[7..])].concat(), HEARD),
            case("a byte each, the first and the last empty", whole, HEARD),
            case("a thousand empty ones", [frame(FIRST, hello), empty, frame(REST, b"")].concat(), HEARD),
            case("all in the last", [frame(FIRST, b""), frame(REST, hello)].concat(), HEARD),
            case("a rest of nothing", frame(REST, hello), BROKEN),
            case("more of nothing", frame(MORE, hello), BROKEN),
            case("a rest of what is whole", [frame(TEXT, hello), frame(REST, b"")].concat(), &format!("error 401, {BROKEN}")),
            case("a text within a text", [frame(FIRST, hello), frame(TEXT, hello)].concat(), BROKEN),
            case("the first of a text within a text", [frame(FIRST, hello), frame(FIRST, hello)].concat(), BROKEN),
            case("bytes within a text", [frame(FIRST, hello), frame(BINARY, hello)].concat(), BROKEN),
            case("bytes, which the first protocol has not", frame(BINARY, &[1, 2, 3]), "error 400, alive"),
            case("bytes in two", [frame(BINARY & 0x7f, &[1]), frame(REST, &[2, 3])].concat(), "error 400, alive"),
            case("together longer than a message", [frame(FIRST, &padded(MESSAGE_BYTES_MAX)), frame(REST, b" ")].concat(), TOO_LONG),
        ],
    );
}

#[test]
fn texts_are_utf_8() {
    let text = r#"{"type":5,"client_time":1,"name":"κόσμε 𐍈 "#.as_bytes();
    let said = |word: &[u8]| [text, word, b"\"}"].concat();
    let split: Vec<u8> = text.iter().flat_map(|byte| frame(MORE, &[*byte])).collect();
    let mut cases = vec![
        case("of several bytes each", frame(TEXT, &said("\u{fffd}\u{ffff}\u{10ffff}".as_bytes())), HEARD),
        case("split within characters", [frame(FIRST, b""), split, frame(REST, b"\"}")].concat(), HEARD),
        case("wrong at once, of which more was to come", frame(FIRST, &[0xff]), NOT_TEXT),
        case("wrong in the last fragment", [frame(FIRST, text), frame(REST, &[0xff, b'"', b'}'])].concat(), NOT_TEXT),
        case("wrong across fragments", [frame(FIRST, &[0xce]), frame(REST, &[0x41])].concat(), NOT_TEXT),
        case("cut within a character", frame(TEXT, &[0xce]), NOT_TEXT),
        case("cut within a character, in fragments", [frame(FIRST, &[0xf0, 0x90]), frame(REST, &[0x8d])].concat(), NOT_TEXT),
    ];
    let wrong: [(&str, &[u8]); 6] = [
        ("a byte of no character", &[0xff]),
        ("a rest without its first byte", &[0x80]),
        ("longer than need be", &[0xc0, 0xaf]),
        ("longer than need be, of three", &[0xe0, 0x80, 0xaf]),
        ("half of a surrogate pair", &[0xed, 0xa0, 0x80]),
        ("beyond the last character", &[0xf4, 0x90, 0x80, 0x80]),
    ];
    cases.extend(wrong.map(|(name, word)| case(name, frame(TEXT, &said(word)), NOT_TEXT)));
    check(Manner::AtOnce, cases);
}

#[test]
fn lengths_are_what_they_say() {
    let hello = HELLO.as_bytes();
    let long = |first: u8, length: u64| [&[first, 0x80 | 127][..], &length.to_be_bytes()].concat();
    let mut cases = vec![
        case("nothing", frame(TEXT, b""), "error 400, alive"),
        case("one byte", frame(TEXT, b"1"), "error 400, alive"),
        // The RFC wants the shortest form, and tungstenite does not tell us which one it has read.
        case("a short length in two bytes", headed(&[TEXT, 0x80 | 126, 0, hello.len() as u8], hello), HEARD),
        case("a short length in eight bytes", headed(&long(TEXT, hello.len() as u64), hello), HEARD),
        // Each is refused for what it says, before anything of it is there.
        case("a byte more than a message", headed(&[TEXT, 0x80 | 126, 0x40, 0x01], b""), TOO_LONG),
        case("4 GiB", headed(&long(TEXT, 1 << 32), b""), TOO_LONG),
        case("the top bit set", headed(&long(TEXT, 1 << 63), b""), TOO_LONG),
        case("all bits set", headed(&long(BINARY, u64::MAX), b""), TOO_LONG),
        case("the top bit set, of a rest", [frame(FIRST, hello), headed(&long(REST, (1 << 63) | 5), b"")].concat(), TOO_LONG),
    ];
    for bytes in [125, 126, 127, MESSAGE_BYTES_UNAUTHENTICATED_MAX] {
        cases.push(case(&format!("{bytes} bytes"), frame(TEXT, &padded(bytes)), HEARD));
    }
    for bytes in [MESSAGE_BYTES_UNAUTHENTICATED_MAX + 1, MESSAGE_BYTES_MAX, 65_535, 65_536] {
        cases.push(case(&format!("{bytes} bytes"), frame(TEXT, &padded(bytes)), TOO_LONG));
    }
    check(Manner::AtOnce, cases);
}

#[test]
fn close_frames_are_answered_in_kind() {
    let bye = frame(CLOSE, &close(1000, "bye"));
    let mut cases = vec![
        case("without a code", frame(CLOSE, b""), "close, end"),
        case("of one byte", frame(CLOSE, &[3]), BROKEN),
        case("with a reason", bye.clone(), "close 1000 bye, end"),
        case("with the longest reason", frame(CLOSE, &close(1000, &"r".repeat(123))), &format!("close 1000 {}, end", "r".repeat(123))),
        case("with a reason that is not UTF-8", frame(CLOSE, &[3, 0xe8, 0xff]), NOT_TEXT),
        case("with a reason that is cut", frame(CLOSE, &[3, 0xe8, 0xce]), NOT_TEXT),
        case("and a text behind it", [bye.clone(), frame(TEXT, HELLO.as_bytes())].concat(), "close 1000 bye, end"),
        case("and a ping behind it", [bye.clone(), frame(PING, b"hi")].concat(), "close 1000 bye, end"),
        case("and nonsense behind it", [bye.clone(), vec![0xff; 64]].concat(), "close 1000 bye, end"),
        case("twice", [bye.clone(), frame(CLOSE, &close(1001, "bye"))].concat(), "close 1000 bye, end"),
        // Nothing may be sent behind an answer to a close, and that goes first.
        case("and a text before it", [frame(TEXT, HELLO.as_bytes()), bye].concat(), "close 1000 bye, end"),
    ];
    // 1012 and 1013 are registered since.
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000, 4999] {
        cases.push(case(&format!("with code {code}"), frame(CLOSE, &close(code, "")), &format!("close {code}, end")));
    }
    // So is 1014, which tungstenite does not know yet: the connection ends by another code.
    for code in [0, 1, 999, 1004, 1005, 1006, 1014, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        cases.push(case(&format!("with code {code}"), frame(CLOSE, &close(code, "")), "close 1002 Protocol violation, end"));
    }
    check(Manner::AtOnce, cases);
}

#[test]
fn it_does_not_matter_how_bytes_are_cut() {
    let hello = HELLO.as_bytes();
    check(
        Manner::ByteByByte,
        vec![
            case("a text", frame(TEXT, hello), HEARD),
            case("a longer one", frame(TEXT, &padded(300)), HEARD),
            case(
                "fragments and a ping",
                [frame(FIRST, &hello[..5]), frame(PING, b"hi"), frame(REST, &hello[5..])].concat(),
                &format!("pong 2, {HEARD}"),
            ),
            case("a close", frame(CLOSE, &close(1001, "bye")), "close 1001 bye, end"),
            case("a text that is none", frame(TEXT, &[0xff]), NOT_TEXT),
        ],
    );
}

#[test]
fn a_line_that_ends_without_a_close_frame_is_closed_without_one() {
    let hello = HELLO.as_bytes();
    let text = frame(TEXT, hello);
    check(
        Manner::ThenHalfClosed,
        vec![
            case("before the first byte", Vec::new(), "end"),
            case("within a head", text[..1].to_vec(), "end"),
            case("within a length", frame(TEXT, &padded(300))[..3].to_vec(), "end"),
            case("within a mask", text[..4].to_vec(), "end"),
            case("within a payload", text[..20].to_vec(), "end"),
            case("within a message", frame(FIRST, hello), "end"),
            case("after a close", frame(CLOSE, &close(1000, "")), "close 1000, end"),
        ],
    );
}

#[test]
fn a_player_may_send_longer_messages_and_not_any() {
    let world = World::start();
    let mut raw = Raw::upgraded(world.address());
    join(&world, &mut raw, "kim");
    raw.write(&frame(TEXT, &padded(MESSAGE_BYTES_MAX)));
    while message(&raw.frame().expect("it goes on"))["type"] != 108 {}
    raw.write(&frame(TEXT, &padded(MESSAGE_BYTES_MAX + 1)));
    let closed = std::iter::from_fn(|| raw.frame()).last().expect("a close frame");
    assert_eq!(told(&closed), "close 1009 message too long");
}

/// Nothing is told when a machine loses power, or its network: a player whose client does not even answer pings is gone.
#[test]
fn who_answers_no_pings_is_closed_and_waited_for() {
    let world = World::start();
    let (mut watcher, _) = world.join("ann");
    let mut raw = Raw::upgraded(world.address());
    let began = Instant::now();
    let player = join(&world, &mut raw, "kim");
    let silent = std::thread::spawn(move || {
        let frames = std::iter::from_fn(|| raw.frame()).filter(|frame| frame.first != TEXT).map(|frame| told(&frame));
        (frames.collect::<Vec<_>>(), began.elapsed())
    });
    let goes_on = |watcher: &mut Client| {
        let message = watcher.next();
        assert!(message["type"] != 111 && message["reason"] != "left", "{message}");
        message["server_tick"].as_u64().unwrap_or_default()
    };
    while !silent.is_finished() {
        goes_on(&mut watcher);
    }
    let (frames, lasted) = silent.join().expect("it reads");
    let (last, pings) = frames.split_last().expect("a close frame");
    assert_eq!(last, "close 1008 silent for too long");
    assert!(pings.len() >= 3 && pings.iter().all(|ping| ping == "frame 0x89"), "{pings:?}");
    assert!(lasted >= PING_INTERVAL * PINGS_UNANSWERED_MAX, "{lasted:?}");
    let (mut kim, again) = world.join("kim");
    assert_eq!(again, player);
    let tick = kim.tick();
    while goes_on(&mut watcher) < tick {}
}

/// Whoever says something all the time and reads nothing is closed as well.
#[test]
fn who_never_reads_is_closed() {
    let world = World::start();
    let began = Instant::now();
    let mut raw = Raw::upgraded(world.address());
    join(&world, &mut raw, "kim");
    let ping = frame(TEXT, br#"{"type":5,"client_time":0}"#);
    // Nothing is sent any more to a socket that the server has closed.
    while began.elapsed() < PING_INTERVAL * (PINGS_UNANSWERED_MAX + 1) {
        raw.write(&ping);
        std::thread::sleep(Duration::from_millis(100));
    }
    let frames: Vec<String> = std::iter::from_fn(|| raw.frame()).filter(|frame| frame.first != TEXT).map(|frame| told(&frame)).collect();
    assert_eq!(frames.last().expect("a close frame"), "close 1008 silent for too long", "{frames:?}");
}

/// A message that never ends is none, however much comes of it.
#[test]
fn empty_fragments_without_end_are_silence() {
    let world = World::start();
    let mut raw = Raw::upgraded(world.address());
    let mut flood = raw.stream.try_clone().expect("a second hold on it");
    let fragments: Vec<u8> = (0..20_000).flat_map(|_| frame(MORE, b"")).collect();
    let floods = std::thread::spawn(move || {
        let begun = flood.write_all(&frame(FIRST, b""));
        begun.and_then(|()| std::iter::repeat(()).try_for_each(|()| flood.write_all(&fragments)))
    });
    assert_eq!(raw.frame().map(|last| told(&last)).as_deref(), Some("close 1008 no handshake in time"));
    assert!(floods.join().expect("it writes").is_err(), "it is read no longer");
    world.join("kim");
}

/// A player who is in, by hand-written frames; its entity.
fn join(world: &World, raw: &mut Raw, name: &str) -> u64 {
    let (ticket, client) = (world.office.ticket(name), client_id(name));
    let handshake = json!({"type": 1, "protocol_version": 1, "session_token": ticket, "client_id": client, "timestamp": 0});
    raw.write(&frame(TEXT, handshake.to_string().as_bytes()));
    let answer = message(&raw.frame().expect("an answer"));
    answer["assigned_entity_id"].as_u64().unwrap_or_else(|| panic!("{answer}"))
}

/// Nothing where it is no text.
fn message(frame: &Frame) -> Value {
    if frame.first == TEXT { serde_json::from_slice(&frame.payload).expect("servers send JSON") } else { Value::Null }
}

/// A small generator of bytes, so that a seed repeats a failure.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 16
    }
}

#[test]
fn any_bytes_end_with_a_close_frame_and_the_server_stays() {
    let world = World::start();
    // As many at once as one address may have: those that look like the beginning of a frame end when the handshake is overdue.
    for seeds in (0..1_000).collect::<Vec<u64>>().chunks(100) {
        let sent = seeds.iter().map(|seed| {
            let mut dice = Dice(*seed);
            let bytes: Vec<u8> = (0..1 + dice.roll() % 256).map(|_| dice.roll() as u8).collect();
            let mut raw = Raw::upgraded(world.address());
            // As they are, or behind a frame of them that is as it should be: chance alone makes few of those.
            let head = [TEXT, BINARY, PING, FIRST, CLOSE][*seed as usize % 5];
            let first = if dice.roll().is_multiple_of(2) { Vec::new() } else { frame(head, &bytes[..bytes.len().min(125)]) };
            raw.write(&[first, bytes].concat());
            (seed, raw)
        });
        for (seed, mut raw) in sent.collect::<Vec<_>>() {
            let last = std::iter::from_fn(|| raw.frame()).last().map(|last| told(&last));
            let code: Option<u16> = last.as_deref().and_then(|told| told.strip_prefix("close ")?.split(' ').next()?.parse().ok());
            let is_proper = last.as_deref() == Some("close") || matches!(code, Some(1000..=1003 | 1007..=1013 | 3000..=4999));
            assert!(is_proper, "seed {seed}: {last:?}");
        }
    }
    world.join("kim");
}
