//! A world in two parts: a walled floor on which 32 players walk among crates, and, two thirds of a kilometre away, the spawn place with 64 casters on it.

use super::kinds;
use crate::hills;
use anyhow::{Result, ensure};
use game::{Game, LoadedRevision};
use sim::inbound::{CastRequest, Input};
use sim::limits::CAST_COOLDOWN_TICKS;
use sim::scene::Entity;
use sim::voxel::{CHUNK_EDGE, ChunkId, Terrain};
use sim::{CastId, EntityId, EntityKind, Inbound, Outbound, Thoroughness, Vec3, World};
use std::collections::BTreeMap;
use std::time::Instant;

/// Who walks.
pub const PLAYERS: usize = 32;
const SEED: u64 = 7;
const REACH_CHUNKS: i32 = 2;
/// Chunks between the two parts: no envelope reaches 256 m.
const APART_CHUNKS: i32 = 20;
const CRATES: usize = 16;
/// Ticks between two checkpoints: the game server's.
const SAVE_INTERVAL_TICKS: usize = 45;

/// One of the 64.
struct Caster {
    id: EntityId,
    kind: String,
    live: Option<CastId>,
    /// The first tick in which its cooldown is over.
    ready: usize,
    /// Casts that began.
    started: usize,
    /// By limit: casts that were stopped.
    faults: BTreeMap<&'static str, usize>,
}

/// The world and what its ticks took.
pub struct Arena {
    pub game: Game,
    /// What each tick took.
    pub tick_ms: Vec<f64>,
    /// Of each tick, its stages.
    pub stage_ms: Vec<Vec<(&'static str, f64)>>,
    /// Live casts, summed over ticks.
    pub live_sum: usize,
    players: Vec<EntityId>,
    casters: Vec<Caster>,
    is_hostile: bool,
}

impl Arena {
    /// Everybody in place; recorded from the first tick on.
    pub fn new(is_hostile: bool, revisions: &[LoadedRevision], ticks: usize) -> Self {
        let mut world = World::on(SEED, terrain());
        // What is measured is time: mana would end most of these casts.
        world.set_policy(sim::team::Policy::FREE);
        let far = (APART_CHUNKS * CHUNK_EDGE) as f32;
        let players = (0..PLAYERS).map(|index| {
            let place = Vec3::new(far + (index % 8) as f32 * 6.0 - 21.0, 1.9, (index / 8) as f32 * 6.0 - 9.0);
            world.spawn_player(&format!("player-{index}"), place, Vec3::NEG_Z)
        });
        let players = players.collect();
        for index in 0..CRATES {
            world.spawn_prop("crate", Vec3::new(far + (index % 4) as f32 * 12.0 - 18.0, 1.5, (index / 4) as f32 * 12.0 - 17.0));
        }
        let casters = revisions.iter().enumerate().map(|(index, revision)| {
            let place = Vec3::new((index % 8) as f32 * 3.0 - 10.5, 1.9, (index / 8) as f32 * 3.0 - 10.5);
            let id = world.spawn_player(&format!("caster-{index}"), place, Vec3::NEG_Z);
            Caster { id, kind: revision.spell.clone(), live: None, ready: 0, started: 0, faults: BTreeMap::new() }
        });
        let casters = casters.collect();
        world.spawn_npc("target", Vec3::new(0.0, 1.9, -6.0));
        let mut game = Game::with_world(world);
        game.record_ticks(ticks);
        // The recording begins with this tick's checkpoint, before anything is cast.
        let mut inbound: Vec<Inbound> = revisions.iter().map(|revision| game.activate(revision.clone())).collect();
        inbound.push(Inbound::Checkpoint(Thoroughness::InPassing));
        game.step(&inbound, &mut |_| ());
        game.take_checkpoint();
        Self { game, tick_ms: Vec::new(), stage_ms: Vec::new(), live_sum: 0, players, casters, is_hostile }
    }

    /// One tick, timed.
    pub fn tick(&mut self) {
        let mut inbound = self.walk();
        inbound.extend(self.cast());
        if self.tick_ms.len().is_multiple_of(SAVE_INTERVAL_TICKS) {
            inbound.push(Inbound::Checkpoint(Thoroughness::InPassing));
        }
        let (start, mut stages) = (Instant::now(), Vec::with_capacity(12));
        let told = self.game.step(&inbound, &mut |stage| stages.push((stage.name(), Instant::now())));
        let end = Instant::now();
        self.game.take_checkpoint();
        let ms = |from: Instant, to: Instant| (to - from).as_secs_f64() * 1e3;
        let ends = stages.iter().skip(1).map(|(_, began)| *began).chain([end]);
        self.stage_ms.push(stages.iter().zip(ends).map(|((name, began), ended)| (*name, ms(*began, ended))).collect());
        self.tick_ms.push(ms(start, end));
        self.live_sum += self.game.world().live_casts();
        told.iter().for_each(|event| self.hear(event));
    }

