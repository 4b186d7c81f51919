//! What NPCs notice: whom each one sees, how sure it is of it, and when that changes.

use crate::limits::{
    NPC_EYE_M, NPC_FOV_COSINE, NPC_NOTICED_MAX, NPC_PERCEPTION_TICKS, NPC_SIGHT_M, NPC_TARGET_M, SUSPICION_GAIN, SUSPICION_LOSS,
    SUSPICION_MAX, SUSPICION_SPOTTED, SUSPICION_SUSPICIOUS, TICK_SECONDS,
};
use crate::outbound::{Detection, NpcEventKind};
use crate::scene::{Entity, Kinds, Shape};
use crate::{EntityId, EntityKind, Outbound, Vec3, World, team};
use serde::{Deserialize, Serialize};

/// What an NPC makes of one target.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Notice {
    /// 0 to 1.
    pub suspicion: f32,
    pub detection: Detection,
    /// Where it was seen last, its middle.
    pub last_seen: Vec3,
    /// Whether it was in sight at the last look.
    pub in_sight: bool,
}

/// Whether this NPC looks around in this tick: every third, spread over ticks by id.
pub(crate) fn is_due(tick: u64, id: EntityId) -> bool {
    tick.wrapping_add(id.0).is_multiple_of(NPC_PERCEPTION_TICKS)
}

/// One look of one NPC: its suspicion of whom it sees grows, of all others it fades; transitions are told, by target.
pub(crate) fn look(world: &mut World, id: EntityId) {
    let Some(entity) = world.scene.entity(id) else { return };
    let seen = in_sight(world, entity);
    let Some(npc) = world.npcs.get_mut(&id) else { return };
    let mut notices = std::mem::take(&mut npc.notices);
    for notice in notices.values_mut() {
        notice.in_sight = false;
    }
    for (target, position) in seen {
        let notice = notices.entry(target).or_default();
        (notice.in_sight, notice.last_seen) = (true, position);
    }
    let seconds = NPC_PERCEPTION_TICKS as f32 * TICK_SECONDS;
    for (target, notice) in &mut notices {
        let here = world.scene.entity(*target).is_some();
        let change = if notice.in_sight { SUSPICION_GAIN } else { -SUSPICION_LOSS } * seconds;
        notice.suspicion = if here { (notice.suspicion + change).clamp(0.0, SUSPICION_MAX) } else { 0.0 };
        let before = notice.detection;
        notice.detection = detect(before, notice.suspicion);
        if let Some(kind) = transition(before, notice.detection) {
            let (state, suspicion) = (notice.detection, notice.suspicion);
            world.outbound.push(Outbound::NpcEvent { npc: id, kind, target: *target, state, suspicion });
        }
    }
    notices.retain(|_, notice| notice.suspicion > 0.0);
    if let Some(npc) = world.npcs.get_mut(&id) {
        npc.notices = notices;
    }
}

/// The players that are neither of its own team nor its summoner that it sees, nearest first: in range, within its field of view (which is measured on the ground, so that nobody is
/// overlooked for standing close and low), nothing but air between.
fn in_sight(world: &World, npc: &Entity) -> Vec<(EntityId, Vec3)> {
    let sphere = Shape::Sphere { center: npc.position, radius: NPC_SIGHT_M };
    let mut near = world.scene.find(sphere, Kinds::of(&[EntityKind::Player]), NPC_NOTICED_MAX, npc.id);
    near.retain(|(target, position)| {
        in_view(npc.aim, *position - npc.position)
            && *target != npc.owner
            && !team::allied(world, npc.id, *target)
            && world.scene.terrain().line_of_sight(npc.position + Vec3::Y * NPC_EYE_M, *position + Vec3::Y * NPC_TARGET_M)
    });
    near
}

fn in_view(aim: Vec3, offset: Vec3) -> bool {
    let flat = |v: Vec3| Vec3::new(v.x, 0.0, v.z);
    flat(offset).dot(flat(aim).normalize_or(Vec3::NEG_Z)) >= flat(offset).length() * NPC_FOV_COSINE
}

/// Once suspicious or spotted, a target stays so until the suspicion is below where it began.
fn detect(before: Detection, suspicion: f32) -> Detection {
    match suspicion {
        s if s >= SUSPICION_SPOTTED => Detection::Spotted,
        s if s < SUSPICION_SUSPICIOUS => Detection::Idle,
        _ if before == Detection::Idle => Detection::Suspicious,
        _ => before,
    }
}

fn transition(before: Detection, after: Detection) -> Option<NpcEventKind> {
    match (before, after) {
        (before, after) if before == after => None,
        (_, Detection::Spotted) => Some(NpcEventKind::Spotted),
        (Detection::Spotted, _) => Some(NpcEventKind::Lost),
        _ => Some(NpcEventKind::SuspicionChanged),
    }
}
