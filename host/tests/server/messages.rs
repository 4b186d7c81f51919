//! What is said about messages that are none, too long, or too many; and what good ones do.

use crate::control_plane::World;
use host::limits::{CHATS_AT_ONCE_MAX, STATUS_INTERVAL_TICKS};
use host::subprotocol::Subprotocol;
use rstest::rstest;
use serde_json::{Value, json};
use sim::limits::{MANA_MAX, MANA_PER_SECOND};
use tungstenite::Message;

#[test]
fn a_malformed_message_gets_an_error_and_the_connection_stays() {
    let world = World::start();
    let (mut client, _) = world.join("kim");
    let cases = [
        ("{", "not JSON: EOF while parsing an object at line 1 column 1"),
        (r#"{"type": 99}"#, "type 99 is unknown: a client sends 1 to 8"),
        (r#"{"type": 5, "client_time": "now"}"#, "field client_time must be a finite number"),
        (r#"{"type": 6} {"type": 6}"#, "not JSON: trailing characters at line 1 column 13"),
    ];
    for (text, reason) in cases {
        client.send_text(text);
        let error = client.wait_for(109, |_| true);
        assert_eq!((&error["error_code"], error["message"].as_str()), (&json!(400), Some(reason)));
    }
    client.socket.send(Message::binary(vec![1, 2, 3])).expect("it is sent");
    assert_eq!(client.wait_for(109, |_| true)["message"], "ugc.v1.json has text frames only");
    client.ping(7);
    client.wait_for(108, |pong| pong["client_time"] == 7);
}

#[rstest]
fn twenty_bad_messages_in_a_second_close_the_connection(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let world = World::speaking(speech);
    let (mut client, _) = world.join("kim");
    for _ in 0..20 {
        client.send_text("nonsense");
    }
    for _ in 0..20 {
        client.wait_for(109, |_| true);
    }
    assert_eq!(client.wait_for_close(), (1008, "too many bad messages".into()));
}

#[test]
fn a_malformed_message_of_v2_gets_an_error_and_the_connection_stays() {
    let world = World::speaking(Subprotocol::Binary);
    let (mut client, _) = world.join("kim");
    let cases: [(&[u8], &str); 4] = [
        (&[], "not a message: Hit the end of buffer, expected more data"),
        (&[99], "not a message: Serde Deserialization Error"),
        (&[5, 0], "1 bytes follow the message"),
        (&[1, 0, 9, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0], "field controls must be 1 to 4 times 8 bytes"),
    ];
    for (bytes, reason) in cases {
        client.socket.send(Message::binary(bytes.to_vec())).expect("it is sent");
        let error = client.wait_for(109, |_| true);
        assert_eq!((&error["error_code"], error["message"].as_str()), (&json!(400), Some(reason)));
    }
    client.send_text("{}");
    assert_eq!(client.wait_for(109, |_| true)["message"], "ugc.v2.bin has binary frames only");
    client.ping(7);
    client.wait_for(108, |pong| pong["client_time"] == 7);
}

#[test]
fn oversized_messages_of_v2_close_the_connection() {
    let world = World::speaking(Subprotocol::Binary);
    let mut stranger = world.connect();
    stranger.socket.send(Message::binary(vec![0; 5_000])).expect("it is sent");
    assert_eq!(stranger.wait_for_close(), (1009, "message too long".into()));
    let (mut client, _) = world.join("kim");
    client.socket.send(Message::binary(vec![0; 100_000])).expect("it is sent");
    assert_eq!(client.wait_for_close(), (1009, "message too long".into()));
}

#[rstest]
fn ten_times_the_input_rate_is_taken_and_a_flood_is_closed(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let world = World::speaking(speech);
    let (mut client, _) = world.join("kim");
    for sequence in 1..=500 {
        client.input(sequence, [0.0; 3]);
    }
    client.wait_for(101, |snapshot| snapshot["player_state"]["seq"] == 500);
    for sequence in 501..=4_000 {
        client.input(sequence, [0.0; 3]);
    }
    assert_eq!(client.wait_for(109, |_| true)["error_code"], 429);
    assert_eq!(client.wait_for_close(), (1008, "too many bad messages".into()));
}

#[test]
fn oversized_messages_close_the_connection() {
    let world = World::start();
    let padded = |bytes: usize| json!({"type": 5, "client_time": 1, "padding": "x".repeat(bytes)}).to_string();
    let mut stranger = world.connect();
    stranger.send_text(&padded(5_000));
    assert_eq!(stranger.wait_for_close(), (1009, "message too long".into()));

    let (mut client, _) = world.join("kim");
    client.send_text(&padded(5_000));
    client.wait_for(108, |_| true);
    client.send_text(&padded(100_000));
    assert_eq!(client.wait_for_close(), (1009, "message too long".into()));
}

#[rstest]
fn ping_is_answered_with_the_clocks(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let world = World::speaking(speech);
    let (mut client, _) = world.join("kim");
    client.ping(41);
    let first = client.wait_for(108, |_| true);
    assert_eq!(first["client_time"], 41);
    assert!(first["server_time"].as_f64().expect("a number") > 1.7e9);
    let tick = |message: &Value| message["server_tick"].as_u64().expect("a tick");
    client.wait_for(101, |snapshot| tick(snapshot) >= tick(&first) + 3);
    client.ping(42);
    assert!(tick(&client.wait_for(108, |_| true)) > tick(&first));
}

#[rstest]
fn an_input_moves_the_player_and_is_acknowledged_once(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let world = World::speaking(speech);
    let (mut client, player) = world.join("kim");
    client.input(5, [0.0, 0.0, -1.0]);
    let snapshot = client.wait_for(101, |snapshot| snapshot["player_state"]["seq"] == 5);
    // Repeated and older ones change nothing.
    client.input(5, [1.0, 0.0, 0.0]);
    client.input(4, [1.0, 0.0, 0.0]);
    client.ping(1);
    client.wait_for(108, |_| true);
    let later = client.wait_for(101, |later| later["server_tick"].as_u64() > snapshot["server_tick"].as_u64().map(|tick| tick + 20));
    assert_eq!(later["player_state"]["seq"], 5);
    let position = &later["player_state"]["p"];
    assert!(position[2].as_f64().expect("a number") < -1.0, "forward is -z: {position}");
    assert!(position[0].as_f64().expect("a number").abs() < 0.1, "not sideways: {position}");
    assert!(later["entities"].as_array().expect("a list").iter().any(|entity| entity["id"] == player && entity["t"] == 1));
}

#[rstest]
fn only_the_caster_hears_that_a_cast_was_refused(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let world = World::speaking(speech);
    let (mut caster, player) = world.join("kim");
    let (mut other, _) = world.join("ann");
    caster.cast("no_such_spell");
    let refusal = caster.wait_for(121, |_| true);
    assert_eq!(
        (&refusal["limit"], &refusal["spell_id"], &refusal["caster_entity_id"]),
        (&json!("unknown_spell"), &json!("no_such_spell"), &json!(player))
    );
    assert_eq!(refusal["message"], "this world has no active revision of no_such_spell");
    let tick = refusal["server_tick"].as_u64().expect("a tick");
    loop {
        let message = other.next();
        assert_ne!(message["type"], 121);
        if message["type"] == 101 && message["server_tick"].as_u64() > Some(tick) {
            break;
        }
    }
}

#[rstest]
fn what_one_says_all_hear_and_only_so_often(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let world = World::speaking(speech);
    let (mut kim, player) = world.join("kim");
    let (mut ann, _) = world.join("ann");
    for line in 0..CHATS_AT_ONCE_MAX + 3 {
        kim.send(&json!({"type": 8, "text": format!("line {line}")}));
    }
    let spoken: Vec<Value> = (0..CHATS_AT_ONCE_MAX).map(|line| json!([player, format!("line {line}")])).collect();
    let heard: Vec<Value> = (0..CHATS_AT_ONCE_MAX).map(|_| ann.wait_for(125, |_| true)).collect();
    assert_eq!(heard.iter().map(|line| json!([line["entity_id"], line["text"]])).collect::<Vec<_>>(), spoken);
    // Refusals come at once, and what is heard with the next tick.
    let answers: Vec<Value> =
        std::iter::from_fn(|| Some(kim.next())).filter(|message| message["type"] == 109 || message["type"] == 125).take(8).collect();
    let (refused, heard): (Vec<Value>, Vec<Value>) = answers.into_iter().partition(|message| message["type"] == 109);
    assert_eq!((refused.len(), heard.len()), (3, 5));
    assert_eq!(
        (&refused[0]["error_code"], &refused[0]["message"]),
        (&json!(429), &json!("more than 1 line of chat in a second: say it again later"))
    );
    ann.send(&json!({"type": 8, "text": "quiet, please"}));
    assert_eq!(kim.wait_for(125, |_| true)["text"], "quiet, please", "the others were dropped, and the connection stays");
}

#[rstest]
fn a_player_is_told_how_it_is_when_it_comes_and_now_and_then(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let world = World::speaking(speech);
    let (mut kim, _) = world.join("kim");
    let tick = |message: &Value| message["server_tick"].as_u64().expect("a tick");
    let first = kim.wait_for(124, |_| true);
    let has_all = json!({"mana": MANA_MAX, "mana_max": MANA_MAX, "mana_per_second": MANA_PER_SECOND, "statuses": []});
    let told: Value =
        ["mana", "mana_max", "mana_per_second", "statuses"].map(|key| (key.to_owned(), first[key].clone())).into_iter().collect();
    assert_eq!(told, has_all);
    // It falls to the ground and stands: from then on the digest is the same.
    kim.input(1, [0.0; 3]);
    let resting = kim.wait_for(124, |status| tick(status) > tick(&first) + 2 * STATUS_INTERVAL_TICKS);
    let later = kim.wait_for(124, |_| true);
    assert_eq!(tick(&later) - tick(&resting), STATUS_INTERVAL_TICKS);
    assert_eq!((&later["seq"], &later["digest"]), (&json!(1), &resting["digest"]));
    assert_ne!(first["digest"], resting["digest"]);
}
