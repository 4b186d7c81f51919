//! What breaks around a game server while people play: it plays on, says so, and loses nothing that could be kept.

use crate::client::Client;
use crate::control_plane::{Mood, TicketOffice, WORLD, World, publish, push, secrets};
use crate::disk::Disk;
use crate::process::{self, HOST, Process, save, start_as, start_over, try_start};
use crate::spell;
use protocol::Sha256Hex;
use protocol::link::{Errand, Order, Push, Report};
use serde_json::json;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Artifact, WorldFile};
use tempfile::TempDir;

const FIRST: &str = "rev_000001_0a1b2c3d";
const SECOND: &str = "rev_000002_0a1b2c3d";

/// Plays for five seconds of the world, which take no longer for whoever plays.
fn plays_on_time(client: &mut Client) {
    let (took, pause) = client.play(300);
    // A tick that waits for a disk or a line waits for seconds; a busy machine is late by less.
    assert!(took < Duration::from_secs(8) && pause < Duration::from_secs(2), "300 ticks took {took:?}, with a pause of {pause:?}");
}

/// Digs at the n-th place, and waits until that is done.
fn dig(client: &mut Client, n: u32) {
    client.terraform([6.0 + 2.0 * n as f32, 1.0, 6.0], 0.9, n);
    client.wait_for(106, |_| true);
}

/// The number of changes of the chunk in which everybody digs.
fn changes(client: &mut Client) -> u64 {
    client.chunk([0, 0, 0])["version"].as_u64().expect("a number") - 1
}

/// Casts a spell until its broken revision is in quarantine here.
fn cast_until_it_is_quarantined(client: &mut Client, process: &Process) {
    for _ in 0..host::limits::TRIAL_CASTS_MIN {
        client.cast("spark");
        client.wait_for(121, |stopped| stopped["spell_id"] == "spark" && stopped["hook"] == "on-cast");
        client.play(sim::limits::CAST_COOLDOWN_TICKS);
    }
    process.log.wait_for("quarantined on this world");
}

fn is_quarantine(report: &Report) -> bool {
    matches!(report, Report::Quarantined { spell_id, .. } if spell_id.as_str() == "spark")
}

#[test]
fn a_server_that_was_stopped_for_seconds_skips_what_it_missed_and_keeps_its_players() {
    let process = process::start();
    let mut client = process.join("kim");
    client.input(1, [0.0; 3]);
    process.child.signal("STOP");
    let before = client.drain(Duration::from_secs(3)).unwrap_or_default().max(1);
    // What a client sends in twelve seconds: longer ones the control plane ends.
    for sequence in 2..=720 {
        client.input(sequence, [0.0; 3]);
    }
    process.child.signal("CONT");
    let (woken, first) = (Instant::now(), client.tick());
    client.wait_for(101, |snapshot| snapshot["server_tick"].as_u64() >= Some(first + 60));
    assert!(first <= before + 30, "from {before} on to {first} at once");
    // Without a bound, the 180 ticks of three seconds would be made up for at once.
    assert!(woken.elapsed() > Duration::from_millis(700), "60 ticks in {:?}", woken.elapsed());
    client.wait_for(101, |snapshot| snapshot["player_state"]["seq"] == 720);
    let skipped = |report: &Report| matches!(report, Report::Health(health) if health.skipped_ticks >= 150);
    process.control_plane.report(skipped);
    plays_on_time(&mut client);
    process.end();
}

#[test]
fn on_a_full_disk_people_play_on_and_what_they_did_is_saved_once_there_is_room() {
    let disk = Disk::of(16);
    let mut process = start_as(disk.host(), disk.folder.clone());
    let mut client = process.join("kim");
    dig(&mut client, 1);
    client.play(90);
    disk.fill();
    dig(&mut client, 2);
    process.log.wait_for("the world is not saved");
    let artifact = process.control_plane.offer(&spell::broken());
    publish(&mut process.stream, "spark", FIRST, artifact, 1);
    process.log.wait_for("an artifact is not kept");
    client.wait_for(122, |active| active["spell_id"] == "spark");
    client.cast("spark");
    process.log.wait_for("a recording was not kept");
    plays_on_time(&mut client);
    dig(&mut client, 3);
    disk.free();
    process.log.wait_for("the world is saved again");
    client.play(60);
    process.child.kill();

    let process = start_as(disk.host(), disk.folder.clone());
    assert_eq!(changes(&mut process.join("kim")), 3);
    process.end();
}

