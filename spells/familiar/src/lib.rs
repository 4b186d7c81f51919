//! Calls a guard that follows its caster for a minute, and fights whom the spell was cast at.

use spell_sdk::prelude::*;

/// Where it appears: metres ahead of its caster.
const AHEAD: f32 = 2.0;
const LIFE: f32 = 60.0;

spell! {
    envelope: Envelope::timed(LIFE)
        .radius_m(30.0)
        .max_entities(2)
        .events(10.0)
        .can(Can::SUMMON_NPC)
        .pvp_relevant()
        .school(School::Mind),

    /// A servant that lives.
    pub struct Familiar { servant: EntityId = EntityId::NONE }
}

impl Spell for Familiar {
    fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        let Some(caster) = world.caster() else { return Ok(()) };
        let ahead = Vec3::new(cast.aim.x, 0.0, cast.aim.z).normalized();
        self.servant = world.summon(Npc { temper: Temper::Guard, position: caster.position + ahead * AHEAD, aim: ahead })?;
        if world.entity(cast.target).is_some_and(|target| target.health > 0.0) {
            world.command(self.servant, Order::Attack(cast.target))?;
        }
        world.cue("familiar", caster.position + ahead * AHEAD, 1.0)
    }

    fn on_event(&mut self, world: &mut World, event: Event) -> Result<(), Refusal> {
        match event {
            // It had no room where it should appear, or it has died.
            Event::Expired(id) | Event::Died(id) if id == self.servant => world.finish(),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spell_sdk::testing::{FakeWorld, Intent};

    #[test]
    fn it_is_told_to_fight_whom_the_spell_was_cast_at() {
        let mut world = FakeWorld::new();
        let caster = world.add_player(Vec3::ZERO);
        let target = world.add_npc(Vec3::new(0.0, 0.0, -8.0));
        let aimed = Cast { target, ..world.aimed_by(caster) };
        let mut cast = world.cast_as::<Familiar>(aimed);
        let servant = cast.spell().servant;
        assert!(cast.intents.contains(&Intent::Command { npc: servant, order: Order::Attack(target) }), "{:?}", cast.intents);
        cast.event(Event::Died(servant));
        assert!(!cast.is_live());
    }

    #[test]
    fn without_a_target_it_follows() {
        let mut world = FakeWorld::new();
        let caster = world.add_player(Vec3::ZERO);
        let cast = world.cast::<Familiar>(caster);
        assert!(!cast.intents.iter().any(|intent| matches!(intent, Intent::Command { .. })));
    }
}
