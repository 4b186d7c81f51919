//! How a character moves: a pure function of where it is, what it wants, which voxels are solid and which bodies are near, so that a client can predict
//! with the same code.

use crate::body::Form;
use crate::geometry::{overlap, slide_box};
use crate::limits::{
    CHARACTER_HALF_HEIGHT_M, CHARACTER_RADIUS_M, CHARACTER_SKIN_M, CHARACTER_SPEED_MAX, CHARACTER_STEP_M, CHARACTER_YIELD_M, GRAVITY,
    JUMP_SPEED, MOVE_GAIN, SPRINT_FACTOR, WALK_SPEED,
};
use crate::{IVec3, Quat, Vec3};

/// What moves: a box around the capsule, so that it slides along voxels and stands on edges without jitter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Motion {
    /// The middle, metres.
    pub position: Vec3,
    /// Metres a second.
    pub velocity: Vec3,
    /// Stands on something.
    pub grounded: bool,
}

impl Motion {
    /// Tells two apart that are not the same to the last bit: 32-bit FNV-1a (Fowler, Noll, Vo) over position and velocity, little-endian, and whether it stands.
    pub fn digest(&self) -> u32 {
        let axes = self.position.to_array().into_iter().chain(self.velocity.to_array());
        let bytes = axes.flat_map(f32::to_le_bytes).chain([u8::from(self.grounded)]);
        bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
    }
}

/// What a character wants for one tick.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Wish {
    /// The horizontal velocity that it strives for, m/s; y is ignored.
    pub velocity: Vec3,
    /// Jumps if it stands on something.
    pub jump: bool,
}

/// A body that a character walks against and stands on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Obstacle {
    /// What there is of it.
    pub form: Form,
    /// Its middle, metres.
    pub position: Vec3,
    /// How it is turned.
    pub rotation: Quat,
    /// Metres a second.
    pub velocity: Vec3,
}

/// A character was stopped by a body.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bump {
    /// Its index among the obstacles.
    pub obstacle: usize,
    /// How fast the character came against it, along the axis that stopped, m/s.
    pub velocity: Vec3,
}

/// Half of the box that moves: half wide, half high, half deep, metres.
pub const HALF_EXTENTS: Vec3 = Vec3::new(CHARACTER_RADIUS_M, CHARACTER_HALF_HEIGHT_M, CHARACTER_RADIUS_M);

/// Whether a character whose middle is there is in no solid voxel.
pub fn fits(position: Vec3, solid: &impl Fn(IVec3) -> bool) -> bool {
    !any_solid(cells_low(position), cells_high(position), solid)
}

/// One tick of a character. On the ground it climbs steps of one voxel without a jump. `solid` says which voxels stop it.
pub fn advance(motion: &mut Motion, wish: Wish, seconds: f32, solid: &impl Fn(IVec3) -> bool) {
    advance_among(motion, wish, seconds, solid, &[]);
}

/// As [`advance`], among bodies: it stands on them and is stopped by them. Answers which ones it came against; pushing them is the caller's business.
pub fn advance_among(motion: &mut Motion, wish: Wish, seconds: f32, solid: &impl Fn(IVec3) -> bool, obstacles: &[Obstacle]) -> Vec<Bump> {
    let mut around = Around { solid, obstacles, bumps: Vec::new() };
    let follow = (MOVE_GAIN * seconds).min(1.0);
    motion.velocity.x += (wish.velocity.x - motion.velocity.x) * follow;
    motion.velocity.z += (wish.velocity.z - motion.velocity.z) * follow;
    if wish.jump && motion.grounded {
        motion.velocity.y = JUMP_SPEED;
    }
    motion.velocity.y -= GRAVITY * seconds;
    motion.velocity = motion.velocity.clamp_length_max(CHARACTER_SPEED_MAX);
    motion.grounded = false;
    rise_out(motion, solid);
    around.make_way(motion);
    let way = motion.velocity * seconds;
    let steps = (way.length() / CHARACTER_STEP_M).ceil().max(1.0);
    for _ in 0..steps as u32 {
        // The vertical part comes first, so that a step off an edge falls and one onto a ledge lands.
        around.slide(motion, 1, motion.velocity.y * seconds / steps);
        for axis in [0, 2] {
            around.climb_or_slide(motion, axis, motion.velocity[axis] * seconds / steps);
        }
    }
    around.bumps
}

