//! The spells that are published: the library's, some of them twice, and two that tell all the time which revision they run. And who casts which when.

use crate::library;
use crate::report::bar;
use anyhow::{Context, Result};
use examples::{Http, Player};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// One spell.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// Its id.
    pub name: &'static str,
    /// The library's spell that it is; `beacon` and `spark` are ours.
    of: &'static str,
    /// Ticks after which a cast of it has ended, whatever came of it.
    life_ticks: u64,
    /// Whether its casts go on with another revision; others keep the one that they began with.
    pub migrates: bool,
}

/// Twenty. Eight migrate, and of those four live for a minute or longer.
pub const KINDS: [Kind; 20] = [
    kind("aftershock", "aftershock", 420, false),
    kind("blink", "blink", 60, false),
    kind("familiar", "familiar", 3_660, false),
    kind("fireball", "fireball", 420, false),
    kind("frost", "frost", 240, false),
    kind("gust", "gust", 90, false),
    kind("mend", "mend", 360, false),
    kind("rampart", "rampart", 720, false),
    kind("repel", "repel", 36_060, true),
    kind("totem", "totem", 3_660, true),
    kind("vortex", "vortex", 240, false),
    kind("aftershock2", "aftershock", 420, true),
    kind("blink2", "blink", 60, false),
    kind("fireball2", "fireball", 420, true),
    kind("frost2", "frost", 240, false),
    kind("gust2", "gust", 90, false),
    kind("mend2", "mend", 360, true),
    kind("vortex2", "vortex", 240, true),
    kind("beacon", "beacon", 3_660, true),
    kind("beacon2", "beacon", 3_660, true),
];
/// What a crowd casts when all cast the same, as often as one may.
pub const SPARK: Kind = kind("spark", "spark", 30, false);
/// For those who watch one cast.
pub const BEACON: Kind = kind("beacon", "beacon", 3_660, true);
/// Where it is said that casts go on with another revision.
const MIGRATES: &str = "[in_flight]\npolicy = \"migrate\"\n";
/// A build takes half a second; this is for a machine that is busy.
const BUILD_TIMEOUT: Duration = Duration::from_secs(60);

const fn kind(name: &'static str, of: &'static str, life_ticks: u64, migrates: bool) -> Kind {
    Kind { name, of, life_ticks, migrates }
}

impl Kind {
    /// The source of one of its revisions.
    pub fn source(&self, revision: usize) -> Result<String> {
        let source = match self.of {
            "beacon" => include_str!("beacon.rs"),
            "spark" => include_str!("spark.rs"),
            of => library::source(of)?,
        };
        library::edited(source, revision).with_context(|| self.name.to_owned())
    }

    /// Has the server build this source of it; answers with the revision.
    pub fn build(&self, http: &Http, author: &Player, source: &str) -> Result<String> {
        let mut files = Map::from_iter([("src/lib.rs".to_owned(), json!(source))]);
        if self.migrates {
            files.insert("spell.toml".into(), json!(MIGRATES));
        }
        let path = format!("/api/spells/{}/build", self.name);
        let job = http.post(&path, Some(&author.session_token), &json!({ "files": files }))?.ok_json()?;
        let job: Value = http.wait_for_job(author, job["job_id"].as_str().context("a job")?, BUILD_TIMEOUT, |_| ())?;
        Ok(job["result_revision_id"].as_str().with_context(|| format!("{}: {job}", self.name))?.to_owned())
    }
}

/// Has the server build so many revisions of each, before anything is measured; answers with their ids.
pub fn build_all(http: &Http, author: &Player, kinds: &[Kind], revisions: usize) -> Result<Vec<Vec<String>>> {
    let progress = bar("builds", kinds.len() * revisions);
    let build = |kind: &Kind, revision| {
        progress.inc(1);
        kind.build(http, author, &kind.source(revision)?)
    };
    let built = kinds.iter().map(|kind| (0..revisions).map(|revision| build(kind, revision)).collect()).collect();
    progress.finish_and_clear();
    built
}

/// Which spell a caster casts when: one after the other, and none while its last cast may still live, so that two casts of one spell are never mixed up.
#[derive(Debug)]
pub struct Rota {
    kinds: &'static [Kind],
    pause_ticks: u64,
    next: usize,
    due: u64,
    free_at: Vec<u64>,
}

impl Rota {
    /// The rota of the caster of this number, from this tick on.
    pub fn new(caster: usize, kinds: &'static [Kind], pause_ticks: u64, tick: u64) -> Self {
        // Spread, so that the crowd does not cast in one tick.
        let due = tick + (caster as u64 * 7) % pause_ticks;
        Self { kinds, pause_ticks, next: caster % kinds.len(), due, free_at: vec![0; kinds.len()] }
    }

    /// What is cast in this tick, if it is time.
    pub fn turn(&mut self, tick: u64) -> Option<usize> {
        if tick < self.due {
            return None;
        }
        self.due = tick + self.pause_ticks;
        let count = self.kinds.len();
        let kind = (self.next..self.next + count).map(|kind| kind % count).find(|kind| self.free_at[*kind] <= tick)?;
        self.next = (kind + 1) % count;
        self.free_at[kind] = tick + self.kinds[kind].life_ticks;
        Some(kind)
    }

    /// It was not cast after all.
    pub fn refused(&mut self, kind: usize) {
        self.free_at[kind] = 0;
    }
}

/// Where the caster of this number looks: away from the middle, and down to the ground some metres ahead.
pub fn aim(caster: usize) -> [f64; 3] {
    let (sin, cos) = (caster as f64 * 2.4).sin_cos();
    [0.92 * cos, -0.39, 0.92 * sin]
}
