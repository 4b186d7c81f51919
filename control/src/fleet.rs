//! The game servers: one process a world, started by the first join, restarted when it crashes, stopped when idle, drained when the control plane stops, and
//! adopted when the control plane comes back from a crash of its own.

mod lines;
mod log;
mod orders;
mod plan;
mod process;
mod record;

use crate::store::World;
use crate::{
    config::HOST_PROGRAM,
    error::Error,
    ids::{ClientId, WorldId},
    keys::{self, Keys, TokenHash},
    limits::{
        CRASHES_REMEMBERED, EMPTY_SERVERS_PER_PLAYER_MAX, EXPECTED_TIME_MAX, FAILED_TIME, GAME_PORT_FIRST, GAME_PORTS, METRICS_PORT_OFFSET,
        ORDER_TIME_MAX, SERVER_CHECK_INTERVAL, SERVERS_MAX,
    },
};
use ::store::Generation;
use axum::http::HeaderValue;
use lines::{Lines, Said};
use orders::Orders;
use plan::{Seen, Step, Wanted};
use process::HostProcess;
use protocol::link::{Errand, Health, Secrets};
use record::Record;
use rustix::process::{Signal, kill_process};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// All game servers of this control plane.
pub struct Fleet {
    program: PathBuf,
    /// Where the control plane listens; game servers listen on the same address.
    address: SocketAddr,
    artifact_key: String,
    older_artifact_keys: Vec<String>,
    ticket_key: String,
    /// The worlds' files.
    worlds: PathBuf,
    /// Origins whose pages may connect to game servers, with commas between them.
    origins: String,
    /// What servers said last.
    lines: Arc<Lines>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    servers: BTreeMap<WorldId, Server>,
    /// Worlds whose files are being replaced or deleted: no server may start.
    closed: BTreeSet<WorldId>,
    /// Worlds whose servers crash whenever they are started: since when, and why.
    failed: BTreeMap<WorldId, (Instant, String)>,
    stopping: bool,
}

/// A world without a server, kept so until this is dropped.
pub struct Closed {
    fleet: Arc<Fleet>,
    world: WorldId,
}

impl Drop for Closed {
    fn drop(&mut self) {
        self.fleet.state().closed.remove(&self.world);
    }
}

struct Server {
    port: u16,
    secret_hash: TokenHash,
    /// Whose join started it.
    started_by: ClientId,
    /// Who plays there, as it reported last.
    players: BTreeSet<ClientId>,
    /// Who has been given a ticket, and when.
    expected: BTreeMap<ClientId, Instant>,
    /// Both together.
    presence: watch::Sender<BTreeSet<ClientId>>,
    orders: Orders,
    /// Since when nobody plays. It begins with the start: a server that nobody ever comes to reports nothing.
    idle_since: Option<Instant>,
    /// When it said something last.
    heard: Option<Instant>,
    /// How it does, as it said last.
    health: Health,
    phase: watch::Receiver<Phase>,
    stop: watch::Sender<bool>,
}

/// The ends of a server that nobody wanted.
#[derive(Default)]
struct Crashes {
    times: VecDeque<Instant>,
    /// Why the last one was, or why it was told to stop.
    reason: String,
    /// Whether it has ever listened.
    has_run: bool,
}

impl Crashes {
    fn add(&mut self, reason: String) {
        self.times.push_back(Instant::now());
        self.reason = reason;
    }

    /// How many there were of late, and how long ago the last one was.
    fn of_late(&self) -> (u32, Duration) {
        let count = self.times.iter().filter(|time| time.elapsed() < CRASHES_REMEMBERED).count();
        (count as u32, self.times.back().map_or(Duration::MAX, Instant::elapsed))
    }
}

impl Server {
    /// One that nobody has reported of yet.
    fn new(secret_hash: TokenHash, started_by: &ClientId, phase: watch::Receiver<Phase>, stop: watch::Sender<bool>) -> Self {
        Self {
            port: 0,
            secret_hash,
            started_by: started_by.clone(),
            players: BTreeSet::new(),
            // Whoever starts it is about to come.
            expected: BTreeMap::from([(started_by.clone(), Instant::now())]),
            presence: watch::Sender::new(BTreeSet::from([started_by.clone()])),
            orders: Orders::default(),
            idle_since: Some(Instant::now()),
            heard: None,
            health: Health::default(),
            phase,
            stop,
        }
    }

