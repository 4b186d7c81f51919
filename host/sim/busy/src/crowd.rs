//! What players do: a stream of whatever can come in.

use crate::SEED;
use crate::draw::Draw;
use crate::wild::SPELLS;
use crate::witness::one_of_each;
use sim::edit::{Area, Change};
use sim::inbound::{CastRequest, Input, School, Schools, SpellSpec, Switch};
use sim::limits::{LAG_TICKS_MAX, PLAYERS_MAX, TRIAL_SHARE_WHOLE};
use sim::lineup::{Barred, InFlight, Lineup, ShareBy, Trial};
use sim::undo::Whose;
use sim::{Edit, EntityId, EntityKind, Inbound, Thoroughness, Vec3, World};

/// About so many players are there.
const CROWD: u64 = 10;
/// Ticks between two moments in which more want in than there is room for, and ticks after which they leave again.
const RUSH_EVERY: u64 = 4_000;
const RUSH_TICKS: u64 = 4;

/// Once in so many ticks, on average, this.
type Deed = (u64, fn(&mut Doing) -> Inbound);

one_of_each! {
    /// Each kind of inbound: how often, and what.
    DEEDS: Deed, Inbound {
        Join: (200, |doing| doing.join()),
        // Of twice as many places as are usually taken: so many leave as come.
        Leave: (100, |doing| Inbound::Leave { player: doing.place() }),
        Input: (2, |doing| Inbound::Input { player: doing.player(), input: doing.input() }),
        Cast: (3, |doing| Inbound::Cast(doing.cast())),
        Terraform: (9, |doing| doing.terraform()),
        Revert: (150, |doing| Inbound::Revert { whose: doing.whose(), since_tick: doing.world.tick().saturating_sub(600) }),
        Checkpoint: (90, |doing| Inbound::Checkpoint(if doing.draw().one_in(3) { Thoroughness::Whole } else { Thoroughness::InPassing })),
        Switch: (50, |doing| doing.switch()),
        FriendlyFire: (400, |doing| Inbound::FriendlyFire(doing.draw().one_in(2))),
    }
}

/// Where the crowd's stream stands.
pub struct Crowd {
    draw: Draw,
    /// Joins and wishes so far.
    count: u32,
}

impl Crowd {
    pub fn new() -> Self {
        Self { draw: Draw::named(SEED ^ 1), count: 0 }
    }

    /// What comes in for the next tick.
    pub fn acts(&mut self, world: &World) -> Vec<Inbound> {
        let all = |kinds: &[EntityKind]| {
            world.scene().entities().filter(|entity| kinds.contains(&entity.kind)).map(|entity| entity.id).collect::<Vec<_>>()
        };
        let (players, characters) = (all(&[EntityKind::Player]), all(&[EntityKind::Player, EntityKind::Npc]));
        let mut doing = Doing { crowd: self, world, players, characters };
        let mut inbound = match world.tick() {
            0 => doing.opening(),
            tick if tick % RUSH_EVERY == RUSH_EVERY / 2 => (0..=PLAYERS_MAX).map(|_| doing.come(String::new())).collect(),
            tick if tick % RUSH_EVERY == RUSH_EVERY / 2 + RUSH_TICKS => {
                doing.players.iter().skip(CROWD as usize).map(|player| Inbound::Leave { player: *player }).collect()
            }
            _ => Vec::new(),
        };
        for (every, deed) in DEEDS {
            if doing.draw().one_in(*every) {
                inbound.push(deed(&mut doing));
            }
        }
        inbound
    }
}

/// The crowd before a tick, and what it sees.
struct Doing<'a> {
    crowd: &'a mut Crowd,
    world: &'a World,
    players: Vec<EntityId>,
    characters: Vec<EntityId>,
}

