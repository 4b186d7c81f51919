//! A server of one's own: the real `ugc-control` with an empty data folder, gone when the value is dropped.

use crate::Http;
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The control plane is healthy within 5 s; a busy machine gets some more.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// A drain is over within 5 s, then game servers are killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(8);
/// Between two questions whether a starting server answers.
const HEALTH_INTERVAL: Duration = Duration::from_millis(20);

/// A running control plane with its game servers.
#[derive(Debug)]
pub struct Server {
    /// `http://127.0.0.1:<port>`.
    pub url: String,
    /// Its data folder.
    pub data: PathBuf,
    port: u16,
    environment: Vec<(String, String)>,
    child: Child,
    log: Arc<Log>,
    // Dropped last: the processes are gone by then.
    _folder: tempfile::TempDir,
}

/// What a process has printed so far, and whether more can come.
#[derive(Debug, Default)]
struct Log {
    state: Mutex<LogState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct LogState {
    lines: Vec<String>,
    streams_ended: usize,
}

impl Server {
    /// Starts the binaries beside this program (or in a folder above it), on a free port; returns once it is healthy.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// The same, with further environment variables.
    pub fn start_with(environment: &[(&str, &str)]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let environment: Vec<(String, String)> =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (child, log) = launch(port, &data, &environment)?;
        let mut server = Self { url: format!("http://127.0.0.1:{port}"), data, port, environment, child, log, _folder: folder };
        server.wait_until_healthy()?;
        Ok(server)
    }

    /// Kills the control plane, without a word to it. Its game servers go on.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Starts it again over the same data and port, once it was killed or stopped; returns once it is healthy.
    pub fn start_again(&mut self) -> Result<()> {
        (self.child, self.log) = launch(self.port, &self.data, &self.environment)?;
        self.wait_until_healthy()
    }

    /// The processes of its game servers, whoever has started them.
    pub fn game_servers(&self) -> Vec<i32> {
        let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
        let folder = self.data.to_string_lossy().into_owned();
        let serves = |process: &i32| {
            let line = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line);
            line.contains("ugc-host") && line.contains(&folder)
        };
        processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).filter(serves).collect()
    }

    /// A client of it.
    pub fn http(&self) -> Http {
        Http::new(&self.url)
    }

    /// The control plane's process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How many lines it has logged so far: a bookmark for [`Self::wait_for_line`].
    pub fn line_count(&self) -> usize {
        self.log.lock().lines.len()
    }

    /// Waits for a line of the log, from bookmark `from` on, that contains all of `words`.
    pub fn wait_for_line(&self, from: usize, words: &[&str], timeout: Duration) -> Result<String> {
        let deadline = Instant::now() + timeout;
        let mut state = self.log.lock();
        loop {
            if let Some(line) = state.lines.iter().skip(from).find(|line| words.iter().all(|word| line.contains(word))) {
                return Ok(line.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || state.ended() {
                bail!("no line of the log has {words:?}; the log since then:\n{}", state.lines[from.min(state.lines.len())..].join("\n"));
            }
            state = self.log.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Everything logged so far.
    pub fn log(&self) -> String {
        self.log.lock().lines.join("\n")
    }

    /// Asks it to drain and waits until it has; answers whether it did so in time and with exit code 0.
    pub fn stop(&mut self) -> Result<bool> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(status.success());
        }
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        // The end of both its streams is the end of the process, or a moment before it.
        if self.log.wait_for_end(STOP_TIMEOUT) {
            return Ok(self.child.wait()?.success());
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(false)
    }

    /// Kills the game servers of its worlds, if any are left.
    fn kill_game_servers(&self) {
        for process in self.game_servers() {
            let _ = Pid::from_raw(process).map(|process| kill_process(process, Signal::KILL));
        }
    }

    fn wait_until_healthy(&mut self) -> Result<()> {
        let http = self.http();
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            if http.get("/healthz", None).is_ok_and(|reply| reply.status == 200) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                self.log.wait_for_end(Duration::from_secs(1));
                bail!("ugc-control ended at its start ({status}):\n{}", self.log());
            }
            if Instant::now() > deadline {
                bail!("ugc-control is not healthy after {START_TIMEOUT:?}:\n{}", self.log());
            }
            std::thread::sleep(HEALTH_INTERVAL);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop();
        // Of a control plane that was killed, game servers go on.
        self.kill_game_servers();
    }
}

impl Log {
    fn lock(&self) -> std::sync::MutexGuard<'_, LogState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for_end(&self, timeout: Duration) -> bool {
        let state = self.lock();
        let (state, _) = self.changed.wait_timeout_while(state, timeout, |state| !state.ended()).unwrap_or_else(PoisonError::into_inner);
        state.ended()
    }
}

impl LogState {
    fn ended(&self) -> bool {
        self.streams_ended == 2
    }
}

/// A control plane's process, and its log.
fn launch(port: u16, data: &Path, environment: &[(String, String)]) -> Result<(Child, Arc<Log>)> {
    let binary = shipped("ugc-control")?;
    let mut child = Command::new(&binary)
        .env("HOST", "127.0.0.1")
        .env("PORT", port.to_string())
        .env("DATA_DIR", data)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", binary.display()))?;
    let log = Arc::new(Log::default());
    follow(child.stdout.take(), &log);
    follow(child.stderr.take(), &log);
    Ok((child, log))
}

/// A program that `cargo xtask dist` made, by its path in target/release. That folder is looked for where this program is and above.
pub fn shipped(name: &str) -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let folder = program.ancestors().skip(1).take(3).find(|folder| folder.join("sdk/toolchain.json").exists());
    let path = folder.map(|folder| folder.join(name)).filter(|path| path.exists());
    path.with_context(|| format!("no {name} with an sdk/ beside {} or above it: run `cargo xtask dist` first", program.display()))
}

/// Copies a stream's lines into the log on a thread of its own, so that the process never waits for us.
fn follow(stream: Option<impl Read + Send + 'static>, log: &Arc<Log>) {
    let Some(stream) = stream else { return };
    let log = Arc::clone(log);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            log.lock().lines.push(line);
            log.changed.notify_all();
        }
        log.lock().streams_ended += 1;
        log.changed.notify_all();
    });
}
