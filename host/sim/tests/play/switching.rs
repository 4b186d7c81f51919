//! What becomes of casts, running and new, when a spell's lineup changes.

use crate::check;
use expect_test::expect;

#[test]
fn casts_finish_on_their_revision_unless_it_says_otherwise() {
    check(
        "player kim 0 1.9 0
         spell mist r1 lasts 20 every 10
           tick: cue old
         cast kim mist
         run 5
         spell mist r2 lasts 20 every 10
           tick: cue new
         run 30
         live",
        expect![[r#"
            0: call 1 cast
            0: activated mist r1
            0: cast 1 of mist r1 by kim started
            5: activated mist r2
            10: call 1 tick 0.167
            10: cast 1 cue old
            20: call 1 tick 0.167
            20: call 1 cancel Duration
            20: instance of 1 given back
            20: cast 1 cue old
            20: cast 1 ended: Duration
            35: 0 live casts
        "#]],
    );
}

#[test]
fn a_newer_revision_that_migrates_takes_the_casts_over_and_gives_them_back_when_it_is_rolled_back() {
    check(
        "player kim 0 1.9 0
         spell mist r1 lasts 60 every 10
           cast: box 0 5 0 1 1 1 10
           tick: cue old
         cast kim mist
         run 5
         spell mist r2 lasts 60 every 10 migrates
           tick: cue new
         run 15
         switch mist r1
         run 15
         live",
        expect![[r#"
            0: call 1 cast
            0: activated mist r1
            0: cast 1 of mist r1 by kim started
            0: spawned Prop body of kim at (0.00 5.00 0.00)
            5: activated mist r2
            5: cast 1 migrated from r1 to r2
            10: call 1 tick 0.167
            10: cast 1 cue new
            20: call 1 tick 0.167
            20: activated mist r1
            20: cast 1 migrated from r2 to r1
            20: cast 1 cue old
            30: call 1 tick 0.167
            30: cast 1 cue old
            35: 1 live casts
        "#]],
    );
}

#[test]
fn a_cast_that_the_new_revision_does_not_take_stays_and_its_author_is_told() {
    check(
        "player kim 0 1.9 0
         spell mist r1 lasts 40 every 10
           tick: cue old
         cast kim mist
         run 5
         spell mist r2 lasts 40 every 10 migrates
           restore: fault
           tick: cue new
         run 10
         live",
        expect![[r#"
            0: call 1 cast
            0: activated mist r1
            0: cast 1 of mist r1 by kim started
            5: activated mist r2
            5: cast 1 stays with r1: r2 broke fuel in restore
            10: call 1 tick 0.167
            10: cast 1 cue old
            15: 1 live casts
        "#]],
    );
}

#[test]
fn a_cast_whose_save_breaks_ends() {
    check(
        "player kim 0 1.9 0
         spell mist r1 lasts 40 every 10
           save: fault
           tick: cue old
         cast kim mist
         run 5
         spell mist r2 lasts 40 every 10 migrates
           tick: cue new
         run 10
         live",
        expect![[r#"
            0: call 1 cast
            0: activated mist r1
            0: cast 1 of mist r1 by kim started
            5: instance of 1 given back
            5: activated mist r2
            5: cast 1 faulted in save: fuel
            5: cast 1 ended: Fault
            15: 0 live casts
        "#]],
    );
}

#[test]
fn a_revision_that_cancels_ends_older_casts_with_a_last_word() {
    check(
        "player kim 0 1.9 0
         spell mist r1 lasts 40 every 10
           tick: cue old
         cast kim mist
         run 5
         spell mist r2 lasts 40 every 10 cancels
         run 10
         live",
        expect![[r#"
            0: call 1 cast
            0: activated mist r1
            0: cast 1 of mist r1 by kim started
            5: call 1 cancel Revision
            5: instance of 1 given back
            5: activated mist r2
            5: cast 1 ended: Revision
            15: 0 live casts
        "#]],
    );
}

#[test]
fn casts_of_a_barred_revision_end_at_once_without_a_call() {
    check(
        "player kim 0 1.9 0
         spell mist r1 lasts 40 every 10
           cast: box 0 5 0 1 1 1 10
         cast kim mist
         run 1
         spell mist r2 lasts 40 every 10 migrates
         switch mist r2 bar r1
         run 2
         live
         cast kim mist r1
         run 1
         run 30
         cast kim mist
         run 1
         switch mist nothing bar all
         run 1
         live
         cast kim mist
         run 1",
        expect![[r#"
            0: call 1 cast
            0: activated mist r1
            0: cast 1 of mist r1 by kim started
            0: spawned Prop body of kim at (0.00 5.00 0.00)
            1: instance of 1 given back
            1: activated mist r2
            1: despawned body: spell
            1: cast 1 ended: Revision
            3: 0 live casts
            3: mist "r1" by kim rejected: unknown_revision, allowed 0.000, asked 0.000
            34: call 2 cast
            34: cast 2 of mist r2 by kim started
            35: instance of 2 given back
            35: cast 2 ended: Revision
            35: deactivated mist
            36: 0 live casts
            36: mist "" by kim rejected: unknown_spell, allowed 0.000, asked 0.000
        "#]],
    );
}

#[test]
fn many_casts_migrate_over_several_ticks_and_none_is_forgotten() {
    let (first, newer) = many(200);
    let printed = crate::scenario::play(&format!("{first}run 2\n{newer}run 10\nlive"));
    let migrated = |tick: u32| printed.lines().filter(|line| line.starts_with(&format!("{tick}: ")) && line.contains(" migrated ")).count();
    let by_tick: Vec<usize> = (2..12).map(migrated).collect();
    assert_eq!(by_tick, [256, 256, 256, 256, 256, 120, 0, 0, 0, 0]);
    assert!(printed.ends_with("12: 1400 live casts\n"));
}

#[test]
fn a_draft_is_its_authors_alone() {
    check(
        "join kim
         join lee
         run 1
         spell bolt r1
           cast: cue shared; finish
         spell bolt r2 later
           cast: cue draft; finish
         switch bolt r1 draft r2 kim
         run 1
         cast kim bolt
         cast lee bolt
         run 1
         run 30
         cast lee bolt r2
         cast kim bolt r1
         run 1
         run 30
         switch bolt r1
         cast kim bolt
         run 1",
        expect![[r#"
            0: joined as #1
            0: spawned Player kim at (0.00 10.00 0.00)
            0: joined as #2
            0: spawned Player lee at (0.00 10.00 0.00)
            1: activated bolt r1
            1: kim runs r2 of bolt
            2: call 1 cast
            2: call 2 cast
            2: instance of 1 given back
            2: instance of 2 given back
            2: cast 1 of bolt r2 by kim started
            2: cast 2 of bolt r1 by lee started
            2: cast 1 cue draft
            2: cast 1 ended: Finished
            2: cast 2 cue shared
            2: cast 2 ended: Finished
            33: call 3 cast
            33: instance of 3 given back
            33: bolt "r2" by lee rejected: unknown_revision, allowed 0.000, asked 0.000
            33: cast 3 of bolt r1 by kim started
            33: cast 3 cue shared
            33: cast 3 ended: Finished
            64: call 4 cast
            64: instance of 4 given back
            64: kim runs no draft of bolt
            64: cast 4 of bolt r1 by kim started
            64: cast 4 cue shared
            64: cast 4 ended: Finished
        "#]],
    );
}

#[test]
fn a_trial_is_drawn_by_cast_or_by_player() {
    let npcs: String = (0..100).map(|n| format!("npc n{n} {} 1.9 {}\n", n % 20, n / 20)).collect();
    let casts: String = (0..100).map(|n| format!("cast n{n} bolt\n")).collect();
    let revisions = "spell bolt r1\n  cast: finish\nspell bolt r2 later\n  cast: finish\n";
    for by in ["casts", "players"] {
        let round = format!("{casts}run 31\n");
        let printed = crate::scenario::play(&format!("{npcs}{revisions}switch bolt r1 try r2 25 {by}\n{}", round.repeat(4)));
        let drawn: Vec<&str> = printed.lines().filter(|line| line.contains("started")).collect();
        assert_eq!(drawn.len(), 400);
        let tried: Vec<&str> =
            drawn.iter().filter(|line| line.contains("bolt r2")).map(|line| line.split(' ').nth(7).expect("a caster")).collect();
        assert!((60..=140).contains(&tried.len()), "{} of 400 by {by}", tried.len());
        let players: std::collections::BTreeSet<&&str> = tried.iter().collect();
        assert_eq!(players.len() * 4 == tried.len(), by == "players", "a player draws once for all");
    }
    for (percent, tried) in [("0", 0), ("100", 100)] {
        let printed = crate::scenario::play(&format!("{npcs}{revisions}switch bolt r1 try r2 {percent} casts\n{casts}run 1"));
        assert_eq!(printed.lines().filter(|line| line.contains("started") && line.contains("bolt r2")).count(), tried, "{percent} %");
    }
}

#[test]
fn what_waits_to_migrate_is_saved_and_goes_on_after_a_load() {
    let (first, newer) = many(40);
    let printed = crate::scenario::play(&format!("{first}run 2\n{newer}checkpoint\nrun 1\nload\nrun 1\nlive"));
    let loaded = printed.find("loaded, nothing dropped").expect("it was loaded");
    let migrated = |printed: &str| printed.matches(" migrated ").count();
    assert_eq!((migrated(&printed[..loaded]), migrated(&printed[loaded..])), (256, 24));
    assert!(printed.ends_with("4: 280 live casts\n"));
}

/// So many casters with seven casts each, and what makes them migrate.
fn many(casters: usize) -> (String, String) {
    let npcs: String = (0..casters).map(|n| format!("npc n{n} {} 1.9 {}\n", n % 20, n / 20)).collect();
    let spells: String = (0..7).map(|n| format!("spell mist{n} r1 lasts 900\n  tick: cue old\n")).collect();
    let casts: String = (0..casters).flat_map(|n| (0..7).map(move |spell| format!("cast n{n} mist{spell}\n"))).collect();
    let newer = (0..7).map(|n| format!("spell mist{n} r2 lasts 900 migrates\n  tick: cue new\n")).collect();
    (format!("{npcs}{spells}{casts}"), newer)
}
