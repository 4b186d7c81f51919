//! A request's JSON body: bounded, typed, and refused with the place of the mistake.

use crate::{
    limits::{BODY_BYTES_MAX, DISCARDED_BYTES_MAX},
    problem::Problem,
};
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;

/// A JSON object of at most `MAX` bytes, read into `T`. A request without body and content type counts as `{}`, and so does `null`.
pub struct Body<T, const MAX: usize = BODY_BYTES_MAX>(pub T);

impl<T: DeserializeOwned, S: Send + Sync, const MAX: usize> FromRequest<S> for Body<T, MAX> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let typed = content_type(request.headers());
        if claimed_bytes(request.headers()) > DISCARDED_BYTES_MAX {
            return Err(too_large());
        }
        let bytes = read(request.into_body(), MAX).await?;
        match typed {
            ContentType::Json => Ok(Self(object(&bytes)?)),
            ContentType::None if bytes.is_empty() => Ok(Self(object(b"{}")?)),
            _ => Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", "the content type must be application/json")),
        }
    }
}

/// Bytes of a file, for the document.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, format = Binary)]
#[allow(dead_code, reason = "it is read by those who read the document")]
pub struct Binary(Vec<u8>);

/// A body of at most `MAX` bytes that is a JSON object or a zip, as its content type says.
pub enum Upload<T, const MAX: usize> {
    /// `application/json`, read.
    Json(T),
    /// `application/zip`, as it came.
    Zip(Vec<u8>),
}

impl<T: DeserializeOwned, S: Send + Sync, const MAX: usize> FromRequest<S> for Upload<T, MAX> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !matches!(content_type(request.headers()), ContentType::Zip) {
            return Body::<T, MAX>::from_request(request, state).await.map(|Body(value)| Self::Json(value));
        }
        if claimed_bytes(request.headers()) > DISCARDED_BYTES_MAX {
            return Err(too_large());
        }
        read(request.into_body(), MAX).await.map(Self::Zip)
    }
}

/// The body. Of one that is too long the rest is read and thrown away, up to `DISCARDED_BYTES_MAX`: whoever is still sending when a connection closes never sees the
/// answer.
async fn read(body: axum::body::Body, bytes_max: usize) -> Result<Vec<u8>, Problem> {
    let mut chunks = body.into_data_stream();
    let (mut bytes, mut read) = (Vec::new(), 0);
    while let Some(chunk) = chunks.next().await
        && read <= DISCARDED_BYTES_MAX
    {
        let chunk = chunk.map_err(|_| unreadable())?;
        read += chunk.len();
        if read <= bytes_max {
            bytes.extend_from_slice(&chunk);
        }
    }
    if read <= bytes_max { Ok(bytes) } else { Err(too_large()) }
}

/// Reads a small body before anything is answered. A connection on which an answer has overtaken the body, as a refusal that needs none of it does, is closed without a
/// word, and the client's next request on it is lost.
pub async fn read_small(request: Request, next: Next) -> Response {
    // One that does not say how long it is may be small.
    let may_be_small = (1..=BODY_BYTES_MAX).contains(&claimed_bytes(request.headers()));
    if !may_be_small && !request.headers().contains_key(header::TRANSFER_ENCODING) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let (mut start, mut rest) = (Vec::new(), body.into_data_stream());
    while start.len() <= BODY_BYTES_MAX
        && let Some(chunk) = rest.next().await
    {
        let Ok(chunk) = chunk else { return unreadable().into_response() };
        start.extend_from_slice(&chunk);
    }
    let body = stream::once(async { Ok(Bytes::from(start)) }).chain(rest);
    next.run(Request::from_parts(parts, axum::body::Body::from_stream(body))).await
}

fn unreadable() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad_body", "the body could not be read")
}

/// Reads JSON, telling what is not JSON (400) from what is not the right JSON (422).
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        match error.classify() {
            Category::Data => Problem::unprocessable("wrong_json", error.to_string()).at(line, column),
            _ => Problem::new(StatusCode::BAD_REQUEST, "malformed_json", error.to_string()).at(line, column),
        }
    })
}

/// Reads a JSON object: serde would also take a list for a struct, its fields in order.
fn object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if bytes.trim_ascii() == b"null" {
        return parse(b"{}");
    }
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        parse::<IgnoredAny>(bytes)?;
        return Err(Problem::unprocessable("wrong_json", "invalid type: sequence, expected an object").at(1, 1));
    }
    parse(bytes)
}

/// What would not even be thrown away is refused before it is sent.
fn claimed_bytes(headers: &HeaderMap) -> usize {
    headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or(0)
}

fn too_large() -> Problem {
    Problem::too_large("the body is over its limit")
}

enum ContentType {
    Json,
    Zip,
    Other,
    None,
}

fn content_type(headers: &HeaderMap) -> ContentType {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return ContentType::None };
    let essence = value.to_str().unwrap_or("").split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let is_json = essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    match essence.as_str() {
        _ if is_json => ContentType::Json,
        "application/zip" => ContentType::Zip,
        _ => ContentType::Other,
    }
}
