//! What a client is told of the world around it: what is near, what is its own, and who matters.

use game::Game;
use host::chunks::Packer;
use host::connections::Connections;
use host::inbox::{Mail, SessionId};
use host::outgoing::{Next, Outlet, outgoing};
use host::subprotocol::Subprotocol;
use protocol::client::{CastRequest, InputFrame};
use protocol::{SpellId, v2};
use serde_json::Value;
use sim::voxel::Terrain;
use sim::{EntityId, Vec3, World};
use std::collections::{BTreeMap, BTreeSet};

const KIM: SessionId = SessionId(1);

/// A world that is played by mail, without a clock.
struct Play {
    game: Game,
    connections: Connections,
    sequence: u32,
}

/// One client's end.
struct Seat {
    /// What the outlet's clock belongs to.
    runtime: tokio::runtime::Runtime,
    outlet: Outlet,
    session: SessionId,
    entity: EntityId,
    /// Who is in view, and how often each has come into it.
    seen: BTreeSet<u64>,
    came: BTreeMap<u64, usize>,
    /// What the last snapshot of v1 spoke of.
    shown: BTreeSet<u64>,
    /// Bytes and parts of the last snapshot of v2.
    bytes: usize,
    groups: Vec<u32>,
}

impl Play {
    fn of(world: World) -> Self {
        Self {
            game: Game::with_world(world),
            connections: Connections::new("world_0a1b2c3d", Packer::queue().0, BTreeMap::new()),
            sequence: 0,
        }
    }

    fn join(&mut self, session: SessionId, name: &str, subprotocol: Subprotocol) -> Seat {
        let (outgoing, outlet) = outgoing();
        let join = Mail::Join { session, client_id: format!("client_{name}"), username: name.into(), subprotocol, outgoing };
        self.tick(vec![join]);
        let entity = self.game.world().players().last().expect("the newest player");
        let (seen, came, shown) = Default::default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        Seat { runtime, outlet, session, entity, seen, came, shown, bytes: 0, groups: Vec::new() }
    }

    fn tick(&mut self, mail: Vec<Mail>) {
        let inbound = self.connections.sort(mail, &mut self.game);
        let outbound = self.game.step(&inbound, &mut |_| ());
        self.connections.publish(&self.game, &outbound);
    }

    /// The player runs along x for some ticks.
    fn run(&mut self, seat: &mut Seat, direction: f32, ticks: u32) {
        for _ in 0..ticks {
            self.sequence += 1;
            let input = input(self.sequence, direction, self.game.world().tick());
            self.tick(vec![Mail::Input { session: seat.session, frames: vec![input] }]);
            seat.read();
        }
    }

    fn x(&self, seat: &Seat) -> f32 {
        self.game.world().scene().entity(seat.entity).expect("it plays").position.x
    }
}

fn input(sequence_id: u32, direction: f32, acknowledged: u64) -> InputFrame {
    InputFrame {
        client_tick: sequence_id.into(),
        server_tick_ack: acknowledged,
        sequence_id,
        movement: [direction, 0.0, 0.0],
        aim_direction: [0.0, 0.0, -1.0],
        sprint: true,
        fire: false,
        interact: false,
        jump: false,
    }
}

impl Seat {
    /// Takes in all that waits.
    fn read(&mut self) {
        while let Some(next) = self.runtime.block_on(async {
            tokio::select! {
                biased;
                next = self.outlet.next() => Some(next),
                () = std::future::ready(()) => None,
            }
        }) {
            let frames = match next {
                Next::Batch(batch) => batch,
                Next::Snapshot(snapshot) => vec![snapshot],
                Next::Ping => Vec::new(),
                Next::Close(closing) => panic!("closed: {closing:?}"),
            };
            frames.iter().for_each(|frame| self.note(frame));
        }
    }

