//! The wire's values as the simulation's, and back: the only place that names both.

use game::{EndedCast, HookSpent};
use protocol::client;
use protocol::link::{self, Errand};
use protocol::server::{AffectedChunk, BorneStatus, ErrorCode, HookName, HookReport, NpcEventType, Properties, StatusKind};
use protocol::v1::{EntityState, PlayerState};
use protocol::v2::{self, OwnState};
use protocol::{Channel, RevisionId, ServerMessage, SpellId};
use sim::character::Motion;
use sim::edit::{Area, Change};
use sim::inbound::{CastRequest, Input};
use sim::outbound::{CastEnd, ChangedChunk, NpcEventKind};
use sim::scene::Entity;
use sim::status::{Borne, Status};
use sim::undo;
use sim::{Edit, EntityId, Inbound, Outbound, Quat, Vec3, World};

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Audience {
    /// Every client.
    All,
    /// The client of this player, if it is one's.
    Only(EntityId),
    /// Who sees this entity.
    Of(EntityId),
    /// Who is near enough to see this point.
    Near(Vec3),
}

/// What an order of the control plane's is for the simulation, if it is something for it, in this tick.
pub fn order(errand: &Errand, tick: u64) -> Option<Inbound> {
    match errand {
        Errand::Copy { .. } | Errand::Kick { .. } | Errand::Save => None,
        Errand::Revert { whose, seconds } => {
            let whose = match whose {
                link::Whose::Client(client) => undo::Whose::Account(client.clone()),
                link::Whose::Spell { spell_id, revision_id } => undo::Whose::Spell {
                    spell: spell_id.as_str().to_owned(),
                    revision: revision_id.as_ref().map(|revision| revision.as_str().to_owned()),
                },
            };
            let since_tick = tick.saturating_sub(u64::from(*seconds) * u64::from(sim::limits::TICK_HZ));
            Some(Inbound::Revert { whose, since_tick })
        }
    }
}

/// A player's controls for the simulation.
pub fn input(player: EntityId, frame: &client::InputFrame) -> Inbound {
    let input = Input {
        sequence: frame.sequence_id,
        movement: vector(frame.movement),
        aim: vector(frame.aim_direction),
        sprint: frame.sprint,
        fire: frame.fire,
        jump: frame.jump,
        // A client draws others so long behind the newest snapshot that it has.
        seen_tick: frame.server_tick_ack.saturating_sub(sim::limits::INTERPOLATION_TICKS),
    };
    Inbound::Input { player, input }
}

/// A player's wish to change the terrain for the simulation.
pub fn terraform(player: EntityId, request: &client::TerraformRequest) -> Inbound {
    let change = match request.op {
        client::TerraformOp::Add => Change::Add(request.material_id),
        client::TerraformOp::Subtract => Change::Subtract,
        client::TerraformOp::Paint => Change::Paint(request.material_id),
    };
    let edit = Edit { area: Area::Sphere { center: vector(request.center), radius: request.radius }, change };
    Inbound::Terraform { player, edit, client_sequence: request.client_sequence_id }
}

/// A player's wish to cast for the simulation.
pub fn cast(player: EntityId, request: client::CastRequest) -> Inbound {
    Inbound::Cast(CastRequest {
        caster: player,
        spell: request.spell_id.into(),
        revision: request.revision_id.map_or(String::new(), String::from),
        target_position: vector(request.target_position),
        target: EntityId(request.target_entity_id),
        params: request.extra_params,
    })
}

