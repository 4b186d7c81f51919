//! The route table, and what surrounds every route.

use crate::{
    App, admin, body, build, client, docs, guide, idempotency, jobs,
    limits::{BODY_BYTES_MAX, CORS_TIME, REPORTS_BODY_BYTES_MAX, WORLD_BODY_BYTES_MAX},
    link, metrics, operator, page, policy,
    problem::{self, Problem},
    publish,
    rate::{network, too_many},
    rollout, session, sheet, spell, spell_log, usage, world, world_file,
};
use axum::{
    Router,
    extract::{ConnectInfo, DefaultBodyLimit, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state, map_response},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use std::{any::Any, net::SocketAddr, sync::Arc, time::Duration};
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{AllowOrigin, CorsLayer},
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    set_header::SetResponseHeaderLayer as SetHeader,
    timeout::TimeoutLayer,
    trace::TraceLayer,
};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt},
    routes,
};

/// Everything that the control plane answers, each request within this time.
///
/// Where it is not for operators, there is no `/admin` and no `/metrics`.
pub fn router(app: Arc<App>, request_time_max: Duration, for_operators: bool) -> Router {
    let (router, document) = documented(&app).split_for_parts();
    let document = serde_json::to_value(&document).expect("the document is plain text");
    let (docs, document) = (docs::page(&document), document.to_string());
    router
        .route("/", get(client::page))
        .route("/admin", get(client::admin_page))
        .route("/spell/{spell}", get(client::spell_page))
        .route("/assets/{name}", get(client::asset))
        .route("/minimal.html", get(page::minimal))
        .route("/favicon.ico", get(page::favicon))
        .route("/docs", get(async move || sheet::answer(docs)))
        .route("/guide", get(guide::first))
        .route("/guide/{name}", get(guide::page))
        .route("/guide/screenshots/{name}", get(guide::screenshot))
        .route("/problems/{code}", get(problem::codes::page))
        .route("/openapi.json", get(async || ([(header::CONTENT_TYPE, "application/json")], document)))
        // Its path has slashes, for which the document has no word.
        .route("/api/spells/{spell}/revisions/{revision}/files/{*path}", get(spell::file))
        .route("/healthz", get(operator::health))
        .route("/readyz", get(operator::ready))
        .route("/internal/worlds/{world}/stream", get(link::stream))
        .route("/internal/worlds/{world}/artifacts/{hash}", get(link::artifact))
        .route("/internal/worlds/{world}/reports", post(link::reports).layer(DefaultBodyLimit::max(REPORTS_BODY_BYTES_MAX)))
        // From the inside out.
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn(body::read_small))
        .layer(from_fn_with_state(for_operators, keep_operators_apart))
        .layer(from_fn_with_state(app.clone(), limit_address))
        .layer(from_fn(metrics::count))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, request_time_max))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(map_response(problem::shape))
        .layer(default_header(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox"))
        .layer(default_header(header::CACHE_CONTROL, "no-store"))
        .layer(default_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(default_header(header::REFERRER_POLICY, "no-referrer"))
        .layer(default_header(HeaderName::from_static("cross-origin-resource-policy"), "same-origin"))
        .layer(cors(&app.cors_origins))
        .layer(TraceLayer::new_for_http().make_span_with(span))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .with_state(app)
}

/// What `/openapi.json` begins with; each route brings its own part.
#[derive(OpenApi)]
#[openapi(
    info(title = "UGC World", description = "The control plane: login, worlds, spells and their builds. Errors are RFC 9457 problems."),
    paths(spell::file),
    modifiers(&Tokens)
)]
struct Document;

/// The tokens that requests carry.
struct Tokens;

impl Modify for Tokens {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = || SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("session", bearer());
        components.add_security_scheme("admin", bearer());
    }
}

