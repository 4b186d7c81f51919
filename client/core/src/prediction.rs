//! The player's own movement, ahead of the server by the line: each input is simulated at once, by the server's own code, and kept until it is acknowledged.

use crate::limits::{AGREEMENT, CORRECTION_KEPT, EXPLAINED_INPUTS_MAX, EXPLAINED_TICKS_MAX, PENDING_INPUTS_MAX, SNAP_M};
use protocol::client::InputFrame;
use protocol::limits::INPUT_FRAMES_MAX;
use protocol::v2::{OwnState, as_sent};
use sim::Vec3;
use sim::character::{Motion, Obstacle, advance_among};
use sim::inbound::Input;
use sim::limits::TICK_SECONDS;
use sim::status::Hindrance;
use sim::voxel::Terrain;
use std::collections::VecDeque;

/// What the player walks among.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The ground, as far as it has come.
    pub terrain: &'a Terrain,
    /// Crates near the player.
    pub crates: &'a [Obstacle],
    /// Whether the ground under the player has come. Without it nothing is predicted: the player would fall through.
    pub are_known: bool,
}

/// How often, and by how much, the server saw it otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Corrections {
    /// In all.
    pub count: u32,
    /// Of these, where the server took an input twice or not at all, because the line was late: nobody could have predicted it.
    pub late: u32,
    /// How far the last one moved the player, metres.
    pub last_m: f32,
    /// And the furthest.
    pub largest_m: f32,
}

/// Digests of the player after one input (docs/protocol.md): where they are the same, so is every bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreement {
    /// The server's.
    pub server: u32,
    /// Of what was predicted.
    pub here: u32,
}

/// The player as predicted.
#[derive(Debug)]
pub struct Prediction {
    /// After the newest input.
    now: Motion,
    /// Before it: between the two the picture is drawn.
    before: Motion,
    /// What is still seen of corrections.
    glide: Vec3,
    /// Not yet acknowledged, oldest first.
    pending: VecDeque<Pending>,
    sequence: u32,
    client_tick: u64,
    acknowledged: Option<Acknowledged>,
    /// What the player bears that keeps it from walking as it wishes.
    hindrance: Hindrance,
    /// That has changed since the inputs were simulated.
    hindered_anew: bool,
    /// How the last comparison of digests came out.
    agreement: Option<Agreement>,
    /// An input on known ground has been acknowledged: from here on the server should agree.
    began: bool,
    corrections: Corrections,
}

#[derive(Debug, Clone, Copy)]
struct Pending {
    frame: InputFrame,
    after: Motion,
}

/// The newest input that the server has told of.
#[derive(Debug, Clone, Copy)]
struct Acknowledged {
    sequence: u32,
    tick: u64,
    after: Motion,
    /// None before the first.
    frame: Option<InputFrame>,
}

const NOWHERE: Motion = Motion { position: Vec3::ZERO, velocity: Vec3::ZERO, grounded: false };

impl Default for Prediction {
    fn default() -> Self {
        Self {
            now: NOWHERE,
            before: NOWHERE,
            glide: Vec3::ZERO,
            pending: VecDeque::new(),
            sequence: 0,
            client_tick: 0,
            acknowledged: None,
            hindrance: Hindrance::default(),
            hindered_anew: false,
            agreement: None,
            began: false,
            corrections: Corrections::default(),
        }
    }
}

impl Prediction {
    /// Ticks that the client slept through: their inputs were never made, and those to come are for later ticks.
    pub fn skip(&mut self, ticks: u32) {
        self.client_tick += u64::from(ticks);
    }

    /// One tick: numbers the controls, moves the player, and answers the inputs to send, the newest last. What `controls` says of numbers does not count.
    pub fn step(&mut self, controls: &InputFrame, around: &Surroundings<'_>) -> Vec<InputFrame> {
        self.sequence += 1;
        self.client_tick += 1;
        let frame = as_sent(&InputFrame { sequence_id: self.sequence, client_tick: self.client_tick, ..*controls });
        self.before = self.now;
        self.glide *= CORRECTION_KEPT;
        let tick = self.tick_of(self.pending.len());
        advance(&mut self.now, &frame, self.hindrance, tick, around);
        if self.pending.len() == PENDING_INPUTS_MAX {
            self.pending.pop_front();
        }
        self.pending.push_back(Pending { frame, after: self.now });
        self.newest()
    }

