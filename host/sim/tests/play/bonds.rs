//! What passes between casts, and what outlives them: messages, texts, values, dispels, and casts that wait for their caster to come back.

use crate::check;
use expect_test::expect;

#[test]
fn casts_hear_of_each_other_in_the_next_tick() {
    check(
        "player kim 0 1.9 0
         player ada 8 1.9 0
         spell tower r1 lasts 100
           cast: box 0 3 -5 0.5 0.5 0.5 50
           message: log heard
         spell horn r1 lasts 100
           cast: send mine tower up; send maker body hm; timer 1 2
           timer: send maker kim down; send mine horn me too; finish
           dropped: log nobody
         cast kim tower
         run 2
         cast kim horn
         run 4
         cast ada horn
         run 4",
        expect![[r#"
            0: call 1 cast
            0: activated tower r1
            0: activated horn r1
            0: cast 1 of tower r1 by kim started
            0: spawned Prop body of kim at (0.00 3.00 -5.00)
            2: call 2 cast
            2: cast 2 of horn r1 by kim started
            3: call 1 message of horn by #1: up
            3: call 1 message of horn by #1: hm
            3: cast 1 info: heard
            3: cast 1 info: heard
            4: call 2 timer 1
            4: instance of 2 given back
            4: cast 2 ended: Finished
            6: call 3 cast
            6: cast 3 of horn r1 by ada started
            7: call 1 message of horn by #2: hm
            7: cast 1 info: heard
            8: call 3 timer 1
            8: instance of 3 given back
            8: cast 3 ended: Finished
        "#]],
    );
}

#[test]
fn texts_are_for_all_or_for_the_caster() {
    check(
        "player kim 0 1.9 0
         spell voice r1
           cast: say hear me; whisper you alone
         cast kim voice
         run 1",
        expect![[r#"
            0: call 1 cast
            0: instance of 1 given back
            0: activated voice r1
            0: cast 1 of voice r1 by kim started
            0: cast 1 says: hear me
            0: cast 1 whispers: you alone
            0: cast 1 ended: Finished
        "#]],
    );
}

#[test]
fn values_outlive_casts_saves_and_leaves_and_are_a_casters_own_or_everybodys() {
    check(
        "world new
         join kim
         join ada
         spell tally r1
           cast: look own count; look shared count; keep own count 1; keep shared count many; keep shared long 0123456789012345678901234567890123456789012345678901234567890123456789
         run 1
         cast kim tally
         run 40
         cast kim tally
         cast ada tally
         run 1
         leave kim
         checkpoint
         run 1
         load
         join kim
         run 40
         cast kim tally
         run 1",
        expect![[r#"
            0: joined as #6
            0: spawned Player kim at (0.00 10.00 0.00)
            0: joined as #7
            0: spawned Player ada at (0.00 10.00 0.00)
            0: activated tally r1
            1: call 1 cast
            1: instance of 1 given back
            1: cast 1 of tally r1 by kim started
            1: cast 1 info: count: None
            1: cast 1 info: count: None
            1: cast 1 ended: Finished
            41: call 2 cast
            41: call 3 cast
            41: instance of 2 given back
            41: instance of 3 given back
            41: cast 2 of tally r1 by kim started
            41: cast 3 of tally r1 by ada started
            41: cast 2 info: count: Some("1")
            41: cast 2 info: count: Some("many")
            41: cast 3 info: count: None
            41: cast 3 info: count: Some("many")
            41: cast 2 ended: Finished
            41: cast 3 ended: Finished
            42: despawned kim: left
            43: loaded, nothing dropped
            43: joined as #8
            43: spawned Player kim at (0.00 10.00 0.00)
            83: call 4 cast
            83: instance of 4 given back
            83: cast 4 of tally r1 by kim started
            83: cast 4 info: count: Some("1")
            83: cast 4 info: count: Some("many")
            83: cast 4 ended: Finished
        "#]],
    );
}

#[test]
fn a_dispel_ends_what_its_spell_counters_and_frees_of_statuses() {
    check(
        "player kim 0 1.9 0
         player ada 8 1.9 0
         spell blaze r1 lasts 600 school fire
           cast: box 0 3 -5 0.5 0.5 0.5 50; afflict ada burn 4 9
           cancel: cue out
         spell chill r1 lasts 600 school frost
           cast: cue cold
         spell douse r1 lasts 600 counters fire
           cast: dispel target; timer 1 3
           dropped: log nothing there
           timer: dispel target
         cast kim blaze
         cast kim chill
         run 1
         cast ada douse at kim
         run 6
         cast kim blaze
         run 40
         cast ada douse at ada
         run 6",
        expect![[r#"
            0: call 1 cast
            0: call 2 cast
            0: activated blaze r1
            0: activated chill r1
            0: activated douse r1
            0: cast 1 of blaze r1 by kim started
            0: cast 2 of chill r1 by kim started
            0: spawned Prop body of kim at (0.00 3.00 -5.00)
            0: cast 2 cue cold
            1: call 3 cast
            1: cast 3 of douse r1 by ada started
            2: call 1 cancel Dispelled
            2: instance of 1 given back
            2: cast 1 cue out
            2: despawned body: spell
            2: cast 1 ended: Dispelled
            4: call 3 timer 1
            5: call 3 dropped #1
            5: cast 3 info: nothing there
            7: blaze "r1" by kim rejected: cooldown, allowed 0.500, asked 0.117
            47: call 4 cast
            47: cast 4 of douse r1 by ada started
            50: call 4 timer 1
            51: call 4 dropped #2
            51: cast 4 info: nothing there
        "#]],
    );
}

#[test]
fn persistent_casts_outlast_their_caster_who_finds_them_again() {
    check(
        "world new
         join kim
         spell totem r1 lasts 900 every 300 persists costs 50
           cast: box 0 3 -5 0.5 0.5 0.5 50
           tick: mana; look own x; keep own x 1
         spell aura r1 lasts 900
           cast: cue aura
         run 1
         cast kim totem
         cast kim aura
         run 2
         leave kim
         run 300
         checkpoint
         run 1
         load
         join kim
         run 300
         live
         mana kim",
        expect![[r#"
            0: joined as #6
            0: spawned Player kim at (0.00 10.00 0.00)
            0: activated totem r1
            0: activated aura r1
            1: call 1 cast
            1: call 2 cast
            1: cast 1 of totem r1 by kim started
            1: cast 2 of aura r1 by kim started
            1: spawned Prop body of kim at (0.00 3.00 -5.00)
            1: cast 2 cue aura
            3: call 2 cancel CasterGone
            3: instance of 2 given back
            3: despawned kim: left
            3: cast 2 ended: CasterGone
            301: call 1 tick 5.000
            301: cast 1 info: mana Some(99.99956)
            301: cast 1 info: x: None
            301: cast 1 warn: "x" is not kept: the caster is away
            304: loaded, nothing dropped
            304: joined as #8
            304: spawned Player kim at (0.00 9.96 0.00)
            601: call 1 tick 5.000
            601: cast 1 info: mana Some(100.0)
            601: cast 1 info: x: None
            604: 1 live casts
            604: kim has 100.00 mana
        "#]],
    );
}

#[test]
fn a_spell_that_listens_seldom_is_told_one_event_at_a_time() {
    check(
        "player kim 0 1.9 0
         spell ear r1 lasts 40 listens 10
           cast: timer 1 1; timer 2 1; timer 3 2
         cast kim ear
         run 45",
        expect![[r#"
            0: call 1 cast
            0: activated ear r1
            0: cast 1 of ear r1 by kim started
            10: call 1 timer 1
            20: call 1 timer 2
            30: call 1 timer 3
            40: call 1 cancel Duration
            40: instance of 1 given back
            40: cast 1 ended: Duration
        "#]],
    );
}
