//! Errors as clients see them: RFC 9457 `application/problem+json`, with a stable `code`.

pub mod codes;

use crate::error::Error;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// The content type of every error.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// The body of every error, for the document: RFC 9457.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "it is read by those who read the document")]
pub struct ProblemBody {
    r#type: String,
    title: String,
    status: u16,
    /// Stable: a program may act on it.
    code: String,
    /// For people.
    detail: String,
    /// In the request's body, where it is about a place there.
    line: Option<u32>,
    column: Option<u32>,
}

/// An error that a client can act on.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    /// Line and column in the request's body, from 1.
    place: Option<(usize, usize)>,
    retry_after_s: Option<u32>,
}

impl Problem {
    /// A problem; `code` is part of the interface and never changes its meaning.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), place: None, retry_after_s: None }
    }
    /// Where in the body.
    pub fn at(mut self, line: usize, column: usize) -> Self {
        self.place = Some((line, column));
        self
    }
    /// When to come again, in seconds.
    pub fn retry_after_s(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }
    /// 401: no session, or one that is over.
    pub fn unauthorized(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }
    /// 403.
    pub fn forbidden(detail: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }
    /// 422: well-formed, but not something that can be done.
    pub fn unprocessable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }
    /// 413.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    }
    /// 500, with nothing of the reason: that goes to our log.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed; its log says why")
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::Unknown { what, .. } => Self::new(StatusCode::NOT_FOUND, unknown_code(what), detail),
            Error::Banned { .. } => Self::new(StatusCode::FORBIDDEN, "banned", detail),
            Error::Foreign(_) => Self::new(StatusCode::FORBIDDEN, "not_your_spell", detail),
            Error::Revoked { .. } => Self::new(StatusCode::CONFLICT, "revoked", detail),
            Error::Gone { .. } => Self::new(StatusCode::GONE, "revoked", detail),
            Error::ChannelMoved { .. } => Self::new(StatusCode::CONFLICT, "channel_moved", detail),
            Error::NothingToTry { .. } => Self::new(StatusCode::CONFLICT, "nothing_to_try", detail),
            Error::NothingBefore { .. } => Self::new(StatusCode::CONFLICT, "nothing_before", detail),
            Error::OperatorsWord(_) => Self::new(StatusCode::FORBIDDEN, "operators_word", detail),
            Error::TooMany { .. } => Self::unprocessable("too_many", detail),
            Error::QueueFull { .. } => Self::new(StatusCode::TOO_MANY_REQUESTS, "build_queue_full", detail).retry_after_s(5),
            Error::DiskFull => {
                tracing::error!(error = %detail, "a build was refused");
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk_full", detail).retry_after_s(60)
            }
            error if error.is_disk_full() => {
                tracing::error!(error = %detail, "request failed");
                let detail = "the server's disk is full: nothing is saved until there is room";
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk_full", detail).retry_after_s(60)
            }
            Error::NoServer { .. } => Self::new(StatusCode::SERVICE_UNAVAILABLE, "no_server", detail).retry_after_s(2),
            Error::World(::store::StoreError::Import(_)) => Self::unprocessable("bad_world", detail),
            Error::World(::store::StoreError::Pack(_)) => Self::unprocessable("bad_export", detail),
            // Whose world it is may know that it is damaged, and what is offered; where it lies is the operator's business, whose log has it.
            Error::World(::store::StoreError::Damaged { previous, .. }) => {
                tracing::error!(error = %detail, "a world's file is damaged");
                let offer = if previous.is_some() {
                    "its previous generation is whole: an operator can restore it"
                } else {
                    "no previous generation is whole"
                };
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "world_damaged", format!("this world's file is damaged; {offer}"))
            }
            Error::World(_)
            | Error::Database(_)
            | Error::NewerDatabase { .. }
            | Error::Row(_)
            | Error::File { .. }
            | Error::BlobDamaged(_)
            | Error::NoNative { .. }
            | Error::Archive(_)
            | Error::WorldRuns { .. }
            | Error::Lost => {
                tracing::error!(error = %detail, "request failed");
                Self::internal()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": format!("/problems/{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        if let Some((line, column)) = self.place {
            body["line"] = line.into();
            body["column"] = column.into();
        }
        let mut response = (self.status, [(header::CONTENT_TYPE, PROBLEM_JSON)], body.to_string()).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Gives every error that was not ours (unknown route or method, timeout, broken path) the same form. Headers such as `Allow` stay.
pub async fn shape(response: Response) -> Response {
    let status = response.status();
    let is_problem = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == PROBLEM_JSON);
    if is_problem || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let mut shaped = Problem::new(status, general_code(status), general_detail(status)).into_response();
    if let Some(allow) = response.headers().get(header::ALLOW) {
        shaped.headers_mut().insert(header::ALLOW, allow.clone());
    }
    shaped
}

fn unknown_code(what: &str) -> &'static str {
    match what {
        "spell" => "unknown_spell",
        "revision" => "unknown_revision",
        "file" => "unknown_file",
        "world" => "unknown_world",
        "job" => "unknown_job",
        "server" => "unknown_server",
        "player" => "unknown_player",
        "publication" => "unknown_publication",
        "revocation" => "unknown_revocation",
        "quarantine" => "unknown_quarantine",
        "artifact" => "unknown_artifact",
        _ => "unknown",
    }
}

fn general_code(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "unknown_route",
        StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
        StatusCode::REQUEST_TIMEOUT => "too_slow",
        StatusCode::PAYLOAD_TOO_LARGE => "too_large",
        status if status.is_server_error() => "internal",
        _ => "bad_request",
    }
}

fn general_detail(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "there is nothing at this address",
        StatusCode::METHOD_NOT_ALLOWED => "this address does not know this method; the header Allow names those it knows",
        StatusCode::REQUEST_TIMEOUT => "the request took too long",
        StatusCode::PAYLOAD_TOO_LARGE => "the body is over its limit",
        status if status.is_server_error() => "the server failed; its log says why",
        _ => "the request is not well formed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::store::StoreError;
    use std::io;

    #[test]
    fn a_full_disk_is_507_whoever_meets_it() {
        let database = rusqlite::Connection::open_in_memory().unwrap();
        database.execute_batch("CREATE TABLE t (x); PRAGMA max_page_count = 4").unwrap();
        let full = database.execute("INSERT INTO t VALUES (zeroblob(1000000))", []).unwrap_err();
        let world = StoreError::Io { path: "/srv/world.sqlite".into(), error: full.to_string() };
        let file = Error::file("/srv/blobs/aa")(io::Error::from_raw_os_error(rustix::io::Errno::NOSPC.raw_os_error()));
        for error in [Error::from(full), Error::from(world), file] {
            let words = error.to_string();
            let Problem { status, code, detail, .. } = error.into();
            assert_eq!((status.as_u16(), code), (507, "disk_full"), "{words}");
            assert!(!detail.contains("/srv"), "{detail}");
        }
        let Problem { status, .. } = Error::file("/srv")(io::ErrorKind::PermissionDenied.into()).into();
        assert_eq!(status, 500);
    }
}
