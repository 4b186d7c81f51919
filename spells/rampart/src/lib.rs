//! A wall of stone that rises where its caster points, and crumbles after ten seconds.

use spell_sdk::prelude::*;

/// How far away it may be raised, in metres.
const REACH: f32 = 16.0;
/// Voxels to each side of its middle, and its height.
const HALF_WIDTH: i32 = 2;
const HEIGHT: i32 = 3;
const LIFE: f32 = 10.0;

spell! {
    envelope: Envelope::timed(LIFE + 1.0)
        .scope(Scope::Box)
        .radius_m(REACH + 6.0)
        .max_voxels(30)
        .max_entities(8)
        .events(10.0)
        .can(Can::MODIFY_TERRAIN | Can::CROSS_CHUNK | Can::SPAWN_ENTITIES)
        .reversible(Reversibility::Time, LIFE)
        .school(School::Earth),

    /// A wall that stands.
    pub struct Rampart {
        /// Its lowest voxel in the middle.
        x: i32 = 0,
        y: i32 = 0,
        z: i32 = 0,
        /// It stands along z, for its caster looked along x.
        turned: bool = false,
    }
}

impl Rampart {
    fn area(&self) -> Area {
        let (x, z) = if self.turned { (0, HALF_WIDTH) } else { (HALF_WIDTH, 0) };
        let low = Voxel::new(self.x - x, self.y, self.z - z);
        Area::block(low, Voxel::new(self.x + x, self.y + HEIGHT - 1, self.z + z))
    }

    fn middle(&self) -> Vec3 {
        Voxel::new(self.x, self.y, self.z).middle()
    }
}

impl Spell for Rampart {
    fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        // On the ground under the point that was chosen, or as far toward it as the spell reaches.
        let way = (cast.target_position - cast.origin).clamp_length(REACH);
        let above = cast.origin + Vec3::new(way.x, 0.0, way.z);
        let ground = world.raycast(above, Vec3::DOWN, 6.0)?.map_or(above + Vec3::DOWN * 2.0, |hit| hit.point);
        let foot = Voxel::at(ground + Vec3::UP * 0.5);
        (self.x, self.y, self.z) = (foot.x, foot.y, foot.z);
        self.turned = cast.aim.x.abs() > cast.aim.z.abs();

        world.terraform(self.area(), Change::Replace { old: material::AIR, new: material::STONE })?;
        world.cue("rampart", self.middle(), HEIGHT as f32)?;
        world.set_timer(0, after(LIFE))
    }

    fn on_event(&mut self, world: &mut World, event: Event) -> Result<(), Refusal> {
        match event {
            Event::Timer(_) => {
                // What somebody has built there meanwhile stays.
                world.terraform(self.area(), Change::Replace { old: material::STONE, new: material::AIR })?;
                world.scatter(Debris { at: self.middle() + Vec3::UP, count: 8, speed: 4.0, seconds: 2.0 })?;
                world.finish();
            }
            // The world did not let it be built.
            Event::Dropped(EntityId::NONE) => world.finish(),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spell_sdk::testing::FakeWorld;

    #[test]
    fn it_stands_across_the_way_and_crumbles() {
        let mut world = FakeWorld::new();
        let caster = world.add_player(Vec3::new(0.5, 1.9, 0.5));
        let tower = Voxel::new(0, 3, -10);
        world.put(tower, material::WOOD);
        let mut cast = world.cast::<Rampart>(caster);
        let stones = |world: &FakeWorld| {
            let wall = (-3..=3).flat_map(|x| (-2..=5).map(move |y| Voxel::new(x, y, -10)));
            wall.filter(|voxel| world.material(*voxel) == material::STONE).count()
        };
        assert!(stones(&world) >= 10, "{}", stones(&world));
        cast.run(620);
        assert_eq!(stones(&world), 0);
        assert_eq!(world.material(tower), material::WOOD, "what was there before stays");
        assert!(!cast.is_live());
    }
}
