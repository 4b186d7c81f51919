//! How soon worlds follow: publish to first cast, rollback and revoke, in one world and in eight.

use super::kinds::{BEACON, Kind, SPARK};
use super::line::{Heard, Line};
use super::one;
use crate::report::{Effort, Row, Samples, Series, bar};
use anyhow::{Context, Result, bail, ensure};
use examples::game::{SPELL_ACTIVE_UPDATE, SPELL_CAST_EVENT, SPELL_CAST_REJECTED, SPELL_TEXT};
use examples::{Http, Player, Server};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

const WORLDS: usize = 8;
const PUBLISHES: (usize, usize) = (100, 15);
const ROLLBACKS: (usize, usize) = (50, 8);
const REVOKES: (usize, usize) = (25, 5);
/// From one publish to the next, at least: a spark's cooldown is over, and its mana is back.
const PAUSE: Duration = Duration::from_millis(620);
/// And so much longer at most: what follows upon a tick must not find every tick at the same point.
const SPREAD_US: u64 = 16_667;
/// A beacon costs 12 mana, of which 10 come back in a second.
const BEACON_PAUSE: Duration = Duration::from_millis(1_300);
/// A beacon tells four times a second: in so long it would have told again.
const SILENCE: Duration = Duration::from_millis(400);
const TIMEOUT: Duration = Duration::from_secs(10);
const NOTHING: usize = 0;
const OURS: [Kind; 2] = [SPARK, BEACON];

/// What was measured.
pub struct Outcome {
    one: Followed,
    eight: Followed,
    rollback_ms: Samples,
    revoke_ms: Samples,
    /// Texts of a beacon after its world was told that its revision is revoked.
    texts_after: usize,
}

/// After a publish, milliseconds.
struct Followed {
    /// Each world's word that the revision is active.
    active: Samples,
    /// Each world's first cast of it.
    cast: Samples,
    /// The last world's cast.
    last_cast: Samples,
}

/// One thing that a client was told.
struct News {
    world: usize,
    at: Instant,
    spell: String,
    what: What,
}

#[derive(PartialEq)]
enum What {
    Active(Option<String>),
    Began(String),
    Said,
    Refused(String),
}

/// A server, its author, and a client in each of several worlds.
struct Worlds {
    server: Server,
    http: Http,
    author: Player,
    /// Which of `OURS` is cast as soon as a revision of it is active: its index and one, or `NOTHING`.
    casting: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    news: Receiver<News>,
    sender: Sender<News>,
    clients: Vec<JoinHandle<Result<()>>>,
}

/// Measures.
pub fn run(effort: Effort) -> Result<Outcome> {
    let server = Server::start()?;
    let http = server.http();
    let author = http.login(Some("author"))?;
    let (sender, news) = channel();
    let mut worlds = Worlds { server, http, author, casting: Arc::default(), stop: Arc::default(), news, sender, clients: Vec::new() };
    let sparks = [SPARK.source(0)?, SPARK.source(1)?];
    let sparks = [worlds.build(&SPARK, &sparks[0])?, worlds.build(&SPARK, &sparks[1])?];
    let beacon = worlds.build(&BEACON, &BEACON.source(0)?)?;
    worlds.open(1)?;
    let publishes = effort.pick(PUBLISHES.0, PUBLISHES.1);
    let one = worlds.publishes("publish to cast, one world", publishes, &sparks)?;
    worlds.open(WORLDS)?;
    let eight = worlds.publishes("publish to cast, eight worlds", publishes, &sparks)?;
    let rollback_ms = worlds.rollbacks(effort.pick(ROLLBACKS.0, ROLLBACKS.1), &sparks)?;
    let (revoke_ms, texts_after) = worlds.revokes(effort.pick(REVOKES.0, REVOKES.1), &beacon)?;
    worlds.close()?;
    Ok(Outcome { one, eight, rollback_ms, revoke_ms, texts_after })
}

impl Worlds {
    fn build(&self, kind: &Kind, source: &str) -> Result<String> {
        kind.build(&self.http, &self.author, source)
    }

    /// Until there are so many.
    fn open(&mut self, count: usize) -> Result<()> {
        for world in self.clients.len()..count {
            let player = self.http.login(Some(&format!("guest{world}")))?;
            let line = Line::join(&self.http.join(&player, None)?)?;
            let (stop, casting, news) = (self.stop.clone(), self.casting.clone(), self.sender.clone());
            self.clients.push(std::thread::spawn(move || listen(line, world, &stop, &casting, &news)));
        }
        Ok(())
    }

