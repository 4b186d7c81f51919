//! The real process: what it prints when clients may come, and how it ends.

use crate::client::{Client, DEADLINE};
use crate::control_plane::{ControlPlane, TicketOffice, WORLD, client_id, push, secrets};
use host::subprotocol::Subprotocol;
use protocol::link::Push;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub const HOST: &str = env!("CARGO_BIN_EXE_ugc-host");

/// A game server that lets clients in.
pub struct Process {
    pub child: Killed,
    pub stdin: ChildStdin,
    pub port: u16,
    pub office: TicketOffice,
    pub folder: Arc<TempDir>,
    pub stream: TcpStream,
    pub control_plane: ControlPlane,
    pub log: Log,
}

/// One that ended before it let anybody in.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    /// On both outputs.
    pub said: String,
}

/// A process that does not outlive its test, also where that fails.
pub struct Killed(pub Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Killed {
    /// Sends it a signal, by name.
    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").args(["-s", name, &self.0.id().to_string()]).status().expect("kill runs").success());
    }

    pub fn wait(&mut self) -> ExitStatus {
        self.0.wait().expect("it ends")
    }

    /// kill -9.
    pub fn kill(&mut self) {
        self.0.kill().expect("it runs");
        self.wait();
    }
}

/// What a process says on standard error, line by line.
pub struct Log(Receiver<String>);

impl Log {
    fn of(stderr: ChildStderr) -> Self {
        let (sender, lines) = channel();
        std::thread::spawn(move || BufReader::new(stderr).lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self(lines)
    }

    /// The next line with these words.
    pub fn wait_for(&self, words: &str) -> String {
        let started = Instant::now();
        let mut said = Vec::new();
        while let Ok(line) = self.0.recv_timeout(DEADLINE.saturating_sub(started.elapsed())) {
            if line.contains(words) {
                return line;
            }
            said.push(line);
        }
        panic!("it never said {words:?}, but: {said:#?}")
    }

    /// All until it ends.
    pub fn rest(&self) -> String {
        self.0.iter().collect::<Vec<_>>().join("\n")
    }
}

pub fn start() -> Process {
    start_over(Arc::new(tempfile::tempdir().expect("a folder")))
}

/// Over the file that an earlier process has left there.
pub fn start_over(folder: Arc<TempDir>) -> Process {
    start_as(Command::new(HOST), folder)
}

/// By this command, to which its arguments are added.
pub fn start_as(command: Command, folder: Arc<TempDir>) -> Process {
    try_start(command, folder).unwrap_or_else(|ended| panic!("it does not start: {ended:?}"))
}

pub fn try_start(mut command: Command, folder: Arc<TempDir>) -> Result<Process, Ended> {
    let (office, control_plane) = (TicketOffice::new(), ControlPlane::start());
    let address = format!("http://{}", control_plane.address);
    command.args(["--port", "0", "--world", WORLD, "--control-plane", &address, "--save"]).arg(save(&folder));
    let mut child = Killed(
        command.env_remove("HOST").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs"),
    );
    let log = Log::of(child.0.stderr.take().expect("piped"));
    let mut stdout = BufReader::new(child.0.stdout.take().expect("piped"));
    let mut stdin = child.0.stdin.take().expect("piped");
    // One that has ended already reads nothing, and that is told below.
    let _ = writeln!(stdin, "{}", serde_json::to_string(&secrets(&office)).expect("JSON"));
    let mut stream = loop {
        if let Some((_, stream)) = control_plane.stream_within(Duration::from_millis(20)) {
            break stream;
        }
        if let Some(status) = child.0.try_wait().expect("a child of ours") {
            let said = std::io::read_to_string(stdout).expect("text") + &log.rest();
            return Err(Ended { status, said });
        }
    };
    push(&mut stream, &Push::Synced { sequence: 0, complete: true });
    let mut line = String::new();
    stdout.read_line(&mut line).expect("it prints its port");
    let port = line.trim().strip_prefix("GAMESERVER_PORT=").and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("{line:?}"));
    Ok(Process { child, stdin, port, office, folder, stream, control_plane, log })
}

pub fn save(folder: &TempDir) -> PathBuf {
    folder.path().join("world.sqlite")
}

impl Process {
    /// A client that is in.
    pub fn join(&self, name: &str) -> Client {
        let mut client = Client::connect(([127, 0, 0, 1], self.port).into(), Subprotocol::Json);
        client.handshake(&self.office.ticket(name), &client_id(name));
        client.wait_for(101, |_| true);
        client
    }

    /// Told to, it ends well.
    pub fn end(mut self) {
        self.child.signal("TERM");
        assert!(self.child.wait().success(), "{}", self.log.rest());
    }
}

#[test]
fn the_process_goes_on_when_its_parent_is_gone() {
    let process = start();
    let mut client = process.join("kim");
    let Process { mut child, stdin, stream, control_plane, .. } = process;
    drop((stdin, stream, control_plane));
    let before = client.tick();
    client.wait_for(101, |snapshot| snapshot["server_tick"].as_u64() > Some(before + 120));
    child.signal("TERM");
    assert!(child.wait().success());
    assert_eq!(client.wait_for_close().0, 1001);
}

#[test]
fn the_process_ends_cleanly_on_sigterm() {
    let process = start();
    let mut client = process.join("kim");
    process.end();
    assert_eq!(client.wait_for_close().0, 1001);
}

#[test]
fn a_process_without_secrets_says_so_and_ends() {
    let output = Command::new(HOST)
        .args(["--port", "0", "--world", WORLD, "--control-plane", "http://127.0.0.1:1", "--save", "/nowhere"])
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("cannot read the secrets from standard input"), "{said}");
}

/// kill -9 in the middle of things: what was acknowledged more than a second before is there again, and the ids go on.
#[test]
fn an_edit_that_is_a_second_old_survives_a_kill() {
    let mut process = start();
    let mut client = process.join("kim");
    client.terraform([8.0, 1.0, 0.0], 1.0, 1);
    let applied = client.wait_for(106, |_| true)["server_tick"].as_u64().expect("a tick");
    // A second of the world's time, not of the test's.
    client.wait_for(101, |snapshot| snapshot["server_tick"].as_u64() > Some(applied + 60));
    process.child.kill();

    let second = start_over(process.folder.clone());
    assert_eq!(second.join("kim").chunk([0, 0, 0])["version"], 2);
    second.end();
}
