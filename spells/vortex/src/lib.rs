//! Draws everything near a point together for two seconds, and bursts.

use spell_sdk::prelude::*;

const REACH: f32 = 20.0;
const RADIUS: f32 = 6.0;
/// m/s2 toward the middle.
const PULL: f32 = 25.0;
const SECONDS: f32 = 2.0;
/// Newton seconds away from the middle, at the end.
const BURST: f32 = 300.0;

spell! {
    envelope: Envelope::timed(SECONDS + 1.0)
        .radius_m(REACH + RADIUS + 2.0)
        .max_entities(32)
        .events(10.0)
        .can(Can::MOVE_ENTITIES)
        .pvp_relevant()
        .school(School::Force),

    /// A pull that lasts.
    pub struct Vortex { middle: Vec3 = Vec3::ZERO }
}

impl Spell for Vortex {
    fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        self.middle = cast.origin + (cast.target_position - cast.origin).clamp_length(REACH);
        world.set_field(Field { center: self.middle, radius: RADIUS, acceleration: -PULL, falloff: 0.5, seconds: SECONDS })?;
        world.cue("vortex", self.middle, RADIUS)?;
        world.set_timer(0, after(SECONDS))
    }

    fn on_event(&mut self, world: &mut World, event: Event) -> Result<(), Refusal> {
        if let Event::Timer(_) = event {
            for body in world.find(Shape::sphere(self.middle, RADIUS), Kinds::BODIES, 31)? {
                body.push((body.position - self.middle).normalized() * BURST);
            }
            world.cue("vortex_burst", self.middle, RADIUS)?;
            world.finish();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spell_sdk::testing::{FakeWorld, Intent};

    #[test]
    fn it_pulls_and_then_bursts() {
        let mut world = FakeWorld::new();
        let caster = world.add_player(Vec3::ZERO);
        let crate_ = world.add_prop(Vec3::new(2.0, 0.7, -10.0));
        let mut cast = world.cast::<Vortex>(caster);
        assert!(cast.intents.iter().any(|intent| matches!(intent, Intent::Field { field, .. } if field.acceleration < 0.0)));
        cast.run(130);
        assert!(world.entity(crate_).expect("it stays").velocity.x > 1.0);
        assert!(!cast.is_live());
    }
}
