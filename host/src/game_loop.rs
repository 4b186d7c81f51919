//! The tick, 60 times a second, on the one thread that owns the world.

use crate::connections::Connections;
use crate::inbox::Inbox;
use crate::journal::Journal;
use crate::limits::SAVE_INTERVAL_TICKS;
use crate::metrics::Meters;
use crate::outgoing::Closing;
use crate::pace::Pace;
use crate::recordings::Recordings;
use crate::saver::{Saver, Unsaved};
use crate::usage::Usages;
use game::Game;
use protocol::link::{Errand, Order};
use sim::{Inbound, Thoroughness};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// What the game loop shares with the other threads.
#[derive(Debug, Default)]
pub struct Shared {
    /// Ticks that have been simulated.
    pub tick: AtomicU64,
    /// Clients that are connected.
    pub players: AtomicU64,
    /// The loop ends after the running tick.
    pub stop: AtomicBool,
}

/// Runs until it is told to stop, and saves the world then. Waits for nothing but its own clock, and at the end for the disk.
///
/// # Errors
/// When the world's file does not hold the end of it.
pub fn run(
    mut game: Game,
    mut inbox: Inbox,
    mut connections: Connections,
    (mut journal, mut recordings, mut usages): (Journal, Recordings, Usages),
    saver: Saver,
    shared: &Arc<Shared>,
) -> Result<(), Unsaved> {
    game.record();
    let mut meters = Meters::new();
    let mut pace = Pace::start(Instant::now());
    // The first tick of all is saved: from then on there is a file to come back to.
    let mut save_due = game.world().tick();
    while !shared.stop.load(Ordering::Acquire) && !saver.is_fenced() {
        let mail = inbox.drain();
        let mut inbound = connections.sort(mail, &mut game);
        let orders = connections.take_orders();
        if game.world().tick() >= save_due && saver.is_free() || orders.iter().any(wants_save) {
            save_due = game.world().tick() + SAVE_INTERVAL_TICKS;
            inbound.push(Inbound::Checkpoint(Thoroughness::InPassing));
        }
        let began = Instant::now();
        let outbound = game.step(&inbound, &mut |stage| meters.stage(stage));
        let tick = game.world().tick();
        shared.tick.store(tick, Ordering::Release);
        let snapshot_bytes = connections.publish(&game, &outbound);
        meters.tick(began.elapsed(), &game, &outbound, snapshot_bytes);
        recordings.events(&game, tick, &outbound);
        save(&mut game, &mut connections, &saver);
        carry_out(orders, &saver, &mut journal);
        journal.events(tick, &outbound);
        usages.tick(&game, &outbound);
        journal.quarantined(tick, connections.judge(&outbound));
        journal.players(tick, connections.clients());
        journal.trials(tick, |life| connections.trials(life));
        journal.lateness(tick, &pace);
        if tick.is_multiple_of(u64::from(sim::limits::TICK_HZ)) {
            journal.health(meters.health(&game, connections.clients().count(), &pace));
        }
        shared.players.store(connections.clients().count() as u64, Ordering::Relaxed);
        std::thread::sleep(pace.next(Instant::now()));
    }
    if !saver.is_fenced() {
        game.step(&[Inbound::Checkpoint(Thoroughness::Whole)], &mut |_| ());
        save(&mut game, &mut connections, &saver);
    }
    connections.close_all(Closing::Stopping);
    saver.finish()
}

/// A copy should hold what was done up to now, and so should a save.
fn wants_save(order: &Order) -> bool {
    matches!(order.what, Errand::Copy { .. } | Errand::Save)
}

fn save(game: &mut Game, connections: &mut Connections, saver: &Saver) {
    if let Some(checkpoint) = game.take_checkpoint() {
        saver.save(checkpoint, connections.take_artifacts());
    }
}

/// What is left of the orders once the tick is simulated: a copy, or the word that it is saved, comes behind the save that it waited for.
fn carry_out(orders: Vec<Order>, saver: &Saver, journal: &mut Journal) {
    for Order { number, what } in orders {
        match what {
            Errand::Copy { to } => saver.copy(number, to.into()),
            Errand::Save => saver.confirm(number),
            Errand::Revert { .. } | Errand::Kick { .. } => journal.done(number),
        }
    }
}
