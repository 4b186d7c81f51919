//! What NPCs do about what they notice: small state machines that end in a wish to walk somewhere or a blow.

use crate::character::Wish;
use crate::limits::{
    GUARD_FLEES_BELOW, NPC_BLOW_DAMAGE, NPC_BLOW_TICKS, NPC_CALM_TICKS, NPC_FLEE_M, NPC_FLEE_SPEED, NPC_HUNT_SPEED, NPC_PATROL_M,
    NPC_PATROL_SPEED, NPC_REACH_M, NPC_REPLAN_TICKS, NPC_STUCK_TICKS, PATH_ARRIVAL_M,
};
use crate::npc::{Npc, Temper};
use crate::outbound::Detection;
use crate::path::{self, Cell, Route};
use crate::rng::Stream;
use crate::scene::Scene;
use crate::summon::Order;
use crate::{EntityId, Vec3, World, combat, perception, summon};
use serde::{Deserialize, Serialize};

/// What an NPC is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Mind {
    /// Stands, until it walks on.
    Idle {
        /// The first tick in which it does.
        until: u64,
    },
    /// Nothing yet.
    #[default]
    Fresh,
    /// Walks about its home.
    Patrol,
    /// Looks where it has seen something.
    Investigate,
    /// Runs after whom it has spotted.
    Chase {
        /// Whom.
        target: EntityId,
    },
    /// Beats whom it has reached.
    Attack {
        /// Whom.
        target: EntityId,
    },
    /// Runs away.
    Flee {
        /// From whom.
        from: EntityId,
    },
    /// Keeps up with its summoner.
    Follow,
    /// Goes where its summoner has sent it.
    Go,
}

/// The tick's stage: NPCs whose turn it is look around and make up their minds, by id; then those who wait for a way get one.
pub(crate) fn advance(world: &mut World) {
    let tick = world.tick;
    let due = |(id, npc): &(&EntityId, &Npc)| npc.temper != Temper::Dummy && perception::is_due(tick, **id);
    let ids: Vec<EntityId> = world.npcs.iter().filter(due).map(|(id, _)| *id).collect();
    for id in ids {
        perception::look(world, id);
        act(world, id);
    }
    path::serve(world);
}

/// What an NPC wants in this tick, and where it looks.
pub(crate) fn wish(world: &mut World, id: EntityId) -> (Wish, Option<Vec3>) {
    let (Some(entity), Some(npc)) = (world.scene.entity(id), world.npcs.get_mut(&id)) else { return (Wish::default(), None) };
    let speed = match npc.mind {
        Mind::Attack { target } => {
            let toward = whereabouts(&world.scene, npc, target).map(|at| flat(at - entity.position));
            return (Wish::default(), toward.and_then(Vec3::try_normalize));
        }
        Mind::Fresh | Mind::Idle { .. } => return (Wish::default(), None),
        Mind::Patrol => NPC_PATROL_SPEED,
        Mind::Investigate | Mind::Chase { .. } | Mind::Follow | Mind::Go => NPC_HUNT_SPEED,
        Mind::Flee { .. } => NPC_FLEE_SPEED,
    };
    // Who looks for somebody looks there, wherever its way turns; all others look where they go.
    let hunts = matches!(npc.mind, Mind::Investigate | Mind::Chase { .. });
    let gaze = npc.route.goal.filter(|_| hunts).and_then(|goal| flat(path::standing(goal) - entity.position).try_normalize());
    while let Some(next) = npc.route.steps.last() {
        let way = path::standing(*next) - entity.position;
        if flat(way).length() > PATH_ARRIVAL_M || way.y.abs() > 1.0 {
            let direction = flat(way).normalize_or_zero();
            // A cell straight above or below is reached by falling, or not at all.
            return (Wish { velocity: direction * speed, jump: false }, gaze.or_else(|| direction.try_normalize()));
        }
        npc.route.steps.pop();
        npc.route.since = world.tick;
    }
    (Wish::default(), gaze)
}

fn act(world: &mut World, id: EntityId) {
    let Some(npc) = world.npcs.get(&id) else { return };
    let before = npc.mind;
    let mind = match (npc.temper, npc.summoned) {
        (Temper::Dummy, _) => return,
        (_, Some(summoned)) => summon::obey(world, id, summoned),
        (Temper::Guard, None) => guard(world, id),
        (Temper::Critter, None) => critter(world, id),
    };
    let goal = goal(world, id, before, mind);
    let tick = world.tick;
    let Some(npc) = world.npcs.get_mut(&id) else { return };
    npc.mind = mind;
    let changed = std::mem::discriminant(&before) != std::mem::discriminant(&mind);
    plan(&mut npc.route, goal, changed, tick);
    if let Mind::Attack { target } = mind {
        strike(world, id, target);
    }
}

/// Chases whom it has spotted and beats it when it can, flees when that went badly, looks after what it suspects, else walks its rounds.
fn guard(world: &World, id: EntityId) -> Mind {
    let (Some(npc), Some(entity)) = (world.npcs.get(&id), world.scene.entity(id)) else { return Mind::Fresh };
    match nearest(world, id, Detection::Spotted) {
        Some(from) if entity.health < entity.health_max * GUARD_FLEES_BELOW => Mind::Flee { from },
        Some(target) if reaches(world, id, target) => Mind::Attack { target },
        Some(target) => Mind::Chase { target },
        None if nearest(world, id, Detection::Suspicious).is_some() => Mind::Investigate,
        None => calm(world, npc.mind, &npc.route),
    }
}

