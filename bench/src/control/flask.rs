//! Logins and joins, ours and those of the least Flask application that does the same (`bench/peers/flask`), in turn.

use super::{ADMIN, TIMEOUT, connection::Connection};
use crate::report::{Effort, Report, Samples, bar};
use anyhow::{Context, Result, ensure};
use examples::{Http, Server};
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/flask");
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/benchmarks/flask");
/// Two processes for two cores, and threads that wait for the disk meanwhile.
const GUNICORN: [&str; 10] =
    ["--workers", "2", "--worker-class", "gthread", "--threads", "8", "--keep-alive", "60", "--log-level", "error"];
const NAME: &str = "Flask 3.1 on gunicorn, 2 processes of 8 threads, SQLite as durable as ours";
const ROUNDS: (usize, usize) = (7, 2);
const CONNECTIONS: usize = 8;
/// Of each connection; a player or address may have 600 at once.
const REQUESTS: (usize, usize) = (400, 40);

/// Requests a second, and milliseconds that 99 of 100 stay below.
struct Drive {
    per_second: f64,
    p99_ms: f64,
}

/// Adds the figures.
pub fn measure(report: &mut Report, effort: Effort) -> Result<()> {
    let data = tempfile::tempdir()?;
    let twin = Twin::start(data.path())?;
    let server = Server::start_with(&[("ADMIN_TOKEN", ADMIN)])?;
    let ours: SocketAddr = server.url.trim_start_matches("http://").parse()?;
    let (http, of_twin) = (server.http(), Http::new(&format!("http://{}", twin.address)));
    let world = http.join(&http.login(None)?, None)?.world_id;
    let rounds = effort.pick(ROUNDS.0, ROUNDS.1);
    let requests = effort.pick(REQUESTS.0, REQUESTS.1);
    let mut drives: [Vec<Drive>; 4] = Default::default();
    let progress = bar("logins and joins against Flask", rounds);
    for round in 0..rounds {
        drives[0].push(drive(ours, round, requests, "/login", "{}", &no_tokens())?);
        drives[1].push(drive(twin.address, round, requests, "/login", "{}", &no_tokens())?);
        let body = |world: &str| json!({ "world_id": world }).to_string();
        drives[2].push(drive(ours, round, requests, "/join", &body(&world), &tokens(&http)?)?);
        drives[3].push(drive(twin.address, round, requests, "/join", &body("world"), &tokens(&of_twin)?)?);
        progress.inc(1);
    }
    progress.finish_and_clear();
    let samples = |of: fn(&Drive) -> f64| drives.each_ref().map(|drives| Samples::new(drives.iter().map(of).collect()));
    let [login, their_login, join, their_join] = samples(|drive| drive.per_second);
    let [login_p99, their_login_p99, join_p99, their_join_p99] = samples(|drive| drive.p99_ms);
    let how = "a second, on 8 connections at once, one request after the other on each";
    let at = "the 99th percentile of them";
    report.extend([
        login.against(&their_login, NAME, "login.vs_flask", "/s", "5", format!("logins of new players {how}")),
        login_p99.against(&their_login_p99, NAME, "login.p99_ms", "ms", "", at),
        join.against(&their_join, NAME, "join.vs_flask", "/s", "5", format!("joins of a world that runs {how}")),
        join_p99.against(&their_join_p99, NAME, "join.p99_ms", "ms", "", at),
    ]);
    Ok(())
}

fn no_tokens() -> Vec<String> {
    vec![String::new(); CONNECTIONS]
}

/// Of players who have just logged in.
fn tokens(http: &Http) -> Result<Vec<String>> {
    (0..CONNECTIONS).map(|_| Ok(http.login(None)?.session_token)).collect()
}

/// The same request again and again, on a connection for each token.
fn drive(target: SocketAddr, round: usize, requests: usize, path: &str, body: &str, tokens: &[String]) -> Result<Drive> {
    let since = Instant::now();
    let times = thread::scope(|scope| -> Result<Vec<f64>> {
        let drivers: Vec<_> = (0_u8..)
            .zip(tokens)
            .map(|(number, token)| {
                let from = Ipv4Addr::new(127, 1 + u8::from(path == "/join"), 1 + round as u8, 1 + number);
                scope.spawn(move || -> Result<Vec<f64>> {
                    let mut connection = Connection::open(from, target)?;
                    let mut time = || {
                        let since = Instant::now();
                        connection.post(path, token, body)?;
                        Ok(since.elapsed().as_secs_f64() * 1e3)
                    };
                    (0..requests).map(|_| time()).collect()
                })
            })
            .collect();
        let times = drivers.into_iter().map(|driver| driver.join().map_err(|_| anyhow::anyhow!("a driver panicked"))?);
        Ok(times.collect::<Result<Vec<_>>>()?.concat())
    })?;
    let per_second = times.len() as f64 / since.elapsed().as_secs_f64();
    Ok(Drive { per_second, p99_ms: Samples::new(times).quantile(0.99) })
}

/// The Flask application, gone when it is dropped.
struct Twin {
    child: Child,
    address: SocketAddr,
}

impl Twin {
    fn start(data: &Path) -> Result<Self> {
        let programs = install()?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let child = Command::new(programs.join("gunicorn"))
            .args(GUNICORN)
            .args(["--bind", &address.to_string(), "app:app"])
            .current_dir(PEER)
            .env("DATABASE", data.join("twin.sqlite"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .spawn()
            .context("gunicorn does not start")?;
        let twin = Self { child, address };
        let (http, deadline) = (Http::new(&format!("http://{address}")), Instant::now() + TIMEOUT);
        while http.login(None).is_err() {
            ensure!(Instant::now() < deadline, "the Flask twin does not answer");
            thread::sleep(Duration::from_millis(50));
        }
        Ok(twin)
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        let _ = rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), rustix::process::Signal::TERM);
        let _ = self.child.wait();
    }
}

/// Makes an environment with what the twin needs, once; answers where its programs are.
fn install() -> Result<PathBuf> {
    let programs = Path::new(FOLDER).join("bin");
    let run = |command: &mut Command| -> Result<()> {
        let done = command.stdin(Stdio::null()).status().with_context(|| format!("{command:?} does not start"))?;
        ensure!(done.success(), "{command:?} failed: the control plane is compared with Flask, which needs python3-venv and its packages");
        Ok(())
    };
    if !programs.join("gunicorn").exists() {
        run(Command::new("python3").args(["-m", "venv", FOLDER]))?;
        run(Command::new(programs.join("pip")).args(["install", "--quiet", "-r", &format!("{PEER}/requirements.txt")]))?;
    }
    Ok(programs)
}
