//! A world's contents over HTTP: shown, exported, imported, deleted; and what an operator does about them.
//!
//! A running world's file belongs to its server, which is asked for a copy; a stopped one's is opened here.

use crate::{
    App,
    body::Body,
    clock,
    error::Error,
    ids::WorldId,
    keys::random,
    limits::{IMPORTS_AT_ONCE_MAX, REVERT_SECONDS_MAX, WORLD_BODY_BYTES_MAX},
    operator::Admin,
    problem::Problem,
    session::Player,
    store::World,
};
use ::store::exchange::{self, Brought, Encoding};
use ::store::{Contents, Generation, WorldFile};
use axum::{
    Json,
    body::Bytes,
    extract::{FromRequestParts, Path, Query, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use protocol::link::{Errand, Whose};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};
use tokio::sync::OwnedSemaphorePermit;

/// The content type of an export.
const EXPORT_TYPE: &str = "application/vnd.ugc-world";

/// `GET /world/<id>`.
#[derive(Deserialize)]
pub struct ShowQuery {
    encoding: Option<Encoding>,
}

/// `POST /admin/worlds/<id>/revert`.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct RevertRequest {
    client_id: Option<String>,
    #[schema(value_type = Option<String>)]
    spell_id: Option<protocol::SpellId>,
    #[schema(value_type = Option<String>)]
    revision_id: Option<protocol::RevisionId>,
    #[schema(exclusive_minimum = 0, maximum = 10080)]
    minutes: f64,
}

