//! A bad revision on trial: how many casts of a hundred casters meet it before it is rolled back by itself.

use super::crowd::{Crowd, Plan};
use super::kinds::{Kind, SPARK};
use crate::report::{Effort, Row, Samples, bar};
use anyhow::{Context, Result, bail, ensure};
use examples::game::SPELL_CAST_EVENT;
use examples::{Http, Player, Server};
use serde_json::{Value, json};
use std::thread::sleep;
use std::time::{Duration, Instant};

const BOTS: usize = 100;
/// A spark's cooldown and a little more.
const PAUSE_TICKS: u64 = 36;
/// A cast at this point is what the bad revisions do not survive; the worlds of the smoke run know nothing of it.
const TARGET: [f64; 3] = [0.0, 1.0, -7.5];
const HOOK: &str = "cast: &Cast) -> Result<(), Refusal> {";
const ROUNDS: (usize, usize) = (20, 4);
/// Between two rounds.
const PAUSE: Duration = Duration::from_millis(1_500);
const POLL_INTERVAL: Duration = Duration::from_millis(4);
const TIMEOUT: Duration = Duration::from_secs(20);
const KINDS: [Kind; 1] = [SPARK];

/// What was measured.
pub struct Outcome {
    /// Until the control plane said that it was rolled back, milliseconds.
    decided_ms: Samples,
    /// Until the last cast that met it, milliseconds.
    last_ms: Samples,
    /// Casts that met it.
    met: Samples,
    /// Of all casts until then, percent.
    share: Samples,
}

/// One bad revision's time.
struct Round {
    revision: String,
    asked: Instant,
    decided: Instant,
}

/// Measures.
pub fn run(effort: Effort) -> Result<Outcome> {
    let mut server = Server::start()?;
    let http = server.http();
    let author = http.login(Some("author"))?;
    let good = SPARK.build(&http, &author, &SPARK.source(0)?)?;
    let rounds = effort.pick(ROUNDS.0, ROUNDS.1);
    let bad = (1..=rounds).map(|round| SPARK.build(&http, &author, &broken(round)?)).collect::<Result<Vec<_>>>()?;
    http.publish(&author, SPARK.name, &good, "stable")?;
    let crowd = Crowd::begin(&http, Plan { bots: BOTS, kinds: &KINDS, pause_ticks: PAUSE_TICKS, target: TARGET })?;
    let progress = bar("bad revisions", rounds);
    let mut done = Vec::new();
    for revision in bad {
        sleep(PAUSE);
        done.push(until_rolled_back(&http, &author, revision)?);
        progress.inc(1);
    }
    sleep(PAUSE);
    progress.finish_and_clear();
    let told = crowd.end()?;
    ensure!(told.broken().next().is_none(), "connections were dropped: {:?}", told.broken().next());
    ensure!(server.stop()?, "the server does not end cleanly");
    let casts: Vec<_> = told.watched.told.iter().filter(|(_, told)| told.kind == SPELL_CAST_EVENT).collect();
    let (mut decided_ms, mut last_ms, mut met, mut share) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for Round { revision, asked, decided } in done {
        let bad = casts.iter().filter(|(_, told)| told.revision_id.as_deref() == Some(&revision));
        let last = bad.clone().map(|(at, _)| *at).max().with_context(|| format!("nobody met {revision}"))?;
        let until = last.max(decided);
        let all = casts.iter().filter(|(at, _)| (asked..=until).contains(at)).count();
        met.push(bad.clone().count() as f64);
        share.push(100.0 * bad.count() as f64 / all as f64);
        decided_ms.push((decided - asked).as_secs_f64() * 1e3);
        last_ms.push((last - asked).as_secs_f64() * 1e3);
    }
    let [decided_ms, last_ms, met, share] = [decided_ms, last_ms, met, share].map(Samples::new);
    Ok(Outcome { decided_ms, last_ms, met, share })
}

/// A spark that panics where the crowd casts it.
fn broken(round: usize) -> Result<String> {
    let source = SPARK.source(round)?;
    ensure!(source.contains(HOOK), "spark has no {HOOK:?} to break");
    Ok(source.replace(HOOK, &format!("{HOOK}\n        assert!(cast.target_position.z != {:?}, \"a bad change\");", TARGET[2])))
}

/// Publishes it to a tenth of the casts and waits for its end.
fn until_rolled_back(http: &Http, author: &Player, revision: String) -> Result<Round> {
    let terms = json!({ "percent": 10, "min_casts": 50, "max_fault_rate": 0.05 });
    let body = json!({ "revision_id": revision, "channel": "stable", "rollout": terms });
    let asked = Instant::now();
    http.post(&format!("/api/spells/{}/publish", SPARK.name), Some(&author.session_token), &body)?.ok_json()?;
    loop {
        let rollouts: Value = http.get(&format!("/api/spells/{}/rollouts", SPARK.name), Some(&author.session_token))?.ok_json()?;
        let rollout = &rollouts["rollouts"][0];
        match rollout["state"].as_str() {
            Some("running") if asked.elapsed() < TIMEOUT => sleep(POLL_INTERVAL),
            Some("rolled_back") => return Ok(Round { revision, asked, decided: Instant::now() }),
            _ => bail!("{revision} is not rolled back: {rollout}"),
        }
    }
}

impl Outcome {
    /// Its figures.
    pub fn rows(&self) -> Vec<Row> {
        let how = format!(
            "a revision that always faults, published to 10 % (50 casts, 5 % may fault) in a world whose {BOTS} players cast it as often as they may"
        );
        vec![
            self.share.row("bad_revision.met_percent", "%", "10", format!("casts that met it, of all until it was gone; {how}")),
            self.met.row("bad_revision.met", "", "", format!("casts that met it; {how}")),
            self.decided_ms.row(
                "bad_revision.rollback_ms",
                "ms",
                "",
                format!("POST publish sent until the control plane says rolled back, asked every 4 ms; {how}"),
            ),
            self.last_ms.row("bad_revision.last_met_ms", "ms", "", format!("POST publish sent until the last cast that met it; {how}")),
        ]
    }
}
