//! A group of entities as a difference to what both sides have: what moved is predicted from the two states before, and only told as far as it went otherwise.

use super::coder::{Coder, Reader, Writer};
use super::model::{self, ACTIVITIES, BUCKETS, OFFS, bucket, number, number_at, off};
use super::snapshot::BadSnapshot;
use super::state::{EntityState, ROTATION_UNITS, Rotation};
use super::turning::{self, Turn, Vector, after, from_to, inverse, length, sum, times, turned};
use crate::limits::{GROUP_ENTITIES_MAX, STATE_POSITION_MAX};

pub use super::coder::Census;

/// Something is carried by the first mover when it is nearer than this, in units of position, and keeps its place beside it.
const CARRIED_WITHIN: i64 = 1_536;
/// States further apart are taken as so far apart: predictions from them are worth nothing, and must not overflow.
const TICKS_MAX: u32 = 1 << 16;
/// A rotation goes on for no more than so many times what is known of it.
const TURNS_MAX: i64 = 4;

/// What both sides know of a group.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bases<'a> {
    base: &'a [EntityState],
    before: &'a [EntityState],
    age: i64,
    span: i64,
}

impl<'a> Bases<'a> {
    /// The state of `age` ticks ago, and the one of `span` ticks before that; both are sorted by id.
    pub fn new(base: Option<&'a [EntityState]>, age: u32, before: Option<&'a [EntityState]>, span: u32) -> Self {
        let ticks = |ticks: u32| i64::from(ticks.clamp(1, TICKS_MAX));
        Self { base: base.unwrap_or_default(), before: before.unwrap_or_default(), age: ticks(age), span: ticks(span) }
    }
}

/// The group's bytes; entities are sorted by id, and no more than the wire allows in number and in range. An id means the same kind in all states.
pub fn encode(now: &[EntityState], bases: &Bases<'_>) -> Vec<u8> {
    let mut writer = Writer::new();
    // What is written is in range: a writer answers what it is given.
    let _ = code(&mut writer, now, bases);
    writer.finish()
}

/// The entities in these bytes, sorted by id.
///
/// # Errors
/// A number is out of its range.
pub fn decode(bytes: &[u8], bases: &Bases<'_>) -> Result<Vec<EntityState>, BadSnapshot> {
    code(&mut Reader::new(bytes), &[], bases)
}

/// Counts the group's bits by context.
pub fn learn(census: &mut Census, now: &[EntityState], bases: &Bases<'_>) {
    let _ = code(census, now, bases);
}

/// The first entity that has moved: others may move as if they were part of it, like cubes of a ball or passengers.
struct Carrier {
    place: Vector,
    old_place: Vector,
    /// Since the base.
    turn: Turn,
    /// Between the two known states.
    old_move: Vector,
    old_turn: Turn,
}

/// Where an entity would be, if all went as expected.
struct Guess {
    class: usize,
    place: Vector,
    pose: Turn,
    /// Buckets of how fast it moves and turns.
    speed: usize,
    spin: usize,
}

fn code(coder: &mut impl Coder, now: &[EntityState], bases: &Bases<'_>) -> Result<Vec<EntityState>, BadSnapshot> {
    let find = |among: &[EntityState], id: u64| among.binary_search_by_key(&id, |state| state.id).ok().map(|index| among[index]);
    let same = !coder.bit(model::SAME_MEMBERS, !now.iter().map(|state| state.id).eq(bases.base.iter().map(|state| state.id)));
    let mut states = Vec::with_capacity(bases.base.len());
    let (mut carrier, mut latest) = (None, 0);
    for old in bases.base {
        if !same && coder.bit(model::GONE, find(now, old.id).is_none()) {
            continue;
        }
        let wanted = find(now, old.id).unwrap_or(*old);
        let earlier = find(bases.before, old.id);
        let activity = earlier.map_or(0, |earlier| 1 + usize::from(earlier != *old));
        let mut state = *old;
        let changed = coder.bit(model::CHANGED + (class_of(old.kind) * ACTIVITIES + activity) * 4 + latest, wanted != *old);
        latest = (latest << 1 | usize::from(changed)) & 3;
        if changed {
            let earlier = earlier.unwrap_or(*old);
            let guess = guess(old, &earlier, carrier.as_ref(), bases);
            change(coder, &mut state, &wanted, activity, &guess)?;
            carrier = carrier.or_else(|| Some(Carrier::of(&state, old, &earlier)));
        }
        states.push(state);
    }
    if !same {
        arrivals(coder, now, bases.base, &mut states)?;
    }
    Ok(states)
}

