//! The scene of Glenn Fiedler's "Snapshot Compression", with our rapier: 900 small cubes on a plane, and a player's large one that rolls among them,
//! blows them away and gathers them up. Sizes, forces and thresholds are those of his demo (mas-bandwidth/networked-physics-gdc-2015); z is up.

use crate::dice::Dice;
use rapier3d::prelude::{ColliderBuilder, ColliderHandle, PhysicsWorld, RigidBodyBuilder, RigidBodyHandle, Rotation, Vector};
use std::array;

/// The player's cube is the first.
pub const CUBES: usize = 901;
/// Snapshots a second; the simulation takes one step for each.
pub const HZ: usize = 60;
/// Of a position, values a metre.
const UNITS_PER_M: f32 = 512.0;
/// Of each of a rotation's three smaller components.
const ROTATION_MAX: f32 = 511.0;

/// The player's cube falls onto the plane, and the small ones come to rest.
const WARM_UP: usize = 2 * HZ;

const ROW: usize = 30;
const SMALL_M: f32 = 0.4;
const PLAYER_M: f32 = 1.5;
const DENSITY: f32 = 1.0;
const GRAVITY: f32 = 20.0;
/// His contacts hold with up to 200 N whatever presses on them, so his cubes tumble and hardly slide.
const FRICTION: f32 = 2.0;
/// One hundredth a tick.
const DAMPING: f32 = 0.6;
const ITERATIONS: usize = 64;
const SPIN_MAX: f32 = 16.0;
/// Slower than this for a tenth of a second is at rest: 0.25 m/s, and 0.25 rad/s at a corner.
const REST_SPEED: f32 = 0.08;
const REST_S: f32 = 0.1;
/// A cube that the player has moved is marked as such until it has rested this long.
const MARKED_TICKS: u8 = 100;
const ROLL_N: f32 = 120.0;
const PUSH_RADIUS_M: f32 = 2.0;
const PULL_RADIUS_M: f32 = 1.8;
/// Of push and pull, m/s^2 at one metre; it falls with the square of the distance.
const REACH: f32 = 200.0;
const PUSH_MAX: f32 = 500.0;
const PULL_MAX: f32 = 2_000.0;
/// Further out than this the player does not go.
const ARENA_M: f32 = 14.0;
/// One time in so many the player wants nothing.
const IDLE: f32 = 8.0;
/// Faster than this the player lets the key go.
const CRUISE_M_S: f32 = 3.0;

/// One cube at the published precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Cube {
    /// 1/512 m; +-256 m along the plane, 0 to 32 m above it.
    pub position: [i32; 3],
    /// Which of the quaternion's components x, y, z, w is the largest; it is positive.
    pub largest: u8,
    /// The other three in order, from -1/sqrt(2) to 1/sqrt(2), as 0 to 511.
    pub smallest: [i32; 3],
    /// The player has moved it, or what it has moved has.
    pub interacting: bool,
}

/// One cube as it is simulated.
#[derive(Clone, Copy)]
pub struct Exact {
    /// Metres.
    pub position: [f32; 3],
    /// x, y, z, w.
    pub rotation: [f32; 4],
    /// m/s.
    pub velocity: [f32; 3],
}

/// The scene at one tick.
pub struct Frame {
    /// As it is sent.
    pub cubes: Vec<Cube>,
    /// As it is.
    pub exact: Vec<Exact>,
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Roll,
    Push,
    Pull,
}

/// What the player does until the next decision.
struct Will {
    /// The cube it makes for.
    goal: Option<usize>,
    direction: Vector,
    turn_in_ticks: usize,
    mode: Mode,
    mode_in_ticks: usize,
}

struct Scene {
    rapier: PhysicsWorld,
    cubes: Vec<RigidBodyHandle>,
    marked: Vec<bool>,
    rested_ticks: Vec<u8>,
    will: Will,
    dice: Dice,
}

/// The first so many frames of the scene of this seed.
pub fn play(seed: u64, frames: usize) -> Vec<Frame> {
    let mut scene = Scene::new(seed);
    (0..WARM_UP).for_each(|_| scene.step());
    (0..frames)
        .map(|_| {
            scene.step();
            scene.frame()
        })
        .collect()
}

