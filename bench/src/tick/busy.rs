//! The busy world: what a tick costs, which stages take it, and how each of them grows with the world.

use super::crowd::{Census, Crowd, SPELLS};
use crate::artifact;
use crate::clock;
use crate::report::{Report, Row, Samples, growth_exponent, progress};
use anyhow::{Result, ensure};
use game::Loader;
use sim::{Inbound, Stage, Thoroughness};
use spell_runtime::Runtime;

const ROUNDS: usize = 5;
const TICKS_PER_ROUND: usize = 120;
const SIZES: [f64; 5] = [0.25, 0.5, 1.0, 2.0, 4.0];
/// Which of them is the busy world itself.
const BUSY: usize = 2;
/// Up to here, nothing has run into one of the world's limits but players.
const UNBOUNDED: usize = 4;
/// By stage: its share of the busy world's tick, and its growth.
const KEYS: [(Stage, &str, &str); 12] = [
    (Stage::Admit, "busy.share.admit", "growth.admit"),
    (Stage::Terrain, "busy.share.terrain", "growth.terrain"),
    (Stage::Move, "busy.share.move", "growth.move"),
    (Stage::Due, "busy.share.due", "growth.due"),
    (Stage::Spells, "busy.share.spells", "growth.spells"),
    (Stage::Intents, "busy.share.intents", "growth.intents"),
    (Stage::Npcs, "busy.share.npcs", "growth.npcs"),
    (Stage::Projectiles, "busy.share.projectiles", "growth.projectiles"),
    (Stage::Physics, "busy.share.physics", "growth.physics"),
    (Stage::Combat, "busy.share.combat", "growth.combat"),
    (Stage::Checkpoint, "busy.share.checkpoint", "growth.checkpoint"),
    (Stage::Close, "busy.share.close", "growth.close"),
];
/// Ticks between two checkpoints: the game server's.
const SAVE_INTERVAL_TICKS: usize = 45;
/// A stage that takes less of the busy world's tick says nothing by its growth, percent.
const SHARE_MIN: f64 = 1.0;

/// One size and what its ticks took.
struct Contender {
    crowd: Crowd,
    tick_ms: Vec<f64>,
    /// By stage of `KEYS`, one sum a round.
    stage_ms: Vec<[f64; KEYS.len()]>,
}

/// Adds the figures, and draws them.
pub fn measure(report: &mut Report) -> Result<()> {
    let casts: usize = SIZES.iter().map(|size| Census::of(*size).live_casts()).sum();
    let loader = Loader::new(Runtime::new(casts as u32)?, artifact::public_key());
    let mut spells = Vec::new();
    for (name, source) in SPELLS {
        spells.push(loader.load(name, "rev_000001_00000000", &artifact::build(source)?)?);
    }
    let mut contenders = Vec::new();
    for size in SIZES {
        progress(&format!("setting up {size} times the busy world"));
        contenders.push(Contender { crowd: Crowd::new(size, &spells)?, tick_ms: Vec::new(), stage_ms: Vec::new() });
    }
    for round in 0..=ROUNDS {
        for (size, contender) in SIZES.iter().zip(&mut contenders) {
            progress(&format!("round {round}/{ROUNDS}, {size} times the busy world"));
            contender.measure();
            // Round 0 warms up.
            if round == 0 {
                contender.tick_ms.clear();
                contender.stage_ms.clear();
            }
        }
    }
    progress("");
    let (seen, awake) = contenders[BUSY].crowd.counted();
    let wanted = contenders[BUSY].crowd.census;
    ensure!(seen.entities() * 100 >= wanted.entities() * 95 && seen.casts * 100 >= wanted.live_casts() * 95, "{seen:?} is not {wanted:?}");
    let how = format!(
        "{} players, {} NPCs, {} projectiles, {} bodies of which {awake} are awake, and {} live casts ({} of repel, the others keep balls in the air and bodies awake), on hills; time that passes, spells on all cores; {ROUNDS} rounds of {TICKS_PER_ROUND} ticks",
        seen.players, seen.npcs, seen.shots, seen.props, seen.casts, wanted.casts
    );
    println!("busy world: {how}");
    report.extend(figures(&contenders, &how));
    draw(report, &contenders)
}

