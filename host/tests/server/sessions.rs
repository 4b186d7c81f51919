//! Clients that do not read, and a server that stops.

use crate::client::Client;
use crate::control_plane::World;
use host::subprotocol::Subprotocol;
use protocol::link::Report;
use rstest::rstest;
use serde_json::json;
use tokio::net::TcpSocket;

#[rstest]
fn a_client_that_never_reads_is_disconnected_and_the_others_play_on(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let world = World::speaking(speech);
    let (mut watcher, _) = world.join("ann");
    // A small receive buffer, which the kernel does not let grow, fills soon.
    let stream = world.runtime.block_on(async {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("a socket option");
        socket.connect(world.address()).await.expect("the server listens").into_std().expect("a socket")
    });
    stream.set_nonblocking(false).expect("a socket option");
    let client = Client::over(stream, None).expect("the upgrade is granted").0;
    let (mut deaf, player) = world.join_over(client, "kim");
    let mut tick = 0;
    let gone = |world: &World| {
        let of_ann = |report: &Report| matches!(report, Report::Players { clients } if clients.iter().eq(["client_ann"]));
        world.control_plane.reports_so_far().iter().any(of_ann)
    };
    // The reports of before it came.
    world.control_plane.report(|report| matches!(report, Report::Players { clients } if clients.len() == 2));
    // Refused casts are answered one by one; each round stays within the message rate.
    for _round in 0..60 {
        for _ in 0..250 {
            let cast = json!({
                "type": 7, "spell_id": format!("s{}", "x".repeat(63)), "revision_id": "", "target_position": [0, 1, 0], "target_entity_id": 0,
                "extra_params": {},
            });
            if deaf.socket.send(tungstenite::Message::text(cast.to_string())).is_err() {
                break;
            }
        }
        tick =
            watcher.wait_for(101, |snapshot| snapshot["server_tick"].as_u64() >= Some(tick + 30))["server_tick"].as_u64().expect("a tick");
        if gone(&world) {
            let (_again, same) = world.join("kim");
            assert_eq!(same, player, "who is too slow is waited for");
            watcher.wait_for(101, |_| true);
            return;
        }
    }
    panic!("the client that never reads is still connected");
}

#[rstest]
fn a_stopping_server_says_goodbye(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let mut world = World::speaking(speech);
    let (mut client, _) = world.join("kim");
    let address = world.address();
    world.stop();
    assert_eq!(client.wait_for_close(), (1001, "server is stopping".into()));
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens any more");
}