    fn close(mut self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.join().ok().context("a client panicked")??;
        }
        ensure!(self.server.stop()?, "the server does not end cleanly");
        Ok(())
    }

    /// Publishes by turns, each cast at once in every world.
    fn publishes(&self, name: &str, rounds: usize, revisions: &[String; 2]) -> Result<Followed> {
        let progress = bar(name, rounds);
        self.casting.store(1, Ordering::Relaxed);
        let (mut active, mut cast, mut last_cast) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..=rounds {
            pause(PAUSE, round);
            let revision = &revisions[round % 2];
            let asked = Instant::now();
            self.http.publish(&self.author, SPARK.name, revision, "stable")?;
            let wanted = [&What::Active(Some(revision.clone())), &What::Began(revision.clone())];
            let [times, casts] = self.wait_for_all(&SPARK, wanted, asked)?;
            // The first publish of all, or one of what is active already, warms up.
            if round > 0 {
                active.extend(times);
                last_cast.push(casts.iter().copied().fold(0.0, f64::max));
                cast.extend(casts);
            }
            progress.inc(1);
        }
        progress.finish_and_clear();
        self.casting.store(NOTHING, Ordering::Relaxed);
        // Leaves the first of both active, so that what follows begins alike.
        sleep(PAUSE);
        self.http.publish(&self.author, SPARK.name, &revisions[1], "stable")?;
        sleep(PAUSE);
        while self.news.try_recv().is_ok() {}
        Ok(Followed { active: Samples::new(active), cast: Samples::new(cast), last_cast: Samples::new(last_cast) })
    }

    /// From the request of a rollback to the last world that follows.
    fn rollbacks(&self, rounds: usize, [older, newer]: &[String; 2]) -> Result<Samples> {
        let progress = bar("rollbacks", rounds);
        let path = format!("/api/spells/{}/rollback", SPARK.name);
        let mut last = Vec::new();
        self.http.publish(&self.author, SPARK.name, older, "stable")?;
        self.wait_for_all(&SPARK, [&What::Active(Some(older.clone()))], Instant::now())?;
        for round in 0..rounds {
            self.http.publish(&self.author, SPARK.name, newer, "stable")?;
            self.wait_for_all(&SPARK, [&What::Active(Some(newer.clone()))], Instant::now())?;
            pause(PAUSE / 2, round);
            let asked = Instant::now();
            let answer = self.send("POST", &path, &json!({}))?;
            ensure!(answer["revision_id"] == **older, "rolled back to something else: {answer}");
            let [times] = self.wait_for_all(&SPARK, [&What::Active(Some(older.clone()))], asked)?;
            last.push(times.into_iter().fold(0.0, f64::max));
            progress.inc(1);
        }
        progress.finish_and_clear();
        Ok(Samples::new(last))
    }

    /// From the request to revoke what is being cast to the last world in which it cannot be; and how many texts its casts told after that.
    fn revokes(&self, rounds: usize, revision: &str) -> Result<(Samples, usize)> {
        let progress = bar("revokes", rounds);
        let path = format!("/api/spells/{}/revisions/{revision}/revoke", BEACON.name);
        let (mut last, mut texts_after) = (Vec::new(), 0);
        for round in 0..rounds {
            self.casting.store(2, Ordering::Relaxed);
            self.http.publish(&self.author, BEACON.name, revision, "stable")?;
            self.wait_for_all(&BEACON, [&What::Said], Instant::now())?;
            self.casting.store(NOTHING, Ordering::Relaxed);
            pause(SILENCE, round);
            let asked = Instant::now();
            self.send("POST", &path, &json!({ "reason": "to see how soon it is gone" }))?;
            let [times] = self.wait_for_all(&BEACON, [&What::Active(None)], asked)?;
            last.push(times.into_iter().fold(0.0, f64::max));
            sleep(SILENCE);
            texts_after += self.news.try_iter().filter(|news| news.what == What::Said).count();
            self.send("DELETE", &path, &Value::Null)?;
            sleep(BEACON_PAUSE - 2 * SILENCE);
            progress.inc(1);
        }
        progress.finish_and_clear();
        Ok((Samples::new(last), texts_after))
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        self.http.request(method, path, Some(&self.author.session_token), "application/json", body.to_string().into_bytes())?.ok_json()
    }

    /// Waits for each of these news of every world, in whatever order they come; answers how many milliseconds after `since` each came.
    fn wait_for_all<const N: usize>(&self, kind: &Kind, wanted: [&What; N], since: Instant) -> Result<[Vec<f64>; N]> {
        let mut times = wanted.map(|_| vec![None; self.clients.len()]);
        let deadline = Instant::now() + TIMEOUT;
        while times.iter().flatten().any(Option::is_none) {
            let left = deadline.saturating_duration_since(Instant::now());
            let News { world, at, spell, what } = self.news.recv_timeout(left).with_context(|| format!("{}: {times:?}", kind.name))?;
            if let What::Refused(limit) = &what {
                bail!("a cast of {spell} was refused in world {world}: {limit}");
            }
            if let Some(which) = wanted.iter().position(|wanted| **wanted == what && spell == kind.name) {
                times[which][world].get_or_insert(at.saturating_duration_since(since).as_secs_f64() * 1e3);
            }
        }
        Ok(times.map(|times| times.into_iter().flatten().collect()))
    }
}