fn class_of(kind: u8) -> usize {
    match kind {
        1 | 2 => 0,
        3 => 1,
        _ => 2,
    }
}

fn place(state: &EntityState) -> Vector {
    state.position.map(i64::from)
}

impl Carrier {
    fn of(now: &EntityState, old: &EntityState, earlier: &EntityState) -> Self {
        let [new_turn, turn, old_turn] = [now, old, earlier].map(|state| turning::turn_of(&state.rotation));
        Self {
            place: place(now),
            old_place: place(old),
            turn: after(new_turn, inverse(turn)),
            old_move: from_to(place(earlier), place(old)),
            old_turn: after(turn, inverse(old_turn)),
        }
    }
}

fn guess(old: &EntityState, earlier: &EntityState, carrier: Option<&Carrier>, bases: &Bases<'_>) -> Guess {
    let (age, span, class) = (bases.age, bases.span, class_of(old.kind));
    let (here, moved) = (place(old), from_to(place(earlier), place(old)));
    let pose = turning::turn_of(&old.rotation);
    if let Some(carrier) = carrier.filter(|_| class == 2) {
        let beside = from_to(carrier.old_place, here);
        // Where it would have been, had it been part of the carrier: what is left is its own way.
        let beside_before = sum(from_to(moved, beside), carrier.old_move);
        let drift = from_to(turned(carrier.old_turn, beside_before), beside);
        if length(beside) < CARRIED_WITHIN && moved != [0; 3] && 5 * length(drift) <= 4 * length(moved) + 2 {
            let own_turn = after(inverse(carrier.old_turn), after(pose, inverse(turning::turn_of(&earlier.rotation))));
            return Guess {
                class: 3,
                place: sum(carrier.place, turned(carrier.turn, beside)),
                pose: after(carrier.turn, pose),
                speed: bucket((length(drift) * age / span) as u64),
                spin: bucket(spin(own_turn) * age as u64 / span as u64),
            };
        }
    }
    let ahead = times(moved, age, span);
    let turn = after(pose, inverse(turning::turn_of(&earlier.rotation)));
    let turns = if class == 2 { (age / span).min(TURNS_MAX) } else { 0 };
    Guess {
        class,
        place: sum(here, ahead),
        pose: (0..turns).fold(pose, |pose, _| after(turn, pose)),
        speed: bucket(length(ahead) as u64),
        spin: bucket(spin(turn) * age as u64 / span as u64),
    }
}

/// How much a rotation turns, about in units of a rotation.
fn spin(turn: Turn) -> u64 {
    turn[..3].iter().map(|component| component.unsigned_abs()).max().unwrap_or(0) / 64
}

/// What has become of an entity that is not as it was.
fn change(
    coder: &mut impl Coder,
    state: &mut EntityState,
    wanted: &EntityState,
    activity: usize,
    guess: &Guess,
) -> Result<(), BadSnapshot> {
    let class = guess.class;
    let mut rotation_off = 0;
    if coder.bit(model::TURNED + class * ACTIVITIES + activity, wanted.rotation != state.rotation) {
        (state.rotation, rotation_off) = rotation(coder, &wanted.rotation, guess)?;
    }
    if coder.bit(model::MOVED + class * ACTIVITIES + activity, wanted.position != state.position) {
        let mut before = rotation_off;
        // The vertical axis first: it is what most things have in common with the ground.
        for axis in [1, 0, 2] {
            let index = ((class * 2 + usize::from(axis == 1)) * BUCKETS + guess.speed) * OFFS + off(before);
            let expected = guess.place[axis].clamp(-STATE_POSITION_MAX, STATE_POSITION_MAX) as i32;
            let residual = number(coder, number_at(model::POSITION, index), wanted.position[axis] - expected);
            state.position[axis] = in_range(i64::from(expected) + i64::from(residual), STATE_POSITION_MAX, "position")? as i32;
            before = if axis == 1 { residual.unsigned_abs() } else { before.max(residual.unsigned_abs()) };
        }
    }
    if coder.bit(model::HURT + class, wanted.health != state.health) {
        let residual = number(coder, number_at(model::HEALTH, class), i32::from(wanted.health) - i32::from(state.health));
        state.health = u16::try_from(i32::from(state.health) + residual).map_err(|_| BadSnapshot::Range("health"))?;
    }
    Ok(())
}

