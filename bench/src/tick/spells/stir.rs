//! Kicks the props around its caster once a second, for the busy world: none of them falls asleep.

use spell_sdk::prelude::*;

const RADIUS_M: f32 = 40.0;
/// Newton seconds upward: a hop of 2 cm.
const KICK: Vec3 = Vec3 { x: 0.0, y: 50.0, z: 0.0 };

spell! {
    envelope: Envelope::timed(600.0).radius_m(RADIUS_M).ticks(1.0).max_entities(256).can(Can::MOVE_ENTITIES),
    pub struct Stir {}
}

impl Spell for Stir {
    fn on_cast(&mut self, _world: &mut World, _cast: &Cast) -> Result<(), Refusal> {
        Ok(())
    }

    fn on_tick(&mut self, world: &mut World, _dt: f32) -> Result<(), Refusal> {
        let Some(caster) = world.caster() else { return Ok(()) };
        for body in world.find(Shape::sphere(caster.position, RADIUS_M), Kinds::PROPS, 64)? {
            body.push(KICK);
        }
        Ok(())
    }
}
