//! Fifty players who walk, by v2, by v1, and in a room of Colyseus (`bench/peers/colyseus`), in turn: the same ways, controls 60 times and the world 20 times a second.

use crate::bot::{self, Bot, Manner};
use crate::report::{Effort, Report, Samples, bar};
use crate::resident::cpu_seconds;
use anyhow::{Context, Result, ensure};
use examples::Server;
use host::subprotocol::Subprotocol;
use serde_json::Value;
use std::io::{BufRead, BufReader, Lines};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/colyseus");
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/benchmarks/colyseus");
const FILES: [&str; 3] = ["package.json", "server.js", "clients.js"];
/// What a room needs, without what only its authors' tools do.
const NPM: [&str; 7] = ["install", "--legacy-peer-deps", "--omit=optional", "--omit=peer", "--no-audit", "--no-fund", "--silent"];
const NAME: &str = "Colyseus 0.18, its official client, x, y, z and yaw as float32";
const PLAYERS: usize = 50;
const ROUNDS: (usize, usize) = (7, 2);
/// Until everybody has acknowledged something, and caches are warm.
const WARMING: Duration = Duration::from_secs(3);
const PLAY: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(4));
/// Snapshots in a second, which both aim at.
const SNAPSHOT_HZ: f64 = 20.0;

/// One round of one contender.
struct Round {
    /// To one client, at 20 snapshots a second.
    kilobytes_per_second: f64,
    /// That came in a second to one client.
    snapshots_per_second: f64,
    /// Of one core, percent.
    cpu: f64,
}

/// Adds the figures.
pub fn measure(report: &mut Report, effort: Effort) -> Result<()> {
    let rounds = effort.pick(ROUNDS.0, ROUNDS.1);
    let time = effort.pick(PLAY.0, PLAY.1);
    let (mut v2, mut v1, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    let progress = bar("fifty players against Colyseus", rounds);
    for _ in 0..rounds {
        v2.push(ours(Subprotocol::Binary, time)?);
        theirs.push(colyseus(time)?);
        v1.push(ours(Subprotocol::Json, time)?);
        progress.inc(1);
    }
    progress.finish_and_clear();
    let samples = |rounds: &[Round], of: fn(&Round) -> f64| Samples::new(rounds.iter().map(of).collect());
    let [v2_bytes, v1_bytes, their_bytes] = [&v2, &v1, &theirs].map(|rounds| samples(rounds, |round| round.kilobytes_per_second));
    let [v2_cpu, v1_cpu, their_cpu] = [&v2, &v1, &theirs].map(|rounds| samples(rounds, |round| round.cpu));
    let [v2_rate, _, their_rate] = [&v2, &v1, &theirs].map(|rounds| samples(rounds, |round| round.snapshots_per_second));
    let bytes = "the payloads of all frames to one of 50 clients whose players all walk, at 20 snapshots a second; positions to 4 mm";
    let cpu = "of one core, for 50 clients; of ours the whole process, which also simulates the world at 60 Hz";
    let each = Samples::new(v2.iter().map(|round| round.cpu / PLAYERS as f64).collect());
    report.extend([
        v2_bytes.against(&their_bytes, NAME, "players.vs_colyseus_bytes", "kB/s", "0.167", bytes),
        v2_cpu.against(&their_cpu, NAME, "players.vs_colyseus_cpu", "%", "0.2", cpu),
        v2_rate.against(&their_rate, NAME, "players.snapshots_per_second", "/s", "", "that came to one client"),
        v2_bytes.against(&v1_bytes, "v1", "players.vs_v1_bytes", "kB/s", "", bytes),
        v2_cpu.against(&v1_cpu, "v1", "players.vs_v1_cpu", "%", "", cpu),
        each.row("players.cpu_per_client", "%", "", "of the same, for each client"),
    ]);
    Ok(())
}

/// Fifty bots in a new world of a new server.
fn ours(subprotocol: Subprotocol, time: Duration) -> Result<Round> {
    let server = Server::start()?;
    let http = server.http();
    let (mut world, mut bots) = (None, Vec::new());
    for number in 0..PLAYERS {
        let join = http.join(&http.login(None)?, world.as_deref())?;
        bots.push(Bot::join_by(subprotocol, &join, number as u32, Manner::Walks)?);
        world = Some(join.world_id);
    }
    let process = server.game_servers().first().copied().context("a game server runs")?.cast_unsigned();
    bot::play_for(&mut bots, WARMING)?;
    bots.iter_mut().for_each(Bot::begin);
    let (since, before) = (Instant::now(), cpu_seconds(process)?);
    bot::play_for(&mut bots, time)?;
    let (seconds, cpu) = (since.elapsed().as_secs_f64(), cpu_seconds(process)? - before);
    let sum = |of: fn(&bot::Seen) -> u64| bots.iter().map(|bot| of(&bot.seen)).sum::<u64>() as f64;
    Round::new(sum(|seen| seen.bytes), sum(|seen| seen.snapshots), seconds, cpu)
}

/// The same in a new process of theirs.
fn colyseus(time: Duration) -> Result<Round> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
    let (server, mut said) = Node::start(&["server.js", &port])?;
    wait_for(&mut said, "ready")?;
    let seconds = |time: Duration| time.as_secs().to_string();
    let (_clients, mut said) = Node::start(&["clients.js", &port, &PLAYERS.to_string(), &seconds(WARMING), &seconds(time)])?;
    wait_for(&mut said, "begin")?;
    let before = cpu_seconds(server.0.id())?;
    let seen: Value = serde_json::from_str(&said.next().context("the clients of Colyseus ended early")??)?;
    let cpu = cpu_seconds(server.0.id())? - before;
    let players = seen["players"].as_array().context("players")?;
    ensure!(players.iter().all(|player| player["seen"] == PLAYERS), "not everybody sees everybody in the room of Colyseus");
    let sum = |name: &str| players.iter().filter_map(|player| player[name].as_f64()).sum::<f64>();
    Round::new(sum("bytes"), sum("patches"), seen["seconds"].as_f64().context("seconds")?, cpu)
}

