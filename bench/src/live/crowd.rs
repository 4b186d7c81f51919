//! A hundred players who cast in turn, each on a connection of its own, and one who only watches.

use super::kinds::{Kind, Rota, aim};
use super::line::{Heard, Line, Told};
use anyhow::{Context, Result};
use examples::game::{SPELL_CAST_EVENT, SPELL_CAST_REJECTED, SPELL_EFFECT, SPELL_TEXT};
use examples::{Http, Player};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

/// A bot reads and counts: it needs no deep stack, and there are a hundred of them.
const STACK_BYTES: usize = 512 * 1024;

/// What they do.
#[derive(Clone, Copy)]
pub struct Plan {
    pub bots: usize,
    pub kinds: &'static [Kind],
    /// Between two casts of one bot.
    pub pause_ticks: u64,
    pub target: [f64; 3],
}

/// All of them, casting.
pub struct Crowd {
    pub world: String,
    stop: Arc<AtomicBool>,
    tick: Arc<AtomicU64>,
    watcher: JoinHandle<Result<Watched>>,
    bots: Vec<JoinHandle<Bot>>,
}

/// What the watcher has seen, in the order in which it came.
#[derive(Default)]
pub struct Watched {
    /// When which tick's snapshot came.
    pub snapshots: Vec<(Instant, u64)>,
    /// Casts that began, and cues.
    pub told: Vec<(Instant, Told)>,
}

/// What one bot was told.
#[derive(Default)]
pub struct Bot {
    /// Its spells' texts.
    pub texts: Vec<Told>,
    pub asked: usize,
    /// By limit: casts that were refused.
    pub refused: BTreeMap<String, usize>,
    /// By spell and limit: casts that were stopped.
    pub stopped: BTreeMap<(String, String), usize>,
    /// Why it is not connected any more, if it is not.
    pub broken: Option<anyhow::Error>,
}

/// All that came of it.
pub struct Report {
    pub watched: Watched,
    pub bots: Vec<Bot>,
}

impl Crowd {
    /// Has all of them join one new world and begin.
    pub fn begin(http: &Http, plan: Plan) -> Result<Self> {
        let (stop, tick) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let join = http.join(&http.login(Some("watcher"))?, None)?;
        let world = join.world_id.clone();
        // It comes first, so that no cast begins unseen.
        let mut line = Line::join(&join)?;
        let (ends, shown) = (stop.clone(), tick.clone());
        let watcher = thread("watcher", move || watch(&mut line, &ends, &shown))?;
        let mut bots = Vec::with_capacity(plan.bots);
        for number in 0..plan.bots {
            let player: Player = http.login(Some(&format!("bot{number}")))?;
            let line = Line::join(&http.join(&player, Some(&world))?)?;
            let ends = stop.clone();
            bots.push(thread(&format!("bot-{number}"), move || play(line, number, plan, &ends))?);
        }
        Ok(Self { world, stop, tick, watcher, bots })
    }

    /// The last tick of which the watcher has a snapshot.
    pub fn tick(&self) -> u64 {
        self.tick.load(Ordering::Relaxed)
    }

    /// Everybody stops and tells.
    pub fn end(self) -> Result<Report> {
        self.stop.store(true, Ordering::Relaxed);
        let bots = self.bots.into_iter().map(|bot| bot.join().ok().context("a bot panicked")).collect::<Result<_>>()?;
        let watched = self.watcher.join().ok().context("the watcher panicked")??;
        Ok(Report { watched, bots })
    }
}

impl Report {
    /// All messages about casts, each caster's in the order in which they came.
    pub fn about_casts(&self) -> impl Iterator<Item = &Told> {
        self.watched.told.iter().map(|(_, told)| told).chain(self.bots.iter().flat_map(|bot| &bot.texts))
    }

    /// Connections that did not last.
    pub fn broken(&self) -> impl Iterator<Item = &anyhow::Error> {
        self.bots.iter().filter_map(|bot| bot.broken.as_ref())
    }

    /// Casts that were refused, by limit.
    pub fn refused(&self) -> BTreeMap<&str, usize> {
        let mut all = BTreeMap::new();
        for (limit, count) in self.bots.iter().flat_map(|bot| &bot.refused) {
            *all.entry(limit.as_str()).or_default() += count;
        }
        all
    }

    /// Casts that were stopped, by spell and limit.
    pub fn stopped(&self) -> BTreeMap<(&str, &str), usize> {
        let mut all = BTreeMap::new();
        for ((spell, limit), count) in self.bots.iter().flat_map(|bot| &bot.stopped) {
            *all.entry((spell.as_str(), limit.as_str())).or_default() += count;
        }
        all
    }
}

fn thread<T: Send + 'static>(name: &str, body: impl FnOnce() -> T + Send + 'static) -> Result<JoinHandle<T>> {
    Ok(Builder::new().name(name.to_owned()).stack_size(STACK_BYTES).spawn(body)?)
}

fn watch(line: &mut Line, stop: &AtomicBool, tick: &AtomicU64) -> Result<Watched> {
    let mut watched = Watched::default();
    while !stop.load(Ordering::Relaxed) {
        match line.hear(&[SPELL_CAST_EVENT, SPELL_EFFECT]).context("the watcher")? {
            (at, Heard::Snapshot(of)) => {
                watched.snapshots.push((at, of));
                tick.store(of, Ordering::Relaxed);
            }
            (at, Heard::Told(told)) => watched.told.push((at, told)),
            (_, Heard::Other) => {}
        }
    }
    Ok(watched)
}

fn play(mut line: Line, number: usize, plan: Plan, stop: &AtomicBool) -> Bot {
    let mut bot = Bot::default();
    bot.broken = bot.play(&mut line, number, plan, stop).err().map(|error| error.context(format!("bot {number}")));
    bot
}

impl Bot {
    fn play(&mut self, line: &mut Line, number: usize, plan: Plan, stop: &AtomicBool) -> Result<()> {
        line.look(aim(number))?;
        let mut rota = None;
        while !stop.load(Ordering::Relaxed) {
            match line.hear(&[SPELL_TEXT, SPELL_CAST_REJECTED])?.1 {
                Heard::Snapshot(tick) => {
                    let rota = rota.get_or_insert_with(|| Rota::new(number, plan.kinds, plan.pause_ticks, tick));
                    if let Some(kind) = rota.turn(tick) {
                        line.cast(plan.kinds[kind].name, plan.target)?;
                        self.asked += 1;
                    }
                }
                Heard::Told(told) if told.kind == SPELL_TEXT => self.texts.push(told),
                Heard::Told(told) if told.hook.is_empty() => {
                    let kind = plan.kinds.iter().position(|kind| kind.name == told.spell_id);
                    if let (Some(rota), Some(kind)) = (&mut rota, kind) {
                        rota.refused(kind);
                    }
                    *self.refused.entry(told.limit).or_default() += 1;
                }
                Heard::Told(told) => *self.stopped.entry((told.spell_id, told.limit)).or_default() += 1,
                Heard::Other => {}
            }
        }
        Ok(())
    }
}
