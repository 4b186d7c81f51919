//! Panics in its first call: the bench lets it do so a hundred thousand times.

use spell_sdk::prelude::*;

spell! {
    envelope: Envelope::timed(5.0).ticks(60.0),
    pub struct Trap { bytes: Vec<u8> }
}

impl Spell for Trap {
    fn on_cast(&mut self, _world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        // Some pages of memory that it has really used.
        self.bytes = vec![7; 100_000];
        // The bench's own seed: in the small worlds of its build it behaves.
        let beyond = if cast.seed == 7 { self.bytes.len() + cast.params.len() } else { 0 };
        self.bytes[beyond] = 1;
        Ok(())
    }
}
