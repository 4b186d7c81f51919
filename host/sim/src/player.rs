//! Players: entering, leaving, controls, shots; and the stage in which all characters move.

use crate::character::{self, Motion, Obstacle, Wish};
use crate::inbound::Input;
use crate::intent::ProjectileSpec;
use crate::limits::{
    ACCOUNT_BYTES_MAX, FIRE_COOLDOWN_TICKS, NAME_BYTES_MAX, PLAYERS_MAX, SHOT_DAMAGE, SHOT_RADIUS_M, SHOT_SECONDS, SHOT_SPEED,
    SPAWN_POSITION, TICK_SECONDS,
};
use crate::outbound::DespawnReason;
use crate::path::Route;
use crate::scene::Entity;
use crate::{EntityId, EntityKind, Outbound, Vec3, World, behaviour, projectile, shove, space, status};
use serde::{Deserialize, Serialize};

/// What only players have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Player {
    /// Names the player for good; empty for one who is not to be known again.
    pub account: String,
    /// What its controls say until they say something else.
    pub input: Input,
    /// The first tick in which it may shoot again.
    pub fire_ready: u64,
}

/// Where players enter and come back to.
pub(crate) const SPAWN: Vec3 = Vec3::from_array(SPAWN_POSITION);

/// The tick's stage: every player moves as its controls say, and shoots; NPCs walk as they wish.
pub(crate) fn advance(world: &mut World) {
    let players: Vec<(EntityId, Input)> = world.players.iter().map(|(id, player)| (*id, player.input)).collect();
    for (id, input) in players {
        walk(world, id, input.wish());
        if let Some(entity) = world.scene.entity_mut(id) {
            (entity.aim, entity.rotation, entity.input_sequence) = (input.aim, character::facing(input.aim), input.sequence);
        }
        if input.fire {
            shoot(world, id);
        }
    }
    let npcs: Vec<EntityId> = world.npcs.keys().copied().collect();
    for id in npcs {
        let (wish, aim) = behaviour::wish(world, id);
        walk(world, id, wish);
        if let (Some(aim), Some(entity)) = (aim, world.scene.entity_mut(id)) {
            (entity.aim, entity.rotation) = (aim, character::facing(aim));
        }
    }
}

/// Lets a player in, or says why not: one whose entity is still here takes it over, one who was here before comes back where it left, if nothing is in the
/// way there now, all others come in at the spawn.
pub(crate) fn join(world: &mut World, token: u64, account: &str, username: &str) {
    let refusal = match world.player_of(account) {
        Some(player) => return world.emit(Outbound::Joined { token, player }),
        None if account.len() > ACCOUNT_BYTES_MAX || username.len() > NAME_BYTES_MAX => "the name is too long",
        None if world.players.len() >= PLAYERS_MAX => "the world has no room for another player",
        None if !world.has_room() => "the world has no room for another entity",
        None => {
            let player = EntityId(world.next_id);
            world.emit(Outbound::Joined { token, player });
            let known = world.absent.take(account);
            let place = known.filter(|place| space::character_fits(world, player, place.position));
            let (position, aim) = place.map_or((SPAWN, Vec3::NEG_Z), |place| (place.position, place.aim));
            spawn(world, account, username, position, aim);
            if let (Some(place), Some(entity)) = (place, world.scene.entity_mut(player)) {
                entity.health = place.health;
            }
            if let Some(place) = known {
                hand_over(world, place.entity, player);
            }
            return;
        }
    };
    world.emit(Outbound::JoinRefused { token, reason: refusal });
}

/// Takes a player out, and remembers its place; its casts are told in this tick. An id that is no player's is ignored.
pub(crate) fn leave(world: &mut World, id: EntityId) {
    let (Some(player), Some(entity)) = (world.players.get(&id), world.scene.entity(id)) else { return };
    world.absent.remember(&player.account, entity, world.tick);
    world.despawn(id, DespawnReason::Left);
    world.casts.caster_is_gone(id);
    world.casts.forget_cooldowns(id);
}

/// What a player left behind is that of the one who has come back: casts that outlast a leave, and all debts.
fn hand_over(world: &mut World, old: EntityId, new: EntityId) {
    world.casts.hand_over(old, new);
    if let Some(purse) = world.purses.remove(&old) {
        world.purses.insert(new, purse);
    }
    let casters = world.joints.values_mut().map(|joint| &mut joint.caster).chain(world.fields.values_mut().map(|field| &mut field.caster));
    let summoners = world.npcs.values_mut().filter_map(|npc| npc.summoned.as_mut()).map(|summoned| &mut summoned.summoner);
    casters.chain(summoners).filter(|id| **id == old).for_each(|id| *id = new);
}

