//! The game loop's table of who is connected: turns their mail into what the simulation takes in, and what it tells into what they get.

use crate::chunks::{Job, Packer};
use crate::circuits::{Circuits, Quarantined};
use crate::convert::{self, Audience};
use crate::groups::Groups;
use crate::inbox::{Mail, SessionId};
use crate::inputs::Inputs;
use crate::limits::{AWAITED_TICKS, SNAPSHOT_INTERVAL_TICKS};
use crate::outgoing::{Closing, Outgoing};
use crate::status::Status;
use crate::stream::Stream;
use crate::subprotocol::{Shared, Subprotocol};
use crate::view::View;
use game::Game;
use protocol::ServerMessage;
use protocol::client::ChunkRequest;
use protocol::link::{Errand, Order, Report};
use protocol::server::{AffectedChunk, ErrorCode};
use sim::inbound::Input;
use sim::limits::PLAYERS_MAX;
use sim::outbound::CastEnd;
use sim::scene::Scene;
use sim::voxel::ChunkId;
use sim::{CastId, EntityId, Inbound, Outbound, Vec3, World};
use std::collections::{BTreeMap, BTreeSet};
use store::Artifact;
use tokio_tungstenite::tungstenite::Message;

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
    /// What was said since the last publication, and by whom.
    said: Vec<(EntityId, String)>,
    /// Players whose line broke, or who were in the world when it was loaded, and the tick until which they are waited for. The others have not heard that they
    /// are gone.
    awaited: BTreeMap<EntityId, u64>,
    /// Those of a loaded world, whose controls still say what they said when it was saved.
    loaded: Vec<EntityId>,
    /// Orders that wait for the tick in which they are carried out.
    orders: Vec<Order>,
    circuits: Circuits,
    packer: Packer,
    /// Where all entities are, for the views; nothing until the first tick is published.
    groups: Option<Groups>,
}

