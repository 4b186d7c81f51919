//! Sets a timer, and never returns from it.
//! hook: on-event
//! limit: fuel

use spell_sdk::prelude::*;

spell! {
    envelope: Envelope::timed(5.0).events(60.0),
    pub struct Spinner {}
}

impl Spell for Spinner {
    fn on_cast(&mut self, world: &mut World, _cast: &Cast) -> Result<(), Refusal> {
        world.set_timer(1, after(0.1))
    }

    fn on_event(&mut self, _world: &mut World, _event: Event) -> Result<(), Refusal> {
        loop {}
    }
}
