//! `/metrics`: what an operator's Prometheus reads of the control plane and of the worlds that it runs.

use crate::{App, clock, error::Error, operator::Admin, problem::Problem};
use axum::{
    extract::{MatchedPath, Request, State},
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_util::MetricKindMask;
use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

/// Upper bounds of requests and of builds' stages, seconds.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// How long a gauge is shown that nobody sets any more.
const GAUGE_TIME_MAX: Duration = Duration::from_secs(60);

/// Counts from now on. There is one registry a process, whoever asks first.
pub fn start() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        // A world that is gone is told of no more.
        let builder = PrometheusBuilder::new()
            .idle_timeout(MetricKindMask::GAUGE, Some(GAUGE_TIME_MAX))
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS);
        let recorder = builder.expect("the bounds are not empty").build_recorder();
        let handle = recorder.handle();
        // Another recorder would be a part of the program that counts for itself: it keeps its own.
        metrics::set_global_recorder(recorder).ok();
        handle
    })
}

/// What the control plane and its worlds count, in Prometheus' text format.
#[utoipa::path(
    get,
    path = "/metrics",
    responses((status = 200, description = "Counts in Prometheus' text format", body = String, content_type = "text/plain"), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("admin" = []))
)]
pub async fn metrics(State(app): State<Arc<App>>, _: Admin) -> Result<Response, Problem> {
    let sessions = app.store.ask(|db| db.session_count(clock::now_ms())).await?;
    gauge!("ugc_sessions").set(sessions);
    let waiting = app.queue.counts();
    gauge!("ugc_builds_waiting").set(waiting.0 as f64);
    gauge!("ugc_builds_running").set(waiting.1 as f64);
    let servers = app.fleet.list();
    for phase in ["starting", "ready", "ending"] {
        gauge!("ugc_servers", "phase" => phase).set(servers.iter().filter(|server| server.phase == phase).count() as f64);
    }
    for server in &servers {
        let world = server.world_id.to_string();
        let health = server.health;
        gauge!("ugc_world_players", "world" => world.clone()).set(server.players.len() as f64);
        gauge!("ugc_world_entities", "world" => world.clone()).set(health.entities);
        gauge!("ugc_world_casts", "world" => world.clone()).set(health.casts);
        gauge!("ugc_world_tick_p50_us", "world" => world.clone()).set(health.tick_p50_us);
        gauge!("ugc_world_tick_p99_us", "world" => world.clone()).set(health.tick_p99_us);
        gauge!("ugc_world_late_ticks", "world" => world.clone()).set(health.late_ticks as f64);
        gauge!("ugc_world_spell_fuel_per_second", "world" => world).set(health.fuel as f64);
    }
    let handle = start();
    let text = tokio::task::spawn_blocking(move || {
        handle.run_upkeep();
        handle.render()
    });
    let text = text.await.map_err(|_| Error::Lost)?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

/// Counts every request by its route, so that no path of a stranger's becomes a name.
pub async fn count(request: Request, next: Next) -> Response {
    let since = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map_or("(none)", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    counter!("ugc_http_requests_total", "route" => route.clone(), "status" => status).increment(1);
    histogram!("ugc_http_seconds", "route" => route).record(since.elapsed());
    response
}
