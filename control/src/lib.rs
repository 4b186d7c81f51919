//! The control plane: login, worlds, builds, publishing, and the game servers. `ugc-control` is this library with a `main`.

mod blobs;
mod body;
mod build;
mod build_queue;
pub mod clock;
mod compile_worker;
pub mod config;
mod connections;
pub mod error;
mod fleet;
mod fingerprint;
pub mod generator;
pub mod ids;
mod jobs;
pub mod keys;
pub mod limits;
mod link;
mod login_flood;
mod operator;
mod package;
mod page;
mod problem;
mod publish;
mod revision;
mod routes;
pub mod session;
mod spell;
mod stops;
pub mod store;
mod ticket;
mod world;
pub mod world_command;
mod world_file;

use blobs::Blobs;
use build_queue::{BuildQueue, Workshop};
use config::Config;
use connections::Bounds;
use error::Error;
use fleet::Fleet;
use keys::{Keys, TokenHash};
use login_flood::LoginFlood;
use std::{future::Future, net::SocketAddr, sync::Arc};
use stops::Stops;
use store::Store;
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
};

/// Everything that a request's handler may need.
pub struct App {
    /// The database.
    pub store: Store,
    blobs: Blobs,
    keys: Keys,
    admin_token_hash: Option<TokenHash>,
    queue: Arc<BuildQueue>,
    fleet: Arc<Fleet>,
    logins: LoginFlood,
    stops: Stops,
    page_policy: String,
    /// The newest publication's sequence number.
    published: watch::Sender<i64>,
    stopping: watch::Sender<bool>,
}

impl App {
    /// Opens the data directory and starts the build workers. `address` is where the control plane listens. Blocks.
    pub fn open(config: &Config, address: SocketAddr) -> Result<Arc<Self>, Error> {
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
        let fleet = Fleet::open(config.siblings.host.clone(), address, &keys, config.data_dir.join("worlds"))?;
        let published = watch::Sender::new(store.with(|db| db.newest_sequence())?);
        Ok(Arc::new(Self {
            store,
            blobs,
            admin_token_hash: config.admin_token.as_deref().map(keys::token_hash),
            keys,
            queue,
            fleet,
            logins: LoginFlood::default(),
            stops: Stops::default(),
            page_policy: page::policy(),
            published,
            stopping: watch::Sender::new(false),
        }))
    }

    /// Tells the worlds of a publication.
    fn tell(&self, sequence: i64) {
        self.published.send_modify(|newest| *newest = (*newest).max(sequence));
    }

    /// Answers requests until `stop`, then drains: no new connections, builds ended, game servers told to stop and waited for.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, stop: impl Future<Output = ()> + Send) -> Result<(), Error> {
        let (close, closed) = oneshot::channel::<()>();
        let router = routes::router(self.clone());
        let mut server = tokio::spawn(connections::serve(listener, router, Bounds::default(), async { drop(closed.await) }));
        tokio::select! {
            ended = &mut server => return ended.map_err(|_| Error::Lost),
            () = stop => {}
        }
        drop(close);
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

/// Forgets old drafts and what nothing names any more. At the start, when no build is about to name what it has just written.
fn collect_garbage(store: &Store, blobs: &Blobs) -> Result<(), Error> {
    let drafts = store.with(|db| db.forget_drafts())?;
    let named = store.with(|db| db.blobs_named())?;
    let removed = blobs.keep(|hash| named.contains(hash))?;
    if drafts + removed > 0 {
        tracing::info!(drafts, blobs = removed, "removed what nothing names any more");
    }
    Ok(())
}
