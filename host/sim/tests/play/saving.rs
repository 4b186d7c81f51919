//! What is saved, and what goes on from it.

use crate::check;
use crate::properties::{Move, arbitrary_move, inbound, lively, scripts, set_up};
use crate::scripted::Scripted;
use expect_test::expect;
use proptest::prelude::*;
use sim::{Checkpoint, Digest, Inbound, Outbound, Stored, Thoroughness, World, step};

#[test]
fn players_come_back_where_they_left() {
    check(
        "join kim
         run 60
         input kim 1 move 0 0 -1 aim 1 0 0
         run 30
         show kim
         leave kim
         run 1
         join kim
         run 1
         show kim",
        expect![[r#"
            0: joined as #1
            0: spawned Player kim at (0.00 10.00 0.00)
            90: kim at (3.34 1.90 0.00) moves (7.97 0.00 0.00) health 100 grounded input 1
            90: despawned kim: left
            91: joined as #2
            91: spawned Player kim at (3.34 1.90 0.00)
            92: kim at (3.34 1.90 0.00) moves (0.00 0.00 0.00) health 100 grounded
        "#]],
    );
}

#[test]
fn who_is_in_the_world_already_takes_its_entity_over() {
    check(
        "join kim
         run 60
         join kim
         run 1
         show kim",
        expect![[r#"
            0: joined as #1
            0: spawned Player kim at (0.00 10.00 0.00)
            60: joined as #1
            61: kim at (0.00 1.90 0.00) moves (0.00 0.00 0.00) health 100 grounded
        "#]],
    );
}

#[test]
fn nobody_comes_back_into_what_was_built_there_meanwhile() {
    check(
        "join kim
         run 60
         input kim 1 move 0 0 -1 aim 1 0 0 sprint
         run 60
         join ann
         run 1
         leave kim
         run 1
         terraform ann 1 add 14 3 0 3 2
         run 1
         join kim
         run 1",
        expect![[r#"
            0: joined as #1
            0: spawned Player kim at (0.00 10.00 0.00)
            120: joined as #2
            120: spawned Player ann at (0.00 10.00 0.00)
            121: despawned kim: left
            122: terraform 1 by ann applied: (0 0 -1) v2, (0 0 0) v2
            123: joined as #3
            123: spawned Player kim at (0.00 10.00 0.00)
        "#]],
    );
}

#[test]
fn a_cast_goes_on_after_a_load() {
    check(
        "player kim 0 1.9 0
         npc dummy 0 1.9 -20
         spell bolt r1 lasts 120
           cast: launch 10 damage 30 seconds 5; timer 7 50
           hit: log it hit; push hit 0 100 0
           timer: log seven
         run 1
         cast kim bolt
         run 20
         checkpoint
         run 1
         load
         run 45
         run 60",
        expect![[r#"
            0: activated bolt r1
            1: call 1 cast
            1: cast 1 of bolt r1 by kim started
            1: spawned Projectile #3 of kim at (0.00 2.60 0.00)
            22: loaded, nothing dropped
            51: call 1 timer 7
            51: cast 1 info: seven
            117: #3 hit dummy at (0.00 2.53 -19.62) normal (0.00 0.33 0.94) damage 30
            117: despawned #3: hit
            118: call 1 hit #3 on #2
            118: cast 1 info: it hit
            121: call 1 cancel Duration
            121: instance of 1 given back
            121: cast 1 ended: Duration
        "#]],
    );
}

#[test]
fn a_cast_that_cannot_be_saved_ends_and_its_author_reads_why() {
    check(
        "player kim 0 1.9 0
         spell bad r1 lasts 120
           cast: launch 1
           save: fault
         run 1
         cast kim bad
         run 2
         checkpoint
         run 1
         live",
        expect![[r#"
            0: activated bad r1
            1: call 1 cast
            1: cast 1 of bad r1 by kim started
            1: spawned Projectile #2 of kim at (0.00 2.60 0.00)
            3: instance of 1 given back
            3: cast 1 faulted in save: fuel
            3: despawned #2: spell
            3: cast 1 ended: Fault
            4: 0 live casts
        "#]],
    );
}

#[test]
fn a_world_goes_on_where_the_last_checkpoint_was() {
    check(
        "world new
         spell aura r1 lasts 600 every 30
           tick: heal caster 1
         join kim
         run 30
         cast kim aura
         terraform kim 1 subtract 9 0 0 2
         checkpoint
         run 1
         run 60
         live
         terraform kim 2 add 9 3 0 2 2
         run 1
         column 9 0
         load
         column 9 0
         live
         revert kim 0
         run 1
         column 9 0",
        expect![[r#"
            0: activated aura r1
            0: joined as #6
            0: spawned Player kim at (0.00 10.00 0.00)
            30: call 1 cast
            30: cast 1 of aura r1 by kim started
            30: terraform 1 by kim applied: (0 0 -1) v2, (0 0 0) v2
            60: call 1 tick 0.500
            90: call 1 tick 0.500
            91: 1 live casts
            91: terraform 2 by kim applied: (0 0 -1) v3, (0 0 0) v3
            92: column 9 0 is [0, 0, 0, 2, 2, 2, 2]
            31: loaded, nothing dropped
            31: column 9 0 is [0]
            31: 1 live casts
            31: terraforms reverted: (0 0 -1) v3, (0 0 0) v3
            32: column 9 0 is [0, 0, 1]
        "#]],
    );
}

/// A busy world with every kind of cast in it, and who runs them.
fn busy(seed: u64, moves: &[Vec<Move>]) -> (World, Scripted) {
    let mut spells = scripts();
    let mut world = lively(seed, &[[3, 3, 2], [3, 4, 3], [-5, 2, 1]], &[(1, [4.0, 4.0]), (2, [-6.0, 3.0]), (4, [0.0, 8.0])], false);
    for (name, x) in [("crate", 2.0), ("crate", 2.3), ("crate", -3.0)] {
        world.spawn_prop(name, sim::Vec3::new(x, 1.6 + x.abs(), -7.0));
    }
    step(&mut world, &set_up(), &mut spells, &mut |_| ());
    go_on(&mut world, &mut spells, moves);
    (world, spells)
}

fn go_on(world: &mut World, spells: &mut Scripted, moves: &[Vec<Move>]) -> Vec<(Digest, Vec<Outbound>)> {
    let mut told = Vec::new();
    for moves in moves {
        let inbound: Vec<Inbound> = moves.iter().map(inbound).collect();
        let outbound = step(world, &inbound, spells, &mut |_| ());
        world.check_invariants();
        told.push((world.digest(), outbound));
    }
    told
}

fn checkpoint(world: &mut World, spells: &mut Scripted) -> Checkpoint {
    step(world, &[Inbound::Checkpoint(Thoroughness::InPassing)], spells, &mut |_| ());
    world.check_invariants();
    world.take_checkpoint().expect("one was asked for")
}

fn arbitrary_moves() -> impl Strategy<Value = Vec<Vec<Move>>> {
    prop::collection::vec(prop::collection::vec(arbitrary_move(), 0..4), 1..90)
}

/// The world of these bytes, and who runs its spells.
fn load(stored: Stored, spells: &Scripted) -> (World, Scripted) {
    let bytes = postcard::to_stdvec(&stored.saved).expect("bytes");
    let saved = postcard::from_bytes(&bytes).expect("what was written");
    assert_eq!(saved, stored.saved);
    let mut spells = spells.anew();
    let (world, dropped) = World::load(Stored { saved, ..stored }, &mut spells).expect("a world of ours");
    assert_eq!(dropped, [], "every cast goes on");
    (world, spells)
}

fn agree(one: Vec<(Digest, Vec<Outbound>)>, other: Vec<(Digest, Vec<Outbound>)>) -> Result<(), TestCaseError> {
    for (tick, (one, other)) in one.into_iter().zip(other).enumerate() {
        prop_assert_eq!(one, other, "tick {}", tick);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Save, load, go on = the world that went through the checkpoint; here twice, the second save being that of a loaded world.
    #[test]
    fn a_loaded_world_goes_on_as_the_saved_one(seed in any::<u64>(), before in arbitrary_moves(), between in arbitrary_moves(), after in arbitrary_moves()) {
        let (mut live, mut spells) = busy(seed, &before);
        let stored = checkpoint(&mut live, &mut spells).over(None);
        let (mut loaded, mut of_loaded) = load(stored.clone(), &spells);
        prop_assert_eq!(loaded.digest(), live.digest());
        agree(go_on(&mut live, &mut spells, &between), go_on(&mut loaded, &mut of_loaded, &between))?;
        let (of_live, second) = (checkpoint(&mut live, &mut spells), checkpoint(&mut loaded, &mut of_loaded));
        prop_assert_eq!(&of_live, &second);
        let (mut again, mut of_again) = load(second.over(Some(stored)), &spells);
        agree(go_on(&mut live, &mut spells, &after), go_on(&mut again, &mut of_again, &after))?;
    }

    /// Damaged bytes are refused, or are a world that plays.
    #[test]
    fn no_bytes_break_a_load(seed in any::<u64>(), before in arbitrary_moves(), after in arbitrary_moves(), flips in prop::collection::vec((any::<prop::sample::Index>(), 0u8..8), 1..4)) {
        let (mut live, mut spells) = busy(seed, &before);
        let stored = checkpoint(&mut live, &mut spells).over(None);
        let mut bytes = postcard::to_stdvec(&stored.saved).expect("bytes");
        for (at, bit) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        let Ok(saved) = postcard::from_bytes(&bytes) else { return Ok(()) };
        let mut others = spells.anew();
        if let Ok((mut world, _)) = World::load(Stored { saved, ..stored }, &mut others) {
            world.check_invariants();
            go_on(&mut world, &mut others, &after);
        }
    }
}
