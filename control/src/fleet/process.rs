//! One game server's process: started with its secrets, listened to, and ended.

use super::{Birth, Fleet};
use crate::{
    ids::WorldId,
    limits::{GAME_PORT_FIRST, SERVER_LINE_BYTES_MAX, SERVER_START_ATTEMPTS_MAX, SERVER_START_TIME_MAX},
};
use std::{io::Write, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

/// A game server that listens.
pub struct HostProcess {
    /// Where.
    pub port: u16,
    child: Child,
    /// Held open: its end tells the server to drain.
    stdin: Option<ChildStdin>,
}

/// What of our environment a game server may see: never our secrets.
const ENVIRONMENT_PASSED: [&str; 6] = ["PATH", "RUST_LOG", "RUST_BACKTRACE", "NO_COLOR", "TICK_THREADS", "WORLD_WASI"];

impl HostProcess {
    /// Starts this world's server and waits until it listens: `SERVER_START_TIME_MAX` at most, trying further ports when it ends before.
    pub async fn start(fleet: &Fleet, birth: &Birth) -> Result<Self, String> {
        timeout(SERVER_START_TIME_MAX, Self::try_ports(fleet, birth))
            .await
            .unwrap_or_else(|_| Err(format!("it did not listen within {} s", SERVER_START_TIME_MAX.as_secs())))
    }

    async fn try_ports(fleet: &Fleet, birth: &Birth) -> Result<Self, String> {
        let world = &birth.world;
        let (mut port, mut reason) = (GAME_PORT_FIRST - 1, String::new());
        for _ in 0..SERVER_START_ATTEMPTS_MAX {
            port = fleet.take_port(world, port).ok_or("no port is free")?;
            match Self::try_port(fleet, birth, port).await {
                Ok(host) => return Ok(host),
                // What is wrong with the world is wrong on every port.
                Err(Failure::World(why)) => return Err(why),
                Err(Failure::Port(why)) => reason = why,
            }
            tracing::warn!(%world, port, reason = ?reason, "game server did not start");
        }
        Err(reason)
    }

    async fn try_port(fleet: &Fleet, birth: &Birth, port: u16) -> Result<Self, Failure> {
        let Birth { world, secret, .. } = birth;
        let spawned = command(fleet, birth, port).spawn();
        let mut child = spawned.map_err(|error| Failure::Port(format!("{}: {error}", fleet.program.display())))?;
        let mut stdin = child.stdin.take().expect("stdin is piped");
        let stderr = child.stderr.take().expect("stderr is piped");
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        tokio::spawn(pass_on(BufReader::new(stderr), world.clone()));
        let mut secrets = serde_json::to_vec(&fleet.secrets(secret)).expect("secrets are plain text");
        secrets.push(b'\n');
        // A server that ended already reads nothing; the missing port says so.
        stdin.write_all(&secrets).await.ok();
        match announced_port(&mut stdout, world).await {
            Some(Announced::Port(port)) => {
                tokio::spawn(pass_on(stdout, world.clone()));
                Ok(Self { port, child, stdin: Some(stdin) })
            }
            Some(Announced::Error(why)) => Err(Failure::World(why)),
            None => Err(Failure::Port(format!("it ended before it listened ({})", ending(child.wait().await)))),
        }
    }

    /// Waits until the server ends by itself; tells how.
    pub async fn ended(&mut self) -> String {
        format!("it ended by itself ({})", ending(self.child.wait().await))
    }

    /// Tells the server to drain, waits for its end, and makes one where it does not come in time.
    pub async fn drain(mut self, time_max: Duration) {
        drop(self.stdin.take());
        if timeout(time_max, self.child.wait()).await.is_err() {
            tracing::warn!(port = self.port, "game server did not drain in time and is killed");
            self.child.kill().await.ok();
        }
    }
}

fn command(fleet: &Fleet, birth: &Birth, port: u16) -> Command {
    let Birth { world, generation, wasi, .. } = birth;
    let mut command = Command::new(&fleet.program);
    command.arg("--port").arg(port.to_string()).arg("--world").arg(world.as_str()).arg("--control-plane").arg(fleet.control_plane_url());
    command.arg("--save").arg(fleet.world_file(world)).arg("--generation").arg(generation.name());
    command.arg("--artifacts").arg(fleet.artifacts());
    command.env_clear().envs(ENVIRONMENT_PASSED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    if *wasi {
        command.env("WORLD_WASI", "true");
    }
    // It listens where we do.
    command.env("HOST", fleet.address.ip().to_string());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A group of its own: ctrl-c in a terminal reaches us alone, and we drain it.
    command.process_group(0).kill_on_drop(true);
    command
}

/// Why a server did not start.
enum Failure {
    /// Another port may do.
    Port(String),
    /// The world cannot be run.
    World(String),
}

/// What a server says of itself on its standard output.
enum Announced {
    /// `GAMESERVER_PORT=<n>`: it listens.
    Port(u16),
    /// `GAMESERVER_ERROR=<why>`: it cannot run this world.
    Error(String),
}

/// Reads the output up to the announcement; nothing where it ends before.
async fn announced_port(stdout: &mut BufReader<ChildStdout>, world: &WorldId) -> Option<Announced> {
    while let Some(line) = line(stdout).await {
        if let Some(port) = line.trim().strip_prefix("GAMESERVER_PORT=").and_then(|port| port.parse().ok()) {
            return Some(Announced::Port(port));
        }
        if let Some(why) = line.trim().strip_prefix("GAMESERVER_ERROR=") {
            return Some(Announced::Error(why.to_owned()));
        }
        tell(world, &line);
    }
    None
}

/// Passes a server's output on to our standard error, line by line under its world's name.
async fn pass_on(mut output: BufReader<impl AsyncRead + Unpin>, world: WorldId) {
    while let Some(line) = line(&mut output).await {
        tell(&world, &line);
    }
}

/// Not by eprintln!, which panics once nobody reads our standard error: the server would lose its own with it.
fn tell(world: &WorldId, line: &str) {
    writeln!(std::io::stderr(), "[{world}] {line}").ok();
}

async fn line(output: &mut BufReader<impl AsyncRead + Unpin>) -> Option<String> {
    let mut line = Vec::new();
    let count = output.take(SERVER_LINE_BYTES_MAX).read_until(b'\n', &mut line).await.ok()?;
    (count > 0).then(|| String::from_utf8_lossy(&line).trim_end().to_owned())
}

fn ending(status: std::io::Result<std::process::ExitStatus>) -> String {
    status.map_or_else(|error| error.to_string(), |status| status.to_string())
}
