//! Panics; its own words reach the author.
//! It behaves in the small worlds of its build: it waits for a cast at a place where none of those is made.
//! hook: on-cast
//! limit: unreachable

use spell_sdk::prelude::*;

spell! {
    envelope: Envelope::instant(),
    pub struct Fool {}
}

impl Spell for Fool {
    fn on_cast(&mut self, _world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        assert!(cast.target_position.z != -10.0, "cast by {}", cast.caster.0);
        Ok(())
    }
}
