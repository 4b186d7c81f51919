//! What operators ask: health, the running servers, and what was stopped on them.

use crate::{
    App, clock,
    error::Error,
    ids::WorldId,
    keys,
    limits::{SERVER_METRICS_BYTES_MAX, SERVER_METRICS_TIME_MAX},
    problem::Problem,
    session::bearer,
    world_file::find,
};
use axum::{
    Json,
    extract::{FromRequestParts, Path, State},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use protocol::link::Errand;
use serde_json::{Value, json};
use std::sync::Arc;

/// The operator's name as an actor in what is written down.
pub const OPERATOR: &str = "operator";

/// Somebody with the admin token. As a handler's argument it demands one: 401 without any token, 403 with another, or where there is no admin token at all.
pub struct Admin;

impl FromRequestParts<Arc<App>> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Some(hash) = &app.admin_token_hash else {
            return Err(Problem::forbidden("this server has no admin token: start it with ADMIN_TOKEN in its environment"));
        };
        if !parts.headers.contains_key(header::AUTHORIZATION) {
            return Err(Problem::unauthorized("this needs the admin token: send Authorization: Bearer <ADMIN_TOKEN>"));
        }
        match bearer(&parts.headers) {
            Some(token) if keys::is_token(token, hash) => Ok(Self),
            _ => Err(Problem::forbidden("this is not the admin token")),
        }
    }
}

/// Whether the control plane works, its database included.
#[utoipa::path(
    get,
    path = "/health",
    responses((status = 200, description = "It works", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json"))
)]
pub async fn health(State(app): State<Arc<App>>) -> Result<Json<Value>, Problem> {
    let sessions = app.store.ask(|db| db.session_count(clock::now_ms())).await?;
    Ok(Json(json!({ "status": "ok", "sessions": sessions, "servers": app.fleet.list().len() })))
}

/// `GET /readyz`: 200 while requests are taken, 503 once the control plane drains.
pub async fn ready(State(app): State<Arc<App>>) -> StatusCode {
    if *app.stopping.borrow() || app.fleet.is_stopping() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
}

/// The game servers.
#[utoipa::path(
    get,
    path = "/admin/servers",
    responses((status = 200, description = "The game servers", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("admin" = []))
)]
pub async fn servers(State(app): State<Arc<App>>, _: Admin) -> Json<Value> {
    let servers: Vec<_> = app
        .fleet
        .list()
        .into_iter()
        .map(|server| {
            json!({
                "world_id": server.world_id,
                "address": server.address,
                "alive": server.is_ready,
                "phase": server.phase,
                "players": server.players.len(),
                "clients": server.players,
                "metrics": server.metrics,
                "health": server.health,
            })
        })
        .collect();
    Json(json!({ "servers": servers }))
}

/// What a world's server counts itself, in Prometheus' text format, passed on: it serves that to its own machine alone.
#[utoipa::path(
    get,
    path = "/admin/servers/{world}/metrics",
    params(("world" = String, Path, description = "A world id")),
    responses((status = 200, description = "Counts in Prometheus' text format", body = String, content_type = "text/plain"), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("admin" = []))
)]
pub async fn server_metrics(State(app): State<Arc<App>>, _: Admin, Path(world): Path<String>) -> Result<Response, Problem> {
    let unknown = || Error::unknown("server", &world);
    let id: WorldId = world.parse().map_err(|_| unknown())?;
    let server = app.fleet.list().into_iter().find(|server| server.world_id == id).ok_or_else(unknown)?;
    let text = tokio::task::spawn_blocking(move || counts_at(&server.metrics)).await.map_err(|_| Error::Lost)?;
    let silent = |error: ureq::Error| Error::NoServer { world, reason: format!("it does not say what it counts: {error}") };
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text.map_err(silent)?).into_response())
}

fn counts_at(address: &str) -> Result<String, ureq::Error> {
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(SERVER_METRICS_TIME_MAX)).build().into();
    agent.get(address).call()?.body_mut().with_config().limit(SERVER_METRICS_BYTES_MAX).read_to_string()
}

/// How often casts were stopped, by spell, revision and limit.
#[utoipa::path(
    get,
    path = "/admin/stops",
    responses((status = 200, description = "Stopped casts by spell, revision and limit", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("admin" = []))
)]
pub async fn stops(State(app): State<Arc<App>>, _: Admin) -> Json<Value> {
    Json(app.stops.to_json())
}

/// Stops a world's server; the next join starts a new one.
#[utoipa::path(
    delete,
    path = "/admin/servers/{world}",
    params(("world" = String, Path, description = "A world id")),
    responses((status = 200, description = "Stopped", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("admin" = []))
)]
pub async fn stop_server(State(app): State<Arc<App>>, _: Admin, Path(world): Path<String>) -> Result<Json<Value>, Problem> {
    let world: WorldId = world.parse().map_err(|_| Error::unknown("server", &world))?;
    app.fleet.stop(&world).await?;
    let detail = json!({ "world_id": world });
    app.store.ask(move |db| db.note_operator("stop_server", &detail, clock::now_ms())).await?;
    Ok(Json(json!({ "status": "stopped" })))
}

/// Has a world's server save now, and answers when that is on the disk; it goes on.
#[utoipa::path(
    post,
    path = "/admin/servers/{world}/save",
    params(("world" = String, Path, description = "A world id")),
    responses((status = 200, description = "Saved", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json"), (status = 503, description = "The server did not save, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("admin" = []))
)]
pub async fn save_server(State(app): State<Arc<App>>, _: Admin, Path(world): Path<String>) -> Result<Json<Value>, Problem> {
    let unknown = || Error::unknown("server", &world);
    let id: WorldId = world.parse().map_err(|_| unknown())?;
    if !app.fleet.is_running(&id) {
        return Err(unknown().into());
    }
    app.fleet.order(&id, Errand::Save).await?;
    let (detail, answer) = (json!({ "world_id": id }), json!({ "world_id": id, "status": "saved" }));
    app.store.ask(move |db| db.note_operator("save_server", &detail, clock::now_ms())).await?;
    Ok(Json(answer))
}

/// What a world's servers said last: what they reported of casts, and the lines of their logs, since the control plane was started; of a world that was quiet
/// for long, nothing.
#[utoipa::path(
    get,
    path = "/admin/servers/{world}/log",
    params(("world" = String, Path, description = "A world id")),
    responses((status = 200, description = "Its last reports and lines, newest first", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("admin" = []))
)]
pub async fn server_log(State(app): State<Arc<App>>, _: Admin, Path(world): Path<String>) -> Result<Json<Value>, Problem> {
    let world_id = find(&app, &world).await?.world_id;
    let said = app.fleet.said(&world_id);
    let report = |(at_ms, mut report): (i64, Value)| {
        report["at"] = clock::iso8601(at_ms).into();
        report
    };
    let reports: Vec<Value> = said.reports.into_iter().rev().map(report).collect();
    let lines: Vec<Value> =
        said.lines.into_iter().rev().map(|(at_ms, text)| json!({ "at": clock::iso8601(at_ms), "text": text })).collect();
    Ok(Json(json!({ "world_id": world_id, "reports": reports, "lines": lines })))
}