impl Scene {
    fn new(seed: u64) -> Self {
        let mut rapier = PhysicsWorld::new();
        rapier.gravity = Vector::NEG_Z * GRAVITY;
        let parameters = &mut rapier.integration_parameters;
        parameters.dt = 1.0 / HZ as f32;
        parameters.num_solver_iterations = ITERATIONS;
        // A contact that is found anew in each step, as his are: reused ones shake small cubes.
        parameters.contact_recycling = false;
        let ground = ColliderBuilder::cuboid(256.0, 256.0, 10.0).translation(Vector::NEG_Z * 10.0).friction(FRICTION).restitution(0.0);
        rapier.insert_collider(ground, None);
        let place = |index: usize| match index {
            0 => Vector::new(0.0, 0.0, 10.0),
            _ => {
                let (row, column) = ((index - 1) / ROW, (index - 1) % ROW);
                let along = |step: usize| step as f32 - ROW as f32 / 2.0 + 0.5;
                Vector::new(along(column), along(row), SMALL_M / 2.0)
            }
        };
        let cubes = (0..CUBES).map(|index| {
            let half = if index == 0 { PLAYER_M } else { SMALL_M } / 2.0;
            let body = RigidBodyBuilder::dynamic()
                .translation(place(index))
                .user_data(index as u128)
                .linear_damping(DAMPING)
                .angular_damping(DAMPING);
            let (handle, _) =
                rapier.insert(body, ColliderBuilder::cuboid(half, half, half).density(DENSITY).friction(FRICTION).restitution(0.0));
            let activation = rapier.bodies[handle].activation_mut();
            activation.normalized_linear_threshold = REST_SPEED;
            activation.time_until_sleep = REST_S;
            handle
        });
        let cubes = cubes.collect();
        let will = Will { goal: None, direction: Vector::ZERO, turn_in_ticks: HZ, mode: Mode::Roll, mode_in_ticks: 2 * HZ };
        Self { rapier, cubes, marked: vec![false; CUBES], rested_ticks: vec![0; CUBES], will, dice: Dice(seed) }
    }

    fn step(&mut self) {
        self.decide();
        self.push_and_pull();
        self.drive();
        self.rapier.step();
        for handle in &self.cubes {
            let body = &mut self.rapier.bodies[*handle];
            body.reset_forces(false);
            body.reset_torques(false);
            let spin = body.angvel();
            if !body.is_sleeping() && spin.length() > SPIN_MAX {
                body.set_angvel(spin * (SPIN_MAX / spin.length()), false);
            }
        }
        self.mark();
    }

    /// Runs, turns, stops; rolls, blows, gathers: by the dice.
    fn decide(&mut self) {
        let dice = &mut self.dice;
        let mut below = |count: f32| (dice.unit() * count) as usize;
        if self.will.mode_in_ticks == 0 {
            let (mode, seconds) = match self.will.mode {
                Mode::Roll => (Mode::Push, 2 + below(3.0)),
                Mode::Push => (Mode::Pull, 16 + below(14.0)),
                Mode::Pull => (Mode::Roll, 1 + below(2.0)),
            };
            (self.will.mode, self.will.mode_in_ticks) = (mode, seconds * HZ);
        }
        if self.will.turn_in_ticks == 0 {
            self.will.goal = Some(1 + below(CUBES as f32 - 1.0)).filter(|_| below(IDLE) > 0);
            self.will.turn_in_ticks = HZ / 2 + below(2.5 * HZ as f32);
        }
        let place = |index: usize| self.rapier.bodies[self.cubes[index]].translation();
        let key = |way: f32| if way.abs() < SMALL_M { 0.0 } else { way.signum() };
        let way = self.will.goal.map_or(Vector::ZERO, |goal| place(goal).clamp(-Vector::splat(ARENA_M), Vector::splat(ARENA_M)) - place(0));
        self.will.direction = Vector::new(key(way.x), key(way.y), 0.0);
        self.will.mode_in_ticks -= 1;
        self.will.turn_in_ticks -= 1;
    }

