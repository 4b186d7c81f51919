//! Casts well, and never returns from its first tick.
//! It behaves in the small worlds of its build: it waits for a cast at a place where none of those is made.
//! hook: on-tick
//! limit: fuel

use spell_sdk::prelude::*;

spell! {
    envelope: Envelope::timed(5.0).ticks(60.0),
    pub struct Spinner {
        awake: bool,
    }
}

impl Spell for Spinner {
    fn on_cast(&mut self, _world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        self.awake = cast.target_position.z == -10.0;
        Ok(())
    }

    fn on_tick(&mut self, _world: &mut World, _dt: f32) -> Result<(), Refusal> {
        while self.awake {}
        Ok(())
    }
}
