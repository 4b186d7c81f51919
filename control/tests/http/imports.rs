//! Worlds that are brought: by their owner, by whoever means harm, and by too many at once.

use crate::harness::{Answer, Server};
use protocol::Sha256Hex;
use serde_json::json;
use std::{
    fs,
    io::Write,
    net::TcpStream,
    time::{Duration, Instant},
};

const EXPORT: &str = "application/vnd.ugc-world";

fn new_world(server: &Server, token: &str) -> String {
    server.post("/worlds", token, &json!({})).json()["world"]["world_id"].as_str().unwrap().into()
}

fn import(server: &Server, token: &str, world: &str, bytes: &[u8]) -> Answer {
    server.request("PUT", &format!("/world/{world}"), token, Some((EXPORT, bytes)))
}

/// An export as far as its checksum tells.
fn sealed(body: &[u8]) -> Vec<u8> {
    [b"UGCWORLD\x01", hex::decode(Sha256Hex::of(body).as_str()).unwrap().as_slice(), body].concat()
}

/// A frame of zstd that unpacks to so many times 128 KiB of zeros: four bytes each.
fn zeros(blocks: u32) -> Vec<u8> {
    let (magic, no_sizes, window_of_2_mib) = (0xfd2f_b528_u32.to_le_bytes(), 0, 0x58);
    let mut frame = [magic.as_slice(), &[no_sizes, window_of_2_mib]].concat();
    for block in 1..=blocks {
        let (repeated, last) = (1 << 1, u32::from(block == blocks));
        frame.extend(&(128 << 10 << 3 | repeated | last).to_le_bytes()[..3]);
        frame.push(0);
    }
    frame
}

/// The most memory that this process has had, bytes.
fn memory_peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

#[test]
fn a_world_goes_out_and_comes_back() {
    let server = Server::start();
    let token = server.login("kim");
    let (here, there) = (new_world(&server, &token), new_world(&server, &token));
    server.get(&format!("/world/{here}/export"), &token).is_problem(409, "world_is_new");
    let props = json!({ "entities": [{ "entity_type": 4, "name": "crate", "position": [1.0, 5.0, 1.0] }] });
    assert_eq!(server.put(&format!("/world/{here}"), &token, &props).status, 200);
    let export = server.get(&format!("/world/{here}/export"), &token);
    assert_eq!(import(&server, &token, &there, &export.bytes).status, 200);
    let entities = |world: &str| server.get(&format!("/world/{world}"), &token).json()["entities"].clone();
    assert_eq!((entities(&there), entities(&there)[0]["name"].as_str()), (entities(&here), Some("crate")));
}

#[test]
fn exports_that_unpack_to_far_too_much_are_refused_while_they_are_small() {
    let server = Server::start();
    let token = server.login("kim");
    let world = new_world(&server, &token);
    // A few zeros unpack, to a world without a state.
    let refused = import(&server, &token, &world, &sealed(&zeros(8))).is_problem(422, "bad_export");
    assert!(!refused["detail"].as_str().unwrap().contains("more bytes than may be here"), "{refused}");
    let bomb = sealed(&zeros(8 * 1024));
    let before = memory_peak();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let refused = import(&server, &token, &world, &bomb).is_problem(422, "bad_export");
                assert!(refused["detail"].as_str().unwrap().contains("more bytes than may be here"), "{refused}");
            });
        }
    });
    let grown = memory_peak() - before;
    assert!(grown < 128 << 20, "{grown} bytes for 6 times a gigabyte");
    assert!(!server.data(&format!("worlds/{world}.sqlite")).exists());
}

#[test]
fn more_imports_than_fit_are_told_to_come_again() {
    let server = Server::start();
    let token = server.login("kim");
    let world = new_world(&server, &token);
    // Eight of them find a place, whoever else is quick in between.
    let slow: Vec<TcpStream> = (0..32)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address).unwrap();
            let head = format!("PUT /world/{world} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\nContent-Type: {EXPORT}");
            write!(stream, "{head}\r\nContent-Length: 1000000\r\n\r\n").unwrap();
            stream
        })
        .collect();
    let until = |status: u16| {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let answer = server.put(&format!("/world/{world}"), &token, &json!({}));
            if answer.status == status {
                return answer;
            }
            assert!(Instant::now() < deadline, "{answer:?}");
        }
    };
    let refused = until(503);
    refused.is_problem(503, "imports_busy");
    assert_eq!(refused.header("retry-after"), "5");
    drop(slow);
    until(200);
}
