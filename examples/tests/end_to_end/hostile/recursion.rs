//! Calls itself without end. The rotation keeps the compiler from making a loop of it.
//! It behaves in the small worlds of its build: it waits for a cast at a place where none of those is made.
//! hook: on-cast
//! limit: stack

use spell_sdk::prelude::*;

spell! {
    envelope: Envelope::instant(),
    pub struct Digger {}
}

fn dig(depth: u64) -> u64 {
    if depth == 0 { 1 } else { dig(depth.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1)).rotate_left(1) ^ depth }
}

impl Spell for Digger {
    fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        if cast.target_position.z == -10.0 {
            world.log(Level::Info, format_args!("{}", dig(cast.seed | 1)));
        }
        Ok(())
    }
}
