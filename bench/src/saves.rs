//! Nothing is lost: servers killed in the middle of edits, and files with flipped bits.

use crate::report::{Effort, Report, Samples, progress};
use crate::resident::game_server;
use anyhow::{Context, Result, ensure};
use examples::game::is;
use examples::{Game, Http, Player, Server};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const KILLS: u64 = 200;
const PLAYERS: u64 = 10;
/// A player's share of 100 edits a second; it is also all that a player is granted.
const EDIT_INTERVAL: Duration = Duration::from_millis(100);
/// Edits before each kill: from 1.2 s of them on, spread so that kills meet every phase of a save.
const RUN_MIN: Duration = Duration::from_millis(1_200);
const RUN_SPREAD_MS: u64 = 1_000;
const FLIPS: u64 = 10_000;
const TIMEOUT: Duration = Duration::from_secs(30);
const TERRAFORM_APPLIED: u64 = 106;
const CHUNK_DATA: u64 = 107;
const PAINT: u8 = 3;

/// The floor's chunks, by place.
type Chunks = BTreeMap<[i32; 3], Vec<u8>>;

/// One edit that a client was told of.
#[derive(Clone, Copy)]
struct Told {
    at: Instant,
    tick: u64,
    voxel: [i32; 2],
}

/// What one kill came to.
struct Kill {
    /// From the join's request to the first snapshot.
    restart_s: f64,
    /// Age of the newest edit that is lost, seconds before the kill; 0 when none is.
    lost_s: f64,
    edits: usize,
    mixed: bool,
}

/// Measures, prints and records.
pub fn run() -> Result<()> {
    let mut report = Report::begin("saves", Effort::Full);
    let (kills, file) = kill_again_and_again()?;
    let column = |of: fn(&Kill) -> f64| Samples::new(kills.iter().map(of).collect());
    let (restart, lost) = (column(|kill| kill.restart_s), column(|kill| kill.lost_s));
    let edits: usize = kills.iter().map(|kill| kill.edits).sum();
    let mixed = kills.iter().filter(|kill| kill.mixed).count();
    let too_old = kills.iter().filter(|kill| kill.lost_s > 1.0).count();
    let how = format!("ugc-host killed by SIGKILL {KILLS} times while {PLAYERS} players paint 100 voxels a second ({edits} edits in all)");
    let worst = |samples: &Samples| Samples::new(vec![samples.quantile(1.0)]);
    report.extend([
        worst(&lost).row(
            "kill9.oldest_lost_s",
            "s",
            "1.0",
            format!("{how}: age at the kill of the oldest acknowledged edit that was lost"),
        ),
        count("kill9.lost", too_old, format!("{how}: kills after which an edit older than 1 s was lost")),
        count("kill9.mixed", mixed, format!("{how}: kills after which a later edit was there and an earlier one was not")),
        restart.row("kill9.restart_s", "s", "2.0", "from the join's request to the first snapshot, median of all kills"),
        worst(&restart).row("kill9.restart_max_s", "s", "2.0", "the same, worst of all kills"),
    ]);
    let (refused, same, other) = flip_bits(&file)?;
    let how = format!("{FLIPS} single bits, each flipped alone in the file of that world, which is then read");
    report.extend([
        count("flips.refused", refused, format!("{how}: refused")),
        count("flips.meant_nothing", same, format!("{how}: what was read is what was saved, for the bit was in no use")),
        count("flips.unnoticed", other, format!("{how}: something else was read")),
    ]);
    report.finish()?;
    ensure!(mixed == 0 && other == 0, "{mixed} mixed generations, {other} flips unnoticed");
    let by_age = |samples: &Samples| (0..=20).map(|step| (f64::from(step) * 5.0, samples.quantile(f64::from(step) / 20.0))).collect();
    report.plot(
        "saves",
        "What a kill -9 costs, over the kills",
        ("% of the kills", "s"),
        &[("age of the oldest edit that was lost".into(), by_age(&lost)), ("restart to the first snapshot".into(), by_age(&restart))],
    )
}

fn count(key: &'static str, value: usize, how: String) -> crate::report::Row {
    Samples::new(vec![value as f64]).row(key, "", "", how)
}

