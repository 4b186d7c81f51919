//! Worlds over HTTP: list them, make them, join them.

use crate::{
    App,
    body::Body,
    clock,
    error::Error,
    ids::WorldId,
    limits::{WORLD_DESCRIPTION_CHARS_MAX, WORLD_NAME_CHARS_MAX},
    problem::Problem,
    session::Player,
    store::World,
    ticket,
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// `POST /worlds`.
#[derive(Deserialize)]
pub struct WorldRequest {
    name: Option<String>,
    description: Option<String>,
}

/// `POST /join`.
#[derive(Deserialize)]
pub struct JoinRequest {
    world_id: Option<String>,
    name: Option<String>,
    description: Option<String>,
}

/// All worlds, those joined last first.
pub async fn list(State(app): State<Arc<App>>) -> Result<Json<Value>, Problem> {
    let worlds = app.store.ask(|db| db.worlds()).await?;
    let worlds: Vec<_> = worlds.iter().map(|world| summary(&app, world)).collect();
    Ok(Json(json!({ "worlds": worlds })))
}

/// A new world; its server starts when somebody joins.
pub async fn create(State(app): State<Arc<App>>, player: Player, Body(request): Body<WorldRequest>) -> Result<Json<Value>, Problem> {
    let world_id = add(&app, &player, request.name, request.description).await?;
    let id = world_id.clone();
    let world = app.store.ask(move |db| db.world(&id)).await?.ok_or_else(|| Error::unknown("world", world_id.as_str()))?;
    Ok(Json(json!({ "world": summary(&app, &world) })))
}

/// A ticket for a world whose server runs: the one named, or a new one.
pub async fn join(
    State(app): State<Arc<App>>,
    player: Player,
    headers: HeaderMap,
    Body(request): Body<JoinRequest>,
) -> Result<Json<Value>, Problem> {
    let world_id = match request.world_id.filter(|id| !id.is_empty()) {
        Some(id) => existing(&app, &id).await?,
        None => add(&app, &player, request.name, request.description).await?,
    };
    let port = app.fleet.ensure(&world_id, &player.client_id).await?;
    // Signed last: the ticket's seconds count from when the server is there.
    let ticket = ticket::sign(&app.keys, &player, &world_id, clock::now_ms());
    let host = app.fleet.host_for_clients(headers.get(header::HOST).and_then(|host| host.to_str().ok()));
    Ok(Json(json!({
        "server_address": format!("ws://{host}:{port}"),
        "session_token": ticket,
        "client_id": player.client_id,
        "world_id": world_id,
    })))
}

async fn existing(app: &App, id: &str) -> Result<WorldId, Error> {
    let unknown = || Error::unknown("world", id);
    let world_id: WorldId = id.parse().map_err(|_| unknown())?;
    let touched = world_id.clone();
    let is_there = app.store.ask(move |db| db.touch_world(&touched, clock::now_ms())).await?;
    if is_there { Ok(world_id) } else { Err(unknown()) }
}

async fn add(app: &App, player: &Player, name: Option<String>, description: Option<String>) -> Result<WorldId, Problem> {
    let world_id = WorldId::generate();
    let name = name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| format!("{}'s world", player.username));
    let description = description.unwrap_or_default();
    text("name", &name, WORLD_NAME_CHARS_MAX)?;
    text("description", &description, WORLD_DESCRIPTION_CHARS_MAX)?;
    let now_ms = clock::now_ms();
    let created_by = player.client_id.clone();
    let world = World { world_id: world_id.clone(), name, description, created_by, created_at_ms: now_ms, updated_at_ms: now_ms };
    app.store.ask(move |db| db.add_world(&world)).await?;
    Ok(world_id)
}

fn text(what: &str, text: &str, chars_max: usize) -> Result<(), Problem> {
    if text.chars().count() <= chars_max && !text.chars().any(|c| c.is_control() && c != '\n') {
        return Ok(());
    }
    Err(Problem::unprocessable("bad_world", format!("a world's {what} has at most {chars_max} characters and no control characters")))
}

fn summary(app: &App, world: &World) -> Value {
    let server = app.fleet.status(&world.world_id);
    json!({
        "world_id": world.world_id,
        "name": world.name,
        "description": world.description,
        "created_by": world.created_by,
        "player_count": server.as_ref().map_or(0, |server| server.players),
        "online": server.is_some_and(|server| server.is_ready),
        "created_at": clock::iso8601(world.created_at_ms),
        "updated_at": clock::iso8601(world.updated_at_ms),
    })
}