/// The horizontal velocity that controls ask for. `movement` is local to the aim (x right, z back), each axis -1 to 1; slanting is not faster.
pub fn wish_velocity(movement: Vec3, aim: Vec3, sprint: bool) -> Vec3 {
    let forward = heading(aim);
    let right = forward.cross(Vec3::Y);
    let along = (right * movement.x - forward * movement.z).clamp_length_max(1.0);
    along * if sprint { WALK_SPEED * SPRINT_FACTOR } else { WALK_SPEED }
}

/// How a character that aims there is turned: about y only. By half angles, which need no trigonometry.
pub fn facing(aim: Vec3) -> Quat {
    let forward = heading(aim);
    let cosine = (-forward.z).clamp(-1.0, 1.0);
    let half_sine = ((1.0 - cosine) / 2.0).sqrt();
    let half_cosine = ((1.0 + cosine) / 2.0).sqrt();
    Quat::from_xyzw(0.0, if forward.x > 0.0 { -half_sine } else { half_sine }, 0.0, half_cosine)
}

/// The aim's horizontal part as a unit vector; -z for one that looks straight up or down.
fn heading(aim: Vec3) -> Vec3 {
    Vec3::new(aim.x, 0.0, aim.z).normalize_or(Vec3::NEG_Z)
}

/// Lifts a character that is inside something by a voxel; it is free after as many ticks as it is deep.
fn rise_out(motion: &mut Motion, solid: &impl Fn(IVec3) -> bool) {
    let (low, high) = (cells_low(motion.position), cells_high(motion.position));
    if any_solid(low, high, solid) {
        motion.position.y = (low.y + 1) as f32 + CHARACTER_HALF_HEIGHT_M;
        motion.velocity.y = motion.velocity.y.max(0.0);
    }
}

/// What is in a character's way.
struct Around<'a, S> {
    solid: &'a S,
    obstacles: &'a [Obstacle],
    bumps: Vec<Bump>,
}

/// What has stopped a move.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stop {
    Voxel,
    Body,
}

impl<S: Fn(IVec3) -> bool> Around<'_, S> {
    /// Gives way to bodies that have come into its box: a little a tick, and never into a voxel.
    fn make_way(&self, motion: &mut Motion) {
        for obstacle in self.obstacles {
            let Some((way, depth)) = obstacle.covers(motion.position) else { continue };
            let aside = motion.position + way * depth.min(CHARACTER_YIELD_M);
            if fits(aside, self.solid) {
                motion.position = aside;
            }
        }
    }

    /// Moves along a horizontal axis; who stands and is stopped by a voxel goes on one voxel higher, if that is free and leads further.
    /// Bodies are no steps: who walks into one pushes it.
    fn climb_or_slide(&mut self, motion: &mut Motion, axis: usize, by: f32) {
        let before = *motion;
        let stopped = self.slide(motion, axis, by) == Some(Stop::Voxel);
        if !stopped || !before.grounded {
            return;
        }
        let mut lifted = Motion { position: before.position + Vec3::Y, ..before };
        if !fits(lifted.position, self.solid) || self.obstacles.iter().any(|obstacle| obstacle.covers(lifted.position).is_some()) {
            return;
        }
        self.slide(&mut lifted, axis, by);
        // Less than two skins of the step would not carry it.
        if (lifted.position[axis] - motion.position[axis]).abs() > 2.0 * CHARACTER_SKIN_M {
            *motion = lifted;
        }
    }

    /// Moves along one axis up to the first voxel or body.
    fn slide(&mut self, motion: &mut Motion, axis: usize, by: f32) -> Option<Stop> {
        if by == 0.0 {
            return None;
        }
        let start = motion.position[axis];
        let wall = stop_at(motion.position, axis, by, self.solid);
        let free = wall.unwrap_or(start + by) - start;
        if let Some((index, way)) = self.first_body(motion.position, axis, by, free) {
            motion.position[axis] = start + way.copysign(by);
            motion.grounded |= axis == 1 && by < 0.0;
            self.bump(motion, axis, index);
            return Some(Stop::Body);
        }
        motion.position[axis] = wall.unwrap_or(start + by);
        wall?;
        motion.grounded |= axis == 1 && by < 0.0;
        motion.velocity[axis] = 0.0;
        Some(Stop::Voxel)
    }

    /// The body that stops a move before its end, and how far the way to it is; of equals the first one.
    fn first_body(&self, position: Vec3, axis: usize, by: f32, free: f32) -> Option<(usize, f32)> {
        // A wall may have stopped it a hair behind where it stands.
        let free = if free * by > 0.0 { free.abs() } else { 0.0 };
        let ways = self.obstacles.iter().map(|obstacle| obstacle.way_to(position, axis, by.signum() * (free + CHARACTER_SKIN_M)));
        let ways = ways.enumerate().filter_map(|(index, way)| Some((index, way.filter(|way| *way < free)?)));
        ways.min_by(|one, other| one.1.total_cmp(&other.1))
    }

    /// It goes on as fast as what has stopped it, if that gives way.
    fn bump(&mut self, motion: &mut Motion, axis: usize, obstacle: usize) {
        let (mine, other) = (motion.velocity[axis], self.obstacles[obstacle].velocity[axis]);
        let along = if other * mine > 0.0 { other.abs().min(mine.abs()).copysign(mine) } else { 0.0 };
        let mut velocity = Vec3::ZERO;
        velocity[axis] = mine - along;
        motion.velocity[axis] = along;
        if mine != along {
            self.bumps.push(Bump { obstacle, velocity });
        }
    }
}

