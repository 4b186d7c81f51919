//! Never returns from on_cast.
//! hook: on-cast
//! limit: fuel

use spell_sdk::prelude::*;

spell! {
    envelope: Envelope::instant(),
    pub struct Spinner {}
}

impl Spell for Spinner {
    fn on_cast(&mut self, _world: &mut World, _cast: &Cast) -> Result<(), Refusal> {
        loop {}
    }
}
