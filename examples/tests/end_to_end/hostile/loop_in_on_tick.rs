//! Casts well, and never returns from its first tick.
//! hook: on-tick
//! limit: fuel

use spell_sdk::prelude::*;

spell! {
    envelope: Envelope::timed(5.0).ticks(60.0),
    pub struct Spinner {}
}

impl Spell for Spinner {
    fn on_cast(&mut self, _world: &mut World, _cast: &Cast) -> Result<(), Refusal> {
        Ok(())
    }

    fn on_tick(&mut self, _world: &mut World, _dt: f32) -> Result<(), Refusal> {
        loop {}
    }
}
