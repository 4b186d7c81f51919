//! One connection's game: what comes in, what goes out, and what is to be drawn.

use crate::clock::Clock;
use crate::entities::{Drawn, Entities, Spawn};
use crate::ground::{Ground, sphere};
use crate::mesh::Volume;
use crate::prediction::{Agreement, Corrections, Prediction, Surroundings};
use crate::shots::Shots;
use protocol::client::InputFrame;
use protocol::server::{BorneStatus, StatusKind};
use protocol::v2::{self, Frame, Reader, View};
use protocol::{ClientMessage, ServerMessage, v1};
use sim::limits::{EYE_HEIGHT_M, RAY_LENGTH_MAX_M};
use sim::status::Hindrance;
use sim::voxel::ChunkId;
use sim::{Contact, Vec3};

/// On the wire, a projectile's kind.
const PROJECTILE: u8 = 3;
/// The name of crates on the wire. Other bodies have sizes that it does not tell.
const CRATE: &str = "crate";
/// Crates further from the player than this are not in its way within a tick, metres.
const CRATES_WITHIN_M: f32 = 6.0;

/// One connection's game.
#[derive(Debug, Default)]
pub struct Game {
    reader: Reader,
    clock: Clock,
    entities: Entities,
    ground: Ground,
    prediction: Prediction,
    shots: Shots,
    /// The player's entity; 0 before it is known.
    own: u64,
    /// The newest snapshot's.
    tick: u64,
    snapshots_lost: u32,
}

/// What a frame was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A message, here as v1 has it (docs/protocol.md).
    Message(String),
    /// A snapshot or a chunk.
    Taken,
    /// Nothing that this client knows.
    Unknown,
}

/// Where something is looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ray {
    /// From there.
    pub start: Vec3,
    /// A unit vector.
    pub direction: Vec3,
}

/// What the overlay shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stats {
    /// The newest snapshot's.
    pub tick: u64,
    /// The newest input's number.
    pub sequence: u32,
    /// Inputs that are not acknowledged.
    pub pending: usize,
    /// How well prediction went.
    pub corrections: Corrections,
    /// Copies of chunks.
    pub chunks: usize,
    /// Copies that an edit made other than the server's.
    pub chunks_wrong: u32,
    /// Entities in view.
    pub entities: usize,
    /// Snapshots that could not be read.
    pub snapshots_lost: u32,
    /// The player's health.
    pub health: f32,
    /// Whether the ground under the player has come.
    pub on_known_ground: bool,
    /// How the last comparison with the server's digest came out.
    pub agreement: Option<Agreement>,
}

impl Game {
    /// Takes in a frame.
    pub fn receive(&mut self, frame: &[u8], now_ms: f64) -> Received {
        match v2::decode_server(frame) {
            Ok(Frame::Snapshot(body)) => match self.reader.read(body) {
                Ok(view) => self.snapshot(&view, now_ms),
                Err(_) => self.snapshots_lost += 1,
            },
            Ok(Frame::Chunk(chunk)) => self.ground.take(&chunk),
            Ok(Frame::Message(message)) => {
                self.heed(&message);
                return Received::Message(v1::encode_server(&message));
            }
            Err(_) => return Received::Unknown,
        }
        Received::Taken
    }

    /// One tick of the player. Answers the frame to send; none as long as nobody is played.
    pub fn step(&mut self, controls: &InputFrame, now_ms: f64) -> Option<Vec<u8>> {
        if self.own == 0 || self.tick == 0 {
            return None;
        }
        let controls = InputFrame { server_tick_ack: self.tick, ..*controls };
        let (ground, crates) = (&self.ground, self.entities.crates(self.prediction.now().position, CRATES_WITHIN_M));
        let around = Surroundings { terrain: ground.terrain(), crates: &crates, are_known: ground.is_known() };
        let mut inputs = self.prediction.step(&controls, &around);
        if let Some(newest) = inputs.last().filter(|_| ground.is_known()) {
            let (eye, aim) = (self.prediction.now().position + Vec3::Y * EYE_HEIGHT_M, Vec3::from_array(newest.aim_direction));
            let others = self.entities.characters(self.clock.drawn_tick(now_ms), self.own);
            self.shots.step(self.prediction.client_tick(), newest.fire, eye, aim, self.ground.terrain(), &others);
        }
        // Those of before were sent with another one, and only the newest counts.
        inputs.iter_mut().for_each(|input| input.server_tick_ack = self.tick);
        Some(v2::encode_client(&ClientMessage::Inputs(inputs)))
    }

    /// Ticks that the client slept through.
    pub fn skip(&mut self, ticks: u32) {
        self.prediction.skip(ticks);
    }

