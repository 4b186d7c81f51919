//! Game servers that are killed or stand still under their players: the world comes back as it was a second ago, with one server.

use crate::worlds::{chunk_version, dig};
use crate::{FIREBALL, TIMEOUT, cast_until_granted, join_again, make_live, signal, somebody};
use anyhow::{Context, Result, ensure};
use examples::game::{STATE_SNAPSHOT, is};
use examples::{Game, Server};
use rustix::process::Signal;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// After five crashes within five minutes a world is left alone for a minute.
const ROUNDS: u64 = 4;
/// A world is saved within 45 ticks.
const SAVED_TICKS: u64 = 60;
/// Longer than the silence after which a game server is given up.
const STANDSTILL: Duration = Duration::from_secs(17);

#[test]
fn a_killed_game_server_is_replaced_and_the_world_is_as_it_was_a_second_ago() -> Result<()> {
    let (server, http, kim, mut game) = somebody()?;
    let world = world(&server)?;
    let fireball = make_live(&http, &kim, &mut game, "kims_fireball", FIREBALL)?;
    let entity = game.entity_id;
    for round in 0..ROUNDS {
        dig(&mut game, [8.0, 1.0, 0.0 + 3.0 * round as f64], round + 1)?;
        // At another moment between two saves in each round.
        play(&mut game, SAVED_TICKS + 11 * round)?;
        let [killed] = server.game_servers()[..] else { anyhow::bail!("one server: {:?}", server.game_servers()) };
        signal(killed, Signal::KILL)?;
        game = join_again(&http, &kim, &world)?;
        ensure!(game.entity_id == entity, "who comes back is who they were: {} was {entity}", game.entity_id);
        ensure!(chunk_version(&mut game, [0, 0, 0])? == round + 2, "every hole is there");
        ensure!(cast_until_granted(&mut game, "kims_fireball")?["revision_id"] == *fireball);
        let servers = server.game_servers();
        ensure!(servers.len() == 1 && servers[0] != killed, "{servers:?}");
    }
    Ok(())
}

#[test]
fn of_two_that_stand_still_the_game_server_is_replaced_and_the_control_plane_is_waited_for() -> Result<()> {
    thread::scope(|scope| {
        let of_host = scope.spawn(a_game_server_that_stands_still);
        a_control_plane_that_stands_still()?;
        of_host.join().map_err(|_| anyhow::anyhow!("it panicked"))?
    })
}

fn a_game_server_that_stands_still() -> Result<()> {
    let (server, http, kim, mut game) = somebody()?;
    let world = world(&server)?;
    dig(&mut game, [8.0, 1.0, 0.0], 1)?;
    play(&mut game, SAVED_TICKS)?;
    let stopped = server.game_servers();
    stopped.iter().try_for_each(|process| signal(*process, Signal::STOP))?;
    let deadline = Instant::now() + STANDSTILL + TIMEOUT;
    while server.game_servers().is_empty() || server.game_servers().iter().any(|process| stopped.contains(process)) {
        ensure!(Instant::now() < deadline, "it is not replaced");
        sleep(Duration::from_millis(100));
    }
    let mut game = join_again(&http, &kim, &world)?;
    ensure!(chunk_version(&mut game, [0, 0, 0])? == 2, "the hole is there");
    ensure!(server.game_servers().len() == 1, "{:?}", server.game_servers());
    Ok(())
}

fn a_control_plane_that_stands_still() -> Result<()> {
    let (server, http, kim, mut game) = somebody()?;
    make_live(&http, &kim, &mut game, "kims_fireball", FIREBALL)?;
    let (control, servers) = (i32::try_from(server.pid())?, server.game_servers());
    signal(control, Signal::STOP)?;
    let until = Instant::now() + STANDSTILL;
    let played = (|| -> Result<()> {
        while Instant::now() < until {
            cast_until_granted(&mut game, "kims_fireball")?;
        }
        Ok(())
    })();
    signal(control, Signal::CONT)?;
    played?;
    // It looks at its servers each second, and has heard of none for longer than it waits.
    play(&mut game, 180)?;
    ensure!(server.game_servers() == servers, "whoever stood still kills nobody: {:?} were {servers:?}", server.game_servers());
    make_live(&http, &kim, &mut game, "kims_fireball", &format!("{FIREBALL}\n// another\n"))?;
    Ok(())
}

fn world(server: &Server) -> Result<String> {
    let worlds = server.http().get("/worlds", None)?.ok_json()?;
    Ok(worlds["worlds"][0]["world_id"].as_str().context("a world")?.to_owned())
}

/// So many ticks.
fn play(game: &mut Game, ticks: u64) -> Result<()> {
    let until = game.server_tick + ticks;
    game.wait_for("the world to go on", TIMEOUT, |game, message| is(message, STATE_SNAPSHOT).filter(|_| game.server_tick >= until))?;
    Ok(())
}
