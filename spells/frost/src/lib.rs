//! Three shards of ice that seek who is ahead, hurt a little, and slow whom they hit.

use spell_sdk::prelude::*;

const SHARDS: i32 = 3;
const SPEED: f32 = 25.0;
const LIFE: f32 = 2.0;
const DAMAGE: f32 = 6.0;
/// Part of their speed that is left to those who are hit, and for how long.
const SLOWED_TO: f32 = 0.4;
const SLOWED_SECONDS: f32 = 3.0;

spell! {
    envelope: Envelope::timed(LIFE + 1.0)
        .radius_m(60.0)
        .max_entities(8)
        .events(60.0)
        .can(Can::SPAWN_ENTITIES | Can::DAMAGE | Can::MODIFY_STATS)
        .pvp_relevant()
        .school(School::Frost),

    /// Shards that fly.
    pub struct Frost { flying: i32 = SHARDS }
}

impl Spell for Frost {
    fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        let side = cast.aim.cross(Vec3::UP).normalized();
        for shard in 0..SHARDS {
            let way = (cast.aim + side * (0.15 * (shard - SHARDS / 2) as f32)).normalized();
            world.launch(Projectile {
                start: cast.origin + way * 0.8,
                velocity: way * SPEED,
                radius: 0.15,
                seconds: LIFE,
                damage: DAMAGE,
                homing: Some(Homing { turn: 2.0, half_angle: 0.6 }),
                ..Projectile::default()
            })?;
        }
        world.cue("frost", cast.origin, 1.0)
    }

    fn on_event(&mut self, world: &mut World, event: Event) -> Result<(), Refusal> {
        match event {
            Event::Hit(hit) => {
                self.flying -= 1;
                world.cue("frost_hit", hit.point, 1.0)?;
                // A crate cannot be slowed, and need not be told so.
                if world.entity(hit.entity).is_some_and(|body| body.health > 0.0) {
                    world.afflict(hit.entity, Status::Slow(SLOWED_TO), SLOWED_SECONDS)?;
                }
            }
            Event::Expired(_) => self.flying -= 1,
            _ => {}
        }
        if self.flying <= 0 {
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
    fn whom_it_hits_is_slowed() {
        let mut world = FakeWorld::new();
        let caster = world.add_player(Vec3::ZERO);
        let target = world.add_npc(Vec3::new(0.0, 0.0, -10.0));
        let mut cast = world.cast::<Frost>(caster);
        let shards: Vec<EntityId> =
            cast.intents.iter().filter_map(|intent| if let Intent::Launch { id, .. } = intent { Some(*id) } else { None }).collect();
        assert_eq!(shards.len(), SHARDS as usize);
        cast.hit(shards[0], target, Vec3::new(0.0, 0.0, -10.0));
        cast.hit(shards[1], EntityId::NONE, Vec3::new(0.0, 0.0, -12.0));
        assert!(cast.is_live());
        cast.event(Event::Expired(shards[2]));
        let slowed = |intent: &&Intent| matches!(intent, Intent::Afflict { target: slowed, .. } if *slowed == target);
        assert_eq!(cast.intents.iter().filter(slowed).count(), 1);
        assert!(!cast.is_live());
    }
}
