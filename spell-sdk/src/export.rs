//! The component's exports: what the [`spell!`](crate::spell!) macro connects an author's spell to. Not for use by hand.

use crate::backend::{Backend, log};
use crate::bindings::exports::ugc::spell::hooks;
use crate::instance::Instance;
use crate::refusal::Place;
use crate::{CancelReason, Cast, EntityId, Event, Hit, Level, Message, Spell};
use std::cell::RefCell;
use std::fmt::Write;
use std::marker::PhantomData;
use std::panic::PanicHookInfo;
use std::thread::LocalKey;

/// Holds the one instance of a component. A component has one thread.
pub struct Slot<S>(RefCell<Option<Instance<S>>>);

/// A spell that is exported from this component.
pub trait Exported: Spell + 'static {
    /// Where its instance lives.
    fn slot() -> &'static LocalKey<Slot<Self>>;
}

/// The component's hooks for a spell.
pub struct Hooks<S>(PhantomData<S>);

impl<S> Slot<S> {
    /// Nothing yet.
    #[allow(clippy::new_without_default, reason = "a slot is only made in a constant")]
    pub const fn new() -> Self {
        Self(RefCell::new(None))
    }
}

impl<S: Exported> Hooks<S> {
    fn with<T>(run: impl FnOnce(&mut Instance<S>) -> T) -> T {
        S::slot().with(|slot| run(slot.0.borrow_mut().get_or_insert_with(|| Instance::new(Backend))))
    }
}

impl<S: Exported> hooks::Guest for Hooks<S> {
    fn init() {
        std::panic::set_hook(Box::new(tell_the_author));
    }

    fn on_cast(what: hooks::Cast) {
        let cast = Cast {
            tick: what.tick,
            caster: EntityId(what.caster),
            target: EntityId(what.target),
            origin: what.origin.into(),
            aim: what.aim.into(),
            target_position: what.target_position.into(),
            seed: what.seed,
            params: what.params,
        };
        Self::with(|instance| instance.cast(cast));
    }

    fn on_tick(dt: f32) {
        Self::with(|instance| instance.tick(dt));
    }

    fn on_event(what: hooks::Event) {
        let event = match what {
            hooks::Event::Hit(hit) => Event::Hit(Hit {
                projectile: EntityId(hit.projectile),
                entity: EntityId(hit.entity),
                point: hit.point.into(),
                normal: hit.normal.into(),
            }),
            hooks::Event::Expired(id) => Event::Expired(EntityId(id)),
            hooks::Event::Timer(token) => Event::Timer(token),
            hooks::Event::Dropped(id) => Event::Dropped(EntityId(id)),
            hooks::Event::Died(id) => Event::Died(EntityId(id)),
            hooks::Event::Message(message) => {
                Event::Message(Message { spell: message.spell, caster: EntityId(message.caster), data: message.data })
            }
        };
        Self::with(|instance| instance.event(event));
    }

    fn on_cancel(reason: hooks::CancelReason) {
        let reason = match reason {
            hooks::CancelReason::Duration => CancelReason::Duration,
            hooks::CancelReason::CasterGone => CancelReason::CasterGone,
            hooks::CancelReason::Revision => CancelReason::Revision,
            hooks::CancelReason::Mana => CancelReason::Mana,
            hooks::CancelReason::Dispelled => CancelReason::Dispelled,
        };
        Self::with(|instance| instance.cancel(reason));
    }

    fn save() -> Vec<u8> {
        Self::with(|instance| instance.save())
    }

    fn restore(_from_version: u32, bytes: Vec<u8>) -> Result<(), String> {
        Self::with(|instance| instance.restore(&bytes)).map_err(|error| error.to_string())
    }
}

/// Logs a panic's message and place, just before it becomes a trap that says neither.
fn tell_the_author(info: &PanicHookInfo<'_>) {
    let mut line = String::from("panicked");
    if let Some(place) = info.location() {
        let _ = write!(line, " at {}", Place(place));
    }
    if let Some(message) = info.payload_as_str() {
        line.push_str(": ");
        line.push_str(message);
    }
    log(Level::Error, &line);
}
