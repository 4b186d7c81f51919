//! The player's own shots, drawn from the moment of firing: the server's copies of them come a round trip and the interpolation delay later, and are not drawn.

use crate::entities::{Drawn, Pose};
use crate::limits::{SHOT_ANSWER_TICKS_MAX, SHOT_LINE_M, SHOTS_FLYING_MAX};
use sim::limits::{
    CHARACTER_HALF_HEIGHT_M, CHARACTER_RADIUS_M, FIRE_COOLDOWN_TICKS, SHOT_RADIUS_M, SHOT_SECONDS, SHOT_SPEED, TICK_HZ, TICK_SECONDS,
};
use sim::voxel::Terrain;
use sim::{Quat, Vec3};
use std::collections::VecDeque;

/// On the wire, a projectile's kind.
const PROJECTILE: u8 = 3;
/// Ids of shots here count down from it: no world has come so far, and JavaScript's numbers are exact up to there.
const FIRST_ID: u64 = 1 << 53;
/// Of a tick's flight, where it is looked whether it meets somebody: each 0.28 m, less than a character is wide.
const STEPS: u32 = 3;

/// Those that fly.
#[derive(Debug, Default)]
pub struct Shots {
    flying: VecDeque<Shot>,
    /// The first client tick in which the server's cooldown allows the next one.
    ready_tick: u64,
    fired: u64,
}

#[derive(Debug)]
struct Shot {
    id: u64,
    /// The client tick in which it was fired.
    fired_tick: u64,
    /// The eye.
    start: Vec3,
    /// A unit vector.
    direction: Vec3,
    before: Vec3,
    now: Vec3,
    /// It has met something, and is not drawn any more.
    met: bool,
    /// The server's copy, once it has come.
    server: Option<u64>,
}

impl Shots {
    /// The tick's order is the server's: whoever fires has moved, and what was fired flies in the same tick. `eye` is where the player looks from, `aim` a unit vector; `others` are the
    /// middles of those whom a shot can meet, where they are drawn: so does the server judge it.
    pub fn step(&mut self, tick: u64, fires: bool, eye: Vec3, aim: Vec3, terrain: &Terrain, others: &[Vec3]) {
        if fires && tick >= self.ready_tick && self.flying.len() < SHOTS_FLYING_MAX {
            self.ready_tick = tick + FIRE_COOLDOWN_TICKS;
            self.fired += 1;
            let id = FIRST_ID - self.fired;
            self.flying.push_back(Shot {
                id,
                fired_tick: tick,
                start: eye,
                direction: aim,
                before: eye,
                now: eye,
                met: false,
                server: None,
            });
        }
        self.flying.iter_mut().filter(|shot| !shot.met).for_each(|shot| shot.fly(terrain, others));
        self.flying.retain(|shot| !shot.is_over(tick));
    }

    /// The server tells of a projectile of this player's, there: whether it is one of these, and need not be drawn.
    pub fn is_known(&mut self, server: u64, position: Vec3) -> bool {
        let shot = self.flying.iter_mut().find(|shot| shot.server.is_none() && shot.passes(position));
        shot.map(|shot| shot.server = Some(server)).is_some()
    }

    /// The server's copy has ended.
    pub fn end(&mut self, server: u64) {
        self.flying.retain(|shot| shot.server != Some(server));
    }

    /// Where they are at this share of the way from the last tick to this one.
    pub fn drawn(&self, share: f32) -> impl Iterator<Item = Drawn> {
        self.flying.iter().filter(|shot| !shot.met).map(move |shot| {
            let rotation = Quat::from_rotation_arc(Vec3::NEG_Z, shot.direction);
            Drawn { id: shot.id, kind: PROJECTILE, pose: Pose { position: shot.before.lerp(shot.now, share), rotation, health: 0.0 } }
        })
    }
}

impl Shot {
    fn fly(&mut self, terrain: &Terrain, others: &[Vec3]) {
        let way = SHOT_SPEED * TICK_SECONDS;
        let next = self.now + self.direction * SHOT_SPEED * TICK_SECONDS;
        let stopped = terrain.raycast(self.now, self.direction, way + SHOT_RADIUS_M).is_some();
        let hits = (1..=STEPS)
            .map(|step| self.now.lerp(next, step as f32 / STEPS as f32))
            .any(|place| others.iter().any(|middle| is_in(place, *middle)));
        (self.before, self.now, self.met) = (self.now, next, stopped || hits);
    }

    /// Its time is up, or the server has had time enough to tell of it and has not.
    fn is_over(&self, tick: u64) -> bool {
        let age = tick.saturating_sub(self.fired_tick);
        age > (SHOT_SECONDS * TICK_HZ as f32) as u64 || self.server.is_none() && age > SHOT_ANSWER_TICKS_MAX
    }

