//! Sets a timer, and never returns from it.
//! It behaves in the small worlds of its build: it waits for a cast at a place where none of those is made.
//! hook: on-event
//! limit: fuel

use spell_sdk::prelude::*;

spell! {
    envelope: Envelope::timed(5.0).events(60.0),
    pub struct Spinner {
        awake: bool,
    }
}

impl Spell for Spinner {
    fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        self.awake = cast.target_position.z == -10.0;
        world.set_timer(1, after(0.1))
    }

    fn on_event(&mut self, _world: &mut World, _event: Event) -> Result<(), Refusal> {
        while self.awake {}
        Ok(())
    }
}
