//! What must hold for every message: decoding never panics, and what is encoded reads back as it was.

use proptest::prelude::*;
use protocol::v1::{CastRequest, ChunkRequest, ClientMessage, Handshake, InputFrame, ServerMessage, TerraformOp, TerraformRequest};
use protocol::{RevisionId, Sha256Hex, SpellId};

fn unit() -> impl Strategy<Value = [f32; 3]> {
    prop_oneof![Just([1.0, 0.0, 0.0]), Just([0.0, -1.0, 0.0]), Just([0.0, 0.0, -1.0])]
}

/// A client's clock in quarters: the JSON parser may miss the last bit of a longer fraction, which no clock has.
fn clock() -> impl Strategy<Value = f64> {
    any::<i32>().prop_map(|quarters| f64::from(quarters) / 4.0)
}

fn cast_request() -> impl Strategy<Value = CastRequest> {
    let revision = proptest::option::of((1..1_000_000_u32, any::<u8>()).prop_map(|(n, byte)| RevisionId::of(n, &Sha256Hex::of(&[byte]))));
    ("[a-z][a-z0-9_]{1,63}", revision, prop::array::uniform3(-1.0e6_f32..1.0e6), any::<u64>(), "[a-z]{0,20}").prop_map(
        |(spell, revision_id, target_position, target_entity_id, word)| CastRequest {
            spell_id: SpellId::new(spell).expect("made to match"),
            revision_id,
            target_position,
            target_entity_id,
            extra_params: format!("{{\"word\":\"{word}\"}}"),
        },
    )
}

fn input_frame() -> impl Strategy<Value = InputFrame> {
    (any::<[u64; 2]>(), any::<u32>(), prop::array::uniform3(-1.0_f32..=1.0), unit(), any::<[bool; 4]>()).prop_map(
        |([client_tick, server_tick_ack], sequence_id, movement, aim_direction, [sprint, fire, interact, jump])| InputFrame {
            client_tick,
            server_tick_ack,
            sequence_id,
            movement,
            aim_direction,
            sprint,
            fire,
            interact,
            jump,
        },
    )
}

fn client_message() -> impl Strategy<Value = ClientMessage> {
    prop_oneof![
        ("\\PC{1,60}", "[a-z0-9_]{0,64}", clock(), any::<u32>()).prop_map(|(session_token, client_id, timestamp, protocol_version)| {
            ClientMessage::Handshake(Handshake { protocol_version, session_token, client_id, timestamp })
        }),
        input_frame().prop_map(ClientMessage::Input),
        (prop::array::uniform3(-1.0e6_f32..1.0e6), 0.01_f32..16.0, any::<u8>(), any::<u32>()).prop_map(
            |(center, radius, material_id, client_sequence_id)| {
                ClientMessage::Terraform(TerraformRequest { op: TerraformOp::Paint, center, radius, material_id, client_sequence_id })
            }
        ),
        (prop::array::uniform3(-31_250..=31_250_i32), any::<u64>())
            .prop_map(|(chunk_id, last_known_version)| ClientMessage::Chunk(ChunkRequest { chunk_id, last_known_version })),
        clock().prop_map(|client_time| ClientMessage::Ping { client_time }),
        Just(ClientMessage::Disconnect),
        cast_request().prop_map(ClientMessage::Cast),
    ]
}

proptest! {
    #[test]
    fn what_a_client_encodes_decodes_to_the_same(message in client_message()) {
        prop_assert_eq!(ClientMessage::decode(&message.encode()), Ok(message));
    }

    #[test]
    fn any_text_is_decoded_without_panic(text in "\\PC{0,200}") {
        let _ = ClientMessage::decode(&text);
    }

    #[test]
    fn a_damaged_message_is_decoded_without_panic(message in client_message(), at in any::<prop::sample::Index>(), with in "[-0-9eE.\\[\\]{}\", a-z]{0,4}") {
        let mut text = message.encode();
        let cut = (0..=at.index(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
        text.insert_str(cut, &with);
        let _ = ClientMessage::decode(&text);
        text.truncate(cut);
        prop_assert!(ClientMessage::decode(&text).is_err());
    }

    #[test]
    fn an_aim_is_a_unit_vector(aim in prop::array::uniform3(prop_oneof![-1.0e30..1.0e30_f64, -1.0..1.0_f64, -1.0e-20..1.0e-20_f64])) {
        let text = format!(
            r#"{{"type":2,"client_tick":1,"server_tick_ack":1,"sequence_id":1,"movement":[0,0,0],"aim_direction":[{:e},{:e},{:e}],"sprint":false,"fire":false,"interact":false,"jump":false}}"#,
            aim[0], aim[1], aim[2]
        );
        if let Ok(ClientMessage::Input(input)) = ClientMessage::decode(&text) {
            let length = input.aim_direction.iter().map(|n| n * n).sum::<f32>().sqrt();
            prop_assert!((length - 1.0).abs() < 1e-5, "length {}", length);
        }
    }

    #[test]
    fn every_float_is_rounded_to_a_thousandth(client_time in any::<f64>(), damage in any::<f32>()) {
        let text = ServerMessage::Pong { client_time, server_time: f64::from(damage), server_tick: 1 }.encode();
        let value: serde_json::Value = serde_json::from_str(&text).expect("what a server encodes is JSON");
        let expected = if client_time.is_finite() { client_time } else { 0.0 };
        let got = value["client_time"].as_f64().expect("a number");
        prop_assert!((got - expected).abs() <= 0.000501_f64.max(expected.abs() * 1e-15), "{} became {}", expected, got);
    }
}