    /// Everybody walks a way of their own; some run, some jump.
    fn walk(&self) -> Vec<Inbound> {
        let tick = self.tick_ms.len();
        let turns = [(0.0, -1.0), (0.6, -0.8), (1.0, 0.0), (0.6, 0.8), (0.0, 1.0), (-0.6, 0.8), (-1.0, 0.0), (-0.6, -0.8)];
        let input = |(index, player): (usize, &EntityId)| {
            let (x, z) = turns[(index * 3 + tick / (40 + index)) % 8];
            let (sprint, jump) = (index % 4 == 0, (index + tick).is_multiple_of(97));
            let sequence = tick as u32 + 1;
            let input = Input { sequence, movement: Vec3::NEG_Z, aim: Vec3::new(x, 0.0, z), sprint, fire: false, jump, seen_tick: 0 };
            Inbound::Input { player: *player, input }
        };
        self.players.iter().enumerate().map(input).collect()
    }

    /// Whoever has no live cast and may cast again does.
    fn cast(&self) -> Vec<Inbound> {
        if !self.is_hostile {
            return Vec::new();
        }
        let tick = self.tick_ms.len();
        let idle = self.casters.iter().filter(|caster| caster.live.is_none() && caster.ready <= tick);
        let target = self.game.world().scene().entities().find(|entity| entity.kind == EntityKind::Npc);
        let target = target.map_or(EntityId::NONE, |target| target.id);
        idle.map(|caster| {
            Inbound::Cast(CastRequest {
                caster: caster.id,
                spell: caster.kind.clone(),
                revision: String::new(),
                target_position: Vec3::ZERO,
                target,
                params: "{}".into(),
            })
        })
        .collect()
    }

    fn hear(&mut self, event: &Outbound) {
        let tick = self.tick_ms.len();
        match event {
            Outbound::CastStarted { cast, caster, .. } => {
                if let Some(caster) = self.casters.iter_mut().find(|one| one.id == *caster) {
                    (caster.live, caster.ready) = (Some(*cast), tick + CAST_COOLDOWN_TICKS as usize);
                    caster.started += 1;
                }
            }
            Outbound::CastFaulted { caster, fault, .. } => {
                if let Some(caster) = self.casters.iter_mut().find(|one| one.id == *caster) {
                    *caster.faults.entry(fault.limit).or_default() += 1;
                }
            }
            Outbound::CastEnded { cast, .. } => {
                if let Some(caster) = self.casters.iter_mut().find(|one| one.live == Some(*cast)) {
                    caster.live = None;
                }
            }
            _ => {}
        }
    }

    /// All that others see of the players, by its bits.
    pub fn players_state(&self) -> impl Iterator<Item = Option<[u32; 13]>> {
        self.players.iter().map(|id| self.game.world().scene().entity(*id).map(bits))
    }

    /// Casts that began.
    pub fn started(&self) -> usize {
        self.casters.iter().map(|caster| caster.started).sum()
    }

    /// Casts that were stopped.
    pub fn faults(&self) -> usize {
        self.casters.iter().flat_map(|caster| caster.faults.values()).sum()
    }

    /// Casts that were stopped by time.
    pub fn time_kills(&self) -> usize {
        self.casters.iter().filter_map(|caster| caster.faults.get("time")).sum()
    }

    /// Whether each kind was cast, and the players were moving about their own part alone.
    pub fn check(&self) -> Result<()> {
        ensure!(self.casters.len() == kinds::COUNT, "{} kinds are there", self.casters.len());
        let idle: Vec<&str> = self.casters.iter().filter(|caster| caster.started == 0).map(|caster| caster.kind.as_str()).collect();
        ensure!(idle.is_empty(), "never cast: {idle:?}");
        let far = (APART_CHUNKS * CHUNK_EDGE) as f32;
        for id in &self.players {
            let there = self.game.world().scene().entity(*id).is_some_and(|player| (player.position.x - far).abs() < 90.0);
            ensure!(there, "player {id:?} has left its part");
        }
        Ok(())
    }

    /// What came of each kind.
    pub fn print(&self) {
        println!("\nby kind: casts that began, and how they were stopped:");
        for Caster { kind, started, faults, .. } in &self.casters {
            let faults: Vec<String> = faults.iter().map(|(limit, count)| format!("{limit} {count}")).collect();
            println!("  {kind:<28} {started:>6}  {}", faults.join(", "));
        }
    }
}

fn bits(entity: &Entity) -> [u32; 13] {
    let Entity { position, velocity, aim, health, health_max, grounded, input_sequence, .. } = entity;
    let vectors = [*position, *velocity, *aim].map(|vector| vector.to_array().map(f32::to_bits));
    let [[a, b, c], [d, e, f], [g, h, i]] = vectors;
    [a, b, c, d, e, f, g, h, i, health.to_bits(), health_max.to_bits(), u32::from(*grounded), *input_sequence]
}

fn terrain() -> Terrain {
    let mut terrain = Terrain::floor();
    let chunks: Vec<_> = terrain.chunks().map(|(id, chunk)| (id, chunk.clone())).collect();
    for (id, chunk) in chunks {
        let ChunkId([x, y, z]) = id;
        terrain.insert(ChunkId([x + APART_CHUNKS, y, z]), hills::with_wall(&chunk, id, REACH_CHUNKS));
    }
    terrain
}
