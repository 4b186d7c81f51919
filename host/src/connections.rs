//! The game loop's table of who is connected: turns their mail into what the simulation takes in, and what it tells into what they get.

use crate::chunks::{Job, Packer};
use crate::circuits::{Circuits, Quarantined};
use crate::convert::{self, Audience};
use crate::inbox::{Mail, SessionId};
use crate::limits::SNAPSHOT_INTERVAL_TICKS;
use crate::outgoing::{Batch, Closing, Outgoing};
use game::Game;
use protocol::link::{Errand, Order, Report};
use protocol::v1::{self, ErrorCode};
use sim::voxel::ChunkId;
use sim::{EntityId, Inbound, Outbound};
use std::collections::BTreeMap;
use store::Artifact;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Who is connected.
#[derive(Debug)]
pub struct Connections {
    world_id: String,
    sessions: BTreeMap<SessionId, Connection>,
    by_player: BTreeMap<EntityId, SessionId>,
    /// One session for each player's stable id.
    by_client: BTreeMap<String, SessionId>,
    /// Players to take out in the next tick: their clients went before the world had answered their join.
    leaving: Vec<EntityId>,
    /// Who has gone since the last publication.
    left: Vec<(EntityId, String)>,
    /// Players of a loaded world whose clients have not come back, and the tick until which they are waited for.
    awaited: BTreeMap<EntityId, u64>,
    /// Orders that wait for the tick in which they are carried out.
    orders: Vec<Order>,
    circuits: Circuits,
    packer: Packer,
}

#[derive(Debug)]
struct Connection {
    client_id: String,
    username: String,
    outgoing: Outgoing,
    /// `None` until the world has answered the join.
    player: Option<EntityId>,
    /// The newest input of this client; an older or repeated one is dropped.
    input_sequence: Option<u32>,
}

impl Connections {
    /// Nobody yet; chunks go out by this packer. The players that are `awaited` are taken out of the world when they do not come back by that tick.
    pub fn new(world_id: &str, packer: Packer, awaited: BTreeMap<EntityId, u64>) -> Self {
        Self {
            world_id: world_id.to_owned(),
            sessions: BTreeMap::new(),
            by_player: BTreeMap::new(),
            by_client: BTreeMap::new(),
            leaving: Vec::new(),
            left: Vec::new(),
            awaited,
            orders: Vec::new(),
            circuits: Circuits::default(),
            packer,
        }
    }

    /// The stable ids of those who are connected.
    pub fn clients(&self) -> impl Iterator<Item = &str> + Clone {
        self.by_client.keys().map(String::as_str)
    }

    /// What the tick takes in, in the order of the mail.
    pub fn sort(&mut self, mail: Vec<Mail>, game: &mut Game) -> Vec<Inbound> {
        let tick = game.world().tick();
        let gone = self.awaited.extract_if(.., |_, until| *until <= tick).map(|(player, _)| player);
        let mut inbound: Vec<Inbound> = self.leaving.drain(..).chain(gone).map(|player| Inbound::Leave { player }).collect();
        inbound.extend(self.circuits.fall_back(game));
        for one in mail {
            match one {
                Mail::Join { session, client_id, username, outgoing } => {
                    if let Some(&older) = self.by_client.get(&client_id) {
                        inbound.extend(self.end(older, Closing::TakenOver));
                    }
                    inbound.push(Inbound::Join { token: session.0, account: client_id.clone(), username: username.clone() });
                    self.by_client.insert(client_id.clone(), session);
                    self.sessions.insert(session, Connection { client_id, username, outgoing, player: None, input_sequence: None });
                }
                Mail::Leave { session } => inbound.extend(self.end(session, Closing::ClientLeft)),
                Mail::Input { session, frame } => {
                    if let Some(player) = self.newer_input(session, frame.sequence_id) {
                        inbound.push(convert::input(player, &frame));
                    }
                }
                Mail::Cast { session, request } => {
                    inbound.extend(self.sessions.get(&session).and_then(|it| it.player).map(|player| convert::cast(player, request)));
                }
                Mail::Terraform { session, request } => {
                    inbound.extend(self.sessions.get(&session).and_then(|it| it.player).map(|player| convert::terraform(player, &request)));
                }
                Mail::Chunk { session, request } => self.send_chunk(session, request, game),
                Mail::Switch { switches, complete } => {
                    if complete {
                        inbound.extend(self.circuits.let_go(&switches, game.world()));
                    }
                    inbound.extend(switches.into_iter().map(|wanted| self.circuits.switch(wanted, game)));
                }
                Mail::FriendlyFire(on) => inbound.push(Inbound::FriendlyFire(on)),
                Mail::Order(order) => {
                    if let Errand::Kick { client } = &order.what
                        && let Some(session) = self.by_client.get(client).copied()
                    {
                        inbound.extend(self.end(session, Closing::Kicked));
                    }
                    inbound.extend(convert::order(&order.what, tick));
                    self.orders.push(order);
                }
            }
        }
        inbound
    }

    /// Tells the clients what happened: events at once, the world every third tick. Waits for none of them. Answers the bytes of the snapshots.
    pub fn publish(&mut self, game: &Game, outbound: &[Outbound]) -> u64 {
        let tick = game.world().tick();
        let events = self.answer_joins(outbound);
        self.send_events(game, &events, outbound);
        self.welcome(game, outbound);
        if tick.is_multiple_of(SNAPSHOT_INTERVAL_TICKS) {
            return self.send_snapshots(tick, game);
        }
        0
    }

