//! The real process: what it prints when clients may come, and how it ends.

use crate::client::Client;
use crate::control_plane::{ControlPlane, TicketOffice, WORLD, client_id, push, secrets};
use protocol::link::Push;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, Command, Stdio};
use tempfile::TempDir;

struct Process {
    child: Child,
    stdin: ChildStdin,
    port: u16,
    office: TicketOffice,
    folder: TempDir,
    stream: TcpStream,
}

fn start() -> Process {
    start_over(tempfile::tempdir().expect("a folder"))
}

/// Over the file that an earlier process has left there.
fn start_over(folder: TempDir) -> Process {
    let (office, control_plane) = (TicketOffice::new(), ControlPlane::start());
    let address = format!("http://{}", control_plane.address);
    let mut child = Command::new(env!("CARGO_BIN_EXE_ugc-host"))
        .args(["--port", "0", "--world", WORLD, "--control-plane", &address, "--save"])
        .arg(folder.path().join("world.sqlite"))
        .env_remove("HOST")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary runs");
    let mut stdin = child.stdin.take().expect("piped");
    writeln!(stdin, "{}", serde_json::to_string(&secrets(&office)).expect("JSON")).expect("it reads its secrets");
    let (_, mut stream) = control_plane.stream();
    push(&mut stream, &Push::Synced { sequence: 0, complete: true });
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("it prints its port");
    let port = line.trim().strip_prefix("GAMESERVER_PORT=").and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("{line:?}"));
    Process { child, stdin, port, office, folder, stream }
}

fn terminate(child: &Child) {
    assert!(Command::new("kill").arg(child.id().to_string()).status().expect("kill runs").success());
}

/// Told to, it ends well.
fn end(mut child: Child) {
    terminate(&child);
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn the_process_goes_on_when_its_parent_is_gone() {
    let Process { child, stdin, port, office, folder: _folder, stream } = start();
    let mut client = Client::connect(([127, 0, 0, 1], port).into());
    client.handshake(&office.ticket("kim"), &client_id("kim"));
    client.wait_for(101, |_| true);
    drop((stdin, stream));
    let tick = |client: &mut Client| client.wait_for(101, |_| true)["server_tick"].as_u64().expect("a tick");
    let before = tick(&mut client);
    client.wait_for(101, |snapshot| snapshot["server_tick"].as_u64() > Some(before + 120));
    end(child);
    assert_eq!(client.wait_for_close().0, 1001);
}

#[test]
fn the_process_ends_cleanly_on_sigterm() {
    let Process { mut child, stdin: _stdin, port, office, folder: _folder, stream: _stream } = start();
    let mut client = Client::connect(([127, 0, 0, 1], port).into());
    client.handshake(&office.ticket("kim"), &client_id("kim"));
    client.wait_for(101, |_| true);
    terminate(&child);
    assert_eq!(client.wait_for_close().0, 1001);
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn a_process_without_secrets_says_so_and_ends() {
    let output = Command::new(env!("CARGO_BIN_EXE_ugc-host"))
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
    let Process { mut child, stdin: _stdin, port, office, folder, stream: _stream } = start();
    let mut client = Client::connect(([127, 0, 0, 1], port).into());
    client.handshake(&office.ticket("kim"), &client_id("kim"));
    client.wait_for(101, |_| true);
    client.terraform([8.0, 1.0, 0.0], 1.0, 1);
    let applied = client.wait_for(106, |_| true)["server_tick"].as_u64().expect("a tick");
    // A second of the world's time, not of the test's.
    client.wait_for(101, |snapshot| snapshot["server_tick"].as_u64() > Some(applied + 60));
    child.kill().expect("it runs");
    child.wait().expect("it ends");

    let Process { child: second, stdin, port, office, folder: _folder, stream: _stream } = start_over(folder);
    let mut client = Client::connect(([127, 0, 0, 1], port).into());
    client.handshake(&office.ticket("kim"), &client_id("kim"));
    assert_eq!(client.chunk([0, 0, 0])["version"], 2);
    drop(stdin);
    end(second);
}
