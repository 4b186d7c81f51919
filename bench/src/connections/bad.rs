//! Two hundred connections that no server wants: how each ends, and when.

use anyhow::{Context, Result};
use examples::{Http, Join};
use protocol::client::Handshake;
use protocol::{ClientMessage, v2};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Error, Message, WebSocket};

/// Of each kind.
pub const EACH: usize = 50;
/// A flood: so many messages in a second.
const FLOOD_PER_SECOND: u32 = 10_000;
/// Longer than any of them may live.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    NeverReads,
    SlowHandshake,
    Floods,
    RandomBytes,
}

/// How one ended.
#[derive(Debug, Clone)]
pub struct End {
    pub kind: Kind,
    pub seconds: f64,
    /// The close frame's code, or what came in its place.
    pub how: String,
}

/// Opens all of them at once, and waits for their ends. Who never reads and who floods are let in first, as players of that world.
pub fn attack(http: &Http, world: &str, each: usize) -> Result<Vec<End>> {
    let mut joins = Vec::new();
    for _ in 0..2 * each {
        joins.push(http.join(&http.login(None)?, Some(world))?);
    }
    let address = joins[0].server_address.trim_start_matches("ws://").trim_end_matches('/').to_owned();
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for (n, join) in joins.iter().enumerate() {
            threads.push(scope.spawn(move || if n < each { never_reads(join) } else { floods(join) }));
        }
        for n in 0..2 * each {
            let address = address.as_str();
            threads.push(scope.spawn(move || if n < each { slow_handshake(address) } else { random_bytes(address, n as u64) }));
        }
        threads.into_iter().map(|thread| thread.join().ok().context("a bad client panicked")?).collect()
    })
}

/// By kind and end: how many, and the longest that one of them lasted.
pub fn summary(ends: &[End]) -> BTreeMap<(Kind, &str), (usize, f64)> {
    let mut all = BTreeMap::new();
    for end in ends {
        let (count, longest): &mut (usize, f64) = all.entry((end.kind, end.how.as_str())).or_default();
        (*count, *longest) = (*count + 1, longest.max(end.seconds));
    }
    all
}

fn upgrade(address: &str) -> Result<WebSocket<TcpStream>> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut request = format!("ws://{address}/").into_client_request()?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", v2::SUBPROTOCOL.parse()?);
    Ok(tungstenite::client(request, stream).map_err(|error| anyhow::anyhow!("no upgrade: {error}"))?.0)
}

fn enter(join: &Join) -> Result<WebSocket<TcpStream>> {
    let mut socket = upgrade(join.server_address.trim_start_matches("ws://").trim_end_matches('/'))?;
    let handshake = Handshake {
        protocol_version: v2::PROTOCOL_VERSION,
        session_token: join.ticket.clone(),
        client_id: join.client_id.clone(),
        timestamp: 0.0,
    };
    socket.send(Message::binary(v2::encode_client(&ClientMessage::Handshake(handshake))))?;
    Ok(socket)
}

/// Is let in, and reads nothing; asks for pongs, so that there is something to read.
fn never_reads(join: &Join) -> Result<End> {
    let mut socket = enter(join)?;
    let since = Instant::now();
    let ping = v2::encode_client(&ClientMessage::Ping { client_time: 0.0 });
    socket.get_ref().set_write_timeout(Some(PATIENCE))?;
    while since.elapsed() < PATIENCE {
        // The server's end of the line is closed when it answers nothing but resets.
        if socket.send(Message::binary(ping.clone())).is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let seconds = since.elapsed().as_secs_f64();
    Ok(End { seconds, ..end(Kind::NeverReads, since, last_words(socket.get_mut())) })
}

/// A byte of the upgrade now and then.
fn slow_handshake(address: &str) -> Result<End> {
    let since = Instant::now();
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_millis(200)))?;
    let request = format!("GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\n");
    let mut bytes = request.bytes().cycle();
    let (mut answer, mut some) = (Vec::new(), [0; 64]);
    while since.elapsed() < PATIENCE {
        let next = bytes.next().context("a cycle has no end")?;
        match stream.read(&mut some) {
            Ok(0) => break,
            Ok(length) => answer.extend_from_slice(&some[..length]),
            // Nothing yet: another byte.
            Err(_) if stream.write_all(&[next]).is_ok() => {}
            Err(_) => break,
        }
    }
    // HTTP/1.1 and the status.
    let status = answer.get(9..12).map_or("cut off".into(), |status| String::from_utf8_lossy(status).into_owned());
    Ok(End { kind: Kind::SlowHandshake, seconds: since.elapsed().as_secs_f64(), how: status })
}

/// Good messages, and far too many.
fn floods(join: &Join) -> Result<End> {
    let mut socket = enter(join)?;
    let since = Instant::now();
    socket.get_ref().set_nonblocking(true)?;
    let ping = Message::binary(v2::encode_client(&ClientMessage::Ping { client_time: 1.0 }));
    while since.elapsed() < PATIENCE {
        for _ in 0..FLOOD_PER_SECOND / 100 {
            match socket.send(ping.clone()) {
                Ok(()) => {}
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => break,
            }
        }
        loop {
            match socket.read() {
                Ok(Message::Close(frame)) => return Ok(end(Kind::Floods, since, frame.map(|frame| frame.code.into()))),
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return Ok(end(Kind::Floods, since, None)),
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(end(Kind::Floods, since, None))
}

/// An upgrade, then bytes that mean nothing.
fn random_bytes(address: &str, seed: u64) -> Result<End> {
    let mut socket = upgrade(address)?;
    let since = Instant::now();
    let mut state = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
    let noise: Vec<u8> = (0..256)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u8
        })
        .collect();
    socket.get_mut().write_all(&noise)?;
    Ok(farewell(&mut socket, Kind::RandomBytes, since))
}

/// The code of a close frame that is the last of what waits to be read.
fn last_words(stream: &mut TcpStream) -> Option<u16> {
    let mut bytes = Vec::new();
    // A reset comes behind what has come before it.
    let _ = stream.read_to_end(&mut bytes);
    let frames = (0..bytes.len()).rev().map(|at| &bytes[at..]);
    let mut closing = frames.filter_map(|frame| match frame {
        [0x88, length, high, low, ..] if frame.len() == 2 + usize::from(*length) => Some(u16::from_be_bytes([*high, *low])),
        _ => None,
    });
    closing.next()
}

/// Reads to the end.
fn farewell(socket: &mut WebSocket<TcpStream>, kind: Kind, since: Instant) -> End {
    loop {
        match socket.read() {
            Ok(Message::Close(frame)) => return end(kind, since, frame.map(|frame| frame.code.into())),
            Ok(_) => {}
            Err(_) => return end(kind, since, None),
        }
    }
}

fn end(kind: Kind, since: Instant, code: Option<u16>) -> End {
    let how = code.map_or_else(|| "cut off".to_owned(), |code| code.to_string());
    End { kind, seconds: since.elapsed().as_secs_f64(), how }
}
