//! Walking, jumping, entering and leaving, as players notice it.

use crate::check;
use expect_test::expect;

#[test]
fn a_player_enters_falls_to_the_ground_and_leaves() {
    check(
        "join kim
         run 1
         run 60
         show kim
         leave kim
         run 1
         show kim",
        expect![[r#"
            0: joined as #1
            0: spawned Player kim at (0.00 10.00 0.00)
            61: kim at (0.00 1.90 0.00) moves (0.00 0.00 0.00) health 100 grounded
            61: despawned kim: left
            62: kim is gone
        "#]],
    );
}

#[test]
fn an_input_is_acknowledged_when_it_was_simulated() {
    check(
        "player kim 0 1.9 0
         input kim 7 move 0 0 -1
         show kim
         run 1
         show kim
         input kim 8
         input kim 9 move 0 0 1
         run 1
         show kim",
        expect![[r#"
            0: kim at (0.00 1.90 0.00) moves (0.00 0.00 0.00) health 100
            1: kim at (0.00 1.90 -0.02) moves (0.00 0.00 -1.33) health 100 grounded input 7
            2: kim at (0.00 1.90 -0.02) moves (0.00 0.00 0.22) health 100 grounded input 9
        "#]],
    );
}

#[test]
fn walks_where_it_aims_and_runs_faster() {
    check(
        "player kim 0 1.9 0
         input kim 1 move 0 0 -1 aim 1 0 0
         run 60
         show kim
         input kim 2 move 0 0 -1 aim 1 0 0 sprint
         run 60
         show kim
         input kim 3
         run 60
         show kim",
        expect![[r#"
            60: kim at (7.33 1.90 0.00) moves (8.00 0.00 0.00) health 100 grounded input 1
            120: kim at (21.20 1.90 0.00) moves (14.40 0.00 0.00) health 100 grounded input 2
            180: kim at (22.40 1.90 0.00) moves (0.00 0.00 0.00) health 100 grounded input 3
        "#]],
    );
}

#[test]
fn jumps_and_lands() {
    check(
        "player kim 0 1.9 0
         run 1
         input kim 1 jump
         run 1
         input kim 2
         run 28
         show kim
         run 30
         show kim",
        expect![[r#"
            30: kim at (0.00 4.70 0.00) moves (0.00 0.01 0.00) health 100 input 2
            60: kim at (0.00 1.90 0.00) moves (0.00 0.00 0.00) health 100 grounded input 2
        "#]],
    );
}

#[test]
fn who_falls_off_the_edge_is_back_at_the_spawn() {
    check(
        "player kim 95 1.9 0
         input kim 1 move 1 0 0
         run 300
         show kim",
        expect![[r#"
            153: kim died
            300: kim at (18.80 1.90 0.00) moves (8.00 0.00 0.00) health 100 grounded input 1
        "#]],
    );
}

#[test]
fn a_crate_is_shoved_by_who_walks_into_it() {
    check(
        "player kim 0 1.9 0
         prop crate 0 1.5 -3
         run 30
         show crate
         input kim 1 move 0 0 -1
         run 30
         show crate",
        expect![[r#"
            30: crate at (0.00 1.50 -3.00) moves (0.00 0.00 0.00)
            60: crate at (0.00 1.50 -3.30) moves (0.00 0.00 -2.88)
        "#]],
    );
}

#[test]
fn a_crate_falls_onto_the_ground_and_rests() {
    check(
        "prop crate 3.5 8 3.5
         run 300
         show crate",
        expect![[r#"
            300: crate at (3.55 1.50 3.56) moves (0.00 0.00 0.00)
        "#]],
    );
}
