//! The busy world: who is in it at which size, how it is set up, and what its players do.

use crate::dice::Dice;
use crate::hills;
use anyhow::{Result, ensure};
use game::{Game, LoadedRevision};
use sim::inbound::{CastRequest, Input};
use sim::limits::{CAST_COOLDOWN_TICKS, LIVE_CASTS_PER_CASTER_MAX, PLAYERS_MAX, SHIELD_MAX, STATUS_SECONDS_MAX};
use sim::status::Status;
use sim::voxel::CHUNK_EDGE;
use sim::{EntityId, EntityKind, Inbound, Spawner, Temper, Vec3, World};

const SEED: u64 = 7;
/// Metres of ground on each side at size 1: as wide as a new world's floor. It grows with the root of the size, so that the density stays.
const EXTENT_M: f32 = 160.0;
/// NPCs of one spawner.
const BAND: u32 = 5;
/// Balls that one cast of the bench's volley keeps in the air.
const BALLS_PER_VOLLEY: usize = 50;

/// The reference spell, and the two that keep balls in the air and props awake.
pub const SPELLS: [(&str, &str); 3] = [
    ("repel", include_str!("../../../spells/repel/src/lib.rs")),
    ("volley", include_str!("spells/volley.rs")),
    ("stir", include_str!("spells/stir.rs")),
];

/// How many of what.
#[derive(Debug, Clone, Copy)]
pub struct Census {
    pub players: usize,
    pub npcs: usize,
    pub shots: usize,
    pub props: usize,
    /// Live casts of the reference spell.
    pub casts: usize,
}

impl Census {
    /// 200 players, 1,000 NPCs, 2,000 projectiles, 1,000 bodies and 500 casts, times `size`; players and their casts end at the world's limits.
    pub fn of(size: f64) -> Self {
        let times = |count: usize| (count as f64 * size) as usize;
        let players = times(200).min(PLAYERS_MAX);
        let shots = times(2000);
        let helpers = 2 * shots.div_ceil(BALLS_PER_VOLLEY);
        let casts = times(500).min(players * LIVE_CASTS_PER_CASTER_MAX - helpers);
        Self { players, npcs: times(1000), shots, props: times(1000), casts }
    }

    /// Casts that throw; as many stir.
    fn volleys(&self) -> usize {
        self.shots.div_ceil(BALLS_PER_VOLLEY)
    }

    /// All live casts.
    pub fn live_casts(&self) -> usize {
        self.casts + 2 * self.volleys()
    }

    /// All entities.
    pub fn entities(&self) -> usize {
        self.players + self.npcs + self.shots + self.props
    }
}

/// A world full of people who are busy.
pub struct Crowd {
    pub game: Game,
    pub census: Census,
    pub players: Vec<EntityId>,
    sequence: u32,
}

impl Crowd {
    /// The world of this size, every cast live and all balls in the air.
    pub fn new(size: f64, spells: &[LoadedRevision]) -> Result<Self> {
        Self::of(Census::of(size), EXTENT_M * size.sqrt() as f32, spells)
    }

    /// These, on so many metres of ground each way.
    pub fn of(census: Census, extent: f32, spells: &[LoadedRevision]) -> Result<Self> {
        let mut world = World::on(SEED, hills::walled(SEED, (extent / 2.0 / CHUNK_EDGE as f32).ceil() as i32));
        // What is measured is time: mana would end most of these casts.
        world.set_policy(sim::team::Policy::FREE);
        let mut dice = Dice(SEED);
        let mut place = |height: f32| {
            let (x, z) = (dice.range(extent), dice.range(extent));
            Vec3::new(x, hills::surface(SEED, x, z) + height, z)
        };
        let players: Vec<_> = (0..census.players).map(|n| world.spawn_player(&format!("player-{n}"), place(0.9), Vec3::NEG_Z)).collect();
        for band in 0..(census.npcs as u32).div_ceil(BAND) {
            let temper = if band % 2 == 0 { Temper::Guard } else { Temper::Critter };
            let count = BAND.min(census.npcs as u32 - band * BAND);
            world.add_spawner(&Spawner { name: "npc".into(), temper, position: place(0.9), count, respawn_ticks: 60, team: None });
        }
        for _ in 0..census.props {
            world.spawn_prop("crate", place(0.5));
        }
        // Guards beat and balls burn: for as long as we look, nobody dies of it.
        for player in &players {
            world.set_status(*player, Status::Shield { amount: SHIELD_MAX }, STATUS_SECONDS_MAX);
        }
        let mut crowd = Self { game: Game::with_world(world), census, players, sequence: 0 };
        crowd.cast_all(spells)?;
        Ok(crowd)
    }

