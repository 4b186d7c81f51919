//! Keeps bodies at a distance: in each tick the eight nearest are pushed away from the caster, the harder the closer they are.
//!
//! The benchmarks' reference spell: its twins in native Rust and Luau stand in `bench/src/twins.rs`.

use spell_sdk::prelude::*;

const RADIUS_M: f32 = 12.0;
/// Newton seconds a tick, at no distance.
const STRENGTH: f32 = 40.0;
const BODIES: u32 = 8;

spell! {
    envelope: Envelope::timed(600.0).radius_m(RADIUS_M).ticks(60.0).can(Can::MOVE_ENTITIES).school(School::Force),
    /// Has nothing to remember.
    pub struct Repel {}
}

impl Spell for Repel {
    fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        world.cue("repel", cast.origin, RADIUS_M)
    }

    fn on_tick(&mut self, world: &mut World, _dt: f32) -> Result<(), Refusal> {
        let Some(caster) = world.caster() else { return Ok(()) };
        for body in world.find(Shape::sphere(caster.position, RADIUS_M), Kinds::BODIES, BODIES)? {
            let away = body.position - caster.position;
            let distance = away.length();
            // One that stands exactly where the caster stands has no way to be pushed.
            if distance > 0.0 {
                let falloff = 1.0 - distance / RADIUS_M;
                body.push(away * (STRENGTH * falloff * falloff / distance));
            }
        }
        Ok(())
    }
}
