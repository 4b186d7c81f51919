//! Random play: the world always fits together, and the same inputs give the same digests after every tick.

use crate::scripted::Scripted;
use proptest::prelude::*;
use sim::inbound::{CastRequest, Input, School, Schools, SpellSpec};
use sim::status::Status;
use sim::team::{Policy, Team};
use sim::voxel::{CHUNK_EDGE, Chunk, Terrain};
use sim::{Digest, EntityId, IVec3, Inbound, NoSpells, Spawner, Stage, Temper, Vec3, World, step};

/// What the scripts do: between them, every kind of intent and every end.
const SCRIPTS: [(&str, SpellSpec, &[&str]); 10] = [
    ("bolt", SpellSpec::free(0, 0), &["cast: launch 40 damage 30", "hit: damage hit 20; push hit 300 200 0"]),
    ("aura", SpellSpec::free(50, 7), &["tick: heal caster 3; damage target 9; launch 5 seconds 0.3", "cancel: cue end"]),
    ("gust", SpellSpec::free(20, 1), &["cast: timer 1 9", "tick: push crate 90 60 -90; push dummy 0 90 400; spend 60000", "timer: finish"]),
    (
        "mason",
        SpellSpec::free(60, 6),
        &[
            "cast: box 2 4 2 0.5 0.3 0.8 40; ball 3 6 2 0.4 9 5 0 0; join ball made0 made1 2.5 5 2; \
             join rope crate world 4 6 -7 length 3 breaks 4000; join hinge made0 world 2 5 2 axis 1 0 0 breaks 500",
            "tick: ball 1 9 1 0.3 200 0 -60 0; debris 2 3 2 5 15 0.4; push made1 30 90 0",
        ],
    ),
    (
        "storm",
        SpellSpec::free(45, 15),
        &[
            "cast: field 0 2 0 12 80 0.5 0.5; field 2 2 -7 9 -90 0 0.4",
            "tick: field 0 1 4 16 100 1 0.2; box 0 12 4 1 1 1 1000 0 -90 0; box 0 NaN 4 1 1 1 9",
        ],
    ),
    (
        "horde",
        SpellSpec::free(50, 10),
        &[
            "cast: summon guard 3 1.9 3; summon critter -3 1.9 3; summon dummy 5 1.9 5",
            "tick: command made0 attack target; command made1 go 9 1.9 9; damage made1 40",
        ],
    ),
    (
        "dig",
        SpellSpec::free(30, 3),
        &["cast: dig 8 1 0 2.5; fill 6 1 6 9 3 9 2", "tick: dig 9 2 3 1.5; fill 7 1 -3 7 4 -3 5; dig NaN 0 0 1"],
    ),
    (
        "sage",
        SpellSpec { cast_mana: 20.0, persistent: true, event_interval: 4, school: School::Mind, ..SpellSpec::free(90, 8) },
        &[
            "tick: send mine sage hark; send maker crate hm; keep own count 1; keep shared last x; upkeep 9",
            "message: say heard; keep shared last",
        ],
    ),
    (
        "ban",
        SpellSpec { counters: Schools(1 << School::Mind as u8), ..SpellSpec::free(20, 3) },
        &["tick: dispel target; dispel caster; upkeep 1", "dropped: fault"],
    ),
    ("bad", SpellSpec::free(30, 11), &["cast: launch 3; launch 60 damage 1000", "tick: fault"]),
];

/// What happens in one tick, before it is known who is who.
#[derive(Debug, Clone)]
pub enum Move {
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

pub fn arbitrary_move() -> impl Strategy<Value = Move> {
    let seen = prop_oneof![8 => 0u64..200, 1 => any::<u64>()];
    let input = (any::<u32>(), arbitrary_vector(), arbitrary_vector(), any::<[bool; 3]>(), seen).prop_map(
        |(sequence, movement, aim, [sprint, fire, jump], seen_tick)| Input { sequence, movement, aim, sprint, fire, jump, seen_tick },
    );
    prop_oneof![
        2 => Just(Move::Join),
        1 => (0u64..12).prop_map(Move::Leave),
        6 => (0u64..12, input).prop_map(|(who, input)| Move::Input(who, input)),
        8 => (0u64..12, 0..SCRIPTS.len(), 0u64..40).prop_map(|(who, what, target)| Move::Cast(who, what, target)),
        1 => (0..SCRIPTS.len(), any::<bool>()).prop_map(|(what, newer)| Move::Activate(what, newer)),
    ]
}

pub fn inbound(what: &Move) -> Inbound {
    match *what {
        Move::Join => Inbound::Join { token: 1, account: String::new(), username: "kim".into() },
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
            Inbound::activate(spell, if newer { "r2" } else { "r1" }, spec)
        }
    }
}

