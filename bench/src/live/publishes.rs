//! Publishes beside a hundred casters, over the real processes: quiet phases and phases of publishing in turn, so that the machine's moods meet both.

use super::audit::{self, Verdict};
use super::crowd::{Crowd, Plan, Report as Told};
use super::kinds::{KINDS, build_all};
use super::one;
use crate::report::{Effort, Row, Samples, Series, bar};
use crate::resident::{Resident, game_server};
use anyhow::{Result, ensure};
use examples::{Http, Player, Server};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Its moved casts are logged, so that each can be told from one that changed by mistake.
const LOG: (&str, &str) = ("RUST_LOG", "info,host::journal=debug");
const BOTS: usize = 100;
/// Two seconds: a mean cast costs what comes back meanwhile.
const PAUSE_TICKS: u64 = 120;
const TARGET: [f64; 3] = [0.0, 1.0, -7.5];
/// Revisions of each spell, published by turns.
const REVISIONS: (usize, usize) = (4, 2);
/// Phases of each sort; one of publishing publishes each spell once.
const PHASES: (usize, usize) = (10, 3);
/// From one publish to the next.
const INTERVAL: (Duration, Duration) = (Duration::from_millis(250), Duration::from_millis(150));
/// Then each spell so many times more, for the memory alone.
const MORE: (usize, usize) = (15, 1);
const MORE_INTERVAL: Duration = Duration::from_millis(100);
/// Until the long casts are there, and the recording of the last minute is full.
const WARMING: (Duration, Duration) = (Duration::from_secs(75), Duration::from_secs(12));
/// Until the host's last lines have come by way of the control plane.
const LOG_TIME: Duration = Duration::from_secs(2);
/// Faults that are printed.
const SHOWN: usize = 5;
/// Publishes after which memory has to stay as it is.
const GROWING: usize = 20;

/// What was measured.
pub struct Outcome {
    verdict: Verdict,
    told: Told,
    phases: Vec<Phase>,
    /// Publishes so far, and the game server's VmRSS, MiB.
    resident: Vec<(f64, f64)>,
    publish_ms: Samples,
    log: String,
}

/// One phase.
struct Phase {
    publishes: bool,
    times: (Instant, Instant),
    ticks: (u64, u64),
    /// VmRSS at its ends, MiB.
    resident: (f64, f64),
}

/// Measures.
pub fn run(effort: Effort) -> Result<Outcome> {
    let mut server = Server::start_with(&[LOG])?;
    let http = server.http();
    let author = http.login(Some("author"))?;
    let revisions = build_all(&http, &author, &KINDS, effort.pick(REVISIONS.0, REVISIONS.1))?;
    publish_all(&http, &author, &revisions, 0, Duration::ZERO, &mut |_| Ok(()))?;
    let plan = Plan { bots: BOTS, kinds: &KINDS, pause_ticks: PAUSE_TICKS, target: TARGET };
    let crowd = Crowd::begin(&http, plan)?;
    let process = game_server(&crowd.world)?;
    let resident_mib = || Resident::of(&process).map(|resident| resident.rss_kib / 1024.0);
    warm_up(effort.pick(WARMING.0, WARMING.1));
    let (count, interval) = (effort.pick(PHASES.0, PHASES.1), effort.pick(INTERVAL.0, INTERVAL.1));
    let more = effort.pick(MORE.0, MORE.1);
    let progress = bar("publishes", (count + more) * KINDS.len());
    let (mut phases, mut resident, mut publish_ms) = (Vec::new(), vec![(0.0, resident_mib()?)], Vec::new());
    let mut note = |ms| {
        publish_ms.push(ms);
        resident.push((publish_ms.len() as f64, resident_mib()?));
        progress.inc(1);
        Ok(())
    };
    for phase in 0..2 * count {
        let publishes = phase % 2 == 1;
        let begin = (Instant::now(), crowd.tick(), resident_mib()?);
        if publishes {
            publish_all(&http, &author, &revisions, phase / 2 + 1, interval, &mut note)?;
        } else {
            sleep(interval * KINDS.len() as u32);
        }
        let end = (Instant::now(), crowd.tick(), resident_mib()?);
        phases.push(Phase { publishes, times: (begin.0, end.0), ticks: (begin.1, end.1), resident: (begin.2, end.2) });
    }
    for turn in 0..more {
        publish_all(&http, &author, &revisions, count + 1 + turn, MORE_INTERVAL, &mut note)?;
    }
    publish_ms.truncate(count * KINDS.len());
    progress.finish_and_clear();
    let told = crowd.end()?;
    // The control plane passes a host's log on; what came last has to be in it.
    sleep(LOG_TIME);
    ensure!(server.stop()?, "the server does not end cleanly");
    let log = server.log();
    let verdict = audit::judge(told.about_casts(), &log, &KINDS)?;
    Ok(Outcome { verdict, told, phases, resident, publish_ms: Samples::new(publish_ms), log })
}

