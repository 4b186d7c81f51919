//! How a character moves: a pure function of where it is, what it wants, and which voxels are solid, so that a client can predict with the same code.

use crate::limits::{
    CHARACTER_HALF_HEIGHT_M, CHARACTER_RADIUS_M, CHARACTER_SKIN_M, CHARACTER_SPEED_MAX, CHARACTER_STEP_M, GRAVITY, JUMP_SPEED, MOVE_GAIN,
    SPRINT_FACTOR, WALK_SPEED,
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

/// What a character wants for one tick.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Wish {
    /// The horizontal velocity that it strives for, m/s; y is ignored.
    pub velocity: Vec3,
    /// Jumps if it stands on something.
    pub jump: bool,
}

/// Half of the box that moves: half wide, half high, half deep, metres.
pub const HALF_EXTENTS: Vec3 = Vec3::new(CHARACTER_RADIUS_M, CHARACTER_HALF_HEIGHT_M, CHARACTER_RADIUS_M);

/// Whether a character whose middle is there is in no solid voxel.
pub fn fits(position: Vec3, solid: &impl Fn(IVec3) -> bool) -> bool {
    !any_solid(cells_low(position), cells_high(position), solid)
}

/// One tick of a character. On the ground it climbs steps of one voxel without a jump. `solid` says which voxels stop it.
pub fn advance(motion: &mut Motion, wish: Wish, seconds: f32, solid: &impl Fn(IVec3) -> bool) {
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
    let way = motion.velocity * seconds;
    let steps = (way.length() / CHARACTER_STEP_M).ceil().max(1.0);
    for _ in 0..steps as u32 {
        // The vertical part comes first, so that a step off an edge falls and one onto a ledge lands.
        slide(motion, 1, motion.velocity.y * seconds / steps, solid);
        for axis in [0, 2] {
            climb_or_slide(motion, axis, motion.velocity[axis] * seconds / steps, solid);
        }
    }
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

/// Moves along a horizontal axis; who stands and is stopped goes on one voxel higher, if that is free and leads further.
fn climb_or_slide(motion: &mut Motion, axis: usize, by: f32, solid: &impl Fn(IVec3) -> bool) {
    let before = *motion;
    slide(motion, axis, by, solid);
    let stopped = by != 0.0 && motion.velocity[axis] == 0.0;
    if !stopped || !before.grounded {
        return;
    }
    let mut lifted = Motion { position: before.position + Vec3::Y, ..before };
    if !fits(lifted.position, solid) {
        return;
    }
    slide(&mut lifted, axis, by, solid);
    // Less than two skins of the step would not carry it.
    if (lifted.position[axis] - motion.position[axis]).abs() > 2.0 * CHARACTER_SKIN_M {
        *motion = lifted;
    }
}

/// Moves along one axis up to the first solid voxel, looking at every layer on the way: nothing is jumped over at any speed.
fn slide(motion: &mut Motion, axis: usize, by: f32, solid: &impl Fn(IVec3) -> bool) {
    if by == 0.0 {
        return;
    }
    let (mut low, mut high) = (cells_low(motion.position), cells_high(motion.position));
    let (half, start) = (HALF_EXTENTS[axis], motion.position[axis]);
    let end = start + by;
    let stop = if by > 0.0 {
        let first = (start + half - CHARACTER_SKIN_M).ceil() as i32;
        let last = (end + half).ceil() as i32 - 1;
        (first..=last).find(|layer| layer_is_solid(&mut low, &mut high, axis, *layer, solid)).map(|layer| layer as f32 - half)
    } else {
        let first = (start - half + CHARACTER_SKIN_M).floor() as i32 - 1;
        let last = (end - half).floor() as i32;
        (last..=first).rev().find(|layer| layer_is_solid(&mut low, &mut high, axis, *layer, solid)).map(|layer| (layer + 1) as f32 + half)
    };
    motion.position[axis] = stop.unwrap_or(end);
    if stop.is_some() {
        motion.grounded |= axis == 1 && by < 0.0;
        motion.velocity[axis] = 0.0;
    }
}

fn layer_is_solid(low: &mut IVec3, high: &mut IVec3, axis: usize, layer: i32, solid: &impl Fn(IVec3) -> bool) -> bool {
    (low[axis], high[axis]) = (layer, layer);
    any_solid(*low, *high, solid)
}

fn any_solid(low: IVec3, high: IVec3, solid: &impl Fn(IVec3) -> bool) -> bool {
    (low.x..=high.x).any(|x| (low.y..=high.y).any(|y| (low.z..=high.z).any(|z| solid(IVec3::new(x, y, z)))))
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