    /// What the server says of the player, and which input it says it of.
    pub fn acknowledge(&mut self, tick: u64, own: &OwnState, around: &Surroundings<'_>) {
        let told = Motion { position: Vec3::from_array(own.position), velocity: Vec3::from_array(own.velocity), grounded: own.grounded };
        let predicted = self.predicted(own.sequence).filter(|predicted| agree(predicted, &told));
        let explained = if predicted.is_none() { self.explain(tick, own.sequence, &told, around) } else { None };
        let late = explained.is_some() || !self.each_was_taken(tick, own.sequence);
        let after = predicted.or(explained).unwrap_or(told);
        self.acknowledged = Some(Acknowledged { sequence: own.sequence, tick, after, frame: self.frame(own.sequence) });
        self.pending.retain(|pending| pending.frame.sequence_id > own.sequence);
        if predicted.is_some() && std::mem::take(&mut self.hindered_anew) {
            self.go_on_from(after, around);
        }
        if predicted.is_none() {
            self.hindered_anew = false;
            let moved_m = self.go_on_from(after, around);
            if self.began {
                self.corrections.note(moved_m, late);
            }
        }
        self.began |= around.are_known && own.sequence > 0;
    }

    /// What the player bears from now on: the inputs that the server has not told of yet are simulated under it again, with the next snapshot.
    pub fn bear(&mut self, hindrance: Hindrance) {
        self.hindered_anew |= hindrance != self.hindrance;
        self.hindrance = hindrance;
    }

    /// The digest that the server has of the player after this input. One of an input that is not remembered says nothing.
    pub fn compare(&mut self, sequence: u32, server: u32) {
        if let Some(here) = self.predicted(sequence).map(|motion| motion.digest()) {
            self.agreement = Some(Agreement { server, here });
        }
    }

    /// How the last comparison came out.
    pub fn agreement(&self) -> Option<Agreement> {
        self.agreement
    }

    /// The client's own tick: of the newest input.
    pub fn client_tick(&self) -> u64 {
        self.client_tick
    }

    /// The player at this share of the way from the last tick to this one.
    pub fn seen(&self, share: f32) -> Vec3 {
        self.before.position.lerp(self.now.position, share) + self.glide
    }

    /// The player after the newest input.
    pub fn now(&self) -> &Motion {
        &self.now
    }

    /// The number of the newest input.
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    /// How many inputs are not acknowledged.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// How well it went.
    pub fn corrections(&self) -> Corrections {
        self.corrections
    }

    /// The server's tick in which the input of this place among those that wait is taken, if none is late.
    fn tick_of(&self, place: usize) -> u64 {
        self.acknowledged.map_or(0, |last| last.tick) + place as u64
    }

    /// The newest inputs that are of ticks in a row: the wire has a number only for the last of them.
    fn newest(&self) -> Vec<InputFrame> {
        let in_a_row = |(age, pending): &(usize, &Pending)| pending.frame.client_tick + *age as u64 == self.client_tick;
        let newest = self.pending.iter().rev().enumerate().take(INPUT_FRAMES_MAX).take_while(in_a_row);
        let mut frames: Vec<InputFrame> = newest.map(|(_, pending)| pending.frame).collect();
        frames.reverse();
        frames
    }

    /// Where the player was predicted to be after this input.
    fn predicted(&self, sequence: u32) -> Option<Motion> {
        let last = self.acknowledged.filter(|last| last.sequence == sequence).map(|last| last.after);
        last.or_else(|| self.pending.iter().find(|pending| pending.frame.sequence_id == sequence).map(|pending| pending.after))
    }

    /// The input of this number, if it was not acknowledged long ago.
    fn frame(&self, sequence: u32) -> Option<InputFrame> {
        let last = self.acknowledged.filter(|last| last.sequence == sequence).and_then(|last| last.frame);
        last.or_else(|| self.pending.iter().map(|pending| pending.frame).find(|frame| frame.sequence_id == sequence))
    }

