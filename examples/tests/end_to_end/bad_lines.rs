//! Players whose lines are slow, uneven, lossy or stall: they get as far as others and no further, see what others see, and come back as themselves.

use super::TIMEOUT;
use anyhow::{Result, ensure};
use examples::game::STATE_SNAPSHOT;
use examples::line::{Badness, Line, Stalls};
use examples::{Game, Http, Join, Server};
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_nanos(1_000_000_000 / 60);
/// A walk of four seconds: 32 m.
const WALK_TICKS: u32 = 240;
/// Metres a second.
const WALK_SPEED: f64 = 8.0;
/// By so much a machine that has other things to do may make an input late.
const BUSY: Duration = Duration::from_millis(150);
/// Positions on the wire are rounded to 1 mm.
const ROUNDED_M: f64 = 0.002;

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// How bad, how late an input can come by it, and the least share of an even line's way that must be left.
fn lines() -> Vec<(&'static str, Badness, Duration, f64)> {
    let slow = Badness { latency: ms(100), ..Badness::default() };
    let stalls = Stalls { every: ms(1_500), last: ms(400) };
    vec![
        ("slow", slow, ms(0), 0.9),
        ("slow and uneven", Badness { jitter: ms(40), ..slow }, ms(40), 0.9),
        ("lossy", Badness { latency: ms(30), loss_percent: 5, ..Badness::default() }, ms(260), 0.4),
        ("stalling", Badness { latency: ms(30), stalls: Some(stalls), ..Badness::default() }, stalls.last, 0.4),
    ]
}

#[test]
fn over_a_bad_line_nobody_gets_further_and_all_see_the_same() -> Result<()> {
    let server = Server::start()?;
    let http = server.http();
    let join = http.join(&http.login(Some("ann"))?, None)?;
    let (mut watcher, world) = (Game::join(&join)?, join.world_id);
    let even = walk(&http, &world, &mut watcher, Badness::default())?;
    ensure!(even > 25.0, "an even line walks {even:.2} m");
    for (name, badness, late, least) in lines() {
        let way = walk(&http, &world, &mut watcher, badness)?;
        println!("{name}: {:.3} of {even:.2} m", way / even);
        // Until the last input comes, which says to stand, the one before goes on.
        let most = 1.02 * even + WALK_SPEED * (late + BUSY).as_secs_f64();
        ensure!(way <= most && way >= least * even, "over a line that is {name} a player walks {way:.2} m instead of {even:.2} m");
    }
    Ok(())
}

/// Lets a player of its own walk over such a line; answers how far it came, as all agree.
fn walk(http: &Http, world: &str, watcher: &mut Game, badness: Badness) -> Result<f64> {
    let player = http.login(None)?;
    let over = |line: &Line| -> Result<Join> { Ok(Join { server_address: line.address(), ..http.join(&player, Some(world))? }) };
    let line = Line::to(&http.join(&player, Some(world))?.server_address, badness, 7)?;
    let mut game = Game::join(&over(&line)?)?;
    game.wait_for("the ground", TIMEOUT, |_, message| (message["player_state"]["g"] == true).then_some(()))?;
    let from = seen_at_rest(watcher, game.entity_id, game.server_tick)?;
    keep(&mut game, WALK_TICKS, [0.0, 0.0, -1.0])?;
    keep(&mut game, 1, [0.0; 3])?;
    let last = game.last_input();
    let taken = |_: &Game, message: &serde_json::Value| (message["player_state"]["seq"].as_u64() >= Some(last)).then_some(());
    game.wait_for("its last input to be taken", TIMEOUT, taken)?;
    let (entity, then) = (game.entity_id, game.server_tick);
    let [own, to] = [seen_at_rest(&mut game, entity, then)?, seen_at_rest(watcher, entity, then)?];
    ensure!(distance(own, to) <= ROUNDED_M, "it sees itself at {own:?}, others see it at {to:?}");
    // The line breaks, and another one leads back to the same player.
    drop((game, line));
    let line = Line::to(&http.join(&player, Some(world))?.server_address, badness, 8)?;
    let mut game = Game::join(&over(&line)?)?;
    ensure!(game.entity_id == entity, "it was entity {entity} and came back as {}", game.entity_id);
    let again = seen_at_rest(&mut game, entity, 0)?;
    ensure!(distance(again, to) <= ROUNDED_M, "it left at {to:?} and came back at {again:?}");
    Ok(distance(from, to))
}

/// Says the same 60 times a second, and reads what comes.
fn keep(game: &mut Game, ticks: u32, movement: [f64; 3]) -> Result<()> {
    let began = Instant::now();
    for n in 1..=ticks {
        game.input(movement, [0.0, 0.0, 1.0], false)?;
        while game.next(began + n * TICK)?.is_some() {}
    }
    Ok(())
}

/// Where an entity is when it has not moved for some snapshots after this tick.
fn seen_at_rest(game: &mut Game, entity: u64, then: u64) -> Result<[f64; 3]> {
    let (mut last, mut same) = ([f64::NAN; 3], 0);
    game.wait_for("somebody to stand still", TIMEOUT, |game, message| {
        let now = game.entities.get(&entity)?.position;
        if message["type"] != STATE_SNAPSHOT || game.server_tick < then {
            return None;
        }
        (last, same) = (now, if now == last { same + 1 } else { 0 });
        (same == 8).then_some(now)
    })
}

fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    (a[0] - b[0]).hypot(a[2] - b[2])
}
