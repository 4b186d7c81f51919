//! Who is called in a tick that has no room for everybody: fuel, in equal shares among casters, and each caster's calls on one thread.
//!
//! The caster is the unit of fairness, so that a hundred spells of one owner get one owner's share, and the unit of work, so that shares need no lock.
//! Whom there is fuel for depends on what others have spent, never on the number of threads or on which of them was faster: shares are handed out in waves,
//! and a wave is as large as the fuel that is left allows if everybody in it spends the most that they can.

use crate::limits::*;
use rayon::prelude::*;
use sim::EntityId;
use sim::spells::{Call, Hook, Outcome};
use std::collections::BTreeMap;

/// Makes one call on what the cast runs on.
pub(crate) trait Callee: Send {
    fn call(&mut self, call: &Call) -> Outcome;
}

/// Makes the calls that this fuel is enough for, and answers in their order; `None` is for those that must wait. `calls` is sorted by what their casters owe,
/// and the calls of one cast are adjacent. `callee_of` is asked once for each cast.
pub(crate) fn run<C: Callee>(calls: &[Call], fuel: u64, callee_of: impl FnMut(&Call) -> Option<C>) -> Vec<Option<Outcome>> {
    let mut turns = turns(calls, callee_of);
    let solvent = turns.partition_point(|turn| turn.owed <= DEBT_FUEL_MAX);
    let (solvent, debtors) = turns.split_at_mut(solvent);
    let mut hand_out_all = || {
        let left = hand_out(solvent, fuel);
        hand_out(debtors, left.min(DEBTORS_TICK_FUEL_MAX));
    };
    if calls.len() < PARALLEL_CALLS_MIN {
        hand_out_all();
    } else {
        // Where the calling thread is none of the pool's, it is left once, not once a wave.
        rayon::scope(|_| hand_out_all());
    }
    let mut outcomes = vec![None; calls.len()];
    for due in turns.into_iter().flat_map(|turn| turn.casts) {
        outcomes[due.first..].iter_mut().zip(due.made).for_each(|(outcome, made)| *outcome = Some(made));
    }
    outcomes
}

/// What one caster's casts are due for.
struct Turn<'a, C> {
    owed: u64,
    casts: Vec<Due<'a, C>>,
    /// The first of them that is not done.
    next: usize,
    spent: u64,
}

/// The calls of one cast.
struct Due<'a, C> {
    /// Place of the first call among all calls.
    first: usize,
    calls: &'a [Call],
    callee: Option<C>,
    made: Vec<Outcome>,
}

/// The turns, those of casters who owe least first.
fn turns<'a, C>(calls: &'a [Call], mut callee_of: impl FnMut(&Call) -> Option<C>) -> Vec<Turn<'a, C>> {
    let (mut turns, mut place_of, mut first) = (Vec::<Turn<'_, C>>::new(), BTreeMap::<EntityId, usize>::new(), 0);
    for calls in calls.chunk_by(|one, next| one.cast == next.cast) {
        let place = *place_of.entry(calls[0].caster).or_insert(turns.len());
        if place == turns.len() {
            turns.push(Turn { owed: calls[0].owed, casts: Vec::new(), next: 0, spent: 0 });
        }
        turns[place].casts.push(Due { first, calls, callee: callee_of(&calls[0]), made: Vec::with_capacity(calls.len()) });
        first += calls.len();
    }
    turns
}

