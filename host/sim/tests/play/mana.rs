//! What casts cost: mana at first, upkeep while they live, and what becomes of those who cannot pay; and of those whose spells fault again and again.

use crate::check;
use expect_test::expect;

#[test]
fn a_cast_costs_its_mana_which_comes_back() {
    check(
        "player kim 0 1.9 0
         spell bolt r1 costs 60
           cast: mana; finish
         cast kim bolt
         run 1
         mana kim
         run 30
         cast kim bolt
         run 29
         mana kim
         cast kim bolt
         run 1
         run 600
         mana kim",
        expect![[r#"
            0: call 1 cast
            0: instance of 1 given back
            0: activated bolt r1
            0: cast 1 of bolt r1 by kim started
            0: cast 1 info: mana Some(40.0)
            0: cast 1 ended: Finished
            1: kim has 40.17 mana
            31: bolt "r1" by kim rejected: mana, allowed 45.167, asked 60.000
            60: kim has 50.00 mana
            60: bolt "r1" by kim rejected: mana, allowed 50.000, asked 60.000
            661: kim has 100.00 mana
        "#]],
    );
}

#[test]
fn npcs_pay_nothing() {
    check(
        "npc imp 0 1.9 0
         spell bolt r1 costs 1000
           cast: mana; finish
         cast imp bolt
         run 1",
        expect![[r#"
            0: call 1 cast
            0: instance of 1 given back
            0: activated bolt r1
            0: cast 1 of bolt r1 by imp started
            0: cast 1 info: mana None
            0: cast 1 ended: Finished
        "#]],
    );
}

#[test]
fn who_owes_is_called_in_every_fourth_tick_and_loses_the_dearest_cast() {
    check(
        "player kim 0 1.9 0
         spell cheap r1 lasts 600 every 30
           tick: upkeep 1
         spell dear r1 lasts 600 every 1
           cast: upkeep 99
           tick: upkeep 2
           cancel: cue broke
         cast kim cheap
         cast kim dear
         run 9
         mana kim
         run 4
         mana kim
         run 172
         live
         run 20
         live
         run 500
         mana kim",
        expect![[r#"
            0: call 1 cast
            0: call 2 cast
            0: activated cheap r1
            0: activated dear r1
            0: cast 1 of cheap r1 by kim started
            0: cast 2 of dear r1 by kim started
            1: call 2 tick 0.017
            2: call 2 tick 0.017
            6: call 2 tick 0.067
            9: kim has -3.50 mana
            10: call 2 tick 0.067
            13: kim has -4.83 mana
            14: call 2 tick 0.067
            18: call 2 tick 0.067
            22: call 2 tick 0.067
            26: call 2 tick 0.067
            30: call 2 tick 0.067
            31: call 1 tick 0.517
            34: call 2 tick 0.067
            38: call 2 tick 0.067
            42: call 2 tick 0.067
            46: call 2 tick 0.067
            50: call 2 tick 0.067
            54: call 2 tick 0.067
            58: call 2 tick 0.067
            62: call 2 tick 0.067
            63: call 1 tick 0.533
            66: call 2 tick 0.067
            70: call 2 tick 0.067
            74: call 2 tick 0.067
            78: call 2 tick 0.067
            82: call 2 tick 0.067
            86: call 2 tick 0.067
            90: call 2 tick 0.067
            92: call 2 cancel Mana
            92: instance of 2 given back
            92: cast 2 cue broke
            92: cast 2 ended: Mana
            95: call 1 tick 0.533
            127: call 1 tick 0.533
            159: call 1 tick 0.533
            185: 1 live casts
            191: call 1 tick 0.533
            205: 1 live casts
            223: call 1 tick 0.533
            255: call 1 tick 0.533
            287: call 1 tick 0.533
            319: call 1 tick 0.533
            349: call 1 tick 0.500
            379: call 1 tick 0.500
            409: call 1 tick 0.500
            439: call 1 tick 0.500
            469: call 1 tick 0.500
            499: call 1 tick 0.500
            529: call 1 tick 0.500
            559: call 1 tick 0.500
            589: call 1 tick 0.500
            600: call 1 cancel Duration
            600: instance of 1 given back
            600: cast 1 ended: Duration
            705: kim has 51.50 mana
        "#]],
    );
}

#[test]
fn a_new_revision_is_cast_although_the_old_one_has_struck_out() {
    check(
        "player kim 0 1.9 0
         spell trap r1
           cast: fault
         cast kim trap
         run 31
         cast kim trap
         run 31
         cast kim trap
         run 31
         cast kim trap
         run 31
         cast kim trap
         run 31
         cast kim trap
         run 31
         cast kim trap
         run 31
         cast kim trap
         run 31
         cast kim trap
         run 31
         cast kim trap
         run 31
         cast kim trap
         run 1
         spell trap r2
           cast: finish
         cast kim trap
         run 1",
        expect![[r#"
            0: call 1 cast
            0: instance of 1 given back
            0: activated trap r1
            0: cast 1 of trap r1 by kim started
            0: cast 1 faulted in cast: fuel
            0: cast 1 ended: Fault
            31: call 2 cast
            31: instance of 2 given back
            31: cast 2 of trap r1 by kim started
            31: cast 2 faulted in cast: fuel
            31: cast 2 ended: Fault
            62: call 3 cast
            62: instance of 3 given back
            62: cast 3 of trap r1 by kim started
            62: cast 3 faulted in cast: fuel
            62: cast 3 ended: Fault
            93: call 4 cast
            93: instance of 4 given back
            93: cast 4 of trap r1 by kim started
            93: cast 4 faulted in cast: fuel
            93: cast 4 ended: Fault
            124: call 5 cast
            124: instance of 5 given back
            124: cast 5 of trap r1 by kim started
            124: cast 5 faulted in cast: fuel
            124: cast 5 ended: Fault
            155: call 6 cast
            155: instance of 6 given back
            155: cast 6 of trap r1 by kim started
            155: cast 6 faulted in cast: fuel
            155: cast 6 ended: Fault
            186: call 7 cast
            186: instance of 7 given back
            186: cast 7 of trap r1 by kim started
            186: cast 7 faulted in cast: fuel
            186: cast 7 ended: Fault
            217: call 8 cast
            217: instance of 8 given back
            217: cast 8 of trap r1 by kim started
            217: cast 8 faulted in cast: fuel
            217: cast 8 ended: Fault
            248: call 9 cast
            248: instance of 9 given back
            248: cast 9 of trap r1 by kim started
            248: cast 9 faulted in cast: fuel
            248: cast 9 ended: Fault
            279: call 10 cast
            279: instance of 10 given back
            279: cast 10 of trap r1 by kim started
            279: cast 10 faulted in cast: fuel
            279: cast 10 ended: Fault
            310: trap "r1" by kim rejected: suspended, allowed 30.000, asked 0.517
            311: call 11 cast
            311: instance of 11 given back
            311: activated trap r2
            311: cast 11 of trap r2 by kim started
            311: cast 11 ended: Finished
        "#]],
    );
}
