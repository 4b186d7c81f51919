//! The control plane and its game servers: how soon a killed server can be played on again, what logins and joins cost, and eight worlds full of players on one machine.

mod connection;
mod flask;

use crate::report::{Effort, Report, Samples, bar};
use crate::resident::Resident;
use anyhow::{Context, Result, ensure};
use connection::Connection;
use examples::game::{STATE_SNAPSHOT, is};
use examples::{Game, Http, Player, Server};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const ADMIN: &str = "an admin token for benchmarks";
const KILLS: (usize, usize) = (60, 8);
/// As often as an address may log in at once; with so many addresses it is never waited for.
const LOGINS_AT_ONCE: usize = 500;
const ADDRESSES: (usize, usize) = (200, 8);
const WORLDS: usize = 8;
const PLAYERS: (usize, usize) = (32, 8);
const PLAY: (Duration, Duration) = (Duration::from_secs(40), Duration::from_secs(5));
const TIMEOUT: Duration = Duration::from_secs(20);

/// Measures, prints and records.
pub fn run(effort: Effort) -> Result<()> {
    let mut report = Report::begin("control", effort);
    let again = killed(effort)?;
    report.extend([
        again.row("killed_to_playable.ms", "ms", "", "SIGKILL of ugc-host to the first snapshot of a client that joins again and again"),
        again.only(0.95).row("killed_to_playable.p95_ms", "ms", "3000", "of them"),
    ]);
    let (per_second, memory) = logins(effort)?;
    let tenth = memory.len() / 10;
    let grown = memory[memory.len() - 1].1 - memory[tenth].1;
    report.extend([
        Samples::new(vec![per_second]).row("logins.per_second", "/s", "", "new players, one after the other on one connection"),
        Samples::new(vec![grown]).row("logins.rss_mib", "MiB", "0", "ugc-control's memory after all logins, beyond that after a tenth"),
    ]);
    flask::measure(&mut report, effort)?;
    let (p99, resident, late) = worlds(effort)?;
    report.extend([
        p99.row("worlds_8.tick_p99_ms", "ms", "16.67", "each world's 99th percentile of each second, as the server says"),
        resident.row("worlds_8.rss_mib", "MiB", "", "each game server's memory"),
        late.row("worlds_8.late_ticks_percent", "%", "", "ticks that began late, of each world"),
    ]);
    report.finish()?;
    report.plot("control", "Memory of the control plane over logins", ("logins", "MiB"), &[("ugc-control".to_owned(), memory)])
}

