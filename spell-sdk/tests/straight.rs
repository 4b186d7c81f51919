//! What an author notices of straight-line spells: waits end in time, events are not missed, the end is the end, and a save tears nothing.

use spell_sdk::After;
use spell_sdk::prelude::*;
use spell_sdk::saved::RestoreError;
use spell_sdk::testing::{FakeCast, FakeWorld, Intent};
use std::cell::{Cell, RefCell};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

type Running<'w> = Pin<Box<dyn Future<Output = Result<(), Refusal>> + 'w>>;
/// What `run` does in a test.
type Act = fn(&World) -> Running<'_>;

thread_local! {
    static ACT: Cell<Act> = const { Cell::new(|_| Box::pin(async { Ok(()) })) };
}

/// A spell that does what the test says.
macro_rules! acting {
    ($name:ident, $module:ident, $envelope:expr) => {
        mod $module {
            use super::*;
            spell! {
                envelope: $envelope.radius_m(60.0).max_entities(64).can(Can::DAMAGE | Can::MOVE_ENTITIES | Can::SPAWN_ENTITIES),
                pub struct $name { pub cancelled: Cell<bool> }
            }
            impl Straight for $name {
                async fn run(&self, world: &World) -> Result<(), Refusal> {
                    ACT.get()(world).await
                }
                fn on_cancel(&self, world: &World, _reason: CancelReason) -> Result<(), Refusal> {
                    self.cancelled.set(true);
                    world.cue("goodbye", world.cast().origin, 1.0)
                }
            }
        }
        use $module::$name;
    };
}
acting!(Waiting, waiting, Envelope::timed(20.0).events(60.0));
acting!(Ticking, ticking, Envelope::timed(20.0).ticks(10.0));
acting!(Always, always, Envelope::timed(20.0).ticks(60.0));
acting!(Instant, instant, Envelope::instant());

/// A line with its tick.
macro_rules! say {
    ($world:expr, $($text:tt)+) => {{
        let text = format!($($text)+);
        info!($world, "{}: {text}", $world.tick());
    }};
}

fn cast<S: Spell>(act: Act) -> FakeCast<S> {
    let mut world = FakeWorld::new();
    let caster = world.add_player(Vec3::ZERO);
    ACT.set(act);
    world.cast(caster)
}

/// What it has said when so many ticks have passed.
#[track_caller]
fn check<S: Spell>(ticks: u32, act: Act, said: &[&str]) -> FakeCast<S> {
    let mut cast = cast::<S>(act);
    cast.run(ticks);
    assert_eq!(cast.log_lines(), said);
    cast
}

fn timers<S: Spell>(cast: &FakeCast<S>) -> usize {
    cast.intents.iter().filter(|intent| matches!(intent, Intent::SetTimer { .. })).count()
}

fn ball(world: &World) -> Result<EntityId, Refusal> {
    world.launch(Projectile { velocity: Vec3::UP, ..Projectile::default() })
}

#[test]
fn a_wait_takes_as_long_as_it_says_whatever_the_envelope() {
    let act: Act = |world| {
        Box::pin(async move {
            say!(world, "cast");
            after(0.5).await;
            say!(world, "half a second");
            Ticks(1).await;
            say!(world, "a tick");
            after(0.0).await;
            say!(world, "another");
            Ok(())
        })
    };
    let said = ["0: cast", "30: half a second", "31: a tick", "32: another"];
    assert_eq!(timers(&check::<Waiting>(60, act, &said)), 3);
    assert_eq!(timers(&check::<Ticking>(60, act, &said)), 3);
    // Called in each tick anyway, it needs none.
    assert_eq!(timers(&check::<Always>(60, act, &said)), 0);
    assert_eq!(timers(&check::<Instant>(60, act, &said)), 3);
}

#[test]
fn a_run_that_is_over_ends_its_cast_but_an_instant_one() {
    assert!(!cast::<Waiting>(|_| Box::pin(async { Ok(()) })).is_live());
    // The host ends it, when nothing that it made is left.
    assert!(cast::<Instant>(|_| Box::pin(async { Ok(()) })).is_live());
    let mut ended = check::<Waiting>(
        5,
        |_| {
            Box::pin(async {
                forever().await;
                Ok(())
            })
        },
        &[],
    );
    assert!(ended.is_live());
    ended.cancel(CancelReason::CasterGone);
    assert!(!ended.is_live());
}

