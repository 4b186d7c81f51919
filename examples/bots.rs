//! Players by the dozen, over lines as bad as one wants: `cargo run --release -p examples --example bots -- --count 20 --latency 100 --jitter 20 --loss 2`.
//!
//! Each bot is a player of its own on a thread of its own, who walks, turns elsewhere now and then, and says what came of it at the end.

use anyhow::{Context, Result};
use clap::Parser;
use examples::game::{PING, PONG, STATE_SNAPSHOT};
use examples::line::{Badness, Line, Stalls};
use examples::{Game, Http, Join};
use serde_json::json;
use std::thread;
use std::time::{Duration, Instant};

/// Walks over bad lines.
#[derive(Debug, Parser)]
struct Arguments {
    /// The control plane.
    #[arg(long, default_value = "http://127.0.0.1:5000")]
    server: String,
    /// The world; without one, a new one.
    #[arg(long)]
    world: Option<String>,
    /// Players.
    #[arg(long, default_value_t = 10)]
    count: u64,
    /// Seconds to play.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Milliseconds that everything takes, each way.
    #[arg(long, default_value_t = 0)]
    latency: u64,
    /// Up to so many more.
    #[arg(long, default_value_t = 0)]
    jitter: u64,
    /// Percent that is lost, and comes later.
    #[arg(long, default_value_t = 0)]
    loss: u32,
    /// Milliseconds for which nothing moves, every five seconds.
    #[arg(long, default_value_t = 0)]
    stall: u64,
}

const TICK: Duration = Duration::from_nanos(1_000_000_000 / 60);
/// A player goes straight on for so many ticks, then elsewhere.
const LEG_TICKS: u64 = 45;
const STALLS_EVERY: Duration = Duration::from_secs(5);

/// What one bot has seen.
#[derive(Debug, Default)]
struct Seen {
    intervals_ms: Vec<f64>,
    rtt_ms: Vec<f64>,
    metres: f64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let http = Http::new(&arguments.server);
    let mut world = arguments.world.clone();
    let mut bots = Vec::new();
    for number in 0..arguments.count {
        let join = http.join(&http.login(None)?, world.as_deref())?;
        world = Some(join.world_id.clone());
        let line = Line::to(&join.server_address, arguments.badness(), number * 1_000)?;
        let game = Game::join(&Join { server_address: line.address(), ..join })?;
        let time = Duration::from_secs(arguments.seconds);
        bots.push(thread::spawn(move || play(game, number, time).map(|seen| (seen, line))));
        eprint!("\r{} of {} bots are in", number + 1, arguments.count);
    }
    eprintln!();
    println!("{:>4} {:>24} {:>24} {:>10}", "bot", "snapshots p50 p99 (ms)", "round trip p50 p99 (ms)", "way (m)");
    for (number, bot) in bots.into_iter().enumerate() {
        let (seen, _line) = bot.join().ok().context("a bot panicked")??;
        let two = |values: &[f64]| format!("{:.0} {:.0}", quantile(values, 0.5), quantile(values, 0.99));
        println!("{number:>4} {:>24} {:>24} {:>10.1}", two(&seen.intervals_ms), two(&seen.rtt_ms), seen.metres);
    }
    Ok(())
}

impl Arguments {
    fn badness(&self) -> Badness {
        let last = Duration::from_millis(self.stall);
        Badness {
            latency: Duration::from_millis(self.latency),
            jitter: Duration::from_millis(self.jitter),
            loss_percent: self.loss,
            stalls: (!last.is_zero()).then_some(Stalls { every: STALLS_EVERY, last }),
        }
    }
}

fn play(mut game: Game, number: u64, time: Duration) -> Result<Seen> {
    let (mut seen, began) = (Seen::default(), Instant::now());
    let (mut snapshot, mut place) = (None, None);
    for tick in 0.. {
        if began.elapsed() >= time {
            break;
        }
        let angle = ((tick / LEG_TICKS + number * 7) * 40_503 % 65_536) as f64 / 65_536.0 * std::f64::consts::TAU;
        game.input([0.0, 0.0, -1.0], [angle.sin(), 0.0, -angle.cos()], false)?;
        if tick % 60 == 0 {
            game.send(&json!({ "type": PING, "client_time": began.elapsed().as_secs_f64() }))?;
        }
        while let Some(message) = game.next(began + TICK.mul_f64((tick + 1) as f64))? {
            let now = Instant::now();
            if message["type"] == PONG {
                let sent = message["client_time"].as_f64().context("a time")?;
                seen.rtt_ms.push((began.elapsed().as_secs_f64() - sent) * 1e3);
            }
            if message["type"] != STATE_SNAPSHOT {
                continue;
            }
            if let Some(last) = snapshot.replace(now) {
                seen.intervals_ms.push((now - last).as_secs_f64() * 1e3);
            }
            let Some(me) = game.me().map(|me| me.position) else { continue };
            if let Some([x, _, z]) = place.replace(me) {
                seen.metres += (me[0] - x).hypot(me[2] - z);
            }
        }
    }
    Ok(seen)
}

fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(((sorted.len().max(1) - 1) as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
}