/// The world as JSON: metadata, chunks, entities.
#[utoipa::path(
    get,
    path = "/world/{world}",
    params(("world" = String, Path, description = "A world id"), ("encoding" = Option<String>, Query, pattern = "^(gzip|zstd)$", description = "Of the chunks: gzip when left out, or zstd")),
    responses((status = 200, description = "Its chunks and entities", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json"), (status = 503, description = "The world cannot be had now, or is damaged", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn show(
    State(app): State<Arc<App>>,
    owner: WorldOwner,
    Path(_world): Path<String>,
    query: Result<Query<ShowQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|_| Problem::unprocessable("bad_encoding", "encoding is gzip (when left out) or zstd"))?;
    let encoding = query.encoding.unwrap_or(Encoding::Gzip);
    let WorldOwner(world) = owner;
    let World { world_id, name, description, generation, .. } = world.clone();
    let show = move |contents: Option<Contents>| {
        let mut shown = match &contents {
            Some(contents) => serde_json::to_value(exchange::show(contents, encoding)),
            // Nobody has been there yet: it is made when somebody comes.
            None => Ok(json!({ "world_id": world_id, "server_tick": 0, "generation": generation, "chunks": [], "entities": [] })),
        }?;
        shown["name"] = name.into();
        shown["description"] = description.into();
        serde_json::to_vec(&shown)
    };
    let text = with_contents(&app, &world, show).await?.map_err(Error::from)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// The world as one file, which `POST /world/<id>` takes back, here or elsewhere.
#[utoipa::path(
    get,
    path = "/world/{world}/export",
    params(("world" = String, Path, description = "A world id")),
    responses((status = 200, description = "The world as one file", content_type = "application/octet-stream"), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json"), (status = 503, description = "The world cannot be had now, or is damaged", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn export(State(app): State<Arc<App>>, owner: WorldOwner) -> Result<Response, Problem> {
    let WorldOwner(world) = owner;
    let bytes = with_contents(&app, &world, |contents| contents.as_ref().map(::store::pack)).await?.ok_or_else(|| {
        Problem::new(StatusCode::CONFLICT, "world_is_new", "nobody has been in this world yet, so there is nothing to export")
    })?;
    let name = format!("attachment; filename=\"{}.ugcworld\"", world.world_id);
    Ok(([(header::CONTENT_TYPE, EXPORT_TYPE.to_owned()), (header::CONTENT_DISPOSITION, name)], bytes).into_response())
}

/// Replaces the world's contents by those in the body: JSON as `GET` shows them, or an export.
#[utoipa::path(
    method(post, put),
    path = "/world/{world}",
    params(("world" = String, Path, description = "A world id")),
    request_body(content((serde_json::Value = "application/json"), (crate::body::Binary = "application/vnd.ugc-world"))),
    responses((status = 200, description = "Saved", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json"), (status = 503, description = "The world cannot be had now, or is damaged", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn import(
    State(app): State<Arc<App>>,
    owner: WorldOwner,
    _place: ImportPlace,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let WorldOwner(world) = owner;
    let is_export = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(EXPORT_TYPE.as_bytes()));
    let (id, generation) = (world.world_id.to_string(), generation(&world));
    let turn = turn(&app).await;
    let read = move || -> Result<_, Problem> {
        let contents = match is_export {
            true => unpacked(&body, id),
            false => exchange::bring(crate::body::parse::<Brought>(&body)?, &id, generation, clock::now_ms()),
        };
        // The turn goes along with what it is for: a client that leaves ends neither.
        Ok((contents.map_err(Error::from)?, turn))
    };
    let (contents, turn) = in_background(read).await??;
    // Nobody is thrown out of a world that somebody plays in.
    if app.fleet.status(&world.world_id).is_some_and(|server| !server.players.is_empty()) {
        return Err(Problem::new(StatusCode::CONFLICT, "world_in_use", "people are in this world: import when they have left"));
    }
    let closed = app.fleet.close(&world.world_id).await?;
    let path = app.fleet.world_file(&world.world_id);
    let replace = move || {
        let _turn = turn;
        WorldFile::replace(&path, &contents)
    };
    in_background(replace).await?.map_err(Error::from)?;
    drop(closed);
    tracing::info!(world = %world.world_id, "world imported");
    Ok(Json(json!({ "status": "saved" })))
}

/// Deletes the world, for good; its server is stopped.
#[utoipa::path(
    delete,
    path = "/world/{world}",
    params(("world" = String, Path, description = "A world id")),
    responses((status = 200, description = "Deleted", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json"), (status = 503, description = "The world cannot be had now, or is damaged", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn delete(State(app): State<Arc<App>>, owner: WorldOwner) -> Result<Json<Value>, Problem> {
    let WorldOwner(world) = owner;
    let closed = app.fleet.close(&world.world_id).await?;
    // First from the list: should the rest fail, nobody can join what is half deleted, and an operator finds the file.
    let id = world.world_id.clone();
    app.store.ask(move |db| db.delete_world(&id)).await?;
    let path = app.fleet.world_file(&world.world_id);
    in_background(move || WorldFile::delete(&path)).await?.map_err(Error::from)?;
    app.fleet.forget_log(&world.world_id);
    drop(closed);
    tracing::info!(world = %world.world_id, "world deleted");
    Ok(Json(json!({ "status": "deleted" })))
}

/// Takes back what a player or a spell did to a world's terrain in the last minutes.
#[utoipa::path(
    post,
    path = "/admin/worlds/{world}/revert",
    params(("world" = String, Path, description = "A world id")),
    request_body = RevertRequest,
    responses((status = 200, description = "Reverted", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json"), (status = 503, description = "The world cannot be had now, or is damaged", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("admin" = []))
)]
pub async fn revert(
    State(app): State<Arc<App>>,
    _: Admin,
    Path(id): Path<String>,
    Body(request): Body<RevertRequest>,
) -> Result<Json<Value>, Problem> {
    let whose = match (request.client_id, request.spell_id) {
        (Some(client), None) => Whose::Client(client),
        (None, Some(spell_id)) => Whose::Spell { spell_id, revision_id: request.revision_id },
        _ => return Err(Problem::unprocessable("bad_revert", "say whose edits: client_id, or spell_id with or without revision_id")),
    };
    let seconds = request.minutes * 60.0;
    if !(seconds > 0.0 && seconds <= f64::from(REVERT_SECONDS_MAX)) {
        return Err(Problem::unprocessable("bad_revert", format!("minutes is above 0 and at most {}", REVERT_SECONDS_MAX / 60)));
    }
    let world = find(&app, &id).await?;
    // It is the world that knows who did what, so it has to run.
    app.fleet.ensure(&world, &world.created_by).await?;
    let detail = json!({ "world_id": world.world_id, "whose": whose, "minutes": request.minutes });
    app.fleet.order(&world.world_id, Errand::Revert { whose, seconds: seconds.ceil() as u32 }).await?;
    app.store.ask(move |db| db.note_operator("revert", &detail, clock::now_ms())).await?;
    Ok(Json(json!({ "status": "reverted" })))
}

/// How the world's ground is made.
pub fn generation(world: &World) -> Generation {
    Generation::named(&world.generation).unwrap_or(Generation::Floor)
}

/// The world of the path, which the player who asks has made. As a handler's argument it demands that: 401, 404, 403, before the body is read.
pub struct WorldOwner(pub World);

impl FromRequestParts<Arc<App>> for WorldOwner {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let player = Player::from_request_parts(parts, app).await?;
        // The path may have more parameters than the world.
        let Path(path) = Path::<BTreeMap<String, String>>::from_request_parts(parts, app).await.map_err(|_| Error::unknown("world", ""))?;
        let id = path.get("world").cloned().unwrap_or_default();
        let world = find(app, &id).await?;
        if world.created_by == player.client_id {
            return Ok(Self(world));
        }
        Err(Problem::new(StatusCode::FORBIDDEN, "not_your_world", "this world belongs to another player"))
    }
}

/// The world of this name.
pub async fn find(app: &App, id: &str) -> Result<World, Error> {
    let unknown = || Error::unknown("world", id);
    let world_id: WorldId = id.parse().map_err(|_| unknown())?;
    app.store.ask(move |db| db.world(&world_id)).await?.ok_or_else(unknown)
}

/// Makes something of what the world holds now; of nothing where nobody has been yet.
async fn with_contents<T: Send + 'static>(
    app: &App,
    world: &World,
    make: impl FnOnce(Option<Contents>) -> T + Send + 'static,
) -> Result<T, Error> {
    let id = &world.world_id;
    if !app.fleet.is_running(id) {
        let (path, turn) = (app.fleet.world_file(id), turn(app).await);
        return in_background(move || {
            let _turn = turn;
            read(&path).map(make)
        })
        .await?;
    }
    let copy = Copy(app.fleet.copies().join(format!("{id}-{}.sqlite", hex::encode(random::<8>()))));
    app.fleet.order(id, Errand::Copy { to: copy.0.to_string_lossy().into_owned() }).await?;
    let turn = turn(app).await;
    in_background(move || {
        let _turn = turn;
        read(&copy.0).map(make)
    })
    .await?
}