#[test]
fn a_caster_hears_what_its_cast_came_to_and_pays_for_it() {
    let mut process = process::start();
    let (mut kim, mut ann) = (process.join("kim"), process.join("ann"));
    let artifact = process.control_plane.offer(&spell::broken());
    publish(&mut process.stream, "spark", FIRST, artifact, 1);
    kim.wait_for(122, |active| active["spell_id"] == "spark");
    kim.cast("spark");
    let began = kim.wait_for(112, |_| true);
    let report = kim.wait_for(126, |_| true);
    for key in ["spell_id", "revision_id", "caster_entity_id"] {
        assert_eq!(report[key], began[key]);
    }
    assert_eq!((&report["began_tick"], &report["reason"]), (&began["server_tick"], &json!("fault")));
    let hooks = report["hooks"].as_array().expect("a list");
    assert_eq!((hooks.len(), &hooks[0]["hook"], &hooks[0]["calls"]), (1, &json!("on-cast"), &json!(1)));
    assert!(hooks[0]["fuel"].as_u64() >= Some(10_000) && hooks[0]["fuel"] == hooks[0]["fuel_max"], "{report}");
    assert_eq!(report["memory_bytes"], 65_536);
    assert!(report["mana"].as_f64() > Some(0.0), "{report}");
    let status = kim.wait_for(124, |status| status["mana"].as_f64() < Some(99.0));
    assert_eq!(status["statuses"], json!([]));
    // Nobody else hears of it.
    let told = ann.wait_for(101, |snapshot| snapshot["server_tick"].as_u64() > report["server_tick"].as_u64());
    ann.ping(9);
    assert!(told["server_tick"].is_u64());
    loop {
        let message = ann.next();
        assert_ne!(message["type"], 126);
        if message["type"] == 108 {
            break;
        }
    }
    process.end();
}

/// Has it save now; why it did not, if it did not.
fn save_now(process: &mut Process, number: u64) -> Option<String> {
    push(&mut process.stream, &Push::Order(Order { number, what: Errand::Save }));
    match process.control_plane.report(|report| matches!(report, Report::Done(done) if done.order == number)) {
        Report::Done(done) => done.error,
        other => unreachable!("{other:?} was not asked for"),
    }
}

#[test]
fn a_save_that_is_asked_for_is_done_when_it_is_on_the_disk_and_no_sooner() {
    let disk = Disk::of(16);
    let mut process = start_as(disk.host(), disk.folder.clone());
    let mut client = process.join("kim");
    dig(&mut client, 1);
    assert_eq!(save_now(&mut process, 1), None);
    disk.fill();
    dig(&mut client, 2);
    let refused = save_now(&mut process, 2).expect("there is no room");
    assert!(refused.contains("disk is full"), "{refused}");
    disk.free();
    assert_eq!(save_now(&mut process, 3), None);
    process.child.kill();

    let process = start_as(disk.host(), disk.folder.clone());
    assert_eq!(changes(&mut process.join("kim")), 2);
    process.end();
}

#[test]
fn a_server_that_stops_on_a_full_disk_says_that_the_world_is_not_saved() {
    let disk = Disk::of(16);
    let mut process = start_as(disk.host(), disk.folder.clone());
    let mut client = process.join("kim");
    dig(&mut client, 1);
    client.play(90);
    disk.fill();
    dig(&mut client, 2);
    process.log.wait_for("the world is not saved");
    let told = Instant::now();
    process.child.signal("TERM");
    assert!(!process.child.wait().success());
    assert!(told.elapsed() < Duration::from_secs(8), "the control plane would have killed it");
    let said = process.log.rest();
    assert!(said.contains("the last save could not be written") && said.contains("disk is full"), "{said}");
    disk.free();
    let process = start_as(disk.host(), disk.folder.clone());
    assert_eq!(changes(&mut process.join("kim")), 1, "what was saved before is whole");
    process.end();
}

#[test]
fn a_server_that_stops_saves_when_the_disk_has_room_in_time() {
    let disk = Disk::of(16);
    let mut process = start_as(disk.host(), disk.folder.clone());
    let mut client = process.join("kim");
    client.play(90);
    disk.fill();
    dig(&mut client, 1);
    process.log.wait_for("the world is not saved");
    process.child.signal("TERM");
    assert_eq!(client.wait_for_close().0, 1001);
    disk.free();
    assert!(process.child.wait().success(), "{}", process.log.rest());
    let process = start_as(disk.host(), disk.folder.clone());
    assert_eq!(changes(&mut process.join("kim")), 1);
    process.end();
}

