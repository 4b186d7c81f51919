//! `ugc-control`: starts the control plane step by step, and says what to do where a step fails.

use anyhow::{Context, Result, bail};
use clap::Parser;
use control::{
    App, Doors,
    config::{Arguments, Command, Config, Siblings},
    keys::Generation,
    limits::{BUILDER_CHECK_TIME_MAX, LOCK_WAIT_MAX, LOCK_WAIT_STEP, OPEN_FILES_MAX},
    store::backup::{self, Tally},
};
use rustix::{
    fs::{FlockOperation, Mode, flock},
    io::Errno,
    process::{Resource, Rlimit, getrlimit, setrlimit, umask},
};
use std::{
    fs::File,
    io::IsTerminal,
    net::{SocketAddr, TcpListener},
    path::Path,
    time::Instant,
};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    start_log();
    keep_files_private();
    if let Some(command) = &arguments.command {
        return carry_out(command, &arguments.data_dir);
    }
    allow_open_files();
    let siblings = find_siblings()?;
    let config = Config::new(&arguments, siblings).context("the data directory cannot be used: set DATA_DIR to one that can be written")?;
    let _lock = lock(&config.data_dir)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no async runtime")?;
    runtime.spawn(check_builds(config.siblings.clone()));
    let (listener, address) = listen(&arguments)?;
    let operators = arguments.admin_address.map(listen_for_operators).transpose()?;
    runtime.block_on(async {
        let app = tokio::task::block_in_place(|| App::open(&config, address)).context("the data directory cannot be opened")?;
        let of_runtime = |listener| tokio::net::TcpListener::from_std(listener).context("the listening socket cannot be used");
        let doors = Doors { main: of_runtime(listener)?, operators: operators.map(of_runtime).transpose()? };
        let stop = stop_signal()?;
        if let Some(token) = &config.new_admin_token {
            // To standard output alone: logs are kept and read by many.
            println!("The admin token, which is shown this once and kept nowhere: {token}");
        }
        tracing::info!("listening on http://{address}, data in {}", config.data_dir.display());
        if let Some(Ok(address)) = doors.operators.as_ref().map(tokio::net::TcpListener::local_addr) {
            tracing::info!("operators are served at http://{address}");
        }
        app.serve(doors, stop).await.context("serving ended")
    })?;
    tracing::info!("stopped");
    Ok(())
}

/// Something else than to serve. But for a look or a copy, nobody may serve from the same data meanwhile.
fn carry_out(command: &Command, data_dir: &Path) -> Result<()> {
    match command {
        Command::Backup { to } => {
            let Tally { blobs, worlds } = backup::copy(data_dir, to).context("there is no copy")?;
            println!("{blobs} blobs and {worlds} worlds are in {}; `ugc-control verify {0}` reads it all", to.display());
            return Ok(());
        }
        Command::Verify { folder } => {
            let Tally { blobs, worlds } = backup::verify(folder.as_deref().unwrap_or(data_dir)).context("not whole")?;
            println!("whole: {blobs} blobs and {worlds} worlds");
            return Ok(());
        }
        Command::Restore { from } => {
            backup::verify(from).context("the copy is not whole")?;
            let Tally { blobs, worlds } = backup::copy(from, data_dir).context("nothing was restored")?;
            println!("{blobs} blobs and {worlds} worlds are in {}", data_dir.display());
            return Ok(());
        }
        Command::World(_) | Command::RotateKey { .. } => {}
    }
    let _lock = lock(data_dir)?;
    match command {
        Command::Backup { .. } | Command::Verify { .. } | Command::Restore { .. } => {}
        Command::World(command) => println!("{}", command.run(data_dir)?),
        Command::RotateKey { distrust } => {
            let generation = Generation::rotate(data_dir, *distrust)?;
            println!(
                "artifacts are signed with key {} from now on, and trusted from key {} on",
                generation.current, generation.oldest_trusted
            );
        }
    }
    Ok(())
}

fn start_log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal()).init();
}

/// Whatever is made from here on, the database and drafts among it, is for this user alone.
fn keep_files_private() {
    umask(Mode::RWXG | Mode::RWXO);
}

/// The usual soft limit of 1024 is below the connections that we take; the hard one is the operator's word.
fn allow_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(OPEN_FILES_MAX, |maximum| maximum.min(OPEN_FILES_MAX));
    if limit.current.is_some_and(|current| current < wanted)
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), ..limit })
    {
        tracing::warn!(%error, wanted, "the limit of open files stays low");
    }
}

fn find_siblings() -> Result<Siblings> {
    let executable = std::env::current_exe().context("this executable's own path is unknown")?;
    let siblings = Siblings::beside(executable.parent().context("this executable lies in no folder")?);
    let missing: Vec<_> = siblings.missing().iter().map(|path| path.display().to_string()).collect();
    if !missing.is_empty() {
        bail!("missing beside this executable: {}; run `cargo xtask dist`", missing.join(", "));
    }
    Ok(siblings)
}

/// Has the builder try itself and its sandbox, for which nobody waits: a world can be played where nothing can be built, so what is wrong is said and no more.
async fn check_builds(siblings: Siblings) {
    let mut check = tokio::process::Command::new(&siblings.builder);
    check.arg("check").arg(&siblings.sdk).env_clear().kill_on_drop(true);
    match tokio::time::timeout(BUILDER_CHECK_TIME_MAX, check.output()).await {
        Ok(Ok(output)) if output.status.success() => tracing::info!("{}", String::from_utf8_lossy(&output.stdout).trim()),
        Ok(Ok(output)) => String::from_utf8_lossy(&output.stderr).lines().for_each(|line| tracing::error!("builds: {line}")),
        Ok(Err(error)) => tracing::error!(%error, builder = %siblings.builder.display(), "the compile worker does not start"),
        Err(_) => tracing::error!("builds: `ugc-builder check` has said nothing for {} s", BUILDER_CHECK_TIME_MAX.as_secs()),
    }
}

/// Two control planes over one directory would fail each other's builds. The lock ends with the process; of one that was killed, a child that has not begun its own
/// program yet may hold it for a moment more.
fn lock(data_dir: &Path) -> Result<File> {
    let path = data_dir.join("lock");
    let file = File::create(&path).with_context(|| format!("{} cannot be written", path.display()))?;
    let deadline = Instant::now() + LOCK_WAIT_MAX;
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) if Instant::now() < deadline => std::thread::sleep(LOCK_WAIT_STEP),
            locked => {
                let used = || format!("another ugc-control uses {}: stop it, or set DATA_DIR to another directory", data_dir.display());
                return locked.with_context(used).map(|()| file);
            }
        }
    }
}

fn listen(arguments: &Arguments) -> Result<(TcpListener, SocketAddr)> {
    let Arguments { host, port, .. } = arguments;
    let listener = TcpListener::bind((host.as_str(), *port)).with_context(|| {
        format!("cannot listen on {host}:{port}: stop what does, or set HOST and PORT (for example PORT={})", port.wrapping_add(1))
    })?;
    listener.set_nonblocking(true).context("the listening socket cannot be used")?;
    let address = listener.local_addr().context("the listening socket has no address")?;
    Ok((listener, address))
}

fn listen_for_operators(address: SocketAddr) -> Result<TcpListener> {
    let listener =
        TcpListener::bind(address).with_context(|| format!("cannot listen on {address}: set ADMIN_ADDRESS to one that is free"))?;
    listener.set_nonblocking(true).context("the listening socket cannot be used")?;
    Ok(listener)
}

/// Ends with the first SIGTERM or ctrl-c.
fn stop_signal() -> Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be waited for")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be waited for")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
