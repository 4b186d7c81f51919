//! Puts its caster where they look: twelve metres away, or in front of what is in the way.

use spell_sdk::prelude::*;

const REACH: f32 = 12.0;
/// Room between the caster's middle and what is in the way.
const ROOM: f32 = 0.8;

spell! {
    envelope: Envelope::instant().radius_m(REACH + 2.0).max_entities(1).can(Can::MOVE_ENTITIES).school(School::Space),

    /// Over as soon as it is cast.
    pub struct Blink {}
}

impl Spell for Blink {
    fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        let Some(caster) = world.caster() else { return Ok(()) };
        let way = world.raycast(cast.origin, cast.aim, REACH)?.map_or(REACH, |hit| hit.distance) - ROOM;
        if way < 1.0 {
            return world.cue("blink_fails", cast.origin, 1.0);
        }
        world.cue("blink", caster.position, 1.0)?;
        world.teleport(caster.id, caster.position + cast.aim * way)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spell_sdk::testing::FakeWorld;

    #[test]
    fn it_stops_in_front_of_what_is_in_the_way() {
        let mut world = FakeWorld::new();
        let caster = world.add_player(Vec3::ZERO);
        world.answer_ray(RayHit { entity: EntityId::NONE, point: Vec3::new(0.0, 0.7, -5.0), normal: Vec3::UP, distance: 5.0 });
        world.cast::<Blink>(caster);
        assert!((world.entity(caster).expect("it stays").position.z + 4.2).abs() < 0.01);
        world.cast::<Blink>(caster);
        assert!(world.entity(caster).expect("it stays").position.z < -15.0);
    }
}
