//! What each call of the interface takes beside what it is charged: in the spell, and where its intents are applied.

use crate::artifact;
use crate::hills;
use crate::report::{Effort, Report, Samples, progress};
use anyhow::{Context, Result, ensure};
use game::{Game, Loader};
use sim::inbound::CastRequest;
use sim::limits::CAST_COOLDOWN_TICKS;
use sim::{EntityId, Inbound, Outbound, Stage, Vec3, World};
use spell_runtime::{Runtime, prices};
use std::time::{Duration, Instant};

const SEED: u64 = 7;
const REACH_CHUNKS: i32 = 2;
/// Who stands about, so that a query has something to sort.
const NPCS: usize = 200;
const PROPS: usize = 200;
const ROUNDS: usize = 25;
/// What does nothing, as often as a call: what is taken off.
const NOTHING: usize = 99;
/// By the order of `prices::ALL`: how often a cast makes the call; 0 for those that mean nothing alone.
const TIMES: [u32; prices::ALL.len()] = [
    200, 200, 100, 100, 100, 200, 20, 200, 200, 100, 200, 200, 100, 100, 200, 16, 16, 8, 8, 8, 4, 4, 100, 8, 0, 100, 16, 8, 2, 4, 50, 30, 0,
];

/// Measures, prints and records.
pub fn run() -> Result<()> {
    let mut report = Report::begin("prices", Effort::Full);
    let mut stage = Setting::new()?;
    let (mut rows, mut bars) = (Vec::new(), Vec::new());
    for (call, (price, times)) in prices::ALL.iter().zip(TIMES).enumerate().filter(|(_, (_, times))| *times > 0) {
        let (mut took, mut idle, mut charged) = (Vec::new(), Vec::new(), 0.0);
        for round in 0..=ROUNDS {
            progress(&format!("round {round}/{ROUNDS}, {}", price.name));
            let (with, fuel) = stage.cast(call, times)?;
            let (without, _) = stage.cast(NOTHING, times)?;
            // Round 0 warms up.
            if round > 0 {
                took.push(with);
                idle.push(without);
                charged = fuel;
            }
        }
        let each = |samples: &[f64]| Samples::new(samples.to_vec()).median() / f64::from(times);
        let ns = (each(&took) - each(&idle)).max(0.0);
        let fuel = charged / f64::from(times);
        let key: &'static str = format!("price.{}", price.name).leak();
        let how = format!(
            "{times} calls a cast; spell phase and intents, less those of an empty loop; charged {fuel:.0} units a call, its loop included"
        );
        rows.push(Samples::new(vec![ns]).against(
            &Samples::new(vec![fuel]),
            "ns, by its price of 1 ns a unit",
            key,
            "ns",
            "1/3 to 3x",
            how,
        ));
        bars.push((price.name, Samples::new(vec![ns / fuel])));
    }
    progress("");
    report.extend(rows);
    report.finish()?;
    let bars: Vec<(&str, &Samples)> = bars.iter().map(|(name, ratio)| (*name, ratio)).collect();
    report.bars("prices", "What a call takes, by what it is charged", "ns a unit of fuel", &bars)
}

/// A world with a crowd in it, and who casts.
struct Setting {
    game: Game,
    caster: EntityId,
    target: EntityId,
}

impl Setting {
    fn new() -> Result<Self> {
        let loader = Loader::new(Runtime::new(64)?, artifact::public_key());
        let calls = loader.load("calls", "rev_000001_00000000", &artifact::build(include_str!("prices/calls.rs"))?)?;
        let mut world = World::on(SEED, hills::walled(SEED, REACH_CHUNKS));
        // What is measured is time: mana would end most of these casts.
        world.set_policy(sim::team::Policy::FREE);
        let on_ground = |x: f32, z: f32, height: f32| Vec3::new(x, hills::surface(SEED, x, z) + height, z);
        let caster = world.spawn_player("caster", on_ground(0.5, 0.5, 0.9), Vec3::NEG_Z);
        let target = world.spawn_npc("target", on_ground(4.5, 4.5, 0.9));
        let place = |index: usize| ((index % 20) as f32 * 3.0 - 30.0, (index / 20) as f32 * 5.0 - 25.0);
        for index in 0..NPCS {
            let (x, z) = place(index);
            world.spawn_npc("npc", on_ground(x + 1.0, z + 1.0, 0.9));
        }
        for index in 0..PROPS {
            let (x, z) = place(index);
            world.spawn_prop("crate", on_ground(x + 2.0, z + 3.0, 0.6));
        }
        let mut game = Game::with_world(world);
        let activate = game.activate(calls);
        game.step(&[activate], &mut |_| ());
        Ok(Self { game, caster, target })
    }

    /// Casts, and answers nanoseconds of the spells and of their intents, and the fuel that the calls were charged.
    fn cast(&mut self, call: usize, times: u32) -> Result<(f64, f64)> {
        // Nobody wants a dead or a lost target.
        for _ in 0..CAST_COOLDOWN_TICKS + 10 {
            self.game.step(&[], &mut |_| ());
        }
        let request = CastRequest {
            caster: self.caster,
            spell: "calls".into(),
            revision: String::new(),
            target_position: Vec3::ZERO,
            target: self.target,
            params: format!("{{\"call\": {call}, \"times\": {times}}}"),
        };
        let (mut since, mut took) = (None::<(Stage, Instant)>, Duration::ZERO);
        let told = self.game.step(&[Inbound::Cast(request)], &mut |stage| {
            if let Some((Stage::Spells | Stage::Intents, began)) = since {
                took += began.elapsed();
            }
            since = Some((stage, Instant::now()));
        });
        let fault = told.iter().find(|event| matches!(event, Outbound::CastFaulted { .. } | Outbound::CastRejected { .. }));
        ensure!(fault.is_none(), "{} times call {call}: {fault:?}", times);
        let charged =
            told.iter().find_map(|event| if let Outbound::Log { level: "info", text, .. } = event { text.parse().ok() } else { None });
        let charged = charged.with_context(|| format!("call {call} was refused: {told:?}"))?;
        Ok((took.as_secs_f64() * 1e9, charged))
    }
}