/// A rotation, and by how much its worst component was off.
fn rotation(coder: &mut impl Coder, wanted: &Rotation, guess: &Guess) -> Result<(Rotation, u32), BadSnapshot> {
    let expected = turning::largest(guess.pose);
    let flipped = coder.bit(model::OTHER_LARGEST + guess.class, usize::from(wanted.largest) != expected);
    let largest = if flipped { two_bits(coder, wanted.largest) } else { expected as u8 };
    let around = turning::others(guess.pose, largest.into());
    let (mut others, mut worst) = ([0; 3], 0);
    for index in 0..3 {
        let context = if flipped {
            number_at(model::FRESH, 1)
        } else {
            let before = if index == 0 { OFFS } else { off(worst) };
            number_at(model::ROTATION, (guess.class * BUCKETS + guess.spin) * (OFFS + 1) + before)
        };
        let residual = number(coder, context, i32::from(wanted.others[index]) - around[index]);
        others[index] = in_range(i64::from(around[index]) + i64::from(residual), ROTATION_UNITS as i64, "rotation")? as i16;
        worst = worst.max(residual.unsigned_abs());
    }
    Ok((Rotation { largest, others }, worst))
}

fn two_bits(coder: &mut impl Coder, wanted: u8) -> u8 {
    let high = coder.bit(model::LARGEST, wanted & 2 != 0);
    let low = coder.bit(model::LARGEST + 1 + usize::from(high), wanted & 1 != 0);
    u8::from(high) << 1 | u8::from(low)
}

/// Those that the base does not have, each told from the one before it.
fn arrivals(coder: &mut impl Coder, now: &[EntityState], base: &[EntityState], states: &mut Vec<EntityState>) -> Result<(), BadSnapshot> {
    let fresh = number_at(model::FRESH, 0);
    let known = |id: u64| base.binary_search_by_key(&id, |state| state.id).is_ok();
    let new: Vec<&EntityState> = now.iter().filter(|state| !known(state.id)).collect();
    let mut last = EntityState { id: 0, kind: 0, position: [0; 3], rotation: Rotation::IDENTITY, health: 0 };
    let mut told = 0;
    while coder.even(told < new.len()) {
        if states.len() >= GROUP_ENTITIES_MAX.max(base.len() + new.len()) {
            return Err(BadSnapshot::Range("entities"));
        }
        let wanted = new.get(told).map_or(last, |state| **state);
        let step = id_step(coder, wanted.id.wrapping_sub(last.id));
        last.id = last.id.checked_add(step).filter(|id| (step > 0 || told == 0) && !known(*id)).ok_or(BadSnapshot::Range("id"))?;
        last.kind = two_bits(coder, wanted.kind.wrapping_sub(1)) + 1;
        for axis in 0..3 {
            let step = number(coder, fresh, wanted.position[axis] - last.position[axis]);
            last.position[axis] = in_range(i64::from(last.position[axis]) + i64::from(step), STATE_POSITION_MAX, "position")? as i32;
        }
        last.rotation.largest = two_bits(coder, wanted.rotation.largest);
        for index in 0..3 {
            let other = number(coder, fresh, wanted.rotation.others[index].into());
            last.rotation.others[index] = in_range(other.into(), ROTATION_UNITS as i64, "rotation")? as i16;
        }
        let health = i32::from(last.health) + number(coder, fresh, i32::from(wanted.health) - i32::from(last.health));
        last.health = u16::try_from(health).map_err(|_| BadSnapshot::Range("health"))?;
        states.push(last);
        told += 1;
    }
    states.sort_unstable_by_key(|state| state.id);
    Ok(())
}

/// How much higher an id is than the one before: in groups of eight bits, the lowest first.
fn id_step(coder: &mut impl Coder, wanted: u64) -> u64 {
    let mut step = 0;
    for shift in (0..64).step_by(8) {
        let byte = (0..8).rev().fold(0, |byte, bit| byte << 1 | u64::from(coder.even(wanted >> shift >> bit & 1 == 1)));
        step |= byte << shift;
        if !coder.even(wanted.checked_shr(shift + 8).is_some_and(|rest| rest != 0)) {
            break;
        }
    }
    step
}

fn in_range(number: i64, most: i64, name: &'static str) -> Result<i64, BadSnapshot> {
    if number.abs() <= most { Ok(number) } else { Err(BadSnapshot::Range(name)) }
}