/// Answers also a file of the world as it was after all that.
fn kill_again_and_again() -> Result<(Vec<Kill>, Vec<u8>)> {
    let server = Server::start()?;
    let http = server.http();
    let players = (0..PLAYERS).map(|index| http.login(Some(&format!("painter-{index}")))).collect::<Result<Vec<_>>>()?;
    let world = http.join(&players[0], None)?.world_id;
    let (mut kills, mut before) = (Vec::new(), BTreeMap::new());
    let mut games = join_all(&http, &players, &world)?;
    for kill in 0..KILLS {
        progress(&format!("kill {} of {KILLS}", kill + 1));
        let run = RUN_MIN + Duration::from_millis(kill * 617 % RUN_SPREAD_MS);
        // Seven materials by turns, so that each kill's paint is new.
        let material = 2 + (kill % 7) as u8;
        let (told, killed) = paint_and_kill(games, material, run, &world)?;
        let started = Instant::now();
        games = join_all(&http, &players[..1], &world)?;
        games[0].wait_for("the first snapshot", TIMEOUT, |game, _| game.me().filter(|me| me.health > 0.0).map(drop))?;
        let restart_s = started.elapsed().as_secs_f64();
        kills.push(judge(&mut games[0], &told, killed, material, restart_s, &mut before)?);
        games.extend(join_all(&http, &players[1..], &world)?);
    }
    progress("");
    drop(games);
    let path = server.data.join(format!("worlds/{world}.sqlite"));
    drop_server(server, &path).map(|file| (kills, file))
}

