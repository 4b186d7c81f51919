//! The exact text of `ugc.v1.json`: field names, order, rounding, and what is said about a message that is none.

use expect_test::{Expect, expect};
use protocol::server::{AffectedChunk, BorneStatus, ErrorCode, HookName, HookReport, NpcEventType, Properties, StatusKind};
use protocol::v1::{self, EntityState, PlayerState};
use protocol::{Channel, RevisionId, ServerMessage, SpellId};
use serde_json::{Map, Value, json};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn server(message: ServerMessage, expected: Expect) {
    expected.assert_eq(&v1::encode_server(&message));
}

fn client(text: &str, expected: Expect) {
    expected.assert_eq(&said(text));
}

fn said(text: &str) -> String {
    match v1::decode_client(text) {
        Ok(message) => format!("{message:?}"),
        Err(bad) => format!("refused: {bad}"),
    }
}

#[test]
fn server_messages() {
    server(
        ServerMessage::HandshakeResponse {
            success: true,
            server_tick: 7,
            assigned_entity_id: 12,
            world_id: "world_0a1b2c3d".into(),
            error: String::new(),
        },
        expect![[r#"{"type":100,"success":true,"server_tick":7,"assigned_entity_id":12,"world_id":"world_0a1b2c3d","error":""}"#]],
    );
    server(
        ServerMessage::EntitySpawn {
            server_tick: 3,
            entity_id: 5,
            entity_type: 4,
            position: [2.0, 2.0, -6.0],
            rotation: [0.0; 3],
            properties: Properties { name: "crate".into(), owner: 0, health_max: 0 },
        },
        expect![[
            r#"{"type":102,"server_tick":3,"entity_id":5,"entity_type":4,"position":[2,2,-6],"rotation":[0,0,0],"properties":{"name":"crate"}}"#
        ]],
    );
    server(
        ServerMessage::EntityDespawn { server_tick: 3, entity_id: 5, reason: "hit".into() },
        expect![[r#"{"type":103,"server_tick":3,"entity_id":5,"reason":"hit"}"#]],
    );
    server(
        ServerMessage::ProjectileHit {
            server_tick: 4,
            projectile_id: 6,
            hit_entity_id: 0,
            hit_point: [0.0, 1.0, 0.3333333],
            hit_normal: [0.0, 1.0, 0.0],
            damage: 10.0,
        },
        expect![[
            r#"{"type":104,"server_tick":4,"projectile_id":6,"hit_entity_id":0,"hit_point":[0,1,0.333],"hit_normal":[0,1,0],"damage":10}"#
        ]],
    );
    server(
        ServerMessage::NpcEvent {
            server_tick: 4,
            npc_id: 3,
            event_type: NpcEventType::SuspicionChanged,
            target_entity_id: 9,
            detection_state: 1,
            suspicion_level: 0.30004,
        },
        expect![[
            r#"{"type":105,"server_tick":4,"npc_id":3,"event_type":"suspicion_changed","target_entity_id":9,"detection_state":1,"suspicion_level":0.3}"#
        ]],
    );
    server(
        ServerMessage::TerraformApplied {
            server_tick: 4,
            op_type: 1,
            center: [0.5, -1.0, 0.3333333],
            radius: 2.5,
            material_id: 3,
            affected_chunks: vec![AffectedChunk { chunk_id: [0, -1, 0], new_version: 2, hash: 7 }],
            client_sequence_id: 9,
        },
        expect![[
            r#"{"type":106,"server_tick":4,"op_type":1,"center":[0.5,-1,0.333],"radius":2.5,"material_id":3,"affected_chunks":[{"chunk_id":[0,-1,0],"new_version":2}],"client_sequence_id":9}"#
        ]],
    );
    server(
        ServerMessage::ChunkData { chunk_id: [0, -1, 2], version: 3, data: "H4sI".into(), compressed: true },
        expect![[r#"{"type":107,"chunk_id":[0,-1,2],"version":3,"data":"H4sI","compressed":true}"#]],
    );
    server(
        ServerMessage::Pong { client_time: 1.5, server_time: 1795390000.25, server_tick: 4 },
        expect![[r#"{"type":108,"client_time":1.5,"server_time":1795390000.25,"server_tick":4}"#]],
    );
    server(
        ServerMessage::Error { error_code: ErrorCode::BadMessage, message: "field aim_direction is missing".into() },
        expect![[r#"{"type":109,"error_code":400,"message":"field aim_direction is missing"}"#]],
    );
    server(
        ServerMessage::PlayerJoined { entity_id: 5, username: "kim".into() },
        expect![[r#"{"type":110,"entity_id":5,"username":"kim"}"#]],
    );
    server(ServerMessage::PlayerLeft { entity_id: 5, username: "kim".into() }, expect![[r#"{"type":111,"entity_id":5,"username":"kim"}"#]]);
    server(
        ServerMessage::SpellCastEvent {
            server_tick: 8,
            spell_id: "fireball".into(),
            revision_id: "rev_000001_0a1b2c3d".into(),
            caster_entity_id: 5,
            target_position: [0.0, 1.9, -10.0],
            seed: 42,
            extra_params: r#"{"power":2}"#.into(),
        },
        expect![[
            r#"{"type":112,"server_tick":8,"spell_id":"fireball","revision_id":"rev_000001_0a1b2c3d","caster_entity_id":5,"target_position":[0,1.9,-10],"seed":42,"extra_params":{"power":2}}"#
        ]],
    );
    server(
        ServerMessage::SpellEffect {
            server_tick: 8,
            spell_id: "fireball".into(),
            revision_id: "rev_000001_0a1b2c3d".into(),
            caster_entity_id: 5,
            name: "burst".into(),
            position: [0.0, 1.9, -10.0],
            scale: 1.5,
        },
        expect![[
            r#"{"type":120,"server_tick":8,"spell_id":"fireball","revision_id":"rev_000001_0a1b2c3d","caster_entity_id":5,"name":"burst","position":[0,1.9,-10],"scale":1.5}"#
        ]],
    );
    server(
        ServerMessage::SpellText {
            server_tick: 8,
            spell_id: "totem".into(),
            revision_id: "rev_000001_0a1b2c3d".into(),
            caster_entity_id: 5,
            text: "totem 2 stands".into(),
            aloud: false,
        },
        expect![[
            r#"{"type":123,"server_tick":8,"spell_id":"totem","revision_id":"rev_000001_0a1b2c3d","caster_entity_id":5,"text":"totem 2 stands","aloud":false}"#
        ]],
    );
    server(
        ServerMessage::PlayerStatus {
            server_tick: 9,
            seq: 7,
            digest: 4_000_000_000,
            mana: -12.5,
            mana_max: 100,
            mana_per_second: 5,
            statuses: vec![
                BorneStatus { kind: StatusKind::Slow, strength: 0.4, until: 99 },
                BorneStatus { kind: StatusKind::Root, strength: 0.0, until: 60 },
            ],
        },
        expect![[
            r#"{"type":124,"server_tick":9,"seq":7,"digest":4000000000,"mana":-12.5,"mana_max":100,"mana_per_second":5,"statuses":[{"kind":"slow","strength":0.4,"until":99},{"kind":"root","strength":0,"until":60}]}"#
        ]],
    );
    server(
        ServerMessage::Chat { server_tick: 9, entity_id: 5, text: "\"hi\"".into() },
        expect![[r#"{"type":125,"server_tick":9,"entity_id":5,"text":"\"hi\""}"#]],
    );
    server(
        ServerMessage::CastReport {
            server_tick: 70,
            spell_id: "frost".into(),
            revision_id: "rev_000001_0a1b2c3d".into(),
            caster_entity_id: 5,
            began_tick: 9,
            reason: "duration".into(),
            mana: 1.25,
            memory_bytes: 131_072,
            hooks: vec![
                HookReport { hook: HookName::OnCast, calls: 1, fuel: 90_000, fuel_max: 90_000 },
                HookReport { hook: HookName::OnTick, calls: 60, fuel: 60_000, fuel_max: 1_100 },
            ],
        },
        expect![[
            r#"{"type":126,"server_tick":70,"spell_id":"frost","revision_id":"rev_000001_0a1b2c3d","caster_entity_id":5,"began_tick":9,"reason":"duration","mana":1.25,"memory_bytes":131072,"hooks":[{"hook":"on-cast","calls":1,"fuel":90000,"fuel_max":90000},{"hook":"on-tick","calls":60,"fuel":60000,"fuel_max":1100}]}"#
        ]],
    );
    server(
        ServerMessage::SpellCastRejected {
            server_tick: 8,
            spell_id: "fireball".into(),
            revision_id: String::new(),
            caster_entity_id: 5,
            limit: "fuel".into(),
            allowed: 1_000_000.0,
            asked: 1_000_001.0,
            hook: "on-tick".into(),
            message: "out of fuel".into(),
        },
        expect![[
            r#"{"type":121,"server_tick":8,"spell_id":"fireball","revision_id":"","caster_entity_id":5,"limit":"fuel","allowed":1000000,"asked":1000001,"hook":"on-tick","message":"out of fuel"}"#
        ]],
    );
    server(
        ServerMessage::SpellActiveUpdate {
            spell_id: SpellId::new("fireball").unwrap(),
            channel: Channel::Beta,
            revision_id: Some(RevisionId::new("rev_000001_0a1b2c3d").unwrap()),
        },
        expect![[r#"{"type":122,"spell_id":"fireball","channel":"beta","revision_id":"rev_000001_0a1b2c3d"}"#]],
    );
}

#[test]
fn a_snapshot_is_joined_of_pieces() {
    let dummy = EntityState {
        id: 1,
        t: 2,
        p: [1.23456, -0.0001, -10.0],
        r: [0.0, 1.5707964, 0.0],
        v: [0.0; 3],
        h: 75.0,
        x: Properties { name: "dummy".into(), owner: 7, health_max: 100 },
    };
    let shot = EntityState { id: 2, t: 3, p: [0.5, 1.0, 2.0], r: [0.0; 3], v: [0.0, 0.0, -50.0], h: 0.0, x: Properties::default() };
    let pieces = [v1::entities(&[dummy]), v1::entities(&[]), v1::entities(&[shot])];
    let own = PlayerState { seq: 41, p: [0.0, 1.9, 0.0], v: [0.0, -0.1, 0.0], g: true };
    expect![[
        r#"{"type":101,"server_tick":9,"entities":[{"id":1,"t":2,"p":[1.235,0,-10],"r":[0,1.571,0],"v":[0,0,0],"h":75,"x":{"hm":100,"name":"dummy","owner":7}},{"id":2,"t":3,"p":[0.5,1,2],"r":[0,0,0],"v":[0,0,-50],"h":0}],"player_state":{"seq":41,"p":[0,1.9,0],"v":[0,-0.1,0],"g":true}}"#
    ]]
    .assert_eq(&v1::snapshot(9, pieces.iter().map(String::as_str), &own));
}

#[test]
fn client_messages() {
    client(
        r#"{"type":1,"protocol_version":1,"session_token":"v4.public.x","client_id":"client_0a1b2c3d4e5f","timestamp":1.25}"#,
        expect![[
            r#"Handshake(Handshake { protocol_version: 1, session_token: "v4.public.x", client_id: "client_0a1b2c3d4e5f", timestamp: 1.25 })"#
        ]],
    );
    client(
        r#"{"type":2.0,"client_tick":5.0,"server_tick_ack":4,"sequence_id":3,"movement":[0,0,-1],"aim_direction":[0,0,-2],"sprint":true,"fire":false,"interact":false,"jump":true}"#,
        expect![
            "Inputs([InputFrame { client_tick: 5, server_tick_ack: 4, sequence_id: 3, movement: [0.0, 0.0, -1.0], aim_direction: [0.0, 0.0, -1.0], sprint: true, fire: false, interact: false, jump: true }])"
        ],
    );
    client(
        r#"{"type":3,"op_type":2,"center":[1,2,3],"radius":2.5,"material_id":1,"client_sequence_id":9}"#,
        expect![
            "Terraform(TerraformRequest { op: Subtract, center: [1.0, 2.0, 3.0], radius: 2.5, material_id: 1, client_sequence_id: 9 })"
        ],
    );
    client(
        r#"{"type":4,"chunk_id":[-1,0,2],"last_known_version":3}"#,
        expect!["Chunk(ChunkRequest { chunk_id: [-1, 0, 2], last_known_version: 3 })"],
    );
    client(r#"{"type":5,"client_time":12}"#, expect!["Ping { client_time: 12.0 }"]);
    client(r#"{"type":6}"#, expect!["Disconnect"]);
    client(r#"{"type":8,"text":"Привет, all"}"#, expect![[r#"Chat("Привет, all")"#]]);
    client(
        r#"{"type":7,"spell_id":"fireball","revision_id":"","target_position":[0,1.9,-10],"target_entity_id":2,"extra_params":{"b":1,"a":[true]}}"#,
        expect![[
            r#"Cast(CastRequest { spell_id: SpellId("fireball"), revision_id: None, target_position: [0.0, 1.9, -10.0], target_entity_id: 2, extra_params: "{\"a\":[true],\"b\":1}" })"#
        ]],
    );
}

#[test]
fn what_is_no_message_says_why() {
    client("", expect!["refused: not JSON: EOF while parsing a value at line 1 column 0"]);
    client("[]", expect!["refused: a message is a JSON object"]);
    client(r#"{"type":6} x"#, expect!["refused: not JSON: trailing characters at line 1 column 12"]);
    client(&"[".repeat(4000), expect!["refused: not JSON: recursion limit exceeded at line 1 column 128"]);
    client("{}", expect!["refused: field type is missing"]);
    client(r#"{"type":"6"}"#, expect!["refused: field type must be an integer from 0 to 65535"]);
    client(r#"{"type":99}"#, expect!["refused: type 99 is unknown: a client sends 1 to 8"]);
    client(r#"{"type":9,"credits":1}"#, expect!["refused: type 9 is unknown: a client sends 1 to 8"]);
    let no_line = "refused: field text must be a line of 1 to 256 bytes, and not only spaces";
    for text in ["  ", "two\\nlines", "\\u001b[2J", "\\u202eright to left"] {
        assert_eq!(said(&format!(r#"{{"type":8,"text":"{text}"}}"#)), no_line, "{text}");
    }
    assert_eq!(said(&format!(r#"{{"type":8,"text":"{}"}}"#, "é".repeat(129))), "refused: field text must be a string of 1 to 256 bytes");
    client(r#"{"type":5}"#, expect!["refused: field client_time is missing"]);
    client(r#"{"type":5,"client_time":1e999}"#, expect!["refused: not JSON: number out of range at line 1 column 29"]);
    client(r#"{"type":5,"client_time":NaN}"#, expect!["refused: not JSON: expected value at line 1 column 25"]);
    let input = |field: &str, value: &str| {
        let mut frame = object(json!({
            "type": 2, "client_tick": 1, "server_tick_ack": 1, "sequence_id": 1, "movement": [0, 0, 0], "aim_direction": [0, 0, -1],
            "sprint": false, "fire": false, "interact": false, "jump": false,
        }));
        frame.insert(field.into(), serde_json::from_str(value).unwrap());
        Value::Object(frame).to_string()
    };
    client(&input("movement", "[0, 0, 1.01]"), expect!["refused: field movement must be three finite numbers of at most 1 in magnitude"]);
    client(&input("movement", "[0, 0]"), expect!["refused: field movement must be a list of three numbers"]);
    client(&input("aim_direction", "[0, 0, 0]"), expect!["refused: field aim_direction must be three finite numbers, not all of them 0"]);
    client(
        &input("aim_direction", "[1e300, 0, 0]"),
        expect!["refused: field aim_direction must be three finite numbers, not all of them 0"],
    );
    client(&input("sequence_id", "4294967296"), expect!["refused: field sequence_id must be an integer from 0 to 4294967295"]);
    client(&input("sequence_id", "-1"), expect!["refused: field sequence_id must be an integer from 0 to 4294967295"]);
    client(&input("jump", "1"), expect!["refused: field jump must be true or false"]);
    client(
        r#"{"type":3,"op_type":2,"center":[1,2,3],"radius":1e9,"material_id":1,"client_sequence_id":9}"#,
        expect!["refused: field radius must be above 0 and at most 16"],
    );
    client(
        r#"{"type":4,"chunk_id":[-2147483648,0,2],"last_known_version":3}"#,
        expect!["refused: field chunk_id must be three integers of at most 31250 in magnitude"],
    );
    let cast = |field: &str, value: Value| {
        let mut cast = object(json!({
            "type": 7, "spell_id": "fireball", "revision_id": "", "target_position": [0, 0, 0], "target_entity_id": 0, "extra_params": {},
        }));
        cast.insert(field.into(), value);
        Value::Object(cast).to_string()
    };
    client(&cast("spell_id", json!("../etc")), expect!["refused: field spell_id must match [a-z][a-z0-9_]{1,63}"]);
    client(&cast("revision_id", json!("rev_1")), expect!["refused: field revision_id must be empty or look like rev_000001_0a1b2c3d"]);
    client(
        &cast("target_position", json!([1e30, 0, 0])),
        expect!["refused: field target_position must be three finite numbers of at most 1000000 in magnitude"],
    );
    client(&cast("extra_params", json!([])), expect!["refused: field extra_params must be a JSON object"]);
    client(
        &cast("extra_params", json!({"a": "x".repeat(1024)})),
        expect!["refused: field extra_params must be at most 1024 bytes as JSON, not 1032"],
    );
}
