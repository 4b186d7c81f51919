//! Spells over HTTP: build, publish, look at revisions, read their files and logs.

use crate::{
    App,
    body::Body,
    build_queue::BuildOrder,
    clock,
    error::Error,
    ids::{ClientId, JobId},
    limits::{BUILD_BODY_BYTES_MAX, JOB_WAIT_TIME_MAX},
    problem::Problem,
    revision,
    session::{Player, Viewer},
    store::{Database, NewJob, Revision, SpellRow},
};
use axum::{
    Json,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use protocol::{
    Channel, RevisionId, SpellId,
    job::{Job, Status},
    limits::{PROMPT_BYTES_MAX, SOURCE_BYTES_MAX},
    manifest::File,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// `POST /api/spells/<id>/build`.
#[derive(Deserialize)]
pub struct BuildRequest {
    prompt: Option<String>,
    code: Option<String>,
    #[serde(default)]
    options: Option<BuildOptions>,
}

/// What goes with a build's source.
#[derive(Deserialize)]
pub struct BuildOptions {
    metadata: Option<Value>,
}

/// Queues a build of the player's own spell, or of a new one, which is theirs from now on.
pub async fn build(
    State(app): State<Arc<App>>,
    player: Player,
    Path(spell): Path<String>,
    Body(request): Body<BuildRequest, BUILD_BODY_BYTES_MAX>,
) -> Result<Json<Value>, Problem> {
    let spell_id = SpellId::new(spell).map_err(|error| Problem::unprocessable("bad_spell_id", error.to_string()))?;
    let (code, prompt) = source(request.code, request.prompt)?;
    let metadata = revision::metadata(request.options.and_then(|options| options.metadata))?;
    let place = app.queue.place(&player.client_id)?;
    let job_id = JobId::generate();
    let job =
        NewJob { job_id: job_id.clone(), spell_id: spell_id.clone(), client_id: player.client_id.clone(), prompt, now_ms: clock::now_ms() };
    let answer = json!({ "job_id": job_id, "spell_id": spell_id });
    let order = BuildOrder { job_id, spell_id, player, code, metadata };
    // One step: a client that goes away in between would leave a job that no worker ever gets.
    let add = move |db: &mut Database| db.add_job(&job).map(|()| place.take(order));
    app.store.ask(add).await?;
    Ok(Json(answer))
}

/// `GET /api/jobs/<id>`.
#[derive(Deserialize)]
pub struct JobQuery {
    /// Answer when the job has ended, at most so many milliseconds from now.
    wait_ms: Option<u64>,
}

/// A job, to the player who asked for it.
pub async fn job(
    State(app): State<Arc<App>>,
    player: Player,
    Path(id): Path<String>,
    Query(query): Query<JobQuery>,
) -> Result<Json<Job>, Problem> {
    let unknown = || Error::unknown("job", &id);
    let job_id: JobId = id.parse().map_err(|_| unknown())?;
    let mut endings = app.queue.endings();
    let deadline = Instant::now() + Duration::from_millis(query.wait_ms.unwrap_or(0)).min(JOB_WAIT_TIME_MAX);
    loop {
        let job = app.queue.job(job_id.clone(), player.client_id.clone()).await?.ok_or_else(unknown)?;
        let has_ended = matches!(job.status, Status::Completed | Status::Failed);
        if has_ended || tokio::time::timeout_at(deadline, endings.changed()).await.is_err() {
            return Ok(Json(job));
        }
    }
}

/// `POST /api/spells/<id>/publish`.
#[derive(Deserialize)]
pub struct PublishRequest {
    revision_id: String,
    channel: Option<String>,
}

/// Points a channel at a revision; the worlds that follow it hear of it at once.
pub async fn publish(
    State(app): State<Arc<App>>,
    player: Player,
    Path(spell): Path<String>,
    Body(request): Body<PublishRequest>,
) -> Result<Json<Value>, Problem> {
    let spell_id = known(spell)?;
    let channel: Channel = match request.channel {
        None => Channel::Beta,
        Some(text) => text.parse().map_err(|error: protocol::IdError| Problem::unprocessable("unknown_channel", error.to_string()))?,
    };
    // Whose it is comes first: a stranger learns nothing about its revisions.
    own(&app, &spell_id, &player.client_id).await?;
    let revision_id: RevisionId = request.revision_id.parse().map_err(|_| Error::unknown("revision", &request.revision_id))?;
    let (spell, revision, news) = (spell_id.clone(), revision_id.clone(), app.clone());
    // One step: a client that goes away in between would leave the worlds without the news.
    let publish = move |db: &mut Database| {
        let published = db.publish(&spell, &revision, channel, &player.client_id, clock::now_ms())?;
        news.published.send_modify(|newest| *newest = (*newest).max(published.sequence));
        Ok(published)
    };
    let published = app.store.ask(publish).await?;
    tracing::info!(spell = %spell_id, revision = %revision_id, %channel, "published");
    Ok(Json(json!({ "spell_id": spell_id, "revision_id": revision_id, "channel": channel, "manifest": published.manifest })))
}

/// `GET /api/spells`.
pub async fn list(State(app): State<Arc<App>>) -> Result<Json<Value>, Problem> {
    let spells = app.store.ask(|db| db.spells()).await?;
    let spells: Vec<_> = spells.into_iter().map(summary).collect();
    Ok(Json(json!({ "spells": spells })))
}

/// `GET /api/spells/<id>/revisions`: the published ones; to its owner, all. Newest first.
pub async fn revisions(State(app): State<Arc<App>>, viewer: Viewer, Path(spell): Path<String>) -> Result<Json<Value>, Problem> {
    let spell_id = known(spell)?;
    let row = find(&app, &spell_id).await?;
    let (published_only, spell) = (!viewer.is(&row.owner), spell_id.clone());
    let revisions = app.store.ask(move |db| db.revisions(&spell, published_only)).await?;
    let revisions: Vec<_> = revisions
        .into_iter()
        .map(|Revision { manifest, .. }| {
            json!({
                "spell_id": manifest.spell_id,
                "revision_id": manifest.revision_id,
                "parent_revision_id": manifest.parent_revision_id,
                "channel": row.channel_of(&manifest.revision_id),
                "version": manifest.version,
                "created_at": manifest.created_at,
                "manifest": manifest,
            })
        })
        .collect();
    Ok(Json(json!({ "spell_id": spell_id, "revisions": revisions })))
}

/// `GET /api/spells/<id>/revisions/<revision>/manifest`.
pub async fn manifest(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    Path((spell, revision)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let Revision { manifest, .. } = visible(&app, &viewer, spell, &revision).await?;
    Ok(Json(json!({ "spell_id": manifest.spell_id, "revision_id": manifest.revision_id, "manifest": manifest })))
}

/// `GET /api/spells/<id>/revisions/<revision>/files/<path>`: the bytes, which never change.
pub async fn file(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    headers: HeaderMap,
    Path((spell, revision, path)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let Revision { manifest, published } = visible(&app, &viewer, spell, &revision).await?;
    let File { hash, content_type, .. } = revision::file(&manifest, &path).ok_or_else(|| Error::unknown("file", &path))?;
    let etag = format!("\"{hash}\"");
    let cached = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes());
    let caching = if published { "public, max-age=31536000, immutable" } else { "private, max-age=31536000, immutable" };
    let headers = [(header::ETAG, etag), (header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, caching.into())];
    if cached {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let blobs = app.blobs.clone();
    let bytes = tokio::task::spawn_blocking(move || blobs.get(&hash)).await.map_err(|_| Error::Lost)??;
    Ok((headers, bytes).into_response())
}

/// `GET /api/spells/<id>/log`: what game servers reported, to the spell's owner. Newest first.
pub async fn log(State(app): State<Arc<App>>, player: Player, Path(spell): Path<String>) -> Result<Json<Value>, Problem> {
    let spell_id = known(spell)?;
    own(&app, &spell_id, &player.client_id).await?;
    let spell = spell_id.clone();
    let entries = app.store.ask(move |db| db.spell_log(&spell)).await?;
    Ok(Json(json!({ "spell_id": spell_id, "entries": entries })))
}

fn source(code: Option<String>, prompt: Option<String>) -> Result<(String, Option<String>), Problem> {
    let prompt = prompt.filter(|prompt| !prompt.is_empty());
    if prompt.as_ref().is_some_and(|prompt| prompt.len() > PROMPT_BYTES_MAX) {
        return Err(Problem::too_large(format!("the prompt is over the limit of {PROMPT_BYTES_MAX} bytes")));
    }
    match code.filter(|code| !code.trim().is_empty()) {
        Some(code) if code.len() > SOURCE_BYTES_MAX => {
            Err(Problem::too_large(format!("the code of {} bytes is over the limit of {SOURCE_BYTES_MAX}", code.len())))
        }
        Some(code) => Ok((code, prompt)),
        None if prompt.is_some() => Err(Problem::unprocessable(
            "no_generator",
            "this server has no generator configured that could write code from a prompt: send code",
        )),
        None => Err(Problem::unprocessable("code_missing", "send the spell's source as code")),
    }
}

fn summary(row: SpellRow) -> Value {
    json!({
        "spell_id": row.spell_id,
        "display_name": row.display_name,
        "active_draft_rev": row.draft,
        "active_beta_rev": row.beta,
        "active_stable_rev": row.stable,
        "created_at": clock::iso8601(row.created_at_ms),
        "updated_at": clock::iso8601(row.updated_at_ms),
    })
}

/// A spell id from a path; what cannot be one is not there.
fn known(text: String) -> Result<SpellId, Error> {
    SpellId::new(text.as_str()).map_err(|_| Error::unknown("spell", &text))
}

async fn find(app: &App, spell: &SpellId) -> Result<SpellRow, Error> {
    let id = spell.clone();
    app.store.ask(move |db| db.spell(&id)).await?.ok_or_else(|| Error::unknown("spell", spell.as_str()))
}

async fn own(app: &App, spell: &SpellId, client: &ClientId) -> Result<(), Error> {
    if find(app, spell).await?.owner == *client { Ok(()) } else { Err(Error::Foreign(spell.clone())) }
}

/// A revision, where it is published or the viewer's own. Otherwise it reads as unknown.
async fn visible(app: &App, viewer: &Viewer, spell: String, revision: &str) -> Result<Revision, Error> {
    let unknown = || Error::unknown("revision", revision);
    let spell_id = known(spell)?;
    let row = find(app, &spell_id).await?;
    let revision_id: RevisionId = revision.parse().map_err(|_| unknown())?;
    let stored = app.store.ask(move |db| db.revision(&spell_id, &revision_id)).await?.ok_or_else(unknown)?;
    if stored.published || viewer.is(&row.owner) { Ok(stored) } else { Err(unknown()) }
}
