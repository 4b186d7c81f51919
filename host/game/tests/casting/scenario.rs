//! Scenarios: what they accept, what they say when something is wrong, and that they repeat.

use crate::guest::{BOLT, Guest, LOOP, load, runtime};
use expect_test::{Expect, expect};
use game::scenario;

fn parse(text: &str, expected: Expect) {
    expected.assert_eq(&match scenario::parse(text) {
        Ok(scenario) => format!("{} things, {} steps", scenario.things.len(), scenario.steps.len()),
        Err(error) => error.to_string(),
    });
}

fn run(guest: Guest, text: &str, expected: Expect) -> scenario::Report {
    let runtime = runtime();
    let spell = load(&runtime, "tested", "rev_000001_00000000", guest);
    let scenario = scenario::parse(text).expect("a good scenario");
    let report = scenario::run(&scenario, &spell);
    expected.assert_eq(&report.failures().collect::<Vec<_>>().join("\n"));
    assert_eq!(report.passed, report.failures().next().is_none());
    assert_eq!(scenario::run(&scenario, &spell), report, "a second run is the same, digests included");
    report
}

const BOLT_AT_DUMMY: &str = "\
world seed 7
npc dummy at 0 1.9 -10   # straight ahead
prop crate at 3 1.5 -6
cast as caster at 0 1.9 0 aim 0 0 -1 target dummy
run 90 ticks
";

#[test]
fn a_bolt_hits_the_dummy() {
    let text = format!("{BOLT_AT_DUMMY}expect dummy health 75\nexpect crate moved <= 0.1\nexpect casts live 0\nexpect no faults\n");
    let report = run(BOLT, &text, expect![""]);
    assert_eq!((report.digests.len(), report.faults.len()), (90, 0));
}

#[test]
fn a_failure_names_the_line_what_is_and_what_should_be() {
    let text = format!("{BOLT_AT_DUMMY}expect dummy health 50\nexpect crate moved >= 0.5\nexpect casts live 1\nexpect fault fuel\n");
    run(
        BOLT,
        &text,
        expect![[r#"
            line 6: dummy's health is 75, expected 50
            line 7: crate moved 0 m, expected at least 0.5
            line 8: 0 casts are live, expected 1
            line 9: no cast was refused or stopped, expected fuel"#]],
    );
}

#[test]
fn a_fault_is_expected_by_its_limit() {
    run(LOOP, &format!("{BOLT_AT_DUMMY}expect fault fuel\nexpect casts live 0\n"), expect![""]);
    run(
        LOOP,
        &format!("{BOLT_AT_DUMMY}expect no faults\nexpect fault memory\n"),
        expect![[r#"
            line 6: 1 casts were refused or stopped; first, tick 1: on-tick broke fuel: on-tick: ran out of fuel: 1000000 was allowed
            line 7: no cast broke memory; first, tick 1: on-tick broke fuel: on-tick: ran out of fuel: 1000000 was allowed"#]],
    );
}

#[test]
fn a_second_cast_too_soon_is_a_fault_too() {
    let text = "npc dummy at 0 1.9 -10\ncast as caster at 0 1.9 0 aim 0 0 -1\nrun 10 ticks\ncast as caster aim 0 0 -1\nrun 1 ticks\nexpect fault cooldown";
    run(BOLT, text, expect![""]);
}

#[test]
fn the_wounded_are_set_up() {
    run(
        BOLT,
        "npc dummy at 0 1.9 -10 health 40\nplayer ann at 3 1.9 0 health 7.5\nrun 1 ticks\nexpect dummy health 40\nexpect ann health <= 7.5",
        expect![""],
    );
}

#[test]
fn what_is_no_scenario_says_where_and_what_would_be() {
    parse(BOLT_AT_DUMMY, expect!["3 things, 2 steps"]);
    parse("", expect!["0 things, 0 steps"]);
    parse(
        "\n\nfly away",
        expect![[r#"line 3: "fly" begins no step; steps begin with world, npc, prop, player, cast, run, settle, reload or expect"#]],
    );
    parse("world", expect!["line 1: after world comes seed, mana or small"]);
    parse("world seed -1", expect![[r#"line 1: "-1" is not a seed, a whole number from 0 up"#]]);
    parse("npc dummy at 0 1.9", expect!["line 1: here the line ends where a number of the position, which has three should be"]);
    parse("npc dummy at 0 NaN 0", expect!["line 1: NaN is out of range for a number of the position, which has three"]);
    parse("npc dummy at 0 1 0 0", expect![[r#"line 1: after the position comes health (of a player or npc) or nothing, not "0""#]]);
    parse("npc dummy at 0 1 0 health 0", expect!["line 1: a health of 0 is dead; it must be above 0"]);
    parse("prop crate at 0 1 0\nprop crate at 1 1 0", expect!["line 2: there is a crate already"]);
    parse("cast as caster aim 0 0 -1", expect!["line 1: caster is not in the world yet, so say where: cast as caster at 0 1.9 0 aim ..."]);
    parse("cast as caster at 0 1.9 0 aim 0 0 0", expect!["line 1: an aim of length 0 points nowhere"]);
    parse("cast as caster at 0 1.9 0 aim 0 0 -1 target dumy", expect!["line 1: nothing here is called dumy"]);
    parse("run 36001 ticks", expect!["line 1: a scenario runs at most 36000 ticks"]);
    parse("run 36000 ticks\nrun 18446744073709551615 ticks", expect!["line 2: a scenario runs at most 36000 ticks"]);
    parse("run 90 ticks now", expect![[r#"line 1: "now" is one word too many"#]]);
    parse("expect dummy wealth 3", expect!["line 1: after dummy comes health, mana or moved"]);
    parse("npc dummy at 0 1 0\nexpect dummy health > 3", expect![[r#"line 2: ">" is not a number, <= and a number, or >= and a number"#]]);
}