/// Stops the server and answers what the world's file holds.
fn drop_server(mut server: Server, path: &Path) -> Result<Vec<u8>> {
    ensure!(server.stop()?, "the control plane does not end cleanly");
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn join_all(http: &Http, players: &[Player], world: &str) -> Result<Vec<Game>> {
    players.iter().map(|player| join(http, player, world)).collect()
}

/// As a client does that was thrown out: the control plane may not have noticed yet that the server is gone.
fn join(http: &Http, player: &Player, world: &str) -> Result<Game> {
    let begun = Instant::now();
    loop {
        match http.join(player, Some(world)).and_then(|join| Game::join(&join)) {
            Ok(game) => return Ok(game),
            Err(error) if begun.elapsed() > TIMEOUT => return Err(error),
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// All players paint, each its own voxels, until the server is killed in the middle of it. Answers what they were told, and when it was killed.
fn paint_and_kill(games: Vec<Game>, material: u8, run: Duration, world: &str) -> Result<(Vec<Told>, Instant)> {
    let (all, begun) = (Mutex::new(Vec::new()), Instant::now());
    let killed = std::thread::scope(|scope| -> Result<Instant> {
        for (index, mut game) in games.into_iter().enumerate() {
            let all = &all;
            scope.spawn(move || paint(&mut game, index as i32, material, begun + run, all));
        }
        std::thread::sleep(run);
        let killed = Instant::now();
        kill_host(world)?;
        Ok(killed)
    })?;
    Ok((all.into_inner().unwrap_or_default(), killed))
}

/// Ends when the connection does.
fn paint(game: &mut Game, row: i32, material: u8, until: Instant, all: &Mutex<Vec<Told>>) {
    let mut waiting: BTreeMap<u64, [i32; 2]> = BTreeMap::new();
    let (mut sequence, mut next) = (0_u64, Instant::now());
    loop {
        if Instant::now() >= next {
            next += EDIT_INTERVAL;
            let voxel = [sequence as i32 % 40 - 20, 8 + row];
            let center = [f64::from(voxel[0]) + 0.5, 0.5, f64::from(voxel[1]) + 0.5];
            let edit = json!({ "type": 3, "op_type": PAINT, "center": center, "radius": 0.5, "material_id": material, "client_sequence_id": sequence });
            if game.send(&edit).is_err() {
                return;
            }
            waiting.insert(sequence, voxel);
            sequence += 1;
        }
        match game.next(next) {
            Ok(Some(message)) => note(&message, &mut waiting, all),
            Ok(None) if Instant::now() < until + Duration::from_secs(5) => {}
            _ => return,
        }
    }
}

fn note(message: &Value, waiting: &mut BTreeMap<u64, [i32; 2]>, all: &Mutex<Vec<Told>>) {
    let Some(applied) = is(message, TERRAFORM_APPLIED) else { return };
    // All clients hear of all edits, and number theirs alike: the place tells whose it is.
    let (Some(sequence), Some(tick)) = (applied["client_sequence_id"].as_u64(), applied["server_tick"].as_u64()) else { return };
    let Some(voxel) = waiting.get(&sequence).copied() else { return };
    let center = [applied["center"][0].as_f64(), applied["center"][2].as_f64()].map(|axis| axis.unwrap_or_default().floor() as i32);
    if center == voxel
        && let Ok(mut all) = all.lock()
    {
        waiting.remove(&sequence);
        all.push(Told { at: Instant::now(), tick, voxel });
    }
}

/// Which of the edits are there, whether they are all up to some tick, and how old the oldest is that is not.
/// `before` are the chunks as they were when the painting began: a voxel that was of this material then says nothing.
fn judge(game: &mut Game, told: &[Told], killed: Instant, material: u8, restart_s: f64, before: &mut Chunks) -> Result<Kill> {
    let mut chunks = Chunks::new();
    let (mut newest_there, mut oldest_gone) = (None::<u64>, None::<u64>);
    let mut lost_s = 0.0_f64;
    for edit in told {
        let [x, z] = edit.voxel;
        let chunk = [x.div_euclid(32), 0, z.div_euclid(32)];
        let voxels = match chunks.entry(chunk) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(fetch(game, chunk)?),
        };
        let index = (x.rem_euclid(32) + 1024 * z.rem_euclid(32)) as usize;
        if before.get(&chunk).is_some_and(|before| before[index] == material) {
            continue;
        }
        if voxels[index] == material {
            newest_there = newest_there.max(Some(edit.tick));
        } else {
            oldest_gone = Some(oldest_gone.map_or(edit.tick, |gone| gone.min(edit.tick)));
            lost_s = lost_s.max(killed.saturating_duration_since(edit.at).as_secs_f64());
        }
    }
    let mixed = oldest_gone.zip(newest_there).is_some_and(|(gone, there)| gone <= there);
    // What nobody painted in this run is as it was.
    before.append(&mut chunks);
    Ok(Kill { restart_s, lost_s, edits: told.len(), mixed })
}

fn fetch(game: &mut Game, chunk: [i32; 3]) -> Result<Vec<u8>> {
    game.send(&json!({ "type": 4, "chunk_id": chunk, "last_known_version": 0 }))?;
    let data = game.wait_for("a chunk", TIMEOUT, |_, message| is(message, CHUNK_DATA).filter(|data| data["chunk_id"] == json!(chunk)))?;
    unpack(data["data"].as_str().context("no data")?)
}

fn unpack(data: &str) -> Result<Vec<u8>> {
    let packed = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, data)?;
    let mut voxels = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*packed), &mut voxels)?;
    ensure!(voxels.len() == 32_768, "a chunk of {} bytes", voxels.len());
    Ok(voxels)
}

/// Kills the game server of this world.
fn kill_host(world: &str) -> Result<()> {
    let process = game_server(world)?;
    ensure!(Command::new("kill").args(["-9", &process]).status()?.success(), "cannot kill {process}");
    Ok(())
}

/// How many flips were refused, meant nothing, and were not noticed.
fn flip_bits(file: &[u8]) -> Result<(usize, usize, usize)> {
    // In memory where the system offers that: ten thousand files are for no disk.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())?;
    let path = folder.path().join("world.sqlite");
    fs::write(&path, file)?;
    let whole = store::WorldFile::read(&path)?.context("the world was saved")?;
    let (mut refused, mut same, mut other) = (0, 0, 0);
    for index in 0..FLIPS {
        if index % 100 == 0 {
            progress(&format!("flip {index} of {FLIPS}"));
        }
        let bit = index.wrapping_mul(0x9E37_79B9_7F4A_7C15) % (file.len() as u64 * 8);
        let mut flipped = file.to_vec();
        flipped[(bit / 8) as usize] ^= 1 << (bit % 8);
        fs::write(&path, flipped)?;
        match store::WorldFile::read(&path) {
            Err(_) => refused += 1,
            Ok(Some(contents)) if contents == whole => same += 1,
            Ok(_) => other += 1,
        }
    }
    progress("");
    Ok((refused, same, other))
}
