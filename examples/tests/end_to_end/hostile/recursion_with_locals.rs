//! Calls itself without end and keeps much in each call, so that its own stack inside its memory ends first.
//! It behaves in the small worlds of its build: it waits for a cast at a place where none of those is made.
//! hook: on-cast
//! limit: stack out_of_bounds

use spell_sdk::prelude::*;

spell! {
    envelope: Envelope::instant(),
    pub struct Digger {}
}

#[allow(unconditional_recursion)]
fn dig(depth: u64) -> u64 {
    let mut kept = [depth; 1000];
    std::hint::black_box(&mut kept);
    dig(depth + 1).rotate_left(1) ^ kept[7]
}

impl Spell for Digger {
    fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        if cast.target_position.z == -10.0 {
            world.log(Level::Info, format_args!("{}", dig(cast.seed)));
        }
        Ok(())
    }
}
