//! Nonsense in queries and in the headers that something reads.

use super::{Operation, Scene, connect};
use crate::harness::ADMIN_TOKEN;
use std::io::{Read, Write};

/// What stands in the place of a value in a query.
const VALUES: [&str; 15] = [
    "",
    "0",
    "-1",
    "1.5",
    "1e308",
    "18446744073709551615",
    "18446744073709551616",
    "x",
    "%00",
    "%ff",
    "%",
    "a%0d%0ab",
    "%F0%9F%94%A5",
    "x.x",
    "9223372036854775807.x",
];
/// What stands there in a header.
const LINES: [&[u8]; 9] = [b"", b"-1", b"18446744073709551615", b"18446744073709551616", b"x", b"\xff\xfe", b"\"", b"a\tb", b"W/\"1\", *"];
/// The headers that something reads.
const HEADERS: [&str; 9] = [
    "Idempotency-Key",
    "Last-Event-ID",
    "If-None-Match",
    "X-Request-Id",
    "Content-Type",
    "Origin",
    "Access-Control-Request-Method",
    "Accept-Encoding",
    "Range",
];

/// The status of the answer, of which the rest is not read: it may go on and on.
fn status(scene: &Scene, operation: &Operation, path: &str, header: &[u8]) -> u16 {
    let token = if operation.said["security"][0]["admin"].is_array() { ADMIN_TOKEN } else { &scene.kim };
    let head = format!("{} {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n", operation.method);
    let mut stream = connect(&scene.server);
    stream.write_all(&[head.as_bytes(), header, b"\r\n\r\n"].concat()).unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).unwrap();
    String::from_utf8_lossy(&start[9..]).parse().unwrap()
}

#[test]
fn nonsense_in_a_query_is_refused_and_fails_nothing() {
    let scene = Scene::set();
    let long = "9".repeat(10_000);
    let mut asked = 0;
    for operation in scene.operations() {
        scene.forgive();
        let parameters = operation.said["parameters"].as_array().into_iter().flatten().filter(|parameter| parameter["in"] == "query");
        for name in parameters.map(|parameter| parameter["name"].as_str().unwrap()) {
            for value in VALUES.into_iter().chain([long.as_str()]) {
                // Some are waited with: for a job that has ended, nobody has to.
                let path = format!("{}?{name}={value}", scene.place(&operation.path));
                let status = status(&scene, &operation, &path, b"X: x");
                assert!(matches!(status, 200 | 400 | 422), "{path}: {status}");
                asked += 1;
            }
        }
    }
    assert!(asked > 50, "{asked}");
}

#[test]
fn nonsense_in_a_header_fails_nothing() {
    let scene = Scene::set();
    let long = [b'a'; 10_000];
    // What changes nothing, so that each finds what the one before has found.
    for operation in scene.operations().iter().filter(|operation| matches!(operation.method.as_str(), "GET" | "POST")) {
        scene.forgive();
        for name in HEADERS {
            for value in LINES.into_iter().chain([long.as_slice()]) {
                let header = [name.as_bytes(), b": ", value].concat();
                let status = status(&scene, operation, &scene.place(&operation.path), &header);
                assert!(
                    (200..500).contains(&status) && status != 429,
                    "{} {}, {}: {status}",
                    operation.method,
                    operation.path,
                    header.escape_ascii()
                );
            }
        }
    }
    assert_eq!(scene.server.get("/health", "").status, 200);
}
