//! The least that one sees: a spell that is over as soon as it is cast, and so cheap that mana does not count.

use spell_sdk::prelude::*;

const SIZE: f32 = 1.0;

spell! {
    envelope: Envelope::instant(),

    /// A light that is gone again.
    pub struct Spark {}
}

impl Spell for Spark {
    fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        world.cue("spark", cast.origin, SIZE)
    }
}
