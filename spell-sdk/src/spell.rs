//! The trait that every spell implements: by its hooks, or through `Straight`.

use crate::run::Start;
use crate::saved::{Field, Fields, RestoreError};
use crate::{CancelReason, Cast, Envelope, Event, Refusal, World};

/// What a spell does. The world calls these, one at a time; each cast has its own instance of the spell.
///
/// An `Err` from a hook is logged for the author in words, and the cast goes on. A panic ends the cast, with its message in the author's log.
///
/// What is one story rather than a set of occasions reads better in the other form, [`Straight`](crate::Straight), of which this is made.
#[diagnostic::on_unimplemented(
    message = "the spell `{Self}` does nothing yet",
    note = "implement `Spell`, a hook for each occasion, or `Straight`, one `run` that awaits"
)]
pub trait Spell: State {
    /// How it begins, if it is a straight-line spell; not for authors.
    #[doc(hidden)]
    const START: Option<Start<Self>> = None;

    /// Once, when the spell is cast.
    #[allow(missing_docs, reason = "the errors are said at the trait")]
    fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal>;

    /// As often as the envelope's [`ticks`](Envelope::ticks) say. `dt`: true seconds since the last call.
    fn on_tick(&mut self, world: &mut World, dt: f32) -> Result<(), Refusal> {
        let _ = (world, dt);
        Ok(())
    }

    /// When something happened to what this cast launched, or a timer is due.
    fn on_event(&mut self, world: &mut World, event: Event) -> Result<(), Refusal> {
        let _ = (world, event);
        Ok(())
    }

    /// When the cast ends for a reason that is not its own.
    fn on_cancel(&mut self, world: &mut World, reason: CancelReason) -> Result<(), Refusal> {
        let _ = (world, reason);
        Ok(())
    }
}

/// A spell's declaration and state; the [`spell!`](crate::spell!) macro implements it.
pub trait State: Default {
    /// What the spell may do.
    const ENVELOPE: Envelope;
    /// Hands out every field by name.
    fn save_fields(&self, fields: &mut Fields);
    /// Takes back one field; one that is not known (any more) is skipped.
    ///
    /// # Errors
    /// [`RestoreError::Field`] when the field has another type now.
    fn restore_field(&mut self, field: Field<'_>) -> Result<(), RestoreError>;
}