impl Round {
    /// Of sums over all clients.
    fn new(bytes: f64, snapshots: f64, seconds: f64, cpu_seconds: f64) -> Result<Self> {
        ensure!(snapshots > 0.0, "no snapshot came");
        Ok(Self {
            kilobytes_per_second: bytes / snapshots * SNAPSHOT_HZ / 1e3,
            snapshots_per_second: snapshots / PLAYERS as f64 / seconds,
            cpu: 100.0 * cpu_seconds / seconds,
        })
    }
}

/// A process of node, gone when it is dropped.
struct Node(Child);

impl Node {
    fn start(arguments: &[&str]) -> Result<(Self, Lines<BufReader<ChildStdout>>)> {
        let mut command = Command::new("node");
        command.args(arguments).current_dir(FOLDER).env("NODE_ENV", "production").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().context("node does not start")?;
        let lines = BufReader::new(child.stdout.take().context("piped")?).lines();
        Ok((Self(child), lines))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_for(said: &mut Lines<BufReader<ChildStdout>>, line: &str) -> Result<()> {
    for one in said {
        if one? == line {
            return Ok(());
        }
    }
    anyhow::bail!("a process of Colyseus ended before it said {line:?}")
}

/// Makes a folder with the peer and what it needs, once.
pub fn install() -> Result<()> {
    let folder = Path::new(FOLDER);
    std::fs::create_dir_all(folder)?;
    for file in FILES {
        std::fs::copy(Path::new(PEER).join(file), folder.join(file))?;
    }
    if !folder.join("node_modules/@colyseus/core").exists() {
        let done = Command::new("npm").args(NPM).current_dir(folder).stdin(Stdio::null()).status().context("npm does not start")?;
        ensure!(done.success(), "npm failed: players are compared with Colyseus, which needs node, npm and its packages");
    }
    Ok(())
}
