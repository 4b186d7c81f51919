//! Shooting, being hurt, dying, and coming back.

use crate::check;
use expect_test::expect;

#[test]
fn a_shot_flies_and_hurts_who_it_hits() {
    check(
        "player kim 0 1.9 0
         npc dummy 0 1.9 -10
         input kim 1 fire
         run 1
         input kim 2
         run 15
         show dummy",
        expect![[r#"
            0: spawned Projectile #3 of kim at (0.00 2.60 0.00)
            11: #3 hit dummy at (0.00 2.56 -9.63) normal (0.00 0.40 0.92) damage 10
            11: despawned #3: hit
            16: dummy at (0.00 1.90 -10.00) moves (0.00 0.00 0.00) health 90 grounded
        "#]],
    );
}

#[test]
fn a_held_trigger_shoots_every_twelfth_tick() {
    check(
        "player kim 0 1.9 0 aim 1 0 0
         input kim 1 fire aim 1 0 0
         run 30",
        expect![[r#"
            0: spawned Projectile #2 of kim at (0.00 2.60 0.00)
            12: spawned Projectile #3 of kim at (0.00 2.60 0.00)
            24: spawned Projectile #4 of kim at (0.00 2.60 0.00)
        "#]],
    );
}

#[test]
fn a_shot_at_nothing_expires_and_one_at_the_ground_hits_it() {
    check(
        "player kim 0 1.9 0
         player ada 4 1.9 0
         input kim 1 fire aim 0 1 0
         input ada 1 fire aim 0 -1 0
         run 1
         input kim 2
         input ada 2
         run 301",
        expect![[r#"
            0: spawned Projectile #3 of kim at (0.00 2.60 0.00)
            0: spawned Projectile #4 of ada at (4.00 2.60 0.00)
            1: #4 hit terrain at (4.00 1.00 0.00) normal (0.00 1.00 0.00) damage 0
            1: despawned #4: hit
            300: despawned #3: expired
        "#]],
    );
}

#[test]
fn the_dummy_dies_and_is_back_after_three_seconds_under_a_new_id() {
    check(
        "player kim 0 1.9 0
         npc dummy 0 1.9 -2
         health dummy 5
         input kim 1 fire
         run 1
         input kim 2
         run 3
         show dummy
         run 181
         show dummy",
        expect![[r#"
            0: spawned Projectile #3 of kim at (0.00 2.60 0.00)
            1: #3 hit dummy at (0.00 2.56 -1.63) normal (0.00 0.40 0.92) damage 5
            1: despawned #3: hit
            1: dummy died
            1: despawned dummy: died
            4: dummy is gone
            181: spawned Npc dummy at (0.00 1.90 -2.00)
            185: dummy at (0.00 1.90 -2.00) moves (0.00 0.00 0.00) health 100 grounded
        "#]],
    );
}

#[test]
fn a_player_who_dies_keeps_its_id_and_is_back_at_once() {
    check(
        "player kim 0 1.9 0
         player ada 0 1.9 -3
         health ada 10
         input kim 1 fire
         run 1
         input kim 2
         run 5
         show ada",
        expect![[r#"
            0: spawned Projectile #3 of kim at (0.00 2.60 0.00)
            3: #3 hit ada at (0.00 2.56 -2.63) normal (0.00 0.40 0.92) damage 10
            3: despawned #3: hit
            3: ada died
            6: ada at (0.00 9.98 0.00) moves (0.00 -0.83 0.00) health 100
        "#]],
    );
}

#[test]
fn a_new_world_has_a_dummy_and_four_crates_that_rest() {
    check(
        "world new
         run 120
         show dummy
         show @2
         show @3
         show @4
         show @5",
        expect![[r#"
            120: dummy at (0.00 1.90 -10.00) moves (0.00 0.00 0.00) health 100 grounded
            120: @2 at (4.00 1.50 -7.00) moves (0.00 0.00 0.00)
            120: @3 at (-4.00 1.50 -7.00) moves (0.00 0.00 0.00)
            120: @4 at (6.00 1.50 4.00) moves (0.00 0.00 0.00)
            120: @5 at (-6.00 1.50 4.00) moves (0.00 0.00 0.00)
        "#]],
    );
}