/// What clients are told of an event, and which of them; who comes and goes, players and all others, is the connections' business.
/// `world` is as it stands after the event's tick; `channel` tells which one it follows for a spell.
pub fn message(event: &Outbound, world: &World, channel: &dyn Fn(&str) -> Option<Channel>) -> Option<(Audience, ServerMessage)> {
    let tick = world.tick();
    let (audience, message) = match event {
        Outbound::ProjectileHit { projectile, hit, point, normal, damage } => {
            let message = ServerMessage::ProjectileHit {
                server_tick: tick,
                projectile_id: projectile.0,
                hit_entity_id: hit.0,
                hit_point: point.to_array(),
                hit_normal: normal.to_array(),
                damage: *damage,
            };
            (Audience::Near(*point), message)
        }
        Outbound::NpcEvent { npc, kind, target, state, suspicion } => {
            let message = ServerMessage::NpcEvent {
                server_tick: tick,
                npc_id: npc.0,
                event_type: npc_event_type(*kind),
                target_entity_id: target.0,
                detection_state: *state as u8,
                suspicion_level: *suspicion,
            };
            (Audience::Of(*npc), message)
        }
        Outbound::TerraformApplied { edit, affected, client_sequence, .. } => {
            (Audience::All, terraformed(tick, edit, affected, *client_sequence))
        }
        Outbound::TerraformReverted { affected, .. } => (Audience::All, chunks_changed(tick, affected, 0)),
        Outbound::TerraformRefused { player, client_sequence, limit, allowed, asked } => {
            let (error_code, reason) = terraform_refusal(limit, *allowed, *asked);
            (
                Audience::Only(*player),
                ServerMessage::Error { error_code, message: format!("terraforming {client_sequence} refused: {reason}") },
            )
        }
        Outbound::CastStarted { spell, revision, caster, target_position, seed, params, .. } => {
            let message = ServerMessage::SpellCastEvent {
                server_tick: tick,
                spell_id: spell.clone(),
                revision_id: revision.clone(),
                caster_entity_id: caster.0,
                target_position: target_position.to_array(),
                seed: seed & ((1 << 53) - 1),
                extra_params: params.clone(),
            };
            (Audience::Of(*caster), message)
        }
        Outbound::CastRejected { spell, revision, caster, limit, allowed, asked } => {
            let message = ServerMessage::SpellCastRejected {
                server_tick: tick,
                spell_id: spell.clone(),
                revision_id: revision.clone(),
                caster_entity_id: caster.0,
                limit: (*limit).to_owned(),
                allowed: *allowed,
                asked: *asked,
                hook: String::new(),
                message: rejection(spell, revision, limit, *allowed, *asked),
            };
            (Audience::Only(*caster), message)
        }
        Outbound::CastFaulted { spell, revision, caster, fault, .. } => {
            let message = ServerMessage::SpellCastRejected {
                server_tick: tick,
                spell_id: spell.clone(),
                revision_id: revision.clone(),
                caster_entity_id: caster.0,
                limit: fault.limit.to_owned(),
                allowed: fault.allowed,
                asked: fault.asked,
                hook: fault.hook.to_owned(),
                message: fault.message.clone(),
            };
            (Audience::Only(*caster), message)
        }
        Outbound::Cue { spell, revision, caster, name, at, scale, .. } => {
            let message = ServerMessage::SpellEffect {
                server_tick: tick,
                spell_id: spell.clone(),
                revision_id: revision.clone(),
                caster_entity_id: caster.0,
                name: name.clone(),
                position: at.to_array(),
                scale: *scale,
            };
            (Audience::Near(*at), message)
        }
        Outbound::Said { spell, revision, caster, text, aloud, .. } => {
            let message = ServerMessage::SpellText {
                server_tick: tick,
                spell_id: spell.clone(),
                revision_id: revision.clone(),
                caster_entity_id: caster.0,
                text: text.clone(),
                aloud: *aloud,
            };
            (if *aloud { Audience::Of(*caster) } else { Audience::Only(*caster) }, message)
        }
        Outbound::Activated { spell, revision } => (Audience::All, active_update(spell, channel(spell)?, Some(revision))?),
        Outbound::Deactivated { spell } => (Audience::All, active_update(spell, channel(spell)?, None)?),
        Outbound::DraftChanged { spell, revision: Some(draft), player } => {
            (Audience::Only(*player), active_update(spell, Channel::Draft, Some(draft))?)
        }
        Outbound::DraftChanged { spell, revision: None, player } => {
            (Audience::Only(*player), active_update(spell, channel(spell)?, world.active_revision(spell))?)
        }
        _ => return None,
    };
    Some((audience, message))
}

/// A client is in.
pub fn welcome(world_id: &str, player: EntityId, tick: u64) -> ServerMessage {
    ServerMessage::HandshakeResponse {
        success: true,
        server_tick: tick,
        assigned_entity_id: player.0,
        world_id: world_id.to_owned(),
        error: String::new(),
    }
}

