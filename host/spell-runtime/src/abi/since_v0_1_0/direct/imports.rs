//! The imports by their flattened signatures. Offsets are those of the canonical ABI's layout: a `result<_, refusal>` has its case at 0 and its payload at 8.

use crate::abi::canonical::{Crossing, Put, no_case};
use crate::abi::since_v0_1_0::calls;
use crate::desk::{Checked, Desk};
use crate::types::*;
use wasmtime::{AsContextMut, Caller, Linker, Result};

const READS: &str = "ugc:spell/reads@0.1.0";
const INTENTS: &str = "ugc:spell/intents@0.1.0";

/// Bytes of a `result<T, refusal>` whose T is not larger than a refusal; each is aligned to 8.
const ANSWER: usize = 32;

type Guest<'a> = Caller<'a, Desk>;

/// Offers the imports.
pub(crate) fn add_to_linker(linker: &mut Linker<Desk>) -> Result<()> {
    add_reads(linker)?;
    add_intents_on_entities(linker)?;
    add_intents_that_make(linker)?;
    add_other_intents(linker)
}

fn add_reads(linker: &mut Linker<Desk>) -> Result<()> {
    linker.func_wrap(READS, "tick", |mut guest: Guest<'_>| calls::tick(&mut cross(&mut guest)?.store))?;
    linker.func_wrap(READS, "get-entity", |mut guest: Guest<'_>, id: u64, to: u32| {
        let mut crossing = cross(&mut guest)?;
        let entity = calls::get_entity(&mut crossing.store, id)?;
        let area = crossing.area::<64>(to, 8)?;
        area[0] = entity.is_some().into();
        if let Some(Entity { id, kind, position, velocity, aim, health, health_max }) = entity {
            area.put(8, id.to_le_bytes());
            area.put(16, [kind as u8]);
            area.put_vector(20, position);
            area.put_vector(32, velocity);
            area.put_vector(44, aim);
            area.put(56, health.to_le_bytes());
            area.put(60, health_max.to_le_bytes());
        }
        Ok(())
    })?;
    linker.func_wrap(
        READS,
        "find",
        |mut guest: Guest<'_>,
         case: u32,
         a: f32,
         b: f32,
         c: f32,
         d: f32,
         e: f32,
         f: f32,
         g: f32,
         h: f32,
         kinds: u32,
         count: u32,
         to: u32| {
            let within = match case {
                0 => Shape::Sphere { center: [a, b, c], radius: d },
                1 => Shape::Cone { apex: [a, b, c], direction: [d, e, f], length: g, half_angle: h },
                2 => Shape::Cuboid { center: [a, b, c], half: [d, e, f] },
                _ => return Err(no_case(case)),
            };
            let bit = |index: u32| kinds >> index & 1 == 1;
            let kinds = Kinds { player: bit(0), npc: bit(1), projectile: bit(2), prop: bit(3) };
            let mut crossing = cross(&mut guest)?;
            let found = calls::find(&mut crossing.store, within, kinds, count)?;
            answer::<ANSWER, _, _>(&mut crossing, to, found, lower_nearby, |area, (ids, positions)| {
                area.put_list(8, ids);
                area.put_list(16, positions);
            })
        },
    )?;
    linker.func_wrap(READS, "raycast", |mut guest: Guest<'_>, x: f32, y: f32, z: f32, i: f32, j: f32, k: f32, length: f32, to: u32| {
        let mut crossing = cross(&mut guest)?;
        let hit = calls::raycast(&mut crossing.store, [x, y, z], [i, j, k], length)?;
        answer::<56, _, _>(&mut crossing, to, hit, plain, |area, hit| {
            area.put(8, [hit.is_some().into()]);
            if let Some(RayHit { entity, point, normal, distance }) = hit {
                area.put(16, entity.to_le_bytes());
                area.put_vector(24, point);
                area.put_vector(36, normal);
                area.put(48, distance.to_le_bytes());
            }
        })
    })?;
    linker.func_wrap(READS, "line-of-sight", |mut guest: Guest<'_>, x: f32, y: f32, z: f32, i: f32, j: f32, k: f32, to: u32| {
        let mut crossing = cross(&mut guest)?;
        let seen = calls::line_of_sight(&mut crossing.store, [x, y, z], [i, j, k])?;
        answer::<ANSWER, _, _>(&mut crossing, to, seen, plain, |area, seen| area.put(8, [seen.into()]))
    })?;
    linker.func_wrap(READS, "material", |mut guest: Guest<'_>, x: f32, y: f32, z: f32, to: u32| {
        let mut crossing = cross(&mut guest)?;
        let material = calls::material(&mut crossing.store, [x, y, z])?;
        answer::<ANSWER, _, _>(&mut crossing, to, material, plain, |area, material| area.put(8, [material]))
    })?;
    linker.func_wrap(READS, "materials", |mut guest: Guest<'_>, x: i32, y: i32, z: i32, i: i32, j: i32, k: i32, to: u32| {
        let mut crossing = cross(&mut guest)?;
        let materials = calls::materials(&mut crossing.store, [x, y, z], [i, j, k])?;
        answer::<ANSWER, _, _>(&mut crossing, to, materials, |crossing, bytes| crossing.give(&bytes), |area, list| area.put_list(8, list))
    })?;
    linker.func_wrap(READS, "fuel-left", |mut guest: Guest<'_>| calls::fuel_left(&mut cross(&mut guest)?.store))?;
    linker.func_wrap(READS, "mana", |mut guest: Guest<'_>, to: u32| {
        let mut crossing = cross(&mut guest)?;
        let mana = calls::mana(&mut crossing.store)?;
        let area = crossing.area::<8>(to, 4)?;
        area[0] = mana.is_some().into();
        if let Some(mana) = mana {
            area.put(4, mana.to_le_bytes());
        }
        Ok(())
    })?;
    linker.func_wrap(READS, "load", |mut guest: Guest<'_>, whose: u32, key: u32, bytes: u32, to: u32| {
        let mut crossing = cross(&mut guest)?;
        let (whose, key) = (drawer(whose)?, crossing.lent(key, bytes, 1, 1)?);
        let value = calls::load(&mut crossing.store, whose, &key)?;
        let give =
            |crossing: &mut Crossing<'_>, value: Option<_>| value.map(|value: std::sync::Arc<[u8]>| crossing.give(&value)).transpose();
        answer::<ANSWER, _, _>(&mut crossing, to, value, give, |area, value| {
            area.put(8, [value.is_some().into()]);
            if let Some(list) = value {
                area.put_list(12, list);
            }
        })
    })?;
    Ok(())
}

