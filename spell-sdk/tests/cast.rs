//! What an author notices of the SDK: hooks, requests, refusals, and state that comes back in another revision.

use spell_sdk::prelude::*;
use spell_sdk::saved::RestoreError;
use spell_sdk::testing::{FakeCast, FakeWorld, Intent};
use std::panic::Location;

/// What a hook does in a test.
type Act = fn(&mut World) -> Result<(), Refusal>;

thread_local! {
    /// What the spell below does in `on_cast`.
    static ACT: std::cell::Cell<Act> = const { std::cell::Cell::new(|_| Ok(())) };
}

mod acting {
    use super::*;
    spell! {
        envelope: Envelope::timed(1.0).radius_m(20.0).max_entities(4).ticks(30.0).can(Can::DAMAGE | Can::MOVE_ENTITIES | Can::SPAWN_ENTITIES),
        /// Does in `on_cast` what the test says, and remembers what it was told.
        pub struct Acting {
            pub heard: Vec<u32>,
            pub ticked: f32 = 0.0,
            pub cancelled: bool = false,
        }
    }

    impl Spell for Acting {
        fn on_cast(&mut self, world: &mut World, _cast: &Cast) -> Result<(), Refusal> {
            ACT.get()(world)
        }
        fn on_tick(&mut self, _world: &mut World, dt: f32) -> Result<(), Refusal> {
            self.ticked += dt;
            Ok(())
        }
        fn on_event(&mut self, _world: &mut World, event: Event) -> Result<(), Refusal> {
            if let Event::Timer(token) = event {
                self.heard.push(token);
            }
            Ok(())
        }
        fn on_cancel(&mut self, _world: &mut World, _reason: CancelReason) -> Result<(), Refusal> {
            self.cancelled = true;
            Ok(())
        }
    }
}
use acting::Acting;

/// Five NPCs in a row before the caster, 2 m apart; `act` runs in `on_cast`.
fn act(act: Act) -> FakeCast<Acting> {
    let mut world = FakeWorld::new();
    let caster = world.add_player(Vec3::ZERO);
    for i in 1..=5 {
        world.add_npc(Vec3::new(0.0, 0.0, -2.0 * i as f32));
    }
    ACT.set(act);
    world.cast(caster)
}

/// The crossings of the boundary, in order, in short.
fn crossings(cast: &FakeCast<Acting>) -> Vec<String> {
    let short = cast.intents.iter().map(|intent| match intent {
        Intent::Push(pushes) => format!("push {}", pushes.len()),
        Intent::Damage { target, amount } => format!("damage {} {amount}", target.0),
        Intent::Log { text, .. } => without_place(text).to_owned(),
        other => format!("{other:?}"),
    });
    short.collect()
}

/// A refusal's words without the place of the call.
fn without_place(text: &str) -> &str {
    match text.split_once(": ") {
        Some((place, words)) if place.starts_with(file!()) => words,
        _ => text,
    }
}

#[test]
fn pushes_cross_together_and_keep_their_place() {
    let cast = act(|world| {
        for e in world.near(4.0)? {
            e.push(Vec3::UP);
        }
        let third = world.near(6.0)?.get(2).map(|e| e.id).unwrap_or_default();
        world.damage(third, 5.0)?;
        world.push(third, Vec3::UP);
        Ok(())
    });
    assert_eq!(crossings(&cast), ["push 2", "damage 4 5", "push 1"]);
}

#[test]
fn requests_go_on_while_a_query_is_walked_over() {
    let cast = act(|world| {
        for e in world.near(4.0)? {
            e.push(Vec3::UP);
            e.damage(1.0)?;
        }
        Ok(())
    });
    assert_eq!(crossings(&cast), ["push 1", "damage 2 1", "push 1", "damage 3 1"]);
}

#[test]
fn a_refused_push_is_put_in_words_and_the_next_request_still_happens() {
    let cast = act(|world| {
        for e in world.near(20.0)? {
            e.push(Vec3::UP);
        }
        world.damage(EntityId(2), 5.0)
    });
    assert_eq!(crossings(&cast), ["push was refused: it makes 5 entities touched or spawned, and 4 are allowed", "damage 2 5"]);
    assert!(cast.is_live());
}

#[test]
fn flush_answers_for_the_gathered_pushes() {
    let cast = act(|world| {
        world.push(EntityId(2), Vec3::new(0.0, 20_000.0, 0.0));
        let refused = world.flush().is_err();
        info!(world, "refused: {refused}");
        Ok(())
    });
    assert_eq!(crossings(&cast), ["refused: true"]);
}

#[test]
fn a_refusal_that_a_hook_returns_is_logged_in_words() {
    #[track_caller]
    fn check(what: Act, words: &str) {
        let cast = act(what);
        assert_eq!(crossings(&cast), [words]);
        let [Intent::Log { text, .. }] = cast.intents.as_slice() else { unreachable!("one line was told") };
        let place = format!("{}:{}:", file!(), Location::caller().line());
        assert!(text.starts_with(&place), "{text} is not at {place}");
    }
    check(|world| world.near(30.0).map(|_| ()), "find was refused: it reaches 30 m from the caster, and the envelope allows 20");
    check(|world| world.heal(EntityId(2), 1.0), "heal was refused: the envelope does not declare its capability");
    check(|world| world.damage(EntityId(2), f32::NAN), "damage was refused: a number is not finite");
    check(|world| world.damage(EntityId(2), 2e6), "damage was refused: 2000000 is out of range, and 1000 is the bound");
    check(|world| world.damage(EntityId(99), 1.0), "damage was refused: there is no such entity, or not one that it can act on");
    check(|world| world.cue(&"c".repeat(65), Vec3::ZERO, 1.0), "cue was refused: a length of 65, and 64 is allowed");
    check(|world| world.despawn(EntityId(2)), "despawn was refused: there is no such entity, or not one that it can act on");
}