fn warm_up(time: Duration) {
    let progress = bar("warming up", time.as_secs() as usize);
    for _ in 0..time.as_secs() {
        sleep(Duration::from_secs(1));
        progress.inc(1);
    }
    progress.finish_and_clear();
}

/// Each spell once, `interval` apart; tells how long each request took.
fn publish_all(
    http: &Http,
    author: &Player,
    revisions: &[Vec<String>],
    turn: usize,
    interval: Duration,
    told: &mut dyn FnMut(f64) -> Result<()>,
) -> Result<()> {
    let begun = Instant::now();
    for (index, (kind, revisions)) in KINDS.iter().zip(revisions).enumerate() {
        sleep((begun + interval * index as u32).saturating_duration_since(Instant::now()));
        let asked = Instant::now();
        http.publish(author, kind.name, &revisions[turn % revisions.len()], "stable")?;
        told(asked.elapsed().as_secs_f64() * 1e3)?;
    }
    sleep((begun + interval * KINDS.len() as u32).saturating_duration_since(Instant::now()));
    Ok(())
}

impl Outcome {
    /// Its figures.
    pub fn rows(&self) -> Vec<Row> {
        let how = format!(
            "{} publishes of {} spells in a world with {BOTS} bots, of whom each casts every two seconds",
            self.publishes(),
            KINDS.len()
        );
        [self.pace_rows(&how), self.cast_rows(&how), self.memory_rows(&how)].concat()
    }

    fn pace_rows(&self, how: &str) -> Vec<Row> {
        let [publishing, quiet] = [true, false].map(|publishes| self.intervals(publishes));
        let interval = |key, share| {
            let how =
                format!("between two snapshots, 20 a second, at a client that only reads; {how}; quiet and publishing phases by turns");
            publishing.only(share).against(&quiet.only(share), "quiet phases of the same run", key, "ms", "", how)
        };
        let [late, late_quiet] = [true, false].map(|publishes| self.late_ticks(publishes));
        let of_late = format!("by the host's log, in the publishing phases; {late_quiet} in the quiet ones; {how}");
        vec![
            interval("publishes_200.snapshot_interval_p50_ms", 0.5),
            interval("publishes_200.snapshot_interval_p99_ms", 0.99),
            one(late).row("publishes_200.late_ticks", "", "", of_late),
            self.publish_ms.row("publishes_200.request_ms", "ms", "", format!("POST publish until its answer; {how}")),
        ]
    }

    fn cast_rows(&self, how: &str) -> Vec<Row> {
        let Verdict { casts, messages, moves, not_moved, broken, .. } = &self.verdict;
        let refused = self.told.refused();
        let of_casts = format!("that began; {} more were refused: {refused:?}; {how}", refused.values().sum::<usize>());
        let of_moves = format!("times that a cast was moved to another revision; {not_moved} times it stayed with its own; {how}");
        let of_broken = format!("messages of casts that name a revision which the cast did not run, of {messages}; {how}");
        let of_stopped = format!("by a limit or a trap: {:?}; {how}", self.told.stopped());
        vec![
            one(*casts as f64).row("publishes_200.casts", "", "", of_casts),
            one(*moves as f64).row("publishes_200.moved", "", "", of_moves),
            one(broken.len() as f64).row("publishes_200.mixed", "", "0", of_broken),
            one(self.told.stopped().values().sum::<usize>() as f64).row("publishes_200.stopped_casts", "", "0", of_stopped),
            one(self.told.broken().count() as f64).row("publishes_200.dropped_connections", "", "0", how),
        ]
    }