#[test]
fn a_read_only_disk_refuses_the_world_by_name_and_changes_nothing() {
    let disk = Disk::of(16);
    let process = start_as(disk.host(), disk.folder.clone());
    let mut client = process.join("kim");
    dig(&mut client, 1);
    process.end();
    let before = fs::read(disk.save()).expect("it is there");
    disk.set_read_only(true);
    let ended = try_start(disk.host(), disk.folder.clone()).err().expect("it does not start");
    let told = format!("GAMESERVER_ERROR=world file {} cannot be used", save(&disk.folder).display());
    assert!(!ended.status.success() && ended.said.contains(&told), "{}", ended.said);
    assert_eq!(fs::read(disk.save()).expect("it is there"), before);
    disk.set_read_only(false);
    let process = start_as(disk.host(), disk.folder.clone());
    assert_eq!(changes(&mut process.join("kim")), 1);
    process.end();
}

#[test]
fn read_only_folders_for_artifacts_and_recordings_keep_nobody_from_playing() {
    let disk = Disk::of(16);
    disk.read_only_folder("world.artifacts");
    disk.read_only_folder("world.recordings");
    let mut process = start_as(disk.host(), disk.folder.clone());
    let mut client = process.join("kim");
    let artifact = process.control_plane.offer(&spell::broken());
    publish(&mut process.stream, "spark", FIRST, artifact, 1);
    process.log.wait_for("an artifact is not kept");
    client.wait_for(122, |active| active["spell_id"] == "spark");
    client.cast("spark");
    process.log.wait_for("a recording was not kept");
    plays_on_time(&mut client);
    process.end();
}

/// No file may grow or be written, from one moment to the next: each write fails as on a disk that breaks.
#[test]
fn a_disk_that_fails_every_write_loses_nothing_once_it_works_again() {
    let folder = Arc::new(tempfile::tempdir().expect("a folder"));
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", HOST]);
    let mut process = start_as(command, folder);
    let mut client = process.join("kim");
    dig(&mut client, 1);
    client.play(90);
    let limit = |bytes: &str| {
        let limited = Command::new("prlimit").arg(format!("--pid={}", process.child.0.id())).arg(format!("--fsize={bytes}:")).status();
        assert!(limited.expect("prlimit of util-linux is installed").success());
    };
    limit("0");
    dig(&mut client, 2);
    process.log.wait_for("the world is not saved");
    plays_on_time(&mut client);
    limit("unlimited");
    process.log.wait_for("the world is saved again");
    client.play(60);
    process.child.kill();

    let process = start_over(process.folder.clone());
    assert_eq!(changes(&mut process.join("kim")), 2);
    process.end();
}

/// The control plane gets into this mood while people play, a revision breaks meanwhile, and then all is well again.
fn plays_through(mood: Mood) {
    let mut process = process::start();
    let mut client = process.join("kim");
    let broken = process.control_plane.offer(&spell::broken());
    publish(&mut process.stream, "spark", FIRST, broken, 1);
    client.wait_for(122, |active| active["spell_id"] == "spark" && active["revision_id"] == FIRST);
    process.control_plane.be(mood);
    let calm = process.control_plane.offer(&spell::calm());
    publish(&mut process.stream, "calm", FIRST, calm.clone(), 2);
    process.log.wait_for("trying again");
    cast_until_it_is_quarantined(&mut client, &process);
    plays_on_time(&mut client);
    process.log.wait_for("reports are not delivered");

    process.control_plane.be(Mood::Good);
    let (request, mut stream) = process.control_plane.stream();
    assert!(request.contains("?after=1&"), "what did not come whole has not happened: {request}");
    publish(&mut stream, "calm", FIRST, calm, 2);
    client.wait_for(122, |active| active["spell_id"] == "calm" && active["revision_id"] == FIRST);
    client.cast("calm");
    client.wait_for(112, |cast| cast["spell_id"] == "calm");
    process.control_plane.report(is_quarantine);
    process.end();
}

#[test]
fn a_control_plane_that_says_nothing_stops_nobody() {
    plays_through(Mood::Mute);
}

