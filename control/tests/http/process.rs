//! `ugc-control` as operators meet it: started from a folder, and killed.

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A control plane in a process of its own; it is killed when dropped.
struct Process {
    child: Child,
    address: String,
}

impl Process {
    /// Starts the program in this folder over the folder's `data`, and waits until it listens.
    fn start(folder: &Path) -> Self {
        let mut command = Command::new(folder.join("ugc-control"));
        command.env_clear().env("PATH", "/usr/bin:/bin").env("PORT", "0").env("DATA_DIR", folder.join("data")).env("RUST_LOG", "info");
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .find_map(|line| Some(line.unwrap().split_once("listening on ")?.1.split_once(',')?.0.to_owned()))
            .expect("it says where it listens");
        // Read on, so that it never waits for us.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    fn post(&self, path: &str, token: &str, body: &Value) -> Value {
        let request = ureq::post(format!("{}{path}", self.address)).header("Authorization", format!("Bearer {token}"));
        request.send_json(body).unwrap().body_mut().read_json().unwrap()
    }

    fn get(&self, path: &str, token: &str) -> Value {
        let request = ureq::get(format!("{}{path}", self.address)).header("Authorization", format!("Bearer {token}"));
        request.call().unwrap().body_mut().read_json().unwrap()
    }

    fn login(&self) -> String {
        let login: Value = ureq::post(format!("{}/login", self.address)).send_empty().unwrap().body_mut().read_json().unwrap();
        login["session_token"].as_str().unwrap().into()
    }

    fn build(&self, token: &str, code: &str) -> String {
        self.post("/api/spells/fireball/build", token, &json!({ "code": code }))["job_id"].as_str().unwrap().into()
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A folder as `cargo xtask dist` makes it, with stand-ins for the other programs.
fn installation() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let stand_ins = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/http");
    fs::copy(env!("CARGO_BIN_EXE_ugc-control"), folder.path().join("ugc-control")).unwrap();
    symlink(stand_ins.join("fake-host.sh"), folder.path().join("ugc-host")).unwrap();
    symlink(stand_ins.join("fake-builder.sh"), folder.path().join("ugc-builder")).unwrap();
    fs::create_dir(folder.path().join("sdk")).unwrap();
    folder
}

fn all_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { [vec![path.clone()], all_below(&path)].concat() } else { vec![path] }).collect()
}

fn until(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "nothing happened");
        std::thread::yield_now();
    }
}

#[test]
fn what_it_keeps_is_for_its_user_alone() {
    let folder = installation();
    let control = Process::start(folder.path());
    let token = control.login();
    let job = control.build(&token, "one");
    assert_eq!(control.get(&format!("/api/jobs/{job}?wait_ms=20000"), &token)["status"], "completed");
    let data = folder.path().join("data");
    for path in [vec![data.clone()], all_below(&data)].concat() {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
    }
}

#[test]
fn killed_at_work_it_keeps_what_it_acknowledged_and_leaves_nothing_running() {
    let folder = installation();
    let mut control = Process::start(folder.path());
    let token = control.login();
    let job = control.build(&token, "one");
    let revision = control.get(&format!("/api/jobs/{job}?wait_ms=20000"), &token)["result_revision_id"].clone();
    control.post("/api/spells/fireball/publish", &token, &json!({ "revision_id": revision }));
    let world = control.post("/join", &token, &json!({}))["world_id"].as_str().unwrap().to_owned();
    let (running, waiting) = (control.build(&token, "STUCK"), control.build(&token, "two"));
    until(|| control.get(&format!("/api/jobs/{running}"), &token)["stage"] == "compile");
    let process =
        |file: String| -> Pid { Pid::from_raw(fs::read_to_string(folder.path().join(file)).unwrap().trim().parse().unwrap()).unwrap() };
    let left = [process("builder-process".into()), process(format!("starts-{world}"))];
    assert!(left.iter().all(|process| test_kill_process(*process).is_ok()));
    control.kill();
    until(|| left.iter().all(|process| is_gone(*process)));

    let control = Process::start(folder.path());
    assert_eq!(control.get("/api/spells", &token)["spells"][0]["active_beta_rev"], revision);
    for job in [running, waiting] {
        assert_eq!(control.get(&format!("/api/jobs/{job}"), &token)["status"], "failed");
    }
    assert_eq!(fs::read_dir(folder.path().join("data/scratch")).unwrap().count(), 0);
}

#[test]
fn told_to_stop_during_a_join_it_stops_and_takes_the_server_with_it() {
    let folder = installation();
    fs::write(folder.path().join("mute"), "").unwrap();
    let mut control = Process::start(folder.path());
    let token = control.login();
    let world = control.post("/worlds", &token, &json!({}))["world"]["world_id"].as_str().unwrap().to_owned();
    std::thread::scope(|scope| {
        let join = scope.spawn(|| {
            let request = ureq::post(format!("{}/join", control.address)).header("Authorization", format!("Bearer {token}"));
            request
                .config()
                .http_status_as_error(false)
                .build()
                .send_json(json!({ "world_id": world }))
                .map(|answer| answer.status().as_u16())
        });
        let starts = folder.path().join(format!("starts-{world}"));
        until(|| fs::read_to_string(&starts).is_ok_and(|line| line.ends_with('\n')));
        let host = Pid::from_raw(fs::read_to_string(&starts).unwrap().trim().parse().unwrap()).unwrap();
        kill_process(Pid::from_child(&control.child), Signal::TERM).unwrap();
        // An answer, unless the connection was quicker to go.
        assert!(join.join().unwrap().is_ok_and(|status| status == 503));
        until(|| is_gone(host));
    });
    assert!(control.child.wait().unwrap().success());
}

fn is_gone(process: Pid) -> bool {
    // One whose parent is gone too may wait for a while for somebody to ask how it ended.
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'))
}
