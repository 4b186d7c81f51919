//! => failed
use spell_sdk::prelude::*;
#[inline(never)]
fn f(a: u64) -> u64 { std::hint::black_box(a ^ 3).rotate_left(7) }
#[inline(never)]
fn g(a: u64) -> u64 { std::hint::black_box(a.wrapping_mul(5)) }
spell! { envelope: Envelope::instant(), pub struct Maze {} }
impl Spell for Maze {
    fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        let mut a = cast.seed;
        @repeat(6000, "a=if a&1==0{f(a)}else{g(a)};")
        world.log(Level::Info, format_args!("{a}"));
        Ok(())
    }
}
