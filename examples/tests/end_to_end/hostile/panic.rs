//! Panics; its own words reach the author.
//! hook: on-cast
//! limit: unreachable

use spell_sdk::prelude::*;

spell! {
    envelope: Envelope::instant(),
    pub struct Fool {}
}

impl Spell for Fool {
    fn on_cast(&mut self, _world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        panic!("cast by {}", cast.caster.0)
    }
}