/// At least so long, and in each round at another point of a tick.
fn pause(time: Duration, round: usize) {
    sleep(time + Duration::from_micros(round as u64 * 6_170 % SPREAD_US));
}

/// Tells what comes, and casts a spell as soon as a revision of it is active.
fn listen(mut line: Line, world: usize, stop: &AtomicBool, casting: &AtomicUsize, news: &Sender<News>) -> Result<()> {
    while !stop.load(Ordering::Relaxed) {
        let (at, heard) = line.hear(&[SPELL_ACTIVE_UPDATE, SPELL_CAST_EVENT, SPELL_CAST_REJECTED, SPELL_TEXT])?;
        let Heard::Told(told) = heard else { continue };
        let what = match told.kind {
            SPELL_ACTIVE_UPDATE => {
                let is_cast = OURS.get(casting.load(Ordering::Relaxed).wrapping_sub(1)).is_some_and(|kind| kind.name == told.spell_id);
                if is_cast && told.revision_id.is_some() {
                    line.cast(&told.spell_id, [0.0, 1.0, -7.5])?;
                }
                What::Active(told.revision_id)
            }
            SPELL_CAST_EVENT => What::Began(told.revision_id.unwrap_or_default()),
            SPELL_TEXT => What::Said,
            _ => What::Refused(told.limit),
        };
        // Nobody listens any more once all is measured.
        let _ = news.send(News { world, at, spell: told.spell_id, what });
    }
    Ok(())
}

impl Outcome {
    /// Its figures.
    pub fn rows(&self) -> Vec<Row> {
        let (alone, eight) = (&self.one, &self.eight);
        let cast = |of: &str| {
            format!(
                "POST publish sent until SPELL_CAST_EVENT of that revision; {of}; the client, one a world, casts when SPELL_ACTIVE_UPDATE comes"
            )
        };
        let active = |of: &str| format!("POST publish sent until SPELL_ACTIVE_UPDATE; {of}; one client a world");
        let [of_one, of_each, of_last] = [cast("one world"), cast("each of eight worlds"), cast("the last of eight worlds")];
        let against = |of: fn(&Followed) -> Samples, key, how| of(eight).against(&of(alone), "one world", key, "ms", "", how);
        let of_rollback = "POST rollback sent until the last of eight worlds' SPELL_ACTIVE_UPDATE";
        let of_revoke = "POST revoke sent until the last of eight worlds' SPELL_ACTIVE_UPDATE, a live cast in each";
        let of_texts = "texts of those casts, four a second each, after all worlds had followed";
        vec![
            alone.cast.row("publish_to_cast.p50_ms", "ms", "", &of_one),
            alone.cast.only(0.95).row("publish_to_cast.p95_ms", "ms", "", of_one),
            alone.active.row("publish_to_active.p50_ms", "ms", "", active("one world")),
            alone.active.only(0.95).row("publish_to_active.p95_ms", "ms", "", active("one world")),
            against(|times| times.cast.clone(), "publish_to_cast_8.p50_ms", &of_each),
            against(|times| times.cast.only(0.95), "publish_to_cast_8.p95_ms", &of_each),
            eight.last_cast.row("publish_to_cast_8.last_p50_ms", "ms", "", &of_last),
            eight.last_cast.only(0.95).row("publish_to_cast_8.last_p95_ms", "ms", "", of_last),
            eight.active.row("publish_to_active_8.p50_ms", "ms", "", active("each of eight worlds")),
            eight.active.only(0.95).row("publish_to_active_8.p95_ms", "ms", "", active("each of eight worlds")),
            self.rollback_ms.row("rollback.ms", "ms", "100", of_rollback),
            self.rollback_ms.only(0.95).row("rollback.p95_ms", "ms", "100", of_rollback),
            self.revoke_ms.row("revoke.ms", "ms", "", of_revoke),
            self.revoke_ms.only(0.95).row("revoke.p95_ms", "ms", "", of_revoke),
            one(self.texts_after as f64).row("revoke.later_texts", "", "0", of_texts),
        ]
    }

    /// For the plot: the share of all, in percent, that came within so many ms.
    pub fn curves(&self) -> Vec<Series> {
        let curve = |name: &str, samples: &Samples| {
            (name.to_owned(), (0..=20).map(|step| (f64::from(step) * 5.0, samples.quantile(f64::from(step) / 20.0))).collect())
        };
        vec![
            curve("publish to cast, one world", &self.one.cast),
            curve("publish to cast, each of eight worlds", &self.eight.cast),
            curve("publish to cast, the last of eight", &self.eight.last_cast),
            curve("rollback, the last of eight", &self.rollback_ms),
            curve("revoke, the last of eight", &self.revoke_ms),
        ]
    }
}
