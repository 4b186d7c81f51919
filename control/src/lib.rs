//! The control plane: login, worlds, builds, publishing, and the game servers. `ugc-control` is this library with a `main`.

mod admin;
mod blobs;
mod body;
mod build;
mod build_queue;
mod client;
pub mod clock;
mod compile_worker;
pub mod config;
mod connections;
mod cursor;
mod docs;
pub mod error;
mod fingerprint;
mod fleet;
pub mod generator;
mod guide;
mod idempotency;
pub mod ids;
mod jobs;
pub mod keys;
pub mod limits;
mod link;
mod metrics;
mod operator;
mod package;
mod page;
mod policy;
mod problem;
mod publish;
mod rate;
mod revision;
mod rollout;
mod routes;
pub mod session;
mod sheet;
mod spell;
mod spell_log;
mod stops;
pub mod store;
mod ticket;
mod usage;
mod world;
pub mod world_command;
mod world_file;

use axum::http::HeaderValue;
use blobs::Blobs;
use build_queue::{BuildQueue, Workshop};
use config::Config;
pub use connections::Bounds;
use error::Error;
use fleet::Fleet;
use futures_util::future::OptionFuture;
use keys::{Keys, TokenHash};
use limits::{
    ADDRESS_BURST, ADDRESS_REQUESTS_PER_SECOND, IMPORTS_AT_ONCE_MAX, LOGIN_BURST, LOGINS_PER_SECOND, PLAYER_BURST,
    PLAYER_REQUESTS_PER_SECOND, WORLDS_UNPACKED_AT_ONCE_MAX,
};
use rate::{Buckets, PlayerRates};
use std::{future::Future, net::IpAddr, net::SocketAddr, path::PathBuf, process::Command, sync::Arc, thread};
use stops::Stops;
use store::Store;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
};

/// Where requests come in.
pub struct Doors {
    /// For players and game servers, and for operators who have no door of their own.
    pub main: TcpListener,
    /// For operators: where it is there, the other one knows no `/admin` and no `/metrics`.
    pub operators: Option<TcpListener>,
}

/// Everything that a request's handler may need.
pub struct App {
    /// The database.
    pub store: Store,
    blobs: Blobs,
    keys: Keys,
    admin_token_hash: Option<TokenHash>,
    queue: Arc<BuildQueue>,
    fleet: Arc<Fleet>,
    /// Logins by address.
    logins: Buckets<IpAddr>,
    /// Requests by address, and by player.
    addresses: Buckets<IpAddr>,
    players: PlayerRates,
    stops: Stops,
    /// What worlds did with spells of late.
    recent: usage::Recent,
    /// Places for imports of worlds.
    imports: Arc<Semaphore>,
    /// Places for worlds that are unpacked.
    unpacked: Arc<Semaphore>,
    /// Whether all worlds admit components that import WASI.
    wasi: bool,
    page_policy: String,
    /// Origins whose pages may use the interface.
    cors_origins: Vec<HeaderValue>,
    /// The number of the newest change to what worlds run.
    published: watch::Sender<i64>,
    /// Counts additions to spells' logs.
    logged: watch::Sender<u64>,
    stopping: watch::Sender<bool>,
}

impl App {
    /// Opens the data directory and starts the build workers. `address` is where the control plane listens. Blocks.
    pub fn open(config: &Config, address: SocketAddr) -> Result<Arc<Self>, Error> {
        metrics::start();
        let keys = Keys::derive(&config.secret, keys::Generation::read(&config.data_dir)?);
        let store = Store::open(&config.data_dir.join("control.sqlite"))?;
        let blobs = Blobs::open(config.data_dir.join("blobs"))?;
        let queue = BuildQueue::start(Workshop {
            builder: config.siblings.builder.clone(),
            sdk: config.siblings.sdk.clone(),
            signing_seed: keys.artifact_seed(),
            public_key: keys::public_hex(&keys.artifact),
            fingerprint: fingerprint::of(&config.siblings, &keys)?,
            sandbox: config.sandbox,
            generator: config.generator.clone(),
            scratch: config.data_dir.join("scratch"),
            store: store.clone(),
            blobs: blobs.clone(),
        })?;
        collect_garbage(&store, &blobs)?;
        make_native_ahead(queue.clone(), store.clone(), config.siblings.builder.clone())?;
        let fleet = Fleet::open(config.siblings.host.clone(), address, &keys, config.data_dir.join("worlds"), &config.cors_origins)?;
        store.with(|db| db.forget_unanswered())?;
        let throttled = store.with(|db| db.throttled())?;
        let published = watch::Sender::new(store.with(|db| db.newest_change())?);
        Ok(Arc::new(Self {
            store,
            blobs,
            admin_token_hash: config.admin_token_hash,
            keys,
            queue,
            fleet,
            logins: Buckets::new(LOGIN_BURST, LOGINS_PER_SECOND),
            addresses: Buckets::new(ADDRESS_BURST, ADDRESS_REQUESTS_PER_SECOND),
            players: PlayerRates::new(PLAYER_BURST, PLAYER_REQUESTS_PER_SECOND, throttled),
            stops: Stops::default(),
            recent: usage::Recent::default(),
            imports: Arc::new(Semaphore::new(IMPORTS_AT_ONCE_MAX)),
            unpacked: Arc::new(Semaphore::new(WORLDS_UNPACKED_AT_ONCE_MAX)),
            wasi: config.wasi,
            page_policy: page::policy(),
            cors_origins: config.cors_origins.clone(),
            published,
            logged: watch::Sender::new(0),
            stopping: watch::Sender::new(false),
        }))
    }