/// Equal shares of this fuel for all, then of what they have left for those who need more. Answers with what is left in the end.
fn hand_out<C: Callee>(turns: &mut [Turn<'_, C>], fuel: u64) -> u64 {
    let mut left = fuel;
    let mut waiting: Vec<&mut Turn<'_, C>> = turns.iter_mut().collect();
    while left > 0 {
        waiting.retain(|turn| turn.is_waiting());
        let mut rest = waiting.as_mut_slice();
        while !rest.is_empty() && left > 0 {
            // At least a unit: who begins a call may end it.
            let share = (left / rest.len() as u64).max(1);
            let (wave, others) = rest.split_at_mut(wave_len(rest, share, left));
            let spent: u64 = if wave.iter().map(|turn| turn.due()).sum::<usize>() < PARALLEL_CALLS_MIN {
                wave.iter_mut().map(|turn| turn.take(share)).sum()
            } else {
                wave.par_iter_mut().with_max_len(1).map(|turn| turn.take(share)).sum()
            };
            left = left.saturating_sub(spent);
            rest = others;
        }
        if waiting.is_empty() {
            break;
        }
    }
    left
}

/// How many of these can have their shares at once: whatever they spend, no more than the first of them can spend more than is left.
fn wave_len<C>(turns: &[&mut Turn<'_, C>], share: u64, left: u64) -> usize {
    let mut worst = 0;
    let fit = turns.iter().take_while(|turn| {
        worst += turn.worst(share);
        worst <= left
    });
    fit.count().max(1)
}

impl<C: Callee> Turn<'_, C> {
    /// Makes calls until this share is spent; the one that reaches its end is the last. Answers what was spent.
    fn take(&mut self, share: u64) -> u64 {
        let before = self.spent;
        let until = before.saturating_add(share).min(CASTER_TICK_FUEL_MAX);
        while self.spent < until
            && let Some(due) = self.casts.get_mut(self.next)
        {
            self.spent += due.call_next();
            if due.made.len() == due.calls.len() {
                self.next += 1;
            }
        }
        self.spent - before
    }
}

impl<C> Turn<'_, C> {
    fn is_waiting(&self) -> bool {
        self.next < self.casts.len() && self.spent < CASTER_TICK_FUEL_MAX
    }

    /// Calls that are not made yet, about: all of the casts that are not done.
    fn due(&self) -> usize {
        self.casts[self.next..].iter().map(|due| due.calls.len()).sum()
    }

    /// The most that it can spend of such a share: the call that reaches the end of it is made to its own end.
    fn worst(&self, share: u64) -> u64 {
        let begins = self.casts[self.next..].iter().any(|due| matches!(due.calls[0].hook, Hook::Cast { .. }));
        let call = CALL_COST_FUEL + SPELL_CALL_FUEL_MAX;
        share.min(CASTER_TICK_FUEL_MAX) + call + if begins { INSTANCE_COST_FUEL + SPELL_INIT_FUEL_MAX } else { 0 }
    }
}