/// Flees from whom it has so much as suspected, else wanders.
fn critter(world: &World, id: EntityId) -> Mind {
    let Some(npc) = world.npcs.get(&id) else { return Mind::Fresh };
    let feared = nearest(world, id, Detection::Spotted).or_else(|| nearest(world, id, Detection::Suspicious));
    feared.map_or_else(|| calm(world, npc.mind, &npc.route), |from| Mind::Flee { from })
}

/// Stands a while, walks a while.
fn calm(world: &World, mind: Mind, route: &Route) -> Mind {
    match mind {
        Mind::Idle { until } if world.tick < until => mind,
        Mind::Idle { .. } => Mind::Patrol,
        // What it has begun it ends, also when what began it is forgotten.
        Mind::Patrol | Mind::Investigate | Mind::Flee { .. } if route.asked || !route.steps.is_empty() => mind,
        _ => Mind::Idle { until: world.tick + NPC_CALM_TICKS },
    }
}

/// Of those that it detects so, whom it saw last nearest to itself; of two the one with the lower id.
fn nearest(world: &World, id: EntityId, detection: Detection) -> Option<EntityId> {
    let (npc, entity) = (world.npcs.get(&id)?, world.scene.entity(id)?);
    let noticed = npc.notices.iter().filter(|(_, notice)| notice.detection == detection);
    noticed
        .map(|(target, notice)| ((notice.last_seen - entity.position).length_squared(), *target))
        .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
        .map(|(_, target)| target)
}

pub(crate) fn reaches(world: &World, id: EntityId, target: EntityId) -> bool {
    let (Some(entity), Some(other)) = (world.scene.entity(id), world.scene.entity(target)) else { return false };
    let near = (other.position - entity.position).length() <= NPC_REACH_M;
    near && world.scene.terrain().line_of_sight(entity.eye(), other.eye())
}

fn strike(world: &mut World, id: EntityId, target: EntityId) {
    let tick = world.tick;
    if let Some(npc) = world.npcs.get_mut(&id).filter(|npc| npc.strike_ready <= tick) {
        npc.strike_ready = tick + NPC_BLOW_TICKS;
        combat::harm(world, id, target, NPC_BLOW_DAMAGE);
    }
}

/// Where a mind leads; none: nowhere.
fn goal(world: &World, id: EntityId, before: Mind, mind: Mind) -> Option<Cell> {
    let (npc, entity) = (world.npcs.get(&id)?, world.scene.entity(id)?);
    let seen = |target: EntityId| whereabouts(&world.scene, npc, target);
    match mind {
        Mind::Fresh | Mind::Idle { .. } | Mind::Attack { .. } => None,
        Mind::Patrol if before == Mind::Patrol => npc.route.goal,
        Mind::Patrol => Some(path::feet(npc.home + stroll(world, id))),
        Mind::Investigate => nearest(world, id, Detection::Suspicious).and_then(seen).map_or(npc.route.goal, |seen| Some(path::feet(seen))),
        Mind::Chase { target } => seen(target).map(path::feet),
        Mind::Follow => world.scene.entity(npc.summoned?.summoner).map(|summoner| path::feet(summoner.position)),
        Mind::Go => {
            if let Order::Go { to } = npc.summoned?.order {
                Some(path::feet(to))
            } else {
                None
            }
        }
        Mind::Flee { from } => {
            let Some(seen) = seen(from) else { return npc.route.goal };
            let away = flat(entity.position - seen).normalize_or(Vec3::X);
            Some(path::feet(entity.position + away * NPC_FLEE_M))
        }
    }
}

/// Where an NPC takes its target to be: where it saw it last, or, set on it by its summoner, where it is.
fn whereabouts(scene: &Scene, npc: &Npc, target: EntityId) -> Option<Vec3> {
    match npc.summoned {
        Some(_) => scene.entity(target).map(|entity| entity.position),
        None => npc.notices.get(&target).map(|notice| notice.last_seen),
    }
}

/// An offset of at most `NPC_PATROL_M` on each horizontal axis, from the world's streams.
fn stroll(world: &World, id: EntityId) -> Vec3 {
    let mut stream = Stream::named(&[world.settings.seed, id.0, world.tick]);
    let mut axis = || (stream.draw() % (2 * NPC_PATROL_M as u64 + 1)) as f32 - NPC_PATROL_M;
    Vec3::new(axis(), 0.0, axis())
}

/// Asks for a way when there is no headway or a new goal; one that moves, not more often than every `NPC_REPLAN_TICKS`, one of a changed mind at once.
fn plan(route: &mut Route, goal: Option<Cell>, changed: bool, tick: u64) {
    let Some(goal) = goal else {
        *route = Route { searched: route.searched, since: route.since, ..Route::default() };
        return;
    };
    let stuck = tick.saturating_sub(route.since) >= NPC_STUCK_TICKS && !route.steps.is_empty();
    let rested = route.steps.is_empty() || tick.saturating_sub(route.searched) >= NPC_REPLAN_TICKS;
    let moved = route.goal != Some(goal) && (changed || rested);
    if !route.asked && (moved || stuck) {
        (route.goal, route.asked) = (Some(goal), true);
    }
}

pub(crate) fn flat(v: Vec3) -> Vec3 {
    Vec3::new(v.x, 0.0, v.z)
}
