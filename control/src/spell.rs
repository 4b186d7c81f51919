//! Spells over HTTP, to look at: what there is, its revisions, their files and logs.

use crate::{
    App, clock,
    cursor::{Cursor, Page, with_next},
    error::Error,
    ids::ClientId,
    limits::{LISTED_MAX, REVISIONS_LISTED_MAX},
    problem::Problem,
    revision,
    session::Viewer,
    store::{Revision, SpellRow},
};
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use protocol::{Channel, RevisionId, SpellId, manifest::File};
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /api/spells`.
#[utoipa::path(
    get,
    path = "/api/spells",
    params(("limit" = Option<i32>, Query, minimum = 1, description = "Items at most"), ("after" = Option<String>, Query, pattern = "^-?[0-9]{1,18}[.].+$", description = "The `next` of the page before")),
    responses((status = 200, description = "The spells changed last, and where their channels point", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json"))
)]
pub async fn list(State(app): State<Arc<App>>, viewer: Viewer, page: Page) -> Result<Json<Value>, Problem> {
    let page = page.at_most(LISTED_MAX);
    let limit = page.limit as usize;
    let spells = app.store.ask(move |db| db.spells(viewer.0.as_ref().map(|player| &player.client_id), &page)).await?;
    let last = spells.last().filter(|_| spells.len() == limit);
    let next = last.map(|last| Cursor { at: last.updated_at_ms, name: last.spell_id.to_string() });
    let spells: Vec<_> = spells.into_iter().map(summary).collect();
    Ok(Json(with_next(json!({ "spells": spells }), next)))
}

/// `GET /api/spells/<id>/revisions`: the published ones; to its owner, all. Newest first.
#[utoipa::path(
    get,
    path = "/api/spells/{spell}/revisions",
    params(("spell" = String, Path, description = "A spell id"), ("limit" = Option<i32>, Query, minimum = 1, description = "Items at most"), ("after" = Option<String>, Query, pattern = "^-?[0-9]{1,18}[.].+$", description = "The `next` of the page before")),
    responses((status = 200, description = "Its revisions, newest first", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security((), ("session" = []))
)]
pub async fn revisions(State(app): State<Arc<App>>, viewer: Viewer, Path(spell): Path<String>, page: Page) -> Result<Json<Value>, Problem> {
    let spell_id = known(spell)?;
    let row = find(&app, &spell_id).await?;
    let (published_only, spell) = (!may_see_drafts(&app, &viewer, &spell_id).await?, spell_id.clone());
    let page = page.at_most(REVISIONS_LISTED_MAX);
    let limit = page.limit as usize;
    let revisions = app.store.ask(move |db| db.revisions(&spell, published_only, &page)).await?;
    let last = revisions.last().filter(|_| revisions.len() == limit);
    let next = last.map(|last| Cursor { at: last.manifest.version.into(), name: last.manifest.revision_id.to_string() });
    let revisions: Vec<_> = revisions
        .into_iter()
        .map(|Revision { manifest, revoked, .. }| {
            let mut channels = row.channels_of(&manifest.revision_id);
            // What is about to be published is its authors' business.
            channels.retain(|channel| *channel != Channel::Draft || !published_only);
            json!({
                "revoked": revoked,
                "spell_id": manifest.spell_id,
                "revision_id": manifest.revision_id,
                "parent_revision_id": manifest.parent_revision_id,
                "channel": channels.first(),
                "channels": channels,
                "version": manifest.version,
                "created_at": manifest.created_at,
                "manifest": manifest,
            })
        })
        .collect();
    Ok(Json(with_next(json!({ "spell_id": spell_id, "revisions": revisions }), next)))
}

/// `GET /api/spells/<id>/revisions/<revision>/manifest`.
#[utoipa::path(
    get,
    path = "/api/spells/{spell}/revisions/{revision}/manifest",
    params(("spell" = String, Path, description = "A spell id"), ("revision" = String, Path, description = "A revision id")),
    responses((status = 200, description = "The manifest", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security((), ("session" = []))
)]
pub async fn manifest(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    Path((spell, revision)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let Revision { manifest, .. } = visible(&app, &viewer, spell, &revision).await?;
    Ok(Json(json!({ "spell_id": manifest.spell_id, "revision_id": manifest.revision_id, "manifest": manifest })))
}

/// `GET /api/spells/<id>/revisions/<revision>/files/<path>`: the bytes, which never change.
#[utoipa::path(
    get,
    path = "/api/spells/{spell}/revisions/{revision}/files/{path}",
    params(("spell" = String, Path, description = "A spell id"), ("revision" = String, Path, description = "A revision id"), ("path" = String, Path, description = "A file of the revision, as the manifest names it")),
    responses((status = 200, description = "The bytes, which never change", content_type = "application/octet-stream"), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security((), ("session" = []))
)]
pub async fn file(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    headers: HeaderMap,
    Path((spell, revision, path)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let Revision { manifest, published, .. } = visible(&app, &viewer, spell, &revision).await?;
    let File { hash, content_type, .. } = revision::file(&manifest, &path).ok_or_else(|| Error::unknown("file", &path))?;
    let blobs = app.blobs.clone();
    let etag = format!("\"{hash}\"");
    immutable(&headers, etag, content_type, published, async move {
        Ok(tokio::task::spawn_blocking(move || blobs.get(&hash)).await.map_err(|_| Error::Lost)??)
    })
    .await
}

/// Bytes that never change, or that the client has them already.
pub async fn immutable(
    headers: &HeaderMap,
    etag: String,
    content_type: String,
    published: bool,
    bytes: impl Future<Output = Result<Vec<u8>, Problem>>,
) -> Result<Response, Problem> {
    let cached = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes());
    let caching = if published { "public, max-age=31536000, immutable" } else { "private, max-age=31536000, immutable" };
    let headers = [(header::ETAG, etag), (header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, caching.into())];
    if cached { Ok((StatusCode::NOT_MODIFIED, headers).into_response()) } else { Ok((headers, bytes.await?).into_response()) }
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
pub fn known(text: String) -> Result<SpellId, Error> {
    SpellId::new(text.as_str()).map_err(|_| Error::unknown("spell", &text))
}

/// A spell that is there, whoever asks.
pub async fn find(app: &App, spell: &SpellId) -> Result<SpellRow, Error> {
    let id = spell.clone();
    app.store.ask(move |db| db.spell(&id)).await?.ok_or_else(|| Error::unknown("spell", spell.as_str()))
}

/// Whose it is, if the player may change it: its owner or a collaborator.
pub async fn own(app: &App, spell: &SpellId, client: &ClientId) -> Result<SpellRow, Error> {
    let row = find(app, spell).await?;
    let (id, client) = (spell.clone(), client.clone());
    if app.store.ask(move |db| db.may_change(&id, &client)).await? { Ok(row) } else { Err(Error::Foreign(spell.clone())) }
}

/// Whether whoever asks may change the spell.
pub async fn may_see_drafts(app: &App, viewer: &Viewer, spell: &SpellId) -> Result<bool, Error> {
    let Some(player) = &viewer.0 else { return Ok(false) };
    let (spell, client) = (spell.clone(), player.client_id.clone());
    app.store.ask(move |db| db.may_change(&spell, &client)).await
}

/// A revision, where it is published or the viewer may change its spell. Otherwise it reads as unknown; one that is revoked, to others, as gone.
pub async fn visible(app: &App, viewer: &Viewer, spell: String, revision: &str) -> Result<Revision, Error> {
    let unknown = || Error::unknown("revision", revision);
    let spell_id = known(spell)?;
    find(app, &spell_id).await?;
    let is_ours = may_see_drafts(app, viewer, &spell_id).await?;
    let revision_id: RevisionId = revision.parse().map_err(|_| unknown())?;
    let id = revision_id.clone();
    let stored = app.store.ask(move |db| db.revision(&spell_id, &id)).await?.ok_or_else(unknown)?;
    match stored.revoked {
        _ if is_ours => Ok(stored),
        _ if !stored.published => Err(unknown()),
        Some(reason) => Err(Error::Gone { revision_id, reason }),
        None => Ok(stored),
    }
}
