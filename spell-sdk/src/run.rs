//! The run of one straight-line spell: who polls it, what it waits for, and what of that is saved.

use crate::limits::{EVENTS_KEPT_MAX, RUN_TIMERS_MAX, TIMER_TICKS_MAX};
use crate::saved::{Field, Fields, RestoreError};
use crate::{EntityId, Envelope, Event, Hit, Message, Refusal, Ticks, Vec3, World};
use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// The author's code on its way.
pub type Course = Pin<Box<dyn Future<Output = Result<(), Refusal>>>>;

/// How a straight-line spell begins.
#[derive(Debug)]
pub struct Start<S> {
    /// Both are shared with the run, which only reads them; so the state can be saved while the run waits.
    pub run: fn(Rc<S>, Rc<World>) -> Course,
    /// Whether it may also begin from a saved state.
    pub resumes: bool,
}

/// One run, from the cast to the end.
#[derive(Default)]
pub struct Run {
    /// None before its first poll and after its last.
    course: Option<Course>,
    over: bool,
    waits: Rc<RefCell<Waits>>,
}

/// What the run waits for.
///
/// Whoever waits says so anew at each poll: a wait that was dropped leaves nothing behind, and one waker that does nothing serves all.
#[derive(Debug, Default)]
pub struct Waits {
    /// The tick of the running hook.
    pub now: u64,
    /// Calls of `on_tick` since the run began, and what the last was told.
    pub ticked: u32,
    pub dt: f32,
    /// Somebody waits for the next one.
    pub tick_wanted: bool,
    /// Whether there will be any.
    pub has_ticks: bool,
    /// What nobody has awaited yet, oldest first.
    pub events: Vec<Event>,
    dues: Vec<Due>,
    /// Ticks at which timers of the host will call.
    timers: Vec<u64>,
    /// What a saved run was waiting for; until the end of the first poll, for the waits that take it up.
    resumed: Vec<Due>,
    resumed_tick: bool,
}

/// A wait for a time, and how long it is in all: by that a run that begins anew knows it again.
type Due = (u32, u64);

/// The token of the host's timers that a run sets for itself; authors' own are told to the run as events.
const TOKEN: u32 = u32::MAX;
/// The name of a run's field in the saved state: no field of an author can be called so.
const NAME: &str = "(run)";
/// What became of the run: the first of the numbers that are saved.
const OVER: u64 = 0;
const RESUMES: u64 = 1;
const LOST: u64 = 2;

thread_local! {
    /// Those of the run that is being polled, so that a wait needs no handle.
    static RUNNING: RefCell<Option<Rc<RefCell<Waits>>>> = const { RefCell::new(None) };
}

/// The waits of the run that is being polled.
#[inline(never)]
pub fn waits() -> Rc<RefCell<Waits>> {
    RUNNING.with_borrow(|running| running.clone()).expect("only the run of a straight-line spell can wait")
}

impl Run {
    /// Whether this tick is anybody's business.
    pub fn tick(&mut self, world: &World, dt: f32) -> bool {
        let mut waits = self.waits.borrow_mut();
        waits.ticked = waits.ticked.wrapping_add(1);
        waits.dt = dt;
        !self.over && (self.course.is_none() || waits.tick_wanted || waits.is_due(world))
    }

    /// Whether this event is.
    pub fn event(&mut self, event: Event) -> bool {
        if event != Event::Timer(TOKEN) {
            self.waits.borrow_mut().keep(event);
        }
        !self.over
    }

    /// Polls the author's code, which begins now if it has not yet.
    pub fn go_on(&mut self, world: &World, envelope: &Envelope, start: impl FnOnce() -> Course) {
        let mut course = self.course.take().unwrap_or_else(start);
        match self.poll(world, envelope, &mut course) {
            Poll::Pending => self.course = Some(course),
            Poll::Ready(answer) => {
                self.over = true;
                drop(course);
                world.end_hook(answer);
                // An instant cast is ended by the host, when nothing that it made is left.
                if !envelope.is_instant() {
                    world.finish();
                }
            }
        }
    }

    fn poll(&mut self, world: &World, envelope: &Envelope, course: &mut Course) -> Poll<Result<(), Refusal>> {
        self.waits.borrow_mut().open(world.tick(), envelope.has_ticks());
        RUNNING.set(Some(Rc::clone(&self.waits)));
        let answer = course.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        RUNNING.set(None);
        let mut waits = self.waits.borrow_mut();
        waits.close();
        if answer.is_pending() {
            // Who is called in each tick needs no timers.
            world.end_hook(if envelope.ticks_always() { Ok(()) } else { waits.set_timer(world) });
        }
        answer
    }