fn add_intents_on_entities(linker: &mut Linker<Desk>) -> Result<()> {
    linker.func_wrap(INTENTS, "damage", |mut guest: Guest<'_>, target: u64, amount: f32, to: u32| {
        let mut crossing = cross(&mut guest)?;
        let done = calls::damage(&mut crossing.store, target, amount)?;
        answer_done(&mut crossing, to, done)
    })?;
    linker.func_wrap(INTENTS, "heal", |mut guest: Guest<'_>, target: u64, amount: f32, to: u32| {
        let mut crossing = cross(&mut guest)?;
        let done = calls::heal(&mut crossing.store, target, amount)?;
        answer_done(&mut crossing, to, done)
    })?;
    linker.func_wrap(INTENTS, "push", |mut guest: Guest<'_>, ids: u32, targets: u32, impulses: u32, numbers: u32, to: u32| {
        let mut crossing = cross(&mut guest)?;
        let (ids, impulses) = (crossing.lent(ids, targets, 8, 8)?, crossing.lent(impulses, numbers, 4, 4)?);
        let done = calls::push(&mut crossing.store, targets as usize, numbers as usize, |store| {
            let (memory, desk) = ids.memory_and_desk(store);
            let vector = |bytes: &[[u8; 4]; 3]| bytes.map(f32::from_le_bytes);
            let impulses = impulses.elements::<4>(memory).as_chunks().0.iter().map(vector);
            desk.push(ids.elements::<8>(memory).iter().map(|id| u64::from_le_bytes(*id)).zip(impulses))
        })?;
        answer_done(&mut crossing, to, done)
    })?;
    linker.func_wrap(INTENTS, "teleport", |mut guest: Guest<'_>, target: u64, x: f32, y: f32, z: f32, to: u32| {
        let mut crossing = cross(&mut guest)?;
        let done = calls::teleport(&mut crossing.store, target, [x, y, z])?;
        answer_done(&mut crossing, to, done)
    })?;
    linker.func_wrap(INTENTS, "afflict", |mut guest: Guest<'_>, target: u64, case: u32, what: f32, seconds: f32, to: u32| {
        let status = match case {
            0 => Status::Slow(what),
            1 => Status::Root,
            2 => Status::Shield(what),
            3 => Status::Burn(what),
            _ => return Err(no_case(case)),
        };
        let mut crossing = cross(&mut guest)?;
        let done = calls::afflict(&mut crossing.store, target, status, seconds)?;
        answer_done(&mut crossing, to, done)
    })?;
    linker.func_wrap(INTENTS, "dispel", |mut guest: Guest<'_>, target: u64, to: u32| {
        let mut crossing = cross(&mut guest)?;
        let done = calls::dispel(&mut crossing.store, target)?;
        answer_done(&mut crossing, to, done)
    })?;
    linker.func_wrap(INTENTS, "command", |mut guest: Guest<'_>, target: u64, case: u32, a: u64, y: f32, z: f32, to: u32| {
        let order = match case {
            0 => Order::Follow,
            1 => Order::Stay,
            2 => Order::Go([f32::from_bits(a as u32), y, z]),
            3 => Order::Attack(a),
            _ => return Err(no_case(case)),
        };
        let mut crossing = cross(&mut guest)?;
        let done = calls::command(&mut crossing.store, target, order)?;
        answer_done(&mut crossing, to, done)
    })?;
    linker.func_wrap(INTENTS, "despawn", |mut guest: Guest<'_>, id: u64, to: u32| {
        let mut crossing = cross(&mut guest)?;
        let done = calls::despawn(&mut crossing.store, id)?;
        answer_done(&mut crossing, to, done)
    })?;
    Ok(())
}

