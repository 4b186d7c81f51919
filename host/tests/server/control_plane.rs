//! A fake control plane that serves one world's stream and takes its reports, and a world that runs against it.

use crate::client::{Client, DEADLINE};
use crate::spell;
use host::crowd::Bounds;
use host::origins::Origins;
use host::server::{Config, Server, StartError};
use host::subprotocol::Subprotocol;
use pasetors::claims::Claims;
use pasetors::keys::{AsymmetricKeyPair, Generate};
use pasetors::version4::{PublicToken, V4};
use protocol::link::{self, Barred, Lineup, Push, Report, Secrets, Slot};
use protocol::ticket::TICKET_PURPOSE;
use protocol::{Channel, InFlightPolicy, RevisionId, Sha256Hex, SpellId};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub const WORLD: &str = "world_0a1b2c3d";
pub const SERVER: &str = "the server's first life";
pub const SECRET: &str = "the server's secret";

/// How a path is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Good,
    /// Not at all.
    Mute,
    /// A byte now and then.
    Trickle,
    /// With somebody else's page.
    Html,
    /// By sending it elsewhere, where such a page is.
    Redirect,
    /// With this status.
    Status(u16),
    /// With bytes that are something else.
    WrongBytes,
    /// Without an end.
    Endless,
    /// As one that does not know reports of health yet.
    Older,
}

/// What a game server asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked {
    Stream,
    Reports,
    Artifact,
}

/// Listens on a port of its own until the test's process ends.
pub struct ControlPlane {
    pub address: SocketAddr,
    /// Each stream that the server opened: its query, and where pushes go.
    streams: Receiver<(String, TcpStream)>,
    reports: Receiver<Vec<Report>>,
    desk: Arc<Mutex<Desk>>,
}

/// What all connections share.
#[derive(Default)]
struct Desk {
    artifacts: BTreeMap<String, Vec<u8>>,
    /// Artifacts that were given, in order.
    fetched: Vec<String>,
    /// Good where none is named.
    moods: BTreeMap<Asked, Mood>,
}

impl ControlPlane {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (stream_sender, streams) = channel();
        let (report_sender, reports) = channel();
        let desk = Arc::<Mutex<Desk>>::default();
        let served = desk.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (stream_sender, report_sender, served) = (stream_sender.clone(), report_sender.clone(), served.clone());
                std::thread::spawn(move || serve(stream, &stream_sender, &report_sender, &served));
            }
        });
        Self { address, streams, reports, desk }
    }

    /// From now on it has these bytes; answers their hash.
    pub fn offer(&self, artifact: &[u8]) -> Sha256Hex {
        let hash = Sha256Hex::of(artifact);
        self.desk().artifacts.insert(hash.to_string(), artifact.to_vec());
        hash
    }

    /// Whether these bytes were fetched.
    pub fn was_fetched(&self, hash: &Sha256Hex) -> bool {
        self.desk().fetched.iter().any(|fetched| fetched == hash.as_str())
    }

    /// From now on, new requests are answered so.
    pub fn be(&self, mood: Mood) {
        self.desk().moods = [Asked::Stream, Asked::Reports, Asked::Artifact].map(|asked| (asked, mood)).into();
    }

    /// The next stream that the server opens.
    pub fn stream(&self) -> (String, TcpStream) {
        self.stream_within(DEADLINE).expect("the server opens a stream")
    }

    /// The next stream, if the server opens it in time.
    pub fn stream_within(&self, time: Duration) -> Option<(String, TcpStream)> {
        self.streams.recv_timeout(time).ok()
    }

    /// The next report for which `wanted` holds.
    pub fn report(&self, mut wanted: impl FnMut(&Report) -> bool) -> Report {
        let started = Instant::now();
        while started.elapsed() < DEADLINE {
            let reports = self.reports.recv_timeout(DEADLINE).expect("the server reports");
            if let Some(report) = reports.into_iter().find(&mut wanted) {
                return report;
            }
        }
        panic!("no such report came in time");
    }

    /// The reports that have come since they were last asked for.
    pub fn reports_so_far(&self) -> Vec<Report> {
        self.reports.try_iter().flatten().collect()
    }

    fn desk(&self) -> std::sync::MutexGuard<'_, Desk> {
        self.desk.lock().expect("nobody panicked")
    }
}

pub fn push(stream: &mut TcpStream, push: &Push) {
    stream.write_all(&link::encode(push)).expect("the server reads its stream");
}

/// A change to another revision of a spell.
pub fn change(spell: &str, revision: &str, artifact: Sha256Hex, sequence: u64) -> [Push; 2] {
    let revision_id = RevisionId::new(revision).expect("an id");
    let lineup = Lineup {
        spell_id: SpellId::new(spell).expect("an id"),
        channel: Channel::Stable,
        active: Some(Slot { revision_id, artifact, in_flight: InFlightPolicy::Finish }),
        stays: false,
        trial: None,
        drafts: BTreeMap::new(),
        quarantined: BTreeSet::new(),
        barred: Barred::Those(BTreeSet::new()),
    };
    [Push::Lineup(lineup), Push::Apply { sequence }]
}

/// Makes that change.
pub fn publish(stream: &mut TcpStream, spell: &str, revision: &str, artifact: Sha256Hex, sequence: u64) {
    change(spell, revision, artifact, sequence).iter().for_each(|one| push(stream, one));
}