    /// Drops the author's code.
    pub fn stop(&mut self) {
        (self.course, self.over) = (None, true);
    }

    /// Whether this is a run's field.
    pub fn is(field: &Field<'_>) -> bool {
        field.is(NAME)
    }

    /// Saves one that can begin anew. Apart from the next, so that a spell which cannot does not carry the code.
    pub fn save(&self, fields: &mut Fields) {
        let numbers = if self.over { vec![OVER] } else { self.waits.borrow().save(self.course.is_some()) };
        fields.put(NAME, &numbers);
    }

    /// Saves one that cannot: only whether it is over.
    pub fn save_end(&self, fields: &mut Fields) {
        fields.put(NAME, &vec![if self.over { OVER } else { LOST }]);
    }

    /// The run of this field; of none, if another form of the spell has saved.
    pub fn restore(field: Option<Field<'_>>) -> Result<Self, RestoreError> {
        let Some(field) = field else { return Ok(Self::default()) };
        match numbers(field)?.split_first() {
            Some((&OVER, _)) => Ok(Self { over: true, ..Self::default() }),
            Some((&RESUMES, rest)) => {
                let waits = Waits::restore(&mut rest.iter().copied()).ok_or(RestoreError::Malformed)?;
                Ok(Self { waits: Rc::new(RefCell::new(waits)), ..Self::default() })
            }
            _ => Err(RestoreError::Straight),
        }
    }

    /// As `restore`, for one that cannot begin anew: nothing but its end can be restored.
    pub fn restore_end(field: Option<Field<'_>>) -> Result<Self, RestoreError> {
        match field.map(numbers).transpose()?.as_deref() {
            Some([OVER]) => Ok(Self { over: true, ..Self::default() }),
            _ => Err(RestoreError::Straight),
        }
    }
}

fn numbers(field: Field<'_>) -> Result<Vec<u64>, RestoreError> {
    let mut numbers = Vec::new();
    field.read(NAME, &mut numbers)?;
    Ok(numbers)
}

impl Waits {
    /// The tick at which a wait of so many ends: so long from now, or, in a run that begins anew, when it would have ended.
    pub fn due(&mut self, ticks: u32) -> u64 {
        match self.resumed.iter().position(|due| due.0 == ticks) {
            Some(place) => self.resumed.remove(place).1,
            None => self.now.saturating_add(u64::from(ticks)),
        }
    }

    /// Whether that tick has come; if not, somebody waits for it.
    pub fn has_come(&mut self, ticks: u32, at: u64) -> bool {
        let has_come = self.now >= at;
        if !has_come {
            self.dues.push((ticks, at));
        }
        has_come
    }

    /// From which call of `on_tick` on a wait for the next one counts.
    pub fn ticked_before(&mut self) -> u32 {
        if std::mem::take(&mut self.resumed_tick) { 0 } else { self.ticked }
    }

    fn open(&mut self, now: u64, has_ticks: bool) {
        (self.now, self.has_ticks, self.tick_wanted) = (now, has_ticks, false);
        self.dues.clear();
        self.timers.retain(|timer| *timer > now);
    }

    fn close(&mut self) {
        self.resumed.clear();
        self.resumed_tick = false;
    }

    fn is_due(&self, world: &World) -> bool {
        let first = self.dues.iter().map(|due| due.1).min();
        first.is_some_and(|first| first <= world.tick())
    }

    fn keep(&mut self, event: Event) {
        if self.events.len() == EVENTS_KEPT_MAX {
            self.events.remove(0);
        }
        self.events.push(event);
    }

    /// Has the host call at the first due, unless it will call before. However many wait, at most [`RUN_TIMERS_MAX`] of the host's timers are used: the last
    /// of them rings in the next tick, and is set again, until one of the others has.
    fn set_timer(&mut self, world: &World) -> Result<(), Refusal> {
        let first = self.dues.iter().map(|due| due.1).min();
        let Some(first) = first.filter(|first| self.timers.iter().all(|timer| timer > first)) else { return Ok(()) };
        let longest = if self.timers.len() + 1 < RUN_TIMERS_MAX { TIMER_TICKS_MAX } else { 1 };
        let ticks = first.saturating_sub(self.now).clamp(1, longest.into());
        world.set_timer(TOKEN, Ticks(ticks as u32))?;
        self.timers.push(self.now + ticks);
        Ok(())
    }
}

