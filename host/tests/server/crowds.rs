//! How many may be connected, in all and from one address; and that whoever has no ticket takes nobody's place.

use crate::client::Client;
use crate::control_plane::World;
use crate::process::{HOST, start_as};
use crate::raw::Raw;
use crate::upgrades::answer;
use host::crowd::Bounds;
use host::limits::{CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX};
use protocol::link::Report;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;

const ELSEWHERE: [u8; 4] = [127, 0, 0, 2];

fn world(connections_max: usize, per_address_max: usize) -> World {
    World::start_with(|config| config.bounds = Bounds { connections_max, per_address_max })
}

#[test]
fn one_address_has_so_many_players_and_others_come_in() {
    let world = world(4, 2);
    let _players = [world.join("kim"), world.join("ann")];
    let told = "429, retry-after: 5: 2 players are connected from this address, and that is its limit";
    assert_eq!(answer(&mut Raw::connect(world.address())), told);
    // Whether it has asked or not.
    let mut asks = Raw::connect(world.address());
    asks.write(&crate::raw::request(&[]));
    assert_eq!(answer(&mut asks), told);
    world.join_over(from_elsewhere(world.address()), "lee");
}

#[test]
fn a_server_has_so_many_players() {
    let world = world(2, 2);
    let (first, _) = world.join("kim");
    let _second = world.join("ann");
    let told = "503, retry-after: 5: 2 players are connected, and that is this game server's limit";
    assert_eq!(answer(&mut Raw::connect_from(ELSEWHERE, world.address())), told);
    let are = |number| move |report: &Report| matches!(report, Report::Players { clients } if clients.len() == number);
    world.control_plane.report(are(2));
    drop(first);
    world.control_plane.report(are(1));
    world.join_over(from_elsewhere(world.address()), "lee");
}

#[test]
fn strangers_give_way_to_players_from_the_same_address() {
    let world = world(8, 2);
    let (mut kim, _) = world.join("kim");
    let mut strangers = strangers(world.address(), 8);
    let _ann = world.join("ann");
    // Without a word, one after the other: for what it costs, there may be a flood of them.
    assert!(strangers.iter_mut().all(|stranger| answer(stranger) == "nothing"));
    kim.ping(1);
    kim.wait_for(108, |_| true);
}

#[test]
fn a_setting_lets_a_hall_full_of_bots_come_from_one_address() {
    let mut command = Command::new(HOST);
    command.env("CONNECTIONS_PER_ADDRESS", "1000");
    let process = start_as(command, Arc::new(tempfile::tempdir().expect("a folder")));
    let address = SocketAddr::from(([127, 0, 0, 1], process.port));
    let bots: Vec<Raw> = (0..500).map(|_| Raw::upgraded(address)).collect();
    for mut bot in bots {
        let farewell = bot.frame().expect("a close frame, for none had to give way to another");
        assert!(farewell.payload.ends_with(b"no handshake in time"), "{farewell:?}");
    }
    let mut flood = strangers(address, CONNECTIONS_MAX + 8);
    let _player = process.join("kim");
    assert!(flood[..8].iter_mut().all(|first| answer(first) == "nothing"), "when all places are taken, the oldest strangers give way");
    process.end();
}

#[test]
fn without_a_setting_one_address_takes_half_of_a_worlds_places() {
    let world = World::start();
    let mut strangers = strangers(world.address(), CONNECTIONS_PER_ADDRESS_MAX + 1);
    assert_eq!(answer(&mut strangers[0]), "nothing", "the oldest gives way");
    assert_eq!(answer(&mut strangers[1]), "408: no whole request in time");
}

/// So many connections that ask for nothing.
fn strangers(address: SocketAddr, count: usize) -> Vec<Raw> {
    (0..count).map(|_| Raw::connect(address)).collect()
}

fn from_elsewhere(address: SocketAddr) -> Client {
    Client::over(Raw::connect_from(ELSEWHERE, address).stream, None).expect("the upgrade is granted").0
}
