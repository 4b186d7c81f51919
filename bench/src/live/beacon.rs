//! A light that counts, and tells its count to its caster four times a second: whose cast it is shows at any moment, and whether it went on or began anew.

use spell_sdk::prelude::*;

const SECONDS: f32 = 60.0;

spell! {
    envelope: Envelope::timed(SECONDS).ticks(4.0).can(Can::NETWORK_EMIT),

    /// A light that counts.
    pub struct Beacon {
        count: u32 = 0,
    }
}

impl Spell for Beacon {
    fn on_cast(&mut self, _world: &mut World, _cast: &Cast) -> Result<(), Refusal> {
        Ok(())
    }

    fn on_tick(&mut self, world: &mut World, _dt: f32) -> Result<(), Refusal> {
        self.count += 1;
        world.say(&format!("{}", self.count), false)
    }
}