    /// Tells the worlds of a change.
    fn tell(&self, number: i64) {
        self.published.send_modify(|newest| *newest = (*newest).max(number));
    }

    /// Answers requests until `stop`, then drains: no new connections, builds ended, game servers told to stop and waited for.
    pub async fn serve(self: Arc<Self>, doors: Doors, stop: impl Future<Output = ()> + Send) -> Result<(), Error> {
        self.serve_within(Bounds::default(), doors, stop).await
    }

    /// The same, within these bounds.
    pub async fn serve_within(self: Arc<Self>, bounds: Bounds, doors: Doors, stop: impl Future<Output = ()> + Send) -> Result<(), Error> {
        self.fleet.adopt();
        let (close, closed) = watch::channel(false);
        let judge = tokio::spawn(rollout::keep_judging(self.clone()));
        let open = |listener, for_operators| {
            let (router, mut closed) = (routes::router(self.clone(), bounds.request_time_max, for_operators), closed.clone());
            connections::serve(listener, router, bounds, async move { drop(closed.wait_for(|close| *close).await) })
        };
        let for_all = open(doors.main, doors.operators.is_none());
        let for_operators = doors.operators.map(|listener| open(listener, true));
        let mut server = tokio::spawn(async { tokio::join!(for_all, OptionFuture::from(for_operators)) });
        tokio::select! {
            ended = &mut server => return ended.map(drop).map_err(|_| Error::Lost),
            () = stop => {}
        }
        close.send_replace(true);
        judge.abort();
        self.drain().await;
        // Whoever still reads an answer has had the time of the drain for it.
        server.abort();
        Ok(())
    }

    async fn drain(&self) {
        let queue = self.queue.clone();
        let builds = tokio::task::spawn_blocking(move || queue.stop());
        self.fleet.drain().await;
        // After the fleet: a game server that drains still reports.
        self.stopping.send_replace(true);
        builds.await.ok();
    }
}

/// Makes what worlds will ask for: after an upgrade or a new key, all of their native code is missing, and a world opens when it has it.
fn make_native_ahead(queue: Arc<BuildQueue>, store: Store, builder: PathBuf) -> Result<(), Error> {
    let make = move || {
        let engine = Command::new(&builder)
            .arg("engine")
            .env_clear()
            .output()
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        // A builder that does not even say this is told of by its check.
        let Some(engine) = engine.ok().filter(|engine| !engine.is_empty()) else { return };
        for (component, ours) in store.with(|db| db.published_components()).unwrap_or_default() {
            if let Err(error) = queue.native(&component, ours, &engine) {
                tracing::error!(%component, %error, "a published component has no native code");
            }
        }
    };
    thread::Builder::new().name("native".into()).spawn(make).map(drop).map_err(Error::file("native thread"))
}

/// Forgets old drafts and what nothing names any more. At the start, when no build is about to name what it has just written.
fn collect_garbage(store: &Store, blobs: &Blobs) -> Result<usize, Error> {
    let drafts = store.with(|db| db.forget_drafts())?;
    let named = store.with(|db| db.blobs_named())?;
    let removed = blobs.keep(|hash| named.contains(hash))?;
    if drafts + removed > 0 {
        tracing::info!(drafts, blobs = removed, "removed what nothing names any more");
    }
    Ok(removed)
}