    /// The server takes one input a tick, but not always each: when one is late, the one before goes on, and later one is passed over to catch up. If that explains what
    /// the server says, the state is known to the last bit.
    fn explain(&self, tick: u64, sequence: u32, told: &Motion, around: &Surroundings<'_>) -> Option<Motion> {
        let last = self.acknowledged?;
        let ticks = tick.checked_sub(last.tick).filter(|ticks| *ticks <= EXPLAINED_TICKS_MAX)?;
        let since =
            self.pending.iter().map(|pending| pending.frame).filter(|frame| (last.sequence + 1..=sequence).contains(&frame.sequence_id));
        let frames: Vec<InputFrame> = last.frame.into_iter().chain(since).collect();
        let known = frames.last().is_some_and(|frame| frame.sequence_id == sequence) && frames.len() <= EXPLAINED_INPUTS_MAX;
        let searched = Searched { hindrance: self.hindrance, tick, told, around };
        if known { searched.from(last.after, &frames, ticks) } else { None }
    }

    /// Whether the server can have taken each input in a tick of its own since it was heard of last. After more than that is tried, nobody knows.
    fn each_was_taken(&self, tick: u64, sequence: u32) -> bool {
        let Some(last) = self.acknowledged else { return true };
        let (ticks, inputs) = (tick.saturating_sub(last.tick), u64::from(sequence.saturating_sub(last.sequence)));
        ticks == inputs && ticks <= EXPLAINED_TICKS_MAX
    }

    /// Begins anew from a state, and simulates again what it has not seen yet. Answers how far that moves the player, metres.
    fn go_on_from(&mut self, state: Motion, around: &Surroundings<'_>) -> f32 {
        let (was, first) = (self.now.position, self.tick_of(0));
        self.now = state;
        for (tick, pending) in (first..).zip(&mut self.pending) {
            advance(&mut self.now, &pending.frame, self.hindrance, tick, around);
            pending.after = self.now;
        }
        let moved = self.now.position - was;
        self.before.position += moved;
        self.glide -= moved;
        if !self.began || self.glide.length() > SNAP_M {
            (self.before, self.glide) = (self.now, Vec3::ZERO);
        }
        moved.length()
    }
}

impl Corrections {
    fn note(&mut self, moved_m: f32, late: bool) {
        self.count += 1;
        self.late += u32::from(late);
        self.last_m = moved_m;
        self.largest_m = self.largest_m.max(moved_m);
    }
}

/// What the server does with an input, on the ground that is here.
fn advance(motion: &mut Motion, frame: &InputFrame, hindrance: Hindrance, tick: u64, around: &Surroundings<'_>) {
    // The wire has no aim without a length, so none from before is needed.
    if let Some(input) = input(frame).admitted(Vec3::NEG_Z).filter(|_| around.are_known) {
        advance_among(motion, hindrance.hinder(tick, input.wish()), TICK_SECONDS, &around.terrain.probe(), around.crates);
    }
}

/// What the server says of the player at a tick, and under which circumstances.
struct Searched<'a> {
    hindrance: Hindrance,
    tick: u64,
    told: &'a Motion,
    around: &'a Surroundings<'a>,
}

impl Searched<'_> {
    /// One try after the other which of these inputs was taken in which of so many ticks, the last one in the last; answers the first that ends where the server says.
    /// A jump of an input that was passed over counts with the next.
    fn from(&self, from: Motion, frames: &[InputFrame], ticks: u64) -> Option<Motion> {
        if ticks == 0 {
            return (frames.len() == 1 && agree(&from, self.told)).then_some(from);
        }
        (0..frames.len()).find_map(|taken| {
            let jump = frames[..=taken].iter().skip(1).any(|frame| frame.jump) || frames[taken].jump;
            let mut motion = from;
            advance(&mut motion, &InputFrame { jump, ..frames[taken] }, self.hindrance, self.tick - ticks, self.around);
            self.from(motion, &frames[taken..], ticks - 1)
        })
    }
}

fn input(frame: &InputFrame) -> Input {
    let (movement, aim) = (Vec3::from_array(frame.movement), Vec3::from_array(frame.aim_direction));
    let InputFrame { sequence_id: sequence, sprint, fire, jump, .. } = *frame;
    Input { sequence, movement, aim, sprint, fire, jump, seen_tick: 0 }
}

fn agree(one: &Motion, other: &Motion) -> bool {
    let near = |one: Vec3, other: Vec3| (one - other).abs().max_element() <= AGREEMENT;
    near(one.position, other.position) && near(one.velocity, other.velocity)
}
