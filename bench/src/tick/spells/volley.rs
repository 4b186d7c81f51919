//! Keeps fifty balls in the air, for the busy world: half of them shot straight, half of them lobbed.

use spell_sdk::prelude::*;

const BALLS: u32 = 50;
const PER_TICK: u32 = 8;

spell! {
    envelope: Envelope::timed(600.0).radius_m(60.0).ticks(60.0).max_entities(4096).can(Can::SPAWN_ENTITIES | Can::DAMAGE),
    pub struct Volley {
        flying: u32 = 0,
    }
}

impl Spell for Volley {
    fn on_cast(&mut self, _world: &mut World, _cast: &Cast) -> Result<(), Refusal> {
        Ok(())
    }

    fn on_tick(&mut self, world: &mut World, _dt: f32) -> Result<(), Refusal> {
        let Some(caster) = world.caster() else { return Ok(()) };
        for _ in 0..PER_TICK.min(BALLS - self.flying) {
            let mut way = world.rng().direction();
            let lobbed = world.rng().chance(0.5);
            way.y = if lobbed { 1.0 } else { 0.05 };
            let (speed, gravity) = if lobbed { (25.0, 10.0) } else { (50.0, 0.0) };
            let start = caster.position + Vec3::new(0.0, 1.2, 0.0);
            world.launch(Projectile { start, velocity: way.normalized() * speed, gravity, damage: 1.0, ..Projectile::default() })?;
            self.flying += 1;
        }
        Ok(())
    }

    fn on_event(&mut self, _world: &mut World, event: Event) -> Result<(), Refusal> {
        if matches!(event, Event::Hit(_) | Event::Expired(_)) {
            self.flying = self.flying.saturating_sub(1);
        }
        Ok(())
    }
}
