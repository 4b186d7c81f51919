//! The line to running game servers: publications go out at once, reports come in.

use crate::{
    App,
    body::parse,
    clock,
    error::Error,
    ids::WorldId,
    limits::{ENGINE_ID_CHARS_MAX, LINK_ALIVE_INTERVAL, LINK_FRAMES_WAITING_MAX},
    problem::Problem,
    session::bearer,
    store::Activation,
};
use axum::{
    body::{Body, Bytes},
    extract::{FromRequestParts, Path, Query, State},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use protocol::{
    SpellId,
    limits::LINK_REPORTS_MAX,
    link::{Activate, Order, Push, Report, encode},
};
use serde::Deserialize;
use std::{convert::Infallible, sync::Arc};
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};

/// `GET /internal/worlds/<id>/stream`.
#[derive(Deserialize)]
pub struct StreamQuery {
    /// The newest sequence number that the server has seen; 0 or nothing for all.
    after: Option<u64>,
    /// The engine that the server runs native code with.
    engine: String,
}

/// Frames for this world's server: what is active, `Synced`, then each change.
pub async fn stream(
    State(app): State<Arc<App>>,
    GameServer(world): GameServer,
    Query(query): Query<StreamQuery>,
) -> Result<Response, Problem> {
    if query.engine.len() > ENGINE_ID_CHARS_MAX {
        return Err(Problem::unprocessable("bad_engine", "no engine has so long a name"));
    }
    let newest = app.store.ask(|db| db.newest_sequence()).await?;
    // A number that we have not given yet comes from another database: such a server needs everything.
    let after = i64::try_from(query.after.unwrap_or(0)).ok().filter(|after| *after <= newest).unwrap_or(0);
    let (sender, frames) = mpsc::channel(LINK_FRAMES_WAITING_MAX);
    tokio::spawn(async move {
        match feed(&app, &world, &query.engine, after, &sender).await {
            Ok(()) => tracing::debug!(%world, "link closed"),
            Err(error) => tracing::error!(%world, %error, "link failed; the server will connect again"),
        }
    });
    let body = Body::from_stream(ReceiverStream::new(frames).map(Ok::<_, Infallible>));
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], body).into_response())
}

/// What this world's server has to say.
pub async fn reports(State(app): State<Arc<App>>, GameServer(world): GameServer, body: Bytes) -> Result<StatusCode, Problem> {
    let reports: Vec<Report> = parse(&body)?;
    if reports.len() > LINK_REPORTS_MAX {
        return Err(Problem::too_large(format!("{} reports are over the limit of {LINK_REPORTS_MAX}", reports.len())));
    }
    let about_spells: Vec<_> = reports.into_iter().filter_map(|report| note(&app, &world, report)).collect();
    if !about_spells.is_empty() {
        app.store.ask(move |db| db.add_reports(&world, &about_spells, clock::now_ms())).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The world of the path. As a handler's argument it demands the secret of its running server (401), before the body is read.
pub struct GameServer(WorldId);

impl FromRequestParts<Arc<App>> for GameServer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let refused = || Problem::unauthorized("this needs the secret of this world's running server");
        let Path(world) = Path::<String>::from_request_parts(parts, app).await.map_err(|_| refused())?;
        let world: WorldId = world.parse().map_err(|_| refused())?;
        let secret = bearer(&parts.headers).ok_or_else(refused)?;
        if app.fleet.is_server(&world, secret) { Ok(Self(world)) } else { Err(refused()) }
    }
}

/// What a link has to tell next.
enum Next {
    Published,
    Order(Order),
    Quiet,
}

/// Writes frames until the reader is gone or the control plane stops.
async fn feed(app: &App, world: &WorldId, engine: &str, mut after: i64, frames: &mpsc::Sender<Bytes>) -> Result<(), Error> {
    let Some(orders) = app.fleet.orders(world) else { return Ok(()) };
    let (mut published, mut stopping) = (app.published.subscribe(), app.stopping.subscribe());
    // Subscribed before looking: a publication in between makes us look again.
    if !send_activations(app, engine, &mut after, frames).await? || frames.send(frame(&Push::Synced)).await.is_err() {
        return Ok(());
    }
    loop {
        let next = tokio::select! {
            changed = timeout(LINK_ALIVE_INTERVAL, published.changed()) => if changed.is_ok() { Next::Published } else { Next::Quiet },
            order = orders.next() => Next::Order(order),
            _ = stopping.wait_for(|stop| *stop) => return Ok(()),
        };
        let is_open = match next {
            Next::Published => send_activations(app, engine, &mut after, frames).await?,
            Next::Order(order) => frames.send(frame(&Push::Order(order))).await.is_ok(),
            Next::Quiet => frames.send(frame(&Push::Alive)).await.is_ok(),
        };
        if !is_open {
            return Ok(());
        }
    }
}

/// Sends what became active after this sequence number; false when nobody reads any more.
async fn send_activations(app: &App, engine: &str, after: &mut i64, frames: &mpsc::Sender<Bytes>) -> Result<bool, Error> {
    let since = *after;
    for activation in app.store.ask(move |db| db.activations_after(since)).await? {
        *after = activation.sequence;
        let (queue, engine) = (app.queue.clone(), engine.to_owned());
        let mut prepared = tokio::task::spawn_blocking(move || {
            let frame = queue.native(&activation.component, activation.ours, &engine).map(|artifact| activate(&activation, artifact));
            // One damaged component must not keep the other spells from a world.
            frame.inspect_err(|error| {
                tracing::error!(spell = %activation.spell_id, revision = %activation.revision_id, %error, "a revision cannot be sent");
            })
        });
        // Native code that has to be made takes its time, and a line that is silent is taken for dead.
        let prepared = loop {
            match timeout(LINK_ALIVE_INTERVAL, &mut prepared).await {
                Ok(prepared) => break prepared.map_err(|_| Error::Lost)?,
                Err(_) if frames.send(frame(&Push::Alive)).await.is_err() => return Ok(false),
                Err(_) => {}
            }
        };
        if let Ok(frame) = prepared
            && frames.send(frame).await.is_err()
        {
            return Ok(false);
        }
    }
    Ok(true)
}

fn activate(activation: &Activation, artifact: Vec<u8>) -> Bytes {
    frame(&Push::Activate(Activate {
        sequence: activation.sequence.cast_unsigned(),
        spell_id: activation.spell_id.clone(),
        channel: activation.channel,
        revision_id: activation.revision_id.clone(),
        artifact,
    }))
}

fn frame(push: &Push) -> Bytes {
    Bytes::from(encode(push))
}

/// Logs a report; returns it with its spell where it is about one.
fn note(app: &App, world: &WorldId, report: Report) -> Option<(SpellId, Report)> {
    let spell = match &report {
        Report::Fault { spell_id, revision_id, caster, tick, hook, limit, message } => {
            tracing::warn!(%world, spell = %spell_id, revision = %revision_id, caster, tick, hook = ?hook, limit = ?limit, message = ?message, "a cast was stopped");
            app.stops.count(spell_id, revision_id, limit);
            spell_id.clone()
        }
        Report::Refused { spell_id, revision_id, message } => {
            tracing::error!(%world, spell = %spell_id, revision = %revision_id, message = ?message, "a revision was refused");
            spell_id.clone()
        }
        Report::Players { count } => {
            app.fleet.set_players(world, *count);
            return None;
        }
        Report::Done(done) => {
            if let Some(orders) = app.fleet.orders(world) {
                orders.done(done.clone());
            }
            return None;
        }
    };
    Some((spell, report))
}
