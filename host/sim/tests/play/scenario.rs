//! The scenario language. One command a line; `#` starts a comment.
//!
//! Setup: `world new` (else an empty one) · `wall X Y Z X Y Z` (both voxels included; before all others) · `player NAME X Y Z [aim X Y Z]` ·
//! `npc NAME X Y Z [guard|critter] [aim X Y Z]` · `spawner NAME X Y Z guard|critter COUNT TICKS` · `team NAME N` · `policy spare` (no friendly fire) · `friendly fire on|off` (from the next tick on) ·
//! `status NAME STATUS SECONDS` with `slow FACTOR`, `root`, `shield AMOUNT`, `burn PER_SECOND` · `prop NAME X Y Z` · `health NAME N`
//! `world hills` is one of hills
//! For the next tick: `terraform NAME SEQUENCE add|subtract|paint X Y Z RADIUS [MATERIAL]` · `revert NAME SINCE` · `revert spell SPELL REVISION SINCE` ·
//! `spell NAME REVISION [lasts TICKS] [every TICKS] [migrates|cancels] [later]` with its indented script (see `scripted.rs`); with `later` it is not activated ·
//! `switch SPELL REVISION|nothing [try REVISION PERCENT casts|players] [draft REVISION NAME] [bar REVISION|all]` · `join NAME` · `leave NAME` ·
//! `input NAME SEQUENCE [move X Y Z] [aim X Y Z] [sprint] [fire] [jump] [saw TICK]` · `cast NAME SPELL [REVISION] [at NAME]`
//! Then: `column X Z` (its materials) · `run TICKS` · `show NAME` · `live` · `fuel N` (what all spells may spend in a tick). A NAME may be `@` and an id.
//!
//! Every event is printed after the tick in which it happened, entities by name where they have one.

use crate::scripted::Scripted;
use sim::edit::{Area, Change};
use sim::inbound::{CastRequest, Input, School, Schools, SpellSpec, Switch};
use sim::lineup::{Barred, InFlight, Lineup, ShareBy, Trial};
use sim::outbound::ChangedChunk;
use sim::status::Status;
use sim::team::{Policy, Team};
use sim::undo::Whose;
use sim::voxel::ChunkId;
use sim::voxel::{CHUNK_EDGE, Chunk, Terrain};
use sim::{Edit, EntityId, Generation, IVec3, Inbound, Outbound, Settings, Spawner, Stored, Temper, Thoroughness, Vec3, World, step};
use std::collections::BTreeMap;
use std::fmt::Write;

fn in_flight(words: &[&str]) -> InFlight {
    match () {
        () if words.contains(&"migrates") => InFlight::Migrate,
        () if words.contains(&"cancels") => InFlight::Cancel,
        () => InFlight::Finish,
    }
}

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
    walls: Vec<(IVec3, IVec3)>,
    /// What the checkpoints so far have saved.
    stored: Option<Stored>,
    /// The spell whose script the indented lines belong to.
    scripting: (String, String),
    specs: BTreeMap<(String, String), SpellSpec>,
    printed: String,
}

