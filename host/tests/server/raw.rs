//! A client of hand-written bytes: requests and frames as they are, and what comes back.

use crate::client::DEADLINE;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use tokio::net::TcpSocket;

/// First bytes of frames: the last of a message, or `FIRST`, of which more is to come, and `REST`.
pub const TEXT: u8 = 0x81;
pub const FIRST: u8 = 0x01;
pub const MORE: u8 = 0x00;
pub const REST: u8 = 0x80;
pub const BINARY: u8 = 0x82;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;
pub const PONG: u8 = 0x8a;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

pub struct Raw {
    pub stream: TcpStream,
}

/// As the server sends them: whole and unmasked.
#[derive(Debug)]
pub struct Frame {
    pub first: u8,
    pub payload: Vec<u8>,
}

impl Raw {
    pub fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).expect("the server listens"))
    }

    /// From this address of this machine.
    pub fn connect_from(from: [u8; 4], to: SocketAddr) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let stream = runtime.block_on(async {
            let socket = TcpSocket::new_v4().expect("a socket");
            socket.bind((from, 0).into()).expect("an address of this machine");
            socket.connect(to).await.expect("the server listens").into_std().expect("a socket")
        });
        stream.set_nonblocking(false).expect("a socket option");
        Self::over(stream)
    }

    fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(DEADLINE)).expect("a socket option");
        stream.set_nodelay(true).expect("a socket option");
        Self { stream }
    }

    /// One whose upgrade was granted.
    pub fn upgraded(address: SocketAddr) -> Self {
        let mut raw = Self::connect(address);
        raw.upgrade();
        raw
    }

    pub fn upgrade(&mut self) {
        self.write(&request(&[]));
        let head = self.head();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    }

    /// The server may have closed already, which what is read then tells.
    pub fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    pub fn half_close(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// An answer's head, with the empty line that ends it; less when the connection ends before.
    pub fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match self.bytes(1) {
                Some(byte) => head.extend(byte),
                None => break,
            }
        }
        String::from_utf8(head).expect("text")
    }

    /// All until the server has closed.
    pub fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.stream.read_to_string(&mut rest).expect("the server ends with a FIN");
        rest
    }

    /// The next frame; none when the server has closed.
    pub fn frame(&mut self) -> Option<Frame> {
        let head = self.bytes(2)?;
        let length = match head[1] {
            126 => u64::from(u16::from_be_bytes(self.bytes(2)?.try_into().expect("two"))),
            127 => u64::from_be_bytes(self.bytes(8)?.try_into().expect("eight")),
            short => short.into(),
        };
        Some(Frame { first: head[0], payload: self.bytes(length as usize)? })
    }

    /// Nothing where the server has closed.
    fn bytes(&mut self, count: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; count];
        match self.stream.read_exact(&mut bytes) {
            Ok(()) => Some(bytes),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => None,
            Err(error) => panic!("neither bytes nor a FIN, but {error}"),
        }
    }
}

/// A good request with other lines: each of these stands in the place of the one that begins with the same word, or behind all; nothing takes that one away.
pub fn request(other: &[(&str, &str)]) -> Vec<u8> {
    let mut lines = vec![
        "GET / HTTP/1.1",
        "Host: test:7777",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    for (word, line) in other {
        match lines.iter_mut().find(|old| old.starts_with(word)) {
            Some(old) => *old = line,
            None => lines.push(line),
        }
    }
    let lines: Vec<&str> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    format!("{}\r\n\r\n", lines.join("\r\n")).into_bytes()
}

/// A client's frame.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = payload.len();
    let head = match length {
        0..126 => vec![first, 0x80 | length as u8],
        126..65_536 => [&[first, 0x80 | 126][..], &(length as u16).to_be_bytes()].concat(),
        _ => [&[first, 0x80 | 127][..], &(length as u64).to_be_bytes()].concat(),
    };
    headed(&head, payload)
}

/// With this head, whatever it says of the length; masked.
pub fn headed(head: &[u8], payload: &[u8]) -> Vec<u8> {
    let masked = payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key);
    head.iter().copied().chain(KEY).chain(masked).collect()
}

/// As no client may send it.
pub fn unmasked(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, payload.len() as u8][..], payload].concat()
}

/// A close frame's payload.
pub fn close(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes()[..], reason.as_bytes()].concat()
}