    /// Whether somebody has a ticket that may still be used.
    fn is_expected(&self) -> bool {
        self.expected.values().any(|since| since.elapsed() < EXPECTED_TIME_MAX)
    }

    fn tell_presence(&mut self) {
        // Whose ticket is no good any more takes nobody's place.
        self.expected.retain(|_, since| since.elapsed() < EXPECTED_TIME_MAX);
        let presence = self.players.iter().chain(self.expected.keys()).cloned().collect();
        self.presence.send_if_modified(|before| {
            let is_news = *before != presence;
            *before = presence;
            is_news
        });
    }
}

/// A server that listens.
#[derive(Debug, Clone, PartialEq)]
pub struct Listening {
    /// Where.
    pub port: u16,
    /// Names this life of it.
    pub server_id: String,
}

/// Where a server stands in its life.
#[derive(Debug, Clone, PartialEq)]
enum Phase {
    Starting,
    Ready(Listening),
    /// Told to stop: it takes nobody in any more.
    Ending,
    Gone(String),
}

/// A running server, as others see it.
pub struct ServerStatus {
    /// Its world.
    pub world_id: WorldId,
    /// `ws://<host>:<port>`.
    pub address: String,
    /// Whether it listens.
    pub is_ready: bool,
    /// Players connected, as it reported last.
    pub players: BTreeSet<ClientId>,
    /// Where it stands in its life.
    pub phase: String,
    /// Where it serves its own metrics.
    pub metrics: String,
    /// How it does, as it said last.
    pub health: Health,
}

