//! From 100 to 10,000 live casts at 60 Hz: what the stage that runs the spells takes, on one thread and on two, beside bare wasmtime and beside n times one.
//!
//! Three things are told apart. The world: the stage as players get it, with the real query, the scheduler, and intents as they come. The runtime: as many
//! instances called in turn over prefetched neighbours. Bare wasmtime: the same, with nothing of ours. What one cast costs that is called again and
//! again, times n, is what the last two would take if caches were endless.

use crate::artifact;
use crate::bare::{Bare, BareCast};
use crate::prefetched::{call, cast, pushes, view};
use crate::report::{Effort, Report, Row, Samples, Series, bar, growth_exponent};
use crate::throng::Throng;
use anyhow::{Result, ensure};
use game::{LoadedRevision, Loader};
use rayon::ThreadPool;
use rayon::prelude::*;
use sim::limits::LIVE_CASTS_MAX;
use spell_runtime::{Hook, Instance, Runtime, Spell, View};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

const CASTS: [usize; 6] = [100, 300, 1_000, 2_000, 5_000, LIVE_CASTS_MAX];
/// From so many on, a world has not fuel for all of them in every tick.
const LIMITED_FROM: usize = 2_000;
/// The whole is set up anew so many times: where memory lies differs, and a slow minute meets one of them only.
const SWEEPS: (usize, usize) = (5, 1);
/// Ticks of each contender in a sweep, in blocks that take turns.
const BLOCKS: (usize, usize) = (4, 2);
const TICKS_PER_BLOCK: usize = 30;
/// Bytes that are written between two ticks to empty the caches: more than a core's share of any.
const OTHER_BYTES: usize = 64 << 20;
/// Calls of one instance that are timed as one.
const CALLS_ALONE: usize = 20_000;

/// Who is measured, in milliseconds a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    /// The world's stage, fuel for all.
    World(usize),
    /// The same with a world's own fuel, on two threads.
    Limited,
    /// Instances of our runtime.
    Ours(usize),
    /// The same on one thread, each tick after as much other work as empties the caches: the rest of a world's tick does a part of that.
    Cold,
    /// Instances of wasmtime alone.
    Bare(usize),
}

/// By contender and casts: what each tick took.
type Figures = BTreeMap<(Who, usize), Vec<f64>>;

/// What all sweeps share.
struct Setting {
    revision: LoadedRevision,
    spell: Spell,
    bare: Bare,
    view: Arc<dyn View>,
    /// One thread, and two.
    pools: [(usize, ThreadPool); 2],
    blocks: usize,
}

/// Measures, prints and records.
pub fn run(effort: Effort) -> Result<()> {
    let mut report = Report::begin("scale", effort);
    let artifact = artifact::build(include_str!("../../spells/repel/src/lib.rs"))?;
    let runtime = Runtime::new(LIVE_CASTS_MAX as u32)?;
    let setting = Setting {
        revision: Loader::new(runtime.clone(), artifact::public_key()).load("repel", "rev_000001_00000000", &artifact)?,
        spell: runtime.load("bench", &artifact, &artifact::public_key())?,
        bare: Bare::new(artifact::component(&artifact)?, LIVE_CASTS_MAX as u32)?,
        view: view(),
        pools: [(1, game::threads(1)?), (2, game::threads(2)?)],
        blocks: effort.pick(BLOCKS.0, BLOCKS.1),
    };
    let sweeps = effort.pick(SWEEPS.0, SWEEPS.1);
    let (mut figures, mut calls, mut alone) = (Figures::new(), BTreeMap::new(), Vec::new());
    let progress = bar("scale", sweeps * CASTS.len());
    for _ in 0..sweeps {
        for casts in CASTS {
            progress.set_message(format!("{casts} casts"));
            setting.measure_world(casts, &mut figures, &mut calls)?;
            setting.measure_instances(casts, &mut figures)?;
            progress.inc(1);
        }
        alone.push(setting.measure_alone());
    }
    progress.finish_and_clear();
    let figures: BTreeMap<_, _> = figures.into_iter().map(|(key, ticks)| (key, Samples::new(ticks))).collect();
    report.extend(rows(&figures, &calls, &alone, sweeps * setting.blocks * TICKS_PER_BLOCK));
    report.finish()?;
    draw(&report, &figures)
}

