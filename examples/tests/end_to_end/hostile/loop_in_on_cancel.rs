//! Will not be told that its time is over.
//! It behaves in the small worlds of its build: it waits for a cast at a place where none of those is made.
//! hook: on-cancel
//! limit: fuel

use spell_sdk::prelude::*;

spell! {
    envelope: Envelope::timed(0.1),
    pub struct Spinner {
        awake: bool,
    }
}

impl Spell for Spinner {
    fn on_cast(&mut self, _world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        self.awake = cast.target_position.z == -10.0;
        Ok(())
    }

    fn on_cancel(&mut self, _world: &mut World, _reason: CancelReason) -> Result<(), Refusal> {
        while self.awake {}
        Ok(())
    }
}
