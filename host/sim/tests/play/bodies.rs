//! Bodies, joints, force fields and debris, as players and authors notice them.

use crate::check;
use expect_test::expect;

#[test]
fn a_spells_bodies_fall_and_go_with_their_cast() {
    check(
        "player kim 0 1.9 0
         spell wall r1 lasts 90
           cast: box 5 4 0 1.5 0.5 0.25 200; ball 8 4 0 1 20; ball 8 4 6 0.5 20 10 0 0
         cast kim wall
         run 80
         show @2
         show @3
         show @4
         run 20
         show @2
         live",
        expect![[r#"
            0: call 1 cast
            0: activated wall r1
            0: cast 1 of wall r1 by kim started
            0: spawned Prop body of kim at (5.00 4.00 0.00)
            0: spawned Prop body of kim at (8.00 4.00 0.00)
            0: spawned Prop body of kim at (8.00 4.00 6.00)
            80: @2 at (5.00 1.50 0.00) moves (0.00 0.00 0.00)
            80: @3 at (8.00 2.00 0.00) moves (0.00 0.00 0.00)
            80: @4 at (18.15 1.49 6.00) moves (5.79 -0.21 0.00)
            90: call 1 cancel Duration
            90: instance of 1 given back
            90: despawned body: spell
            90: despawned body: spell
            90: despawned body: spell
            90: cast 1 ended: Duration
            100: @2 is gone
            100: 0 live casts
        "#]],
    );
}

#[test]
fn bodies_out_of_range_or_in_the_way_are_refused_and_told() {
    check(
        "player kim 0 1.9 0
         spell bad r1
           cast: box 5 4 0 1.5 1.5 1.5 200; box 5 4 0 0.05 1 1 10; ball 5 4 0 0.5 0.1; ball 5 4 0 0.5 5000; ball 5 4 0 0.5 10 200 0 0; ball 5 4 0 NaN 10; ball 0 2 0 0.5 10; ball 5 0.5 0 0.5 10
         cast kim bad
         run 3",
        expect![[r#"
            0: call 1 cast
            0: activated bad r1
            0: cast 1 of bad r1 by kim started
            1: call 1 expired #2
            1: call 1 expired #3
            1: call 1 expired #4
            1: call 1 expired #5
            1: call 1 expired #6
            1: call 1 expired #7
            1: call 1 expired #8
            1: call 1 expired #9
            1: instance of 1 given back
            1: cast 1 ended: Finished
        "#]],
    );
}

#[test]
fn bodies_count_to_their_casters_share_of_the_world() {
    let nine = ["ball 5 4 0 0.2 10"; 9].join("; ");
    let scenario = format!(
        "player kim 0 1.9 0
         spell bomb r1 lasts 600 every 1
           cast: {nine}
           tick: {nine}
         cast kim bomb
         run 12"
    );
    let played = crate::scenario::play(&scenario);
    assert_eq!(played.lines().filter(|line| line.contains("spawned Prop")).count(), 64, "{played}");
    assert!(played.contains("expired #"), "the cast hears of it: {played}");
}

#[test]
fn a_body_that_falls_out_of_the_world_is_told() {
    check(
        "player kim 0 1.9 0
         spell drop r1
           cast: ball 200 -60 0 0.5 10
         cast kim drop
         run 60",
        expect![[r#"
            0: call 1 cast
            0: activated drop r1
            0: cast 1 of drop r1 by kim started
            0: spawned Prop body of kim at (200.00 -60.00 0.00)
            33: despawned body: lost
            34: call 1 expired #2
            34: instance of 1 given back
            34: cast 1 ended: Finished
        "#]],
    );
}

#[test]
fn a_projectile_meets_a_body_where_it_is() {
    check(
        "player kim 0 1.9 0
         spell wall r1 lasts 90
           cast: box 0 2 -5 1.5 1 0.25 500; ball 4 2 -5 1 500
         cast kim wall
         run 5
         input kim 1 fire
         run 1
         input kim 2 aim 4 0 -5
         run 12
         input kim 3 fire aim 4 -0.6 -5
         run 1
         input kim 4
         run 10",
        expect![[r#"
            0: call 1 cast
            0: activated wall r1
            0: cast 1 of wall r1 by kim started
            0: spawned Prop body of kim at (0.00 2.00 -5.00)
            0: spawned Prop body of kim at (4.00 2.00 -5.00)
            5: spawned Projectile #4 of kim at (0.00 2.60 0.00)
            10: #4 hit body at (0.00 2.60 -4.75) normal (0.00 0.00 1.00) damage 0
            10: despawned #4: hit
            18: spawned Projectile #5 of kim at (0.00 2.60 0.00)
            24: #5 hit body at (3.38 2.09 -4.22) normal (-0.62 0.09 0.78) damage 0
            24: despawned #5: hit
        "#]],
    );
}

#[test]
fn debris_flies_is_in_nobodys_way_and_is_gone_in_time() {
    check(
        "player kim 0 1.9 0
         spell blast r1
           cast: debris 3 1.5 0 3 8 0.5
         cast kim blast
         run 2
         live
         input kim 1 move 1 0 0
         run 28
         show kim
         show @2
         run 5",
        expect![[r#"
            0: call 1 cast
            0: instance of 1 given back
            0: activated blast r1
            0: cast 1 of blast r1 by kim started
            0: spawned Prop debris of kim at (3.17 1.69 0.31)
            0: spawned Prop debris of kim at (2.75 1.81 0.01)
            0: spawned Prop debris of kim at (2.82 1.58 0.35)
            0: cast 1 ended: Finished
            2: 0 live casts
            30: kim at (3.07 1.90 0.00) moves (7.95 0.00 0.00) health 100 grounded input 1
            30: @2 at (4.35 1.24 2.47) moves (0.99 -0.25 2.36)
            30: despawned debris: expired
            30: despawned debris: expired
            30: despawned debris: expired
        "#]],
    );
}

#[test]
fn there_is_only_so_much_debris() {
    let scenario = "player kim 0 1.9 0
         spell blast r1 lasts 60 every 1
           tick: debris 3 1.5 0 16 8 5
         cast kim blast
         run 10";
    let played = crate::scenario::play(scenario);
    assert_eq!(played.lines().filter(|line| line.contains("spawned Prop")).count(), 48, "{played}");
}

#[test]
fn a_crate_hangs_on_a_rope_until_its_cast_ends() {
    check(
        "player kim 0 1.9 0
         prop crate 5 8 0
         spell hang r1 lasts 200
           cast: join rope crate world 5 12 0 length 5
         cast kim hang
         run 190
         show crate
         run 100
         show crate",
        expect![[r#"
            0: call 1 cast
            0: activated hang r1
            0: cast 1 of hang r1 by kim started
            190: crate at (5.00 7.00 0.00) moves (0.00 0.00 0.00)
            200: call 1 cancel Duration
            200: instance of 1 given back
            200: cast 1 ended: Duration
            290: crate at (5.00 1.50 0.00) moves (0.00 0.00 0.00)
        "#]],
    );
}

#[test]
fn a_rope_that_is_too_weak_breaks_and_its_cast_is_told() {
    check(
        "player kim 0 1.9 0
         prop light 5 8 0
         prop heavy 9 8 0
         spell hang r1 lasts 200
           cast: join rope light world 5 12 0 length 4 breaks 1400; join rope heavy world 9 12 0 length 4 breaks 1100
         cast kim hang
         run 120
         show light
         show heavy",
        expect![[r#"
            0: call 1 cast
            0: activated hang r1
            0: cast 1 of hang r1 by kim started
            1: call 1 expired #5
            120: light at (5.00 8.00 0.00) moves (0.00 0.00 0.00)
            120: heavy at (9.00 1.50 0.00) moves (0.00 0.00 0.00)
        "#]],
    );
}

#[test]
fn joined_bodies_hold_together_and_a_hinge_turns() {
    check(
        "player kim 0 1.9 0
         spell build r1 lasts 400
           cast: box 6 6 0 0.5 0.1 0.1 10; box 7 6 0 0.5 0.1 0.1 10; join fixed made0 made1 6.5 6 0; join hinge made0 world 5.5 6 0 axis 0 0 1; ball 12 6 0 0.3 10; ball 14 6 0 0.3 10; join ball made4 world 12 7 0; join ball made4 made5 13 6 0
         cast kim build
         run 30
         show @2
         show @3
         run 330
         show @2
         show @3
         show @6
         show @7",
        expect![[r#"
            0: call 1 cast
            0: activated build r1
            0: cast 1 of build r1 by kim started
            0: spawned Prop body of kim at (6.00 6.00 0.00)
            0: spawned Prop body of kim at (7.00 6.00 0.00)
            0: spawned Prop body of kim at (12.00 6.00 0.00)
            0: spawned Prop body of kim at (14.00 6.00 0.00)
            30: @2 at (5.30 5.54 0.00) moves (-2.67 1.12 0.00)
            30: @3 at (4.88 4.63 0.00) moves (-7.98 3.44 0.00)
            360: @2 at (5.00 5.94 0.00) moves (0.05 -0.38 0.00)
            360: @3 at (4.01 5.82 0.00) moves (0.14 -1.14 0.00)
            360: @6 at (11.95 6.00 0.00) moves (-2.95 0.11 0.00)
            360: @7 at (13.19 4.97 0.00) moves (-3.53 -3.00 0.00)
        "#]],
    );
}

#[test]
fn a_joint_goes_with_a_body_and_strangers_bodies_are_not_joined() {
    check(
        "player kim 0 1.9 0
         player ada 20 1.9 0
         npc dummy 0 1.9 8
         spell build r1 lasts 60
           cast: ball 5 4 0 0.3 10; ball 6 4 0 0.3 10; join ball made0 made1 5.5 4 0; timer 1 5
           timer: despawn made0
         spell steal r1 lasts 60
           cast: join ball body world 5 4 0; join ball dummy world 0 1.9 8; join rope nobody world 0 4 0 length 2; join fixed body body 0 0 0
         spell cut r1 lasts 60
           cast: ball 5 4 9 0.3 10; join ball made0 world 5 5 9
         cast kim build
         run 2
         cast ada steal
         run 2
         cast kim cut
         run 8",
        expect![[r#"
            0: call 1 cast
            0: activated build r1
            0: activated steal r1
            0: activated cut r1
            0: cast 1 of build r1 by kim started
            0: spawned Prop body of kim at (5.00 4.00 0.00)
            0: spawned Prop body of kim at (6.00 4.00 0.00)
            2: call 2 cast
            2: cast 2 of steal r1 by ada started
            3: call 2 expired #7
            3: call 2 expired #8
            3: call 2 expired #9
            3: call 2 expired #10
            4: call 3 cast
            4: cast 3 of cut r1 by kim started
            4: spawned Prop body of kim at (5.00 4.00 9.00)
            5: call 1 timer 1
            5: despawned body: spell
            6: call 1 expired #6
        "#]],
    );
}

#[test]
fn there_are_only_so_many_joints_and_fields() {
    let joins = ["join rope crate world 5 12 0 length 5"; 9].join("; ");
    let scenario = format!(
        "player kim 0 1.9 0
         prop crate 5 8 0
         spell hang r1 lasts 200
           cast: timer 1 1; {joins}
           timer: {joins}
         spell pull r1 lasts 200
           cast: field 0 5 0 8 10 0 9; field 0 5 0 8 10 0 9; field 0 5 0 8 10 0 9; field 0 5 0 8 10 0 9; field 0 5 0 8 10 0 9
         cast kim hang
         cast kim pull
         run 3"
    );
    let played = crate::scenario::play(&scenario);
    let expired = |cast: u32| played.lines().filter(|line| line.contains(&format!("call {cast} expired #"))).count();
    assert_eq!((expired(1), expired(2)), (2, 1), "{played}");
}

#[test]
fn a_field_moves_bodies_and_characters_and_spares_who_is_spared() {
    check(
        "policy spare
         player kim 0 1.9 0
         player ada 4 1.9 0
         npc dummy -4 1.9 0
         prop crate 0 1.5 -4
         team kim 1
         team ada 1
         run 30
         spell pull r1 lasts 200
           cast: field 0 1.5 0 10 -60 0 0.5
         cast kim pull
         run 30
         show kim
         show ada
         show dummy
         show crate
         run 10
         show dummy",
        expect![[r#"
            30: call 1 cast
            30: activated pull r1
            30: cast 1 of pull r1 by kim started
            60: kim at (0.00 1.90 0.56) moves (0.05 -0.57 2.80) health 100 grounded
            60: ada at (4.00 1.90 0.00) moves (0.00 0.00 0.00) health 100 grounded
            60: dummy at (-2.01 1.90 0.00) moves (5.89 -0.19 0.00) health 100 grounded
            60: crate at (-0.01 1.52 -0.34) moves (0.02 -0.13 4.32)
            61: call 1 expired #5
            70: dummy at (-1.60 1.90 0.00) moves (0.95 0.00 0.00) health 100 grounded
        "#]],
    );
}

#[test]
fn a_field_is_weaker_at_its_rim_and_ends_with_its_cast() {
    check(
        "player kim 0 1.9 20
         npc near 1 1.9 0
         npc far 7 1.9 0
         npc out 9 1.9 0
         spell blow r1 lasts 10
           cast: field 0 1.9 0 8 40 1 20
         cast kim blow
         run 9
         show near
         show far
         show out
         run 40
         show near",
        expect![[r#"
            0: call 1 cast
            0: activated blow r1
            0: cast 1 of blow r1 by kim started
            9: near at (1.20 1.90 0.00) moves (2.78 0.00 0.00) health 100 grounded
            9: far at (7.03 1.90 0.00) moves (0.40 0.00 0.00) health 100 grounded
            9: out at (9.00 1.90 0.00) moves (0.00 0.00 0.00) health 100 grounded
            10: call 1 cancel Duration
            10: instance of 1 given back
            10: cast 1 ended: Duration
            49: near at (1.48 1.90 0.00) moves (0.00 0.00 0.00) health 100 grounded
        "#]],
    );
}

#[test]
fn a_body_that_hits_somebody_knocks_them_back_by_its_mass_and_speed() {
    check(
        "player kim 0 1.9 20
         npc light 0 1.9 0
         npc heavy 0 1.9 6
         npc slow 0 1.9 12
         spell throw r1 lasts 200
           cast: ball -3 2 0 0.5 8 20 0 0; ball -3 2 6 0.5 800 20 0 0; ball -0.95 1.5 12 0.5 50 0.3 0 0
         run 30
         cast kim throw
         run 20
         show light
         show heavy
         show slow
         show @5
         show @6
         run 60
         show heavy",
        expect![[r#"
            0: activated throw r1
            30: call 1 cast
            30: cast 1 of throw r1 by kim started
            30: spawned Prop body of kim at (-3.00 2.00 0.00)
            30: spawned Prop body of kim at (-3.00 2.00 6.00)
            30: spawned Prop body of kim at (-0.95 1.50 12.00)
            50: light at (0.17 1.90 0.00) moves (0.20 0.00 0.00) health 100 grounded
            50: heavy at (2.65 1.90 6.00) moves (12.92 0.00 0.00) health 100 grounded
            50: slow at (0.00 1.90 12.00) moves (0.00 0.00 0.00) health 100 grounded
            50: @5 at (-0.80 1.50 0.00) moves (-0.44 0.00 0.00)
            50: @6 at (1.75 1.50 6.00) moves (12.78 0.00 0.00)
            110: heavy at (7.00 1.90 6.00) moves (0.04 0.00 0.00) health 100 grounded
        "#]],
    );
}

#[test]
fn a_heavy_body_is_hard_to_push() {
    check(
        "player kim 0 1.9 0
         player ada 10 1.9 0
         spell put r1 lasts 200
           cast: box 0 1.5 -2 0.5 0.5 0.5 30; box 10 1.5 -2 0.5 0.5 0.5 200
         cast kim put
         run 20
         input kim 1 move 0 0 -1
         input ada 1 move 0 0 -1
         run 60
         show kim
         show @3
         show ada
         show @4",
        expect![[r#"
            0: call 1 cast
            0: activated put r1
            0: cast 1 of put r1 by kim started
            0: spawned Prop body of kim at (0.00 1.50 -2.00)
            0: spawned Prop body of kim at (10.00 1.50 -2.00)
            80: kim at (0.00 1.90 -4.83) moves (0.00 0.00 -6.12) health 100 grounded input 1
            80: @3 at (0.00 1.50 -5.84) moves (0.00 0.00 -6.14)
            80: ada at (10.00 1.90 -1.10) moves (0.00 0.00 0.00) health 100 grounded input 1
            80: @4 at (10.00 1.50 -2.00) moves (0.00 0.00 0.00)
        "#]],
    );
}

#[test]
fn who_jumps_onto_a_crate_stands_on_it() {
    check(
        "player kim 0 1.9 0
         prop crate 0 1.5 -2
         run 30
         input kim 1 jump
         run 8
         input kim 2 move 0 0 -1
         run 18
         input kim 3
         run 60
         show kim
         show crate
         input kim 4 move 0 0 -1
         run 40
         show kim
         show crate",
        expect![[r#"
            116: kim at (0.00 2.90 -2.40) moves (0.00 0.00 0.00) health 100 grounded input 3
            116: crate at (0.00 1.50 -2.00) moves (0.00 0.00 0.00)
            156: kim at (0.00 1.90 -7.07) moves (0.00 0.00 -7.99) health 100 grounded input 4
            156: crate at (0.00 1.50 -2.00) moves (0.00 0.00 0.00)
        "#]],
    );
}

#[test]
fn a_crate_on_somebodys_head_neither_moves_them_nor_falls_through() {
    check(
        "player kim 0 1.9 0
         prop crate 0 4 0
         run 200
         show kim
         show crate",
        expect![[r#"
            200: kim at (0.00 1.90 0.00) moves (0.00 0.00 0.00) health 100 grounded
            200: crate at (0.00 3.30 0.00) moves (0.00 0.00 0.00)
        "#]],
    );
}
