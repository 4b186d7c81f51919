//! The line to the control plane: activations come in, reports go out, each on a thread of its own. While it is down the game goes on.

use crate::inbox::Mail;
use crate::limits::{LINK_ANSWER_TIMEOUT, LINK_BACKOFF_MAX, LINK_BACKOFF_MIN, LINK_SILENCE_MAX, REPORTS_PER_POST_MAX, SPELLS_MAX};
use game::{ENGINE_ID, Loader};
use protocol::SpellId;
use protocol::limits::LINK_REPORTS_MAX;
use protocol::link::{self, Activate, Push, Report};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::time::Duration;
use tokio::sync::{mpsc as inbox, watch};

/// Where the control plane is, and how it knows us.
#[derive(Clone)]
pub struct Line {
    /// `http://host:port`, without a slash at its end.
    pub control_plane: String,
    /// The world that we run.
    pub world: String,
    /// The bearer token of this world's stream and reports.
    pub secret: String,
}

/// What a thread posts its reports to. A full queue drops the newest, for no one may wait here.
#[derive(Debug, Clone)]
pub struct Reports {
    queue: SyncSender<Report>,
    dropped: Arc<AtomicU64>,
}

impl Reports {
    /// A queue, and its other end for [`post_reports`].
    pub fn queue() -> (Self, Receiver<Report>) {
        let (queue, posts) = mpsc::sync_channel(LINK_REPORTS_MAX);
        (Self { queue, dropped: Arc::default() }, posts)
    }

    /// Never waits. Whether there was room.
    pub fn send(&self, report: Report) -> bool {
        let sent = self.queue.try_send(report);
        // Disconnected: the server is stopping.
        if let Err(TrySendError::Full(_)) = sent {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        sent.is_ok()
    }

    fn take_dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed)
    }
}

/// What the stream has brought, over all its connections.
#[derive(Default)]
struct SoFar {
    sequence: u64,
    /// At most `SPELLS_MAX`.
    spells: BTreeSet<SpellId>,
}

