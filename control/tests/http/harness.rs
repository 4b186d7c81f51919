//! A control plane on a free port with a data directory of its own, and a client for it.

use control::{
    App, Bounds, Doors,
    config::{Config, Siblings},
    generator::Generator,
    ids::WorldId,
    store::Store,
};
use protocol::{link::Secrets, worker::Sandbox};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::{
    fs,
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::sync::oneshot;
use ureq::{
    Agent,
    http::{HeaderMap, Request, header},
};

pub const ADMIN_TOKEN: &str = "the admin's token";

/// A running control plane; it drains when dropped.
pub struct Server {
    pub app: Arc<App>,
    pub address: SocketAddr,
    folder: Arc<TempDir>,
    agent: Agent,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Server {
    pub fn start() -> Self {
        Self::start_with(Some(ADMIN_TOKEN), |_| {})
    }

    /// With this admin token, after `prepare` has worked on the database.
    pub fn start_with(admin_token: Option<&str>, prepare: impl FnOnce(&Store)) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let stand_ins = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/http");
        symlink(stand_ins.join("fake-host.sh"), folder.path().join("ugc-host")).unwrap();
        symlink(stand_ins.join("fake-builder.sh"), folder.path().join("ugc-builder")).unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        prepare(&Store::open(&folder.path().join("data/control.sqlite")).unwrap());
        Self::run(folder, admin_token, None, Bounds::default())
    }

    /// With something that writes source for prompts.
    pub fn start_with_generator(generator: Generator) -> Self {
        let mut server = Self::start();
        server.stop();
        Self::run(server.folder.clone(), Some(ADMIN_TOKEN), Some(generator), Bounds::default())
    }

    /// With other bounds for connections and requests.
    pub fn start_within(bounds: Bounds) -> Self {
        let mut server = Self::start();
        server.stop();
        Self::run(server.folder.clone(), Some(ADMIN_TOKEN), None, bounds)
    }

    /// Stops, and starts anew over the same data.
    pub fn restart(mut self) -> Self {
        self.stop();
        Self::run(self.folder.clone(), Some(ADMIN_TOKEN), None, Bounds::default())
    }

    fn run(folder: Arc<TempDir>, admin_token: Option<&str>, generator: Option<Generator>, bounds: Bounds) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let config = Config {
            sandbox: Sandbox::Whole,
            wasi: false,
            cors_origins: vec!["https://game.example".parse().unwrap()],
            generator,
            data_dir: folder.path().join("data"),
            secret: "a secret for tests".into(),
            admin_token_hash: admin_token.map(control::keys::token_hash),
            new_admin_token: None,
            siblings: Siblings::beside(folder.path()),
        };
        let app = App::open(&config, address).unwrap();
        let (stop, stopped) = oneshot::channel();
        let served = app.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                served.serve_within(bounds, Doors { main: listener, operators: None }, async { drop(stopped.await) }).await.unwrap();
            });
        });
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .into();
        Self { app, address, folder, agent, running: Some((stop, thread)) }
    }

    pub fn stop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            stop.send(()).ok();
            thread.join().unwrap();
        }
    }

    pub fn data(&self, path: &str) -> PathBuf {
        self.folder.path().join("data").join(path)
    }

    /// Runs of the compile worker so far.
    pub fn builds(&self) -> usize {
        fs::read_to_string(self.folder.path().join("builds")).map_or(0, |lines| lines.lines().count())
    }

    /// From now on, game servers end before they listen.
    pub fn break_hosts(&self) {
        fs::write(self.folder.path().join("broken"), "").unwrap();
    }

    /// From now on, compile workers are killed, or live.
    pub fn kill_builders(&self, kill: bool) {
        let file = self.folder.path().join("dies");
        if kill { fs::write(file, "").unwrap() } else { fs::remove_file(file).unwrap() }
    }

    /// From now on, game servers that are told to stop take all the time that they get.
    pub fn make_hosts_linger(&self) {
        fs::write(self.folder.path().join("lingers"), "").unwrap();
    }

    /// A second connection to the database.
    pub fn database(&self) -> Connection {
        Connection::open(self.data("control.sqlite")).unwrap()
    }

    /// Sends this request and goes away while the server is about to write what it asks for.
    pub fn post_and_leave(&self, path: &str, token: &str, body: &Value) {
        let writer = self.database();
        // Whoever wants to write now has to wait; readers do not.
        writer.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut stream = TcpStream::connect(self.address).unwrap();
        let body = body.to_string();
        let length = body.len();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        // The one that waits to write keeps the others of its own process from asking.
        let deadline = Instant::now() + Duration::from_secs(4);
        while self.answers_within(Duration::from_millis(200)) {
            assert!(Instant::now() < deadline, "the request writes nothing");
        }
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert_eq!(answer, b"", "the request was over before its client left");
        writer.execute_batch("ROLLBACK").unwrap();
    }

    fn answers_within(&self, time_max: Duration) -> bool {
        let (asked, answered) = mpsc::channel();
        let store = self.app.store.clone();
        std::thread::spawn(move || asked.send(store.with(|_| Ok(())).is_ok()));
        answered.recv_timeout(time_max).is_ok()
    }

    /// The process ids of all servers that were ever started for this world.
    pub fn starts(&self, world: &str) -> Vec<i32> {
        let starts = fs::read_to_string(self.folder.path().join(format!("starts-{world}"))).unwrap();
        starts.lines().map(|line| line.parse().unwrap()).collect()
    }

    /// What this world's server was told last.
    pub fn secrets(&self, world: &str) -> Secrets {
        serde_json::from_str(&fs::read_to_string(self.folder.path().join(format!("secrets-{world}"))).unwrap()).unwrap()
    }

    /// Whose pages may connect to this world's server.
    pub fn origins(&self, world: &str) -> String {
        fs::read_to_string(self.folder.path().join(format!("origins-{world}"))).unwrap()
    }

    pub fn get(&self, path: &str, token: &str) -> Answer {
        self.request("GET", path, token, None)
    }

    pub fn post(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.request("POST", path, token, Some(("application/json", body.to_string().as_bytes())))
    }

    /// Any request; an empty token sends none.
    pub fn request(&self, method: &str, path: &str, token: &str, body: Option<(&str, &[u8])>) -> Answer {
        self.request_with(method, path, token, &[], body)
    }

    /// With these headers as well.
    pub fn request_with(&self, method: &str, path: &str, token: &str, headers: &[(&str, &str)], body: Option<(&str, &[u8])>) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = match body {
            Some((kind, bytes)) => self.agent.run(request.header(header::CONTENT_TYPE, kind).body(bytes.to_vec()).unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        };
        let (parts, mut body) = response.unwrap().into_parts();
        Answer { status: parts.status.as_u16(), headers: parts.headers, bytes: body.read_to_vec().unwrap() }
    }

    /// The body of an answer that goes on and on.
    pub fn stream(&self, path: &str, token: &str) -> impl Read + use<> {
        self.stream_from(path, token, "")
    }

    /// The same, from behind the event of this id.
    pub fn stream_from(&self, path: &str, token: &str, last_event: &str) -> impl Read + use<> {
        let request = Request::get(format!("http://{}{path}", self.address)).header(header::AUTHORIZATION, format!("Bearer {token}"));
        let request = if last_event.is_empty() { request } else { request.header("last-event-id", last_event) };
        let response = self.agent.run(request.body(()).unwrap()).unwrap();
        assert_eq!(response.status(), 200);
        response.into_body().into_reader()
    }

    /// The status and text of a request whose path goes out exactly as written.
    pub fn raw_get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
    }

    /// A new player's session token.
    pub fn login(&self, username: &str) -> String {
        self.post("/login", "", &json!({ "username": username })).json()["session_token"].as_str().unwrap().into()
    }

    /// Queues a build and waits for its end; the job.
    pub fn build(&self, token: &str, spell: &str, code: &str) -> Value {
        let answer =
            self.post(&format!("/api/spells/{spell}/build"), token, &json!({ "prompt": "", "code": code, "options": {"metadata": {}} }));
        assert_eq!(answer.status, 200, "{answer:?}");
        self.ended(token, answer.json()["job_id"].as_str().unwrap())
    }

    /// The job when it has ended.
    pub fn ended(&self, token: &str, job: &str) -> Value {
        self.get(&format!("/api/jobs/{job}?wait_ms=20000"), token).json()
    }

    /// A build's revision.
    pub fn revision(&self, token: &str, spell: &str, code: &str) -> String {
        let job = self.build(token, spell, code);
        assert_eq!(job["status"], "completed", "{job}");
        job["result_revision_id"].as_str().unwrap().into()
    }

    pub fn publish(&self, token: &str, spell: &str, revision: &str, channel: &str) -> Answer {
        self.post(&format!("/api/spells/{spell}/publish"), token, &json!({ "revision_id": revision, "channel": channel }))
    }

    /// Publishes it to stable, after a rollout on these terms.
    pub fn roll_out(&self, token: &str, spell: &str, revision: &str, terms: &Value) -> i64 {
        let body = json!({ "revision_id": revision, "channel": "stable", "rollout": terms });
        let answer = self.post(&format!("/api/spells/{spell}/publish"), token, &body);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["rollout"].as_i64().unwrap()
    }

    /// Puts a JSON body there.
    pub fn put(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.request("PUT", path, token, Some(("application/json", body.to_string().as_bytes())))
    }

    pub fn delete(&self, path: &str, token: &str) -> Answer {
        self.request("DELETE", path, token, None)
    }

    /// A new world whose server runs.
    pub fn world(&self, token: &str) -> String {
        let world = self.post("/join", token, &json!({})).json()["world_id"].as_str().unwrap().to_owned();
        world.parse::<WorldId>().unwrap();
        world
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&self.bytes)))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Checks that this is a problem of that status and code, in the form that all problems have.
    #[track_caller]
    pub fn is_problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status);
        assert!(["type", "title", "detail"].iter().all(|key| problem[key].as_str().is_some_and(|text| !text.is_empty())), "{problem}");
        problem
    }
}
