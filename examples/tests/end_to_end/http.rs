//! Requests that are wrong: each gets its 4xx as RFC 9457 problem+json.

use crate::{FIREBALL, TIMEOUT};
use anyhow::{Context, Result, ensure};
use examples::{Http, Reply, Server};
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

#[test]
fn wrong_requests_get_problems() -> Result<()> {
    let (server, elsewhere) = (Server::start()?, Server::start()?);
    let http = server.http();
    let kim = http.login(Some("kim"))?;
    let mallory = http.login(Some("mallory"))?;
    let foreign = elsewhere.http().login(None)?;
    let job = http.build(&kim, "spark", FIREBALL)?;
    let built = http.wait_for_job(&kim, &job, TIMEOUT, |_| ())?;
    let revision = built["result_revision_id"].as_str().with_context(|| format!("{built}"))?;
    let (kim, mallory, foreign) =
        (Some(kim.session_token.as_str()), Some(mallory.session_token.as_str()), Some(foreign.session_token.as_str()));

    let publish = |revision: &str, channel: &str| json!({ "revision_id": revision, "channel": channel });
    let code = json!({ "code": FIREBALL });
    let (build_path, publish_path, job_path) = ("/api/spells/spark/build", "/api/spells/spark/publish", format!("/api/jobs/{job}"));

    // Who may.
    for (token, status) in [(None, 401), (Some("x"), 401), (foreign, 401), (mallory, 403)] {
        check(&http.post(build_path, token, &code)?, status)?;
        check(&http.post(publish_path, token, &publish(revision, "stable"))?, status)?;
    }
    for (token, status) in [(None, 401), (foreign, 401), (mallory, 404)] {
        check(&http.get(&job_path, token)?, status)?;
    }
    check(&http.post("/join", foreign, &json!({}))?, 401)?;

    // What there is not.
    check(&http.post("/api/spells/no_such_spell/publish", kim, &publish(revision, "stable"))?, 404)?;
    check(&http.post(publish_path, kim, &publish("rev_000099_00000000", "stable"))?, 404)?;
    check(&http.post(publish_path, kim, &publish(revision, "nightly"))?, 422)?;
    check(&http.post("/join", kim, &json!({ "world_id": "world_00000000" }))?, 404)?;
    check(&http.get("/api/jobs/job_000000000000", kim)?, 404)?;
    check(&http.get("/no/such/path", None)?, 404)?;
    check(&http.request("DELETE", "/login", None, "", Vec::new())?, 405)?;

    malformed_bodies(&http, kim, build_path)?;
    announced_body(&server.url)?;
    traversals(&http, kim, revision)
}

fn malformed_bodies(http: &Http, kim: Option<&str>, build_path: &str) -> Result<()> {
    for body in ["{\"code\": ", "{\"code\": 7}", "[]", "\u{feff}{}", "nul", ""] {
        let reply = http.request("POST", build_path, kim, "application/json", body.into())?;
        ensure!((400..500).contains(&reply.status), "{body:?}: {}", reply.status);
        check(&reply, reply.status)?;
    }
    let broken = http.request("POST", "/login", None, "application/json", b"{\"username\": \"kim\",\n  oops}".to_vec())?;
    check(&broken, 400)?;
    let detail = String::from_utf8_lossy(&broken.body).into_owned();
    ensure!(detail.contains("line 2"), "malformed JSON is not located: {detail}");
    check(&http.request("POST", "/login", None, "text/plain", b"{}".to_vec())?, 415)?;
    let long = json!({ "code": "x".repeat(300 * 1024) });
    check(&http.post(build_path, kim, &long)?, 413)
}

/// A body of 1 GiB is refused by its announcement: nobody waits for it to arrive.
fn announced_body(url: &str) -> Result<()> {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://"))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n")?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    ensure!(answer.contains(" 413 "), "{answer:?}");
    Ok(())
}

/// Files are looked up in the manifest, so no spelling of a path leads anywhere else.
fn traversals(http: &Http, kim: Option<&str>, revision: &str) -> Result<()> {
    for path in [
        "../../../../etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/etc/passwd",
        "/etc/passwd",
        "src/../../secret",
        "src/lib.rs%00",
    ] {
        let reply = http.get(&format!("/api/spells/spark/revisions/{revision}/files/{path}"), kim)?;
        ensure!((400..500).contains(&reply.status) && !String::from_utf8_lossy(&reply.body).contains("root:"), "{path}: {}", reply.status);
    }
    let source = http.get(&format!("/api/spells/spark/revisions/{revision}/files/src/lib.rs"), kim)?;
    ensure!(source.status == 200 && source.body == FIREBALL.as_bytes(), "the source is not what was built: {}", source.status);
    Ok(())
}

/// A problem document with this status.
fn check(reply: &Reply, status: u16) -> Result<()> {
    let text = String::from_utf8_lossy(&reply.body);
    ensure!(reply.status == status, "expected {status}, got {}: {text}", reply.status);
    ensure!(reply.content_type.starts_with("application/problem+json"), "{} is not a problem: {text}", reply.content_type);
    let problem = reply.json()?;
    ensure!(problem["status"] == status && problem["title"].is_string() && problem["code"].is_string(), "not a whole problem: {text}");
    Ok(())
}
