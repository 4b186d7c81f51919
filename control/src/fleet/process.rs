//! One game server's process: started with its secrets or adopted, and ended.

use super::{
    Birth, Fleet, in_short,
    log::{self, Following, Tail},
    record::{self, Record},
};
use crate::{
    ids::WorldId,
    keys,
    limits::{ADOPTED_CHECK_INTERVAL, GAME_PORT_FIRST, SERVER_LINE_BYTES_MAX, SERVER_START_ATTEMPTS_MAX, SERVER_START_TIME_MAX},
};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};
use std::{
    os::fd::OwnedFd,
    process::{ExitStatus, Stdio},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

/// A game server that listens.
pub struct HostProcess {
    /// Where.
    pub port: u16,
    /// Names this life of it.
    pub server_id: String,
    /// Its process.
    pub process: Pid,
    body: Body,
    /// Passes its log on as long as we know it.
    _log: Following,
}

/// How its end is heard of.
enum Body {
    /// We have started it.
    Child(Started),
    /// One before us has: a hold on it, and when it began.
    Adopted(OwnedFd, u64),
}

/// What of our environment a game server may see: never our secrets.
const ENVIRONMENT_PASSED: [&str; 7] =
    ["PATH", "RUST_LOG", "RUST_BACKTRACE", "NO_COLOR", "TICK_THREADS", "WORLD_WASI", "CONNECTIONS_PER_ADDRESS"];

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
                // What is wrong with the world, or with the program, is wrong on every port.
                Err(Failure::EveryPort(why)) => return Err(why),
                Err(Failure::Port(why)) => reason = why,
            }
            tracing::warn!(%world, port, reason = ?reason, "game server did not start");
        }
        Err(reason)
    }

    async fn try_port(fleet: &Fleet, birth: &Birth, port: u16) -> Result<Self, Failure> {
        let Birth { world, secret, .. } = birth;
        let (server_id, log) = (hex::encode(keys::random::<8>()), fleet.log_file(world));
        let file = log::open(&log).map_err(|error| Failure::Port(in_short(world, "its log cannot be written", &error)))?;
        // From here on: what it says while it starts is passed on too.
        let tail = Tail::new(world, log, fleet.lines.clone()).follow();
        let spawned = command(fleet, birth, port).stderr(file).spawn();
        let child = spawned.map_err(|error| {
            let why = format!("{}: {error}", fleet.program.display());
            Failure::Port(in_short(world, "its program does not start", &why))
        })?;
        // Whoever gives up waiting takes it with them.
        let mut started = Started { child, outlives: false };
        let child = &mut started.child;
        let process = child.id().and_then(|id| Pid::from_raw(id.cast_signed())).ok_or_else(|| Failure::Port("it ended at once".into()))?;
        let mut stdin = child.stdin.take().expect("stdin is piped");
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let mut secrets = serde_json::to_vec(&fleet.secrets(&server_id, secret)).expect("secrets are plain text");
        secrets.push(b'\n');
        // A server that ended already reads nothing; the missing port says so.
        stdin.write_all(&secrets).await.ok();
        drop(stdin);
        match announced_port(&mut stdout, world).await {
            Some(Announced::Port(port)) => {
                started.outlives = true;
                Ok(Self { port, server_id, process, body: Body::Child(started), _log: tail })
            }
            Some(Announced::Error(why)) => Err(Failure::EveryPort(in_short(world, "it cannot use what is saved of this world", &why))),
            None => Err(unannounced(world, child.wait().await)),
        }
    }

    /// A server that somebody before us has started, if it still runs.
    pub fn adopt(fleet: &Fleet, record: &Record) -> Option<Self> {
        let process = Pid::from_raw(record.process)?;
        let handle = pidfd_open(process, PidfdFlags::empty()).ok()?;
        // Looked at after it was taken hold of: it is the one that was written down, and not another with its number.
        if !record.is_alive() {
            return None;
        }
        let tail = Tail::new(&record.world_id, fleet.log_file(&record.world_id), fleet.lines.clone()).follow();
        Some(Self {
            port: record.port,
            server_id: record.server_id.clone(),
            process,
            body: Body::Adopted(handle, record.began),
            _log: tail,
        })
    }

    /// Waits until the server ends; tells how.
    pub async fn ended(&mut self) -> String {
        match &mut self.body {
            Body::Child(started) => ending(started.child.wait().await),
            // How it does is its parent's to know, and that is gone.
            Body::Adopted(_, began) => {
                while record::began(self.process.as_raw_nonzero().get()) == Some(*began) {
                    tokio::time::sleep(ADOPTED_CHECK_INTERVAL).await;
                }
                "ended".into()
            }
        }
    }

    /// Tells the server to drain.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends it now.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        // A child's number is its own until it was waited for; an adopted one's is held by its handle.
        let sent = match &self.body {
            Body::Child(started) if started.child.id().is_none() => Ok(()),
            Body::Child(_) => kill_process(self.process, signal),
            Body::Adopted(handle, _) => pidfd_send_signal(handle, signal),
        };
        if let Err(error) = sent {
            tracing::debug!(process = self.process.as_raw_nonzero(), %error, "a game server had ended already");
        }
    }
}

