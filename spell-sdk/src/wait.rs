//! What a straight-line spell can await.

use crate::run::waits;
use crate::{EntityId, Event, Hit, Ticks, after, limits::TICKS_PER_SECOND};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

/// A wait for a span of [`Ticks`]: `after(0.5).await`. It begins when it is first awaited.
#[derive(Debug)]
#[must_use = "it waits when it is awaited"]
pub struct After {
    ticks: u32,
    due: Option<u64>,
}

/// A beat: see [`every`].
#[derive(Debug, Clone)]
pub struct Every {
    ticks: u32,
    last: Option<u64>,
}

/// Which of two waits was over first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raced<A, B> {
    /// The first, or both in the same tick.
    First(A),
    /// The second.
    Second(B),
}

impl IntoFuture for Ticks {
    type Output = ();
    type IntoFuture = After;
    fn into_future(self) -> After {
        After { ticks: self.0.max(1), due: None }
    }
}

impl Future for After {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<()> {
        let Self { ticks, due } = &mut *self;
        let waits = waits();
        let mut waits = waits.borrow_mut();
        let due = *due.get_or_insert_with(|| waits.due(*ticks));
        ready_if(waits.has_come(*ticks, due))
    }
}

/// A beat of so many seconds, at least a tick, that does not drift:
///
/// ```
/// # use spell_sdk::prelude::*;
/// # async fn run(world: &World) -> Result<(), Refusal> {
/// let mut beat = every(0.2);
/// while let Some(caster) = world.caster() {
///     let dt = beat.wait().await;
///     world.heal(caster.id, 5.0 * dt)?;
/// }
/// # Ok(())
/// # }
/// ```
pub fn every(seconds: f32) -> Every {
    Every { ticks: after(seconds).0, last: None }
}

impl Every {
    /// Waits for the next beat, and answers with the seconds since the last: more than one beat's when the cast was called late. The first comes a beat
    /// after this is first awaited.
    pub fn wait(&mut self) -> impl Future<Output = f32> {
        poll_fn(|_| {
            let ticks = u64::from(self.ticks);
            let waits = waits();
            let mut waits = waits.borrow_mut();
            let last = self.last.get_or_insert_with(|| waits.due(self.ticks).saturating_sub(ticks));
            if !waits.has_come(self.ticks, *last + ticks) {
                return Poll::Pending;
            }
            let passed = (waits.now - *last) / ticks * ticks;
            *last += passed;
            Poll::Ready(passed as f32 / TICKS_PER_SECOND as f32)
        })
    }
}

/// Waits for the next tick of the spell, and answers with the true seconds since the last.
///
/// # Panics
/// When the envelope declares no [`ticks`](crate::Envelope::ticks): there would never be one.
#[track_caller]
pub fn next_tick() -> impl Future<Output = f32> {
    assert!(waits().borrow().has_ticks, "next_tick() needs an envelope with .ticks(hz)");
    let mut before = None;
    poll_fn(move |_| {
        let waits = waits();
        let mut waits = waits.borrow_mut();
        let before = *before.get_or_insert_with(|| waits.ticked_before());
        waits.tick_wanted |= waits.ticked == before;
        ready_if(waits.ticked != before).map(|()| waits.dt)
    })
}

/// Waits for a projectile's hit. None when it has come to an end without one, or was never made.
pub fn hit_of(projectile: EntityId) -> impl Future<Output = Option<Hit>> {
    event_where(move |event| match event {
        Event::Hit(hit) if hit.projectile == projectile => Some(Some(*hit)),
        Event::Expired(id) if *id == projectile => Some(None),
        _ => None,
    })
}

/// Waits for the end of a body, joint, field or NPC of this cast: it has expired or died, or could not be made. For a projectile, see [`hit_of`].
pub fn end_of(id: EntityId) -> impl Future<Output = ()> {
    event_where(move |event| matches!(event, Event::Expired(gone) | Event::Died(gone) if *gone == id).then_some(()))
}

/// Waits for an event: the oldest that nobody has awaited yet, or the next one.
pub fn next_event() -> impl Future<Output = Event> {
    event_where(|event| Some(event.clone()))
}

/// Waits for an event of which `pick` makes something; all others are kept. This is what every other wait for an event is made of:
///
/// ```
/// # use spell_sdk::prelude::*;
/// # async fn run(world: &World) -> Result<(), Refusal> {
/// world.set_timer(7, after(2.0))?;
/// event_where(|event| (*event == Event::Timer(7)).then_some(())).await;
/// # Ok(())
/// # }
/// ```
pub fn event_where<T>(mut pick: impl FnMut(&Event) -> Option<T>) -> impl Future<Output = T> {
    poll_fn(move |_| {
        let waits = waits();
        let mut place = 0;
        loop {
            let Some(event) = waits.borrow().events.get(place).cloned() else { return Poll::Pending };
            if let Some(value) = pick(&event) {
                waits.borrow_mut().events.remove(place);
                return Poll::Ready(value);
            }
            place += 1;
        }
    })
}

/// Waits until the cast is ended by its envelope's duration, by its caster's leaving, or by [`World::finish`](crate::World::finish).
pub fn forever() -> impl Future<Output = ()> {
    std::future::pending()
}

/// Waits for one of two, and drops the other.
pub async fn race<A, B>(first: impl IntoFuture<Output = A>, second: impl IntoFuture<Output = B>) -> Raced<A, B> {
    let (mut first, mut second) = (pin!(first.into_future()), pin!(second.into_future()));
    poll_fn(|context| match first.as_mut().poll(context) {
        Poll::Ready(first) => Poll::Ready(Raced::First(first)),
        Poll::Pending => second.as_mut().poll(context).map(Raced::Second),
    })
    .await
}

/// Waits at most so many seconds. None when it was not over by then: `within(3.0, hit_of(ball)).await`.
pub async fn within<T>(seconds: f32, wait: impl IntoFuture<Output = T>) -> Option<T> {
    match race(wait, after(seconds)).await {
        Raced::First(value) => Some(value),
        Raced::Second(()) => None,
    }
}

fn ready_if(ready: bool) -> Poll<()> {
    if ready { Poll::Ready(()) } else { Poll::Pending }
}
