//! What a client can do with good messages: too many of them, in any order, at any time. Nobody else notices, and nobody gets further by it.

use crate::client::Client;
use crate::control_plane::World;
use host::limits::{INPUTS_WAITING_MAX, MESSAGES_AT_ONCE_MAX};
use host::subprotocol::Subprotocol;
use rstest::rstest;
use serde_json::{Value, json};

/// Metres a tick.
const WALK: f64 = 8.0 / 60.0;
/// Ten times what may come at once and is looked at.
const FLOOD: u32 = 10 * MESSAGES_AT_ONCE_MAX;

fn input(sequence: u32, change: &Value) -> Value {
    let mut input = json!({
        "type": 2, "client_tick": sequence, "server_tick_ack": 0, "sequence_id": sequence, "movement": [0, 0, 0], "aim_direction": [0, 0, -1],
        "sprint": false, "fire": false, "interact": false, "jump": false,
    });
    input.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
    input
}

/// The tick of a snapshot, and where its player stands.
fn stands(client: &mut Client) -> (u64, [f64; 2]) {
    let snapshot = client.wait_for(101, |snapshot| snapshot["player_state"]["g"] == true);
    let position = &snapshot["player_state"]["p"];
    (snapshot["server_tick"].as_u64().expect("a tick"), [0, 2].map(|axis: usize| position[axis].as_f64().expect("a number")))
}

fn way([a, b]: [f64; 2], [c, d]: [f64; 2]) -> f64 {
    (a - c).hypot(b - d)
}

#[rstest]
fn sequence_numbers_go_up_to_their_end_and_never_back(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let world = World::speaking(speech);
    let (mut kim, _) = world.join("kim");
    let forward = json!({"movement": [0, 0, -1]});
    for (sequences, taken) in [
        (&[100, 100, 50, 99, 0][..], 100),
        (&[4_000_000_000, 200, 300], 4_000_000_000),
        // Behind the last number there is none.
        (&[u32::MAX, 0, 1, 2], u32::MAX),
    ] {
        sequences.iter().for_each(|sequence| kim.send(&input(*sequence, &forward)));
        kim.wait_for(101, |snapshot| snapshot["player_state"]["seq"] == taken);
        kim.ping(1);
        kim.wait_for(108, |_| true);
        let (tick, _) = stands(&mut kim);
        let later = kim.wait_for(101, |snapshot| snapshot["server_tick"].as_u64() > Some(tick + 12));
        assert_eq!(later["player_state"]["seq"], taken);
    }
}

#[rstest]
fn a_burst_after_silence_is_no_shortcut(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let world = World::speaking(speech);
    let (mut kim, _) = world.join("kim");
    kim.send(&input(1, &json!({})));
    let (tick, from) = stands(&mut kim);
    kim.wait_for(101, |snapshot| snapshot["server_tick"].as_u64() > Some(tick + 60));
    (2..200).for_each(|sequence| kim.send(&input(sequence, &json!({"movement": [0, 0, -1]}))));
    kim.send(&input(200, &json!({})));
    kim.wait_for(101, |snapshot| snapshot["player_state"]["seq"] == 200);
    let (tick, _) = stands(&mut kim);
    kim.wait_for(101, |snapshot| snapshot["server_tick"].as_u64() > Some(tick + 60));
    let (_, to) = stands(&mut kim);
    // What waits is walked, and until it stands still a player slides a little.
    let most = (INPUTS_WAITING_MAX as f64 + 8.0) * WALK;
    assert!(way(from, to) > 0.0 && way(from, to) <= most, "{:.2} of {most:.2} m", way(from, to));
}

#[rstest]
fn who_fires_in_every_tick_shoots_as_often_as_anybody(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let world = World::speaking(speech);
    let (mut kim, player) = world.join("kim");
    let (tick, _) = stands(&mut kim);
    let (mut shots, mut now, mut sequence) = (0_u64, tick, 0);
    while now < tick + 120 {
        sequence += 1;
        // Up, so that nothing is hit.
        kim.send(&input(sequence, &json!({"fire": true, "aim_direction": [0, 1, 0]})));
        let message = kim.next();
        now = if message["type"] == 101 { message["server_tick"].as_u64().expect("a tick") } else { now };
        shots += u64::from(message["type"] == 102 && message["entity_type"] == 3 && message["properties"]["owner"] == player);
    }
    // 0.2 s from one to the next.
    assert!((1..=(now - tick) / 12 + 1).contains(&shots), "{shots} shots in {} ticks", now - tick);
}

#[rstest]
fn a_flood_is_closed_and_others_play_on(
    #[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol,
    #[values("chunks", "terraforming", "casts", "pings")] what: &str,
) {
    let world = World::speaking(speech);
    let (mut ann, _) = world.join("ann");
    let (mut kim, _) = world.join("kim");
    for n in 0..FLOOD {
        let message = match what {
            "chunks" => json!({"type": 4, "chunk_id": [n % 5, 0, n / 5 % 5], "last_known_version": 0}),
            "terraforming" => {
                json!({"type": 3, "op_type": 1 + n % 2, "center": [12, 0, n % 9], "radius": 2, "material_id": 1, "client_sequence_id": n})
            }
            "casts" => json!({
                "type": 7, "spell_id": "no_such_spell", "revision_id": "", "target_position": [0, 1, 0], "target_entity_id": 999,
                "extra_params": {},
            }),
            _ => json!({"type": 5, "client_time": n}),
        };
        if !kim.try_send(&message) {
            break;
        }
    }
    let (code, words) = kim.wait_for_close();
    // Pings are answered as long as they are heard, and who does not read its answers falls behind.
    assert!(code == 1008 && ["too many bad messages", "too far behind"].contains(&words.as_str()), "{code} {words}");
    ann.play(30);
    world.join("bob");
}

#[rstest]
fn casts_of_what_there_is_not_are_refused_by_name(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let world = World::speaking(speech);
    let (mut kim, _) = world.join("kim");
    for (spell, revision, limit) in [("no_such_spell", "", "unknown_spell"), ("no_such_spell", "rev_000001_0a1b2c3d", "unknown_spell")] {
        kim.send(&json!({
            "type": 7, "spell_id": spell, "revision_id": revision, "target_position": [1e6, -1e6, 0], "target_entity_id": 1_u64 << 40,
            "extra_params": {},
        }));
        let refusal = kim.wait_for(121, |_| true);
        assert_eq!((&refusal["limit"], &refusal["spell_id"]), (&json!(limit), &json!(spell)), "{refusal}");
    }
}