/// A running world's file, copied; gone when this is dropped. What cannot be removed lies in a folder of its own, which is emptied at the next start.
struct Copy(PathBuf);

impl Drop for Copy {
    fn drop(&mut self) {
        WorldFile::delete(&self.0).ok();
    }
}

/// A place for an import. As a handler's argument it is taken, or refused, before the body is read.
pub struct ImportPlace(#[allow(dead_code, reason = "it is given back when dropped")] OwnedSemaphorePermit);

impl FromRequestParts<Arc<App>> for ImportPlace {
    type Rejection = Problem;

    async fn from_request_parts(_: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        app.imports.clone().try_acquire_owned().map(Self).map_err(|_| {
            let detail = format!("{IMPORTS_AT_ONCE_MAX} worlds are being imported, which is the limit");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "imports_busy", detail).retry_after_s(5)
        })
    }
}

/// A turn to have a whole world in memory; waits for it. It is over when this is dropped, which is for whoever does the work: they go on when their client is gone.
async fn turn(app: &App) -> OwnedSemaphorePermit {
    app.unpacked.clone().acquire_owned().await.expect("the semaphore is never closed")
}

fn read(path: &std::path::Path) -> Result<Option<Contents>, Error> {
    if path.exists() { Ok(WorldFile::read(path)?) } else { Ok(None) }
}

fn unpacked(bytes: &[u8], world_id: String) -> Result<Contents, ::store::StoreError> {
    let contents = ::store::unpack(bytes)?;
    exchange::verify(&contents.stored)?;
    Ok(Contents { world_id, ..contents })
}

async fn in_background<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Lost)
}

const _: () = assert!(WORLD_BODY_BYTES_MAX >= ::store::limits::PACK_BYTES_MAX);
