//! Makes one call of the interface many times and tells what it was charged: the bench takes the time.

use spell_sdk::prelude::*;

spell! {
    envelope: Envelope::instant()
        .radius_m(60.0)
        .max_entities(64)
        .max_voxels(100_000)
        .max_chunks(64)
        .max_players(64)
        .can(
            Can::DAMAGE
                | Can::HEAL
                | Can::MOVE_ENTITIES
                | Can::SPAWN_ENTITIES
                | Can::SUMMON_NPC
                | Can::MODIFY_TERRAIN
                | Can::MODIFY_STATS
                | Can::CROSS_CHUNK
                | Can::NETWORK_EMIT
                | Can::STORAGE,
        ),
    pub struct Calls {}
}

/// Which call, and how often: `{"call": 3, "times": 100}` without anything but digits, a comma between them.
fn wanted(params: &str) -> Option<(u32, u32)> {
    let digits: String = params.chars().filter(|c| c.is_ascii_digit() || *c == ',').collect();
    let (call, times) = digits.split_once(',')?;
    Some((call.parse().ok()?, times.parse().ok()?))
}

impl Spell for Calls {
    fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        let (Some((call, times)), Some(caster)) = (wanted(&cast.params), world.caster()) else { return Ok(()) };
        let above = caster.position + Vec3::UP * 6.0;
        let body = Body { position: above + Vec3::UP * 4.0, ..Body::default() };
        // What some calls act on.
        let joined = if call == 19 { world.spawn(body)? } else { EntityId::NONE };
        let npc = Npc { temper: Temper::Critter, position: above, aim: cast.aim };
        let servant = if call == 22 { world.summon(npc)? } else { EntityId::NONE };
        let before = world.fuel_left();
        for time in 0..times {
            let beside = Vec3::new(time as f32 * 1.5 - 6.0, 0.0, 0.0);
            match call {
                0 => _ = world.tick(),
                1 => _ = world.entity(cast.target),
                2 => _ = world.find(Shape::sphere(caster.position, 12.0), Kinds::BODIES, 8)?,
                3 => _ = world.raycast(cast.origin, cast.aim, 30.0)?,
                4 => _ = world.line_of_sight(cast.origin, cast.origin + cast.aim * 30.0)?,
                5 => _ = world.material(caster.position + Vec3::DOWN * 2.0)?,
                6 => {
                    let low = Voxel::at(caster.position + Vec3::DOWN * 4.0);
                    _ = world.materials(Block { low, high: Voxel::new(low.x + 7, low.y + 7, low.z + 7) })?;
                }
                7 => _ = world.fuel_left(),
                10 => world.damage(cast.target, 0.001)?,
                11 => world.heal(cast.target, 0.001)?,
                12 => {
                    world.push(cast.target, Vec3::UP * 0.01);
                    world.flush()?;
                }
                13 => world.teleport(cast.target, caster.position + Vec3::UP * 8.0)?,
                14 => world.afflict(cast.target, Status::Slow(0.9), 0.1)?,
                15 => _ = world.launch(Projectile { start: above + beside, seconds: 0.1, ..Projectile::default() })?,
                16 => {
                    _ = world.launch(Projectile { start: above + beside, seconds: 0.1, bounces: 1, ..Projectile::default() })?;
                }
                17 => _ = world.spawn(Body { position: above + beside, ..body })?,
                18 => world.scatter(Debris { at: above, count: 2, speed: 3.0, seconds: 0.1 })?,
                19 => {
                    let (kind, at) = (JointKind::Rope(4.0), above + beside * 0.5);
                    _ = world.join(Joint { kind, one: joined, other: EntityId::NONE, at, break_force: 0.0 })?;
                }
                20 => _ = world.set_field(Field { center: above, radius: 4.0, acceleration: 1.0, falloff: 0.5, seconds: 0.1 })?,
                21 => _ = world.summon(Npc { position: above + beside, ..npc })?,
                22 => world.command(servant, Order::Stay)?,
                23 => {
                    let change = if time % 2 == 0 { Change::Dig } else { Change::Fill(material::STONE) };
                    world.terraform(Area::ball(caster.position + cast.aim * 8.0 + Vec3::DOWN, 3.0), change)?;
                }
                25 => world.cue("price", above, 1.0)?,
                26 => world.set_timer(time, after(1.0))?,
                8 => _ = world.mana(),
                9 => _ = world.load(Drawer::Shared, "price")?,
                27 => world.send(Recipient::Maker(cast.target), b"a message of ordinary length")?,
                28 => world.say("a text of ordinary length", true)?,
                29 => world.store(Drawer::Shared, "price", Some(&[7; 64]))?,
                30 => world.dispel(cast.target)?,
                31 => debug!(world, "a line of an ordinary length, as authors write them"),
                _ => {}
            }
        }
        let charged = before - world.fuel_left();
        info!(world, "{charged}");
        world.finish();
        Ok(())
    }
}
