//! => failed memory
use spell_sdk::prelude::*;
use std::sync::atomic::{AtomicU8, Ordering};
static LARGE: [AtomicU8; 3_000_000] = [const { AtomicU8::new(0) }; 3_000_000];
spell! { envelope: Envelope::instant(), pub struct Fat {} }
impl Spell for Fat {
    fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        world.log(Level::Info, format_args!("{}", LARGE[cast.seed as usize % LARGE.len()].fetch_add(1, Ordering::Relaxed)));
        Ok(())
    }
}