#[test]
fn a_control_plane_that_trickles_stops_nobody() {
    plays_through(Mood::Trickle);
}

#[test]
fn somebody_elses_page_in_place_of_the_control_plane_stops_nobody() {
    plays_through(Mood::Html);
}

#[test]
fn a_control_plane_that_redirects_stops_nobody() {
    plays_through(Mood::Redirect);
}

#[test]
fn a_control_plane_that_fails_stops_nobody() {
    plays_through(Mood::Status(500));
}

#[test]
fn a_control_plane_that_knows_nobody_stops_nobody() {
    plays_through(Mood::Status(401));
}

#[test]
fn a_control_plane_that_is_at_another_address_stops_nobody() {
    plays_through(Mood::Status(404));
}

#[test]
fn a_control_plane_that_has_enough_stops_nobody() {
    plays_through(Mood::Status(429));
}

#[test]
fn a_control_plane_that_answers_with_other_bytes_stops_nobody() {
    plays_through(Mood::WrongBytes);
}

#[test]
fn a_control_plane_that_answers_without_an_end_stops_nobody() {
    plays_through(Mood::Endless);
}

/// What is not understood is said once, and the reports beside it are heard.
#[test]
fn a_control_plane_that_does_not_understand_one_report_hears_the_others() {
    let mut process = process::start();
    let mut client = process.join("kim");
    let broken = process.control_plane.offer(&spell::broken());
    publish(&mut process.stream, "spark", FIRST, broken, 1);
    client.wait_for(122, |active| active["spell_id"] == "spark");
    // Some are gathered before there is one who could understand any.
    process.control_plane.be(Mood::Status(500));
    process.log.wait_for("reports are not delivered");
    cast_until_it_is_quarantined(&mut client, &process);
    client.play(60);
    process.control_plane.be(Mood::Older);
    process.control_plane.report(is_quarantine);
    process.end();
}

/// With these arguments instead of `--port 0`; it ends by itself or when it listens.
fn started_with(folder: &TempDir, arguments: &[&str]) -> Output {
    let mut child = Command::new(HOST)
        .args(["--world", WORLD, "--control-plane", "http://127.0.0.1:1", "--save"])
        .arg(save(folder))
        .args(arguments)
        .env_remove("HOST")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let secrets = serde_json::to_string(&secrets(&TicketOffice::new())).expect("JSON");
    writeln!(child.stdin.take().expect("piped"), "{secrets}").expect("it reads its secrets");
    child.wait_with_output().expect("it ends")
}

#[test]
fn a_port_that_is_taken_is_said_and_the_world_is_not_touched() {
    let folder = Arc::new(tempfile::tempdir().expect("a folder"));
    start_over(folder.clone()).end();
    let before = fs::read(save(&folder)).expect("it is there");
    let holder = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = holder.local_addr().expect("an address").port().to_string();
    let output = started_with(&folder, &["--port", &port]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(&format!("cannot listen on 127.0.0.1:{port}")), "{said}");
    assert_eq!(fs::read(save(&folder)).expect("it is there"), before, "no epoch was taken");
}

#[test]
fn a_metrics_address_that_is_taken_is_said_and_the_world_is_played() {
    let folder = Arc::new(tempfile::tempdir().expect("a folder"));
    let holder = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = holder.local_addr().expect("an address").to_string();
    let mut command = Command::new(HOST);
    command.args(["--metrics", &address]);
    let process = start_as(command, folder);
    let said = process.log.wait_for("no metrics");
    assert!(said.contains(&address), "{said}");
    process.join("kim");
    process.end();
}

#[test]
fn a_server_without_players_whose_control_plane_is_gone_is_an_orphan() {
    let world = World::start();
    let (client, _) = world.join("kim");
    world.control_plane.be(Mood::Status(500));
    world.stream.shutdown(std::net::Shutdown::Both).expect("it is open");
    let server = world.server.as_ref().expect("it runs");
    let within = |seconds| {
        let orphaned = server.orphaned(Duration::from_secs(1));
        world.runtime.block_on(async { tokio::time::timeout(Duration::from_secs(seconds), orphaned).await.is_ok() })
    };
    assert!(!within(4), "somebody plays");
    drop(client);
    assert!(within(20), "nobody needs it");
}