impl Contender {
    fn measure(&mut self) {
        let mut sums = [0.0; KEYS.len()];
        for _ in 0..TICKS_PER_ROUND {
            let mut inbound = self.crowd.inputs();
            // As often as a server saves.
            if self.tick_ms.len().is_multiple_of(SAVE_INTERVAL_TICKS) {
                inbound.push(Inbound::Checkpoint(Thoroughness::InPassing));
            }
            let mut stages = Vec::with_capacity(KEYS.len());
            let start = clock::wall();
            let _ = self.crowd.game.step(&inbound, &mut |stage| stages.push((stage, clock::wall())));
            let end = clock::wall();
            self.crowd.game.take_checkpoint();
            self.tick_ms.push(clock::ms(start, end));
            let ends = stages.iter().skip(1).map(|(_, began)| *began).chain([end]);
            for ((stage, began), ended) in stages.iter().zip(ends) {
                let place = KEYS.iter().position(|(key, ..)| key == stage).expect("every stage has its keys");
                sums[place] += clock::ms(*began, ended);
            }
        }
        self.stage_ms.push(sums.map(|sum| sum / TICKS_PER_ROUND as f64));
    }

    /// Of a tick, in each round.
    fn stage(&self, place: usize) -> Samples {
        Samples::new(self.stage_ms.iter().map(|sums| sums[place]).collect())
    }

    fn entities(&self) -> f64 {
        self.crowd.census.entities() as f64
    }
}

fn figures(contenders: &[Contender], how: &str) -> Vec<Row> {
    let busy = &contenders[BUSY];
    let ticks = Samples::new(busy.tick_ms.clone());
    let mut p99 = ticks.row("busy.p99_ms", "ms", "16.67", how);
    p99.value = ticks.quantile(0.99);
    let mut rows = vec![ticks.row("busy.p50_ms", "ms", "16.67", how), p99];
    let share = |place: usize| {
        let shares = busy.stage_ms.iter().map(|sums| 100.0 * sums[place] / sums.iter().sum::<f64>());
        Samples::new(shares.collect())
    };
    rows.extend(KEYS.iter().enumerate().map(|(place, (_, key, _))| share(place).row(key, "%", "", "of the busy world's tick")));
    let whole: Vec<_> = contenders.iter().map(|it| (it.entities(), Samples::new(it.tick_ms.clone()).median())).collect();
    let one = |value: f64| Samples::new(vec![value]);
    // n log n from the smallest size to the largest is n to the power of 1.12.
    rows.push(one(growth_exponent(&whole)).row(
        "growth_exponent",
        "",
        "1.12",
        "of the median tick over the number of entities, 1/4 to 4 times the busy world at the same density",
    ));
    for (place, (stage, _, key)) in KEYS.iter().enumerate().filter(|(place, _)| share(*place).median() >= SHARE_MIN) {
        let (points, over) = match stage {
            Stage::Due | Stage::Spells | Stage::Intents => (
                contenders[..UNBOUNDED]
                    .iter()
                    .map(|it| (it.crowd.census.live_casts() as f64, it.stage(place).median()))
                    .collect::<Vec<_>>(),
                "over live casts, 1/4 to 2 times the busy world: beyond it fuel puts casts off",
            ),
            _ => (
                contenders.iter().map(|it| (it.entities(), it.stage(place).median())).collect(),
                "over the number of entities, 1/4 to 4 times the busy world",
            ),
        };
        rows.push(one(growth_exponent(&points)).row(key, "", "1.12", format!("of the stage {over}")));
    }
    rows
}

fn draw(report: &Report, contenders: &[Contender]) -> Result<()> {
    let busy = &contenders[BUSY];
    let stages: Vec<(&str, Samples)> = KEYS.iter().enumerate().map(|(place, (stage, ..))| (stage.name(), busy.stage(place))).collect();
    let mut bars: Vec<(&str, &Samples)> = stages.iter().map(|(name, samples)| (*name, samples)).collect();
    bars.sort_by(|a, b| b.1.median().total_cmp(&a.1.median()));
    report.bars("busy", "The busy world's tick by stage", "ms", &bars)?;
    let whole = contenders.iter().map(|it| (it.entities(), Samples::new(it.tick_ms.clone()).median())).collect();
    let mut series = vec![("whole tick".to_owned(), whole)];
    for (name, _) in bars.iter().take(7) {
        let place = KEYS.iter().position(|(stage, ..)| stage.name() == *name).expect("a stage");
        series.push(((*name).to_owned(), contenders.iter().map(|it| (it.entities(), it.stage(place).median())).collect()));
    }
    report.growth("busy_growth", "Stages over the size of the world", ("entities", "ms"), &series)
}
