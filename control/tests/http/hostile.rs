//! Requests, and surroundings, of whoever means harm or is broken: each is refused in the form of all problems, and everybody else is served.

mod bodies;
mod databases;
mod heads;
mod ids;
mod ports;
mod publish;
mod queries;
mod sessions;
mod theft;
mod types;

use crate::harness::{ADMIN_TOKEN, Answer, Server};
use serde_json::{Value, json};
use std::{
    io::Read,
    net::TcpStream,
    time::{Duration, Instant},
};

/// A server where there is one of everything that a request can ask for.
struct Scene {
    server: Server,
    /// Whose all of it is.
    kim: String,
    /// What stands for each parameter of a path.
    ids: [(&'static str, String); 6],
}

/// One operation of the document.
struct Operation {
    method: String,
    path: String,
    /// What the document says of it.
    said: Value,
}

impl Scene {
    fn set() -> Self {
        let server = Server::start();
        let (kim, zoe) = (server.login("kim"), server.login("zoe"));
        let world = server.post("/worlds", &kim, &json!({})).json()["world"]["world_id"].as_str().unwrap().to_owned();
        let active = server.revision(&kim, "fireball", "active");
        assert_eq!(server.publish(&kim, "fireball", &active, "beta").status, 200);
        let job = server.build(&kim, "fireball", "one");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let ids = [
            ("spell", "fireball".into()),
            ("revision", text(&job["result_revision_id"])),
            ("world", world),
            ("job", text(&job["job_id"])),
            ("client", text(&server.get("/session", &zoe).json()["client_id"])),
            ("path", "src/lib.rs".into()),
        ];
        Self { server, kim, ids }
    }

    fn id(&self, name: &str) -> &str {
        &self.ids.iter().find(|(known, _)| *known == name).unwrap().1
    }

    /// The path with our ids for its parameters.
    fn place(&self, path: &str) -> String {
        self.ids.iter().fold(path.to_owned(), |path, (name, id)| path.replace(&format!("{{{name}}}"), id))
    }

    /// All operations of the document.
    fn operations(&self) -> Vec<Operation> {
        let document = self.server.get("/openapi.json", "").json();
        let paths = document["paths"].as_object().unwrap().iter();
        let operations = paths.flat_map(|(path, methods)| {
            let of_path = methods.as_object().unwrap().iter();
            of_path.map(|(method, said)| Operation { method: method.to_uppercase(), path: path.clone(), said: said.clone() })
        });
        operations.collect()
    }

    /// Has kim ask as much as she likes again: an operator's word about a player's requests forgives all that were made.
    fn forgive(&self) {
        let kim = self.server.get("/session", &self.kim).json()["client_id"].as_str().unwrap().to_owned();
        assert_eq!(self.server.delete(&format!("/admin/players/{kim}/throttle"), ADMIN_TOKEN).status, 200);
    }

    /// As the one who may do it.
    fn ask(&self, operation: &Operation, path: &str, body: Option<(&str, &[u8])>) -> Answer {
        let token = if operation.said["security"][0]["admin"].is_array() { ADMIN_TOKEN } else { &self.kim };
        self.server.request(&operation.method, path, token, body)
    }

    /// A body with everything that an operation takes, for those that take JSON.
    fn body(&self, path: &str) -> Value {
        let (revision, world, client) = (self.id("revision"), self.id("world"), self.id("client"));
        let rollout =
            json!({ "percent": 10.0, "by": "cast", "min_casts": 50, "max_fault_rate": 0.1, "max_upkeep_ratio": 3.0, "bake_seconds": 300 });
        let publication =
            json!({ "spell_id": "fireball", "revision_id": revision, "channel": "beta", "if_active": null, "rollout": rollout });
        match path.rsplit('/').next().unwrap() {
            "ban" => json!({ "reason": "a test", "hours": 1.0 }),
            "throttle" => json!({ "requests_per_minute": 60.0 }),
            "trust" => json!({ "trust": "known" }),
            "revoke" => json!({ "reason": "a test" }),
            // Of both a player and a spell, and so never carried out: a stand-in for a game server would take its time for it.
            "revert" => json!({ "client_id": client, "spell_id": "fireball", "revision_id": revision, "minutes": 1.0 }),
            "publications" => json!({ "publications": [publication] }),
            "publish" => publication,
            "build" => json!({
                "prompt": "fire", "code": "one", "files": { "src/more.rs": "more" }, "assets": { "assets/a.txt": "eA==" },
                "options": { "metadata": { "name": "Fire", "tags": ["hot"] }, "component": "eA==" },
            }),
            "collaborators" => json!({ "usernames": ["zoe"] }),
            "dev" => json!({ "revision_id": revision }),
            "fork" => json!({ "spell_id": "fireball", "revision_id": revision }),
            "rollback" => json!({ "channel": "beta", "revision_id": revision }),
            "join" => json!({ "world_id": world, "name": "a name", "description": "", "generation": "floor" }),
            "login" => json!({ "username": "lee", "account_key": "a key" }),
            "worlds" => json!({ "name": "a name", "description": "", "generation": "floor" }),
            "policy" => json!({
                "channel": "beta", "pins": { "fireball": revision }, "allow": ["fireball"], "deny": [], "trust": "new", "friendly_fire": true,
                "visibility": "public", "members": [client], "capacity": 8, "wasi": false,
            }),
            "{world}" => json!({
                "chunks": [{ "chunk_id": [0, 0, 0], "version": 1, "encoding": "gzip", "data": "eA==" }],
                "entities": [{ "entity_type": 4, "name": "crate", "position": [1.0, 5.0, 1.0], "temper": null }],
            }),
            _ => panic!("{path} takes a body: write one here with all that it takes"),
        }
    }
}

/// A connection to write to as one likes; nothing on it waits forever.
fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// What comes until the connection ends, however that is.
fn rest(stream: &mut TcpStream) -> String {
    let (mut bytes, deadline) = (Vec::new(), Instant::now() + Duration::from_secs(20));
    let mut piece = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut piece) {
        bytes.extend_from_slice(&piece[..length]);
        assert!(Instant::now() < deadline, "it goes on and on");
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
