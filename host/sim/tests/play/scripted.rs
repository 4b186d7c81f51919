//! Spells as scripts: a runner that keeps the contract of `Spells` without wasm.
//!
//! A script's line is `HOOK: COMMAND; COMMAND...` with the hooks `cast`, `tick`, `hit`, `expired`, `timer`, `died`, `dropped`, `message`, `cancel`, `save` and `restore` (only `fault`), and the commands
//! `launch SPEED [damage N] [seconds N] [gravity N] [bounces N] [restitution N] [pierces N] [homing TURN]` (from the caster's eye) · `damage WHO N` · `heal WHO N` · `push WHO X Y Z` · `teleport WHO X Y Z` ·
//! `afflict WHO STATUS SECONDS` · `despawn [WHO]` (else what was made last) ·
//! `box X Y Z HX HY HZ KG [VX VY VZ]` · `ball X Y Z RADIUS KG [VX VY VZ]` · `debris X Y Z COUNT SPEED SECONDS` ·
//! `join fixed|ball|hinge|rope ONE OTHER X Y Z [axis X Y Z] [length N] [breaks N]` (OTHER may be `world`) · `field X Y Z RADIUS ACCELERATION FALLOFF SECONDS` ·
//! `summon dummy|guard|critter X Y Z` · `command WHO follow|stay|go X Y Z|attack WHOM` · `dig X Y Z RADIUS` · `fill X Y Z X Y Z MATERIAL` ·
//! `send maker WHO TEXT` · `send mine SPELL TEXT` · `say TEXT` · `whisper TEXT` · `keep own|shared KEY [VALUE]` (without one it is forgotten) · `look own|shared KEY` (logs it) ·
//! `dispel WHO` · `upkeep MANA` · `mana` (logs the caster's) · `timer TOKEN TICKS` · `cue NAME` · `log TEXT` · `near RADIUS` (logs who is there) · `spend FUEL` · `finish` · `fault`. WHO: `target`, `caster`, `hit`, `made0`, `made1`... (what it has made), or a name.

use crate::scenario::{kind, number, status_of, vector};
use sim::body::{BodySpec, Form};
use sim::debris::DebrisSpec;
use sim::edit::{Area, Change};
use sim::field::FieldSpec;
use sim::intent::{Homing, ProjectileSpec, Recipient};
use sim::joint::{JointKind, JointSpec};
use sim::scene::{Kinds, Scene, Shape};
use sim::spells::{Call, Event, Fault, Hook, Kept, Message, Migrated, Migration, Outcome, Resumed};
use sim::storage::Keeper;
use sim::summon::{Order, SummonSpec};
use sim::{CastId, Edit, EntityId, Intent, Spells, Vec3};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Debug, Default)]
pub struct Scripted {
    /// Once so much is spent in a tick, the rest of the calls is not made.
    pub tick_fuel: Option<u64>,
    /// By spell, revision, hook.
    scripts: BTreeMap<(String, String, String), Vec<String>>,
    memories: BTreeMap<CastId, Memory>,
    /// Casts whose save breaks.
    breaks: BTreeSet<CastId>,
    trace: Vec<String>,
}

/// What an instance remembers between its calls.
#[derive(Debug, Default, Clone, serde::Serialize, serde::Deserialize)]
struct Memory {
    origin: Vec3,
    aim: Vec3,
    target: EntityId,
    hit: EntityId,
    launched: EntityId,
    made: Vec<EntityId>,
}

fn fault(hook: &'static str) -> Fault {
    Fault { hook, limit: "fuel", allowed: 1.0, asked: 2.0, message: "asked for it".into() }
}

impl Scripted {
    /// The same scripts, and no instance: who runs the spells after a load.
    pub fn anew(&self) -> Self {
        Self { scripts: self.scripts.clone(), tick_fuel: self.tick_fuel, ..Self::default() }
    }

    pub fn teach(&mut self, spell: &str, revision: &str, line: &str) {
        let (hook, commands) = line.split_once(':').expect("a hook and its commands");
        let commands = commands.split(';').map(|command| command.trim().into()).collect();
        self.scripts.insert((spell.into(), revision.into(), hook.into()), commands);
    }

    /// What was called since, a line a call.
    pub fn take_trace(&mut self) -> Vec<String> {
        std::mem::take(&mut self.trace)
    }

