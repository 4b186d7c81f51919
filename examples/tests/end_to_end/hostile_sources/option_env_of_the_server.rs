//! => built
use spell_sdk::prelude::*;

spell! {
    envelope: Envelope::instant(),
    pub struct Curious {}
}

impl Spell for Curious {
    fn on_cast(&mut self, world: &mut World, _cast: &Cast) -> Result<(), Refusal> {
        world.log(Level::Info, format_args!("{:?} {:?} {:?}", option_env!("CANARY"), option_env!("PATH"), option_env!("HOME")));
        Ok(())
    }
}
