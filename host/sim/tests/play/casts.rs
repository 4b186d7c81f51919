//! Admission, hooks and their order, intents, and the ends of casts.

use crate::check;
use expect_test::expect;

#[test]
fn an_instant_cast_lives_as_long_as_what_it_launched() {
    check(
        "player kim 0 1.9 0
         npc dummy 0 1.9 -10
         spell bolt r1
           cast: launch 30 damage 25; cue whoosh
           hit: damage hit 5; log hit it
         cast kim bolt
         run 1
         live
         run 30
         show dummy
         live",
        expect![[r#"
            0: call 1 cast
            0: activated bolt r1
            0: cast 1 of bolt r1 by kim started
            0: spawned Projectile #3 of kim at (0.00 2.60 0.00)
            0: cast 1 cue whoosh
            1: 1 live casts
            18: #3 hit dummy at (0.00 2.53 -9.62) normal (0.00 0.33 0.94) damage 25
            18: despawned #3: hit
            19: call 1 hit #3 on #2
            19: instance of 1 given back
            19: cast 1 info: hit it
            19: cast 1 ended: Finished
            31: dummy at (0.00 1.90 -10.00) moves (0.00 0.00 0.00) health 70 grounded
            31: 0 live casts
        "#]],
    );
}

#[test]
fn an_instant_cast_that_waits_for_nothing_ends_at_once() {
    check(
        "player kim 0 1.9 0
         spell spark r1
           cast: cue spark
         cast kim spark
         run 2",
        expect![[r#"
            0: call 1 cast
            0: instance of 1 given back
            0: activated spark r1
            0: cast 1 of spark r1 by kim started
            0: cast 1 cue spark
            0: cast 1 ended: Finished
        "#]],
    );
}

#[test]
fn a_timed_cast_is_ticked_then_told_that_its_time_is_up() {
    check(
        "player kim 0 1.9 0
         health kim 40
         spell mend r1 lasts 60 every 20
           cast: timer 7 20; timer 3 5
           tick: heal caster 10
           cancel: cue done
         cast kim mend
         run 62
         show kim
         live",
        expect![[r#"
            0: call 1 cast
            0: activated mend r1
            0: cast 1 of mend r1 by kim started
            5: call 1 timer 3
            20: call 1 timer 7
            20: call 1 tick 0.333
            40: call 1 tick 0.333
            60: call 1 tick 0.333
            60: call 1 cancel Duration
            60: instance of 1 given back
            60: cast 1 cue done
            60: cast 1 ended: Duration
            62: kim at (0.00 1.90 0.00) moves (0.00 0.00 0.00) health 70 grounded
            62: 0 live casts
        "#]],
    );
}

#[test]
fn a_request_is_refused_by_the_limit_that_it_ran_into() {
    check(
        "player kim 0 1.9 0
         spell a r1 lasts 600
         spell b r1 lasts 600
         cast kim nothing
         cast kim a r9
         cast kim a
         cast kim a
         run 29
         cast kim a
         run 1
         cast kim a
         run 30
         cast kim a
         cast kim b
         run 30
         cast kim a
         cast kim b
         run 30
         cast kim a
         cast kim b
         run 30
         cast kim b
         run 1
         live",
        expect![[r#"
            0: call 1 cast
            0: activated a r1
            0: activated b r1
            0: nothing "" by kim rejected: unknown_spell, allowed 0.000, asked 0.000
            0: a "r9" by kim rejected: unknown_revision, allowed 0.000, asked 0.000
            0: cast 1 of a r1 by kim started
            0: a "r1" by kim rejected: cooldown, allowed 0.500, asked 0.000
            29: a "r1" by kim rejected: cooldown, allowed 0.500, asked 0.483
            30: call 2 cast
            30: cast 2 of a r1 by kim started
            60: call 3 cast
            60: call 4 cast
            60: cast 3 of a r1 by kim started
            60: cast 4 of b r1 by kim started
            90: call 5 cast
            90: call 6 cast
            90: cast 5 of a r1 by kim started
            90: cast 6 of b r1 by kim started
            120: call 7 cast
            120: call 8 cast
            120: cast 7 of a r1 by kim started
            120: cast 8 of b r1 by kim started
            150: b "r1" by kim rejected: live_casts, allowed 8.000, asked 9.000
            151: 8 live casts
        "#]],
    );
}

#[test]
fn who_left_cannot_cast() {
    check(
        "join kim
         spell a r1
         run 1
         leave kim
         cast kim a
         run 1",
        expect![[r#"
            0: joined as #1
            0: spawned Player kim at (0.00 10.00 0.00)
            0: activated a r1
            1: despawned kim: left
            1: a "r1" by kim rejected: caster_gone, allowed 0.000, asked 0.000
        "#]],
    );
}

#[test]
fn an_older_revision_runs_on_for_its_casts_alone() {
    check(
        "player kim 0 1.9 0
         player ada 4 1.9 0
         spell a r1 lasts 40
         cast kim a
         run 1
         spell a r2 lasts 10
         cast ada a r1
         run 30
         cast ada a
         run 20
         cast kim a r1
         run 1",
        expect![[r#"
            0: call 1 cast
            0: activated a r1
            0: cast 1 of a r1 by kim started
            1: activated a r2
            1: a "r1" by ada rejected: unknown_revision, allowed 0.000, asked 0.000
            31: call 2 cast
            31: cast 2 of a r2 by ada started
            40: call 1 cancel Duration
            40: instance of 1 given back
            40: cast 1 ended: Duration
            41: call 2 cancel Duration
            41: instance of 2 given back
            41: cast 2 ended: Duration
            51: a "r1" by kim rejected: unknown_revision, allowed 0.000, asked 0.000
        "#]],
    );
}

#[test]
fn intents_are_applied_in_cast_order_against_one_view() {
    check(
        "player kim 0 1.9 0
         player ada 2 1.9 0
         npc dummy 0 1.9 -5
         health dummy 30
         spell strike r1
           cast: near 8; damage target 20; heal target 5
         cast ada strike at dummy
         cast kim strike at dummy
         run 2",
        expect![[r#"
            0: call 1 cast
            0: call 2 cast
            0: instance of 1 given back
            0: activated strike r1
            0: cast 1 of strike r1 by ada started
            0: cast 2 of strike r1 by kim started
            0: cast 1 info: near: kim 100, dummy 30
            0: cast 2 info: near: ada 100, dummy 30
            0: dummy died
            0: despawned dummy: died
            0: cast 1 ended: Finished
            1: call 2 dropped #3
            1: instance of 2 given back
            1: cast 2 ended: Finished
        "#]],
    );
}

#[test]
fn an_intent_whose_target_is_gone_is_dropped_and_told() {
    check(
        "player kim 0 1.9 0
         npc dummy 0 1.9 -5
         prop crate 3 1.5 3
         spell strike r1
           cast: damage target 100; damage target 1; heal target 50; push nobody 0 1 0; damage crate 5
         cast kim strike at dummy
         run 3",
        expect![[r#"
            0: call 1 cast
            0: activated strike r1
            0: cast 1 of strike r1 by kim started
            0: dummy died
            0: despawned dummy: died
            1: call 1 dropped #2
            1: call 1 dropped #2
            1: call 1 dropped #9999
            1: instance of 1 given back
            1: cast 1 ended: Finished
        "#]],
    );
}

#[test]
fn a_push_moves_characters_and_crates() {
    check(
        "player kim 0 1.9 0
         npc dummy 0 1.9 -5
         prop crate 3.5 1.5 -5
         run 30
         spell gust r1
           cast: push dummy 0 0 -800; push crate 0 100 -300; push dummy 0 240 0
         cast kim gust
         run 1
         show dummy
         show crate
         run 90
         show dummy
         show crate",
        expect![[r#"
            30: call 1 cast
            30: instance of 1 given back
            30: activated gust r1
            30: cast 1 of gust r1 by kim started
            30: cast 1 ended: Finished
            31: dummy at (0.00 1.90 -5.00) moves (0.00 3.00 -10.00) health 100 grounded
            31: crate at (3.50 1.53 -5.10) moves (0.00 1.59 -6.00)
            121: dummy at (0.00 1.90 -5.83) moves (0.00 0.00 0.00) health 100 grounded
            121: crate at (3.49 1.50 -6.96) moves (0.00 0.00 0.00)
        "#]],
    );
}

#[test]
fn what_finishes_ends_at_once_with_all_that_it_launched() {
    check(
        "player kim 0 1.9 0
         spell burst r1 lasts 100 every 2
           cast: launch 1; launch 2
           tick: cue last; finish
         cast kim burst
         run 4
         live",
        expect![[r#"
            0: call 1 cast
            0: activated burst r1
            0: cast 1 of burst r1 by kim started
            0: spawned Projectile #2 of kim at (0.00 2.60 0.00)
            0: spawned Projectile #3 of kim at (0.00 2.60 0.00)
            2: call 1 tick 0.033
            2: instance of 1 given back
            2: cast 1 cue last
            2: despawned #2: spell
            2: despawned #3: spell
            2: cast 1 ended: Finished
            4: 0 live casts
        "#]],
    );
}

#[test]
fn a_fault_ends_its_cast_alone_and_its_intents_are_void() {
    check(
        "player kim 0 1.9 0
         player ada 4 1.9 0
         npc dummy 0 1.9 -5
         spell bad r1 lasts 100
           cast: launch 1; timer 1 2; timer 2 2
           timer: damage dummy 50; log about to fail; fault
         spell good r1 lasts 100
           cast: timer 1 2
           timer: damage dummy 1
         cast kim bad
         cast ada good
         run 4
         show dummy
         live",
        expect![[r#"
            0: call 1 cast
            0: call 2 cast
            0: activated bad r1
            0: activated good r1
            0: cast 1 of bad r1 by kim started
            0: cast 2 of good r1 by ada started
            0: spawned Projectile #4 of kim at (0.00 2.60 0.00)
            2: call 1 timer 1
            2: call 2 timer 1
            2: instance of 1 given back
            2: cast 1 info: about to fail
            2: cast 1 faulted in timer: fuel
            2: despawned #4: spell
            2: cast 1 ended: Fault
            4: dummy at (0.00 1.90 -5.00) moves (0.00 0.00 0.00) health 99 grounded
            4: 1 live casts
        "#]],
    );
}

#[test]
fn casts_end_when_their_caster_leaves_or_dies() {
    check(
        "player kim 0 1.9 0
         player ada 8 1.9 0
         spell aura r1 lasts 600
           cast: launch 1
           cancel: cue farewell
         spell doom r1
           cast: damage ada 100
         run 1
         cast kim aura
         cast ada aura
         run 2
         leave kim
         cast ada doom
         run 2
         live",
        expect![[r#"
            0: activated aura r1
            0: activated doom r1
            1: call 1 cast
            1: call 2 cast
            1: cast 1 of aura r1 by kim started
            1: cast 2 of aura r1 by ada started
            1: spawned Projectile #3 of kim at (0.00 2.60 0.00)
            1: spawned Projectile #19 of ada at (8.00 2.60 0.00)
            3: call 1 cancel CasterGone
            3: call 3 cast
            3: instance of 1 given back
            3: despawned kim: left
            3: cast 3 of doom r1 by ada started
            3: cast 1 cue farewell
            3: despawned #3: spell
            3: cast 1 ended: CasterGone
            3: ada died
            4: call 2 cancel CasterGone
            4: call 3 cancel CasterGone
            4: instance of 2 given back
            4: instance of 3 given back
            4: cast 2 cue farewell
            4: despawned #19: spell
            4: cast 2 ended: CasterGone
            4: cast 3 ended: CasterGone
            5: 0 live casts
        "#]],
    );
}

#[test]
fn who_casts_and_leaves_in_one_tick_is_never_called() {
    check(
        "player kim 0 1.9 0
         spell aura r1 lasts 600
         cast kim aura
         leave kim
         run 1",
        expect![[r#"
            0: instance of 1 given back
            0: activated aura r1
            0: cast 1 of aura r1 by kim started
            0: despawned kim: left
            0: cast 1 ended: CasterGone
        "#]],
    );
}

#[test]
fn a_spell_takes_back_only_its_own_projectile() {
    check(
        "player kim 0 1.9 0
         spell wisp r1
           cast: launch 1; timer 1 3
           timer: despawn; despawn
         cast kim wisp
         run 5",
        expect![[r#"
            0: call 1 cast
            0: activated wisp r1
            0: cast 1 of wisp r1 by kim started
            0: spawned Projectile #2 of kim at (0.00 2.60 0.00)
            3: call 1 timer 1
            3: despawned #2: spell
            4: call 1 dropped #2
            4: instance of 1 given back
            4: cast 1 ended: Finished
        "#]],
    );
}

#[test]
fn a_projectile_that_meets_nothing_expires() {
    check(
        "player kim 0 1.9 0 aim 0 1 0
         spell wisp r1
           cast: launch 10 seconds 0.1
         cast kim wisp
         run 8",
        expect![[r#"
            0: call 1 cast
            0: activated wisp r1
            0: cast 1 of wisp r1 by kim started
            0: spawned Projectile #2 of kim at (0.00 2.60 0.00)
            6: despawned #2: expired
            7: call 1 expired #2
            7: instance of 1 given back
            7: cast 1 ended: Finished
        "#]],
    );
}

#[test]
fn what_does_not_fit_into_a_tick_is_due_in_the_next() {
    check(
        "player kim 0 1.9 0
         player ada 4 1.9 0
         player eve 8 1.9 0
         spell slow r1 lasts 3 every 1
           cast: spend 60; launch 1; timer 7 1
           timer: spend 60; cue timer
           tick: spend 60; cue tick
           cancel: spend 60; cue farewell
         fuel 100
         cast kim slow
         cast ada slow
         run 1
         cast eve slow
         run 8
         live",
        expect![[r#"
            0: call 1 cast
            0: call 2 cast
            0: activated slow r1
            0: cast 1 of slow r1 by kim started
            0: cast 2 of slow r1 by ada started
            0: spawned Projectile #4 of kim at (0.00 2.60 0.00)
            0: spawned Projectile #20 of ada at (4.00 2.60 0.00)
            1: call 1 timer 7
            1: call 1 tick 0.017
            1: cast 3 of slow r1 by eve started
            1: cast 1 cue timer
            1: cast 1 cue tick
            2: call 2 timer 7
            2: call 2 tick 0.033
            2: cast 2 cue timer
            2: cast 2 cue tick
            3: call 3 cast
            3: call 1 tick 0.033
            3: cast 1 cue tick
            3: spawned Projectile #85 of eve at (8.00 2.60 0.00)
            4: call 2 tick 0.033
            4: call 2 cancel Duration
            4: instance of 2 given back
            4: cast 2 cue tick
            4: cast 2 cue farewell
            4: despawned #20: spell
            4: cast 2 ended: Duration
            5: call 1 tick 0.033
            5: call 1 cancel Duration
            5: instance of 1 given back
            5: cast 1 cue tick
            5: cast 1 cue farewell
            5: despawned #4: spell
            5: cast 1 ended: Duration
            6: call 3 timer 7
            6: call 3 tick 0.050
            6: cast 3 cue timer
            6: cast 3 cue tick
            7: call 3 tick 0.017
            7: call 3 cancel Duration
            7: instance of 3 given back
            7: cast 3 cue tick
            7: cast 3 cue farewell
            7: despawned #85: spell
            7: cast 3 ended: Duration
            9: 0 live casts
        "#]],
    );
}

#[test]
fn who_owes_fuel_comes_last_and_waits_for_no_one_but_those_who_owe_less() {
    check(
        "player kim 0 1.9 0
         player ada 4 1.9 0
         player eve 8 1.9 0
         spell greedy r1 lasts 600 every 1
           tick: spend 900000; cue greedy
           cancel: cue farewell
         spell modest r1 lasts 600 every 1
           tick: spend 2000; cue modest
         cast kim greedy
         cast ada greedy
         cast eve modest
         run 2
         fuel 900000
         run 4
         leave kim
         run 2
         live",
        expect![[r#"
            0: call 1 cast
            0: call 2 cast
            0: call 3 cast
            0: activated greedy r1
            0: activated modest r1
            0: cast 1 of greedy r1 by kim started
            0: cast 2 of greedy r1 by ada started
            0: cast 3 of modest r1 by eve started
            1: call 1 tick 0.017
            1: call 2 tick 0.017
            1: call 3 tick 0.017
            1: cast 1 cue greedy
            1: cast 2 cue greedy
            1: cast 3 cue modest
            2: call 3 tick 0.017
            2: call 1 tick 0.017
            2: cast 1 cue greedy
            2: cast 3 cue modest
            3: call 3 tick 0.017
            3: call 2 tick 0.033
            3: cast 2 cue greedy
            3: cast 3 cue modest
            4: call 3 tick 0.017
            4: call 1 tick 0.033
            4: cast 1 cue greedy
            4: cast 3 cue modest
            5: call 3 tick 0.017
            5: call 2 tick 0.033
            5: cast 2 cue greedy
            5: cast 3 cue modest
            6: call 3 tick 0.017
            6: call 1 cancel CasterGone
            6: call 2 tick 0.017
            6: instance of 1 given back
            6: despawned kim: left
            6: cast 1 cue farewell
            6: cast 1 ended: CasterGone
            6: cast 2 cue greedy
            6: cast 3 cue modest
            7: call 3 tick 0.017
            7: call 2 tick 0.017
            7: cast 2 cue greedy
            7: cast 3 cue modest
            8: 2 live casts
        "#]],
    );
}

#[test]
fn a_spawn_bomb_fills_its_casters_share_of_the_world_and_no_more() {
    let nine = ["launch 1"; 9].join("; ");
    let scenario = format!(
        "player kim 0 1.9 0
         player ada 8 1.9 0
         spell bomb r1 lasts 600 every 1
           cast: {nine}
           tick: {nine}
         spell other r1
           cast: launch 1
         cast kim bomb
         run 10
         cast kim other
         cast ada other
         run 1
         live"
    );
    let played = crate::scenario::play(&scenario);
    let spawned_by =
        |name: &str| played.lines().filter(|line| line.contains("spawned Projectile") && line.contains(&format!("of {name} "))).count();
    assert_eq!((spawned_by("kim"), spawned_by("ada")), (64, 1), "{played}");
    assert!(played.contains("call 1 expired #"), "the cast hears of it: {played}");
}

#[test]
fn the_seventeenth_timer_is_not_set() {
    let seventeen = (0..17).map(|token| format!("timer {token} 2")).collect::<Vec<_>>().join("; ");
    check(
        &format!(
            "player kim 0 1.9 0
             spell clock r1
               cast: {seventeen}
             cast kim clock
             run 1"
        ),
        expect![[r#"
            0: call 1 cast
            0: activated clock r1
            0: cast 1 of clock r1 by kim started
            0: cast 1 warn: timer 16 is not set: 16 timers wait already
        "#]],
    );
}

#[test]
fn the_same_cast_in_two_worlds_has_two_seeds_and_in_one_world_one() {
    let seed = |world: u64| {
        let mut world = sim::World::empty(world);
        let caster = world.spawn_player("kim", sim::Vec3::Y * 1.9, sim::Vec3::NEG_Z);
        let spec = sim::inbound::SpellSpec::free(0, 0);
        let activate = sim::Inbound::activate("a", "r1", spec);
        let cast = sim::Inbound::Cast(sim::inbound::CastRequest {
            caster,
            spell: "a".into(),
            revision: String::new(),
            target_position: sim::Vec3::ZERO,
            target: sim::EntityId::NONE,
            params: "{}".into(),
        });
        let events = sim::step(&mut world, &[activate, cast], &mut sim::NoSpells, &mut |_| ());
        events.iter().find_map(|event| if let sim::Outbound::CastStarted { seed, .. } = event { Some(*seed) } else { None })
    };
    assert_eq!(seed(1), seed(1));
    assert_ne!(seed(1), seed(2));
}