#[derive(Debug)]
struct Connection {
    client_id: String,
    username: String,
    subprotocol: Subprotocol,
    outgoing: Outgoing,
    /// `None` until the world has answered the join.
    player: Option<EntityId>,
    inputs: Inputs,
    view: View,
    stream: Stream,
    status: Status,
    /// What it is told of this tick.
    letters: Vec<Message>,
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
            said: Vec::new(),
            loaded: awaited.keys().copied().collect(),
            awaited,
            orders: Vec::new(),
            circuits: Circuits::default(),
            packer,
            groups: None,
        }
    }

    /// The stable ids of those who are connected.
    pub fn clients(&self) -> impl Iterator<Item = &str> + Clone {
        self.by_client.keys().map(String::as_str)
    }

    /// What the tick takes in, in the order of the mail.
    pub fn sort(&mut self, mail: Vec<Mail>, game: &mut Game) -> Vec<Inbound> {
        let tick = game.world().tick();
        let mut inbound: Vec<Inbound> = self.loaded.drain(..).map(stand_still).collect();
        // One that has come back by another session meanwhile stays.
        inbound
            .extend(self.leaving.drain(..).filter(|player| !self.by_player.contains_key(player)).map(|player| Inbound::Leave { player }));
        let gone: Vec<EntityId> = self.awaited.iter().filter(|(_, until)| **until <= tick).map(|(player, _)| *player).collect();
        inbound.extend(gone.into_iter().map(|player| self.give_up(player, game.world())));
        inbound.extend(self.circuits.fall_back(game));
        for one in mail {
            match one {
                Mail::Join { session, client_id, username, subprotocol, outgoing } => {
                    if let Some(&older) = self.by_client.get(&client_id) {
                        inbound.extend(self.end(older, Closing::TakenOver, tick));
                    }
                    match game.world().player_of(&client_id).filter(|player| self.awaited.contains_key(player)) {
                        // Should its line break again before it is in.
                        Some(player) => _ = self.awaited.insert(player, tick + AWAITED_TICKS),
                        None => inbound.extend(self.make_room(&inbound, game.world())),
                    }
                    inbound.push(Inbound::Join { token: session.0, account: client_id.clone(), username: username.clone() });
                    self.by_client.insert(client_id.clone(), session);
                    let (player, inputs, view, letters) = (None, Inputs::default(), View::new(subprotocol), Vec::new());
                    let (stream, status) = (Stream::default(), Status::default());
                    let connection =
                        Connection { client_id, username, subprotocol, outgoing, player, inputs, view, stream, status, letters };
                    self.sessions.insert(session, connection);
                }
                Mail::Leave { session, closing } => inbound.extend(self.end(session, closing, tick)),
                Mail::Input { session, frames } => {
                    if let Some(connection) = self.sessions.get_mut(&session) {
                        connection.inputs.push(&frames, tick);
                        frames.iter().for_each(|frame| connection.view.acknowledge(frame.server_tick_ack));
                    }
                }
                Mail::Cast { session, request } => {
                    if let Some((connection, player)) = self.sessions.get_mut(&session).and_then(|it| it.player.map(|player| (it, player)))
                    {
                        connection.view.watch(EntityId(request.target_entity_id), tick);
                        inbound.push(convert::cast(player, request));
                    }
                }
                Mail::Chat { session, text } => {
                    self.said.extend(self.sessions.get(&session).and_then(|it| it.player).map(|player| (player, text)));
                }
                Mail::Terraform { session, request } => {
                    inbound.extend(self.sessions.get(&session).and_then(|it| it.player).map(|player| convert::terraform(player, &request)));
                }
                Mail::Chunk { session, request } => self.send_chunk(session, request, game),
                Mail::ChunkCredits { session, credits } => {
                    if let Some(connection) = self.sessions.get_mut(&session) {
                        connection.stream.give(credits);
                    }
                }
                Mail::Switch { switches, complete } => {
                    if complete {
                        inbound.extend(self.circuits.let_go(&switches, game.world()));
                    }
                    inbound.extend(switches.into_iter().map(|wanted| self.circuits.switch(wanted, game)));
                }
                Mail::FriendlyFire(on) => inbound.push(Inbound::FriendlyFire(on)),
                Mail::Order(order) => {
                    if let Errand::Kick { client } = &order.what {
                        inbound.extend(self.kick(client, game.world()));
                    }
                    inbound.extend(convert::order(&order.what, tick));
                    self.orders.push(order);
                }
            }
        }
        for connection in self.sessions.values_mut() {
            if let Some(player) = connection.player
                && let Some(frame) = connection.inputs.take(tick)
            {
                inbound.push(convert::input(player, &frame));
            }
        }
        inbound
    }

    /// Tells the clients what happened: events at once, the world every third tick, to each what it sees. Waits for none of them. Answers the bytes of
    /// the snapshots.
    pub fn publish(&mut self, game: &Game, outbound: &[Outbound]) -> u64 {
        let tick = game.world().tick();
        let mut groups = self.groups.take().unwrap_or_else(|| Groups::of(game.world().scene()));
        self.tell_comings_and_goings(outbound);
        outbound.iter().for_each(|event| self.tell(event, game, &mut groups));
        let due = tick.is_multiple_of(SNAPSHOT_INTERVAL_TICKS);
        if due {
            self.look(tick, game.world().scene(), &mut groups);
        }
        self.welcome(game, outbound, &groups);
        self.pass_on_chat(tick);
        self.report_casts(game, outbound);
        if due {
            self.tell_statuses(game.world());
        }
        // Before the snapshot, which speaks of entities that these introduce.
        for connection in self.sessions.values_mut() {
            connection.outgoing.send(std::mem::take(&mut connection.letters));
        }
        let bytes = if due { self.send_snapshots(tick, game, &mut groups) } else { 0 };
        self.stream_chunks(game.world());
        self.groups = Some(groups);
        bytes
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
    fn send_chunk(&mut self, session: SessionId, request: ChunkRequest, game: &Game) {
        let Some(connection) = self.sessions.get_mut(&session) else { return };
        let id = ChunkId(request.chunk_id);
        let chunk = game.world().scene().terrain().chunk(id).cloned();
        let known = request.last_known_version;
        if chunk.as_ref().is_some_and(|chunk| u64::from(chunk.version()) == known) {
            connection.stream.note(id);
            return;
        }
        let (settings, subprotocol, outgoing) = (*game.world().settings(), connection.subprotocol, connection.outgoing.clone());
        if self.packer.send(Job { id, chunk, settings, known, subprotocol, outgoing }) {
            connection.stream.note(id);
        } else {
            let message = "the server is too busy for this chunk: ask again".to_owned();
            connection.outgoing.send_one(subprotocol.encode(&ServerMessage::Error { error_code: ErrorCode::Busy, message }));
        }
    }

    /// Whoever has this stable id leaves at once, connected or waited for.
    fn kick(&mut self, client: &str, world: &World) -> Option<Inbound> {
        let session = self.by_client.get(client).copied();
        session.and_then(|session| self.end(session, Closing::Kicked, world.tick())).or_else(|| {
            let player = world.player_of(client).filter(|player| self.awaited.contains_key(player))?;
            Some(self.give_up(player, world))
        })
    }

    /// In a full world, a newcomer gets the place of the player who is waited for longest; not of one who comes back in this very tick.
    fn make_room(&mut self, inbound: &[Inbound], world: &World) -> Option<Inbound> {
        let come = inbound.iter().filter(|one| matches!(one, Inbound::Join { .. })).count();
        let gone = inbound.iter().filter(|one| matches!(one, Inbound::Leave { .. })).count();
        if world.players().count() + come < PLAYERS_MAX + gone {
            return None;
        }
        let waiting = self.awaited.iter().filter(|(_, until)| **until < world.tick() + AWAITED_TICKS);
        let longest = waiting.min_by_key(|(_, until)| **until).map(|(player, _)| *player)?;
        Some(self.give_up(longest, world))
    }

    /// A player who is waited for leaves, and the others hear it.
    fn give_up(&mut self, player: EntityId, world: &World) -> Inbound {
        self.awaited.remove(&player);
        let username = world.scene().entity(player).map_or_else(String::new, |entity| entity.name.clone());
        self.left.push((player, username));
        Inbound::Leave { player }
    }

    /// Forgets a session. Its player stands still for a while or leaves now; or, when the world has not answered its join yet, once it has.
    fn end(&mut self, session: SessionId, closing: Closing, tick: u64) -> Option<Inbound> {
        let connection = self.sessions.remove(&session)?;
        connection.outgoing.close(closing);
        if self.by_client.get(&connection.client_id) == Some(&session) {
            self.by_client.remove(&connection.client_id);
        }
        let player = connection.player?;
        self.by_player.remove(&player);
        if closing.keeps_player() {
            self.awaited.insert(player, tick + AWAITED_TICKS);
            return Some(stand_still(player));
        }
        self.left.push((player, connection.username));
        Some(Inbound::Leave { player })
    }

    /// Everybody hears who plays.
    fn tell_comings_and_goings(&mut self, outbound: &[Outbound]) {
        let mut events: Vec<Shared> = self.left.drain(..).map(|(player, username)| Shared::new(convert::left(player, &username))).collect();
        for event in outbound {
            match event {
                // It was never gone: it goes on, or, when its session has ended again in this very tick, is waited for still.
                Outbound::Joined { player, .. } if self.awaited.contains_key(player) => {}
                Outbound::Joined { token, player } => match self.sessions.get(&SessionId(*token)) {
                    Some(connection) => events.push(Shared::new(convert::joined(*player, &connection.username))),
                    None => self.leaving.push(*player),
                },
                Outbound::JoinRefused { token, reason } => {
                    if let Some(connection) = self.sessions.get(&SessionId(*token)) {
                        connection.outgoing.send_one(connection.subprotocol.encode(&convert::refusal(&self.world_id, reason)));
                    }
                    // It has no player.
                    self.end(SessionId(*token), Closing::WorldFull, 0);
                }
                _ => {}
            }
        }
        for event in &events {
            self.players_mut().for_each(|(_, connection)| connection.tell(event));
        }
    }

    /// Whom an event concerns, hears of it.
    fn tell(&mut self, event: &Outbound, game: &Game, groups: &mut Groups) {
        let (world, scene) = (game.world(), game.world().scene());
        match event {
            Outbound::Spawned { id, kind, owner, position, .. } => {
                let group = groups.insert(*id, *kind, *owner, *position);
                let begun = groups.get(group).filter(|group| group.len() == 1);
                // One that is gone again within its tick was never there for anybody.
                let Some(entity) = scene.entity(*id) else { return };
                let message = Shared::new(convert::spawn(world.tick(), entity));
                for (player, connection) in self.players_mut() {
                    if let (Some(begun), Some(me)) = (begun, scene.entity(player)) {
                        connection.view.notice(me, group, begun);
                    }
                    if connection.view.sees(group) {
                        connection.tell(&message);
                    }
                }
            }
            Outbound::Despawned { id, reason } => {
                let Some(group) = groups.remove(*id) else { return };
                let message = Shared::new(convert::despawn(world.tick(), *id, reason.as_str()));
                self.players_mut().filter(|(_, it)| it.view.sees(group)).for_each(|(_, connection)| connection.tell(&message));
            }
            _ => {}
        }
        if let Outbound::ProjectileHit { projectile, hit, .. } = event
            && let Some(shooter) = groups.owner(*projectile)
        {
            self.watch(shooter, *hit, world.tick());
            self.watch(*hit, shooter, world.tick());
        }
        let Some((audience, message)) = convert::message(event, world, &|spell| self.circuits.channel(spell)) else { return };
        let message = Shared::new(message);
        let editor = if let Outbound::TerraformApplied { player, .. } = event { Some(*player) } else { None };
        for (player, connection) in self.players_mut() {
            let concerned = match audience {
                Audience::All => true,
                Audience::Only(one) => one == player,
                Audience::Of(entity) => entity == player || groups.place(entity).is_some_and(|group| connection.view.sees(group)),
                Audience::Near(point) => connection.view.reaches(point),
            };
            if concerned {
                connection.hear(&message, editor == Some(player));
            }
        }
    }

    /// The player's client sees the other one, for a while, wherever it is.
    fn watch(&mut self, player: EntityId, other: EntityId, tick: u64) {
        if let Some(connection) = self.by_player.get(&player).and_then(|session| self.sessions.get_mut(session)) {
            connection.view.watch(other, tick);
        }
    }

    /// Everybody looks around: what has come into view appears, what has left it is gone.
    fn look(&mut self, tick: u64, scene: &Scene, groups: &mut Groups) {
        let (moved, ended) = groups.advance(tick, scene);
        let who_moved: BTreeSet<EntityId> = moved.iter().map(|moved| moved.entity).collect();
        let mut spawns: BTreeMap<EntityId, Shared> = BTreeMap::new();
        for (player, connection) in self.players_mut() {
            ended.iter().for_each(|group| connection.view.forget(*group));
            let Some(me) = scene.entity(player) else { continue };
            let seen_before: Vec<bool> = moved.iter().map(|moved| connection.view.sees(moved.from)).collect();
            let change = connection.view.look(me, tick, groups);
            let others =
                |group: &u32| groups.get(*group).into_iter().flat_map(|group| group.members()).filter(|id| !who_moved.contains(id));
            let mut gone: Vec<EntityId> = change.left.iter().flat_map(others).collect();
            let mut new: Vec<EntityId> = change.entered.iter().flat_map(others).collect();
            for (moved, before) in moved.iter().zip(seen_before) {
                match (before, connection.view.sees(moved.to)) {
                    (true, false) => gone.push(moved.entity),
                    (false, true) => new.push(moved.entity),
                    _ => {}
                }
            }
            for entity in gone {
                connection.letters.push(connection.subprotocol.encode(&convert::despawn(tick, entity, "out_of_view")));
            }
            for id in new {
                let Some(entity) = scene.entity(id) else { continue };
                let spawn = spawns.entry(id).or_insert_with(|| Shared::new(convert::spawn(tick, entity)));
                connection.letters.push(spawn.frame(connection.subprotocol));
            }
        }
    }

    /// Whoever came in this tick gets the world as it sees it after it.
    fn welcome(&mut self, game: &Game, outbound: &[Outbound], groups: &Groups) {
        let (world, scene) = (game.world(), game.world().scene());
        for event in outbound {
            let Outbound::Joined { token, player } = event else { continue };
            let session = SessionId(*token);
            let (Some(connection), Some(me)) = (self.sessions.get_mut(&session), scene.entity(*player)) else { continue };
            connection.player = Some(*player);
            self.awaited.remove(player);
            self.by_player.insert(*player, session);
            let seen = connection.view.look(me, world.tick(), groups).entered;
            let entities = seen.iter().filter_map(|group| groups.get(*group)).flat_map(|group| group.members());
            let spawns = entities.filter_map(|id| scene.entity(id)).map(|entity| convert::spawn(world.tick(), entity));
            let introduction = convert::introduction(*player, world, &|spell| self.circuits.channel(spell));
            let welcome = std::iter::once(convert::welcome(&self.world_id, *player, world.tick()));
            connection.letters = welcome.chain(spawns).chain(introduction).map(|it| connection.subprotocol.encode(&it)).collect();
        }
    }

    /// What was said is heard by all, whoever comes in by it included.
    fn pass_on_chat(&mut self, tick: u64) {
        for (player, text) in std::mem::take(&mut self.said) {
            let message = Shared::new(convert::chat(tick, player, text));
            self.players_mut().for_each(|(_, connection)| connection.tell(&message));
        }
    }

    /// Whoever has cast something hears what it came to, once it is over.
    fn report_casts(&mut self, game: &Game, outbound: &[Outbound]) {
        let ends = outbound
            .iter()
            .filter_map(|event| if let Outbound::CastEnded { cast, reason } = event { Some((*cast, *reason)) } else { None });
        let reasons: BTreeMap<CastId, CastEnd> = ends.collect();
        for ended in &game.spent().ended {
            let connection = self.by_player.get(&ended.caster).and_then(|session| self.sessions.get_mut(session));
            let (Some(connection), Some(reason)) = (connection, reasons.get(&ended.cast)) else { continue };
            let report = convert::cast_report(game.world().tick(), ended, *reason);
            connection.letters.extend(report.map(|report| connection.subprotocol.encode(&report)));
        }
    }

    /// Each player hears of itself what its client cannot foresee.
    fn tell_statuses(&mut self, world: &World) {
        for (player, connection) in self.players_mut() {
            let Some(me) = world.scene().entity(player) else { continue };
            let news = connection.status.news(me, world).map(|message| connection.subprotocol.encode(&message));
            connection.letters.extend(news);
        }
    }

    fn send_snapshots(&mut self, tick: u64, game: &Game, groups: &mut Groups) -> u64 {
        let scene = game.world().scene();
        let mut bytes = 0;
        for (player, connection) in self.players_mut() {
            let Some(me) = scene.entity(player) else { continue };
            let snapshot = connection.view.snapshot(me, tick, groups, scene);
            bytes += snapshot.len() as u64;
            connection.outgoing.snapshot(snapshot);
        }
        bytes
    }

    /// Whoever takes chunks unasked gets some, as they stand after this tick: its edits were told before, to those who had them.
    fn stream_chunks(&mut self, world: &World) {
        let (tick, settings, terrain, packer) = (world.tick(), *world.settings(), world.scene().terrain(), self.packer.clone());
        for (player, connection) in self.players_mut() {
            let Some(me) = world.scene().entity(player) else { continue };
            let (subprotocol, outgoing) = (connection.subprotocol, &connection.outgoing);
            connection.stream.advance(me, tick, terrain, |id, chunk| {
                let (chunk, outgoing) = (Some(chunk.clone()), outgoing.clone());
                packer.send(Job { id, chunk, settings, known: 0, subprotocol, outgoing })
            });
        }
    }

    /// The connections of those who are in the world, by player.
    fn players_mut(&mut self) -> impl Iterator<Item = (EntityId, &mut Connection)> {
        self.sessions.values_mut().filter_map(|connection| Some((connection.player?, connection)))
    }
}