    /// Everybody walks a way of their own; some run, some jump.
    pub fn inputs(&mut self) -> Vec<Inbound> {
        self.sequence += 1;
        let sequence = self.sequence;
        let turns = [(0.0, -1.0), (0.6, -0.8), (1.0, 0.0), (0.6, 0.8), (0.0, 1.0), (-0.6, 0.8), (-1.0, 0.0), (-0.6, -0.8)];
        let input = |(index, player): (usize, &EntityId)| {
            let (x, z) = turns[(index + sequence as usize / 60) % 8];
            let (sprint, jump) = (index % 4 == 0, (index + sequence as usize).is_multiple_of(97));
            let input = Input { sequence, movement: Vec3::NEG_Z, aim: Vec3::new(x, 0.0, z), sprint, fire: false, jump, seen_tick: 0 };
            Inbound::Input { player: *player, input }
        };
        self.players.iter().enumerate().map(input).collect()
    }

    /// Who is there now, and how many of the props are awake.
    pub fn counted(&self) -> (Census, usize) {
        let count = |kind| self.game.world().scene().entities().filter(|entity| entity.kind == kind).count();
        let census = Census {
            players: count(EntityKind::Player),
            npcs: count(EntityKind::Npc),
            shots: count(EntityKind::Projectile),
            props: count(EntityKind::Prop),
            casts: self.game.casts_live(),
        };
        (census, self.game.world().props_awake())
    }

    fn cast_all(&mut self, spells: &[LoadedRevision]) -> Result<()> {
        let inbound: Vec<_> = spells.iter().map(|spell| self.game.activate(spell.clone())).collect();
        self.game.step(&inbound, &mut |_| ());
        let volleys = self.census.volleys();
        let mut wishes = vec![Vec::new(); self.players.len()];
        for (index, spell) in (0..volleys).map(|n| (n, "volley")).chain((0..volleys).map(|n| (n, "stir"))) {
            wishes[index % self.players.len()].push(spell);
        }
        // The reference spell goes to those who have the fewest casts, so that all of them stand their turn.
        for _ in 0..self.census.casts {
            wishes.iter_mut().min_by_key(|wishes| wishes.len()).expect("a player").push("repel");
        }
        while wishes.iter().any(|wishes| !wishes.is_empty()) {
            let mut inbound = self.inputs();
            for (player, wishes) in self.players.iter().zip(&mut wishes) {
                inbound.extend(wishes.pop().map(|spell| cast(*player, spell)));
            }
            self.game.step(&inbound, &mut |_| ());
            for _ in 0..CAST_COOLDOWN_TICKS {
                let inbound = self.inputs();
                self.game.step(&inbound, &mut |_| ());
            }
        }
        let (live, wanted) = (self.game.casts_live(), self.census.live_casts());
        // Whoever was beaten to death meanwhile has lost theirs.
        ensure!(live * 100 >= wanted * 95, "{live} casts live, {wanted} were wanted");
        Ok(())
    }
}

/// A request to cast at nothing in particular.
pub fn cast(caster: EntityId, spell: &str) -> Inbound {
    Inbound::Cast(CastRequest {
        caster,
        spell: spell.into(),
        revision: String::new(),
        target_position: Vec3::ZERO,
        target: EntityId::NONE,
        params: "{}".into(),
    })
}