/// Plain numbers, for one list of them is little code, and every spell carries it.
impl Waits {
    /// One that has not begun anew since it was restored still waits for what it was waiting for.
    fn save(&self, begun: bool) -> Vec<u64> {
        let (dues, tick_wanted) = if begun { (&self.dues, self.tick_wanted) } else { (&self.resumed, self.resumed_tick) };
        let mut numbers = vec![RESUMES, tick_wanted.into(), dues.len() as u64, self.timers.len() as u64];
        dues.iter().for_each(|due| numbers.extend([u64::from(due.0), due.1]));
        numbers.extend_from_slice(&self.timers);
        self.events.iter().for_each(|event| event_to_numbers(event, &mut numbers));
        numbers
    }

    fn restore(numbers: &mut impl Iterator<Item = u64>) -> Option<Self> {
        let mut waits = Self { resumed_tick: numbers.next()? != 0, ..Self::default() };
        let (dues, timers) = (numbers.next()?, numbers.next()?);
        for _ in 0..dues {
            waits.resumed.push((numbers.next()? as u32, numbers.next()?));
        }
        for _ in 0..timers {
            waits.timers.push(numbers.next()?);
        }
        while let Some(kind) = numbers.next() {
            waits.events.push(event_of_numbers(kind, numbers)?);
        }
        Some(waits)
    }
}

fn event_to_numbers(event: &Event, numbers: &mut Vec<u64>) {
    numbers.extend(match event {
        Event::Hit(Hit { projectile, entity, point, normal }) => {
            [0, projectile.0, entity.0, pair(point.x, point.y), pair(point.z, normal.x), pair(normal.y, normal.z)]
        }
        Event::Expired(id) => [1, id.0, 0, 0, 0, 0],
        Event::Timer(token) => [2, u64::from(*token), 0, 0, 0, 0],
        Event::Dropped(id) => [3, id.0, 0, 0, 0, 0],
        Event::Died(id) => [4, id.0, 0, 0, 0, 0],
        Event::Message(Message { spell, caster, data }) => [5, caster.0, 0, spell.len() as u64, data.len() as u64, 0],
    });
    if let Event::Message(Message { spell, data, .. }) = event {
        let bytes = [spell.as_bytes(), data].concat();
        numbers.extend(bytes.chunks(8).map(|bytes| bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))));
    }
}

fn event_of_numbers(kind: u64, numbers: &mut impl Iterator<Item = u64>) -> Option<Event> {
    let (subject, entity) = (EntityId(numbers.next()?), EntityId(numbers.next()?));
    let rest = [numbers.next()?, numbers.next()?, numbers.next()?];
    let [(x, y), (z, normal_x), (normal_y, normal_z)] = rest.map(unpair);
    Some(match kind {
        0 => Event::Hit(Hit { projectile: subject, entity, point: Vec3::new(x, y, z), normal: Vec3::new(normal_x, normal_y, normal_z) }),
        1 => Event::Expired(subject),
        2 => Event::Timer(subject.0 as u32),
        3 => Event::Dropped(subject),
        4 => Event::Died(subject),
        5 => {
            let [spell, data] = [rest[0] as usize, rest[1] as usize];
            let mut bytes = bytes_of_numbers(spell.checked_add(data)?, numbers)?;
            let data = bytes.split_off(spell);
            Event::Message(Message { spell: String::from_utf8(bytes).ok()?, caster: subject, data })
        }
        _ => return None,
    })
}

/// So many bytes, eight to a number. What the length claims is made room for only as it comes.
fn bytes_of_numbers(length: usize, numbers: &mut impl Iterator<Item = u64>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    while bytes.len() < length {
        bytes.extend(numbers.next()?.to_le_bytes());
    }
    bytes.truncate(length);
    Some(bytes)
}

fn pair(one: f32, other: f32) -> u64 {
    u64::from(one.to_bits()) << 32 | u64::from(other.to_bits())
}

fn unpair(both: u64) -> (f32, f32) {
    (f32::from_bits((both >> 32) as u32), f32::from_bits(both as u32))
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("over", &self.over).field("waits", &self.waits).finish_non_exhaustive()
    }
}
