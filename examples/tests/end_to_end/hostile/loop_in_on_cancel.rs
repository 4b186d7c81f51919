//! Will not be told that its time is over.
//! hook: on-cancel
//! limit: fuel

use spell_sdk::prelude::*;

spell! {
    envelope: Envelope::timed(0.1),
    pub struct Spinner {}
}

impl Spell for Spinner {
    fn on_cast(&mut self, _world: &mut World, _cast: &Cast) -> Result<(), Refusal> {
        Ok(())
    }

    fn on_cancel(&mut self, _world: &mut World, _reason: CancelReason) -> Result<(), Refusal> {
        loop {}
    }
}
