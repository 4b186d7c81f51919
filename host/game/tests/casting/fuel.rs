//! Spells that spend all the fuel they get: the tick stays bounded, and nobody else is put off.

use crate::guest::{BOLT, CALM, Guest, IDLE, SPIN, STRONG_BOLT, load};
use game::{Game, LoadedRevision, Runtime};
use sim::inbound::CastRequest;
use sim::outbound::CastEnd;
use sim::team::Policy;
use sim::{Digest, EntityId, Inbound, Outbound, Vec3, World};
use std::collections::BTreeMap;

const SPINNERS: usize = 12;
/// Calls of spinners that fit into a tick: 8 million units of fuel, nearly a million each, and the call that goes over.
const SPINS_PER_TICK_MAX: usize = 9;
/// The same once their casters are deep in debt: a million for all of them.
const SPINS_IN_DEBT_PER_TICK_MAX: usize = 2;

/// A crowd, and a dummy in front of its first player.
struct Crowd {
    game: Game,
    players: Vec<EntityId>,
    dummy: EntityId,
}

impl Crowd {
    fn new() -> Self {
        let mut world = World::empty(7);
        // What is looked at here is fuel: mana would end these casts first.
        world.set_policy(Policy::FREE);
        let place = |index: usize| Vec3::new(index as f32 * 2.0, 1.9, 0.0);
        let players = (0..=SPINNERS).map(|index| world.spawn_player("kim", place(index), Vec3::NEG_Z)).collect();
        let dummy = world.spawn_npc("dummy", Vec3::new(0.0, 1.9, -10.0));
        Self { game: Game::with_world(world), players, dummy }
    }

    fn activate(&mut self, loaded: LoadedRevision) {
        let activate = self.game.activate(loaded);
        self.step(&[activate]);
    }

    fn step(&mut self, inbound: &[Inbound]) -> Vec<Outbound> {
        self.game.step(inbound, &mut |_| ())
    }

    /// All but the first player cast this.
    fn all_cast(&self, spell: &str) -> Vec<Inbound> {
        self.players[1..].iter().map(|player| cast(*player, spell)).collect()
    }
}

fn cast(caster: EntityId, spell: &str) -> Inbound {
    Inbound::Cast(CastRequest {
        caster,
        spell: spell.into(),
        revision: String::new(),
        target_position: Vec3::ZERO,
        target: EntityId::NONE,
        params: "{}".into(),
    })
}

/// Lines by caster.
fn lines(outbound: &[Outbound]) -> BTreeMap<EntityId, usize> {
    let mut lines = BTreeMap::new();
    for event in outbound {
        if let Outbound::Log { caster, .. } = event {
            *lines.entry(*caster).or_default() += 1;
        }
    }
    lines
}

#[test]
fn a_crowd_of_spinners_shares_the_tick_and_puts_nobody_else_off() {
    let runtime = Runtime::new(16).expect("a small runtime");
    let mut crowd = Crowd::new();
    crowd.activate(load(&runtime, "spin", "rev_000001_00000000", SPIN));
    crowd.activate(load(&runtime, "calm", "rev_000001_00000001", CALM));
    let mut inbound = crowd.all_cast("spin");
    // The newest cast of all.
    inbound.push(cast(crowd.players[0], "calm"));
    crowd.step(&inbound);

    let mut calls: BTreeMap<EntityId, usize> = BTreeMap::new();
    for tick in 1..100 {
        let mut lines = lines(&crowd.step(&[]));
        let calm = lines.remove(&crowd.players[0]);
        let spins: usize = lines.values().sum();
        // At first nobody owes anything, and the tick is filled in the order of the casts.
        if tick < 10 {
            assert!((1..=SPINS_PER_TICK_MAX).contains(&spins), "{spins} calls in tick {tick}");
            continue;
        }
        assert_eq!(calm, Some(1), "tick {tick}");
        assert!((1..=SPINS_IN_DEBT_PER_TICK_MAX).contains(&spins), "{spins} calls in tick {tick}");
        lines.into_iter().for_each(|(caster, count)| *calls.entry(caster).or_default() += count);
    }
    let (least, most) = (calls.values().min(), calls.values().max());
    assert_eq!(calls.len(), SPINNERS);
    assert!(most <= least.map(|least| least + 2).as_ref(), "{calls:?}");

    // A spinner that leaves has its last call when its turn comes.
    let mut outbound = crowd.step(&[Inbound::Leave { player: crowd.players[1] }]);
    outbound.extend((0..SPINNERS).flat_map(|_| crowd.step(&[])));
    let ends: Vec<_> = outbound.iter().filter(|event| matches!(event, Outbound::CastEnded { reason: CastEnd::CasterGone, .. })).collect();
    assert_eq!(ends.len(), 1);
}