#[test]
fn a_refusal_ends_the_run_in_words() {
    let cast = check::<Waiting>(
        10,
        |world| {
            Box::pin(async move {
                after(0.1).await;
                world.heal(world.cast().caster, 1.0)?;
                unreachable!("it was refused");
            })
        },
        &[&format!("{}:{}:23: heal was refused: the envelope does not declare its capability", file!(), line!() - 4)],
    );
    assert!(!cast.is_live());
}

#[test]
fn pushes_before_a_wait_are_asked_for_before_it() {
    let mut world = FakeWorld::new();
    let caster = world.add_player(Vec3::ZERO);
    let rock = world.add_prop(Vec3::new(3.0, 0.0, 0.0));
    ACT.set(|world| {
        Box::pin(async move {
            for body in world.near(5.0)? {
                body.push(Vec3::UP * 80.0);
                after(0.1).await;
                body.push(Vec3::UP * 80.0);
            }
            Ok(())
        })
    });
    let mut cast = world.cast::<Waiting>(caster);
    assert_eq!(world.entity(rock).unwrap().velocity, Vec3::UP);
    cast.run(6);
    assert_eq!(world.entity(rock).unwrap().velocity, Vec3::UP * 2.0);
    assert!(!cast.is_live());
}

#[test]
fn a_beat_does_not_drift_and_skips_what_it_missed() {
    check::<Waiting>(
        80,
        |world| {
            Box::pin(async move {
                let mut beat = every(0.1);
                let dt = beat.wait().await;
                say!(world, "{dt}");
                after(0.25).await;
                let dt = beat.wait().await;
                say!(world, "{dt}");
                let dt = beat.wait().await;
                say!(world, "{dt}");
                Ok(())
            })
        },
        &["6: 0.1", "21: 0.2", "24: 0.1"],
    );
}

#[test]
fn ticks_tell_their_true_length() {
    check::<Ticking>(
        30,
        |world| {
            Box::pin(async move {
                say!(world, "{}", next_tick().await);
                say!(world, "{}", next_tick().await);
                // What comes while nobody waits for a tick is not caught up with.
                after(0.15).await;
                say!(world, "{}", next_tick().await);
                Ok(())
            })
        },
        &["6: 0.1", "12: 0.1", "24: 0.1"],
    );
}

#[test]
#[should_panic(expected = "next_tick() needs an envelope with .ticks(hz)")]
fn a_tick_that_never_comes_is_not_waited_for() {
    cast::<Waiting>(|_| {
        Box::pin(async {
            next_tick().await;
            Ok(())
        })
    });
}

#[test]
#[should_panic(expected = "only the run of a straight-line spell can wait")]
fn nobody_else_can_wait() {
    let mut wait = pin!(next_event());
    let _ = wait.as_mut().poll(&mut Context::from_waker(Waker::noop()));
}

#[test]
#[should_panic(expected = "no target")]
fn a_panic_is_one_after_a_wait_too() {
    let mut cast = cast::<Waiting>(|_| {
        Box::pin(async {
            after(0.1).await;
            panic!("no target");
        })
    });
    cast.run(10);
}

#[test]
fn a_hit_is_told_though_it_came_before_it_was_awaited() {
    let mut cast = cast::<Waiting>(|world| {
        Box::pin(async move {
            let (one, other) = (ball(world)?, ball(world)?);
            after(0.5).await;
            let point = hit_of(other).await.map(|hit| hit.point);
            say!(world, "{:?}", point.map(|point| point.x));
            say!(world, "{}", hit_of(one).await.is_some());
            Ok(())
        })
    });
    let [Intent::Launch { id: one, .. }, Intent::Launch { id: other, .. }, ..] = cast.intents[..] else { panic!("{:?}", cast.intents) };
    cast.event(Event::Expired(one));
    cast.hit(other, EntityId::NONE, Vec3::new(4.0, 0.0, 0.0));
    cast.run(30);
    assert_eq!(cast.log_lines(), ["30: Some(4.0)", "30: false"]);
    assert!(!cast.is_live());
}

