//! Connections: hundreds of players on one machine, two hundred that misbehave beside sixteen that do not, and players who cheat.

mod bad;

use crate::bot::{self, Bot, Manner, Seen};
use crate::report::{Effort, Report, Row, Samples, Series, bar};
use crate::resident::Resident;
use anyhow::{Context, Result, ensure};
use examples::{Http, Server};
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

const ADMIN: &str = "an admin token for benchmarks";
/// All bots of this machine come from one address.
const ENVIRONMENT: [(&str, &str); 2] = [("ADMIN_TOKEN", ADMIN), ("CONNECTIONS_PER_ADDRESS", "512")];
/// A world takes 256 players, so they are in two.
const BOTS: (usize, usize) = (500, 40);
const WORLDS: usize = 2;
const PLAY: (Duration, Duration) = (Duration::from_secs(40), Duration::from_secs(5));
/// After the last has joined.
const SETTLING: Duration = Duration::from_secs(2);
const GOOD: usize = 16;
/// From one shot to the next.
const SHOT_SECONDS: f64 = 0.2;
/// Threads that play bots.
const THREADS: usize = 4;

/// Measures, prints and records.
pub fn run(effort: Effort) -> Result<()> {
    let mut report = Report::begin("connections", effort);
    let (rows, growth) = crowd(effort)?;
    report.extend(rows);
    report.extend(attacked(effort)?);
    report.extend(cheats(effort)?);
    report.finish()?;
    report.plot("connections", "Game servers' memory over connections", ("connections", "MiB"), &[growth])
}

/// Five hundred honest players.
fn crowd(effort: Effort) -> Result<(Vec<Row>, Series)> {
    let server = Server::start_with(&ENVIRONMENT)?;
    let http = server.http();
    let count = effort.pick(BOTS.0, BOTS.1);
    let progress = bar("bots", count);
    let (mut worlds, mut growth): (Vec<String>, Vec<_>) = Default::default();
    let resident = || -> Result<f64> {
        server.game_servers().iter().try_fold(0.0, |sum, process| Ok(sum + Resident::of(&process.to_string())?.rss_kib / 1024.0))
    };
    let (counts, over) = (AtomicBool::new(false), AtomicBool::new(false));
    let (health, seen) = thread::scope(|scope| -> Result<_> {
        // They play from the start: who waits in silence is not what a server holds.
        let (arrive, players): (Vec<_>, Vec<_>) = (0..THREADS)
            .map(|_| {
                let ((arrive, arrivals), counts, over) = (channel(), &counts, &over);
                (arrive, scope.spawn(move || bot::play_arriving(&arrivals, counts, over)))
            })
            .unzip();
        let mut session = || -> Result<Samples> {
            for number in 0..count {
                let join = http.join(&http.login(None)?, worlds.get(number % WORLDS).map(String::as_str))?;
                if worlds.len() < WORLDS {
                    worlds.push(join.world_id.clone());
                }
                let bot = Bot::join(&join, number as u32, Manner::Lively)?;
                arrive[number % THREADS].send(bot).ok().context("a thread of bots ended")?;
                if number % 25 == 24 {
                    growth.push(((number + 1) as f64, resident()?));
                }
                progress.inc(1);
            }
            thread::sleep(SETTLING);
            counts.store(true, Ordering::Relaxed);
            watch(&http, WORLDS, effort.pick(PLAY.0, PLAY.1))
        };
        let health = session();
        over.store(true, Ordering::Relaxed);
        let mut seen = Vec::new();
        for player in players {
            seen.extend(player.join().ok().context("a thread of bots panicked")??);
        }
        Ok((health?, seen))
    })?;
    progress.finish_and_clear();
    let intervals = Samples::new(seen.iter().flat_map(|seen| &seen.intervals_ms).copied().collect());
    let bytes = Samples::new(seen.iter().map(|seen| seen.bytes as f64 / seen.snapshots.max(1) as f64 * 20.0 / 1e3).collect());
    let (first, last) = (growth[0], growth[growth.len() - 1]);
    let each = (last.1 - first.1) * 1024.0 / (last.0 - first.0);
    let how = "500 bots of v2 in two worlds, walking, each an input a tick and a shot every two seconds";
    let rows = vec![
        health.row(
            "bots_500.tick_p99_ms",
            "ms",
            "16.67",
            format!("{how}; each world's 99th percentile of each second, as the server says"),
        ),
        intervals.only(0.99).row(
            "bots_500.snapshot_interval_p99_ms",
            "ms",
            "60",
            format!("{how}; between two snapshots, as each client sees it"),
        ),
        intervals.row("bots_500.snapshot_interval_ms", "ms", "", "of the same"),
        bytes.row("bots_500.kilobytes_per_second", "kB/s", "", "to one client, events included, for 250 players in one place"),
        Samples::new(vec![each]).row(
            "bots_500.kib_per_connection",
            "KiB",
            "",
            "the game servers' memory, from the first connections to the last, their players included",
        ),
    ];
    Ok((rows, ("both ugc-host".to_owned(), growth)))
}