    /// What else is to be sent.
    pub fn outgoing(&mut self) -> Vec<Vec<u8>> {
        if self.own == 0 {
            return Vec::new();
        }
        self.ground.outgoing().iter().map(v2::encode_client).collect()
    }

    /// The player's place at this share of the way from its last tick to this one.
    pub fn own_place(&self, share: f32) -> Vec3 {
        self.prediction.seen(share)
    }

    /// The player after the newest input: place, velocity, whether it stands.
    pub fn own_motion(&self) -> &sim::character::Motion {
        self.prediction.now()
    }

    /// All others, where they are drawn now, and the player's own shots at this share of the way from its last tick to this one.
    pub fn others(&mut self, now_ms: f64, share: f32) -> impl Iterator<Item = Drawn> {
        let own = self.own;
        self.entities.drawn(self.clock.drawn_tick(now_ms)).filter(move |drawn| drawn.id != own).chain(self.shots.drawn(share))
    }

    /// The tick at which others are drawn.
    pub fn drawn_tick(&self, now_ms: f64) -> f64 {
        self.clock.drawn_tick(now_ms)
    }

    /// The ground that a ray meets.
    pub fn look(&self, ray: Ray) -> Option<Contact> {
        self.ground.terrain().raycast(ray.start, ray.direction, RAY_LENGTH_MAX_M)
    }

    /// A chunk that is to be drawn again, the nearest first; without a volume it is gone.
    pub fn next_stale(&mut self) -> Option<(ChunkId, Option<Volume>)> {
        self.ground.next_stale()
    }

    /// How it goes.
    pub fn stats(&self) -> Stats {
        Stats {
            tick: self.tick,
            sequence: self.prediction.sequence(),
            pending: self.prediction.pending(),
            corrections: self.prediction.corrections(),
            chunks: self.ground.terrain().len(),
            chunks_wrong: self.ground.wrong(),
            entities: self.entities.len(),
            snapshots_lost: self.snapshots_lost,
            health: self.entities.health(self.own),
            on_known_ground: self.ground.is_known(),
            agreement: self.prediction.agreement(),
        }
    }

    fn snapshot(&mut self, view: &View, now_ms: f64) {
        self.tick = view.server_tick;
        self.clock.heard(view.server_tick, now_ms);
        self.entities.snapshot(view.server_tick, &view.entities);
        self.ground.look(Vec3::from_array(view.own.position));
        let (ground, crates) = (&self.ground, self.entities.crates(Vec3::from_array(view.own.position), CRATES_WITHIN_M));
        let around = Surroundings { terrain: ground.terrain(), crates: &crates, are_known: ground.is_known() };
        self.prediction.acknowledge(view.server_tick, &view.own, &around);
    }

    /// What of a message is the core's business.
    fn heed(&mut self, message: &ServerMessage) {
        match message {
            ServerMessage::HandshakeResponse { success: true, assigned_entity_id, .. } => self.own = *assigned_entity_id,
            ServerMessage::EntitySpawn { server_tick, entity_id, entity_type, position, rotation, properties } => {
                let spawn = Spawn {
                    tick: *server_tick,
                    kind: *entity_type,
                    position: Vec3::from_array(*position),
                    euler: Vec3::from_array(*rotation),
                    health_max: properties.health_max as f32,
                    is_crate: properties.name == CRATE,
                    is_drawn_already: *entity_type == PROJECTILE
                        && properties.owner == self.own
                        && self.shots.is_known(*entity_id, Vec3::from_array(*position)),
                };
                self.entities.spawn(*entity_id, &spawn);
            }
            ServerMessage::EntityDespawn { server_tick, entity_id, .. } => {
                self.entities.despawn(*entity_id, *server_tick);
                self.shots.end(*entity_id);
            }
            ServerMessage::PlayerStatus { seq, digest, statuses, .. } => {
                self.prediction.bear(hindrance(statuses));
                self.prediction.compare(*seq, *digest);
            }
            ServerMessage::TerraformApplied { op_type, center, radius, material_id, affected_chunks, .. } => {
                self.ground.edit(sphere(*op_type, *center, *radius, *material_id).as_ref(), affected_chunks);
            }
            _ => {}
        }
    }
}

fn hindrance(statuses: &[BorneStatus]) -> Hindrance {
    let of = |kind: StatusKind| statuses.iter().find(|borne| borne.kind == kind);
    let slow = of(StatusKind::Slow).map(|slow| (slow.strength, slow.until));
    Hindrance { slow, root: of(StatusKind::Root).map(|root| root.until) }
}
