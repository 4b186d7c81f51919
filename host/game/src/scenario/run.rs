//! Runs a scenario: the same game as the server's, as fast as it goes.

use super::{Action, Expectation, Scenario, Step, ThingKind};
use crate::limits::SCENARIO_LOGS_MAX;
use crate::{Game, LoadedRevision};
use sim::inbound::{CastRequest, Input};
use sim::mana::ManaPolicy;
use sim::scene::Entity;
use sim::team::Policy;
use sim::voxel::Terrain;
use sim::{EntityId, Inbound, Outbound, Stored, Thoroughness, Vec3, World, voxel};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

/// Chunks of a small floor along each axis.
const SMALL_FLOOR_CHUNKS: RangeInclusive<i32> = -1..=0;
/// How far ahead of the caster a cast without a target points, in metres.
const REACH_M: f32 = 20.0;

/// What came of a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Every expectation held.
    pub passed: bool,
    /// One for each step, in order.
    pub lines: Vec<LineReport>,
    /// The world's digest after each tick; two runs of one scenario have the same.
    pub digests: Vec<u64>,
    /// What the spell logged, at most `SCENARIO_LOGS_MAX` lines.
    pub logs: Vec<LogLine>,
    /// Casts that were refused or stopped.
    pub faults: Vec<Fault>,
    /// Casts that began.
    pub casts: u32,
}

/// What came of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineReport {
    /// From 1.
    pub line: usize,
    /// As it stands in the scenario.
    pub text: String,
    /// Why it failed; `None` when it did not.
    pub failure: Option<String>,
}

/// A line that the spell wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The tick.
    pub tick: u64,
    /// `debug`, `info`, `warn`, `error`.
    pub level: &'static str,
    /// What.
    pub text: String,
}

/// A cast that was refused or stopped.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// The tick.
    pub tick: u64,
    /// The hook by its WIT name; empty when the cast was refused before it ran.
    pub hook: &'static str,
    /// The limit or trap, by name.
    pub limit: &'static str,
    /// In words, with figures.
    pub message: String,
}

impl Report {
    /// The expectations that did not hold: "line 6: dummy's health is 100, expected 75".
    pub fn failures(&self) -> impl Iterator<Item = String> {
        self.lines.iter().filter_map(|line| Some(format!("line {}: {}", line.line, line.failure.as_ref()?)))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hook = if self.hook.is_empty() { "the cast" } else { self.hook };
        write!(f, "tick {}: {hook} broke {}: {}", self.tick, self.limit, self.message)
    }
}

/// Runs it with this spell. Casts in a scenario cast this one.
pub fn run(scenario: &Scenario, spell: &LoadedRevision) -> Report {
    let mut stage = Stage::set(scenario, spell);
    let lines: Vec<LineReport> = scenario
        .steps
        .iter()
        .map(|step| LineReport { line: step.line, text: step.text.clone(), failure: stage.play(step).err() })
        .collect();
    Report {
        passed: lines.iter().all(|line| line.failure.is_none()),
        lines,
        digests: stage.digests,
        logs: stage.logs,
        faults: stage.faults,
        casts: stage.casts,
    }
}

/// A running scenario.
struct Stage {
    game: Game,
    /// The world that was saved at the last reload: it goes on beside the one that was loaded, for the two must stay the same.
    saved: Option<Game>,
    spell: String,
    /// What a file of this world would hold.
    stored: Option<Stored>,
    /// Where each thing was set up, and its first entity's id.
    things: BTreeMap<String, (EntityId, Vec3)>,
    /// What comes in with the next tick.
    inbound: Vec<Inbound>,
    /// Of all inputs so far.
    input_sequence: u32,
    casts_live: i64,
    casts: u32,
    digests: Vec<u64>,
    logs: Vec<LogLine>,
    faults: Vec<Fault>,
}

