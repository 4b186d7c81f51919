//! A build on the server: a package in, a revision or findings out.

use crate::limits::{BUILD_TIME_MAX, JOB_WAIT_MS};
use crate::package::Package;
use crate::server::Server;
use crate::{plain, report};
use anyhow::{Context, Result, ensure};
use protocol::job::{Job, Status};
use protocol::{RevisionId, SpellId};
use std::time::Instant;

/// What came of it.
#[derive(Debug)]
pub enum Outcome {
    /// This revision, which may be one that was there before.
    Built(RevisionId),
    /// The spell is at fault; its findings are printed.
    Failed,
    /// It was not wanted any more, and is taken back.
    TakenBack,
}

/// Builds; prints findings; asks now and then whether it is to go on.
pub fn build(server: &Server, spell: &SpellId, package: &Package, go_on: &dyn Fn() -> bool) -> Result<Outcome> {
    let started = Instant::now();
    let queued = server.send("POST", &format!("/api/spells/{spell}/build"), Some(&package.order()))?;
    let job_id = queued["job_id"].as_str().context("the server does not say which job that is")?;
    let path = format!("/api/jobs/{}", plain::line(job_id));
    let job = loop {
        let job: Job = serde_json::from_value(server.get(&format!("{path}?wait_ms={JOB_WAIT_MS}"))?).context("the server's job is none")?;
        if matches!(job.status, Status::Completed | Status::Failed) {
            break job;
        }
        if !go_on() {
            server.send("DELETE", &path, None)?;
            return Ok(Outcome::TakenBack);
        }
        ensure!(started.elapsed() < BUILD_TIME_MAX, "the build is not over after {} s", BUILD_TIME_MAX.as_secs());
    };
    report::print(&job.diagnostics, &package.files);
    match job.result_revision_id {
        Some(revision) => Ok(Outcome::Built(revision)),
        None => {
            println!("{spell}: {}", plain::line(job.error_message.as_deref().unwrap_or("the build failed")));
            Ok(Outcome::Failed)
        }
    }
}
