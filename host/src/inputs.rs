//! One client's inputs between their arrival and their tick: late and repeated ones are dropped, early ones wait, and each tick takes one.

use crate::limits::{INPUT_DELAY_TICKS_MAX, INPUT_LATE_PERCENT, INPUT_WINDOW, INPUTS_WAITING_MAX};
use protocol::client::InputFrame;
use std::collections::VecDeque;

/// A buffer that is as long as the client's line is uneven. It learns from the clients' own count of ticks (`client_tick`): an input is due when its tick
/// would come if the line always took what all but a few per cent of inputs take. A client without such a count has each input taken in the next tick.
#[derive(Debug, Default)]
pub struct Inputs {
    /// With the tick in which each is due, by sequence number.
    waiting: VecDeque<(u64, InputFrame)>,
    /// The highest sequence number that has come.
    newest: Option<u32>,
    /// What is added to `client_tick` for the tick in which an input is due.
    delay: Option<i64>,
    window: Window,
    /// Buttons of inputs that were dropped: a press between two ticks is a press.
    pressed: Buttons,
}

/// What the last inputs were like.
#[derive(Debug, Default)]
struct Window {
    seen: u32,
    /// Ticks in which some came too late for theirs: what a stall held up is one.
    late: u32,
    /// The last of them.
    late_tick: u64,
    /// Ticks by which the tightest of them was early.
    spare: Option<i64>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Buttons {
    fire: bool,
    interact: bool,
    jump: bool,
}

impl Inputs {
    /// Takes in what has come before this tick; older than the newest, or that one again, is dropped.
    pub fn push(&mut self, frames: &[InputFrame], tick: u64) {
        for frame in frames {
            if self.newest.is_some_and(|newest| frame.sequence_id <= newest) {
                continue;
            }
            self.newest = Some(frame.sequence_id);
            let due = self.due(frame, tick);
            self.waiting.push_back((due, *frame));
            if self.waiting.len() > INPUTS_WAITING_MAX {
                self.drop_first();
            }
        }
    }

    /// The input of this tick; none when nothing new is due, and the last one goes on.
    pub fn take(&mut self, tick: u64) -> Option<InputFrame> {
        while self.waiting.get(1).is_some_and(|(due, _)| *due <= tick) {
            self.drop_first();
        }
        let (_, mut frame) = self.waiting.pop_front_if(|(due, _)| *due <= tick)?;
        let Buttons { fire, interact, jump } = std::mem::take(&mut self.pressed);
        (frame.fire, frame.interact, frame.jump) = (frame.fire || fire, frame.interact || interact, frame.jump || jump);
        Some(frame)
    }

    fn drop_first(&mut self) {
        if let Some((_, frame)) = self.waiting.pop_front() {
            let Buttons { fire, interact, jump } = &mut self.pressed;
            (*fire, *interact, *jump) = (*fire || frame.fire, *interact || frame.interact, *jump || frame.jump);
        }
    }

    fn due(&mut self, frame: &InputFrame, tick: u64) -> u64 {
        let offset = (tick as i64).wrapping_sub(frame.client_tick as i64);
        let delay = *self.delay.get_or_insert(offset);
        let spare = delay.saturating_sub(offset);
        if spare.unsigned_abs() > u64::from(sim::limits::TICK_HZ) {
            // Another clock than before.
            (self.delay, self.window) = (Some(offset), Window::default());
            return tick;
        }
        self.learn(spare, delay, tick);
        tick + spare.clamp(0, INPUT_DELAY_TICKS_MAX) as u64
    }