impl Default for Stage {
    fn default() -> Self {
        Self {
            world: World::empty(1),
            spells: Scripted::default(),
            names: BTreeMap::new(),
            inbound: Vec::new(),
            walls: Vec::new(),
            stored: None,
            scripting: Default::default(),
            specs: BTreeMap::new(),
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
            ["wall", x, y, z, ref to @ ..] => {
                self.walls.push((vector([x, y, z]).as_ivec3(), vector(to.try_into().expect("two corners")).as_ivec3()));
                self.set_up(World::on(1, walled(&self.walls)));
            }
            ["spawner", name, x, y, z, temper, count, ticks] => {
                let (count, respawn_ticks) = (count.parse().expect("a count"), ticks.parse().expect("ticks"));
                let position = vector([x, y, z]);
                self.world.add_spawner(&Spawner { name: name.into(), temper: kind(temper), position, count, respawn_ticks, team: None });
            }
            ["team", name, team] => self.world.set_team(self.id(name), Team(team.parse().expect("a team"))),
            ["friendly", "fire", word] => self.inbound.push(Inbound::FriendlyFire(word == "on")),
            ["policy", "spare"] => self.world.set_policy(Policy { friendly_fire: false, ..Policy::default() }),
            ["mana", name] => {
                let line = format!("{}: {name} has {:.2} mana", self.world.tick(), self.world.mana(self.id(name)).unwrap_or(f32::INFINITY));
                self.print(line);
            }
            ["status", name, ref status @ .., seconds] => self.world.set_status(self.id(name), status_of(status), number(seconds)),
            ["npc", name, x, y, z, temper, ref rest @ ..] => {
                let aim = words_after("aim", rest).map_or(Vec3::Z, vector);
                let id = self.world.spawn_npc_of(kind(temper), name, vector([x, y, z]), aim);
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
            ["world", "hills"] => self.set_up(World::bare(Settings { generation: Generation::Hills, ..Settings::new(7) })),
            ["terraform", name, sequence, change, x, y, z, radius, ref material @ ..] => {
                let material = material.first().map_or(0, |material| material.parse().expect("a material"));
                let change = match change {
                    "add" => Change::Add(material),
                    "subtract" => Change::Subtract,
                    "paint" => Change::Paint(material),
                    _ => panic!("no such change: {change}"),
                };
                let edit = Edit { area: Area::Sphere { center: vector([x, y, z]), radius: number(radius) }, change };
                let client_sequence = sequence.parse().expect("a sequence");
                self.inbound.push(Inbound::Terraform { player: self.id(name), edit, client_sequence });
            }
            ["revert", "spell", spell, revision, since] => {
                let whose = Whose::Spell { spell: spell.into(), revision: Some(revision.into()) };
                self.inbound.push(Inbound::Revert { whose, since_tick: since.parse().expect("a tick") });
            }
            ["revert", name, since] => {
                let whose = Whose::Player(self.id(name));
                self.inbound.push(Inbound::Revert { whose, since_tick: since.parse().expect("a tick") });
            }
            ["column", x, z] => self.column(x.parse().expect("a voxel"), z.parse().expect("a voxel")),
            ["health", name, health] => self.world.set_health(self.id(name), number(health)),
            ["spell", spell, revision, ref rest @ ..] => self.activate(spell, revision, rest),
            ["switch", spell, ref rest @ ..] => self.switch(spell, rest),
            ["join", name] => self.inbound.push(Inbound::Join { token: 1, account: format!("account of {name}"), username: name.into() }),
            ["checkpoint"] => self.inbound.push(Inbound::Checkpoint(Thoroughness::InPassing)),
            ["load"] => self.load(),
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

    /// Goes on from the last checkpoint, as after a crash.
    fn load(&mut self) {
        let stored = self.stored.clone().expect("a checkpoint was made before");
        self.spells = self.spells.anew();
        let (world, dropped) = World::load(stored, &mut self.spells).expect("a world of ours");
        self.world = world;
        self.world.check_invariants();
        let dropped: Vec<String> = dropped.iter().map(|dropped| format!("cast {} of {}", dropped.cast.0, dropped.spell)).collect();
        let line =
            format!("{}: loaded, {} dropped", self.world.tick(), if dropped.is_empty() { "nothing".into() } else { dropped.join(", ") });
        self.print(line);
    }

    fn activate(&mut self, spell: &str, revision: &str, rest: &[&str]) {
        let ticks = |word| words_after::<1>(word, rest).map_or(0, |[ticks]| ticks.parse().expect("ticks"));
        let costs = words_after::<1>("costs", rest).map_or(0.0, |[mana]| number(mana));
        let of = |word| words_after::<1>(word, rest).map_or(School::None, |[school]| school_of(school));
        let spec = SpellSpec {
            event_interval: ticks("listens"),
            persistent: rest.contains(&"persists"),
            cast_mana: costs,
            school: of("school"),
            counters: Schools(1 << of("counters") as u8 & !1),
            ..SpellSpec::free(ticks("lasts"), ticks("every"))
        };
        self.scripting = (spell.into(), revision.into());
        let spec = SpellSpec { in_flight: in_flight(rest), ..spec };
        self.specs.insert((spell.into(), revision.into()), spec);
        if !rest.contains(&"later") {
            self.inbound.push(Inbound::activate(spell, revision, spec));
        }
    }

    fn switch(&mut self, spell: &str, rest: &[&str]) {
        let mut lineup = Lineup { active: rest.first().filter(|word| **word != "nothing").map(|word| (*word).into()), ..Lineup::default() };
        if let Some([revision, percent, by]) = words_after("try", rest) {
            let by = if by == "casts" { ShareBy::Cast } else { ShareBy::Player };
            lineup.trial = Some(Trial { revision: revision.into(), share: (number(percent) * 100.0) as u16, by });
        }
        if let Some([revision, name]) = words_after("draft", rest) {
            lineup.drafts.insert(format!("account of {name}"), revision.into());
        }
        let barred = match words_after::<1>("bar", rest) {
            Some(["all"]) => Barred::All,
            Some([revision]) => Barred::Those([revision.to_owned()].into()),
            None => Barred::none(),
        };
        let specs =
            lineup.revisions().filter_map(|revision| Some((revision.to_owned(), *self.specs.get(&(spell.into(), revision.into()))?)));
        let specs = specs.collect();
        self.inbound.push(Inbound::Switch(Switch { spell: spell.into(), lineup, specs, barred }));
    }

    fn input(&mut self, name: &str, sequence: &str, rest: &[&str]) {
        let input = Input {
            sequence: sequence.parse().expect("a sequence"),
            movement: words_after("move", rest).map_or(Vec3::ZERO, vector),
            aim: words_after("aim", rest).map_or(Vec3::NEG_Z, vector),
            sprint: rest.contains(&"sprint"),
            fire: rest.contains(&"fire"),
            jump: rest.contains(&"jump"),
            seen_tick: words_after::<1>("saw", rest).map_or(0, |[tick]| tick.parse().expect("a tick")),
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
        if let Some(checkpoint) = self.world.take_checkpoint() {
            self.stored = Some(checkpoint.over(self.stored.take()));
        }
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
        if self.world.lag_ticks(entity.id) > 0 {
            write!(line, " lag {}", self.world.lag_ticks(entity.id)).expect("a string");
        }
        self.print(line);
    }

    /// The materials from y = -2 up to the highest that is solid.
    fn column(&mut self, x: i32, z: i32) {
        let material = |y| self.world.scene().terrain().material(IVec3::new(x, y, z));
        let top = (-2..100).rev().find(|y| material(*y) != 0).unwrap_or(-2);
        let column: Vec<u8> = (-2..=top).map(material).collect();
        self.print(format!("{}: column {x} {z} is {column:?}", self.world.tick()));
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
            Outbound::NpcEvent { npc, kind, target, state, suspicion } => {
                let (npc, target) = (self.name(*npc), self.name(*target));
                format!("{npc} {} {target}: {state:?} {suspicion:.2}", kind.as_str())
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
            Outbound::Said { cast, text, aloud, .. } => format!("cast {} {}: {text}", cast.0, if *aloud { "says" } else { "whispers" }),
            Outbound::Log { cast, level, text, .. } => format!("cast {} {level}: {text}", cast.0),
            Outbound::TerraformApplied { player, affected, client_sequence, .. } => {
                format!("terraform {client_sequence} by {} applied: {}", self.name(*player), chunks(affected))
            }
            Outbound::TerraformRefused { player, client_sequence, limit, allowed, asked } => {
                format!("terraform {client_sequence} by {} refused: {limit}, allowed {allowed:.2}, asked {asked:.2}", self.name(*player))
            }
            Outbound::TerraformReverted { affected, .. } => format!("terraforms reverted: {}", chunks(affected)),
            Outbound::Activated { spell, revision } => format!("activated {spell} {revision}"),
            Outbound::Deactivated { spell } => format!("deactivated {spell}"),
            Outbound::DraftChanged { spell, revision, player } => {
                format!("{} runs {} of {spell}", self.name(*player), revision.as_deref().unwrap_or("no draft"))
            }
            Outbound::Migrated { cast, from, to, .. } => format!("cast {} migrated from {from} to {to}", cast.0),
            Outbound::MigrationFailed { cast, from, to, fault, .. } => {
                format!("cast {} stays with {from}: {to} broke {} in {}", cast.0, fault.limit, fault.hook)
            }
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

/// The floor of a new world, with these boxes on it.
fn walled(walls: &[(IVec3, IVec3)]) -> Terrain {
    let mut terrain = Terrain::floor();
    for id in terrain.chunks().map(|(id, _)| id).collect::<Vec<_>>() {
        let within = |voxel: IVec3| walls.iter().any(|(a, b)| voxel.cmpge(a.min(*b)).all() && voxel.cmple(a.max(*b)).all());
        let corner = IVec3::from_array(id.0) * CHUNK_EDGE;
        terrain.insert(id, Chunk::filled(|place| u8::from(place.y == 0 || within(corner + place))));
    }
    terrain
}

pub fn kind(word: &str) -> Temper {
    match word {
        "dummy" => Temper::Dummy,
        "guard" => Temper::Guard,
        "critter" => Temper::Critter,
        _ => panic!("no such temper: {word}"),
    }
}

fn school_of(word: &str) -> School {
    match word {
        "fire" => School::Fire,
        "frost" => School::Frost,
        _ => panic!("no such school: {word}"),
    }
}

pub fn status_of(words: &[&str]) -> Status {
    match *words {
        ["slow", factor] => Status::Slow { factor: number(factor) },
        ["root"] => Status::Root,
        ["shield", amount] => Status::Shield { amount: number(amount) },
        ["burn", per_second] => Status::Burn { per_second: number(per_second) },
        _ => panic!("no such status: {words:?}"),
    }
}

pub fn number(word: &str) -> f32 {
    word.parse().unwrap_or_else(|_| panic!("{word} is no number"))
}

pub fn vector(words: [&str; 3]) -> Vec3 {
    Vec3::from_array(words.map(number))
}

fn chunks(affected: &[ChangedChunk]) -> String {
    let chunks: Vec<String> =
        affected.iter().map(|ChangedChunk { id: ChunkId([x, y, z]), version, .. }| format!("({x} {y} {z}) v{version}")).collect();
    if chunks.is_empty() { "no chunk".into() } else { chunks.join(", ") }
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
