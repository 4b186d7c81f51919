//! Heals its target, or its caster when there is none, little by little.

use spell_sdk::prelude::*;

/// Health given in a second, five times a second, for five seconds: 40 in all.
const HEAL_PER_SECOND: f32 = 8.0;

spell! {
    envelope: Envelope::timed(5.0).radius_m(25.0).ticks(5.0).can(Can::HEAL).school(School::Life),

    /// A healing that goes on.
    pub struct Mend {
        patient: EntityId = EntityId::NONE,
    }
}

impl Spell for Mend {
    fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        let target = world.entity(cast.target).filter(|target| target.health_max > 0.0);
        self.patient = target.map_or(cast.caster, |target| target.id);
        world.cue("mend", target.map_or(cast.origin, |target| target.position), 1.0)
    }

    fn on_tick(&mut self, world: &mut World, dt: f32) -> Result<(), Refusal> {
        match world.entity(self.patient) {
            Some(patient) if patient.health < patient.health_max => world.heal(patient.id, HEAL_PER_SECOND * dt),
            // Whole again, for now.
            Some(_) => Ok(()),
            None => {
                world.finish();
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spell_sdk::testing::FakeWorld;

    /// A world with a wounded caster and a wounded friend.
    fn ward() -> (FakeWorld, EntityId, EntityId) {
        let mut world = FakeWorld::new();
        let (caster, friend) = (world.add_player(Vec3::ZERO), world.add_npc(Vec3::new(0.0, 0.0, -5.0)));
        world.change(caster, |e| e.health = 30.0);
        world.change(friend, |e| e.health = 90.0);
        (world, caster, friend)
    }

    #[test]
    fn it_heals_its_caster_when_it_has_no_target() {
        let (mut world, caster, friend) = ward();
        let mut cast = world.cast::<Mend>(caster);
        cast.run(150);
        assert!((world.entity(caster).unwrap().health - 50.0).abs() < 2.0);
        cast.run(150);
        assert!((world.entity(caster).unwrap().health - 70.0).abs() < 0.1);
        assert_eq!(world.entity(friend).unwrap().health, 90.0);
        assert!(!cast.is_live());
    }

    #[test]
    fn it_heals_its_target_and_not_beyond_its_maximum() {
        let (mut world, caster, friend) = ward();
        let mut cast = world.cast_as::<Mend>(Cast { target: friend, ..world.aimed_by(caster) });
        cast.run(300);
        assert_eq!(world.entity(friend).unwrap().health, 100.0);
        assert_eq!(world.entity(caster).unwrap().health, 30.0);
        assert_eq!(cast.log_lines(), [""; 0]);
    }

    #[test]
    fn it_ends_when_its_target_is_gone() {
        let (mut world, caster, friend) = ward();
        let mut cast = world.cast_as::<Mend>(Cast { target: friend, ..world.aimed_by(caster) });
        world.remove(friend);
        cast.run(12);
        assert!(!cast.is_live());
    }

    #[test]
    fn a_restored_healing_goes_on() {
        let (mut world, caster, friend) = ward();
        let mut first = world.cast_as::<Mend>(Cast { target: friend, ..world.aimed_by(caster) });
        first.run(30);
        let mut second = world.cast::<Mend>(caster);
        second.restore(&first.save()).unwrap();
        assert_eq!(second.spell().patient, friend);
    }
}
