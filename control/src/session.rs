//! Who is asking: login, and the session that each later request shows.

use crate::{
    App,
    body::Body,
    clock,
    ids::ClientId,
    keys,
    limits::{HANDLE_CHARS_MAX, TOKEN_CHARS_MAX},
    problem::Problem,
    rate::{network, too_many},
    store::Login,
};
use axum::{
    Json,
    extract::{ConnectInfo, FromRequestParts, State},
    http::{HeaderMap, header, request::Parts},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{net::SocketAddr, sync::Arc};

/// A player with an open session. As a handler's argument it demands one (401).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Player {
    /// Who they are, for good.
    pub client_id: ClientId,
    /// What others see: 1 to 32 characters of `[A-Za-z0-9_-]`.
    pub username: String,
}

/// Somebody with an open session, or nobody: a bad token is still refused (401).
pub struct Viewer(pub Option<Player>);

impl Viewer {
    /// Whether this is who is looking.
    pub fn is(&self, client: &ClientId) -> bool {
        self.0.as_ref().is_some_and(|player| player.client_id == *client)
    }
}

impl FromRequestParts<Arc<App>> for Player {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let token = bearer(&parts.headers)
            .ok_or_else(|| Problem::unauthorized("this needs a session: send Authorization: Bearer <session_token>"))?;
        let hash = keys::token_hash(token);
        let player = app.store.ask(move |db| db.player_of_session(&hash, clock::now_ms())).await?;
        let player = player.ok_or_else(|| Problem::unauthorized("this session is unknown or over: log in again"))?;
        app.players.take(&player.client_id).map_err(|wait_s| too_many("too_many_requests", "requests of one player", wait_s))?;
        Ok(player)
    }
}

impl FromRequestParts<Arc<App>> for Viewer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        match parts.headers.contains_key(header::AUTHORIZATION) {
            true => Player::from_request_parts(parts, app).await.map(|player| Self(Some(player))),
            false => Ok(Self(None)),
        }
    }
}

/// The token of `Authorization: Bearer <token>`, if there is one that could be ours.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= TOKEN_CHARS_MAX).then_some(token)
}

/// `POST /login`: what a player sends.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct LoginRequest {
    /// A new player's handle; made up when left out.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,32}$")]
    username: Option<String>,
    /// Of an earlier login: the same player again.
    account_key: Option<String>,
}

/// `POST /login`: what they get.
#[derive(Serialize)]
pub struct LoginAnswer {
    session_token: String,
    #[serde(flatten)]
    player: Player,
    account_key: String,
}

/// Opens a session for the account key's player, or for a new player.
#[utoipa::path(
    post,
    path = "/login",
    request_body = Option<LoginRequest>,
    responses((status = 200, description = "A session, and the key that makes the same player of a later login", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json"))
)]
pub async fn login(
    State(app): State<Arc<App>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    Body(request): Body<LoginRequest>,
) -> Result<Json<LoginAnswer>, Problem> {
    app.logins.take(&network(address.ip()), 1.0).map_err(|wait_s| too_many("too_many_logins", "logins from this address", wait_s))?;
    let shown = request.account_key.filter(|key| key.len() <= TOKEN_CHARS_MAX);
    let username = request.username.map(handle).transpose()?;
    let (session_token, new_account_key) = (keys::token(), keys::token());
    let login = Login {
        username,
        account_key: shown.as_deref().map(keys::token_hash),
        new_account_key: keys::token_hash(&new_account_key),
        token: keys::token_hash(&session_token),
        now_ms: clock::now_ms(),
    };
    let (player, is_new) = app.store.ask(move |db| db.login(&login)).await?;
    let account_key = shown.filter(|_| !is_new).unwrap_or(new_account_key);
    Ok(Json(LoginAnswer { session_token, player, account_key }))
}

/// `GET /session`: who the token says one is.
#[utoipa::path(
    get,
    path = "/session",
    responses((status = 200, description = "Who the token says one is", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn session(player: Player) -> Json<Player> {
    Json(player)
}

fn handle(text: String) -> Result<String, Problem> {
    if is_handle(&text) {
        Ok(text)
    } else {
        Err(Problem::unprocessable("bad_username", format!("a username has 1 to {HANDLE_CHARS_MAX} characters of A-Z, a-z, 0-9, _ and -")))
    }
}

/// Whether a player could be called so.
pub fn is_handle(text: &str) -> bool {
    (1..=HANDLE_CHARS_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// Ends the session that the request shows.
#[utoipa::path(
    delete,
    path = "/session",
    responses((status = 200, description = "The session is over", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn log_out(State(app): State<Arc<App>>, _: Player, headers: HeaderMap) -> Result<Json<Value>, Problem> {
    let token = bearer(&headers).map(keys::token_hash).ok_or_else(|| Problem::unauthorized("this needs a session"))?;
    app.store.ask(move |db| db.log_out(&token)).await?;
    Ok(Json(json!({ "status": "logged out" })))
}