    /// What a tick's faults have put into quarantine; from the next tick on, the revisions before are active again.
    pub fn judge(&mut self, outbound: &[Outbound]) -> Vec<Quarantined> {
        self.circuits.events(outbound)
    }

    /// How the trials go that have moved.
    pub fn trials(&mut self, life: u64) -> Vec<Report> {
        self.circuits.trials(life)
    }

    /// Code that has come since this was last asked.
    pub fn take_artifacts(&mut self) -> Vec<Artifact> {
        self.circuits.take_artifacts()
    }

    /// Orders whose tick has been simulated.
    pub fn take_orders(&mut self) -> Vec<Order> {
        std::mem::take(&mut self.orders)
    }

    /// Tells all clients that it is over.
    pub fn close_all(&self, closing: Closing) {
        for connection in self.sessions.values() {
            connection.outgoing.close(closing);
        }
    }

    /// Hands a chunk to the packer, as it stands before this tick: an edit of this tick is told after it, with a newer version.
    fn send_chunk(&self, session: SessionId, request: v1::ChunkRequest, game: &Game) {
        let Some(connection) = self.sessions.get(&session) else { return };
        let id = ChunkId(request.chunk_id);
        let chunk = game.world().scene().terrain().chunk(id).cloned();
        let known = request.last_known_version;
        if chunk.as_ref().is_some_and(|chunk| u64::from(chunk.version()) == known) {
            return;
        }
        let job = Job { id, chunk, settings: *game.world().settings(), known, outgoing: connection.outgoing.clone() };
        if !self.packer.send(job) {
            connection.outgoing.send_one(convert::error(ErrorCode::Busy, "the server is too busy for this chunk: ask again".into()));
        }
    }

    /// Forgets a session; its player leaves now or, when the world has not answered its join yet, once it has.
    fn end(&mut self, session: SessionId, closing: Closing) -> Option<Inbound> {
        let connection = self.sessions.remove(&session)?;
        connection.outgoing.close(closing);
        if self.by_client.get(&connection.client_id) == Some(&session) {
            self.by_client.remove(&connection.client_id);
        }
        let player = connection.player?;
        self.by_player.remove(&player);
        self.left.push((player, connection.username));
        Some(Inbound::Leave { player })
    }

    /// The session's player, when this input is newer than its last one.
    fn newer_input(&mut self, session: SessionId, sequence: u32) -> Option<EntityId> {
        let connection = self.sessions.get_mut(&session)?;
        let player = connection.player?;
        if connection.input_sequence.is_some_and(|last| sequence <= last) {
            return None;
        }
        connection.input_sequence = Some(sequence);
        Some(player)
    }

    /// Binds players to their sessions, and answers what all others are told of comings and goings.
    fn answer_joins(&mut self, outbound: &[Outbound]) -> Vec<Utf8Bytes> {
        let mut events: Vec<Utf8Bytes> = self.left.drain(..).map(|(player, username)| convert::left(player, &username).into()).collect();
        for event in outbound {
            match event {
                Outbound::Joined { token, player } => match self.sessions.get(&SessionId(*token)) {
                    Some(connection) => events.push(convert::joined(*player, &connection.username).into()),
                    None => self.leaving.push(*player),
                },
                Outbound::JoinRefused { token, reason } => {
                    if let Some(connection) = self.sessions.get(&SessionId(*token)) {
                        connection.outgoing.send_one(convert::refusal(&self.world_id, reason));
                    }
                    self.end(SessionId(*token), Closing::WorldFull);
                }
                _ => {}
            }
        }
        events
    }

    /// One shared batch for all who were here before, and one of their own for those whom an event concerns alone.
    fn send_events(&self, game: &Game, comings_and_goings: &[Utf8Bytes], outbound: &[Outbound]) {
        let mut shared = comings_and_goings.to_vec();
        let mut own: BTreeMap<EntityId, Vec<Utf8Bytes>> = BTreeMap::new();
        for event in outbound {
            match convert::message(event, game.world(), &|spell| self.circuits.channel(spell)) {
                Some((Audience::All, text)) => shared.push(text.into()),
                Some((Audience::Only(player), text)) => own.entry(player).or_default().push(text.into()),
                None => {}
            }
        }
        let shared = Batch::from(shared);
        for (player, session) in &self.by_player {
            let Some(connection) = self.sessions.get(session) else { continue };
            connection.outgoing.send(shared.clone());
            if let Some(own) = own.remove(player) {
                connection.outgoing.send(own.into());
            }
        }
    }

    /// Whoever came in this tick gets the world as it stands after it.
    fn welcome(&mut self, game: &Game, outbound: &[Outbound]) {
        for event in outbound {
            let Outbound::Joined { token, player } = event else { continue };
            let session = SessionId(*token);
            let Some(connection) = self.sessions.get_mut(&session) else { continue };
            connection.player = Some(*player);
            self.awaited.remove(player);
            self.by_player.insert(*player, session);
            let world = game.world();
            let messages = convert::welcome(&self.world_id, *player, world, &|spell| self.circuits.channel(spell));
            connection.outgoing.send(messages.into_iter().map(Utf8Bytes::from).collect());
        }
    }

    fn send_snapshots(&self, tick: u64, game: &Game) -> u64 {
        if self.by_player.is_empty() {
            return 0;
        }
        let mut bytes = 0;
        let scene = game.world().scene();
        let head = convert::snapshot(tick, scene);
        for (player, session) in &self.by_player {
            if let (Some(connection), Some(own)) = (self.sessions.get(session), convert::player_state(*player, scene)) {
                let snapshot = head.encode(&own);
                bytes += snapshot.len() as u64;
                connection.outgoing.snapshot(snapshot);
            }
        }
        bytes
    }
}