fn add_intents_that_make(linker: &mut Linker<Desk>) -> Result<()> {
    linker.func_wrap(
        INTENTS,
        "launch",
        |mut guest: Guest<'_>,
         x: f32,
         y: f32,
         z: f32,
         i: f32,
         j: f32,
         k: f32,
         radius: f32,
         gravity: f32,
         seconds: f32,
         damage: f32,
         to: u32| {
            let what = Projectile { start: [x, y, z], velocity: [i, j, k], radius, gravity, seconds, damage };
            let mut crossing = cross(&mut guest)?;
            let id = calls::launch(&mut crossing.store, what)?;
            answer_id(&mut crossing, to, id)
        },
    )?;
    #[rustfmt::skip]
    linker.func_wrap(
        INTENTS,
        "launch-flying",
        |mut guest: Guest<'_>, x: f32, y: f32, z: f32, i: f32, j: f32, k: f32, radius: f32, gravity: f32, seconds: f32, damage: f32,
         restitution: f32, bounces: u32, pierces: u32, homes: u32, turn: f32, half_angle: f32, to: u32| {
            let what = Projectile { start: [x, y, z], velocity: [i, j, k], radius, gravity, seconds, damage };
            let homing = option(homes)?.then_some(Homing { turn, half_angle });
            let how = Flight { restitution, bounces: bounces as u8, pierces: pierces as u8, homing };
            let mut crossing = cross(&mut guest)?;
            let id = calls::launch_flying(&mut crossing.store, what, how)?;
            answer_id(&mut crossing, to, id)
        },
    )?;
    linker.func_wrap(
        INTENTS,
        "spawn-body",
        |mut guest: Guest<'_>, case: u32, a: f32, b: f32, c: f32, mass: f32, x: f32, y: f32, z: f32, i: f32, j: f32, k: f32, to: u32| {
            let form = match case {
                0 => Form::Cuboid([a, b, c]),
                1 => Form::Ball(a),
                _ => return Err(no_case(case)),
            };
            let mut crossing = cross(&mut guest)?;
            let id = calls::spawn_body(&mut crossing.store, Body { form, mass, position: [x, y, z], velocity: [i, j, k] })?;
            answer_id(&mut crossing, to, id)
        },
    )?;
    linker.func_wrap(
        INTENTS,
        "scatter",
        |mut guest: Guest<'_>, x: f32, y: f32, z: f32, count: u32, speed: f32, seconds: f32, to: u32| {
            let mut crossing = cross(&mut guest)?;
            let done = calls::scatter(&mut crossing.store, Debris { at: [x, y, z], count: count as u8, speed, seconds })?;
            answer_done(&mut crossing, to, done)
        },
    )?;
    linker.func_wrap(
        INTENTS,
        "join",
        |mut guest: Guest<'_>,
         case: u32,
         a: f32,
         b: f32,
         c: f32,
         one: u64,
         other: u64,
         x: f32,
         y: f32,
         z: f32,
         break_force: f32,
         to: u32| {
            let kind = match case {
                0 => JointKind::Fixed,
                1 => JointKind::Ball,
                2 => JointKind::Hinge([a, b, c]),
                3 => JointKind::Rope(a),
                _ => return Err(no_case(case)),
            };
            let mut crossing = cross(&mut guest)?;
            let id = calls::join(&mut crossing.store, Joint { kind, one, other, at: [x, y, z], break_force })?;
            answer_id(&mut crossing, to, id)
        },
    )?;
    linker.func_wrap(
        INTENTS,
        "set-field",
        |mut guest: Guest<'_>, x: f32, y: f32, z: f32, radius: f32, acceleration: f32, falloff: f32, seconds: f32, to: u32| {
            let mut crossing = cross(&mut guest)?;
            let id = calls::set_field(&mut crossing.store, Field { center: [x, y, z], radius, acceleration, falloff, seconds })?;
            answer_id(&mut crossing, to, id)
        },
    )?;
    linker.func_wrap(INTENTS, "summon", |mut guest: Guest<'_>, case: u32, x: f32, y: f32, z: f32, i: f32, j: f32, k: f32, to: u32| {
        let temper = match case {
            0 => Temper::Dummy,
            1 => Temper::Guard,
            2 => Temper::Critter,
            _ => return Err(no_case(case)),
        };
        let mut crossing = cross(&mut guest)?;
        let id = calls::summon(&mut crossing.store, Npc { temper, position: [x, y, z], aim: [i, j, k] })?;
        answer_id(&mut crossing, to, id)
    })?;
    Ok(())
}