#[test]
fn all_casts_of_one_caster_share_its_tick() {
    let runtime = Runtime::new(8).expect("a small runtime");
    let mut crowd = Crowd::new();
    let spells: Vec<String> = (0..8).map(|number| format!("spin_{number}")).collect();
    for spell in &spells {
        crowd.activate(load(&runtime, spell, "rev_000001_00000000", SPIN));
    }
    let inbound: Vec<Inbound> = spells.iter().map(|spell| cast(crowd.players[0], spell)).collect();
    crowd.step(&inbound);
    for tick in 1..10 {
        let lines = lines(&crowd.step(&[]));
        assert!((1..=2).contains(&lines[&crowd.players[0]]), "{lines:?} in tick {tick}");
    }
}

#[test]
fn what_init_spends_counts() {
    let runtime = Runtime::new(16).expect("a small runtime");
    let mut crowd = Crowd::new();
    crowd.activate(load(&runtime, "slow", "rev_000001_00000000", Guest { init: "(call $spin)", on_cast: "(call $line)", ..IDLE }));
    let inbound = crowd.all_cast("slow");
    let started = lines(&crowd.step(&inbound)).len();
    assert!((1..=SPINS_PER_TICK_MAX).contains(&started), "{started} casts started in one tick");
    assert_eq!(started + lines(&crowd.step(&[])).len(), SPINNERS, "the others in the next");
}

#[test]
fn a_cast_that_waits_for_its_first_call_keeps_its_revision() {
    let runtime = Runtime::new(16).expect("a small runtime");
    let mut crowd = Crowd::new();
    crowd.activate(load(&runtime, "spin", "rev_000001_00000000", Guest { on_cast: "(call $spin)", ..IDLE }));
    crowd.activate(load(&runtime, "bolt", "rev_000001_00000001", BOLT));
    let mut inbound = crowd.all_cast("spin");
    inbound.push(cast(crowd.players[0], "bolt"));
    inbound.push(crowd.game.activate(load(&runtime, "bolt", "rev_000002_00000002", STRONG_BOLT)));
    let mut outbound = crowd.step(&inbound);
    assert!(!outbound.iter().any(|event| matches!(event, Outbound::Spawned { .. })), "the bolt waits");
    for _ in 0..60 {
        outbound.extend(crowd.step(&[]));
    }
    let fault = outbound.iter().find(|event| matches!(event, Outbound::CastFaulted { .. }));
    assert_eq!(fault, None);
    assert_eq!(crowd.game.world().scene().entity(crowd.dummy).map(|dummy| dummy.health), Some(75.0));
}

#[test]
fn nothing_of_a_cast_is_called_after_it_has_finished() {
    let runtime = Runtime::new(1).expect("a small runtime");
    let digests = |on_event| -> Vec<Digest> {
        let on_cast =
            "(call $set_timer (i32.const 1) (i32.const 1) (i32.const 64)) (call $set_timer (i32.const 2) (i32.const 1) (i32.const 64))";
        let mut crowd = Crowd::new();
        crowd.activate(load(&runtime, "brief", "rev_000001_00000000", Guest { on_cast, on_event, ..IDLE }));
        crowd.step(&[cast(crowd.players[0], "brief")]);
        let step = |_| {
            crowd.step(&[]);
            crowd.game.world().digest()
        };
        (0..3).map(step).collect()
    };
    let quiet = "(if (i64.eq (local.get 1) (i64.const 1)) (then (call $finish)))";
    let spinning = "(if (i64.eq (local.get 1) (i64.const 1)) (then (call $finish)) (else (call $spin)))";
    assert_eq!(digests(quiet), digests(spinning), "what the second timer's call would have cost shows in what the caster owes");
}
