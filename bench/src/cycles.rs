//! A hundred thousand times: load an artifact, make an instance, let its call trap, drop both. Nothing may be left of it.

use crate::artifact;
use crate::prefetched::{CALL_FUEL, CASTER, view};
use crate::report::{Effort, Report, Row, Samples, bar};
use crate::resident::Resident;
use anyhow::{Result, ensure};
use spell_runtime::{Call, Cast, Hook, Runtime, Spell, View};
use std::sync::Arc;
use std::time::Instant;

const CYCLES: (usize, usize) = (100_000, 2_000);
/// The first tenth may grow what is kept for the next: arenas of the allocator, the pool's slots.
const GROWING_PARTS: usize = 10;
/// Looks at the process's memory, over all cycles.
const LOOKS: usize = 100;

/// What one kind of cycle has left.
struct Course {
    /// Cycles done and the memory then, KiB; the first before any.
    resident: Vec<(f64, Resident)>,
    /// Of each hundredth, microseconds a cycle.
    us: Samples,
}

/// Measures, prints and records.
pub fn run(effort: Effort) -> Result<()> {
    let cycles = effort.pick(CYCLES.0, CYCLES.1);
    let mut report = Report::begin("cycles", effort);
    let runtime = Runtime::new(64)?;
    let artifact = artifact::build(include_str!("cycles/trap.rs"))?;
    let (key, view) = (artifact::public_key(), view());
    let spell = runtime.load("bench", &artifact, &key)?;
    // Code that has never run yet is not what is looked for.
    (0..10).try_for_each(|_| trap(&runtime.load("bench", &artifact, &key)?, &view))?;
    let whole = course("load, instantiate, trap, drop", cycles, || trap(&runtime.load("bench", &artifact, &key)?, &view))?;
    let instances = course("instantiate, trap, drop", cycles, || trap(&spell, &view))?;
    let keys = ["cycles.rss_growth_mib", "cycles.rss_growth_later_mib", "cycles.mappings_growth_later", "cycles.us"];
    report.extend(whole.rows(keys, &format!("{cycles} times: verify and load an artifact, instantiate, a call that panics, drop both")));
    let keys = [
        "cycles_of_instances.rss_growth_mib",
        "cycles_of_instances.rss_growth_later_mib",
        "cycles_of_instances.mappings_growth_later",
        "cycles_of_instances.us",
    ];
    report.extend(instances.rows(keys, &format!("{cycles} times, of one loaded spell: instantiate, a call that panics, drop")));
    report.finish()?;
    report.plot(
        "cycles",
        "Resident memory over cycles",
        ("cycles", "MiB"),
        &[("load, instantiate, trap, drop".into(), whole.line()), ("instantiate, trap, drop".into(), instances.line())],
    )
}

/// Runs them, and looks at the memory now and then.
fn course(name: &str, cycles: usize, mut cycle: impl FnMut() -> Result<()>) -> Result<Course> {
    let part = cycles / LOOKS;
    let (mut resident, mut us) = (vec![(0.0, Resident::now()?)], Vec::new());
    let progress = bar(name, cycles);
    for look in 1..=LOOKS {
        let start = Instant::now();
        (0..part).try_for_each(|_| cycle())?;
        us.push(start.elapsed().as_secs_f64() * 1e6 / part as f64);
        resident.push(((look * part) as f64, Resident::now()?));
        progress.inc(part as u64);
    }
    progress.finish_and_clear();
    Ok(Course { resident, us: Samples::new(us) })
}

fn trap(spell: &Spell, view: &Arc<dyn View>) -> Result<()> {
    let mut instance = spell.instantiate(CALL_FUEL).map_err(|fault| anyhow::anyhow!("{}", fault.message))?;
    let hook = Hook::Cast(Cast {
        tick: 1,
        caster: CASTER,
        target: 0,
        origin: [0.0; 3],
        aim: [0.0, 0.0, -1.0],
        target_position: [0.0; 3],
        seed: 7,
        params: "{}".into(),
    });
    let outcome = instance.call(Call { hook, tick: 1, view: view.clone(), caster: CASTER, mana: None, first_id: 1_000, fuel: CALL_FUEL });
    let limit = outcome.fault.map(|fault| fault.limit);
    ensure!(limit == Some("unreachable"), "the call ended with {limit:?}, not by a trap");
    Ok(())
}

impl Course {
    fn rows(&self, [first, later, mappings, us]: [&'static str; 4], how: &str) -> [Row; 4] {
        let at = |look: usize| self.resident[look].1;
        let grown = LOOKS / GROWING_PARTS;
        let mib = |from: usize, to: usize| Samples::new(vec![(at(to).rss_kib - at(from).rss_kib) / 1024.0]);
        let more_mappings = Samples::new(vec![at(LOOKS).mappings - at(grown).mappings]);
        [
            mib(0, grown).row(first, "MiB", "64", format!("VmRSS, over the first tenth; {how}")),
            mib(grown, LOOKS).row(later, "MiB", "0", format!("VmRSS, over the rest; {how}")),
            more_mappings.row(mappings, "", "0", format!("lines of /proc/self/maps, over the rest; {how}")),
            self.us.row(us, "us", "", how),
        ]
    }

    fn line(&self) -> Vec<(f64, f64)> {
        self.resident.iter().map(|(cycles, resident)| (*cycles, resident.rss_kib / 1024.0)).collect()
    }
}
