//! Every way in which a cast in flight may meet a change of its spell: what its revision says, what it saves, what the other one makes of that, and which change it is.

use crate::guest::{BREAKS, COUNTER, Guest, IDLE, free_game, load, runtime};
use expect_test::expect;
use game::{Game, LoadedRevision, Runtime};
use sim::inbound::{CastRequest, Switch};
use sim::lineup::{Barred, InFlight, Lineup};
use sim::{EntityId, Inbound, Outbound, Vec3};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

const OLD: &str = "rev_000001_00000000";
const NEW: &str = "rev_000002_00000000";

/// Counts by hundreds: one line tells which revision wrote it.
const NEW_COUNTER: Guest = Guest {
    on_tick: "(i32.store (i32.const 256) (i32.add (i32.load (i32.const 256)) (i32.const 1)))
        (i32.store8 (i32.const 300) (i32.const 110))
        (i32.store8 (i32.const 301) (i32.add (i32.const 48) (i32.rem_u (i32.div_u (i32.load (i32.const 256)) (i32.const 10)) (i32.const 10))))
        (i32.store8 (i32.const 302) (i32.add (i32.const 48) (i32.rem_u (i32.load (i32.const 256)) (i32.const 10))))
        (call $log (i32.const 1) (i32.const 300) (i32.const 3))",
    ..COUNTER
};
/// What the other revision makes of a save.
const RESTORES: [(&str, &str); 4] = [
    ("takes", COUNTER.restore),
    ("refuses", "(i32.store8 (i32.const 520) (i32.const 1)) (i64.store (i32.const 524) (i64.const 0)) (i32.const 520)"),
    ("traps", "unreachable"),
    ("spins", "(loop $again (br $again)) (i32.const 520)"),
];
/// What the cast saves of itself: its count, nothing, or it breaks.
const SAVES: [(&str, &str); 3] = [("saves", COUNTER.save), ("saves nothing", IDLE.save), ("breaks", BREAKS.save)];
const POLICIES: [(&str, InFlight); 3] = [("finish", InFlight::Finish), ("migrate", InFlight::Migrate), ("cancel", InFlight::Cancel)];

/// What happens to the spell while a cast of it runs.
#[derive(Clone, Copy, Debug)]
enum Change {
    /// The new revision takes over.
    Publish,
    /// The old one does again.
    Rollback,
    /// The new one takes over, and the old one must not be called again.
    Revoke,
}

/// A cast of one revision ran for five ticks when the spell changed; what is told in the next five.
fn play(runtime: &Runtime, change: Change, policy: InFlight, save: &'static str, restore: &'static str) -> String {
    let (from, to) = match change {
        Change::Publish | Change::Revoke => (OLD, NEW),
        Change::Rollback => (NEW, OLD),
    };
    // Who saves is the one that runs, who restores the other; whoever is the newer one says what becomes of casts.
    let guest = |revision: &str| {
        let counter = if revision == OLD { COUNTER } else { NEW_COUNTER };
        if revision == from { Guest { save, ..counter } } else { Guest { restore, ..counter } }
    };
    let ready = |revision: &str| {
        let loaded = load(runtime, "mist", revision, guest(revision));
        if revision == NEW { loaded.with_in_flight(policy) } else { loaded }
    };
    let mut game = free_game(7);
    let (running, other) = (ready(from), ready(to));
    let begin = [game.activate(running), Inbound::Join { token: 1, account: "kim".into(), username: "kim".into() }];
    let joined = game.step(&begin, &mut |_| ());
    let caster = joined.iter().find_map(|event| if let Outbound::Joined { player, .. } = event { Some(*player) } else { None }).unwrap();
    game.step(&[cast(caster)], &mut |_| ());
    for _ in 0..5 {
        game.step(&[], &mut |_| ());
    }
    let barred = match change {
        Change::Revoke => Barred::Those(BTreeSet::from([from.to_owned()])),
        Change::Publish | Change::Rollback => Barred::none(),
    };
    let switch = switch(&mut game, other, barred);
    let mut told = tell(&game.step(&[switch], &mut |_| ()), from);
    for _ in 0..4 {
        let words = tell(&game.step(&[], &mut |_| ()), from);
        told.extend(words);
    }
    // Whatever became of it: the spell can be cast, as the revision that is active, once the caster has waited.
    for _ in 0..30 {
        game.step(&[], &mut |_| ());
    }
    let again = game.step(&[cast(caster)], &mut |_| ());
    assert!(again.iter().any(|event| matches!(event, Outbound::CastStarted { revision, .. } if revision == to)), "{again:?}");
    told.join(", ")
}

fn switch(game: &mut Game, to: LoadedRevision, barred: Barred) -> Inbound {
    let specs = BTreeMap::from([(to.revision.clone(), to.spec)]);
    let lineup = Lineup::of(&to.revision);
    game.admit(to);
    Inbound::Switch(Switch { spell: "mist".into(), lineup, specs, barred })
}

fn cast(caster: EntityId) -> Inbound {
    Inbound::Cast(CastRequest {
        caster,
        spell: "mist".into(),
        revision: String::new(),
        target_position: Vec3::ZERO,
        target: EntityId::NONE,
        params: "{}".into(),
    })
}

