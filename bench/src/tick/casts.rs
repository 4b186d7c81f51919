//! The whole tick with up to 1,000 live casts of the reference spell.

use crate::artifact;
use crate::report::{Report, Samples, growth_exponent, progress};
use anyhow::{Result, ensure};
use game::{Game, Loader};
use rayon::{ThreadPool, ThreadPoolBuilder};
use sim::inbound::{CastRequest, Input};
use sim::limits::{CAST_COOLDOWN_TICKS, LIVE_CASTS_PER_CASTER_MAX};
use sim::{EntityId, Inbound, Outbound, Vec3};
use spell_runtime::Runtime;
use std::collections::BTreeMap;
use std::time::Instant;

const ROUNDS: usize = 5;
const TICKS_PER_ROUND: usize = 120;
const CASTS: [usize; 5] = [0, 125, 250, 500, 1000];
/// Enough for the most casts; the same crowd stands in every world, so that casts are all that differs.
const PLAYERS: usize = CASTS[CASTS.len() - 1] / LIVE_CASTS_PER_CASTER_MAX;
const SPELL: &str = "repel";
/// Spells whose `on-tick` never returns, each by another instruction.
const SPINS: [(&str, &str); 3] = [
    ("loop", include_str!("../../../examples/tests/end_to_end/hostile/loop_in_on_tick.rs")),
    ("sqrt", include_str!("hostile/sqrt.rs")),
    ("fill", include_str!("hostile/fill.rs")),
];
/// Median, 99th percentile and worst tick under each of them.
const HOSTILE_KEYS: [[&str; 3]; 3] = [
    ["hostile_loop.p50_ms", "hostile_loop.p99_ms", "hostile_loop.max_ms"],
    ["hostile_sqrt.p50_ms", "hostile_sqrt.p99_ms", "hostile_sqrt.max_ms"],
    ["hostile_fill.p50_ms", "hostile_fill.p99_ms", "hostile_fill.max_ms"],
];
/// Threads of all contenders but one, which has all cores for the most casts.
const ONE: usize = 1;
/// Players who cast one of them as often as the cooldown lets them.
const SPINNERS: usize = 8;

/// One world and what its ticks took.
struct Contender {
    /// Live casts of the reference spell.
    casts: usize,
    /// What eight of the players cast that never returns; empty for nothing.
    spin: &'static str,
    /// What its ticks run on.
    threads: ThreadPool,
    game: Game,
    players: Vec<EntityId>,
    sequence: u32,
    tick_ms: Vec<f64>,
    /// Casts that ran out of fuel meanwhile.
    faults: usize,
    /// By stage, of all ticks together.
    stage_ms: BTreeMap<&'static str, f64>,
}