impl Connection {
    fn tell(&mut self, message: &Shared) {
        self.letters.push(message.frame(self.subprotocol));
    }

    /// Over v2, of the chunks that an edit changed only those that the client has; of one's own edit also that it was made.
    fn hear(&mut self, message: &Shared, own: bool) {
        let ServerMessage::TerraformApplied { affected_chunks, .. } = message.message() else { return self.tell(message) };
        if self.subprotocol == Subprotocol::Json {
            return self.tell(message);
        }
        let (known, missed): (Vec<_>, Vec<_>) = affected_chunks.iter().partition(|chunk| self.stream.has(ChunkId(chunk.chunk_id)));
        missed.iter().for_each(|chunk: &AffectedChunk| self.stream.missed(ChunkId(chunk.chunk_id)));
        if known.is_empty() && !own {
            return;
        }
        if missed.is_empty() {
            return self.tell(message);
        }
        let mut excerpt = message.message().clone();
        if let ServerMessage::TerraformApplied { affected_chunks, .. } = &mut excerpt {
            *affected_chunks = known;
        }
        self.letters.push(self.subprotocol.encode(&excerpt));
    }
}

/// Controls that nobody holds any more; the aim stays, for this one is none. The next session counts its inputs from the start.
fn stand_still(player: EntityId) -> Inbound {
    let input = Input { sequence: 0, movement: Vec3::ZERO, aim: Vec3::ZERO, sprint: false, fire: false, jump: false, seen_tick: 0 };
    Inbound::Input { player, input }
}
