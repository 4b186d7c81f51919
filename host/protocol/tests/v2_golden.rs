//! The exact bytes of `ugc.v2.bin`, in `docs/protocol/v2_vectors.json`: what a decoder of another language must read, and what it must say.
//! `UPDATE_EXPECT=1` writes the file anew.

use protocol::client::{CastRequest, ChunkRequest, ClientMessage, Handshake, InputFrame, TerraformOp, TerraformRequest};
use protocol::limits::{CHUNK_BYTES_MAX, CHUNK_CREDITS_MAX, SNAPSHOT_GROUPS_MAX};
use protocol::server::{AffectedChunk, BorneStatus, ErrorCode, HookName, HookReport, NpcEventType, Properties, StatusKind};
use protocol::v2::{self, EntityState, Frame, GroupPart, OwnState, Reader, Rotation, Snapshot, group};
use protocol::{Channel, RevisionId, ServerMessage, SpellId, v1};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/protocol/v2_vectors.json");
const DECODER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/decode_v2.py");

#[test]
fn every_byte_is_as_it_was() {
    let text = vectors();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::create_dir_all(Path::new(VECTORS).parent().expect("a folder")).expect("made");
        std::fs::write(VECTORS, &text).expect("written");
    }
    let file = std::fs::read_to_string(VECTORS).unwrap_or_default();
    let differs = file.lines().zip(text.lines()).position(|(was, is)| was != is);
    assert!(
        file == text,
        "docs/protocol/v2_vectors.json differs from line {:?} on: UPDATE_EXPECT=1 writes it anew",
        differs.map(|n| n + 1)
    );
}

