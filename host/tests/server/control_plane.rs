//! A fake control plane that serves one world's stream and takes its reports, and a world that runs against it.

use crate::client::{Client, DEADLINE};
use host::server::{Config, Server, StartError};
use pasetors::claims::Claims;
use pasetors::keys::{AsymmetricKeyPair, Generate};
use pasetors::version4::{PublicToken, V4};
use protocol::Sha256Hex;
use protocol::link::{self, Push, Report, Secrets};
use protocol::ticket::TICKET_PURPOSE;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

pub const WORLD: &str = "world_0a1b2c3d";
pub const SERVER: &str = "the server's first life";
pub const SECRET: &str = "the server's secret";

/// Listens on a port of its own until the test's process ends.
pub struct ControlPlane {
    pub address: SocketAddr,
    /// Each stream that the server opened: its query, and where pushes go.
    streams: Receiver<(String, TcpStream)>,
    reports: Receiver<Vec<Report>>,
    artifacts: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl ControlPlane {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (stream_sender, streams) = channel();
        let (report_sender, reports) = channel();
        let artifacts = Arc::<Mutex<BTreeMap<String, Vec<u8>>>>::default();
        let served = artifacts.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (stream_sender, report_sender, served) = (stream_sender.clone(), report_sender.clone(), served.clone());
                std::thread::spawn(move || serve(stream, &stream_sender, &report_sender, &served));
            }
        });
        Self { address, streams, reports, artifacts }
    }

    /// From now on it has these bytes; answers their hash.
    pub fn offer(&self, artifact: &[u8]) -> Sha256Hex {
        let hash = Sha256Hex::of(artifact);
        self.artifacts.lock().expect("nobody panicked").insert(hash.to_string(), artifact.to_vec());
        hash
    }

    /// The next stream that the server opens.
    pub fn stream(&self) -> (String, TcpStream) {
        self.streams.recv_timeout(DEADLINE).expect("the server opens a stream")
    }

    /// The next report for which `wanted` holds.
    pub fn report(&self, wanted: impl Fn(&Report) -> bool) -> Report {
        loop {
            let reports = self.reports.recv_timeout(DEADLINE).expect("the server reports");
            if let Some(report) = reports.into_iter().find(&wanted) {
                return report;
            }
        }
    }
}

pub fn push(stream: &mut TcpStream, push: &Push) {
    stream.write_all(&link::encode(push)).expect("the server reads its stream");
}

fn serve(
    stream: TcpStream,
    streams: &Sender<(String, TcpStream)>,
    reports: &Sender<Vec<Report>>,
    artifacts: &Mutex<BTreeMap<String, Vec<u8>>>,
) {
    let mut reader = BufReader::new(stream);
    while let Some((first, length)) = read_head(&mut reader) {
        if first.starts_with(&format!("GET /internal/worlds/{WORLD}/stream?")) {
            let mut stream = reader.into_inner();
            stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").expect("the server reads");
            let _ = streams.send((first, stream));
            return;
        }
        if let Some(asked) = first.strip_prefix(&format!("GET /internal/worlds/{WORLD}/artifacts/")) {
            let hash = asked.split(' ').next().unwrap_or_default();
            let artifact = artifacts.lock().expect("nobody panicked").get(hash).cloned();
            let status = if artifact.is_some() { "200 OK" } else { "404 Not Found" };
            let artifact = artifact.unwrap_or_default();
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", artifact.len());
            reader.get_mut().write_all(&[head.into_bytes(), artifact].concat()).expect("the server reads");
            continue;
        }
        assert!(first.starts_with(&format!("POST /internal/worlds/{WORLD}/reports ")), "{first}");
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a whole body");
        let _ = reports.send(serde_json::from_slice(&body).expect("a list of reports"));
        reader.get_mut().write_all(b"HTTP/1.1 204 No Content\r\n\r\n").expect("the server reads");
    }
}

/// The request line and the body's length; asserts the bearer token.
fn read_head(reader: &mut impl BufRead) -> Option<(String, usize)> {
    let mut first = String::new();
    if reader.read_line(&mut first).ok()? == 0 {
        return None;
    }
    let (mut length, mut authorized) = (0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().ok()?,
            Some(("authorization", value)) => authorized = value == format!("Bearer {SECRET}"),
            Some(_) => {}
            None => break,
        }
    }
    assert!(authorized, "the server shows its secret");
    Some((first, length))
}

/// The control plane's key for join tickets.
pub struct TicketOffice(AsymmetricKeyPair<V4>);

impl TicketOffice {
    pub fn new() -> Self {
        Self(AsymmetricKeyPair::generate().expect("randomness"))
    }

