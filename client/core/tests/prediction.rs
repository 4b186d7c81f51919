//! A real world and a prediction beside it: what the client predicts is what the server does, bit by bit.

use client_core::{Prediction, Surroundings};
use proptest::prelude::*;
use protocol::ClientMessage;
use protocol::client::InputFrame;
use protocol::v2::{self, OwnState};
use sim::character::Motion;
use sim::inbound::Input;
use sim::scene::Entity;
use sim::status::{Borne, Hindrance, Status};
use sim::voxel::{Chunk, ChunkId, Terrain};
use sim::{EntityId, IVec3, Inbound, NoSpells, Outbound, Vec3, World, step};

/// Ticks from one snapshot to the next.
const SNAPSHOT_TICKS: u64 = 3;

/// A player's controls, all that the tests turn.
#[derive(Debug, Clone, Copy)]
struct Controls {
    movement: [f32; 3],
    aim: [f32; 3],
    sprint: bool,
    jump: bool,
}

const STAND: Controls = Controls { movement: [0.0; 3], aim: [0.0, 0.0, -1.0], sprint: false, jump: false };
const WALK: Controls = Controls { movement: [0.0, 0.0, -1.0], ..STAND };

/// A world with one player, and the client that predicts it.
struct Pair {
    world: World,
    player: EntityId,
    prediction: Prediction,
    /// Snapshots on their way, with the tick in which they arrive.
    line: Vec<(u64, u64, OwnState)>,
    line_ticks: u64,
}

impl Pair {
    /// On this ground, with snapshots that take so long.
    fn on(terrain: Terrain, line_ticks: u64) -> Self {
        let mut world = World::on(7, terrain);
        let join = Inbound::Join { token: 1, account: "kim".into(), username: "kim".into() };
        let joined = step(&mut world, &[join], &mut NoSpells, &mut |_| ());
        let Outbound::Joined { player, .. } = joined[0] else { panic!("kim is refused: {joined:?}") };
        Self::with(world, player, line_ticks)
    }

    fn with(world: World, player: EntityId, line_ticks: u64) -> Self {
        let mut pair = Self { world, player, prediction: Prediction::default(), line: Vec::new(), line_ticks };
        let own = own_state(pair.entity());
        pair.acknowledge(pair.world.tick(), &own);
        pair
    }

    fn entity(&self) -> &Entity {
        self.world.scene().entity(self.player).expect("kim is here")
    }

    fn acknowledge(&mut self, tick: u64, own: &OwnState) {
        let around = Surroundings { terrain: self.world.scene().terrain(), crates: &[], are_known: true };
        self.prediction.acknowledge(tick, own, &around);
    }

    /// One tick of both; the server takes the input, or misses it and goes on with the one before.
    fn tick(&mut self, controls: Controls, arrives: bool) {
        let frame = self.predict(controls);
        let inbound = arrives.then(|| Inbound::Input { player: self.player, input: as_server_reads(&frame) });
        step(&mut self.world, inbound.as_slice(), &mut NoSpells, &mut |_| ());
        let tick = self.world.tick();
        if tick.is_multiple_of(SNAPSHOT_TICKS) {
            self.line.push((tick + self.line_ticks, tick, rounded(own_state(self.entity()))));
        }
        while self.line.first().is_some_and(|(due, ..)| *due <= tick) {
            let (_, of, own) = self.line.remove(0);
            self.acknowledge(of, &own);
        }
    }

    fn predict(&mut self, controls: Controls) -> InputFrame {
        let Controls { movement, aim: aim_direction, sprint, jump } = controls;
        let frame = InputFrame {
            client_tick: 0,
            server_tick_ack: 0,
            sequence_id: 0,
            movement,
            aim_direction,
            sprint,
            fire: false,
            interact: false,
            jump,
        };
        let around = Surroundings { terrain: self.world.scene().terrain(), crates: &[], are_known: true };
        *self.prediction.step(&frame, &around).last().expect("the newest input")
    }

    /// Both are the same, to the last bit.
    fn assert_same(&self, when: &str) {
        let (entity, motion) = (self.entity(), self.prediction.now());
        let bits = |position: Vec3, velocity: Vec3| [position, velocity].map(|vector| vector.to_array().map(f32::to_bits));
        let server = (bits(entity.position, entity.velocity), entity.grounded);
        assert_eq!((bits(motion.position, motion.velocity), motion.grounded), server, "{when}: {motion:?}, and the server has {entity:?}");
    }

    fn play(&mut self, ticks: u32, controls: Controls) {
        for n in 0..ticks {
            self.tick(controls, true);
            self.assert_same(&format!("tick {n} of {controls:?}"));
        }
    }
}

