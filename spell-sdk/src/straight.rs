//! The other form of a spell: one `run` that awaits, instead of a hook for each occasion.

use crate::run::{Course, Start};
use crate::{CancelReason, Cast, Refusal, Spell, State, World};
use std::rc::Rc;

/// A spell as straight-line code: its story from the cast to the end, told once.
///
/// ```
/// use spell_sdk::prelude::*;
///
/// spell! {
///     envelope: Envelope::timed(8.0).radius_m(60.0).events(60.0).can(Can::SPAWN_ENTITIES | Can::MOVE_ENTITIES),
///     /// Throws a ball; where it hits, the ground shakes three times.
///     pub struct Tremor {}
/// }
///
/// impl Straight for Tremor {
///     async fn run(&self, world: &World) -> Result<(), Refusal> {
///         let cast = world.cast();
///         let ball = world.launch(Projectile { start: cast.origin, velocity: cast.aim * 40.0, ..Projectile::default() })?;
///         // None when it has hit nothing.
///         let Some(hit) = hit_of(ball).await else { return Ok(()) };
///         for _ in 0..3 {
///             after(0.3).await;
///             for body in world.find(Shape::sphere(hit.point, 4.0), Kinds::BODIES, 16)? {
///                 body.push(Vec3::UP * 200.0);
///             }
///         }
///         Ok(())
///     }
/// }
///
/// // In a spell's crate this is a `#[test]`.
/// use spell_sdk::testing::{FakeWorld, Intent};
/// let mut world = FakeWorld::new();
/// let caster = world.add_player(Vec3::ZERO);
/// let rock = world.add_prop(Vec3::new(0.0, 0.0, -10.0));
/// let mut cast = world.cast::<Tremor>(caster);
/// let Intent::Launch { id: ball, .. } = cast.intents[0] else { panic!("it launches first") };
/// cast.hit(ball, rock, Vec3::new(0.0, 0.0, -9.0));
/// cast.run(54);
/// assert_eq!(world.entity(rock).unwrap().velocity.y, 3.0 * 200.0 / 80.0);
/// assert!(!cast.is_live());
/// ```
///
/// What can be awaited: [`after`](crate::after) and [`Ticks`](crate::Ticks), [`every`](crate::every), [`next_tick`](crate::next_tick),
/// [`hit_of`](crate::hit_of), [`end_of`](crate::end_of), [`next_event`](crate::next_event), [`event_where`](crate::event_where),
/// [`forever`](crate::forever), and of these [`race`](crate::race) and [`within`](crate::within). Whatever is awaited besides is asked again
/// whenever the cast is called, and at no other time: nothing else wakes it. Events that nobody awaits yet are kept, the last 32 of them, for who will.
///
/// When `run` is over, so is the cast, and what it made goes with it; await its end, or [`forever`](crate::forever), where it should stay. An
/// [instant](crate::Envelope::instant) cast stays of itself until nothing of it is left. A refusal that `run` returns is logged in words and ends it likewise.
///
/// # Over a save
///
/// A world saves itself about once a second, and its casts go on from what they saved, so that a loaded world is the same as one that ran on. Code that waits
/// cannot be saved, nor can its local variables, only the fields of the struct. A cast of a spell that says nothing about it runs on unsaved, and ends
/// when its world is loaded. With [`RESUMES`](Straight::RESUMES), `run` is begun from its top once more, with the fields as they were, when the cast
/// is called next. It must find its way to the same `.await`, and do nothing twice: that wait, and those that wait along with it, then end as they
/// would have. Fields that change while it runs are [`Cell`](std::cell::Cell)s, and for what is no `Copy` a [`RefCell`](std::cell::RefCell):
///
/// ```
/// # use spell_sdk::prelude::*;
/// # use std::cell::Cell;
/// spell! {
///     envelope: Envelope::timed(8.0).events(60.0),
///     /// Rings three times.
///     pub struct Bell { rings: Cell<u32> }
/// }
///
/// impl Straight for Bell {
///     const RESUMES: bool = true;
///
///     async fn run(&self, world: &World) -> Result<(), Refusal> {
///         while self.rings.get() < 3 {
///             after(0.5).await;
///             self.rings.update(|rings| rings + 1);
///             world.cue("bell", world.cast().origin, 1.0)?;
///         }
///         Ok(())
///     }
/// }
///
/// # use spell_sdk::testing::FakeWorld;
/// # let mut world = FakeWorld::new();
/// # let caster = world.add_player(Vec3::ZERO);
/// let mut cast = world.cast::<Bell>(caster);
/// cast.run(40);
/// cast.reload().unwrap();
/// cast.run(20);
/// assert_eq!(cast.spell().rings.get(), 2);
/// ```
pub trait Straight: State + 'static {
    /// Whether `run` can begin anew from the fields alone: see [above](Straight#over-a-save).
    const RESUMES: bool = false;

    /// What the spell does.
    #[allow(missing_docs, reason = "the errors are said at the trait")]
    fn run(&self, world: &World) -> impl Future<Output = Result<(), Refusal>>;

    /// When the cast ends for a reason that is not its own. `run` has been dropped by then, with all its local variables; the fields are as it left them.
    #[allow(missing_docs, reason = "as in `Spell`")]
    fn on_cancel(&self, world: &World, reason: CancelReason) -> Result<(), Refusal> {
        let _ = (world, reason);
        Ok(())
    }
}

impl<S: Straight> Spell for S {
    const START: Option<Start<Self>> = Some(Start { run: start::<Self>, resumes: S::RESUMES });

    /// Never called: where there is a start, it is made.
    fn on_cast(&mut self, _world: &mut World, _cast: &Cast) -> Result<(), Refusal> {
        Ok(())
    }

    fn on_cancel(&mut self, world: &mut World, reason: CancelReason) -> Result<(), Refusal> {
        Straight::on_cancel(self, world, reason)
    }
}

fn start<S: Straight>(spell: Rc<S>, world: Rc<World>) -> Course {
    Box::pin(async move { spell.run(&world).await })
}