    pub fn key(&self) -> String {
        hex::encode(self.0.public.as_bytes())
    }

    /// A good ticket for this player; the name is the username and the end of the client id.
    pub fn ticket(&self, name: &str) -> String {
        self.sign(&claims(name, WORLD, Duration::from_secs(30)), TICKET_PURPOSE)
    }

    pub fn sign(&self, payload: &str, purpose: &[u8]) -> String {
        PublicToken::sign(&self.0.secret, payload.as_bytes(), None, Some(purpose)).expect("a token")
    }
}

pub fn client_id(name: &str) -> String {
    format!("client_{name}")
}

/// A ticket's claims; each call's are unique.
pub fn claims(name: &str, world: &str, life: Duration) -> String {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let mut claims = Claims::new_expires_in(&life).expect("a time");
    claims.token_identifier(&format!("ticket {number}")).expect("a name");
    for (claim, value) in [("world_id", world), ("server_id", SERVER), ("client_id", &client_id(name)), ("username", name)] {
        claims.add_additional(claim, value).expect("an own claim");
    }
    claims.to_string().expect("JSON")
}

/// A running server, its control plane, and its ticket office.
pub struct World {
    pub server: Option<Server>,
    pub runtime: tokio::runtime::Runtime,
    pub control_plane: ControlPlane,
    /// The stream's server side.
    pub stream: TcpStream,
    pub office: TicketOffice,
    folder: TempDir,
}

impl World {
    /// A world that lets clients in.
    pub fn start() -> Self {
        let office = TicketOffice::new();
        let control_plane = ControlPlane::start();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let (server, stream) = open(&runtime, config(&folder, &control_plane, &office), &control_plane).expect("the server starts");
        Self { server: Some(server), runtime, control_plane, stream, office, folder }
    }

    /// Stops, and starts anew over the same file.
    pub fn restart(&mut self) {
        self.stop();
        self.server = Some(self.try_start().expect("the server starts"));
    }

    /// Another server over the same file, while this one runs.
    pub fn second_server(&mut self) -> Server {
        self.try_start().expect("the server starts")
    }

    pub fn try_start(&mut self) -> Result<Server, StartError> {
        let (server, stream) = open(&self.runtime, config(&self.folder, &self.control_plane, &self.office), &self.control_plane)?;
        self.stream = stream;
        Ok(server)
    }

    /// The world's file.
    pub fn save(&self) -> PathBuf {
        self.folder.path().join("world.sqlite")
    }

    pub fn address(&self) -> SocketAddr {
        self.server.as_ref().expect("it runs").address()
    }

    pub fn connect(&self) -> Client {
        Client::connect(self.address())
    }

    /// A client that is in, and its entity.
    pub fn join(&self, name: &str) -> (Client, u64) {
        self.join_over(self.connect(), name)
    }

    pub fn join_over(&self, mut client: Client, name: &str) -> (Client, u64) {
        client.handshake(&self.office.ticket(name), &client_id(name));
        let response = client.wait_for(100, |_| true);
        assert_eq!(response["success"], true, "{response}");
        let player = response["assigned_entity_id"].as_u64().expect("an id");
        (client, player)
    }

    pub fn stop(&mut self) {
        let server = self.server.take().expect("it runs");
        self.runtime.block_on(server.stop());
    }
}

pub fn secrets(office: &TicketOffice) -> Secrets {
    // Any point of the curve will do as a key for artifacts: no artifact here is a good one.
    Secrets {
        server_id: SERVER.into(),
        server_secret: SECRET.into(),
        artifact_key: office.key(),
        older_artifact_keys: Vec::new(),
        ticket_key: office.key(),
    }
}

fn config(folder: &TempDir, control_plane: &ControlPlane, office: &TicketOffice) -> Config {
    Config {
        listen: "127.0.0.1:0".parse().expect("an address"),
        world: WORLD.into(),
        control_plane: format!("http://{}", control_plane.address),
        secrets: secrets(office),
        save: folder.path().join("world.sqlite"),
        artifacts: folder.path().join("artifacts"),
        generation: sim::Generation::Floor,
        casts_max: 4,
        wasi: false,
        threads: 2,
    }
}

/// A server that lets clients in, and its stream.
fn open(runtime: &tokio::runtime::Runtime, config: Config, control_plane: &ControlPlane) -> Result<(Server, TcpStream), StartError> {
    let server = runtime.block_on(Server::start(config))?;
    let (_, mut stream) = control_plane.stream();
    push(&mut stream, &Push::Synced { sequence: 0, complete: true });
    assert!(runtime.block_on(server.ready()));
    Ok((server, stream))
}
