//! When a player is told how it is, beside place and health: whenever its client could not foresee it, and now and then.

use crate::convert;
use crate::limits::{STATUS_INTERVAL_TICKS, STATUS_MANA_ERROR_MAX};
use protocol::ServerMessage;
use sim::World;
use sim::limits::TICK_SECONDS;
use sim::scene::Entity;
use sim::status::Borne;

/// What one player was told last.
#[derive(Debug, Default)]
pub struct Status {
    told: Option<Told>,
}

#[derive(Debug, PartialEq)]
struct Told {
    tick: u64,
    mana: Option<f32>,
    borne: Vec<Borne>,
}

impl Status {
    /// What there is to tell a player after this tick, if there is something.
    pub fn news(&mut self, me: &Entity, world: &World) -> Option<ServerMessage> {
        let now = Told { tick: world.tick(), mana: world.mana(me.id), borne: world.statuses_of(me.id) };
        if self.told.as_ref().is_some_and(|told| told.foresees(&now, world)) {
            return None;
        }
        let message = convert::status(me, world, now.mana, &now.borne);
        self.told = Some(now);
        Some(message)
    }
}

impl Told {
    /// Whether a client that counts on from this knows what is now.
    fn foresees(&self, now: &Self, world: &World) -> bool {
        let passed = now.tick - self.tick;
        let mana = match (self.mana, now.mana, world.mana_policy()) {
            (Some(then), Some(now), Some(policy)) => {
                let gained = policy.per_second as f32 * TICK_SECONDS * passed as f32;
                ((then + gained).min(policy.max as f32) - now).abs() <= STATUS_MANA_ERROR_MAX
            }
            (then, now, _) => then == now,
        };
        let lasting = self.borne.iter().filter(|borne| borne.until > now.tick);
        passed < STATUS_INTERVAL_TICKS && mana && lasting.eq(&now.borne)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::server::{BorneStatus, StatusKind};
    use sim::{EntityId, NoSpells, Vec3, status};

    struct Watched {
        world: World,
        player: EntityId,
        status: Status,
    }

    impl Watched {
        fn new() -> Self {
            let mut world = World::new(1);
            let player = world.spawn_player("kim", Vec3::new(0.0, 10.0, 0.0), Vec3::NEG_Z);
            Self { world, player, status: Status::default() }
        }

        /// The ticks, of so many, after which there was something to tell.
        fn told(&mut self, ticks: u64) -> Vec<(u64, Vec<BorneStatus>)> {
            let mut told = Vec::new();
            for _ in 0..ticks {
                sim::step(&mut self.world, &[], &mut NoSpells, &mut |_| ());
                let me = self.world.scene().entity(self.player).expect("it is there");
                if let Some(ServerMessage::PlayerStatus { server_tick, statuses, .. }) = self.status.news(me, &self.world) {
                    told.push((server_tick, statuses));
                }
            }
            told
        }
    }

    #[test]
    fn one_to_whom_nothing_happens_is_told_every_two_seconds() {
        assert_eq!(Watched::new().told(300), [(1, vec![]), (121, vec![]), (241, vec![])]);
    }

    #[test]
    fn the_end_of_what_was_told_is_foreseen() {
        let mut watched = Watched::new();
        watched.world.set_status(watched.player, status::Status::Slow { factor: 0.5 }, 0.5);
        let slow = BorneStatus { kind: StatusKind::Slow, strength: 0.5, until: 30 };
        assert_eq!(watched.told(100), [(1, vec![slow])]);
    }

    #[test]
    fn what_wears_off_otherwise_than_foreseen_is_told() {
        let mut watched = Watched::new();
        let burn = status::Status::Burn { per_second: 2.0 };
        watched.world.set_status(watched.player, status::Status::Shield { amount: 1.5 }, 5.0);
        watched.world.set_status(watched.player, burn, 5.0);
        let told = watched.told(70);
        let shields: Vec<(u64, f32)> = told
            .iter()
            .filter_map(|(tick, borne)| Some((*tick, borne.iter().find(|one| one.kind == StatusKind::Shield)?.strength)))
            .collect();
        assert_eq!(shields, [(1, 1.5), (31, 0.5)]);
        assert_eq!(told.len(), 3, "and when the second bite has broken it: {told:?}");
    }
}
