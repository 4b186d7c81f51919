//! What a running game server hears and says.

use crate::harness::Server;
use protocol::{
    Channel,
    link::{Barred, Lineup, Push, Report, Slot, read},
};
use serde_json::json;
use std::{
    io::{Read, Write},
    net::TcpStream,
};

/// A world's server.
pub struct Line {
    pub world: String,
    pub secret: String,
}

/// Its stream, open.
pub struct Stream<'a> {
    server: &'a Server,
    line: &'a Line,
    body: Box<dyn Read>,
}

impl Line {
    pub fn of(server: &Server, token: &str) -> Self {
        let world = server.world(token);
        Self::to(server, world)
    }

    pub fn to(server: &Server, world: String) -> Self {
        let secret = server.secrets(&world).server_secret;
        Self { world, secret }
    }

    pub fn open<'a>(&'a self, server: &'a Server, after: u64) -> Stream<'a> {
        self.open_for(server, after, "engine-1")
    }

    fn open_for<'a>(&'a self, server: &'a Server, after: u64, engine: &str) -> Stream<'a> {
        let path = format!("/internal/worlds/{}/stream?after={after}&engine={engine}", self.world);
        Stream { server, line: self, body: Box::new(server.stream(&path, &self.secret)) }
    }

    pub fn report(&self, server: &Server, reports: &[Report]) -> u16 {
        let body = serde_json::to_value(reports).unwrap();
        server.post(&format!("/internal/worlds/{}/reports", self.world), &self.secret, &body).status
    }
}

impl Stream<'_> {
    /// The next frame that is more than a sign of life.
    pub fn push(&mut self) -> Push {
        loop {
            match read(&mut self.body).unwrap() {
                Push::Alive => {}
                push => return push,
            }
        }
    }

    /// The next frame that says something, in short; artifacts by what their bytes say.
    pub fn next(&mut self) -> String {
        match self.push() {
            Push::Lineup(lineup) => self.in_words(&lineup),
            Push::Apply { .. } => "apply".into(),
            Push::Synced { complete: true, .. } => "synced".into(),
            Push::Synced { .. } => "synced with changes".into(),
            Push::FriendlyFire(on) => format!("friendly fire {on}"),
            Push::Order(order) => format!("order {} {:?}", order.number, order.what),
            Push::Alive => unreachable!("it was skipped"),
        }
    }

    /// The lineups up to the next end of a change.
    pub fn change(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.next();
            if matches!(line.as_str(), "apply" | "synced" | "synced with changes") {
                return lines;
            }
            lines.push(line);
        }
    }

    fn in_words(&self, lineup: &Lineup) -> String {
        let bytes = |slot: &Slot| {
            let path = format!("/internal/worlds/{}/artifacts/{}", self.line.world, slot.artifact);
            let answer = self.server.get(&path, &self.line.secret);
            assert_eq!(answer.status, 200);
            String::from_utf8(answer.bytes).unwrap()
        };
        let mut words = format!("{} {} {}", lineup.spell_id, lineup.channel, lineup.active.as_ref().map_or("nothing".into(), bytes));
        if lineup.stays {
            words += " (stays)";
        }
        if let Some(trial) = &lineup.trial {
            words += &format!(", {} in 10000 by {:?} try {}", trial.share, trial.by, bytes(&trial.slot));
        }
        for draft in lineup.drafts.values() {
            words += &format!(", draft {}", bytes(draft));
        }
        lineup.quarantined.iter().for_each(|revision| words += &format!(", quarantined {revision}"));
        match &lineup.barred {
            Barred::All => words += ", all barred",
            Barred::Those(those) => those.iter().for_each(|revision| words += &format!(", barred {revision}")),
        }
        words
    }
}

fn fault(spell: &str, tick: u64) -> Report {
    Report::Fault {
        spell_id: spell.parse().unwrap(),
        revision_id: "rev_000001_00000000".parse().unwrap(),
        cast: 3,
        caster: 7,
        tick,
        hook: "on-tick".into(),
        limit: "fuel".into(),
        message: "used 1000001 of 1000000".into(),
    }
}

fn players(count: u32) -> Report {
    Report::Players { clients: (0..count).map(|number| format!("client_{number:012x}")).collect() }
}

