//! `ugc-host`: starts one world's game server and keeps it until it is told to stop.

use anyhow::{Context, bail};
use clap::Parser;
use host::crowd::Bounds;
use host::limits::{CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX, ORPHAN_TIME_MAX, SECRETS_BYTES_MAX};
use host::origins::Origins;
use host::server::{Config, Server, StartError};
use protocol::link::Secrets;
use sim::Generation;
use std::io::{BufRead, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};

/// A game server for one world. Reads its secrets as one line of JSON from standard input, prints `GAMESERVER_PORT=<n>` when clients may come,
/// and stops on SIGTERM; its exit code is 0 only when the world is saved. It outlives whoever started it, who may come back; when nobody plays and nobody comes back for ten minutes, it stops.
#[derive(Debug, Parser)]
#[command(name = "ugc-host", version)]
struct Args {
    /// TCP port for clients; 0 takes a free one.
    #[arg(long)]
    port: u16,
    /// The world's id.
    #[arg(long)]
    world: String,
    /// The control plane's address, such as http://127.0.0.1:5000.
    #[arg(long)]
    control_plane: String,
    /// The world's file; it is made when there is none.
    #[arg(long)]
    save: PathBuf,
    /// A folder to keep artifacts in, which servers of one machine may share; beside the world's file when left out.
    #[arg(long)]
    artifacts: Option<PathBuf>,
    /// How the ground of a new world is made: `floor` or `hills`.
    #[arg(long, default_value = "floor", value_parser = generation)]
    generation: Generation,
    /// The address to listen on.
    #[arg(long, env = "HOST", default_value = "127.0.0.1")]
    host: IpAddr,
    /// Threads that a tick may run on; 0 is one for each core.
    #[arg(long, env = "TICK_THREADS", default_value_t = 0)]
    threads: usize,
    /// Serve Prometheus' `GET /metrics` on this address.
    #[arg(long, env = "METRICS")]
    metrics: Option<SocketAddr>,
    /// Also run components that import WASI, as those of other toolchains do: without files or sockets, and with the tick as their clock.
    #[arg(long, env = "WORLD_WASI")]
    wasi: bool,
    /// Origins whose pages may connect, such as https://game.example, with commas between them; `null` is that of files. Pages of this machine and of the name
    /// by which it is asked for always may, and so may programs that are no browsers.
    #[arg(long, env = "ORIGINS", value_delimiter = ',')]
    origins: Vec<String>,
    /// Connections that one address may have at once; behind one there may be a school, or a proxy with everybody.
    #[arg(long, env = "CONNECTIONS_PER_ADDRESS", default_value_t = CONNECTIONS_PER_ADDRESS_MAX)]
    connections_per_address: usize,
}

fn main() -> anyhow::Result<()> {
    host::log::start()?;
    let args = Args::parse();
    let secrets = read_secrets().context("cannot read the secrets from standard input")?;
    if let Some(address) = args.metrics {
        // A world can be played without anybody counting.
        if let Err(error) = host::metrics::serve(address) {
            tracing::error!(%address, %error, "no metrics: another process may have the port");
        }
    }
    let config = Config {
        listen: SocketAddr::new(args.host, args.port),
        world: args.world,
        control_plane: args.control_plane,
        secrets,
        artifacts: args.artifacts.unwrap_or_else(|| args.save.with_extension("artifacts")),
        save: args.save,
        generation: args.generation,
        casts_max: u32::try_from(sim::limits::LIVE_CASTS_MAX)?,
        threads: args.threads,
        wasi: args.wasi,
        origins: Origins::new(args.origins),
        bounds: Bounds { connections_max: CONNECTIONS_MAX, per_address_max: args.connections_per_address },
    };
    // One thread carries the sockets; the world has its own.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let ended = runtime.block_on(run(config));
    // Not waited for: the link's thread may hang on a control plane that does not answer.
    runtime.shutdown_background();
    ended
}

fn generation(name: &str) -> Result<Generation, String> {
    Generation::named(name).ok_or_else(|| format!("there is no generation {name}: floor or hills"))
}

/// Start, open the door, serve, drain.
async fn run(config: Config) -> anyhow::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let world = config.world.clone();
    let mut server = Server::start(config).await.inspect_err(complain)?;
    let port = server.address().port();
    tracing::info!(%world, port, "listening; waiting for the control plane");

    let mut ready = std::pin::pin!(server.ready());
    let mut orphaned = std::pin::pin!(server.orphaned(ORPHAN_TIME_MAX));
    let mut open = false;
    let fault = loop {
        tokio::select! {
            synced = &mut ready, if !open => {
                if !synced {
                    break Some("the link to the control plane has ended");
                }
                announce(port)?;
                tracing::info!(%world, port, "ready");
                open = true;
            }
            _ = server.game_loop_ended() => break Some("the game loop has ended"),
            () = &mut orphaned => {
                tracing::warn!(%world, "nobody plays here, and the control plane is gone");
                break None;
            }
            _ = terminated.recv() => break None,
            _ = interrupted.recv() => break None,
        }
    };
    tracing::info!(%world, "stopping");
    // A world that is not saved is worse than why it stopped, and its server does not end as if all were well.
    server.stop().await?;
    match fault {
        Some(fault) => bail!("{fault}"),
        None => Ok(()),
    }
}

/// Tells whoever started us about a world that will not start on another port either, on one line.
fn complain(error: &StartError) {
    if matches!(error, StartError::File(_) | StartError::World { .. }) {
        let _ = writeln!(std::io::stdout().lock(), "GAMESERVER_ERROR={}", error.to_string().replace(['\n', '\r'], " "));
    }
}

/// What whoever started us waits for.
fn announce(port: u16) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "GAMESERVER_PORT={port}")?;
    out.flush()
}

fn read_secrets() -> anyhow::Result<Secrets> {
    let mut line = String::new();
    std::io::stdin().lock().take(SECRETS_BYTES_MAX).read_line(&mut line)?;
    // Without the text: serde's messages may quote what they could not read.
    serde_json::from_str(&line).map_err(|error| anyhow::anyhow!("the first line is not the secrets' JSON (column {})", error.column()))
}