impl<C: Callee> Due<'_, C> {
    /// Makes the next call and answers its fuel. A cast that is over by it is called no more: its later calls have come to nothing.
    fn call_next(&mut self) -> u64 {
        let outcome = self.callee.as_mut().map(|callee| callee.call(&self.calls[self.made.len()])).unwrap_or_default();
        let (over, fuel) = (self.callee.is_none() || outcome.finished || outcome.fault.is_some(), outcome.fuel);
        self.made.push(outcome);
        if over {
            self.made.resize(self.calls.len(), Outcome::default());
        }
        fuel
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sim::CastId;

    /// Spends what the call's `first_id` says, and ends its cast where that is odd.
    struct Scripted;

    impl Callee for Scripted {
        fn call(&mut self, call: &Call) -> Outcome {
            Outcome { fuel: call.first_id, finished: call.first_id % 2 == 1, ..Outcome::default() }
        }
    }

    /// By caster: what it owes, and by cast what its calls will spend.
    type Script = Vec<(u64, Vec<Vec<u64>>)>;

    fn script() -> impl Strategy<Value = Script> {
        let fuel = prop_oneof![4 => 0..5_000_u64, 1 => 0..=SPELL_CALL_FUEL_MAX];
        let owed = prop_oneof![4 => Just(0), 2 => 0..DEBT_FUEL_MAX, 1 => DEBT_FUEL_MAX..4 * DEBT_FUEL_MAX];
        let casts = prop::collection::vec(prop::collection::vec(fuel, 1..4), 1..9);
        prop::collection::vec((owed, casts), 1..40)
    }

    fn calls(script: &Script) -> Vec<Call> {
        let mut calls = Vec::new();
        for (caster, (owed, casts)) in script.iter().enumerate() {
            for (cast, fuels) in casts.iter().enumerate() {
                // Casts of different casters take turns.
                let cast = CastId((cast * script.len() + caster + 1) as u64);
                let (caster, owed) = (EntityId(caster as u64 + 1), *owed);
                calls.extend(fuels.iter().map(|fuel| Call {
                    cast,
                    spell: String::new(),
                    revision: String::new(),
                    caster,
                    owed,
                    mana: None,
                    tick: 0,
                    first_id: *fuel,
                    hook: Hook::Tick { dt: 0.0 },
                }));
            }
        }
        calls.sort_by_key(|call| (call.owed, call.cast));
        calls
    }

    fn on_threads(threads: usize, calls: &[Call]) -> Vec<Option<Outcome>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| run(calls, SPELLS_TICK_FUEL_MAX, |_| Some(Scripted)))
    }

    fn spent<'a>(calls: &'a [Call], outcomes: &'a [Option<Outcome>], of: impl Fn(&Call) -> bool + 'a) -> u64 {
        let counted = calls.iter().zip(outcomes).filter(move |(call, _)| of(call));
        counted.filter_map(|(_, outcome)| outcome.as_ref()).map(|outcome| outcome.fuel).sum()
    }

    proptest! {
        #[test]
        fn threads_change_nothing_and_no_cap_is_passed_by_more_than_a_call(script in script()) {
            let calls = calls(&script);
            let outcomes = on_threads(1, &calls);
            prop_assert_eq!(&on_threads(2, &calls), &outcomes);
            prop_assert_eq!(&on_threads(5, &calls), &outcomes);
            let call = CALL_COST_FUEL + SPELL_CALL_FUEL_MAX;
            let in_all = spent(&calls, &outcomes, |_| true);
            prop_assert!(in_all <= SPELLS_TICK_FUEL_MAX + call, "{} in all", in_all);
            let by_debtors = spent(&calls, &outcomes, |call| call.owed > DEBT_FUEL_MAX);
            prop_assert!(by_debtors <= DEBTORS_TICK_FUEL_MAX + call, "{} by debtors", by_debtors);
            for caster in 1..=script.len() as u64 {
                let by_caster = spent(&calls, &outcomes, |call| call.caster.0 == caster);
                prop_assert!(by_caster < CASTER_TICK_FUEL_MAX + call, "{} by one", by_caster);
                // Whoever waits has used up its own fuel, or there was no more in all.
                let waits = calls.iter().zip(&outcomes).any(|(call, outcome)| call.caster.0 == caster && outcome.is_none());
                let none_left = in_all >= SPELLS_TICK_FUEL_MAX || by_debtors >= DEBTORS_TICK_FUEL_MAX;
                prop_assert!(!waits || by_caster >= CASTER_TICK_FUEL_MAX || none_left);
            }
            for (calls, outcomes) in chunks(&calls, &outcomes) {
                prop_assert!(outcomes.is_sorted_by_key(|outcome| outcome.is_none()), "calls of a cast are made in their order");
                let end = calls.iter().position(|call| call.first_id % 2 == 1).map_or(calls.len(), |end| end + 1);
                prop_assert!(outcomes.iter().skip(end).all(|outcome| outcome.as_ref().is_none_or(|it| *it == Outcome::default())));
            }
        }
    }

    /// By cast.
    fn chunks<'a>(calls: &'a [Call], outcomes: &'a [Option<Outcome>]) -> impl Iterator<Item = (&'a [Call], &'a [Option<Outcome>])> {
        let mut first = 0;
        calls.chunk_by(|one, next| one.cast == next.cast).map(move |calls| {
            first += calls.len();
            (calls, &outcomes[first - calls.len()..first])
        })
    }

    #[test]
    fn under_overload_a_hundred_casts_get_what_one_gets() {
        // Thirty casters who ask for more than there is: one with a hundred casts, the others with one each.
        let fuel = 100_000;
        let mut script: Script = vec![(0, vec![vec![fuel]; 100])];
        script.extend((1..30).map(|_| (0, vec![vec![fuel; 10]])));
        let calls = calls(&script);
        let outcomes = on_threads(2, &calls);
        let of = |caster| spent(&calls, &outcomes, move |call| call.caster == EntityId(caster));
        let others: Vec<u64> = (2..=30).map(of).collect();
        assert!(of(1) <= others.iter().min().expect("others") + fuel, "{} against {others:?}", of(1));
        assert!(of(1) > 0);
    }
}