#[test]
fn a_server_whose_control_plane_is_there_is_no_orphan() {
    let mut world = World::start();
    let orphaned = world.server.as_ref().expect("it runs").orphaned(Duration::from_secs(2));
    let (_enter, orphaned) = (world.runtime.enter(), world.runtime.spawn(orphaned));
    // A word each second, for twice as long as an orphan waits.
    let until = Instant::now() + Duration::from_secs(4);
    while Instant::now() < until {
        push(&mut world.stream, &Push::Alive);
        assert!(world.control_plane.stream_within(Duration::from_millis(500)).is_none());
    }
    assert!(!orphaned.is_finished());
}

/// Stopped for longer than the control plane waits: a second server has the world when the first one wakes.
#[test]
fn a_server_that_wakes_after_another_one_has_its_world_ends_and_writes_nothing() {
    let first = process::start();
    let mut ann = first.join("ann");
    dig(&mut ann, 1);
    ann.play(90);
    let (mut first, second) = stop_and_start_another(first);
    let mut kim = second.join("kim");
    dig(&mut kim, 2);
    kim.play(120);
    first.child.signal("CONT");
    assert!(!first.child.wait().success());
    let said = first.log.rest();
    assert!(said.contains("another server has taken the world over"), "{said}");
    dig(&mut kim, 3);
    second.end();

    let third = start_over(first.folder.clone());
    assert_eq!(changes(&mut third.join("kim")), 3);
    third.end();
}

/// One that is stopped in the middle of a save holds the file, until it is killed or goes on: then it goes on for a moment.
fn stop_and_start_another(first: Process) -> (Process, Process) {
    for _ in 0..10 {
        first.child.signal("STOP");
        match try_start(Command::new(HOST), first.folder.clone()) {
            Ok(second) => return (first, second),
            Err(ended) => assert!(ended.said.contains("database is locked"), "{}", ended.said),
        }
        first.child.signal("CONT");
    }
    panic!("it always was in the middle of a save");
}

/// After an upgrade: what an older server has left in the cache and in the world's file does not run here. The world opens all the same, and the spell comes anew.
#[test]
fn artifacts_of_an_older_engine_are_left_and_fetched_anew() {
    let mut process = process::start();
    let mut client = process.join("kim");
    dig(&mut client, 1);
    let artifact = process.control_plane.offer(&spell::calm());
    publish(&mut process.stream, "calm", FIRST, artifact, 1);
    client.wait_for(122, |active| active["spell_id"] == "calm");
    client.cast("calm");
    client.wait_for(112, |cast| cast["spell_id"] == "calm");
    client.play(90);
    let folder = process.folder.clone();
    process.end();
    let older = spell::of_an_older_engine();
    make_old(&folder, &older);

    let mut process = start_over(folder);
    process.log.wait_for("a revision of the world's file is not taken");
    process.log.wait_for("a cast could not go on after the load");
    let mut client = process.join("kim");
    assert_eq!(changes(&mut client), 1);
    // A control plane that has not been upgraded names what lies in the cache.
    publish(&mut process.stream, "calm", FIRST, Sha256Hex::of(&older), 1);
    let refused = process.control_plane.report(|report| matches!(report, Report::Refused { .. }));
    assert!(matches!(&refused, Report::Refused { message, .. } if message.contains("engine")), "{refused:?}");
    assert!(!process.control_plane.was_fetched(&Sha256Hex::of(&older)), "it was there");
    let anew = process.control_plane.offer(&spell::calm());
    publish(&mut process.stream, "calm", SECOND, anew.clone(), 2);
    client.wait_for(122, |active| active["spell_id"] == "calm" && active["revision_id"] == SECOND);
    client.cast("calm");
    client.wait_for(112, |cast| cast["spell_id"] == "calm");
    process.end();
}

/// The world's file and the cache as a server of before the upgrade has left them.
fn make_old(folder: &TempDir, artifact: &[u8]) {
    let mut contents = WorldFile::read(&save(folder)).expect("whole").expect("a saved world");
    assert_eq!(contents.artifacts.len(), 1, "the cast's");
    for one in &mut contents.artifacts {
        *one = Artifact { bytes: artifact.into(), ..one.clone() };
    }
    WorldFile::replace(&save(folder), &contents).expect("written");
    let cache = folder.path().join("world.artifacts");
    fs::remove_dir_all(&cache).expect("it was kept");
    fs::create_dir(&cache).expect("a folder");
    fs::write(cache.join(Sha256Hex::of(artifact).as_str()), artifact).expect("written");
}
