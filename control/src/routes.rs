//! The route table, and what surrounds every route.

use crate::{
    App, body, build, jobs,
    limits::{BODY_BYTES_MAX, REPORTS_BODY_BYTES_MAX, REQUEST_TIME_MAX, WORLD_BODY_BYTES_MAX},
    link, operator, page, publish,
    problem::{self, Problem},
    session, spell, world, world_file,
};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{from_fn, map_response},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use std::{any::Any, sync::Arc};
use tower_http::{catch_panic::CatchPanicLayer, set_header::SetResponseHeaderLayer as SetHeader, timeout::TimeoutLayer, trace::TraceLayer};

/// Everything that the control plane answers.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(page::root))
        .route("/minimal.html", get(page::minimal))
        .route("/favicon.ico", get(page::favicon))
        .route("/api/library", get(page::library))
        .route("/login", post(session::login))
        .route("/session", get(session::session))
        .route("/join", post(world::join))
        .route("/worlds", get(world::list).post(world::create))
        .route(
            "/world/{world}",
            get(world_file::show)
                .post(world_file::import)
                .put(world_file::import)
                .delete(world_file::delete)
                .layer(DefaultBodyLimit::max(WORLD_BODY_BYTES_MAX)),
        )
        .route("/world/{world}/export", get(world_file::export))
        .route("/api/spells", get(spell::list))
        .route("/api/spells/{spell}/build", post(build::build))
        .route("/api/spells/{spell}/fork", post(build::fork))
        .route("/api/spells/{spell}/import", post(build::import))
        .route("/api/spells/{spell}/publish", post(publish::publish))
        .route("/api/spells/{spell}/collaborators", get(publish::collaborators).put(publish::set_collaborators))
        .route("/api/spells/{spell}/audit", get(publish::audit))
        .route("/api/spells/{spell}/log", get(spell::log))
        .route("/api/spells/{spell}/revisions", get(spell::revisions))
        .route("/api/spells/{spell}/revisions/{revision}/manifest", get(spell::manifest))
        .route("/api/spells/{spell}/revisions/{revision}/files/{*path}", get(spell::file))
        .route("/api/spells/{spell}/revisions/{revision}/archive", get(build::archive))
        .route("/api/spells/{spell}/revisions/{revision}/revoke", post(publish::revoke))
        .route("/api/jobs/{job}", get(jobs::show).delete(jobs::cancel))
        .route("/api/jobs/{job}/events", get(jobs::events))
        .route("/internal/worlds/{world}/stream", get(link::stream))
        .route("/internal/worlds/{world}/reports", post(link::reports).layer(DefaultBodyLimit::max(REPORTS_BODY_BYTES_MAX)))
        .route("/admin/servers", get(operator::servers))
        .route("/admin/servers/{world}", delete(operator::stop_server))
        .route("/admin/stops", get(operator::stops))
        .route("/admin/spells/{spell}/revisions/{revision}/revoke", post(publish::revoke_as_operator))
        .route("/admin/worlds/{world}/revert", post(world_file::revert))
        .route("/health", get(operator::health))
        .route("/healthz", get(operator::health))
        // From the inside out.
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn(body::read_small))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIME_MAX))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(map_response(problem::shape))
        .layer(default_header(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox"))
        .layer(default_header(header::CACHE_CONTROL, "no-store"))
        .layer(default_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(default_header(header::REFERRER_POLICY, "no-referrer"))
        .layer(default_header(HeaderName::from_static("cross-origin-resource-policy"), "same-origin"))
        .layer(TraceLayer::new_for_http())
        .with_state(app)
}

fn default_header(name: HeaderName, value: &'static str) -> SetHeader<HeaderValue> {
    SetHeader::if_not_present(name, HeaderValue::from_static(value))
}

fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let message = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(message = ?message.unwrap_or("no message"), "a request's handler panicked");
    Problem::internal().into_response()
}
