//! Random play: the world always fits together, and the same inputs give the same digests after every tick.

use crate::scripted::Scripted;
use proptest::prelude::*;
use sim::inbound::{CastRequest, Input, SpellSpec};
use sim::{Digest, EntityId, Inbound, Stage, Vec3, World, step};

/// What the scripts do: between them, every kind of intent and every end.
const SCRIPTS: [(&str, SpellSpec, &[&str]); 4] = [
    ("bolt", SpellSpec { duration_ticks: 0, tick_interval: 0 }, &["cast: launch 40 damage 30", "hit: damage hit 20; push hit 300 200 0"]),
    (
        "aura",
        SpellSpec { duration_ticks: 50, tick_interval: 7 },
        &["tick: heal caster 3; damage target 9; launch 5 seconds 0.3", "cancel: cue end"],
    ),
    (
        "gust",
        SpellSpec { duration_ticks: 20, tick_interval: 1 },
        &["cast: timer 1 9", "tick: push crate 90 60 -90; push dummy 0 90 400; spend 60000", "timer: finish"],
    ),
    ("bad", SpellSpec { duration_ticks: 30, tick_interval: 11 }, &["cast: launch 3; launch 60 damage 1000", "tick: fault"]),
];

/// What happens in one tick, before it is known who is who.
#[derive(Debug, Clone)]
enum Move {
    Join,
    Leave(u64),
    Input(u64, Input),
    Cast(u64, usize, u64),
    Activate(usize, bool),
}

fn arbitrary_vector() -> impl Strategy<Value = Vec3> {
    let axis = prop_oneof![9 => -1.0f32..1.0, 1 => prop::sample::select(vec![0.0, -1.0, f32::NAN, f32::INFINITY, 1e30])];
    prop::array::uniform3(axis).prop_map(Vec3::from_array)
}

fn arbitrary_move() -> impl Strategy<Value = Move> {
    let input = (any::<u32>(), arbitrary_vector(), arbitrary_vector(), any::<[bool; 3]>())
        .prop_map(|(sequence, movement, aim, [sprint, fire, jump])| Input { sequence, movement, aim, sprint, fire, jump });
    prop_oneof![
        2 => Just(Move::Join),
        1 => (0u64..12).prop_map(Move::Leave),
        6 => (0u64..12, input).prop_map(|(who, input)| Move::Input(who, input)),
        8 => (0u64..12, 0..SCRIPTS.len(), 0u64..40).prop_map(|(who, what, target)| Move::Cast(who, what, target)),
        1 => (0..SCRIPTS.len(), any::<bool>()).prop_map(|(what, newer)| Move::Activate(what, newer)),
    ]
}

fn inbound(what: &Move) -> Inbound {
    match *what {
        Move::Join => Inbound::Join { token: 1, username: "kim".into() },
        Move::Leave(who) => Inbound::Leave { player: EntityId(who) },
        Move::Input(who, input) => Inbound::Input { player: EntityId(who), input },
        Move::Cast(who, what, target) => Inbound::Cast(CastRequest {
            caster: EntityId(who),
            spell: SCRIPTS[what].0.into(),
            revision: String::new(),
            target_position: Vec3::ZERO,
            target: EntityId(target),
            params: "{}".into(),
        }),
        Move::Activate(what, newer) => {
            let (spell, spec, _) = SCRIPTS[what];
            Inbound::Activate { spell: spell.into(), revision: if newer { "r2".into() } else { "r1".into() }, spec }
        }
    }
}

fn play(seed: u64, moves: &[Vec<Move>]) -> Vec<Digest> {
    // Two casts of gust fill a tick: others wait.
    let mut spells = Scripted::default();
    spells.tick_fuel = Some(100_000);
    for (spell, _, lines) in SCRIPTS {
        for (revision, line) in ["r1", "r2"].into_iter().flat_map(|revision| lines.iter().map(move |line| (revision, line))) {
            spells.teach(spell, revision, line);
        }
    }
    let mut world = World::new(seed);
    let activations: Vec<Inbound> = (0..SCRIPTS.len()).map(|what| inbound(&Move::Activate(what, false))).collect();
    step(&mut world, &activations, &mut spells, &mut |_| ());
    let mut digests = Vec::new();
    for moves in moves {
        let inbound: Vec<Inbound> = moves.iter().map(inbound).collect();
        let mut stages = Vec::new();
        step(&mut world, &inbound, &mut spells, &mut |stage| stages.push(stage));
        assert_eq!(stages, Stage::ALL);
        world.check_invariants();
        digests.push(world.digest());
    }
    digests
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn random_play_keeps_the_invariants_and_repeats_exactly(
        seed in any::<u64>(),
        moves in prop::collection::vec(prop::collection::vec(arbitrary_move(), 0..4), 1..150),
    ) {
        let (first, second) = (play(seed, &moves), play(seed, &moves));
        for (tick, (first, second)) in first.iter().zip(&second).enumerate() {
            prop_assert_eq!(first, second, "tick {}", tick);
        }
    }
}

#[test]
fn worlds_of_two_seeds_differ_in_their_streams_alone() {
    let (one, other) = (World::new(1).digest(), World::new(2).digest());
    let different: Vec<&str> = one.parts().iter().zip(other.parts()).filter(|(a, b)| a.1 != b.1).map(|(a, _)| a.0).collect();
    assert_eq!(different, ["streams"]);
    assert_ne!(one.whole(), other.whole());
}

#[test]
fn a_world_may_move_between_threads() {
    fn sendable<T: Send>() {}
    sendable::<World>();
}
