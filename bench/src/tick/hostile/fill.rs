//! Fills nothing, for ever: an instruction that leaves the guest's code each time.

use spell_sdk::prelude::*;

spell! {
    envelope: Envelope::timed(5.0).ticks(60.0),
    pub struct Filler { bytes: Vec<u8> }
}

impl Spell for Filler {
    fn on_cast(&mut self, _world: &mut World, _cast: &Cast) -> Result<(), Refusal> {
        Ok(())
    }

    fn on_tick(&mut self, _world: &mut World, _dt: f32) -> Result<(), Refusal> {
        loop {
            std::hint::black_box(&mut self.bytes).fill(1);
        }
    }
}