#[test]
fn what_a_cast_launches_it_can_take_away() {
    let cast = act(|world| {
        let ball = world.launch(Projectile { velocity: Vec3::UP, damage: 1.0, ..Projectile::default() })?;
        world.despawn(ball)
    });
    assert!(matches!(&cast.intents[..], [Intent::Launch { id, .. }, Intent::Despawn { id: gone }] if id == gone), "{:?}", cast.intents);
}

#[test]
fn ticks_timers_and_the_end_come_in_their_time() {
    let mut cast = act(|world| {
        world.set_timer(7, after(0.5))?;
        world.set_timer(8, after(0.0))
    });
    cast.tick();
    assert_eq!(cast.spell().heard, [8]);
    cast.run(29);
    assert_eq!(cast.spell().heard, [8, 7]);
    assert!((cast.spell().ticked - 0.5).abs() < 1e-6);
    assert!(!cast.spell().cancelled);
    cast.run(30);
    assert!(cast.spell().cancelled && !cast.is_live());
}

mod first {
    use super::*;
    spell! {
        /// The revision that saves.
        pub struct Growing {
            pub count: u32 = 0,
            pub forgotten: String,
            pub path: Vec<Vec3>,
            pub chosen: Option<EntityId> = None,
        }
    }
    impl Spell for Growing {
        fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {
            self.count = world.rng().below(1_000);
            self.forgotten = "gone".into();
            self.path = vec![cast.aim, cast.origin];
            self.chosen = Some(cast.caster);
            Ok(())
        }
    }
}

mod second {
    use super::*;
    spell! {
        /// A later revision: one field less, one more, another order.
        pub struct Growing {
            pub chosen: Option<EntityId>,
            pub power: f32 = 2.5,
            pub path: Vec<Vec3>,
            pub count: u32 = 0,
            pub rolls: [u32; 2] = [0, 0],
        }
    }
    impl Spell for Growing {
        fn on_cast(&mut self, _world: &mut World, _cast: &Cast) -> Result<(), Refusal> {
            Ok(())
        }
        fn on_event(&mut self, world: &mut World, _event: Event) -> Result<(), Refusal> {
            self.rolls = [world.rng().next_u32(), world.cast().seed as u32];
            Ok(())
        }
    }
}

mod third {
    use super::*;
    spell! {
        /// A later revision that counts otherwise.
        pub struct Growing { pub count: f32 = 1.0 }
    }
    impl Spell for Growing {
        fn on_cast(&mut self, _world: &mut World, _cast: &Cast) -> Result<(), Refusal> {
            Ok(())
        }
    }
}

fn saved_by_the_first() -> (FakeWorld, EntityId, FakeCast<first::Growing>) {
    let mut world = FakeWorld::new();
    let caster = world.add_player(Vec3::ZERO);
    let cast = Cast { seed: 77, params: r#"{"power":3}"#.into(), ..world.aimed_by(caster) };
    let first = world.cast_as(cast);
    (world, caster, first)
}

#[test]
fn a_state_comes_back_whole_in_its_own_revision() {
    let (mut world, caster, first) = saved_by_the_first();
    let mut again = world.cast::<first::Growing>(caster);
    again.restore(&first.save()).unwrap();
    assert_eq!(again.save(), first.save());
    assert_eq!(again.spell().path.len(), 2);
}

#[test]
fn a_state_comes_back_in_a_revision_with_other_fields() {
    let (mut world, caster, first) = saved_by_the_first();
    let mut second = world.cast::<second::Growing>(caster);
    second.restore(&first.save()).unwrap();
    let (old, new) = (first.spell(), second.spell());
    assert_eq!((new.count, &new.path, new.chosen, new.power), (old.count, &old.path, old.chosen, 2.5));

    // The cast and its random stream go on where they stood.
    second.event(Event::Timer(0));
    let rng = Rng::new(77);
    rng.next_u32();
    assert_eq!(second.spell().rolls, [rng.next_u32(), 77]);
}

#[test]
fn a_field_of_another_type_and_a_damaged_state_are_refused_and_change_nothing() {
    let (mut world, caster, first) = saved_by_the_first();
    let mut third = world.cast::<third::Growing>(caster);
    assert_eq!(third.restore(&first.save()), Err(RestoreError::Field("count")));

    let (good, before) = (first.save(), third.save());
    assert_eq!(third.restore(&[9]), Err(RestoreError::Layout(9)));
    let mut again = world.cast::<first::Growing>(caster);
    for cut in 0..good.len() {
        assert_eq!(again.restore(&good[..cut]), Err(RestoreError::Malformed), "cut at {cut}");
    }
    assert_eq!(third.save(), before);
}