/// Who runs the scripts.
pub fn scripts() -> Scripted {
    // Two casts of gust fill a tick: others wait.
    let mut spells = Scripted::default();
    spells.tick_fuel = Some(100_000);
    for (spell, _, lines) in SCRIPTS {
        for (revision, line) in ["r1", "r2"].into_iter().flat_map(|revision| lines.iter().map(move |line| (revision, line))) {
            spells.teach(spell, revision, line);
        }
    }
    spells
}

/// Activates them all.
pub fn set_up() -> Vec<Inbound> {
    (0..SCRIPTS.len()).map(|what| inbound(&Move::Activate(what, false))).collect()
}

fn play(seed: u64, moves: &[Vec<Move>]) -> Vec<Digest> {
    let mut spells = scripts();
    let mut world = World::new(seed);
    step(&mut world, &set_up(), &mut spells, &mut |_| ());
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

/// A world with blocks to climb and hide behind, NPCs of every temper, teams and statuses.
pub fn lively(seed: u64, blocks: &[[i32; 3]], npcs: &[(u8, [f32; 2])], spare: bool) -> World {
    let mut terrain = Terrain::floor();
    for id in terrain.chunks().map(|(id, _)| id).collect::<Vec<_>>() {
        let corner = IVec3::from_array(id.0) * CHUNK_EDGE;
        let within = |voxel: IVec3| blocks.iter().any(|[x, z, height]| voxel.x == *x && voxel.z == *z && voxel.y <= *height);
        terrain.insert(id, Chunk::filled(|place| u8::from(place.y == 0 || within(corner + place))));
    }
    let mut world = World::on(seed, terrain);
    world.set_policy(Policy { friendly_fire: !spare, ..Policy::default() });
    for (temper, [x, z]) in npcs {
        let temper_of = [Temper::Dummy, Temper::Guard, Temper::Critter][usize::from(temper % 3)];
        let id = world.spawn_npc_of(temper_of, "npc", Vec3::new(*x, 6.9, *z), Vec3::new(-x, 0.0, -z));
        world.set_team(id, Team(temper % 4));
        world.set_status(id, Status::Slow { factor: 0.5 }, f32::from(*temper) / 100.0);
        world.set_status(id, Status::Burn { per_second: f32::from(*temper) }, f32::from(*temper) / 50.0);
    }
    world.add_spawner(&Spawner {
        name: "hare".into(),
        temper: Temper::Critter,
        position: Vec3::Y * 2.0,
        count: 3,
        respawn_ticks: 9,
        team: None,
    });
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn npcs_of_all_tempers_keep_the_invariants_and_repeat_exactly(
        seed in any::<u64>(),
        blocks in prop::collection::vec((-12i32..12, -12i32..12, 1i32..5).prop_map(|(x, z, height)| [x, z, height]), 0..60),
        npcs in prop::collection::vec((any::<u8>(), prop::array::uniform2(-12.0f32..12.0)), 1..12),
        spare in any::<bool>(),
        moves in prop::collection::vec(prop::collection::vec(arbitrary_move(), 0..3), 1..120),
    ) {
        let live = || {
            let mut world = lively(seed, &blocks, &npcs, spare);
            let mut digests = Vec::new();
            for moves in std::iter::once(&vec![Move::Join, Move::Join]).chain(&moves).chain(std::iter::repeat_n(&Vec::new(), 60)) {
                let inbound: Vec<Inbound> = moves.iter().map(inbound).collect();
                step(&mut world, &inbound, &mut NoSpells, &mut |_| ());
                world.check_invariants();
                digests.push(world.digest());
            }
            digests
        };
        let (first, second) = (live(), live());
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