impl Obstacle {
    /// Whether a character that goes so far along an axis can meet it at all: most bodies around are told apart by this alone.
    fn is_near(&self, position: Vec3, axis: usize, way: f32) -> bool {
        let mut reach = HALF_EXTENTS + self.form.reach();
        reach[axis] += way;
        (self.position - position).abs().cmple(reach).all()
    }

    /// The shortest way out of it, and how far, if a character there is in it by more than its skin.
    fn covers(&self, position: Vec3) -> Option<(Vec3, f32)> {
        if !self.is_near(position, 0, 0.0) {
            return None;
        }
        overlap(self.position - position, HALF_EXTENTS - CHARACTER_SKIN_M, self.form, self.rotation)
    }

    /// How far a character may go along an axis until it stops. One that is in it already may only go out.
    fn way_to(&self, position: Vec3, axis: usize, by: f32) -> Option<f32> {
        if !self.is_near(position, axis, by.abs()) {
            return None;
        }
        match self.covers(position) {
            Some((way, _)) => (way[axis] * by < 0.0 && way[axis].abs() > 0.1).then_some(0.0),
            None => {
                let half = HALF_EXTENTS - CHARACTER_SKIN_M;
                slide_box(self.position - position, half, self.form, self.rotation, axis, by).map(|way| (way - CHARACTER_SKIN_M).max(0.0))
            }
        }
    }
}

/// Where a move along one axis ends at a solid voxel, if it does. It looks at every layer on the way: nothing is jumped over at any speed.
fn stop_at(position: Vec3, axis: usize, by: f32, solid: &impl Fn(IVec3) -> bool) -> Option<f32> {
    let (mut low, mut high) = (cells_low(position), cells_high(position));
    let (half, start) = (HALF_EXTENTS[axis], position[axis]);
    let end = start + by;
    if by > 0.0 {
        let first = (start + half - CHARACTER_SKIN_M).ceil() as i32;
        let last = (end + half).ceil() as i32 - 1;
        (first..=last).find(|layer| layer_is_solid(&mut low, &mut high, axis, *layer, solid)).map(|layer| layer as f32 - half)
    } else {
        let first = (start - half + CHARACTER_SKIN_M).floor() as i32 - 1;
        let last = (end - half).floor() as i32;
        (last..=first).rev().find(|layer| layer_is_solid(&mut low, &mut high, axis, *layer, solid)).map(|layer| (layer + 1) as f32 + half)
    }
}

fn layer_is_solid(low: &mut IVec3, high: &mut IVec3, axis: usize, layer: i32, solid: &impl Fn(IVec3) -> bool) -> bool {
    (low[axis], high[axis]) = (layer, layer);
    any_solid(*low, *high, solid)
}

fn any_solid(low: IVec3, high: IVec3, solid: &impl Fn(IVec3) -> bool) -> bool {
    (low.x..=high.x).any(|x| (low.y..=high.y).any(|y| (low.z..=high.z).any(|z| solid(IVec3::new(x, y, z)))))
}

/// Whether no voxel between these corners is solid; the corners are in metres.
pub(crate) fn none_solid(low: Vec3, high: Vec3, solid: &impl Fn(IVec3) -> bool) -> bool {
    !any_solid(low.floor().as_ivec3(), high.ceil().as_ivec3() - 1, solid)
}