impl Doing<'_> {
    fn opening(&mut self) -> Vec<Inbound> {
        let mut inbound: Vec<Inbound> = SPELLS.iter().map(|spell| self.activate(spell)).collect();
        inbound.extend((0..CROWD).map(|_| self.join()));
        inbound
    }

    fn draw(&mut self) -> &mut Draw {
        &mut self.crowd.draw
    }

    fn count(&mut self) -> u32 {
        self.crowd.count += 1;
        self.crowd.count
    }

    /// One of the players; nobody while there is none.
    fn player(&mut self) -> EntityId {
        self.crowd.draw.one_of(&self.players).unwrap_or(EntityId::NONE)
    }

    /// Whoever has one of twice as many places as are usually taken; often nobody.
    fn place(&mut self) -> EntityId {
        let at = self.draw().below(2 * CROWD) as usize;
        self.players.get(at).copied().unwrap_or(EntityId::NONE)
    }

    fn character(&mut self) -> EntityId {
        self.crowd.draw.one_of(&self.characters).unwrap_or(EntityId::NONE)
    }

    fn position(&self, id: EntityId) -> Vec3 {
        self.world.scene().entity(id).map_or(Vec3::ZERO, |entity| entity.position)
    }

    fn spell(&mut self) -> &'static str {
        self.draw().one_of(SPELLS).unwrap_or_default()
    }

    fn join(&mut self) -> Inbound {
        let account = self.account();
        self.come(account)
    }

    /// One of so many: some come back, some take over who is there still.
    fn account(&mut self) -> String {
        format!("account {}", self.draw().below(8 * CROWD))
    }

    fn come(&mut self, account: String) -> Inbound {
        let token = self.count();
        Inbound::Join { token: token.into(), account, username: format!("player {token}") }
    }

    /// Every fourth one walks on and on in one direction, into hills that nobody has seen; the others stay about, and aim at somebody now and then. What they
    /// say that they saw is a little old, too old, or still to come.
    fn input(&mut self) -> Input {
        let player = self.player();
        let (sequence, at) = (self.count(), self.character());
        let (toward, tick) = (self.position(at) - self.position(player), self.world.tick());
        let draw = self.draw();
        let walks_on = player.0.is_multiple_of(4);
        let seen_tick = match draw.below(6) {
            0 => 0,
            1 => tick + draw.below(9),
            _ => tick.saturating_sub(draw.below(2 * LAG_TICKS_MAX as u64)),
        };
        let direction = [Vec3::X, Vec3::Z, Vec3::NEG_X, Vec3::NEG_Z][(player.0 / 4 % 4) as usize];
        let aim = match draw.below(3) {
            _ if walks_on => direction,
            0 => toward,
            _ => draw.vector(1.0) * Vec3::new(1.0, 0.3, 1.0),
        };
        let movement = if walks_on { Vec3::NEG_Z } else { draw.vector(1.5) };
        let (sprint, fire, jump) = (walks_on || draw.one_in(3), draw.one_in(4), walks_on || draw.one_in(5));
        Input { sequence, movement, aim, sprint, fire, jump, seen_tick }
    }

    /// Mostly of a spell and a revision that are known, by players and NPCs.
    fn cast(&mut self) -> CastRequest {
        let (caster, target, spell) = (self.character(), self.character(), self.spell());
        let target_position = self.position(target);
        let draw = self.draw();
        CastRequest {
            caster,
            spell: if draw.one_in(50) { "unheard of".into() } else { spell.into() },
            revision: if draw.one_in(10) { format!("r{}", draw.below(4)) } else { String::new() },
            target_position: if draw.one_in(50) { Vec3::splat(f32::NAN) } else { target_position },
            target,
            params: "{}".into(),
        }
    }

    /// Near a player; now and then too big, too far, or of what nobody may dig.
    fn terraform(&mut self) -> Inbound {
        let player = self.player();
        let position = self.position(player);
        let client_sequence = self.count();
        let draw = self.draw();
        let center = position + draw.vector(6.0) + if draw.one_in(30) { Vec3::X * 50.0 } else { Vec3::ZERO };
        let area = if draw.one_in(3) {
            let low = center.floor().as_ivec3();
            Area::Box { low, high: low + draw.vector(4.0).abs().as_ivec3() }
        } else {
            Area::Sphere { center, radius: if draw.one_in(20) { draw.between(0.0, 20.0) } else { draw.between(0.5, 3.0) } }
        };
        let (one, other) = (1 + draw.below(9) as u8, 1 + draw.below(8) as u8);
        let change = match draw.below(5) {
            0 => Change::Add(one),
            1 => Change::Paint(one),
            // Of grass, dirt or stone.
            2 => Change::Replace { from: 1 + one % 3, to: other },
            _ => Change::Subtract,
        };
        Inbound::Terraform { player, edit: Edit { area, change }, client_sequence }
    }

    fn whose(&mut self) -> Whose {
        let (player, spell) = (self.player(), self.spell());
        match self.draw().below(6) {
            0 => Whose::Spell { spell: spell.into(), revision: None },
            1 => Whose::Account(self.account()),
            _ => Whose::Player(player),
        }
    }

    fn activate(&mut self, spell: &str) -> Inbound {
        let (revision, spec) = (self.revision(), self.spec());
        Inbound::activate(spell, &revision, spec)
    }

    /// Another lineup of some spell: a revision for all, one on trial, drafts for some, and now and then nothing at all or an end for what runs.
    fn switch(&mut self) -> Inbound {
        let spell = self.spell().to_owned();
        let mut lineup = Lineup { active: Some(self.revision()).filter(|_| !self.draw().one_in(8)), ..Lineup::default() };
        if self.draw().one_in(3) {
            let by = if self.draw().one_in(2) { ShareBy::Cast } else { ShareBy::Player };
            lineup.trial = Some(Trial { revision: self.revision(), share: self.draw().below(u64::from(TRIAL_SHARE_WHOLE) + 1) as u16, by });
        }
        for _ in 0..self.draw().below(3) {
            let (account, draft) = (self.account(), self.revision());
            lineup.drafts.insert(account, draft);
        }
        let specs = lineup.revisions().map(|revision| (revision.to_owned(), self.spec())).collect();
        let barred = match self.draw().below(24) {
            0 => Barred::All,
            1 => Barred::Those([self.revision()].into()),
            _ => Barred::none(),
        };
        Inbound::Switch(Switch { spell, lineup, specs, barred })
    }

    fn revision(&mut self) -> String {
        format!("r{}", self.draw().below(3))
    }

    fn spec(&mut self) -> SpellSpec {
        let draw = self.draw();
        let duration_ticks = if draw.one_in(3) { 0 } else { 1 + draw.below(480) as u32 };
        SpellSpec {
            duration_ticks,
            tick_interval: draw.below(12) as u32,
            event_interval: if draw.one_in(4) { draw.below(6) as u32 } else { 0 },
            persistent: draw.one_in(4),
            cast_mana: draw.between(0.0, 20.0),
            school: draw.one_of(&[School::None, School::Fire, School::Frost]).unwrap_or_default(),
            counters: Schools(draw.below(16) as u8 & !1),
            in_flight: draw
                .one_of(&[InFlight::Finish, InFlight::Migrate, InFlight::Migrate, InFlight::Migrate, InFlight::Cancel])
                .unwrap_or_default(),
        }
    }
}