/// Adds the figures, and draws them.
pub fn measure(report: &mut Report) -> Result<()> {
    let runtime = Runtime::new((CASTS.iter().sum::<usize>() + CASTS[CASTS.len() - 1] + SPINS.len() * SPINNERS) as u32)?;
    let loader = Loader::new(runtime, artifact::public_key());
    let artifact = artifact::build(include_str!("../../../spells/repel/src/lib.rs"))?;
    let mut spells = vec![(SPELL, artifact)];
    for (name, source) in SPINS {
        spells.push((name, artifact::build(source)?));
    }
    let mut contenders = CASTS.map(|casts| Contender::new(casts, "", ONE, &loader, &spells)).into_iter().collect::<Result<Vec<_>>>()?;
    for (name, _) in SPINS {
        contenders.push(Contender::new(0, name, ONE, &loader, &spells)?);
    }
    contenders.push(Contender::new(CASTS[CASTS.len() - 1], "", 0, &loader, &spells)?);

    for round in 0..=ROUNDS {
        for contender in &mut contenders {
            progress(&format!("round {round}/{ROUNDS}, {} casts {}", contender.casts, contender.spin));
            contender.measure()?;
            // Round 0 warms up.
            if round == 0 {
                contender.tick_ms.clear();
                contender.stage_ms.clear();
            }
        }
    }
    progress("");

    let all_cores = contenders.pop().expect("the last");
    let hostile = contenders.split_off(CASTS.len());
    let ticks: Vec<_> = contenders.iter().map(|contender| Samples::new(contender.tick_ms.clone())).collect();
    let (quiet, busy) = (&ticks[0], &ticks[ticks.len() - 1]);
    let how = format!(
        "{PLAYERS} walking players and 1,000 live casts that each tick find 8 neighbours and push them; one thread; {ROUNDS} rounds of {TICKS_PER_ROUND} ticks"
    );
    let mut p99 = busy.row("casts_1000.p99_ms", "ms", "16.67", &how);
    p99.value = busy.quantile(0.99);
    report.extend([busy.against(quiet, "the same crowd without casts", "casts_1000.p50_ms", "ms", "16.67", &how), p99]);
    for (contender, keys) in hostile.iter().zip(HOSTILE_KEYS) {
        ensure!(contender.faults > 0, "no {} was stopped, so nothing hostile was measured", contender.spin);
        let how = format!(
            "{PLAYERS} walking players, of whom {SPINNERS} cast what never returns ({}) as often as the cooldown allows",
            contender.spin
        );
        let ticks = Samples::new(contender.tick_ms.clone());
        report.extend(keys.into_iter().zip([0.5, 0.99, 1.0]).map(|(key, share)| {
            let quantile = |samples: &Samples| Samples::new(vec![samples.quantile(share)]);
            quantile(&ticks).against(&quantile(quiet), "the same crowd without", key, "ms", "16.67", &how)
        }));
    }
    let spells = |contender: &Contender| contender.stage_ms.get("spells").copied().unwrap_or_default() / contender.tick_ms.len() as f64;
    let phase: Vec<_> = contenders.iter().map(|contender| (contender.casts as f64, spells(contender))).collect();
    let exponent = growth_exponent(&phase);
    let mean = |contender: &Contender| Samples::new(vec![spells(contender)]);
    report.extend([
        mean(&all_cores).against(
            &mean(&contenders[CASTS.len() - 1]),
            "one thread",
            "casts_1000.all_cores_phase_ms",
            "ms",
            "",
            format!("mean of the stage that runs the spells, on {} threads", all_cores.threads.current_num_threads()),
        ),
        mean(&contenders[CASTS.len() - 1]).row("casts_1000.spell_phase_ms", "ms", "", "mean of the stage that runs the spells"),
        Samples::new(vec![exponent]).row("casts.growth_exponent", "", "1.0", "of the spell phase over the number of casts, 125 to 1,000"),
    ]);
    println!("\nshare of the stages at 1,000 casts:");
    let busiest = &contenders[CASTS.len() - 1];
    let whole: f64 = busiest.stage_ms.values().sum();
    for (stage, spent) in &busiest.stage_ms {
        println!("  {stage:<12} {:>5.1} %", 100.0 * spent / whole);
    }
    let whole_tick = contenders.iter().zip(&ticks).map(|(contender, ticks)| (contender.casts as f64, ticks.median())).collect();
    report.plot(
        "tick",
        "Tick over live casts",
        ("live casts", "ms"),
        &[("whole tick, median".into(), whole_tick), ("spell phase, mean".into(), phase)],
    )
}

impl Contender {
    fn new(casts: usize, spin: &'static str, threads: usize, loader: &Loader, spells: &[(&str, Vec<u8>)]) -> Result<Self> {
        let threads = ThreadPoolBuilder::new().num_threads(threads).build()?;
        let mut world = sim::World::new(7);
        // What is measured is time: mana would end most of these casts.
        world.set_policy(sim::team::Policy::FREE);
        let mut game = Game::with_world(world);
        let mut inbound = Vec::new();
        for (spell, artifact) in spells {
            inbound.push(game.activate(loader.load(spell, "rev_000001_00000000", artifact)?));
        }
        inbound.extend((0..PLAYERS).map(|token| Inbound::Join {
            token: token as u64,
            account: String::new(),
            username: format!("player-{token}"),
        }));
        let joined = game.step(&inbound, &mut |_| ());
        let players: Vec<_> =
            joined.iter().filter_map(|event| if let Outbound::Joined { player, .. } = event { Some(*player) } else { None }).collect();
        ensure!(players.len() == PLAYERS, "{} of {PLAYERS} players were let in", players.len());
        let mut contender =
            Self { casts, spin, threads, game, players, sequence: 0, tick_ms: Vec::new(), faults: 0, stage_ms: BTreeMap::new() };
        contender.cast_all()?;
        Ok(contender)
    }

