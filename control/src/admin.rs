//! What operators do about players: sessions, bans, throttles; what they did; and what is cleared away.

use crate::{
    App,
    body::Body,
    clock, collect_garbage,
    error::Error,
    ids::ClientId,
    limits::{BAN_HOURS_MAX, EXPECTED_TIME_MAX, REVOKE_REASON_CHARS_MAX, THROTTLE_PER_MINUTE_MAX},
    operator::Admin,
    policy::Trust,
    problem::Problem,
    store::{Ban, Database, OperatorAct},
};
use axum::{
    Json,
    extract::{Path, State},
};
use protocol::link::Errand;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// `PUT /admin/players/<id>/ban`.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct BanRequest {
    /// One line.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
    /// From now on; ten years when left out.
    #[schema(exclusive_minimum = 0, maximum = 87600)]
    hours: Option<f64>,
}

/// `PUT /admin/players/<id>/throttle`.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct ThrottleRequest {
    #[schema(exclusive_minimum = 0, maximum = 12000)]
    requests_per_minute: f64,
}

/// `PUT /admin/players/<id>/trust`.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct TrustRequest {
    trust: Trust,
}

/// The open sessions, and who plays where.
#[utoipa::path(
    get,
    path = "/admin/sessions",
    responses((status = 200, description = "Open sessions, and who plays where", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("admin" = []))
)]
pub async fn sessions(State(app): State<Arc<App>>, _: Admin) -> Result<Json<Value>, Problem> {
    let now_ms = clock::now_ms();
    let (sessions, count) = app.store.ask(move |db| Ok((db.sessions(now_ms)?, db.session_count(now_ms)?))).await?;
    let servers = app.fleet.list();
    let shown: Vec<_> = sessions
        .into_iter()
        .map(|(player, expires_at_ms)| {
            let world = servers.iter().find(|server| server.players.contains(&player.client_id)).map(|server| &server.world_id);
            json!({ "client_id": player.client_id, "username": player.username, "expires_at": clock::iso8601(expires_at_ms), "world_id": world })
        })
        .collect();
    Ok(Json(json!({ "count": count, "sessions": shown })))
}

/// Ends a player's sessions, and has the world that they are in let them go.
#[utoipa::path(
    delete,
    path = "/admin/sessions/{client}",
    params(("client" = String, Path, description = "A player's id")),
    responses((status = 200, description = "They have to log in again", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("admin" = []))
)]
pub async fn end_sessions(State(app): State<Arc<App>>, _: Admin, Path(client): Path<String>) -> Result<Json<Value>, Problem> {
    let client = named(&client)?;
    let id = client.clone();
    let ended = app
        .store
        .ask(move |db| {
            db.note_operator("end_sessions", &json!({ "client_id": id }), clock::now_ms())?;
            db.end_sessions(&id)
        })
        .await?;
    let kicked = kick(&app, &client).await;
    Ok(Json(json!({ "client_id": client, "sessions_ended": ended, "kicked_from": kicked })))
}

/// The players that are kept out.
#[utoipa::path(
    get,
    path = "/admin/bans",
    responses((status = 200, description = "Who is kept out, until when and why", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("admin" = []))
)]
pub async fn bans(State(app): State<Arc<App>>, _: Admin) -> Result<Json<Value>, Problem> {
    let bans = app.store.ask(|db| db.bans(clock::now_ms())).await?;
    let shown: Vec<_> = bans
        .into_iter()
        .map(|(player, Ban { until_ms, reason })| {
            json!({ "client_id": player.client_id, "username": player.username, "until": clock::iso8601(until_ms), "reason": reason })
        })
        .collect();
    Ok(Json(json!({ "bans": shown })))
}

/// Keeps a player out: their sessions end, the world that they are in lets them go, and they cannot log in until the ban is over.
#[utoipa::path(
    put,
    path = "/admin/players/{client}/ban",
    params(("client" = String, Path, description = "A player's id")),
    request_body = BanRequest,
    responses((status = 200, description = "Kept out", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("admin" = []))
)]
pub async fn ban(
    State(app): State<Arc<App>>,
    _: Admin,
    Path(client): Path<String>,
    Body(request): Body<BanRequest>,
) -> Result<Json<Value>, Problem> {
    let client = named(&client)?;
    let BanRequest { reason, hours } = request;
    let hours = hours.unwrap_or(BAN_HOURS_MAX);
    if !(hours > 0.0 && hours <= BAN_HOURS_MAX) {
        return Err(Problem::unprocessable("bad_ban", format!("hours is above 0 and at most {BAN_HOURS_MAX}")));
    }
    if reason.trim().is_empty() || reason.chars().count() > REVOKE_REASON_CHARS_MAX || reason.chars().any(char::is_control) {
        return Err(Problem::unprocessable("bad_reason", format!("a reason is one line of 1 to {REVOKE_REASON_CHARS_MAX} characters")));
    }
    let now_ms = clock::now_ms();
    let until_ms = now_ms + (hours * 3_600_000.0) as i64;
    let id = client.clone();
    app.store.ask(move |db| db.ban(&id, Some(&Ban { until_ms, reason }), now_ms)).await?;
    tracing::warn!(client = %client, until = clock::iso8601(until_ms), "banned");
    let kicked = kick(&app, &client).await;
    Ok(Json(json!({ "client_id": client, "until": clock::iso8601(until_ms), "kicked_from": kicked })))
}

/// Lets a player in again.
#[utoipa::path(
    delete,
    path = "/admin/players/{client}/ban",
    params(("client" = String, Path, description = "A player's id")),
    responses((status = 200, description = "They may log in", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("admin" = []))
)]
pub async fn unban(State(app): State<Arc<App>>, _: Admin, Path(client): Path<String>) -> Result<Json<Value>, Problem> {
    let client = named(&client)?;
    let id = client.clone();
    app.store.ask(move |db| db.ban(&id, None, clock::now_ms())).await?;
    Ok(Json(json!({ "client_id": client, "until": null })))
}

