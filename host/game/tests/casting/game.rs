//! Spells come, go and fail while the world ticks.

use crate::guest::{BOLT, Guest, IDLE, LOOP, STRONG_BOLT, load, loader, runtime};
use game::{Game, LoadedRevision};
use sim::inbound::CastRequest;
use sim::team::Policy;
use sim::{EntityId, Inbound, Outbound, Vec3, World};

/// Two players and the dummy in front of both.
struct Place {
    game: Game,
    ann: EntityId,
    kim: EntityId,
    dummy: EntityId,
}

impl Place {
    fn new() -> Self {
        let mut world = World::empty(7);
        // What is looked at here is fuel: mana would end these casts first.
        world.set_policy(Policy::FREE);
        let ann = world.spawn_player("ann", Vec3::new(0.0, 1.9, 0.0), Vec3::NEG_Z);
        let kim = world.spawn_player("kim", Vec3::new(0.0, 1.9, -20.0), Vec3::Z);
        let dummy = world.spawn_npc("dummy", Vec3::new(0.0, 1.9, -10.0));
        Self { game: Game::with_world(world), ann, kim, dummy }
    }

    fn step(&mut self, inbound: &[Inbound]) -> Vec<Outbound> {
        self.game.step(inbound, &mut |_| ())
    }

    fn run(&mut self, ticks: u32) -> Vec<Outbound> {
        (0..ticks).flat_map(|_| self.step(&[])).collect()
    }

    fn activate(&mut self, loaded: LoadedRevision) {
        let activate = self.game.activate(loaded);
        self.step(&[activate]);
    }

    fn health(&self) -> f32 {
        self.game.world().scene().entity(self.dummy).map_or(0.0, |dummy| dummy.health)
    }

    fn loaded(&self) -> Vec<&str> {
        self.game.loaded().map(|loaded| loaded.revision.as_str()).collect()
    }
}

fn cast(caster: EntityId, spell: &str) -> Inbound {
    Inbound::Cast(CastRequest {
        caster,
        spell: spell.into(),
        revision: String::new(),
        target_position: Vec3::new(0.0, 1.9, -10.0),
        target: EntityId::NONE,
        params: "{}".into(),
    })
}

fn faults(outbound: &[Outbound]) -> Vec<(&str, &str, EntityId)> {
    outbound
        .iter()
        .filter_map(|event| match event {
            Outbound::CastFaulted { caster, fault, .. } => Some((fault.limit, fault.hook, *caster)),
            _ => None,
        })
        .collect()
}

#[test]
fn a_loop_ends_its_own_cast_and_no_other() {
    let runtime = runtime();
    let mut place = Place::new();
    place.activate(load(&runtime, "bolt", "rev_000001_00000000", BOLT));
    place.activate(load(&runtime, "loop", "rev_000001_00000001", LOOP));
    let mut outbound = place.step(&[cast(place.ann, "loop"), cast(place.kim, "bolt")]);
    outbound.extend(place.run(60));
    assert_eq!(faults(&outbound), [("fuel", "on-tick", place.ann)]);
    assert_eq!((place.health(), place.game.casts_live(), place.game.world().live_casts()), (75.0, 0, 0));
}

#[test]
fn a_fault_in_init_is_the_casts_end() {
    let runtime = runtime();
    let mut place = Place::new();
    place.activate(load(&runtime, "stuck", "rev_000001_00000000", Guest { init: "(loop $again (br $again))", ..IDLE }));
    place.activate(load(&runtime, "trap", "rev_000001_00000001", Guest { init: "unreachable", ..IDLE }));
    let outbound = place.step(&[cast(place.ann, "stuck"), cast(place.kim, "trap")]);
    assert_eq!(faults(&outbound), [("fuel", "init", place.ann), ("unreachable", "init", place.kim)]);
    assert_eq!((place.game.casts_live(), place.game.world().live_casts()), (0, 0));
}

#[test]
fn new_casts_run_the_new_revision_and_old_ones_finish_on_theirs() {
    let runtime = runtime();
    let mut place = Place::new();
    place.activate(load(&runtime, "bolt", "rev_000001_00000000", BOLT));
    place.step(&[cast(place.ann, "bolt")]);
    place.activate(load(&runtime, "bolt", "rev_000002_00000001", STRONG_BOLT));
    assert_eq!(place.game.world().active_revision("bolt"), Some("rev_000002_00000001"));
    assert_eq!(place.loaded(), ["rev_000001_00000000", "rev_000002_00000001"], "a cast still flies on the first");
    place.run(60);
    assert_eq!(place.health(), 75.0);
    assert_eq!(place.loaded(), ["rev_000002_00000001"], "nobody uses the first any more");
    place.step(&[cast(place.ann, "bolt")]);
    place.run(60);
    assert_eq!(place.health(), 25.0);
}

