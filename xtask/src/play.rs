//! `cargo xtask play`: from a clone to a running server with a first spell cast in it.

use crate::{dist, release, root, setup};
use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGCHLD, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where players expect the server.
const PORT: u16 = 5000;
/// How many ports are tried from there.
const PORTS_TRIED: u16 = 100;
/// A control plane is healthy within 5 s; a busy machine gets some more.
const HEALTHY_WITHIN: Duration = Duration::from_secs(20);
/// Between two questions whether it is.
const HEALTH_INTERVAL: Duration = Duration::from_millis(50);

/// Sets up, builds, starts, casts; then stays until ctrl-c, or with `once` stops.
pub fn run(once: bool) -> Result<()> {
    setup::to_play()?;
    dist::run()?;
    let mut server = Server::start()?;
    let played = server.wait_until_healthy().and_then(|()| first_cast(&server.url));
    if played.is_ok() && !once {
        announce(&server);
        server.wait_for_end()?;
    }
    server.stop()?;
    played
}

/// A control plane with its data in ./data.
struct Server {
    child: Child,
    url: String,
    log: PathBuf,
    signals: Signals,
}

impl Server {
    fn start() -> Result<Self> {
        let port = free_port()?;
        let data = root().join("data");
        fs::create_dir_all(&data)?;
        let log = data.join("ugc-control.log");
        let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let signals = Signals::new([SIGINT, SIGTERM, SIGCHLD])?;
        let child = Command::new(release().join("ugc-control"))
            .env("HOST", "127.0.0.1")
            .env("PORT", port.to_string())
            .env("DATA_DIR", &data)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // A group of its own: ctrl-c reaches us alone, and we ask it to drain.
            .process_group(0)
            .spawn()
            .context("cannot start target/release/ugc-control")?;
        Ok(Self { child, url: format!("http://127.0.0.1:{port}"), log, signals })
    }

    fn wait_until_healthy(&mut self) -> Result<()> {
        let deadline = Instant::now() + HEALTHY_WITHIN;
        while !is_healthy(&self.url) {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended at its start ({status}):\n{}", fs::read_to_string(&self.log)?);
            }
            ensure!(Instant::now() < deadline, "the server is not healthy after {HEALTHY_WITHIN:?}; its log: {}", self.log.display());
            std::thread::sleep(HEALTH_INTERVAL);
        }
        Ok(())
    }

    /// Blocks until ctrl-c, SIGTERM, or the end of the server.
    fn wait_for_end(&mut self) -> Result<()> {
        for signal in self.signals.forever() {
            if signal != SIGCHLD {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended by itself ({status}); its log: {}", self.log.display());
            }
        }
        Ok(())
    }

    fn stop(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_none() {
            eprintln!("\nstopping: game servers drain");
            kill_process(Pid::from_child(&self.child), Signal::TERM)?;
            self.child.wait()?;
        }
        Ok(())
    }
}

fn announce(server: &Server) {
    println!();
    println!("  play     {}/", server.url);
    println!("  spells   {}/minimal.html", server.url);
    println!("  health   {}/healthz", server.url);
    println!("  log      {}", server.log.display());
    println!("  stop     ctrl-c");
}

fn first_cast(url: &str) -> Result<()> {
    println!();
    let status = Command::new(release().join("examples/first_cast")).args(["--url", url]).current_dir(root()).status()?;
    ensure!(status.success(), "first_cast ended with {status}");
    Ok(())
}

/// The usual port, or the next that is free.
fn free_port() -> Result<u16> {
    let free = (PORT..PORT + PORTS_TRIED).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    let port = free.with_context(|| format!("no free port from {PORT} to {}", PORT + PORTS_TRIED - 1))?;
    if port != PORT {
        eprintln!("port {PORT} is taken: using {port}");
    }
    Ok(port)
}

/// Asks `/healthz`. One request is not worth an HTTP library in a program that every task compiles first.
fn is_healthy(url: &str) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(url.trim_start_matches("http://"))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}
