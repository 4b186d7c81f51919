//! The control plane as a client sees it: login, join, build, publish.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long the server may wait with an answer about a job that has not ended, in milliseconds: often enough to show each stage of some 200 ms.
const JOB_WAIT_MS: u32 = 25;
/// One request, from connect to the last byte. Only a join that starts a game server takes longer than a moment.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// A control plane.
#[derive(Debug, Clone)]
pub struct Http {
    agent: ureq::Agent,
    base: String,
}

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub struct Player {
    /// Bearer token of every request that changes something.
    pub session_token: String,
    /// `client_` + 12 hex digits.
    pub client_id: String,
    /// The handle; suffixed when the wanted one was taken.
    pub username: String,
    /// Makes the same player of a later login.
    pub account_key: String,
}

/// Where to play: the answer of `POST /join`.
#[derive(Debug, Clone)]
pub struct Join {
    /// `ws://host:port`.
    pub server_address: String,
    /// The ticket for the handshake: good for 30 s, once.
    pub ticket: String,
    /// The player's id, for the handshake.
    pub client_id: String,
    /// The world.
    pub world_id: String,
}

/// Any answer, errors included.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`, or empty.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Http {
    /// A client of the control plane at `base`, like `http://127.0.0.1:5000`.
    pub fn new(base: &str) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(REQUEST_TIMEOUT)).build();
        Self { agent: config.into(), base: base.trim_end_matches('/').to_owned() }
    }

    /// Logs in. Without a handle the server picks one.
    pub fn login(&self, username: Option<&str>) -> Result<Player> {
        let body = username.map_or_else(|| json!({}), |name| json!({ "username": name }));
        let answer = self.post("/login", None, &body)?.ok_json()?;
        Ok(Player {
            session_token: text(&answer, "session_token")?,
            client_id: text(&answer, "client_id")?,
            username: text(&answer, "username")?,
            account_key: text(&answer, "account_key")?,
        })
    }

    /// Joins a world; without one, a new world is made.
    pub fn join(&self, player: &Player, world_id: Option<&str>) -> Result<Join> {
        let body = world_id.map_or_else(|| json!({}), |id| json!({ "world_id": id }));
        let answer = self.post("/join", Some(&player.session_token), &body)?.ok_json()?;
        Ok(Join {
            server_address: text(&answer, "server_address")?,
            ticket: text(&answer, "session_token")?,
            client_id: text(&answer, "client_id")?,
            world_id: text(&answer, "world_id")?,
        })
    }

    /// Queues a build; answers with the job's id.
    pub fn build(&self, player: &Player, spell_id: &str, code: &str) -> Result<String> {
        let path = format!("/api/spells/{spell_id}/build");
        text(&self.post(&path, Some(&player.session_token), &json!({ "code": code }))?.ok_json()?, "job_id")
    }

    /// The job as it stands.
    pub fn job(&self, player: &Player, job_id: &str) -> Result<Value> {
        self.get(&format!("/api/jobs/{job_id}"), Some(&player.session_token))?.ok_json()
    }

    /// Waits until the job is over, and shows each new state to `progress`. The server holds its answers back until the job ends, so no time is lost.
    pub fn wait_for_job(&self, player: &Player, job_id: &str, timeout: Duration, mut progress: impl FnMut(&Value)) -> Result<Value> {
        let deadline = Instant::now() + timeout;
        let mut last = Value::Null;
        loop {
            let job = self.get(&format!("/api/jobs/{job_id}?wait_ms={JOB_WAIT_MS}"), Some(&player.session_token))?.ok_json()?;
            if (&job["stage"], &job["status"]) != (&last["stage"], &last["status"]) {
                progress(&job);
            }
            if matches!(job["status"].as_str(), Some("completed" | "failed")) {
                return Ok(job);
            }
            ensure!(Instant::now() < deadline, "{job_id} is not over after {timeout:?}: {job}");
            last = job;
        }
    }

    /// Builds and waits; answers with the revision, or fails with the compiler's first finding.
    pub fn build_revision(&self, player: &Player, spell_id: &str, code: &str, timeout: Duration) -> Result<String> {
        let job_id = self.build(player, spell_id, code)?;
        let job = self.wait_for_job(player, &job_id, timeout, |_| ())?;
        text(&job, "result_revision_id").with_context(|| format!("the build failed: {} {}", job["error_message"], job["diagnostics"]))
    }

    /// Makes a revision the active one of a channel; answers with the server's answer.
    pub fn publish(&self, player: &Player, spell_id: &str, revision_id: &str, channel: &str) -> Result<Value> {
        let path = format!("/api/spells/{spell_id}/publish");
        self.post(&path, Some(&player.session_token), &json!({ "revision_id": revision_id, "channel": channel }))?.ok_json()
    }

    /// `GET`, with a bearer token or without.
    pub fn get(&self, path: &str, token: Option<&str>) -> Result<Reply> {
        self.request("GET", path, token, "", Vec::new())
    }

    /// `POST` of JSON, with a bearer token or without.
    pub fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Result<Reply> {
        self.request("POST", path, token, "application/json", body.to_string().into_bytes())
    }

    /// Any request. Fails only when there is no answer: an error status is an answer.
    pub fn request(&self, method: &str, path: &str, token: Option<&str>, content_type: &str, body: Vec<u8>) -> Result<Reply> {
        let url = format!("{}{path}", self.base);
        let mut request = ureq::http::Request::builder().method(method).uri(&url);
        if let Some(token) = token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        if !content_type.is_empty() {
            request = request.header("Content-Type", content_type);
        }
        let answer = if method == "GET" { self.agent.run(request.body(())?) } else { self.agent.run(request.body(body)?) };
        let mut answer = answer.with_context(|| format!("{method} {url}"))?;
        let content_type = answer.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        Ok(Reply { status: answer.status().as_u16(), content_type, body: answer.body_mut().read_to_vec()? })
    }
}

impl Reply {
    /// The body as JSON, whatever the status.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("status {}, and not JSON: {}", self.status, self.excerpt()))
    }

    /// The body as JSON; an error status is an error that shows what the server said.
    pub fn ok_json(&self) -> Result<Value> {
        if !(200..300).contains(&self.status) {
            bail!("status {}: {}", self.status, self.excerpt());
        }
        self.json()
    }

    fn excerpt(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(600).collect()
    }
}

fn text(object: &Value, key: &str) -> Result<String> {
    Ok(object[key].as_str().with_context(|| format!("no {key} in {object}"))?.to_owned())
}
