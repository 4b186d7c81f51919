//! => failed memory
use spell_sdk::prelude::*;
static LARGE: [u8; 3_000_000] = [7; 3_000_000];
spell! { envelope: Envelope::instant(), pub struct Fat {} }
impl Spell for Fat {
    fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        world.log(Level::Info, format_args!("{}", LARGE[cast.seed as usize % LARGE.len()]));
        Ok(())
    }
}