/// What the server makes of the bytes that the client sends.
fn as_server_reads(frame: &InputFrame) -> Input {
    let bytes = v2::encode_client(&ClientMessage::Inputs(vec![*frame]));
    let Ok(ClientMessage::Inputs(frames)) = v2::decode_client(&bytes) else { panic!("our own inputs are read") };
    let InputFrame { sequence_id: sequence, movement, aim_direction, sprint, fire, jump, .. } = frames[0];
    let (movement, aim) = (Vec3::from_array(movement), Vec3::from_array(aim_direction));
    Input { sequence, movement, aim, sprint, fire, jump, seen_tick: 0 }
}

fn own_state(entity: &Entity) -> OwnState {
    let (position, velocity) = (entity.position.to_array(), entity.velocity.to_array());
    OwnState { sequence: entity.input_sequence, position, velocity, grounded: entity.grounded }
}

/// As it comes over the wire.
fn rounded(own: OwnState) -> OwnState {
    let round = |vector: [f32; 3]| vector.map(|axis| (axis * 1_024.0).round() / 1_024.0);
    OwnState { position: round(own.position), velocity: round(own.velocity), ..own }
}

/// A floor with columns on it, none of them near the spawn.
fn columns(height: impl Fn(i32, i32) -> i32) -> Terrain {
    let mut terrain = Terrain::floor();
    for chunk in [-1, 0].into_iter().flat_map(|x| [-1, 0].map(|z| ChunkId([x, 0, z]))) {
        let corner = chunk.corner_voxel();
        let filled = Chunk::filled(|place: IVec3| {
            let voxel = place + corner;
            let near = voxel.x.abs().max(voxel.z.abs()) < 3;
            u8::from(voxel.y == 0 || !near && voxel.y <= height(voxel.x, voxel.z))
        });
        terrain.insert(chunk, filled);
    }
    terrain
}

#[test]
fn a_walk_with_jumps_is_predicted_to_the_last_bit() {
    let mut pair = Pair::on(Terrain::floor(), 6);
    pair.play(90, STAND);
    pair.play(60, WALK);
    pair.play(45, Controls { jump: true, sprint: true, aim: [0.6, -0.2, 0.77], ..WALK });
    pair.play(60, Controls { movement: [0.7, 0.0, 0.3], aim: [-0.3, 0.4, 0.1], ..STAND });
    pair.play(30, STAND);
    assert_eq!(pair.prediction.corrections().count, 0);
    let pending = pair.prediction.pending();
    assert!((6..6 + SNAPSHOT_TICKS as usize).contains(&pending), "what is on its way is kept, and no more: {pending}");
}

#[test]
fn steps_walls_and_edges_are_predicted_to_the_last_bit() {
    let terrain = columns(|x, z| (x.rem_euclid(5) == 0) as i32 + (z.rem_euclid(7) == 0) as i32 * 2);
    let mut pair = Pair::on(terrain, 9);
    pair.play(80, STAND);
    for turn in 0..12 {
        let (sin, cos) = (turn as f32 * 0.55).sin_cos();
        pair.play(40, Controls { aim: [sin, 0.1, -cos], sprint: turn % 3 == 0, jump: turn % 4 == 1, ..WALK });
    }
    assert_eq!(pair.prediction.corrections().count, 0);
}

#[test]
fn an_input_that_the_server_missed_is_one_correction_and_known_to_be_late() {
    let mut pair = Pair::on(Terrain::floor(), 6);
    pair.play(90, STAND);
    pair.play(30, WALK);
    // The server goes on with what it has: the player walks a tick less than predicted.
    pair.tick(STAND, false);
    for _ in 0..60 {
        pair.tick(STAND, true);
    }
    let corrections = pair.prediction.corrections();
    assert_eq!((corrections.count, corrections.late), (1, 1), "{corrections:?}");
    pair.assert_same("what has happened is known, so the correction is exact");
    assert!(pair.prediction.seen(1.0).distance(pair.entity().position) < 0.01, "and the glide is over");
}

/// As the server tells its player of what it bears, and of its own digest.
fn tell_status(pair: &mut Pair) {
    let borne = pair.world.statuses_of(pair.player);
    let mut hindrance = Hindrance::default();
    for Borne { status, until } in borne {
        match status {
            Status::Slow { factor } => hindrance.slow = Some((factor, until)),
            Status::Root => hindrance.root = Some(until),
            _ => {}
        }
    }
    pair.prediction.bear(hindrance);
    let entity = pair.entity();
    let digest = Motion { position: entity.position, velocity: entity.velocity, grounded: entity.grounded }.digest();
    let sequence = entity.input_sequence;
    pair.prediction.compare(sequence, digest);
}

/// A player who bears this from the world's beginning.
fn bearing(status: Status, seconds: f32, line_ticks: u64) -> Pair {
    let mut world = World::on(7, Terrain::floor());
    let player = world.spawn_player("kim", Vec3::new(0.0, 1.9, 0.0), Vec3::NEG_Z);
    world.set_status(player, status, seconds);
    Pair::with(world, player, line_ticks)
}

