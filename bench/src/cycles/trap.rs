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
        let beyond = self.bytes.len() + cast.params.len();
        self.bytes[beyond] = 1;
        Ok(())
    }
}