/// A process that we have started: until it listens, it goes with whoever waits for that; from then on it outlives us.
struct Started {
    child: Child,
    outlives: bool,
}

impl Drop for Started {
    fn drop(&mut self) {
        if !self.outlives {
            self.child.start_kill().ok();
        }
    }
}

fn command(fleet: &Fleet, birth: &Birth, port: u16) -> Command {
    let Birth { world, generation, wasi, .. } = birth;
    let mut command = Command::new(&fleet.program);
    command.arg("--port").arg(port.to_string()).arg("--world").arg(world.as_str()).arg("--control-plane").arg(fleet.control_plane_url());
    command.arg("--save").arg(fleet.world_file(world)).arg("--generation").arg(generation.name());
    command.arg("--metrics").arg(format!("127.0.0.1:{}", super::metrics_port(port)));
    command.arg("--artifacts").arg(fleet.artifacts());
    command.env_clear().envs(ENVIRONMENT_PASSED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    if *wasi {
        command.env("WORLD_WASI", "true");
    }
    // Whose pages may ask us may play.
    command.env("ORIGINS", &fleet.origins);
    // It listens where we do.
    command.env("HOST", fleet.address.ip().to_string());
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    // A group of its own: ctrl-c in a terminal reaches us alone, and we drain it. It outlives us: whoever comes after us adopts it.
    command.process_group(0);
    command
}

/// Why a server did not start, in words for whoever wants to play there.
enum Failure {
    /// Another port may do.
    Port(String),
    /// No other one will.
    EveryPort(String),
}

/// A program's exit code where it does not understand its command line.
const USAGE: i32 = 2;

/// Why a server has ended without having announced anything.
fn unannounced(world: &WorldId, status: std::io::Result<ExitStatus>) -> Failure {
    if status.as_ref().is_ok_and(|status| status.code() == Some(USAGE)) {
        let why = "ugc-host does not understand its command line: take both programs from one `cargo xtask dist`";
        return Failure::EveryPort(in_short(world, "its program and the control plane are of different versions", &why));
    }
    Failure::Port(format!("it ended before it listened ({}); the server's log says why", ending(status)))
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
        log::tell(world, &line);
    }
    None
}

async fn line(output: &mut BufReader<impl AsyncRead + Unpin>) -> Option<String> {
    let mut line = Vec::new();
    let count = output.take(SERVER_LINE_BYTES_MAX).read_until(b'\n', &mut line).await.ok()?;
    (count > 0).then(|| String::from_utf8_lossy(&line).trim_end().to_owned())
}

fn ending(status: std::io::Result<ExitStatus>) -> String {
    status.map_or_else(|error| error.to_string(), |status| status.to_string())
}
