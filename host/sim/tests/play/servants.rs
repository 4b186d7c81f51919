//! Summoned NPCs and what spells do to the terrain, as players and authors notice them.

use crate::check;
use expect_test::expect;

#[test]
fn a_summoned_guard_follows_and_goes_with_its_cast() {
    check(
        "player kim 0 1.9 0
         spell call r1 lasts 200
           cast: summon guard 3 1.9 0
         cast kim call
         run 1
         input kim 1 move 0 0 -1
         run 120
         input kim 2
         run 70
         show kim
         show guard
         run 20
         show guard",
        expect![[r#"
            0: call 1 cast
            0: activated call r1
            0: cast 1 of call r1 by kim started
            0: spawned Npc guard of kim at (3.00 1.90 0.00)
            191: kim at (0.00 1.90 -16.00) moves (0.00 0.00 0.00) health 100 grounded input 2
            191: guard at (0.50 1.90 -13.74) moves (0.00 0.00 -0.01) health 100 grounded
            200: call 1 cancel Duration
            200: instance of 1 given back
            200: despawned guard: spell
            200: cast 1 ended: Duration
            211: guard is gone
        "#]],
    );
}

#[test]
fn it_goes_stays_and_attacks_as_it_is_told_and_follows_again() {
    check(
        "player kim 0 1.9 0
         npc dummy 12 1.9 0
         health dummy 25
         spell call r1 lasts 900
           cast: summon guard 3 1.9 0; timer 1 10
           timer: command made0 go 0 1.9 10; log told
         spell set r1
           cast: command guard attack dummy
         spell stay r1
           cast: command guard stay
         spell bad r1
           cast: command guard attack kim; command dummy follow; command guard go NaN 0 0
         cast kim call
         run 140
         show guard
         cast kim bad
         run 3
         cast kim stay
         run 2
         cast kim set
         run 260
         show guard
         run 120
         show guard",
        expect![[r#"
            0: call 1 cast
            0: activated call r1
            0: activated set r1
            0: activated stay r1
            0: activated bad r1
            0: cast 1 of call r1 by kim started
            0: spawned Npc guard of kim at (3.00 1.90 0.00)
            10: call 1 timer 1
            10: cast 1 info: told
            140: guard at (0.50 1.90 9.96) moves (0.00 0.00 0.07) health 100 grounded
            140: call 2 cast
            140: cast 2 of bad r1 by kim started
            141: call 2 dropped #3
            141: call 2 dropped #2
            141: call 2 dropped #3
            141: instance of 2 given back
            141: cast 2 ended: Finished
            143: call 3 cast
            143: instance of 3 given back
            143: cast 3 of stay r1 by kim started
            143: cast 3 ended: Finished
            145: call 4 cast
            145: instance of 4 given back
            145: cast 4 of set r1 by kim started
            145: cast 4 ended: Finished
            372: dummy died
            372: despawned dummy: died
            405: guard at (8.30 1.90 0.51) moves (-6.47 0.00 -0.03) health 100 grounded
            525: guard at (2.13 1.90 0.50) moves (0.00 0.00 0.00) health 100 grounded
        "#]],
    );
}

#[test]
fn it_never_turns_on_its_summoner_or_their_side() {
    check(
        "player kim 0 1.9 -3
         player ada 2 1.9 -3
         player eve 0 1.9 -16
         team kim 1
         team ada 1
         spell call r1 lasts 900
           cast: summon guard 0 1.9 0
         spell set r1
           cast: command guard attack ada; command guard attack kim; command guard attack guard
         cast kim call
         run 2
         cast kim set
         run 200
         show kim
         show ada
         show eve",
        expect![[r#"
            0: call 1 cast
            0: activated call r1
            0: activated set r1
            0: cast 1 of call r1 by kim started
            0: spawned Npc guard of kim at (0.00 1.90 0.00)
            2: call 2 cast
            2: cast 2 of set r1 by kim started
            3: call 2 dropped #4
            3: call 2 dropped #4
            3: call 2 dropped #4
            3: instance of 2 given back
            3: cast 2 ended: Finished
            8: guard suspicion_changed eve: Suspicious 0.30
            29: guard spotted eve: Spotted 1.00
            202: kim at (0.00 1.90 -3.00) moves (0.00 0.00 0.00) health 100 grounded
            202: ada at (2.00 1.90 -3.00) moves (0.00 0.00 0.00) health 100 grounded
            202: eve at (0.00 1.90 -16.00) moves (0.00 0.00 0.00) health 100 grounded
        "#]],
    );
}

#[test]
fn a_summoned_npc_that_dies_stays_dead_and_its_cast_is_told() {
    check(
        "player kim 0 1.9 0
         spell call r1 lasts 900
           cast: summon critter 3 1.9 0; timer 1 5
           timer: damage critter 200
         cast kim call
         run 400
         live",
        expect![[r#"
            0: call 1 cast
            0: activated call r1
            0: cast 1 of call r1 by kim started
            0: spawned Npc critter of kim at (3.00 1.90 0.00)
            5: call 1 timer 1
            5: critter died
            5: despawned critter: died
            6: call 1 died #2
            400: 1 live casts
        "#]],
    );
}

#[test]
fn there_are_only_so_many_summoned_and_none_where_somebody_stands() {
    let nine = (0..9).map(|n| format!("summon critter {} 1.9 5", 2 * n)).collect::<Vec<_>>().join("; ");
    let scenario = format!(
        "player kim 0 1.9 0
         spell call r1 lasts 900
           cast: summon guard 0 1.9 0.2; summon guard 0 0.5 9; {nine}
         cast kim call
         run 2"
    );
    let played = crate::scenario::play(&scenario);
    assert_eq!(played.lines().filter(|line| line.contains("spawned Npc")).count(), 8, "{played}");
    assert_eq!(played.lines().filter(|line| line.contains("expired #")).count(), 3, "{played}");
}

#[test]
fn what_a_spell_has_dug_is_taken_back_by_its_revision() {
    check(
        "player kim 20 1.9 20
         spell dig r1
           cast: fill 20 1 24 20 3 24 2; dig 24.5 0.5 24.5 0.6
         cast kim dig
         run 1
         column 20 24
         column 24 24
         spell dig r2
           cast: fill 20 4 24 20 4 24 5
         run 40
         cast kim dig
         run 1
         column 20 24
         revert spell dig r1 0
         run 1
         column 20 24
         column 24 24",
        expect![[r#"
            0: call 1 cast
            0: instance of 1 given back
            0: activated dig r1
            0: cast 1 of dig r1 by kim started
            0: terraform 0 by kim applied: (0 0 0) v2
            0: terraform 0 by kim applied: (0 0 0) v3
            0: cast 1 ended: Finished
            1: column 20 24 is [0, 0, 1, 2, 2, 2]
            1: column 24 24 is [0]
            1: activated dig r2
            41: call 2 cast
            41: instance of 2 given back
            41: cast 2 of dig r2 by kim started
            41: terraform 0 by kim applied: (0 0 0) v4
            41: cast 2 ended: Finished
            42: column 20 24 is [0, 0, 1, 2, 2, 2, 5]
            42: terraforms reverted: (0 0 0) v5
            43: column 20 24 is [0, 0, 1, 0, 0, 0, 5]
            43: column 24 24 is [0, 0, 1]
        "#]],
    );
}

#[test]
fn a_spells_edits_are_bounded_protected_and_refused_aloud() {
    check(
        "player kim 20 1.9 20
         spell dig r1
           cast: dig 2 1 2 1; dig 30 0 30 9; dig 30 0 30 5; fill 20 1 20 20 2 20 3; dig 30 0 30 17; dig NaN 0 30 2
         cast kim dig
         run 2
         column 20 20",
        expect![[r#"
            0: call 1 cast
            0: activated dig r1
            0: cast 1 of dig r1 by kim started
            0: cast 1 warn: terraform refused: protected, allowed 4.00, asked 1.83
            0: terraform 0 by kim applied: (0 0 0) v2, (0 0 1) v2, (1 0 0) v2, (1 0 1) v2
            0: terraform 0 by kim applied: no chunk
            0: cast 1 warn: terraform refused: voxels_per_tick, allowed 2.00, asked 512.00
            0: cast 1 warn: terraform refused: radius_m, allowed 16.00, asked 17.00
            1: call 1 dropped #0
            1: call 1 dropped #0
            1: call 1 dropped #0
            1: call 1 dropped #0
            1: instance of 1 given back
            1: cast 1 ended: Finished
            2: column 20 20 is [0, 0, 1]
        "#]],
    );
}

#[test]
fn numbers_that_are_none_stop_at_the_door() {
    check(
        "player kim 0 1.9 0
         npc dummy 0 1.9 -5
         prop crate 5 1.5 0
         spell bad r1
           cast: damage dummy NaN; heal dummy inf; push crate NaN 0 0; teleport dummy 0 inf 0; afflict dummy burn NaN 1; launch NaN; box NaN 4 0 1 1 1 10; join rope crate world 0 NaN 0 length 3; field 0 0 0 inf 1 0 1; debris 0 NaN 0 3 1 1; summon guard NaN 0 0
         cast kim bad
         run 2
         show dummy
         show crate",
        expect![[r#"
            0: call 1 cast
            0: activated bad r1
            0: cast 1 of bad r1 by kim started
            1: call 1 dropped #2
            1: call 1 dropped #2
            1: call 1 dropped #3
            1: call 1 dropped #2
            1: call 1 dropped #2
            1: call 1 expired #4
            1: call 1 expired #5
            1: call 1 expired #6
            1: call 1 expired #7
            1: call 1 expired #11
            1: instance of 1 given back
            1: cast 1 ended: Finished
            2: dummy at (0.00 1.90 -5.00) moves (0.00 0.00 0.00) health 100 grounded
            2: crate at (5.00 1.50 0.00) moves (0.00 0.00 0.00)
        "#]],
    );
}