const PAGE: &str = "<html><body>Log in to this network first.</body></html>";

fn serve(stream: TcpStream, streams: &Sender<(String, TcpStream)>, reports: &Sender<Vec<Report>>, desk: &Mutex<Desk>) {
    let mut reader = BufReader::new(stream);
    while let Some((first, length)) = read_head(&mut reader) {
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a whole body");
        let Some(asked) = asked(&first) else {
            let _ = reader.get_mut().write_all(&answer("200 OK", PAGE.as_bytes()));
            continue;
        };
        let mood = desk.lock().expect("nobody panicked").moods.get(&asked).copied().unwrap_or(Mood::Good);
        let is_understood = !(asked == Asked::Reports && String::from_utf8_lossy(&body).contains("health"));
        if mood == Mood::Older && !is_understood {
            reader.get_mut().write_all(&answer("422 Unprocessable", b"")).expect("the server reads");
            continue;
        }
        if !matches!(mood, Mood::Good | Mood::Older) {
            return misbehave(reader.into_inner(), mood);
        }
        match asked {
            Asked::Stream => {
                let mut stream = reader.into_inner();
                stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").expect("the server reads");
                let _ = streams.send((first, stream));
                return;
            }
            Asked::Artifact => {
                let hash = first.split(['/', ' ']).nth(6).unwrap_or_default();
                let mut desk = desk.lock().expect("nobody panicked");
                let artifact = desk.artifacts.get(hash).cloned();
                desk.fetched.extend(artifact.is_some().then(|| hash.to_owned()));
                drop(desk);
                let status = if artifact.is_some() { "200 OK" } else { "404 Not Found" };
                reader.get_mut().write_all(&answer(status, &artifact.unwrap_or_default())).expect("the server reads");
            }
            Asked::Reports => {
                let _ = reports.send(serde_json::from_slice(&body).expect("a list of reports"));
                reader.get_mut().write_all(b"HTTP/1.1 204 No Content\r\n\r\n").expect("the server reads");
            }
        }
    }
}

/// Nothing for what is no path of ours, to which only a redirection leads.
fn asked(first: &str) -> Option<Asked> {
    let path = first.split(' ').nth(1)?.strip_prefix(&format!("/internal/worlds/{WORLD}/"))?;
    match path {
        "reports" => Some(Asked::Reports),
        _ if path.starts_with("stream?") => Some(Asked::Stream),
        _ if path.starts_with("artifacts/") => Some(Asked::Artifact),
        _ => panic!("{first}"),
    }
}

fn answer(status: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

/// Answers in this mood until the server has enough of it.
fn misbehave(mut stream: TcpStream, mood: Mood) {
    let ended = match mood {
        Mood::Good | Mood::Older | Mood::Mute => Ok(()),
        Mood::Trickle => trickle(&mut stream),
        Mood::Html => stream.write_all(&answer("200 OK", PAGE.as_bytes())),
        Mood::Redirect => stream.write_all(&answer("302 Found\r\nlocation: /log-in", b"")),
        Mood::Status(code) => stream.write_all(&answer(&format!("{code} Nonsense"), PAGE.as_bytes())),
        Mood::WrongBytes => stream.write_all(&answer("200 OK", &[0x55; 5_000])),
        Mood::Endless => {
            let begun = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
            begun.and_then(|()| (0..).try_for_each(|_: u64| stream.write_all(&[0x55; 64 * 1024])))
        }
    };
    // What was answered whole is closed; else it is the server that hangs up.
    if ended.is_ok() && matches!(mood, Mood::Mute) {
        let _ = stream.read(&mut [0; 1]);
    }
}

/// The beginning of a long answer, and then a byte now and then.
fn trickle(stream: &mut TcpStream) -> std::io::Result<()> {
    // As a frame it would be one of 200,000 bytes.
    stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 200004\r\n\r\n\x40\x0d\x03\x00")?;
    stream.set_read_timeout(Some(Duration::from_millis(200)))?;
    // Nothing is there to be read: it is how the time passes until the server hangs up.
    while !matches!(stream.read(&mut [0; 1]), Ok(0)) {
        stream.write_all(&[0])?;
    }
    Ok(())
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
    // A redirection is followed without it.
    assert!(authorized || asked(&first).is_none(), "the server shows its secret");
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
    /// What its clients speak.
    speech: Subprotocol,
}

impl World {
    /// A world that lets clients in.
    pub fn start() -> Self {
        Self::start_with(|_| ())
    }

    /// One whose clients speak this.
    pub fn speaking(speech: Subprotocol) -> Self {
        Self { speech, ..Self::start() }
    }

    /// The same, configured otherwise.
    pub fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let office = TicketOffice::new();
        let control_plane = ControlPlane::start();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = config(&folder, &control_plane, &office);
        change(&mut config);
        let (server, stream) = open(&runtime, config, &control_plane).expect("the server starts");
        Self { server: Some(server), runtime, control_plane, stream, office, folder, speech: Subprotocol::Json }
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
        Client::connect(self.address(), self.speech)
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
        self.runtime.block_on(server.stop()).expect("the world is saved");
    }
}

pub fn secrets(office: &TicketOffice) -> Secrets {
    Secrets {
        server_id: SERVER.into(),
        server_secret: SECRET.into(),
        artifact_key: spell::key(),
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
        origins: Origins::new(["https://game.example".to_owned()]),
        bounds: Bounds::default(),
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
