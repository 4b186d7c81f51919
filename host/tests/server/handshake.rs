//! Who is let in, and what everybody else is told.

use crate::client::Client;
use crate::control_plane::{TicketOffice, WORLD, World, claims, client_id};
use host::subprotocol::Subprotocol;
use protocol::ticket::TICKET_PURPOSE;
use rstest::rstest;
use serde_json::json;
use std::net::TcpStream;
use std::time::Duration;

#[rstest]
fn a_good_ticket_lets_in_and_shows_the_world(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let world = World::speaking(speech);
    let mut client = world.connect();
    client.handshake(&world.office.ticket("kim"), &client_id("kim"));
    let response = client.next();
    let player = response["assigned_entity_id"].as_u64().expect("an id");
    assert_eq!(
        (&response["type"], &response["success"], &response["world_id"], &response["error"]),
        (&json!(100), &json!(true), &json!(WORLD), &json!(""))
    );
    let dummy = client.wait_for(102, |spawn| spawn["properties"]["name"] == "dummy");
    assert_eq!((&dummy["entity_type"], &dummy["properties"]["hm"]), (&json!(2), &json!(100)));
    client.wait_for(102, |spawn| spawn["entity_id"] == player && spawn["entity_type"] == 1);
    let joined = client.wait_for(110, |_| true);
    assert_eq!((&joined["entity_id"], &joined["username"]), (&json!(player), &json!("kim")));
    let snapshot = client.wait_for(101, |_| true);
    assert!(snapshot["entities"].as_array().expect("a list").iter().any(|entity| entity["id"] == player));
    assert_eq!(snapshot["player_state"]["seq"], 0);
}

#[rstest]
fn subprotocols_other_than_ours_are_refused(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let world = World::speaking(speech);
    let upgrade = |subprotocol| Client::over(TcpStream::connect(world.address()).expect("the server listens"), subprotocol);
    for (asked, chosen) in
        [("ugc.v9.xml, ugc.v1.json", "ugc.v1.json"), ("ugc.v1.json, ugc.v2.bin", "ugc.v2.bin"), ("ugc.v2.bin", "ugc.v2.bin")]
    {
        let (_, response) = upgrade(Some(asked)).expect("ours is among them");
        assert_eq!(response.headers()["sec-websocket-protocol"], chosen);
    }
    let (client, response) = upgrade(None).expect("none is ours too");
    assert!(!response.headers().contains_key("sec-websocket-protocol"));
    world.join_over(client, "kim");
    let refused = upgrade(Some("soap")).err().expect("another one is refused");
    assert!(matches!(&*refused, tungstenite::Error::Http(response) if response.status() == 400), "{refused}");
}

#[rstest]
fn bad_tickets_are_refused_with_a_reason(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let world = World::speaking(speech);
    let life = Duration::from_secs(30);
    let used = world.office.ticket("kim");
    let (_first, _) = {
        let mut client = world.connect();
        client.handshake(&used, &client_id("kim"));
        assert_eq!(client.wait_for(100, |_| true)["success"], true);
        (client, ())
    };
    let expired = claims("kim", WORLD, life).replace("\"exp\":\"20", "\"exp\":\"19");
    let cases = [
        ("any non-empty token".to_owned(), "the session token is not a valid join ticket"),
        (TicketOffice::new().ticket("kim"), "the session token is not a valid join ticket"),
        (world.office.sign(&claims("kim", WORLD, life), b"another purpose"), "the session token is not a valid join ticket"),
        (world.office.sign("{}", TICKET_PURPOSE), "the session token is not a valid join ticket"),
        (world.office.sign(&expired, TICKET_PURPOSE), "the join ticket has expired: join again"),
        (world.office.sign(&claims("kim", "world_ffffffff", life), TICKET_PURPOSE), "the join ticket is for another world"),
        (world.office.ticket("ann"), "the join ticket is for another client_id"),
        (used, "the join ticket was used already: join again"),
    ];
    for (ticket, reason) in cases {
        let mut client = world.connect();
        client.handshake(&ticket, &client_id("kim"));
        let response = client.wait_for(100, |_| true);
        assert_eq!((&response["success"], response["error"].as_str()), (&json!(false), Some(reason)));
        assert_eq!(client.wait_for_close().0, 1008, "{reason}");
    }
}

#[rstest]
fn another_protocol_version_is_told_which_one_is_spoken(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let world = World::speaking(speech);
    let mut client = world.connect();
    let ticket = world.office.ticket("kim");
    client.send(&json!({"type": 1, "protocol_version": 9, "session_token": ticket, "client_id": client_id("kim"), "timestamp": 0}));
    let response = client.wait_for(100, |_| true);
    let reason = format!("protocol version 9 is not spoken here; this server speaks {}", speech.version());
    assert_eq!(response["error"].as_str(), Some(reason.as_str()));
    assert_eq!(client.wait_for_close().0, 1008);
    // The ticket was not used up by it.
    let mut client = world.connect();
    client.handshake(&ticket, &client_id("kim"));
    assert_eq!(client.wait_for(100, |_| true)["success"], true);
}

#[rstest]
fn a_message_before_the_handshake_is_dropped_and_said_so(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let world = World::speaking(speech);
    let mut client = world.connect();
    client.input(1, [0.0; 3]);
    let error = client.next();
    assert_eq!((&error["type"], &error["error_code"]), (&json!(109), &json!(401)));
    world.join_over(client, "kim");
}

#[rstest]
fn a_second_handshake_is_an_error_and_the_connection_stays(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let world = World::speaking(speech);
    let (mut client, _) = world.join("kim");
    client.handshake(&world.office.ticket("kim"), &client_id("kim"));
    assert_eq!(client.wait_for(109, |_| true)["error_code"], 409);
    client.ping(1);
    client.wait_for(108, |_| true);
}

#[rstest]
fn a_client_that_says_nothing_is_closed(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let world = World::speaking(speech);
    assert_eq!(world.connect().wait_for_close(), (1008, "no handshake in time".into()));
}