    fn passes(&self, place: Vec3) -> bool {
        let along = (place - self.start).dot(self.direction);
        along >= 0.0 && (self.start + self.direction * along).distance(place) < SHOT_LINE_M
    }
}

/// Whether a shot there is in a character whose middle is there: a capsule, grown by the shot.
fn is_in(place: Vec3, middle: Vec3) -> bool {
    let segment = CHARACTER_HALF_HEIGHT_M - CHARACTER_RADIUS_M;
    let nearest = middle + Vec3::Y * (place.y - middle.y).clamp(-segment, segment);
    place.distance(nearest) < CHARACTER_RADIUS_M + SHOT_RADIUS_M
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim::inbound::Input;
    use sim::{EntityKind, Inbound, NoSpells, Outbound, World, step};

    const EYE: Vec3 = Vec3::new(0.5, 2.6, 0.5);

    /// Ticks of one who stands there and holds the trigger; answers where shots are drawn after the last.
    fn fire(shots: &mut Shots, ticks: std::ops::Range<u64>, terrain: &Terrain, others: &[Vec3]) -> Vec<Vec3> {
        ticks.for_each(|tick| shots.step(tick, true, EYE, Vec3::NEG_Z, terrain, others));
        shots.drawn(1.0).map(|drawn| drawn.pose.position).collect()
    }

    #[test]
    fn shots_fly_where_the_servers_fly_and_as_often() {
        let mut world = World::on(7, Terrain::floor());
        let joined =
            step(&mut world, &[Inbound::Join { token: 1, account: "kim".into(), username: "kim".into() }], &mut NoSpells, &mut |_| ());
        let Outbound::Joined { player, .. } = joined[0] else { panic!("kim is refused") };
        let mut shots = Shots::default();
        let aim = Vec3::new(0.6, 0.64, -0.48);
        for tick in 1..50 {
            let input = Input { sequence: tick as u32, movement: Vec3::ZERO, aim, sprint: false, fire: true, jump: false, seen_tick: 0 };
            step(&mut world, &[Inbound::Input { player, input }], &mut NoSpells, &mut |_| ());
            let eye = world.scene().entity(player).expect("kim is here").eye();
            shots.step(tick, true, eye, aim, world.scene().terrain(), &[]);
            let flying = world.scene().entities().filter(|entity| entity.kind == EntityKind::Projectile);
            let server: Vec<Vec3> = flying.map(|entity| entity.position).collect();
            let here: Vec<Vec3> = shots.drawn(1.0).map(|drawn| drawn.pose.position).collect();
            assert_eq!(here.len(), server.len(), "tick {tick}");
            assert!(here.iter().zip(&server).all(|(here, server)| here.distance(*server) < 1e-3), "{here:?} and {server:?}");
        }
        assert_eq!(shots.fired, 5, "one each twelve ticks");
    }

    #[test]
    fn what_is_in_the_way_ends_it() {
        let mut shots = Shots::default();
        assert_eq!(fire(&mut shots, 1..10, &Terrain::floor(), &[EYE + Vec3::new(0.2, -0.5, -5.0)]), []);
        let mut down = Shots::default();
        (1..10).for_each(|tick| down.step(tick, true, EYE, Vec3::NEG_Y, &Terrain::floor(), &[]));
        assert_eq!(down.drawn(1.0).count(), 0, "the ground stops it");
        assert_eq!(fire(&mut Shots::default(), 1..10, &Terrain::floor(), &[EYE + Vec3::new(0.6, -0.5, -5.0)]).len(), 1, "beside it");
    }

    #[test]
    fn the_servers_copy_is_known_once_and_ends_it() {
        let mut shots = Shots::default();
        fire(&mut shots, 1..3, &Terrain::floor(), &[]);
        assert!(!shots.is_known(70, EYE + Vec3::new(3.0, 0.0, -3.0)), "another one, off the line");
        assert!(shots.is_known(71, EYE + Vec3::NEG_Z * 0.83) && !shots.is_known(72, EYE + Vec3::NEG_Z * 0.83));
        shots.end(71);
        assert_eq!(shots.drawn(1.0).count(), 0);
    }

    #[test]
    fn one_that_the_server_never_fired_is_gone_after_a_while() {
        let mut shots = Shots::default();
        shots.step(1, true, EYE, Vec3::Y, &Terrain::floor(), &[]);
        (2..=1 + SHOT_ANSWER_TICKS_MAX).for_each(|tick| shots.step(tick, false, EYE, Vec3::Y, &Terrain::floor(), &[]));
        assert_eq!(shots.drawn(1.0).count(), 1);
        shots.step(2 + SHOT_ANSWER_TICKS_MAX, false, EYE, Vec3::Y, &Terrain::floor(), &[]);
        assert_eq!(shots.drawn(1.0).count(), 0);
    }
}
