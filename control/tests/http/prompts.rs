//! Words instead of code: a generator writes it, and what it writes is built like anyone's.

use crate::harness::Server;
use control::generator::Generator;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// Heads and bodies of requests.
type Asked = Arc<Mutex<Vec<(String, Value)>>>;

/// An endpoint for chat completions that answers with these texts, one after the other, and keeps what it was asked.
fn endpoint(answers: &[&str]) -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/chat/completions", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (answers, seen): (Vec<String>, _) = (answers.iter().map(|answer| (*answer).to_owned()).collect(), asked.clone());
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line == "\r\n" {
                    break;
                }
                head += &line;
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            seen.lock().unwrap().push((head, serde_json::from_slice(&body).unwrap()));
            let (status, body) = match answer.as_str() {
                "500" => ("500 Internal Server Error", String::from("a secret of the operator's")),
                "nonsense" => ("200 OK", String::from("<html>")),
                text => ("200 OK", json!({ "choices": [{ "message": { "content": text } }] }).to_string()),
            };
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            )
            .unwrap();
        }
    });
    (url, asked)
}

fn http(url: String) -> Generator {
    Generator::Http { url, key: Some("the key".into()), model: "a model".into() }
}

fn build(server: &Server, token: &str) -> Value {
    let job = server.post("/api/spells/fireball/build", token, &json!({ "prompt": "a ball of fire" })).json();
    server.ended(token, job["job_id"].as_str().unwrap())
}

#[test]
fn a_prompt_becomes_a_revision() {
    let (url, asked) = endpoint(&["Here it is:\n```rust\none\n```\n"]);
    let server = Server::start_with_generator(http(url));
    let token = server.login("kim");
    let job = build(&server, &token);
    let revision = job["result_revision_id"].as_str().unwrap_or_else(|| panic!("{job}"));
    assert_eq!(server.get(&format!("/api/spells/fireball/revisions/{revision}/files/src/lib.rs"), &token).bytes, b"one");
    let (head, body) = asked.lock().unwrap()[0].clone();
    assert!(
        head.starts_with("POST /v1/chat/completions ") && head.to_ascii_lowercase().contains("authorization: bearer the key"),
        "{head}"
    );
    assert_eq!((&body["model"], &body["messages"][0]["role"]), (&json!("a model"), &json!("system")));
    assert!(body["messages"][0]["content"].as_str().unwrap().contains("spell_sdk"));
    assert_eq!(body["messages"][1], json!({ "role": "user", "content": "a ball of fire" }));
    let prompt: String = server.database().query_row("SELECT prompt FROM job", [], |row| row.get(0)).unwrap();
    assert_eq!(prompt, "a ball of fire");
}

#[test]
fn what_does_not_build_is_mended_by_its_generator() {
    let (url, asked) = endpoint(&["```rust\nFAIL\n```", "FAIL again", "```\ntwo\n```"]);
    let server = Server::start_with_generator(http(url));
    let token = server.login("kim");
    let job = build(&server, &token);
    assert_eq!(job["status"], "completed", "{job}");
    let asked = asked.lock().unwrap();
    let messages = asked[2].1["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 6);
    assert_eq!(messages[2], json!({ "role": "assistant", "content": "FAIL" }));
    assert!(
        messages[3]["content"].as_str().unwrap().contains("src/lib.rs:3:9: E0308 mismatched types\n  help: try 1.0"),
        "{}",
        messages[3]
    );
}

#[test]
fn after_three_rounds_the_compiler_s_errors_are_the_answer() {
    let (url, asked) = endpoint(&["FAIL 1", "FAIL 2", "FAIL 3", "never asked for"]);
    let server = Server::start_with_generator(http(url));
    let token = server.login("kim");
    let job = build(&server, &token);
    assert_eq!((&job["status"], &job["diagnostics"][0]["code"]), (&json!("failed"), &json!("E0308")));
    assert_eq!(asked.lock().unwrap().len(), 3);
}

#[test]
fn a_generator_that_fails_fails_the_job_and_tells_nothing_of_the_operator_s() {
    let (url, _) = endpoint(&["500", "nonsense"]);
    let server = Server::start_with_generator(http(url.clone()));
    let token = server.login("kim");
    for _ in 0..3 {
        let job = build(&server, &token);
        assert_eq!(
            (&job["status"], &job["stage"], &job["diagnostics"][0]["code"]),
            (&json!("failed"), &json!("generate"), &json!("generator"))
        );
        assert!(!job.to_string().contains("secret") && !job.to_string().contains(&url), "{job}");
    }
}

#[test]
fn a_command_will_do() {
    let server = Server::start_with_generator(Generator::Command("cat > /dev/null; echo '```'; echo one; echo '```'".into()));
    // Whoever asks for words shows the box for them only where there is somebody to read them.
    assert_eq!(server.get("/api/build", "").json(), json!({ "prompts": true }));
    assert_eq!(Server::start().get("/api/build", "").json(), json!({ "prompts": false }));
    let token = server.login("kim");
    assert_eq!(build(&server, &token)["status"], "completed");
    // Builds of code go on beside it, and need no generator.
    server.revision(&token, "gust", "two");
}
