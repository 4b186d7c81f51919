//! A network in a box: a line to a server that is as slow, uneven, lossy and forgetful as one wants, in the same process and without privileges.
//!
//! TCP hides a lost segment: it comes again after a while, and whatever is behind it waits. So that is what a loss is here. Where the kernel has it, `tc qdisc add dev lo root netem
//! delay 100ms 20ms loss 2%` in a network namespace does the same below TCP.

use anyhow::{Context, Result};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// The least time until TCP sends again what was lost: Linux' `TCP_RTO_MIN`.
const RETRANSMISSION_MIN: Duration = Duration::from_millis(200);
/// Pieces that are under way in one direction; who sends more waits, as for a full window.
const UNDER_WAY_MAX: usize = 1_024;
/// One piece: a segment as it comes.
const PIECE_BYTES: usize = 1_448;

/// How bad a line is, each way.
#[derive(Debug, Clone, Copy, Default)]
pub struct Badness {
    /// From one end to the other, at least.
    pub latency: Duration,
    /// Up to so much more, evenly distributed; the order stays.
    pub jitter: Duration,
    /// Of a hundred pieces so many are lost at first.
    pub loss_percent: u32,
    /// Every so often, nothing moves for a while.
    pub stalls: Option<Stalls>,
}

/// When nothing moves.
#[derive(Debug, Clone, Copy)]
pub struct Stalls {
    /// From the beginning of one to that of the next.
    pub every: Duration,
    /// How long each lasts.
    pub last: Duration,
}

/// A line; connections over it break when it is dropped.
#[derive(Debug)]
pub struct Line {
    address: SocketAddr,
    cut: Arc<AtomicBool>,
}

impl Line {
    /// A line to the server at `ws://host:port` or `host:port`. The same seed has the same luck.
    pub fn to(server_address: &str, badness: Badness, seed: u64) -> Result<Self> {
        let server = server_address.trim_start_matches("ws://").trim_end_matches('/');
        let server = server.to_socket_addrs()?.next().with_context(|| format!("{server} is no address"))?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let line = Self { address: listener.local_addr()?, cut: Arc::default() };
        let cut = Arc::clone(&line.cut);
        thread::spawn(move || {
            for (number, client) in (0..).zip(listener.incoming()) {
                if cut.load(Ordering::Relaxed) {
                    break;
                }
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) else { continue };
                let _ = connect(&client, &server, badness, seed + 2 * number, &cut);
            }
        });
        Ok(line)
    }

    /// Where to connect to instead: `ws://host:port`.
    pub fn address(&self) -> String {
        format!("ws://{}", self.address)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.cut.store(true, Ordering::Relaxed);
        // Wakes who waits for connections.
        let _ = TcpStream::connect(self.address);
    }
}

fn connect(client: &TcpStream, server: &TcpStream, badness: Badness, seed: u64, cut: &Arc<AtomicBool>) -> Result<()> {
    for (number, (from, to)) in (0..).zip([(client, server), (server, client)]) {
        let (from, to) = (from.try_clone()?, to.try_clone()?);
        to.set_nodelay(true)?;
        from.set_read_timeout(Some(Duration::from_millis(100)))?;
        let (under_way, arrivals) = sync_channel(UNDER_WAY_MAX);
        let (luck, cut) = (Luck(seed + number), Arc::clone(cut));
        thread::spawn(move || depart(from, badness, luck, &under_way, &cut));
        thread::spawn(move || arrive(to, &arrivals));
    }
    Ok(())
}

/// A piece, and when it arrives.
type Piece = (Instant, Vec<u8>);

/// Reads, and says when each piece will arrive.
fn depart(mut from: TcpStream, badness: Badness, mut luck: Luck, under_way: &SyncSender<Piece>, cut: &AtomicBool) {
    let began = Instant::now();
    let mut due = began;
    let mut bytes = [0; PIECE_BYTES];
    while !cut.load(Ordering::Relaxed) {
        let length = match from.read(&mut bytes) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => continue,
            Err(_) => break,
        };
        let now = Instant::now();
        let mut time = badness.latency + badness.jitter.mul_f64(luck.draw());
        if luck.draw() * 100.0 < f64::from(badness.loss_percent) {
            time += RETRANSMISSION_MIN + 2 * badness.latency;
        }
        due = due.max(now + time);
        if let Some(stalls) = badness.stalls {
            due = began + after_stall(due - began, stalls);
        }
        if under_way.send((due, bytes[..length].to_vec())).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Read);
}

/// The moment itself, or the end of the stall that it falls into. The first stall comes after the first pause between two.
fn after_stall(moment: Duration, stalls: Stalls) -> Duration {
    let period = stalls.every.as_secs_f64();
    let into = moment.as_secs_f64() % period;
    if moment >= stalls.every && into < stalls.last.as_secs_f64() { moment + stalls.last - Duration::from_secs_f64(into) } else { moment }
}

/// Hands over each piece when it is due. The end of the line is its last piece.
fn arrive(mut to: TcpStream, arrivals: &Receiver<Piece>) {
    for (due, bytes) in arrivals {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// Numbers that look random and are the same each time: splitmix64.
struct Luck(u64);

impl Luck {
    /// 0 to 1.
    fn draw(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_falls_into_a_stall_waits_for_its_end() {
        let stalls = Stalls { every: Duration::from_secs(4), last: Duration::from_secs(1) };
        let after = |ms| after_stall(Duration::from_millis(ms), stalls).as_millis();
        assert_eq!([0, 500, 3_999, 4_000, 4_250, 5_000, 8_999].map(after), [0, 500, 3_999, 5_000, 5_000, 5_000, 9_000]);
    }

    #[test]
    fn everything_arrives_late_and_in_order() -> Result<()> {
        let echo = TcpListener::bind("127.0.0.1:0")?;
        let server = echo.local_addr()?.to_string();
        thread::spawn(move || -> Result<()> {
            let (mut stream, _) = echo.accept()?;
            std::io::copy(&mut stream.try_clone()?, &mut stream)?;
            Ok(stream.shutdown(Shutdown::Write)?)
        });
        let badness = Badness {
            latency: Duration::from_millis(40),
            jitter: Duration::from_millis(30),
            loss_percent: 20,
            stalls: Some(Stalls { every: Duration::from_millis(300), last: Duration::from_millis(100) }),
        };
        let line = Line::to(&server, badness, 1)?;
        let mut stream = TcpStream::connect(line.address().trim_start_matches("ws://"))?;
        let began = Instant::now();
        let sent: Vec<u8> = (0..40_000_u32).map(|n| (n % 251) as u8).collect();
        stream.write_all(&sent)?;
        stream.shutdown(Shutdown::Write)?;
        let mut came = Vec::new();
        stream.read_to_end(&mut came)?;
        assert!(came == sent, "{} of {} bytes", came.len(), sent.len());
        assert!(began.elapsed() >= 2 * badness.latency);
        Ok(())
    }
}