/// What a cast's author would see, without the lines between the first two.
fn tell(events: &[Outbound], from: &str) -> Vec<String> {
    let short = |revision: &str| if revision == from { "own" } else { "other" };
    events
        .iter()
        .filter_map(|event| match event {
            Outbound::Log { text, revision, .. } => Some(format!("{}:{text}", short(revision))),
            Outbound::Migrated { .. } => Some("moved".into()),
            Outbound::MigrationFailed { fault, .. } => Some(format!("stays ({} in {})", fault.limit, fault.hook)),
            Outbound::CastFaulted { fault, .. } => Some(format!("faulted ({} in {})", fault.limit, fault.hook)),
            Outbound::CastEnded { reason, .. } => Some(format!("ended ({reason:?})")),
            _ => None,
        })
        .collect()
}

#[test]
fn what_becomes_of_a_cast_when_its_spell_changes() {
    let runtime = runtime();
    let mut table = String::new();
    for change in [Change::Publish, Change::Rollback, Change::Revoke] {
        for (policy_name, policy) in POLICIES {
            for (save_name, save) in SAVES {
                for (restore_name, restore) in RESTORES {
                    let told = play(&runtime, change, policy, save, restore);
                    writeln!(table, "{change:?}, {policy_name}, {save_name}, {restore_name}: {told}").unwrap();
                }
            }
        }
    }
    expect![[r#"
        Publish, finish, saves, takes: own:06, own:07, own:08, own:09, own:10
        Publish, finish, saves, refuses: own:06, own:07, own:08, own:09, own:10
        Publish, finish, saves, traps: own:06, own:07, own:08, own:09, own:10
        Publish, finish, saves, spins: own:06, own:07, own:08, own:09, own:10
        Publish, finish, saves nothing, takes: own:06, own:07, own:08, own:09, own:10
        Publish, finish, saves nothing, refuses: own:06, own:07, own:08, own:09, own:10
        Publish, finish, saves nothing, traps: own:06, own:07, own:08, own:09, own:10
        Publish, finish, saves nothing, spins: own:06, own:07, own:08, own:09, own:10
        Publish, finish, breaks, takes: own:06, own:07, own:08, own:09, own:10
        Publish, finish, breaks, refuses: own:06, own:07, own:08, own:09, own:10
        Publish, finish, breaks, traps: own:06, own:07, own:08, own:09, own:10
        Publish, finish, breaks, spins: own:06, own:07, own:08, own:09, own:10
        Publish, migrate, saves, takes: moved, other:n06, other:n07, other:n08, other:n09, other:n10
        Publish, migrate, saves, refuses: stays (restore in restore), own:06, own:07, own:08, own:09, own:10
        Publish, migrate, saves, traps: stays (unreachable in restore), own:06, own:07, own:08, own:09, own:10
        Publish, migrate, saves, spins: stays (fuel in restore), own:06, own:07, own:08, own:09, own:10
        Publish, migrate, saves nothing, takes: moved, other:n01, other:n02, other:n03, other:n04, other:n05
        Publish, migrate, saves nothing, refuses: stays (restore in restore), own:06, own:07, own:08, own:09, own:10
        Publish, migrate, saves nothing, traps: stays (unreachable in restore), own:06, own:07, own:08, own:09, own:10
        Publish, migrate, saves nothing, spins: stays (fuel in restore), own:06, own:07, own:08, own:09, own:10
        Publish, migrate, breaks, takes: faulted (unreachable in save), ended (Fault)
        Publish, migrate, breaks, refuses: faulted (unreachable in save), ended (Fault)
        Publish, migrate, breaks, traps: faulted (unreachable in save), ended (Fault)
        Publish, migrate, breaks, spins: faulted (unreachable in save), ended (Fault)
        Publish, cancel, saves, takes: ended (Revision)
        Publish, cancel, saves, refuses: ended (Revision)
        Publish, cancel, saves, traps: ended (Revision)
        Publish, cancel, saves, spins: ended (Revision)
        Publish, cancel, saves nothing, takes: ended (Revision)
        Publish, cancel, saves nothing, refuses: ended (Revision)
        Publish, cancel, saves nothing, traps: ended (Revision)
        Publish, cancel, saves nothing, spins: ended (Revision)
        Publish, cancel, breaks, takes: ended (Revision)
        Publish, cancel, breaks, refuses: ended (Revision)
        Publish, cancel, breaks, traps: ended (Revision)
        Publish, cancel, breaks, spins: ended (Revision)
        Rollback, finish, saves, takes: own:n06, own:n07, own:n08, own:n09, own:n10
        Rollback, finish, saves, refuses: own:n06, own:n07, own:n08, own:n09, own:n10
        Rollback, finish, saves, traps: own:n06, own:n07, own:n08, own:n09, own:n10
        Rollback, finish, saves, spins: own:n06, own:n07, own:n08, own:n09, own:n10
        Rollback, finish, saves nothing, takes: own:n06, own:n07, own:n08, own:n09, own:n10
        Rollback, finish, saves nothing, refuses: own:n06, own:n07, own:n08, own:n09, own:n10
        Rollback, finish, saves nothing, traps: own:n06, own:n07, own:n08, own:n09, own:n10
        Rollback, finish, saves nothing, spins: own:n06, own:n07, own:n08, own:n09, own:n10
        Rollback, finish, breaks, takes: own:n06, own:n07, own:n08, own:n09, own:n10
        Rollback, finish, breaks, refuses: own:n06, own:n07, own:n08, own:n09, own:n10
        Rollback, finish, breaks, traps: own:n06, own:n07, own:n08, own:n09, own:n10
        Rollback, finish, breaks, spins: own:n06, own:n07, own:n08, own:n09, own:n10
        Rollback, migrate, saves, takes: moved, other:06, other:07, other:08, other:09, other:10
        Rollback, migrate, saves, refuses: stays (restore in restore), own:n06, own:n07, own:n08, own:n09, own:n10
        Rollback, migrate, saves, traps: stays (unreachable in restore), own:n06, own:n07, own:n08, own:n09, own:n10
        Rollback, migrate, saves, spins: stays (fuel in restore), own:n06, own:n07, own:n08, own:n09, own:n10
        Rollback, migrate, saves nothing, takes: moved, other:01, other:02, other:03, other:04, other:05
        Rollback, migrate, saves nothing, refuses: stays (restore in restore), own:n06, own:n07, own:n08, own:n09, own:n10
        Rollback, migrate, saves nothing, traps: stays (unreachable in restore), own:n06, own:n07, own:n08, own:n09, own:n10
        Rollback, migrate, saves nothing, spins: stays (fuel in restore), own:n06, own:n07, own:n08, own:n09, own:n10
        Rollback, migrate, breaks, takes: faulted (unreachable in save), ended (Fault)
        Rollback, migrate, breaks, refuses: faulted (unreachable in save), ended (Fault)
        Rollback, migrate, breaks, traps: faulted (unreachable in save), ended (Fault)
        Rollback, migrate, breaks, spins: faulted (unreachable in save), ended (Fault)
        Rollback, cancel, saves, takes: ended (Revision)
        Rollback, cancel, saves, refuses: ended (Revision)
        Rollback, cancel, saves, traps: ended (Revision)
        Rollback, cancel, saves, spins: ended (Revision)
        Rollback, cancel, saves nothing, takes: ended (Revision)
        Rollback, cancel, saves nothing, refuses: ended (Revision)
        Rollback, cancel, saves nothing, traps: ended (Revision)
        Rollback, cancel, saves nothing, spins: ended (Revision)
        Rollback, cancel, breaks, takes: ended (Revision)
        Rollback, cancel, breaks, refuses: ended (Revision)
        Rollback, cancel, breaks, traps: ended (Revision)
        Rollback, cancel, breaks, spins: ended (Revision)
        Revoke, finish, saves, takes: ended (Revision)
        Revoke, finish, saves, refuses: ended (Revision)
        Revoke, finish, saves, traps: ended (Revision)
        Revoke, finish, saves, spins: ended (Revision)
        Revoke, finish, saves nothing, takes: ended (Revision)
        Revoke, finish, saves nothing, refuses: ended (Revision)
        Revoke, finish, saves nothing, traps: ended (Revision)
        Revoke, finish, saves nothing, spins: ended (Revision)
        Revoke, finish, breaks, takes: ended (Revision)
        Revoke, finish, breaks, refuses: ended (Revision)
        Revoke, finish, breaks, traps: ended (Revision)
        Revoke, finish, breaks, spins: ended (Revision)
        Revoke, migrate, saves, takes: ended (Revision)
        Revoke, migrate, saves, refuses: ended (Revision)
        Revoke, migrate, saves, traps: ended (Revision)
        Revoke, migrate, saves, spins: ended (Revision)
        Revoke, migrate, saves nothing, takes: ended (Revision)
        Revoke, migrate, saves nothing, refuses: ended (Revision)
        Revoke, migrate, saves nothing, traps: ended (Revision)
        Revoke, migrate, saves nothing, spins: ended (Revision)
        Revoke, migrate, breaks, takes: ended (Revision)
        Revoke, migrate, breaks, refuses: ended (Revision)
        Revoke, migrate, breaks, traps: ended (Revision)
        Revoke, migrate, breaks, spins: ended (Revision)
        Revoke, cancel, saves, takes: ended (Revision)
        Revoke, cancel, saves, refuses: ended (Revision)
        Revoke, cancel, saves, traps: ended (Revision)
        Revoke, cancel, saves, spins: ended (Revision)
        Revoke, cancel, saves nothing, takes: ended (Revision)
        Revoke, cancel, saves nothing, refuses: ended (Revision)
        Revoke, cancel, saves nothing, traps: ended (Revision)
        Revoke, cancel, saves nothing, spins: ended (Revision)
        Revoke, cancel, breaks, takes: ended (Revision)
        Revoke, cancel, breaks, refuses: ended (Revision)
        Revoke, cancel, breaks, traps: ended (Revision)
        Revoke, cancel, breaks, spins: ended (Revision)
    "#]]
    .assert_eq(&table);
}