fn add_other_intents(linker: &mut Linker<Desk>) -> Result<()> {
    linker.func_wrap(
        INTENTS,
        "terraform",
        |mut guest: Guest<'_>, case: u32, a: i32, b: i32, c: i32, d: i32, e: i32, f: i32, change: u32, one: u32, other: u32, to: u32| {
            let float = |bits: i32| f32::from_bits(bits.cast_unsigned());
            let area = match case {
                0 => Area::Ball { center: [float(a), float(b), float(c)], radius: float(d) },
                1 => Area::Block { low: [a, b, c], high: [d, e, f] },
                _ => return Err(no_case(case)),
            };
            let change = match change {
                0 => Change::Fill(one as u8),
                1 => Change::Dig,
                2 => Change::Paint(one as u8),
                3 => Change::Replace { old: one as u8, new: other as u8 },
                _ => return Err(no_case(change)),
            };
            let mut crossing = cross(&mut guest)?;
            let done = calls::terraform(&mut crossing.store, area, change)?;
            answer_done(&mut crossing, to, done)
        },
    )?;
    linker.func_wrap(INTENTS, "cue", |mut guest: Guest<'_>, name: u32, bytes: u32, x: f32, y: f32, z: f32, scale: f32, to: u32| {
        let mut crossing = cross(&mut guest)?;
        let name = crossing.lent(name, bytes, 1, 1)?;
        let done = calls::cue(&mut crossing.store, &name, [x, y, z], scale)?;
        answer_done(&mut crossing, to, done)
    })?;
    linker.func_wrap(INTENTS, "set-timer", |mut guest: Guest<'_>, token: u32, ticks: u32, to: u32| {
        let mut crossing = cross(&mut guest)?;
        let done = calls::set_timer(&mut crossing.store, token, ticks)?;
        answer_done(&mut crossing, to, done)
    })?;
    linker.func_wrap(INTENTS, "send", |mut guest: Guest<'_>, case: u32, a: u64, b: u32, data: u32, bytes: u32, to: u32| {
        let mut crossing = cross(&mut guest)?;
        let whom = match case {
            0 => Recipient::Maker(a),
            1 => Recipient::Mine(crossing.text(a as u32, b)?),
            _ => return Err(no_case(case)),
        };
        let data = crossing.lent(data, bytes, 1, 1)?;
        let done = calls::send(&mut crossing.store, whom, &data)?;
        answer_done(&mut crossing, to, done)
    })?;
    linker.func_wrap(INTENTS, "say", |mut guest: Guest<'_>, text: u32, bytes: u32, aloud: u32, to: u32| {
        let mut crossing = cross(&mut guest)?;
        let text = crossing.lent(text, bytes, 1, 1)?;
        let done = calls::say(&mut crossing.store, &text, aloud != 0)?;
        answer_done(&mut crossing, to, done)
    })?;
    linker.func_wrap(
        INTENTS,
        "store",
        |mut guest: Guest<'_>, whose: u32, key: u32, key_bytes: u32, some: u32, value: u32, value_bytes: u32, to: u32| {
            let mut crossing = cross(&mut guest)?;
            let (whose, key) = (drawer(whose)?, crossing.lent(key, key_bytes, 1, 1)?);
            let value = if option(some)? { Some(crossing.lent(value, value_bytes, 1, 1)?) } else { None };
            let done = calls::store(&mut crossing.store, whose, &key, value.as_ref())?;
            answer_done(&mut crossing, to, done)
        },
    )?;
    linker.func_wrap(INTENTS, "log", |mut guest: Guest<'_>, level: u32, text: u32, bytes: u32| {
        let level = match level {
            0 => "debug",
            1 => "info",
            2 => "warn",
            3 => "error",
            _ => return Err(no_case(level)),
        };
        let mut crossing = cross(&mut guest)?;
        let text = crossing.lent(text, bytes, 1, 1)?;
        calls::log(&mut crossing.store, level, &text)
    })?;
    linker.func_wrap(INTENTS, "finish", |mut guest: Guest<'_>| calls::finish(&mut cross(&mut guest)?.store))?;
    Ok(())
}

