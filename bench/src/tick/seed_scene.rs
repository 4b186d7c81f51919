//! The first design's kind of server on the scene that it was made for: headless Godot 3 in GDScript (`bench/peers/godot3`), and ours.

use super::crowd::cast;
use crate::clock;
use crate::report::{Report, Samples, progress};
use anyhow::{Context, Result, ensure};
use protocol::server::Properties;
use protocol::v1::{self, EntityState, PlayerState};
use sim::inbound::{Input, SpellSpec};
use sim::limits::{NPC_FOV_COSINE, NPC_PERCEPTION_TICKS, NPC_SIGHT_M};
use sim::scene::{Entity, Scene};
use sim::spells::{Call, Hook, Outcome};
use sim::{CastId, EntityId, EntityKind, Inbound, Intent, Quat, Spells, Temper, Vec3, World, step};
use std::process::{Command, Stdio};
use std::sync::Arc;

const ROUNDS: usize = 5;
const PLAYERS: usize = 50;
const NPCS: usize = 50;
const SHOTS: usize = 100;
const BOXES: usize = 100;
/// Metres on each side over which they stand.
const EXTENT_M: f32 = 70.0;
const WARM_UP_TICKS: u64 = 120;
const TICKS: u64 = 600;
/// Snapshots are sent every third tick.
const SNAPSHOT_TICKS: u64 = 3;

/// How Godot's snapshots are made, for how many ticks a round, and as whom they are told: see bench.gd.
const GODOT: [(&str, u64, &str, &str); 3] = [
    ("shared", 300, "seed_scene.vs_godot3_shared", "Godot 3.2 headless, what clients share encoded once"),
    ("var", 60, "seed_scene.vs_godot3_var2bytes", "Godot 3.2 headless, a dictionary a client as var2bytes"),
    ("json", 60, "seed_scene.vs_godot3", "Godot 3.2 headless, a dictionary a client as JSON"),
];
const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/godot3");

/// Work that was done, a tick.
#[derive(Debug, Default, Clone, PartialEq, serde::Deserialize)]
struct Work {
    cpu_ms: f64,
    /// Characters moved.
    moved: f64,
    /// Projectiles swept.
    sweeps: f64,
    /// Boxes that are awake.
    awake: f64,
    /// NPCs that look around.
    looks: f64,
    /// Rays of those looks.
    rays: f64,
    /// In all.
    snapshots: u64,
    bytes: u64,
}

/// Fails with what to do about it when the peer is not there.
pub fn find_godot() -> Result<()> {
    let found = Command::new("godot3-server").arg("--version").stdin(Stdio::null()).output();
    found.context("the tick is compared with Godot 3: `apt-get install -y --no-install-recommends godot3-server`")?;
    Ok(())
}

/// Adds the figures, and draws them.
pub fn measure(report: &mut Report) -> Result<()> {
    let mut ours = Ours::new();
    let expected = ours.work();
    let mut figures = vec![Vec::new(); 1 + GODOT.len()];
    let mut theirs = vec![Work::default(); GODOT.len()];
    for round in 0..ROUNDS {
        progress(&format!("round {}/{ROUNDS}, the seed scene", round + 1));
        figures[0].push(ours.measure());
        for (index, (snapshots, ticks, ..)) in GODOT.iter().enumerate() {
            progress(&format!("round {}/{ROUNDS}, the seed scene in Godot, {snapshots}", round + 1));
            theirs[index] = godot(snapshots, *ticks)?;
            figures[index + 1].push(theirs[index].cpu_ms);
        }
    }
    progress("");
    println!("seed scene, work a tick: ours {expected:?}");
    for (work, (snapshots, ticks, ..)) in theirs.iter().zip(GODOT) {
        println!("seed scene, work a tick: Godot, {snapshots}: {work:?}");
        does_no_more(work, &expected, ticks)?;
    }
    let samples: Vec<Samples> = figures.into_iter().map(Samples::new).collect();
    let rows = GODOT.iter().zip(&samples[1..]).zip(&theirs).map(|((&(_, _, key, name), other), work)| {
        let how = format!(
            "CPU a tick, snapshots for {PLAYERS} clients included: {PLAYERS} players, {NPCS} guards, {SHOTS} shots in flight, {BOXES} awake boxes; sight rays a tick {:.0} (ours {:.0}), bytes a snapshot {} (ours {})",
            work.rays,
            expected.rays,
            work.bytes / work.snapshots.max(1),
            ours.bytes / ours.snapshots.max(1)
        );
        samples[0].against(other, name, key, "ms", "0.033x (1/30)", how)
    });
    report.extend(rows.rev());
    let names = ["ours", "Godot, shared", "Godot, var2bytes", "Godot, JSON"];
    let bars: Vec<_> = names.into_iter().zip(&samples).collect();
    report.bars("seed_scene", "CPU of a tick of the seed scene, with 50 snapshots every third tick", "ms", &bars)
}