#[test]
fn a_server_hears_what_is_active_and_then_each_publication_at_once() {
    let server = Server::start();
    let token = server.login("kim");
    let one = server.revision(&token, "fireball", "one");
    server.publish(&token, "fireball", &one, "beta");
    server.revision(&token, "gust", "unpublished");
    let line = Line::of(&server, &token);

    let mut stream = line.open(&server, 0);
    assert_eq!([stream.next(), stream.next()], ["fireball beta artifact of one", "synced"]);

    let two = server.revision(&token, "fireball", "two");
    server.publish(&token, "fireball", &two, "draft");
    server.publish(&token, "fireball", &two, "beta");
    assert_eq!([stream.next(), stream.next()], ["fireball beta artifact of two", "apply"]);
    server.publish(&token, "fireball", &one, "stable");
    assert_eq!([stream.next(), stream.next()], ["fireball stable artifact of one", "apply"]);
    // Worlds follow stable now: that beta moves changes nothing for them.
    server.publish(&token, "fireball", &two, "beta");
    assert_eq!(stream.change(), ["fireball stable artifact of one"]);
    let mend = server.revision(&token, "mend", "three");
    server.publish(&token, "mend", &mend, "stable");
    assert_eq!(stream.change(), ["mend stable artifact of three"]);

    let mut fresh = line.open(&server, 0);
    let state = [fresh.next(), fresh.next(), fresh.next()];
    assert_eq!(state, ["fireball stable artifact of one", "mend stable artifact of three", "synced"]);
}

#[test]
fn a_publish_whose_client_leaves_reaches_the_worlds_all_the_same() {
    let server = Server::start();
    let token = server.login("kim");
    let revision = server.revision(&token, "fireball", "one");
    let line = Line::of(&server, &token);
    let mut stream = line.open(&server, 0);
    assert_eq!(stream.next(), "synced");
    server.post_and_leave("/api/spells/fireball/publish", &token, &json!({ "revision_id": revision }));
    // An Alive comes each second: without the news there is nothing else.
    let news = (0..10).map(|_| read(&mut stream.body).unwrap()).find(|push| *push != Push::Alive);
    assert!(matches!(news, Some(Push::Lineup(_))), "{news:?}");
}

#[test]
fn a_stranger_is_refused_before_the_reports_are_read() {
    let server = Server::start();
    let mut stream = TcpStream::connect(server.address).unwrap();
    write!(stream, "POST /internal/worlds/world_0a1b2c3d/reports HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\n").unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 401");
}

#[test]
fn a_server_that_reconnects_hears_only_what_it_missed() {
    let server = Server::start();
    let token = server.login("kim");
    let line = Line::of(&server, &token);
    let one = server.revision(&token, "fireball", "one");
    server.publish(&token, "fireball", &one, "beta");
    let mut stream = line.open(&server, 0);
    let Push::Lineup(seen) = stream.push() else { panic!("the state comes first") };
    assert_eq!(seen.channel, Channel::Beta);
    let Push::Synced { sequence, complete: true } = stream.push() else { panic!("and then its end") };
    drop(stream);
    let mend = server.revision(&token, "mend", "two");
    server.publish(&token, "mend", &mend, "beta");
    let mut stream = line.open(&server, sequence);
    assert_eq!([stream.next(), stream.next()], ["mend beta artifact of two", "synced with changes"]);
    // A number from a future that never was: the server knew another database.
    let mut stream = line.open(&server, u64::MAX);
    assert_eq!([stream.next(), stream.next(), stream.next()], ["fireball beta artifact of one", "mend beta artifact of two", "synced"]);
}

#[test]
fn a_quiet_line_says_that_it_is_alive() {
    let server = Server::start();
    let token = server.login("kim");
    let line = Line::of(&server, &token);
    let mut stream = line.open(&server, 0).body;
    assert_eq!([read(&mut stream).unwrap(), read(&mut stream).unwrap()], [Push::Synced { sequence: 0, complete: true }, Push::Alive]);
}

#[test]
fn a_damaged_artifact_is_made_anew_and_a_damaged_component_does_not_keep_the_others_back() {
    let server = Server::start();
    let token = server.login("kim");
    for spell in ["fireball", "gust", "mend"] {
        let revision = server.revision(&token, spell, spell);
        server.publish(&token, spell, &revision, "beta");
    }
    let damage = |bytes: &[u8]| {
        let hash = protocol::Sha256Hex::of(bytes);
        std::fs::write(server.data("blobs").join(&hash.as_str()[..2]).join(hash.as_str()), "native code of somebody else").unwrap();
    };
    damage(b"artifact of fireball");
    damage(b"artifact of gust");
    damage(b"component of gust");
    let line = Line::of(&server, &token);
    let mut stream = line.open(&server, 0);
    // A world stays with what it runs where there is nothing else.
    let seen = [stream.next(), stream.next(), stream.next(), stream.next()];
    assert_eq!(seen, ["fireball beta artifact of fireball", "gust beta nothing (stays)", "mend beta artifact of mend", "synced"]);
}

