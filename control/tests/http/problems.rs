//! Errors have one form, whatever goes wrong.

use crate::harness::Server;
use protocol::limits::{PROMPT_BYTES_MAX, SOURCE_BYTES_MAX};
use serde_json::json;
use std::{
    io::{Read, Write},
    net::TcpStream,
};

const JSON: &str = "application/json";

#[test]
fn malformed_json_is_refused_with_line_and_column() {
    let server = Server::start();
    let problem = server.request("POST", "/login", "", Some((JSON, b"{\n  \"username\": kim\n}"))).is_problem(400, "malformed_json");
    assert_eq!((&problem["line"], &problem["column"]), (&json!(2), &json!(15)));
    for body in ["", "{", "{}{}", "{\"username\":\"\u{0}\"}", "nul", &format!("{{\"x\":{}", "[".repeat(10_000))] {
        server.request("POST", "/login", "", Some((JSON, body.as_bytes()))).is_problem(400, "malformed_json");
    }
    server.request("POST", "/login", "", Some((JSON, b"{\"username\":\"\xff\"}"))).is_problem(400, "malformed_json");
}

#[test]
fn json_of_the_wrong_shape_is_refused_with_its_place() {
    let server = Server::start();
    let token = server.login("kim");
    for (path, body) in [
        ("/login", json!({ "username": 1 })),
        ("/login", json!("kim")),
        ("/login", json!(true)),
        ("/login", json!(["kim", null])),
        ("/join", json!({ "world_id": [] })),
        ("/worlds", json!({ "name": {} })),
        ("/api/spells/fireball/build", json!({ "code": 1 })),
        ("/api/spells/fireball/build", json!({ "code": "x", "options": 1 })),
        ("/api/spells/fireball/publish", json!({})),
        ("/api/spells/fireball/publish", json!({ "revision_id": true })),
    ] {
        let problem = server.post(path, &token, &body).is_problem(422, "wrong_json");
        assert!(problem["line"].is_u64() && problem["column"].is_u64(), "{problem}");
    }
}

#[test]
fn only_json_is_taken() {
    let server = Server::start();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json", ""] {
        server.request("POST", "/login", "", Some((kind, b"{}"))).is_problem(415, "not_json");
    }
    for kind in ["application/json; charset=utf-8", "Application/JSON", "application/vnd.ugc+json"] {
        assert_eq!(server.request("POST", "/login", "", Some((kind, b"{}"))).status, 200);
    }
}

#[test]
fn unknown_routes_and_methods_are_problems_too() {
    let server = Server::start();
    for path in ["/nothing", "/api", "/api/spells/", "/api/jobs/", "/login/", "/%ff"] {
        server.get(path, "").is_problem(404, "unknown_route");
    }
    let refused = server.get("/login", "");
    refused.is_problem(405, "method_not_allowed");
    assert_eq!(refused.header("allow"), "POST");
    server.request("DELETE", "/api/spells", "", None).is_problem(405, "method_not_allowed");
}

#[test]
fn bodies_and_sources_over_their_limit_are_413() {
    let server = Server::start();
    let token = server.login("kim");
    server.request("POST", "/login", "", Some((JSON, &vec![b' '; 100_000]))).is_problem(413, "too_large");
    server.request("POST", "/api/spells/fireball/build", &token, Some((JSON, &vec![b' '; 5_000_000]))).is_problem(413, "too_large");
    let build = |body| server.post("/api/spells/fireball/build", &token, &body);
    build(json!({ "code": "x".repeat(SOURCE_BYTES_MAX + 1) })).is_problem(413, "too_large");
    build(json!({ "code": "x", "prompt": "x".repeat(PROMPT_BYTES_MAX + 1) })).is_problem(413, "too_large");
    // Newlines double in JSON, and the largest source still fits.
    assert_eq!(build(json!({ "code": "\n".repeat(SOURCE_BYTES_MAX - 1) + "x" })).status, 200);
}

#[test]
fn a_body_that_claims_a_gigabyte_is_refused_before_it_is_sent() {
    let server = Server::start();
    let mut stream = TcpStream::connect(server.address).unwrap();
    write!(stream, "POST /login HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n").unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 413");
}

#[test]
fn a_broken_query_is_a_problem() {
    let server = Server::start();
    let token = server.login("kim");
    server.get("/api/jobs/job_0a1b2c3d4e5f?wait_ms=soon", &token).is_problem(400, "bad_request");
}

#[test]
fn every_answer_carries_the_headers_that_make_browsers_careful() {
    let server = Server::start();
    for path in ["/health", "/nothing", "/minimal.html"] {
        let answer = server.get(path, "");
        assert_eq!((answer.header("x-content-type-options"), answer.header("referrer-policy")), ("nosniff", "no-referrer"), "{path}");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
    }
    let policy = server.get("/minimal.html", "").header("content-security-policy").to_owned();
    assert!(policy.contains("connect-src 'self' ws: wss:") && !policy.contains("script-src 'unsafe-inline'"), "{policy}");
}

#[test]
fn the_small_pages_are_there() {
    let server = Server::start();
    // The game is embedded as it was built; where it was not, the answer says how.
    for path in ["/", "/admin", "/spell/fireball"] {
        let page = server.get(path, "");
        if page.status != 200 {
            page.is_problem(503, "not_built");
        }
    }
    assert_eq!(server.get("/assets/nothing.js", "").status, 404);
    assert_eq!(server.get("/favicon.ico", "").status, 204);
    for path in ["/health", "/healthz"] {
        assert_eq!(server.get(path, "").json(), json!({ "status": "ok", "sessions": 0, "servers": 0 }));
    }
    let library = server.get("/api/library", "").json();
    let spells: Vec<_> = library.as_array().unwrap().iter().map(|spell| spell["spell_id"].as_str().unwrap()).collect();
    assert!(library[0]["assets"]["assets/fireball/burst.wav"].as_str().unwrap().starts_with("UklGR"), "a wav in base64");
    assert_eq!(library[1]["assets"], json!({}));
    assert_eq!(spells, ["fireball", "gust", "mend", "blink", "familiar", "frost", "rampart", "repel", "vortex"]);
}

#[test]
fn the_document_has_every_route_and_what_each_takes() {
    let server = Server::start();
    let document = server.get("/openapi.json", "").json();
    let mut routes: Vec<String> = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        routes.extend(methods.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_uppercase())));
    }
    routes.sort();
    expect_test::expect_file!["openapi-routes.txt"].assert_eq(&(routes.join("\n") + "\n"));
    // Whatever it says is there is there: 404 is an answer about a thing, never about a route.
    for route in &routes {
        let (method, path) = route.split_once(' ').unwrap();
        let path = path
            .replace("{spell}", "nobodys")
            .replace("{revision}", "rev_000001_00000000")
            .replace("{job}", "job_0a1b2c3d4e5f")
            .replace("{world}", "world_0a1b2c3d")
            .replace("{path}", "src/lib.rs");
        let body = (method != "GET" && method != "DELETE").then_some(("application/json", b"{}".as_slice()));
        let answer = server.request(method, &path, "", body);
        assert!(answer.status < 500 && !String::from_utf8_lossy(&answer.bytes).contains("unknown_route"), "{route}: {answer:?}");
    }
    let build = &document["paths"]["/api/spells/{spell}/build"]["post"]["requestBody"]["content"];
    assert!(build["application/json"]["schema"]["$ref"].is_string() && build["application/zip"].is_object(), "{build}");
}
