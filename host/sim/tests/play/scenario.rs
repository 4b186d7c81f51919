//! The scenario language. One command a line; `#` starts a comment.
//!
//! Setup: `world new` (else an empty one) · `player NAME X Y Z [aim X Y Z]` · `npc NAME X Y Z` · `prop NAME X Y Z` · `health NAME N`
//! For the next tick: `spell NAME REVISION [lasts TICKS] [every TICKS]` with its indented script (see `scripted.rs`) · `join NAME` · `leave NAME` ·
//! `input NAME SEQUENCE [move X Y Z] [aim X Y Z] [sprint] [fire] [jump]` · `cast NAME SPELL [REVISION] [at NAME]`
//! Then: `run TICKS` · `show NAME` · `live` · `fuel N` (what all spells may spend in a tick). A NAME may be `@` and an id.
//!
//! Every event is printed after the tick in which it happened, entities by name where they have one.

use crate::scripted::Scripted;
use sim::inbound::{CastRequest, Input, SpellSpec};
use sim::{EntityId, Inbound, Outbound, Vec3, World, step};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Plays it and answers what happened.
pub fn play(scenario: &str) -> String {
    let mut stage = Stage { world: World::empty(1), ..Stage::default() };
    for line in scenario.lines().map(|line| line.split('#').next().unwrap_or_default()).filter(|line| !line.trim().is_empty()) {
        stage.command(line);
    }
    stage.printed
}

struct Stage {
    world: World,
    spells: Scripted,
    names: BTreeMap<EntityId, String>,
    inbound: Vec<Inbound>,
    /// The spell whose script the indented lines belong to.
    scripting: (String, String),
    printed: String,
}

impl Default for Stage {
    fn default() -> Self {
        Self {
            world: World::empty(1),
            spells: Scripted::default(),
            names: BTreeMap::new(),
            inbound: Vec::new(),
            scripting: Default::default(),
            printed: String::new(),
        }
    }
}

impl Stage {
    fn command(&mut self, line: &str) {
        if line.starts_with(' ') && line.contains(':') {
            let (spell, revision) = self.scripting.clone();
            return self.spells.teach(&spell, &revision, line.trim());
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["world", "new"] => self.set_up(World::new(7)),
            ["player", name, x, y, z, ref rest @ ..] => {
                let aim = words_after("aim", rest).map_or(Vec3::NEG_Z, vector);
                let id = self.world.spawn_player(name, vector([x, y, z]), aim);
                self.names.insert(id, name.into());
            }
            ["npc", name, x, y, z] => {
                let id = self.world.spawn_npc(name, vector([x, y, z]));
                self.names.insert(id, name.into());
            }
            ["prop", name, x, y, z] => {
                let id = self.world.spawn_prop(name, vector([x, y, z]));
                self.names.insert(id, name.into());
            }
            ["health", name, health] => self.world.set_health(self.id(name), number(health)),
            ["spell", spell, revision, ref rest @ ..] => self.activate(spell, revision, rest),
            ["join", name] => self.inbound.push(Inbound::Join { token: 1, username: name.into() }),
            ["leave", name] => self.inbound.push(Inbound::Leave { player: self.id(name) }),
            ["input", name, sequence, ref rest @ ..] => self.input(name, sequence, rest),
            ["cast", name, spell, ref rest @ ..] => self.cast(name, spell, rest),
            ["run", ticks] => (0..ticks.parse().expect("ticks")).for_each(|_| self.run()),
            ["show", name] => self.show(name),
            ["fuel", fuel] => self.spells.tick_fuel = Some(fuel.parse().expect("fuel")),
            ["live"] => {
                let line = format!("{}: {} live casts", self.world.tick(), self.world.live_casts());
                self.print(line);
            }
            _ => panic!("no such command: {line}"),
        }
    }

    fn set_up(&mut self, world: World) {
        self.names = world.scene().entities().map(|entity| (entity.id, entity.name.clone())).collect();
        self.world = world;
    }

    fn activate(&mut self, spell: &str, revision: &str, rest: &[&str]) {
        let ticks = |word| words_after::<1>(word, rest).map_or(0, |[ticks]| ticks.parse().expect("ticks"));
        let spec = SpellSpec { duration_ticks: ticks("lasts"), tick_interval: ticks("every") };
        self.scripting = (spell.into(), revision.into());
        self.inbound.push(Inbound::Activate { spell: spell.into(), revision: revision.into(), spec });
    }

    fn input(&mut self, name: &str, sequence: &str, rest: &[&str]) {
        let input = Input {
            sequence: sequence.parse().expect("a sequence"),
            movement: words_after("move", rest).map_or(Vec3::ZERO, vector),
            aim: words_after("aim", rest).map_or(Vec3::NEG_Z, vector),
            sprint: rest.contains(&"sprint"),
            fire: rest.contains(&"fire"),
            jump: rest.contains(&"jump"),
        };
        self.inbound.push(Inbound::Input { player: self.id(name), input });
    }

