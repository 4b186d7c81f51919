//! => failed fuel
use spell_sdk::prelude::*;
struct Endless;
impl Drop for Endless { fn drop(&mut self) { loop { std::hint::black_box(0); } } }
spell! { envelope: Envelope::instant(), pub struct Sticky {} }
impl Spell for Sticky {
    fn on_cast(&mut self, _world: &mut World, _cast: &Cast) -> Result<(), Refusal> { let _endless = Endless; Ok(()) }
}