impl Fleet {
    /// A fleet without servers, whose worlds lie in this folder. `address` is where the control plane itself listens; pages of these origins may connect to
    /// game servers.
    pub fn open(program: PathBuf, address: SocketAddr, keys: &Keys, worlds: PathBuf, origins: &[HeaderValue]) -> Result<Arc<Self>, Error> {
        let (artifact_key, ticket_key) = (keys::public_hex(&keys.artifact), keys::public_hex(&keys.ticket));
        let older_artifact_keys = keys.older_artifacts.iter().map(keys::public_hex).collect();
        let origins = origins.iter().filter_map(|origin| origin.to_str().ok()).collect::<Vec<_>>().join(",");
        let fleet = Arc::new(Self {
            program,
            address,
            artifact_key,
            older_artifact_keys,
            ticket_key,
            worlds,
            origins,
            lines: Arc::default(),
            state: Mutex::default(),
        });
        let copies = fleet.copies();
        // Copies that nobody has taken away: their reader died.
        fs::remove_dir_all(&copies)
            .or_else(|error| if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
            .map_err(Error::file(&copies))?;
        for folder in [copies, fleet.records(), fleet.logs()] {
            fs::create_dir_all(&folder).map_err(Error::file(&folder))?;
        }
        Ok(fleet)
    }

    /// Where this world's file is, or will be.
    pub fn world_file(&self, world: &WorldId) -> PathBuf {
        world_file(&self.worlds, world)
    }

    /// Where it is written down which servers run.
    fn records(&self) -> PathBuf {
        records(&self.worlds)
    }

    fn logs(&self) -> PathBuf {
        self.worlds.join("logs")
    }

    /// What this world's server logs to.
    fn log_file(&self, world: &WorldId) -> PathBuf {
        self.logs().join(format!("{world}.log"))
    }

    /// A deleted world's servers have said nothing.
    pub fn forget_log(&self, world: &WorldId) {
        let path = self.log_file(world);
        fs::remove_file(path.with_extension("log.1")).ok();
        fs::remove_file(path).ok();
        self.lines.forget(world);
    }

    /// What this world's servers said last.
    pub fn said(&self, world: &WorldId) -> Said {
        self.lines.of(world)
    }

    /// Keeps what this world's server reported, for operators.
    pub fn note_report(&self, world: &WorldId, report: serde_json::Value) {
        self.lines.report(world, report);
    }

    /// This world's server has said something.
    pub fn heard(&self, world: &WorldId) {
        if let Some(server) = self.state().servers.get_mut(world) {
            server.heard = Some(Instant::now());
        }
    }

    /// Where game servers keep the artifacts that they have fetched.
    pub fn artifacts(&self) -> PathBuf {
        self.worlds.join("artifacts")
    }

    /// Where copies of worlds' files are put to be read.
    pub fn copies(&self) -> PathBuf {
        self.worlds.join("copies")
    }

    /// Whether all servers are being stopped for good.
    pub fn is_stopping(&self) -> bool {
        self.state().stopping
    }

    /// Whether this world has a server, in whatever phase of its life.
    pub fn is_running(&self, world: &WorldId) -> bool {
        self.state().servers.contains_key(world)
    }

    /// What this world's line has to carry beside changes: orders, and whose drafts are live.
    pub fn line(&self, world: &WorldId) -> Option<(Orders, watch::Receiver<BTreeSet<ClientId>>)> {
        self.state().servers.get(world).map(|server| (server.orders.clone(), server.presence.subscribe()))
    }

    /// Keeps a place for this player, who is about to come; false where all are taken.
    pub fn reserve(&self, world: &WorldId, client: &ClientId, capacity: usize) -> bool {
        let mut state = self.state();
        let Some(server) = state.servers.get_mut(world) else { return true };
        server.tell_presence();
        let presence = server.presence.borrow().clone();
        let is_taken = !presence.contains(client) && presence.len() >= capacity;
        if !is_taken {
            server.expected.insert(client.clone(), Instant::now());
            server.tell_presence();
        }
        !is_taken
    }

    /// What this world's server is to do.
    pub fn orders(&self, world: &WorldId) -> Option<Orders> {
        self.state().servers.get(world).map(|server| server.orders.clone())
    }

    /// Has this world's running server do something, and waits until it is done.
    pub async fn order(&self, world: &WorldId, what: Errand) -> Result<(), Error> {
        let orders = self.orders(world).ok_or_else(|| no_server(world, "it is not running".into()))?;
        let answer = orders.give(what).ok_or_else(|| no_server(world, "it has not answered earlier orders".into()))?;
        match tokio::time::timeout(ORDER_TIME_MAX, answer).await {
            Ok(Ok(None)) => Ok(()),
            Ok(Ok(Some(error))) => Err(no_server(world, in_short(world, "it could not do what it was told", &error))),
            Ok(Err(_)) => Err(no_server(world, "it ended meanwhile".into())),
            Err(_) => Err(no_server(world, format!("it did not answer within {} s", ORDER_TIME_MAX.as_secs()))),
        }
    }

    /// Stops this world's server, if it has one, and lets none start until the answer is dropped.
    pub async fn close(self: &Arc<Self>, world: &WorldId) -> Result<Closed, Error> {
        if !self.state().closed.insert(world.clone()) {
            return Err(no_server(world, "it is being replaced already".into()));
        }
        let closed = Closed { fleet: self.clone(), world: world.clone() };
        if self.is_running(world) {
            // Unknown by now: it has ended by itself.
            self.stop(world).await.ok();
        }
        Ok(closed)
    }

    /// The port of this world's server, started for this player where there is none. Two who ask at once get the same one; who asks while it ends gets the next one.
    pub async fn ensure(self: &Arc<Self>, world: &World, client: &ClientId) -> Result<Listening, Error> {
        let id = &world.world_id;
        loop {
            let mut phase = self.find_or_start(world, client)?;
            let was_ending = *phase.borrow() == Phase::Ending;
            let reached = phase.wait_for(|phase| matches!(phase, Phase::Ready(_) | Phase::Gone(_))).await.map(|phase| phase.clone());
            match reached {
                Ok(Phase::Ready(listening)) => return Ok(listening),
                Ok(Phase::Gone(_)) if was_ending => {}
                Ok(Phase::Gone(reason)) => return Err(no_server(id, reason)),
                _ => return Err(no_server(id, "its supervisor ended".into())),
            }
        }
    }

    /// Whether this is the secret of this world's server.
    pub fn is_server(&self, world: &WorldId, secret: &str) -> bool {
        self.state().servers.get(world).is_some_and(|server| keys::is_token(secret, &server.secret_hash))
    }

    /// The worlds where this player is, or is expected.
    pub fn worlds_of(&self, client: &ClientId) -> Vec<WorldId> {
        let state = self.state();
        let is_there = |server: &Server| server.presence.borrow().contains(client);
        state.servers.iter().filter(|(_, server)| is_there(server)).map(|(world, _)| world.clone()).collect()
    }

    /// Notes how this world's server does.
    pub fn set_health(&self, world: &WorldId, health: Health) {
        if let Some(server) = self.state().servers.get_mut(world) {
            server.health = health;
        }
    }

    /// Notes who plays on this world.
    pub fn set_players(&self, world: &WorldId, clients: BTreeSet<ClientId>) {
        if let Some(server) = self.state().servers.get_mut(world) {
            server.idle_since = clients.is_empty().then(|| server.idle_since.unwrap_or_else(Instant::now));
            // Who has come is not expected any more: when they leave, they are gone.
            server.expected.retain(|client, since| !clients.contains(client) && since.elapsed() < EXPECTED_TIME_MAX);
            server.players = clients;
            server.tell_presence();
        }
    }

    /// One world's server.
    pub fn status(&self, world: &WorldId) -> Option<ServerStatus> {
        self.state().servers.get(world).map(|server| self.describe(world, server))
    }

    /// All servers.
    pub fn list(&self) -> Vec<ServerStatus> {
        self.state().servers.iter().map(|(world, server)| self.describe(world, server)).collect()
    }

    /// Stops this world's server and waits until it is gone.
    pub async fn stop(&self, world: &WorldId) -> Result<(), Error> {
        let mut phase = {
            let state = self.state();
            let server = state.servers.get(world).ok_or_else(|| Error::unknown("server", world.as_str()))?;
            server.stop.send_replace(true);
            server.phase.clone()
        };
        // An error means that the supervisor has ended: gone as well.
        phase.wait_for(|phase| matches!(phase, Phase::Gone(_))).await.ok();
        Ok(())
    }

    /// Stops all servers, for good, and waits until they are gone: those that do not drain in time are killed.
    pub async fn drain(&self) {
        let phases: Vec<_> = {
            let mut state = self.state();
            state.stopping = true;
            let stop = |server: &Server| {
                server.stop.send_replace(true);
                server.phase.clone()
            };
            state.servers.values().map(stop).collect()
        };
        for mut phase in phases {
            phase.wait_for(|phase| matches!(phase, Phase::Gone(_))).await.ok();
        }
    }

    /// The host name that reaches us from where a client is: ours, or, when we listen everywhere, the one that the client used.
    pub fn host_for_clients(&self, host_header: Option<&str>) -> String {
        match host_header.and_then(without_port) {
            Some(host) if self.address.ip().is_unspecified() => host.into(),
            _ => bracketed(self.reachable_ip()),
        }
    }

    fn find_or_start(
        self: &Arc<Self>,
        World { world_id: world, generation, policy, .. }: &World,
        client: &ClientId,
    ) -> Result<watch::Receiver<Phase>, Error> {
        let mut state = self.state();
        if let Some(server) = state.servers.get_mut(world) {
            // Who asks is about to come, so the idle time starts anew.
            server.idle_since = server.idle_since.map(|_| Instant::now());
            return Ok(server.phase.clone());
        }
        if state.stopping {
            return Err(no_server(world, "the control plane is stopping".into()));
        }
        if state.closed.contains(world) {
            return Err(no_server(world, "its contents are being replaced".into()));
        }
        if let Some((since, reason)) = state.failed.get(world) {
            if since.elapsed() < FAILED_TIME {
                return Err(no_server(world, reason.clone()));
            }
            state.failed.remove(world);
        }
        if state.servers.len() >= SERVERS_MAX {
            return Err(no_server(world, format!("{SERVERS_MAX} servers are running, which is the limit")));
        }
        let started_for_nobody = state.servers.values().filter(|server| server.started_by == *client && server.players.is_empty()).count();
        if started_for_nobody >= EMPTY_SERVERS_PER_PLAYER_MAX {
            return Err(Error::TooMany {
                what: "running servers without players that one player has started",
                max: EMPTY_SERVERS_PER_PLAYER_MAX as u32,
            });
        }
        let (secret, (phase_sender, phase), (stop, stopped)) = (keys::token(), watch::channel(Phase::Starting), watch::channel(false));
        let server = Server::new(keys::token_hash(&secret), client, phase.clone(), stop);
        state.servers.insert(world.clone(), server);
        drop(state);
        // A task of its own: the request that started the server may be cancelled, others may wait for it too.
        let generation = Generation::named(generation).unwrap_or(Generation::Floor);
        let birth = Birth { world: world.clone(), generation, wasi: policy.wasi, secret };
        tokio::spawn(self.clone().supervise(world.clone(), Some(birth), None, phase_sender, stopped));
        Ok(phase)
    }

    /// Takes up the servers that a control plane before this one has left running. Those that nothing is known of are told to end: their worlds can be started
    /// anew, from their files.
    pub fn adopt(self: &Arc<Self>) {
        let mut known = BTreeSet::new();
        for record in record::read_all(&self.records()) {
            let Some(host) = HostProcess::adopt(self, &record) else {
                record::remove(&self.records(), &record.world_id);
                continue;
            };
            let Record { world_id: world, server_id, secret_hash, started_by, port, .. } = record;
            tracing::info!(%world, port, process = host.process.as_raw_nonzero(), "game server adopted");
            known.insert(host.process.as_raw_nonzero());
            let (phase_sender, phase) = watch::channel(Phase::Ready(Listening { port, server_id }));
            let (stop, stopped) = watch::channel(false);
            let server = Server::new(secret_hash, &started_by, phase, stop);
            // Who plays there, it says within seconds; until then it is neither idle nor silent.
            let (idle_since, heard) = (None, Some(Instant::now()));
            self.state().servers.insert(world.clone(), Server { port, idle_since, heard, ..server });
            tokio::spawn(self.clone().supervise(world, None, Some(host), phase_sender, stopped));
        }
        for orphan in record::serving(&self.program, &self.worlds).into_iter().filter(|process| !known.contains(&process.as_raw_nonzero()))
        {
            tracing::warn!(process = orphan.as_raw_nonzero(), "a game server that nobody knows of is told to end");
            kill_process(orphan, Signal::TERM).ok();
        }
    }

    /// A server's life from start to end: whatever the plan says next. One that is adopted can be watched and ended, and not be started again by this.
    async fn supervise(
        self: Arc<Self>,
        world: WorldId,
        birth: Option<Birth>,
        mut host: Option<HostProcess>,
        phase: watch::Sender<Phase>,
        mut stopped: watch::Receiver<bool>,
    ) {
        let mut crashes = Crashes { has_run: host.is_some(), ..Crashes::default() };
        let mut draining: Option<Instant> = None;
        let reason = loop {
            let (wanted, sight) = self.look(&world, &crashes, host.is_some(), draining, *stopped.borrow());
            match (plan::step(wanted, sight), &mut host, &birth) {
                (Step::Start, _, Some(birth)) => {
                    phase.send_replace(Phase::Starting);
                    self.begin_life(&world);
                    let started = tokio::select! {
                        started = HostProcess::start(&self, birth) => started,
                        _ = stopped.wait_for(|stop| *stop) => break "it was stopped while it started".into(),
                    };
                    match started.and_then(|started| self.write_down(&world, &started).map(|()| started)) {
                        Ok(started) => {
                            tracing::info!(%world, port = started.port, "game server is ready");
                            crashes.has_run = true;
                            self.heard(&world);
                            phase.send_replace(Phase::Ready(Listening { port: started.port, server_id: started.server_id.clone() }));
                            host = Some(started);
                        }
                        Err(reason) => crashes.add(reason),
                    }
                }
                (Step::Wait(time), Some(running), _) => {
                    let since = Instant::now();
                    let ending = tokio::select! {
                        ending = running.ended() => Some(ending),
                        _ = stopped.wait_for(|stop| *stop), if draining.is_none() => None,
                        () = tokio::time::sleep(time) => None,
                    };
                    // We have been stopped ourselves, or the machine has: what the server said meanwhile waits to be read.
                    if since.elapsed() > time + SERVER_CHECK_INTERVAL {
                        self.heard(&world);
                    }
                    if let Some(ending) = ending {
                        host = None;
                        record::remove(&self.records(), &world);
                        if draining.is_some() {
                            break crashes.reason;
                        }
                        tracing::warn!(%world, ending, "game server has crashed");
                        phase.send_replace(Phase::Starting);
                        crashes.add(format!("it ended by itself ({ending})"));
                    }
                }
                (Step::Wait(time), None, _) => {
                    tokio::select! {
                        _ = stopped.wait_for(|stop| *stop) => {}
                        () = tokio::time::sleep(time) => {}
                    }
                }
                (Step::Drain(why), Some(running), _) => {
                    phase.send_replace(Phase::Ending);
                    (draining, crashes.reason) = (Some(Instant::now()), why.into());
                    running.terminate();
                }
                (Step::Kill(why), Some(running), _) => {
                    tracing::warn!(%world, "game server is killed: {why}");
                    // First: nobody gets a ticket for what is dead.
                    if draining.is_none() {
                        phase.send_replace(Phase::Starting);
                    }
                    running.kill();
                    let ending = running.ended().await;
                    host = None;
                    record::remove(&self.records(), &world);
                    if draining.is_some() {
                        break crashes.reason;
                    }
                    crashes.add(format!("{why} ({ending})"));
                }
                (Step::GiveUp, ..) => {
                    let reason = format!("it has crashed {} times of late, the last time because {}", crashes.times.len(), crashes.reason);
                    self.state().failed.insert(world.clone(), (Instant::now(), reason.clone()));
                    break reason;
                }
                (Step::Forget | Step::Start | Step::Drain(_) | Step::Kill(_), ..) => break crashes.reason,
            }
        };
        tracing::info!(%world, reason = ?reason, "game server is gone");
        // Forgotten before it is told: who then asks anew gets a new server.
        self.state().servers.remove(&world);
        phase.send_replace(Phase::Gone(reason));
    }

    /// Nothing is known yet of a process that is about to start; who played on the one before is about to come back.
    fn begin_life(&self, world: &WorldId) {
        if let Some(server) = self.state().servers.get_mut(world) {
            server.heard = None;
            let players = std::mem::take(&mut server.players);
            server.expected.extend(players.into_iter().map(|client| (client, Instant::now())));
            server.idle_since = Some(Instant::now());
        }
    }

    /// What is wanted of a server, and what is seen of it.
    fn look(&self, world: &WorldId, crashes: &Crashes, runs: bool, draining: Option<Instant>, stop: bool) -> (Wanted, Seen) {
        let state = self.state();
        let server = state.servers.get(world);
        let is_missed = server.is_some_and(|server| !server.players.is_empty() || server.is_expected());
        let wanted = match (stop, is_missed) {
            (true, _) => Wanted::Stop,
            (false, true) => Wanted::Run,
            (false, false) => Wanted::Rest,
        };
        let seen = match (draining, runs) {
            (Some(since), true) => Seen::Draining { since: since.elapsed() },
            (None, true) => Seen::Running {
                silent: server.and_then(|server| server.heard).map_or(Duration::ZERO, |heard| heard.elapsed()),
                idle: server.and_then(|server| server.idle_since).map(|since| since.elapsed()),
            },
            (_, false) => {
                let (count, since_crash) = crashes.of_late();
                Seen::Absent { crashes: count, since_crash, has_run: crashes.has_run }
            }
        };
        (wanted, seen)
    }

    fn write_down(&self, world: &WorldId, host: &HostProcess) -> Result<(), String> {
        let process = host.process.as_raw_nonzero().get();
        let record = {
            let state = self.state();
            let server = state.servers.get(world).ok_or("it was forgotten")?;
            Record {
                world_id: world.clone(),
                server_id: host.server_id.clone(),
                process,
                began: record::began(process).ok_or("it ended at once")?,
                port: host.port,
                secret_hash: server.secret_hash,
                started_by: server.started_by.clone(),
            }
        };
        // Without it a control plane that comes after us would know nothing of it.
        record.write(&self.records()).map_err(|error| {
            host.kill();
            in_short(world, "nobody could find it again: no record of it can be written", &error)
        })
    }

    fn secrets(&self, server_id: &str, secret: &str) -> Secrets {
        Secrets {
            server_id: server_id.into(),
            server_secret: secret.into(),
            artifact_key: self.artifact_key.clone(),
            older_artifact_keys: self.older_artifact_keys.clone(),
            ticket_key: self.ticket_key.clone(),
        }
    }

    /// Takes the next port that is free among our servers and on this machine, from `after` on.
    fn take_port(&self, world: &WorldId, after: u16) -> Option<u16> {
        let mut state = self.state();
        let is_ours = |port: u16| state.servers.values().any(|server| server.port == port);
        let port = (GAME_PORT_FIRST..GAME_PORT_FIRST + GAME_PORTS)
            .find(|port| *port > after && !is_ours(*port) && TcpListener::bind((self.address.ip(), *port)).is_ok())?;
        state.servers.get_mut(world)?.port = port;
        Some(port)
    }

    /// Where game servers reach the control plane.
    fn control_plane_url(&self) -> String {
        format!("http://{}", SocketAddr::new(self.reachable_ip(), self.address.port()))
    }

    /// Where this machine reaches what listens on our address.
    fn reachable_ip(&self) -> IpAddr {
        match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        }
    }

