//! A stone that heals whoever is near it, also while its caster is away, and a count of them that outlives each one.

use spell_sdk::prelude::*;

/// Seconds that it stands.
const LIFE: f32 = 60.0;
/// Metres ahead of its caster, and around it, in which it heals.
const AHEAD: f32 = 2.0;
const REACH: f32 = 6.0;
/// Health given each second, to each.
const HEAL_PER_SECOND: f32 = 2.0;
/// Under which it counts.
const SET_UP: &str = "set up";

spell! {
    envelope: Envelope::persistent(LIFE)
        .radius_m(REACH + 60.0)
        .ticks(1.0)
        .max_entities(8)
        .can(Can::HEAL | Can::SPAWN_ENTITIES | Can::STORAGE | Can::NETWORK_EMIT)
        .school(School::Life),

    /// A stone that stands.
    pub struct Totem {
        stone: EntityId = EntityId::NONE,
    }
}

impl Spell for Totem {
    fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        let ahead = cast.origin + Vec3::new(cast.aim.x, 0.0, cast.aim.z).normalized() * AHEAD;
        let form = Form::Cuboid(Vec3::new(0.3, 0.9, 0.3));
        self.stone = world.spawn(Body { form, mass: 500.0, position: ahead, velocity: Vec3::ZERO })?;
        let before = world.load(Drawer::Mine, SET_UP)?.and_then(|count| count.try_into().ok()).map_or(0, u32::from_le_bytes);
        let count = before.saturating_add(1);
        world.store(Drawer::Mine, SET_UP, Some(&count.to_le_bytes()))?;
        world.say(&format!("totem {count} stands"), false)
    }

    fn on_tick(&mut self, world: &mut World, dt: f32) -> Result<(), Refusal> {
        let Some(stone) = world.entity(self.stone) else { return Ok(()) };
        let around = Shape::sphere(stone.position, REACH);
        let hurt: Vec<EntityId> = world.find(around, Kinds::PLAYERS | Kinds::NPCS, 8)?.iter().map(|near| near.id).collect();
        // Its caster is left out of what it finds.
        let caster = world.caster().filter(|caster| caster.position.distance(stone.position) <= REACH);
        for id in hurt.into_iter().chain(caster.map(|caster| caster.id)).take(8) {
            if world.entity(id).is_some_and(|entity| entity.health < entity.health_max) {
                world.heal(id, HEAL_PER_SECOND * dt)?;
            }
        }
        Ok(())
    }

    fn on_event(&mut self, world: &mut World, event: Event) -> Result<(), Refusal> {
        if matches!(event, Event::Expired(id) if id == self.stone) {
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
    fn it_heals_who_is_near_and_counts() {
        let mut world = FakeWorld::new();
        let caster = world.add_player(Vec3::ZERO);
        let (near, far) = (world.add_npc(Vec3::new(3.0, 0.0, -2.0)), world.add_npc(Vec3::new(20.0, 0.0, 0.0)));
        [caster, near, far].into_iter().for_each(|id| world.change(id, |entity| entity.health = 50.0));
        let mut first = world.cast::<Totem>(caster);
        first.run(600);
        let health = |id| world.entity(id).unwrap().health;
        assert!((health(caster) - 70.0).abs() < 2.1 && (health(near) - 70.0).abs() < 2.1, "{} {}", health(caster), health(near));
        assert_eq!(health(far), 50.0);
        let second = world.cast::<Totem>(caster);
        assert_eq!(world.stored(Drawer::Mine, SET_UP), Some(2_u32.to_le_bytes().to_vec()));
        assert!(second.intents.contains(&Intent::Say { text: "totem 2 stands".into(), aloud: false }));
    }
}
