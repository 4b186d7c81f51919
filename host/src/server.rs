//! Puts a game server together: what starts in which order, and how it stops.

use crate::artifacts::Artifacts;
use crate::chunks::{self, Packer};
use crate::connections::Connections;
use crate::crowd::{Bounds, Crowd, Full};
use crate::game_loop::{self, Shared};
use crate::inbox::inbox;
use crate::journal::Journal;
use crate::limits::{
    DRAIN_TIMEOUT, FULL_RETRY_SECONDS, LAST_SAVE_TIMEOUT, ORPHAN_CHECK_INTERVAL, REFUSALS_AT_ONCE_MAX, SOCKET_SEND_BUFFER_BYTES,
};
use crate::link::{self, Ears, Line, Reports};
use crate::origins::Origins;
use crate::recordings::Recordings;
use crate::resume;
use crate::saver::{Saver, Unsaved};
use crate::socket::{self, Door};
use crate::ticket::{KeyError, Tickets};
use crate::upgrade::{refusal, refuse};
use crate::usage::Usages;
use game::{Loader, PublicKey, Runtime};
use protocol::link::Secrets;
use sim::Generation;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use store::WorldFile;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::http::header::{HeaderValue, RETRY_AFTER};

/// What a server must be told.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The world's id, from which a new one's seed follows.
    pub world: String,
    /// `http://host:port`.
    pub control_plane: String,
    /// Keys and the token for the control plane.
    pub secrets: Secrets,
    /// The world's file; it is made when there is none.
    pub save: PathBuf,
    /// Where artifacts are kept between two lives.
    pub artifacts: PathBuf,
    /// How the ground of a new world is made.
    pub generation: Generation,
    /// Live casts that the runtime has room for; a world's limit is `sim::limits::LIVE_CASTS_MAX`.
    pub casts_max: u32,
    /// Threads that a tick may run on; 0 is one for each core. What comes of it does not depend on them.
    pub threads: usize,
    /// Whether this world admits components that import WASI.
    pub wasi: bool,
    /// Whose pages may connect, beside those that always may.
    pub origins: Origins,
    /// How many may be connected.
    pub bounds: Bounds,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken, or may not be used.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// The ticket key is none.
    #[error(transparent)]
    TicketKey(#[from] KeyError),
    /// The artifact key is none, or the runtime cannot be made on this machine.
    #[error("cannot run spells: {0}")]
    Runtime(String),
    /// The world's file cannot be used: damaged, another's, or the disk's fault.
    #[error(transparent)]
    File(#[from] store::StoreError),
    /// The world's file is whole, and what it holds is no world.
    #[error("world file {}: {error}", path.display())]
    World {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: sim::saved::LoadError,
    },
    /// The system gives us no thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// When the control plane was heard of last.
    heard: Arc<AtomicU64>,
    synced: watch::Receiver<bool>,
    /// How it has ended, or where that will be told.
    game_loop: GameLoop,
    stop_accepting: watch::Sender<bool>,
    accepting: JoinHandle<JoinSet<()>>,
}

#[derive(Debug)]
enum GameLoop {
    Runs(oneshot::Receiver<Result<(), Unsaved>>),
    Ended(Result<(), Unsaved>),
}

impl Server {
    /// Starts everything: clients are let in as soon as the control plane has told which spells are active, so that the first cast finds them.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let listener = listen(config.listen)?;
        let address = listener.local_addr()?;
        let tickets = Tickets::new(&config.secrets.ticket_key, &config.world, &config.secrets.server_id)?;
        let keys = std::iter::once(&config.secrets.artifact_key).chain(&config.secrets.older_artifact_keys);
        let keys =
            keys.map(|key| PublicKey::from_hex(key).map_err(|error| StartError::Runtime(error.to_string()))).collect::<Result<_, _>>()?;
        let runtime = Runtime::new(config.casts_max).map_err(|error| StartError::Runtime(error.to_string()))?;
        let loader = Loader::trusting(runtime.clone(), keys).admitting_wasi(config.wasi);
        let (file, contents) = WorldFile::open(&config.save, &config.world)?;
        let settings = store::exchange::settings(&config.world, config.generation);
        let (game, awaited) =
            resume::game(contents, settings, &loader, now_ms()).map_err(|error| StartError::World { path: config.save.clone(), error })?;

        let shared = Arc::new(Shared::default());
        let (mail, inbox) = inbox();
        let (reports, posts) = Reports::queue();
        let (synced_sender, synced) = watch::channel(false);
        let line = Line {
            control_plane: config.control_plane.trim_end_matches('/').to_owned(),
            world: config.world.clone(),
            secret: config.secrets.server_secret,
        };

        start_epoch_ticker(&runtime, &shared)?;
        let artifacts = Artifacts::in_folder(config.artifacts);
        let heard = Arc::new(AtomicU64::new(link::now_s()));
        start_link((line.clone(), heard.clone()), loader, artifacts, mail.clone(), reports.clone(), synced_sender)?;
        start_reports(line, reports.clone(), posts, &shared)?;

        let (game_loop_ends, game_loop_ended) = oneshot::channel();
        let saver = Saver::start(file, reports.clone())?;
        let (packer, jobs) = Packer::queue();
        thread("chunks", move || chunks::pack(&jobs))?;
        let connections = Connections::new(&config.world, packer, awaited);
        let recordings = Recordings::start(store::recordings_folder(&config.save))?;
        // The clock and the process: two lives of one world's server never share both.
        let life = now_ms().cast_unsigned() << 20 | u64::from(std::process::id() & 0xf_ffff);
        let of_loop = shared.clone();
        let tellers = (Journal::new(reports.clone(), life), recordings, Usages::new(reports, life));
        let threads = game::threads(config.threads)?;
        thread("game", move || {
            // On one of the threads, so that the others are only woken for what there is to share.
            let ended = threads.install(|| game_loop::run(game, inbox, connections, tellers, saver, &of_loop));
            // Dropped unsent by a panic. Nobody may ask any more.
            let _ = game_loop_ends.send(ended);
        })?;

        let door = Door {
            world_id: config.world,
            origins: config.origins,
            crowd: Crowd::new(config.bounds),
            tickets: Mutex::new(tickets),
            mail,
            shared: shared.clone(),
            next_session: AtomicU64::new(1),
        };
        let (stop_accepting, stopped) = watch::channel(false);
        let accepting = tokio::spawn(accept(listener, Arc::new(door), synced.clone(), stopped));
        Ok(Self { address, shared, heard, synced, game_loop: GameLoop::Runs(game_loop_ended), stop_accepting, accepting })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until clients are let in. False when that will never be, because the link's thread has ended.
    pub fn ready(&self) -> impl Future<Output = bool> + use<> {
        let mut synced = self.synced.clone();
        async move { synced.wait_for(|synced| *synced).await.is_ok() }
    }

    /// Waits for the game loop's end; without [`Server::stop`] that is a fault of ours, or another server has taken the world over.
    ///
    /// # Errors
    /// When the world's file does not hold the end of it.
    pub async fn game_loop_ended(&mut self) -> Result<(), Unsaved> {
        if let GameLoop::Runs(ends) = &mut self.game_loop {
            // Nobody tells any more: it has panicked.
            self.game_loop = GameLoop::Ended(ends.await.unwrap_or(Err(Unsaved::Broken)));
        }
        match &self.game_loop {
            GameLoop::Ended(ended) => ended.clone(),
            GameLoop::Runs(_) => unreachable!("it has ended a line above"),
        }
    }

    /// Waits until nobody needs this server: its control plane is gone for `orphan_time`, and nobody plays on it.
    pub fn orphaned(&self, orphan_time: Duration) -> impl Future<Output = ()> + use<> {
        let (heard, shared) = (self.heard.clone(), self.shared.clone());
        async move {
            loop {
                tokio::time::sleep(ORPHAN_CHECK_INTERVAL.min(orphan_time)).await;
                let silent = Duration::from_secs(link::now_s() - heard.load(Ordering::Relaxed).min(link::now_s()));
                if silent >= orphan_time && shared.players.load(Ordering::Relaxed) == 0 {
                    return;
                }
            }
        }
    }

    /// Lets nobody in any more, saves the world, and tells every client goodbye. Takes at most `LAST_SAVE_TIMEOUT` and `DRAIN_TIMEOUT`.
    ///
    /// # Errors
    /// When the world is not saved.
    pub async fn stop(mut self) -> Result<(), Unsaved> {
        self.shared.stop.store(true, Ordering::Release);
        self.stop_accepting.send_replace(true);
        let saved = tokio::time::timeout(LAST_SAVE_TIMEOUT, self.game_loop_ended()).await.unwrap_or(Err(Unsaved::TooSlow));
        let drained = tokio::time::timeout(DRAIN_TIMEOUT, async {
            if let Ok(mut connections) = (&mut self.accepting).await {
                while connections.join_next().await.is_some() {}
            }
        });
        if drained.await.is_err() {
            tracing::warn!("not every client could be told goodbye");
        }
        self.accepting.abort();
        saved
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    let listening = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // A server that restarts may take its port back at once.
        socket.set_reuseaddr(true)?;
        socket.set_send_buffer_size(SOCKET_SEND_BUFFER_BYTES)?;
        socket.bind(address)?;
        socket.listen(1024)
    };
    listening().map_err(|error| StartError::Listen { address, error })
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn start_epoch_ticker(runtime: &Runtime, shared: &Arc<Shared>) -> std::io::Result<()> {
    let tick = runtime.epoch_ticker();
    let shared = shared.clone();
    thread("epochs", move || {
        while !shared.stop.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(game::EPOCH_TICK_MS));
            tick();
        }
    })
}

