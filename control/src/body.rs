//! A request's JSON body: bounded, typed, and refused with the place of the mistake.

use crate::{limits::BUILD_BODY_BYTES_MAX, problem::Problem};
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;

/// A JSON object read into `T`. A request without body and content type counts as `{}`.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let typed = content_type(request.headers());
        if claimed_bytes(request.headers()) > BUILD_BODY_BYTES_MAX {
            return Err(too_large());
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|refusal| match refusal.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_large(),
            status => Problem::new(status, "bad_body", "the body could not be read"),
        })?;
        match typed {
            ContentType::Json => Ok(Self(object(&bytes)?)),
            ContentType::None if bytes.is_empty() => Ok(Self(object(b"{}")?)),
            _ => Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", "the content type must be application/json")),
        }
    }
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
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        parse::<IgnoredAny>(bytes)?;
        return Err(Problem::unprocessable("wrong_json", "invalid type: sequence, expected an object").at(1, 1));
    }
    parse(bytes)
}

/// What no route takes is refused before it is sent. Below that, each route's own limit ends the reading.
fn claimed_bytes(headers: &HeaderMap) -> usize {
    headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or(0)
}

fn too_large() -> Problem {
    Problem::too_large("the body is over its limit")
}

enum ContentType {
    Json,
    Other,
    None,
}

fn content_type(headers: &HeaderMap) -> ContentType {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return ContentType::None };
    let essence = value.to_str().unwrap_or("").split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let is_json = essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    if is_json { ContentType::Json } else { ContentType::Other }
}
