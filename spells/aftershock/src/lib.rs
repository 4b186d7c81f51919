//! Throws a stone; where it strikes, the ground heaves three times, wider each time.

use spell_sdk::prelude::*;
use std::cell::Cell;

/// Metres a second, and seconds: together a range of about 45 m.
const SPEED: f32 = 30.0;
const LIFE: f32 = 1.5;
/// Shocks, the seconds before each, and how many metres each reaches further than the one before.
const SHOCKS: u32 = 3;
const PAUSE: f32 = 0.3;
const REACH: f32 = 2.5;
/// Newton seconds, up and away.
const IMPULSE: f32 = 250.0;

spell! {
    envelope: Envelope::timed(6.0)
        .radius_m(60.0)
        .max_players(16)
        .events(60.0)
        .can(Can::DAMAGE | Can::SPAWN_ENTITIES | Can::MOVE_ENTITIES)
        .pvp_relevant(),

    /// A stone, and what comes of it.
    pub struct Aftershock {
        stone: Cell<EntityId>,
        struck: Cell<Option<Vec3>>,
        shocks: Cell<u32>,
    }
}

impl Straight for Aftershock {
    // From the fields alone it finds its way to where it was.
    const RESUMES: bool = true;

    async fn run(&self, world: &World) -> Result<(), Refusal> {
        if self.stone.get().is_none() {
            self.stone.set(throw(world)?);
        }
        if self.struck.get().is_none() {
            self.struck.set(hit_of(self.stone.get()).await.map(|hit| hit.point));
        }
        let Some(middle) = self.struck.get() else { return Ok(()) };
        while self.shocks.get() < SHOCKS {
            after(PAUSE).await;
            self.shocks.update(|shocks| shocks + 1);
            shock(world, middle, REACH * self.shocks.get() as f32)?;
        }
        Ok(())
    }
}

fn throw(world: &World) -> Result<EntityId, Refusal> {
    let cast = world.cast();
    let start = cast.origin + cast.aim * 0.8;
    world.cue("aftershock/throw", start, 1.0)?;
    world.launch(Projectile {
        start,
        velocity: cast.aim * SPEED,
        radius: 0.3,
        gravity: 4.0,
        seconds: LIFE,
        damage: 10.0,
        ..Projectile::default()
    })
}

fn shock(world: &World, middle: Vec3, reach: f32) -> Result<(), Refusal> {
    world.cue("aftershock/shock", middle, reach)?;
    for body in world.find(Shape::sphere(middle, reach), Kinds::BODIES, 15)? {
        let away = (body.position - middle).normalized();
        body.push((away + Vec3::UP).normalized() * IMPULSE);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use spell_sdk::testing::{FakeCast, FakeWorld, Intent};

    /// A stone in the air, and three NPCs, each a metre further from where it will strike than a shock more reaches.
    fn thrown() -> (FakeWorld, FakeCast<Aftershock>, [EntityId; 3]) {
        let mut world = FakeWorld::new();
        let caster = world.add_player(Vec3::ZERO);
        let npcs = [1.0, 3.5, 6.0].map(|x| world.add_npc(Vec3::new(x, 0.0, -10.0)));
        let cast = world.cast(caster);
        (world, cast, npcs)
    }

    fn shocks(cast: &FakeCast<Aftershock>) -> usize {
        cast.intents.iter().filter(|intent| matches!(intent, Intent::Push(_))).count()
    }

    #[test]
    fn where_it_strikes_the_ground_heaves_three_times_and_wider_each_time() {
        let (world, mut cast, npcs) = thrown();
        cast.run(20);
        cast.hit(cast.spell().stone.get(), EntityId::NONE, Vec3::new(0.0, 0.0, -10.0));
        assert_eq!(shocks(&cast), 0);
        let mut moved = Vec::new();
        for _ in 0..3 {
            cast.run(18);
            moved.push(npcs.map(|npc| world.entity(npc).unwrap().velocity.y > 0.0));
        }
        assert_eq!(moved, [[true, false, false], [true, true, false], [true, true, true]]);
        assert!(!cast.is_live());
        assert_eq!(cast.log_lines(), [""; 0]);
    }

    #[test]
    fn a_miss_ends_the_cast() {
        let (_, mut cast, _) = thrown();
        cast.event(Event::Expired(cast.spell().stone.get()));
        assert!(!cast.is_live());
        assert_eq!(shocks(&cast), 0);
    }

    #[test]
    fn a_save_at_any_moment_changes_nothing() {
        for saved_at in 0..70 {
            let (_, mut cast, _) = thrown();
            for tick in 0..70 {
                if tick == saved_at {
                    cast.reload().unwrap();
                }
                if tick == 10 {
                    cast.hit(cast.spell().stone.get(), EntityId::NONE, Vec3::new(0.0, 0.0, -10.0));
                }
                cast.tick();
            }
            assert_eq!((shocks(&cast), cast.is_live()), (3, false), "saved at {saved_at}");
        }
    }
}
