//! Mail in, messages out, tick by tick without a clock: an input is acknowledged when it was simulated, not when it came.

use game::Game;
use host::chunks::Packer;
use host::connections::Connections;
use host::inbox::{Mail, SessionId};
use host::limits::AWAITED_TICKS;
use host::outgoing::{Closing, Next, Outlet, outgoing};
use host::subprotocol::Subprotocol;
use protocol::client::InputFrame;
use protocol::link::{Errand, Order};
use serde_json::Value;
use sim::limits::PLAYERS_MAX;
use sim::{EntityId, Inbound};
use std::collections::BTreeMap;

const SESSION: SessionId = SessionId(1);

fn input(sequence_id: u32) -> Mail {
    let frame = InputFrame {
        client_tick: 0,
        server_tick_ack: 0,
        sequence_id,
        movement: [0.0, 0.0, -1.0],
        aim_direction: [0.0, 0.0, -1.0],
        sprint: false,
        fire: false,
        interact: false,
        jump: false,
    };
    Mail::Input { session: SESSION, frames: vec![frame] }
}

fn tick(game: &mut Game, connections: &mut Connections, mail: Vec<Mail>) {
    let inbound = connections.sort(mail, game);
    let outbound = game.step(&inbound, &mut |_| ());
    connections.publish(game, &outbound);
}

/// The acknowledgement in the snapshot that waits, passing over all else.
async fn acknowledged(outlet: &mut Outlet) -> u64 {
    loop {
        match outlet.next().await {
            Next::Snapshot(text) => {
                let snapshot: Value = serde_json::from_str(text.to_text().expect("text")).expect("JSON");
                return snapshot["player_state"]["seq"].as_u64().expect("a number");
            }
            Next::Batch(_) | Next::Ping => {}
            Next::Close(closing) => panic!("closed: {closing:?}"),
        }
    }
}

fn empty() -> (Game, Connections) {
    (Game::new(7), Connections::new("world_0a1b2c3d", Packer::queue().0, BTreeMap::new()))
}

fn join(session: SessionId, name: &str) -> (Mail, Outlet) {
    let (outgoing, outlet) = outgoing();
    let (client_id, username) = (format!("client_{name}"), name.into());
    (Mail::Join { session, client_id, username, subprotocol: Subprotocol::Json, outgoing }, outlet)
}

fn joined() -> (Game, Connections, Outlet) {
    let (mut game, mut connections) = empty();
    let (join, outlet) = join(SESSION, "kim");
    tick(&mut game, &mut connections, vec![join]);
    (game, connections, outlet)
}

fn broke(session: SessionId) -> Mail {
    Mail::Leave { session, closing: Closing::LineBroke }
}

fn kick(client: &str) -> Mail {
    Mail::Order(Order { number: 1, what: Errand::Kick { client: client.into() } })
}

fn player(game: &Game, name: &str) -> Option<EntityId> {
    game.world().player_of(&format!("client_{name}"))
}

/// What has come about players who come and go: a plus or minus, and who.
fn comings_and_goings(outlet: &mut Outlet) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(batch) = outlet.waiting() {
        for text in batch.iter() {
            let message: Value = serde_json::from_str(text.to_text().expect("text")).expect("JSON");
            let sign = match message["type"].as_u64() {
                Some(110) => '+',
                Some(111) => '-',
                _ => continue,
            };
            told.push(format!("{sign}{}", message["username"].as_str().expect("a name")));
        }
    }
    told
}

#[tokio::test]
async fn an_input_is_acknowledged_when_it_was_simulated() {
    let (mut game, mut connections, mut outlet) = joined();
    tick(&mut game, &mut connections, vec![input(6), input(7)]);
    tick(&mut game, &mut connections, vec![]);
    assert_eq!(acknowledged(&mut outlet).await, 7);

    // Received, but not simulated yet: a snapshot of now still says 7.
    let inbound = connections.sort(vec![input(8)], &mut game);
    connections.publish(&game, &[]);
    assert_eq!(acknowledged(&mut outlet).await, 7);
    game.step(&inbound, &mut |_| ());
    for _ in 0..2 {
        tick(&mut game, &mut connections, vec![]);
    }
    assert_eq!(acknowledged(&mut outlet).await, 8);
}

#[tokio::test]
async fn repeated_and_older_inputs_are_dropped() {
    let (mut game, mut connections, mut outlet) = joined();
    let taken = connections.sort(vec![input(7), input(7), input(3), input(u32::MAX), input(8)], &mut game);
    assert!(matches!(&taken[..], [Inbound::Input { input, .. }] if input.sequence == u32::MAX), "the jump: {taken:?}");
    assert_eq!(connections.sort(vec![input(8)], &mut game), []);
    assert!(matches!(outlet.next().await, Next::Batch(_)));
}

#[test]
fn a_client_that_goes_before_the_world_has_answered_leaves_no_player_behind() {
    for closing in [Closing::ClientLeft, Closing::LineBroke] {
        let (mut game, mut connections) = empty();
        let before = game.world().scene().len();
        let (join, _outlet) = join(SESSION, "kim");
        tick(&mut game, &mut connections, vec![join, Mail::Leave { session: SESSION, closing }]);
        tick(&mut game, &mut connections, vec![]);
        assert_eq!((game.world().scene().len(), connections.clients().count()), (before, 0));
    }
}

