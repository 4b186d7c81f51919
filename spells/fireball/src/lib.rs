//! Throws a ball of fire that burns what it hits and knocks back what stands around.

use spell_sdk::prelude::*;

/// Health taken from what the ball hits.
const DAMAGE: f32 = 25.0;
/// Metres a second, and seconds: together a range of 50 m.
const SPEED: f32 = 40.0;
const LIFE: f32 = 1.25;
/// What stands within so many metres of the burst is knocked back.
const BURST_RADIUS: f32 = 3.0;
/// Newton seconds at the middle of the burst; less further out.
const BURST_IMPULSE: f32 = 300.0;

spell! {
    envelope: Envelope::timed(6.0)
        .radius_m(60.0)
        .max_players(16)
        .events(60.0)
        .can(Can::DAMAGE | Can::SPAWN_ENTITIES | Can::MOVE_ENTITIES)
        .pvp_relevant()
        .school(School::Fire),

    /// A ball of fire on its way.
    pub struct Fireball {
        ball: EntityId = EntityId::NONE,
    }
}

impl Spell for Fireball {
    fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        let start = cast.origin + cast.aim * 0.8;
        self.ball = world.launch(Projectile {
            start,
            velocity: cast.aim * SPEED,
            radius: 0.2,
            seconds: LIFE,
            damage: DAMAGE,
            ..Projectile::default()
        })?;
        world.cue("fireball/launch", start, 1.0)
    }

    fn on_event(&mut self, world: &mut World, event: Event) -> Result<(), Refusal> {
        match event {
            Event::Hit(hit) if hit.projectile == self.ball => {
                // Whatever comes of the burst, the cast has nothing left to do.
                world.finish();
                burst(world, hit.point)
            }
            Event::Expired(_) => {
                world.finish();
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn burst(world: &World, middle: Vec3) -> Result<(), Refusal> {
    world.cue("fireball/burst", middle, 1.0)?;
    for e in world.find(Shape::sphere(middle, BURST_RADIUS), Kinds::BODIES, 16)? {
        let way = e.position - middle;
        let strength = BURST_IMPULSE * (1.0 - way.length() / BURST_RADIUS);
        e.push(way.normalized() * strength);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use spell_sdk::testing::{FakeWorld, Intent};

    #[test]
    fn the_ball_flies_where_the_caster_looks() {
        let mut world = FakeWorld::new();
        let caster = world.add_player(Vec3::ZERO);
        let cast = world.cast::<Fireball>(caster);
        let ball = world.entity(cast.spell().ball).unwrap();
        assert_eq!(ball.velocity, Vec3::new(0.0, 0.0, -SPEED));
    }

    #[test]
    fn a_hit_burns_its_target_knocks_back_its_neighbours_and_ends_the_cast() {
        let mut world = FakeWorld::new();
        let caster = world.add_player(Vec3::ZERO);
        let dummy = world.add_npc(Vec3::new(0.0, 0.0, -10.0));
        let bystander = world.add_npc(Vec3::new(1.0, 0.0, -10.0));
        let far = world.add_npc(Vec3::new(5.0, 0.0, -10.0));

        let mut cast = world.cast::<Fireball>(caster);
        cast.hit(cast.spell().ball, dummy, Vec3::new(0.0, 0.0, -9.6));

        assert_eq!(world.entity(dummy).unwrap().health, 100.0 - DAMAGE);
        assert!(world.entity(dummy).unwrap().velocity.z < 0.0);
        assert!(world.entity(bystander).unwrap().velocity.x > 0.0);
        assert_eq!(world.entity(far).unwrap().velocity, Vec3::ZERO);
        assert!(!cast.is_live());
        assert_eq!(cast.log_lines(), [""; 0]);
    }

    #[test]
    fn a_miss_ends_the_cast_without_a_burst() {
        let mut world = FakeWorld::new();
        let caster = world.add_player(Vec3::ZERO);
        let mut cast = world.cast::<Fireball>(caster);
        cast.event(Event::Expired(cast.spell().ball));
        assert!(!cast.is_live());
        assert!(!cast.intents.iter().any(|intent| matches!(intent, Intent::Push(_))));
    }
}
