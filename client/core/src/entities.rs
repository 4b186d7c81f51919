//! Everybody and everything but the player: where each was in the last snapshots, and where it is drawn, some ticks in the past.

use crate::limits::{EXTRAPOLATION_TICKS_MAX, LEAP_M, SNAPSHOT_TICKS, STATES_MAX, STOOD_TICKS};
use protocol::v2::EntityState;
use sim::body::Form;
use sim::character::Obstacle;
use sim::limits::{PROP_HALF_M, TICK_SECONDS};
use sim::{Quat, Vec3};
use std::collections::{BTreeMap, VecDeque};

/// On the wire, the kinds of players and NPCs.
const CHARACTERS: [u8; 2] = [1, 2];

/// Those that the server has told of, by id.
#[derive(Debug, Default)]
pub struct Entities {
    known: BTreeMap<u64, Entity>,
    newest_tick: u64,
}

/// What comes with ENTITY_SPAWN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spawn {
    /// The tick.
    pub tick: u64,
    /// 1 player, 2 NPC, 3 projectile, 4 prop.
    pub kind: u8,
    /// Metres.
    pub position: Vec3,
    /// About y, then x, then z, radians: x, y, z.
    pub euler: Vec3,
    /// Full health; 0 for what has none.
    pub health_max: f32,
    /// One of the world's crates, whose size is known.
    pub is_crate: bool,
    /// Something else is drawn in its place.
    pub is_drawn_already: bool,
}

/// Where an entity is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawn {
    /// Its id.
    pub id: u64,
    /// 1 player, 2 NPC, 3 projectile, 4 prop.
    pub kind: u8,
    /// How.
    pub pose: Pose,
}

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose {
    /// Metres.
    pub position: Vec3,
    /// How it is turned.
    pub rotation: Quat,
    /// Whole points; 0 is dead, or has none.
    pub health: f32,
}

#[derive(Debug)]
struct Entity {
    kind: u8,
    is_crate: bool,
    is_drawn_already: bool,
    /// By tick, oldest first; never empty.
    states: VecDeque<(u64, Pose)>,
    /// The tick in which it went.
    gone: Option<u64>,
}

impl Entities {
    /// One appeared, or came into view again.
    pub fn spawn(&mut self, id: u64, spawn: &Spawn) {
        let Spawn { tick, kind, position, euler, health_max, is_crate, is_drawn_already } = *spawn;
        let rotation = Quat::from_rotation_y(euler.y) * Quat::from_rotation_x(euler.x) * Quat::from_rotation_z(euler.z);
        let first = (tick, Pose { position, rotation, health: health_max });
        self.known.insert(id, Entity { kind, is_crate, is_drawn_already, states: VecDeque::from([first]), gone: None });
    }

    /// One went; it is drawn until its time has come there, too.
    pub fn despawn(&mut self, id: u64, tick: u64) {
        if let Some(entity) = self.known.get_mut(&id) {
            entity.gone = Some(tick);
        }
    }