impl Setting {
    fn measure_world(&self, casts: usize, figures: &mut Figures, calls: &mut BTreeMap<usize, Vec<f64>>) -> Result<()> {
        let mut throng = Throng::with_casts(&self.revision, casts)?;
        for _ in 0..self.blocks {
            throng.let_all_be_called(true);
            for (threads, pool) in &self.pools {
                for _ in 0..TICKS_PER_BLOCK {
                    let ticked = pool.install(|| throng.tick());
                    // The first ticks behind those with less fuel make up for what had to wait: all of it was due anyway, once for each cast.
                    ensure!(ticked.calls == casts, "{} calls were made for {casts} casts", ticked.calls);
                    figures.entry((Who::World(*threads), casts)).or_default().push(ticked.phase_ms);
                }
            }
            if casts >= LIMITED_FROM {
                throng.let_all_be_called(false);
                for _ in 0..TICKS_PER_BLOCK {
                    let ticked = self.pools[1].1.install(|| throng.tick());
                    figures.entry((Who::Limited, casts)).or_default().push(ticked.phase_ms);
                    calls.entry(casts).or_default().push(ticked.calls as f64);
                }
            }
        }
        throng.check()
    }

    fn measure_instances(&self, casts: usize, figures: &mut Figures) -> Result<()> {
        let mut ours: Vec<Instance> = (0..casts).map(|_| cast(&self.spell, &self.view)).collect();
        let mut bare: Vec<BareCast> = (0..casts).map(|_| self.bare.cast()).collect();
        let tick = |instance: &mut Instance| drop(call(instance, &self.view, Hook::Tick(1.0 / 60.0)));
        let mut other_work = vec![0_u8; OTHER_BYTES];
        for block in 0..=self.blocks {
            let cold_ms = ticks_ms(&self.pools[0].1, &mut ours, tick, || other_work.iter_mut().step_by(64).for_each(|byte| *byte += 1));
            if block > 0 {
                figures.entry((Who::Cold, casts)).or_default().extend(cold_ms);
            }
            for (threads, pool) in &self.pools {
                let ours_ms = ticks_ms(pool, &mut ours, tick, || ());
                let bare_ms = ticks_ms(pool, &mut bare, BareCast::tick, || ());
                // Block 0 warms up.
                if block > 0 {
                    figures.entry((Who::Ours(*threads), casts)).or_default().extend(ours_ms);
                    figures.entry((Who::Bare(*threads), casts)).or_default().extend(bare_ms);
                }
            }
        }
        let (ours, bare) = (pushes(&mut ours[casts - 1], &self.view), &bare[casts - 1].world().impulses);
        ensure!(ours == *bare && ours.len() == 8, "the last cast pushed {ours:?}, in bare wasmtime {bare:?}");
        Ok(())
    }

    /// One cast of each that is called again and again: nanoseconds of ours and of the bare one.
    fn measure_alone(&self) -> [f64; 2] {
        let (mut ours, mut bare) = (cast(&self.spell, &self.view), self.bare.cast());
        let each = |work: &mut dyn FnMut()| {
            let start = Instant::now();
            (0..CALLS_ALONE).for_each(|_| work());
            start.elapsed().as_secs_f64() * 1e9 / CALLS_ALONE as f64
        };
        each(&mut || drop(call(&mut ours, &self.view, Hook::Tick(1.0 / 60.0))));
        [each(&mut || drop(call(&mut ours, &self.view, Hook::Tick(1.0 / 60.0)))), each(&mut || bare.tick())]
    }
}

/// What each of some ticks takes in which all of them are called once; `between` is not timed.
fn ticks_ms<T: Send>(pool: &ThreadPool, casts: &mut [T], tick: impl Fn(&mut T) + Sync, mut between: impl FnMut() + Send) -> Vec<f64> {
    let mut all = || {
        between();
        let start = Instant::now();
        // As the scheduler hands them out: eight casts of a caster at a time.
        casts.par_chunks_mut(8).with_max_len(1).for_each(|eight| eight.iter_mut().for_each(&tick));
        start.elapsed().as_secs_f64() * 1e3
    };
    pool.install(|| (0..TICKS_PER_BLOCK).map(|_| all()).collect())
}