/// The routes that are in the document, for they are made of the same lines.
fn documented(app: &Arc<App>) -> OpenApiRouter<Arc<App>> {
    let once = || from_fn_with_state(app.clone(), idempotency::once);
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(page::library))
        .routes(routes!(session::login))
        .routes(routes!(session::session, session::log_out))
        .routes(routes!(world::join))
        .routes(routes!(world::list, world::create))
        .routes(routes!(world_file::show, world_file::import, world_file::delete).layer(DefaultBodyLimit::max(WORLD_BODY_BYTES_MAX)))
        .routes(routes!(world_file::export))
        .routes(routes!(policy::show, policy::set))
        .routes(routes!(policy::quarantines))
        .routes(routes!(policy::lift))
        .routes(routes!(spell::list))
        .routes(routes!(build::takes))
        .routes(routes!(build::build).layer(once()))
        .routes(routes!(build::fork))
        .routes(routes!(build::import))
        .routes(routes!(publish::publish).layer(once()))
        .routes(routes!(publish::publish_set).layer(once()))
        .routes(routes!(publish::set_dev, publish::end_dev))
        .routes(routes!(publish::devs))
        .routes(routes!(rollout::rollback))
        .routes(routes!(rollout::list))
        .routes(routes!(publish::collaborators, publish::set_collaborators))
        .routes(routes!(publish::audit))
        .routes(routes!(spell_log::log))
        .routes(routes!(spell_log::events))
        .routes(routes!(spell::revisions))
        .routes(routes!(spell::manifest))
        .routes(routes!(usage::usage))
        .routes(routes!(build::archive))
        .routes(routes!(publish::revoke, publish::lift))
        .routes(routes!(jobs::show, jobs::cancel))
        .routes(routes!(jobs::events))
        .routes(routes!(metrics::metrics))
        .routes(routes!(admin::sessions))
        .routes(routes!(admin::end_sessions))
        .routes(routes!(admin::bans))
        .routes(routes!(admin::ban, admin::unban))
        .routes(routes!(admin::throttle, admin::unthrottle))
        .routes(routes!(admin::trust))
        .routes(routes!(admin::audit))
        .routes(routes!(admin::cleanup))
        .routes(routes!(operator::servers))
        .routes(routes!(operator::server_metrics))
        .routes(routes!(operator::stop_server))
        .routes(routes!(operator::save_server))
        .routes(routes!(operator::server_log))
        .routes(routes!(operator::stops))
        .routes(routes!(operator::health))
        .routes(routes!(publish::revoke_as_operator, publish::lift_as_operator))
        .routes(routes!(rollout::rollback_as_operator))
        .routes(routes!(policy::quarantines_for_operator))
        .routes(routes!(policy::lift_as_operator, policy::quarantine_as_operator))
        .routes(routes!(world_file::revert))
}

async fn keep_operators_apart(State(for_operators): State<bool>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_theirs = path == "/metrics" || path == "/admin" || path.starts_with("/admin/");
    if is_theirs && !for_operators { StatusCode::NOT_FOUND.into_response() } else { next.run(request).await }
}

/// More than one address gets is refused before anything is read of it. Game servers are not counted: they show a secret of their own.
async fn limit_address(
    State(app): State<Arc<App>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    if request.uri().path().starts_with("/internal/") {
        return next.run(request).await;
    }
    match app.addresses.take(&network(address.ip()), 1.0) {
        Ok(()) => next.run(request).await,
        Err(wait_s) => too_many("too_many_requests", "requests from this address", wait_s).into_response(),
    }
}

/// Pages of these origins may use the interface with tokens that they were given; all others may not read an answer.
fn cors(origins: &[HeaderValue]) -> CorsLayer {
    let methods = [Method::GET, Method::POST, Method::PUT, Method::DELETE];
    let headers =
        [header::AUTHORIZATION, header::CONTENT_TYPE, HeaderName::from_static("idempotency-key"), HeaderName::from_static("last-event-id")];
    let exposed = [header::ETAG, header::RETRY_AFTER, HeaderName::from_static("x-request-id")];
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.to_vec()))
        .allow_methods(methods)
        .allow_headers(headers)
        .expose_headers(exposed)
        .max_age(CORS_TIME)
}

/// Every line that a request logs names it.
fn span(request: &Request) -> tracing::Span {
    let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    tracing::info_span!("request", id, method = %request.method(), path = %request.uri().path())
}

fn default_header(name: HeaderName, value: &'static str) -> SetHeader<HeaderValue> {
    SetHeader::if_not_present(name, HeaderValue::from_static(value))
}

fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let message = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(message = ?message.unwrap_or("no message"), "a request's handler panicked");
    Problem::internal().into_response()
}