/// Both do the same, and where behaviour differs (guards go their own ways) theirs does not do half as much again.
fn does_no_more(theirs: &Work, ours: &Work, ticks: u64) -> Result<()> {
    let close = |theirs: f64, ours: f64| (theirs - ours).abs() <= 0.02 * ours;
    let same = [(theirs.moved, ours.moved), (theirs.sweeps, ours.sweeps), (theirs.awake, ours.awake), (theirs.looks, ours.looks)];
    ensure!(same.iter().all(|(theirs, ours)| close(*theirs, *ours)), "Godot does other work: {theirs:?}, and ours {ours:?}");
    ensure!(theirs.snapshots == ticks / SNAPSHOT_TICKS * PLAYERS as u64, "Godot sends {} snapshots", theirs.snapshots);
    ensure!(theirs.rays <= 1.5 * ours.rays, "Godot casts {} rays, ours {}", theirs.rays, ours.rays);
    Ok(())
}

fn godot(snapshots: &str, ticks: u64) -> Result<Work> {
    let output = Command::new("godot3-server")
        .args(["--path", PEER, "-s", "bench.gd", "--fixed-fps", "60"])
        .env("SEED_SNAPSHOTS", snapshots)
        .env("SEED_WARM_UP", WARM_UP_TICKS.to_string())
        .env("SEED_TICKS", ticks.to_string())
        .env("SEED_PLAYERS", PLAYERS.to_string())
        .env("SEED_NPCS", NPCS.to_string())
        .env("SEED_SHOTS", SHOTS.to_string())
        .env("SEED_BOXES", BOXES.to_string())
        .env("SEED_EXTENT", EXTENT_M.to_string())
        .stdin(Stdio::null())
        .output()
        .context("godot3-server does not start")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find(|line| line.starts_with('{'));
    let line = line.with_context(|| format!("Godot has not answered: {text}{}", String::from_utf8_lossy(&output.stderr)))?;
    Ok(serde_json::from_str(line)?)
}

/// The scene in our simulation, and what is sent of it.
struct Ours {
    world: World,
    kicker: Kicker,
    players: Vec<EntityId>,
    sequence: u32,
    shooter: usize,
    snapshots: u64,
    bytes: u64,
}

impl Ours {
    fn new() -> Self {
        let mut world = World::empty(7);
        let players = (0..PLAYERS).map(|n| world.spawn_player(&format!("player-{n}"), place(n, PLAYERS, 0.0, 1.9), Vec3::NEG_Z)).collect();
        for n in 0..NPCS {
            world.spawn_npc_of(Temper::Guard, "guard", place(n, NPCS, 0.5, 1.9), Vec3::Z);
        }
        let boxes = (0..BOXES).map(|n| world.spawn_prop("crate", place(n, BOXES, 0.25, 1.5))).collect();
        let mut ours = Self { world, kicker: Kicker(boxes), players, sequence: 0, shooter: 0, snapshots: 0, bytes: 0 };
        let spec = SpellSpec::free(u32::MAX, 1);
        let begin = [Inbound::activate("kick", "1", spec), cast(ours.players[0], "kick")];
        let _ = step(&mut ours.world, &begin, &mut ours.kicker, &mut |_| ());
        (0..WARM_UP_TICKS).for_each(|_| ours.tick());
        ours
    }

    /// CPU milliseconds of a tick.
    fn measure(&mut self) -> f64 {
        let start = clock::now();
        (0..TICKS).for_each(|_| self.tick());
        clock::ms(start, clock::now()) / TICKS as f64
    }

    fn tick(&mut self) {
        let inbound = self.inputs();
        let _ = step(&mut self.world, &inbound, &mut self.kicker, &mut |_| ());
        if self.world.tick().is_multiple_of(SNAPSHOT_TICKS) {
            self.publish();
        }
    }

    /// Everybody walks a circle, and as many shoot as shots are missing.
    fn inputs(&mut self) -> Vec<Inbound> {
        self.sequence += 1;
        let flying = self.world.scene().entities().filter(|entity| entity.kind == EntityKind::Projectile).count();
        let shooters = self.shooter..self.shooter + SHOTS.saturating_sub(flying).min(PLAYERS);
        self.shooter = shooters.end % PLAYERS;
        let sequence = self.sequence;
        let input = |(index, player): (usize, &EntityId)| {
            let turn = ((index + sequence as usize / 60) % 8) as f32 * std::f32::consts::FRAC_PI_4;
            let fire = shooters.contains(&index) || shooters.contains(&(index + PLAYERS));
            let up = if fire { -0.02 + 0.22 * (sequence % 11) as f32 / 11.0 } else { 0.0 };
            let aim = Vec3::new(turn.sin(), up, -turn.cos());
            let input = Input { sequence, movement: Vec3::NEG_Z, aim, sprint: false, fire, jump: false, seen_tick: 0 };
            Inbound::Input { player: *player, input }
        };
        self.players.iter().enumerate().map(input).collect()
    }