    fn note(&mut self, frame: &tungstenite::Message) {
        if let Ok(v2::Frame::Snapshot(body)) = v2::decode_server(&frame.clone().into_data()) {
            let snapshot = v2::Snapshot::decode(body).expect("a snapshot");
            (self.bytes, self.groups) = (body.len(), snapshot.groups.iter().map(|part| part.group).collect());
            return;
        }
        let Ok(message) = serde_json::from_str::<Value>(frame.to_text().unwrap_or_default()) else { return };
        let id = message["entity_id"].as_u64().unwrap_or_default();
        match message["type"].as_u64() {
            Some(101) => {
                let entities = message["entities"].as_array().expect("a list");
                self.shown = entities.iter().filter_map(|entity| entity["id"].as_u64()).collect();
            }
            Some(102) => {
                assert!(self.seen.insert(id), "{id} appears though it is in view");
                *self.came.entry(id).or_default() += 1;
            }
            Some(103) => assert!(self.seen.remove(&id), "{id} is gone that never was in view"),
            _ => {}
        }
    }
}

/// A flat world with one NPC at this distance along x.
fn world_with(distance: f32) -> (World, EntityId) {
    let mut world = World::on(7, Terrain::floor_over(-14..=14));
    let far = world.spawn_npc("far", Vec3::new(distance, 1.9, 0.0));
    (world, far)
}

#[test]
fn what_is_far_away_is_not_there_until_one_comes_near() {
    let (world, far) = world_with(190.0);
    let mut play = Play::of(world);
    let mut kim = play.join(KIM, "kim", Subprotocol::Json);
    play.run(&mut kim, 0.0, 6);
    assert!(!kim.seen.contains(&far.0) && !kim.shown.contains(&far.0), "190 m are out of view");
    assert!(kim.seen.contains(&kim.entity.0) && kim.shown.contains(&kim.entity.0));
    while play.x(&kim) < 40.0 {
        play.run(&mut kim, 1.0, 3);
    }
    // Its column begins at 160 m, and is in view from 128 m.
    assert!(kim.seen.contains(&far.0) && kim.shown.contains(&far.0));
}

#[test]
fn nothing_flickers_at_the_edge_of_sight() {
    let (world, far) = world_with(190.0);
    let mut play = Play::of(world);
    let mut kim = play.join(KIM, "kim", Subprotocol::Json);
    for _ in 0..12 {
        while play.x(&kim) < 36.0 {
            play.run(&mut kim, 1.0, 1);
        }
        while play.x(&kim) > 24.0 {
            play.run(&mut kim, -1.0, 1);
        }
    }
    assert_eq!(kim.came[&far.0], 1, "seen once, and for good");
    while play.x(&kim) > 10.0 {
        play.run(&mut kim, -1.0, 1);
    }
    assert!(!kim.seen.contains(&far.0), "beyond the margin it is gone");
}

#[test]
fn whom_one_aims_a_spell_at_is_seen_at_any_distance_for_a_while() {
    let (world, far) = world_with(400.0);
    let mut play = Play::of(world);
    let mut kim = play.join(KIM, "kim", Subprotocol::Json);
    let request = CastRequest {
        spell_id: SpellId::new("fireball").expect("an id"),
        revision_id: None,
        target_position: [0.0; 3],
        target_entity_id: far.0,
        extra_params: "{}".into(),
    };
    play.tick(vec![Mail::Cast { session: KIM, request }]);
    play.run(&mut kim, 0.0, 4);
    assert!(kim.seen.contains(&far.0));
    play.run(&mut kim, 0.0, host::limits::RELEVANT_TICKS as u32 + 4);
    assert!(!kim.seen.contains(&far.0));
    assert_eq!(kim.came[&far.0], 1);
}

#[test]
fn what_does_not_change_is_not_sent_again_once_it_is_acknowledged() {
    let mut world = World::empty(7);
    for n in 0..40 {
        world.spawn_npc("still", Vec3::new(20.0 + (n % 8) as f32, 1.9, 20.0 + (n / 8) as f32));
    }
    let mut play = Play::of(world);
    let mut kim = play.join(KIM, "kim", Subprotocol::Binary);
    play.run(&mut kim, 0.0, 3);
    let whole = kim.bytes;
    play.run(&mut kim, 0.0, 200);
    assert!(kim.groups.is_empty() && kim.bytes < 40 && whole > 150, "{} bytes of {whole}, groups {:?}", kim.bytes, kim.groups);
}
