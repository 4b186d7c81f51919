//! Keeps asking for more memory than a cast may have. It does not fill it: filling costs fuel, and that is another file's limit.
//! It behaves in the small worlds of its build: it waits for a cast at a place where none of those is made.
//! hook: on-cast
//! limit: memory

use spell_sdk::prelude::*;

spell! {
    envelope: Envelope::instant(),
    pub struct Hoarder {}
}

impl Spell for Hoarder {
    fn on_cast(&mut self, _world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        let mut hoard: Vec<Vec<u8>> = Vec::new();
        while cast.target_position.z == -10.0 {
            hoard.push(Vec::with_capacity(64 * 1024));
            std::hint::black_box(&mut hoard);
        }
        Ok(())
    }
}
