//! What becomes of a spell's revisions, and who may say so: publish, revoke, collaborators, and the log of all that.

use crate::{
    App,
    body::Body,
    clock,
    error::Error,
    limits::{HANDLE_CHARS_MAX, PUBLICATIONS_AT_ONCE_MAX, REVOKE_REASON_CHARS_MAX},
    operator::{Admin, OPERATOR},
    problem::Problem,
    rollout::Terms,
    session::Player,
    spell::{known, own},
    store::{Act, AuditEntry, Database, Publication, Published},
};
use axum::{
    Json,
    extract::{Path, State},
};
use protocol::{Channel, IdError, RevisionId, SpellId};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// `POST /api/spells/<id>/publish`.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct PublishRequest {
    revision_id: String,
    /// `beta` when left out.
    #[schema(pattern = "^(stable|beta)$")]
    channel: Option<String>,
    /// What the channel has to point at until then; null is nothing. Left out, it may be anything.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    if_active: Option<Option<String>>,
    /// To be tried on a share of the casts first; `{}` takes all defaults.
    rollout: Option<Terms>,
}

/// `POST /api/publications`.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct PublicationsRequest {
    publications: Vec<OneOfMany>,
}

/// One of them.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct OneOfMany {
    spell_id: String,
    #[serde(flatten)]
    publish: PublishRequest,
}

/// `PUT /api/spells/<id>/dev`.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct DevRequest {
    revision_id: String,
}

/// `POST .../revoke`.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct RevokeRequest {
    /// One line.
    #[schema(min_length = 1, max_length = 200)]
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

/// Points a channel at a revision, at once or after a rollout; the worlds that follow it hear of it at once.
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
    // Whose it is comes first: a stranger learns nothing about its revisions.
    let channel = channel_named(request.channel.as_deref().unwrap_or("beta"))?;
    own(&app, &spell_id, &player.client_id).await?;
    let publication = publication(spell_id, channel, request)?;
    let answers = make_public(&app, &player, vec![publication]).await?;
    Ok(Json(answers.into_iter().next().unwrap_or_default()))
}

