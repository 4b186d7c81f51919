//! Requests for the upgrade: good ones are granted, all others get an HTTP answer that says what is wrong with them.

use crate::control_plane::World;
use crate::process::{HOST, start_as};
use crate::raw::{Raw, TEXT, frame, request};
use host::limits::{HANDSHAKE_TIMEOUT, REQUEST_BYTES_MAX};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

/// Headers that matter where they come.
const SHOWN: [&str; 6] =
    ["allow", "sec-websocket-accept", "sec-websocket-version", "sec-websocket-protocol", "sec-websocket-extensions", "retry-after"];
/// Of the RFC's own example, section 1.3.
const GRANTED: &str = "101, sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const NO_UPGRADE: &str =
    "426, sec-websocket-version: 13: only a websocket is served here: ask with Connection: Upgrade and Upgrade: websocket";
const OTHER_VERSION: &str = "426, sec-websocket-version: 13: this server speaks version 13 of the websocket protocol";
const BAD_KEY: &str = "400: Sec-WebSocket-Key is 16 bytes in base64";
const NOT_ONCE: &str = "400: a request has Host and Sec-WebSocket-Key once each";
const NO_REQUEST: &str = "400: not an HTTP/1.1 request";

/// What came: the status, headers that matter, and the words of a refusal, behind which the server has closed.
pub fn answer(raw: &mut Raw) -> String {
    let head = raw.head();
    let mut lines = head.lines();
    let status = lines.next().and_then(|first| first.strip_prefix("HTTP/1.1 ")?.split(' ').next()).unwrap_or("nothing").to_owned();
    let shown = lines.filter(|line| SHOWN.iter().any(|name| line.starts_with(&format!("{name}: "))));
    let mut answer = shown.fold(status.clone(), |answer, line| format!("{answer}, {line}"));
    if status != "101" && status != "nothing" {
        let words = raw.rest();
        assert!(head.contains(&format!("content-length: {}\r\n", words.len())) && head.contains("close\r\n"), "{head}");
        answer += &format!(": {}", words.trim_end());
    }
    answer
}

/// The request, changed so, and what is answered to it.
fn check(cases: &[(&str, Vec<u8>, &str)]) {
    let world = World::start();
    let came = cases.iter().map(|(name, bytes, expected)| {
        let mut raw = Raw::connect(world.address());
        raw.write(bytes);
        (name, answer(&mut raw), expected)
    });
    let differences: Vec<String> = came
        .filter(|(_, came, expected)| came != *expected)
        .map(|(name, came, expected)| format!("{name}: {came}, and not {expected}"))
        .collect();
    assert!(differences.is_empty(), "{differences:#?}");
    world.join("kim");
}