    /// A tick more when too many come late, a tick less when none has needed it for long.
    fn learn(&mut self, spare: i64, delay: i64, tick: u64) {
        let window = &mut self.window;
        window.seen += 1;
        if spare < 0 && window.late_tick != tick {
            (window.late, window.late_tick) = (window.late + 1, tick);
        }
        window.spare = Some(window.spare.map_or(spare, |least| least.min(spare)));
        let too_late = window.late * 100 > INPUT_WINDOW * INPUT_LATE_PERCENT;
        if too_late || window.seen >= INPUT_WINDOW {
            let step = if too_late { 1 } else { -i64::from(window.spare > Some(0)) };
            (self.delay, self.window) = (Some(delay + step), Window::default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(sequence_id: u32) -> InputFrame {
        InputFrame {
            client_tick: 1_000 + u64::from(sequence_id),
            server_tick_ack: 0,
            sequence_id,
            movement: [0.0; 3],
            aim_direction: [0.0, 0.0, -1.0],
            sprint: false,
            fire: false,
            interact: false,
            jump: false,
        }
    }

    /// Plays inputs that come with these delays, one each tick; answers how many ticks after its departure each was taken, those that were.
    fn play(delays: &[u64]) -> Vec<(u32, u64)> {
        let mut inputs = Inputs::default();
        let mut taken = Vec::new();
        for tick in 0..delays.len() as u64 + 60 {
            // TCP keeps the order: what is behind a late one is as late.
            let arrived = (0..delays.len()).filter(|n| (0..=*n).map(|m| m as u64 + delays[m]).max() == Some(tick));
            arrived.for_each(|n| inputs.push(&[frame(n as u32)], tick));
            taken.extend(inputs.take(tick).map(|frame| (frame.sequence_id, tick - u64::from(frame.sequence_id))));
        }
        taken
    }

    #[test]
    fn an_even_line_adds_nothing() {
        assert_eq!(play(&[5; 600]), (0..600).map(|n| (n, 5)).collect::<Vec<_>>());
    }

    #[test]
    fn an_uneven_line_is_evened_out_by_as_much_as_it_needs() {
        let delays: Vec<u64> = (0..2_000).map(|n| 3 + [0, 2, 1, 0, 3, 1][n % 6]).collect();
        let taken = play(&delays);
        let later: Vec<_> = taken.iter().filter(|(sequence, _)| *sequence > 1_000).collect();
        assert!(later.iter().all(|(_, after)| *after == 6), "each is taken as late as the latest: {later:?}");
        assert_eq!(later.len(), 999, "none is lost");
    }

    #[test]
    fn a_stall_costs_what_came_late_and_no_more() {
        let mut delays = vec![4; 900];
        delays[300] = 24;
        let taken = play(&delays);
        let late: Vec<_> = taken.iter().filter(|(_, after)| *after > 6).collect();
        assert!(late.is_empty(), "nothing is played out late: {late:?}");
        assert_eq!(taken.len(), 900 - 20);
    }

    #[test]
    fn a_client_without_a_clock_is_taken_at_once() {
        let mut inputs = Inputs::default();
        for tick in 100..400 {
            let input = InputFrame { client_tick: 1, sequence_id: tick as u32, ..frame(0) };
            inputs.push(&[input], tick);
            assert_eq!(inputs.take(tick).map(|frame| frame.sequence_id), Some(tick as u32));
        }
    }

    #[test]
    fn a_press_that_is_dropped_is_still_a_press() {
        let mut inputs = Inputs::default();
        inputs.push(&[InputFrame { jump: true, client_tick: 0, ..frame(1) }, InputFrame { client_tick: 0, ..frame(2) }], 9);
        let taken = inputs.take(9).expect("an input");
        assert!(taken.sequence_id == 2 && taken.jump && !taken.fire);
        assert_eq!(inputs.take(10), None);
    }

    proptest! {
        /// Whatever comes: at most one a tick, in order, none twice, and no more wait than may.
        #[test]
        fn one_input_one_tick(mail in prop::collection::vec(prop::collection::vec((any::<u32>(), any::<u64>()), 0..40), 1..40)) {
            let mut inputs = Inputs::default();
            let mut last = None;
            for (tick, frames) in mail.into_iter().enumerate() {
                let frames: Vec<_> =
                    frames.into_iter().map(|(sequence_id, client_tick)| InputFrame { client_tick, sequence_id, ..frame(0) }).collect();
                inputs.push(&frames, tick as u64);
                prop_assert!(inputs.waiting.len() <= INPUTS_WAITING_MAX);
                if let Some(frame) = inputs.take(tick as u64) {
                    prop_assert!(last < Some(frame.sequence_id));
                    last = Some(frame.sequence_id);
                }
            }
        }
    }
}