impl Stage {
    fn set(scenario: &Scenario, spell: &LoadedRevision) -> Self {
        let terrain = if scenario.small { Terrain::floor_over(SMALL_FLOOR_CHUNKS) } else { Terrain::floor() };
        let mut world = World::on(scenario.seed, terrain);
        if let Some(max) = scenario.mana {
            world.set_policy(Policy { mana: Some(ManaPolicy { max, per_second: 1 }), ..Policy::default() });
        }
        let mut things = BTreeMap::new();
        for thing in &scenario.things {
            let id = match thing.kind {
                ThingKind::Player => world.spawn_player(&thing.name, thing.at, Vec3::NEG_Z),
                ThingKind::Npc => world.spawn_npc(&thing.name, thing.at),
                ThingKind::Prop => world.spawn_prop(&thing.name, thing.at),
            };
            if let Some(health) = thing.health {
                world.set_health(id, health);
            }
            things.insert(thing.name.clone(), (id, thing.at));
        }
        let mut game = Game::with_world(world);
        let inbound = vec![game.activate(spell.clone())];
        Self {
            game,
            saved: None,
            spell: spell.spell.clone(),
            stored: None,
            things,
            inbound,
            input_sequence: 0,
            casts_live: 0,
            casts: 0,
            digests: Vec::new(),
            logs: Vec::new(),
            faults: Vec::new(),
        }
    }

    fn play(&mut self, step: &Step) -> Result<(), String> {
        match &step.action {
            Action::Cast { caster, aim, target } => self.cast(caster, *aim, target.as_deref()),
            Action::Run { ticks } => {
                for _ in 0..*ticks {
                    self.tick()?;
                }
                Ok(())
            }
            Action::Settle { ticks } => {
                for _ in 0..*ticks {
                    self.tick()?;
                    if self.casts_live == 0 {
                        break;
                    }
                }
                Ok(())
            }
            Action::Reload => self.reload(),
            Action::Expect(expectation) => self.expect(expectation),
        }
    }

    fn cast(&mut self, caster: &str, aim: Vec3, target: Option<&str>) -> Result<(), String> {
        let player = self.entity(caster).ok_or_else(|| format!("{caster} is not in the world any more"))?;
        let (player, from) = (player.id, player.position);
        let target = target.and_then(|name| self.entity(name)).map(|entity| (entity.id, entity.position));
        self.input_sequence += 1;
        let (sequence, movement) = (self.input_sequence, Vec3::ZERO);
        let input = Input { sequence, movement, aim, sprint: false, fire: false, jump: false, seen_tick: 0 };
        let (target, target_position) = target.unwrap_or((EntityId::NONE, from + aim * REACH_M));
        self.inbound.push(Inbound::Input { player, input });
        self.inbound.push(Inbound::Cast(CastRequest {
            caster: player,
            spell: self.spell.clone(),
            revision: String::new(),
            target_position,
            target,
            params: "{}".to_owned(),
        }));
        Ok(())
    }

    fn reload(&mut self) -> Result<(), String> {
        self.inbound.push(Inbound::Checkpoint(Thoroughness::Whole));
        self.tick()?;
        let checkpoint = self.game.take_checkpoint().ok_or("no checkpoint was made")?;
        let stored = checkpoint.over(self.stored.take());
        self.stored = Some(stored.clone());
        let (loaded, dropped) = Game::load(stored, self.game.loaded().cloned()).map_err(|error| error.to_string())?;
        let live = std::mem::replace(&mut self.game, loaded);
        held(dropped.is_empty(), || format!("{} casts do not go on from what they saved", dropped.len()))?;
        self.saved = Some(live);
        self.agree()
    }

    /// Whether the world that was loaded is still the one that was saved.
    fn agree(&self) -> Result<(), String> {
        let Some(saved) = &self.saved else { return Ok(()) };
        let parts = saved.world().digest().parts().into_iter().zip(self.game.world().digest().parts());
        let differ: Vec<&str> = parts.filter(|(saved, loaded)| saved != loaded).map(|((name, _), _)| name).collect();
        held(differ.is_empty(), || {
            format!("at tick {} the loaded world differs from the saved one in its {}", saved.world().tick(), differ.join(", "))
        })
    }

