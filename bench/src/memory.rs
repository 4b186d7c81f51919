//! What a live cast takes of the machine's memory: resident pages, the kernel's tables for them, mappings.

use crate::artifact;
use crate::report::{Effort, Report, Samples, bar};
use crate::resident::Resident;
use crate::throng::Throng;
use anyhow::{Result, ensure};
use game::Loader;
use sim::limits::LIVE_CASTS_MAX;
use spell_runtime::Runtime;

const CASTS: [usize; 4] = [1_000, 2_000, 5_000, LIVE_CASTS_MAX];
/// Ticks in which every cast is called, before it is looked at what all of them hold.
const TICKS: usize = 30;
const WARMING_CASTS: usize = 8;

/// Measures, prints and records.
pub fn run(effort: Effort) -> Result<()> {
    let mut report = Report::begin("memory", effort);
    let loader = Loader::new(Runtime::new(LIVE_CASTS_MAX as u32)?, artifact::public_key());
    let artifact = artifact::build(include_str!("../../spells/repel/src/lib.rs"))?;
    let spell = loader.load("repel", "rev_000001_00000000", &artifact)?;
    let mut throng = Throng::new(&spell);
    // What the process takes once, however many casts there are: code that has never run yet, the pool's own lists.
    throng.cast(WARMING_CASTS)?;
    (0..TICKS).for_each(|_| _ = throng.tick());
    let before = Resident::now()?;
    let progress = bar("memory", CASTS.len());
    let mut each = Vec::new();
    for casts in CASTS {
        throng.cast(casts)?;
        for _ in 0..TICKS {
            ensure!(throng.tick().calls == casts, "not every cast was called");
        }
        let after = Resident::now()?;
        let of = |of: fn(&Resident) -> f64| (of(&after) - of(&before)) / (casts - WARMING_CASTS) as f64;
        each.push([of(|it| it.rss_kib), of(|it| it.tables_kib), of(|it| it.mappings)]);
        progress.inc(1);
    }
    drop(throng);
    let left = Resident::now()?.rss_kib - before.rss_kib;
    progress.finish_and_clear();
    let how = "a world with and without its casts of spells/repel, each called 30 times or more; what the world keeps of a cast is in it";
    let columns = [("live_cast.rss_kib", "KiB", "32"), ("live_cast.page_tables_kib", "KiB", ""), ("live_cast.mappings", "", "2")];
    for (column, (key, unit, aim)) in columns.into_iter().enumerate() {
        let figures: Vec<f64> = each.iter().map(|figures| figures[column]).collect();
        let most = Samples::new(vec![figures[CASTS.len() - 1]]);
        let of_1000: &'static str = format!("{key}_of_1000").leak();
        report.extend([
            most.row(key, unit, aim, format!("at {LIVE_CASTS_MAX} live casts: {how}")),
            Samples::new(vec![figures[0]]).row(of_1000, unit, aim, format!("at 1,000 live casts: {how}")),
        ]);
    }
    let left = Samples::new(vec![left / 1024.0]);
    report.extend([left.row(
        "live_cast.left_mib",
        "MiB",
        "",
        "VmRSS of the process once the world and its 10,000 casts are gone, over what it was with the world alone",
    )]);
    report.finish()?;
    let line = |name: &str, column: usize| {
        (name.to_owned(), CASTS.iter().zip(&each).map(|(casts, figures)| (*casts as f64, figures[column])).collect())
    };
    report.plot(
        "memory",
        "Memory of a live cast",
        ("live casts", "KiB a cast"),
        &[line("resident", 0), line("the kernel's page tables", 1)],
    )
}