/// What a client that has just come in must know besides what it sees: who plays, and what its casts run.
pub fn introduction(player: EntityId, world: &World, channel: &dyn Fn(&str) -> Option<Channel>) -> Vec<ServerMessage> {
    let players = world.players().filter_map(|id| Some(joined(id, &world.scene().entity(id)?.name)));
    let active = world.active_revisions().filter_map(|(spell, revision)| active_update(spell, channel(spell)?, Some(revision)));
    // After the active ones, for they take their place.
    let drafts = world.drafts_of(player).filter_map(|(spell, draft)| active_update(spell, Channel::Draft, Some(draft)));
    players.chain(active).chain(drafts).collect()
}

/// Why a client does not come in.
pub fn refusal(world_id: &str, error: &str) -> ServerMessage {
    ServerMessage::HandshakeResponse {
        success: false,
        server_tick: 0,
        assigned_entity_id: 0,
        world_id: world_id.to_owned(),
        error: error.to_owned(),
    }
}

/// A player has come.
pub fn joined(player: EntityId, username: &str) -> ServerMessage {
    ServerMessage::PlayerJoined { entity_id: player.0, username: username.to_owned() }
}

/// A player has gone.
pub fn left(player: EntityId, username: &str) -> ServerMessage {
    ServerMessage::PlayerLeft { entity_id: player.0, username: username.to_owned() }
}

/// How a player is, for itself.
pub fn status(me: &Entity, world: &World, mana: Option<f32>, borne: &[Borne]) -> ServerMessage {
    let policy = world.mana_policy().filter(|_| mana.is_some());
    ServerMessage::PlayerStatus {
        server_tick: world.tick(),
        seq: me.input_sequence,
        digest: Motion { position: me.position, velocity: me.velocity, grounded: me.grounded }.digest(),
        mana: mana.unwrap_or(0.0),
        mana_max: policy.map_or(0, |policy| policy.max),
        mana_per_second: policy.map_or(0, |policy| policy.per_second),
        statuses: borne.iter().map(borne_status).collect(),
    }
}

fn borne_status(borne: &Borne) -> BorneStatus {
    let (kind, strength) = match borne.status {
        Status::Slow { factor } => (StatusKind::Slow, factor),
        Status::Root => (StatusKind::Root, 0.0),
        Status::Shield { amount } => (StatusKind::Shield, amount),
        Status::Burn { per_second } => (StatusKind::Burn, per_second),
    };
    BorneStatus { kind, strength, until: borne.until }
}

/// What a cast came to, for its caster. None for one whose beginning this server has not seen.
pub fn cast_report(tick: u64, ended: &EndedCast, reason: CastEnd) -> Option<ServerMessage> {
    Some(ServerMessage::CastReport {
        server_tick: tick,
        spell_id: ended.spell.clone(),
        revision_id: ended.revision.clone(),
        caster_entity_id: ended.caster.0,
        // As its SPELL_CAST_EVENT has it: what happens in a tick is told as of its end.
        began_tick: ended.began? + 1,
        reason: reason.as_str().to_owned(),
        mana: ended.mana,
        memory_bytes: u32::try_from(ended.memory_bytes).unwrap_or(u32::MAX),
        hooks: ended.hooks.iter().filter_map(hook_report).collect(),
    })
}

fn hook_report(spent: &HookSpent) -> Option<HookReport> {
    let hook = match spent.hook {
        "on-cast" => HookName::OnCast,
        "on-tick" => HookName::OnTick,
        "on-event" => HookName::OnEvent,
        "on-cancel" => HookName::OnCancel,
        _ => return None,
    };
    Some(HookReport { hook, calls: spent.calls, fuel: spent.fuel, fuel_max: spent.fuel_max })
}

/// A player says something.
pub fn chat(tick: u64, player: EntityId, text: String) -> ServerMessage {
    ServerMessage::Chat { server_tick: tick, entity_id: player.0, text }
}

/// A client's own player in a snapshot of v1.
pub fn player_state(entity: &Entity) -> PlayerState {
    PlayerState { seq: entity.input_sequence, p: entity.position.to_array(), v: entity.velocity.to_array(), g: entity.grounded }
}