/// Takes new controls.
pub(crate) fn input(world: &mut World, id: EntityId, input: Input) {
    let Some(player) = world.players.get_mut(&id) else { return };
    if let Some(input) = input.admitted(player.input.aim) {
        player.input = input;
    }
}

pub(crate) fn spawn(world: &mut World, account: &str, name: &str, position: Vec3, aim: Vec3) -> EntityId {
    let id = world.fresh_id();
    let aim = aim.normalize_or(Vec3::NEG_Z);
    world.spawn(Entity::character(id, EntityKind::Player, name, position, aim));
    let input = Input { sequence: 0, movement: Vec3::ZERO, aim, sprint: false, fire: false, jump: false, seen_tick: 0 };
    world.players.insert(id, Player { account: account.into(), input, fire_ready: 0 });
    world.storage_mut().introduce(id, account);
    world.physics.insert_character(id, position);
    id
}

/// How many ticks ago others stood where somebody saw them who gave the controls that they have now; 0 for NPCs.
pub(crate) fn lag(world: &World, id: EntityId) -> usize {
    world.players.get(&id).map_or(0, |player| world.history.lag(world.tick, player.input.seen_tick))
}

impl Player {
    /// Whether its account and controls are in range.
    pub(crate) fn is_sound(&self) -> bool {
        let Input { movement, aim, .. } = self.input;
        self.account.len() <= ACCOUNT_BYTES_MAX
            && movement.is_finite()
            && movement.abs().max_element() <= 1.0
            && aim.is_finite()
            && (aim.length() - 1.0).abs() < 1e-2
    }
}

/// Puts a player or NPC somewhere else, at rest, and answers whether it could: only where no voxel, character or prop is in its way.
pub(crate) fn teleport(world: &mut World, id: EntityId, to: Vec3) -> bool {
    let character = world.scene.entity(id).is_some_and(|entity| entity.kind.is_character());
    if !character || !space::character_fits(world, id, to) {
        return false;
    }
    world.scene.place(id, to);
    // A new body rather than a moved one: it must not sweep props away on its way.
    world.physics.remove(id);
    world.physics.insert_character(id, to);
    if let Some(entity) = world.scene.entity_mut(id) {
        (entity.velocity, entity.grounded) = (Vec3::ZERO, false);
    }
    if let Some(npc) = world.npcs.get_mut(&id) {
        npc.route = Route::default();
    }
    true
}

fn walk(world: &mut World, id: EntityId, wish: Wish) {
    let wish = status::hinder(world, id, wish);
    let Some(entity) = world.scene.entity(id) else { return };
    let mut motion = Motion { position: entity.position, velocity: entity.velocity, grounded: entity.grounded };
    let near = if world.props.is_empty() { Vec::new() } else { shove::obstacles(&world.scene, &motion) };
    let obstacles: Vec<Obstacle> = near.iter().map(|(_, obstacle)| *obstacle).collect();
    let bumps = character::advance_among(&mut motion, wish, TICK_SECONDS, &world.scene.terrain().probe(), &obstacles);
    shove::push(world, &near, &bumps);
    world.scene.place(id, motion.position);
    if let Some(entity) = world.scene.entity_mut(id) {
        (entity.velocity, entity.grounded) = (motion.velocity, motion.grounded);
    }
}

fn shoot(world: &mut World, id: EntityId) {
    let tick = world.tick;
    let ready = world.players.get_mut(&id).filter(|player| tick >= player.fire_ready);
    let (Some(player), Some(entity)) = (ready, world.scene.entity(id)) else { return };
    player.fire_ready = tick + FIRE_COOLDOWN_TICKS;
    let shot = ProjectileSpec {
        start: entity.eye(),
        velocity: entity.aim * SHOT_SPEED,
        radius: SHOT_RADIUS_M,
        gravity: 0.0,
        seconds: SHOT_SECONDS,
        damage: SHOT_DAMAGE,
        ..ProjectileSpec::default()
    };
    if world.has_room() {
        let (shot_id, lag_ticks) = (world.fresh_id(), lag(world, id));
        projectile::launch(world, shot_id, id, None, lag_ticks, shot);
    }
}