    fn call(&mut self, scene: &Scene, call: &Call) -> Outcome {
        let (hook, told) = describe(&call.hook);
        self.trace.push(format!("call {} {told}", call.cast.0));
        if self.scripts.contains_key(&(call.spell.clone(), call.revision.clone(), "save".into())) {
            self.breaks.insert(call.cast);
        }
        let memory = self.memories.entry(call.cast).or_default();
        memory.take_in(&call.hook);
        let mut outcome = Outcome::default();
        let mut next_id = call.first_id;
        for command in self.scripts.get(&(call.spell.clone(), call.revision.clone(), hook.into())).into_iter().flatten() {
            obey(command, memory, scene, call, &mut next_id, &mut outcome);
        }
        outcome
    }
}

impl Spells for Scripted {
    fn run(&mut self, scene: Arc<Scene>, calls: &[Call]) -> Vec<Option<Outcome>> {
        let casts: Vec<CastId> = calls.chunk_by(|a, b| a.cast == b.cast).map(|calls| calls[0].cast).collect();
        assert_eq!(casts.iter().collect::<BTreeSet<_>>().len(), casts.len(), "the calls of one cast are side by side");
        let mut over = BTreeSet::new();
        let mut outcomes = Vec::new();
        let mut spent = 0;
        for call in calls {
            if self.tick_fuel.is_some_and(|fuel| spent >= fuel) {
                outcomes.push(None);
                continue;
            }
            let outcome = if over.contains(&call.cast) { Outcome::default() } else { self.call(&scene, call) };
            if outcome.finished || outcome.fault.is_some() {
                over.insert(call.cast);
            }
            spent += outcome.fuel;
            outcomes.push(Some(outcome));
        }
        outcomes
    }

    fn end(&mut self, cast: CastId) {
        self.memories.remove(&cast);
        self.trace.push(format!("instance of {} given back", cast.0));
    }

    /// A save takes 1,000 fuel; scripts with the line `save: fault` break in it.
    fn checkpoint(&mut self, casts: &[CastId], fuel: u64) -> Vec<(Kept, u64)> {
        let mut left = fuel;
        let answer = |cast: &CastId| {
            let Some(memory) = self.memories.get(cast).filter(|_| left >= 1_000) else { return (Kept::Unsaved, 0) };
            left -= 1_000;
            let kept = if self.breaks.contains(cast) {
                Kept::Fault(fault("save"))
            } else {
                Kept::State(postcard::to_stdvec(memory).expect("bytes"))
            };
            (kept, 1_000)
        };
        casts.iter().map(answer).collect()
    }

    /// As a save and a restore of 1,000 fuel each. Scripts with the line `restore: fault` take nobody's save.
    fn migrate(&mut self, migrations: &[Migration], fuel: u64) -> Vec<(Migrated, u64)> {
        let mut left = fuel;
        let answer = |Migration { cast, spell, to, .. }: &Migration| {
            if !self.memories.contains_key(cast) {
                return (Migrated::Moved, 0);
            }
            if left == 0 {
                return (Migrated::Waits, 0);
            }
            left = left.saturating_sub(2_000);
            let refuses = self.scripts.contains_key(&(spell.clone(), to.clone(), "restore".into()));
            let migrated = match self.breaks.contains(cast) {
                true => Migrated::Fault(fault("save")),
                false if refuses => Migrated::Stays(fault("restore")),
                false => Migrated::Moved,
            };
            (migrated, 2_000)
        };
        migrations.iter().map(answer).collect()
    }

    fn knows(&self, spell: &str, revision: &str) -> bool {
        self.scripts.keys().any(|(known, of, _)| known == spell && of == revision)
    }

    fn resume(&mut self, cast: Resumed<'_>) -> bool {
        let Ok(memory) = postcard::from_bytes(cast.state) else { return false };
        self.memories.insert(cast.cast, memory);
        true
    }
}

impl Memory {
    fn take_in(&mut self, hook: &Hook) {
        match hook {
            Hook::Cast { origin, aim, target, .. } => (self.origin, self.aim, self.target) = (*origin, *aim, *target),
            Hook::Event(Event::Hit { entity, .. }) => self.hit = *entity,
            _ => {}
        }
    }
}