/// And of v2.
pub fn own_state(entity: &Entity) -> OwnState {
    let (position, velocity) = (entity.position.to_array(), entity.velocity.to_array());
    OwnState { sequence: entity.input_sequence, position, velocity, grounded: entity.grounded }
}

/// An entity in a snapshot of v2.
pub fn quantised(entity: &Entity) -> v2::EntityState {
    let Quat { x, y, z, w, .. } = entity.rotation;
    v2::EntityState::nearest(entity.id.0, entity.kind as u8, entity.position.to_array(), [x, y, z, w], entity.health)
}

/// And of v1.
pub fn entity_state(entity: &Entity) -> EntityState {
    EntityState {
        id: entity.id.0,
        t: entity.kind as u8,
        p: entity.position.to_array(),
        r: euler(entity.rotation),
        v: entity.velocity.to_array(),
        h: entity.health,
        x: Properties { owner: 0, ..properties(entity) },
    }
}

/// An entity comes into view.
pub fn spawn(tick: u64, entity: &Entity) -> ServerMessage {
    ServerMessage::EntitySpawn {
        server_tick: tick,
        entity_id: entity.id.0,
        entity_type: entity.kind as u8,
        position: entity.position.to_array(),
        rotation: euler(entity.rotation),
        properties: properties(entity),
    }
}

/// An entity is gone, or out of view.
pub fn despawn(tick: u64, entity: EntityId, reason: &str) -> ServerMessage {
    ServerMessage::EntityDespawn { server_tick: tick, entity_id: entity.0, reason: reason.to_owned() }
}

fn properties(entity: &Entity) -> Properties {
    Properties { name: entity.name.clone(), owner: entity.owner.0, health_max: entity.health_max.round() as u32 }
}

fn npc_event_type(kind: NpcEventKind) -> NpcEventType {
    match kind {
        NpcEventKind::Spotted => NpcEventType::Spotted,
        NpcEventKind::Lost => NpcEventType::Lost,
        NpcEventKind::SuspicionChanged => NpcEventType::SuspicionChanged,
    }
}

fn terraformed(tick: u64, edit: &Edit, affected: &[ChangedChunk], client_sequence_id: u32) -> ServerMessage {
    let Area::Sphere { center, radius } = edit.area else { return chunks_changed(tick, affected, client_sequence_id) };
    let (op_type, material_id) = match edit.change {
        Change::Add(material) => (1, material),
        Change::Subtract => (2, 0),
        Change::Paint(material) => (3, material),
        Change::Replace { .. } => return chunks_changed(tick, affected, client_sequence_id),
    };
    let affected_chunks = affected_chunks(affected);
    ServerMessage::TerraformApplied {
        server_tick: tick,
        op_type,
        center: center.to_array(),
        radius,
        material_id,
        affected_chunks,
        client_sequence_id,
    }
}

/// For what v1 has no word: a painting of nothing, whose versions tell which chunks to ask for.
fn chunks_changed(server_tick: u64, affected: &[ChangedChunk], client_sequence_id: u32) -> ServerMessage {
    let affected_chunks = affected_chunks(affected);
    ServerMessage::TerraformApplied {
        server_tick,
        op_type: 3,
        center: [0.0; 3],
        radius: 0.0,
        material_id: 0,
        affected_chunks,
        client_sequence_id,
    }
}

fn affected_chunks(affected: &[ChangedChunk]) -> Vec<AffectedChunk> {
    let affected = affected.iter();
    affected.map(|changed| AffectedChunk { chunk_id: changed.id.0, new_version: changed.version.into(), hash: changed.hash }).collect()
}

fn terraform_refusal(limit: &str, allowed: f64, asked: f64) -> (ErrorCode, String) {
    match limit {
        "rate" => (ErrorCode::TooMany, format!("{} a second are allowed", sim::limits::TERRAFORMS_PER_SECOND)),
        "range_m" => (ErrorCode::Forbidden, format!("{asked:.1} m away, and {allowed} m are allowed")),
        "protected" => (ErrorCode::Forbidden, format!("{asked:.1} m from the spawn, which is protected up to {allowed} m")),
        "chunks" => (ErrorCode::Forbidden, format!("the world has no room for more than {allowed} chunks")),
        "material" => (ErrorCode::BadMessage, format!("material {asked} cannot be placed: 0 to {allowed} can")),
        "radius_m" => (ErrorCode::BadMessage, format!("a radius of {asked:.2} m, and {allowed} m is the limit")),
        _ => (ErrorCode::BadMessage, format!("{limit}: {asked} asked, {allowed} allowed")),
    }
}