    /// Moves the player's cube.
    fn drive(&mut self) {
        let push = self.will.mode == Mode::Push;
        let mut tremble = || Vector::new(self.dice.range(2.0), self.dice.range(2.0), self.dice.range(2.0));
        let (shove, twist) = (tremble() * 6.0, tremble() * 4.0);
        let body = &mut self.rapier.bodies[self.cubes[0]];
        let (velocity, spin) = (body.linvel(), body.angvel());
        let speed = velocity.dot(self.will.direction.normalize_or_zero());
        let force = match speed {
            _ if speed > CRUISE_M_S => Vector::ZERO,
            _ if speed < 0.0 && !push => self.will.direction * (2.0 * ROLL_N),
            _ => self.will.direction * ROLL_N,
        };
        body.add_force(force, true);
        if !push {
            return;
        }
        // It hovers, upright but for a tilt into its way, and trembles.
        let mut lift = body.translation() + Vector::Z * (0.1 - 0.7);
        let distance = lift.length_squared();
        lift = Vector::new(0.0, 0.0, lift.z);
        if lift.length_squared() < PUSH_RADIUS_M * PUSH_RADIUS_M && distance > 0.0 {
            let height = lift.z.max(0.01);
            body.add_force(Vector::Z * (REACH / (height * height)).min(PUSH_MAX), true);
        }
        body.add_force(shove, true);
        let tilt = self.will.direction.normalize_or_zero() * 0.25;
        let lean = (Vector::Z + tilt).normalize_or_zero().cross(*body.rotation() * Vector::Z);
        body.add_torque(twist - lean * (100.0 * lean.length().min(0.5)), true);
        body.set_angvel(spin * 0.95, true);
        body.set_linvel(velocity * Vector::new(0.96, 0.96, 0.999), true);
    }

    /// Forces on the small cubes around the player's.
    fn push_and_pull(&mut self) {
        let player = self.rapier.bodies[self.cubes[0]].translation();
        let (from, radius, most, sign) = match self.will.mode {
            Mode::Roll => return,
            Mode::Push => (Vector::new(player.x, player.y, -0.1), PUSH_RADIUS_M, PUSH_MAX, 1.0),
            Mode::Pull => (player, PULL_RADIUS_M, PULL_MAX, -1.0),
        };
        for (index, handle) in self.cubes.iter().enumerate().skip(1) {
            let body = &mut self.rapier.bodies[*handle];
            let away = body.translation() - from;
            let distance = away.length();
            if distance > 0.2 && distance < radius {
                let strength = sign * (REACH / (distance * distance)).min(most) * body.mass();
                body.add_force(away * (strength / distance), true);
                self.marked[index] = true;
            }
        }
    }

    /// Marks what touches what the player has moved.
    fn mark(&mut self) {
        self.marked[0] = true;
        let bodies = &self.rapier.bodies;
        let awake = |index: usize| !bodies[self.cubes[index]].is_sleeping();
        for index in 1..CUBES {
            self.rested_ticks[index] = if awake(index) { 0 } else { self.rested_ticks[index].saturating_add(1) };
            self.marked[index] &= self.rested_ticks[index] <= MARKED_TICKS;
        }
        let body_of = |collider: ColliderHandle| self.rapier.colliders[collider].parent().map(|handle| bodies[handle].user_data as usize);
        let touching = self.rapier.contact_pairs().filter(|pair| pair.has_any_active_contact());
        let touching: Vec<_> = touching.filter_map(|pair| Some([body_of(pair.collider1)?, body_of(pair.collider2)?])).collect();
        loop {
            let mut spread = false;
            for &[one, other] in &touching {
                for (from, to) in [(one, other), (other, one)] {
                    if self.marked[from] && !self.marked[to] && awake(to) {
                        self.marked[to] = true;
                        spread = true;
                    }
                }
            }
            if !spread {
                break;
            }
        }
    }

    fn frame(&self) -> Frame {
        let exact = self.cubes.iter().map(|handle| {
            let body = &self.rapier.bodies[*handle];
            Exact { position: body.translation().to_array(), rotation: body.rotation().to_array(), velocity: body.linvel().to_array() }
        });
        let exact: Vec<Exact> = exact.collect();
        let cubes = exact.iter().zip(&self.marked).map(|(exact, marked)| Cube::of(exact, *marked)).collect();
        Frame { cubes, exact }
    }
}

impl Cube {
    fn of(exact: &Exact, interacting: bool) -> Self {
        let position = array::from_fn(|axis| (exact.position[axis] * UNITS_PER_M + 0.5).floor() as i32);
        let rotation = Rotation::from_array(exact.rotation).normalize().to_array();
        let largest = (1..4).fold(0, |best, axis| if rotation[axis].abs() > rotation[best].abs() { axis } else { best });
        let sign = rotation[largest].signum();
        let smallest = array::from_fn(|index| {
            let component = sign * rotation[index + usize::from(index >= largest)];
            ((component * std::f32::consts::FRAC_1_SQRT_2 + 0.5) * ROTATION_MAX + 0.5).floor().clamp(0.0, ROTATION_MAX) as i32
        });
        Self { position, largest: largest as u8, smallest, interacting }
    }
}