#[test]
fn an_upgrade_is_asked_for_as_the_rfc_wants_it() {
    let without = |word| request(&[(word, "")]);
    let with = |line: &str| request(&[("-", line)]);
    let other = |word, line| request(&[(word, line)]);
    check(&[
        ("the least", request(&[]), GRANTED),
        ("any path", other("GET", "GET /any/path?with=more HTTP/1.1"), GRANTED),
        ("names in any case", other("Upgrade", "uPGRADE: WebSocket"), GRANTED),
        ("among other options", other("Connection", "connection: keep-alive, upgrade"), GRANTED),
        ("with extensions, which are declined", with("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"), GRANTED),
        ("with a cookie", with("Cookie: of=another; server=here"), GRANTED),
        ("POST", other("GET", "POST / HTTP/1.1"), "405, allow: GET: a websocket is asked for by GET"),
        ("HEAD", other("GET", "HEAD / HTTP/1.1"), "405, allow: GET: a websocket is asked for by GET"),
        ("HTTP/1.0", other("GET", "GET / HTTP/1.0"), "505: a websocket is asked for by HTTP/1.1"),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), NO_REQUEST),
        ("no version", b"GET /\r\n\r\n".to_vec(), NO_REQUEST),
        ("TLS", [&[0x16, 3, 1, 2, 0, 1][..], &[0; 512]].concat(), NO_REQUEST),
        ("a page", b"GET / HTTP/1.1\r\nHost: test\r\n\r\n".to_vec(), NO_UPGRADE),
        ("no Upgrade", without("Upgrade"), NO_UPGRADE),
        ("another Upgrade", other("Upgrade", "Upgrade: h2c"), NO_UPGRADE),
        // A client may offer several protocols, and tungstenite wants one alone. No client does.
        ("several Upgrades", other("Upgrade", "Upgrade: h2c, websocket"), NO_UPGRADE),
        ("no Connection", without("Connection"), NO_UPGRADE),
        ("another Connection", other("Connection", "Connection: keep-alive"), NO_UPGRADE),
        ("no Host", without("Host"), NOT_ONCE),
        ("two Hosts", with("Host: another"), NOT_ONCE),
        ("version 8", other("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8"), OTHER_VERSION),
        ("version 14", other("Sec-WebSocket-Version", "Sec-WebSocket-Version: 14"), OTHER_VERSION),
        ("no version of the protocol", without("Sec-WebSocket-Version"), OTHER_VERSION),
        ("two versions", with("Sec-WebSocket-Version: 8"), OTHER_VERSION),
        ("no key", without("Sec-WebSocket-Key"), BAD_KEY),
        ("an empty key", other("Sec-WebSocket-Key", "Sec-WebSocket-Key:"), BAD_KEY),
        ("a key of 15 bytes", other("Sec-WebSocket-Key", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA"), BAD_KEY),
        ("a key of 17 bytes", other("Sec-WebSocket-Key", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA="), BAD_KEY),
        ("a key that is no base64", other("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!=="), BAD_KEY),
        ("two keys", with("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), NOT_ONCE),
        ("a header without a colon", with("nonsense"), NO_REQUEST),
        ("a header with a zero byte", with("X: a\0b"), NO_REQUEST),
        ("a header that goes on in a second line", with("X: a\r\n b"), NO_REQUEST),
    ]);
}

#[test]
fn requests_are_bounded() {
    let long = |bytes: usize| request(&[("-", &format!("X: {}", "x".repeat(bytes)))]);
    let many: Vec<String> = (0..200).map(|number| format!("X-{number}: x")).collect();
    let room = REQUEST_BYTES_MAX - long(0).len();
    check(&[
        ("just short enough", long(room - 1), GRANTED),
        ("too long", long(2 * REQUEST_BYTES_MAX), "431: a request of more than 16384 bytes"),
        (
            "a path that is too long",
            request(&[("GET", &format!("GET /{} HTTP/1.1", "x".repeat(100_000)))]),
            "431: a request of more than 16384 bytes",
        ),
        ("too many headers", request(&[("-", &many.join("\r\n"))]), "431: too many headers"),
    ]);
}

#[test]
fn a_request_may_come_byte_by_byte_and_not_for_ever() {
    let world = World::start();
    let mut slow = Raw::connect(world.address());
    for byte in request(&[]) {
        slow.write(&[byte]);
    }
    assert_eq!(answer(&mut slow), GRANTED);
    let mut mute = Raw::connect(world.address());
    let began = Instant::now();
    mute.write(b"GET / HTTP/1.1\r\nHost: te");
    assert_eq!(answer(&mut mute), "408: no whole request in time");
    assert!(began.elapsed() >= HANDSHAKE_TIMEOUT);
    let mut gone = Raw::connect(world.address());
    gone.write(b"GET / HTTP/1.1\r\nHost: te");
    gone.half_close();
    assert_eq!(answer(&mut gone), "nothing");
}

/// A client must wait for the answer, but nothing is lost when one does not.
#[test]
fn a_frame_right_behind_the_request_is_heard() {
    let world = World::start();
    let mut raw = Raw::connect(world.address());
    raw.write(&[request(&[]), frame(TEXT, b"{}")].concat());
    assert_eq!(answer(&mut raw), GRANTED);
    let error = raw.frame().expect("an answer");
    assert!(String::from_utf8_lossy(&error.payload).contains("\"error_code\":400"), "{error:?}");
}

#[test]
fn pages_of_allowed_origins_and_programs_that_are_no_browsers_may_connect() {
    let refused =
        |origin| format!("403: pages of {origin} may not connect to this game server: its operator names those that may in CORS_ORIGINS");
    let of = |origin: &str| request(&[("-", &format!("Origin: {origin}"))]);
    let (evil, file, similar) = (refused("https://evil.example"), refused("null"), refused("https://game.example.evil.example"));
    check(&[
        ("no browser", request(&[]), GRANTED),
        ("the control plane's page", of("http://127.0.0.1:5000"), GRANTED),
        ("the same by another name", of("http://localhost:5000"), GRANTED),
        ("a page of the name that the server is asked for by", of("http://test:5000"), GRANTED),
        ("a page that is on the list", of("https://game.example"), GRANTED),
        ("any other", of("https://evil.example"), &evil),
        ("a similar one", of("https://game.example.evil.example"), &similar),
        ("a file", of("null"), &file),
    ]);
}

#[test]
fn an_operator_may_allow_pages_of_files() {
    let mut command = Command::new(HOST);
    command.env("ORIGINS", "https://game.example,null");
    let process = start_as(command, Arc::new(tempfile::tempdir().expect("a folder")));
    for (origin, status) in [("null", "101"), ("https://game.example", "101"), ("https://evil.example", "403")] {
        let mut raw = Raw::connect(([127, 0, 0, 1], process.port).into());
        raw.write(&request(&[("-", &format!("Origin: {origin}"))]));
        assert!(answer(&mut raw).starts_with(status), "{origin}");
    }
    process.end();
}
