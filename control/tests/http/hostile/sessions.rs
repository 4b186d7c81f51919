//! Tokens of any length, and logins without an end.

use super::{connect, rest};
use crate::harness::Server;
use control::limits::LOGIN_BURST;
use rustix::net::{AddressFamily, SocketType, bind, connect as connect_socket, socket};
use serde_json::json;
use std::{
    io::Write,
    net::{Ipv4Addr, SocketAddrV4, TcpStream},
    panic,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::Duration,
};

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// From now on, panics of any thread are counted.
fn count_panics() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        usual(panic);
    }));
}

/// The status of the answer to a request with these headers, however much of them is taken; 0 where there is none.
fn status(server: &Server, headers: &[u8]) -> u16 {
    let mut stream = connect(server);
    let request = [b"GET /session HTTP/1.1\r\nHost: test\r\nConnection: close\r\n".as_slice(), headers, b"\r\n\r\n"].concat();
    // The server may close before it has taken all.
    stream.write_all(&request).ok();
    rest(&mut stream).get(9..12).map_or(0, |status| status.parse().unwrap())
}

#[test]
fn a_token_of_any_length_is_no_token_and_the_next_one_is_served() {
    count_panics();
    let server = Server::start();
    let token = server.login("kim");
    let bearer = |token: &[u8]| [b"Authorization: Bearer ".as_slice(), token].concat();
    let long = |length: usize| bearer(&vec![b'a'; length]);
    let many = |name: &str, count: usize| format!("{name}\r\n").repeat(count) + "X: x";
    for (name, headers, expected) in [
        ("its own", bearer(token.as_bytes()), [200].as_slice()),
        ("its own and more", bearer(&[token.as_bytes(), b"a"].concat()), &[401]),
        ("its own twice", [bearer(token.as_bytes()), b"\r\n".to_vec(), bearer(b"x")].concat(), &[401, 200]),
        ("300", long(300), &[401]),
        ("60 kB", long(60_000), &[401]),
        ("65 kB", long(65_000), &[401, 431]),
        ("66 kB", long(66_000), &[401, 431, 0]),
        ("1 MB", long(1_000_000), &[431, 0]),
        ("bytes that are no text", bearer(b"\xff\xfe\x80"), &[401]),
        ("zeros", bearer(b"\0\0"), &[400, 401]),
        ("nothing", bearer(b""), &[401]),
        ("a thousand headers", many("X: x", 1_000).into_bytes(), &[431, 0]),
        ("a thousand tokens", many("Authorization: Bearer x", 1_000).into_bytes(), &[431, 0]),
    ] {
        let answered = status(&server, &headers);
        assert!(expected.contains(&answered), "{name}: {answered}");
        assert_eq!(server.get("/session", &token).status, 200, "after {name}");
    }
    assert_eq!(PANICS.load(Ordering::Relaxed), 0);
}

/// A login from another address of this machine; the answer.
fn login_from(last: u8, server: &Server) -> String {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&socket, &SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, last), 0)).unwrap();
    connect_socket(&socket, &server.address).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(b"POST /login HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").unwrap();
    rest(&mut stream)
}

#[test]
fn a_flood_of_logins_is_cut_and_others_log_in_meanwhile() {
    let server = Server::start();
    let token = server.login("kim");
    // Each counts, and is refused for its name before anything is written.
    let login = || server.post("/login", "", &json!({ "username": "no name" }));
    for _ in 1..LOGIN_BURST as usize {
        login().is_problem(422, "bad_username");
    }
    let refused = (0..1000).map(|_| login()).find(|answer| answer.status != 422).expect("there is a limit");
    refused.is_problem(429, "too_many_logins");
    assert!(refused.header("retry-after").parse::<u32>().unwrap() >= 1);
    let is_over = AtomicBool::new(false);
    let others: Vec<String> = thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                login();
            }
        });
        let others = (0..20).map(|_| login_from(2, &server)).collect();
        is_over.store(true, Ordering::Relaxed);
        others
    });
    assert!(others.iter().all(|answer| answer.starts_with("HTTP/1.1 200 ") && answer.contains("session_token")), "{others:?}");
    // Whoever is in already is not refused for it.
    assert_eq!(server.get("/session", &token).status, 200);
}