fn active_update(spell: &str, channel: Channel, revision: Option<&str>) -> Option<ServerMessage> {
    let revision_id = revision.map(RevisionId::new).transpose().ok()?;
    Some(ServerMessage::SpellActiveUpdate { spell_id: SpellId::new(spell).ok()?, channel, revision_id })
}

fn rejection(spell: &str, revision: &str, limit: &str, allowed: f64, asked: f64) -> String {
    match limit {
        "unknown_spell" => format!("this world has no active revision of {spell}"),
        "unknown_revision" => format!("this world does not know {spell} {revision}"),
        "cooldown" => format!("{spell} can be cast again {allowed} s after the last cast, not {asked:.2} s"),
        "live_casts" => format!("{allowed} casts of one player may live at once"),
        "world_casts" => format!("{allowed} casts may live at once in this world"),
        "mana" => format!("{spell} costs {asked:.1} mana, and the caster has {allowed:.1}"),
        "suspended" => {
            format!(
                "{spell} {revision} has faulted too often: it can be cast again in {:.0} s, or at once as another revision",
                allowed - asked
            )
        }
        "caster_gone" => "the caster is not in the world".to_owned(),
        _ => format!("{limit}: {asked} asked, {allowed} allowed"),
    }
}

fn vector(from: protocol::Vec3) -> Vec3 {
    Vec3::from_array(from)
}

/// Euler angles x, y, z of a rotation that turns about y first, then x, then z: a character's aim has its yaw in y and its pitch in x.
fn euler(rotation: Quat) -> protocol::Vec3 {
    let Quat { x, y, z, w, .. } = rotation;
    let sin_x = (2.0 * (w * x - y * z)).clamp(-1.0, 1.0);
    // Looking straight up or down, yaw and roll turn about the same axis: all of it is called yaw.
    if sin_x.abs() > 0.99999 {
        return [sin_x.asin(), (2.0 * (w * y - x * z)).atan2(1.0 - 2.0 * (y * y + z * z)), 0.0];
    }
    [sin_x.asin(), (2.0 * (x * z + w * y)).atan2(1.0 - 2.0 * (x * x + y * y)), (2.0 * (x * y + w * z)).atan2(1.0 - 2.0 * (x * x + z * z))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_hear_what_npcs_notice() {
        let (kind, state) = (NpcEventKind::SuspicionChanged, sim::outbound::Detection::Suspicious);
        let event = Outbound::NpcEvent { npc: EntityId(4), kind, target: EntityId(9), state, suspicion: 0.3 };
        let (audience, message) = message(&event, &World::empty(1), &|_| None).expect("a message");
        assert_eq!(audience, Audience::Of(EntityId(4)));
        let expected = r#"{"type":105,"server_tick":0,"npc_id":4,"event_type":"suspicion_changed","target_entity_id":9,"detection_state":1,"suspicion_level":0.3}"#;
        assert_eq!(protocol::v1::encode_server(&message), expected);
    }

    #[test]
    fn euler_angles_are_those_that_made_the_rotation() {
        for (x, y, z) in [(0.0, 0.0, 0.0), (0.5, 0.0, 0.0), (0.0, 2.5, 0.0), (0.0, 0.0, -1.0), (-0.7, -3.0, 0.4), (1.5, 1.0, 0.0)] {
            let rotation = Quat::from_rotation_y(y) * Quat::from_rotation_x(x) * Quat::from_rotation_z(z);
            for (got, wanted) in euler(rotation).into_iter().zip([x, y, z]) {
                assert!((got - wanted).abs() < 1e-4, "{:?} for {x} {y} {z}", euler(rotation));
            }
        }
        assert!((euler(Quat::from_rotation_y(1.0) * Quat::from_rotation_x(std::f32::consts::FRAC_PI_2))[1] - 1.0).abs() < 1e-3);
    }
}