    /// What the host does for its clients: its `convert.rs` is not ours to call (no arrow leads there), so its few lines stand below once more.
    fn publish(&mut self) {
        let scene = self.world.scene();
        let entities: Vec<EntityState> = scene.entities().map(entity_state).collect();
        let shared = v1::entities(&entities);
        for player in &self.players {
            if let Some(own) = player_state(*player, scene) {
                self.bytes += v1::snapshot(self.world.tick(), std::iter::once(shared.as_str()), &own).len() as u64;
                self.snapshots += 1;
            }
        }
    }

    /// What a tick does, from the scene as it stands: the simulation counts nothing, but its rules say who looks at whom.
    fn work(&mut self) -> Work {
        let mut work = Work::default();
        for _ in 0..TICKS {
            self.tick();
            let scene = self.world.scene();
            let of = |kind| scene.entities().filter(move |entity: &&Entity| entity.kind == kind);
            work.moved += of(EntityKind::Player).chain(of(EntityKind::Npc)).count() as f64;
            work.sweeps += of(EntityKind::Projectile).count() as f64;
            work.awake += self.world.props_awake() as f64;
            for npc in of(EntityKind::Npc).filter(|npc| (self.world.tick() + npc.id.0).is_multiple_of(NPC_PERCEPTION_TICKS)) {
                work.looks += 1.0;
                work.rays += of(EntityKind::Player).filter(|player| in_view(npc, player)).count() as f64;
            }
        }
        for sum in [&mut work.moved, &mut work.sweeps, &mut work.awake, &mut work.looks, &mut work.rays] {
            *sum /= TICKS as f64;
        }
        work
    }
}

/// Kicks every box twice a second, for rapier lets them sleep after half a second, as Godot's scene does: the spell runs natively, for neither side has a spell runtime here.
struct Kicker(Vec<EntityId>);

impl Spells for Kicker {
    fn run(&mut self, _scene: Arc<Scene>, calls: &[Call]) -> Vec<Option<Outcome>> {
        let kicks = |call: &Call| {
            let due = self.0.iter().enumerate().filter(|(index, _)| (call.tick + *index as u64).is_multiple_of(30));
            due.map(|(_, target)| Intent::Push { target: *target, impulse: Vec3::Y * 50.0 }).collect()
        };
        let outcome = |call: &Call| Outcome {
            intents: if matches!(call.hook, Hook::Tick { .. }) { kicks(call) } else { Vec::new() },
            ..Outcome::default()
        };
        calls.iter().map(|call| Some(outcome(call))).collect()
    }

    fn end(&mut self, _cast: CastId) {}
}

/// The n-th place of a square lattice over the scene, shifted by a part of a cell; the same in bench.gd.
fn place(index: usize, count: usize, shift: f32, height: f32) -> Vec3 {
    let side = (count as f32).sqrt().ceil() as usize;
    let cell = EXTENT_M / side as f32;
    let at = |n: usize| (n as f32 + 0.25 + shift) * cell - EXTENT_M / 2.0;
    Vec3::new(at(index % side), height, at(index / side))
}

fn in_view(npc: &Entity, player: &Entity) -> bool {
    let offset = player.position - npc.position;
    let flat = |v: Vec3| Vec3::new(v.x, 0.0, v.z);
    offset.length() <= NPC_SIGHT_M && flat(offset).dot(flat(npc.aim).normalize_or(Vec3::NEG_Z)) >= flat(offset).length() * NPC_FOV_COSINE
}

fn entity_state(entity: &Entity) -> EntityState {
    EntityState {
        id: entity.id.0,
        t: entity.kind as u8,
        p: entity.position.to_array(),
        r: euler(entity.rotation),
        v: entity.velocity.to_array(),
        h: entity.health,
        x: Properties { name: entity.name.clone(), owner: 0, health_max: entity.health_max.round() as u32 },
    }
}

fn player_state(player: EntityId, scene: &Scene) -> Option<PlayerState> {
    let entity = scene.entity(player)?;
    Some(PlayerState { seq: entity.input_sequence, p: entity.position.to_array(), v: entity.velocity.to_array(), g: entity.grounded })
}

fn euler(rotation: Quat) -> [f32; 3] {
    let Quat { x, y, z, w, .. } = rotation;
    let sin_x = (2.0 * (w * x - y * z)).clamp(-1.0, 1.0);
    [sin_x.asin(), (2.0 * (x * z + w * y)).atan2(1.0 - 2.0 * (x * x + y * y)), (2.0 * (x * y + w * z)).atan2(1.0 - 2.0 * (x * x + z * z))]
}
