//! What one game server is told to do: orders wait here for its link, and whoever gave them for its answer.

use crate::{clock, limits::ORDERS_WAITING_MAX};
use protocol::link::{Done, Errand, Order};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Notify, oneshot};

/// One server's orders. Clones share them.
#[derive(Clone, Default)]
pub struct Orders(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    /// Somebody has given an order.
    given: Notify,
}

#[derive(Default)]
struct State {
    /// Orders so far.
    count: u64,
    /// Those that the link has not taken yet.
    queue: VecDeque<Order>,
    /// Who waits for which.
    waiting: BTreeMap<u64, oneshot::Sender<Option<String>>>,
}

impl Orders {
    /// Gives an order. The answer comes when it is done with: an error in words, or none. Nothing where too many wait already.
    pub fn give(&self, what: Errand) -> Option<oneshot::Receiver<Option<String>>> {
        let mut state = self.state();
        // Whoever has stopped waiting makes room.
        state.waiting.retain(|_, waiter| !waiter.is_closed());
        if state.waiting.len() >= ORDERS_WAITING_MAX {
            return None;
        }
        // A server that was adopted may still answer the orders of who was here before.
        state.count = (state.count + 1).max(clock::now_ms().cast_unsigned());
        let (number, (waiter, answer)) = (state.count, oneshot::channel());
        state.waiting.insert(number, waiter);
        state.queue.push_back(Order { number, what });
        self.0.given.notify_one();
        Some(answer)
    }

    /// The next order for the link; waits for one.
    pub async fn next(&self) -> Order {
        loop {
            if let Some(order) = self.take() {
                return order;
            }
            self.0.given.notified().await;
        }
    }

    /// The next one that somebody still waits for: who has given up does not want it done any more.
    fn take(&self) -> Option<Order> {
        let mut state = self.state();
        let State { queue, waiting, .. } = &mut *state;
        queue.retain(|order| waiting.get(&order.number).is_some_and(|waiter| !waiter.is_closed()));
        queue.pop_front()
    }

    /// The server's word on an order.
    pub fn done(&self, done: Done) {
        if let Some(waiter) = self.state().waiting.remove(&done.order) {
            // Whoever asked may be gone.
            waiter.send(done.error).ok();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