/// The first voxel that the box is in by more than its skin.
fn cells_low(position: Vec3) -> IVec3 {
    (position - HALF_EXTENTS + CHARACTER_SKIN_M).floor().as_ivec3()
}

/// The last voxel that the box is in by more than its skin.
fn cells_high(position: Vec3) -> IVec3 {
    (position + HALF_EXTENTS - CHARACTER_SKIN_M).ceil().as_ivec3() - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::TICK_SECONDS;
    use proptest::prelude::*;

    /// A floor with its top at 1, and a wall at x = 5.
    fn room(voxel: IVec3) -> bool {
        voxel.y == 0 || voxel.x == 5
    }

    fn at(position: [f32; 3], velocity: [f32; 3]) -> Motion {
        Motion { position: Vec3::from_array(position), velocity: Vec3::from_array(velocity), grounded: false }
    }

    fn run(motion: &mut Motion, wish: Wish, ticks: u32) {
        for _ in 0..ticks {
            advance(motion, wish, TICK_SECONDS, &room);
        }
    }

    #[test]
    fn stands_where_the_floor_is() {
        let mut motion = at([0.5, 10.0, 0.5], [0.0; 3]);
        run(&mut motion, Wish::default(), 120);
        assert_eq!(motion, Motion { position: Vec3::new(0.5, 1.9, 0.5), velocity: Vec3::ZERO, grounded: true });
    }

    #[test]
    fn a_wall_stops_one_axis_only() {
        let mut motion = at([3.0, 1.9, 0.0], [0.0; 3]);
        run(&mut motion, Wish { velocity: Vec3::new(8.0, 0.0, 4.0), jump: false }, 60);
        assert!((motion.position.x - 4.6).abs() < 1e-5, "{motion:?}");
        assert_eq!(motion.velocity.x, 0.0);
        assert!(motion.position.z > 3.0, "{motion:?}");
    }

    #[test]
    fn jumps_only_from_the_ground() {
        let mut motion = at([0.0, 1.9, 0.0], [0.0; 3]);
        run(&mut motion, Wish::default(), 1);
        let jump = Wish { velocity: Vec3::ZERO, jump: true };
        run(&mut motion, jump, 1);
        let rising = motion.velocity.y;
        assert!(rising > 11.0 && !motion.grounded);
        run(&mut motion, jump, 1);
        assert!(motion.velocity.y < rising);
    }

    #[test]
    fn rises_out_of_what_it_is_in() {
        let mut motion = at([0.5, 0.5, 0.5], [0.0; 3]);
        run(&mut motion, Wish::default(), 3);
        assert!(motion.grounded && motion.position.y == 1.9, "{motion:?}");
    }

    #[test]
    fn climbs_a_step_of_one_voxel_and_not_one_of_two() {
        let steps = |height: i32| move |voxel: IVec3| voxel.y <= 0 || voxel.x >= 2 && voxel.y <= height;
        let walk = |height| {
            let mut motion = at([0.5, 1.9, 0.5], [0.0; 3]);
            (0..60).for_each(|_| advance(&mut motion, Wish { velocity: Vec3::X * 8.0, jump: false }, TICK_SECONDS, &steps(height)));
            motion
        };
        let (up, stopped) = (walk(1), walk(2));
        assert!(up.grounded && up.position.x > 7.0 && (up.position.y - 2.9).abs() < 1e-3, "{up:?}");
        assert!((stopped.position.x - 1.6).abs() < 1e-3 && (stopped.position.y - 1.9).abs() < 1e-3, "{stopped:?}");
    }

    #[test]
    fn climbs_nothing_under_a_low_ceiling_or_in_the_air() {
        let low = |voxel: IVec3| voxel.y <= 0 || voxel.x >= 2 && voxel.y == 1 || voxel.y >= 3;
        let mut motion = at([0.5, 1.9, 0.5], [0.0; 3]);
        run_in(&mut motion, &low, 60);
        assert!((motion.position.x - 1.6).abs() < 1e-3, "{motion:?}");
        let cliff = |voxel: IVec3| voxel.x >= 2 && voxel.y <= 20;
        let mut motion = at([0.5, 20.9, 0.5], [0.0; 3]);
        run_in(&mut motion, &cliff, 20);
        assert!(motion.position.x < 1.61 && motion.position.y < 20.0, "{motion:?}");
    }

    fn run_in(motion: &mut Motion, solid: &impl Fn(IVec3) -> bool, ticks: u32) {
        (0..ticks).for_each(|_| advance(motion, Wish { velocity: Vec3::X * 8.0, jump: false }, TICK_SECONDS, solid));
    }

    fn crate_at(position: Vec3, velocity: Vec3) -> Obstacle {
        Obstacle { form: Form::Box { half: Vec3::splat(0.5) }, position, rotation: Quat::IDENTITY, velocity }
    }

    /// Some ticks of one who walks along x among these; answers the bumps of the last.
    fn walk_among(motion: &mut Motion, obstacles: &[Obstacle], ticks: u32) -> Vec<Bump> {
        let wish = Wish { velocity: Vec3::X * 8.0, jump: false };
        (0..ticks).fold(Vec::new(), |_, _| advance_among(motion, wish, TICK_SECONDS, &room, obstacles))
    }

    #[test]
    fn a_body_stops_who_walks_into_it_and_is_no_step() {
        let mut motion = at([0.0, 1.9, 0.0], [0.0; 3]);
        let bumps = walk_among(&mut motion, &[crate_at(Vec3::new(2.0, 1.5, 0.2), Vec3::ZERO)], 60);
        assert!((motion.position - Vec3::new(1.1, 1.9, 0.0)).length() < 1e-3 && motion.velocity.x == 0.0, "{motion:?}");
        assert!(matches!(bumps[..], [Bump { obstacle: 0, velocity }] if velocity.x > 1.0), "{bumps:?}");
    }

    #[test]
    fn a_body_that_gives_way_is_followed() {
        let mut motion = at([1.1, 1.9, 0.0], [6.0, 0.0, 0.0]);
        walk_among(&mut motion, &[crate_at(Vec3::new(2.0, 1.5, 0.0), Vec3::X * 3.0)], 1);
        assert_eq!(motion.velocity.x, 3.0);
    }

    #[test]
    fn stands_on_a_body_and_jumps_off_it() {
        let mut motion = at([0.3, 5.0, 0.0], [0.0; 3]);
        let crates = [crate_at(Vec3::new(0.0, 1.5, 0.0), Vec3::ZERO), crate_at(Vec3::new(0.9, 1.5, 0.3), Vec3::ZERO)];
        (0..90).for_each(|_| _ = advance_among(&mut motion, Wish::default(), TICK_SECONDS, &room, &crates));
        assert!(motion.grounded && (motion.position.y - 2.9).abs() < 2e-3, "{motion:?}");
        advance_among(&mut motion, Wish { jump: true, ..Wish::default() }, TICK_SECONDS, &room, &crates);
        assert!(motion.velocity.y > 11.0, "{motion:?}");
    }

    #[test]
    fn gives_way_to_a_body_but_not_into_a_wall() {
        let mut motion = at([0.0, 1.9, 0.0], [0.0; 3]);
        (0..10).for_each(|_| {
            _ = advance_among(&mut motion, Wish::default(), TICK_SECONDS, &room, &[crate_at(Vec3::new(-0.7, 1.5, 0.0), Vec3::ZERO)])
        });
        assert!((motion.position.x - 0.2).abs() < 2e-3, "{motion:?}");
        let mut squeezed = at([4.6, 1.9, 0.0], [0.0; 3]);
        walk_among(&mut squeezed, &[crate_at(Vec3::new(3.9, 1.5, 0.0), Vec3::ZERO)], 10);
        assert!(fits(squeezed.position, &room) && (squeezed.position.x - 4.6).abs() < 2e-3, "{squeezed:?}");
    }

    #[test]
    fn the_wish_is_local_to_the_aim() {
        let close = |a: Vec3, b: Vec3| assert!((a - b).length() < 1e-5, "{a} {b}");
        close(wish_velocity(Vec3::NEG_Z, Vec3::X, false), Vec3::X * 8.0);
        close(wish_velocity(Vec3::X, Vec3::X, true), Vec3::Z * 14.4);
        close(wish_velocity(Vec3::new(1.0, 1.0, -1.0), Vec3::Y, false), Vec3::new(1.0, 0.0, -1.0).normalize() * 8.0);
    }

    proptest! {
        #[test]
        fn facing_turns_forward_to_the_aim(aim in prop::array::uniform3(-1.0f32..1.0)) {
            let aim = Vec3::from_array(aim);
            prop_assume!(aim.x.abs() + aim.z.abs() > 0.01);
            prop_assert!((facing(aim) * Vec3::NEG_Z - heading(aim)).length() < 1e-3);
        }

        /// Over columns of any heights inside a tall ring of wall one voxel thick: nobody gets into a voxel, below the ground or beyond the wall,
        /// however hard it is pushed, and steps are climbed one voxel at a time.
        #[test]
        fn no_push_leads_through_a_wall(
            heights in prop::collection::vec(0i32..5, 225),
            pushes in prop::collection::vec((prop::array::uniform3(-500.0f32..500.0), prop::array::uniform2(-14.4f32..14.4), any::<bool>()), 1..30),
        ) {
            let solid = |voxel: IVec3| {
                let ring = voxel.x.abs().max(voxel.z.abs());
                let height = if ring < 8 { heights[((voxel.x + 7) * 15 + voxel.z + 7) as usize] } else { 0 };
                voxel.y <= 0 || voxel.y <= height || ring == 8 && voxel.y < 2_000
            };
            let mut motion = at([0.5, 6.9, 0.5], [0.0; 3]);
            for (push, [x, z], jump) in pushes {
                motion.velocity += Vec3::from_array(push);
                let before = motion;
                advance(&mut motion, Wish { velocity: Vec3::new(x, 0.0, z), jump }, TICK_SECONDS, &solid);
                prop_assert!(fits(motion.position, &solid), "{motion:?} after {before:?}");
                let inside = motion.position.x >= -7.0 && motion.position.x <= 8.0 && motion.position.z >= -7.0 && motion.position.z <= 8.0;
                prop_assert!(inside && motion.position.y >= 1.9 - CHARACTER_SKIN_M, "{motion:?} after {before:?}");
                prop_assert!(motion.velocity.length() <= CHARACTER_SPEED_MAX * 1.001, "{motion:?}");
            }
        }

        /// Whatever bodies there are, nobody is moved into a voxel by them or through a wall.
        #[test]
        fn bodies_push_nobody_into_a_wall(
            bodies in prop::collection::vec((prop::array::uniform3(0.3f32..5.0), prop::array::uniform3(-20.0f32..20.0), prop::array::uniform4(-1.0f32..1.0), any::<bool>()), 0..6),
            wishes in prop::collection::vec((prop::array::uniform2(-14.4f32..14.4), any::<bool>()), 1..40),
        ) {
            let obstacles: Vec<Obstacle> = bodies.into_iter().map(|(position, velocity, [x, y, z, w], round)| Obstacle {
                form: if round { Form::Ball { radius: 0.7 } } else { Form::Box { half: Vec3::new(0.3, 0.8, 1.2) } },
                position: Vec3::from_array(position),
                rotation: Quat::from_xyzw(x, y, z, w + 1.5).normalize(),
                velocity: Vec3::from_array(velocity),
            }).collect();
            let mut motion = at([2.5, 1.9, 2.5], [0.0; 3]);
            for ([x, z], jump) in wishes {
                let bumps = advance_among(&mut motion, Wish { velocity: Vec3::new(x, 0.0, z), jump }, TICK_SECONDS, &room, &obstacles);
                prop_assert!(motion.position.y >= 1.9 - CHARACTER_SKIN_M && motion.position.x <= 4.6 + CHARACTER_SKIN_M, "{motion:?}");
                prop_assert!(fits(motion.position, &room) && motion.velocity.length() <= CHARACTER_SPEED_MAX * 1.001, "{motion:?}");
                prop_assert!(bumps.iter().all(|bump| bump.obstacle < obstacles.len() && bump.velocity.is_finite()), "{bumps:?}");
            }
        }

        /// Nothing gets into the floor or through the wall, at any speed and from anywhere.
        #[test]
        fn never_inside_anything(
            start in (-20.0f32..4.5, 1.9f32..20.0, -20.0f32..20.0),
            velocity in prop::array::uniform3(-3_000.0f32..3_000.0),
            wishes in prop::collection::vec((prop::array::uniform2(-14.4f32..14.4), any::<bool>()), 1..40),
        ) {
            let mut motion = at([start.0, start.1, start.2], velocity);
            for ([x, z], jump) in wishes {
                advance(&mut motion, Wish { velocity: Vec3::new(x, 0.0, z), jump }, TICK_SECONDS, &room);
                prop_assert!(motion.position.y >= 1.9 - CHARACTER_SKIN_M && motion.position.x <= 4.6 + CHARACTER_SKIN_M, "{motion:?}");
                prop_assert!(!any_solid(cells_low(motion.position), cells_high(motion.position), &room), "{motion:?}");
            }
        }
    }
}
