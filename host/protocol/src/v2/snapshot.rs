//! A snapshot: the reader's own player, and groups of entities, each coded once for all who know the same of it.

use super::SNAPSHOT;
use crate::Vec3;
use crate::limits::{SNAPSHOT_BYTES_MAX, SNAPSHOT_GROUPS_MAX};

/// Of the own player's position in a metre and of its velocity in a metre a second: what a client corrects its prediction with.
const OWN_UNITS: f32 = 1_024.0;

/// Why a snapshot is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSnapshot {
    /// It ends too early.
    #[error("the snapshot is cut short")]
    Short,
    /// A number is out of its range.
    #[error("field {0} is out of range")]
    Range(&'static str),
    /// It refers to a state that the reader does not have.
    #[error("the snapshot is a difference to a state that is not known")]
    Baseline,
}

/// The reader's own player.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OwnState {
    /// The last input that was simulated.
    pub sequence: u32,
    /// Metres, to 1/1024.
    pub position: Vec3,
    /// Metres a second, to 1/1024.
    pub velocity: Vec3,
    /// Stands on something.
    pub grounded: bool,
}

/// One group in a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupPart<'a> {
    /// Which; a number stands for the same group as long as the client sees it.
    pub group: u32,
    /// Ticks since the state that this is a difference to; 0 when it is whole.
    pub age: u32,
    /// Ticks between that state and the one before it that both sides know, from which motion is predicted; 0 when there is none.
    pub span: u32,
    /// Made by [`super::group::encode`].
    pub bytes: &'a [u8],
}

/// A snapshot, not yet decoded further.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot<'a> {
    /// The tick.
    pub server_tick: u64,
    /// The reader's player.
    pub own: OwnState,
    /// What has changed; what is not here is as it was.
    pub groups: Vec<GroupPart<'a>>,
}

impl<'a> Snapshot<'a> {
    /// As a frame.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Self::writer(self.server_tick, &self.own, 0);
        let mut ages = NO_AGES;
        self.groups.iter().for_each(|part| put_part(&mut writer, part, &mut ages));
        writer
    }

    /// The frame's head, with room for so many bytes of groups, which follow by [`put_part`].
    pub fn writer(server_tick: u64, own: &OwnState, room: usize) -> Vec<u8> {
        let mut frame = Vec::with_capacity(32 + room);
        frame.push(SNAPSHOT);
        put(&mut frame, server_tick);
        put(&mut frame, u64::from(own.sequence) << 1 | u64::from(own.grounded));
        for axis in own.position.into_iter().chain(own.velocity) {
            put(&mut frame, zigzag((axis * OWN_UNITS).round() as i32));
        }
        frame
    }

    /// The snapshot in a frame's body.
    ///
    /// # Errors
    /// It is cut short, too long, or a number is out of range. Between two groups it ends as well as anywhere: frames are whole, or do not come.
    pub fn decode(body: &'a [u8]) -> Result<Self, BadSnapshot> {
        if body.len() > SNAPSHOT_BYTES_MAX {
            return Err(BadSnapshot::Range("length"));
        }
        let mut rest = body;
        let server_tick = take(&mut rest, u64::MAX >> 1, "server_tick")?;
        let sequence = take(&mut rest, u64::from(u32::MAX) << 1 | 1, "sequence")?;
        let mut numbers = [0.0; 6];
        for number in &mut numbers {
            *number = unzigzag(take(&mut rest, u64::from(u32::MAX), "own")?) as f32 / OWN_UNITS;
        }
        let [x, y, z, u, v, w] = numbers;
        let own = OwnState { sequence: (sequence >> 1) as u32, position: [x, y, z], velocity: [u, v, w], grounded: sequence & 1 == 1 };
        let (mut groups, mut ages) = (Vec::new(), NO_AGES);
        while !rest.is_empty() {
            if groups.len() == SNAPSHOT_GROUPS_MAX {
                return Err(BadSnapshot::Range("groups"));
            }
            let named = take(&mut rest, u64::from(u32::MAX) << 1 | 1, "group")?;
            let mut number = |name| take(&mut rest, u64::from(u32::MAX), name).map(|number| number as u32);
            if named & 1 == 1 {
                ages = [number("age")?, number("span")?];
            }
            let ([age, span], length) = (ages, number("length")?);
            let group = (named >> 1) as u32;
            let (bytes, after) = rest.split_at_checked(length as usize).ok_or(BadSnapshot::Short)?;
            rest = after;
            groups.push(GroupPart { group, age, span, bytes });
        }
        Ok(Self { server_tick, own, groups })
    }
}

/// Before the first part of a snapshot.
pub const NO_AGES: [u32; 2] = [0; 2];

/// Adds a group to a frame that [`Snapshot::writer`] has begun. `ages` are those of the part before, [`NO_AGES`] for the first: most parts have the same.
pub fn put_part(frame: &mut Vec<u8>, part: &GroupPart<'_>, ages: &mut [u32; 2]) {
    let before = std::mem::replace(ages, [part.age, part.span]);
    put(frame, u64::from(part.group) << 1 | u64::from(before != *ages));
    if before != *ages {
        ages.iter().for_each(|age| put(frame, (*age).into()));
    }
    put(frame, part.bytes.len() as u64);
    frame.extend_from_slice(part.bytes);
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn put(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

fn take(from: &mut &[u8], most: u64, name: &'static str) -> Result<u64, BadSnapshot> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = from.split_first().ok_or(BadSnapshot::Short)?;
        *from = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return if number <= most { Ok(number) } else { Err(BadSnapshot::Range(name)) };
        }
    }
    Err(BadSnapshot::Range(name))
}

/// Small numbers of either sign as small numbers.
fn zigzag(number: i32) -> u64 {
    u64::from((number << 1 ^ number >> 31) as u32)
}

fn unzigzag(number: u64) -> i32 {
    (number as u32 >> 1) as i32 ^ -((number & 1) as i32)
}
