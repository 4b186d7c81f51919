//! A gust of wind that blows half a second long from its caster and carries away what stands in front.

use spell_sdk::prelude::*;

/// How far the wind reaches, in metres, and how wide: radians to each side.
const REACH: f32 = 10.0;
const HALF_ANGLE: f32 = 0.6;
/// Newtons at the caster; a quarter of it at the far end.
const FORCE: f32 = 2400.0;
/// Which part of the force lifts. Without it, friction would eat half of the wind.
const LIFT: f32 = 0.3;

spell! {
    envelope: Envelope::timed(0.5)
        .scope(Scope::Cone)
        .radius_m(REACH + 2.0)
        .max_entities(32)
        .max_players(32)
        .ticks(60.0)
        .can(Can::MOVE_ENTITIES)
        .pvp_relevant()
        .school(School::Force),

    /// A wind that blows.
    pub struct Gust {}
}

impl Spell for Gust {
    fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        world.cue("gust", cast.origin, 1.0)
    }

    fn on_tick(&mut self, world: &mut World, dt: f32) -> Result<(), Refusal> {
        // The wind follows its caster, who may turn and walk while it blows.
        let Some(caster) = world.caster() else {
            world.finish();
            return Ok(());
        };
        let wind = (caster.aim + Vec3::UP * LIFT).normalized();
        let cone = Shape::cone(caster.position, caster.aim, REACH, HALF_ANGLE);
        for e in world.find(cone, Kinds::BODIES, 32)? {
            let share = 1.0 - 0.75 * e.position.distance(caster.position) / REACH;
            e.push(wind * (FORCE * share * dt));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spell_sdk::testing::{FakeWorld, Intent};

    #[test]
    fn it_carries_away_what_is_in_front_and_nothing_else() {
        let mut world = FakeWorld::new();
        let caster = world.add_player(Vec3::ZERO);
        let near = world.add_prop(Vec3::new(0.0, 0.0, -2.0));
        let far = world.add_prop(Vec3::new(1.0, 0.0, -9.0));
        let behind = world.add_prop(Vec3::new(0.0, 0.0, 2.0));

        let mut cast = world.cast::<Gust>(caster);
        cast.run(60);

        let speed = |id| -world.entity(id).unwrap().velocity.z;
        assert!(speed(near) > speed(far) && speed(far) > 1.0, "{} {}", speed(near), speed(far));
        assert_eq!(speed(behind), 0.0);
        assert!(!cast.is_live());
    }

    #[test]
    fn all_pushes_of_a_tick_cross_the_boundary_together() {
        let mut world = FakeWorld::new();
        let caster = world.add_player(Vec3::ZERO);
        for i in 0..8 {
            world.add_prop(Vec3::new(0.0, 0.0, -1.0 - i as f32));
        }
        let mut cast = world.cast::<Gust>(caster);
        cast.intents.clear();
        cast.tick();
        assert!(matches!(&cast.intents[..], [Intent::Push(pushes)] if pushes.len() == 8), "{:?}", cast.intents);
    }

    #[test]
    fn it_ends_with_its_caster() {
        let mut world = FakeWorld::new();
        let caster = world.add_player(Vec3::ZERO);
        let mut cast = world.cast::<Gust>(caster);
        world.remove(caster);
        cast.tick();
        assert!(!cast.is_live());
    }
}