/// Kills the server of a world that somebody plays on, and comes back as soon as that goes.
fn killed(effort: Effort) -> Result<Samples> {
    let rounds = effort.pick(KILLS.0, KILLS.1);
    let mut again = Vec::new();
    let progress = bar("killed", rounds);
    for _ in 0..rounds {
        // A server that has crashed before is started later: each round has a world of its own.
        let server = Server::start_with(&[("ADMIN_TOKEN", ADMIN)])?;
        let (http, player) = (server.http(), server.http().login(None)?);
        let join = http.join(&player, None)?;
        let mut game = Game::join(&join)?;
        game.wait_for("a snapshot", TIMEOUT, |_, message| is(message, STATE_SNAPSHOT))?;
        let process = server.game_servers().first().copied().and_then(Pid::from_raw).context("a game server runs")?;
        // The world is saved once a second: let there be a save.
        let until = game.server_tick + 90;
        game.wait_for("a save", TIMEOUT, |game, _| (game.server_tick > until).then_some(()))?;
        let since = Instant::now();
        kill_process(process, Signal::KILL)?;
        loop {
            let back = http.join(&player, Some(&join.world_id)).and_then(|join| Game::join(&join));
            if let Ok(mut game) = back {
                game.wait_for("a snapshot", TIMEOUT, |_, message| is(message, STATE_SNAPSHOT))?;
                break;
            }
            ensure!(since.elapsed() < TIMEOUT, "the world does not come back");
            thread::sleep(Duration::from_millis(5));
        }
        again.push(since.elapsed().as_secs_f64() * 1e3);
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(Samples::new(again))
}

/// Logs in again and again, as from many places; answers logins a second, and memory by logins so far.
fn logins(effort: Effort) -> Result<(f64, Vec<(f64, f64)>)> {
    let server = Server::start_with(&[("ADMIN_TOKEN", ADMIN)])?;
    let target: SocketAddr = server.url.trim_start_matches("http://").parse()?;
    let addresses = effort.pick(ADDRESSES.0, ADDRESSES.1);
    let mut memory = Vec::new();
    let progress = bar("logins", addresses);
    let since = Instant::now();
    for address in 0..addresses {
        let from = Ipv4Addr::new(127, 0, 1 + (address / 200) as u8, 1 + (address % 200) as u8);
        let mut connection = Connection::open(from, target)?;
        (0..LOGINS_AT_ONCE).try_for_each(|_| connection.post("/login", "", "{}"))?;
        memory.push((((address + 1) * LOGINS_AT_ONCE) as f64, Resident::of(&server.pid().to_string())?.rss_kib / 1024.0));
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(((addresses * LOGINS_AT_ONCE) as f64 / since.elapsed().as_secs_f64(), memory))
}

/// Eight worlds with players who walk and shoot; answers their servers' ticks, memory and lateness.
fn worlds(effort: Effort) -> Result<(Samples, Samples, Samples)> {
    let server = Server::start_with(&[("ADMIN_TOKEN", ADMIN)])?;
    let http = server.http();
    let over = AtomicBool::new(false);
    thread::scope(|scope| -> Result<_> {
        // Whatever comes of it, the players have to stop.
        let measured = (|| {
            for _ in 0..WORLDS {
                let mut world: Option<String> = None;
                for _ in 0..effort.pick(PLAYERS.0, PLAYERS.1) {
                    let player: Player = http.login(None)?;
                    let join = http.join(&player, world.as_deref())?;
                    world = Some(join.world_id.clone());
                    let game = Game::join(&join)?;
                    let over = &over;
                    thread::Builder::new().stack_size(512 * 1024).spawn_scoped(scope, move || play(game, over))?;
                }
            }
            watch(&http, &server, effort.pick(PLAY.0, PLAY.1))
        })();
        over.store(true, Ordering::Relaxed);
        measured
    })
}

fn play(mut game: Game, over: &AtomicBool) {
    let mut turn = u32::try_from(game.entity_id % 1_000).unwrap_or_default();
    while !over.load(Ordering::Relaxed) {
        let angle = f64::from(turn) * 0.3;
        let aim = [angle.sin(), 0.0, -angle.cos()];
        let next = Instant::now() + Duration::from_millis(100);
        if game.input([0.0, 0.0, -1.0], aim, turn.is_multiple_of(7)).is_err() {
            return;
        }
        while let Ok(Some(_)) = game.next(next) {}
        turn += 1;
    }
}

fn watch(http: &Http, server: &Server, time: Duration) -> Result<(Samples, Samples, Samples)> {
    let health = || -> Result<Vec<Value>> {
        let servers = http.get("/admin/servers", Some(ADMIN))?.ok_json()?["servers"].as_array().cloned().context("servers")?;
        Ok(servers.into_iter().map(|server| server["health"].clone()).collect())
    };
    let number = |health: &Value, key: &str| health[key].as_f64().unwrap_or_default();
    // Their first seconds are the joins'.
    thread::sleep(Duration::from_secs(3));
    let before = health()?;
    let (since, mut p99) = (Instant::now(), Vec::new());
    while since.elapsed() < time {
        thread::sleep(Duration::from_secs(1));
        p99.extend(health()?.iter().map(|health| number(health, "tick_p99_us") / 1e3));
    }
    let after = health()?;
    ensure!(after.len() == WORLDS, "{} of {WORLDS} worlds run", after.len());
    let late = before.iter().zip(&after).map(|(before, after)| {
        let grown = |key| number(after, key) - number(before, key);
        100.0 * grown("late_ticks") / grown("tick").max(1.0)
    });
    let late = late.collect();
    let resident =
        server.game_servers().iter().map(|process| Ok(Resident::of(&process.to_string())?.rss_kib / 1024.0)).collect::<Result<_>>()?;
    Ok((Samples::new(p99), Samples::new(resident), Samples::new(late)))
}