    /// Everybody casts as often as the cooldown lets them, until enough casts live.
    fn cast_all(&mut self) -> Result<()> {
        let mut left = self.casts;
        while left > 0 {
            let mut inbound = self.walk();
            inbound.extend(self.players.iter().take(left).map(|player| cast(*player, SPELL)));
            left -= left.min(self.players.len());
            self.game.step(&inbound, &mut |_| ());
            for _ in 0..CAST_COOLDOWN_TICKS {
                let inbound = self.walk();
                self.game.step(&inbound, &mut |_| ());
            }
        }
        ensure!(self.game.casts_live() == self.casts, "{} casts live, {} were wanted", self.game.casts_live(), self.casts);
        Ok(())
    }

    /// Everybody walks a way of their own.
    fn walk(&mut self) -> Vec<Inbound> {
        self.sequence += 1;
        let turn = |index: usize| {
            [(0.0, -1.0), (0.6, -0.8), (1.0, 0.0), (0.6, 0.8), (0.0, 1.0), (-0.6, 0.8), (-1.0, 0.0), (-0.6, -0.8)][index % 8]
        };
        let sequence = self.sequence;
        self.players
            .iter()
            .enumerate()
            .map(|(index, player)| {
                let (x, z) = turn(index + sequence as usize / 60);
                let input = Input {
                    sequence,
                    movement: Vec3::new(0.0, 0.0, -1.0),
                    aim: Vec3::new(x, 0.0, z),
                    sprint: false,
                    fire: false,
                    jump: false,
                    seen_tick: 0,
                };
                Inbound::Input { player: *player, input }
            })
            .collect()
    }

    fn measure(&mut self) -> Result<()> {
        for _ in 0..TICKS_PER_ROUND {
            let mut inbound = self.walk();
            if u64::from(self.sequence) % (CAST_COOLDOWN_TICKS + 1) == 0 {
                let spinners = self.players.iter().take(if self.spin.is_empty() { 0 } else { SPINNERS });
                inbound.extend(spinners.map(|player| cast(*player, self.spin)));
            }
            let (outbound, start, stages, end) = self.threads.install(|| {
                let (start, mut stages) = (Instant::now(), Vec::with_capacity(16));
                let outbound = self.game.step(&inbound, &mut |stage| stages.push((stage.name(), Instant::now())));
                (outbound, start, stages, Instant::now())
            });
            self.faults +=
                outbound.iter().filter(|event| matches!(event, Outbound::CastFaulted { fault, .. } if fault.limit == "fuel")).count();
            self.tick_ms.push(end.duration_since(start).as_secs_f64() * 1e3);
            let ends = stages.iter().skip(1).map(|(_, began)| *began).chain([end]);
            for ((name, began), ended) in stages.iter().zip(ends) {
                *self.stage_ms.entry(name).or_default() += ended.duration_since(*began).as_secs_f64() * 1e3;
            }
        }
        ensure!(self.game.casts_live() == self.casts, "{} casts live, {} were wanted", self.game.casts_live(), self.casts);
        Ok(())
    }
}

fn cast(caster: EntityId, spell: &str) -> Inbound {
    Inbound::Cast(CastRequest {
        caster,
        spell: spell.into(),
        revision: String::new(),
        target_position: Vec3::ZERO,
        target: EntityId::NONE,
        params: "{}".into(),
    })
}
