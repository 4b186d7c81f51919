//! => failed
use spell_sdk::prelude::*;
spell! { envelope: Envelope::instant(), pub struct Maze {} }
impl Spell for Maze {
    fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        let mut a = cast.seed;
        @repeat(6000, "if a & 1 == 0 { a = std::hint::black_box(a ^ 3).rotate_left(7); } else { a = std::hint::black_box(a.wrapping_mul(5)); }")
        world.log(Level::Info, format_args!("{a}"));
        Ok(())
    }
}