    fn describe(&self, world: &WorldId, server: &Server) -> ServerStatus {
        let address = format!("ws://{}", SocketAddr::new(self.reachable_ip(), server.port));
        let is_ready = matches!(*server.phase.borrow(), Phase::Ready(_));
        let phase = match &*server.phase.borrow() {
            Phase::Starting => "starting",
            Phase::Ready(_) => "ready",
            Phase::Ending => "ending",
            Phase::Gone(_) => "gone",
        };
        let metrics = format!("http://127.0.0.1:{}/metrics", metrics_port(server.port));
        let (players, health) = (server.players.clone(), server.health);
        ServerStatus { world_id: world.clone(), address, is_ready, players, phase: phase.into(), metrics, health }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a server that listens there serves its metrics, to this machine alone.
fn metrics_port(port: u16) -> u16 {
    port.saturating_add(METRICS_PORT_OFFSET)
}

/// What a server is started with.
pub struct Birth {
    world: WorldId,
    /// How the ground of a new world is made.
    generation: Generation,
    /// Whether it admits components that import WASI.
    wasi: bool,
    secret: String,
}

/// A world's file in the folder of all of them.
pub fn world_file(worlds: &Path, world: &WorldId) -> PathBuf {
    worlds.join(format!("{world}.sqlite"))
}

/// The process that serves this world's file, whether or not a control plane runs: the one that is written down, or any other.
pub fn process_of(worlds: &Path, world: &WorldId) -> Option<i32> {
    let is_its = |record: &Record| record.world_id == *world && record.is_alive();
    let recorded = record::read_all(&records(worlds)).into_iter().find(is_its).map(|record| record.process);
    let unrecorded =
        || record::serving(Path::new(HOST_PROGRAM), &world_file(worlds, world)).first().map(|process| process.as_raw_nonzero().get());
    recorded.or_else(unrecorded)
}

fn records(worlds: &Path) -> PathBuf {
    worlds.join("servers")
}

fn no_server(world: &WorldId, reason: String) -> Error {
    Error::NoServer { world: world.to_string(), reason }
}

/// A failure as players may hear of it. What our log has of it names places on this machine.
fn in_short(world: &WorldId, what: &str, why: &dyn std::fmt::Display) -> String {
    tracing::error!(%world, reason = %why, "game server: {what}");
    format!("{what}; the server's log says why")
}

fn bracketed(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// A Host header's name, if it can be one: it comes from outside and goes into an address.
fn without_port(header: &str) -> Option<&str> {
    let host = match header.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => header,
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '[' | ']' | ':');
    (!host.is_empty() && host.len() <= 255 && host.chars().all(is_name)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::SERVER_SILENCE_MAX;

    fn fleet(address: &str) -> Arc<Fleet> {
        let worlds = tempfile::tempdir().unwrap().keep().join("worlds");
        Fleet::open("ugc-host".into(), address.parse().unwrap(), &Keys::derive("secret", Default::default()), worlds, &[]).unwrap()
    }

    fn world(world_id: &WorldId, created_by: &ClientId) -> World {
        World {
            world_id: world_id.clone(),
            name: String::new(),
            description: String::new(),
            created_by: created_by.clone(),
            generation: "floor".into(),
            created_at_ms: 0,
            updated_at_ms: 0,
            policy: Default::default(),
            changed: 0,
        }
    }

    /// Over servers that start, and then say nothing.
    fn fleet_of_mutes() -> (tempfile::TempDir, Arc<Fleet>) {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("ugc-host");
        std::os::unix::fs::symlink(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/http/fake-host.sh"), &program).unwrap();
        let worlds = folder.path().join("worlds");
        let fleet =
            Fleet::open(program, "127.0.0.1:5000".parse().unwrap(), &Keys::derive("secret", Default::default()), worlds, &[]).unwrap();
        (folder, fleet)
    }

    #[tokio::test]
    async fn nobody_is_sent_to_a_server_that_is_being_killed() {
        let ((_folder, fleet), world_id, client) = (fleet_of_mutes(), WorldId::generate(), ClientId::generate());
        let world = world(&world_id, &client);
        // After a first crash, a second one is followed by a pause.
        for _ in 0..2 {
            fleet.ensure(&world, &client).await.unwrap();
            let record = record::read_all(&fleet.records()).remove(0);
            fleet.state().servers.get_mut(&world_id).unwrap().heard = Instant::now().checked_sub(SERVER_SILENCE_MAX);
            while record.is_alive() {
                tokio::task::yield_now().await;
            }
            assert!(!fleet.status(&world_id).unwrap().is_ready);
        }
        fleet.drain().await;
    }

    #[tokio::test]
    async fn a_server_that_nobody_ever_comes_to_is_idle_from_its_start() {
        let (fleet, world, client) = (fleet("127.0.0.1:5000"), WorldId::generate(), ClientId::generate());
        let new = self::world(&world, &client);
        fleet.find_or_start(&new, &client).unwrap();
        let is_idle = |fleet: &Fleet| fleet.state().servers[&world].idle_since.is_some();
        assert!(is_idle(&fleet));
        fleet.set_players(&world, [ClientId::generate()].into());
        assert!(!is_idle(&fleet));
        fleet.set_players(&world, BTreeSet::new());
        assert!(is_idle(&fleet));
    }

    #[test]
    fn clients_are_sent_to_a_host_that_they_can_reach() {
        let local = fleet("127.0.0.1:5000");
        assert_eq!(local.host_for_clients(Some("evil.example:5000")), "127.0.0.1");
        let everywhere = fleet("0.0.0.0:5000");
        assert_eq!(everywhere.host_for_clients(Some("play.example:5000")), "play.example");
        assert_eq!(everywhere.host_for_clients(Some("[::1]:5000")), "[::1]");
        assert_eq!(everywhere.host_for_clients(Some("a/b@c")), "127.0.0.1");
        assert_eq!(everywhere.host_for_clients(None), "127.0.0.1");
        assert_eq!(everywhere.control_plane_url(), "http://127.0.0.1:5000");
        assert_eq!(fleet("[::]:5000").control_plane_url(), "http://[::1]:5000");
    }
}