    fn tick(&mut self) -> Result<(), String> {
        let inbound = std::mem::take(&mut self.inbound);
        let tick = self.game.world().tick();
        if let Some(saved) = &mut self.saved {
            saved.step(&inbound, &mut |_| ());
            saved.take_checkpoint();
        }
        for event in self.game.step(&inbound, &mut |_| ()) {
            self.note(tick, event);
        }
        self.digests.push(self.game.world().digest().whole());
        self.agree()
    }

    fn note(&mut self, tick: u64, event: Outbound) {
        match event {
            Outbound::CastStarted { .. } => {
                self.casts_live += 1;
                self.casts += 1;
            }
            Outbound::CastEnded { .. } => self.casts_live -= 1,
            Outbound::CastFaulted { fault, .. } => {
                self.faults.push(Fault { tick, hook: fault.hook, limit: fault.limit, message: fault.message });
            }
            Outbound::CastRejected { limit, allowed, asked, .. } => {
                let message = format!("the cast was refused: {asked} asked, {allowed} allowed");
                self.faults.push(Fault { tick, hook: "", limit, message });
            }
            Outbound::Log { level, text, .. } if self.logs.len() < SCENARIO_LOGS_MAX => self.logs.push(LogLine { tick, level, text }),
            _ => {}
        }
    }

    fn expect(&self, expectation: &Expectation) -> Result<(), String> {
        match expectation {
            Expectation::Health { name, must_be } => {
                let health = self.entity(name).map_or(0.0, |entity| f64::from(entity.health));
                held(must_be.holds(health), || format!("{name}'s health is {}, expected {must_be}", readable(health)))
            }
            Expectation::Mana { name, must_be } => {
                let entity = self.entity(name).and_then(|entity| self.game.world().mana(entity.id));
                let mana = entity.map_or(0.0, f64::from);
                held(must_be.holds(mana), || format!("{name} has {} mana, expected {must_be}", readable(mana)))
            }
            Expectation::Moved { name, must_be } => {
                let entity = self.entity(name).ok_or_else(|| format!("{name} is not in the world any more"))?;
                let from = self.things.get(name).map_or(Vec3::ZERO, |(_, at)| *at);
                let moved = f64::from(entity.position.distance(from));
                held(must_be.holds(moved), || format!("{name} moved {} m, expected {must_be}", readable(moved)))
            }
            Expectation::Material { at, must_be } => {
                let material = self.game.world().scene().terrain().material(voxel::voxel_of(*at));
                held(must_be.holds(f64::from(material)), || format!("the voxel there is of material {material}, expected {must_be}"))
            }
            Expectation::Count { kind, must_be } => {
                let count = self.game.world().scene().entities().filter(|entity| entity.kind == *kind).count();
                held(must_be.holds(count as f64), || format!("there are {count} of the kind {kind:?}, expected {must_be}"))
            }
            Expectation::CastsLive(must_be) => {
                held(must_be.holds(self.casts_live as f64), || format!("{} casts are live, expected {must_be}", self.casts_live))
            }
            Expectation::NoFaults => {
                held(self.faults.is_empty(), || format!("{} casts were refused or stopped; first, {}", self.faults.len(), self.faults[0]))
            }
            Expectation::Fault(limit) => held(self.faults.iter().any(|fault| fault.limit == limit), || match self.faults.first() {
                None => format!("no cast was refused or stopped, expected {limit}"),
                Some(first) => format!("no cast broke {limit}; first, {first}"),
            }),
        }
    }

    /// The thing of this name, as it stands. A respawned NPC has another id but the same name.
    fn entity(&self, name: &str) -> Option<&Entity> {
        let scene = self.game.world().scene();
        let (id, _) = self.things.get(name)?;
        scene.entity(*id).or_else(|| scene.entities().find(|entity| entity.name == name))
    }
}

fn held(holds: bool, failure: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(failure()) }
}

/// To a thousandth, as expectations are compared.
fn readable(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}
