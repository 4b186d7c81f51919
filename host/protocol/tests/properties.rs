//! What must hold for every message: decoding never panics, and what is encoded reads back as it was.

use proptest::prelude::*;
use protocol::client::{CastRequest, ChunkRequest, ClientMessage, Handshake, InputFrame, TerraformOp, TerraformRequest};
use protocol::limits::CHUNK_CREDITS_MAX;
use protocol::server::{AffectedChunk, BorneStatus, ErrorCode, Properties, StatusKind};
use protocol::{RevisionId, ServerMessage, Sha256Hex, SpellId, v1, v2};

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

fn status_kind() -> impl Strategy<Value = StatusKind> {
    prop::sample::select(vec![StatusKind::Slow, StatusKind::Root, StatusKind::Shield, StatusKind::Burn])
}

/// No controls at all.
fn still() -> InputFrame {
    InputFrame {
        client_tick: 0,
        server_tick_ack: 0,
        sequence_id: 1,
        movement: [0.0; 3],
        aim_direction: [0.0, 0.0, -1.0],
        sprint: false,
        fire: false,
        interact: false,
        jump: false,
    }
}

fn client_message() -> impl Strategy<Value = ClientMessage> {
    prop_oneof![
        ("\\PC{1,60}", "[a-z0-9_]{0,64}", clock(), any::<u32>()).prop_map(|(session_token, client_id, timestamp, protocol_version)| {
            ClientMessage::Handshake(Handshake { protocol_version, session_token, client_id, timestamp })
        }),
        input_frame().prop_map(|frame| ClientMessage::Inputs(vec![frame])),
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
        "[!-~]{1,40}".prop_map(ClientMessage::Chat),
    ]
}

/// Some consecutive inputs, as v2 sends them.
fn inputs() -> impl Strategy<Value = Vec<InputFrame>> {
    (prop::collection::vec(input_frame(), 1..=4), 0..u32::MAX - 4, 0..u64::MAX - 4).prop_map(|(mut frames, sequence, tick)| {
        let ack = frames[0].server_tick_ack;
        for (n, frame) in (0..).zip(&mut frames) {
            let numbered = InputFrame { server_tick_ack: ack, client_tick: tick + u64::from(n), sequence_id: sequence + n, ..*frame };
            *frame = v2::as_sent(&numbered);
        }
        frames
    })
}

fn server_message() -> impl Strategy<Value = ServerMessage> {
    let place = || prop::array::uniform3(-1.0e4_f32..1.0e4);
    let chunks = prop::collection::vec((any::<[i32; 3]>(), any::<[u64; 2]>()), 0..9).prop_map(|chunks| {
        chunks.into_iter().map(|(chunk_id, [new_version, hash])| AffectedChunk { chunk_id, new_version, hash }).collect::<Vec<_>>()
    });
    prop_oneof![
        (any::<[u64; 2]>(), 1..5_u8, place(), place(), ("\\PC{0,30}", any::<u64>(), any::<u32>())).prop_map(
            |([server_tick, entity_id], entity_type, position, rotation, (name, owner, health_max))| {
                let properties = Properties { name, owner, health_max };
                ServerMessage::EntitySpawn { server_tick, entity_id, entity_type, position, rotation, properties }
            }
        ),
        (any::<[u64; 2]>(), "[a-z_]{0,20}").prop_map(|([server_tick, entity_id], reason)| ServerMessage::EntityDespawn {
            server_tick,
            entity_id,
            reason
        }),
        (any::<u64>(), place(), chunks).prop_map(|(server_tick, center, affected_chunks)| ServerMessage::TerraformApplied {
            server_tick,
            op_type: 3,
            center,
            radius: 2.5,
            material_id: 7,
            affected_chunks,
            client_sequence_id: 9,
        }),
        (any::<[u32; 2]>(), -1_000.0..1_000.0_f32, prop::collection::vec((status_kind(), 0.0..1_000.0_f32, any::<u64>()), 0..5)).prop_map(
            |([seq, digest], mana, statuses)| ServerMessage::PlayerStatus {
                server_tick: 9,
                seq,
                digest,
                mana,
                mana_max: 100,
                mana_per_second: 5,
                statuses: statuses.into_iter().map(|(kind, strength, until)| BorneStatus { kind, strength, until }).collect(),
            }
        ),
        "\\PC{1,60}".prop_map(|text| ServerMessage::Chat { server_tick: 3, entity_id: 9, text }),
        "\\PC{0,60}".prop_map(|message| ServerMessage::Error { error_code: ErrorCode::TooMany, message }),
    ]
}