fn start_link(
    (line, heard): (Line, Arc<AtomicU64>),
    loader: Loader,
    artifacts: Artifacts,
    mail: tokio::sync::mpsc::Sender<crate::inbox::Mail>,
    reports: Reports,
    synced: watch::Sender<bool>,
) -> std::io::Result<()> {
    thread("link", move || {
        let ears = Ears { line: &line, loader: &loader, artifacts: &artifacts, mail: &mail, reports: &reports, heard: &heard };
        link::follow(&ears, &synced);
    })
}

fn start_reports(
    line: Line,
    reports: Reports,
    posts: std::sync::mpsc::Receiver<protocol::link::Report>,
    shared: &Arc<Shared>,
) -> std::io::Result<()> {
    let shared = shared.clone();
    thread("reports", move || link::post_reports(&line, &reports, &posts, || shared.stop.load(Ordering::Acquire)))
}

fn thread(name: &str, body: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(body).map(|_| ())
}

/// Lets clients in until told to stop; answers those that are still there.
async fn accept(
    listener: TcpListener,
    door: Arc<Door>,
    mut synced: watch::Receiver<bool>,
    mut stopped: watch::Receiver<bool>,
) -> JoinSet<()> {
    let mut connections = JoinSet::new();
    let refusals = Arc::new(Semaphore::new(REFUSALS_AT_ONCE_MAX));
    tokio::select! {
        synced = synced.wait_for(|synced| *synced) => if synced.is_err() { return connections },
        _ = stopped.wait_for(|stopped| *stopped) => return connections,
    }
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stopped| *stopped) => return connections,
        };
        // Whoever has ended is forgotten here, so that the set does not grow.
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, address)) => match door.crowd.admit(address.ip()) {
                Ok(place) => {
                    let door = door.clone();
                    connections.spawn(async move {
                        tokio::select! {
                            () = socket::serve(stream, &place, door) => {}
                            // A stranger whose place somebody else has got: without a word, for there may be a flood of them.
                            () = place.given_away() => {}
                        }
                    });
                }
                Err(full) => {
                    let Ok(permit) = refusals.clone().try_acquire_owned() else { continue };
                    let bounds = door.crowd.bounds();
                    connections.spawn(async move {
                        turn_away(stream, full, bounds).await;
                        drop(permit);
                    });
                }
            },
            Err(error) => {
                // Out of file descriptors, most likely: without a pause this would spin.
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Tells a client that there is no room, before it has asked for anything.
async fn turn_away(stream: TcpStream, full: Full, bounds: Bounds) {
    let mut refusal = match full {
        Full::Address => {
            let why = format!("{} players are connected from this address, and that is its limit", bounds.per_address_max);
            refusal(StatusCode::TOO_MANY_REQUESTS, &why)
        }
        Full::Server => {
            let why = format!("{} players are connected, and that is this game server's limit", bounds.connections_max);
            refusal(StatusCode::SERVICE_UNAVAILABLE, &why)
        }
    };
    refusal.headers_mut().insert(RETRY_AFTER, HeaderValue::from(FULL_RETRY_SECONDS));
    refuse(stream, refusal).await;
}
