//! Jobs that are followed and taken back.

use crate::harness::Server;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};

/// An event of a stream: its id, its name, its data.
type Event = (String, String, Value);

fn read(stream: &mut impl BufRead) -> Option<Event> {
    let (mut id, mut name, mut data) = (String::new(), String::new(), String::new());
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some(("id", value)) => id = value.into(),
            Some(("event", value)) => name = value.into(),
            Some(("data", value)) => data = value.into(),
            _ if line.trim_end().is_empty() && !data.is_empty() => return Some((id, name, serde_json::from_str(&data).unwrap())),
            _ => {}
        }
    }
}

fn queue(server: &Server, token: &str, spell: &str, code: &str) -> String {
    server.post(&format!("/api/spells/{spell}/build"), token, &json!({ "code": code })).json()["job_id"].as_str().unwrap().into()
}

fn follow(server: &Server, token: &str, job: &str) -> BufReader<impl Read + use<>> {
    BufReader::new(server.stream(&format!("/api/jobs/{job}/events"), token))
}

fn until_running(server: &Server, token: &str, job: &str) {
    let mut events = follow(server, token, job);
    while read(&mut events).expect("it runs some time").2["stage"] != "compile" {}
}

#[test]
fn a_build_is_followed_from_its_first_stage_to_its_end() {
    let server = Server::start();
    let token = server.login("kim");
    let job = queue(&server, &token, "fireball", "one");
    let mut events = follow(&server, &token, &job);
    let all: Vec<Event> = std::iter::from_fn(|| read(&mut events)).collect();
    let stages: Vec<_> = all.iter().map(|(id, name, job)| (id.as_str(), name.as_str(), job["stage"].as_str().unwrap())).collect();
    assert_eq!(stages, [("1", "stage", "compile"), ("2", "stage", "store"), ("end", "end", "done")]);
    assert_eq!((&all[0].2["status"], &all[0].2["progress_pct"]), (&json!("running"), &json!(5)));
    assert_eq!(all[2].2, server.get(&format!("/api/jobs/{job}"), &token).json());
    assert!(all[2].2["result_revision_id"].is_string());
}

#[test]
fn whoever_comes_back_gets_what_they_have_missed() {
    let server = Server::start();
    let token = server.login("kim");
    let job = queue(&server, &token, "fireball", "one");
    server.ended(&token, &job);
    let ids = |last: &str| -> Vec<String> {
        let mut events = BufReader::new(server.stream_from(&format!("/api/jobs/{job}/events"), &token, last));
        std::iter::from_fn(|| read(&mut events)).map(|(id, ..)| id).collect()
    };
    assert_eq!(ids(""), ["1", "2", "end"]);
    assert_eq!(ids("1"), ["2", "end"]);
    assert_eq!(ids("2"), ["end"]);
    assert_eq!(ids("no number"), ["1", "2", "end"]);
    assert_eq!(ids("4294967296"), ["end"]);
    let after = server.request_with("GET", &format!("/api/jobs/{job}/events"), &token, &[("last-event-id", "end")], None);
    assert_eq!((after.status, after.bytes.as_slice()), (204, b"".as_slice()));
    // What this process does not remember, it does not make up.
    let server = server.restart();
    let mut events = follow(&server, &token, &job);
    assert_eq!(read(&mut events).unwrap().0, "end");
}

#[test]
fn a_build_that_is_taken_back_ends_wherever_it_is() {
    let server = Server::start();
    let token = server.login("kim");
    let (running, waiting) = (queue(&server, &token, "fireball", "HANG"), queue(&server, &token, "gust", "one"));
    until_running(&server, &token, &running);
    for job in [&waiting, &running] {
        let ended = server.request("DELETE", &format!("/api/jobs/{job}"), &token, None);
        assert_eq!(
            (ended.status, &ended.json()["status"], &ended.json()["diagnostics"][0]["code"]),
            (200, &json!("failed"), &json!("cancelled"))
        );
        // Again: it is over, and stays what it is.
        assert_eq!(server.request("DELETE", &format!("/api/jobs/{job}"), &token, None).json(), ended.json());
    }
    assert_eq!(std::fs::read_dir(server.data("scratch")).unwrap().count(), 0);
    let done = queue(&server, &token, "fireball", "two");
    server.ended(&token, &done);
    assert_eq!(server.request("DELETE", &format!("/api/jobs/{done}"), &token, None).json()["status"], "completed");
}

#[test]
fn a_job_is_followed_and_taken_back_by_its_builder_alone() {
    let server = Server::start();
    let (kim, eve) = (server.login("kim"), server.login("eve"));
    let job = queue(&server, &kim, "fireball", "HANG");
    server.get(&format!("/api/jobs/{job}/events"), &eve).is_problem(404, "unknown_job");
    server.request("DELETE", &format!("/api/jobs/{job}"), &eve, None).is_problem(404, "unknown_job");
    server.request("DELETE", &format!("/api/jobs/{job}"), "", None).is_problem(401, "unauthorized");
    assert_ne!(server.get(&format!("/api/jobs/{job}"), &kim).json()["status"], "failed");
}

#[test]
fn a_stopping_server_closes_the_streams() {
    let mut server = Server::start();
    let token = server.login("kim");
    let job = queue(&server, &token, "fireball", "HANG");
    let mut events = follow(&server, &token, &job);
    while read(&mut events).unwrap().2["stage"] != "compile" {}
    server.stop();
    // The build that it ended may be told of; then there is nothing more.
    while read(&mut events).is_some() {}
}