/// What is not ours reads all of it, and takes every way through the format.
#[test]
fn a_decoder_that_was_written_from_the_specification_reads_all_of_it() {
    let output = Command::new("python3")
        .arg(DECODER)
        .output()
        .expect("no python3, which runs examples/decode_v2.py\n  on Debian or Ubuntu: sudo apt-get install python3");
    let [said, cried] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success(), "{said}{cried}");
    expect_test::expect![[r#"
        20 client messages and 28 server messages read, 5 chunks; 32 refused; 134 snapshots of 1012 entities read: 118 arrived, 331 carried, 118 delta, 101 flipped, 36 gone, 49 hurt, 56 unchanged, 10 whole
    "#]].assert_eq(&said);
}

/// One value a line.
fn vectors() -> String {
    let list = |values: Vec<Value>| values.iter().map(|value| format!("\n{value}")).collect::<Vec<_>>().join(",");
    let client = client_messages().into_iter().map(|message| {
        let bytes = v2::encode_client(&message);
        assert_eq!(v2::decode_client(&bytes), Ok(message.clone()));
        json!({"hex": hex::encode(bytes), "value": client_value(&message)})
    });
    let server = server_messages().into_iter().map(|message| {
        let bytes = v2::encode_server(&message);
        assert_eq!(v2::decode_server(&bytes), Ok(Frame::Message(message.clone())));
        json!({"hex": hex::encode(bytes), "value": server_value(&message)})
    });
    let sequences: Vec<String> = sequences().into_iter().map(|(name, frames)| format!("\n{}:[{}\n]", json!(name), list(frames))).collect();
    let (client, server, refused) = (list(client.collect()), list(server.collect()), list(refused()));
    let chunks = list(chunks());
    format!(
        "{{\n\"client_messages\":[{client}\n],\n\"server_messages\":[{server}\n],\n\"chunks\":[{chunks}\n],\n\"refused\":[{refused}\n],\n\"sequences\":{{{}\n}}\n}}\n",
        sequences.join(",")
    )
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("what we encode is JSON")
}

/// As v1 says it; inputs as a list.
fn client_value(message: &ClientMessage) -> Value {
    let value = |message: &ClientMessage| parsed(&v1::encode_client(message));
    match message {
        ClientMessage::ChunkCredits(credits) => json!({"credits": credits}),
        ClientMessage::Inputs(frames) => frames.iter().map(|frame| value(&ClientMessage::Inputs(vec![*frame]))).collect(),
        _ => value(message),
    }
}

/// As v1 says it; with hashes.
fn server_value(message: &ServerMessage) -> Value {
    let mut value = parsed(&v1::encode_server(message));
    if let ServerMessage::TerraformApplied { affected_chunks, .. } = message {
        affected_chunks.iter().enumerate().for_each(|(n, changed)| value["affected_chunks"][n]["hash"] = json!(changed.hash));
    }
    value
}

fn client_messages() -> Vec<ClientMessage> {
    let frame = InputFrame {
        client_tick: 1_000,
        server_tick_ack: 70_000,
        sequence_id: 998,
        movement: [0.0, 0.0, -1.0],
        aim_direction: [0.6, -0.48, -0.64],
        sprint: true,
        fire: false,
        interact: false,
        jump: false,
    };
    let aims = [[0.0, 0.0, -1.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.3, 0.9, 0.316_227_77], [-0.6, -0.48, -0.64]];
    let looks = aims.into_iter().zip(1..).map(|(aim_direction, n)| {
        let (movement, fire, jump) = ([0.25, 0.0, -0.7], n % 2 == 0, n % 3 == 0);
        let numbered = InputFrame { client_tick: n, server_tick_ack: 0, sequence_id: n as u32, aim_direction, movement, ..frame };
        ClientMessage::Inputs(vec![v2::as_sent(&InputFrame { fire, jump, interact: n == 4, sprint: false, ..numbered })])
    });
    let four = (0..4).map(|n| {
        let movement = [0.1 * n as f32, 0.0, -1.0];
        let numbered = InputFrame { client_tick: 1_000 + n, sequence_id: 998 + n as u32, movement, ..frame };
        v2::as_sent(&numbered)
    });
    let handshake = Handshake {
        protocol_version: v2::PROTOCOL_VERSION,
        session_token: "v4.public.token".into(),
        client_id: "client_0a1b2c3d4e5f".into(),
        timestamp: 1_700_000_000.25,
    };
    let terraform = |op, radius, material_id, client_sequence_id| {
        let center = [-12.5, 3.1, 1_000_000.0];
        ClientMessage::Terraform(TerraformRequest { op, center, radius, material_id, client_sequence_id })
    };
    let cast = |revision: Option<&str>, target_entity_id, extra_params: &str| {
        ClientMessage::Cast(CastRequest {
            spell_id: SpellId::new("frost").expect("well formed"),
            revision_id: revision.map(|text| RevisionId::new(text).expect("well formed")),
            target_position: [1.5, -2.25, 0.1],
            target_entity_id,
            extra_params: extra_params.to_owned(),
        })
    };
    let mut messages = vec![ClientMessage::Handshake(handshake.clone())];
    messages.push(ClientMessage::Handshake(Handshake {
        session_token: "ключ".into(),
        client_id: String::new(),
        timestamp: -0.5,
        ..handshake
    }));
    messages.push(ClientMessage::Inputs(four.collect()));
    messages.extend(looks);
    messages.extend([
        terraform(TerraformOp::Add, 0.5, 7, 1),
        terraform(TerraformOp::Subtract, 16.0, 0, u32::MAX),
        terraform(TerraformOp::Paint, 2.2, 255, 300),
        ClientMessage::Chunk(ChunkRequest { chunk_id: [-31_250, 0, 31_250], last_known_version: 0 }),
        ClientMessage::Chunk(ChunkRequest { chunk_id: [-1, 64, -65], last_known_version: u64::MAX }),
        ClientMessage::Ping { client_time: 12.5 },
        ClientMessage::Disconnect,
        ClientMessage::ChunkCredits(CHUNK_CREDITS_MAX),
        ClientMessage::Chat("Привет, \"all\"".into()),
        cast(None, 0, "{}"),
        cast(Some("rev_000012_0a1b2c3d"), 1 << 40, r#"{"a":[1,true,null],"word":"é"}"#),
    ]);
    messages
}

fn borne(kind: StatusKind, strength: f32) -> BorneStatus {
    BorneStatus { kind, strength, until: 200 }
}

fn server_messages() -> Vec<ServerMessage> {
    let (spell_id, revision_id) = ("frost".to_owned(), "rev_000012_0a1b2c3d".to_owned());
    let spawn = |entity_type, position, properties| ServerMessage::EntitySpawn {
        server_tick: 128,
        entity_id: 5,
        entity_type,
        position,
        rotation: [0.0, -1.5, 3.125],
        properties,
    };
    let error = |error_code| ServerMessage::Error { error_code, message: "field radius must be above 0 and at most 16".into() };
    let npc = |event_type, detection_state, suspicion_level| ServerMessage::NpcEvent {
        server_tick: 129,
        npc_id: 3,
        event_type,
        target_entity_id: 9,
        detection_state,
        suspicion_level,
    };
    let update = |channel, revision: Option<&str>| ServerMessage::SpellActiveUpdate {
        spell_id: SpellId::new("frost").expect("well formed"),
        channel,
        revision_id: revision.map(|text| RevisionId::new(text).expect("well formed")),
    };
    let chunks = vec![
        AffectedChunk { chunk_id: [0, -1, 2], new_version: 300, hash: 0x0123_4567_89ab_cdef },
        AffectedChunk { chunk_id: [-65, 0, 64], new_version: 1, hash: u64::MAX },
    ];
    let terraformed = |affected_chunks| ServerMessage::TerraformApplied {
        server_tick: 130,
        op_type: 2,
        center: [-8.0, 0.125, 31.5],
        radius: 2.5,
        material_id: 200,
        affected_chunks,
        client_sequence_id: 70_000,
    };
    let world_id = "world_0a1b2c3d".to_owned();
    vec![
        ServerMessage::HandshakeResponse {
            success: true,
            server_tick: 127,
            assigned_entity_id: 12,
            world_id: world_id.clone(),
            error: String::new(),
        },
        ServerMessage::HandshakeResponse { success: false, server_tick: 0, assigned_entity_id: 0, world_id, error: "no".into() },
        spawn(1, [2.0, -2.5, 6.0], Properties { name: "kim".into(), owner: 0, health_max: 100 }),
        spawn(4, [0.0; 3], Properties::default()),
        spawn(3, [1.0, 2.0, 3.0], Properties { name: String::new(), owner: 1 << 33, health_max: 0 }),
        ServerMessage::EntityDespawn { server_tick: u64::MAX, entity_id: 1 << 63, reason: "out_of_view".into() },
        ServerMessage::ProjectileHit {
            server_tick: 4,
            projectile_id: 6,
            hit_entity_id: 0,
            hit_point: [0.0, 1.0, -0.375],
            hit_normal: [0.0, 1.0, 0.0],
            damage: 10.0,
        },
        npc(NpcEventType::Spotted, 2, 1.0),
        npc(NpcEventType::Lost, 0, 0.25),
        npc(NpcEventType::SuspicionChanged, 1, 0.5),
        terraformed(chunks),
        terraformed(Vec::new()),
        ServerMessage::ChunkData { chunk_id: [-1, 0, 1], version: 77, data: "H4sIAAAA".into(), compressed: true },
        ServerMessage::Pong { client_time: 12.5, server_time: 1_700_000_000.125, server_tick: 60 },
        error(ErrorCode::BadMessage),
        error(ErrorCode::NotOffered),
        ServerMessage::PlayerJoined { entity_id: 300, username: "Zoë".into() },
        ServerMessage::PlayerLeft { entity_id: 300, username: "Zoë".into() },
        ServerMessage::SpellCastEvent {
            server_tick: 131,
            spell_id: spell_id.clone(),
            revision_id: revision_id.clone(),
            caster_entity_id: 12,
            target_position: [0.5, 0.0, -0.5],
            seed: (1 << 53) - 1,
            extra_params: r#"{"power":3}"#.into(),
        },
        ServerMessage::SpellEffect {
            server_tick: 132,
            spell_id: spell_id.clone(),
            revision_id: revision_id.clone(),
            caster_entity_id: 12,
            name: "snow".into(),
            position: [4.0, 5.5, 6.0],
            scale: 1.5,
        },
        ServerMessage::SpellText {
            server_tick: 133,
            spell_id: spell_id.clone(),
            revision_id: revision_id.clone(),
            caster_entity_id: 12,
            text: "Brr.".into(),
            aloud: true,
        },
        ServerMessage::SpellCastRejected {
            server_tick: 134,
            spell_id,
            revision_id,
            caster_entity_id: 12,
            limit: "range_m".into(),
            allowed: 64.0,
            asked: 70.125,
            hook: "on_cast".into(),
            message: "too far".into(),
        },
        update(Channel::Draft, Some("rev_000001_00000000")),
        update(Channel::Beta, Some("rev_999999_ffffffff")),
        update(Channel::Stable, None),
        ServerMessage::PlayerStatus {
            server_tick: 135,
            seq: 70_001,
            digest: u32::MAX,
            mana: -3.5,
            mana_max: 100,
            mana_per_second: 5,
            statuses: vec![
                borne(StatusKind::Slow, 0.5),
                borne(StatusKind::Root, 0.0),
                borne(StatusKind::Shield, 40.0),
                borne(StatusKind::Burn, 5.0),
            ],
        },
        ServerMessage::Chat { server_tick: 136, entity_id: 300, text: "¿Qué tal?".into() },
        ServerMessage::CastReport {
            server_tick: 137,
            spell_id: "frost".into(),
            revision_id: "rev_000012_0a1b2c3d".into(),
            caster_entity_id: 12,
            began_tick: 77,
            reason: "finished".into(),
            mana: 2.75,
            memory_bytes: 131_072,
            hooks: vec![
                HookReport { hook: HookName::OnCast, calls: 1, fuel: 123_456, fuel_max: 123_456 },
                HookReport { hook: HookName::OnTick, calls: 60, fuel: 5_000_000_000, fuel_max: 999_999 },
            ],
        },
    ]
}

/// Chunks of all depths of index; their voxels as runs of a material and a count.
fn chunks() -> Vec<Value> {
    let chunk = |chunk_id: [i32; 3], hash: u64, materials: &[u8], index: fn(usize) -> usize| {
        let bytes = v2::encode_chunk(chunk_id, hash, &packed(materials, index));
        let Ok(Frame::Chunk(read)) = v2::decode_server(&bytes) else { panic!("no chunk") };
        let runs: Vec<(u8, usize)> = read.voxels.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect();
        assert_eq!((read.chunk_id, read.version, read.hash), (chunk_id, VERSION, hash));
        json!({"hex": hex::encode(bytes), "value": {"chunk_id": chunk_id, "version": VERSION, "hash": hash, "runs": runs}})
    };
    let many: Vec<u8> = (1..=40).map(|n| n * 6).collect();
    vec![
        chunk([0, 0, 0], 0, &[7], |_| 0),
        chunk([-2, 31_250, -31_250], u64::MAX, &[0, 1], |n| usize::from(n < 1_024)),
        chunk([1, 2, 3], 0x0123_4567_89ab_cdef, &[0, 1, 9], |n| [2, 1, 0][(n / 1_500).min(2)]),
        chunk([-1, -1, -1], 1, &many[..13], |n| n * n / 7_000_000 % 13),
        chunk([300, 0, 0], 2, &many, |n| n / 811 % 40),
    ]
}

const VERSION: u32 = 70_000;

/// The canonical form of a chunk with these materials; of each voxel, which of them it is.
fn packed(materials: &[u8], index: impl Fn(usize) -> usize) -> Vec<u8> {
    let bits = [(1, 0), (2, 1), (4, 2), (16, 4), (256, 8)].into_iter().find(|(most, _)| materials.len() <= *most).expect("at most 256").1;
    let mut indices = vec![0; v2::CHUNK_VOXELS * bits / 8];
    for n in (0..v2::CHUNK_VOXELS).filter(|_| bits > 0) {
        indices[n * bits / 8] |= (index(n) as u8) << (n * bits % 8);
    }
    [&[1], &VERSION.to_le_bytes()[..], &[materials.len() as u8 - 1], materials, &indices].concat()
}

/// Bytes that are nothing: from whom they come, and what is wrong with them. A reader that knows nothing refuses the snapshots.
fn refused() -> Vec<Value> {
    let client = |name: &str, bytes: &[u8]| {
        assert!(v2::decode_client(bytes).is_err(), "{name}");
        json!({"from": "client", "because": name, "hex": hex::encode(bytes)})
    };
    let server = |name: &str, bytes: &[u8]| {
        let bad = match v2::decode_server(bytes) {
            Ok(Frame::Snapshot(body)) => Reader::default().read(body).is_err(),
            Ok(Frame::Message(_) | Frame::Chunk(_)) => false,
            Err(_) => true,
        };
        assert!(bad, "{name}");
        json!({"from": "server", "because": name, "hex": hex::encode(bytes)})
    };
    // A chunk of one material: seven bytes, behind frame, place, hash and their length.
    let chunk = v2::encode_chunk([0; 3], 0, &[1, 1, 0, 0, 0, 0, 7]);
    let claiming = |chunk: &[u8], bytes: u32| {
        assert_eq!(chunk[5], 7);
        let claimed = postcard::to_stdvec(&bytes).expect("a number");
        [&chunk[..5], &*claimed, &chunk[6..]].concat()
    };
    let head = [0, 5, 2, 0, 0, 0, 0, 0, 0];
    let with = |parts: &[u8]| [&head, parts].concat();
    vec![
        client("empty", &[]),
        client("no such message", &[8]),
        client("cut short", &[4, 0, 0]),
        client("bytes follow", &[5, 0]),
        client("not a number", &[4, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f]),
        client("movement of -128", &[1, 0, 1, 1, 8, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        client("a button that means nothing", &[1, 0, 1, 1, 8, 0, 0, 0, 0, 0, 0, 0, 16]),
        client("no inputs", &[1, 0, 1, 1, 0]),
        client("two inputs of which one came before the first", &[&[1, 0, 0, 0, 16][..], &[0; 16]].concat()),
        client("a terraforming without operation", &[&[2, 0][..], &[0; 12], &[0, 0, 0x80, 0x3f, 1, 1]].concat()),
        client("a chunk too far away", &[3, 0xa6, 0xe8, 0x03, 0, 0, 0]),
        client("no credits", &[7, 0]),
        client("more credits than there can be", &[7, CHUNK_CREDITS_MAX as u8 + 1]),
        server("empty", &[]),
        server("no such frame", &[3]),
        server("a chunk cut short", &chunk[..chunk.len() - 1]),
        server("bytes follow the chunk", &[&*chunk, &[0]].concat()),
        server("a chunk's block that is longer than it says", &claiming(&chunk, 6)),
        server("a chunk's block that is shorter than it says", &claiming(&chunk, 8)),
        server("a chunk that is longer than one can be", &claiming(&chunk, CHUNK_BYTES_MAX as u32 + 1)),
        server("a chunk of another format", &v2::encode_chunk([0; 3], 0, &[2, 1, 0, 0, 0, 0, 7])),
        server("a chunk without indices", &v2::encode_chunk([0; 3], 0, &[1, 1, 0, 0, 0, 1, 7, 8])),
        server("a chunk's index that its palette has not", &v2::encode_chunk([0; 3], 0, &packed(&[4, 5, 6], |n| n % 4))),
        server("no such message", &[1, 16]),
        server("bytes follow the message", &[1, 9, 1, 0, 0]),
        server("no error code", &[1, 8, 1, 0]),
        server("a snapshot cut short", &head[..8]),
        server("a group cut short", &with(&[2, 9, 0])),
        server("more groups than there may be", &with(&[2, 0].repeat(SNAPSHOT_GROUPS_MAX + 1))),
        server("a base that never came", &with(&[3, 3, 0, 0])),
        server("a base before the first tick", &with(&[3, 6, 0, 0])),
        server("an entity that is out of range", &[with(&[2, 40]), vec![0xff; 40]].concat()),
    ]
}

/// A line of snapshots with what a reader says after each.
fn sequences() -> Vec<(&'static str, Vec<Value>)> {
    vec![
        ("people", Line::new(1, 1).over(0..24, |n| vec![(1, people(n))])),
        ("arrivals_and_leavers", Line::new(1, 1).over(0..20, |n| vec![(70_000, storm(n))])),
        ("carried", Line::new(2, 3).over(0..24, |n| vec![(2, ball(n))])),
        ("creeping", Line::new(1, 1).over(0..20, |n| vec![(127, creepers(n))])),
        ("at_rest", Line::new(1, 2).over(0..16, at_rest)),
        ("flips", Line::new(1, 1).over(0..16, |n| vec![(3, spinners(n))])),
        ("far_and_late", far_and_late()),
    ]
}

/// A server that sends groups, and a client that has acknowledged all but the newest `lag - 1` snapshots when the next is made.
struct Line {
    lag: usize,
    /// Snapshots between the base and the state before it.
    gap: usize,
    sent: BTreeMap<u32, Vec<(u64, Vec<EntityState>)>>,
    reader: Reader,
}

impl Line {
    fn new(lag: usize, gap: usize) -> Self {
        Self { lag, gap, sent: BTreeMap::new(), reader: Reader::default() }
    }

    /// Every third tick; a group that is as the client knows it is left out.
    fn over(mut self, steps: std::ops::Range<u64>, groups: impl Fn(u64) -> Vec<(u32, Vec<EntityState>)>) -> Vec<Value> {
        steps.map(|n| self.frame(300 + 3 * n, groups(n), true)).collect()
    }

    fn frame(&mut self, tick: u64, groups: Vec<(u32, Vec<EntityState>)>, leave_out: bool) -> Value {
        let (mut parts, mut values) = (Vec::new(), Vec::new());
        let mut all = Vec::new();
        for (number, states) in groups {
            let sent = self.sent.entry(number).or_default();
            let back = |n: usize| sent.len().checked_sub(n).and_then(|index| sent.get(index));
            let (base, before) = (back(self.lag), back(self.lag + self.gap));
            if leave_out && back(1).is_some_and(|(_, last)| *last == states) && base.is_some_and(|(_, known)| *known == states) {
                continue;
            }
            let age = base.map_or(0, |(then, _)| (tick - then) as u32);
            let span = base.zip(before).map_or(0, |((then, _), (earlier, _))| (then - earlier) as u32);
            let state = |known: Option<&'_ (u64, Vec<EntityState>)>| known.map(|(_, states)| states.clone());
            let (base, before) = (state(base), state(before));
            let bases = group::Bases::new(base.as_deref(), age, before.as_deref(), span);
            parts.push((number, age, span, group::encode(&states, &bases)));
            let entities: Vec<Value> = states.iter().map(entity_value).collect();
            values.push(json!({"group": number, "age": age, "span": span, "entities": entities}));
            all.extend_from_slice(&states);
            sent.push((tick, states));
        }
        let n = (tick % 1_000) as f32;
        let own = OwnState {
            sequence: (tick as u32).wrapping_mul(3),
            position: [n / 8.0, -1.5, -n],
            velocity: [0.0, -0.25, 8.0],
            grounded: tick.is_multiple_of(2),
        };
        let groups: Vec<GroupPart<'_>> =
            parts.iter().map(|(group, age, span, bytes)| GroupPart { group: *group, age: *age, span: *span, bytes }).collect();
        let frame = Snapshot { server_tick: tick, own, groups }.encode();
        let Ok(Frame::Snapshot(body)) = v2::decode_server(&frame) else { panic!("no snapshot") };
        let view = self.reader.read(body).expect("what we encode");
        assert_eq!((view.server_tick, view.own, view.entities), (tick, own, all));
        let own = json!({"sequence": own.sequence, "position": own.position, "velocity": own.velocity, "grounded": own.grounded});
        json!({"hex": hex::encode(frame), "server_tick": tick, "own": own, "groups": values})
    }
}

/// id, kind, position, the largest component, the others, health.
fn entity_value(state: &EntityState) -> Value {
    let EntityState { id, kind, position: [x, y, z], rotation: Rotation { largest, others: [a, b, c] }, health } = *state;
    json!([id, kind, x, y, z, largest, a, b, c, health])
}

/// After so many equal steps about an axis that is no coordinate's. Only what has the same bits on every machine.
fn turned(step: [f64; 3], times: u64) -> [f32; 4] {
    let mut turn = [0.0, 0.0, 0.0, 1.0_f64];
    for _ in 0..times {
        let ([x, y, z, w], [i, j, k]) = (turn, step);
        let next = [x + w * i + y * k - z * j, y + w * j + z * i - x * k, z + w * k + x * j - y * i, w - x * i - y * j - z * k];
        let length = next.iter().map(|n| n * n).sum::<f64>().sqrt();
        turn = next.map(|n| n / length);
    }
    turn.map(|n| n as f32)
}

/// As Knuth's MMIX: the same numbers on every machine. From -1 to 1.
fn noise(seed: u64) -> f32 {
    let mixed = (0..3).fold(seed, |n, _| n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
    (mixed >> 40) as f32 / 8_388_608.0 - 1.0
}

fn people(n: u64) -> Vec<EntityState> {
    let t = n as f32;
    let walk = if n < 8 { t } else { 8.0 };
    let health = if n < 12 { 100.0 - 7.5 * t } else { 100.0 };
    vec![
        EntityState::nearest(1, 1, [-20.0 + 0.4 * walk, 1.0, -3.0 - 0.1 * walk], turned([0.0, 0.05, 0.0], n.min(8)), 100.0),
        EntityState::nearest(
            2,
            1,
            [-21.0 + 0.2 * noise(n), 1.0 + if n % 5 == 2 { 0.8 } else { 0.0 }, -9.0],
            turned([0.0, -0.1, 0.0], n),
            health,
        ),
        EntityState::nearest(300, 2, [5.0 - 0.3 * t, 1.0, -40.0], turned([0.0, 0.02, 0.0], n / 6), 50.0),
        EntityState::nearest(301, 2, [0.0, 1.0, -33.0], [0.0, 0.0, 0.0, 1.0], if n == 20 { 0.0 } else { 0.4 }),
    ]
}

/// Every kind, ids of every length; all are gone once.
fn storm(n: u64) -> Vec<EntityState> {
    let ids = [0, 7, 255, 256, 65_535, 1 << 32, 1 << 50, u64::MAX - 3, u64::MAX];
    let here = |index: u64| n != 12 && (n + index) % 7 > 2 - (index % 3);
    let state = |(index, id): (u64, u64)| {
        let t = n as f32;
        let place = [noise(id) * 30.0 + t * 2.5, 3.0 + index as f32 - t * 0.1, -t * index as f32];
        EntityState::nearest(id, 1 + (index % 4) as u8, place, turned([0.02, 0.0, 0.1 * index as f64], n), 10.0 * index as f32)
    };
    (0..).zip(ids).filter(|(index, _)| here(*index)).map(state).collect()
}

/// A big prop that turns and rolls with small ones on it, which slip a little; one lies apart and one goes its own way.
fn ball(n: u64) -> Vec<EntityState> {
    let t = n as f32;
    let middle = [-3.0 + 0.5 * t, 4.0 + 0.02 * t * t, 1.0 - 0.25 * t];
    let turn = turned([0.06, 0.09, -0.04], n);
    let mut states = vec![EntityState::nearest(10, 4, middle, turn, 0.0)];
    for small in 0..15_u64 {
        // The last ones are as far away as what is carried may be, and further.
        let beside = match small {
            12 => [11.99, 0.0, 0.0],
            13 => [0.0, 12.01, 0.0],
            14 => [0.0, 0.0, -12.4],
            _ => [0, 1, 2].map(|axis| 4.0 * noise(small * 3 + axis)),
        };
        // As a rotation matrix has it.
        let [x, y, z, w] = turn;
        let rows = [
            [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - z * w), 2.0 * (x * z + y * w)],
            [2.0 * (x * y + z * w), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - x * w)],
            [2.0 * (x * z - y * w), 2.0 * (y * z + x * w), 1.0 - 2.0 * (x * x + y * y)],
        ];
        let slip = if small % 3 == 0 { 0.02 * noise(n * 16 + small) } else { 0.0 };
        let place = [0, 1, 2].map(|axis| middle[axis] + rows[axis].iter().zip(beside).map(|(row, n)| row * n).sum::<f32>() + slip);
        states.push(EntityState::nearest(11 + small, 4, place, turn, 0.0));
    }
    states.push(EntityState::nearest(30, 4, [40.0, 0.5, 40.0 - 0.2 * t], turned([0.0, 0.0, 0.2], n), 0.0));
    states.push(EntityState::nearest(31, 4, [middle[0] - 1.0, 0.5 + noise(n), 2.0 * noise(n + 99)], turned([0.3, 0.0, 0.0], n), 0.0));
    states
}

/// Props that move by a unit or two, so that what is carried and what goes its own way are hard to tell apart.
fn creepers(n: u64) -> Vec<EntityState> {
    let step = |id: u64, axis: u64| (0..n).map(|n| noise(n * 64 + id * 4 + axis)).map(|by| (by * 2.4) as i32).sum::<i32>();
    (1..8)
        .map(|id| EntityState {
            id,
            kind: 4,
            position: [n as i32 + step(id, 0) - 5 * id as i32, step(id, 1), step(id, 2) - 70],
            rotation: Rotation::IDENTITY,
            health: 0,
        })
        .collect()
}

/// Two heaps that lie still, one of which is pushed for a while, and a group that is empty for most of the time.
fn at_rest(n: u64) -> Vec<(u32, Vec<EntityState>)> {
    let heap = |first: u64, pushed: f32| {
        (first..first + 9)
            .map(|id| {
                EntityState::nearest(id, 4, [id as f32 * 1.1 + pushed * (id % 3) as f32, 0.5, -7.0], turned([0.1, 0.2, 0.3], id), 20.0)
            })
            .collect::<Vec<_>>()
    };
    let pushed = if (5..9).contains(&n) { 0.1 * (n - 4) as f32 } else { 0.0 };
    let visitor = if n == 10 { heap(90, 0.0) } else { Vec::new() };
    vec![(0, heap(0, 0.0)), (127, heap(50, pushed)), (128, visitor)]
}

/// Turning so fast that the largest component is another one in most snapshots.
fn spinners(n: u64) -> Vec<EntityState> {
    let steps = [[1.2, 0.3, 0.1], [0.1, 0.9, -0.5], [-0.4, 0.2, 2.0], [0.5, 0.5, 0.5], [0.02, 0.0, 0.0]];
    let kinds = [4, 3, 1, 2, 4];
    let state = |index: usize| {
        let place = [index as f32 * 20.0, -2.0, 0.3 * n as f32 * index as f32];
        EntityState::nearest(index as u64 + 1, kinds[index], place, turned(steps[index], n), 1.0)
    };
    (0..steps.len()).map(state).collect()
}

/// The ends of every range, ticks that are far apart, and rotations that are none.
fn far_and_late() -> Vec<Value> {
    let most = protocol::limits::STATE_POSITION_MAX as i32;
    let state =
        |id, kind, position, largest, others, health| EntityState { id, kind, position, rotation: Rotation { largest, others }, health };
    let mut line = Line::new(1, 1);
    let mut ticks = 1_u64;
    (0..14_i32)
        .map(|n| {
            let side = if n % 2 == 0 { 1 } else { -1 };
            ticks += [1, 3, 70_000, 2, 1 << 30, 90, 6][n as usize % 7];
            let far = most * side;
            let states = vec![
                state(1, 4, [far, -far, far], (n % 4) as u8, [361, -361, 361], if n % 3 == 0 { u16::MAX } else { 0 }),
                state(2, 4, [far - 700 * side, -far, far], 3, [255 * side as i16, 255, 0], 1),
                state(3, 4, [5 - n, 40 * n * n, -n], ((n + 1) % 4) as u8, [(n * 25) as i16, -361, 361], (n * n) as u16),
                state(4, 3, [n * 1_000, 0, -far], 0, [0, (n * 20) as i16, 100], 65_535),
                state(5, 1, [-far, n * 3, 1 << n], 1, [-(n * 9) as i16, 0, 0], 1 << n),
            ];
            line.frame(ticks, vec![(u32::MAX, states)], false)
        })
        .collect()
}