fn rows(figures: &BTreeMap<(Who, usize), Samples>, calls: &BTreeMap<usize, Vec<f64>>, alone: &[[f64; 2]], ticks: usize) -> Vec<Row> {
    let of = |who, casts| &figures[&(who, casts)];
    let alone = |which: usize| Samples::new(alone.iter().map(|both| both[which]).collect());
    let how = format!(
        "spells/repel, cast by NPCs, eight live casts each, 28 bodies in reach of each; the stage that runs the spells, every cast called in every tick (a tick's fuel grown with the casts); {ticks} ticks"
    );
    let mut rows = vec![
        of(Who::World(2), LIVE_CASTS_MAX).row("casts_10000.phase_ms", "ms", "12", format!("two threads; {how}")),
        of(Who::World(1), 2_000).row("casts_2000.phase_ms", "ms", "4", format!("one thread; {how}")),
    ];
    let exponents = [
        (Who::World(1), "casts.growth_exponent", "the world's stage, one thread"),
        (Who::World(2), "casts.growth_exponent_two_threads", "the world's stage, two threads"),
        (Who::Ours(1), "casts.growth_exponent_runtime", "instances called in turn, one thread"),
        (Who::Bare(1), "casts.growth_exponent_bare", "instances of bare wasmtime called in turn, one thread"),
    ];
    rows.extend(exponents.map(|(who, key, what)| {
        let points = CASTS.map(|casts| (casts as f64, of(who, casts).median()));
        let what = format!("{what}: exponent of the median over the number of casts, {} to {}", CASTS[0], CASTS[CASTS.len() - 1]);
        Samples::new(vec![growth_exponent(&points)]).row(key, "", "1.0", what)
    }));
    rows.push(alone(0).against(
        &alone(1),
        "bare wasmtime",
        "casts_1.call_ns",
        "ns",
        "",
        "one cast that is called again and again, neighbours prefetched",
    ));
    for casts in CASTS {
        let key = |what: &str| -> &'static str { format!("casts_{casts}.{what}").leak() };
        let times_one = Samples::new(vec![alone(0).median() * casts as f64 / 1e6]);
        let (one, two) = (of(Who::World(1), casts), of(Who::World(2), casts));
        rows.extend([
            one.against(&times_one, "n times one cast alone", key("one_thread_ms"), "ms", "", &how),
            one.only(0.99).row(key("one_thread_p99_ms"), "ms", "", &how),
            two.against(one, "one thread", key("two_threads_ms"), "ms", "", &how),
            two.only(0.99).row(key("two_threads_p99_ms"), "ms", "", &how),
        ]);
        if let Some(calls) = calls.get(&casts) {
            let made = Samples::new(calls.clone());
            let how = format!("two threads, with the fuel that a world has: about {:.0} of {casts} are called in a tick", made.median());
            rows.push(of(Who::Limited, casts).row(key("limited_ms"), "ms", "", &how));
            rows.push(made.row(key("limited_calls"), "", "", how));
        }
        let how = "instances called in turn, neighbours prefetched; no world, no scheduler";
        let cold = format!("{how}; {} MiB of other memory are written between two ticks", OTHER_BYTES >> 20);
        let (ours, bare) = (of(Who::Ours(1), casts), of(Who::Bare(1), casts));
        rows.extend([
            ours.against(&times_one, "n times one cast alone", key("runtime_ms"), "ms", "", how),
            of(Who::Cold, casts).against(ours, "without other work between", key("runtime_cold_ms"), "ms", "", &cold),
            ours.against(bare, "bare wasmtime, one thread", key("vs_bare"), "ms", "", how),
            of(Who::Ours(2), casts).against(
                of(Who::Bare(2), casts),
                "bare wasmtime, two threads",
                key("two_threads_vs_bare"),
                "ms",
                "",
                how,
            ),
        ]);
    }
    rows
}

fn draw(report: &Report, figures: &BTreeMap<(Who, usize), Samples>) -> Result<()> {
    let names = [
        (Who::World(1), "world, 1 thread"),
        (Who::World(2), "world, 2 threads"),
        (Who::Ours(1), "runtime, 1 thread"),
        (Who::Ours(2), "runtime, 2 threads"),
        (Who::Cold, "runtime, cold"),
        (Who::Bare(1), "bare, 1 thread"),
        (Who::Bare(2), "bare, 2 threads"),
    ];
    let series: Vec<Series> = names
        .into_iter()
        .map(|(who, name)| {
            let each = |casts: usize| (casts as f64, figures[&(who, casts)].median() * 1e3 / casts as f64);
            (name.to_owned(), CASTS.map(each).to_vec())
        })
        .collect();
    report.growth("scale", "Cost of a cast in a tick over the number of live casts", ("live casts", "us a cast"), &series)
}
