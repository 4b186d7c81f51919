//! Ports that somebody else has.

use crate::{
    harness::Server,
    process::{Process, installation},
};
use serde_json::{Value, json};
use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::Command,
};

fn port_of(join: &Value) -> u16 {
    join["server_address"].as_str().unwrap_or_else(|| panic!("{join}")).rsplit_once(':').unwrap().1.parse().unwrap()
}

#[test]
fn a_control_plane_whose_port_is_taken_ends_and_says_what_to_do() {
    let folder = installation();
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port();
    // Should it serve after all, it does not do so forever.
    let mut command = Command::new("timeout");
    command.arg("20").arg(folder.path().join("ugc-control")).env_clear().env("PATH", "/usr/bin:/bin");
    command.env("DATA_DIR", folder.path().join("data")).env("PORT", port.to_string());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for words in [format!("cannot listen on 127.0.0.1:{port}"), "stop what does".into(), format!("PORT={}", port.wrapping_add(1))] {
        assert!(said.contains(&words), "{said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_game_server_is_not_put_where_somebody_else_listens() {
    let server = Server::start();
    let token = server.login("kim");
    // The first that it would take, whoever has those before it.
    let first = (7777..8801).find_map(|port| TcpListener::bind(("127.0.0.1", port)).ok()).unwrap();
    let taken = first.local_addr().unwrap().port();
    let join = server.post("/join", &token, &json!({})).json();
    assert_ne!(port_of(&join), taken);
}

#[test]
fn a_game_server_that_finds_its_port_taken_is_started_on_another() {
    let folder = installation();
    let (program, other, tried) = (folder.path().join("ugc-host"), folder.path().join("other-host"), folder.path().join("tried"));
    fs::remove_file(&program).unwrap();
    symlink(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/http/fake-host.sh"), &other).unwrap();
    // As if another process had come in between: it cannot listen, and says no port.
    let script = format!("#!/bin/sh\n[ -e {0} ] || {{ echo $2 > {0}; exit 1; }}\nexec {1} \"$@\"\n", tried.display(), other.display());
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    let control = Process::start(folder.path());
    let join = control.post("/join", &control.login(), &json!({}));
    let taken: u16 = fs::read_to_string(tried).unwrap().trim().parse().unwrap();
    assert!(port_of(&join) > taken, "{join}");
}
