//! Never returns from on_cast.
//! It behaves in the small worlds of its build: it waits for a cast at a place where none of those is made.
//! hook: on-cast
//! limit: fuel

use spell_sdk::prelude::*;

spell! {
    envelope: Envelope::instant(),
    pub struct Spinner {}
}

impl Spell for Spinner {
    fn on_cast(&mut self, _world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        while cast.target_position.z == -10.0 {}
        Ok(())
    }
}