#[test]
fn native_code_for_another_engine_is_made_when_a_server_asks_if_the_builder_can() {
    let server = Server::start();
    let token = server.login("kim");
    let revision = server.revision(&token, "fireball", "one");
    server.publish(&token, "fireball", &revision, "beta");
    let line = Line::of(&server, &token);
    let builds = server.builds();
    // As before an upgrade of this server: what it has stored is for an engine that nobody runs any more.
    server.database().execute("UPDATE artifact SET engine_id = 'engine-0'", []).unwrap();
    for _ in 0..2 {
        let mut stream = line.open(&server, 0);
        assert_eq!([stream.next(), stream.next()], ["fireball beta artifact of one", "synced"]);
    }
    assert_eq!(server.builds(), builds + 1);
    // A game server of another version than the builder gets nothing that it could not run.
    assert_eq!(line.open_for(&server, 0, "engine-2").change(), ["fireball beta nothing (stays)"]);
}

#[test]
fn native_code_that_a_killed_worker_did_not_make_is_asked_for_again_and_what_is_refused_is_not() {
    let server = Server::start();
    let token = server.login("kim");
    let revision = server.revision(&token, "fireball", "one");
    server.publish(&token, "fireball", &revision, "beta");
    let line = Line::of(&server, &token);
    server.database().execute("UPDATE artifact SET engine_id = 'engine-0'", []).unwrap();
    server.kill_builders(true);
    assert_eq!(line.open(&server, 0).change(), ["fireball beta nothing (stays)"]);
    server.kill_builders(false);
    assert_eq!(line.open(&server, 0).change(), ["fireball beta artifact of one"]);
    // The builder makes it for one engine, and would again.
    let builds = server.builds();
    for _ in 0..2 {
        assert_eq!(line.open_for(&server, 0, "engine-2").change(), ["fireball beta nothing (stays)"]);
    }
    assert_eq!(server.builds(), builds + 1);
}

#[test]
fn a_line_opens_to_its_own_server_alone() {
    let server = Server::start();
    let token = server.login("kim");
    let (line, other) = (Line::of(&server, &token), Line::of(&server, &token));
    for secret in ["", "guess", &token, &other.secret] {
        server.get(&format!("/internal/worlds/{}/stream", line.world), secret).is_problem(401, "unauthorized");
        server.post(&format!("/internal/worlds/{}/reports", line.world), secret, &json!([])).is_problem(401, "unauthorized");
        let hash = protocol::Sha256Hex::of(b"artifact of one");
        server.get(&format!("/internal/worlds/{}/artifacts/{hash}", line.world), secret).is_problem(401, "unauthorized");
    }
    server.get("/internal/worlds/../stream", &line.secret).is_problem(401, "unauthorized");
}

#[test]
fn faults_are_in_the_spell_s_log_for_its_owner() {
    let server = Server::start();
    let (kim, eve) = (server.login("kim"), server.login("eve"));
    server.revision(&kim, "fireball", "one");
    let line = Line::of(&server, &eve);
    assert_eq!(line.report(&server, &[fault("fireball", 1), fault("nobodys", 1), players(3)]), 204);
    let log = server.get("/api/spells/fireball/log", &kim).json();
    let entry = &log["entries"][0];
    assert_eq!(
        (&entry["report"], &entry["limit"], &entry["caster"], &entry["world_id"]),
        (&json!("fault"), &json!("fuel"), &json!(7), &json!(line.world))
    );
    assert_eq!(log["entries"].as_array().unwrap().len(), 1);
    assert_eq!(server.get("/worlds", "").json()["worlds"][0]["player_count"], 3);
}

#[test]
fn a_spell_s_log_keeps_its_newest_entries() {
    let server = Server::start();
    let token = server.login("kim");
    server.revision(&token, "fireball", "one");
    let line = Line::of(&server, &token);
    let faults: Vec<_> = (0..250).map(|tick| fault("fireball", tick)).collect();
    assert_eq!(line.report(&server, &faults), 204);
    let log = server.get("/api/spells/fireball/log", &token).json();
    let entries = log["entries"].as_array().unwrap();
    assert_eq!((entries.len(), &entries[0]["tick"], &entries[199]["tick"]), (200, &json!(249), &json!(50)));
}

#[test]
fn nonsense_reports_are_refused() {
    let server = Server::start();
    let token = server.login("kim");
    let line = Line::of(&server, &token);
    let path = format!("/internal/worlds/{}/reports", line.world);
    server.post(&path, &line.secret, &json!({ "report": "players" })).is_problem(422, "wrong_json");
    server.post(&path, &line.secret, &json!([{ "report": "players", "clients": -1 }])).is_problem(422, "wrong_json");
    let many: Vec<_> = (0..257).map(|_| players(0)).collect();
    assert_eq!(line.report(&server, &many), 413);
}