fn cross<'a>(guest: &'a mut Guest<'_>) -> Result<Crossing<'a>> {
    Crossing::new(guest.as_context_mut())
}

fn drawer(case: u32) -> Result<Drawer> {
    match case {
        0 => Ok(Drawer::Mine),
        1 => Ok(Drawer::Shared),
        _ => Err(no_case(case)),
    }
}

fn option(case: u32) -> Result<bool> {
    if case > 1 { Err(no_case(case)) } else { Ok(case == 1) }
}

/// What needs no room of its own in the guest's memory.
fn plain<T>(_: &mut Crossing<'_>, value: T) -> Result<T> {
    Ok(value)
}

/// Both of a `nearby`'s lists.
#[allow(clippy::type_complexity, reason = "pointer and length of each")]
fn lower_nearby(crossing: &mut Crossing<'_>, found: Vec<(EntityId, Vec3)>) -> Result<((u32, u32), (u32, u32))> {
    let (ids, room) = crossing.room(found.len() * 8, 8)?;
    for (to, (id, _)) in room.as_chunks_mut().0.iter_mut().zip(&found) {
        *to = id.to_le_bytes();
    }
    let (positions, room) = crossing.room(found.len() * 12, 4)?;
    for (to, axis) in room.as_chunks_mut().0.iter_mut().zip(found.iter().flat_map(|(_, position)| position)) {
        *to = axis.to_le_bytes();
    }
    let count = found.len() as u32;
    Ok(((ids, count), (positions, count * 3)))
}

/// Writes a `result<T, refusal>` of `SIZE` bytes: what `T` needs room for is lowered first, then written at its offset.
fn answer<const SIZE: usize, T, L>(
    crossing: &mut Crossing<'_>,
    to: u32,
    checked: Checked<T>,
    lower: impl FnOnce(&mut Crossing<'_>, T) -> Result<L>,
    write: impl FnOnce(&mut [u8; SIZE], L),
) -> Result<()> {
    crossing.area::<SIZE>(to, 8)?;
    match checked {
        Ok(value) => {
            let lowered = lower(crossing, value)?;
            let area = crossing.area::<SIZE>(to, 8)?;
            area[0] = 0;
            write(area, lowered);
        }
        Err(refused) => {
            let area = crossing.area::<SIZE>(to, 8)?;
            area[0] = 1;
            area.put(8, [refused.limit as u8]);
            area.put(16, refused.allowed.to_le_bytes());
            area.put(24, refused.asked.to_le_bytes());
        }
    }
    Ok(())
}

fn answer_done(crossing: &mut Crossing<'_>, to: u32, done: Checked) -> Result<()> {
    answer::<ANSWER, _, _>(crossing, to, done, plain, |_, ()| ())
}

fn answer_id(crossing: &mut Crossing<'_>, to: u32, id: Checked<EntityId>) -> Result<()> {
    answer::<ANSWER, _, _>(crossing, to, id, plain, |area, id| area.put(8, id.to_le_bytes()))
}