#[test]
fn of_two_sessions_in_one_tick_the_newer_one_plays() {
    let (mut game, mut connections) = empty();
    let ((first, _first), (second, mut outlet)) = (join(SESSION, "kim"), join(SessionId(2), "kim"));
    tick(&mut game, &mut connections, vec![first, second]);
    for _ in 0..4 {
        tick(&mut game, &mut connections, vec![]);
    }
    assert!(player(&game, "kim").is_some());
    assert_eq!(comings_and_goings(&mut outlet), ["+kim"]);
}

#[test]
fn who_does_not_come_back_in_time_has_left() {
    let (mut game, mut connections, _kim) = joined();
    let (ann, mut watcher) = join(SessionId(2), "ann");
    tick(&mut game, &mut connections, vec![ann]);
    let entity = player(&game, "kim");
    comings_and_goings(&mut watcher);
    tick(&mut game, &mut connections, vec![input(1), broke(SESSION)]);
    for _ in 1..AWAITED_TICKS {
        tick(&mut game, &mut connections, vec![]);
    }
    assert_eq!((player(&game, "kim"), connections.clients().count()), (entity, 1));
    assert_eq!(comings_and_goings(&mut watcher), [""; 0]);
    tick(&mut game, &mut connections, vec![]);
    assert_eq!(player(&game, "kim"), None);
    assert_eq!(comings_and_goings(&mut watcher), ["-kim"]);
}

#[test]
fn who_comes_back_is_waited_for_anew_when_its_line_breaks_at_once() {
    let (mut game, mut connections, _kim) = joined();
    tick(&mut game, &mut connections, vec![broke(SESSION)]);
    for _ in 2..AWAITED_TICKS {
        tick(&mut game, &mut connections, vec![]);
    }
    let (again, _outlet) = join(SessionId(2), "kim");
    tick(&mut game, &mut connections, vec![again, broke(SessionId(2))]);
    for _ in 1..AWAITED_TICKS {
        tick(&mut game, &mut connections, vec![]);
        assert!(player(&game, "kim").is_some());
    }
    tick(&mut game, &mut connections, vec![]);
    assert_eq!(player(&game, "kim"), None);
}

#[test]
fn an_operator_sends_away_whoever_is_there_or_waited_for() {
    for is_awaited in [false, true] {
        let (mut game, mut connections, _kim) = joined();
        let (ann, mut watcher) = join(SessionId(2), "ann");
        tick(&mut game, &mut connections, vec![ann]);
        comings_and_goings(&mut watcher);
        tick(&mut game, &mut connections, if is_awaited { vec![broke(SESSION)] } else { vec![] });
        tick(&mut game, &mut connections, vec![kick("client_kim")]);
        assert_eq!(player(&game, "kim"), None);
        assert_eq!(comings_and_goings(&mut watcher), ["-kim"]);
    }
}

#[test]
fn in_a_full_world_nobody_is_waited_for_when_somebody_comes() {
    let (mut game, mut connections) = empty();
    let session = |number: usize| SessionId(number as u64);
    let bots = (0..PLAYERS_MAX).map(|number| join(session(number), &format!("bot{number}")).0);
    tick(&mut game, &mut connections, bots.collect());
    let (late, _) = join(session(1_000), "late");
    tick(&mut game, &mut connections, vec![late]);
    assert_eq!(player(&game, "late"), None, "all are there");
    tick(&mut game, &mut connections, vec![broke(session(7))]);
    tick(&mut game, &mut connections, vec![broke(session(3)), broke(session(5))]);
    // One comes back in the tick in which three come for the places of those who do not.
    let back = join(session(2_000), "bot3");
    let new: Vec<_> = (0..3).map(|number| join(session(2_001 + number), &format!("new{number}"))).collect();
    let mail = std::iter::once(back).chain(new).map(|(mail, _)| mail).collect();
    tick(&mut game, &mut connections, mail);
    let there = ["bot3", "bot5", "bot7", "new0", "new1", "new2"].map(|name| player(&game, name).is_some());
    assert_eq!(there, [true, false, false, true, true, false]);
    assert_eq!(game.world().players().count(), PLAYERS_MAX);
}

#[test]
fn players_of_a_loaded_world_stand_still_until_they_come_back() {
    let (mut game, mut connections, _kim) = joined();
    for sequence in 1..60 {
        tick(&mut game, &mut connections, vec![input(sequence)]);
    }
    let entity = player(&game, "kim").expect("it is there");
    let speed = |game: &Game| game.world().scene().entity(entity).expect("it is there").velocity.z.abs();
    assert!(speed(&game) > 1.0);
    let awaited = BTreeMap::from([(entity, game.world().tick() + AWAITED_TICKS)]);
    let mut connections = Connections::new("world_0a1b2c3d", Packer::queue().0, awaited);
    for _ in 0..120 {
        tick(&mut game, &mut connections, vec![]);
    }
    assert!(speed(&game) < 0.01);
    let (again, mut outlet) = join(SESSION, "kim");
    tick(&mut game, &mut connections, vec![again]);
    assert_eq!(player(&game, "kim"), Some(entity));
    assert_eq!(comings_and_goings(&mut outlet), ["+kim"], "it sees itself");
}