fn describe(hook: &Hook) -> (&'static str, String) {
    match hook {
        Hook::Cast { .. } => ("cast", "cast".into()),
        Hook::Tick { dt } => ("tick", format!("tick {dt:.3}")),
        Hook::Event(Event::Hit { projectile, entity, .. }) => ("hit", format!("hit #{} on #{}", projectile.0, entity.0)),
        Hook::Event(Event::Expired(id)) => ("expired", format!("expired #{}", id.0)),
        Hook::Event(Event::Timer(token)) => ("timer", format!("timer {token}")),
        Hook::Event(Event::Message(Message { spell, caster, data })) => {
            ("message", format!("message of {spell} by #{}: {}", caster.0, String::from_utf8_lossy(data)))
        }
        Hook::Event(Event::Died(id)) => ("died", format!("died #{}", id.0)),
        Hook::Event(Event::Dropped(id)) => ("dropped", format!("dropped #{}", id.0)),
        Hook::Cancel(reason) => ("cancel", format!("cancel {reason:?}")),
    }
}

fn obey(command: &str, memory: &mut Memory, scene: &Scene, call: &Call, next_id: &mut u64, outcome: &mut Outcome) {
    let words: Vec<&str> = command.split_whitespace().collect();
    // What is made takes the next id.
    if matches!(words[0], "launch" | "box" | "ball" | "join" | "field" | "summon") {
        memory.launched = EntityId(*next_id);
        memory.made.push(memory.launched);
        *next_id += 1;
    }
    let id = memory.launched;
    let who = |name: &str| match name {
        "world" => EntityId::NONE,
        "target" => memory.target,
        "caster" => call.caster,
        "hit" => memory.hit,
        name if name.starts_with("made") => memory.made[name[4..].parse::<usize>().expect("which one it has made")],
        name => scene.entities().find(|entity| entity.name == name).map_or(EntityId(9_999), |entity| entity.id),
    };
    let after = |keyword| words.iter().position(|word| *word == keyword).map(|at| number(words[at + 1]));
    let intent = match words[..] {
        ["launch", speed, ..] => {
            let (start, velocity) = (memory.origin, memory.aim * number(speed));
            let (damage, seconds) = (after("damage").unwrap_or(0.0), after("seconds").unwrap_or(5.0));
            let (gravity, restitution) = (after("gravity").unwrap_or(0.0), after("restitution").unwrap_or(0.0));
            let (bounces, pierces) = (after("bounces").unwrap_or(0.0) as u8, after("pierces").unwrap_or(0.0) as u8);
            let homing = after("homing").map(|turn| Homing { turn, half_angle: std::f32::consts::FRAC_PI_4 });
            let projectile =
                ProjectileSpec { start, velocity, radius: 0.2, gravity, seconds, damage, restitution, bounces, pierces, homing };
            Intent::Launch { id, projectile }
        }
        ["damage", name, amount] => Intent::Damage { target: who(name), amount: number(amount) },
        ["heal", name, amount] => Intent::Heal { target: who(name), amount: number(amount) },
        ["push", name, x, y, z] => Intent::Push { target: who(name), impulse: vector([x, y, z]) },
        ["teleport", name, x, y, z] => Intent::Teleport { target: who(name), to: vector([x, y, z]) },
        ["afflict", name, ref status @ .., seconds] => {
            Intent::Afflict { target: who(name), status: status_of(status), seconds: number(seconds) }
        }
        ["box", x, y, z, a, b, c, mass, ref velocity @ ..] => {
            let form = Form::Box { half: vector([a, b, c]) };
            Intent::Spawn { id, body: body(form, [x, y, z], mass, velocity) }
        }
        ["ball", x, y, z, radius, mass, ref velocity @ ..] => {
            let form = Form::Ball { radius: number(radius) };
            Intent::Spawn { id, body: body(form, [x, y, z], mass, velocity) }
        }
        ["debris", x, y, z, count, speed, seconds] => {
            let count = count.parse().expect("a count");
            let id = EntityId(*next_id);
            *next_id += u64::from(count);
            Intent::Debris { id, debris: DebrisSpec { at: vector([x, y, z]), count, speed: number(speed), seconds: number(seconds) } }
        }
        ["join", kind, one, other, x, y, z, ..] => {
            let axis = words.iter().position(|word| *word == "axis").map(|at| vector([words[at + 1], words[at + 2], words[at + 3]]));
            let kind = match kind {
                "fixed" => JointKind::Fixed,
                "ball" => JointKind::Ball,
                "hinge" => JointKind::Hinge { axis: axis.expect("an axis") },
                "rope" => JointKind::Rope { length: after("length").expect("a length") },
                _ => panic!("no such joint: {kind}"),
            };
            let break_force = after("breaks").unwrap_or(f32::INFINITY);
            Intent::Join { id, joint: JointSpec { kind, one: who(one), other: who(other), at: vector([x, y, z]), break_force } }
        }
        ["field", x, y, z, radius, acceleration, falloff, seconds] => {
            let [radius, acceleration, falloff, seconds] = [radius, acceleration, falloff, seconds].map(number);
            Intent::Field { id, field: FieldSpec { center: vector([x, y, z]), radius, acceleration, falloff, seconds } }
        }
        ["summon", temper, x, y, z] => {
            Intent::Summon { id, npc: SummonSpec { temper: kind(temper), position: vector([x, y, z]), aim: Vec3::NEG_Z } }
        }
        ["command", npc, ref order @ ..] => {
            let order = match *order {
                ["follow"] => Order::Follow,
                ["stay"] => Order::Stay,
                ["go", x, y, z] => Order::Go { to: vector([x, y, z]) },
                ["attack", whom] => Order::Attack { target: who(whom) },
                _ => panic!("no such order: {order:?}"),
            };
            Intent::Command { npc: who(npc), order }
        }
        ["dig", x, y, z, radius] => {
            let area = Area::Sphere { center: vector([x, y, z]), radius: number(radius) };
            Intent::Terraform { edit: Edit { area, change: Change::Subtract } }
        }
        ["fill", x, y, z, a, b, c, material] => {
            let area = Area::Box { low: vector([x, y, z]).as_ivec3(), high: vector([a, b, c]).as_ivec3() };
            Intent::Terraform { edit: Edit { area, change: Change::Add(material.parse().expect("a material")) } }
        }
        ["despawn", name] => Intent::Despawn { id: who(name) },
        ["despawn"] => Intent::Despawn { id: memory.launched },
        ["timer", token, ticks] => Intent::SetTimer { token: token.parse().expect("a token"), ticks: ticks.parse().expect("ticks") },
        ["cue", name] => Intent::Cue { name: name.into(), at: memory.origin, scale: 1.0 },
        ["log", ..] => Intent::Log { level: "info", text: words[1..].join(" ") },
        ["near", radius] => {
            let found = scene.find(Shape::Sphere { center: memory.origin, radius: number(radius) }, Kinds::ALL, 16, call.caster);
            let told = found.iter().filter_map(|(id, _)| scene.entity(*id)).map(|entity| format!("{} {}", entity.name, entity.health));
            Intent::Log { level: "info", text: format!("near: {}", told.collect::<Vec<_>>().join(", ")) }
        }
        ["send", "maker", name, ref text @ ..] => Intent::Send { to: Recipient::Maker(who(name)), data: text.join(" ").as_bytes().into() },
        ["send", "mine", spell, ref text @ ..] => {
            Intent::Send { to: Recipient::Mine(spell.into()), data: text.join(" ").as_bytes().into() }
        }
        ["say", ref text @ ..] => Intent::Say { text: text.join(" "), aloud: true },
        ["whisper", ref text @ ..] => Intent::Say { text: text.join(" "), aloud: false },
        ["keep", whose, key, ref value @ ..] => {
            let value = (!value.is_empty()).then(|| value.join(" ").as_bytes().into());
            Intent::Store { own: whose == "own", key: key.into(), value }
        }
        ["look", whose, key] => {
            let keeper = if whose == "own" { scene.storage().keeper(call.caster) } else { Keeper::Spell };
            let value = scene.storage().get(&call.spell, &keeper, key).map(|value| String::from_utf8_lossy(value).into_owned());
            Intent::Log { level: "info", text: format!("{key}: {value:?}") }
        }
        ["dispel", name] => Intent::Dispel { target: who(name) },
        ["mana"] => Intent::Log { level: "info", text: format!("mana {:?}", call.mana) },
        ["upkeep", mana] => return outcome.upkeep += number(mana),
        ["spend", fuel] => return outcome.fuel += fuel.parse::<u64>().expect("fuel"),
        ["finish"] => return outcome.finished = true,
        ["fault"] => return outcome.fault = Some(fault(describe(&call.hook).0)),
        _ => panic!("no such command of a spell: {command}"),
    };
    outcome.intents.push(intent);
}

fn body(form: Form, position: [&str; 3], mass: &str, velocity: &[&str]) -> BodySpec {
    let velocity = velocity.try_into().map_or(Vec3::ZERO, vector);
    BodySpec { form, mass_kg: number(mass), position: vector(position), velocity }
}
