//! Takes the root of a root, for ever: each waits for the one before.

use spell_sdk::prelude::*;

spell! {
    envelope: Envelope::timed(5.0).ticks(60.0),
    pub struct Rooter { number: f64 = 7.0 }
}

impl Spell for Rooter {
    fn on_cast(&mut self, _world: &mut World, _cast: &Cast) -> Result<(), Refusal> {
        Ok(())
    }

    fn on_tick(&mut self, _world: &mut World, _dt: f32) -> Result<(), Refusal> {
        loop {
            self.number = std::hint::black_box(self.number).sqrt();
        }
    }
}
