//! Databases of every version before this one: opened, brought up to date, and nothing in them lost.
//!
//! `databases/v<n>.sql` is a database as version n left it. One that was released is never edited; a new migration brings a new one, made of the newest with rows in
//! what is new: `sqlite3 <file> .dump`, and its `user_version`, which a dump leaves out.

use crate::harness::{ADMIN_TOKEN, Server};
use expect_test::expect_file;
use rusqlite::{Connection, types::Value as Cell};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::Path,
};

/// What is asked of each: by whom, and for what.
const QUESTIONS: [(&str, &str); 20] = [
    ("kim", "/session"),
    ("kim", "/worlds"),
    ("kim", "/world/world_0000000a"),
    ("kim", "/world/world_0000000a/policy"),
    ("kim", "/world/world_0000000a/quarantine"),
    ("kim", "/api/spells"),
    ("kim", "/api/spells/fireball/revisions"),
    ("eve", "/api/spells/fireball/revisions/rev_000001_11111111/manifest"),
    ("eve", "/api/spells/gust/revisions"),
    ("kim", "/api/jobs/job_0000000000c1"),
    ("kim", "/api/jobs/job_0000000000f1"),
    ("kim", "/api/spells/fireball/log"),
    ("kim", "/api/spells/fireball/usage"),
    ("kim", "/api/spells/fireball/collaborators"),
    ("kim", "/api/spells/fireball/audit"),
    ("kim", "/api/spells/fireball/rollouts"),
    ("kim", "/api/dev"),
    ("operator", "/admin/bans"),
    ("operator", "/admin/audit"),
    ("operator", "/admin/sessions"),
];
/// Columns that migrations took away: native code is made anew, and the other is called `changed` now.
const GONE: [&str; 2] = ["revision.artifact_hash", "spell.active_sequence"];

fn dump(version: u32) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/http/hostile/databases/v{version}.sql"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}; the head of {} says how it is made", path.display(), file!()))
}

fn version(database: &Connection) -> u32 {
    database.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

/// How each table and index was made, in words of SQL.
fn schema(database: &Connection) -> BTreeMap<String, Option<String>> {
    let mut all = database.prepare("SELECT name, sql FROM sqlite_master").unwrap();
    all.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
}

/// The columns of each table.
fn columns(database: &Connection) -> BTreeMap<String, BTreeSet<String>> {
    let sql =
        "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'";
    let (mut all, mut tables) = (database.prepare(sql).unwrap(), BTreeMap::<String, BTreeSet<String>>::new());
    for column in all.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap() {
        let (table, column): (String, String) = column.unwrap();
        tables.entry(table).or_default().insert(column);
    }
    tables
}

/// What stands in these columns, row by row.
fn rows(database: &Connection, table: &str, columns: &[&str]) -> Vec<Vec<Cell>> {
    let list = columns.join(", ");
    let mut all = database.prepare(&format!("SELECT {list} FROM {table} ORDER BY {list}")).unwrap();
    let rows = all.query_map([], |row| (0..columns.len()).map(|index| row.get(index)).collect());
    rows.unwrap().map(Result::unwrap).collect()
}

/// Checks that what was in the old database is in the new one too.
fn keeps(old: &Connection, new: &Connection) {
    let kept = columns(new);
    for (table, columns) in columns(old) {
        let has = |column: &&String| kept.get(&table).is_some_and(|kept| kept.contains(*column));
        let (same, gone): (Vec<&String>, Vec<&String>) = columns.iter().partition(has);
        for column in gone {
            assert!(GONE.contains(&format!("{table}.{column}").as_str()), "{table}.{column} is gone");
        }
        let same: Vec<&str> = same.into_iter().map(String::as_str).collect();
        let before = rows(old, &table, &same);
        assert!(!before.is_empty(), "{table} has nothing that could be lost");
        assert_eq!(rows(new, &table, &same), before, "{table}");
    }
}

/// A server over the database that this dump makes.
fn server_over(dump: &str) -> Server {
    let mut server = Server::start();
    server.stop();
    for file in ["control.sqlite", "control.sqlite-wal", "control.sqlite-shm"] {
        fs::remove_file(server.data(file)).ok();
    }
    server.database().execute_batch(dump).unwrap();
    server.restart()
}

/// The answers to all questions, a line each. A list of revisions leaves their manifests out: one of them is asked for.
fn answers(server: &Server) -> String {
    let mut told = String::new();
    for (who, path) in QUESTIONS {
        let token = if who == "operator" { ADMIN_TOKEN } else { &format!("the token of {who}") };
        let answer = server.get(path, token);
        let mut body = answer.json();
        for revision in body.get_mut("revisions").and_then(Value::as_array_mut).into_iter().flatten() {
            revision.as_object_mut().unwrap().remove("manifest");
        }
        writeln!(told, "{who}: {path}: {} {body}", answer.status).unwrap();
    }
    told
}

#[test]
fn a_database_of_any_version_opens_and_keeps_what_is_in_it() {
    let fresh = Server::start();
    let newest = version(&fresh.database());
    for number in 1..=newest {
        let old = Connection::open_in_memory().unwrap();
        old.execute_batch(&dump(number)).unwrap();
        assert_eq!(version(&old), number);
        let server = server_over(&dump(number));
        let new = server.database();
        assert_eq!(version(&new), newest);
        assert_eq!(schema(&new), schema(&fresh.database()), "version {number} becomes something else than a new database is");
        let broken: u32 = new.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0)).unwrap();
        let whole: String = new.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!((broken, whole.as_str()), (0, "ok"), "version {number}");
        keeps(&old, &new);
        expect_file![format!("./databases/v{number}.txt")].assert_eq(&answers(&server));
        // The key of then still makes the same player, and what was begun goes on.
        let login = server.post("/login", "", &json!({ "account_key": "the key of kim" })).json();
        assert_eq!((&login["client_id"], &login["username"]), (&json!("client_0000000000a1"), &json!("kim")));
        assert!(server.revision(login["session_token"].as_str().unwrap(), "fireball", "four").starts_with("rev_000004_"));
    }
}
