//! What game servers report about a spell, for those who may change it: its newest lines, and each further one as it comes.

use crate::{
    App,
    error::Error,
    limits::EVENTS_ALIVE_INTERVAL,
    problem::Problem,
    session::Player,
    spell::{known, own},
    store::LogEntry,
};
use axum::{
    Json,
    extract::{Path, State},
    http::HeaderMap,
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::stream;
use protocol::SpellId;
use serde_json::{Value, json};
use std::{collections::VecDeque, convert::Infallible, sync::Arc};
use tokio::sync::watch;

/// `GET /api/spells/<id>/log`: what game servers reported, to those who may change the spell. Newest first.
#[utoipa::path(
    get,
    path = "/api/spells/{spell}/log",
    params(("spell" = String, Path, description = "A spell id")),
    responses((status = 200, description = "What game servers reported, newest first", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn log(State(app): State<Arc<App>>, player: Player, Path(spell): Path<String>) -> Result<Json<Value>, Problem> {
    let spell_id = known(spell)?;
    own(&app, &spell_id, &player.client_id).await?;
    let spell = spell_id.clone();
    let entries = app.store.ask(move |db| db.spell_log(&spell)).await?;
    Ok(Json(json!({ "spell_id": spell_id, "entries": entries })))
}

/// Whoever follows a spell's log.
struct Follower {
    app: Arc<App>,
    spell_id: SpellId,
    /// The last entry that they have.
    seen: i64,
    logged: watch::Receiver<u64>,
    ready: VecDeque<LogEntry>,
}

/// The log as server-sent events, one a line, from behind `Last-Event-ID`, or from now on without one.
#[utoipa::path(
    get,
    path = "/api/spells/{spell}/log/events",
    params(("spell" = String, Path, description = "A spell id"), ("Last-Event-ID" = Option<String>, Header, description = "The last entry that you have")),
    responses((status = 200, description = "An event for each entry", content_type = "text/event-stream", body = String), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn events(
    State(app): State<Arc<App>>,
    player: Player,
    Path(spell): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let spell_id = known(spell)?;
    own(&app, &spell_id, &player.client_id).await?;
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let logged = app.logged.subscribe();
    let seen = match seen {
        Some(seen) => seen,
        None => {
            let spell = spell_id.clone();
            app.store.ask(move |db| db.newest_log_entry(&spell)).await?
        }
    };
    let follower = Follower { app, spell_id, seen, logged, ready: VecDeque::new() };
    let events = stream::unfold(follower, |mut follower| async {
        let entry = follower.next().await?;
        let text = serde_json::to_string(&entry).expect("an entry is plain text");
        Some((Ok::<_, Infallible>(Event::default().id(entry.entry.to_string()).event("entry").data(text)), follower))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(EVENTS_ALIVE_INTERVAL)).into_response())
}

impl Follower {
    async fn next(&mut self) -> Option<LogEntry> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                return Some(entry);
            }
            self.logged.borrow_and_update();
            let (spell, seen) = (self.spell_id.clone(), self.seen);
            let entries = self.app.store.ask(move |db| db.spell_log_after(&spell, seen)).await;
            self.ready = entries.inspect_err(|error: &Error| tracing::error!(%error, "a log could not be read")).ok()?.into();
            match self.ready.back() {
                Some(newest) => self.seen = newest.entry,
                None => {
                    let mut stopping = self.app.stopping.subscribe();
                    tokio::select! {
                        changed = self.logged.changed() => changed.ok()?,
                        _ = stopping.wait_for(|stop| *stop) => return None,
                    }
                }
            }
        }
    }
}
