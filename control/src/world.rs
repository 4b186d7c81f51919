//! Worlds over HTTP: list them, make them, join them.

use crate::{
    App,
    body::Body,
    clock,
    cursor::{Cursor, Page, with_next},
    error::Error,
    fleet::Listening,
    ids::WorldId,
    limits::{LISTED_MAX, WORLD_DESCRIPTION_CHARS_MAX, WORLD_NAME_CHARS_MAX},
    policy::Policy,
    problem::Problem,
    session::{Player, Viewer},
    store::World,
    ticket,
};
use ::store::Generation;
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// `POST /worlds`.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct WorldRequest {
    #[schema(max_length = 64)]
    name: Option<String>,
    #[schema(max_length = 1024)]
    description: Option<String>,
    /// `floor` when left out, or `hills`.
    #[schema(pattern = "^(floor|hills)$")]
    generation: Option<String>,
}

/// `POST /join`.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct JoinRequest {
    world_id: Option<String>,
    #[schema(max_length = 64)]
    name: Option<String>,
    #[schema(max_length = 1024)]
    description: Option<String>,
    /// Of a new world: `floor` when left out, or `hills`.
    #[schema(pattern = "^(floor|hills)$")]
    generation: Option<String>,
}

/// All worlds, those joined last first.
#[utoipa::path(
    get,
    path = "/worlds",
    params(("limit" = Option<i32>, Query, minimum = 1, description = "Items at most"), ("after" = Option<String>, Query, pattern = "^-?[0-9]{1,18}[.].+$", description = "The `next` of the page before")),
    responses((status = 200, description = "Public worlds and your own, those joined last first; `next` where there are more", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json"))
)]
pub async fn list(State(app): State<Arc<App>>, viewer: Viewer, page: Page) -> Result<Json<Value>, Problem> {
    let page = page.at_most(LISTED_MAX);
    let limit = page.limit as usize;
    let worlds = app.store.ask(move |db| db.worlds(viewer.0.as_ref().map(|player| &player.client_id), &page)).await?;
    let last = worlds.last().filter(|_| worlds.len() == limit);
    let next = last.map(|last| Cursor { at: last.updated_at_ms, name: last.world_id.to_string() });
    let worlds: Vec<_> = worlds.iter().map(|world| summary(&app, world)).collect();
    Ok(Json(with_next(json!({ "worlds": worlds }), next)))
}

/// A new world; its server starts when somebody joins.
#[utoipa::path(
    post,
    path = "/worlds",
    request_body = Option<WorldRequest>,
    responses((status = 200, description = "The new world", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn create(State(app): State<Arc<App>>, player: Player, Body(request): Body<WorldRequest>) -> Result<Json<Value>, Problem> {
    let world = add(&app, &player, request.name, request.description, request.generation).await?;
    Ok(Json(json!({ "world": summary(&app, &world) })))
}

/// A ticket for a world whose server runs: the one named, or a new one.
#[utoipa::path(
    post,
    path = "/join",
    request_body = Option<JoinRequest>,
    responses((status = 200, description = "The game server, and a ticket for it", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json"), (status = 503, description = "No game server now, or the world is full: `Retry-After` says when to come again", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn join(
    State(app): State<Arc<App>>,
    player: Player,
    headers: HeaderMap,
    Body(request): Body<JoinRequest>,
) -> Result<Json<Value>, Problem> {
    let world = match request.world_id.filter(|id| !id.is_empty()) {
        Some(id) => existing(&app, &id).await?,
        None => add(&app, &player, request.name, request.description, request.generation).await?,
    };
    if !world.policy.takes(&player.client_id, &world.created_by) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "world_private", "this world is for its owner and its members"));
    }
    if !app.fleet.reserve(&world.world_id, &player.client_id, world.policy.capacity()) {
        let detail = format!("{} players are in this world or about to come, which is all that it takes", world.policy.capacity());
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "world_full", detail).retry_after_s(5));
    }
    let Listening { port, server_id } = app.fleet.ensure(&world, &player.client_id).await?;
    let world_id = world.world_id;
    // Signed last: the ticket's seconds count from when the server is there.
    let ticket = ticket::sign(&app.keys, &player, &world_id, &server_id, clock::now_ms());
    let host = app.fleet.host_for_clients(headers.get(header::HOST).and_then(|host| host.to_str().ok()));
    Ok(Json(json!({
        "server_address": format!("ws://{host}:{port}"),
        "session_token": ticket,
        "client_id": player.client_id,
        "world_id": world_id,
    })))
}

async fn existing(app: &App, id: &str) -> Result<World, Error> {
    let unknown = || Error::unknown("world", id);
    let world_id: WorldId = id.parse().map_err(|_| unknown())?;
    app.store
        .ask(move |db| {
            db.touch_world(&world_id, clock::now_ms())?;
            db.world(&world_id)
        })
        .await?
        .ok_or_else(unknown)
}

async fn add(
    app: &App,
    player: &Player,
    name: Option<String>,
    description: Option<String>,
    generation: Option<String>,
) -> Result<World, Problem> {
    let world_id = WorldId::generate();
    let name = name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| format!("{}'s world", player.username));
    let description = description.unwrap_or_default();
    text("name", &name, WORLD_NAME_CHARS_MAX)?;
    text("description", &description, WORLD_DESCRIPTION_CHARS_MAX)?;
    let generation = match generation.as_deref() {
        None => Generation::Floor,
        Some(name) => {
            Generation::named(name).ok_or_else(|| Problem::unprocessable("bad_world", "a world's generation is floor or hills"))?
        }
    };
    let now_ms = clock::now_ms();
    let (created_by, generation) = (player.client_id.clone(), generation.name().to_owned());
    let world = World {
        world_id,
        name,
        description,
        created_by,
        generation,
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
        policy: Policy::default(),
        changed: 0,
    };
    let added = world.clone();
    app.store.ask(move |db| db.add_world(&added)).await?;
    Ok(world)
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
        "generation": world.generation,
        "player_count": server.as_ref().map_or(0, |server| server.players.len()),
        "online": server.is_some_and(|server| server.is_ready),
        "created_at": clock::iso8601(world.created_at_ms),
        "updated_at": clock::iso8601(world.updated_at_ms),
    })
}