    fn cast(&mut self, name: &str, spell: &str, rest: &[&str]) {
        let target = words_after("at", rest).map_or(EntityId::NONE, |[name]| self.id(name));
        self.inbound.push(Inbound::Cast(CastRequest {
            caster: self.id(name),
            spell: spell.into(),
            revision: rest.first().filter(|word| **word != "at").copied().unwrap_or_default().into(),
            target_position: self.world.scene().entity(target).map_or(Vec3::ZERO, |entity| entity.position),
            target,
            params: "{}".into(),
        }));
    }

    fn run(&mut self) {
        let tick = self.world.tick();
        let events = step(&mut self.world, &std::mem::take(&mut self.inbound), &mut self.spells, &mut |_| ());
        self.world.check_invariants();
        for line in self.spells.take_trace() {
            self.print(format!("{tick}: {line}"));
        }
        for event in events {
            if let Outbound::Spawned { id, name, .. } = &event
                && !name.is_empty()
            {
                self.names.insert(*id, name.clone());
            }
            let line = format!("{tick}: {}", self.describe(&event));
            self.print(line);
        }
    }

    fn show(&mut self, name: &str) {
        let Some(entity) = self.world.scene().entity(self.id(name)) else {
            return self.print(format!("{}: {name} is gone", self.world.tick()));
        };
        let mut line = format!("{}: {name} at {} moves {}", self.world.tick(), point(entity.position), point(entity.velocity));
        if entity.health_max > 0.0 {
            write!(line, " health {}", entity.health).expect("a string");
        }
        if entity.grounded {
            line += " grounded";
        }
        if entity.input_sequence > 0 {
            write!(line, " input {}", entity.input_sequence).expect("a string");
        }
        self.print(line);
    }

    fn describe(&self, event: &Outbound) -> String {
        match event {
            Outbound::Joined { player, .. } => format!("joined as #{}", player.0),
            Outbound::JoinRefused { reason, .. } => format!("join refused: {reason}"),
            Outbound::Spawned { id, kind, position, owner, .. } if *owner == EntityId::NONE => {
                format!("spawned {kind:?} {} at {}", self.name(*id), point(*position))
            }
            Outbound::Spawned { id, kind, position, owner, .. } => {
                format!("spawned {kind:?} {} of {} at {}", self.name(*id), self.name(*owner), point(*position))
            }
            Outbound::Despawned { id, reason } => format!("despawned {}: {}", self.name(*id), reason.as_str()),
            Outbound::Died { id } => format!("{} died", self.name(*id)),
            Outbound::ProjectileHit { projectile, hit, point: at, normal, damage } => {
                format!("{} hit {} at {} normal {} damage {damage}", self.name(*projectile), self.name(*hit), point(*at), point(*normal))
            }
            Outbound::CastStarted { cast, spell, revision, caster, .. } => {
                format!("cast {} of {spell} {revision} by {} started", cast.0, self.name(*caster))
            }
            Outbound::CastRejected { spell, revision, caster, limit, allowed, asked } => {
                format!("{spell} {revision:?} by {} rejected: {limit}, allowed {allowed:.3}, asked {asked:.3}", self.name(*caster))
            }
            Outbound::CastFaulted { cast, fault, .. } => format!("cast {} faulted in {}: {}", cast.0, fault.hook, fault.limit),
            Outbound::CastEnded { cast, reason } => format!("cast {} ended: {reason:?}", cast.0),
            Outbound::Cue { cast, name, .. } => format!("cast {} cue {name}", cast.0),
            Outbound::Log { cast, level, text, .. } => format!("cast {} {level}: {text}", cast.0),
            Outbound::Activated { spell, revision } => format!("activated {spell} {revision}"),
        }
    }

    /// The newest entity of that name, or one that had it.
    fn id(&self, name: &str) -> EntityId {
        let id = self.names.iter().rev().find(|(_, other)| *other == name).map(|(id, _)| *id);
        id.or_else(|| name.strip_prefix('@').map(|id| EntityId(id.parse().expect("an id"))))
            .unwrap_or_else(|| panic!("nobody is called {name}"))
    }

    fn name(&self, id: EntityId) -> String {
        if id == EntityId::NONE { "terrain".into() } else { self.names.get(&id).cloned().unwrap_or_else(|| format!("#{}", id.0)) }
    }

    fn print(&mut self, line: String) {
        self.printed += &line;
        self.printed.push('\n');
    }
}

pub fn number(word: &str) -> f32 {
    word.parse().unwrap_or_else(|_| panic!("{word} is no number"))
}

pub fn vector(words: [&str; 3]) -> Vec3 {
    Vec3::from_array(words.map(number))
}

/// Two decimals, and no negative zero.
fn point(v: Vec3) -> String {
    let [x, y, z] = v.to_array().map(|number| (number * 100.0).round() / 100.0 + 0.0);
    format!("({x:.2} {y:.2} {z:.2})")
}

/// The `N` words after a keyword, if it is there.
fn words_after<'a, const N: usize>(keyword: &str, words: &[&'a str]) -> Option<[&'a str; N]> {
    let at = words.iter().position(|word| *word == keyword)? + 1;
    Some(words[at..at + N].try_into().expect("as many words as asked for"))
}
