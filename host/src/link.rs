//! The line to the control plane: lineups come in, reports go out, each on a thread of its own. While it is down the game goes on.

use crate::artifacts::{Artifacts, FetchError};
use crate::inbox::Mail;
use crate::limits::{LINK_ANSWER_TIMEOUT, LINK_BACKOFF_MAX, LINK_BACKOFF_MIN, LINK_FRAME_TIME_MAX, LINK_SILENCE_MAX, REPORTS_PER_POST_MAX};
use crate::lineups::Lineups;
use game::{ENGINE_ID, Loader};
use protocol::limits::LINK_REPORTS_MAX;
use protocol::link::{self, Push, Report};
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc as inbox, watch};

/// Where the control plane is, and how it knows us.
#[derive(Debug, Clone)]
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
    lineups: Lineups,
}

/// Why a connection to the stream ended.
#[derive(Debug, thiserror::Error)]
enum StreamEnd {
    #[error("control plane cannot be reached: {0}")]
    Http(#[from] ureq::Error),
    #[error(transparent)]
    Frame(#[from] link::FrameError),
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Nobody is left who would take what comes.
    #[error("game loop has ended")]
    Stopped,
}

/// What a follower works with.
pub struct Ears<'a> {
    /// Where the control plane is.
    pub line: &'a Line,
    /// Makes revisions ready.
    pub loader: &'a Loader,
    /// Where their bytes come from.
    pub artifacts: &'a Artifacts,
    /// What the game loop is told.
    pub mail: &'a inbox::Sender<Mail>,
    /// What the control plane is told.
    pub reports: &'a Reports,
    /// When it was heard of last: [`now_s`].
    pub heard: &'a AtomicU64,
}

/// Seconds since this was first asked, for what counts time between two threads.
pub fn now_s() -> u64 {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    BEGAN.get_or_init(Instant::now).elapsed().as_secs()
}

/// Follows the stream until the game loop has ended: makes ready what it brings, here and not in the tick, and posts it. `synced` turns true with the first complete state.
pub fn follow(ears: &Ears<'_>, synced: &watch::Sender<bool>) {
    let (line, mail) = (ears.line, ears.mail);
    let mut so_far = SoFar::default();
    let mut backoff = LINK_BACKOFF_MIN;
    while !mail.is_closed() {
        let before = so_far.sequence;
        let mut got_through = false;
        let end = follow_once(ears, &mut so_far, &mut || {
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
fn follow_once(ears: &Ears<'_>, so_far: &mut SoFar, on_synced: &mut dyn FnMut()) -> Result<std::convert::Infallible, StreamEnd> {
    let Ears { line, loader, artifacts, mail, reports, heard } = ears;
    let url = format!("{}/internal/worlds/{}/stream?after={}&engine={ENGINE_ID}", line.control_plane, line.world, so_far.sequence);
    let agent = agent().timeout_per_read(Some(LINK_SILENCE_MAX)).build().new_agent();
    let response = agent.get(url).header("authorization", format!("Bearer {}", line.secret)).call()?;
    // Unlimited: each frame is bounded, the stream is not.
    let body = response.into_body().into_with_config().limit(u64::MAX).reader();
    let mut body = Timely { body, since: Instant::now() };
    so_far.lineups.begin();
    loop {
        // What was done with the last frame is not this one's time.
        body.since = Instant::now();
        let push = link::read(&mut body)?;
        heard.store(now_s(), Ordering::Relaxed);
        let (sequence, complete, is_synced) = match push {
            Push::Lineup(lineup) => {
                so_far.lineups.take(lineup);
                continue;
            }
            Push::Order(order) => {
                mail.blocking_send(Mail::Order(order)).map_err(|_| StreamEnd::Stopped)?;
                continue;
            }
            Push::FriendlyFire(on) => {
                mail.blocking_send(Mail::FriendlyFire(on)).map_err(|_| StreamEnd::Stopped)?;
                continue;
            }
            Push::Alive if mail.is_closed() => return Err(StreamEnd::Stopped),
            Push::Alive => continue,
            Push::Apply { sequence } => (sequence, false, false),
            Push::Synced { sequence, complete } => (sequence, complete, true),
        };
        let switches = so_far.lineups.ready(complete, line, loader, artifacts, reports)?;
        if complete || !switches.is_empty() {
            mail.blocking_send(Mail::Switch { switches, complete }).map_err(|_| StreamEnd::Stopped)?;
        }
        so_far.sequence = sequence;
        if is_synced {
            on_synced();
        }
    }
}

/// Posts reports, many at once when many wait, until the server has stopped. What cannot be delivered is tried again; meanwhile the queue bounds what is kept.
pub fn post_reports(line: &Line, reports: &Reports, posts: &Receiver<Report>, stopped: impl Fn() -> bool) {
    let url = format!("{}/internal/worlds/{}/reports", line.control_plane, line.world);
    let agent = agent().timeout_global(Some(LINK_ANSWER_TIMEOUT)).build().new_agent();
    while !stopped() {
        // Woken now and then to see whether the server has stopped, for this thread keeps a sender of its own queue.
        let Ok(first) = posts.recv_timeout(Duration::from_secs(1)) else { continue };
        let batch: Vec<Report> = std::iter::once(first).chain(posts.try_iter()).take(REPORTS_PER_POST_MAX).collect();
        let (mut batches, mut backoff) = (vec![batch], LINK_BACKOFF_MIN);
        while let Some(mut batch) = batches.pop() {
            let Err(error) = post(&agent, &url, &line.secret, &batch) else { continue };
            tracing::warn!(reports = batch.len(), "reports are not delivered: {error}");
            if stopped() {
                return;
            }
            match error {
                // It would not be understood the next time either, and would keep later ones from being heard.
                ureq::Error::StatusCode(413 | 422) if batch.len() == 1 => {}
                // They are too long, or one of them is not understood: that is no reason not to hear the others.
                ureq::Error::StatusCode(413 | 422) => {
                    let second = batch.split_off(batch.len() / 2);
                    batches.extend([second, batch]);
                }
                // Somebody is confused, or it is not the control plane at all: what is dropped for that (a quarantine, say) would never be told.
                _ => {
                    batches.push(batch);
                    std::thread::sleep(backoff);
                    backoff = (backoff * 2).min(LINK_BACKOFF_MAX);
                }
            }
        }
        let dropped = reports.take_dropped();
        if dropped > 0 {
            tracing::warn!(dropped, "reports were dropped while the control plane could not be reached");
        }
    }
}

fn post(agent: &ureq::Agent, url: &str, secret: &str, batch: &[Report]) -> Result<(), ureq::Error> {
    let status = agent.post(url).header("authorization", format!("Bearer {secret}")).send_json(batch)?.status().as_u16();
    // The control plane's answer has nothing in it: a page with words is another's.
    if status == 204 { Ok(()) } else { Err(ureq::Error::StatusCode(status)) }
}

/// A body each of whose frames has `LINK_FRAME_TIME_MAX` to come.
struct Timely<R> {
    body: R,
    /// When the frame was begun to be waited for.
    since: Instant,
}

impl<R: Read> Read for Timely<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since.elapsed() > LINK_FRAME_TIME_MAX {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "a frame took too long"));
        }
        self.body.read(buffer)
    }
}

/// Goes where it is told to and nowhere else: what a redirection leads to is not the control plane.
fn agent() -> ureq::config::ConfigBuilder<ureq::typestate::AgentScope> {
    ureq::Agent::config_builder()
        .max_redirects(0)
        .timeout_connect(Some(LINK_ANSWER_TIMEOUT))
        .timeout_recv_response(Some(LINK_ANSWER_TIMEOUT))
}
