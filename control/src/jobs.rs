//! Build jobs over HTTP: looked at, followed, and taken back.

use crate::{
    App,
    build_queue::Step,
    clock,
    error::Error,
    ids::{ClientId, JobId},
    limits::{EVENTS_ALIVE_INTERVAL, JOB_WAIT_TIME_MAX},
    problem::Problem,
    session::Player,
};
use axum::{
    Json,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use protocol::job::{Job, Status};
use serde::Deserialize;
use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};
use tokio::{sync::watch, time::Instant};

/// `GET /api/jobs/<id>`.
#[derive(Deserialize)]
pub struct JobQuery {
    /// Answer when the job has ended, at most so many milliseconds from now.
    wait_ms: Option<u64>,
}

/// A job, to the player who asked for it.
#[utoipa::path(
    get,
    path = "/api/jobs/{job}",
    params(("job" = String, Path, description = "A job id"), ("wait_ms" = Option<u64>, Query, description = "Answer when the job has ended, at most so many milliseconds from now")),
    responses((status = 200, description = "The job", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn show(
    State(app): State<Arc<App>>,
    player: Player,
    Path(id): Path<String>,
    Query(query): Query<JobQuery>,
) -> Result<Json<Job>, Problem> {
    let job_id = known(&id)?;
    let mut changes = app.queue.changes();
    let deadline = Instant::now() + Duration::from_millis(query.wait_ms.unwrap_or(0)).min(JOB_WAIT_TIME_MAX);
    wait(&app, &job_id, &player.client_id, &mut changes, deadline).await.map(Json)
}

/// The job when it has ended, or as it is at this time.
async fn wait(app: &App, job_id: &JobId, client: &ClientId, changes: &mut watch::Receiver<u64>, deadline: Instant) -> Result<Job, Problem> {
    loop {
        let job = find(app, job_id, client).await?;
        if has_ended(&job) || tokio::time::timeout_at(deadline, changes.changed()).await.is_err() {
            return Ok(job);
        }
    }
}

/// `DELETE /api/jobs/<id>`: ends it, if it has not ended yet; the job as it is then.
#[utoipa::path(
    delete,
    path = "/api/jobs/{job}",
    params(("job" = String, Path, description = "A job id")),
    responses((status = 200, description = "The job as it is then", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn cancel(State(app): State<Arc<App>>, player: Player, Path(id): Path<String>) -> Result<Json<Job>, Problem> {
    let job_id = known(&id)?;
    // Whose it is comes first.
    find(&app, &job_id, &player.client_id).await?;
    let (queue, cancelled) = (app.queue.clone(), job_id.clone());
    let mut changes = app.queue.changes();
    tokio::task::spawn_blocking(move || queue.cancel(&cancelled)).await.map_err(|_| Error::Lost)??;
    wait(&app, &job_id, &player.client_id, &mut changes, Instant::now() + JOB_WAIT_TIME_MAX).await.map(Json)
}

/// `GET /api/jobs/<id>/events`: a `stage` for each step that it begins, the `end` with the job as it ended. Whoever comes back with `Last-Event-ID` gets what they have missed.
#[utoipa::path(
    get,
    path = "/api/jobs/{job}/events",
    params(("job" = String, Path, description = "A job id"), ("last-event-id" = Option<String>, Header, description = "The last event that was read; those behind it follow")),
    responses((status = 200, description = "A `stage` for each step, and the `end`", content_type = "text/event-stream"), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn events(State(app): State<Arc<App>>, player: Player, Path(id): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let job_id = known(&id)?;
    find(&app, &job_id, &player.client_id).await?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).unwrap_or("");
    if last == END {
        // A client that reads events gives up at this answer, instead of connecting again and again.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let follower = Follower {
        seen: last.parse().unwrap_or(0),
        changes: app.queue.changes(),
        app,
        job_id,
        client_id: player.client_id,
        ready: VecDeque::new(),
        is_over: false,
    };
    let events = stream::unfold(follower, |mut follower| async { Some((Ok::<_, Infallible>(follower.next().await?), follower)) });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(EVENTS_ALIVE_INTERVAL)).into_response())
}

/// The last event's id.
const END: &str = "end";

/// Whoever reads a job's events.
struct Follower {
    app: Arc<App>,
    job_id: JobId,
    client_id: ClientId,
    /// Steps that they have.
    seen: usize,
    changes: watch::Receiver<u64>,
    ready: VecDeque<Event>,
    is_over: bool,
}

impl Follower {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.is_over {
                return None;
            }
            let phase = self.app.queue.phase(&self.job_id);
            // The job before its steps: all steps of one that has ended are there.
            let job = find(&self.app, &self.job_id, &self.client_id).await.ok()?;
            let steps = self.app.queue.trace(&self.job_id);
            for (index, step) in steps.iter().enumerate().skip(self.seen) {
                self.ready.push_back(stage(index + 1, &job, *step));
            }
            self.seen = self.seen.max(steps.len());
            if has_ended(&job) {
                self.is_over = true;
                self.ready.push_back(Event::default().id(END).event("end").data(text(&job)));
            } else if self.ready.is_empty() {
                let mut stopping = self.app.stopping.subscribe();
                // Most changes are other jobs': those are told from ours without the database.
                while self.app.queue.phase(&self.job_id) == phase {
                    tokio::select! {
                        changed = self.changes.changed() => changed.ok()?,
                        _ = stopping.wait_for(|stop| *stop) => return None,
                    }
                }
            }
        }
    }
}

/// The job as it was when this step began.
fn stage(id: usize, job: &Job, Step { stage, since_ms }: Step) -> Event {
    let then = Job {
        status: Status::Running,
        stage,
        progress_pct: stage.progress_pct(),
        error_message: None,
        result_revision_id: None,
        diagnostics: Vec::new(),
        stage_ms: Vec::new(),
        updated_at: clock::iso8601(since_ms),
        ..job.clone()
    };
    Event::default().id(id.to_string()).event("stage").data(text(&then))
}

fn text(job: &Job) -> String {
    serde_json::to_string(job).expect("a job is plain text")
}

fn known(id: &str) -> Result<JobId, Error> {
    id.parse().map_err(|_| Error::unknown("job", id))
}

async fn find(app: &App, job_id: &JobId, client: &ClientId) -> Result<Job, Error> {
    app.queue.job(job_id.clone(), client.clone()).await?.ok_or_else(|| Error::unknown("job", job_id.as_str()))
}

fn has_ended(job: &Job) -> bool {
    matches!(job.status, Status::Completed | Status::Failed)
}