    /// What a snapshot says. Nobody else is news: entities come by [`Entities::spawn`] alone.
    pub fn snapshot(&mut self, tick: u64, states: &[EntityState]) {
        self.newest_tick = tick;
        for state in states {
            if let Some(entity) = self.known.get_mut(&state.id) {
                entity.note(tick, pose(state));
            }
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Where everything is at this tick and its fraction; what is gone by then is forgotten.
    pub fn drawn(&mut self, tick: f64) -> impl Iterator<Item = Drawn> {
        self.known.retain(|_, entity| entity.gone.is_none_or(|gone| tick < gone as f64));
        let newest = self.newest_tick;
        let shown = self.known.iter().filter(|(_, entity)| !entity.is_drawn_already);
        shown.filter_map(move |(id, entity)| Some(Drawn { id: *id, kind: entity.kind, pose: entity.at(tick, newest)? }))
    }

    /// Where the players and NPCs but this one are drawn at this tick: their middles.
    pub fn characters(&self, tick: f64, except: u64) -> Vec<Vec3> {
        let others = self.known.iter().filter(|(id, entity)| **id != except && CHARACTERS.contains(&entity.kind));
        others.filter_map(|(_, entity)| Some(entity.at(tick, self.newest_tick)?.position)).collect()
    }

    /// The health that the newest snapshot gives this one; 0 for who is not known.
    pub fn health(&self, id: u64) -> f32 {
        self.known.get(&id).and_then(|entity| entity.states.back()).map_or(0.0, |(_, pose)| pose.health)
    }

    /// The crates within this distance of a place, as they were told last.
    pub fn crates(&self, near: Vec3, within_m: f32) -> Vec<Obstacle> {
        let standing = self.known.values().filter(|entity| entity.is_crate && entity.gone.is_none());
        standing.filter_map(Entity::obstacle).filter(|obstacle| obstacle.position.distance(near) < within_m).collect()
    }
}

impl Entity {
    fn note(&mut self, tick: u64, pose: Pose) {
        let last = self.states.back().copied();
        if last.is_some_and(|(at, _)| at >= tick) {
            return;
        }
        // What is the same is not sent: it stood until now, and did not creep here all the time.
        if let Some((_, stood)) = last.filter(|(at, _)| tick - at > STOOD_TICKS) {
            self.states.push_back((tick - SNAPSHOT_TICKS, stood));
        }
        self.states.push_back((tick, pose));
        while self.states.len() > STATES_MAX {
            self.states.pop_front();
        }
    }

    fn at(&self, tick: f64, newest: u64) -> Option<Pose> {
        let after = self.states.partition_point(|(at, _)| *at as f64 <= tick);
        let (from, one) = *self.states.get(after.checked_sub(1)?)?;
        match self.states.get(after) {
            Some((to, other)) => Some(between(&one, other, ((tick - from as f64) / (to - from) as f64) as f32)),
            None => Some(self.beyond(&one, from, tick, newest)),
        }
    }

    /// Goes on as before for a while, if the newest snapshot still spoke of it.
    fn beyond(&self, last: &Pose, from: u64, tick: f64, newest: u64) -> Pose {
        let before =
            self.states.iter().rev().nth(1).filter(|(_, before)| from == newest && before.position.distance(last.position) < LEAP_M);
        let Some((at, before)) = before else { return *last };
        let ahead = (tick - from as f64).min(EXTRAPOLATION_TICKS_MAX) / (from - at) as f64;
        Pose { position: last.position + (last.position - before.position) * ahead as f32, ..*last }
    }

    fn obstacle(&self) -> Option<Obstacle> {
        let (tick, pose) = self.states.back()?;
        let velocity = match self.states.iter().rev().nth(1) {
            Some((before, other)) => (pose.position - other.position) / ((tick - before) as f32 * TICK_SECONDS),
            None => Vec3::ZERO,
        };
        let form = Form::Box { half: Vec3::splat(PROP_HALF_M) };
        Some(Obstacle { form, position: pose.position, rotation: pose.rotation, velocity })
    }
}

fn pose(state: &EntityState) -> Pose {
    let [x, y, z, w] = state.rotation.quaternion();
    Pose { position: Vec3::from_array(state.position_m()), rotation: Quat::from_xyzw(x, y, z, w), health: state.health.into() }
}

fn between(one: &Pose, other: &Pose, share: f32) -> Pose {
    if one.position.distance(other.position) > LEAP_M {
        return *one;
    }
    Pose { position: one.position.lerp(other.position, share), rotation: one.rotation.slerp(other.rotation, share), health: one.health }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::v2::Rotation;

    fn entities() -> Entities {
        let mut entities = Entities::default();
        let spawn = Spawn {
            tick: 0,
            kind: 2,
            position: Vec3::ZERO,
            euler: Vec3::ZERO,
            health_max: 100.0,
            is_crate: false,
            is_drawn_already: false,
        };
        entities.spawn(5, &spawn);
        entities
    }

    /// A snapshot in which it stands at this x.
    fn told(entities: &mut Entities, tick: u64, x: f32) {
        let rotation = Rotation::IDENTITY.quaternion();
        entities.snapshot(tick, &[EntityState::nearest(5, 2, [x, 0.0, 0.0], rotation, 80.0)]);
    }

    fn x(entities: &mut Entities, tick: f64) -> f32 {
        entities.drawn(tick).next().expect("it is drawn").pose.position.x
    }

    #[test]
    fn between_two_snapshots_it_is_in_between() {
        let mut entities = entities();
        told(&mut entities, 3, 3.0);
        told(&mut entities, 6, 9.0);
        assert_eq!([0.0, 1.5, 3.0, 4.0, 6.0].map(|tick| x(&mut entities, tick)), [0.0, 1.5, 3.0, 5.0, 9.0]);
    }

    #[test]
    fn without_snapshots_it_goes_on_for_a_while_and_stands() {
        let mut entities = entities();
        told(&mut entities, 3, 3.0);
        assert_eq!([5.0, 9.0, 30.0].map(|tick| x(&mut entities, tick)), [5.0, 9.0, 9.0]);
        entities.snapshot(6, &[]);
        assert_eq!(x(&mut entities, 9.0), 3.0, "the snapshot does not speak of it, so it stands");
    }

    #[test]
    fn what_stood_for_long_does_not_creep() {
        let mut entities = entities();
        told(&mut entities, 300, 3.0);
        assert_eq!([150.0, 297.0, 298.5].map(|tick| x(&mut entities, tick)), [0.0, 0.0, 1.5]);
    }

    #[test]
    fn what_was_put_elsewhere_does_not_fly_there() {
        let mut entities = entities();
        told(&mut entities, 3, 50.0);
        assert_eq!([2.9, 3.0, 5.0].map(|tick| x(&mut entities, tick)), [0.0, 50.0, 50.0]);
    }

    #[test]
    fn only_who_was_told_of_is_shown() {
        let mut entities = entities();
        entities.snapshot(3, &[EntityState::nearest(6, 1, [0.0; 3], Rotation::IDENTITY.quaternion(), 1.0)]);
        assert_eq!((entities.len(), entities.drawn(3.0).count()), (1, 1));
    }
}
