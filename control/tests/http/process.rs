//! `ugc-control` as operators meet it: started from a folder, and killed.

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A control plane in a process of its own; it is killed when dropped.
pub struct Process {
    child: Child,
    address: String,
    /// What it has logged since it listens.
    log: Arc<Mutex<String>>,
}

impl Process {
    /// Starts the program in this folder over the folder's `data`, and waits until it listens.
    pub fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    /// The same, with these variables in its environment.
    fn start_with(folder: &Path, variables: &[(&str, &str)]) -> Self {
        Self::start_by(Command::new(folder.join("ugc-control")), folder, variables)
    }

    /// The same, by a command that becomes the program.
    fn start_by(mut command: Command, folder: &Path, variables: &[(&str, &str)]) -> Self {
        command.env_clear().env("PATH", "/usr/bin:/bin").env("PORT", "0").env("DATA_DIR", folder.join("data")).env("RUST_LOG", "info");
        command.envs(variables.iter().copied());
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .find_map(|line| Some(line.unwrap().split_once("listening on ")?.1.split_once(',')?.0.to_owned()))
            .expect("it says where it listens");
        let log = Arc::new(Mutex::new(String::new()));
        let kept = log.clone();
        // Read on, so that it never waits for us.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| *kept.lock().unwrap() += &(line + "\n")));
        Self { child, address, log }
    }

    /// Whether it has logged these words, or does soon.
    fn logs(&self, words: &str) {
        until(|| self.log.lock().unwrap().contains(words));
    }

    pub fn post(&self, path: &str, token: &str, body: &Value) -> Value {
        self.try_post(path, token, body).1
    }

    /// The status too.
    fn try_post(&self, path: &str, token: &str, body: &Value) -> (u16, Value) {
        let request = ureq::post(format!("{}{path}", self.address)).header("Authorization", format!("Bearer {token}"));
        let mut answer = request.config().http_status_as_error(false).build().send_json(body).unwrap();
        (answer.status().as_u16(), answer.body_mut().read_json().unwrap())
    }

    fn get(&self, path: &str, token: &str) -> Value {
        let request = ureq::get(format!("{}{path}", self.address)).header("Authorization", format!("Bearer {token}"));
        request.call().unwrap().body_mut().read_json().unwrap()
    }

    pub fn login(&self) -> String {
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
    /// Its game servers go with it, which a kill would leave running.
    fn drop(&mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).ok();
        self.child.wait().ok();
    }
}

