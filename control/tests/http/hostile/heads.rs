//! Requests of which a proxy before us may read another end than we do, with a second request behind that end.

use super::{connect, rest};
use crate::harness::Server;
use std::io::Write;

/// What says in two ways, or in none, where the body ends.
const AMBIGUOUS: [&str; 15] = [
    "Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}",
    "Content-Length: 2, 40\r\n\r\n{}",
    "Content-Length: +2\r\n\r\n{}",
    "Content-Length: -1\r\n\r\n{}",
    "Content-Length: 0x2\r\n\r\n{}",
    "Content-Length: 99999999999999999999999\r\n\r\n{}",
    "Content-Length: 18446744073709551615\r\n\r\n{}",
    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: identity\r\n\r\n",
    "Transfer-Encoding: xchunked\r\nContent-Length: 2\r\n\r\n{}",
    "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding : chunked\r\nContent-Length: 2\r\n\r\n{}",
    "Transfer-Encoding: \u{b}chunked\r\nContent-Length: 2\r\n\r\n{}",
    "X: a\r\n Content-Length: 40\r\nContent-Length: 2\r\n\r\n{}",
];
const SECOND: &str = "GET /health HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";

/// The answers to these bytes, as far as they are answered, until the server closes.
fn answers(server: &Server, bytes: &str) -> Vec<String> {
    let mut stream = connect(server);
    stream.write_all(bytes.as_bytes()).unwrap();
    let answers = rest(&mut stream);
    answers.split("HTTP/1.1 ").skip(1).map(str::to_owned).collect()
}

#[test]
fn nothing_is_answered_behind_a_request_whose_end_is_not_clear() {
    let server = Server::start();
    let first = "POST /login HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n";
    let clear = answers(&server, &format!("{first}Content-Length: 2\r\n\r\n{{}}{SECOND}"));
    assert!(clear.len() == 2 && clear.iter().all(|answer| answer.starts_with("200 ")), "{clear:?}");
    for rest in AMBIGUOUS {
        let answers = answers(&server, &format!("{first}{rest}{SECOND}"));
        assert!(answers.len() == 1 && answers[0].starts_with('4'), "{rest:?}: {answers:?}");
    }
    assert_eq!(server.get("/health", "").json()["sessions"], 1, "only the clear one has logged in");
}
