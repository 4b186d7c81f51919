//! What becomes of a spell's revisions, and who may say so: publish, revoke, collaborators, and the log of all that.

use crate::{
    App,
    body::Body,
    clock,
    error::Error,
    limits::{HANDLE_CHARS_MAX, REVOKE_REASON_CHARS_MAX},
    operator::Admin,
    problem::Problem,
    session::Player,
    spell::{known, own},
    store::{Act, AuditEntry, Database, Publication},
};
use axum::{
    Json,
    extract::{Path, State},
};
use protocol::{Channel, IdError, RevisionId, SpellId};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::sync::Arc;

/// `POST /api/spells/<id>/publish`.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct PublishRequest {
    revision_id: String,
    channel: Option<String>,
    /// What the channel has to point at until then; null is nothing. Left out, it may be anything.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    if_active: Option<Option<String>>,
}

/// `POST .../revoke`.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct RevokeRequest {
    reason: String,
}

/// `PUT /api/spells/<id>/collaborators`.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct CollaboratorsRequest {
    usernames: Vec<String>,
}

/// Tells null from nothing.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Points a channel at a revision; the worlds that follow it hear of it at once.
#[utoipa::path(
    post,
    path = "/api/spells/{spell}/publish",
    params(("spell" = String, Path, description = "A spell id")),
    request_body = PublishRequest,
    responses((status = 200, description = "The publication", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn publish(
    State(app): State<Arc<App>>,
    player: Player,
    Path(spell): Path<String>,
    Body(request): Body<PublishRequest>,
) -> Result<Json<Value>, Problem> {
    let spell_id = known(spell)?;
    let channel: Channel = match request.channel {
        None => Channel::Beta,
        Some(text) => text.parse().map_err(|error: IdError| Problem::unprocessable("unknown_channel", error.to_string()))?,
    };
    // Whose it is comes first: a stranger learns nothing about its revisions.
    own(&app, &spell_id, &player.client_id).await?;
    let revision_id = revision(&request.revision_id)?;
    let if_active = request.if_active.map(|expected| expected.as_deref().map(revision).transpose()).transpose()?;
    let (spell, published, news) = (spell_id.clone(), revision_id.clone(), app.clone());
    // One step: a client that goes away in between would leave the worlds without the news.
    let publish = move |db: &mut Database| {
        let published = db.publish(&Publication {
            spell_id: &spell,
            revision_id: &published,
            channel,
            client_id: &player.client_id,
            if_active,
            now_ms: clock::now_ms(),
        })?;
        news.tell(published.sequence);
        Ok(published)
    };
    let published = app.store.ask(publish).await?;
    tracing::info!(spell = %spell_id, revision = %revision_id, %channel, "published");
    Ok(Json(json!({ "spell_id": spell_id, "revision_id": revision_id, "channel": channel, "manifest": published.manifest })))
}

/// Takes a revision out of use, by somebody who may change the spell.
#[utoipa::path(
    post,
    path = "/api/spells/{spell}/revisions/{revision}/revoke",
    params(("spell" = String, Path, description = "A spell id"), ("revision" = String, Path, description = "A revision id")),
    request_body = RevokeRequest,
    responses((status = 200, description = "Revoked", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn revoke(
    State(app): State<Arc<App>>,
    player: Player,
    Path((spell, revision)): Path<(String, String)>,
    Body(request): Body<RevokeRequest>,
) -> Result<Json<Value>, Problem> {
    let spell_id = known(spell)?;
    own(&app, &spell_id, &player.client_id).await?;
    take_out(&app, spell_id, &revision, request, player.client_id.to_string()).await
}

/// Takes anybody's revision out of use, by the operator.
#[utoipa::path(
    post,
    path = "/admin/spells/{spell}/revisions/{revision}/revoke",
    params(("spell" = String, Path, description = "A spell id"), ("revision" = String, Path, description = "A revision id")),
    request_body = RevokeRequest,
    responses((status = 200, description = "Revoked", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("admin" = []))
)]
pub async fn revoke_as_operator(
    State(app): State<Arc<App>>,
    _: Admin,
    Path((spell, revision)): Path<(String, String)>,
    Body(request): Body<RevokeRequest>,
) -> Result<Json<Value>, Problem> {
    take_out(&app, known(spell)?, &revision, request, "operator".into()).await
}

async fn take_out(
    app: &Arc<App>,
    spell_id: SpellId,
    revision_id: &str,
    request: RevokeRequest,
    actor: String,
) -> Result<Json<Value>, Problem> {
    let revision_id = revision(revision_id)?;
    let reason = request.reason;
    let is_plain = !reason.trim().is_empty() && reason.chars().count() <= REVOKE_REASON_CHARS_MAX && !reason.chars().any(char::is_control);
    if !is_plain {
        return Err(Problem::unprocessable("bad_reason", format!("a reason is one line of 1 to {REVOKE_REASON_CHARS_MAX} characters")));
    }
    let answer = json!({ "spell_id": spell_id, "revision_id": revision_id, "revoked": reason });
    tracing::warn!(spell = %spell_id, revision = %revision_id, reason = ?reason, actor, "revoked");
    let news = app.clone();
    let revoke = move |db: &mut Database| {
        let detail = json!({ "revision_id": revision_id, "reason": reason });
        let act = Act { spell_id: &spell_id, actor: &actor, action: "revoke", detail, now_ms: clock::now_ms() };
        let sequence = db.revoke(&act, &revision_id, &reason)?;
        news.tell(sequence);
        Ok(())
    };
    app.store.ask(revoke).await?;
    Ok(Json(answer))
}

/// `GET /api/spells/<id>/collaborators`, to those who may change the spell.
#[utoipa::path(
    get,
    path = "/api/spells/{spell}/collaborators",
    params(("spell" = String, Path, description = "A spell id")),
    responses((status = 200, description = "Their handles", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn collaborators(State(app): State<Arc<App>>, player: Player, Path(spell): Path<String>) -> Result<Json<Value>, Problem> {
    let spell_id = known(spell)?;
    own(&app, &spell_id, &player.client_id).await?;
    let spell = spell_id.clone();
    let usernames = app.store.ask(move |db| db.collaborators(&spell)).await?;
    Ok(Json(json!({ "spell_id": spell_id, "usernames": usernames })))
}

/// Says who may build and publish the spell beside its owner, who alone may say so.
#[utoipa::path(
    put,
    path = "/api/spells/{spell}/collaborators",
    params(("spell" = String, Path, description = "A spell id")),
    request_body = CollaboratorsRequest,
    responses((status = 200, description = "Their handles", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn set_collaborators(
    State(app): State<Arc<App>>,
    player: Player,
    Path(spell): Path<String>,
    Body(request): Body<CollaboratorsRequest>,
) -> Result<Json<Value>, Problem> {
    let spell_id = known(spell)?;
    own(&app, &spell_id, &player.client_id).await?;
    let usernames = request.usernames;
    if let Some(long) = usernames.iter().find(|name| name.len() > HANDLE_CHARS_MAX) {
        return Err(Error::unknown("player", long).into());
    }
    let spell = spell_id.clone();
    let set = move |db: &mut Database| {
        let detail = json!({ "usernames": usernames });
        let act = Act { spell_id: &spell, actor: player.client_id.as_str(), action: "collaborators", detail, now_ms: clock::now_ms() };
        db.set_collaborators(&act, &player.client_id, &usernames)?;
        db.collaborators(&spell)
    };
    let usernames = app.store.ask(set).await?;
    Ok(Json(json!({ "spell_id": spell_id, "usernames": usernames })))
}

/// `GET /api/spells/<id>/audit`: who did what, newest first, to those who may change the spell.
#[utoipa::path(
    get,
    path = "/api/spells/{spell}/audit",
    params(("spell" = String, Path, description = "A spell id")),
    responses((status = 200, description = "Who did what, newest first", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn audit(State(app): State<Arc<App>>, player: Player, Path(spell): Path<String>) -> Result<Json<Value>, Problem> {
    let spell_id = known(spell)?;
    own(&app, &spell_id, &player.client_id).await?;
    let spell = spell_id.clone();
    let entries = app.store.ask(move |db| db.audit(&spell)).await?;
    let entries: Vec<_> = entries
        .into_iter()
        .map(|AuditEntry { entry, actor, action, detail, done_at_ms }| {
            json!({ "entry": entry, "actor": actor, "action": action, "detail": detail, "done_at": clock::iso8601(done_at_ms) })
        })
        .collect();
    Ok(Json(json!({ "spell_id": spell_id, "entries": entries })))
}

fn revision(text: &str) -> Result<RevisionId, Error> {
    text.parse().map_err(|_| Error::unknown("revision", text))
}
