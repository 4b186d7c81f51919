//! The line to running game servers: publications go out at once, reports come in.

use crate::{
    App,
    body::parse,
    build_queue::BuildQueue,
    clock,
    error::Error,
    ids::WorldId,
    limits::{ENGINE_ID_CHARS_MAX, LINK_ALIVE_INTERVAL, LINK_FRAMES_WAITING_MAX},
    problem::Problem,
    rollout::{By, judge_all},
    session::bearer,
    store::{Asked, Changed, Chosen, Database, Ending, Lineup},
};
use axum::{
    body::{Body, Bytes},
    extract::{FromRequestParts, Path, Query, State},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use protocol::{
    Sha256Hex, SpellId,
    limits::{DRAFTS_PER_SPELL_MAX, LINK_REPORTS_MAX},
    link::{self, Barred, Order, Push, Report, Slot, Trial, TrialBy, encode},
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::Arc,
};
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};

/// `GET /internal/worlds/<id>/stream`.
#[derive(Deserialize)]
pub struct StreamQuery {
    /// The number of the last change that the server knows; 0 or nothing for all.
    after: Option<u64>,
    /// The engine that the server runs native code with.
    engine: String,
}

/// Frames for this world's server: its lineups, `Synced`, then each change.
pub async fn stream(
    State(app): State<Arc<App>>,
    GameServer(world): GameServer,
    Query(query): Query<StreamQuery>,
) -> Result<Response, Problem> {
    if query.engine.len() > ENGINE_ID_CHARS_MAX {
        return Err(Problem::unprocessable("bad_engine", "no engine has so long a name"));
    }
    let after = i64::try_from(query.after.unwrap_or(0)).unwrap_or(i64::MAX);
    let (sender, frames) = mpsc::channel(LINK_FRAMES_WAITING_MAX);
    tokio::spawn(async move {
        let feed = Feed {
            asked: Asked { world_id: world.clone(), after, present: BTreeSet::new(), moved: BTreeSet::new(), wasi: app.wasi },
            engine: query.engine,
            frames: sender,
        };
        match feed.run(&app).await {
            Ok(()) => tracing::debug!(%world, "link closed"),
            Err(error) => tracing::error!(%world, %error, "link failed; the server will connect again"),
        }
    });
    let body = Body::from_stream(ReceiverStream::new(frames).map(Ok::<_, Infallible>));
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], body).into_response())
}

