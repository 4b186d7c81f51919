//! `Idempotency-Key`: who does not know whether a request arrived may send it again, and it is done once.

use crate::{
    App, clock,
    ids::ClientId,
    keys::token_hash,
    limits::{BUILD_BODY_BYTES_MAX, IDEMPOTENCY_KEY_CHARS_MAX, IDEMPOTENT_ANSWER_BYTES_MAX},
    problem::Problem,
    session::bearer,
    store::{Answered, Database},
};
use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use protocol::Sha256Hex;
use std::sync::Arc;

/// Answers a request whose key was answered already as it was answered then. Without a key, or a session, it is none of this' business.
pub async fn once(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Some(key) = request.headers().get("idempotency-key") else { return next.run(request).await };
    let Some(token) = bearer(request.headers()).map(token_hash) else { return next.run(request).await };
    let key = key.to_str().unwrap_or_default().to_owned();
    if !(1..=IDEMPOTENCY_KEY_CHARS_MAX).contains(&key.len()) {
        let detail = format!("an Idempotency-Key has 1 to {IDEMPOTENCY_KEY_CHARS_MAX} printable ASCII characters");
        return Problem::unprocessable("bad_idempotency_key", detail).into_response();
    }
    // Whoever is nobody is refused by whoever answers, before much is read.
    match app.store.ask(move |db| db.player_of_session(&token, clock::now_ms())).await {
        Ok(Some(_)) => {}
        _ => return next.run(request).await,
    }
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, BUILD_BODY_BYTES_MAX).await else {
        return Problem::too_large("the body is over its limit").into_response();
    };
    let hash = Sha256Hex::of(&[parts.method.as_str().as_bytes(), parts.uri.path().as_bytes(), &bytes].join(&0));
    let begin = |key: String| {
        move |db: &mut Database| {
            let now_ms = clock::now_ms();
            let Some(player) = db.player_of_session(&token, now_ms)? else { return Ok(None) };
            Ok(Some((player.client_id.clone(), db.begin_answer(&player.client_id, &key, &hash, now_ms)?)))
        }
    };
    let begun = match app.store.ask(begin(key.clone())).await {
        Ok(begun) => begun,
        Err(error) => return Problem::from(error).into_response(),
    };
    // Without a player the request is refused by whoever answers it.
    let Some((client, begun)) = begun else { return next.run(Request::from_parts(parts, Body::from(bytes))).await };
    match begun {
        Answered::Now => {}
        Answered::Before { status, body } => return answer(status, body),
        Answered::Elsewhere => {
            let detail = "a request with this Idempotency-Key is being answered";
            return Problem::new(StatusCode::CONFLICT, "idempotency_running", detail).retry_after_s(1).into_response();
        }
        Answered::Other => {
            let detail = "this Idempotency-Key came with another request before";
            return Problem::unprocessable("idempotency_conflict", detail).into_response();
        }
    }
    // A task of its own: the client may go, and comes back for the answer. It gives the key back when it fails.
    let (of_task, request) = ((app.clone(), client.clone(), key.clone()), Request::from_parts(parts, Body::from(bytes)));
    match tokio::spawn(answer_once(of_task, request, next)).await {
        Ok(response) => response,
        Err(_) => {
            app.store.ask(move |db| db.end_answer(&client, &key, None)).await.ok();
            Problem::internal().into_response()
        }
    }
}

async fn answer_once((app, client, key): (Arc<App>, ClientId, String), request: Request, next: Next) -> Response {
    let (parts, body) = next.run(request).await.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else { return Problem::internal().into_response() };
    // What failed on our side, or came too early, is to be tried again.
    let is_final =
        !parts.status.is_server_error() && parts.status != StatusCode::TOO_MANY_REQUESTS && bytes.len() <= IDEMPOTENT_ANSWER_BYTES_MAX;
    let (kept, status) = (bytes.to_vec(), parts.status.as_u16());
    let keep = move |db: &mut Database| db.end_answer(&client, &key, is_final.then_some((status, kept.as_slice())));
    if let Err(error) = app.store.ask(keep).await {
        tracing::error!(%error, "an answer was not kept");
    }
    Response::from_parts(parts, Body::from(bytes))
}

fn answer(status: u16, body: Vec<u8>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = if status.is_success() { "application/json" } else { crate::problem::PROBLEM_JSON };
    (status, [(header::CONTENT_TYPE, kind), (header::HeaderName::from_static("idempotency-replayed"), "true")], body).into_response()
}
