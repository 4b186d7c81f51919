//! One client's snapshot where all that clients have in common is encoded already: 500 clients around 250 entities.

use super::onlookers::{ACKNOWLEDGED_TICKS, Onlookers};
use crate::report::{Effort, Report, Samples, progress};
use crate::tick::crowd::{Census, Crowd};
use anyhow::Result;
use std::time::{Duration, Instant};

const CENSUS: Census = Census { players: 250, npcs: 0, shots: 0, props: 0, casts: 0 };
/// Metres each way: all see all.
const EXTENT_M: f32 = 64.0;
const CLIENTS: usize = 500;
const SNAPSHOTS: (usize, usize) = (600, 100);
/// Before anything is measured: until then nothing is acknowledged.
const WARMING: usize = 20;

/// Adds the figures.
pub fn measure(report: &mut Report, effort: Effort) -> Result<()> {
    let mut crowd = Crowd::of(CENSUS, EXTENT_M, &[])?;
    // One more is first: it makes what the others share.
    let mut onlookers = Onlookers::new(&crowd, CLIENTS + 1);
    let (mut first, mut others, mut looks, mut acknowledged) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut bytes = Vec::new();
    let count = effort.pick(SNAPSHOTS.0, SNAPSHOTS.1);
    for number in 0..WARMING + count {
        progress(&format!("snapshot {number}/{count} for {CLIENTS} clients"));
        onlookers.play(&mut crowd);
        let world = crowd.game.world();
        let (tick, scene) = (world.tick(), world.scene());
        onlookers.advance(tick, scene);
        let since = Instant::now();
        onlookers.acknowledge(tick.saturating_sub(ACKNOWLEDGED_TICKS));
        let acknowledging = since.elapsed();
        let since = Instant::now();
        onlookers.look(tick, scene);
        let looking = since.elapsed();
        let mut messages = Vec::with_capacity(CLIENTS + 1);
        let since = Instant::now();
        let mut shared = since.elapsed();
        onlookers.snapshots(tick, scene, |message| {
            if messages.is_empty() {
                shared = since.elapsed();
            }
            messages.push(message);
        });
        let whole = since.elapsed();
        if number >= WARMING {
            let each = |time: Duration| time.as_secs_f64() * 1e6 / CLIENTS as f64;
            first.push(shared.as_secs_f64() * 1e6);
            others.push(each(whole - shared));
            looks.push(each(looking));
            acknowledged.push(each(acknowledging));
            bytes.push(messages[1].len() as f64);
        }
    }
    progress("");
    let groups = onlookers.groups.iter().filter(|(_, group)| !group.is_empty()).count();
    let how = format!("{CLIENTS} clients around {} walking players in {groups} groups, all with the same acknowledged", CENSUS.players);
    report.extend([
        Samples::new(others).row("snapshot.us_per_client", "us", "0.5", format!("{how}; over encodings that are made already")),
        Samples::new(first).row("snapshot.shared_us", "us", "", "of the client that is first: it makes them"),
        Samples::new(looks).row("snapshot.look_us_per_client", "us", "", "to look around for groups that come into view or leave it"),
        Samples::new(acknowledged).row("snapshot.acknowledge_us_per_client", "us", "", "to take in what a client has acknowledged"),
        Samples::new(bytes).row("snapshot.bytes", "B", "", "of one of them"),
    ]);
    Ok(())
}
