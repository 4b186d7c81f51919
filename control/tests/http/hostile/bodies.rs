//! Bodies without an end, and bodies that come a byte at a time.

use super::{Scene, connect, rest};
use crate::harness::Server;
use control::{
    Bounds,
    limits::{DISCARDED_BYTES_MAX, WORLD_BODY_BYTES_MAX},
};
use std::{
    io::{ErrorKind, Read, Write},
    thread,
    time::Duration,
};

/// What may lie in the buffers of both ends of a connection on this machine, unread.
const UNDERWAY_BYTES_MAX: usize = 48 * 1024 * 1024;
const JSON: &str = "application/json";

/// A request's head, for a body whose length nobody knows.
fn head(method: &str, path: &str, token: &str, kind: &str) -> String {
    let line = format!("{method} {path} HTTP/1.1\r\nHost: test\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n");
    if token.is_empty() { line + "\r\n" } else { line + &format!("Authorization: Bearer {token}\r\n\r\n") }
}

/// Sends the head, and then this again and again until the server takes no more, or has taken too much; how many bytes, and the answer.
fn pour(server: &Server, head: &str, piece: &[u8], bytes_max: usize) -> (usize, String) {
    let mut stream = connect(server);
    stream.write_all(head.as_bytes()).unwrap();
    let mut taken = 0;
    while taken <= bytes_max && stream.write_all(piece).is_ok() {
        taken += piece.len();
    }
    (taken, if taken > bytes_max { String::new() } else { rest(&mut stream) })
}

#[test]
fn a_body_without_an_end_is_cut_off_and_its_sender_told() {
    let scene = Scene::set();
    let (server, token) = (&scene.server, scene.kim.as_str());
    let chunk = [b"10000\r\n".as_slice(), &vec![b' '; 0x10000], b"\r\n"].concat();
    let world = scene.place("/world/{world}");
    for (method, path, token, kind, status, bytes_max) in [
        ("POST", "/login", "", JSON, 413, DISCARDED_BYTES_MAX),
        ("POST", "/api/publications", token, JSON, 413, DISCARDED_BYTES_MAX),
        ("POST", "/api/spells/fireball/build", token, JSON, 413, DISCARDED_BYTES_MAX),
        ("POST", "/api/spells/fireball/build", token, "application/zip", 413, DISCARDED_BYTES_MAX),
        ("POST", "/api/spells/fireball/import", token, "application/zip", 413, DISCARDED_BYTES_MAX),
        ("PUT", &world, token, JSON, 413, WORLD_BODY_BYTES_MAX),
        ("PUT", &world, token, "application/vnd.ugc-world", 413, WORLD_BODY_BYTES_MAX),
        // What nobody asked for is not read at all.
        ("POST", "/worlds", "", JSON, 401, 0),
        ("PUT", &world, "", JSON, 401, 0),
        ("GET", "/health", "", JSON, 200, 0),
    ] {
        let (taken, answer) = pour(server, &head(method, path, token, kind), &chunk, bytes_max + UNDERWAY_BYTES_MAX);
        assert!(taken <= bytes_max + UNDERWAY_BYTES_MAX, "{method} {path} takes all");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {path} after {taken} bytes: {answer}");
        assert!(status != 413 || answer.contains("application/problem+json") && answer.contains("too_large"), "{method} {path}: {answer}");
        assert_eq!(server.get("/health", "").status, 200);
    }
}

#[test]
fn a_small_body_of_unknown_length_is_read_before_a_refusal_and_the_next_request_is_not_lost() {
    let server = Server::start();
    let mut stream = connect(&server);
    for _ in 0..3 {
        let mut answer = [0; 4096];
        stream.write_all(head("POST", "/worlds", "", JSON).as_bytes()).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        assert!(stream.read(&mut answer).is_err(), "answered before the body was there");
        stream.write_all(b"2\r\n{}\r\n0\r\n\r\n").unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let length = stream.read(&mut answer).unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 401 "), "{}", String::from_utf8_lossy(&answer[..length]));
    }
}

#[test]
fn a_chunk_that_never_comes_to_its_bytes_is_cut_off() {
    let scene = Scene::set();
    let head = head("POST", "/login", "", JSON);
    for start in ["1;", "", "0\r\nX: "] {
        let (taken, answer) = pour(&scene.server, &format!("{head}{start}"), &[b'1'; 4096], UNDERWAY_BYTES_MAX);
        assert!(taken <= UNDERWAY_BYTES_MAX, "{start:?} is read forever");
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{start:?}: {answer}");
        assert_eq!(scene.server.get("/health", "").status, 200);
    }
}

/// Sends a piece now and then, until there is an answer. Others are served in between.
fn trickle(server: &Server, head: &str, piece: &[u8]) -> String {
    let mut stream = connect(server);
    stream.write_all(head.as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    for _ in 0..1000 {
        // Where the server has closed, its answer is there to read all the same.
        stream.write_all(piece).ok();
        assert_eq!(server.get("/health", "").status, 200);
        let mut start = [0; 1024];
        match stream.read(&mut start) {
            Ok(length) => return String::from_utf8_lossy(&start[..length]).into_owned() + &rest(&mut stream),
            Err(error) => assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}"),
        }
    }
    panic!("a thousand pieces are waited for");
}

#[test]
fn a_body_that_comes_a_byte_at_a_time_is_not_waited_for() {
    let server = Server::start_within(Bounds { request_time_max: Duration::from_secs(1), ..Bounds::default() });
    let token = server.login("kim");
    let world = server.post("/worlds", &token, &serde_json::json!({})).json()["world"]["world_id"].as_str().unwrap().to_owned();
    let world = format!("/world/{world}");
    let of_length = |path: &str, method: &str, length: usize| {
        let to = format!("{method} {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\nContent-Type: {JSON}\r\n");
        (format!("{to}Content-Length: {length}\r\n\r\n"), b" ".as_slice())
    };
    let slow = [
        of_length("/login", "POST", 2000),
        of_length("/api/spells/fireball/build", "POST", 2_000_000),
        of_length(&world, "PUT", 2_000_000),
        (head("POST", "/login", "", JSON), b"1\r\n \r\n".as_slice()),
        (head("PUT", &world, &token, "application/vnd.ugc-world"), b"1\r\n \r\n".as_slice()),
    ];
    let server = &server;
    thread::scope(|scope| {
        for (head, piece) in &slow {
            scope.spawn(move || {
                let answer = trickle(server, head, piece);
                assert!(answer.starts_with("HTTP/1.1 408 "), "{head}{answer}");
                assert!(answer.contains("application/problem+json") && answer.contains("too_slow"), "{head}{answer}");
            });
        }
    });
}