/// The bytes of a signed artifact.
pub async fn artifact(State(app): State<Arc<App>>, _: GameServer, Path((_, text)): Path<(String, String)>) -> Result<Response, Problem> {
    let unknown = || Error::unknown("artifact", &text);
    let hash: Sha256Hex = text.parse().map_err(|_| unknown())?;
    let (blobs, named) = (app.blobs.clone(), hash.clone());
    if !app.store.ask(move |db| db.is_artifact(&named)).await? {
        return Err(unknown().into());
    }
    // Not with the database in hand: all others would wait for the file.
    let bytes = tokio::task::spawn_blocking(move || blobs.get(&hash)).await.map_err(|_| Error::Lost)??;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

/// What this world's server has to say.
pub async fn reports(State(app): State<Arc<App>>, GameServer(world): GameServer, body: Bytes) -> Result<StatusCode, Problem> {
    let reports: Vec<Report> = parse(&body)?;
    if reports.len() > LINK_REPORTS_MAX {
        return Err(Problem::too_large(format!("{} reports are over the limit of {LINK_REPORTS_MAX}", reports.len())));
    }
    let about_spells: Vec<_> = reports.into_iter().filter_map(|report| note(&app, &world, report)).collect();
    for (_, report) in about_spells.iter().filter(|(spell, _)| spell.is_some()) {
        app.fleet.note_report(&world, serde_json::to_value(report).map_err(Error::from)?);
    }
    if !about_spells.is_empty() {
        let news = app.clone();
        let keep = move |db: &mut Database| {
            let mut is_to_judge = false;
            for (_, report) in &about_spells {
                is_to_judge |= keep(db, &news, &world, report)?;
            }
            let lines: Vec<_> = about_spells.into_iter().filter_map(|(spell, report)| Some((spell?, report))).collect();
            db.add_reports(&world, &lines, clock::now_ms())?;
            Ok((is_to_judge, lines.len()))
        };
        let (is_to_judge, lines) = app.store.ask(keep).await?;
        if lines > 0 {
            app.logged.send_modify(|logged| *logged += 1);
        }
        if is_to_judge {
            let judged = app.clone();
            tokio::task::spawn_blocking(move || judge_all(&judged)).await.map_err(|_| Error::Lost)??;
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The world of the path. As a handler's argument it demands the secret of its running server (401), before the body is read.
pub struct GameServer(WorldId);

impl FromRequestParts<Arc<App>> for GameServer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let refused = || Problem::unauthorized("this needs the secret of this world's running server");
        // The path may have more parameters than the world.
        let Path(path) = Path::<BTreeMap<String, String>>::from_request_parts(parts, app).await.map_err(|_| refused())?;
        let world: WorldId = path.get("world").and_then(|world| world.parse().ok()).ok_or_else(refused)?;
        let secret = bearer(&parts.headers).ok_or_else(refused)?;
        if !app.fleet.is_server(&world, secret) {
            return Err(refused());
        }
        app.fleet.heard(&world);
        Ok(Self(world))
    }
}

/// What a link has to tell next.
enum Next {
    Changed,
    Order(Order),
    Quiet,
}

/// One world's line.
struct Feed {
    asked: Asked,
    engine: String,
    frames: mpsc::Sender<Bytes>,
}

impl Feed {
    /// Writes frames until the reader is gone or the control plane stops.
    async fn run(mut self, app: &Arc<App>) -> Result<(), Error> {
        let Some((orders, mut presence)) = app.fleet.line(&self.asked.world_id) else { return Ok(()) };
        let (mut published, mut stopping) = (app.published.subscribe(), app.stopping.subscribe());
        // Subscribed before looking: a change in between makes us look again.
        self.asked.present = presence.borrow_and_update().clone();
        // Who came while there was no line: whether their drafts are there is not known.
        self.asked.moved = self.asked.present.clone();
        let mut is_synced = false;
        let mut next = Next::Changed;
        loop {
            let is_open = match next {
                Next::Changed => {
                    let news = self.send_changes(app, is_synced).await?;
                    is_synced = true;
                    news
                }
                Next::Order(order) => self.send(&Push::Order(order)).await,
                Next::Quiet => self.send(&Push::Alive).await,
            };
            if !is_open {
                return Ok(());
            }
            next = tokio::select! {
                changed = timeout(LINK_ALIVE_INTERVAL, published.changed()) => if changed.is_ok() { Next::Changed } else { Next::Quiet },
                Ok(()) = presence.changed() => {
                    let present = presence.borrow_and_update().clone();
                    self.asked.moved = self.asked.present.symmetric_difference(&present).cloned().collect();
                    self.asked.present = present;
                    Next::Changed
                }
                order = orders.next() => Next::Order(order),
                _ = stopping.wait_for(|stop| *stop) => return Ok(()),
            };
        }
    }

    /// Sends what changed since the last time; false when nobody reads any more.
    async fn send_changes(&mut self, app: &Arc<App>, is_synced: bool) -> Result<bool, Error> {
        let asked = self.asked.clone();
        self.asked.moved.clear();
        let changed = app.store.ask(move |db| db.lineups(&asked)).await?;
        if is_synced && !changed.complete && changed.lineups.is_empty() {
            self.asked.after = changed.newest;
            return Ok(true);
        }
        let (queue, engine) = (app.queue.clone(), self.engine.clone());
        let Changed { newest, complete, friendly_fire, lineups } = changed;
        if let Some(on) = friendly_fire
            && !self.send(&Push::FriendlyFire(on)).await
        {
            return Ok(false);
        }
        let mut prepared =
            tokio::task::spawn_blocking(move || lineups.into_iter().map(|lineup| wire(&queue, &engine, lineup)).collect::<Vec<_>>());
        // Native code that has to be made takes its time, and a line that is silent is taken for dead.
        let lineups = loop {
            match timeout(LINK_ALIVE_INTERVAL, &mut prepared).await {
                Ok(prepared) => break prepared.map_err(|_| Error::Lost)?,
                Err(_) if !self.send(&Push::Alive).await => return Ok(false),
                Err(_) => {}
            }
        };
        for lineup in lineups {
            if !self.send(&Push::Lineup(lineup)).await {
                return Ok(false);
            }
        }
        self.asked.after = newest;
        let sequence = newest.cast_unsigned();
        let end = if is_synced && !complete { Push::Apply { sequence } } else { Push::Synced { sequence, complete } };
        Ok(self.send(&end).await)
    }

    async fn send(&self, push: &Push) -> bool {
        self.frames.send(Bytes::from(encode(push))).await.is_ok()
    }
}

/// A lineup with native code for each of its revisions. One damaged component must not keep the other spells from a world: without native code for what should be
/// active the world stays with what it has, and others are left out. Blocks.
fn wire(queue: &BuildQueue, engine: &str, lineup: Lineup) -> link::Lineup {
    let Lineup { spell_id, channel, active, trial, drafts, quarantined, barred } = lineup;
    let slot = |chosen: &Chosen| {
        let Chosen { revision_id, component, ours, in_flight, .. } = chosen;
        let native = queue.native(component, *ours, engine);
        let native =
            native.inspect_err(|error| tracing::error!(spell = %spell_id, revision = %revision_id, %error, "a revision cannot be sent"));
        Some(Slot { revision_id: revision_id.clone(), artifact: Sha256Hex::of(&native.ok()?), in_flight: *in_flight })
    };
    let wanted = active.is_some();
    let active = active.as_ref().and_then(slot);
    let stays = wanted && active.is_none();
    let trial = trial.and_then(|(rollout, chosen)| {
        let (share, by) = match rollout.terms.by {
            By::Cast => (rollout.terms.share(), TrialBy::Cast),
            By::Player => (rollout.terms.share(), TrialBy::Player),
            // Drawn where the lineup was made.
            By::World => (10_000, TrialBy::Cast),
        };
        Some(Trial { rollout: rollout.rollout.cast_unsigned(), slot: slot(&chosen)?, share, by })
    });
    let drafts = drafts.iter().take(DRAFTS_PER_SPELL_MAX).filter_map(|(client, draft)| Some((client.to_string(), slot(draft)?))).collect();
    let barred = barred.map_or(Barred::All, Barred::Those);
    link::Lineup { spell_id: spell_id.clone(), channel, active, stays, trial, drafts, quarantined, barred }
}

/// Logs a report; returns it, with its spell where it is about one, if it is to be kept.
fn note(app: &App, world: &WorldId, report: Report) -> Option<(Option<SpellId>, Report)> {
    let spell = match &report {
        Report::Fault { spell_id, revision_id, cast, caster, tick, hook, limit, message } => {
            tracing::warn!(%world, spell = %spell_id, revision = %revision_id, cast, caster, tick, hook = ?hook, limit = ?limit, message = ?message, "a cast was stopped");
            app.stops.count(spell_id, revision_id, limit);
            spell_id
        }
        Report::NotMigrated { spell_id, revision_id, to, cast, caster, tick, limit, message } => {
            tracing::warn!(%world, spell = %spell_id, revision = %revision_id, %to, cast, caster, tick, limit = ?limit, message = ?message, "a cast was not migrated");
            spell_id
        }
        Report::Line { spell_id, .. } => spell_id,
        Report::Quarantined { spell_id, revision_id, message } => {
            tracing::warn!(%world, spell = %spell_id, revision = %revision_id, message = ?message, "a revision was put into quarantine");
            spell_id
        }
        Report::Refused { spell_id, revision_id, message } => {
            tracing::error!(%world, spell = %spell_id, revision = %revision_id, message = ?message, "a revision was refused");
            spell_id
        }
        Report::Trial { .. } => return Some((None, report)),
        Report::Usage(usage) => {
            app.recent.note(&app.fleet, world, usage);
            return Some((None, report));
        }
        Report::Players { clients } => {
            app.fleet.set_players(world, clients.iter().filter_map(|client| client.parse().ok()).collect());
            return None;
        }
        Report::Health(health) => {
            app.fleet.set_health(world, *health);
            return None;
        }
        Report::Done(done) => {
            if let Some(orders) = app.fleet.orders(world) {
                orders.done(done.clone());
            }
            return None;
        }
    };
    Some((Some(spell.clone()), report))
}

/// Keeps what changes something; answers whether rollouts are to be judged anew.
fn keep(db: &mut Database, app: &App, world: &WorldId, report: &Report) -> Result<bool, Error> {
    match report {
        Report::Trial { rollout, life, trial, active } => {
            let (Ok(rollout), life) = (i64::try_from(*rollout), life.cast_signed()) else { return Ok(false) };
            db.set_tally(rollout, world, life, trial, active)
        }
        Report::Usage(usage) => {
            db.add_usage(world, usage)?;
            Ok(false)
        }
        Report::Quarantined { spell_id, revision_id, message } => {
            let now_ms = clock::now_ms();
            if let Some(number) = db.add_quarantine(world, spell_id, revision_id, message, now_ms)? {
                app.tell(number);
            }
            // What one world does not run any more need not be tried on others.
            let on_trial = db.running_rollouts()?.into_iter().map(|(rollout, _)| rollout);
            for rollout in on_trial.filter(|rollout| rollout.spell_id == *spell_id && rollout.revision_id == *revision_id) {
                if let Some(number) = db.end_rollout(&rollout, Ending::RolledBack, "server", message, now_ms)? {
                    app.tell(number);
                }
            }
            Ok(false)
        }
        _ => Ok(false),
    }
}