/// Lets a player have so many requests a minute.
#[utoipa::path(
    put,
    path = "/admin/players/{client}/throttle",
    params(("client" = String, Path, description = "A player's id")),
    request_body = ThrottleRequest,
    responses((status = 200, description = "What they get", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("admin" = []))
)]
pub async fn throttle(
    State(app): State<Arc<App>>,
    _: Admin,
    Path(client): Path<String>,
    Body(request): Body<ThrottleRequest>,
) -> Result<Json<Value>, Problem> {
    let per_minute = request.requests_per_minute;
    if !(per_minute > 0.0 && per_minute <= THROTTLE_PER_MINUTE_MAX) {
        return Err(Problem::unprocessable(
            "bad_throttle",
            format!("requests_per_minute is above 0 and at most {THROTTLE_PER_MINUTE_MAX}"),
        ));
    }
    set_throttle(&app, &client, Some(per_minute)).await
}

/// Lets a player have as many requests as everybody.
#[utoipa::path(
    delete,
    path = "/admin/players/{client}/throttle",
    params(("client" = String, Path, description = "A player's id")),
    responses((status = 200, description = "What they get", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("admin" = []))
)]
pub async fn unthrottle(State(app): State<Arc<App>>, _: Admin, Path(client): Path<String>) -> Result<Json<Value>, Problem> {
    set_throttle(&app, &client, None).await
}

async fn set_throttle(app: &Arc<App>, client: &str, per_minute: Option<f64>) -> Result<Json<Value>, Problem> {
    let client = named(client)?;
    let id = client.clone();
    app.store.ask(move |db| db.throttle(&id, per_minute, clock::now_ms())).await?;
    app.players.throttle(&client, per_minute);
    Ok(Json(json!({ "client_id": client, "requests_per_minute": per_minute })))
}

/// Says how far a player is trusted as an author: worlds whose policy asks for more do not run their spells.
#[utoipa::path(
    put,
    path = "/admin/players/{client}/trust",
    params(("client" = String, Path, description = "A player's id")),
    request_body = TrustRequest,
    responses((status = 200, description = "How far they are trusted", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("admin" = []))
)]
pub async fn trust(
    State(app): State<Arc<App>>,
    _: Admin,
    Path(client): Path<String>,
    Body(TrustRequest { trust }): Body<TrustRequest>,
) -> Result<Json<Value>, Problem> {
    let client = named(&client)?;
    let (id, news) = (client.clone(), app.clone());
    let set = move |db: &mut Database| {
        news.tell(db.set_trust(&id, trust, clock::now_ms())?);
        Ok(())
    };
    app.store.ask(set).await?;
    Ok(Json(json!({ "client_id": client, "trust": trust })))
}

/// What operators did, newest first; what they did with a spell stands in its own log too.
#[utoipa::path(
    get,
    path = "/admin/audit",
    responses((status = 200, description = "What operators did, newest first", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("admin" = []))
)]
pub async fn audit(State(app): State<Arc<App>>, _: Admin) -> Result<Json<Value>, Problem> {
    let acts = app.store.ask(|db| db.operator_log()).await?;
    let shown: Vec<_> = acts
        .into_iter()
        .map(|OperatorAct { entry, action, detail, done_at_ms }| {
            json!({ "entry": entry, "action": action, "detail": detail, "done_at": clock::iso8601(done_at_ms) })
        })
        .collect();
    Ok(Json(json!({ "entries": shown })))
}

/// Forgets what is over and what nothing names any more. Files of builds are left alone while one runs.
#[utoipa::path(
    post,
    path = "/admin/cleanup",
    responses((status = 200, description = "How much was forgotten", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("admin" = []))
)]
pub async fn cleanup(State(app): State<Arc<App>>, _: Admin) -> Result<Json<Value>, Problem> {
    let cleaned = app.clone();
    let clean = move |db: &mut Database| {
        let now_ms = clock::now_ms();
        let rows = db.clean_up(now_ms)?;
        db.note_operator("cleanup", &json!({ "rows": rows }), now_ms)?;
        Ok(rows)
    };
    let rows = app.store.ask(clean).await?;
    let blobs = tokio::task::spawn_blocking(move || cleaned.queue.while_idle(|| collect_garbage(&cleaned.store, &cleaned.blobs)));
    let blobs = blobs.await.map_err(|_| Error::Lost)?.transpose()?;
    Ok(Json(json!({ "rows": rows, "blobs": blobs })))
}

/// Has the worlds that a player is in, or has a ticket for, let them go; answers which did. Once more when no ticket of theirs is good any more.
async fn kick(app: &Arc<App>, client: &ClientId) -> Vec<String> {
    let (late, again) = (app.clone(), client.clone());
    tokio::spawn(async move {
        tokio::time::sleep(EXPECTED_TIME_MAX).await;
        kick_now(&late, &again).await;
    });
    kick_now(app, client).await
}

async fn kick_now(app: &App, client: &ClientId) -> Vec<String> {
    let mut kicked = Vec::new();
    for world in app.fleet.worlds_of(client) {
        match app.fleet.order(&world, Errand::Kick { client: client.to_string() }).await {
            Ok(()) => kicked.push(world.to_string()),
            Err(error) => tracing::warn!(client = %client, %world, %error, "a player was not let go"),
        }
    }
    kicked
}

fn named(client: &str) -> Result<ClientId, Error> {
    client.parse().map_err(|_| Error::unknown("player", client))
}