/// A folder as `cargo xtask dist` makes it, with stand-ins for the other programs.
pub fn installation() -> TempDir {
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
fn killed_at_work_it_keeps_what_it_acknowledged_and_adopts_what_goes_on_without_it() {
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
    let (builder, host) = (process("builder-process".into()), process(format!("starts-{world}")));
    assert!([builder, host].iter().all(|process| test_kill_process(*process).is_ok()));
    let before = control.post("/join", &token, &json!({ "world_id": world }))["server_address"].clone();
    control.kill();
    until(|| is_gone(builder));
    assert!(!is_gone(host), "people play there");

    let mut control = Process::start(folder.path());
    assert_eq!(control.post("/join", &token, &json!({ "world_id": world }))["server_address"], before);
    assert_eq!(process(format!("starts-{world}")), host, "one world has one server");
    assert_eq!(control.get("/api/spells", &token)["spells"][0]["active_beta_rev"], revision);
    for job in [running, waiting] {
        assert_eq!(control.get(&format!("/api/jobs/{job}"), &token)["status"], "failed");
    }
    assert_eq!(fs::read_dir(folder.path().join("data/scratch")).unwrap().count(), 0);
    kill_process(Pid::from_child(&control.child), Signal::TERM).unwrap();
    assert!(control.child.wait().unwrap().success());
    assert!(is_gone(host), "what is adopted is drained like any other");
}

#[test]
fn a_game_server_that_nobody_knows_of_is_told_to_end() {
    let folder = installation();
    let mut control = Process::start(folder.path());
    let token = control.login();
    let world = control.post("/join", &token, &json!({}))["world_id"].as_str().unwrap().to_owned();
    let starts = folder.path().join(format!("starts-{world}"));
    let host = Pid::from_raw(fs::read_to_string(&starts).unwrap().trim().parse().unwrap()).unwrap();
    control.kill();
    fs::remove_file(folder.path().join(format!("data/worlds/servers/{world}.json"))).unwrap();
    let control = Process::start(folder.path());
    until(|| is_gone(host));
    control.post("/join", &token, &json!({ "world_id": world }));
    assert_eq!(fs::read_to_string(&starts).unwrap().lines().count(), 2);
}

/// What this command says, and whether it ended well.
fn run(folder: &Path, data: &Path, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(folder.join("ugc-control"));
    let output = command.env_clear().env("DATA_DIR", data).args(arguments).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn a_backup_is_made_while_it_runs_and_is_all_there_after_a_restore() {
    let folder = installation();
    let (data, copy, fresh) = (folder.path().join("data"), folder.path().join("copy"), folder.path().join("fresh"));
    let control = Process::start(folder.path());
    let token = control.login();
    let job = control.build(&token, "one");
    let revision = control.get(&format!("/api/jobs/{job}?wait_ms=20000"), &token)["result_revision_id"].clone();
    control.post("/api/spells/fireball/publish", &token, &json!({ "revision_id": revision }));
    let run = |data: &Path, arguments: &[&str]| run(folder.path(), data, arguments);
    let (well, said) = run(&data, &["backup", copy.to_str().unwrap()]);
    assert!(well, "{said}");
    assert!(!run(&data, &["backup", copy.to_str().unwrap()]).0, "a folder that is not empty is left alone");
    assert!(run(&data, &["verify"]).0 && run(&data, &["verify", copy.to_str().unwrap()]).0);
    assert!(!run(&data, &["restore", copy.to_str().unwrap()]).0, "what is there is not written over");
    drop(control);
    let (well, said) = run(&fresh, &["restore", copy.to_str().unwrap()]);
    assert!(well, "{said}");
    fs::remove_dir_all(&data).unwrap();
    fs::rename(&fresh, &data).unwrap();
    let control = Process::start(folder.path());
    assert_eq!(control.get("/api/spells", &token)["spells"][0]["active_beta_rev"], revision);
    drop(control);
    // A blob that is damaged is named.
    let blob = all_below(&copy.join("blobs")).into_iter().find(|path| path.is_file()).unwrap();
    fs::write(&blob, "other bytes").unwrap();
    let (well, said) = run(&data, &["verify", copy.to_str().unwrap()]);
    assert!(!well && said.contains(blob.file_name().unwrap().to_str().unwrap()), "{said}");
    // One that is missing is told when a copy is made, not when it is needed.
    let blob = all_below(&data.join("blobs")).into_iter().find(|path| path.is_file()).unwrap();
    fs::remove_file(&blob).unwrap();
    let (well, said) = run(&data, &["backup", folder.path().join("another").to_str().unwrap()]);
    assert!(!well && said.contains(blob.file_name().unwrap().to_str().unwrap()), "{said}");
}

#[test]
fn a_full_disk_is_said_and_all_works_again_once_there_is_room() {
    let folder = installation();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    // A small disk of its own; where user namespaces are off this fails, and says so on standard error.
    let mut command = Command::new("unshare");
    command
        .args(["-rm", "sh", "-c", r#"mount -t tmpfs -o size=16m disk "$0" && exec "$@""#])
        .arg(&data)
        .arg(folder.path().join("ugc-control"));
    let control = Process::start_by(command, folder.path(), &[]);
    let token = control.login();
    let world = |name: &str| control.try_post("/worlds", &token, &json!({ "name": name }));
    assert_eq!(world("before").0, 200);

    let ballast = PathBuf::from(format!("/proc/{}/root{}/ballast", control.child.id(), data.display()));
    let mut file = fs::File::create(&ballast).unwrap();
    for size in [64 * 1024, 1] {
        while file.write_all(&vec![0x55; size]).is_ok() {}
    }
    // The first ones may still find room in the database's log.
    until(|| world("meanwhile").0 == 507);
    let build = control.try_post("/api/spells/fireball/build", &token, &json!({ "code": "one" }));
    for (status, problem) in [control.try_post("/login", "", &json!({})), world("meanwhile"), build] {
        assert_eq!((status, &problem["code"]), (507, &json!("disk_full")), "{problem}");
    }
    let is_there = |name: &str| control.get("/worlds", &token)["worlds"].as_array().unwrap().iter().any(|world| world["name"] == name);
    assert!(is_there("before"), "what is there can be read");

    drop(file);
    fs::remove_file(ballast).unwrap();
    control.login();
    assert!(world("after").0 == 200 && is_there("after"));
}

#[test]
fn a_data_directory_is_used_by_one_and_by_the_next_as_soon_as_it_is_let_go_of() {
    let folder = installation();
    let control = Process::start(folder.path());
    let (well, said) = run(folder.path(), &folder.path().join("data"), &[]);
    assert!(!well && said.contains("another ugc-control uses"), "{said}");
    drop(control);
    // As a child of a killed one holds it, which has not begun its own program yet.
    let held = fs::File::open(folder.path().join("data/lock")).unwrap();
    rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let next = std::thread::scope(|scope| {
        let next = scope.spawn(|| Process::start(folder.path()));
        std::thread::sleep(Duration::from_millis(300));
        assert!(!next.is_finished(), "it does not begin before");
        drop(held);
        next.join().unwrap()
    });
    next.login();
}

#[test]
fn operators_may_have_an_address_of_their_own_and_nobody_else_finds_them_then() {
    let folder = installation();
    let control = Process::start_with(folder.path(), &[("ADMIN_ADDRESS", "127.0.0.1:0"), ("ADMIN_TOKEN", "the operator's")]);
    control.logs("operators are served at ");
    let log = control.log.lock().unwrap().clone();
    let operators = log.split_once("operators are served at ").unwrap().1.lines().next().unwrap();
    let ask = |address: &str, path: &str| {
        let request = ureq::get(format!("{address}{path}")).header("Authorization", "Bearer the operator's");
        request.config().http_status_as_error(false).build().call().unwrap().status().as_u16()
    };
    for path in ["/admin/servers", "/admin/audit", "/metrics"] {
        assert_eq!((ask(&control.address, path), ask(operators, path)), (404, 200), "{path}");
    }
    for path in ["/health", "/docs"] {
        assert_eq!((ask(&control.address, path), ask(operators, path)), (200, 200), "{path}");
    }
    let taken = Command::new(folder.path().join("ugc-control"))
        .env_clear()
        .envs([("PORT", "0"), ("ADMIN_ADDRESS", operators.trim_start_matches("http://"))])
        .env("DATA_DIR", folder.path().join("another"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&taken.stderr);
    assert!(!taken.status.success() && said.contains("set ADMIN_ADDRESS to one that is free"), "{said}");
}

#[test]
fn players_hear_why_a_server_does_not_start_and_the_log_alone_hears_where() {
    let folder = installation();
    let control = Process::start(folder.path());
    let token = control.login();
    let world = control.post("/worlds", &token, &json!({}))["world"]["world_id"].as_str().unwrap().to_owned();
    let place = folder.path().to_str().unwrap();
    let refused = |in_short: &str, in_full: &str| {
        let (status, problem) = control.try_post("/join", &token, &json!({ "world_id": world }));
        let detail = problem["detail"].as_str().unwrap();
        assert_eq!((status, &problem["code"]), (503, &json!("no_server")), "{problem}");
        assert!(detail.contains(in_short) && !problem.to_string().contains(place), "{problem}");
        control.logs(in_full);
    };
    let damaged = format!("world file {place}/data/worlds/{world}.sqlite is damaged: its checksum is not that of what it holds");
    fs::write(folder.path().join("refuses"), &damaged).unwrap();
    refused("cannot use what is saved of this world", &damaged);
    fs::remove_file(folder.path().join("refuses")).unwrap();

    fs::write(folder.path().join("stranger"), "").unwrap();
    refused("different versions", "unexpected argument '--artifacts' found");
    control.logs("cargo xtask dist");
    fs::remove_file(folder.path().join("stranger")).unwrap();

    let records = folder.path().join("data/worlds/servers");
    fs::remove_dir(&records).unwrap();
    refused("no record of it can be written", records.to_str().unwrap());
    fs::create_dir(&records).unwrap();

    let program = folder.path().join("ugc-host");
    fs::remove_file(&program).unwrap();
    refused("its program does not start", program.to_str().unwrap());
}

#[test]
fn a_world_s_file_is_left_alone_while_a_server_that_outlived_its_control_plane_runs_on_it() {
    let folder = installation();
    let mut control = Process::start(folder.path());
    let token = control.login();
    let world = control.post("/join", &token, &json!({}))["world_id"].as_str().unwrap().to_owned();
    let host = number_in(&folder.path().join(format!("starts-{world}")));
    control.kill();
    let data = folder.path().join("data");
    let refused = || {
        for arguments in [["world", "restore", &world].as_slice(), &["world", "import", &world, "no such file"]] {
            let (well, said) = run(folder.path(), &data, arguments);
            assert!(!well && said.contains(&format!("kill {}", host.as_raw_nonzero())), "{said}");
            assert!(said.contains(&format!("DELETE /admin/servers/{world}")), "{said}");
        }
    };
    refused();
    fs::remove_file(data.join(format!("worlds/servers/{world}.json"))).unwrap();
    refused();
    kill_process(host, Signal::TERM).unwrap();
    until(|| is_gone(host));
    let (_, said) = run(folder.path(), &data, &["world", "restore", &world]);
    assert!(said.contains("there is no whole previous generation"), "{said}");
}

#[test]
fn a_generator_s_command_ends_with_who_asked_and_with_the_control_plane() {
    let folder = installation();
    let started = folder.path().join("started");
    // What it starts is to end too, and reads nothing that could end.
    let command = format!("sleep 1000 & echo $! > {0}.new; mv {0}.new {0}; wait", started.display());
    let mut control = Process::start_with(folder.path(), &[("GENERATOR_COMMAND", &command)]);
    let token = control.login();
    let ask = |control: &Process| {
        fs::remove_file(&started).ok();
        let job = control.post("/api/spells/fireball/build", &token, &json!({ "prompt": "fire" }))["job_id"].as_str().unwrap().to_owned();
        until(|| started.exists());
        (job, number_in(&started))
    };
    let (job, process) = ask(&control);
    let request = ureq::delete(format!("{}/api/jobs/{job}", control.address)).header("Authorization", format!("Bearer {token}"));
    assert_eq!(request.call().unwrap().status(), 200);
    until(|| is_gone(process));

    let (_, process) = ask(&control);
    control.kill();
    until(|| is_gone(process));

    let mut control = Process::start_with(folder.path(), &[("GENERATOR_COMMAND", &command)]);
    let (_, process) = ask(&control);
    kill_process(Pid::from_child(&control.child), Signal::TERM).unwrap();
    assert!(control.child.wait().unwrap().success());
    until(|| is_gone(process));
}

#[test]
fn a_builder_that_hangs_keeps_nobody_from_playing() {
    let folder = installation();
    fs::write(folder.path().join("hangs"), "").unwrap();
    let control = Process::start(folder.path());
    control.post("/join", &control.login(), &json!({}));
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

fn number_in(file: &Path) -> Pid {
    Pid::from_raw(fs::read_to_string(file).unwrap().trim().parse().unwrap()).unwrap()
}

fn is_gone(process: Pid) -> bool {
    // One whose parent is gone too may wait for a while for somebody to ask how it ended.
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'))
}
