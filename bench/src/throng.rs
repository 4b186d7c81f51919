//! A world with as many live casts of the reference spell as it may have: 1,250 NPCs, of whom as many as are needed cast eight times each. Everybody stands in a
//! hole of their own, so that all pushes leave them where they are, and a cast always has the same about it.
//!
//! Players alone cannot: 256 of them have 2,048 casts. To the world, a caster is any character.

use anyhow::{Result, ensure};
use game::{Game, LoadedRevision};
use sim::inbound::CastRequest;
use sim::limits::{CAST_COOLDOWN_TICKS, LIVE_CASTS_MAX, LIVE_CASTS_PER_CASTER_MAX};
use sim::voxel::{AIR, CHUNK_EDGE, Chunk, ChunkId, Terrain};
use sim::{EntityId, Inbound, Stage, Vec3, World};
use std::time::{Duration, Instant};

const SEED: u64 = 7;
const SPELL: &str = "repel";
const STONE: u8 = 1;
const REACH_CHUNKS: i32 = 2;
/// The same crowd stands in every world, so that casts are all that differs.
const CASTERS: usize = LIVE_CASTS_MAX / LIVE_CASTS_PER_CASTER_MAX;
/// Voxels from hole to hole: each has 28 others in the spell's reach; it pushes the eight nearest.
const APART: i32 = 4;
/// Where in such a square the hole is: not at the ground's edge.
const HOLE: i32 = 2;
/// Holes in a row, over the whole width of the ground.
const ROW: usize = ((2 * REACH_CHUNKS + 1) * CHUNK_EDGE / APART) as usize;
/// The holes' depth: nobody comes out.
const DEPTH: usize = 4;
/// What one live cast may spend in a tick, where none is to wait: a third more than the reference spell does.
const FUEL_EACH: u64 = 8_000;
/// Ticks before anything is measured: caches, and the allocator's, are as in a world that has run for a while.
const WARMING_TICKS: usize = 60;

/// The world.
pub struct Throng {
    game: Game,
    casters: Vec<EntityId>,
    casts: usize,
}

/// One tick of it.
pub struct Ticked {
    /// What the stage that runs the spells took, milliseconds.
    pub phase_ms: f64,
    /// Calls that it made.
    pub calls: usize,
}

impl Throng {
    /// Everybody in place, no casts yet.
    pub fn new(spell: &LoadedRevision) -> Self {
        let mut world = World::on(SEED, holes());
        // What is measured is time: mana would end most of these casts.
        world.set_policy(sim::team::Policy::FREE);
        let casters = (0..CASTERS).map(|index| {
            let hole = |number: usize| (-REACH_CHUNKS * CHUNK_EDGE + number as i32 * APART + HOLE) as f32 + 0.5;
            world.spawn_npc("caster", Vec3::new(hole(index % ROW), 1.9, hole(index / ROW)))
        });
        let casters = casters.collect();
        let mut game = Game::with_world(world);
        let activate = game.activate(spell.clone());
        game.step(&[activate], &mut |_| ());
        Self { game, casters, casts: 0 }
    }

    /// With so many live casts, each past its first ticks.
    pub fn with_casts(spell: &LoadedRevision, casts: usize) -> Result<Self> {
        let mut throng = Self::new(spell);
        throng.cast(casts)?;
        for _ in 0..WARMING_TICKS {
            throng.tick();
        }
        throng.check()?;
        Ok(throng)
    }

    /// As often as the cooldown lets them, until so many casts live, those that live already among them.
    pub fn cast(&mut self, casts: usize) -> Result<()> {
        let had = std::mem::replace(&mut self.casts, casts);
        self.let_all_be_called(true);
        for turn in 0..LIVE_CASTS_PER_CASTER_MAX {
            let wanted = |index: usize| (had..casts).contains(&(index * LIVE_CASTS_PER_CASTER_MAX + turn));
            let casting = self.casters.iter().enumerate().filter(|(index, _)| wanted(*index));
            let inbound: Vec<_> = casting.map(|(_, caster)| cast(*caster)).collect();
            self.game.step(&inbound, &mut |_| ());
            for _ in 0..CAST_COOLDOWN_TICKS {
                self.game.step(&[], &mut |_| ());
            }
        }
        ensure!(self.game.casts_live() == casts, "{} casts live, {casts} were wanted", self.game.casts_live());
        Ok(())
    }

    /// Whether there is fuel for all, or as much as a world has.
    pub fn let_all_be_called(&mut self, all: bool) {
        let shipped = game::limits::SPELLS_TICK_FUEL_MAX;
        // A cast's first call also makes its instance, and those of a thousand casters come in one tick.
        self.game.set_tick_fuel(if all { shipped.max(self.casts as u64 * FUEL_EACH) } else { shipped });
    }

    /// One tick, on the threads of the calling thread's pool.
    pub fn tick(&mut self) -> Ticked {
        let (mut began, mut took) = (None, Duration::ZERO);
        self.game.step(&[], &mut |stage| match stage {
            Stage::Spells => began = Some(Instant::now()),
            Stage::Intents => took = began.map_or(Duration::ZERO, |began: Instant| began.elapsed()),
            _ => {}
        });
        Ticked { phase_ms: took.as_secs_f64() * 1e3, calls: self.game.calls_made() }
    }

    /// Whether every cast lives and has its eight to push.
    pub fn check(&self) -> Result<()> {
        ensure!(self.game.casts_live() == self.casts, "{} casts live, {} were wanted", self.game.casts_live(), self.casts);
        let place = |id: &EntityId| self.game.world().scene().entity(*id).map(|caster| caster.position);
        let all: Vec<Vec3> = self.casters.iter().filter_map(place).collect();
        let casting = self.casts.div_ceil(LIVE_CASTS_PER_CASTER_MAX);
        let near = |one: &Vec3| all.iter().filter(|other| one.distance(**other) < 12.0).count() - 1;
        let crowded = self.casters[..casting].iter().filter_map(place).filter(|one| near(one) >= 8).count();
        ensure!(crowded == casting, "{crowded} of {casting} casters have eight others in reach");
        Ok(())
    }
}

/// Stone with a hole of one voxel wherever somebody is to stand.
fn holes() -> Terrain {
    let edge = CHUNK_EDGE as usize;
    let material = |x: usize, y: usize, z: usize| {
        let here = |at: usize| at % APART as usize == HOLE as usize;
        let hole = y > 0 && here(x) && here(z);
        if y > DEPTH || hole { AIR } else { STONE }
    };
    let voxels: Vec<u8> = (0..edge.pow(3)).map(|index| material(index % edge, index / edge % edge, index / edge / edge)).collect();
    let chunk = Chunk::from_voxels(voxels.as_slice().try_into().expect("as many as a chunk has"), 1);
    let mut terrain = Terrain::default();
    for x in -REACH_CHUNKS..=REACH_CHUNKS {
        for z in -REACH_CHUNKS..=REACH_CHUNKS {
            terrain.insert(ChunkId([x, 0, z]), chunk.clone());
        }
    }
    terrain
}

fn cast(caster: EntityId) -> Inbound {
    Inbound::Cast(CastRequest {
        caster,
        spell: SPELL.into(),
        revision: String::new(),
        target_position: Vec3::ZERO,
        target: EntityId::NONE,
        params: "{}".into(),
    })
}
