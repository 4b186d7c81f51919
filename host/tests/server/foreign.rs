//! Clients that others have made speak with our server as with any.

use crate::control_plane::{World, client_id};
use crate::process::Killed;
use host::limits::{PING_INTERVAL, PINGS_UNANSWERED_MAX};
use std::io::Read;
use std::process::{Command, Stdio};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/server/foreign_websockets.py");

/// A Python that has the package: the first one on the path, or the system's, for which it is packaged.
fn python_with_websockets() -> &'static str {
    let has_it = |python: &&str| {
        let asked = Command::new(python).args(["-c", "import websockets"]).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    };
    ["python3", "/usr/bin/python3"].into_iter().find(has_it).expect(
        "no Python with the package websockets, a client to cross-check our server with\n  on Debian or Ubuntu: sudo apt-get install python3-websockets\n  elsewhere: python3 -m pip install websockets",
    )
}

#[test]
fn pythons_websockets_plays() {
    let world = World::start();
    let address = format!("ws://{}", world.address());
    let idle = ((PING_INTERVAL * (PINGS_UNANSWERED_MAX + 2)).as_secs()).to_string();
    let mut command = Command::new(python_with_websockets());
    command.args([SCRIPT, &address, &world.office.ticket("kim"), &client_id("kim"), &idle]);
    let mut script = Killed(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it ran a moment ago"));
    let mut said = String::new();
    script.0.stdout.take().expect("piped").read_to_string(&mut said).expect("text");
    script.0.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
    assert!(script.wait().success() && said.ends_with("all is well\n"), "{said}");
}