/// Several publications in one step: worlds switch to all of them in one tick.
#[utoipa::path(
    post,
    path = "/api/publications",
    request_body = PublicationsRequest,
    responses((status = 200, description = "The publications", body = serde_json::Value), (status = "4XX", description = "Refused, and why: nothing was published", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn publish_set(
    State(app): State<Arc<App>>,
    player: Player,
    Body(request): Body<PublicationsRequest>,
) -> Result<Json<Value>, Problem> {
    let count = request.publications.len();
    if !(1..=PUBLICATIONS_AT_ONCE_MAX).contains(&count) {
        return Err(Problem::unprocessable(
            "bad_publications",
            format!("1 to {PUBLICATIONS_AT_ONCE_MAX} publications can be made at once, not {count}"),
        ));
    }
    let mut publications = Vec::with_capacity(count);
    for OneOfMany { spell_id, publish } in request.publications {
        let spell_id = known(spell_id)?;
        let channel = channel_named(publish.channel.as_deref().unwrap_or("beta"))?;
        own(&app, &spell_id, &player.client_id).await?;
        publications.push(publication(spell_id, channel, publish)?);
    }
    let answers = make_public(&app, &player, publications).await?;
    Ok(Json(json!({ "publications": answers })))
}

fn publication(spell_id: SpellId, channel: Channel, request: PublishRequest) -> Result<Publication, Problem> {
    let PublishRequest { revision_id, if_active, rollout, .. } = request;
    let revision_id = revision_named(&revision_id)?;
    let if_active = if_active.map(|expected| expected.as_deref().map(revision_named).transpose()).transpose()?;
    if let Some(terms) = &rollout {
        terms.check()?;
        if channel == Channel::Draft {
            return Err(Problem::unprocessable("bad_rollout", "drafts are their authors' alone: a rollout is on beta or stable"));
        }
    }
    Ok(Publication { spell_id, revision_id, channel, if_active, rollout })
}

async fn make_public(app: &Arc<App>, player: &Player, publications: Vec<Publication>) -> Result<Vec<Value>, Problem> {
    let (client, news) = (player.client_id.clone(), app.clone());
    // One step: a client that goes away in between would leave the worlds without the news.
    let publish = move |db: &mut Database| {
        let (number, published) = db.publish(&publications, &client, clock::now_ms())?;
        news.tell(number);
        Ok(publications.into_iter().zip(published).collect::<Vec<_>>())
    };
    let published = app.store.ask(publish).await?;
    let told = |(publication, published): (Publication, Published)| {
        let Publication { spell_id, revision_id, channel, .. } = publication;
        tracing::info!(spell = %spell_id, revision = %revision_id, %channel, rollout = published.rollout, "published");
        let mut answer = json!({ "spell_id": spell_id, "revision_id": revision_id, "channel": channel, "manifest": published.manifest });
        if let Some(rollout) = published.rollout {
            answer["rollout"] = rollout.into();
        }
        answer
    };
    Ok(published.into_iter().map(told).collect())
}

/// Makes a draft live for its author alone, in whatever world they are.
#[utoipa::path(
    put,
    path = "/api/spells/{spell}/dev",
    params(("spell" = String, Path, description = "A spell id")),
    request_body = DevRequest,
    responses((status = 200, description = "Live for you alone", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn set_dev(
    State(app): State<Arc<App>>,
    player: Player,
    Path(spell): Path<String>,
    Body(request): Body<DevRequest>,
) -> Result<Json<Value>, Problem> {
    let spell_id = known(spell)?;
    own(&app, &spell_id, &player.client_id).await?;
    let draft = revision_named(&request.revision_id)?;
    dev(&app, player, spell_id, Some(draft)).await
}

/// Has the author run what everybody runs.
#[utoipa::path(
    delete,
    path = "/api/spells/{spell}/dev",
    params(("spell" = String, Path, description = "A spell id")),
    responses((status = 200, description = "No draft of it is live for you", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn end_dev(State(app): State<Arc<App>>, player: Player, Path(spell): Path<String>) -> Result<Json<Value>, Problem> {
    let spell_id = known(spell)?;
    own(&app, &spell_id, &player.client_id).await?;
    dev(&app, player, spell_id, None).await
}

/// The drafts that are live for you alone.
#[utoipa::path(
    get,
    path = "/api/dev",
    responses((status = 200, description = "By spell: the draft", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn devs(State(app): State<Arc<App>>, player: Player) -> Result<Json<Value>, Problem> {
    let drafts = app.store.ask(move |db| db.live_drafts(&player.client_id)).await?;
    let drafts: BTreeMap<_, _> = drafts.into_iter().collect();
    Ok(Json(json!({ "drafts": drafts })))
}

async fn dev(app: &Arc<App>, player: Player, spell_id: SpellId, draft: Option<RevisionId>) -> Result<Json<Value>, Problem> {
    let answer = json!({ "spell_id": spell_id, "revision_id": draft });
    let news = app.clone();
    let set = move |db: &mut Database| {
        let detail = json!({ "revision_id": draft });
        let act = Act { spell_id: &spell_id, actor: player.client_id.as_str(), action: "dev", detail, now_ms: clock::now_ms() };
        news.tell(db.set_live_draft(&act, &player.client_id, draft.as_ref())?);
        Ok(())
    };
    app.store.ask(set).await?;
    Ok(Json(answer))
}

/// Lets a revision be used again, by somebody who may change the spell and has revoked it.
#[utoipa::path(
    delete,
    path = "/api/spells/{spell}/revisions/{revision}/revoke",
    params(("spell" = String, Path, description = "A spell id"), ("revision" = String, Path, description = "A revision id")),
    responses((status = 200, description = "It may be published again", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn lift(
    State(app): State<Arc<App>>,
    player: Player,
    Path((spell, revision)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let spell_id = known(spell)?;
    own(&app, &spell_id, &player.client_id).await?;
    bring_back(&app, spell_id, &revision, player.client_id.to_string()).await
}

/// Lets anybody's revision be used again, by the operator.
#[utoipa::path(
    delete,
    path = "/admin/spells/{spell}/revisions/{revision}/revoke",
    params(("spell" = String, Path, description = "A spell id"), ("revision" = String, Path, description = "A revision id")),
    responses((status = 200, description = "It may be published again", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("admin" = []))
)]
pub async fn lift_as_operator(
    State(app): State<Arc<App>>,
    _: Admin,
    Path((spell, revision)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    bring_back(&app, known(spell)?, &revision, OPERATOR.into()).await
}

async fn bring_back(app: &Arc<App>, spell_id: SpellId, revision_id: &str, actor: String) -> Result<Json<Value>, Problem> {
    let revision_id = revision_named(revision_id)?;
    let answer = json!({ "spell_id": spell_id, "revision_id": revision_id, "revoked": null });
    let news = app.clone();
    let lift = move |db: &mut Database| {
        let detail = json!({ "revision_id": revision_id });
        let act = Act { spell_id: &spell_id, actor: &actor, action: "lift_revocation", detail, now_ms: clock::now_ms() };
        news.tell(db.lift_revocation(&act, &revision_id)?);
        note_operator(db, &act)
    };
    app.store.ask(lift).await?;
    Ok(Json(answer))
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
    take_out(&app, known(spell)?, &revision, request, OPERATOR.into()).await
}

async fn take_out(
    app: &Arc<App>,
    spell_id: SpellId,
    revision_id: &str,
    request: RevokeRequest,
    actor: String,
) -> Result<Json<Value>, Problem> {
    let revision_id = revision_named(revision_id)?;
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
        note_operator(db, &act)
    };
    app.store.ask(revoke).await?;
    Ok(Json(answer))
}

/// What the operator does with a spell stands in its log, and among all that operators do.
fn note_operator(db: &mut Database, act: &Act<'_>) -> Result<(), Error> {
    if act.actor != OPERATOR {
        return Ok(());
    }
    let mut detail = act.detail.clone();
    detail["spell_id"] = act.spell_id.as_str().into();
    db.note_operator(act.action, &detail, act.now_ms)
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
    let (spell, news) = (spell_id.clone(), app.clone());
    let set = move |db: &mut Database| {
        let detail = json!({ "usernames": usernames });
        let act = Act { spell_id: &spell, actor: player.client_id.as_str(), action: "collaborators", detail, now_ms: clock::now_ms() };
        db.set_collaborators(&act, &player.client_id, &usernames)?;
        news.tell(db.newest_change()?);
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

/// A revision id from a request; what cannot be one is not there.
pub fn revision_named(text: &str) -> Result<RevisionId, Error> {
    text.parse().map_err(|_| Error::unknown("revision", text))
}

/// A channel from a request.
pub fn channel_named(text: &str) -> Result<Channel, Problem> {
    text.parse().map_err(|error: IdError| Problem::unprocessable("unknown_channel", error.to_string()))
}
