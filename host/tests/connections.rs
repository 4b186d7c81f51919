//! Mail in, messages out, tick by tick without a clock: an input is acknowledged when it was simulated, not when it came.

use game::Game;
use host::chunks::Packer;
use host::connections::Connections;
use host::inbox::{Mail, SessionId};
use host::outgoing::{Next, Outlet, outgoing};
use protocol::v1::InputFrame;
use serde_json::Value;
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
    Mail::Input { session: SESSION, frame }
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
                let snapshot: Value = serde_json::from_str(&text).expect("JSON");
                return snapshot["player_state"]["seq"].as_u64().expect("a number");
            }
            Next::Batch(_) => {}
            Next::Close(closing) => panic!("closed: {closing:?}"),
        }
    }
}

fn joined() -> (Game, Connections, Outlet) {
    let (mut game, mut connections) = (Game::new(7), Connections::new("world_0a1b2c3d", Packer::queue().0, BTreeMap::new()));
    let (outgoing, outlet) = outgoing();
    let join = Mail::Join { session: SESSION, client_id: "client_kim".into(), username: "kim".into(), outgoing };
    tick(&mut game, &mut connections, vec![join]);
    (game, connections, outlet)
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
    assert_eq!(connections.sort(vec![input(7), input(7), input(3), input(u32::MAX), input(8)], &mut game).len(), 2, "7 and the jump");
    assert!(matches!(outlet.next().await, Next::Batch(_)));
}

#[test]
fn a_client_that_goes_before_the_world_has_answered_leaves_no_player_behind() {
    let (mut game, mut connections) = (Game::new(7), Connections::new("world_0a1b2c3d", Packer::queue().0, BTreeMap::new()));
    let before = game.world().scene().len();
    let (outgoing, _outlet) = outgoing();
    let join = Mail::Join { session: SESSION, client_id: "client_kim".into(), username: "kim".into(), outgoing };
    tick(&mut game, &mut connections, vec![join, Mail::Leave { session: SESSION }]);
    tick(&mut game, &mut connections, vec![]);
    assert_eq!((game.world().scene().len(), connections.clients().count()), (before, 0));
}