/// Why a connection to the stream ended.
#[derive(Debug, thiserror::Error)]
enum StreamEnd {
    #[error("control plane cannot be reached: {0}")]
    Http(#[from] ureq::Error),
    #[error(transparent)]
    Frame(#[from] link::FrameError),
    /// Nobody is left who would take what comes.
    #[error("game loop has ended")]
    Stopped,
}

/// Follows the stream until the game loop has ended: loads what it activates, here and not in the tick, and posts it. `synced` turns true with the first complete state.
pub fn follow(line: &Line, loader: &Loader, mail: &inbox::Sender<Mail>, reports: &Reports, synced: &watch::Sender<bool>) {
    let mut so_far = SoFar::default();
    let mut backoff = LINK_BACKOFF_MIN;
    while !mail.is_closed() {
        let before = so_far.sequence;
        let mut got_through = false;
        let end = follow_once(line, loader, mail, reports, &mut so_far, &mut || {
            got_through = true;
            synced.send_replace(true);
        });
        match end {
            Err(StreamEnd::Stopped) => return,
            Err(error) => tracing::warn!(world = %line.world, after = before, "{error}; trying again in {} ms", backoff.as_millis()),
            Ok(never) => match never {},
        }
        if got_through {
            backoff = LINK_BACKOFF_MIN;
        }
        std::thread::sleep(backoff);
        backoff = (backoff * 2).min(LINK_BACKOFF_MAX);
    }
}

/// One connection's worth of pushes.
fn follow_once(
    line: &Line,
    loader: &Loader,
    mail: &inbox::Sender<Mail>,
    reports: &Reports,
    so_far: &mut SoFar,
    on_synced: &mut dyn FnMut(),
) -> Result<std::convert::Infallible, StreamEnd> {
    let url = format!("{}/internal/worlds/{}/stream?after={}&engine={ENGINE_ID}", line.control_plane, line.world, so_far.sequence);
    let agent = agent().timeout_per_read(Some(LINK_SILENCE_MAX)).build().new_agent();
    let response = agent.get(url).header("authorization", format!("Bearer {}", line.secret)).call()?;
    // Unlimited: each frame is bounded, the stream is not.
    let mut body = response.into_body().into_with_config().limit(u64::MAX).reader();
    loop {
        match link::read(&mut body)? {
            Push::Activate(activate) => {
                so_far.sequence = activate.sequence;
                take(activate, loader, mail, reports, &mut so_far.spells)?;
            }
            Push::Order(order) => mail.blocking_send(Mail::Order(order)).map_err(|_| StreamEnd::Stopped)?,
            Push::Synced => on_synced(),
            Push::Alive if mail.is_closed() => return Err(StreamEnd::Stopped),
            Push::Alive => {}
        }
    }
}

/// Loads the revision and posts it; one that cannot be loaded is reported, and the last good one stays active.
fn take(
    activate: Activate,
    loader: &Loader,
    mail: &inbox::Sender<Mail>,
    reports: &Reports,
    spells: &mut BTreeSet<SpellId>,
) -> Result<(), StreamEnd> {
    let Activate { spell_id, revision_id, channel, artifact, .. } = activate;
    let loaded = if spells.len() < SPELLS_MAX || spells.contains(&spell_id) {
        spells.insert(spell_id.clone());
        loader.load(spell_id.as_str(), revision_id.as_str(), &artifact).map_err(|error| error.to_string())
    } else {
        Err(format!("this world follows {SPELLS_MAX} spells already, and that is its limit"))
    };
    match loaded {
        Ok(loaded) => mail.blocking_send(Mail::Activate { loaded, channel, artifact: artifact.into() }).map_err(|_| StreamEnd::Stopped),
        Err(message) => {
            tracing::error!(spell = %spell_id, revision = %revision_id, "revision refused: {message}");
            reports.send(Report::Refused { spell_id, revision_id, message });
            Ok(())
        }
    }
}

/// Posts reports, many at once when many wait, until their queue has no sender any more. What cannot be delivered is tried again; meanwhile the queue bounds what is kept.
pub fn post_reports(line: &Line, reports: &Reports, posts: &Receiver<Report>, stopped: impl Fn() -> bool) {
    let url = format!("{}/internal/worlds/{}/reports", line.control_plane, line.world);
    let agent = agent().timeout_global(Some(LINK_ANSWER_TIMEOUT)).build().new_agent();
    while !stopped() {
        // Woken now and then to see whether the server has stopped, for this thread keeps a sender of its own queue.
        let Ok(first) = posts.recv_timeout(Duration::from_secs(1)) else { continue };
        let batch: Vec<Report> = std::iter::once(first).chain(posts.try_iter()).take(REPORTS_PER_POST_MAX).collect();
        let mut backoff = LINK_BACKOFF_MIN;
        while let Err(error) = agent.post(&url).header("authorization", format!("Bearer {}", line.secret)).send_json(&batch) {
            tracing::warn!(reports = batch.len(), "reports are not delivered: {error}");
            if stopped() {
                return;
            }
            // Refused as it is: saying it again would not help, and would keep later reports from being heard.
            if matches!(error, ureq::Error::StatusCode(400..=499)) {
                break;
            }
            std::thread::sleep(backoff);
            backoff = (backoff * 2).min(LINK_BACKOFF_MAX);
        }
        let dropped = reports.take_dropped();
        if dropped > 0 {
            tracing::warn!(dropped, "reports were dropped while the control plane could not be reached");
        }
    }
}

fn agent() -> ureq::config::ConfigBuilder<ureq::typestate::AgentScope> {
    ureq::Agent::config_builder().timeout_connect(Some(LINK_ANSWER_TIMEOUT)).timeout_recv_response(Some(LINK_ANSWER_TIMEOUT))
}
