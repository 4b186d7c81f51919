//! NPCs that notice, walk, beat and flee; what statuses and teams change; what projectiles do beyond hitting.

use crate::check;
use expect_test::expect;

#[test]
fn a_guard_grows_suspicious_spots_and_loses_who_leaves_its_sight() {
    check(
        "npc guard 0 1.9 0 guard aim 0 0 -1
         player kim 0 1.9 -12
         status guard root 30
         run 60
         leave kim
         run 60",
        expect![[r#"
            8: guard suspicion_changed kim: Suspicious 0.30
            29: guard spotted kim: Spotted 1.00
            60: despawned kim: left
            62: guard lost kim: Idle 0.00
        "#]],
    );
}

#[test]
fn suspicion_fades_below_where_it_began() {
    check(
        "npc guard 0 1.9 0 guard aim 0 0 -1
         player kim 0 1.9 -15 aim 0 0 1
         status guard root 30
         run 12
         input kim 1 move 0 0 1 aim 0 0 1 sprint
         run 400",
        expect![[r#"
            8: guard suspicion_changed kim: Suspicious 0.30
            29: guard spotted kim: Spotted 1.00
            248: guard lost kim: Idle 0.29
            360: kim died
            368: guard suspicion_changed kim: Suspicious 0.30
            389: guard spotted kim: Spotted 1.00
        "#]],
    );
}

#[test]
fn nobody_is_seen_through_voxels_from_the_side_or_from_afar() {
    check(
        "wall -3 1 -6 3 4 -6
         npc guard 0 1.9 0 guard aim 0 0 -1
         status guard root 30
         player hidden 0 1.9 -10
         player beside 10 1.9 -9
         player far -13 1.9 -16
         player behind 3 1.9 4
         run 100",
        expect![[r#""#]],
    );
}

#[test]
fn the_dummy_notices_nobody() {
    check(
        "npc dummy 0 1.9 0
         player kim 0 1.9 5
         run 200
         show dummy",
        expect![[r#"
            200: dummy at (0.00 1.90 0.00) moves (0.00 0.00 0.00) health 100 grounded
        "#]],
    );
}

#[test]
fn a_guard_climbs_over_a_low_wall_and_beats_who_it_has_spotted() {
    check(
        "wall -2 1 -5 2 1 -5
         npc guard 0 1.9 0 guard aim 0 0 -1
         player kim 0 1.9 -14
         run 120
         show guard
         run 120
         show guard
         show kim",
        expect![[r#"
            8: guard suspicion_changed kim: Suspicious 0.30
            29: guard spotted kim: Spotted 1.00
            120: guard at (0.50 1.90 -11.22) moves (0.00 0.00 -6.50) health 100 grounded
            240: guard at (0.50 1.90 -13.06) moves (0.00 0.00 0.00) health 100 grounded
            240: kim at (0.00 1.90 -14.00) moves (0.00 0.00 0.00) health 70 grounded
        "#]],
    );
}

#[test]
fn a_guard_climbs_a_step_to_who_it_has_spotted() {
    check(
        "wall -12 1 -6 12 1 -14
         npc guard 0 1.9 0 guard aim 0 0 -1
         player kim 0 2.9 -12
         run 150
         show guard
         show kim",
        expect![[r#"
            8: guard suspicion_changed kim: Suspicious 0.30
            29: guard spotted kim: Spotted 1.00
            150: guard at (0.50 2.90 -11.11) moves (0.00 0.00 -0.01) health 100 grounded
            150: kim at (0.00 2.90 -12.00) moves (0.00 0.00 0.00) health 90 grounded
        "#]],
    );
}

#[test]
fn a_guard_that_is_nearly_dead_flees() {
    check(
        "npc guard 0 1.9 0 guard aim 0 0 -1
         player kim 0 1.9 -6
         health guard 20
         run 120
         show guard
         show kim",
        expect![[r#"
            8: guard suspicion_changed kim: Suspicious 0.30
            29: guard spotted kim: Spotted 1.00
            120: guard at (7.15 1.90 5.15) moves (4.95 0.00 4.95) health 20 grounded
            120: kim at (0.00 1.90 -6.00) moves (0.00 0.00 0.00) health 100 grounded
        "#]],
    );
}

#[test]
fn a_critter_flees_before_it_is_sure() {
    check(
        "npc hare 0 1.9 0 critter aim 0 0 -1
         player kim 0 1.9 -6
         run 90
         show hare
         show kim",
        expect![[r#"
            8: hare suspicion_changed kim: Suspicious 0.30
            11: hare suspicion_changed kim: Idle 0.29
            90: hare at (4.62 1.90 6.61) moves (4.91 0.00 4.98) health 100 grounded
            90: kim at (0.00 1.90 -6.00) moves (0.00 0.00 0.00) health 100 grounded
        "#]],
    );
}

#[test]
fn an_npc_walks_its_rounds_about_its_home() {
    check(
        "npc guard 20 1.9 20 guard
         npc hare -20 1.9 -20 critter
         run 300
         show guard
         show hare
         run 300
         show guard
         show hare",
        expect![[r#"
            300: guard at (14.48 1.90 13.69) moves (-0.01 0.00 -2.07) health 100 grounded
            300: hare at (-13.88 1.90 -13.88) moves (2.12 0.00 2.12) health 100 grounded
            600: guard at (15.50 1.90 20.49) moves (0.00 0.00 0.01) health 100 grounded
            600: hare at (-15.50 1.90 -19.13) moves (0.00 0.00 -3.00) health 100 grounded
        "#]],
    );
}

#[test]
fn a_spawner_keeps_its_npcs_coming_back() {
    check(
        "spawner hare 10 6 10 critter 3 60
         player kim 10 1.9 4
         spell doom r1
           cast: damage target 200
         run 1
         cast kim doom at @2
         run 62
         show @2",
        expect![[r#"
            0: activated doom r1
            1: call 1 cast
            1: instance of 1 given back
            1: cast 1 of doom r1 by kim started
            1: #2 died
            1: despawned #2: died
            1: cast 1 ended: Finished
            61: spawned Npc hare at (12.00 1.90 10.00)
            63: @2 is gone
        "#]],
    );
}

#[test]
fn a_shield_takes_damage_first_and_fire_bites_every_half_second() {
    check(
        "player kim 0 1.9 0
         player ada 4 1.9 0
         status kim shield 25 10
         status kim burn 20 2
         status ada burn 10 1
         run 61
         show kim
         show ada
         run 100
         show kim
         show ada",
        expect![[r#"
            61: kim at (0.00 1.90 0.00) moves (0.00 0.00 0.00) health 100 grounded
            61: ada at (4.00 1.90 0.00) moves (0.00 0.00 0.00) health 90 grounded
            161: kim at (0.00 1.90 0.00) moves (0.00 0.00 0.00) health 85 grounded
            161: ada at (4.00 1.90 0.00) moves (0.00 0.00 0.00) health 90 grounded
        "#]],
    );
}

#[test]
fn who_is_slowed_walks_slowly_and_who_is_rooted_can_only_be_pushed() {
    check(
        "player kim 0 1.9 0
         player ada 4 1.9 0
         status kim slow 0.5 1
         status ada root 2
         spell shove r1
           cast: push target 0 0 -800
         run 1
         cast kim shove at ada
         input kim 1 move 0 0 -1
         input ada 1 move 0 0 -1 jump
         run 60
         show kim
         show ada
         run 60
         show kim
         show ada
         run 1",
        expect![[r#"
            0: activated shove r1
            1: call 1 cast
            1: instance of 1 given back
            1: cast 1 of shove r1 by kim started
            1: cast 1 ended: Finished
            61: kim at (0.00 1.90 -3.68) moves (0.00 0.00 -4.67) health 100 grounded input 1
            61: ada at (4.00 1.90 -0.83) moves (0.00 0.00 0.00) health 100 grounded input 1
            121: kim at (0.00 1.90 -11.40) moves (0.00 0.00 -8.00) health 100 grounded input 1
            121: ada at (4.00 2.09 -0.86) moves (0.00 11.59 -1.33) health 100 input 1
        "#]],
    );
}

#[test]
fn a_spell_gives_a_status_and_is_told_when_it_cannot() {
    check(
        "player kim 0 1.9 0
         prop crate 4 1.5 0
         npc dummy 0 1.9 -5
         spell ice r1 lasts 3
           cast: afflict target root 1; afflict crate root 1
           dropped: finish
         run 1
         cast kim ice at dummy
         run 3",
        expect![[r#"
            0: activated ice r1
            1: call 1 cast
            1: cast 1 of ice r1 by kim started
            2: call 1 dropped #2
            2: instance of 1 given back
            2: cast 1 ended: Finished
        "#]],
    );
}

#[test]
fn a_teleport_needs_free_space() {
    check(
        "wall 5 1 5 5 3 5
         player kim 0 1.9 0
         npc dummy 0 1.9 -5
         spell blink r1 lasts 9
           cast: teleport caster 5.5 1.9 5.5; teleport caster 0.3 1.9 -5; teleport caster 0 -900 0; teleport caster 8 1.9 8
         run 1
         cast kim blink
         run 3
         show kim",
        expect![[r#"
            0: activated blink r1
            1: call 1 cast
            1: cast 1 of blink r1 by kim started
            2: call 1 dropped #1
            2: call 1 dropped #1
            2: call 1 dropped #1
            4: kim at (8.00 1.90 8.00) moves (0.00 0.00 0.00) health 100 grounded
        "#]],
    );
}

#[test]
fn players_on_no_team_are_friends_once_friendly_fire_is_off() {
    check(
        "player kim 0 1.9 0
         player eve 5 1.9 0
         player zoe 0 1.9 5
         npc goblin 0 1.9 -5
         team zoe 1
         spell bolt r1 lasts 9
           cast: damage eve 5; damage zoe 5; damage goblin 5; damage caster 5
         run 1
         cast kim bolt
         run 31
         show eve
         friendly fire off
         cast kim bolt
         run 31
         show kim
         show eve
         show zoe
         show goblin
         friendly fire on
         cast kim bolt
         run 31
         show eve",
        expect![[r#"
            0: activated bolt r1
            1: call 1 cast
            1: cast 1 of bolt r1 by kim started
            10: call 1 cancel Duration
            10: instance of 1 given back
            10: cast 1 ended: Duration
            32: eve at (5.00 1.90 0.00) moves (0.00 0.00 0.00) health 95 grounded
            32: call 2 cast
            32: cast 2 of bolt r1 by kim started
            33: call 2 dropped #2
            41: call 2 cancel Duration
            41: instance of 2 given back
            41: cast 2 ended: Duration
            63: kim at (0.00 1.90 0.00) moves (0.00 0.00 0.00) health 90 grounded
            63: eve at (5.00 1.90 0.00) moves (0.00 0.00 0.00) health 95 grounded
            63: zoe at (0.00 1.90 5.00) moves (0.00 0.00 0.00) health 90 grounded
            63: goblin at (0.00 1.90 -5.00) moves (0.00 0.00 0.00) health 90 grounded
            63: call 3 cast
            63: cast 3 of bolt r1 by kim started
            72: call 3 cancel Duration
            72: instance of 3 given back
            72: cast 3 ended: Duration
            94: eve at (5.00 1.90 0.00) moves (0.00 0.00 0.00) health 90 grounded
        "#]],
    );
}

#[test]
fn a_team_is_spared_where_the_policy_says_so() {
    let duel = "player kim 0 1.9 0
         npc friend 0 1.9 -5
         npc foe 5 1.9 0
         team kim 1
         team friend 1
         team foe 2
         spell bolt r1 lasts 9
           cast: damage friend 5; damage foe 5; damage caster 5; afflict friend slow 0.5 1
         run 1
         input kim 1 fire
         cast kim bolt
         run 1
         input kim 2
         run 8
         show kim
         show friend
         show foe";
    check(
        duel,
        expect![[r#"
        0: activated bolt r1
        1: call 1 cast
        1: cast 1 of bolt r1 by kim started
        1: spawned Projectile #4 of kim at (0.00 2.60 0.00)
        6: #4 hit friend at (0.00 2.56 -4.63) normal (0.00 0.40 0.92) damage 10
        6: despawned #4: hit
        10: kim at (0.00 1.90 0.00) moves (0.00 0.00 0.00) health 95 grounded input 2
        10: friend at (0.00 1.90 -5.00) moves (0.00 0.00 0.00) health 85 grounded
        10: foe at (5.00 1.90 0.00) moves (0.00 0.00 0.00) health 95 grounded
    "#]],
    );
    check(
        &format!("policy spare\n{duel}"),
        expect![[r#"
        0: activated bolt r1
        1: call 1 cast
        1: cast 1 of bolt r1 by kim started
        1: spawned Projectile #4 of kim at (0.00 2.60 0.00)
        2: call 1 dropped #2
        2: call 1 dropped #2
        6: #4 hit friend at (0.00 2.56 -4.63) normal (0.00 0.40 0.92) damage 0
        6: despawned #4: hit
        10: kim at (0.00 1.90 0.00) moves (0.00 0.00 0.00) health 95 grounded input 2
        10: friend at (0.00 1.90 -5.00) moves (0.00 0.00 0.00) health 100 grounded
        10: foe at (5.00 1.90 0.00) moves (0.00 0.00 0.00) health 95 grounded
    "#]],
    );
}

#[test]
fn a_guard_lets_its_own_team_pass() {
    check(
        "npc guard 0 1.9 0 guard aim 0 0 -1
         player kim 0 1.9 -6
         team guard 3
         team kim 3
         run 60",
        expect![[r#""#]],
    );
}

#[test]
fn a_ball_bounces_until_it_has_bounced_enough() {
    check(
        "player kim 0 1.9 0 aim 0 -1 0
         spell ball r1 lasts 200
           cast: launch 10 gravity 10 bounces 2 restitution 0.5 damage 5
         run 1
         cast kim ball
         run 20
         show @2
         run 120",
        expect![[r#"
            0: activated ball r1
            1: call 1 cast
            1: cast 1 of ball r1 by kim started
            1: spawned Projectile #2 of kim at (0.00 2.60 0.00)
            21: @2 at (0.00 2.13 0.00) moves (0.00 3.67 0.00)
            110: #2 hit terrain at (0.00 1.00 0.00) normal (0.00 1.00 0.00) damage 0
            110: despawned #2: hit
            111: call 1 hit #2 on #0
        "#]],
    );
}

#[test]
fn a_bolt_pierces_two_and_stops_at_the_third_each_hurt_once() {
    check(
        "player kim 0 1.9 0
         npc one 0 1.9 -3
         npc two 0 1.9 -6
         npc three 0 1.9 -9
         spell lance r1 lasts 60
           cast: launch 60 pierces 2 damage 7
         run 1
         cast kim lance
         run 20
         show one
         show two
         show three",
        expect![[r#"
            0: activated lance r1
            1: call 1 cast
            1: cast 1 of lance r1 by kim started
            1: spawned Projectile #5 of kim at (0.00 2.60 0.00)
            3: #5 hit one at (0.00 2.53 -2.62) normal (0.00 0.33 0.94) damage 7
            4: call 1 hit #5 on #2
            6: #5 hit two at (0.00 2.53 -5.62) normal (0.00 0.33 0.94) damage 7
            7: call 1 hit #5 on #3
            9: #5 hit three at (0.00 2.53 -8.62) normal (0.00 0.33 0.94) damage 7
            9: despawned #5: hit
            10: call 1 hit #5 on #4
            21: one at (0.00 1.90 -3.00) moves (0.00 0.00 0.00) health 93 grounded
            21: two at (0.00 1.90 -6.00) moves (0.00 0.00 0.00) health 93 grounded
            21: three at (0.00 1.90 -9.00) moves (0.00 0.00 0.00) health 93 grounded
        "#]],
    );
}

#[test]
fn a_homing_bolt_turns_to_who_is_in_its_cone() {
    check(
        "player kim 0 1.9 0
         npc ahead 5 1.9 -12
         npc behind 0 1.9 8
         spell seeker r1 lasts 120
           cast: launch 20 homing 3 damage 9
         run 1
         cast kim seeker
         run 90
         show ahead
         show behind",
        expect![[r#"
            0: activated seeker r1
            1: call 1 cast
            1: cast 1 of seeker r1 by kim started
            1: spawned Projectile #4 of kim at (0.00 2.60 0.00)
            38: #4 hit ahead at (4.83 1.94 -11.64) normal (-0.44 0.00 0.90) damage 9
            38: despawned #4: hit
            39: call 1 hit #4 on #2
            91: ahead at (5.00 1.90 -12.00) moves (0.00 0.00 0.00) health 91 grounded
            91: behind at (0.00 1.90 8.00) moves (0.00 0.00 0.00) health 100 grounded
        "#]],
    );
}