#[test]
fn rolling_back_is_activating_an_older_revision() {
    let runtime = runtime();
    let mut place = Place::new();
    for (revision, guest) in [("rev_000001_00000000", BOLT), ("rev_000002_00000001", STRONG_BOLT), ("rev_000001_00000000", BOLT)] {
        place.activate(load(&runtime, "bolt", revision, guest));
    }
    assert_eq!(place.loaded(), ["rev_000001_00000000"]);
    place.step(&[cast(place.ann, "bolt")]);
    place.run(60);
    assert_eq!(place.health(), 75.0);
}

#[test]
fn a_bad_artifact_is_refused_and_the_last_good_one_stays() {
    let runtime = runtime();
    let mut place = Place::new();
    place.activate(load(&runtime, "bolt", "rev_000001_00000000", BOLT));
    let mut artifact = crate::guest::artifact_of(STRONG_BOLT);
    let middle = artifact.len() / 2;
    artifact[middle] ^= 1;
    let refused = loader(&runtime).load("bolt", "rev_000002_00000001", &artifact).expect_err("a flipped bit");
    assert_eq!(refused.to_string(), "artifact's signature is not valid under this server's key");
    place.step(&[cast(place.ann, "bolt")]);
    place.run(60);
    assert_eq!(place.health(), 75.0);
}

#[test]
fn a_full_pool_refuses_one_cast_and_says_so() {
    let runtime = game::Runtime::new(1).expect("a small runtime");
    let mut place = Place::new();
    place.activate(load(&runtime, "idle", "rev_000001_00000000", IDLE));
    // One for the cast, and one for whoever replaces an instance.
    let outbound = place.step(&[cast(place.ann, "idle"), cast(place.kim, "idle"), cast(place.dummy, "idle")]);
    assert_eq!(faults(&outbound), [("instances", "init", place.dummy)]);
    assert_eq!(place.game.casts_live(), 2);
}

#[test]
fn what_casts_took_is_told_when_they_end_and_what_their_casters_took_in_each_tick() {
    let runtime = runtime();
    let mut place = Place::new();
    place.activate(load(&runtime, "bolt", "rev_000001_00000000", BOLT));
    place.activate(load(&runtime, "loop", "rev_000001_00000001", LOOP));
    let began = place.game.world().tick();
    let mut of_ann = Vec::new();
    let mut ended = Vec::new();
    for tick in 0..60 {
        let inbound = if tick == 0 { vec![cast(place.ann, "bolt"), cast(place.kim, "loop")] } else { Vec::new() };
        place.step(&inbound);
        of_ann.extend(place.game.spent().by_caster.get(&place.ann).copied());
        ended.extend(place.game.spent().ended.iter().cloned());
    }
    // Its launch, its ticks, and the event that ends it.
    assert!(of_ann.len() > 2, "{of_ann:?}");
    let [looped, bolt] = ended.as_slice() else { panic!("two casts: {ended:?}") };
    assert_eq!((bolt.spell.as_str(), bolt.fuel, bolt.faulted), ("bolt", of_ann.iter().sum(), false));
    assert!(bolt.fuel > game::limits::INSTANCE_COST_FUEL, "{bolt:?}");
    let hooks: Vec<_> = bolt.hooks.iter().map(|hook| (hook.hook, hook.calls == 1)).collect();
    assert_eq!(hooks, [("on-cast", true), ("on-tick", false), ("on-event", true)]);
    assert_eq!(bolt.hooks.iter().map(|hook| hook.fuel).sum::<u64>(), bolt.fuel);
    assert!(bolt.hooks.iter().all(|hook| hook.fuel_max <= hook.fuel && hook.fuel <= hook.fuel_max * u64::from(hook.calls)), "{bolt:?}");
    assert_eq!((bolt.caster, bolt.began), (place.ann, Some(began)));
    assert!(bolt.mana > 0.0 && bolt.memory_bytes >= 65_536 && bolt.memory_bytes.is_multiple_of(65_536), "{bolt:?}");
    assert_eq!((looped.spell.as_str(), looped.revision.as_str(), looped.faulted), ("loop", "rev_000001_00000001", true));
    assert!(looped.fuel > game::limits::SPELL_CALL_FUEL_MAX, "{looped:?}");
    place.step(&[]);
    assert!(place.game.spent().by_caster.is_empty() && place.game.spent().ended.is_empty());
}