#[test]
fn an_author_can_wait_for_any_event() {
    let mut cast = cast::<Waiting>(|world| {
        Box::pin(async move {
            world.set_timer(7, after(0.1))?;
            end_of(EntityId(9)).await;
            say!(world, "9 is gone");
            event_where(|event| (*event == Event::Timer(7)).then_some(())).await;
            say!(world, "{:?}", next_event().await);
            Ok(())
        })
    });
    cast.run(10);
    cast.event(Event::Dropped(EntityId(3)));
    cast.event(Event::Died(EntityId(9)));
    assert_eq!(cast.log_lines(), ["10: 9 is gone", "10: Dropped(EntityId(3))"]);
}

#[test]
fn the_newest_events_are_kept() {
    let mut cast = cast::<Waiting>(|world| {
        Box::pin(async move {
            after(1.0).await;
            say!(world, "{:?}", next_event().await);
            Ok(())
        })
    });
    for id in 0..40 {
        cast.event(Event::Dropped(EntityId(id)));
    }
    cast.run(60);
    assert_eq!(cast.log_lines(), ["60: Dropped(EntityId(8))"]);
}

#[test]
fn what_is_over_first_wins() {
    let mut cast = cast::<Waiting>(|world| {
        Box::pin(async move {
            say!(world, "{:?}", race(after(0.2), after(0.1)).await);
            say!(world, "{:?}", race(after(0.1), after(0.1)).await);
            say!(world, "{:?}", within(0.2, hit_of(EntityId(9))).await.is_some());
            let story = async {
                let mut hits = 0;
                while hit_of(EntityId(9)).await.is_some() {
                    hits += 1;
                    after(0.1).await;
                }
                hits
            };
            say!(world, "{:?}", within(0.5, story).await);
            Ok(())
        })
    });
    cast.run(24);
    cast.hit(EntityId(9), EntityId::NONE, Vec3::ZERO);
    cast.event(Event::Expired(EntityId(9)));
    cast.run(30);
    assert_eq!(cast.log_lines(), ["6: Second(())", "12: First(())", "24: false", "30: Some(1)"]);
    assert!(!cast.is_live());
}

/// How many of the host's timers wait at once, at most.
fn timers_at_once(cast: &mut FakeCast<Waiting>, ticks: u64) -> usize {
    let (mut dues, mut most): (Vec<u64>, usize) = (Vec::new(), 0);
    let mut seen = 0;
    for tick in 0..=ticks {
        dues.retain(|due| *due > tick);
        for intent in &cast.intents[seen..] {
            if let Intent::SetTimer { ticks, .. } = intent {
                dues.push(tick + u64::from(*ticks));
            }
        }
        seen = cast.intents.len();
        most = most.max(dues.len());
        cast.tick();
    }
    most
}

