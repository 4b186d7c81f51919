//! The tick, 60 times a second, on the one thread that owns the world.

use crate::connections::Connections;
use crate::inbox::Inbox;
use crate::journal::Journal;
use crate::outgoing::Closing;
use crate::pace::Pace;
use game::Game;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// What the game loop shares with the other threads.
#[derive(Debug, Default)]
pub struct Shared {
    /// Ticks that have been simulated.
    pub tick: AtomicU64,
    /// The loop ends after the running tick.
    pub stop: AtomicBool,
}

/// Runs until it is told to stop. Waits for nothing but its own clock.
pub fn run(mut game: Game, mut inbox: Inbox, mut connections: Connections, mut journal: Journal, shared: &Arc<Shared>) {
    let mut pace = Pace::start(Instant::now());
    while !shared.stop.load(Ordering::Acquire) {
        let mail = inbox.drain();
        let inbound = connections.sort(mail, &mut game);
        let outbound = game.step(&inbound, &mut |_| ());
        let tick = game.world().tick();
        shared.tick.store(tick, Ordering::Release);
        connections.publish(&game, &outbound);
        journal.events(tick, &outbound);
        journal.players(connections.count());
        journal.lateness(tick, &pace);
        std::thread::sleep(pace.next(Instant::now()));
    }
    connections.close_all(Closing::Stopping);
}