#[test]
fn what_slows_and_roots_is_predicted_to_its_end() {
    for status in [Status::Slow { factor: 0.4 }, Status::Root] {
        let mut pair = bearing(status, 1.0, 6);
        tell_status(&mut pair);
        pair.play(40, WALK);
        let slowly = pair.entity().position.z;
        pair.play(60, WALK);
        assert!(slowly > -3.0 && pair.entity().position.z < -3.0, "{status:?}: {slowly}");
        assert_eq!(pair.prediction.corrections().count, 0, "{status:?}");
    }
}

#[test]
fn what_slows_unforeseen_is_corrected_until_it_is_told_and_not_at_its_end() {
    let mut pair = bearing(Status::Slow { factor: 0.25 }, 2.0, 6);
    (0..30).for_each(|_| pair.tick(WALK, true));
    let before = pair.prediction.corrections().count;
    assert!(before > 0, "nobody has told");
    tell_status(&mut pair);
    (0..12).for_each(|_| pair.tick(WALK, true));
    let told = pair.prediction.corrections().count;
    (0..120).for_each(|_| pair.tick(WALK, true));
    assert_eq!(pair.prediction.corrections().count, told);
    assert!(told <= before + 3, "only what was on its way: {told} after {before}");
}

#[test]
fn digests_are_the_same_where_the_bits_are() {
    let mut pair = Pair::on(Terrain::floor(), 0);
    assert_eq!(pair.prediction.agreement(), None);
    pair.play(60, WALK);
    tell_status(&mut pair);
    let same = pair.prediction.agreement().expect("it was compared");
    assert_eq!(same.server, same.here);
    let sequence = pair.entity().input_sequence;
    pair.prediction.compare(sequence + 50, 7);
    assert_eq!(pair.prediction.agreement(), Some(same), "an input to come says nothing");
    pair.prediction.compare(sequence, 7);
    assert_ne!(pair.prediction.agreement(), Some(same));
}

#[test]
fn a_correction_is_seen_as_a_glide() {
    let mut pair = Pair::on(Terrain::floor(), 6);
    pair.play(90, STAND);
    pair.play(20, WALK);
    let before = pair.prediction.seen(1.0);
    let pushed = OwnState { velocity: [4.0, 0.0, 0.0], ..own_state(pair.entity()) };
    let pushed = OwnState { position: [pushed.position[0] + 1.0, pushed.position[1], pushed.position[2]], ..pushed };
    pair.acknowledge(pair.world.tick(), &pushed);
    assert_eq!(pair.prediction.seen(1.0), before, "nothing jumps");
    assert!(pair.prediction.now().position.x > before.x + 0.9, "and the player is where the server says");
    let far = OwnState { position: [50.0, 1.9, 0.0], ..pushed };
    pair.acknowledge(pair.world.tick() + 3, &far);
    assert!(pair.prediction.seen(1.0).x > 49.0, "what is far away is no glide");
}

#[test]
fn what_is_sent_again_is_of_ticks_in_a_row() {
    let mut pair = Pair::on(Terrain::floor(), 6);
    let around = Surroundings { terrain: &Terrain::floor(), crates: &[], are_known: true };
    let frame = as_frame();
    let lengths: Vec<usize> = (0..6).map(|_| pair.prediction.step(&frame, &around).len()).collect();
    assert_eq!(lengths, [1, 2, 3, 4, 4, 4]);
    pair.prediction.skip(5);
    let after = pair.prediction.step(&frame, &around);
    assert_eq!((after.len(), after[0].client_tick, after[0].sequence_id), (1, 12, 7));
}

fn as_frame() -> InputFrame {
    InputFrame {
        client_tick: 0,
        server_tick_ack: 0,
        sequence_id: 0,
        movement: [0.0, 0.0, -1.0],
        aim_direction: [0.0, 0.0, -1.0],
        sprint: false,
        fire: false,
        interact: false,
        jump: false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever a player does, on whatever ground, at whatever distance: no correction, and the same bits.
    #[test]
    fn whatever_a_player_does_is_predicted_to_the_last_bit(
        heights in prop::collection::vec(0i32..4, 64),
        line_ticks in 0u64..30,
        script in prop::collection::vec((1u32..40, prop::array::uniform2(-1.0f32..1.0), prop::array::uniform3(-1.0f32..1.0), any::<bool>(), any::<bool>()), 1..12),
    ) {
        let mut pair = Pair::on(columns(|x, z| heights[(x.rem_euclid(8) * 8 + z.rem_euclid(8)) as usize]), line_ticks);
        for (ticks, [right, back], aim, sprint, jump) in script {
            pair.play(ticks, Controls { movement: [right, 0.0, back], aim, sprint, jump });
        }
        prop_assert_eq!(pair.prediction.corrections().count, 0);
    }
}