#[test]
fn any_number_of_waits_shares_a_few_timers() {
    // Each wait is shorter than those before, so that each wants a timer that rings before all that are set.
    let mut cast = cast::<Waiting>(|world| {
        Box::pin(async move {
            let mut waits: Vec<After> = Vec::new();
            let (mut begun, mut over) = (0, 0);
            std::future::poll_fn(|context| {
                if begun < 40 {
                    waits.push(after(6.0 - begun as f32 * 0.1).into_future());
                    begun += 1;
                }
                waits.retain_mut(|wait| {
                    let pending = Pin::new(wait).poll(context).is_pending();
                    over += usize::from(!pending);
                    pending
                });
                if waits.is_empty() { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            say!(world, "{over} are over");
            Ok(())
        })
    });
    // Every event polls, and begins one more of them.
    for _ in 0..39 {
        cast.event(Event::Dropped(EntityId::NONE));
    }
    let most = timers_at_once(&mut cast, 400);
    assert!(most <= 8, "{most}");
    assert_eq!(cast.log_lines(), ["360: 40 are over"]);
}

#[test]
fn a_wait_may_be_longer_than_a_timer() {
    let cast = cast::<Waiting>(|_| {
        Box::pin(async {
            Ticks(100_000).await;
            Ok(())
        })
    });
    assert!(matches!(cast.intents[..], [Intent::SetTimer { ticks: 36_000, .. }]), "{:?}", cast.intents);
}

/// Says when it is dropped.
struct Guard<'w>(&'w World);
impl Drop for Guard<'_> {
    fn drop(&mut self) {
        info!(self.0, "dropped");
    }
}

#[test]
fn a_cancelled_run_is_dropped_before_it_says_goodbye() {
    let mut cast = check::<Waiting>(
        1_200,
        |world| {
            Box::pin(async move {
                let _guard = Guard(world);
                forever().await;
                Ok(())
            })
        },
        &["dropped"],
    );
    assert!(cast.spell().cancelled.get() && !cast.is_live());
    assert!(matches!(&cast.intents[..], [Intent::Log { .. }, Intent::Cue { name, .. }] if name == "goodbye"), "{:?}", cast.intents);
    cast.run(10);
    assert_eq!(cast.log_lines().len(), 1);
}

mod volley {
    use super::*;
    spell! {
        envelope: Envelope::timed(20.0).events(60.0).can(Can::SPAWN_ENTITIES),
        /// Waits, launches, waits for the hit with a limit, and then says three things on a beat.
        pub struct Volley {
            pub ball: Cell<EntityId>,
            pub said: RefCell<Vec<u32>>,
            pub struck: Cell<bool>,
        }
    }
    impl Straight for Volley {
        const RESUMES: bool = true;
        async fn run(&self, world: &World) -> Result<(), Refusal> {
            if self.ball.get().is_none() {
                after(0.5).await;
                self.ball.set(ball(world)?);
                say!(world, "launched");
            }
            if !self.struck.get() {
                let hit = within(2.0, hit_of(self.ball.get())).await.flatten();
                say!(world, "{}", hit.is_some());
                self.struck.set(true);
            }
            let mut beat = every(0.2);
            while self.said.borrow().len() < 3 {
                let dt = beat.wait().await;
                self.said.borrow_mut().push((dt * 60.0) as u32);
                say!(world, "beat {dt}");
            }
            Ok(())
        }
    }
}
use volley::Volley;

/// Its story, with a reload at these ticks, if the ball hits at this one.
fn story(reloads: &[u32], hit_at: u32) -> Vec<String> {
    let mut world = FakeWorld::new();
    let caster = world.add_player(Vec3::ZERO);
    let mut cast = world.cast::<Volley>(caster);
    for tick in 0..220 {
        if reloads.contains(&tick) {
            cast.reload().unwrap();
        }
        if tick == hit_at {
            cast.hit(cast.spell().ball.get(), EntityId::NONE, Vec3::ZERO);
        }
        cast.tick();
    }
    assert!(!cast.is_live());
    cast.log_lines().into_iter().map(str::to_owned).collect()
}

#[test]
fn a_run_that_resumes_goes_on_as_if_it_had_never_been_saved() {
    let hit = story(&[], 60);
    assert_eq!(hit, ["30: launched", "60: true", "72: beat 0.2", "84: beat 0.2", "96: beat 0.2"]);
    let missed = story(&[], 1_000);
    assert_eq!(missed, ["30: launched", "150: false", "162: beat 0.2", "174: beat 0.2", "186: beat 0.2"]);
    for tick in 0..96 {
        assert_eq!(story(&[tick], 60), hit, "with a reload at {tick}");
    }
    for tick in (0..186).step_by(7) {
        assert_eq!(story(&[tick, tick + 1, tick + 5], 1_000), missed, "with reloads from {tick} on");
    }
    // Every call of a hook is then one of a fresh instance.
    let always: Vec<u32> = (0..220).collect();
    assert_eq!(story(&always, 60), hit);
    assert_eq!(story(&always, 1_000), missed);
}

#[test]
fn an_event_that_waits_to_be_awaited_is_saved() {
    let mut world = FakeWorld::new();
    let caster = world.add_player(Vec3::ZERO);
    let mut cast = world.cast::<Volley>(caster);
    // The ball's id is known in advance; the hit comes before its wait.
    cast.event(Event::Expired(EntityId(2)));
    cast.reload().unwrap();
    cast.run(31);
    assert_eq!(cast.log_lines(), ["30: launched", "30: false"]);
}

#[test]
fn a_run_that_does_not_resume_is_not_saved_but_goes_on() {
    let mut cast = cast::<Waiting>(|world| {
        Box::pin(async move {
            after(0.5).await;
            say!(world, "on");
            Ok(())
        })
    });
    cast.run(10);
    assert_eq!(cast.reload(), Err(RestoreError::Straight));
    assert_eq!(RestoreError::Straight.to_string(), "the cast waits in straight-line code, and its spell does not say RESUMES");
    cast.run(20);
    assert_eq!(cast.log_lines(), ["30: on"]);

    // One that is over has nothing to resume.
    let mut over = self::cast::<Instant>(|_| Box::pin(async { Ok(()) }));
    over.reload().unwrap();
    over.event(Event::Expired(EntityId::NONE));
    assert_eq!(over.intents, []);
}

#[test]
fn another_form_and_a_revision_that_does_not_resume_keep_to_themselves() {
    let mut world = FakeWorld::new();
    let caster = world.add_player(Vec3::ZERO);
    let (resumes, not) = (world.cast::<Volley>(caster).save(), world.cast::<lost::Volley>(caster).save());
    assert_eq!(world.cast::<lost::Volley>(caster).restore(&resumes), Err(RestoreError::Straight));
    assert_eq!(world.cast::<Volley>(caster).restore(&not), Err(RestoreError::Straight));

    // In hooks, a field is a plain value; both forms read it.
    let mut hooks = world.cast::<hooks::Volley>(caster);
    hooks.restore(&resumes).unwrap();
    let mut straight = world.cast::<Volley>(caster);
    straight.restore(&hooks.save()).unwrap();
    assert_eq!(straight.spell().ball.get(), EntityId::NONE);
    hooks.event(Event::Timer(0));
    straight.restore(&hooks.save()).unwrap();
    assert_eq!(straight.spell().ball.get(), EntityId(77));
}

mod lost {
    use super::*;
    spell! { envelope: Envelope::timed(1.0), pub struct Volley { ball: Cell<EntityId> } }
    impl Straight for Volley {
        async fn run(&self, _world: &World) -> Result<(), Refusal> {
            forever().await;
            self.ball.take();
            Ok(())
        }
    }
}

mod hooks {
    use super::*;
    spell! { envelope: Envelope::timed(1.0), pub struct Volley { ball: EntityId } }
    impl Spell for Volley {
        fn on_cast(&mut self, _world: &mut World, _cast: &Cast) -> Result<(), Refusal> {
            Ok(())
        }
        fn on_event(&mut self, _world: &mut World, _event: Event) -> Result<(), Refusal> {
            self.ball = EntityId(77);
            Ok(())
        }
    }
}

mod ticker {
    use super::*;
    spell! {
        envelope: Envelope::timed(20.0).ticks(30.0),
        /// Counts its ticks.
        pub struct Ticker { pub seconds: Cell<f32> }
    }
    impl Straight for Ticker {
        const RESUMES: bool = true;
        async fn run(&self, world: &World) -> Result<(), Refusal> {
            while self.seconds.get() < 0.99 {
                let dt = next_tick().await;
                self.seconds.update(|seconds| seconds + dt);
            }
            say!(world, "a second");
            Ok(())
        }
    }
}

#[test]
fn a_reload_loses_no_tick() {
    let mut world = FakeWorld::new();
    let caster = world.add_player(Vec3::ZERO);
    let mut cast = world.cast::<ticker::Ticker>(caster);
    for tick in 0..70 {
        if tick % 3 == 0 {
            cast.reload().unwrap();
        }
        cast.tick();
    }
    assert_eq!(cast.log_lines(), ["60: a second"]);
}