proptest! {
    #[test]
    fn what_a_client_encodes_in_v2_decodes_to_the_same(message in client_message(), frames in inputs()) {
        if !matches!(message, ClientMessage::Inputs(_)) {
            prop_assert_eq!(v2::decode_client(&v2::encode_client(&message)), Ok(message));
        }
        let message = ClientMessage::Inputs(frames);
        prop_assert_eq!(v2::decode_client(&v2::encode_client(&message)), Ok(message));
    }

    #[test]
    fn credits_are_as_many_as_a_client_can_have(credits in prop_oneof![0..=CHUNK_CREDITS_MAX + 1, any::<u32>()]) {
        let message = ClientMessage::ChunkCredits(credits);
        let decoded = v2::decode_client(&v2::encode_client(&message));
        prop_assert_eq!(decoded.ok(), Some(message).filter(|_| (1..=CHUNK_CREDITS_MAX).contains(&credits)));
    }

    #[test]
    fn an_aim_loses_less_than_a_hundredth_of_a_degree(aim in prop::array::uniform3(-1.0_f32..1.0)) {
        let length = aim.iter().map(|n| n * n).sum::<f32>().sqrt();
        prop_assume!(length > 1e-3);
        let aim = aim.map(|n| n / length);
        let sent = v2::as_sent(&InputFrame { aim_direction: aim, ..still() }).aim_direction;
        let (dot, length) = (0..3).fold((0.0, 0.0), |(dot, length), n| (dot + sent[n] * aim[n], length + sent[n] * sent[n]));
        prop_assert!((length - 1.0_f32).abs() < 1e-5 && dot > 0.01_f32.to_radians().cos() - 1e-6, "{:?} became {:?}", aim, sent);
    }

    #[test]
    fn what_a_server_encodes_in_v2_decodes_to_the_same(message in server_message()) {
        let frame = v2::encode_server(&message);
        prop_assert_eq!(v2::decode_server(&frame), Ok(v2::Frame::Message(message)));
        prop_assert!(v2::decode_server(&frame[..frame.len() - 1]).is_err());
    }

    #[test]
    fn what_a_client_encodes_decodes_to_the_same(message in client_message()) {
        prop_assert_eq!(v1::decode_client(&v1::encode_client(&message)), Ok(message));
    }

    #[test]
    fn any_text_is_decoded_without_panic(text in "\\PC{0,200}") {
        let _ = v1::decode_client(&text);
    }

    #[test]
    fn a_damaged_message_is_decoded_without_panic(message in client_message(), at in any::<prop::sample::Index>(), with in "[-0-9eE.\\[\\]{}\", a-z]{0,4}") {
        let mut text = v1::encode_client(&message);
        let cut = (0..=at.index(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
        text.insert_str(cut, &with);
        let _ = v1::decode_client(&text);
        text.truncate(cut);
        prop_assert!(v1::decode_client(&text).is_err());
    }

    #[test]
    fn an_aim_is_a_unit_vector(aim in prop::array::uniform3(prop_oneof![-1.0e30..1.0e30_f64, -1.0..1.0_f64, -1.0e-20..1.0e-20_f64])) {
        let text = format!(
            r#"{{"type":2,"client_tick":1,"server_tick_ack":1,"sequence_id":1,"movement":[0,0,0],"aim_direction":[{:e},{:e},{:e}],"sprint":false,"fire":false,"interact":false,"jump":false}}"#,
            aim[0], aim[1], aim[2]
        );
        if let Ok(ClientMessage::Inputs(inputs)) = v1::decode_client(&text) {
            let length = inputs[0].aim_direction.iter().map(|n| n * n).sum::<f32>().sqrt();
            prop_assert!((length - 1.0).abs() < 1e-5, "length {}", length);
        }
    }

    #[test]
    fn every_float_is_rounded_to_a_thousandth(client_time in any::<f64>(), damage in any::<f32>()) {
        let text = v1::encode_server(&ServerMessage::Pong { client_time, server_time: f64::from(damage), server_tick: 1 });
        let value: serde_json::Value = serde_json::from_str(&text).expect("what a server encodes is JSON");
        let expected = if client_time.is_finite() { client_time } else { 0.0 };
        let got = value["client_time"].as_f64().expect("a number");
        prop_assert!((got - expected).abs() <= 0.000501_f64.max(expected.abs() * 1e-15), "{} became {}", expected, got);
    }
}