    fn memory_rows(&self, how: &str) -> Vec<Row> {
        let first = self.resident[GROWING].1 - self.resident[0].1;
        let [last, last_of_all] = [self.publishes(), self.resident.len() - 1].map(|publishes| publishes / GROWING - 1);
        let later = self.median_resident(last) - self.median_resident(1);
        let more = self.median_resident(last_of_all) - self.median_resident(last);
        let of_first = format!("VmRSS of ugc-host, growth over the first {GROWING} publishes; {how}");
        let of_later = format!("the same, over all later ones: the median of the last {GROWING} less that of the second {GROWING}");
        let of_more = format!(
            "the same, over as many more as make {}: the median of the last {GROWING} less that of those before",
            self.resident.len() - 1
        );
        vec![
            one(first).row("publishes_200.rss_first_mib", "MiB", "", of_first),
            one(later).row("publishes_200.rss_later_mib", "MiB", "0", of_later),
            one(more).row("publishes_500.rss_after_200_mib", "MiB", "0", of_more),
            one(self.quiet_growth()).row("publishes_200.rss_quiet_mib", "MiB", "", "VmRSS, growth over all quiet phases but the first"),
        ]
    }

    /// Those that were timed.
    fn publishes(&self) -> usize {
        self.phases.iter().filter(|phase| phase.publishes).count() * KINDS.len()
    }

    /// Milliseconds between snapshots in phases of this sort.
    fn intervals(&self, publishes: bool) -> Samples {
        let is_in = |at: Instant| self.phases.iter().any(|phase| phase.publishes == publishes && phase.times.0 <= at && at < phase.times.1);
        let pairs = self.told.watched.snapshots.windows(2).filter(|pair| is_in(pair[0].0) && is_in(pair[1].0));
        Samples::new(pairs.map(|pair| (pair[1].0 - pair[0].0).as_secs_f64() * 1e3).collect())
    }

    /// Ticks that the host's log says were late, in phases of this sort; it says so once a second.
    fn late_ticks(&self, publishes: bool) -> f64 {
        let field = |line: &str, name: &str| {
            line.split_ascii_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.parse::<u64>().ok()).unwrap_or(0)
        };
        let is_in = |tick| self.phases.iter().any(|phase| phase.publishes == publishes && phase.ticks.0 < tick && tick <= phase.ticks.1);
        let lines = self.log.lines().filter(|line| line.contains("ticks were late") && is_in(field(line, "tick")));
        lines.map(|line| field(line, "late") + field(line, "skipped")).sum::<u64>() as f64
    }

    /// Median VmRSS over one part of so many publishes, the first being 0.
    fn median_resident(&self, part: usize) -> f64 {
        let publishes = self.resident.iter().skip(1 + part * GROWING).take(GROWING);
        Samples::new(publishes.map(|(_, mib)| *mib).collect()).median()
    }

    fn quiet_growth(&self) -> f64 {
        let phases = self.phases.iter().skip(2).filter(|phase| !phase.publishes);
        phases.map(|phase| phase.resident.1 - phase.resident.0).sum()
    }

    /// For the plot of the memory.
    pub fn resident(&self) -> Series {
        ("VmRSS of ugc-host, MiB".into(), self.resident.clone())
    }

    /// For the plot of the intervals: how many ms all but one in so many snapshots take at most.
    pub fn curves(&self) -> Vec<Series> {
        [(true, "publishing"), (false, "quiet")].map(|(publishes, name)| super::rarity(name, &self.intervals(publishes))).into()
    }

    /// Whether what must not be was; says what.
    pub fn check(&self) -> Result<()> {
        let Verdict { switches, broken, .. } = &self.verdict;
        broken.iter().take(SHOWN).for_each(|broken| eprintln!("  {broken}"));
        self.told.broken().take(SHOWN).for_each(|error| eprintln!("  {error:#}"));
        ensure!(broken.is_empty(), "{} messages of casts name a revision that the cast did not run", broken.len());
        ensure!(self.told.broken().next().is_none(), "connections were dropped");
        let publishes = self.resident.len() - 1;
        ensure!(*switches >= publishes, "{switches} switches for {publishes} publishes");
        Ok(())
    }
}