/// Two hundred bad ones beside sixteen good ones.
fn attacked(effort: Effort) -> Result<Vec<Row>> {
    let server = Server::start_with(&ENVIRONMENT)?;
    let http = server.http();
    let mut world: Option<String> = None;
    let mut bots = Vec::new();
    for number in 0..GOOD {
        let join = http.join(&http.login(None)?, world.as_deref())?;
        world = Some(join.world_id.clone());
        bots.push(Bot::join(&join, number as u32, Manner::Honest)?);
    }
    let world = world.context("a world")?;
    let over = AtomicBool::new(false);
    let process = server.game_servers().first().copied().context("a game server runs")?.to_string();
    let (quiet, ends, grown) = thread::scope(|scope| -> Result<_> {
        let (bots, over) = (&mut bots, &over);
        let measured = scope.spawn(move || -> Result<Vec<f64>> {
            bot::play_for(bots, Duration::from_secs(5))?;
            let before = bots.iter().flat_map(|bot| settled(&bot.seen.intervals_ms)).copied().collect();
            bots.iter_mut().for_each(Bot::begin);
            bot::play(bots, over)?;
            Ok(before)
        });
        thread::sleep(Duration::from_secs(5));
        let before = Resident::of(&process)?.rss_kib;
        let mut most = before;
        let ends = thread::scope(|inner| -> Result<_> {
            let attack = inner.spawn(|| bad::attack(&http, &world, effort.pick(bad::EACH, 5)));
            while !attack.is_finished() {
                most = most.max(Resident::of(&process)?.rss_kib);
                thread::sleep(Duration::from_millis(100));
            }
            attack.join().ok().context("the attack panicked")?
        });
        over.store(true, Ordering::Relaxed);
        let quiet = measured.join().ok().context("the good bots panicked")??;
        Ok((quiet, ends?, (most - before) / 1024.0))
    })?;
    for ((kind, how), (count, longest)) in bad::summary(&ends) {
        println!("{kind:?}: {count} ended with {how}, the last after {longest:.1} s");
    }
    let intervals = Samples::new(bots.iter().flat_map(|bot| &bot.seen.intervals_ms).copied().collect());
    let seconds = Samples::new(ends.iter().map(|end| end.seconds).collect());
    Ok(vec![
        intervals.only(0.99).against(
            &Samples::new(quiet).only(0.99),
            "the same bots alone",
            "bad_200.good_interval_p99_ms",
            "ms",
            "60",
            "16 bots' intervals between snapshots beside 50 clients that never read, 50 slow handshakes, 50 floods of 10,000 messages a second, 50 with random bytes",
        ),
        Samples::new(vec![grown]).row("bad_200.rss_mib", "MiB", "64", "the game server's memory at its most, beyond that before"),
        seconds.only(1.0).row("bad_200.longest_s", "s", "10", "until the last of them was closed"),
    ])
}

/// Players who cheat, beside honest ones: none goes further or shoots more.
fn cheats(effort: Effort) -> Result<Vec<Row>> {
    let server = Server::start_with(&ENVIRONMENT)?;
    let http = server.http();
    let manners = [Manner::TenTimes, Manner::Replays, Manner::Future, Manner::NotNumbers, Manner::Bursts, Manner::FiresAlways];
    let mut world: Option<String> = None;
    let mut bots = Vec::new();
    for number in 0..2 * manners.len() {
        for manner in [Manner::Honest, manners[number % manners.len()]] {
            let join = http.join(&http.login(None)?, world.as_deref())?;
            world = Some(join.world_id.clone());
            // The same number goes the same way.
            bots.push((manner, Bot::join(&join, number as u32, manner)?));
        }
    }
    let (manners, mut bots): (Vec<Manner>, Vec<Bot>) = bots.into_iter().unzip();
    bot::play_for(&mut bots, effort.pick(PLAY.0, PLAY.1))?;
    let of = |honest: bool, value: fn(&Seen) -> f64| {
        let some = manners.iter().zip(&bots).filter(|(manner, _)| (**manner == Manner::Honest) == honest);
        some.map(|(_, bot)| value(&bot.seen)).collect::<Vec<_>>()
    };
    let furthest = |honest| of(honest, |seen| seen.distance).into_iter().fold(0.0, f64::max);
    let most = |honest| of(honest, |seen| seen.shots as f64).into_iter().fold(0.0, f64::max);
    for (manner, bot) in manners.iter().zip(&bots).filter(|(manner, _)| **manner != Manner::Honest) {
        println!("{manner:?}: {:.1} m, {} shots", bot.seen.distance, bot.seen.shots);
    }
    ensure!(furthest(true) > 1.0, "the honest bots went nowhere");
    let one = |value| Samples::new(vec![value]);
    Ok(vec![
        one(furthest(false)).against(
            &one(furthest(true)),
            "the furthest of twelve honest bots",
            "cheats.furthest_m",
            "m",
            "1.02",
            "twelve who send ten inputs a tick, repeat them, number them from the future, send no numbers, come in bursts, or fire in each",
        ),
        one(most(false)).against(
            &one(effort.pick(PLAY.0, PLAY.1).as_secs_f64() / SHOT_SECONDS + 1.0),
            "what the cooldown allows",
            "cheats.shots",
            "",
            "1",
            format!("shots of who shot most of the twelve; of the honest ones, {:.0}", most(true)),
        ),
    ])
}

/// The first second is the join's.
fn settled(intervals: &[f64]) -> &[f64] {
    intervals.get(20..).unwrap_or_default()
}

/// Each world's slow ticks, second by second.
fn watch(http: &Http, worlds: usize, time: Duration) -> Result<Samples> {
    let (since, mut p99) = (Instant::now(), Vec::new());
    while since.elapsed() < time {
        thread::sleep(Duration::from_secs(1));
        let servers = http.get("/admin/servers", Some(ADMIN))?.ok_json()?["servers"].as_array().cloned().context("servers")?;
        ensure!(servers.len() == worlds, "{} of {worlds} worlds run", servers.len());
        p99.extend(servers.iter().map(|server: &Value| server["health"]["tick_p99_us"].as_f64().unwrap_or_default() / 1e3));
    }
    Ok(Samples::new(p99))
}
